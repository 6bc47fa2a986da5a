"""A session of one tenant, written once for every driver.

Nothing is begun for reading: each statement sees what is committed. The first write begins the transaction, locks the
record it changes, and decides by what it then finds; so members that are added at once all land, and of two writes that
lean on one version the second clashes. Locating members begins it too, and keeps them from being deleted meanwhile.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import is_storable
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import EVERYTHING, Change, Elements, Page, Query, Record, Session, Tenant
from scimcore.storage.sql import statements
from scimcore.storage.sql.connection import Links, connected
from scimcore.storage.sql.dialect import Dialect
from scimcore.storage.sql.functions import KEY_FUNCTIONS
from scimcore.storage.sql.group_commit import GroupCommit, Seat
from scimcore.storage.sql.holders import Holders
from scimcore.storage.sql.membership import Membership
from scimcore.storage.sql.pushdown import Sight
from scimcore.storage.sql.reading import Reading
from scimcore.storage.sql.rows import Places, portions
from scimcore.storage.sql.transaction import Transaction
from scimcore.storage.sql.writing import Writing


class SqlTransaction:
    """The block of a session: it connects on entering, commits on leaving, and undoes if an exception leaves it."""

    def __init__(
        self,
        links: Links,
        dialect: Dialect,
        tenant: Tenant,
        places: Places,
        indirect_groups: bool,
        group: GroupCommit | None = None,
    ) -> None:
        self._links = links
        self._dialect = dialect
        self._tenant = tenant
        self._places = places
        self._indirect_groups = indirect_groups
        self._group = group
        self._open: list[Transaction] = []

    async def __aenter__(self) -> Session:
        connection = Seat(self._links, self._group) if self._group else await connected(self._links)
        transaction = Transaction(connection, self._dialect)
        self._open.append(transaction)
        return SqlSession(transaction, self._tenant, self._places, self._indirect_groups)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.pop().end(kind)


class SqlSession:
    """A `Session` in one transaction."""

    __slots__ = ("_indirect_groups", "_places", "_tenant", "_transaction")

    def __init__(self, transaction: Transaction, tenant: Tenant, places: Places, indirect_groups: bool) -> None:
        self._transaction = transaction
        self._tenant = tenant
        self._places = places
        self._indirect_groups = indirect_groups

    @property
    def transaction(self) -> Transaction:
        """For what else is written with the records, in the same database."""
        return self._transaction

    # Reading

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        if not is_storable(id):
            return None
        return await self._membership().one(resource_type, id, elements)

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        # Who asks is about to refer to them: what is found stays until this session ends.
        await self._transaction.begin()
        found: dict[str, str] = {}
        for some in portions([id for id in ids if is_storable(id)]):
            parameters = {"b_tenant": self._tenant, "b_ids": some}
            # Any: what SQLAlchemy says is a tuple is not one for compiled code.
            answer: Any = await self._transaction.run(statements.LOCATED, parameters)
            found.update({row.id: row.type for row in answer.all()})
        return found

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        if attribute not in KEYED.get(resource_type.name, {}):
            return 0
        if attribute == "members":
            return await self._membership().count_members(id, most)
        return await self._membership().count_groups(id, most)

    async def search(self, query: Query) -> Page:
        if query.for_update:
            await self._transaction.begin()
        holders = Holders(self._tenant, self._places, self._indirect_groups, self._transaction)
        page = await holders.page(query)
        if page is not None:
            return page
        sight = Sight(self._tenant, self._places, KEY_FUNCTIONS[self._transaction.dialect.name], self._indirect_groups)
        return await Reading(sight, self._membership(), self._transaction).page(query)

    # Writing

    async def insert(self, record: Record) -> None:
        await self._transaction.written(self._writing().insert(record), may_clash=False)

    async def update(self, change: Change) -> Record:
        return await self._transaction.written(self._writing().update(change), may_clash=True)

    async def delete(self, record: Record) -> None:
        await self._transaction.written(self._writing().delete(record), may_clash=True)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._transaction.savepoint()

    # What there is in this transaction; most sessions need one of them

    def _membership(self) -> Membership:
        return Membership(self._tenant, self._indirect_groups, self._transaction)

    def _writing(self) -> Writing:
        return Writing(self._tenant, self._places, self._transaction)
