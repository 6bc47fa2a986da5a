"""A connection as a session sees it: every call a coroutine, whether or not the driver needs an event loop.

A synchronous connection is wrapped so that nothing suspends; an asynchronous one fits as it is. So a session is
written once, and a provider without an event loop runs it to its end in one step.

The driver begins no transaction: what is read before the first write costs one exchange with the database for each
statement, and leaves nothing open in it.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import ClauseElement, CursorResult, Engine
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import Executable

from scimcore.errors import UnavailableError
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

    __slots__ = ("_is_open", "_is_second", "_link", "_links", "has_begun")

    has_begun: bool
    """Whether a transaction has begun; the driver begins none."""

    def __init__(self, links: "Links", link: "Link", *, has_begun: bool = False) -> None:
        self._links = links
        self._link = link
        self.has_begun = has_begun
        self._is_open = True
        self._is_second = False

    async def answer(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        """What the database answers to *statement* when *work*, which is `executed` or `asked`, puts it to it."""
        link = self._link
        try:
            if isinstance(link, Immediate):
                return work(link.connection, statement, parameters)
            return await link.run_sync(work, statement, parameters)
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
            self._link = await self._links.taken()
        except (DBAPIError, OSError, PoolTimeoutError) as reason:
            raise loss from reason
        self._is_open = True

    async def invalidate(self) -> None:
        """Let nobody have this connection again."""
        if self._is_open:
            await self._link.invalidate()

    async def close(self) -> None:
        """Give the connection back; what was not committed is undone."""
        if self._is_open:
            self._is_open = False
            await self._links.give_back(self._link, is_clean=not self.has_begun)


async def connected(links: "Links") -> Connection:
    """A connection that is nobody else's, given back when it is closed.

    Raises:
        UnavailableError: The database cannot be reached, or all connections are taken for too long.
    """
    try:
        return Connection(links, await links.taken())
    except (DBAPIError, OSError, PoolTimeoutError) as error:
        raise UnavailableError("the database cannot be reached") from error


class Link(Protocol):
    """What is needed of a connection of SQLAlchemy."""

    async def run_sync(self, work: Work[S, T], statement: S, parameters: Parameters, /) -> T: ...
    async def invalidate(self) -> None: ...
    async def close(self) -> None: ...


class Immediate:
    """A synchronous connection whose methods are coroutines that never suspend."""

    __slots__ = ("connection",)

    def __init__(self, connection: SyncConnection) -> None:
        self.connection = connection

    async def run_sync(self, work: Work[S, T], statement: S, parameters: Parameters, /) -> T:
        return work(self.connection, statement, parameters)

    async def invalidate(self) -> None:
        self.connection.invalidate()

    async def close(self) -> None:
        self.connection.close()


class Links:
    """The connections of an engine, for sessions to take and to give back; taking suspends only if the engine is
    asynchronous.

    As many as *kept* stay taken, which is for SQLite: to take one from a pool of SQLAlchemy and to give it back is a
    sixth of a GET there, and a file is never lost, as a server may be.
    """

    __slots__ = ("_engine", "_free", "_most_kept")

    def __init__(self, engine: Engine | AsyncEngine, *, kept: int = 0) -> None:
        self._engine = engine
        self._most_kept = kept
        self._free: deque[Immediate] = deque()

    async def taken(self) -> Link:
        """A connection that is nobody else's.

        Raises:
            DBAPIError: The database cannot be reached; with some drivers it is an OSError.
            TimeoutError: SQLAlchemy's: all connections are taken for too long.
        """
        try:
            return self._free.pop()
        except IndexError:
            if isinstance(self._engine, AsyncEngine):
                return await self._engine.connect()
            return Immediate(self._engine.connect())

    async def give_back(self, link: Link, *, is_clean: bool) -> None:
        """Let others have *link*, in which a transaction is open unless it *is_clean*."""
        if not is_clean or len(self._free) >= self._most_kept or not isinstance(link, Immediate):
            await link.close()
        elif link.connection.in_transaction() or link.connection.invalidated:
            link.connection.close()
        else:
            self._free.append(link)

    def close(self) -> None:
        """Give back to the engine the connections that nobody has."""
        while self._free:
            self._free.pop().connection.close()
