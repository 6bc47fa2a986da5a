"""A database remembers what is indexed in it: whoever was told otherwise is refused, until it is indexed anew."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import attrs
import pytest
from sqlalchemy import NullPool, create_engine, text

from scimcore.schema.standard import GROUP, USER
from scimcore.storage import SqlStorage
from scimcore.storage.index import INDEXED
from scimcore.storage.protocol import Tenant
from scimcore.storage.sql.migrations import UnfitDatabaseError
from scimcore.storage.sql.tables import METADATA
from scimcore.testing.sessions import Sessions, group, ids, query, user

MORE = (*INDEXED, "title")
LESS = ("userName", "displayName")


@contextmanager
def acme(url: str, indexed: Iterable[str] = INDEXED) -> Iterator[tuple[SqlStorage, Sessions]]:
    storage = SqlStorage(url, indexed)
    with asyncio.Runner() as runner:
        yield storage, Sessions(storage, Tenant("acme"), runner)
    storage.close()


def fill(url: str, indexed: Iterable[str] = INDEXED) -> None:
    with acme(url, indexed) as (storage, sessions):
        storage.create_all()
        sessions.insert(
            user("u1", "alice", title="Engineer", emails=[{"value": "a@x.example"}]),
            user("u2", "bob", title="Analyst"),
            group("g1", "Team", ["u1", "u2"]),
        )


def rows(url: str) -> dict[str, list[str]]:
    """Everything that is in the tables."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = {
            name: sorted(map(str, connection.execute(table.select()).all())) for name, table in METADATA.tables.items()
        }
    engine.dispose()
    return found


@pytest.mark.parametrize("indexed", [MORE, LESS])
def test_who_indexes_otherwise_is_refused(empty: str, indexed: tuple[str, ...]) -> None:
    fill(empty)
    with acme(empty, indexed) as (storage, sessions):
        with pytest.raises(UnfitDatabaseError, match=r"another `indexed`.*call reindex"):
            storage.create_all()
        for _ in range(2):
            with pytest.raises(UnfitDatabaseError, match=r"another `indexed`.*call reindex"):
                sessions.search(query('title eq "engineer"'))


def test_order_and_case_of_what_is_indexed_do_not_count(empty: str) -> None:
    fill(empty)
    with acme(empty, [name.upper() for name in reversed(INDEXED)]) as (_, sessions):
        assert ids(sessions.search(query('userName eq "alice"'))) == ["u1"]


@pytest.mark.parametrize(("before", "after"), [(INDEXED, MORE), (INDEXED, LESS), (LESS, MORE), (MORE, MORE)])
def test_indexed_anew_it_is_what_it_would_be_had_it_been_indexed_so_from_the_beginning(
    empty: str, empty_sqlite: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    fill(empty, before)
    with acme(empty, after) as (storage, sessions):
        storage.reindex((USER, GROUP))
        assert ids(sessions.search(query('title eq "engineer"'))) == ["u1"]
        assert ids(sessions.search(query('emails.value eq "A@x.example"'))) == ["u1"]
    if empty.startswith("sqlite"):
        other = f"sqlite{empty_sqlite}".replace("empty.db", "other.db")
        fill(other, after)
        assert rows(empty) == rows(other)


def test_it_may_be_done_on_an_event_loop(empty_sqlite: str) -> None:
    fill(f"sqlite{empty_sqlite}")

    async def flow() -> None:
        storage = SqlStorage(f"sqlite+aiosqlite{empty_sqlite}", MORE)
        with pytest.raises(TypeError, match="reindex_async"):
            storage.reindex((USER, GROUP))
        await storage.reindex_async((USER, GROUP))
        await storage.check()
        await storage.close_async()

    asyncio.run(flow())


def test_a_schema_that_compares_otherwise_is_answered_after_indexing_anew(empty: str) -> None:
    fill(empty)
    core = attrs.evolve(
        USER.schema,
        attributes=tuple(
            attrs.evolve(one, case_exact=True) if one.name == "title" else one for one in USER.schema.attributes
        ),
    )
    exact = attrs.evolve(USER, schema=core)
    with acme(empty) as (storage, sessions):
        storage.reindex((exact, GROUP))
        assert ids(sessions.search(query('title eq "engineer"', (exact,)))) == []
        assert ids(sessions.search(query('title eq "Engineer"', (exact,)))) == ["u1"]


def test_records_of_a_type_that_is_not_named_are_not_forgotten(empty: str) -> None:
    fill(empty)
    before = rows(empty)
    with acme(empty, MORE) as (storage, _), pytest.raises(ValueError, match="other types: Group"):
        storage.reindex((USER,))
    assert rows(empty) == before


def test_tables_that_say_nothing_take_the_first_word_only_while_they_are_empty(empty: str) -> None:
    fill(empty)
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM scim_fact"))
    engine.dispose()
    with acme(empty) as (storage, sessions):
        with pytest.raises(UnfitDatabaseError, match="nothing says what is indexed"):
            sessions.get(USER, "u1")
        storage.reindex((USER, GROUP))
        assert sessions.get(USER, "u1") is not None
