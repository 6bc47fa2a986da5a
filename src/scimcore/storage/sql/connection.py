"""A connection as a session sees it: every call a coroutine, whether or not the driver needs an event loop.

A synchronous connection is wrapped so that nothing suspends; an asynchronous one fits as it is. So a session is
written once, and a provider without an event loop runs it to its end in one step.

The driver begins no transaction: what is read before the first write costs one exchange with the database for each
statement, and leaves nothing open in it.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ClauseElement, CursorResult, Engine
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import Executable

from scimcore.errors import UnavailableError
from scimcore.storage.sql.dialect import COMMIT, ROLLBACK, is_lost
from scimcore.storage.sql.prepared import Immediate, Parameters, asked

S = TypeVar("S")
T = TypeVar("T", bound=Any)

Link: TypeAlias = Immediate | AsyncConnection
"""A connection of SQLAlchemy."""

Work: TypeAlias = Callable[[Immediate, S, Parameters], T]
"""Puts a statement to the database: `executed` one that was written for its parameters, `asked` and `altered` any
other."""


def executed(link: Immediate, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
    """What the database answers to *statement*, which SQLAlchemy writes for *parameters*."""
    return link.connection.execute(statement, parameters)


def _at_once(connection: SyncConnection, work: Work[S, T], statement: S, parameters: Parameters) -> T:
    return work(Immediate(connection), statement, parameters)


class Connection:
    """A connection to the database, and another in its place if it is lost while nothing is begun.

    A pool hands out connections that the database may have closed long ago, after a restart or through a firewall.
    Until a transaction begins nothing is lost with a connection, so what was asked is asked once more.
    """

    __slots__ = ("_is_open", "_is_second", "_link", "_links", "has_begun")

    has_begun: bool
    """Whether a transaction has begun; the driver begins none."""

    def __init__(self, links: "Links", link: Link, *, has_begun: bool = False) -> None:
        self._links = links
        self._link = link
        self.has_begun = has_begun
        self._is_open = True
        self._is_second = False

    async def answer(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        """What the database answers to *statement* when *work* puts it to it."""
        link = self._link
        try:
            # What is said here of one kind of link is what `_put` says of both: a coroutine less for each statement.
            return (
                work(link, statement, parameters)
                if isinstance(link, Immediate)
                else await self._put(work, statement, parameters)
            )
        except DBAPIError as error:
            if self.has_begun or self._is_second or not is_lost(error):
                raise
            loss = error
        await self._connect_again(loss)
        return await self._put(work, statement, parameters)

    async def begin(self, statement: ClauseElement) -> None:
        """Begin a transaction with *statement*."""
        await self.answer(asked, statement, {})
        self.has_begun = True

    async def commit(self) -> None:
        """Make permanent what was written, if a transaction has begun."""
        if self.has_begun:
            await self._put(asked, COMMIT, {})
            self.has_begun = False

    async def rollback(self) -> None:
        """Undo what was written, if a transaction has begun."""
        if self.has_begun:
            await self._put(asked, ROLLBACK, {})
            self.has_begun = False

    async def _put(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        if isinstance(self._link, Immediate):
            return work(self._link, statement, parameters)
        return await self._link.run_sync(_at_once, work, statement, parameters)

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
        if not self._is_open:
            return
        if isinstance(self._link, Immediate):
            self._link.connection.invalidate()
        else:
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
        if (kept := self._kept()) is not None:
            kept.look()
            return kept
        if isinstance(self._engine, AsyncEngine):
            return await self._engine.connect()
        return Immediate(self._engine.connect())

    def _kept(self) -> Immediate | None:
        try:
            return self._free.pop()
        except IndexError:  # asked for, not looked for first: between the two another thread may take the last
            return None

    async def give_back(self, link: Link, *, is_clean: bool) -> None:
        """Let others have *link*, in which a transaction is open unless it *is_clean*."""
        if not isinstance(link, Immediate):
            await link.close()
        elif (
            is_clean
            and len(self._free) < self._most_kept
            and not (link.connection.in_transaction() or link.connection.invalidated)
        ):
            self._free.append(link)
        else:
            link.connection.close()

    def close(self) -> None:
        """Give back to the engine the connections that nobody has."""
        while self._free:
            self._free.pop().connection.close()
