"""What a storage promises (the contract `scimcore.testing.StorageContract` checks), and nothing else.

A session is a transaction of one tenant: no method takes a tenant, so it cannot be forgotten, and a record of another
tenant does not exist. A storage receives changes, not only results: for an attribute it declares *keyed* it is told
which elements come and go, and is never asked for the elements that a request does not name.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import NamedTuple, NewType, Protocol

import attrs

from scimcore.rules.delta import Delta
from scimcore.rules.filter import BoundFilter, Filter
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document
from scimcore.schema.made import made

Tenant = NewType("Tenant", str)
"""The boundary that no request crosses."""

Version = NewType("Version", int)
"""Counts the changes of a record; the storage makes the next one when it writes."""

Instant = NewType("Instant", str)
"""A moment in UTC as `2026-11-22T09:30:00.123456Z`, always this long, so that text order is time order."""

Position = NewType("Position", str)
"""A place between two records in the order of a search; opaque, and good for as long as records keep their values.

Records that come and go elsewhere do not move it, not even the deletion of the record before it.
"""

FIRST_VERSION = Version(1)

Elements = Mapping[str, Collection[str]]
"""Which elements of keyed attributes to read: attribute name -> their keys. An attribute not named is read whole."""

EVERYTHING: Elements = {}


class VersionClash(Exception):  # noqa: N818 - no client sees it; the engine answers it by trying again
    """The record is no longer in the version that the write expected, or no longer there."""


class UniqueKey(NamedTuple):
    """A value that no two resources of a type may share, folded so that equal keys are equal values."""

    attribute: str
    value: str


@attrs.frozen(kw_only=True)
class Record:
    """What a storage keeps of one resource."""

    resource_type: ResourceType
    id: str
    document: Document
    created: Instant
    last_modified: Instant
    version: Version = FIRST_VERSION
    unique: tuple[UniqueKey, ...] = ()
    """Computed by the engine; the storage keeps each free of duplicates within tenant and resource type."""

    def changed(
        self,
        document: Document,
        *,
        last_modified: Instant | None = None,
        unique: tuple[UniqueKey, ...] | None = None,
        version: Version | None = None,
    ) -> "Record":
        """This record with another document, and whatever else is given."""
        # attrs.evolve takes four times as long, and this runs for every record that is read or written.
        return Record(
            resource_type=self.resource_type,
            id=self.id,
            document=document,
            created=self.created,
            last_modified=self.last_modified if last_modified is None else last_modified,
            version=self.version if version is None else version,
            unique=self.unique if unique is None else unique,
        )


@attrs.frozen(kw_only=True)
class Change:
    """An update: the record before and after, and attribute by attribute what the difference is.

    Of a keyed attribute, `before` and `after` may hold any part; only what `delta` says about it counts.
    """

    before: Record
    after: Record
    delta: Delta
    expected: Version | None
    """The version the record must still have; None when the change does not lean on anything that was read."""


@attrs.frozen
class Sort:
    """Order by the values at *place* (RFC 7644 §3.4.2.3); records that compare equal are ordered by id."""

    place: Place
    descending: bool = False


@attrs.frozen(kw_only=True, slots=False)
class Query:
    """A search. Without `sorts` the order is by creation, then id: stable across pages.

    A storage finds and counts what matches `bound`, which is `filter` and `seen` together, and need not look at these
    themselves. They come apart because what a caller sees is the same in all its searches, so that it is read once.
    """

    resource_types: tuple[ResourceType, ...]
    filter: Filter | None = None
    """What the client asks for; None for everything."""
    seen: Mapping[str, Filter] = attrs.field(factory=dict)
    """Resource type name -> what the caller sees of that type; it sees all of a type without an entry.

    What it does not see does not exist for it: on no page, in no `total`, and no position depends on it.
    """
    sorts: Mapping[str, Sort] = attrs.field(factory=dict)
    """Resource type name -> order; to sort by, a type without an entry has no values."""
    after: Position | None = None
    """Where the page before ended: its `next`, in a query that differs from this one in `after` and `offset` only."""
    offset: int = 0
    """How many records to pass over, from the beginning or from `after`."""
    count: int
    elements: Elements = EVERYTHING
    tolerance: Tolerance = DEFAULT
    """How the literals of `filter` and `seen` are read."""
    for_update: bool = False
    """Whether what is found decides about a write in this session: then nobody else writes in between, as far as the
    storage can hold others off. SQLite can; PostgreSQL locks what is there, and not that something is absent."""

    def asking(self, filter: Filter) -> "Query":
        """This search with another filter."""
        # A new one takes more than twice as long, and a policy asks so for every resource that a connection creates.
        facts = self.__dict__.copy()
        facts["filter"] = filter
        return made(Query, facts)

    def bound(self, resource_type: ResourceType) -> BoundFilter | None:
        """What a resource of *resource_type* has to match to be found: `filter` and `seen`; None if all are found.

        Raises:
            InvalidFilterError: One of them does not suit the resource type.
        """
        asked = None
        if self.filter is not None:
            asked = self.filter.bound(resource_type, len(self.resource_types) > 1, self.tolerance)
        visible = self.seen.get(resource_type.name)
        if visible is None:
            return asked
        seen = visible.bound(resource_type, tolerance=self.tolerance)
        return seen if asked is None else asked.joined(seen)


@attrs.frozen
class Page:
    """One page of a search."""

    records: tuple[Record, ...]
    total: int
    """How many records match in all; on a page `after` another, how many did when the first page was read."""
    next: Position | None = None
    """Where the page ends, if records follow; None for the last page, and for one without records."""


class Session(Protocol):
    """A transaction of one tenant. It is undone when its block ends with an exception."""

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        """The record, with the named *elements* of keyed attributes; None if this tenant has none."""

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        """Which of *ids* exist, of any resource type: id -> resource type name."""

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        """How many elements a keyed attribute of a record has, counting no further than *most*."""

    async def search(self, query: Query) -> Page:
        """The records that match what `query.bound` says of their type, exactly as `rules.filter` decides.

        A page `after` a position costs what the first page costs, however deep it lies.

        Raises:
            ValueError: `query.after` is no position in such a search.
        """

    async def insert(self, record: Record) -> None:
        """Keep a new record.

        Raises:
            UniquenessError: Another record has one of its unique keys.
        """

    async def update(self, change: Change) -> Record:
        """Write what *change* says; the record as it now is, keyed attributes as in `change.after`.

        Elements that are there already are not added again; elements that are gone are not removed again; if nothing is
        left to do, nothing is written and the version stays.

        Raises:
            VersionClash: The record is gone, or `change.expected` is not its version.
            UniquenessError: Another record has one of the new unique keys.
        """

    async def delete(self, record: Record) -> None:
        """Forget the record, free its unique keys and end its memberships; groups that lose a member get a new version.

        Raises:
            VersionClash: The record is gone, or not in `record.version`.
        """

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part of the transaction that is undone alone when its block ends with an exception."""


class Storage(Protocol):
    """Where resources live, for an event loop."""

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        """Resource type name -> keyed attribute -> the sub-attribute that is the key of its elements."""

    def session(self, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
        """A transaction on the records of *tenant*."""


class SyncSession(Protocol):
    """`Session` without an event loop."""

    def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None: ...
    def locate(self, ids: Collection[str]) -> Mapping[str, str]: ...
    def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int: ...
    def search(self, query: Query) -> Page: ...
    def insert(self, record: Record) -> None: ...
    def update(self, change: Change) -> Record: ...
    def delete(self, record: Record) -> None: ...
    def savepoint(self) -> AbstractContextManager[None]: ...


class SyncStorage(Protocol):
    """`Storage` without an event loop."""

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]: ...
    def session(self, tenant: Tenant) -> AbstractContextManager[SyncSession]: ...
