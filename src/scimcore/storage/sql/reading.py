"""Searching: a page straight from the database, or a walk over candidates that `BoundFilter.matches` judges."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, TypeAlias

import attrs
from sqlalchemy import Row, Select, func, select

from scimcore.storage.ordering import Rank, in_rank, position, read_position
from scimcore.storage.protocol import Page, Query, Record
from scimcore.storage.sql.judging import judged
from scimcore.storage.sql.membership import Membership
from scimcore.storage.sql.ordering import Order, order_of, unsorted
from scimcore.storage.sql.pushdown import Narrowed, Sight, narrowed
from scimcore.storage.sql.rows import record_of
from scimcore.storage.sql.statements import RECORD_COLUMNS
from scimcore.storage.sql.tables import RESOURCE
from scimcore.storage.sql.transaction import Transaction

_CHUNK: Final = 1_000
"""How many candidates are looked at in one go; what a search holds in memory follows this, not the table."""

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
            matches = await judged(search.query, search.records(rows), self.membership)
            yield [row for row in rows if matches[row.type, row.id]]
            if len(rows) < _CHUNK:
                return
            after = order.rank(rows[-1])


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
