"""Engines: what connections to a SQLite file are told, by whomever they are made."""

from contextlib import suppress
from functools import partial
from sqlite3 import OperationalError
from typing import Final, Literal, TypeGuard

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

ISOLATION: Final = "AUTOCOMMIT"
"""So that the driver begins no transactions."""

_LOG_PAGES: Final = 4_000
"""How long the write-ahead log gets before what is in it goes to the file: 16 MB. SQLite's own 1,000 are full after
some sixty creates, and the two waits for the disk that follow take a tenth of their time."""


def engine_for(database: str | URL, synchronous: Literal["FULL", "NORMAL"]) -> Engine | AsyncEngine:
    """An engine that begins no transactions itself.

    With FULL every commit to a SQLite file waits until the disk has it, so that it outlives a power failure; with
    NORMAL it outlives the end of the process, and the last ones are lost with the power.
    """
    url = make_url(database)
    engine: Engine | AsyncEngine
    if url.get_dialect().is_async:
        engine = create_async_engine(url, isolation_level=ISOLATION)
    else:
        engine = create_engine(url, isolation_level=ISOLATION)
    inner = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    prepare(inner)
    if inner.dialect.name == "sqlite":
        event.listen(inner, "connect", partial(_as_own, synchronous))
    return engine


def is_file(engine: Engine | AsyncEngine) -> TypeGuard[Engine]:
    """Whether *engine* reaches a file of SQLite without an event loop, each connection being another.

    A database in memory belongs to the thread that made it, or all connections to it are one.
    """
    return (
        isinstance(engine, Engine)
        and engine.dialect.name == "sqlite"
        and isinstance(engine.pool, (QueuePool, NullPool))
    )


def prepare(engine: Engine) -> None:
    """Let readers and the one writer of a SQLite file not wait for each other, on every connection made from now on.

    How long a writer waits for another stays as the driver was told (five seconds, if it was told nothing), and so does
    when it waits for the disk: an engine of the application's own decides both itself.
    """
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _write_ahead):
        event.listen(engine, "connect", _write_ahead)


def _write_ahead(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # While others use a new file the change fails at once; one of them makes it, or else the next connection does.
    with suppress(OperationalError):
        _say(connection, "PRAGMA journal_mode = WAL")


def _as_own(synchronous: str, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    _say(connection, f"PRAGMA synchronous = {synchronous}")
    _say(connection, f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")


def _say(connection: DBAPIConnection, statement: str) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()
