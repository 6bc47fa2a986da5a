"""Resources in memory: the reference implementation of the storage protocol.

It is safe under threads and tasks. Every call of a session holds the lock of its tenant while it works and never
between calls, so a session that waits keeps nobody waiting. What a session writes is seen by others before its block
ends (read uncommitted); if the block ends with an exception, the writes are taken back, value by value, so that what
others wrote in between stays. That suffices because a flow writes once, after all its reads, and compares the version
as it writes; no version ever names two states, not even an undone one; and a name that was given up goes to nobody else
before the block has ended.

A user's `groups` are the groups that have it as a direct member (RFC 7643 §4.1.2): they are derived on reading, and
what is written to them is dropped. Joining or leaving a group changes the group's version, not the user's. A group that
loses a member because the member is deleted gets a new version and keeps its `last_modified`: a storage has no clock.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Final

from scimcore.errors import UniquenessError
from scimcore.rules.delta import Delta, elements_of, same
from scimcore.rules.envelope import with_envelope
from scimcore.rules.order import ordered
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.index import candidates
from scimcore.storage.keyed import KEYED, KEYED_NAMES
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

INDEXED: Final = ("userName", "externalId", "displayName", "emails.value")
"""Places whose equality look-ups need no walk over all records, besides `id`, `members.value` and `groups.value`.

