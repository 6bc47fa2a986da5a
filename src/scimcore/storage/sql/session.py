"""A session of one tenant, written once for every driver.

Nothing is begun for reading: each statement sees what is committed. The first write begins the transaction, locks the
record it changes, and decides by what it then finds; so members that are added at once all land, and of two writes that
lean on one version the second clashes. Locating members begins it too, and keeps them from being deleted meanwhile.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType

import attrs
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from scimcore.errors import UnavailableError
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import is_storable
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import EVERYTHING, Change, Elements, Page, Query, Record, Session, Tenant
from scimcore.storage.sql import statements
from scimcore.storage.sql.connection import connected
from scimcore.storage.sql.dialect import Dialect
from scimcore.storage.sql.functions import KEY_FUNCTIONS
from scimcore.storage.sql.group_commit import GroupCommit, Seat
from scimcore.storage.sql.membership import Membership
from scimcore.storage.sql.pushdown import Sight
from scimcore.storage.sql.reading import Reading
from scimcore.storage.sql.rows import indexed_places, portions
from scimcore.storage.sql.transaction import Transaction
from scimcore.storage.sql.writing import Writing


@attrs.frozen
class SqlTransaction:
    """The block of a session: it connects on entering, commits on leaving, and undoes if an exception leaves it."""

    engine: Engine | AsyncEngine
    dialect: Dialect
    tenant: Tenant
    indexed: tuple[str, ...]
    indirect_groups: bool
    group: GroupCommit | None = None
    """What this session commits with, if it does not commit alone."""
    _open: list[Transaction] = attrs.field(factory=list)

    async def __aenter__(self) -> Session:
        try:
            connection = await connected(self.engine)
        except (DBAPIError, OSError, PoolTimeoutError) as error:
            raise UnavailableError("the database cannot be reached") from error
        transaction = Transaction(Seat(connection, self.group) if self.group else connection, self.dialect)
        self._open.append(transaction)
        return SqlSession(transaction, self.tenant, self.indexed, self.indirect_groups)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.pop().end(kind)


class SqlSession:
    """A `Session` in one transaction."""

    __slots__ = ("_membership", "_reading", "_tenant", "_transaction", "_writing")

    def __init__(
        self, transaction: Transaction, tenant: Tenant, indexed: tuple[str, ...], indirect_groups: bool
    ) -> None:
        places = partial(indexed_places, indexed)
        sight = Sight(tenant, places, KEY_FUNCTIONS[transaction.dialect.name], indirect_groups)
        self._tenant = tenant
        self._transaction = transaction
        self._membership = Membership(tenant, indirect_groups, transaction)
        self._reading = Reading(sight, self._membership, transaction)
        self._writing = Writing(tenant, places, transaction)

    # Reading

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        if not is_storable(id):
            return None
        return await self._membership.one(resource_type, id, elements)

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        # Who asks is about to refer to them: what is found stays until this session ends.
        await self._transaction.begin()
        found: dict[str, str] = {}
        for some in portions([id for id in ids if is_storable(id)]):
            parameters = {"b_tenant": self._tenant, "b_ids": some}
            rows = (await self._transaction.run(statements.LOCATED, parameters)).all()
            found.update((row.id, row.type) for row in rows)
        return found

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        if attribute not in KEYED.get(resource_type.name, {}):
            return 0
        if attribute == "members":
            return await self._membership.count_members(id, most)
        return await self._membership.count_groups(id, most)

    async def search(self, query: Query) -> Page:
        return await self._reading.page(query)

    # Writing

    async def insert(self, record: Record) -> None:
        with self._transaction.write(may_clash=False):
            await self._writing.insert(record)

    async def update(self, change: Change) -> Record:
        with self._transaction.write(may_clash=True):
            return await self._writing.update(change)

    async def delete(self, record: Record) -> None:
        with self._transaction.write(may_clash=True):
            await self._writing.delete(record)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._transaction.savepoint()
