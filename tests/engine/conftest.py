"""A provider behind each of its two faces: synchronous, and asynchronous over a storage that really suspends."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Final

import attrs
import pytest

from scimcore.access import Authenticator, Caller, anonymous
from scimcore.dialects import Dialect
from scimcore.engine.events import Event, OnEvent, Recorder
from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection
from scimcore.rules.limits import Limits
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import (
    EVERYTHING,
    Change,
    Elements,
    Page,
    Query,
    Record,
    Session,
    SyncSession,
    SyncStorage,
    Tenant,
)

Watch = Callable[[str, tuple[Any, ...]], None]
"""Told the name and the arguments of each call of a session before it is made; may raise instead."""

BASE: Final = "https://scim.example.com/v2"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
KEYWORDS: Final = {
    *("invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath"),
    *("noTarget", "invalidValue", "invalidVers", "sensitive"),
}


def unwatched(_: str, __: tuple[Any, ...]) -> None:
    """Watch nothing."""


# Storages around the memory storage


class WatchedStorage:
    """A storage whose calls are watched, and which may declare other attributes keyed."""

    def __init__(self, inner: SyncStorage, watch: Watch, keyed: Mapping[str, Mapping[str, str]] | None) -> None:
        self._inner = inner
        self._watch = watch
        self._keyed = inner.keyed if keyed is None else keyed

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return self._keyed

    def session(self, tenant: Tenant) -> AbstractContextManager[SyncSession]:
        return _WatchedSession(self._inner.session(tenant), self._watch)


class _WatchedSession:
    _session: SyncSession

    def __init__(self, context: AbstractContextManager[SyncSession], watch: Watch) -> None:
        self._context = context
        self._watch = watch

    def __enter__(self) -> SyncSession:
        self._session = self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._context.__exit__(kind, error, trace)

    def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        self._watch("get", (resource_type, id, elements))
        return self._session.get(resource_type, id, elements)

    def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        self._watch("locate", (ids,))
        return self._session.locate(ids)

    def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        self._watch("count", (resource_type, id, attribute, most))
        return self._session.count(resource_type, id, attribute, most)

    def search(self, query: Query) -> Page:
        self._watch("search", (query,))
        return self._session.search(query)

    def insert(self, record: Record) -> None:
        self._watch("insert", (record,))
        self._session.insert(record)

    def update(self, change: Change) -> Record:
        self._watch("update", (change,))
        return self._session.update(change)

    def delete(self, record: Record) -> None:
        self._watch("delete", (record,))
        self._session.delete(record)

    def savepoint(self) -> AbstractContextManager[None]:
        return self._session.savepoint()


class SuspendingStorage:
    """An asynchronous storage: every call suspends before it is made and after."""

    def __init__(self, inner: SyncStorage) -> None:
        self._inner = inner

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return self._inner.keyed

    def session(self, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
        return _SuspendingSession(self._inner.session(tenant))


class _SuspendingSession:
    _session: SyncSession

    def __init__(self, context: AbstractContextManager[SyncSession]) -> None:
        self._context = context

    async def __aenter__(self) -> Session:
        await asyncio.sleep(0)
        self._session = self._context.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        # A coroutine that is being closed may not suspend any more.
        if kind is not GeneratorExit:
            await asyncio.sleep(0)
        return self._context.__exit__(kind, error, trace)

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        await asyncio.sleep(0)
        return self._session.get(resource_type, id, elements)

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        return self._session.locate(ids)

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        await asyncio.sleep(0)
        return self._session.count(resource_type, id, attribute, most)

    async def search(self, query: Query) -> Page:
        await asyncio.sleep(0)
        return self._session.search(query)

    async def insert(self, record: Record) -> None:
        self._session.insert(record)
        await asyncio.sleep(0)

    async def update(self, change: Change) -> Record:
        await asyncio.sleep(0)
        record = self._session.update(change)
        await asyncio.sleep(0)
        return record

    async def delete(self, record: Record) -> None:
        self._session.delete(record)
        await asyncio.sleep(0)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError("no flow opens a savepoint")


# A provider and its client


@attrs.frozen
class Answer:
    """A response; *body* is its parsed JSON, None if there is none. Answers to two requests may be equal."""

    status: int
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    request_id: str = attrs.field(eq=False)


@attrs.define
class Face:
    """A provider as one of its faces shows it, with a client's words for it."""

    provider: ScimProvider
    storage: MemoryStorage
    told: list[Event]
    bugs: list[Exception]
    handle: Callable[[ScimProvider, Request], Response]

    @property
    def events(self) -> list[Event]:
        """What it told of requests that were carried out."""
        return [event for event in self.told if event.happening not in ("refused", "unauthenticated")]

    @property
    def refusals(self) -> list[Event]:
        """What it told of requests that were not."""
        return [event for event in self.told if event.happening in ("refused", "unauthenticated")]

    def send(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        base_url: str = BASE,
    ) -> Answer:
        """The answer to one request; *body* is to be written as JSON, or bytes to be sent as they are."""
        path, _, query = target.partition("?")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"Content-Type": "application/scim+json"} if sent else {}
        request = Request(method, path, query, {**named, **(headers or {})}, sent, base_url)
        response = self.handle(self.provider, request)
        parsed = json.loads(response.body) if response.body else None
        answered = dict(response.headers)
        request_id = answered.pop("x-request-id")
        return Answer(response.status, answered, parsed, response.body, request_id)

    def patch(self, target: str, *operations: object, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a PATCH of those operations."""
        return self.send("PATCH", target, {"schemas": [PATCH_OP], "Operations": list(operations)}, headers)

    def user(self, user_name: str = "bjensen", **values: object) -> str:
        """The id of a new user."""
        return self._created("/Users", {"schemas": [USER.schema.id], "userName": user_name, **values})

    def group(self, name: str = "Tour Guides", members: Collection[str] = ()) -> str:
        """The id of a new group."""
        elements = [{"value": member} for member in members]
        return self._created("/Groups", {"schemas": [GROUP.schema.id], "displayName": name, "members": elements})

    def _created(self, endpoint: str, payload: object) -> str:
        answer = self.send("POST", endpoint, payload)
        assert answer.status == 201, answer.raw
        id: str = answer.body["id"]
        self.told.clear()
        return id

    def stored(self, tenant: str = "acme") -> list[Record]:
        """All that the storage keeps of a tenant."""
        with self.storage.session(Tenant(tenant)) as session:
            query = Query(resource_types=(USER, GROUP), count=100_000)
            return list(session.search(query).records)

    def refused(self, answer: Answer, status: int, scim_type: str | None = None) -> str:
        """The detail of a refusal, after a look at its form (RFC 7644 §3.12)."""
        assert answer.status == status, answer.raw
        assert answer.headers["content-type"] in ("application/scim+json", "application/json")
        body = dict(answer.body)
        detail: str = body.pop("detail")
        assert isinstance(detail, str)
        assert detail
        assert body.pop("scimType", None) == scim_type
        assert scim_type is None or scim_type in KEYWORDS
        assert body == {"schemas": [ERROR], "status": str(status)}
        return detail


def handled_at_once(provider: ScimProvider, request: Request) -> Response:
    return provider.handle_sync(request)


def handled_in_a_loop(provider: ScimProvider, request: Request) -> Response:
    return asyncio.run(provider.handle(request))


@attrs.define
class Maker:
    """Makes providers, each with a clock that ticks by the second, ids in order, and a list of events and bugs."""

    kind: str
    made: list[Face] = attrs.field(factory=list)

    def __call__(
        self,
        *,
        watch: Watch = unwatched,
        keyed: Mapping[str, Mapping[str, str]] | None = None,
        authenticate: Authenticator | None = None,
        record: Recorder | None = None,
        on_event: OnEvent | None = None,
        dialect: Dialect = Dialect.DEFAULT,
        resource_types: Collection[ResourceType] = (USER, GROUP),
        limits: Limits | None = None,
        public_url: str | None = None,
        new_id: Callable[[], str] | None = None,
        connections: Iterable[Connection] | Callable[[Caller], Connection] = (),
    ) -> Face:
        memory, events, bugs, numbers, seconds = MemoryStorage(), list[Event](), list[Exception](), count(1), count()
        requests = count(1)
        watched = WatchedStorage(memory, watch, keyed)
        provider = ScimProvider(
            SuspendingStorage(watched) if self.kind == "async" else watched,
            authenticate=authenticate or anonymous(tenant="acme"),
            resource_types=resource_types,
            dialect=dialect,
            connections=connections,
            limits=limits or Limits(),
            public_url=public_url,
            clock=lambda: datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(seconds=next(seconds)),
            new_id=new_id or (lambda: f"id-{next(numbers)}"),
            new_request_id=lambda: f"request-{next(requests)}",
            record=record,
            on_event=on_event or events.append,
            on_bug=lambda bug, _: bugs.append(bug),
        )
        handle = handled_in_a_loop if self.kind == "async" else handled_at_once
        face = Face(provider, memory, events, bugs, handle)
        self.made.append(face)
        return face


@pytest.fixture(params=["sync", "async"])
def make_face(request: pytest.FixtureRequest) -> Iterator[Maker]:
    """Makes providers behind one face, and finds no bug in them when the test is over."""
    maker = Maker(request.param)
    yield maker
    assert [bug for face in maker.made for bug in face.bugs] == []


@pytest.fixture
def face(make_face: Maker) -> Face:
    """A provider with everything as it is by default."""
    return make_face()


def tenants_by_token(request: Any) -> Caller:
    """An authenticator whose bearer token is the name of the tenant, then perhaps a slash and the only scope."""
    tenant, _, scope = request.headers.get("authorization", "").removeprefix("Bearer ").partition("/")
    return Caller(tenant=Tenant(tenant), scopes=frozenset({scope} if scope else {"read", "write"}))
