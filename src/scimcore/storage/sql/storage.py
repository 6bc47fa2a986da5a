"""The storage that an application holds."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Final

import attrs
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from scimcore.errors import UnavailableError
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.index import INDEXED
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import Session, Tenant
from scimcore.storage.sql import facts
from scimcore.storage.sql.connection import Links
from scimcore.storage.sql.dialect import dialect_of, will_pass
from scimcore.storage.sql.engines import ISOLATION, engine_for, is_file, prepare
from scimcore.storage.sql.group_commit import GroupCommit
from scimcore.storage.sql.reindexing import reindexed
from scimcore.storage.sql.rows import indexed_places
from scimcore.storage.sql.session import SqlTransaction

_MOST_KEPT: Final = 5
"""Connections to a file that wait for the next session: as many as the pool has that they are taken from."""


class SqlStorage:
    """A `Storage` in SQLite or PostgreSQL, for as many processes as share the database.

    *database* is a URL such as `sqlite:///scim.db`, `postgresql+psycopg://…`, `sqlite+aiosqlite:///scim.db` or
    `postgresql+asyncpg://…`, or an engine of SQLAlchemy. With a synchronous driver no session ever suspends, so the
    provider works without an event loop (`handle_sync`); on an event loop such a session blocks it.

    *indexed* names the places whose equality look-ups use an index, in attribute notation (RFC 7644 §3.10), of
    attributes whose values are text. The database remembers them; a storage that is told otherwise refuses to work.

    With *indirect_groups* a user's `groups` are also those that its groups belong to, however deep (RFC 7643 §4.1.2).

    With *group_commit* the sessions that an event loop has ready write to a SQLite file in one transaction, and its
    commit is for all of them; that takes less than half as long as one each where several clients write at once. Then
    every session that writes suspends, on one event loop, and whoever else writes to the file there calls `settle`
    first. PostgreSQL groups commits by itself, and a database in memory has nothing to wait for: there it changes
    nothing.

    An engine of the application's own gets what a SQLite file needs to be read while it is written (its journal becomes
    a write-ahead log), and is used without its isolation level: this storage begins its transactions itself.
    """

    def __init__(
        self,
        database: str | URL | Engine | AsyncEngine,
        indexed: Iterable[str] = INDEXED,
        *,
        indirect_groups: bool = False,
        group_commit: bool = False,
    ) -> None:
        if isinstance(database, (str, URL)):
            # An identity provider does not repeat a deactivation that was confirmed, so it must not be lost.
            self._engine = self._sessions = engine_for(database, "FULL")
        else:
            self._engine = database
            # This costs each session a fifth of a GET; an engine that never begins transactions costs nothing.
            self._sessions = database.execution_options(isolation_level=ISOLATION)
        self._dialect = dialect_of(self._engine)
        prepare(self._engine.sync_engine if isinstance(self._engine, AsyncEngine) else self._engine)
        self._indexed = tuple(indexed)
        self._places = partial(indexed_places, self._indexed)
        self._indirect_groups = indirect_groups
        self._is_checked = False
        # An engine of the application's own may have few connections, and need them itself.
        is_kept = isinstance(database, (str, URL)) and is_file(self._sessions)
        self._links = Links(self._sessions, kept=_MOST_KEPT if is_kept else 0)
        self._group = GroupCommit(self._sessions) if group_commit and is_file(self._sessions) else None

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return KEYED

    def session(self, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
        """A transaction on the records of *tenant*.

        Entering the first one looks whether the database fits.

        Raises:
            UnfitDatabaseError: The tables are missing or of an earlier release, or other places are indexed in them.
        """
        transaction = SqlTransaction(
            self._links, self._dialect, tenant, self._places, self._indirect_groups, self._group
        )
        return transaction if self._is_checked else _Checked(self, transaction)

    def settle(self) -> None:
        """Commit now what sessions have written that wait to commit together, if there are any."""
        if self._group is not None:
            self._group.settle()

    def create_all(self) -> None:
        """Make the tables, if there are none; several processes may do it at once.

        Raises:
            UnfitDatabaseError: There are tables, and they are of an earlier release, or other places are indexed in
                them.
            TypeError: The driver needs an event loop; await `create_all_async`.
        """
        self._at_once("create_all", self._create)

    async def create_all_async(self) -> None:
        """Make the tables, if there are none, whatever the driver; see `create_all`."""
        await self._ran(self._create)

    def migrate(self) -> None:
        """Make the tables what this release needs, from nothing or from any earlier release.

        Everything is done in one transaction, or nothing. Several processes may do it at once; nothing is done where
        nothing is left to do.

        Raises:
            UnfitDatabaseError: There are tables, and nothing says which release made them.
            TypeError: The driver needs an event loop; await `migrate_async`.
        """
        self._at_once("migrate", self._migrate)

    async def migrate_async(self) -> None:
        """Make the tables what this release needs, whatever the driver; see `migrate`."""
        await self._ran(self._migrate)

    def reindex(self, resource_types: Iterable[ResourceType]) -> None:
        """Index what is in the database as this storage is told to; whoever wants to write meanwhile waits.

        It is needed when `indexed` changes, or when an attribute of a schema is compared in another way than before
        (another type, another caseExact). Processes that were told otherwise must have ended.

        Raises:
            ValueError: There are records of a type that is none of *resource_types*.
            TypeError: The driver needs an event loop; await `reindex_async`.
        """
        self._at_once("reindex", self._reindexing(resource_types))

    async def reindex_async(self, resource_types: Iterable[ResourceType]) -> None:
        """Index what is in the database as this storage is told to, whatever the driver; see `reindex`."""
        await self._ran(self._reindexing(resource_types))

    async def check(self) -> None:
        """Make sure that the database fits; the first session does it too.

        Raises:
            UnfitDatabaseError: The tables are missing or of an earlier release, or other places are indexed in them.
            UnavailableError: The database cannot be reached.
        """
        try:
            await self._ran(self._check)
        except (DBAPIError, OSError, PoolTimeoutError) as error:
            # Without a statement it was connecting that failed.
            if isinstance(error, DBAPIError) and error.statement is not None and not will_pass(error):
                raise
            raise UnavailableError("the database cannot be reached") from error
        self._is_checked = True

    def close(self) -> None:
        """Give back all connections that no session holds.

        Raises:
            TypeError: The driver needs an event loop; await `close_async`.
        """
        engine = self._synchronous("close")
        if self._group is not None:
            self._group.close()
        self._links.close()
        engine.dispose()

    async def close_async(self) -> None:
        """Give back all connections that no session holds, whatever the driver."""
        if isinstance(self._engine, AsyncEngine):
            await self._engine.dispose()
        else:
            self.close()

    def _create(self, connection: Connection) -> None:
        facts.HISTORY.create(connection, self._dialect)
        self._check(connection)

    def _migrate(self, connection: Connection) -> None:
        facts.HISTORY.upgrade(connection, self._dialect)
        self._check(connection)

    def _check(self, connection: Connection) -> None:
        facts.check(connection, self._dialect, self._indexed)

    def _reindexing(self, resource_types: Iterable[ResourceType]) -> Callable[[Connection], None]:
        return lambda connection: reindexed(connection, self._dialect, self._indexed, resource_types)

    def _at_once(self, name: str, work: Callable[[Connection], None]) -> None:
        engine = self._synchronous(name).execution_options(isolation_level=ISOLATION)
        with engine.connect() as connection:
            work(connection)

    async def _ran(self, work: Callable[[Connection], None]) -> None:
        if isinstance(self._sessions, AsyncEngine):
            async with self._sessions.connect() as connection:
                await connection.run_sync(work)
        else:
            with self._sessions.connect() as connection:
                work(connection)

    def _synchronous(self, name: str) -> Engine:
        if isinstance(self._engine, AsyncEngine):
            raise TypeError(f"the driver needs an event loop: await {name}_async() instead")
        return self._engine


@attrs.frozen
class _Checked:
    """The first session of a storage: before it begins, the storage looks whether the database fits."""

    storage: SqlStorage
    transaction: SqlTransaction

    async def __aenter__(self) -> Session:
        await self.storage.check()
        return await self.transaction.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transaction.__aexit__(kind, error, trace)
