"""Group commit: sessions on an event loop write to a SQLite file one after the other, and one commit is for all.

To wait until the disk has a change takes longer than to make it, and SQLite lets one writer in at a time. So the
sessions that an event loop has ready share a transaction. Each writes in a savepoint, so that it can be undone alone;
then all wait for the commit, whatever became of them: what one was refused for, another had written and might lose.

The transaction is open from the first write until the event loop has run what was ready; nobody waits for a group to
grow. Whoever else writes to the file on the same event loop would wait for that commit and keep it from happening, so
he settles the group first.
"""

import asyncio
from itertools import count
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import ClauseElement, Engine, text
from sqlalchemy.exc import DBAPIError

from scimcore.errors import UnavailableError
from scimcore.storage.sql.connection import Connection, Links, Work, connected
from scimcore.storage.sql.dialect import COMMIT, ROLLBACK, will_pass
from scimcore.storage.sql.prepared import Immediate, Parameters, asked

S = TypeVar("S")
T = TypeVar("T", bound=Any)

UNCONFIRMED: Final = "the database did not confirm the change"

_PATIENCE_SECONDS: Final = 5.0
"""How long a session waits while another one, whose turn it is, waits for something else: as long as SQLite would."""

_LOOK_AGAIN_SECONDS: Final = 0.001
_AT_ONE_LOOK: Final = 20
"""How often to try before the next pause: the moment between two transactions of another process is short."""

_BUSY: Final = text("PRAGMA busy_timeout")
_NEVER_BLOCK: Final = text("PRAGMA busy_timeout = 0")
_SAVEPOINT: Final = text("SAVEPOINT scim_session")
_UNDO: Final = text("ROLLBACK TO scim_session")
_KEEP: Final = text("RELEASE scim_session")

_IN_MEMORY: Final = text("PRAGMA temp_store = MEMORY")
"""A savepoint keeps, as they were, the pages that are written after it: for a create often more than the 64 kB beyond
which SQLite makes a file for them."""


