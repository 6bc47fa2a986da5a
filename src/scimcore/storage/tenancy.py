"""The records of one tenant in the memory storage, and every step that changes them, each with its way back.

Nothing here locks: whoever calls holds the lock of the tenancy. Members lie beside a group's document, by key, so that
a change of one member costs the same in every group.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from threading import RLock
from typing import Final

import attrs

from scimcore.errors import UniquenessError
from scimcore.rules.compare import folded
from scimcore.rules.delta import same
from scimcore.rules.filter import Term
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.groups import group_element
from scimcore.storage.index import Buckets, PlaceIndex, indexable, keys_named
from scimcore.storage.keyed import KEYED, KEYED_NAMES
from scimcore.storage.protocol import Elements, Record, UniqueKey, Version

_NOT_IN_DOCUMENTS: Final = KEYED_NAMES | {"schemas", "meta"}

Members = Mapping[str, Json]
"""Member id -> its element; None where there is none."""


@attrs.define(eq=False)
class Row:
    """A record in its place: what is replaced (`record`, without keyed attributes) and what is changed (`members`)."""

    record: Record
    members: dict[str, Json]
    last_issued: Version
    """Also counts versions that were undone, so that no version ever names two states."""

    def next_version(self) -> Version:
        self.last_issued = Version(self.last_issued + 1)
        return self.last_issued


def rank(record: Record) -> tuple[str, str]:
    """The order of records that no one asked to sort: by creation, then id."""
    return record.created, record.id


def _row_rank(row: Row) -> tuple[str, str]:
    return rank(row.record)


class Table:
    """The rows of one resource type: by id, in order, by unique key and by indexed values."""

    def __init__(self, resource_type: ResourceType, indexed: Iterable[str]) -> None:
        self.keyed: Mapping[str, str] = KEYED.get(resource_type.name, {})
        self.rows: dict[str, Row] = {}
        self.in_order: list[Row] = []
        self._indexable = {
            name: place
            for name, place in indexable(("id", *indexed), resource_type)
            if name.partition(".")[0] not in _NOT_IN_DOCUMENTS
        }
        self._indexes: dict[str, PlaceIndex[Row]] = {}
        self._taken: dict[UniqueKey, Row] = {}
        self._released: dict[UniqueKey, object] = {}

    def index(self, name: str) -> PlaceIndex[Row] | None:
        """The index of the place called *name*, made when it is first asked for; None if it has none."""
        index = self._indexes.get(name)
        if index is None and name in self._indexable:
            index = PlaceIndex(self._indexable[name])
            for row in self.in_order:
                index.add(row, row.record.document)
            self._indexes[name] = index
        return index

    def check(self, keys: Iterable[UniqueKey], row: Row, by: object) -> None:
        """Make sure that *row* may have *keys* in the transaction *by*.

        Raises:
            UniquenessError: Another row has one, or gave it up in a transaction that may yet take it back.
        """
        for key in keys:
            if self._taken.get(key, row) is not row or self._released.get(key, by) is not by:
                raise UniquenessError(key.attribute)

    def check_new(self, record: Record, by: object) -> None:
        """Make sure that a new row may have the id and the keys of *record* in the transaction *by*.

        Raises:
            UniquenessError: As for `check`.
        """
        if record.id in self.rows:
            raise UniquenessError("id")
        for key in record.unique:
            if key in self._taken:
                raise UniquenessError(key.attribute)
        if self._released:
            for key in (*record.unique, UniqueKey("id", record.id)):
                if self._released.get(key, by) is not by:
                    raise UniquenessError(key.attribute)

    def release(self, keys: Iterable[UniqueKey], by: object) -> None:
        """Keep *keys*, just given up, from everyone but *by*."""
        self._released.update(dict.fromkeys(keys, by))

    def settle(self, keys: Iterable[UniqueKey], by: object) -> None:
        """Let anyone have the *keys* that *by* had released."""
        for key in keys:
            if self._released.get(key) is by:
                del self._released[key]

    def has(self, row: Row) -> bool:
        return self.rows.get(row.record.id) is row

    def add(self, row: Row) -> None:
        record = row.record
        self.rows[record.id] = row
        place = rank(record)
        if not self.in_order or _row_rank(self.in_order[-1]) <= place:
            self.in_order.append(row)
        else:
            self.in_order.insert(bisect_left(self.in_order, place, key=_row_rank), row)
        for key in record.unique:
            self._taken.setdefault(key, row)
        for index in self._indexes.values():
            index.add(row, record.document)

    def remove(self, row: Row) -> None:
        record = row.record
        del self.rows[record.id]
        del self.in_order[bisect_left(self.in_order, rank(record), key=_row_rank)]
        self._give_up(record.unique, row)
        for index in self._indexes.values():
            index.discard(row, record.document)

    def replace(self, row: Row, record: Record) -> bool:
        """Give *row* another *record* of the same id and creation; whether it is in the table.

        One that was removed stays out.
        """
        before, row.record = row.record, record
        if not self.has(row):
            return False
        if before.unique != record.unique:
            self._give_up(before.unique, row)
            for key in record.unique:
                self._taken.setdefault(key, row)
        if before.document is not record.document:
            for index in self._indexes.values():
                index.move(row, before.document, record.document)
        return True

    def _give_up(self, keys: Iterable[UniqueKey], row: Row) -> None:
        for key in keys:
            if self._taken.get(key) is row:
                del self._taken[key]


class Tenancy:
    """The tables of one tenant and the memberships between their rows."""

    def __init__(self, indexed: Iterable[str], *, indirect_groups: bool = False) -> None:
        self.lock = RLock()
        self.tables: dict[str, Table] = {}
        self._indexed = tuple(indexed)
        self._indirect_groups = indirect_groups
        self._holders: Buckets[str, Row] = Buckets()
        self._spellings: Buckets[str, str] = Buckets()

    def table(self, resource_type: ResourceType) -> Table:
        """The table of *resource_type*, made when it is first asked for."""
        table = self.tables.get(resource_type.name)
        if table is None:
            table = self.tables[resource_type.name] = Table(resource_type, self._indexed)
        return table

    # Steps

    def add(self, row: Row) -> None:
        """Put *row* in its table and its members on record; the way back of `remove`."""
        record = row.record
        table = self.table(record.resource_type)
        if record.id not in table.rows:
            table.add(row)
            for member in row.members:
                self._link(member, row)

    def remove(self, row: Row) -> None:
        """Take *row* out; the way back of `add`. Its members stay with it."""
        table = self.table(row.record.resource_type)
        if table.has(row):
            table.remove(row)
            for member in row.members:
                self._unlink(member, row)

    def replace(self, row: Row, record: Record, members: Members) -> None:
        """Give *row* its new *record* and, element by element, *members*."""
        is_in_table = self.table(record.resource_type).replace(row, record)
        for member, element in members.items():
            self._put(row, member, element, is_in_table)

    def revert(self, row: Row, before: Record, after: Record, old: Members, new: Members) -> None:
        """The way back of `replace`: undo what others have not written over since."""
        undone = {member: old[member] for member, element in new.items() if row.members.get(member) is element}
        target = before if row.record is after else _merged(row.record, before, after, row.next_version())
        self.replace(row, target, undone)

    def _put(self, row: Row, member: str, element: Json, is_in_table: bool) -> None:
        if element is None:
            if row.members.pop(member, None) is not None and is_in_table:
                self._unlink(member, row)
        else:
            if member not in row.members and is_in_table:
                self._link(member, row)
            row.members[member] = element

    def _link(self, member: str, group: Row) -> None:
        if not self._holders.at(member):
            self._spellings.add(folded(member), member)
        self._holders.add(member, group)

    def _unlink(self, member: str, group: Row) -> None:
        self._holders.discard(member, group)
        if not self._holders.at(member):
            self._spellings.discard(folded(member), member)

    # Sights

    def groups_of(self, id: str) -> list[Row]:
        """The groups that have *id* as a direct member, oldest first."""
        return sorted(self._holders.at(id), key=_row_rank)

    def shown(self, record: Record, elements: Elements) -> Record:
        """*record* with those *elements* of its keyed attributes; the same object if it has none."""
        for name in KEYED.get(record.resource_type.name, ()):
            keys = elements.get(name)
            found = self._members(record, keys) if name == "members" else self._groups(record, keys)
            if found:
                return record.changed({**record.document, name: found})
        return record

    def size(self, resource_type: ResourceType, id: str, attribute: str) -> int:
        """How many elements a keyed *attribute* has; none where nothing is, or nothing is keyed."""
        row = self.table(resource_type).rows.get(id)
        if row is None or attribute not in KEYED.get(resource_type.name, {}):
            return 0
        return len(row.members if attribute == "members" else self._held_by(id))

    def _members(self, record: Record, keys: Collection[str] | None) -> list[Json]:
        row = self.table(record.resource_type).rows.get(record.id)
        if row is None:
            return []
        if keys is None:
            return list(row.members.values())
        return [row.members[key] for key in dict.fromkeys(keys) if key in row.members]

    def _groups(self, record: Record, keys: Collection[str] | None) -> list[Json]:
        direct = self._holders.at(record.id)
        if not direct or (keys is not None and not keys):
            return []
        found = [row for row in self._held_by(record.id) if keys is None or row.record.id in keys]
        found.sort(key=_row_rank)
        found.sort(key=lambda row: row not in direct)
        return [
            group_element(row.record.id, row.record.document.get("displayName"), is_direct=row in direct)
            for row in found
        ]

    def _held_by(self, id: str) -> Collection[Row]:
        """The groups that *id* is shown to be in."""
        direct = self._holders.at(id)
        if not self._indirect_groups:
            return direct
        found, left = set(direct), list(direct)
        while left:
            for row in self._holders.at(left.pop().record.id):
                if row not in found:
                    found.add(row)
                    left.append(row)
        return found

    def equal(self, resource_type: ResourceType, place: str, operand: Json) -> Collection[Row] | None:
        """The rows that may have *operand* at *place*; None if no index knows."""
        table = self.table(resource_type)
        index = table.index(place)
        if index is not None:
            return index.equal(operand)
        if place == "members.value" and "members" in table.keyed:
            return self._with_member(operand)
        if place == "groups.value" and "groups" in table.keyed:
            return self._in_group(resource_type, operand)
        return None

    def elements_for(self, term: Term) -> Elements:
        """The elements of keyed attributes that can matter to *term*, however it spells their keys."""
        found = {name: keys_named(term, name) for name in KEYED_NAMES}
        return {name: self._spelled(name, keys) if keys else () for name, keys in found.items() if keys is not None}

    def _spelled(self, name: str, keys: Iterable[str]) -> set[str]:
        if name == "members":
            return {spelling for key in keys for spelling in self._spellings.at(folded(key))}
        return {group.record.id for key in keys for group in self._groups_called(key)}

    def _with_member(self, operand: Json) -> Collection[Row]:
        """The groups with a member of that id."""
        spellings = self._spelled("members", (operand,)) if isinstance(operand, str) else ()
        return {group for spelling in spellings for group in self._holders.at(spelling)}

    def _in_group(self, resource_type: ResourceType, operand: Json) -> Collection[Row]:
        """The rows of *resource_type* that are shown to be in the group of that id."""
        rows = self.table(resource_type).rows
        groups = self._within(self._groups_called(operand)) if self._indirect_groups else self._groups_called(operand)
        return {rows[member] for group in groups for member in group.members if member in rows}

    def _within(self, groups: Iterable[Row]) -> Collection[Row]:
        """*groups* and all groups that belong to one of them, however deep."""
        holding = [table.rows for table in self.tables.values() if "members" in table.keyed]
        found = set(groups)
        left = list(found)
        while left:
            for member in left.pop().members:
                for inner in [rows[member] for rows in holding if member in rows]:
                    if inner not in found:
                        found.add(inner)
                        left.append(inner)
        return found

    def _groups_called(self, id: Json) -> Iterator[Row]:
        for name, table in self.tables.items():
            ids = table.index("id") if "members" in KEYED.get(name, {}) else None
            if ids is not None:
                yield from ids.equal(id)


def _merged(current: Record, before: Record, after: Record, version: Version) -> Record:
    """*current* without what turned *before* into *after*, except where it has changed again since."""
    document = dict(current.document)
    for name in {**before.document, **after.document}:
        old, new = before.document.get(name), after.document.get(name)
        if not same(old, new) and same(document.get(name), new):
            document.pop(name, None)
            if old is not None:
                document[name] = old
    unique = {key.attribute: key for key in current.unique}
    for attribute in {key.attribute for key in (*before.unique, *after.unique)}:
        old_key, new_key = _key(before, attribute), _key(after, attribute)
        if old_key != new_key and unique.get(attribute) == new_key:
            unique.pop(attribute, None)
            if old_key is not None:
                unique[attribute] = old_key
    return current.changed(document, unique=tuple(unique.values()), version=version)


def _key(record: Record, attribute: str) -> UniqueKey | None:
    return next((key for key in record.unique if key.attribute == attribute), None)