The index of a place is made when it is first asked for: a tenant pays for those that its clients use.
"""


class MemoryStorage:
    """A `SyncStorage` that lives and dies with the process.

    *indexed* names the places to index, in attribute notation (RFC 7644 §3.10); a resource type that has no such
    attribute does without.
    """

    def __init__(self, indexed: Iterable[str] = INDEXED) -> None:
        self._indexed = tuple(indexed)
        self._tenancies: dict[Tenant, Tenancy] = {}

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return KEYED

    def session(self, tenant: Tenant) -> AbstractContextManager[SyncSession]:
        tenancy = self._tenancies.get(tenant)
        if tenancy is None:
            tenancy = self._tenancies.setdefault(tenant, Tenancy(self._indexed))
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
        page = slice(query.offset, query.offset + query.count)
        if query.filter is None and not query.sorts and len(query.resource_types) == 1:
            with self._tenancy.lock:
                rows = self._tenancy.table(query.resource_types[0]).in_order
                found, total = [row.record for row in rows[page]], len(rows)
        else:
            matching = [record for one in query.resource_types for record in self._matching(one, query)]
            found, total = self._sorted(matching, query.sorts)[page], len(matching)
        with self._tenancy.lock:
            return Page(tuple([self._tenancy.shown(record, query.elements) for record in found]), total)

    def _matching(self, resource_type: ResourceType, query: Query) -> list[Record]:
        """The records of *resource_type* that match.

        The lock is held to pick the candidates, not while they are tested: records are values.
        """
        if query.filter is None:
            with self._tenancy.lock:
                return [row.record for row in self._tenancy.table(resource_type).in_order]
        bound = query.filter.bound(resource_type, foreign_is_absent=len(query.resource_types) > 1)
        with self._tenancy.lock:
            few = candidates(bound.tree, partial(self._tenancy.equal, resource_type))
            records = [row.record for row in (self._tenancy.table(resource_type).in_order if few is None else few)]
            document_of = self._sight(self._tenancy.elements_for(bound.tree), bound.mentions_envelope)
        matches = bound.matches
        if document_of is None:
            return [record for record in records if matches(record.document)]
        return [record for record in records if matches(document_of(record))]

    def _sorted(self, records: list[Record], sorts: Mapping[str, Sort]) -> list[Record]:
        """*records* as *sorts* say; a type without a sort is ordered like resources without a value.

        Values are compared only with values of their kind: a stable sort for each kind, the first kind last.
        """
        if not sorts:
            return sorted(records, key=rank)
        result = sorted(records, key=_id)
        for kind in reversed(dict.fromkeys(map(_kind, sorts.values()))):
            of_kind = {name: sort for name, sort in sorts.items() if _kind(sort) == kind}
            sort = next(iter(of_kind.values()))
            name = (sort.place.container or sort.place.attribute).name
            unseen: Elements = {keyed: () for keyed in KEYED_NAMES if keyed != name}
            document_of = self._sight(unseen, name in ("meta", "schemas")) or _document
            result = ordered(result, partial(_document_if, of_kind, document_of), sort)
        return result

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
        row = Row(record.changed(_without_keyed(record, record.document)), _members_in(record))
        identity = UniqueKey("id", record.id)
        with self._tenancy.lock:
            table = self._tenancy.table(record.resource_type)
            if record.id in table.rows:
                raise UniquenessError(identity.attribute)
            table.check((*record.unique, identity), row, self)
            self._tenancy.add(row)
            self._undo.append(partial(self._tenancy.remove, row))

    def update(self, change: Change) -> Record:
        after = change.after
        with self._tenancy.lock:
            table = self._tenancy.table(after.resource_type)
            row = table.rows.get(after.id)
            if row is None or change.expected not in (None, row.record.version):
                raise VersionClash(after.id)
            current = row.record
            names = change.delta.attributes - KEYED.get(after.resource_type.name, {}).keys()
            document = _document_after(current, change, names)
            members = _member_changes(row.members, change.delta)
            unique = current.unique if after.unique == change.before.unique else after.unique
            if members or unique != current.unique or _differ(document, current.document, names):
                table.check(unique, row, self)
                self._release(table, set(current.unique).difference(unique))
                current = current.changed(
                    document,
                    unique=unique,
                    last_modified=after.last_modified,
                    version=row.next_version(),
                )
                self._replace(row, current, members)
        return _shown_as_in(after, current)

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


def _id(record: Record) -> str:
    return record.id


def _document(record: Record) -> Document:
    return record.document


def _document_if(sorts: Mapping[str, Sort], document_of: Callable[[Record], Document], record: Record) -> Document:
    return document_of(record) if record.resource_type.name in sorts else {}


def _kind(sort: Sort) -> tuple[str, str, bool, bool]:
    """What two sorts must share for their values to be comparable."""
    return str(sort.place), sort.place.leaf.type, sort.place.leaf.case_exact, sort.descending


def _without_keyed(record: Record, document: Document) -> Document:
    keyed = KEYED.get(record.resource_type.name, {})
    if keyed.keys().isdisjoint(document):
        return document
    return {name: value for name, value in document.items() if name not in keyed}


def _members_in(record: Record) -> dict[str, Json]:
    if "members" not in KEYED.get(record.resource_type.name, {}):
        return {}
    return _by_key(elements_of(record.document.get("members")))


def _by_key(elements: Iterable[Json]) -> dict[str, Json]:
    """The elements by their key; the first of several with one key."""
    found: dict[str, Json] = {}
    for element in elements:
        found.setdefault(_key_of(element), element)
    return found


def _key_of(element: Json) -> str:
    match element:
        case {"value": str(key)}:
            return key
        case _:
            raise ValueError("an element of a keyed attribute has no key")


def _document_after(current: Record, change: Change, names: Collection[str]) -> Document:
    """The document after *change*, whose delta touches *names* besides keyed attributes."""
    if not names:
        return current.document
    if change.expected is None:
        return _without_keyed(current, change.delta.applied_to(current.document))
    return _without_keyed(current, change.after.document)


def _differ(one: Document, other: Document, names: Iterable[str]) -> bool:
    return one is not other and not all(same(one.get(name), other.get(name)) for name in names)


def _member_changes(members: Mapping[str, Json], delta: Delta) -> Members:
    """What *delta* really does to *members*: repeats, and what cancels out, are left out."""
    wanted: dict[str, Json] = {}
    if "members" in delta.unassigned or "members" in delta.assigned:
        wanted = dict.fromkeys(members)
        wanted.update(_by_key(elements_of(delta.assigned.get("members"))))
    wanted.update((_key_of(element), None) for element in delta.removed.get("members", ()))
    for key, element in _by_key(delta.added.get("members", ())).items():
        if wanted.get(key, members.get(key)) is None:
            wanted[key] = element
    return {key: element for key, element in wanted.items() if not same(members.get(key), element)}


def _shown_as_in(after: Record, current: Record) -> Record:
    """*current* with the keyed attributes as *after* has them."""
    keyed = KEYED.get(after.resource_type.name, {})
    shown = {name: after.document[name] for name in keyed if name in after.document}
    return current.changed({**current.document, **shown}) if shown else current
