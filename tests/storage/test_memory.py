"""The memory storage: the storage contract, and what is its own: indexes, flat cost, undoing among others."""

import asyncio
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Barrier
from types import FrameType

import attrs
import pytest

from scimcore.engine.immediate import opened
from scimcore.errors import UniquenessError
from scimcore.rules.delta import Delta
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import FIRST_VERSION, Record, Session, SyncSession, Tenant, VersionClash
from scimcore.testing import StorageContract
from scimcore.testing.company import ALICE, BOB, CAROL, EMPTY, TEAM
from scimcore.testing.sessions import LATER, Sessions, changed, group, ids, joining, leaving, query, record, user

ACME = Tenant("acme")
URN = "urn:example:Thing"


class TestMemory(StorageContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


class Suspending:
    """The memory storage for an event loop: its sessions suspend before they begin."""

    def __init__(self) -> None:
        self._memory = MemoryStorage()

    @property
    def keyed(self) -> Mapping[str, Mapping[str, str]]:
        return self._memory.keyed

    @asynccontextmanager
    async def session(self, tenant: Tenant) -> AsyncIterator[Session]:
        await asyncio.sleep(0)
        async with opened(self._memory, tenant) as session:
            yield session


class TestMemoryOnAnEventLoop(StorageContract):
    @pytest.fixture
    def storage(self) -> Suspending:
        return Suspending()


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def acme(storage: MemoryStorage) -> Iterator[Sessions]:
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE, BOB, CAROL, TEAM, EMPTY)
        yield sessions


# Indexes


class Watched(dict[str, Json]):
    """A document that notes who reads it."""

    def __init__(self, values: Mapping[str, Json], readers: set[Json]) -> None:
        super().__init__(values)
        self._readers = readers

    def get(self, name: str, default: Json = None) -> Json:  # type: ignore[override] # all that a predicate calls
        self._readers.add(self["id"])
        return super().get(name, default)


@pytest.mark.parametrize("seen", [{}, {"User": "userName pr"}, {"User": 'title eq "same" and not (photos pr)'}])
@pytest.mark.parametrize(
    ("text", "tested"),
    [
        ('userName eq "USER7"', {"7"}),
        ('externalId eq "x7"', {"7"}),
        ('displayName eq "name 7"', {"7"}),
        ('emails.value eq "7@x.example"', {"7"}),
        ('emails[type eq "work" and value eq "7@x.example"]', {"7"}),
        ('id eq "7"', {"7"}),
        ('active eq true and userName eq "user7"', {"7"}),
        ('active eq true and (userName eq "user7" or externalId eq "x8")', {"7", "8"}),
        ('title eq "same" and userName eq "nobody"', set()),
        ('userName eq "user7" or title eq "same"', set(map(str, range(20)))),
        ('not (userName eq "user7")', set(map(str, range(20)))),
        ('userName ne "user7"', set(map(str, range(20)))),
    ],
)
def test_only_what_an_index_offers_is_tested(
    storage: MemoryStorage, text: str, tested: set[str], seen: Mapping[str, str]
) -> None:
    readers: set[Json] = set()
    with storage.session(ACME) as session:
        for number in range(20):
            one = user(
                f"{number}",
                f"user{number}",
                externalId=f"x{number}",
                displayName=f"Name {number}",
                active=True,
                title="same",
                emails=[{"value": f"{number}@x.example", "type": "work"}],
            )
            session.insert(attrs.evolve(one, document=Watched(one.document, readers)))
        session.search(query(text, seen=seen))  # an index is made when it is first asked for
        readers.clear()
        session.search(query(text, seen=seen))
    assert readers == tested


def test_members_of_a_group_are_found_through_the_group(acme: Sessions) -> None:
    readers: set[Json] = set()
    watched = user("u9", "watched")
    acme.insert(attrs.evolve(watched, document=Watched(watched.document, readers)))
    readers.clear()
    assert ids(acme.search(query('groups.value eq "g1"'))) == ["u1", "u2"]
    assert readers == set()


