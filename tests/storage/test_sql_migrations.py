"""The tables of the SQL storage: made, brought up to date from every release, and refused where they do not fit."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Inspector,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    inspect,
    select,
    text,
)

from scimcore.schema.standard import USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Tenant
from scimcore.storage.sql.dialect import dialect_of
from scimcore.storage.sql.facts import HISTORY
from scimcore.storage.sql.migrations import History, UnfitDatabaseError
from scimcore.testing.company import ALICE
from scimcore.testing.sessions import Sessions

ACME = Tenant("acme")
SCRIPTS = ScriptDirectory(HISTORY.revisions, version_locations=[HISTORY.revisions])
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection whose driver begins no transactions."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def opened(url: str) -> Iterator[SqlStorage]:
    storage = SqlStorage(url)
    yield storage
    storage.close()


@contextmanager
def acme(storage: SqlStorage) -> Iterator[Sessions]:
    with asyncio.Runner() as runner:
        yield Sessions(storage, ACME, runner)


def described(connection: Connection) -> dict[str, object]:
    """Everything that the database says about its tables."""
    inspector: Inspector = inspect(connection)
    return {
        table: (
            [
                {**column, "type": repr(column["type"]), "collation": getattr(column["type"], "collation", None)}
                for column in inspector.get_columns(table)
            ],
            inspector.get_pk_constraint(table),
            sorted(inspector.get_indexes(table), key=lambda index: str(index["name"])),
            inspector.get_unique_constraints(table),
            inspector.get_foreign_keys(table),
            is_its_key_alone(connection, table),
        )
        for table in sorted(inspector.get_table_names())
    }


def is_its_key_alone(connection: Connection, table: str) -> bool:
    """Whether *table* is one of SQLite that has no rows apart from its key."""
    if connection.dialect.name != "sqlite":
        return False
    made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :table"), {"table": table})
    return str(made.scalar_one()).rstrip().endswith("WITHOUT ROWID")


def version(connection: Connection) -> str | None:
    return HISTORY.revision(connection)


# Up to date


def test_migrated_tables_are_those_that_are_made_at_once(empty: str, tmp_path: Path) -> None:
    with opened(empty) as storage:
        storage.migrate()
    with connected(empty) as connection:
        migrated = described(connection)
        context = MigrationContext.configure(connection, opts={"version_table": HISTORY.version_table})
        assert compare_metadata(context, HISTORY.metadata) == []
        assert version(connection) == HISTORY.head
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    made = empty if empty.startswith("postgresql") else f"sqlite:///{tmp_path / 'made.db'}"
    with opened(made) as storage:
        storage.create_all()
    with connected(made) as connection:
        assert described(connection) == migrated
        assert version(connection) == HISTORY.head


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_every_release_is_brought_up_to_date_and_keeps_its_rows(empty: str, revision: str) -> None:
    with connected(empty) as connection:
        HISTORY.upgrade(connection, dialect_of(connection.engine), to=revision)
        assert version(connection) == revision
        before = {table.name: filled(connection, table) for table in tables(connection)}
        assert len(before) > 3
    with opened(empty) as storage, pytest.raises(UnfitDatabaseError, match=r"another `indexed`|nothing says"):
        storage.migrate()  # the rows that were made up say nothing of what is indexed
    with connected(empty) as connection:
        assert version(connection) == HISTORY.head
        for table in tables(connection):
            row = before.get(table.name)
            if row is not None:
                kept = connection.execute(select(table)).mappings().one()
                assert {name: kept[name] for name in row if name in kept} == row


def tables(connection: Connection) -> list[Table]:
    """The tables as they are in the database."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != HISTORY.version_table]


def filled(connection: Connection, table: Table) -> dict[str, object]:
    """The row that is now in *table*."""
    row: dict[str, object] = {}
    for column in table.columns:
        match column.type:
            case Integer() | BigInteger():
                row[column.name] = 7
            case JSON():
                row[column.name] = {"a": ["é"]}
            case _:
                row[column.name] = '{"a": ["é"]}'
    connection.execute(table.insert(), row)
    return row


def test_revisions_are_numbered_in_one_chain() -> None:
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert SCRIPTS.get_heads() == [HISTORY.head]
    for script in SCRIPTS.walk_revisions():
        assert Path(script.path).name.startswith(f"r{script.revision}_")


@pytest.mark.parametrize("first", ["create_all", "migrate"])
@pytest.mark.parametrize("then", ["create_all", "migrate"])
def test_it_may_be_done_twice(empty: str, first: str, then: str) -> None:
    with opened(empty) as storage:
        getattr(storage, first)()
        with acme(storage) as sessions:
            sessions.insert(ALICE)
    with opened(empty) as storage:
        getattr(storage, then)()
        with acme(storage) as sessions:
            assert sessions.get(USER, ALICE.id) == ALICE
    with connected(empty) as connection:
        assert version(connection) == HISTORY.head


