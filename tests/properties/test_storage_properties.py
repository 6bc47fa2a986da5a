"""Whatever is stored and asked: a search finds exactly what `matches` finds, so no index loses or adds a record."""

import asyncio
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import parse_filter
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Change, Record, Session
from scimcore.testing import strategies
from scimcore.testing.sessions import Sessions, changed, ids, query, record

USER_IDS = ("1", "a", "A", "é")
GROUP_IDS = ("g", "G")
# Every kind of value, places inside extensions, and places that no index can hold.
INDEXED = (
    *("userName", "externalId", "displayName", "emails.value", "emails.type", "emails.primary", "active", "title"),
    *("photos.value", "x509Certificates.value", "name.familyName", "employeeNumber", "manager.value", "nothing"),
    *("meta.created", "schemas", "members.display", "groups.type", "name", "members.value"),
)


@attrs.frozen
class Story:
    """What happens to a tenant: documents come, change and go; *fails* says whether the changes are taken back."""

    inserted: Sequence[Record]
    changes: Sequence[Change]
    deleted: Sequence[Record]
    fails: bool


class Abandoned(Exception):  # noqa: N818 - it stands for any exception that ends a session
    """What a session ends with."""


@st.composite
def stories(draw: st.DrawFn) -> Story:
    inserted = [draw(_records(USER, id)) for id in USER_IDS]
    inserted += [draw(_records(GROUP, id)) for id in GROUP_IDS]
    updated = draw(st.lists(st.sampled_from(inserted), unique_by=_id_of, max_size=3))
    changes = [_anonymous(changed(one, draw(_records(one.resource_type, one.id)).document)) for one in updated]
    others = [one for one in inserted if one.id not in {change.after.id for change in changes}]
    deleted = draw(st.lists(st.sampled_from(others), unique_by=_id_of, max_size=1)) if others else []
    return Story(inserted, changes, deleted, draw(st.booleans()))


@st.composite
def _records(draw: st.DrawFn, resource_type: ResourceType, id: str) -> Record:
    document = draw(strategies.documents(resource_type, id))
    if resource_type is GROUP:
        members = draw(st.lists(st.sampled_from((*USER_IDS, *GROUP_IDS)), unique=True, max_size=3))
        elements: list[Json] = [{"value": member} for member in members]
        document = {name: value for name, value in document.items() if name != "members"}
        document = {**document, "members": elements} if elements else document
    # Names that repeat are another question.
    return attrs.evolve(record(resource_type, document, second=draw(st.integers(0, 3))), unique=())


def _id_of(record: Record) -> str:
    return record.id


def _anonymous(change: Change) -> Change:
    return attrs.evolve(change, after=attrs.evolve(change.after, unique=()))


def _told(story: Story, runner: asyncio.Runner) -> Sessions:
    sessions = Sessions(MemoryStorage(indexed=INDEXED), "acme", runner)
    sessions.insert(*story.inserted)

    async def flow(session: Session) -> None:
        # Deleting a member makes a version of its groups, so the updates come first.
        for change in story.changes:
            await session.update(change)
        for one in story.deleted:
            await session.delete(one)
        if story.fails:
            raise Abandoned

    try:
        sessions.run(flow)
    except Abandoned:
        assert story.fails
    return sessions


def _whole(sessions: Sessions, resource_types: Sequence[ResourceType]) -> list[tuple[Record, Document]]:
    """All records one by one, with the resource that a client would see."""
    records = [sessions.get(one, id) for one in resource_types for id in (*USER_IDS, *GROUP_IDS)]
    return [
        (one, with_envelope(one.resource_type, one.document, one.created, one.last_modified, one.version))
        for one in records
        if one is not None
    ]


@pytest.mark.rfc("P-3.4.2.2-02")
@pytest.mark.parametrize("resource_types", [(USER,), (GROUP,), (USER, GROUP)], ids=["users", "groups", "root"])
@given(story=stories(), data=st.data())
def test_a_search_finds_exactly_what_matches(
    resource_types: Sequence[ResourceType], story: Story, data: st.DataObject
) -> None:
    with asyncio.Runner() as runner:
        sessions = _told(story, runner)
        whole = _whole(sessions, resource_types)
        asked = resource_types[-1]
        known = [resource for one, resource in whole if one.resource_type is asked]
        former = [one.document for one in story.inserted if one.resource_type is asked]
        told = strategies.filters_about(asked, (*known, *former))
        anything = strategies.filters(asked)
        terms = st.sampled_from(told) | anything if told else anything
        text = data.draw(strategies.combined(terms))
        expected = {
            one.id
            for one, resource in whole
            if parse_filter(text).bound(one.resource_type, len(resource_types) > 1).matches(resource)
        }
        page = sessions.search(query(text, resource_types))
        assert sorted(ids(page)) == sorted(expected)
        assert page.total == len(expected)
        assert all(found == sessions.get(found.resource_type, found.id) for found in page.records)


@given(story=stories())
def test_a_story_that_fails_leaves_no_trace(story: Story) -> None:
    assume(story.changes or story.deleted)
    with asyncio.Runner() as runner:
        failed = _told(attrs.evolve(story, fails=True), runner)
        untold = _told(Story(story.inserted, (), (), fails=False), runner)
        assert _unordered(failed) == _unordered(untold)


def _unordered(sessions: Sessions) -> list[object]:
    return [
        {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in resource.items()}
        for _, resource in _whole(sessions, (USER, GROUP))
    ]
