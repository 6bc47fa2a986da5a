"""Changing a membership costs what the change costs, not what the group does; and without keys it means the same."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from tests.engine.conftest import Answer, Face, Maker

from scimcore.rules.limits import Limits
from scimcore.schema.document import Json
from scimcore.storage.protocol import Change

SIZE = 60
FEW = Limits(inline_members=50)


@attrs.define
class Recorder:
    """Every call of a session since it was last looked at."""

    calls: list[tuple[str, tuple[Any, ...]]] = attrs.field(factory=list)

    def __call__(self, call: str, arguments: tuple[Any, ...]) -> None:
        self.calls.append((call, arguments))

    @property
    def elements_read(self) -> list[Json]:
        """Of `members`, the keys that each reading asked for; None for all of them."""
        return [
            None if arguments[2].get("members") is None else sorted(arguments[2]["members"])
            for call, arguments in self.calls
            if call == "get"
        ]

    @property
    def changes(self) -> list[Change]:
        return [arguments[0] for call, arguments in self.calls if call == "update"]


@attrs.define
class Big:
    """A group of `SIZE` users, and what its storage is asked."""

    face: Face
    recorder: Recorder
    users: list[str]
    group: str

    def patch(self, *operations: Json, query: str = "", headers: dict[str, str] | None = None) -> Answer:
        self.recorder.calls.clear()
        self.face.told.clear()
        return self.face.patch(f"/Groups/{self.group}{query}", *operations, headers=headers)

    @property
    def members(self) -> list[str]:
        body = self.face.send("GET", f"/Groups/{self.group}").body
        return [member["value"] for member in body.get("members", [])]


@pytest.fixture
def big(make_face: Maker) -> Big:
    """A group with more members than are shown unasked."""
    recorder = Recorder()
    face = make_face(watch=recorder, limits=FEW)
    users = [face.user(f"u{number}") for number in range(SIZE + 2)]
    return Big(face, recorder, users, face.group("Guides", users[:SIZE]))


def added(*ids: str) -> Json:
    return {"op": "add", "path": "members", "value": [{"value": id} for id in ids]}


def removed(id: str) -> Json:
    return {"op": "remove", "path": f'members[value eq "{id}"]'}


Operations = Callable[[Big], tuple[list[Json], set[str]]]
"""Of a group, the operations and the members that they name."""

NAMING: dict[str, Operations] = {
    "add one": lambda big: ([added(big.users[-1])], {big.users[-1]}),
    "add two, one of them there": lambda big: ([added(big.users[-1], big.users[0])], {big.users[-1], big.users[0]}),
    "add without a path": lambda big: (
        [{"op": "add", "value": {"members": {"value": big.users[-1]}}}],
        {big.users[-1]},
    ),
    "remove by filter": lambda big: ([removed(big.users[3])], {big.users[3]}),
    "remove by value": lambda big: (
        [{"op": "remove", "path": "members", "value": [{"value": big.users[3]}]}],
        {big.users[3]},
    ),
    "add and remove": lambda big: ([added(big.users[-1]), removed(big.users[0])], {big.users[-1], big.users[0]}),
    "rename": lambda _: ([{"op": "replace", "path": "displayName", "value": "G"}], set()),
}


@pytest.mark.parametrize("name", NAMING)
def test_a_patch_reads_the_members_it_names_and_no_others(big: Big, name: str) -> None:
    operations, named = NAMING[name](big)
    answer = big.patch(*operations)
    assert (answer.status, answer.raw) == (204, b"")
    assert big.recorder.elements_read == [sorted(named)]
    (change,) = big.recorder.changes
    for document in (change.before.document, change.after.document):
        elements = document.get("members", [])
        assert isinstance(elements, list)
        assert {element["value"] for element in elements} <= named


@pytest.mark.rfc("P-3.5.2-17", "P-3.5.2.1-05", "P-3.5.2.2-04")
def test_a_change_of_a_big_group_is_answered_without_it(big: Big) -> None:
    answer = big.patch(added(big.users[-1]), removed(big.users[0]))
    assert answer.status == 204
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.headers["location"].endswith(f"/Groups/{big.group}")
    assert big.face.send("GET", f"/Groups/{big.group}").headers["etag"] == 'W/"2"'
    assert set(big.members) == {*big.users[1:SIZE], big.users[-1]}


@pytest.mark.rfc("P-3.5.2-18")
@pytest.mark.parametrize(
    ("query", "read"),
    [("?attributes=members", None), ("?attributes=displayName", []), ("?excludedAttributes=members", [])],
)
def test_attributes_bring_the_answer_back(big: Big, query: str, read: Json) -> None:
    new = big.users[-1]
    answer = big.patch(added(new), query=query)
    assert answer.status == 200
    assert ("members" in answer.body) == (read is None)
    assert len(answer.body.get("members", [])) in (0, SIZE + 1)
    assert big.recorder.elements_read == ([[new], None] if read is None else [[new]])


def test_a_group_of_no_more_members_than_the_limit_comes_back_whole(big: Big) -> None:
    small = big.face.group("Small", big.users[:49])
    whole = big.face.patch(f"/Groups/{small}", added(big.users[50]))
    assert whole.status == 200
    assert len(whole.body["members"]) == 50
    assert big.face.patch(f"/Groups/{small}", added(big.users[51])).status == 204


@pytest.mark.rfc("P-3.5.2.1-07", "P-3.5.2.2-08")
@pytest.mark.parametrize("query", ["", "?attributes=displayName"])
def test_a_repeat_changes_nothing_and_writes_nothing(big: Big, query: str) -> None:
    answer = big.patch(added(big.users[0], big.users[5]), removed(big.users[-1]), query=query)
    assert answer.status == (200 if query else 204)
    assert answer.headers["etag"] == 'W/"1"'
    assert big.recorder.changes == []
    assert [event.happening for event in big.face.events] == ["unchanged"]


def test_a_change_of_members_alone_does_not_lean_on_the_version(big: Big) -> None:
    big.patch(added(big.users[-1]))
    big.patch(removed(big.users[-1]))
    assert [change.expected for change in big.recorder.changes] == [None]


def test_a_change_of_anything_else_leans_on_the_version(big: Big) -> None:
    big.patch(added(big.users[-1]), {"op": "replace", "path": "displayName", "value": "G"})
    assert [change.expected for change in big.recorder.changes] == [1]


@pytest.mark.rfc("P-3.14-04")
def test_a_change_of_members_under_if_match_leans_on_the_version(big: Big) -> None:
    assert big.patch(added(big.users[-1]), headers={"If-Match": 'W/"1"'}).status == 204
    assert [change.expected for change in big.recorder.changes] == [1]
    big.face.refused(big.patch(removed(big.users[0]), headers={"If-Match": 'W/"1"'}), 412)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": []},
        {"op": "remove", "path": "members", "value": None},
    ],
)
@pytest.mark.rfc("P-3.5.2.2-03")
def test_what_touches_all_members_reads_them(big: Big, operation: Json) -> None:
    answer = big.patch(operation)
    assert answer.status == 200
    assert big.recorder.elements_read == [None]
    assert big.members == []
    (event,) = big.face.events
    assert len(event.delta.removed["members"]) == SIZE


def test_members_that_do_not_exist_are_skipped_and_reported(big: Big) -> None:
    new = big.users[-1]
    answer = big.patch(added("nobody", new, 'x"y'))
    assert answer.status == 204
    assert big.members[-1] == new
    assert len(big.members) == SIZE + 1
    assert big.face.events[0].ignored[:1] == ('members[value eq "nobody"]',)
    assert len(big.face.events[0].ignored) == 2


def test_only_members_that_do_not_exist_change_nothing(big: Big) -> None:
    answer = big.patch(added("nobody"))
    assert (answer.status, answer.headers["etag"]) == (204, 'W/"1"')
    assert [event.happening for event in big.face.events] == ["unchanged"]


def test_a_member_is_known_by_its_id_whatever_type_the_client_claims(big: Big) -> None:
    claimed = {"value": big.users[-1], "type": "Group", "$ref": "https://evil.example/Groups/1"}
    big.patch({"op": "add", "path": "members", "value": [claimed]})
    last = big.face.send("GET", f"/Groups/{big.group}").body["members"][-1]
    assert last["type"] == "User"
    assert last["$ref"].endswith(f"/v2/Users/{big.users[-1]}")


def test_lists_that_do_not_show_members_do_not_read_them(big: Big) -> None:
    big.recorder.calls.clear()
    big.face.send("GET", "/Groups?excludedAttributes=members")
    big.face.send("GET", f"/Groups/{big.group}?attributes=displayName")
    big.face.send("GET", f'/Groups?attributes=id&filter=members.value eq "{big.users[0]}"')
    reads = [arguments for call, arguments in big.recorder.calls if call in ("get", "search")]
    elements = [arguments[2] if len(arguments) == 3 else arguments[0].elements for arguments in reads]
    assert elements == [{"members": ()}] * 3


CONVERSATION: list[tuple[str, str, Json]] = [
    ("PATCH", "/Groups/id-6", {"Operations": [added("id-4")]}),
    ("PATCH", "/Groups/id-6", {"Operations": [added("id-4")]}),
    ("PATCH", "/Groups/id-6", {"Operations": [added("nobody", "id-3"), removed("id-1")]}),
    ("PATCH", "/Groups/id-6?attributes=members", {"Operations": [removed("id-2")]}),
    ("PATCH", "/Groups/id-6", {"Operations": [{"op": "remove", "path": "members[display pr]"}]}),
    ("PATCH", "/Groups/id-6", {"Operations": [{"op": "replace", "path": "members", "value": [{"value": "id-5"}]}]}),
    ("PATCH", "/Groups/id-6", {"Operations": [{"op": "replace", "path": "displayName", "value": "Renamed"}]}),
    ("GET", "/Users/id-5", None),
    ("PATCH", "/Users/id-5", {"Operations": [{"op": "add", "path": "title", "value": "T"}]}),
    ("PUT", "/Users/id-5", {"userName": "u4", "groups": []}),
    ("PUT", "/Groups/id-6", {"displayName": "Put", "members": [{"value": "id-1"}, {"value": "id-2"}]}),
    ("PUT", "/Groups/id-6", {"displayName": "Put"}),
    ("DELETE", "/Users/id-1", None),
    ("GET", "/Groups/id-6", None),
    ("GET", '/?filter=groups.value eq "id-6" or members pr', None),
    ("PATCH", "/Groups/id-6", {"Operations": [{"op": "remove", "path": "members"}]}),
    ("DELETE", "/Groups/id-6", None),
    ("GET", "/", None),
]


def test_a_storage_that_keys_nothing_behaves_the_same(make_face: Maker) -> None:
    """But for the answer to an addition or removal that changes nothing: there is no reason to withhold its body."""
    recorder = Recorder()
    keyed, plain = make_face(), make_face(keyed={}, watch=recorder)
    for face in (keyed, plain):
        face.group("Guides", [face.user(f"u{number}") for number in range(5)][:2])
    for method, target, body in CONVERSATION:
        expected, answer = keyed.send(method, target, body), plain.send(method, target, body)
        if expected.status == 204 and method == "PATCH":
            assert answer.status == 200
            assert answer.headers["etag"] == expected.headers["etag"]
        else:
            assert answer == expected, (method, target)
    assert plain.stored() == keyed.stored()
    assert [attrs.evolve(event, at=keyed.events[0].at) for event in plain.events] == [
        attrs.evolve(event, at=keyed.events[0].at) for event in keyed.events
    ]
    assert all(arguments[2] == {} for call, arguments in recorder.calls if call == "get")
    assert not any(call == "count" for call, _ in recorder.calls)


@pytest.mark.rfc("P-3.5.2-14")
@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("second", range(6))
def test_members_that_are_named_may_change_places_and_no_other_is_lost(big: Big, first: int, second: int) -> None:
    """A storage gives the elements that were named in any order; only which of them come and go may count."""
    one, other = big.users[first], big.users[10 + second]
    again: Json = {"op": "add", "path": "members", "value": [{"value": one}, {"value": other}]}
    answer = big.patch({"op": "remove", "path": f'members[value eq "{one}"]'}, again)
    assert answer.status in (200, 204)
    assert sorted(big.members) == sorted(big.users[:SIZE])