@pytest.mark.parametrize("name", ["create_all", "migrate"])
@pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "postgresql+asyncpg", "postgresql+psycopg"])
def test_on_an_event_loop_too(request: pytest.FixtureRequest, driver: str, name: str) -> None:
    location = request.getfixturevalue("empty_sqlite" if driver.startswith("sqlite") else "empty_postgresql")

    async def flow() -> None:
        storage = SqlStorage(f"{driver}{location}")
        await getattr(storage, f"{name}_async")()
        async with storage.session(ACME) as session:
            await session.insert(ALICE)
        async with storage.session(ACME) as session:
            assert await session.get(USER, ALICE.id) == ALICE
        await storage.close_async()

    asyncio.run(flow())


STARTING = """
import sys
from scimcore.storage import SqlStorage

storage = SqlStorage(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
getattr(storage, sys.argv[2])()
"""


@pytest.mark.parametrize("names", [("migrate",) * 3, ("create_all",) * 3, ("migrate", "create_all")])
def test_processes_that_start_together_do_it_once(empty: str, names: tuple[str, ...]) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STARTING, empty, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * len(processes)
    with opened(empty) as storage, acme(storage) as sessions:
        sessions.insert(ALICE)
        assert sessions.get(USER, ALICE.id) == ALICE


def test_where_no_revision_is_to_be_applied_alembic_is_not_imported(empty_sqlite: str) -> None:
    program = f"""
import sys
from scimcore.storage import SqlStorage
storage = SqlStorage("sqlite{empty_sqlite}")
storage.create_all()
storage.migrate()
sys.exit("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# What does not fit


def test_tables_of_an_earlier_release_are_refused_until_they_are_migrated(empty: str) -> None:
    with opened(empty) as storage:
        storage.create_all()
    with connected(empty) as connection:
        connection.execute(text(f"UPDATE {HISTORY.version_table} SET version_num = '0000'"))
    with opened(empty) as storage:
        with pytest.raises(UnfitDatabaseError, match=f"at revision 0000 .* needs {HISTORY.head}: call migrate"):
            storage.create_all()
        with acme(storage) as sessions, pytest.raises(UnfitDatabaseError, match="call migrate"):
            sessions.get(USER, ALICE.id)


def test_tables_of_a_later_release_still_serve(empty: str) -> None:
    with opened(empty) as storage:
        storage.create_all()
    with connected(empty) as connection:
        connection.execute(text(f"UPDATE {HISTORY.version_table} SET version_num = '9999'"))
    with opened(empty) as storage, acme(storage) as sessions:
        sessions.insert(ALICE)


def test_a_database_without_tables_is_refused(empty: str) -> None:
    with (
        opened(empty) as storage,
        acme(storage) as sessions,
        pytest.raises(UnfitDatabaseError, match="call create_all"),
    ):
        sessions.get(USER, ALICE.id)


def test_tables_that_no_revision_made_are_not_migrated(empty: str) -> None:
    with connected(empty) as connection:
        HISTORY.metadata.tables["scim_member"].create(connection)
    with opened(empty) as storage, pytest.raises(UnfitDatabaseError, match="which revision made scim_member"):
        storage.migrate()


# Other tables


FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

def upgrade():
    op.create_table("scim_note", sa.Column("tenant", sa.Text(), primary_key=True))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

def upgrade():
    op.add_column("scim_note", sa.Column("said", sa.Text()))
    {and_then}
"""


def notes(folder: Path, and_then: str = "") -> History:
    """Tables of somebody else, with two revisions."""
    metadata = MetaData()
    Table("scim_note", metadata, Column("tenant", Text, primary_key=True), Column("said", Text))
    (folder / "r0001_first.py").write_text(FIRST)
    (folder / "r0002_second.py").write_text(SECOND.format(and_then=and_then))
    return History(metadata, "0002", folder, "scim_note_version")


def test_other_tables_have_a_history_of_their_own(empty: str, tmp_path: Path) -> None:
    history = notes(tmp_path)
    with opened(empty) as storage:
        storage.migrate()
    with connected(empty) as connection:
        dialect = dialect_of(connection.engine)
        history.upgrade(connection, dialect, to="0001")
        assert history.revision(connection) == "0001"
        with pytest.raises(UnfitDatabaseError, match="needs 0002"):
            history.create(connection, dialect)
        history.upgrade(connection, dialect)
        assert history.revision(connection) == "0002"
        assert [column["name"] for column in inspect(connection).get_columns("scim_note")] == ["tenant", "said"]
    with opened(empty) as storage, acme(storage) as sessions:
        sessions.insert(ALICE)


def test_a_revision_that_fails_leaves_the_database_as_it_was(empty: str, tmp_path: Path) -> None:
    history = notes(tmp_path, and_then="raise OSError('no space left')")
    with connected(empty) as connection:
        dialect = dialect_of(connection.engine)
        with pytest.raises(OSError, match="no space"):
            history.upgrade(connection, dialect)
        assert inspect(connection).get_table_names() == []
        (tmp_path / "r0002_second.py").write_text(SECOND.format(and_then=""))
        history.upgrade(connection, dialect)
        assert history.revision(connection) == "0002"
