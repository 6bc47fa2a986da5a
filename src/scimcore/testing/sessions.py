"""Small words for the tests of a storage: records, changes, and sessions that hold one call each."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

import attrs

from scimcore.engine.immediate import finish, opened
from scimcore.rules.delta import Delta, delta_between
from scimcore.rules.filter import parse_filter
from scimcore.rules.identifier import unique_values
from scimcore.rules.order import sort_place
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import (
    EVERYTHING,
    Change,
    Elements,
    Instant,
    Page,
    Position,
    Query,
    Record,
    Session,
    Sort,
    Storage,
    SyncStorage,
    Tenant,
    UniqueKey,
)

T = TypeVar("T")
Flow = Callable[[Session], Awaitable[T]]
"""What a test does in one session."""

LATER: Final = Instant("2026-12-31T00:00:00.000000Z")
"""After everything that `record` makes."""


def instant(second: int) -> Instant:
    """A moment, *second* seconds into a day before `LATER`."""
    return Instant(f"2026-11-22T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z")


def record(resource_type: ResourceType, document: Document, second: int = 0) -> Record:
    """A record of *document* as the engine would make it, created at that second."""
    id = document["id"]
    return Record(
        resource_type=resource_type,
        id=id if isinstance(id, str) else "",
        document=document,
        created=instant(second),
        last_modified=instant(second),
        unique=_unique(resource_type, document),
    )


def user(id: str, user_name: str, second: int = 0, **values: Json) -> Record:
    """A user; *values* are further attributes.

    >>> user("1", "bjensen").unique
    (UniqueKey(attribute='userName', value='bjensen'),)
    """
    return record(USER, {"id": id, "userName": user_name, **values}, second)


def group(id: str, display_name: str, members: Iterable[str] = (), second: int = 0) -> Record:
    """A group of *members*.

    >>> group("1", "Tour Guides", ["2"]).document["members"]
    [{'value': '2'}]
    """
    named: dict[str, Json] = {"id": id, "displayName": display_name}
    elements = [{"value": member} for member in members]
    return record(GROUP, {**named, "members": elements} if elements else named, second)


def changed(before: Record, document: Document) -> Change:
    """The update that gives *before* another *document*, if nobody else was faster."""
    return Change(
        before=before,
        after=attrs.evolve(
            before, document=document, last_modified=LATER, unique=_unique(before.resource_type, document)
        ),
        delta=delta_between(before.document, document),
        expected=before.version,
    )


def joining(group: Record, *members: str) -> Change:
    """The update that adds *members*, whatever else happens to the group."""
    return _in_members(group, Delta(added={"members": _elements(members)}))


def leaving(group: Record, *members: str) -> Change:
    """The update that removes *members*, whatever else happens to the group."""
    return _in_members(group, Delta(removed={"members": _elements(members)}))


def _in_members(before: Record, delta: Delta) -> Change:
    bare = {name: value for name, value in before.document.items() if name != "members"}
    after = attrs.evolve(before, document=bare, last_modified=LATER)
    return Change(before=attrs.evolve(before, document=bare), after=after, delta=delta, expected=None)


def _elements(members: Sequence[str]) -> tuple[Json, ...]:
    return tuple({"value": member} for member in members)


def _unique(resource_type: ResourceType, document: Document) -> tuple[UniqueKey, ...]:
    return tuple(UniqueKey(attribute, value) for attribute, value in unique_values(document, resource_type))


def query(
    filter: str | None = None,
    types: Sequence[ResourceType] = (USER,),
    *,
    seen: Mapping[str, str] | None = None,
    sort_by: str | None = None,
    descending: bool = False,
    after: Position | None = None,
    offset: int = 0,
    count: int = 1000,
    elements: Elements = EVERYTHING,
    tolerance: Tolerance = DEFAULT,
) -> Query:
    """A search in the words of a request; *seen* has a filter by resource type name."""
    places = {one.name: sort_place(sort_by, one) for one in types if sort_by}
    return Query(
        resource_types=tuple(types),
        filter=None if filter is None else parse_filter(filter),
        seen={name: parse_filter(text) for name, text in (seen or {}).items()},
        sorts={name: Sort(place, descending) for name, place in places.items() if place is not None},
        after=after,
        offset=offset,
        count=count,
        elements=elements,
        tolerance=tolerance,
    )


def ids(page: Page) -> list[str]:
    """The ids on *page*, in order."""
    return [found.id for found in page.records]


class Sessions:
    """The records of one tenant; every call is a session of its own, on an event loop or without one."""

    def __init__(self, storage: Storage | SyncStorage, tenant: str, runner: asyncio.Runner) -> None:
        self._storage = storage
        self._tenant = Tenant(tenant)
        self._runner = runner

    def run(self, flow: Flow[T]) -> T:
        """What *flow* returns, in one session."""
        return self._runner.run(self._within(flow))

    def run_together(self, flows: Sequence[Flow[T]]) -> list[T]:
        """What *flows* return, each in its session and all at once: in threads, or in tasks for an event loop."""
        if isinstance(self._storage.session(self._tenant), AbstractAsyncContextManager):
            return self._runner.run(_gathered([self._within(flow) for flow in flows]))
        with ThreadPoolExecutor(len(flows)) as pool:
            return list(pool.map(lambda flow: finish(self._within(flow)), flows))

    async def _within(self, flow: Flow[T]) -> T:
        async with opened(self._storage, self._tenant) as session:
            return await flow(session)

    def insert(self, *records: Record) -> None:
        async def flow(session: Session) -> None:
            for one in records:
                await session.insert(one)

        self.run(flow)

    def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        return self.run(lambda session: session.get(resource_type, id, elements))

    def found(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record:
        """The record, which must be there."""
        found = self.get(resource_type, id, elements)
        assert found is not None, f"{resource_type.name} {id} is gone"
        return found

    def members(self, id: str) -> list[str]:
        """The ids of a group's members, sorted."""
        return _keys(self.found(GROUP, id).document.get("members"))

    def groups(self, id: str) -> list[str]:
        """The ids of a user's groups, sorted."""
        return _keys(self.found(USER, id).document.get("groups"))

    def update(self, change: Change) -> Record:
        return self.run(lambda session: session.update(change))

    def delete(self, record: Record) -> None:
        self.run(lambda session: session.delete(record))

    def search(self, query: Query) -> Page:
        return self.run(lambda session: session.search(query))

    def locate(self, *ids: str) -> Mapping[str, str]:
        return self.run(lambda session: session.locate(ids))


async def _gathered(coroutines: Iterable[Coroutine[object, None, T]]) -> list[T]:
    return list(await asyncio.gather(*coroutines))


def _keys(elements: Json) -> list[str]:
    found = elements if isinstance(elements, list) else ()
    return sorted(str(element["value"]) for element in found if isinstance(element, dict))
