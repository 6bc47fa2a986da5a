"""What an update changes, attribute by attribute; applied to the old document it gives the new one."""

from collections.abc import Iterator
from copy import deepcopy

import pytest

from scimcore.rules.delta import Delta, delta_between, same, unordered
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [
        pytest.param({}, {}, Delta(), id="nothing"),
        pytest.param({"a": 1}, {"a": 1}, Delta(), id="equal"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, Delta(), id="another order of names"),
        pytest.param({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, Delta(), id="another order of parts"),
        pytest.param({}, {"a": "x"}, Delta({"a": "x"}), id="assigned anew"),
        pytest.param({"a": "x"}, {"a": "y"}, Delta({"a": "y"}), id="assigned"),
        pytest.param({"a": 1}, {"a": True}, Delta({"a": True}), id="true is not 1"),
        pytest.param({"a": {"b": 0}}, {"a": {"b": False}}, Delta({"a": {"b": False}}), id="nor is 0 false, inside"),
        pytest.param({"a": "x", "b": 1}, {"b": 1}, Delta(unassigned=frozenset({"a"})), id="unassigned"),
        pytest.param(
            {"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, Delta({"a": {"x": 1, "y": 3}}), id="complex, whole"
        ),
        pytest.param({}, {"l": ["a", "b"]}, Delta(added={"l": ("a", "b")}), id="a list anew"),
        pytest.param({"l": ["a"]}, {"l": ["a", "b"]}, Delta(added={"l": ("b",)}), id="an element added"),
        pytest.param({"l": ["a", "b"]}, {"l": ["b"]}, Delta(removed={"l": ("a",)}), id="an element removed"),
        pytest.param({"l": ["a", "b"]}, {}, Delta(removed={"l": ("a", "b")}), id="all elements removed"),
        pytest.param(
            {"l": ["a", "b"]}, {"l": ["b", "c"]}, Delta(added={"l": ("c",)}, removed={"l": ("a",)}), id="both"
        ),
        pytest.param(
            {"l": [{"value": "1"}, {"value": "2"}]},
            {"l": [{"value": "2"}, {"value": "3"}]},
            Delta(added={"l": ({"value": "3"},)}, removed={"l": ({"value": "1"},)}),
            id="objects",
        ),
        pytest.param({"l": ["a", "b"]}, {"l": ["b", "a"]}, Delta({"l": ["b", "a"]}), id="another order"),
        pytest.param({"l": ["a", "b"]}, {"l": ["c", "b"]}, Delta({"l": ["c", "b"]}), id="in place"),
        pytest.param({"l": ["a", "a"]}, {"l": ["a"]}, Delta({"l": ["a"]}), id="one of two equal elements"),
        pytest.param({"l": ["a"]}, {"l": ["a", "a"]}, Delta(added={"l": ("a",)}), id="an equal element again"),
        pytest.param({"l": [1]}, {"l": [True]}, Delta(added={"l": (True,)}, removed={"l": (1,)}), id="1 for true"),
        pytest.param({"l": "a"}, {"l": ["a"]}, Delta({"l": ["a"]}), id="a list for a text"),
        pytest.param({"l": ["a"]}, {"l": "a"}, Delta({"l": "a"}), id="a text for a list"),
    ],
)
def test_a_delta_says_exactly_what_changes(before: Document, after: Document, delta: Delta) -> None:
    old, new = deepcopy(before), deepcopy(after)
    found = delta_between(before, after)
    assert found == delta
    assert same(found.applied_to(before), after)
    assert bool(found) == (not same(before, after))
    assert (before, after) == (old, new)


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [
        pytest.param([1, 2, 3], [3, 1, 2], Delta(), id="another order"),
        pytest.param([1, 2, 3], [4, 3, 1], Delta(added={"l": (4,)}, removed={"l": (2,)}), id="and others"),
        pytest.param([1, 2], [3, 2], Delta(added={"l": (3,)}, removed={"l": (1,)}), id="in place"),
        pytest.param([1, 2], [2], Delta(removed={"l": (1,)}), id="fewer"),
    ],
)
def test_elements_without_an_order_only_come_and_go(before: Json, after: Json, delta: Delta) -> None:
    assert delta_between({"l": before, "o": before}, {"l": after, "o": before}, unordered=("l",)) == delta


def test_only_references_to_other_resources_come_and_go() -> None:
    assert unordered(GROUP) == {"members"}
    assert unordered(USER) == frozenset()


def test_a_delta_knows_the_attributes_that_change() -> None:
    delta = Delta({"a": 1}, frozenset({"b"}), {"c": ("x",)}, {"d": ("y",)})
    assert delta.attributes == {"a", "b", "c", "d"}


def test_an_empty_delta_gives_the_document_itself() -> None:
    document: Document = {"a": 1}
    assert Delta().applied_to(document) is document
    assert not Delta()


def test_a_delta_shares_what_it_does_not_change() -> None:
    document: Document = {"a": {"x": 1}, "b": 1}
    assert Delta({"b": 2}).applied_to(document)["a"] is document["a"]


def test_a_list_without_elements_left_is_not_there() -> None:
    assert Delta(removed={"l": ("a",)}).applied_to({"l": ["a"], "b": 1}) == {"b": 1}


def test_elements_are_added_to_a_list_that_is_not_there() -> None:
    assert Delta(added={"l": ("a",)}).applied_to({}) == {"l": ["a"]}


def test_an_appended_element_is_found_without_a_look_at_the_others() -> None:
    class Untouchable(list[Json]):
        def __iter__(self) -> Iterator[Json]:
            raise AssertionError("looked at")

        def __eq__(self, other: object) -> bool:
            return self is other

    shared: list[Json] = [Untouchable() for _ in range(3)]
    assert delta_between({"l": shared}, {"l": [*shared, "new"]}).added == {"l": ("new",)}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (None, None, True),
        (1, 1.0, True),
        (True, 1, False),
        (False, 0, False),
        ("1", 1, False),
        ([], {}, False),
        ([1, True], [1, True], True),
        ([1, True], [True, 1], False),
        ({"a": [True]}, {"a": [1]}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ("é", "e\u0301", False),
    ],
)
def test_values_are_the_same_as_json_sees_them(one: Json, other: Json, is_same: bool) -> None:
    assert same(one, other) is is_same
    assert same(other, one) is is_same
