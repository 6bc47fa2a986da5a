"""Searching: a page straight from the database, or a walk over candidates that `BoundFilter.matches` judges."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final, TypeAlias

import attrs
from sqlalchemy import Row, Select, func, select

from scimcore.rules.compare import is_exact, normalized
from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import BoundFilter
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.index import UNSEEN, keys_named
from scimcore.storage.keyed import KEYED_NAMES
from scimcore.storage.ordering import Rank, in_rank, position, read_position
from scimcore.storage.protocol import Elements, Page, Query, Record
from scimcore.storage.sql import equalities
from scimcore.storage.sql.lookups import Sought
from scimcore.storage.sql.membership import Membership
from scimcore.storage.sql.ordering import Order, order_of, unsorted
from scimcore.storage.sql.prepared import Rows
from scimcore.storage.sql.pushdown import Narrowed, Sight, narrowed
from scimcore.storage.sql.rows import record_of
from scimcore.storage.sql.statements import RECORD_COLUMNS
from scimcore.storage.sql.tables import RESOURCE
from scimcore.storage.sql.transaction import Transaction

_CHUNK: Final = 1_000
"""How many candidates are looked at in one go; what a search holds in memory follows this, not the table."""

_FEW: Final = 20
"""How many records with a value that is looked up are judged one by one; more are left to the database."""

_Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]]
_NONE: Final[_Rows] = ()


@attrs.frozen
class Reading:
    """What can be found of one tenant."""

    sight: Sight
    membership: Membership
    transaction: Transaction

    async def page(self, query: Query) -> Page:
        """The records that match, exactly as `rules.filter` decides.

        Raises:
            ValueError: `query.after` is no position in such a search.
        """
        sought = equalities.sought(query, self.sight)
        if sought is not None:
            page = await (self._page_with if sought.decides else self._page_of_few)(query, sought)
            if page is not None:
                return page
        search = _Search.of(query, self.sight)
        if search.narrowed.exact:
            rows, total = await self._page_in_sql(search)
        elif query.sorts:
            rows, total = await self._page_sorted(search)
        else:
            rows, total = await self._page_in_order(search)
        rows, follow = rows[: query.count], len(rows) > query.count
        end = position(search.order.rank(rows[-1]), total) if rows and follow else None
        return Page(tuple(await self.membership.shown(search.records(rows), query.elements)), total, end)

    async def _page_of_few(self, query: Query, sought: Sought) -> Page | None:
        """The records that match among those that have a value that is *sought*; None if too many have one."""
        rows = await self._few(query, sought)
        if rows is None:
            return None
        records = self._records(query, rows)
        judged = await self._judged(query, records)
        found = [one for one in records if judged[one.resource_type.name, one.id]]
        return await self._page_of(query, found[query.offset :], len(found))

    async def _page_with(self, query: Query, sought: Sought) -> Page:
        """The records that have a value that is *sought*."""
        if query.count > 0 and self.transaction.dialect.looks_up_apart:
            few = await self._few(query, sought)
            if few is not None:
                shown = few[query.offset : query.offset + query.count + 1]
                return await self._page_of(query, self._records(query, shown), len(few))
        rows: Rows = ()
        page = self._those(query, sought, query.count + 1, query.offset)
        if query.count > 0:
            rows = await self.transaction.ask(equalities.having(sought), page)
        total = query.offset + len(rows)
        if query.count <= 0 or len(rows) > query.count or (query.offset and not rows):
            ((total,),) = await self.transaction.ask(equalities.counted(sought), page)
        return await self._page_of(query, self._records(query, rows), total)

    async def _few(self, query: Query, sought: Sought) -> Rows | None:
        """The records that have a value that is *sought*, by creation; None if there are too many."""
        is_apart = self.transaction.dialect.looks_up_apart
        asked = equalities.apart(sought) if is_apart else equalities.having(sought)
        rows = await self.transaction.ask(asked, self._those(query, sought, _FEW + 1, 0))
        if len(rows) > _FEW:
            return None
        return equalities.in_order(rows) if rows and is_apart else rows

    def _records(self, query: Query, rows: Rows) -> list[Record]:
        (resource_type,) = query.resource_types
        return [record_of(row, resource_type) for row in rows]

    def _those(self, query: Query, sought: Sought, count: int, offset: int) -> dict[str, object]:
        """The parameters for as many records that have a value that is *sought*, behind the first ones."""
        (resource_type,) = query.resource_types
        return equalities.parameters(sought, self.sight.tenant, resource_type.name, count, offset)

    async def _page_of(self, query: Query, found: Sequence[Record], total: int) -> Page:
        """The first of *found*, which are of one type and by creation, as a page; *total* match in all."""
        if not found:
            return Page((), total)
        records = found[: query.count]
        end = None
        if records and len(found) > len(records):
            last = records[-1]
            end = position(Rank((last.created,), last.id, last.resource_type.name), total)
        return Page(tuple(await self.membership.shown(records, query.elements)), total, end)

    async def _page_in_sql(self, search: "_Search") -> tuple[_Rows, int]:
        """The rows of the page and one more, if there is one."""
        query, rows = search.query, _NONE
        if query.count > 0:
            statement = search.ordered(search.order, search.after).limit(query.count + 1).offset(query.offset)
            rows = (await self.transaction.run(statement, {})).all()
        if search.after is not None:
            return rows, search.total
        if query.count > 0 and len(rows) <= query.count and (rows or not query.offset):
            return rows, query.offset + len(rows)
        return rows, await self._count(search)

    async def _count(self, search: "_Search") -> int:
        # No index has all versions, so counting takes those that the condition names, if it does.
        counted = select(func.count(RESOURCE.c.version) if search.narrowed.listed else func.count())
        counted = counted.select_from(RESOURCE)
        total: int = (await self.transaction.run(search.restricted(counted), {})).scalar_one()
        return total

    async def _page_in_order(self, search: "_Search") -> tuple[_Rows, int]:
        query, seen = search.query, 0
        found: list[Row[*tuple[Any, ...]]] = []
        end = query.offset + query.count
        async for matching in self._matching(search, search.after):
            for row in matching:
                if query.offset <= seen <= end:
                    found.append(row)
                seen += 1
            if search.after is not None and seen > end:
                break
        return found, seen if search.after is None else search.total

    async def _page_sorted(self, search: "_Search") -> tuple[_Rows, int]:
        """Of each match only its rank is kept; the rows of the page are read again."""
        query, order = search.query, search.order
        ranks = [order.rank(row) async for matching in self._matching(search, None) for row in matching]
        total = len(ranks) if search.after is None else search.total
        wanted = in_rank(ranks, order.descending, search.after)[query.offset : query.offset + query.count + 1]
        if not wanted:
            return [], total
        again = search.candidates().where(RESOURCE.c.id.in_([rank.id for rank in wanted]))
        rows = {(row.type, row.id): row for row in (await self.transaction.run(again, {})).all()}
        return [rows[rank.type, rank.id] for rank in wanted if (rank.type, rank.id) in rows], total

    async def _matching(self, search: "_Search", after: Rank | None) -> AsyncIterator[_Rows]:
        """The rows of all that match, by creation, chunk by chunk."""
        order = unsorted(several_types=len(search.query.resource_types) > 1)
        while True:
            rows = (await self.transaction.run(search.ordered(order, after).limit(_CHUNK), {})).all()
            judged = await self._judged(search.query, search.records(rows))
            yield [row for row in rows if judged[row.type, row.id]]
            if len(rows) < _CHUNK:
                return
            after = order.rank(rows[-1])

    async def _judged(self, query: Query, records: Sequence[Record]) -> dict[tuple[str, str], bool]:
        """Which of *records* match *query*: resource type name, id -> whether it does."""
        found: dict[tuple[str, str], bool] = {}
        for one in query.resource_types:
            bound = query.bound(one)
            of_type = [record for record in records if record.resource_type is one]
            elements = UNSEEN if bound is None else _elements_for(bound, one)
            for record in await self.membership.shown(of_type, elements, by_normal=True):
                found[one.name, record.id] = bound is None or bound.matches(_seen(record, bound.mentions_envelope))
        return found


@attrs.frozen
class _Search:
    """A query as the database sees it."""

    query: Query
    tenant: str
    narrowed: Narrowed
    order: Order
    after: Rank | None
    total: int
    """How many records matched where the walk began; nothing on its first page."""

    @classmethod
    def of(cls, query: Query, sight: Sight) -> "_Search":
        order = order_of(query, sight.tenant, sight.functions)
        after, total = (None, 0) if query.after is None else read_position(query.after, len(order.keys))
        return cls(query, sight.tenant, narrowed(query, sight), order, after, total)

    def restricted(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """*statement* about the candidates only."""
        return statement.where(RESOURCE.c.tenant == self.tenant, self.narrowed.condition)

    def candidates(self) -> Select[*tuple[Any, ...]]:
        """The candidates, each with what tells its rank."""
        return self.restricted(select(*RECORD_COLUMNS, *self.order.columns))

    def ordered(self, order: Order, after: Rank | None) -> Select[*tuple[Any, ...]]:
        """The candidates in *order*, behind *after*."""
        statement = self.candidates().order_by(*order.by(without_index=self.narrowed.listed is not None))
        return statement if after is None else statement.where(order.behind(after))

    def records(self, rows: _Rows) -> list[Record]:
        """The records in *rows*, without keyed attributes."""
        types = {one.name: one for one in self.query.resource_types}
        return [record_of(row, types[row.type]) for row in rows]


def _seen(record: Record, envelope: bool) -> Document:
    if not envelope:
        return record.document
    return with_envelope(record.resource_type, record.document, record.created, record.last_modified, record.version)


def _elements_for(bound: BoundFilter, resource_type: ResourceType) -> Elements:
    """The elements of keyed attributes that can matter to *bound*, their keys in normal form."""
    if KEYED_NAMES.isdisjoint(bound.names):
        return UNSEEN
    found: dict[str, Collection[str]] = {}
    for name in KEYED_NAMES:
        place = resource_type.place(f"{name}.value")
        keys = keys_named(bound.tree, name)
        if keys is not None and (not keys or (place is not None and is_exact(place.leaf))):
            found[name] = {normalized(key) for key in keys}
    return found
