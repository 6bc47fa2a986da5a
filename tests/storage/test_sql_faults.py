"""Connections that break, at every point of a conversation with PostgreSQL: nothing is half-done, and reads go on."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import attrs
import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from scimcore.access import anonymous
from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.errors import UnavailableError
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Tenant
from scimcore.storage.sql.tables import METADATA
from scimcore.testing.company import ALICE
from scimcore.testing.sessions import Sessions, changed, group, joining, user

ACME = Tenant("acme")
TEAM = group("g1", "Team", ["u1"])
DRIVERS = ["psycopg", "asyncpg"]


@attrs.define
class Line:
    """What lies between a client and a PostgreSQL server, and can be cut.

    Both are reached through sockets in directories; the one of the line has the same name as the server's.
    """

    server: Path
    folder: Path
    cut_at: int | None = None
    """Which of the client's messages from now on is the last one; None if the line holds."""
    is_delivered: bool = False
    """Whether that one still reaches the server."""
    stays_cut: bool = False
    messages: int = 0
    _ends: list[socket.socket] = attrs.field(factory=list)

    def listen(self) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / self.server.name))
        listener.listen()
        self._ends.append(listener)
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self, at: int, *, is_delivered: bool = False, stays_cut: bool = False) -> None:
        """Break the next connection that sends its message number *at*."""
        self.messages, self.cut_at, self.is_delivered, self.stays_cut = 0, at, is_delivered, stays_cut

    def close(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.server))
                self._ends += [client, server]
                Thread(target=self._speak, args=(client, server), daemon=True).start()
                Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _speak(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := client.recv(1 << 16):
                if self.cut_at is not None and self.messages >= self.cut_at:
                    if not self.stays_cut:
                        self.cut_at = None
                    if self.is_delivered:
                        client.shutdown(socket.SHUT_RDWR)
                        server.sendall(said)
                        server.shutdown(socket.SHUT_WR)
                    break
                self.messages += 1
                server.sendall(said)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR if end is client or not self.is_delivered else socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while said := server.recv(1 << 16):
                client.sendall(said)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def database(empty_postgresql: str) -> Engine:
    """A database with Alice in a team, without the line."""
    engine = create_engine(f"postgresql+psycopg{empty_postgresql}", poolclass=NullPool)
    storage = SqlStorage(engine)
    storage.create_all()
    with asyncio.Runner() as runner:
        Sessions(storage, ACME, runner).insert(ALICE, TEAM)
    return engine


@pytest.fixture
def line(database: Engine) -> Iterator[Line]:
    host = str(database.url.query["host"])
    # The name of a socket has room for a hundred bytes only.
    with TemporaryDirectory(prefix="scim-") as folder:
        line = Line(Path(host) / ".s.PGSQL.5432", Path(folder))
        line.listen()
        yield line
        line.close()


@contextmanager
def speaking_through(line: Line, database: Engine, driver: str) -> Iterator[Sessions]:
    """Sessions whose one pooled connection leads through *line* and has been used before."""
    url = make_url(database.url).set(drivername=f"postgresql+{driver}", query={"host": str(line.folder)})
    storage = SqlStorage(url)
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        for _ in range(7):  # psycopg prepares a statement when it is executed for the sixth time
            assert sessions.get(USER, "u1") == attrs.evolve(
                ALICE,
                document={
                    **ALICE.document,
                    "groups": [{"value": "g1", "display": "Team", "type": "direct"}],
                },
            )
        yield sessions
        line.cut_at = None
        runner.run(storage.close_async())


def rows(database: Engine) -> dict[str, list[str]]:
    """Everything that is in the tables, when the server has noticed who is gone and ended what they had begun."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :name AND state <> 'idle'"
    with database.connect() as connection:
        for _ in range(1_000):
            if connection.execute(text(f"SELECT count(*) {others}"), {"name": database.url.database}).scalar() == 0:
                break
            connection.execute(text("SELECT pg_sleep(0.01)"))
            connection.rollback()  # what is going on is looked up once in a transaction
        return {
            name: sorted(str(row) for row in connection.execute(table.select()))
            for name, table in METADATA.tables.items()
        }


def end_connections(database: Engine) -> None:
    """As a restart of the server would, or an administrator."""
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :name"
    with database.connect() as connection:
        connection.execute(text(ending), {"name": database.url.database})


# Writing

WRITES: dict[str, Callable[[Sessions], object]] = {
    "insert": lambda sessions: sessions.insert(user("u2", "bob", externalId="x2"), group("g2", "Others", ["u2"])),
    "update": lambda sessions: sessions.update(changed(ALICE, {**ALICE.document, "userName": "alicia"})),
    "join": lambda sessions: sessions.update(joining(TEAM, "m1", "m2")),
    "delete": lambda sessions: sessions.delete(ALICE),
}


@pytest.mark.parametrize("is_delivered", [True, False], ids=["delivered", "not delivered"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_breaks_off_anywhere_is_done_whole_or_not_at_all(
    database: Engine, line: Line, driver: str, write: str, is_delivered: bool
) -> None:
    before = rows(database)
    found: list[dict[str, list[str]]] = []
    with speaking_through(line, database, driver) as sessions:
        while line.cut_at is None:
            line.cut(len(found), is_delivered=is_delivered)
            is_refused = refuses(lambda: WRITES[write](sessions))
            found.append(rows(database))
            # What is acknowledged is there; what is not may be there, if the acknowledgement was lost.
            assert is_refused or found[-1] != before
            if line.cut_at is None:
                restore(database, before)
    assert len(found) >= 4
    # Nothing was begun when the first message was lost, so it was said again; and the last time nothing was lost.
    assert found[0] == found[-1]
    assert all(one in (before, found[-1]) for one in found)


def refuses(act: Callable[[], object]) -> bool:
    """Whether the storage is not available to *act*."""
    try:
        act()
    except UnavailableError:
        return True
    return False


def restore(database: Engine, before: dict[str, list[str]]) -> None:
    """Begin again with Alice and her team."""
    if rows(database) == before:
        return
    with database.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(name for name in METADATA.tables if name != 'scim_fact')}"))
    with asyncio.Runner() as runner:
        Sessions(SqlStorage(database), ACME, runner).insert(ALICE, TEAM)
    assert rows(database) == before


# Reading


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("is_delivered", [True, False], ids=["delivered", "not delivered"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_read_that_breaks_off_is_made_again(
    database: Engine, line: Line, driver: str, at: int, is_delivered: bool
) -> None:
    with speaking_through(line, database, driver) as sessions:
        line.cut(at, is_delivered=is_delivered)
        assert sessions.found(GROUP, "g1") == TEAM
        assert line.cut_at is None


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_read_is_made_again_once(database: Engine, line: Line, driver: str) -> None:
    with speaking_through(line, database, driver) as sessions:
        line.cut(0, stays_cut=True)
        with pytest.raises(UnavailableError):
            sessions.get(GROUP, "g1")
        line.cut_at = None
        assert sessions.found(GROUP, "g1") == TEAM


# Over HTTP


@pytest.fixture(params=DRIVERS)
def ask(request: pytest.FixtureRequest, database: Engine, line: Line) -> Iterator[Callable[[Request], Response]]:
    """A provider whose connections lead through the line."""
    drivername = f"postgresql+{request.param}"
    storage = SqlStorage(make_url(database.url).set(drivername=drivername, query={"host": str(line.folder)}))
    provider = ScimProvider(storage, authenticate=anonymous(tenant="acme"))
    with asyncio.Runner() as runner:
        yield lambda request: runner.run(provider.handle(request))
        runner.run(storage.close_async())


BOB = json.dumps({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob"}).encode()
CREATE = Request("POST", "/Users", headers={"content-type": "application/scim+json"}, body=BOB)


def test_after_a_restart_of_the_database_nobody_notices(database: Engine, ask: Callable[[Request], Response]) -> None:
    assert ask(Request("GET", "/Users/u1")).status == 200
    end_connections(database)
    assert ask(Request("GET", "/Users/u1")).status == 200
    end_connections(database)
    assert ask(CREATE).status == 201
    end_connections(database)
    assert ask(CREATE).status == 409


def test_while_the_database_is_away_clients_are_told_when_to_try_again(
    line: Line, ask: Callable[[Request], Response]
) -> None:
    assert ask(Request("GET", "/Users/u1")).status == 200
    line.cut(0, stays_cut=True)
    for request in (CREATE, Request("GET", "/Users/u1")):
        refusal = ask(request)
        assert refusal.status == 503
        assert int(refusal.headers["retry-after"]) >= 1
    line.cut_at = None
    assert ask(CREATE).status == 201
