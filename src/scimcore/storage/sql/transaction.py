"""A transaction on one connection: when it begins, what ends it, and which of its faults pass."""

from collections.abc import Awaitable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy import ClauseElement, CursorResult, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

from scimcore.errors import UnavailableError
from scimcore.storage.protocol import VersionClash
from scimcore.storage.sql.connection import Connection, Work, executed
from scimcore.storage.sql.dialect import Dialect, lost_a_race, will_pass
from scimcore.storage.sql.group_commit import UNCONFIRMED, Seat
from scimcore.storage.sql.prepared import Parameters, Rows, altered, asked

S = TypeVar("S")
T = TypeVar("T", bound=Any)

_LOST: Final = "the connection to the database was lost"


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
        return self._put(executed, statement, parameters)

    def ask(self, statement: ClauseElement, parameters: Parameters) -> Coroutine[object, None, Rows]:
        """What the database answers to *statement*, which is always the same; see `run`."""
        return self._put(asked, statement, parameters)

    def alter(self, statement: ClauseElement, parameters: Parameters) -> Coroutine[object, None, int]:
        """How many rows *statement* writes, which is always the same and returns none; see `run`."""
        return self._put(altered, statement, parameters)

    async def _put(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        self._check()
        try:
            return await self._connection.answer(work, statement, parameters)
        except (UnavailableError, DBAPIError) as caught:
            error = caught
        return await self._fail(error)

    async def begin(self) -> None:
        """Begin, unless it has begun; see `run`."""
        if self._connection.has_begun:
            return
        self._check()
        try:
            await self._connection.begin(self.dialect.begin_write)
            return
        except (UnavailableError, DBAPIError) as caught:
            error = caught
        await self._fail(error)

    def _check(self) -> None:
        if self._is_lost:
            raise UnavailableError(_LOST)

    async def _fail(self, error: UnavailableError | DBAPIError) -> NoReturn:
        """Raise what *error* means."""
        if isinstance(error, UnavailableError):
            self._is_lost = True
            raise error
        if not will_pass(error):
            raise error
        if not lost_a_race(error) or not self._may_clash or self._has_written or self._savepoints:
            self._is_lost = True
            raise UnavailableError("the database is busy or cannot be reached; try again") from error
        # Nothing is lost by another attempt: the engine makes one after a clash.
        await self._connection.rollback()
        raise VersionClash("the database gave the transaction up for another") from error

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
        failure = await self._ended(kind)
        await self._connection.close()
        if failure is not None and not isinstance(failure, DBAPIError):
            raise failure
        if kind is None and failure is not None:
            raise UnavailableError(UNCONFIRMED) from failure
        if self._is_lost and kind is None:
            raise UnavailableError(_LOST)

    async def _ended(self, kind: type[BaseException] | None) -> BaseException | None:
        """What kept the transaction from being committed or undone."""
        try:
            if self._is_lost or (kind is not None and not issubclass(kind, Exception)):
                # Cancelled in the middle of a statement, or lost: whatever the connection is in, it is not reused.
                await self._connection.invalidate()
            elif kind is not None:
                await self._connection.rollback()
            else:
                await self._connection.commit()
        except BaseException as failure:  # noqa: BLE001 - raised when the connection is given back
            return failure
        return None

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
