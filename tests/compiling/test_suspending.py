"""Requests at once, over all that may suspend, end as they would alone, whatever others are refused or cancelled.

Compiled code is what this is about: an exception that a coroutine of mypyc handles belongs to the thread, not to the
coroutine, so one that suspends at the wrong moment gives it to another request.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, MutableMapping
from random import Random
from typing import Any, Final

import attrs
import pytest
from tests.engine.conftest import SuspendingStorage

from scimcore import Limits, Request, Response, ScimProvider
from scimcore.access import anonymous
from scimcore.adapters.asgi import ScimApp
from scimcore.engine.events import Event
from scimcore.storage import MemoryStorage

_MAX_BODY_BYTES: Final = 1_000
_AT_ONCE: Final = 12
_ROUNDS: Final = 40
_LONGEST_WAIT: Final = 14
"""In turns of the event loop: about as many as the longest request takes."""


@attrs.frozen
class Asked:
    """A request, and the statuses that it may be answered with, whatever others do meanwhile."""

    method: str
    path: str
    statuses: frozenset[int]
    body: bytes = b""


def asked(user: str, chance: Random) -> Asked:
    """One of the requests that end in every way there is."""
    title = b'{"Operations": [{"op": "replace", "path": "title", "value": "%d"}]}' % chance.randrange(9)
    return chance.choice(
        [
            Asked("GET", f"/Users/{user}", frozenset({200})),
            Asked("GET", "/Users/nobody", frozenset({404})),
            Asked("DELETE", "/Users/nobody", frozenset({404})),
            Asked("PATCH", f"/Users/{user}", frozenset({200, 503}), title),
            Asked("PATCH", f"/Users/{user}", frozenset({400}), title.replace(b'"title"', b'"unknown"')),
            Asked("POST", "/Users", frozenset({201, 409}), b'{"userName": "user %d"}' % chance.randrange(5)),
            Asked("POST", "/Users", frozenset({413}), b" " * (_MAX_BODY_BYTES + 1)),
        ]
    )


def handled(provider: ScimProvider, one: Asked) -> Coroutine[Any, Any, Response | int]:
    """The provider's own answer, with no coroutine of Python around it that would keep its exceptions for it."""
    return provider.handle(Request(one.method, one.path, body=one.body))


async def served(provider: ScimProvider, one: Asked) -> Response | int:
    """The status of the answer, over a connection that suspends at each message."""
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": one.body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if "status" in message:
            statuses.append(message["status"])

    scope = {"type": "http", "method": one.method, "path": one.path, "query_string": b"", "headers": []}
    await ScimApp(provider)(scope, receive, send)
    (found,) = statuses
    return found


async def listener(_: Event) -> None:
    await asyncio.sleep(0)


async def cancelled(task: asyncio.Task[Response | int], turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()


@pytest.mark.parametrize("share", [0.0, 0.5], ids=["left alone", "half of them cancelled"])
@pytest.mark.parametrize("answer", [handled, served])
def test_requests_at_once_end_as_they_would_alone(
    answer: Callable[[ScimProvider, Asked], Coroutine[Any, Any, Response | int]], share: float
) -> None:
    chance = Random(20)
    provider = ScimProvider(
        SuspendingStorage(MemoryStorage()),
        authenticate=anonymous(tenant="acme"),
        on_event=listener,
        limits=Limits(max_body_bytes=_MAX_BODY_BYTES),
    )

    async def storm() -> None:
        created = await provider.handle(Request("POST", "/Users", body=b'{"userName": "user"}'))
        user = created.headers["location"].rpartition("/")[2]
        for _ in range(_ROUNDS):
            requests = [asked(user, chance) for _ in range(_AT_ONCE)]
            tasks = [asyncio.ensure_future(answer(provider, one)) for one in requests]
            ends = [cancelled(task, chance.randrange(_LONGEST_WAIT)) for task in tasks if chance.random() < share]
            found = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*ends)
            for one, end in zip(requests, found, strict=True):
                status = end.status if isinstance(end, Response) else end
                assert status in one.statuses or (share and isinstance(end, asyncio.CancelledError)), one
            assert sys.exc_info()[0] is None

    asyncio.run(asyncio.wait_for(storm(), 60))
