"""A connection as a session sees it: every call a coroutine, whether or not the driver needs an event loop.

A synchronous connection is wrapped so that nothing suspends; an asynchronous one fits as it is. So a session is
written once, and a provider without an event loop runs it to its end in one step.

The driver begins no transaction: what is read before the first write costs one exchange with the database for each
statement, and leaves nothing open in it.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import ClauseElement, CursorResult, Engine
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import Executable

from scimcore.storage.sql.dialect import COMMIT, ROLLBACK, is_lost
from scimcore.storage.sql.prepared import Parameters, asked

S = TypeVar("S")
T = TypeVar("T", bound=Any)

Work: TypeAlias = Callable[[SyncConnection, S, Parameters], T]
"""Puts a statement to the database: `executed` one that was written for its parameters, `asked` any other."""


def executed(connection: SyncConnection, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
    """What the database answers to *statement*, which SQLAlchemy writes for *parameters*."""
    return connection.execute(statement, parameters)


class Connection:
    """A connection to the database, and another in its place if it is lost while nothing is begun.

    A pool hands out connections that the database may have closed long ago, after a restart or through a firewall.
    Until a transaction begins nothing is lost with a connection, so what was asked is asked once more.
    """

    __slots__ = ("_engine", "_is_open", "_is_second", "_link", "has_begun")

    has_begun: bool
    """Whether a transaction has begun; the driver begins none."""

    def __init__(self, engine: Engine | AsyncEngine, link: "_Link") -> None:
        self._engine = engine
        self._link = link
        self.has_begun = False
        self._is_open = True
        self._is_second = False

    async def answer(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        """What the database answers to *statement* when *work*, which is `executed` or `asked`, puts it to it."""
        try:
            return await self._link.run_sync(work, statement, parameters)
        except DBAPIError as error:
            if self.has_begun or self._is_second or not is_lost(error):
                raise
            await self._connect_again(error)
            return await self._link.run_sync(work, statement, parameters)

    async def begin(self, statement: ClauseElement) -> None:
        """Begin a transaction with *statement*."""
        await self.answer(asked, statement, {})
        self.has_begun = True

    async def commit(self) -> None:
        """Make permanent what was written, if a transaction has begun."""
        if self.has_begun:
            await self._link.run_sync(asked, COMMIT, {})
            self.has_begun = False

    async def rollback(self) -> None:
        """Undo what was written, if a transaction has begun."""
        if self.has_begun:
            await self._link.run_sync(asked, ROLLBACK, {})
            self.has_begun = False

    async def _connect_again(self, loss: DBAPIError) -> None:
        """Another connection; if none can be had, the first *loss* is what happened."""
        self._is_second = True
        await self.invalidate()
        await self.close()
        try:
            self._link = await _linked(self._engine)
        except (DBAPIError, OSError, PoolTimeoutError) as reason:
            raise loss from reason
        self._is_open = True

    async def invalidate(self) -> None:
        """Let nobody have this connection again."""
        if self._is_open:
            await self._link.invalidate()

    async def close(self) -> None:
        """Give the connection back to the pool, which undoes what was not committed."""
        if self._is_open:
            self._is_open = False
            await self._link.close()


async def connected(engine: Engine | AsyncEngine) -> Connection:
    """A connection of *engine*, which begins no transactions itself; it suspends only if *engine* is asynchronous."""
    return Connection(engine, await _linked(engine))


def immediate(engine: Engine, link: SyncConnection) -> Connection:
    """*link*, on which a transaction has begun, and which somebody else will give back."""
    connection = Connection(engine, _Immediate(link))
    connection.has_begun = True
    return connection


class _Link(Protocol):
    """What is needed of a connection of SQLAlchemy."""

    async def run_sync(self, work: Work[S, T], statement: S, parameters: Parameters, /) -> T: ...
    async def invalidate(self) -> None: ...
    async def close(self) -> None: ...


async def _linked(engine: Engine | AsyncEngine) -> _Link:
    if isinstance(engine, AsyncEngine):
        return await engine.connect()
    return _Immediate(engine.connect())


class _Immediate:
    """A synchronous connection whose methods are coroutines that never suspend."""

    __slots__ = ("_connection",)

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection

    async def run_sync(self, work: Work[S, T], statement: S, parameters: Parameters, /) -> T:
        return work(self._connection, statement, parameters)

    async def invalidate(self) -> None:
        self._connection.invalidate()

    async def close(self) -> None:
        self._connection.close()
