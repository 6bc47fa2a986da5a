"""Whatever is stored and asked: a search in SQL finds exactly what `matches` finds, on both databases."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import parse_filter
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Record, Session, SyncStorage
from scimcore.testing import strategies
from scimcore.testing.sessions import Sessions, changed, ids, instant, query, record

USER_IDS = ("1", "a", "A", "é", "e\u0301")
GROUP_IDS = ("g", "G")
INDEXED = (
    *("userName", "externalId", "displayName", "emails.value", "emails.type", "emails.primary", "active", "title"),
    *("photos.value", "x509Certificates.value", "name.familyName", "employeeNumber", "manager.value", "nothing"),
    *("meta.created", "schemas", "members.display", "groups.type", "name", "members.value"),
)
ABOUT_MOMENTS = [
    f'{place} {operator} "{moment}"'
    for place in ("meta.created", "meta.lastModified")
    for operator in ("eq", "ne", "gt", "ge", "lt", "le")
    for moment in (instant(1), instant(2)[:-1] + "1Z", "2026-11-22T02:00:01+02:00", "0001-01-01T00:00:00+14:00")
]
ABOUT_KEYS = [
    *("members pr", "groups pr", "not (members pr)", "not (groups pr)", "meta pr", "id pr", "schemas pr"),
    *(f'id {operator} "é"' for operator in ("eq", "ne", "sw")),
    *(f'{place} eq "{id}"' for place in ("members.value", "groups.value", "id") for id in (*USER_IDS, *GROUP_IDS)),
    *('members[value eq "1" and value eq "a"]', 'members[not (value eq "1")]', 'groups[value eq "g" or type pr]'),
    *('meta.resourceType eq "User"', 'meta.resourceType sw "G"', 'not (meta.resourceType eq "Group")'),
]


@attrs.frozen
class Story:
    """What happens to a tenant: documents come, change and go."""

    inserted: Sequence[Record]
    updated: Sequence[tuple[Record, Document]]
    deleted: Sequence[Record]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    inserted = [draw(_records(USER, id)) for id in draw(st.lists(st.sampled_from(USER_IDS), unique=True))]
    inserted += [draw(_records(GROUP, id)) for id in draw(st.lists(st.sampled_from(GROUP_IDS), unique=True))]
    some = st.lists(st.sampled_from(inserted), unique_by=lambda one: one.id, max_size=2) if inserted else st.just([])
    updated = [(one, draw(_records(one.resource_type, one.id)).document) for one in draw(some)]
    gone = [one for one in draw(some) if one.id not in {before.id for before, _ in updated}]
    return Story(inserted, updated, gone)


@st.composite
def _records(draw: st.DrawFn, resource_type: ResourceType, id: str) -> Record:
    document = dict(draw(strategies.documents(resource_type, id)))
    if resource_type is GROUP:
        members = draw(st.lists(st.sampled_from((*USER_IDS, *GROUP_IDS)), unique=True, max_size=3))
        document.pop("members", None)
        if members:
            document["members"] = [{"value": member} for member in members]
    # Names that repeat are another question.
    return attrs.evolve(record(resource_type, document, second=draw(st.integers(0, 3))), unique=())


def _told(story: Story, sessions: Sessions) -> None:
    async def flow(session: Session) -> None:
        for one in story.inserted:
            await session.insert(one)
        for before, document in story.updated:
            change = changed(before, document)
            await session.update(attrs.evolve(change, after=attrs.evolve(change.after, unique=())))
        for one in story.deleted:
            current = await session.get(one.resource_type, one.id)
            assert current is not None
            await session.delete(current)

    sessions.run(flow)


def _whole(sessions: Sessions, resource_types: Sequence[ResourceType]) -> list[tuple[Record, Document]]:
    """All records one by one, with the resource that a client would see."""

    async def flow(session: Session) -> list[Record | None]:
        return [await session.get(one, id) for one in resource_types for id in (*USER_IDS, *GROUP_IDS)]

    records = sessions.run(flow)
    return [
        (one, with_envelope(one.resource_type, one.document, one.created, one.last_modified, one.version))
        for one in records
        if one is not None
    ]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStorage]:
    path: Path = tmp_path_factory.mktemp("sql") / "scim.db"
    storage = SqlStorage(f"sqlite:///{path}", indexed=INDEXED)
    storage.create_all()
    yield storage
    storage.close()


@pytest.fixture(scope="module")
def postgres(untouched: str) -> Iterator[SqlStorage]:
    storage = SqlStorage(f"postgresql+psycopg{untouched}", indexed=INDEXED)
    storage.create_all()
    yield storage
    storage.close()


@pytest.fixture(scope="module")
def sqlite_with_indirect_groups(sqlite: SqlStorage) -> SqlStorage:
    return SqlStorage(sqlite._engine, indexed=INDEXED, indirect_groups=True)  # noqa: SLF001 - the same tables


@pytest.fixture(scope="module")
def postgres_with_indirect_groups(postgres: SqlStorage) -> SqlStorage:
    return SqlStorage(postgres._engine, indexed=INDEXED, indirect_groups=True)  # noqa: SLF001 - the same tables


TENANTS = count()


@pytest.mark.rfc("P-3.4.2.2-02")
@pytest.mark.parametrize("resource_types", [(USER,), (GROUP,), (USER, GROUP)], ids=["users", "groups", "root"])
@pytest.mark.parametrize(
    "database", ["sqlite", "postgres", "sqlite_with_indirect_groups", "postgres_with_indirect_groups"]
)
@given(story=stories(), data=st.data())
def test_a_search_in_sql_finds_exactly_what_matches(
    request: pytest.FixtureRequest,
    database: str,
    resource_types: Sequence[ResourceType],
    story: Story,
    data: st.DataObject,
) -> None:
    storage: SqlStorage = request.getfixturevalue(database)
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, f"property-{next(TENANTS)}", runner)
        _told(story, sessions)
        whole = _whole(sessions, resource_types)
        asked = resource_types[-1]
        told = strategies.filters_about(asked, [document for one, document in whole if one.resource_type is asked])
        known = [text for text in (*ABOUT_MOMENTS, *ABOUT_KEYS) if _is_known(text, asked)]
        terms = st.sampled_from(known) | strategies.filters(asked)
        text = data.draw(strategies.combined(st.sampled_from(told) | terms if told else terms))
        expected = {
            one.id
            for one, resource in whole
            if parse_filter(text).bound(one.resource_type, len(resource_types) > 1).matches(resource)
        }
        page = sessions.search(query(text, resource_types))
        assert sorted(ids(page)) == sorted(expected)
        assert page.total == len(expected)
        assert all(found in [one for one, _ in whole] for found in page.records)


def _is_known(text: str, resource_type: ResourceType) -> bool:
    absent = "groups" if resource_type is GROUP else "members"
    return absent not in text


SORTED_BY: Mapping[str, Sequence[ResourceType]] = {
    **dict.fromkeys(("userName", "title", "active", "emails", "groups", "name.familyName"), (USER,)),
    **dict.fromkeys(("meta.created", "meta.lastModified", "id", "displayName"), (USER, GROUP)),
    "members": (GROUP,),
}


@pytest.mark.rfc("P-3.4.2.3-02")
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@given(
    story=stories(),
    sort_by=st.none() | st.sampled_from(sorted(SORTED_BY)),
    types=st.sampled_from([(USER,), (GROUP,), (USER, GROUP)]),
    descending=st.booleans(),
    offset=st.integers(0, 4),
    size=st.integers(0, 4),
    text=st.none() | st.sampled_from(["id pr", 'not (id eq "1")', 'displayName co "a"']),
)
def test_a_page_in_sql_is_the_page_of_the_memory_storage(
    request: pytest.FixtureRequest,
    database: str,
    story: Story,
    sort_by: str | None,
    types: tuple[ResourceType, ...],
    descending: bool,
    offset: int,
    size: int,
    text: str | None,
) -> None:
    storage: SqlStorage = request.getfixturevalue(database)
    with asyncio.Runner() as runner:
        pages = []
        memory: SyncStorage = MemoryStorage()
        for one in (storage, memory):
            sessions = Sessions(one, f"page-{next(TENANTS)}", runner)
            _told(story, sessions)
            asked = query(text, types, sort_by=sort_by, descending=descending, offset=offset, count=size)
            page = sessions.search(asked)
            pages.append(([(found.resource_type.name, found.id) for found in page.records], page.total))
        assert pages[0] == pages[1]
