"""Who is in which group: unknown members, groups in groups, memberships ended and restored."""

from pathlib import Path
from typing import Final

import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import ACME, LATER, Client, client_of, keep, record_of, storage_of

from scimcore.engine.immediate import finish, opened
from scimcore.errors import TooManyError
from scimcore.provisioning.finding import equal_to, found
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.membership import effective_members, left_groups, restored_groups
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.rules.filter import matches, parse_filter
from scimcore.schema.standard import GROUP
from scimcore.storage.protocol import Record, Session, SyncStorage
from scimcore.storage.protocol import Storage as AsyncStorage

STORAGES: Final = pytest.mark.parametrize("kind", ["memory", "sqlite"])


def group(id: str, *members: str, typed: bool = True) -> Record:
    """A group; the ids of groups begin with g."""
    elements = [
        {"value": one, "type": "Group" if one.startswith("g") else "User"} if typed else {"value": one}
        for one in members
    ]
    return record_of(PROVISIONED_GROUP, id, displayName=id, **({"members": elements} if elements else {}))


def user(id: str) -> Record:
    return record_of(PROVISIONED_USER, id, userName=id)


def members(okta: Client, id: str) -> list[str]:
    return [one["value"] for one in okta.send("GET", f"/Groups/{id}").body.get("members", [])]


def adding(*ids: str) -> dict[str, object]:
    return {"op": "add", "path": "members", "value": [{"value": id} for id in ids]}


# Unknown members


@pytest.mark.parametrize(("policy", "status"), [(UnknownMembers(), 200), (UnknownMembers("refuse"), 400)])
def test_unknown_members_are_skipped_and_noted_or_refused(
    make_face: Maker, policy: UnknownMembers, status: int
) -> None:
    okta = client_of(make_face, policy)
    keep(okta.face.storage, user("u1"), group("g1"))
    answer = okta.send("PUT", "/Groups/g1", {"displayName": "A", "members": [{"value": v} for v in ("u1", "x", "y")]})
    assert answer.status == status
    if status == 200:
        assert members(okta, "g1") == ["u1"]
        assert [(note.what, note.detail) for note in okta.last.notes] == [
            ("skipped", 'members: no resource has the id "x"'),
            ("skipped", 'members: no resource has the id "y"'),
        ]
    else:
        detail = okta.face.refused(answer, 400, "invalidValue")
        assert '"x"' in detail
        assert '"y"' in detail
        assert members(okta, "g1") == []


@pytest.mark.parametrize(("policy", "status"), [(UnknownMembers(), 201), (UnknownMembers("refuse"), 400)])
def test_the_same_holds_for_a_new_group(make_face: Maker, policy: UnknownMembers, status: int) -> None:
    okta = client_of(make_face, policy)
    assert okta.send("POST", "/Groups", {"displayName": "A", "members": [{"value": "x" * 500}]}).status == status
    assert len(okta.face.stored()) == (1 if status == 201 else 0)


def test_known_members_are_no_news(make_face: Maker) -> None:
    okta = client_of(make_face, UnknownMembers("refuse"))
    keep(okta.face.storage, user("u1"), group("g1"))
    assert okta.patch("/Groups/g1", adding("u1")).status in (200, 204)
    assert okta.noted == []


# Groups in groups

GROUPS: Final = (group("g1", "g2"), group("g2", "g3", "u1"), group("g3"), group("g4"), user("u1"))
"""g1 contains g2, and that g3."""


@pytest.mark.parametrize(
    ("holder", "member", "is_circle"),
    [
        ("g1", "g3", False),
        ("g1", "g4", False),
        ("g4", "g1", False),
        ("g3", "u1", False),
        ("g1", "g1", True),
        ("g2", "g1", True),
        ("g3", "g1", True),
        ("g3", "g2", True),
    ],
)
@pytest.mark.parametrize("way", ["patch", "put"])
def test_a_circle_is_refused(make_face: Maker, holder: str, member: str, is_circle: bool, way: str) -> None:
    okta = client_of(make_face, NestedGroups())
    keep(okta.face.storage, *GROUPS)
    before = members(okta, holder)
    if way == "patch":
        answer = okta.patch(f"/Groups/{holder}", adding(member))
    else:
        elements = [{"value": one} for one in [*before, member]]
        answer = okta.send("PUT", f"/Groups/{holder}", {"displayName": holder, "members": elements})
    if is_circle:
        assert f'"{member}"' in okta.face.refused(answer, 400, "invalidValue")
    else:
        assert answer.status in (200, 204)
    assert members(okta, holder) == (before if is_circle else [*before, member])


def test_groups_in_groups_can_be_refused_altogether(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups("refuse"))
    keep(okta.face.storage, *GROUPS)
    okta.face.refused(okta.patch("/Groups/g4", adding("g3")), 400, "invalidValue")
    okta.face.refused(
        okta.send("POST", "/Groups", {"displayName": "A", "members": [{"value": "g3"}]}), 400, "invalidValue"
    )
    assert okta.patch("/Groups/g4", adding("u1")).status in (200, 204)
    # What is there already is not asked about again.
    assert okta.set("/Groups/g1", displayName="A").status == 200
    assert okta.patch("/Groups/g2", adding("g3")).status in (200, 204)


def test_what_has_no_members_is_let_alone(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups("refuse"), UnknownMembers("refuse"))
    id = okta.created("/Users", userName="a")
    assert okta.send("DELETE", f"/Users/{id}").status == 204


def test_a_new_group_may_contain_groups(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups())
    keep(okta.face.storage, *GROUPS)
    id = okta.created("/Groups", displayName="A", members=[{"value": "g1"}, {"value": "u1"}])
    assert members(okta, id) == ["g1", "u1"]


