"""Engines, whoever made them: what a SQLite file needs, and that no transaction is open while nothing is written."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, QueuePool, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimcore.access import anonymous
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.errors import UniquenessError
from scimcore.schema.standard import USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Session, Tenant
from scimcore.testing.company import ALICE
from scimcore.testing.sessions import Sessions, query, user

ACME = Tenant("acme")
FULL, NORMAL = 2, 1


def pragmas(engine: Engine) -> dict[str, object]:
    with engine.connect() as connection:
        return {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "wal_autocheckpoint")
        }


def test_a_file_named_by_url_is_read_while_it_is_written_and_loses_nothing_with_the_power(empty_sqlite: str) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}")
    assert isinstance(storage._engine, Engine)  # noqa: SLF001 - nothing outside tells
    assert pragmas(storage._engine) == {  # noqa: SLF001
        "journal_mode": "wal",
        "synchronous": FULL,
        "busy_timeout": 5_000,
        "wal_autocheckpoint": 4_000,
    }
    storage.close()


def test_a_url_says_how_long_a_writer_waits(empty_sqlite: str) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}?timeout=0.25")
    assert isinstance(storage._engine, Engine)  # noqa: SLF001 - nothing outside tells
    assert pragmas(storage._engine)["busy_timeout"] == 250  # noqa: SLF001
    storage.close()


def test_an_engine_of_the_application_gets_the_log_and_keeps_its_own_choices(empty_sqlite: str) -> None:
    engine = create_engine(f"sqlite{empty_sqlite}", connect_args={"timeout": 2})

    @event.listens_for(engine, "connect")
    def relax(connection: object, _: object) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")  # type: ignore[attr-defined] # a connection of sqlite3

    SqlStorage(engine)
    SqlStorage(engine)
    assert pragmas(engine) == {
        "journal_mode": "wal",
        "synchronous": NORMAL,
        "busy_timeout": 2_000,
        "wal_autocheckpoint": 1_000,
    }
    engine.dispose()


def test_an_asynchronous_engine_of_the_application_gets_the_log_too(empty_sqlite: str) -> None:
    async def flow() -> object:
        engine = create_async_engine(f"sqlite+aiosqlite{empty_sqlite}")
        await SqlStorage(engine).create_all_async()
        async with engine.connect() as connection:
            mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar()
        await engine.dispose()
        return mode

    assert asyncio.run(flow()) == "wal"


def test_a_database_in_memory_works(tmp_path: Path) -> None:
    storage = SqlStorage("sqlite://")
    storage.create_all()
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE)
        assert sessions.get(USER, ALICE.id) == ALICE
    storage.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_own", [True, False])
def test_reading_begins_no_transaction(empty: str, is_own: bool) -> None:
    """What is said to the database is counted by the driver, below SQLAlchemy."""
    engine = create_engine(empty) if is_own else SqlStorage(empty)._engine  # noqa: SLF001 - an engine made for a URL
    assert not isinstance(engine, AsyncEngine)
    storage = SqlStorage(engine)
    storage.create_all()
    is_open: list[bool] = []

    def look(_: object, cursor: object, *__: object) -> None:
        connection = cursor.connection  # type: ignore[attr-defined] # sqlite3 and psycopg have it
        is_open.append(
            connection.in_transaction if engine.dialect.name == "sqlite" else connection.info.transaction_status != 0
        )

    async def flow(session: Session) -> None:
        assert await session.get(USER, "u1") is None
        await session.insert(user("u1", "bjensen"))
        assert await session.get(USER, "u1") is not None

    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.get(USER, "nobody")
        event.listen(engine, "after_cursor_execute", look)
        sessions.run(flow)
    engine.dispose()
    assert is_open[0] is False
    assert is_open[-2] is True
    assert is_open[-1] is False
    assert sorted(is_open[:-1]) == is_open[:-1]


def _taken(storage: SqlStorage) -> int:
    """How many connections of its pool a storage holds."""
    pool = storage._engine.pool  # noqa: SLF001 - whose connections they are is seen nowhere else
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def test_a_file_named_by_url_stays_connected_between_sessions_until_it_is_closed(empty_sqlite: str) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}")
    storage.create_all()
    connected: list[object] = []
    engine = storage._engine  # noqa: SLF001 - an engine made for a URL
    event.listen(engine, "connect", lambda *_: connected.append(1))
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE)
        for _ in range(3):
            assert sessions.get(USER, "u1") == ALICE
            # A search goes through SQLAlchemy, whose own transactions are not left open.
            assert sessions.search(query('title ne "x"')).total == 1
        with pytest.raises(UniquenessError):
            sessions.insert(ALICE)
        assert sessions.get(USER, "u1") == ALICE
        storage.create_all()
    assert len(connected) <= 1
    assert _taken(storage) <= 1
    storage.close()
    assert _taken(storage) == 0


def test_no_more_connections_are_kept_than_the_pool_has(empty_sqlite: str) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}")
    storage.create_all()

    async def many() -> int:
        async with AsyncExitStack() as stack:
            for _ in range(12):
                session = await stack.enter_async_context(storage.session(ACME))
                assert await session.get(USER, "nobody") is None
            return _taken(storage)

    assert asyncio.run(many()) == 12
    assert _taken(storage) == 5
    storage.close()


def test_an_engine_of_the_application_keeps_its_connections_for_itself(empty_sqlite: str) -> None:
    storage = SqlStorage(create_engine(f"sqlite{empty_sqlite}"))
    storage.create_all()
    with asyncio.Runner() as runner:
        Sessions(storage, ACME, runner).insert(ALICE)
    assert _taken(storage) == 0
    storage.close()


@pytest.mark.parametrize("group_commit", [False, True])
def test_whoever_listens_to_an_engine_hears_every_session_that_begins_from_then_on(
    empty_sqlite: str, group_commit: bool
) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}", group_commit=group_commit)
    storage.create_all()
    engine = storage._engine  # noqa: SLF001 - an engine made for a URL
    heard: list[str] = []

    def hear(*said: object) -> None:
        heard.append(str(said[2]).split()[0])

    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE)
        sessions.get(USER, ALICE.id)
        event.listen(engine, "before_cursor_execute", hear)
        sessions.get(USER, ALICE.id)
        sessions.insert(user("u9", "late"))
        assert heard == ["SELECT", "BEGIN", *["INSERT"] * 3, "COMMIT"]
        event.remove(engine, "before_cursor_execute", hear)
        heard.clear()
        sessions.get(USER, ALICE.id)
        sessions.insert(user("u10", "later"))
    assert heard == []
    storage.close()


def test_threads_share_the_connections_that_stay_open(empty_sqlite: str) -> None:
    storage = SqlStorage(f"sqlite{empty_sqlite}")
    storage.create_all()
    bugs: list[Exception] = []
    provider = ScimProvider(storage, authenticate=anonymous(tenant="acme"), on_bug=lambda bug, _: bugs.append(bug))

    def create(number: int) -> int:
        return provider.handle_sync(Request("POST", "/Users", body=b'{"userName": "user%d"}' % (number // 2))).status

    def search(number: int) -> int:
        return provider.handle_sync(Request("GET", "/Users", f"filter=userName%20eq%20%22user{number}%22")).status

    with ThreadPoolExecutor(12) as pool:
        found = pool.map(search, range(100))
        created = sorted(pool.map(create, range(200)))
        assert set(found) == {200}
    assert created == [201] * 100 + [409] * 100
    assert _taken(storage) <= 5
    assert bugs == []
    storage.close()
