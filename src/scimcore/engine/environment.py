"""What every flow leans on: the settings of a provider as one value, and its only touch of clock and chance."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from inspect import isawaitable
from typing import TypeAlias

import attrs

from scimcore.dialects import Dialect
from scimcore.engine.events import Event, OnEvent, Recorder
from scimcore.engine.keyed import KeyedAttributes
from scimcore.provisioning import Connection
from scimcore.rules.limits import Limits
from scimcore.schema.catalogue import Catalogue
from scimcore.storage.protocol import Instant, Storage, SyncStorage

OnBug: TypeAlias = Callable[[Exception, str], None]
"""Told of an exception that is no client's fault, with the request id that the client was given."""


@attrs.frozen(kw_only=True)
class Environment:
    """The settings of a provider."""

    storage: Storage | SyncStorage
    catalogue: Catalogue
    connection: Connection
    """The one that is being answered."""
    limits: Limits
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_request_id: Callable[[], str]
    keyed: Mapping[str, KeyedAttributes]
    """By resource type name."""
    record: Recorder | None
    on_event: OnEvent | None
    on_bug: OnBug | None
    dialect: Dialect = attrs.field(init=False)
    """How the client talks."""

    @dialect.default
    def _of_the_connection(self) -> Dialect:
        return self.connection.dialect

    def serving(self, connection: Connection) -> "Environment":
        """The same settings for another connection."""
        return attrs.evolve(self, connection=connection)

    def report(self, bug: Exception, request_id: str) -> None:
        """Tell the application of a bug; nobody else learns of it."""
        if self.on_bug is not None:
            self.on_bug(bug, request_id)

    @property
    def is_watched(self) -> bool:
        """Whether anybody wants to know what happens."""
        return self.record is not None or self.on_event is not None

    async def tell(self, event: Event, *, is_recorded: bool = False) -> None:
        """Tell the application of an event, and the record, unless it has it already.

        Whatever they do with it, the client is answered the same.
        """
        for listener in (None if is_recorded else self.record, self.on_event):
            if listener is None:
                continue
            try:
                told = listener(event)
                if told is not None and isawaitable(told):
                    await told
            except Exception as bug:  # noqa: BLE001 - a listener's fault is reported, and is no client's
                self.report(bug, event.request_id)

    def now(self) -> Instant:
        """The present moment."""
        moment = self.clock()
        in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return Instant(in_utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z")

    def issued_id(self) -> str:
        """A new resource id.

        Raises:
            ValueError: `new_id` made one that RFC 7643 §3.1 forbids.
        """
        issued = self.new_id()
        if not issued or "bulkid" in issued.lower():
            raise ValueError(f"new_id made {issued!r}, which cannot be a resource id")
        return issued


def utc_now() -> datetime:
    """The clock of a provider that was given no other."""
    return datetime.now(UTC)


def random_id() -> str:
    """128 random bits in hexadecimal: the ids of a provider that was given no other source of them."""
    return secrets.token_bytes(16).hex()
