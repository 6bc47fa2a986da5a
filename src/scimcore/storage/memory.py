"""Resources in memory: the reference implementation of the storage protocol.

It is safe under threads and tasks. Every call of a session holds the lock of its tenant while it works and never
between calls, so a session that waits keeps nobody waiting. What a session writes is seen by others before its block
ends (read uncommitted); if the block ends with an exception, the writes are taken back, value by value, so that what
others wrote in between stays. That suffices because a flow writes once, after all its reads, and compares the version
as it writes; no version ever names two states, not even an undone one; and a name that was given up goes to nobody else
before the block has ended.

A user's `groups` are the groups that have it as a direct member (RFC 7643 §4.1.2), and where asked for the groups that
these belong to: they are derived on reading, and what is written to them is dropped. Joining or leaving a group changes
the group's version, not the user's. A group that loses a member because the member is deleted gets a new version and
keeps its `last_modified`: a storage has no clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType

from scimcore.rules.delta import elements_of
from scimcore.rules.envelope import with_envelope
from scimcore.rules.order import ordered
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.changes import by_key, differ, document_after, member_changes, shown_as_in, without
from scimcore.storage.comparable import sort_key
from scimcore.storage.index import INDEXED, UNSEEN, candidates
from scimcore.storage.keyed import KEYED, KEYED_NAMES
from scimcore.storage.ordering import Part, Rank, directions, parts_of, position, read_position
from scimcore.storage.protocol import (
    EVERYTHING,
    Change,
    Elements,
    Page,
    Query,
    Record,
    Sort,
    SyncSession,
    Tenant,
    UniqueKey,
    VersionClash,
)
from scimcore.storage.tenancy import Members, Row, Table, Tenancy, rank


class MemoryStorage:
    """A `SyncStorage` that lives and dies with the process.

    *indexed* names the places to index, in attribute notation (RFC 7644 §3.10); a resource type that has no such
    attribute does without. The index of a place is made when it is first asked for: a tenant pays for those that its
    clients use.

    With *indirect_groups* a user's `groups` are also those that its groups belong to, however deep (RFC 7643 §4.1.2).
    """

    def __init__(self, indexed: Iterable[str] = INDEXED, *, indirect_groups: bool = False) -> None:
        self._indexed = tuple(indexed)
        self._indirect_groups = indirect_groups
        self._tenancies: dict[Tenant, Tenancy] = {}

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return KEYED

    def session(self, tenant: Tenant) -> AbstractContextManager[SyncSession]:
        tenancy = self._tenancies.get(tenant)
        if tenancy is None:
            tenancy = self._tenancies.setdefault(tenant, Tenancy(self._indexed, indirect_groups=self._indirect_groups))
        return _MemorySession(tenancy)


class _MemorySession:
    """A transaction on one tenancy: each write leaves its way back in `_undo`."""

    __slots__ = ("_released", "_tenancy", "_undo")

    def __init__(self, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._undo: list[Callable[[], None]] = []
        self._released: list[tuple[Table, Collection[UniqueKey]]] = []

    def __enter__(self) -> SyncSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.undo_to(0)
        if self._released:
            with self._tenancy.lock:
                for table, keys in self._released:
                    table.settle(keys, self)

    def savepoint(self) -> AbstractContextManager[None]:
        return _Savepoint(self, len(self._undo))

    def undo_to(self, mark: int) -> None:
        """Take back all writes but the first *mark*, the last one first."""
        with self._tenancy.lock:
            while len(self._undo) > mark:
                self._undo.pop()()

    # Reading

    def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        tenancy = self._tenancy
        with tenancy.lock:
            row = tenancy.table(resource_type).rows.get(id)
            return None if row is None else tenancy.shown(row.record, elements)

    def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        with self._tenancy.lock:
            return {id: name for name, table in self._tenancy.tables.items() for id in ids if id in table.rows}

    def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        with self._tenancy.lock:
            return min(most, self._tenancy.size(resource_type, id, attribute))

    def search(self, query: Query) -> Page:
        parts = parts_of(query.sorts) if query.sorts else ()
        after, counted = (None, 0) if query.after is None else read_position(query.after, len(directions(parts)))
        if query.filter is None and not query.seen and not query.sorts and len(query.resource_types) == 1:
            with self._tenancy.lock:
                rows = self._tenancy.table(query.resource_types[0]).in_order
                first = query.offset if after is None else query.offset + _behind(rows, after)
                found, total = [row.record for row in rows[first : first + query.count + 1]], len(rows)
        else:
            matching = [record for one in query.resource_types for record in self._matching(one, query)]
            result, total = self._sorted(matching, parts), len(matching)
            if after is not None:
                follows = partial(self._follows, parts, after)
                result = result[bisect_left(result, True, key=follows) :]
            found = result[query.offset : query.offset + query.count + 1]
        total = total if after is None else counted
        shown = found[: query.count]
        end = position(self._rank(parts, shown[-1]), total) if shown and len(found) > len(shown) else None
        with self._tenancy.lock:
            return Page(tuple([self._tenancy.shown(record, query.elements) for record in shown]), total, end)

    def _matching(self, resource_type: ResourceType, query: Query) -> list[Record]:
        """The records of *resource_type* that match.

        The lock is held to pick the candidates, not while they are tested: records are values.
        """
        bound = query.bound(resource_type)
        if bound is None:
            with self._tenancy.lock:
                return [row.record for row in self._tenancy.table(resource_type).in_order]
        with self._tenancy.lock:
            few = candidates(bound.tree, partial(self._tenancy.equal, resource_type))
            records = [row.record for row in (self._tenancy.table(resource_type).in_order if few is None else few)]
            elements = UNSEEN if KEYED_NAMES.isdisjoint(bound.names) else self._tenancy.elements_for(bound.tree)
            document_of = self._sight(elements, bound.mentions_envelope)
        matches = bound.matches
        if document_of is None:
            return [record for record in records if matches(record.document)]
        return [record for record in records if matches(document_of(record))]

    def _sorted(self, records: list[Record], parts: Sequence[Part]) -> list[Record]:
        """*records* in the order of *parts*; a stable sort for each, the most important last."""
        if not parts:
            return sorted(records, key=_by_creation)
        result = sorted(records, key=_by_id)
        for part in reversed(parts):
            sort = next(iter(part.sorts.values()))
            result = ordered(result, partial(_document_if, part, self._sortable(sort)), sort)
        return result

    def _sortable(self, sort: Sort) -> Callable[[Record], Document]:
        """As much of a record's document as *sort* looks at."""
        name = (sort.place.container or sort.place.attribute).name
        elements = {keyed: () for keyed in KEYED_NAMES if keyed != name}
        return self._sight(elements, name in ("meta", "schemas")) or _document

    def _rank(self, parts: Sequence[Part], record: Record) -> Rank:
        name = record.resource_type.name
        if not parts:
            return Rank((record.created,), record.id, name)
        sorts = [part.sorts.get(name) for part in parts]
        keys = [None if sort is None else sort_key(sort.place, self._sortable(sort)(record)) for sort in sorts]
        return Rank(tuple(keys), record.id, name)

    def _follows(self, parts: Sequence[Part], last: Rank, record: Record) -> bool:
        return self._rank(parts, record).follows(last, directions(parts))

    def _sight(self, elements: Elements, envelope: bool) -> Callable[[Record], Document] | None:
        """What to judge a record by if *elements* of its keyed attributes count; None if its document is enough."""
        if not envelope and len(elements) == len(KEYED_NAMES) and not any(elements.values()):
            return None

        def seen(record: Record) -> Document:
            with self._tenancy.lock:
                document = self._tenancy.shown(record, elements).document
            if not envelope:
                return document
            return with_envelope(record.resource_type, document, record.created, record.last_modified, record.version)

        return seen

    # Writing

    def insert(self, record: Record) -> None:
        with self._tenancy.lock:
            table = self._tenancy.table(record.resource_type)
            document = without(table.keyed, record.document)
            members = by_key(elements_of(record.document.get("members"))) if "members" in table.keyed else {}
            row = Row(record if document is record.document else record.changed(document), members, record.version)
            table.check_new(record, self)
            self._tenancy.add(row)
            self._undo.append(partial(self._tenancy.remove, row))

    def update(self, change: Change) -> Record:
        after, delta = change.after, change.delta
        with self._tenancy.lock:
            table = self._tenancy.table(after.resource_type)
            row = table.rows.get(after.id)
            if row is None or change.expected not in (None, row.record.version):
                raise VersionClash(after.id)
            current = row.record
            names = delta.attributes.difference(table.keyed)
            document = without(table.keyed, document_after(current, change)) if names else current.document
            members = member_changes(row.members, delta) if "members" in table.keyed else {}
            unique = current.unique if after.unique == change.before.unique else after.unique
            if unique != current.unique:
                table.check(unique, row, self)
                self._release(table, set(current.unique).difference(unique))
            elif not members and not differ(document, current.document, names):
                return shown_as_in(after, current, table.keyed)
            current = current.changed(
                document,
                unique=unique,
                last_modified=after.last_modified,
                version=row.next_version(),
            )
            self._replace(row, current, members)
        return shown_as_in(after, current, table.keyed)

    def delete(self, record: Record) -> None:
        with self._tenancy.lock:
            table = self._tenancy.table(record.resource_type)
            row = table.rows.get(record.id)
            if row is None or row.record.version != record.version:
                raise VersionClash(record.id)
            for group in self._tenancy.groups_of(record.id):
                self._replace(
                    group, group.record.changed(group.record.document, version=group.next_version()), {record.id: None}
                )
            self._release(table, (*row.record.unique, UniqueKey("id", record.id)))
            self._tenancy.remove(row)
            self._undo.append(partial(self._tenancy.add, row))

    def _replace(self, row: Row, record: Record, members: Members) -> None:
        before, old = row.record, {member: row.members.get(member) for member in members}
        self._tenancy.replace(row, record, members)
        self._undo.append(partial(self._tenancy.revert, row, before, record, old, members))

    def _release(self, table: Table, keys: Collection[UniqueKey]) -> None:
        if keys:
            table.release(keys, self)
            self._released.append((table, keys))


class _Savepoint:
    """The part of a session that is undone when its block ends with an exception."""

    __slots__ = ("_mark", "_session")

    def __init__(self, session: _MemorySession, mark: int) -> None:
        self._session = session
        self._mark = mark

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._session.undo_to(self._mark)


def _by_creation(record: Record) -> tuple[str, str, str]:
    return record.created, record.id, record.resource_type.name


def _by_id(record: Record) -> tuple[str, str]:
    return record.id, record.resource_type.name


def _document(record: Record) -> Document:
    return record.document


def _document_if(part: Part, document_of: Callable[[Record], Document], record: Record) -> Document:
    return document_of(record) if record.resource_type.name in part.sorts else {}


def _behind(rows: Sequence[Row], last: Rank) -> int:
    """How many of *rows*, by creation, do not follow *last*."""
    return bisect_right(rows, (last.keys[0] or "", last.id), key=_row_rank)


def _row_rank(row: Row) -> tuple[str, str]:
    return rank(row.record)
