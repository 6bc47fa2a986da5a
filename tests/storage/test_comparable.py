"""Keys as text: they stand in the order of the rules, whatever compares them code point by code point."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.rules.compare import comparison_key
from scimcore.rules.syntax import Operator
from scimcore.rules.terms import Comparison, predicate
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import Place
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, USER
from scimcore.storage.comparable import comparable, keys_of, sort_key
from scimcore.testing import strategies

_MOMENTS = st.builds(
    "{:04}-{:02}-{:02}T{:02}:00:{:02}{}{}".format,
    st.integers(1, 9999) | st.sampled_from([123456789, 1970]),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["", ".0", ".5", ".50", ".123456789012", ".49"]),
    st.sampled_from(["Z", "", "+14:00", "-08:30", "+00:00"]),
) | st.sampled_from(["-0001-01-01T00:00:00Z", "-123456789-12-31T23:59:59Z", "2026-12-31T24:00:00Z"])
_NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53).map(float)
    | st.sampled_from([0, -0.0, 5e-324, -5e-324, 1e308, 2**1100, -(2**1100), 0.1, 1e23, 10**23, 2**53, 2**53 + 1])
)
_TEXTS = strategies.texts() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
VALUES: Sequence[tuple[Attribute, st.SearchStrategy[Json]]] = [
    (Attribute(name="text"), _TEXTS),
    (Attribute(name="text", case_exact=True), _TEXTS),
    (Attribute(name="text", type=Type.REFERENCE), _TEXTS),
    (Attribute(name="flag", type=Type.BOOLEAN), st.booleans()),
    (Attribute(name="size", type=Type.INTEGER), _NUMBERS),
    (Attribute(name="size", type=Type.DECIMAL), _NUMBERS),
    (Attribute(name="when", type=Type.DATE_TIME), _MOMENTS),
]


@pytest.mark.parametrize(("attribute", "values"), VALUES, ids=lambda given: getattr(given, "type", None))
@given(data=st.data())
def test_keys_stand_in_the_order_of_the_rules(
    attribute: Attribute, values: st.SearchStrategy[Json], data: st.DataObject
) -> None:
    one, other = data.draw(values), data.draw(values)
    mine, theirs = comparable(attribute, one), comparable(attribute, other)
    assert mine is not None
    assert theirs is not None
    assert (mine == theirs) == (comparison_key(attribute, one) == comparison_key(attribute, other))
    if attribute.type is not Type.BOOLEAN:
        is_less = predicate(Comparison(Place(None, attribute), Operator.LT, other))
        assert (mine < theirs) == is_less({attribute.name: one})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Type.STRING, 5),
        (Type.STRING, ["x"]),
        (Type.BOOLEAN, 1),
        (Type.BOOLEAN, "true"),
        (Type.INTEGER, True),
        (Type.DECIMAL, "1"),
        (Type.DECIMAL, float("nan")),
        (Type.DECIMAL, float("-inf")),
        (Type.DATE_TIME, "2026-02-29T00:00:00Z"),
        (Type.DATE_TIME, 5),
        (Type.COMPLEX, {"value": "x"}),
    ],
)
def test_a_value_of_another_type_has_no_key(kind: Type, value: Json) -> None:
    assert comparable(Attribute(name="odd", type=kind), value) is None


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ({"userName": "A", "title": ""}, {"userName": "a", "title": "", "!title": True}),
        ({"title": 5, "nickName": None, "unknown": "x"}, {"title": None}),
        ({"id": "1", "schemas": ["x"], "meta": {"version": "x"}}, {}),
        ({"name": {"givenName": "G", "unknown": "x"}}, {"name": {"givenName": "g"}}),
        ({"name": {"unknown": "x"}}, {"name": {}}),
        ({"name": {"givenName": ""}}, {"name": {"givenName": "", "!givenName": True}, "!name": True}),
        ({"emails": {"value": "A"}}, {"emails": [{"value": "a"}]}),
        ({"emails": ["odd", {"value": 5}, {}]}, {"emails": [{"value": None}, {}]}),
        ({"emails": [], "name": {}}, {"emails": [], "!emails": True, "name": {}, "!name": True}),
        ({"emails": {}, "phoneNumbers": None}, {"emails": [{}], "!emails": True}),
        ({ENTERPRISE_USER.id: None}, {ENTERPRISE_USER.id: {}, f"!{ENTERPRISE_USER.id}": True}),
    ],
)
def test_keys_lie_where_the_values_do(document: dict[str, Json], keys: dict[str, Json]) -> None:
    assert keys_of(USER, document) == keys


def test_attributes_that_are_kept_elsewhere_have_no_keys() -> None:
    assert keys_of(USER, {"title": "x", "groups": [{"value": "1"}]}, {"groups"}) == {"title": "x"}


@pytest.mark.parametrize(
    ("name", "document", "key"),
    [
        ("title", {"title": "Boss"}, "boss"),
        ("title", {"title": 5}, None),
        ("title", {}, None),
        ("name.givenName", {"name": {"givenName": "G"}}, "g"),
        ("name.givenName", {"name": "G"}, None),
        ("employeeNumber", {ENTERPRISE_USER.id: {"employeeNumber": "7"}}, "7"),
        ("emails.value", {"emails": [{"type": "work"}, {"value": "b"}]}, None),
        ("emails.type", {"emails": [{"type": "Work"}, {"value": "b"}]}, "work"),
        ("emails.value", {"emails": []}, None),
    ],
)
def test_a_document_is_sorted_by_its_first_or_primary_value(
    name: str, document: dict[str, Json], key: str | None
) -> None:
    place = USER.place(name)
    assert place is not None
    assert sort_key(place, document) == key
