"""The two applications that are measured: scimcore, and scim2-server if it is installed."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

import attrs

from benchmarks.exchange import MOUNT, TOKEN, Answer, Application, Exchange, asked
from benchmarks.people import adding_members, encoded, group, person
from scimcore import ScimProvider
from scimcore.access import BearerTokens, Caller, Tenant
from scimcore.adapters.asgi import ScimApp
from scimcore.engine.events import Event
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Storage, SyncStorage

_MOST_AT_ONCE: Final = 10_000
"""Members in one request; a body with many more is beyond the default limit of 4 MiB."""


@attrs.define
class Listener:
    """An event listener that does the least a listener can do."""

    last: Event | None = None

    def __call__(self, event: Event) -> None:
        self.last = event


@attrs.define
class Contender:
    """An application over an empty memory storage, and the ids of what was put into it."""

    name: str
    application: Application
    root_path: str
    users: list[str] = attrs.field(factory=list)

    async def ask(self, exchange: Exchange) -> Answer:
        """The answer to *exchange*, whatever it is."""
        return await asked(self.application, self.root_path, exchange)

    async def done(self, exchange: Exchange) -> Answer:
        """The answer to *exchange*.

        Raises:
            RuntimeError: It is a refusal.
        """
        answer = await self.ask(exchange)
        if answer.status >= 300:
            raise RuntimeError(f"{self.name} answered {answer.status} to {exchange.method} {exchange.path}")
        return answer

    async def hire(self, count: int) -> None:
        """Create users until there are *count*."""
        for number in range(len(self.users), count):
            answer = await self.done(Exchange("POST", "/Users", body=encoded(person(number))))
            self.users.append(answer.document["id"])

    async def gather(self, name: str, members: Sequence[str]) -> str:
        """Create a group; its id."""
        first = encoded(group(name, members[:_MOST_AT_ONCE]))
        id: str = (await self.done(Exchange("POST", "/Groups", body=first))).document["id"]
        for start in range(_MOST_AT_ONCE, len(members), _MOST_AT_ONCE):
            more = adding_members(members[start : start + _MOST_AT_ONCE])
            await self.done(Exchange("PATCH", f"/Groups/{id}", body=more))
        return id


Making = Callable[[], Contender]


def ours() -> Contender:
    """scimcore as it comes: default limits, every check, bearer tokens, an event listener."""
    return on_storage("scimcore", MemoryStorage())


def installed_peer() -> Making | None:
    """scim2-server; None where it is not installed."""
    if find_spec("scim2_server") is None:
        return None
    from benchmarks.peer import peer

    return peer


def on_storage(name: str, storage: Storage | SyncStorage) -> Contender:
    """scimcore as it comes, over *storage*."""
    authenticate = BearerTokens({TOKEN: Caller(tenant=Tenant("acme"))})
    provider = ScimProvider(storage, authenticate=authenticate, on_event=Listener())
    return Contender(name, ScimApp(provider), MOUNT)
