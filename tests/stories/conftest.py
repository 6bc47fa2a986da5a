"""A platform with people of its own, served over real HTTP from a real database, and identity providers that call it.

A story is told from the first connection to the last leaver. The platform keeps what is its own (role bindings) outside
of scimcore, by the ids of accounts and groups; what identity providers do must leave it whole.
"""

import itertools
import json
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar

import attrs
import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine, text

from scimcore import ScimProvider
from scimcore.access import Tokens
from scimcore.access.sql import SqlTokens
from scimcore.adapters.asgi import ScimApp
from scimcore.adapters.tenants import TenantPaths
from scimcore.audit import SqlAudit
from scimcore.engine.immediate import finish, opened
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER, Provenance, provenance_of
from scimcore.provisioning.purge import purged
from scimcore.rules.delta import delta_between, unordered
from scimcore.rules.filter import parse_filter
from scimcore.rules.identifier import unique_values
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Change, Instant, Query, Record, Session, Tenant, UniqueKey

T = TypeVar("T")

ACCOUNT: Final = Tenant("acme")
PATHS: Final = ("/gateway/ng/api/scim/account/{tenant}", "/scim/v2")
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Make = Callable[["Platform"], ScimProvider]
Connect = Callable[..., "Client"]


@attrs.frozen
class Answer:
    """What an identity provider hears."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def id(self) -> str:
        id: str = self.body["id"]
        return id

    @property
    def found(self) -> list[Any]:
        """The resources of a list."""
        assert self.status == 200, self.body
        assert self.body["totalResults"] >= len(self.body["Resources"])
        resources: list[Any] = self.body["Resources"]
        return resources


@attrs.frozen
class Client:
    """An identity provider on the line."""

    http: httpx.Client
    base_url: str
    headers: Mapping[str, str]

    def send(self, method: str, path: str, body: object = None) -> Answer:
        sent = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/scim+json; charset=utf-8"}
        answer = self.http.request(method, self.base_url + path, content=sent, headers={**kind, **self.headers})
        return Answer(answer.status_code, answer.headers, answer.json() if answer.content else None)

    def get(self, path: str, **parameters: str | int) -> Answer:
        query = httpx.QueryParams(parameters) if parameters else ""
        return self.send("GET", f"{path}?{query}" if query else path)

    def post(self, path: str, body: object) -> Answer:
        return self.send("POST", path, body)

    def put(self, path: str, body: object) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, *operations: object) -> Answer:
        return self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)


@attrs.define
class Server:
    """A port of the network, where one application after the other answers."""

    application: TenantPaths | None = None
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.application is not None
        await self.application(scope, receive, send)


@attrs.define
class Network:
    """Servers, begun when they are first needed: to begin and to end one takes longer than most stories."""

    begun: ExitStack
    http: httpx.Client
    idle: list[Server] = attrs.field(factory=list)

    @contextmanager
    def serving(self, application: TenantPaths) -> Iterator[str]:
        """*application* on a port of its own; the URL."""
        server = self.idle.pop() if self.idle else self.begun.enter_context(_server())
        server.application = application
        try:
            yield server.url
        finally:
            server.application = None
            self.idle.append(server)


@contextmanager
def _server() -> Iterator[Server]:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = Server(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        served = uvicorn.Server(uvicorn.Config(server, lifespan="off", ws="none", log_level="warning"))
        thread = Thread(target=served.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield server
        finally:
            served.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """Where the platform and its identity providers meet."""
    with ExitStack() as begun, httpx.Client(timeout=30) as http:
        yield Network(begun, http)


@attrs.define
class Platform:
    """The application: its database, its clock, and what it knows about its people besides SCIM."""

    storage: SqlStorage
    tokens: Tokens = attrs.field(init=False)
    audit: SqlAudit
    token_store: SqlTokens
    network: Network
    url: str
    """Of the database."""
    now: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)
    role_bindings: dict[str, set[str]] = attrs.field(factory=dict)
    """Id of an account or a group -> roles. No identity provider has a say here."""
    bugs: list[Exception] = attrs.field(factory=list)
    numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def __attrs_post_init__(self) -> None:
        self.tokens = Tokens(self.token_store, on_event=self.audit, clock=self.clock)

    def beside(self) -> "Platform":
        """A second server process, as far as the database can tell."""
        return attrs.evolve(self, storage=SqlStorage(self.url))

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def on_bug(self, bug: Exception, _: str) -> None:
        traceback.print_exception(bug)
        self.bugs.append(bug)

    # What the application does by itself

    def manual(self, resource_type: ResourceType, document: Document, *roles: str, id: str | None = None) -> str:
        """The id of an account or a group that was made by hand."""
        id = id or f"manual-{next(self.numbers)}"
        at = self.instant()
        whole: dict[str, Json] = {"id": id, **document}

        async def insert(session: Session) -> None:
            unique = tuple(UniqueKey(*one) for one in unique_values(whole, resource_type))
            await session.insert(
                Record(resource_type=resource_type, id=id, document=whole, created=at, last_modified=at, unique=unique)
            )

        self._in_session(insert)
        self.role_bindings[id] = set(roles)
        return id

    def manual_user(self, email: str, *roles: str, **values: Json) -> str:
        emails: Json = [{"value": email, "primary": True}]
        return self.manual(PROVISIONED_USER, {"userName": email, "emails": emails, "active": True, **values}, *roles)

    def manual_group(self, name: str, *members: str, id: str | None = None) -> str:
        elements: list[Json] = [{"value": member, "type": "User"} for member in members]
        return self.manual(PROVISIONED_GROUP, {"displayName": name, "members": elements}, f"role of {name}", id=id)

    def changed(self, id: str, resource_type: ResourceType = PROVISIONED_USER, **values: Json) -> None:
        """Write to an account or a group past everybody who has a say."""

        async def change(session: Session) -> None:
            before = await session.get(resource_type, id)
            assert before is not None
            after = before.changed({**before.document, **values}, last_modified=before.last_modified)
            delta = delta_between(before.document, after.document, unordered(resource_type))
            await session.update(Change(before=before, after=after, delta=delta, expected=None))

        self._in_session(change)

    def record(self, id: str, resource_type: ResourceType = PROVISIONED_USER) -> Record | None:
        return self._in_session(lambda session: session.get(resource_type, id))

    def account(self, id: str) -> Document:
        """What the application sees of an account."""
        record = self.record(id)
        assert record is not None
        return record.document

    def group(self, id: str) -> Document:
        record = self.record(id, PROVISIONED_GROUP)
        assert record is not None
        return record.document

    def members(self, id: str) -> set[str]:
        elements = self.group(id).get("members")
        assert elements is None or isinstance(elements, list)
        return {str(one["value"]) for one in elements or () if isinstance(one, dict)}

    def provenance(self, id: str, resource_type: ResourceType = PROVISIONED_USER) -> Provenance:
        record = self.record(id, resource_type)
        assert record is not None
        return provenance_of(record.document)

    def found(self, filter: str, resource_type: ResourceType = PROVISIONED_USER) -> list[str]:
        """The ids that a search of the application finds."""
        query = Query(resource_types=(resource_type,), filter=parse_filter(filter), count=1_000)

        async def search(session: Session) -> list[str]:
            return sorted(record.id for record in (await session.search(query)).records)

        return self._in_session(search)

    def purged(self) -> list[str]:
        """The ids of the accounts whose grace period is over, which are forgotten now."""
        now = self.instant()

        async def purge(session: Session) -> list[str]:
            return [record.id for record in await purged(session, now)]

        return self._in_session(purge)

    def instant(self) -> Instant:
        return Instant(self.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    def _in_session(self, work: Callable[[Session], Awaitable[T]]) -> T:
        async def run() -> T:
            async with opened(self.storage, ACCOUNT) as session:
                return await work(session)

        return finish(run())

    # What is on record

    def recorded(self, happening: str | None = None, tenant: str = ACCOUNT) -> list[dict[str, Any]]:
        """The entries of the account, or of another tenant, or those of one kind."""
        entries = [json.loads(entry.text) for entry in finish(self.audit.entries(Tenant(tenant)))]
        return [entry for entry in entries if happening in (None, entry["happening"])]

    def noted(self) -> list[str]:
        """What policies did, in order."""
        return [note["what"] for entry in self.recorded() for note in entry.get("notes", ())]

    def secret(self, connection: str, **settings: Any) -> str:
        """A token for a connection, as an administrator issues it."""
        return finish(self.tokens.issue(ACCOUNT, connection, **settings)).secret

    @contextmanager
    def serving(self, make: Make) -> Iterator[Connect]:
        """The platform on the network, with the provider that *make* makes; what connects a client with a token."""

        def connect(token: str, path: str = f"/gateway/ng/api/scim/account/{ACCOUNT}", **headers: str) -> Client:
            return Client(self.network.http, url + path, {"Authorization": f"Bearer {token}", **headers})

        with self.network.serving(TenantPaths(ScimApp(make(self)), PATHS)) as url:
            yield connect
        assert self.bugs == []
        assert finish(self.audit.verified()).breaks == ()


@pytest.fixture(scope="session")
def schema(postgresql: str) -> str:
    """The URL of a schema in PostgreSQL with all tables."""
    url = f"postgresql+psycopg{postgresql}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA stories"))
    engine.dispose()
    url += ("&" if "?" in url else "?") + "options=-csearch_path%3Dstories"
    with opened_database(url, is_new=True):
        return url


@contextmanager
def opened_database(url: str, *, is_new: bool) -> Iterator[tuple[SqlStorage, SqlAudit, SqlTokens]]:
    """Everything that a platform keeps in one database; with its tables if it *is_new*."""
    storage, audit, tokens = SqlStorage(url), SqlAudit(url), SqlTokens(url)
    if is_new:
        storage.create_all()
        finish(audit.create_all())
        finish(tokens.create_all())
    yield storage, audit, tokens
    storage.close()
    finish(audit.close())
    finish(tokens.close())


@pytest.fixture(params=["sqlite", "postgresql"])
def platform(request: pytest.FixtureRequest, tmp_path: Path, network: Network) -> Iterator[Platform]:
    """A platform with an empty database."""
    is_new = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'platform.db'}" if is_new else request.getfixturevalue("schema")
    with opened_database(url, is_new=is_new) as parts:
        yield Platform(*parts, network, url)
    if not is_new:
        _forget_all(url)


def _forget_all(url: str) -> None:
    """Empty the tables that belong to tenants."""
    query = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'stories' AND column_name = 'tenant'"
    )
    engine = create_engine(url)
    with engine.begin() as connection:
        names = connection.execute(text(query)).scalars().all()
        connection.execute(text(f"TRUNCATE {', '.join(names)}"))
    engine.dispose()
