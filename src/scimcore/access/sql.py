"""`SqlTokens`: tokens in SQLite or PostgreSQL, with an event loop or without one. It needs the extra `sql`."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Index,
    MetaData,
    RowMapping,
    Table,
    Text,
    case,
    create_engine,
    insert,
    literal,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimcore.access.token import SCOPES, Token, instant, moment
from scimcore.errors import UnavailableError
from scimcore.storage.protocol import Tenant

T = TypeVar("T")

METADATA: Final = MetaData()

# Ordered by code point, as Python orders it; SQLite does so by itself.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

# The key is the digest and not the tenant: it is by its token that a caller's tenant is found. Where tables are
# distributed by tenant this small one is kept on every node (in Citus, a reference table).
TOKEN: Final = Table(
    "scim_token",
    METADATA,
    Column("digest", _TEXT, primary_key=True, comment="SHA-256 of the token, in hexadecimal"),
    Column("tenant", _TEXT, nullable=False),
    Column("id", _TEXT, nullable=False),
    Column("connection", _TEXT, nullable=False),
    Column("label", _TEXT, nullable=False),
    Column("scopes", _TEXT, nullable=False),
    Column("created", _TEXT, nullable=False),
    Column("expires", _TEXT, nullable=False),
    Column("revoked", _TEXT),
    Column("last_used", _TEXT),
    Index("scim_token_by_id", "tenant", "id", unique=True),
)


class SqlTokens:
    """A `TokenStore` in SQLite or PostgreSQL, for as many processes as share the database.

    *database* is a URL or an engine of SQLAlchemy, as for `SqlStorage`, with which it may share the database and the
    engine. With a synchronous driver nothing here suspends. *settle* is called before each write: the method of a
    `SqlStorage` that commits in groups to the same file.
    """

    def __init__(self, database: str | URL | Engine | AsyncEngine, *, settle: Callable[[], None] | None = None) -> None:
        self._engine = _engine(database) if isinstance(database, (str, URL)) else database
        self._settle = settle

    async def find(self, digest: str) -> Token | None:
        query = select(TOKEN).where(TOKEN.c.digest == digest)
        rows = await self._read(lambda connection: connection.execute(query).mappings().all())
        return _token(rows[0]) if rows else None

    async def listed(self, tenant: Tenant | None = None) -> tuple[Token, ...]:
        query = select(TOKEN).order_by(TOKEN.c.tenant, TOKEN.c.created, TOKEN.c.id)
        if tenant is not None:
            query = query.where(TOKEN.c.tenant == tenant)
        rows = await self._read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_token(row) for row in rows)

    async def add(self, token: Token) -> None:
        await self._written(lambda connection: _insert(connection, token))

    async def replace(self, tenant: Tenant, id: str, expires: datetime, successor: Token) -> Token | None:
        at = literal(instant(expires))
        shortened = (
            update(TOKEN)
            .where(TOKEN.c.tenant == tenant, TOKEN.c.id == id, TOKEN.c.revoked.is_(None))
            .values(expires=case((TOKEN.c.expires > at, at), else_=TOKEN.c.expires))
            .returning(TOKEN)
        )

        def replaced(connection: Connection) -> Token | None:
            old = connection.execute(shortened).mappings().first()
            if old is None:
                return None
            _insert(connection, successor)
            return _token(old)

        return await self._written(replaced)

    async def revoke(self, tenant: Tenant, id: str, at: datetime) -> Token | None:
        this_one = (TOKEN.c.tenant == tenant, TOKEN.c.id == id)

        def revoked(connection: Connection) -> Token | None:
            connection.execute(update(TOKEN).where(*this_one, TOKEN.c.revoked.is_(None)).values(revoked=instant(at)))
            row = connection.execute(select(TOKEN).where(*this_one)).mappings().first()
            return None if row is None else _token(row)

        return await self._written(revoked)

    async def used(self, token: Token, at: datetime) -> bool:
        noted = (
            update(TOKEN)
            .where(TOKEN.c.digest == token.digest, TOKEN.c.last_used.is_not_distinct_from(_kept(token.last_used)))
            .values(last_used=instant(at))
            .returning(TOKEN.c.digest)
        )
        try:
            return await self._written(lambda connection: connection.execute(noted).first() is not None)
        except UnavailableError:
            return False

    async def create_all(self) -> None:
        """Make the table if it is not there yet; several processes may do it at once."""
        try:
            await self._reached(METADATA.create_all)
        except DBAPIError:
            # Where another process was faster, there is nothing left to do; any other fault comes again.
            await self._reached(METADATA.create_all)

    async def close(self) -> None:
        """Give back all connections."""
        if isinstance(self._engine, AsyncEngine):
            await self._engine.dispose()
        else:
            self._engine.dispose()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        """What *work* reads; anew if the connection had died while nobody used it."""
        try:
            return await self._reached(work)
        except UnavailableError:
            return await self._reached(work)

    async def _written(self, work: Callable[[Connection], T]) -> T:
        if self._settle is not None:
            self._settle()
        return await self._reached(work)

    async def _reached(self, work: Callable[[Connection], T]) -> T:
        """What *work* does in a transaction of its own; it suspends only if the driver does.

        Raises:
            UnavailableError: The database cannot be reached or is busy.
        """
        try:
            if isinstance(self._engine, AsyncEngine):
                async with self._engine.begin() as asynchronous:
                    return await asynchronous.run_sync(work)
            with self._engine.begin() as connection:
                return work(connection)
        except (DBAPIError, OSError, PoolTimeoutError) as error:
            if isinstance(error, DBAPIError) and not _will_pass(error):
                raise
            raise UnavailableError("the tokens cannot be looked up now") from error


def _will_pass(error: DBAPIError) -> bool:
    """Whether the fault is of the moment: SQLite calls a missing table an operational error too."""
    if "sqlite" in type(error.orig).__module__:
        return "is locked" in str(error.orig)
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def _insert(connection: Connection, token: Token) -> None:
    values = {
        "digest": token.digest,
        "tenant": token.tenant,
        "id": token.id,
        "connection": token.connection,
        "label": token.label,
        "scopes": " ".join(sorted(token.scopes)),
        "created": instant(token.created),
        "expires": instant(token.expires),
        "revoked": _kept(token.revoked),
        "last_used": _kept(token.last_used),
    }
    connection.execute(insert(TOKEN), values)


def _token(row: RowMapping) -> Token:
    return Token(
        digest=row["digest"],
        tenant=Tenant(row["tenant"]),
        id=row["id"],
        connection=row["connection"],
        label=row["label"],
        scopes=SCOPES.intersection(row["scopes"].split()),
        created=moment(row["created"]),
        expires=moment(row["expires"]),
        revoked=_moment(row["revoked"]),
        last_used=_moment(row["last_used"]),
    )


def _kept(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def _moment(kept: str | None) -> datetime | None:
    return None if kept is None else moment(kept)


def _engine(database: str | URL) -> Engine | AsyncEngine:
    url = make_url(database)
    return create_async_engine(url) if url.get_dialect().is_async else create_engine(url)
