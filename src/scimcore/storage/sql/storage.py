"""The storage that an application holds."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import Session, Tenant
from scimcore.storage.sql.dialect import dialect_of, prepare
from scimcore.storage.sql.session import SqlTransaction
from scimcore.storage.sql.tables import METADATA

INDEXED: Final = ("userName", "externalId", "displayName", "emails.value")
"""Places whose equality look-ups use an index, besides `id`, `members.value` and `groups.value`."""


class SqlStorage:
    """A `Storage` in SQLite or PostgreSQL, for as many processes as share the database.

    *database* is a URL such as `sqlite:///scim.db`, `postgresql+psycopg://…`, `sqlite+aiosqlite:///scim.db` or
    `postgresql+asyncpg://…`, or an engine of SQLAlchemy. With a synchronous driver no session ever suspends, so the
    provider works without an event loop (`handle_sync`); on an event loop such a session blocks it.

    *indexed* names the places whose equality look-ups use an index, in attribute notation (RFC 7644 §3.10), of
    attributes whose values are text. It must stay the same for one database: what was written before is not indexed
    anew.
    """

    def __init__(self, database: str | URL | Engine | AsyncEngine, indexed: Iterable[str] = INDEXED) -> None:
        engine = _engine(database) if isinstance(database, (str, URL)) else database
        self._dialect = dialect_of(engine)
        self._engine = engine
        self._sessions = engine
        if self._dialect.isolation_level is not None:
            self._sessions = engine.execution_options(isolation_level=self._dialect.isolation_level)
        self._indexed = tuple(indexed)

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return KEYED

    def session(self, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
        return SqlTransaction(self._sessions, self._dialect, tenant, self._indexed)

    def create_all(self) -> None:
        """Make the tables that are not there yet.

        Raises:
            TypeError: The driver needs an event loop; await `create_all_async`.
        """
        if isinstance(self._engine, AsyncEngine):
            raise TypeError("the driver needs an event loop: await create_all_async() instead")
        METADATA.create_all(self._engine)

    async def create_all_async(self) -> None:
        """Make the tables that are not there yet, whatever the driver."""
        if isinstance(self._engine, AsyncEngine):
            async with self._engine.begin() as connection:
                await connection.run_sync(METADATA.create_all)
        else:
            METADATA.create_all(self._engine)

    def close(self) -> None:
        """Give back all connections that no session holds.

        Raises:
            TypeError: The driver needs an event loop; await `close_async`.
        """
        if isinstance(self._engine, AsyncEngine):
            raise TypeError("the driver needs an event loop: await close_async() instead")
        self._engine.dispose()

    async def close_async(self) -> None:
        """Give back all connections that no session holds, whatever the driver."""
        if isinstance(self._engine, AsyncEngine):
            await self._engine.dispose()
        else:
            self._engine.dispose()


def _engine(database: str | URL) -> Engine | AsyncEngine:
    url = make_url(database)
    if url.get_dialect().is_async:
        asynchronous = create_async_engine(url)
        prepare(asynchronous.sync_engine)
        return asynchronous
    engine = create_engine(url)
    prepare(engine)
    return engine
