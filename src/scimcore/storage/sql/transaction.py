"""A transaction on one connection: when it begins, what ends it, and which of its faults pass."""

from collections.abc import Awaitable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, CursorResult, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

from scimcore.errors import UnavailableError
from scimcore.storage.protocol import VersionClash
from scimcore.storage.sql.connection import Connection, executed
from scimcore.storage.sql.dialect import Dialect, lost_a_race, will_pass
from scimcore.storage.sql.group_commit import UNCONFIRMED, Seat
from scimcore.storage.sql.prepared import Parameters, Rows, asked

T = TypeVar("T", bound=Any)


class Transaction:
    """Statements on one connection. Nothing is begun for reading; `begin` comes before the first write."""

    __slots__ = ("_connection", "_has_written", "_is_lost", "_may_clash", "_savepoints", "dialect")

    def __init__(self, connection: Connection | Seat, dialect: Dialect) -> None:
        self.dialect = dialect
        self._connection = connection
        self._may_clash = False
        self._has_written = False
        self._is_lost = False
        self._savepoints = 0

    def run(self, statement: Executable, parameters: Parameters) -> Coroutine[object, None, CursorResult[Any]]:
        """What the database answers to *statement*.

        Raises:
            UnavailableError: The database is busy, or the connection is lost.
            VersionClash: The database gave up the transaction, and nothing is lost by trying again.
        """
        return self._reached(self._connection.answer(executed, statement, parameters))

    def ask(self, statement: ClauseElement, parameters: Parameters) -> Coroutine[object, None, Rows]:
        """What the database answers to *statement*, which is always the same; see `run`."""
        return self._reached(self._connection.answer(asked, statement, parameters))

    async def _reached(self, answer: Coroutine[object, None, T]) -> T:
        if self._is_lost:
            answer.close()
            raise UnavailableError("the connection to the database was lost")
        try:
            return await answer
        except UnavailableError:
            self._is_lost = True
            raise
        except DBAPIError as error:
            if not will_pass(error):
                raise
            if not lost_a_race(error) or not self._may_clash or self._has_written or self._savepoints:
                self._is_lost = True
                raise UnavailableError("the database is busy or cannot be reached; try again") from error
            # Nothing is lost by another attempt: the engine makes one after a clash.
            await self._connection.rollback()
            raise VersionClash("the database gave the transaction up for another") from error

    async def begin(self) -> None:
        """Begin, unless it has begun."""
        if not self._connection.has_begun:
            await self._reached(self._connection.begin(self.dialect.begin_write))

    async def written(self, write: Awaitable[T], *, may_clash: bool) -> T:
        """What *write* returns, which writes here; *may_clash* says whether a `VersionClash` may come of it."""
        self._may_clash = may_clash
        try:
            result = await write
        finally:
            self._may_clash = False
        self._has_written = True
        return result

    async def end(self, kind: type[BaseException] | None) -> None:
        """Commit, or undo if the block ends with an exception of that *kind*; give the connection back."""
        try:
            if self._is_lost or (kind is not None and not issubclass(kind, Exception)):
                # Cancelled in the middle of a statement, or lost: whatever the connection is in, it is not reused.
                await self._connection.invalidate()
            elif kind is not None:
                await self._connection.rollback()
            else:
                await self._connection.commit()
        except DBAPIError as error:
            if kind is None:
                raise UnavailableError(UNCONFIRMED) from error
        finally:
            await self._connection.close()
        if self._is_lost and kind is None:
            raise UnavailableError("the connection to the database was lost")

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part of the transaction that is undone alone when its block ends with an exception."""
        return _Savepoint(self)

    async def enter_savepoint(self) -> str:
        """The name of a new savepoint."""
        await self.begin()
        self._savepoints += 1
        name = f"scim_{self._savepoints}"
        await self.run(text(f"SAVEPOINT {name}"), {})
        return name

    async def leave_savepoint(self, name: str, *, undone: bool) -> None:
        """Release the savepoint *name*; with what was done since *undone* or kept."""
        self._savepoints -= 1
        if self._is_lost:
            return
        if undone:
            await self.run(text(f"ROLLBACK TO SAVEPOINT {name}"), {})
        await self.run(text(f"RELEASE SAVEPOINT {name}"), {})


class _Savepoint:
    """The part of a transaction that is undone when its block ends with an exception."""

    __slots__ = ("_name", "_transaction")

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._name = ""

    async def __aenter__(self) -> None:
        self._name = await self._transaction.enter_savepoint()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transaction.leave_savepoint(self._name, undone=kind is not None)
