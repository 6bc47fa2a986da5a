"""Where databases differ: how a write begins, how an insert steps aside, which faults pass by themselves.

SQLite lets one transaction write at a time. A transaction that has read and then wants to write fails if another was
faster, so nothing is begun for reading, and a write takes the lock before it looks: then compare-and-swap and
uniqueness hold between processes too. PostgreSQL locks rows, and each statement sees what is committed.
"""

from collections.abc import Callable
from typing import Final

import attrs
from sqlalchemy import Boolean, ColumnElement, CompoundSelect, Engine, Select, Table, TextClause, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"
# Shutdown, crash, starting up, too many connections, lock timeout: PostgreSQL, appendix A.
_PASSING_STATES = frozenset({"57P01", "57P02", "57P03", "53300", "55P03"})
_PASSING_TEXTS = ("database is locked", "database table is locked", "connection is closed", "connection was closed")


def _sqlite_insert(table: Table) -> Executable:
    return sqlite.insert(table).on_conflict_do_nothing().returning(table.c.tenant)


def _postgresql_insert(table: Table) -> Executable:
    return postgresql.insert(table).on_conflict_do_nothing().returning(table.c.tenant)


class IsAmong(FunctionElement[bool]):
    """Whether an id is in a list that a subquery gives.

    PostgreSQL is made to work out the list first and then to look for its ids: of a table without statistics it assumes
    that it is tiny, and would walk it.
    """

    name = "is_among"
    type = Boolean()
    inherit_cache = True
    # Otherwise SQLAlchemy compares it to 1 for SQLite, which then uses no index.
    _is_implicitly_boolean = True

    def __init__(self, id: ColumnElement[str], ids: Select[str] | CompoundSelect[str]) -> None:
        super().__init__(id, ids.scalar_subquery())


@compiles(IsAmong)
def _in(element: IsAmong, compiler: SQLCompiler, **options: object) -> str:
    id, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({id} IN {ids})"


@compiles(IsAmong, "postgresql")
def _any_of_array(element: IsAmong, compiler: SQLCompiler, **options: object) -> str:
    id, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({id} = ANY (ARRAY{ids}))"


@attrs.frozen
class Dialect:
    """One kind of database."""

    name: str
    insert_if_free: Callable[[Table], Executable]
    """An insert of one row that does nothing and returns nothing, rather than fail, where the key is taken."""
    begin_write: TextClause | None = None
    """What to say before the first write; None where the driver begins transactions itself."""
    isolation_level: str | None = None
    """What a connection must be set to for `begin_write` to be the only beginning."""


_DIALECTS: Final = (
    Dialect("sqlite", _sqlite_insert, text("BEGIN IMMEDIATE"), "AUTOCOMMIT"),
    Dialect("postgresql", _postgresql_insert),
)


def dialect_of(engine: Engine | AsyncEngine) -> Dialect:
    """How the database of *engine* differs.

    Raises:
        ValueError: It is no database that this storage knows.
    """
    for dialect in _DIALECTS:
        if dialect.name == engine.dialect.name:
            return dialect
    raise ValueError(f"SqlStorage knows SQLite and PostgreSQL, not {engine.dialect.name}")


def prepare(engine: Engine) -> None:
    """Let readers and the one writer of a SQLite file not wait for each other."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _write_ahead)


def _write_ahead(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def lost_a_race(error: DBAPIError) -> bool:
    """Whether the database gave up the transaction for the sake of another, so that it may be tried again at once."""
    return _state(error) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def will_pass(error: DBAPIError) -> bool:
    """Whether the fault is of the moment: the connection is lost, or the database is busy or going down."""
    reason = str(error.orig)
    return (
        error.connection_invalidated
        or lost_a_race(error)
        or _state(error) in _PASSING_STATES
        or (_state(error) or "").startswith("08")
        or any(known in reason for known in _PASSING_TEXTS)
    )


def _state(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
