"""What is particular to tokens in a database: faults of the moment, and several processes."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from tests.access.conftest import Clock, Run

from scimcore.access import Tokens
from scimcore.access.secret import token_text
from scimcore.access.sql import METADATA, SqlTokens
from scimcore.engine.http import Request
from scimcore.engine.immediate import finish
from scimcore.engine.provider import ScimProvider
from scimcore.errors import UnavailableError
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant

ACME = Tenant("acme")


def get(provider: ScimProvider, secret: str) -> int:
    return provider.handle_sync(Request("GET", "/Users", headers={"Authorization": f"Bearer {secret}"})).status


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scim.db"


def test_a_database_that_cannot_be_reached_is_unavailable_and_lets_nobody_in(run: Run) -> None:
    for driver in ("psycopg", "asyncpg"):
        store = SqlTokens(f"postgresql+{driver}://scim@127.0.0.1:1/scim")
        with pytest.raises(UnavailableError):
            run(store.find("0"))
        run(store.close())


def test_a_request_is_answered_503_then() -> None:
    store = SqlTokens("postgresql+psycopg://scim@127.0.0.1:1/scim")
    provider = ScimProvider(MemoryStorage(), authenticate=Tokens(store).authenticate)
    assert get(provider, token_text(bytes(32))) == 503


def test_a_connection_that_died_while_nobody_used_it_is_replaced(postgresql: str) -> None:
    url = f"postgresql+psycopg{postgresql}"
    store = SqlTokens(create_engine(url, pool_size=1, connect_args={"application_name": "idle"}))
    finish(store.create_all())
    assert finish(store.find("0")) is None
    idle = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idle'")
    with create_engine(url, poolclass=NullPool).connect() as other:
        assert other.execute(idle).scalars().all() == [True]
    assert finish(store.find("0")) is None
    finish(store.close())


def test_a_missing_table_is_no_fault_of_the_moment(file: Path) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        finish(SqlTokens(f"sqlite:///{file}").find("0"))


def test_a_missing_table_is_a_bug_on_postgresql_too(postgresql: str) -> None:
    engine = create_engine(f"postgresql+psycopg{postgresql}", poolclass=NullPool)
    METADATA.drop_all(engine)
    with pytest.raises(ProgrammingError, match="scim_token"):
        finish(SqlTokens(engine).find("0"))


def test_a_use_that_cannot_be_noted_now_keeps_nobody_out(file: Path, clock: Clock) -> None:
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 0})
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    store = SqlTokens(engine)
    finish(store.create_all())
    tokens = Tokens(store, clock=clock)
    secret = finish(tokens.issue(ACME)).secret
    provider = ScimProvider(MemoryStorage(), authenticate=tokens.authenticate)
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert get(provider, secret) == 200
        assert finish(tokens.listed())[0].last_used is None
        with pytest.raises(UnavailableError):
            finish(tokens.issue(ACME))
        writer.execute("ROLLBACK")
    clock.pass_by(minutes=1)
    assert get(provider, secret) == 200
    assert finish(tokens.listed())[0].last_used == clock.now
    finish(store.close())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_that_note_a_use_or_make_the_tables_each_succeeds(
    kind: str, file: Path, request: pytest.FixtureRequest, clock: Clock
) -> None:
    place = f"sqlite:///{file}" if kind == "sqlite" else f"postgresql+psycopg{request.getfixturevalue('postgresql')}"
    stores = [SqlTokens(create_engine(place, poolclass=NullPool)) for _ in range(8)]
    METADATA.drop_all(create_engine(place, poolclass=NullPool))
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(lambda store: finish(store.create_all()), stores))
        token = finish(Tokens(stores[0], clock=clock).issue(ACME)).token
        noted = list(pool.map(lambda store: finish(store.used(token, clock.now)), stores))
    assert noted.count(True) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_rotation_that_fails_leaves_the_old_token_as_it_was(
    kind: str, file: Path, request: pytest.FixtureRequest, clock: Clock
) -> None:
    place = f"sqlite:///{file}" if kind == "sqlite" else f"postgresql+psycopg{request.getfixturevalue('postgresql')}"
    store = SqlTokens(create_engine(place, poolclass=NullPool))
    finish(store.create_all())
    # The second token has the digest of the first, which no second row may have.
    tokens = Tokens(store, clock=clock, entropy=lambda: bytes(32))
    old = finish(tokens.issue(Tenant(f"failing-{kind}"))).token
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        finish(tokens.rotate(old.tenant, old.id, overlap=timedelta(0)))
    assert finish(tokens.listed(old.tenant)) == (old,)