@pytest.mark.parametrize(
    ("text", "is_flat"),
    [
        ('members.value eq "1"', True),
        ('members[value eq "1"]', True),
        ('id eq "g" and members eq "1"', True),
        ('displayName sw "L" and not (members.value eq "1")', True),
        ("members pr", False),
    ],
)
def test_one_member_is_asked_for_without_a_look_at_the_others(text: str, is_flat: bool) -> None:
    def cost(size: int) -> tuple[int, int]:
        storage = MemoryStorage()
        asked = query(text, (GROUP,), elements={"members": ()})
        with storage.session(ACME) as session:
            session.insert(group("g", "Large", map(str, range(size))))

            def act() -> None:
                session.search(asked)

            act()
            return _calls_and_bytes(act)

    (calls, peak), (calls_of_large, peak_of_large) = cost(10), cost(10_000)
    assert (calls_of_large == calls and peak_of_large < peak + 10_000) == is_flat


@pytest.mark.parametrize("text", ['members.value eq "É"', 'members.value eq "E\u0301"'])
def test_a_member_is_found_however_its_id_is_typed(acme: Sessions, text: str) -> None:
    acme.update(joining(EMPTY, "E\u0301"))
    assert ids(acme.search(query(text, (GROUP,)))) == ["g3"]


def test_an_application_names_further_indexes() -> None:
    indexed = MemoryStorage(indexed=["employeeNumber", "nothing"])
    with indexed.session(ACME) as session:
        session.insert(ALICE)
        session.insert(BOB)
        assert ids(session.search(query('employeeNumber eq "100"'))) == ["u1"]


# Resource types of an application


def _thing(name: str, kind: Type) -> ResourceType:
    size = Attribute(name="size", type=kind)
    members = Attribute(name="members", multi_valued=True)
    return ResourceType(
        name=name, endpoint=name, schema=Schema(id=f"{URN}:{name}", name=name, attributes=(size, members))
    )


def test_values_of_different_types_are_not_compared_with_each_other(storage: MemoryStorage) -> None:
    number, text = _thing("Number", Type.INTEGER), _thing("Text", Type.STRING)
    with storage.session(ACME) as session:
        session.insert(record(text, {"id": "1", "size": "b"}))
        session.insert(record(number, {"id": "2", "size": 10}))
        session.insert(record(text, {"id": "3", "size": "A"}))
        session.insert(record(number, {"id": "4", "size": 9}))
        session.insert(record(number, {"id": "5"}))
        found = session.search(query(None, (number, text), sort_by="size"))
        reverse = session.search(query(None, (number, text), sort_by="size", descending=True))
    assert ids(found) == ["4", "2", "3", "1", "5"]
    assert set(ids(reverse)[-2:]) == {"2", "4"}


def test_members_of_other_resource_types_are_part_of_the_document(storage: MemoryStorage) -> None:
    thing = record(_thing("Box", Type.STRING), {"id": "1", "members": ["a", "b"]})
    with storage.session(ACME) as session:
        session.insert(thing)
        assert session.get(thing.resource_type, "1", {"members": ()}) == thing
        assert session.count(thing.resource_type, "1", "members", 9) == 0


def test_an_element_without_a_key_is_a_bug(acme: Sessions) -> None:
    nameless = Delta(added={"members": ({"display": "nobody"},)})
    with pytest.raises(ValueError, match="no key"):
        acme.update(attrs.evolve(joining(TEAM), delta=nameless))


def test_an_id_is_given_once(acme: Sessions) -> None:
    with pytest.raises(UniquenessError) as refused:
        acme.insert(user("u1", "eve"))
    assert refused.value.attribute == "id"


# Cost