class GroupCommit:
    """The transaction that the sessions of an event loop write in."""

    __slots__ = (
        "_busy_seconds",
        "_engine",
        "_is_alone",
        "_is_open",
        "_is_planned",
        "_link",
        "_links",
        "_loop",
        "_turn",
        "_waiting",
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._links = Links(engine)
        self._link: Immediate | None = None
        self._busy_seconds = 0.0
        """How long to wait for other processes: what the engine's connections were told."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()
        self._waiting: list[asyncio.Future[None]] = []
        self._is_open = False
        self._is_alone = False
        """Whether only one session has written since it was opened; that one needs no savepoint."""
        self._is_planned = False

    async def join(self, begin_write: ClauseElement) -> Connection:
        """The connection to write through while it is this session's turn, which `leave` ends.

        Raises:
            RuntimeError: No event loop is running, or sessions on another one are writing.
            UnavailableError: Another session has its turn for too long.
            DBAPIError: Another process writes for too long, or the file cannot be written to.
        """
        self._settle_on(asyncio.get_running_loop())
        if self._turn.locked():
            await self._await_turn()
        else:
            await self._turn.acquire()
        try:
            return await self._taking_part(begin_write)
        except BaseException:
            self._turn.release()
            raise

    async def _await_turn(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise UnavailableError("the database is busy; try again") from None

    async def leave(self, *, undone: bool, waits: bool = True) -> None:
        """End the turn, with what was written *undone* or kept; unless told otherwise, wait until that is permanent.

        Raises:
            UnavailableError: The database did not confirm it.
        """
        try:
            self._part(undone=undone)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, DBAPIError):
                raise
            raise UnavailableError(UNCONFIRMED) from error
        finally:
            self._turn.release()
        if self._is_open:
            self._plan()
            if waits:
                committed = asyncio.get_running_loop().create_future()
                self._waiting.append(committed)
                await committed

    def reading(self) -> Immediate | None:
        """The connection of the group, for a statement that only reads; None while something is written through it.

        SQLite forgets what it read as soon as another connection has written, so to read and write through one is less
        work. Only the event loop that writes may do so.
        """
        if self._is_open or self._link is None:
            return None
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return None
        if not is_here:
            return None
        self._link.look()
        return self._link

    def settle(self) -> None:
        """Commit what was written, unless a session is still writing; whoever does will see to it."""
        if not self._is_open or self._turn.locked():
            return
        try:
            self._say(COMMIT)
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, DBAPIError):
                raise
        else:
            self._is_open = False
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                if not one.done():
                    one.set_result(None)

    def close(self) -> None:
        """Commit what was written, and close the connection; what a session still writes is undone."""
        self.settle()
        self._fail(None)

    def _settle_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is self._loop:
            return
        if self._is_open or self._turn.locked():
            if self._loop is None or not self._loop.is_closed():
                raise RuntimeError("a storage that commits in groups serves one event loop")
            # Nobody is left to be told.
            self._waiting.clear()
            self._fail(None)
        self._loop = loop
        self._turn = asyncio.Lock()
        self._is_planned = False

    async def _taking_part(self, begin_write: ClauseElement) -> Connection:
        if self._is_open:
            self._say(_SAVEPOINT)
            self._is_alone = False
        else:
            await self._begin(begin_write)
            self._is_open = self._is_alone = True
        return Connection(self._links, self._linked(), has_begun=True)

    async def _begin(self, begin_write: ClauseElement) -> None:
        """Begin as soon as no other process writes; the event loop runs meanwhile.

        SQLite would look again after a tenth of a second, and hardly ever find a moment in which another process, which
        writes as much as it can, lets others in.
        """
        link, began = self._linked(), monotonic()
        link.look()
        for attempt in count():
            try:
                self._say(begin_write)
                return
            except DBAPIError as error:
                if not will_pass(error) or monotonic() - began >= self._busy_seconds or link is not self._link:
                    raise
            await asyncio.sleep(0 if attempt % _AT_ONE_LOOK else _LOOK_AGAIN_SECONDS)

    def _part(self, *, undone: bool) -> None:
        if self._is_alone:
            if undone:
                self._say(ROLLBACK)
                self._is_open = False
            return
        if undone:
            self._say(_UNDO)
        self._say(_KEEP)

    def _plan(self) -> None:
        """See to it that what is written will be committed as soon as what is ready has run."""
        if self._is_open and not self._is_planned and self._loop is not None:
            self._is_planned = True
            self._loop.call_soon(self._commit)

    def _commit(self) -> None:
        self._is_planned = False
        self.settle()

    def _fail(self, reason: BaseException | None) -> None:
        """Let go of the connection, whatever it is in, and tell all who wait that nothing of theirs is there.

        Nobody else gets it: it was told what others would not expect of one.
        """
        self._is_open = False
        link, self._link = self._link, None
        if link is not None:
            link.connection.invalidate(reason)
            link.connection.close()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_exception(UnavailableError(UNCONFIRMED))

    def _say(self, statement: ClauseElement) -> None:
        asked(self._linked(), statement, {})

    def _linked(self) -> Immediate:
        if self._link is None:
            self._link = Immediate(self._engine.connect())
            ((milliseconds,),) = asked(self._link, _BUSY, {})
            self._busy_seconds = milliseconds / 1_000
            for statement in (_NEVER_BLOCK, _IN_MEMORY):
                asked(self._link, statement, {})
        return self._link


class Seat:
    """The connections of one session: the one of the group, or one of its own for reading while others write."""

    __slots__ = ("_group", "_links", "_own", "_shared")

    def __init__(self, links: Links, group: GroupCommit) -> None:
        self._links = links
        self._group = group
        self._own: Connection | None = None
        self._shared: Connection | None = None

    @property
    def has_begun(self) -> bool:
        """Whether this session writes."""
        return self._shared is not None

    async def answer(self, work: Work[S, T], statement: S, parameters: Parameters) -> T:
        """What the database answers; see `Connection.answer`.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        if self._shared is not None:
            return await self._shared.answer(work, statement, parameters)
        link = self._group.reading()
        if link is not None:
            try:
                return work(link, statement, parameters)
            except DBAPIError as error:
                # It does not wait for a process that is putting the file in order after a crash; another one does.
                if not will_pass(error):
                    raise
        if self._own is None:
            self._own = await connected(self._links)
        return await self._own.answer(work, statement, parameters)

    async def begin(self, statement: ClauseElement) -> None:
        """Write from now on; see `GroupCommit.join`."""
        # While this session waits for its turn, others may need what it reads through.
        await self.close()
        self._shared = await self._group.join(statement)

    async def commit(self) -> None:
        """Wait until what was written is permanent."""
        await self._leave(undone=False)

    async def rollback(self) -> None:
        """Undo what was written, and wait until what others have written is permanent."""
        await self._leave(undone=True)

    async def invalidate(self) -> None:
        """Undo what was written, and wait for nothing."""
        await self._leave(undone=True, waits=False)

    async def close(self) -> None:
        """Give back what it reads through."""
        own, self._own = self._own, None
        if own is not None:
            await own.close()

    async def _leave(self, *, undone: bool, waits: bool = True) -> None:
        if self._shared is not None:
            self._shared = None
            await self._group.leave(undone=undone, waits=waits)
