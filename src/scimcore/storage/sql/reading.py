"""Reading: a page, or a walk over candidates. Neither costs more statements for records that have more elements."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import ColumnElement, CursorResult, Row, Select, func, select, true, tuple_
from sqlalchemy.sql import Executable

from scimcore.rules.compare import is_exact, normalized
from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import BoundFilter, Term
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.index import keys_named
from scimcore.storage.keyed import KEYED, KEYED_NAMES
from scimcore.storage.protocol import Elements, Page, Query, Record
from scimcore.storage.sql.elements import element_of
from scimcore.storage.sql.ordering import FEW, UNSORTED, order_in_sql, sorted_attribute, sorted_records
from scimcore.storage.sql.pushdown import Narrowed, Pushdown, union
from scimcore.storage.sql.rows import record_of
from scimcore.storage.sql.statements import RECORD_COLUMNS
from scimcore.storage.sql.tables import MEMBER, RESOURCE

_CHUNK: Final = 1_000
"""How many candidates are looked at in one go; what a search holds in memory follows this, not the table."""

Run = Callable[[Executable, Mapping[str, object]], Awaitable[CursorResult[Any]]]
"""Executes a statement."""


@attrs.frozen
class Reading:
    """What can be read of one tenant."""

    tenant: str
    places: Callable[[ResourceType], Mapping[str, Place]]
    run: Run

    # Keyed attributes

    async def shown(self, records: Sequence[Record], elements: Elements, by_normal: bool = False) -> list[Record]:
        """*records* with those *elements* of their keyed attributes, whose keys may be given in normal form."""
        found: dict[tuple[str, str], list[Json]] = {}
        holders = [one for one in records if "members" in KEYED.get(one.resource_type.name, ())]
        keys = elements.get("members")
        if holders and (keys is None or keys):
            for id, element in await self._members([one.id for one in holders], keys, by_normal):
                found.setdefault(("members", id), []).append(element)
        holders = [one for one in records if "groups" in KEYED.get(one.resource_type.name, ())]
        keys = elements.get("groups")
        if holders and (keys is None or keys):
            for id, element in await self._groups([one.id for one in holders], keys, by_normal):
                found.setdefault(("groups", id), []).append(element)
        return [_with_elements(one, found) for one in records] if found else list(records)

    async def _members(
        self, ids: Sequence[str], keys: Collection[str] | None, by_normal: bool
    ) -> Iterable[tuple[str, Json]]:
        statement = (
            select(MEMBER.c.group_id, MEMBER.c.key, MEMBER.c.element)
            .where(MEMBER.c.tenant == self.tenant, MEMBER.c.group_id.in_(ids))
            .order_by(MEMBER.c.group_id, MEMBER.c.position, MEMBER.c.key)
        )
        if keys is not None:
            statement = statement.where((MEMBER.c.normal_key if by_normal else MEMBER.c.key).in_(sorted(keys)))
        rows = (await self.run(statement, {})).all()
        return [(row.group_id, element_of(row.key, row.element)) for row in rows]

    async def _groups(
        self, ids: Sequence[str], keys: Collection[str] | None, by_normal: bool
    ) -> Iterable[tuple[str, Json]]:
        group = RESOURCE
        statement = (
            select(MEMBER.c.key, group.c.created, group.c.id, group.c.display)
            .join_from(MEMBER, group, (group.c.tenant == MEMBER.c.tenant) & (group.c.id == MEMBER.c.group_id))
            .where(
                MEMBER.c.tenant == self.tenant,
                MEMBER.c.normal_key.in_([normalized(id) for id in ids]),
                MEMBER.c.key.in_(ids),
                group.c.type == "Group",
            )
        )
        if keys is not None:
            statement = statement.where((group.c.normal_id if by_normal else group.c.id).in_(sorted(keys)))
        # Sorted here: asked to do it, SQLite walks all groups in order rather than those of the members.
        rows = sorted((await self.run(statement, {})).all(), key=lambda row: (row.created, row.id))
        return [(row.key, _as_element(row.id, row.display)) for row in rows]

    # Search

    async def page(self, query: Query) -> Page:
        """The records that match, exactly as `rules.filter` decides."""
        bound = _bound(query)
        narrowed = self._narrowed(query, bound)
        order = order_in_sql(query)
        if order is not None and narrowed.exact:
            found, total = await self._page_in_sql(query, narrowed, order)
        elif query.sorts:
            found, total = await self._page_sorted(query, bound, narrowed)
        else:
            found, total = await self._page_in_order(query, bound, narrowed)
        return Page(tuple(await self.shown(found, query.elements)), total)

    def _narrowed(self, query: Query, bound: Mapping[str, BoundFilter]) -> Narrowed:
        parts = []
        for one in query.resource_types:
            everything = Narrowed(true(), True)
            pushdown = Pushdown(self.tenant, one, self.places(one))
            parts.append((one, pushdown.narrowed(bound[one.name].tree) if one.name in bound else everything))
        return union(parts)

    def _candidates(self, narrowed: Narrowed) -> Select[*tuple[object, ...]]:
        return select(*RECORD_COLUMNS).where(RESOURCE.c.tenant == self.tenant, narrowed.condition)

    async def _page_in_sql(
        self, query: Query, narrowed: Narrowed, order: Sequence[ColumnElement[str]]
    ) -> tuple[list[Record], int]:
        if order is UNSORTED:
            order = _in_order(narrowed)
        found: list[Record] = []
        if query.count > 0:
            statement = self._candidates(narrowed).order_by(*order).limit(query.count).offset(query.offset)
            found = _records(await self.run(statement, {}), query)
            if len(found) < query.count and (found or not query.offset):
                return found, query.offset + len(found)
        # No index has all versions, so counting takes those that the condition names, if it does.
        counted = select(func.count(RESOURCE.c.version) if narrowed.among else func.count()).select_from(RESOURCE)
        counted = counted.where(RESOURCE.c.tenant == self.tenant, narrowed.condition)
        total: int = (await self.run(counted, {})).scalar_one()
        return found, total

    async def _page_in_order(
        self, query: Query, bound: Mapping[str, BoundFilter], narrowed: Narrowed
    ) -> tuple[list[Record], int]:
        page: list[Record] = []
        total = 0
        async for matching in self._matching(query, bound, narrowed):
            for record, _ in matching:
                if query.offset <= total < query.offset + query.count:
                    page.append(record)
                total += 1
        return page, total

    async def _page_sorted(
        self, query: Query, bound: Mapping[str, BoundFilter], narrowed: Narrowed
    ) -> tuple[list[Record], int]:
        """Of each match only the value to sort by is kept; the records of the page are read again."""
        found: list[Record] = []
        async for matching in self._matching(query, bound, narrowed):
            for record, document in matching:
                name = sorted_attribute(query, record.resource_type.name)
                found.append(record.changed({} if name is None or name not in document else {name: document[name]}))
        wanted = [
            (one.resource_type.name, one.id)
            for one in sorted_records(found, query.sorts)[query.offset : query.offset + query.count]
        ]
        if not wanted:
            return [], len(found)
        statement = select(*RECORD_COLUMNS).where(
            RESOURCE.c.tenant == self.tenant, RESOURCE.c.id.in_([id for _, id in wanted])
        )
        records = {(one.resource_type.name, one.id): one for one in _records(await self.run(statement, {}), query)}
        return [records[one] for one in wanted if one in records], len(found)

    async def _matching(
        self, query: Query, bound: Mapping[str, BoundFilter], narrowed: Narrowed
    ) -> AsyncIterator[list[tuple[Record, Document]]]:
        """All that match, by creation, chunk by chunk: each record, and the document it was judged by."""
        order = _in_order(narrowed)
        statement = self._candidates(narrowed).order_by(*order).limit(_CHUNK)
        seen = {one.name: _Sight.of(query, one, bound.get(one.name)) for one in query.resource_types}
        after = statement
        while True:
            records = _records(await self.run(after, {}), query)
            documents: dict[tuple[str, str], Document] = {}
            for one in query.resource_types:
                of_type = [record for record in records if record.resource_type is one]
                for record in await self.shown(of_type, seen[one.name].elements, by_normal=True):
                    documents[one.name, record.id] = seen[one.name].document(record)
            judged = [(record, documents[record.resource_type.name, record.id]) for record in records]
            yield [pair for pair in judged if seen[pair[0].resource_type.name].matches(pair[1])]
            if len(records) < _CHUNK:
                return
            last = records[-1]
            after = statement.where(tuple_(*order) > tuple_(last.created, last.id, last.resource_type.name))


@attrs.frozen
class _Sight:
    """What records of one type are judged by."""

    elements: Elements
    envelope: bool
    matches: Callable[[Document], bool]

    @classmethod
    def of(cls, query: Query, resource_type: ResourceType, bound: BoundFilter | None) -> "_Sight":
        elements = dict.fromkeys(KEYED_NAMES, ()) if bound is None else _elements_for(bound.tree, resource_type)
        name = sorted_attribute(query, resource_type.name)
        if name in KEYED_NAMES:
            elements = {other: keys for other, keys in elements.items() if other != name}
        envelope = name in ("meta", "schemas") or (bound is not None and bound.mentions_envelope)
        return cls(elements, envelope, _anything if bound is None else bound.matches)

    def document(self, record: Record) -> Document:
        if not self.envelope:
            return record.document
        return with_envelope(
            record.resource_type, record.document, record.created, record.last_modified, record.version
        )


def _in_order(narrowed: Narrowed) -> Sequence[ColumnElement[str]]:
    return UNSORTED if narrowed.among is None else FEW


def _anything(_: Document) -> bool:
    return True


def _elements_for(term: Term, resource_type: ResourceType) -> Elements:
    """The elements of keyed attributes that can matter to *term*, their keys in normal form."""
    found: dict[str, Collection[str]] = {}
    for name in KEYED_NAMES:
        place = resource_type.place(f"{name}.value")
        keys = keys_named(term, name)
        if keys is not None and (not keys or (place is not None and is_exact(place.leaf))):
            found[name] = {normalized(key) for key in keys}
    return found


def _bound(query: Query) -> dict[str, BoundFilter]:
    if query.filter is None:
        return {}
    several = len(query.resource_types) > 1
    return {one.name: query.filter.bound(one, foreign_is_absent=several) for one in query.resource_types}


def _records(result: CursorResult[Any], query: Query) -> list[Record]:
    types = {one.name: one for one in query.resource_types}
    rows: Sequence[Row[*tuple[object, ...]]] = result.all()
    return [record_of(row, types[row.type]) for row in rows if row.type in types]


def _with_elements(record: Record, found: Mapping[tuple[str, str], list[Json]]) -> Record:
    for name in KEYED.get(record.resource_type.name, ()):
        elements = found.get((name, record.id))
        if elements:
            record = record.changed({**record.document, name: elements})
    return record


def _as_element(id: str, display: str | None) -> Json:
    """How a group appears among the `groups` of a member (RFC 7643 §4.1.2)."""
    shown: dict[str, Json] = {"value": id, "type": "direct"}
    return shown if display is None else {"value": id, "display": display, "type": "direct"}