def test_a_circle_that_is_there_already_ends_the_walk_and_is_told(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups())
    keep(okta.face.storage, group("g1", "g2"), group("g2", "g1"), group("g3"), group("g4"))
    assert okta.patch("/Groups/g1", adding("g3")).status in (200, 204)
    okta.face.refused(okta.patch("/Groups/g3", adding("g2")), 400, "invalidValue")


def test_a_wide_and_a_deep_house_of_groups_is_walked_to_its_end(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups())
    wide = [group(f"gw{number}", "g0") for number in range(260)]
    deep = [group(f"gd{number + 1}", f"gd{number}") for number in range(60)]
    keep(okta.face.storage, group("g0"), group("gd0", "gw0"), *wide, *deep)
    okta.face.refused(okta.patch("/Groups/g0", adding("gd60")), 400, "invalidValue")
    okta.face.refused(okta.patch("/Groups/g0", adding("gw259")), 400, "invalidValue")


def test_the_walk_has_a_bound(make_face: Maker) -> None:
    okta = client_of(make_face, NestedGroups(most_groups=10))
    keep(okta.face.storage, group("g0"), group("gx"), *(group(f"gw{number}", "g0") for number in range(11)))
    assert "more than 10 groups" in okta.face.refused(okta.patch("/Groups/g0", adding("gx")), 400, "invalidValue")
    assert okta.patch("/Groups/gx", adding("g0")).status in (200, 204)


# Effective members

NESTED: Final = (
    group("g1", "g2", "u1"),
    group("g2", "g3", "u2", "u1"),
    group("g3", "g1", "u3"),
    group("g4"),
    group("g5", "g2", "u4", typed=False),
    *(user(f"u{number}") for number in range(1, 5)),
)
"""g1, g2 and g3 are a circle; g5 does not say of what types its members are."""


@STORAGES
@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("g1", {"u1", "u2", "u3"}),
        ("g2", {"u1", "u2", "u3"}),
        ("g4", set()),
        ("g5", {"u1", "u2", "u3", "u4"}),
        ("nosuch", set()),
    ],
)
def test_who_is_in_a_group_through_other_groups(kind: str, tmp_path: Path, id: str, expected: set[str]) -> None:
    with storage_of(kind, tmp_path) as storage:
        keep(storage, *NESTED)

        async def effective(most: int) -> frozenset[str]:
            async with opened(storage, ACME) as session:
                return await effective_members(session, id, most=most)

        assert finish(effective(100)) == expected
        if expected:
            with pytest.raises(TooManyError, match="more than 2"):
                finish(effective(2))


# Ending and restoring


@STORAGES
def test_memberships_end_and_come_back(kind: str, tmp_path: Path) -> None:
    with storage_of(kind, tmp_path) as storage:
        keep(storage, user("u1"), user("u2"), group("g1", "u1", "u2"), group("g2", "u1"), group("g3", "u2"))

        async def run() -> None:
            async with opened(storage, ACME) as session:
                assert await left_groups(session, PROVISIONED_USER, "u1", LATER) == ("g1", "g2")
            assert await shape(session_of=storage) == {"g1": ["u2"], "g2": [], "g3": ["u2"]}
            async with opened(storage, ACME) as session:
                assert await left_groups(session, PROVISIONED_USER, "u1", LATER) == ()
                assert await left_groups(session, PROVISIONED_USER, "nosuch", LATER) == ()
                shown = await restored_groups(session, PROVISIONED_USER, "u1", ["g9", "g2", "g3", "g2"], LATER)
                assert shown == tuple({"value": id, "display": id, "type": "direct"} for id in ("g2", "g3"))
            assert await shape(session_of=storage) == {"g1": ["u2"], "g2": ["u1"], "g3": ["u2", "u1"]}
            async with opened(storage, ACME) as session:
                again = await session.get(PROVISIONED_GROUP, "g2")
                await restored_groups(session, PROVISIONED_USER, "u1", ["g2"], LATER)
                assert await session.get(PROVISIONED_GROUP, "g2") == again
                assert again is not None
                assert (again.last_modified, again.version) == (LATER, 3)

        finish(run())


async def shape(session_of: SyncStorage | AsyncStorage) -> dict[str, list[object]]:
    async with opened(session_of, ACME) as session:
        records = await found(session, PROVISIONED_GROUP, equal_to("displayName", "g1", "g2", "g3"))
    return {one.id: [element["value"] for element in elements(one)] for one in records}


def elements(record: Record) -> list[dict[str, object]]:
    value = record.document.get("members", [])
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# Finding


@pytest.mark.parametrize("name", ['a" or displayName pr or displayName eq "', "\\", "\\u0022", "\n", "é" * 20_000, ""])
def test_a_value_never_becomes_part_of_a_filter(name: str) -> None:
    filter = equal_to("displayName", name)
    assert matches(filter, {"displayName": name}, GROUP)
    assert not matches(filter, {"displayName": "b"}, GROUP)


@STORAGES
def test_more_than_a_page_is_found(kind: str, tmp_path: Path) -> None:
    with storage_of(kind, tmp_path) as storage:
        keep(storage, *(user(f"u{number}") for number in range(450)))

        async def counted(session: Session, most: int | None) -> int:
            return len(await found(session, PROVISIONED_USER, parse_filter('userName sw "u"'), most=most))

        async def run() -> list[int]:
            async with opened(storage, ACME) as session:
                return [await counted(session, most) for most in (None, 250, 450, 1_000)]

        assert finish(run()) == [450, 250, 450, 450]