def _calls_and_bytes(act: Callable[[], None]) -> tuple[int, int]:
    """How many functions *act* calls, and how much memory it needs at most."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001 - the signature is Python's
        nonlocal calls
        calls += 1

    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls, peak


@pytest.mark.parametrize("fails", [False, True])
def test_a_change_of_one_member_costs_the_same_in_every_group(fails: bool) -> None:
    def cost(size: int) -> tuple[int, int]:
        storage = MemoryStorage()
        large = group("g", "Large", map(str, range(size)))
        with storage.session(ACME) as session:
            session.insert(large)

        def act() -> None:
            try:
                with storage.session(ACME) as session:
                    session.update(leaving(large, "1"))
                    session.update(joining(large, "1"))
                    if fails:
                        raise InterruptedError
            except InterruptedError:
                pass

        act()
        # The least of a few: a collection of garbage, or another thread of the test runner, may fall into one of them.
        calls, peaks = zip(*[_calls_and_bytes(act) for _ in range(5)], strict=True)
        return min(calls), min(peaks)

    (calls, peak), (calls_of_large, peak_of_large) = cost(10), cost(10_000)
    assert calls_of_large == calls
    # One list or dict of ten thousand members takes eight times as much.
    assert peak_of_large < peak + 10_000


# Among others


class Abandoned(Exception):  # noqa: N818 - it stands for any exception that ends a session
    """What a session ends with."""


def _abandoned(
    storage: MemoryStorage, first: Callable[[SyncSession], object], second: Callable[[SyncSession], object]
) -> None:
    """A session that does *first* and fails after another session did *second*."""
    with pytest.raises(Abandoned), storage.session(ACME) as failing:  # noqa: PT012 - the sessions overlap
        first(failing)
        with storage.session(ACME) as other:
            second(other)
        raise Abandoned


def _delete_alice(session: SyncSession) -> None:
    session.delete(ALICE)


def _rename_alice(session: SyncSession) -> None:
    session.update(changed(ALICE, {**ALICE.document, "userName": "eve"}))


def test_undoing_keeps_the_members_that_others_added(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(storage, lambda one: one.update(joining(TEAM, "n1")), lambda two: two.update(joining(TEAM, "n2")))
    assert acme.members("g1") == ["n2", "u1", "u2"]
    assert ids(acme.search(query('members.value eq "n2"', (GROUP,)))) == ["g1"]
    assert acme.search(query('members.value eq "n1"', (GROUP,))).total == 0
    assert acme.found(GROUP, "g1").version > FIRST_VERSION + 2


def test_undoing_keeps_the_members_that_others_removed(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(storage, lambda one: one.update(leaving(TEAM, "u1")), lambda two: two.update(leaving(TEAM, "u2")))
    assert acme.members("g1") == ["u1"]


def test_undoing_keeps_a_member_that_another_put_back(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(storage, lambda one: one.update(leaving(TEAM, "u1")), lambda two: two.update(joining(TEAM, "u1")))
    assert acme.members("g1") == ["u1", "u2"]
    assert acme.groups("u1") == ["g1"]


def test_undoing_keeps_an_element_that_another_replaced(storage: MemoryStorage, acme: Sessions) -> None:
    shown: Json = {"value": "n1", "display": "New"}

    def replace(session: SyncSession) -> None:
        delta = Delta(added={"members": (shown,)}, removed={"members": ({"value": "n1"},)})
        session.update(attrs.evolve(joining(TEAM), delta=delta))

    _abandoned(storage, lambda one: one.update(joining(TEAM, "n1")), replace)
    assert acme.found(GROUP, "g1", {"members": ["n1"]}).document["members"] == [shown]


def test_undoing_keeps_the_attributes_that_others_set(storage: MemoryStorage, acme: Sessions) -> None:
    def rename(session: SyncSession) -> None:
        session.update(changed(CAROL, {**CAROL.document, "userName": "eve", "title": "Chief", "nickName": "E"}))

    def retitle(session: SyncSession) -> None:
        seen = _found(session, USER, "u3")
        session.update(changed(seen, {**seen.document, "title": "Boss", "locale": "en"}))

    _abandoned(storage, rename, retitle)
    left = acme.found(USER, "u3")
    assert left.document == {**CAROL.document, "title": "Boss", "locale": "en"}
    assert left.unique == CAROL.unique
    assert left.version > FIRST_VERSION + 2
    assert ids(acme.search(query('userName eq "carol"'))) == ["u3"]


def test_undoing_keeps_a_name_that_another_gave(storage: MemoryStorage, acme: Sessions) -> None:
    def rename_again(session: SyncSession) -> None:
        seen = _found(session, USER, "u1")
        session.update(changed(seen, {**seen.document, "userName": "mallory"}))

    _abandoned(storage, _rename_alice, rename_again)
    acme.insert(user("u8", "alice"), user("u9", "eve"))
    with pytest.raises(UniquenessError):
        acme.insert(user("u7", "mallory"))


def test_undoing_an_update_does_not_bring_back_what_another_deleted(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(
        storage,
        lambda one: one.update(changed(ALICE, {**ALICE.document, "title": "Chief"})),
        lambda two: two.delete(_found(two, USER, "u1")),
    )
    assert acme.locate("u1") == {}
    acme.insert(user("u9", "alice"))


def test_undoing_members_does_not_bring_back_a_deleted_group(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(storage, lambda one: one.update(leaving(TEAM, "u1")), lambda two: two.delete(_found(two, GROUP, "g1")))
    assert acme.locate("g1") == {}
    assert acme.groups("u1") == []


def test_undoing_an_insert_agrees_with_a_delete_by_another(storage: MemoryStorage, acme: Sessions) -> None:
    _abandoned(storage, lambda one: one.insert(user("u9", "eve")), lambda two: two.delete(_found(two, USER, "u9")))
    assert acme.locate("u9") == {}
    acme.insert(user("u9", "eve"))


@pytest.mark.parametrize("give_up", [_delete_alice, _rename_alice])
def test_a_name_given_up_is_free_when_its_session_has_ended(
    storage: MemoryStorage, give_up: Callable[[SyncSession], object]
) -> None:
    with storage.session(ACME) as session:
        session.insert(ALICE)
    with storage.session(ACME) as session, storage.session(ACME) as other:
        give_up(session)
        with pytest.raises(UniquenessError):
            other.insert(user("u9", "alice"))
    with storage.session(ACME) as session:
        session.insert(user("u9", "alice"))


def test_a_version_never_names_two_states(storage: MemoryStorage, acme: Sessions) -> None:
    seen: list[Record] = []

    def update(session: SyncSession) -> None:
        seen.append(session.update(changed(CAROL, {**CAROL.document, "title": "Undone"})))

    _abandoned(storage, update, lambda _: None)
    assert acme.get(USER, "u3") == CAROL
    assert acme.update(changed(CAROL, {**CAROL.document, "title": "Chief"})).version > seen[0].version
    with pytest.raises(VersionClash):
        acme.update(changed(seen[0], {**CAROL.document, "title": "Lost"}))


def test_a_deleted_member_leaves_the_time_of_its_groups_alone(acme: Sessions) -> None:
    acme.delete(ALICE)
    assert acme.found(GROUP, "g1").last_modified == TEAM.last_modified != LATER


def _found(session: SyncSession, resource_type: ResourceType, id: str) -> Record:
    found = session.get(resource_type, id)
    assert found is not None
    return found


# Threads


@pytest.fixture
def _impatient() -> Iterator[None]:
    """Threads take turns as often as Python lets them."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_impatient")
