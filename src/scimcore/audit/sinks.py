"""Where events go: a log, an application's own function, or several places at once."""

import json
import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias

import attrs

from scimcore.audit.entry import Told, entry_of

Sink: TypeAlias = Callable[[Told], Awaitable[None] | None]
"""What may be told of events: `on_event` of a provider and of a token store both take one."""


@attrs.frozen
class LogSink:
    """A sink that writes one line of JSON for each event to a logger of the standard library."""

    logger: logging.Logger = attrs.field(factory=lambda: logging.getLogger("scimcore.audit"))

    def __call__(self, event: Told) -> None:
        """Log *event*: what was refused as a warning, the rest for information."""
        entry = entry_of(event)
        level = logging.WARNING if event.happening in ("refused", "unauthenticated") else logging.INFO
        if self.logger.isEnabledFor(level):
            self.logger.log(level, "%s", json.dumps({"tenant": entry.tenant, **entry.facts}, ensure_ascii=False))


def all_of(*sinks: Sink) -> Sink:
    """A sink that tells each of *sinks* in order, whatever becomes of the others.

    The sink that is returned raises an ExceptionGroup of what any of them raised, when all were told.
    """

    async def tell(event: Told) -> None:
        failures: list[Exception] = []
        for sink in sinks:
            try:
                told = sink(event)
                if isawaitable(told):
                    await told
            except Exception as failure:  # noqa: BLE001 - a full disk here must not keep the next sink from its event
                failures.append(failure)
        if failures:
            raise ExceptionGroup("not every sink could be told", failures)

    return tell
