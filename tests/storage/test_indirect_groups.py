"""Where a storage is asked for indirect groups: what a user's `groups` are, and what is found by them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Session
from scimcore.storage.sql.tables import METADATA
from scimcore.testing.company import ALICE, BOB, CAROL, EMPTY, NESTED, TEAM
from scimcore.testing.sessions import Sessions, group, ids, joining, leaving, query

# Above the team are its department and, in a circle, two companies that belong to each other.
ONE = group("c1", "One", ["g2", "c2"], second=7)
OTHER = group("c2", "Other", ["c1", "u3"], second=8)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def acme(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    kind: str = request.param
    with asyncio.Runner() as runner:
        if kind == "memory":
            yield _filled(Sessions(MemoryStorage(indirect_groups=True), "acme", runner))
            return
        url = f"sqlite:///{tmp_path / 'scim.db'}"
        if kind == "postgres":
            url = f"postgresql+psycopg{request.getfixturevalue('postgresql')}"
            _empty(url)
        storage = SqlStorage(url, indirect_groups=True)
        storage.create_all()
        yield _filled(Sessions(storage, "acme", runner))
        storage.close()


def _empty(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))


def _filled(sessions: Sessions) -> Sessions:
    sessions.insert(ALICE, BOB, CAROL, TEAM, NESTED, EMPTY, ONE, OTHER)
    return sessions


def _groups(sessions: Sessions, id: str) -> Json:
    return sessions.found(USER, id).document.get("groups")


@pytest.mark.rfc("S-4.1.2-09")
def test_a_user_has_direct_groups_then_those_that_hold_them_each_once(acme: Sessions) -> None:
    assert _groups(acme, "u1") == [
        {"value": "g1", "display": "Team", "type": "direct"},
        {"value": "g2", "display": "Nested", "type": "indirect"},
        {"value": "c1", "display": "One", "type": "indirect"},
        {"value": "c2", "display": "Other", "type": "indirect"},
    ]
    assert _groups(acme, "u3") == [
        {"value": "c2", "display": "Other", "type": "direct"},
        {"value": "c1", "display": "One", "type": "indirect"},
    ]


def test_a_group_that_is_both_is_direct(acme: Sessions) -> None:
    acme.update(joining(ONE, "u3"))
    assert _groups(acme, "u3") == [
        {"value": "c1", "display": "One", "type": "direct"},
        {"value": "c2", "display": "Other", "type": "direct"},
    ]


def test_what_leaves_a_group_leaves_those_above_it(acme: Sessions) -> None:
    acme.update(leaving(NESTED, "g1"))
    assert acme.groups("u1") == ["g1"]
    acme.delete(acme.found(GROUP, "g1"))
    assert acme.groups("u1") == []


def test_a_page_shows_what_reading_one_by_one_shows(acme: Sessions) -> None:
    page = acme.search(query())
    assert page.records == tuple(acme.found(USER, id) for id in ("u1", "u2", "u3"))
    some = acme.search(query(elements={"groups": {"c1"}}))
    assert [one.document.get("groups") for one in some.records] == [
        [{"value": "c1", "display": "One", "type": "indirect"}]
    ] * 3


def test_the_groups_are_counted(acme: Sessions) -> None:
    async def flow(session: Session) -> list[int]:
        return [await session.count(USER, id, "groups", most) for id, most in (("u1", 9), ("u1", 3), ("u3", 9))]

    assert acme.run(flow) == [4, 3, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('groups.value eq "g1"', ["u1", "u2"]),
        ('groups.value eq "g2"', ["u1", "u2"]),
        ('groups eq "c1"', ["u1", "u2", "u3"]),
        ('groups.value eq "g3"', []),
        ('groups[value eq "c2" and type eq "direct"]', ["u3"]),
        ('groups[value eq "c2" and type eq "indirect"]', ["u1", "u2"]),
        ('groups[type eq "indirect" and display sw "n"]', ["u1", "u2"]),
        ('not (groups.value eq "g2")', ["u3"]),
        ('groups.display ne "Other"', []),
        ('userName eq "carol" or groups.value eq "g2"', ["u1", "u2", "u3"]),
        ('userName eq "carol" and groups.type eq "indirect"', ["u3"]),
        ("groups pr", ["u1", "u2", "u3"]),
        ('groups.type pr and title eq "engineer"', ["u1", "u3"]),
    ],
)
@pytest.mark.parametrize("sort_by", [None, "userName"])
def test_users_are_found_by_all_their_groups(
    acme: Sessions, text: str, expected: list[str], sort_by: str | None
) -> None:
    page = acme.search(query(text, sort_by=sort_by))
    assert (ids(page), page.total) == (expected, len(expected))


@pytest.mark.parametrize("sort_by", [None, "userName"])
def test_walks_over_what_only_the_rules_can_tell_go_on_where_they_ended(acme: Sessions, sort_by: str | None) -> None:
    asked = query('groups.display eq "other"', sort_by=sort_by, count=1)
    first = acme.search(asked)
    second = acme.search(query('groups.display eq "other"', sort_by=sort_by, count=1, after=first.next))
    third = acme.search(query('groups.display eq "other"', sort_by=sort_by, count=1, after=second.next))
    assert [ids(page) for page in (first, second, third)] == [["u1"], ["u2"], ["u3"]]
    assert [page.total for page in (first, second, third)] == [3, 3, 3]
    assert third.next is None
