"""Where databases differ: how a write begins, how an insert steps aside, which faults pass by themselves.

SQLite lets one transaction write at a time. A transaction that has read and then wants to write fails if another was
faster, so nothing is begun for reading, and a write takes the lock before it looks: then compare-and-swap and
uniqueness hold between processes too. PostgreSQL locks rows, and each statement sees what is committed; there nothing
is begun for reading because a beginning and an end would cost two exchanges more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import attrs
from sqlalchemy import (
    Boolean,
    ClauseElement,
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    Select,
    Table,
    TextClause,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

COMMIT: Final = text("COMMIT")
ROLLBACK: Final = text("ROLLBACK")

_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"
# Shutdown, crash, starting up: PostgreSQL, appendix A. With them the server ends the connection.
_ENDING_STATES = frozenset({"57P01", "57P02", "57P03"})
# Too many connections, lock timeout.
_PASSING_STATES = _ENDING_STATES | {"53300", "55P03"}
_LOST_TEXTS = ("connection is closed", "connection was closed")
_PASSING_TEXTS = (*_LOST_TEXTS, "database is locked", "database table is locked")


@lru_cache(maxsize=16)
def _sqlite_insert(table: Table) -> ClauseElement:
    return sqlite.insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=16)
def _postgresql_insert(table: Table) -> ClauseElement:
    return postgresql.insert(table).on_conflict_do_nothing()


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
    insert_if_free: Callable[[Table], ClauseElement]
    """An insert of one row that writes none, rather than fail, where the key is taken."""
    begin_write: TextClause
    """What begins a transaction that writes."""
    looks_up_apart: bool
    """Whether a few values are found sooner one by one than as a list, in whose order the database then answers."""
    lock_schema: TextClause | None = None
    """What makes others wait who want to change the tables, until the transaction ends; None if beginning does."""


# The number is the one that all who change the tables agree on: "scim" in ASCII.
_DIALECTS: Final = (
    Dialect("sqlite", _sqlite_insert, text("BEGIN IMMEDIATE"), looks_up_apart=True),
    Dialect(
        "postgresql",
        _postgresql_insert,
        text("BEGIN"),
        looks_up_apart=False,
        lock_schema=text("SELECT pg_advisory_xact_lock(1935894893)"),
    ),
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


@contextmanager
def alone(connection: Connection, dialect: Dialect) -> Iterator[None]:
    """A transaction in which nobody else changes the tables; *connection* must begin none itself."""
    connection.execute(dialect.begin_write)
    try:
        if dialect.lock_schema is not None:
            connection.execute(dialect.lock_schema)
        yield
    except BaseException:
        connection.execute(ROLLBACK)
        raise
    connection.execute(COMMIT)


def lost_a_race(error: DBAPIError) -> bool:
    """Whether the database gave up the transaction for the sake of another, so that it may be tried again at once."""
    return _state(error) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection is gone, so that only another one can answer."""
    return (
        error.connection_invalidated
        or _state(error) in _ENDING_STATES
        or (_state(error) or "").startswith("08")
        or any(known in str(error.orig) for known in _LOST_TEXTS)
    )


def will_pass(error: DBAPIError) -> bool:
    """Whether the fault is of the moment: the connection is lost, or the database is busy or going down."""
    return (
        is_lost(error)
        or lost_a_race(error)
        or _state(error) in _PASSING_STATES
        or any(known in str(error.orig) for known in _PASSING_TEXTS)
    )


def _state(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
