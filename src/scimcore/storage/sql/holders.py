"""Pages of the records that have one of a few values: the search that is asked most, in as few steps as it takes."""

from collections.abc import Sequence
from typing import Final

from scimcore.storage.ordering import Rank, position
from scimcore.storage.protocol import Page, Query, Record
from scimcore.storage.sql import equalities
from scimcore.storage.sql.judging import judged
from scimcore.storage.sql.lookups import Sought
from scimcore.storage.sql.membership import Membership
from scimcore.storage.sql.prepared import Rows
from scimcore.storage.sql.rows import Places, record_of
from scimcore.storage.sql.transaction import Transaction

_FEW: Final = 20
"""How many records with a value that is looked up are judged one by one; more are left to the database."""

_NOBODY: Final = Page((), 0)


class Holders:
    """Who has which values, in one tenant."""

    __slots__ = ("_indirect_groups", "_places", "_tenant", "_transaction")

    def __init__(self, tenant: str, places: Places, indirect_groups: bool, transaction: Transaction) -> None:
        self._tenant = tenant
        self._places = places
        self._indirect_groups = indirect_groups
        self._transaction = transaction

    async def page(self, query: Query) -> Page | None:
        """The records that match; None if *query* does not ask for a few values, or too many records have one."""
        sought = equalities.sought(query, self._tenant, self._places, indirect_groups=self._indirect_groups)
        if sought is None:
            return None
        is_apart = self._transaction.dialect.looks_up_apart
        few: Rows | None = None
        if not sought.decides or (is_apart and query.count > 0):
            statement = equalities.apart(sought, _FEW + 1) if is_apart else equalities.having(sought)
            rows = await self._transaction.ask(statement, self._those(query, sought, _FEW + 1, 0))
            if not rows:
                return _NOBODY
            if len(rows) <= _FEW:
                few = equalities.in_order(rows) if is_apart else rows
        if sought.decides:
            return await self._page_with(query, sought, few)
        return None if few is None else await self._page_judged(query, few)

    async def _page_with(self, query: Query, sought: Sought, few: Rows | None) -> Page:
        """The records that have a value that is *sought*, which are *few* or else still to be asked for."""
        if few is not None:
            shown = few[query.offset : query.offset + query.count + 1]
            return await self._page_of(query, _records(query, shown), len(few))
        rows: Rows = ()
        page = self._those(query, sought, query.count + 1, query.offset)
        if query.count > 0:
            rows = await self._transaction.ask(equalities.having(sought), page)
        total = query.offset + len(rows)
        if query.count <= 0 or len(rows) > query.count or (query.offset and not rows):
            ((total,),) = await self._transaction.ask(equalities.counted(sought), page)
        return await self._page_of(query, _records(query, rows), total)

    async def _page_judged(self, query: Query, few: Rows) -> Page:
        """The records that match among those in *few* rows."""
        records = _records(query, few)
        matches = await judged(query, records, self._membership())
        found = [one for one in records if matches[one.resource_type.name, one.id]]
        return await self._page_of(query, found[query.offset :], len(found))

    async def _page_of(self, query: Query, found: Sequence[Record], total: int) -> Page:
        """The first of *found*, which are of one type and by creation, as a page; *total* match in all."""
        if not found:
            return Page((), total)
        records = found[: query.count]
        end = None
        if records and len(found) > len(records):
            last = records[-1]
            end = position(Rank((last.created,), last.id, last.resource_type.name), total)
        return Page(tuple(await self._membership().shown(records, query.elements)), total, end)

    def _those(self, query: Query, sought: Sought, count: int, offset: int) -> dict[str, object]:
        """The parameters for as many records that have a value that is *sought*, behind the first ones."""
        (resource_type,) = query.resource_types
        return equalities.parameters(sought, self._tenant, resource_type.name, count, offset)

    def _membership(self) -> Membership:
        return Membership(self._tenant, self._indirect_groups, self._transaction)


def _records(query: Query, rows: Rows) -> list[Record]:
    (resource_type,) = query.resource_types
    return [record_of(row, resource_type) for row in rows]
