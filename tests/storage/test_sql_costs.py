"""What a session costs the database: statements, pages of a file, and rows that nobody needs any more."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection

from scimcore.rules.delta import elements_of
from scimcore.schema.document import Document
from scimcore.schema.standard import USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Record, Session, Tenant, VersionClash
from scimcore.storage.sql.tables import MEMBER, RESOURCE, UNIQUE_KEY, VALUE_INDEX
from scimcore.testing.sessions import Sessions, changed, group, ids, joining, query, user

ACME = Tenant("acme")
_PAGE_IN_LOG = 4096 + 24
"""A page in the log of SQLite, with what stands before it."""


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    engine = create_engine(empty, isolation_level="AUTOCOMMIT")
    SqlStorage(engine).create_all()
    yield engine
    engine.dispose()


@pytest.fixture
def acme(engine: Engine) -> Iterator[Sessions]:
    with asyncio.Runner() as runner:
        yield Sessions(SqlStorage(engine), ACME, runner)


@contextmanager
def noted(engine: Engine) -> Iterator[list[str]]:
    """The first words of the statements in the block."""
    seen: list[str] = []

    def note(*said: object) -> None:
        seen.append(str(said[2]).split(maxsplit=1)[0])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def with_values(before: Record, **values: str) -> Document:
    return {**before.document, **values}


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (RESOURCE, UNIQUE_KEY, VALUE_INDEX, MEMBER)
        }


# Statements


@pytest.mark.parametrize("indirect_groups", [False, True])
def test_a_user_comes_with_its_groups_in_one_statement(engine: Engine, indirect_groups: bool) -> None:
    with asyncio.Runner() as runner:
        acme = Sessions(SqlStorage(engine, indirect_groups=indirect_groups), ACME, runner)
        acme.insert(user("u1", "alice"), group("g2", "Second", ["u1", "g1"], 2), group("g1", "First", ["u1"], 1))
        with noted(engine) as seen:
            found = acme.get(USER, "u1")
        with noted(engine) as seen_of_nobody:
            assert acme.get(USER, "g1") is None
    assert found is not None
    assert [one["display"] for one in elements_of(found.document["groups"]) if isinstance(one, dict)] == [
        "First",
        "Second",
    ]
    assert (len(seen), len(seen_of_nobody)) == (1, 1)


def test_what_leans_on_a_version_is_written_without_being_read_again(engine: Engine, acme: Sessions) -> None:
    alice = user("u1", "alice", emails=[{"value": "alice@example.com"}])
    acme.insert(alice)
    with noted(engine) as seen:
        acme.update(changed(alice, with_values(alice, title="Boss")))
    assert seen == ["BEGIN", "UPDATE", "COMMIT"]


def test_only_the_values_that_change_are_indexed_anew(engine: Engine, acme: Sessions) -> None:
    alice = user("u1", "alice", externalId="x1", emails=[{"value": "alice@example.com"}])
    acme.insert(alice)
    with noted(engine) as seen:
        acme.update(changed(alice, with_values(alice, externalId="x2")))
    assert seen == ["BEGIN", "UPDATE", "DELETE", "INSERT", "COMMIT"]
    assert ids(acme.search(query('externalId eq "x2"'))) == ["u1"]
    assert ids(acme.search(query('externalId eq "x1"'))) == []
    assert ids(acme.search(query('emails.value eq "alice@example.com"'))) == ["u1"]


@pytest.mark.parametrize("values", [{"title": "Boss"}, {"externalId": "x3"}, {"userName": "carol"}, {}])
def test_what_leans_on_a_version_that_is_gone_changes_nothing(acme: Sessions, values: dict[str, str]) -> None:
    alice = user("u1", "alice", externalId="x1")
    acme.insert(alice)
    now = acme.update(changed(alice, with_values(alice, externalId="x2")))
    with pytest.raises(VersionClash):
        acme.update(changed(alice, with_values(alice, **values)))
    assert acme.get(USER, "u1") == now
    assert ids(acme.search(query('externalId eq "x2" or externalId eq "x3"'))) == ["u1"]
    acme.insert(user("u2", "carol"))


@pytest.mark.parametrize("values", [{"title": "Boss"}, {}])
def test_what_leans_on_a_record_that_is_gone_clashes(acme: Sessions, values: dict[str, str]) -> None:
    alice = user("u1", "alice")
    acme.insert(alice)
    acme.delete(alice)
    with pytest.raises(VersionClash):
        acme.update(changed(alice, with_values(alice, **values)))


def test_a_second_change_in_a_session_leans_on_the_first(acme: Sessions) -> None:
    alice = user("u1", "alice", externalId="x1")
    acme.insert(alice)

    async def twice(session: Session) -> Record:
        first = await session.update(changed(alice, with_values(alice, externalId="x2")))
        return await session.update(changed(first, with_values(first, externalId="x3")))

    assert acme.run(twice).document["externalId"] == "x3"
    found = {value: ids(acme.search(query(f'externalId eq "{value}"'))) for value in ("x1", "x2", "x3")}
    assert found == {"x1": [], "x2": [], "x3": ["u1"]}


# Rows


def test_nothing_is_left_of_what_is_deleted(engine: Engine, acme: Sessions) -> None:
    alice = user("u1", "alice", externalId="x1", emails=[{"value": "a@example.com"}, {"value": "b@example.com"}])
    team = group("g1", "Team", ["u1"])
    acme.insert(alice, user("u2", "bob"), team)
    renamed = acme.update(changed(alice, with_values(alice, userName="carol", externalId="x2")))
    acme.update(joining(team, "u2"))
    acme.delete(renamed)
    bob, there = acme.get(USER, "u2"), acme.get(team.resource_type, "g1")
    assert bob is not None
    assert there is not None
    acme.delete(bob)
    acme.delete(acme.get(team.resource_type, "g1") or there)
    assert rows(engine) == dict.fromkeys(rows(engine), 0)


# Pages


def test_a_create_in_sqlite_touches_one_page_for_each_way_a_user_is_found(tmp_path: Path) -> None:
    path = tmp_path / "scim.db"
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "connect")
    def keep_the_log(connection: DBAPIConnection, _: object) -> None:
        connection.cursor().execute("PRAGMA wal_autocheckpoint = 0")

    storage = SqlStorage(engine)
    storage.create_all()
    with asyncio.Runner() as runner:
        acme = Sessions(storage, ACME, runner)
        acme.insert(user("u1", "alice", externalId="x1"))
        before = Path(f"{path}-wal").stat().st_size
        acme.insert(user("u2", "bob", externalId="x2"))
        written = Path(f"{path}-wal").stat().st_size - before
    engine.dispose()
    # The resource, its key, the order of creation, its id in normal form, its unique key, its values.
    assert written == 6 * _PAGE_IN_LOG
