"""`SqlAudit`: the record in SQLite or PostgreSQL, one chain for each tenant. It needs the extra `sql`.

The table is appended to and never changed. A writer remembers where the chain of a tenant ends and tries to put its
entry there; where another process was faster the place is taken, and it looks again. So an entry costs one statement,
and no two writers can continue one chain in two ways.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final, TypeVar

import attrs
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from scimcore.audit.appending import ATTEMPTS, Appending, End, Ends, behind, end_in
from scimcore.audit.chain import Break, Head, Sealed, Verifying
from scimcore.audit.entry import Told, entry_of
from scimcore.audit.tables import AFTER, APPENDED, BEGUN, EVERYBODYS, LAST, METADATA
from scimcore.engine.events import Event
from scimcore.errors import UnavailableError
from scimcore.storage.protocol import Session, Tenant
from scimcore.storage.sql.engines import ISOLATION, engine_for, is_file
from scimcore.storage.sql.prepared import Immediate, asked
from scimcore.storage.sql.session import SqlSession

T = TypeVar("T")

_PAGE: Final = 1_000


@attrs.frozen
class Verification:
    """What a look at the whole record found: where each chain ends, and where it does not hold."""

    heads: tuple[Head, ...]
    breaks: tuple[Break, ...]


class SqlAudit:
    """A sink that keeps events in SQLite or PostgreSQL, for as many processes as share the database.

    *database* is a URL or an engine of SQLAlchemy, as for `SqlStorage`, with which it may share the database and the
    engine. With a synchronous driver nothing here suspends. With a *key*, which must not be kept in that database, the
    seals are HMACs: whoever can write the table still cannot forge one. *settle* is called before each entry:
    the method of a `SqlStorage` that commits in groups to the same file.

    As `record` of a provider whose `SqlStorage` is in the same database, it puts a change on record in the transaction
    that makes it: neither is there without the other. As `on_event` it writes an entry after the change was committed,
    and before the client is answered.
    """

    def __init__(
        self,
        database: str | URL | Engine | AsyncEngine,
        *,
        key: bytes = b"",
        settle: Callable[[], None] | None = None,
    ) -> None:
        is_own = isinstance(database, (str, URL))
        # A log that is not forced to the disk for each entry loses none when a process dies, and the last ones when the
        # machine does: the chain holds all the same.
        self._engine = (
            engine_for(database, "NORMAL")
            if isinstance(database, (str, URL))
            else database.execution_options(isolation_level=ISOLATION)
        )
        self._key = key
        self._settle = settle
        # To take a connection from a pool and give it back was a quarter of what an entry cost in SQLite, and a file is
        # never lost, as a server may be.
        self._keeps = is_own and is_file(self._engine)
        self._kept: Connection | None = None
        self._ends = Ends()
        self._appending = Appending(key)
        # Only those of one process take turns; others meet at the primary key.
        self._turn = threading.Lock()
        self._asynchronous_turn = asyncio.Lock()

    def __call__(self, event: Told) -> Awaitable[None] | None:
        """Put *event* on record.

        Raises:
            UnavailableError: Other processes took every place that was tried.
        """
        if isinstance(self._engine, AsyncEngine):
            return self._appended(self._engine, event)
        if self._settle is not None:
            self._settle()
        with self._turn:
            if self._keeps:
                self._append_kept(self._engine, event)
            else:
                with self._engine.connect() as connection:
                    self._append(connection, event)
        return None

    def _append_kept(self, engine: Engine, event: Told) -> None:
        """Put *event* on record through the connection that is kept for it; after a fault it is another one."""
        connection = self._kept or engine.connect()
        self._kept = None
        try:
            self._append(connection, event)
        except BaseException:
            connection.close()
            raise
        self._kept = connection

    def within(self, event: Event, session: Session) -> Awaitable[None]:
        """Put *event* on record in the transaction of *session*, which belongs to a `SqlStorage` in the same database.

        Raises:
            TypeError: The session belongs to another storage.
            UnavailableError: The database cannot be reached, or others took every place that was tried.
        """
        if not isinstance(session, SqlSession):
            raise TypeError("a record in the transaction of a change needs a SqlStorage, in the same database")
        entry = entry_of(event)
        # Where the chain ends then is not known before the commit.
        self._ends.forget(entry.tenant)
        return self._appending.put(entry, session.transaction)

    async def _appended(self, engine: AsyncEngine, event: Told) -> None:
        async with self._asynchronous_turn, engine.connect() as connection:
            await connection.run_sync(self._append, event)

    def _append(self, connection: Connection, event: Told) -> None:
        entry, link = entry_of(event), Immediate(connection)
        for _ in range(ATTEMPTS):
            end = self._ends.get(entry.tenant) or _end(link, entry.tenant)
            new, row = behind(end, entry, self._key)
            try:
                asked(link, APPENDED, row)
            except IntegrityError:
                self._ends.forget(entry.tenant)
                continue
            self._ends.remember(entry.tenant, new)
            return
        raise UnavailableError("the record is written to by too many at once")

    async def entries(self, tenant: Tenant, after: int = 0, most: int = _PAGE) -> tuple[Sealed, ...]:
        """The entries of *tenant* behind number *after*, at *most* that many."""
        return await self._ran(lambda connection: _page(connection, tenant, after, most))

    async def verified(self, noted: Iterable[Head] = ()) -> Verification:
        """What a walk along every chain finds.

        A chain that was cut short still holds; only *noted* heads, which were written down when they were the end, show
        that something is missing behind them.
        """
        heads = tuple(noted)
        return await self._ran(lambda connection: _verified(connection, self._key, heads))

    async def create_all(self) -> None:
        """Make the table if it is not there yet; several processes may do it at once."""
        try:
            await self._ran(METADATA.create_all)
        except DBAPIError:
            # Where another process was faster, there is nothing left to do; any other fault comes again.
            await self._ran(METADATA.create_all)

    async def close(self) -> None:
        """Give back all connections; they are made anew when they are needed."""
        with self._turn:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()
        if isinstance(self._engine, AsyncEngine):
            await self._engine.dispose()
        else:
            self._engine.dispose()

    async def _ran(self, work: Callable[[Connection], T]) -> T:
        if isinstance(self._engine, AsyncEngine):
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)
        with self._engine.connect() as connection:
            return work(connection)


def _end(link: Immediate, tenant: Tenant) -> End:
    """Where the chain of *tenant* ends, which begins now if there is none."""
    called = {"tenant": tenant}
    end = end_in(asked(link, LAST, called))
    if end is None:
        asked(link, BEGUN[link.driver.name], called)
        end = end_in(asked(link, LAST, called))
    if end is None:
        raise UnavailableError("the record is being changed by somebody else")
    return end


def _page(connection: Connection, tenant: Tenant, after: int, most: int) -> tuple[Sealed, ...]:
    rows = connection.execute(AFTER, {"tenant": tenant, "after": after, "most": most})
    return tuple(Sealed(tenant, row.number, row.entry, row.seal) for row in rows)


def _everybodys(connection: Connection) -> Iterator[Sealed]:
    """All entries, those of each tenant in their order."""
    position = 0
    while rows := connection.execute(EVERYBODYS, {"after": position, "most": _PAGE}).all():
        for row in rows:
            yield Sealed(Tenant(row.tenant), row.number, row.entry, row.seal)
        position = rows[-1].position


def _verified(connection: Connection, key: bytes, noted: tuple[Head, ...]) -> Verification:
    walks: dict[Tenant, Verifying] = {}
    missing = {(head.tenant, head.number): head for head in noted}
    others: list[Break] = []
    for entry in _everybodys(connection):
        walk = walks.get(entry.tenant)
        if walk is None:
            walk = walks[entry.tenant] = Verifying(entry.tenant, key)
        walk.walk((entry,))
        head = missing.pop((entry.tenant, entry.number), None)
        if head is not None and head.seal != entry.seal:
            others.append(Break(entry.tenant, entry.number, "not the entry that was noted"))
    others += [Break(head.tenant, head.number, "missing: it was noted as the end") for head in missing.values()]
    in_order = [walks[tenant] for tenant in sorted(walks)]
    return Verification(
        tuple([walk.head for walk in in_order]),
        (*(one for walk in in_order for one in walk.breaks), *others),
    )