def test_threads_leave_a_consistent_tenant(storage: MemoryStorage, acme: Sessions) -> None:
    workers, rounds = 4, 30
    barrier = Barrier(workers)

    def work(worker: int) -> None:
        barrier.wait()
        for turn in range(rounds):
            newcomer = user(f"{worker}-{turn}", f"user {worker} {turn}")
            with storage.session(ACME) as session:
                session.insert(newcomer)
                session.update(joining(TEAM, newcomer.id))
                session.search(query('groups.display eq "team" and userName sw "user"', count=3))
            if turn % 3 == 0:
                with storage.session(ACME) as session:
                    session.delete(newcomer)
            elif turn % 3 == 1:
                with pytest.raises(Abandoned), storage.session(ACME) as session:  # noqa: PT012 - a session that fails
                    session.update(leaving(TEAM, newcomer.id))
                    raise Abandoned

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    left = sorted(f"{worker}-{turn}" for worker in range(workers) for turn in range(rounds) if turn % 3)
    assert acme.members("g1") == sorted([*left, "u1", "u2"])
    assert sorted(ids(acme.search(query('groups.value eq "g1"')))) == sorted([*left, "u1", "u2"])
    assert sorted(ids(acme.search(query('userName sw "user"')))) == left
    joined, deleted = workers * rounds, workers * rounds // 3
    assert acme.found(GROUP, "g1").version >= FIRST_VERSION + joined + deleted
