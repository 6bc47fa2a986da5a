"""A PUT puts the sent document in the place of the stored one, within mutability (RFC 7644 §3.5.1)."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Final

import pytest

from scimcore.errors import MutabilityError
from scimcore.rules.receive import received
from scimcore.rules.replace import replaced
from scimcore.rules.tolerance import DEFAULT, STRICT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

URN: Final = ENTERPRISE_USER.id
BADGE_URN: Final = "urn:example:params:scim:schemas:extension:Badge"
BADGED: Final = ResourceType(
    name="Badged",
    endpoint="/Badged",
    schema=Schema(
        id="urn:example:params:scim:schemas:Badged",
        name="Badged",
        attributes=(
            Attribute(name="serial", mutability=Mutability.IMMUTABLE),
            Attribute(name="exact", mutability=Mutability.IMMUTABLE, case_exact=True),
            Attribute(name="issued", type=Type.DATE_TIME, mutability=Mutability.IMMUTABLE),
            Attribute(name="marks", multi_valued=True, mutability=Mutability.IMMUTABLE),
            Attribute(name="pin", mutability=Mutability.WRITE_ONLY),
            Attribute(name="uses", type=Type.INTEGER, mutability=Mutability.READ_ONLY),
            Attribute(name="label"),
            Attribute(
                name="owner",
                type=Type.COMPLEX,
                sub_attributes=(
                    Attribute(name="name"),
                    Attribute(name="since", mutability=Mutability.READ_ONLY),
                    Attribute(name="code", mutability=Mutability.IMMUTABLE),
                    Attribute(name="secret", mutability=Mutability.WRITE_ONLY),
                ),
            ),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id=BADGE_URN,
                name="Badge",
                attributes=(
                    Attribute(name="zone"),
                    Attribute(name="chip", mutability=Mutability.IMMUTABLE),
                    Attribute(name="reads", type=Type.INTEGER, mutability=Mutability.READ_ONLY),
                ),
            )
        ),
    ),
)


def put(
    current: Document, payload: Mapping[str, Json], resource_type: ResourceType = BADGED, tolerance: Tolerance = DEFAULT
) -> Document:
    """What PUT of *payload* makes of *current*, which stays as it was."""
    before = deepcopy(current)
    result = replaced(current, received(payload, resource_type), resource_type, tolerance)
    assert current == before
    return result


@pytest.mark.parametrize(
    ("current", "payload", "result"),
    [
        pytest.param(
            {"userName": "a", "emails": [{"value": "1"}, {"value": "2"}]},
            {"userName": "b", "emails": [{"value": "2"}]},
            {"userName": "b", "emails": [{"value": "2"}]},
            marks=pytest.mark.rfc("P-3.5.1-01"),
            id="what is sent replaces",
        ),
        pytest.param(
            {"userName": "a", "password": "old"},
            {"userName": "a", "password": "new"},
            {"userName": "a", "password": "new"},
            marks=pytest.mark.rfc("P-3.5.1-01"),
            id="a password that is sent replaces",
        ),
        pytest.param(
            {"userName": "a", "nickName": "n", "emails": [{"value": "1"}]},
            {"userName": "a"},
            {"userName": "a"},
            marks=pytest.mark.rfc("P-3.5.1-02"),
            id="what is left out is cleared",
        ),
        pytest.param(
            {"userName": "a", "roles": [{"value": "r"}], "title": "T"},
            {"userName": "a", "roles": [], "title": None},
            {"userName": "a"},
            marks=pytest.mark.rfc("P-3.5.1-03", "S-2.5-01"),
            id="null and the empty list clear",
        ),
        pytest.param(
            {"userName": "a", "password": "p"},
            {"userName": "b"},
            {"userName": "b", "password": "p"},
            marks=pytest.mark.rfc("P-3.5.1-04"),
            id="a password that is left out stays",
        ),
        pytest.param(
            {"userName": "a", "name": {"givenName": "G", "familyName": "F"}},
            {"userName": "a", "name": {"givenName": "H"}},
            {"userName": "a", "name": {"givenName": "H"}},
            marks=pytest.mark.rfc("P-3.5.1-01"),
            id="a complex value is replaced whole",
        ),
        pytest.param(
            {"id": "1", "userName": "a", "groups": [{"value": "g"}]},
            {"id": "2", "userName": "b", "groups": [], "meta": {"version": "x"}},
            {"id": "1", "userName": "b", "groups": [{"value": "g"}]},
            marks=pytest.mark.rfc("P-3.5.1-08", "S-3.1-14", "S-4.1.2-07", "S-2-01"),
            id="readOnly values stay",
        ),
        pytest.param(
            {"userName": "a", URN: {"department": "D"}},
            {"userName": "a"},
            {"userName": "a"},
            marks=pytest.mark.rfc("P-3.5.1-12"),
            id="an extension that is left out is cleared",
        ),
        pytest.param(
            {"userName": "a", URN: {"department": "D", "division": "V"}},
            {"userName": "a", URN: {"division": "W"}},
            {"userName": "a", URN: {"division": "W"}},
            id="what is left out of an extension is cleared",
        ),
        pytest.param(
            {"userName": "a", URN: {"manager": {"value": "1", "displayName": "M"}}},
            {"userName": "a", URN: {"manager": {"value": "1", "displayName": "X"}, "division": "V"}},
            {"userName": "a", URN: {"manager": {"value": "1", "displayName": "M"}, "division": "V"}},
            marks=pytest.mark.rfc("S-4.3-02"),
            id="readOnly values deep inside an extension stay",
        ),
        pytest.param(
            {"userName": "a", URN: {"manager": {"value": "1", "displayName": "M"}, "division": "V"}},
            {"userName": "a", URN: {"division": "V"}},
            {"userName": "a", URN: {"division": "V"}},
            id="a manager who is left out is nobody's",
        ),
    ],
)
def test_put_replaces_a_user(current: Document, payload: Mapping[str, Json], result: Document) -> None:
    assert put(current, payload, USER) == result


@pytest.mark.parametrize(
    ("current", "payload", "result"),
    [
        pytest.param({}, {"serial": "s"}, {"serial": "s"}, marks=pytest.mark.rfc("P-3.5.1-06", "S-7-09")),
        pytest.param({"serial": "s"}, {}, {"serial": "s"}, marks=pytest.mark.rfc("P-3.5.1-07")),
        pytest.param({"serial": "s"}, {"serial": "s"}, {"serial": "s"}, marks=pytest.mark.rfc("P-3.5.1-05")),
        pytest.param({"marks": ["a"]}, {"marks": ["a"]}, {"marks": ["a"]}, marks=pytest.mark.rfc("P-3.5.1-05")),
        pytest.param(
            {"uses": 5}, {"uses": 6, "label": "L"}, {"uses": 5, "label": "L"}, marks=pytest.mark.rfc("S-7-08")
        ),
        pytest.param({"owner": {"name": "n"}}, {}, {}, id="a complex value"),
        pytest.param(
            {"owner": {"name": "n", "since": "s", "code": "c", "secret": "x"}},
            {"owner": {"name": "m", "since": "never"}},
            {"owner": {"name": "m", "since": "s", "code": "c", "secret": "x"}},
            marks=pytest.mark.rfc("P-3.5.1-08", "P-3.5.1-07", "P-3.5.1-04"),
        ),
        pytest.param(
            {BADGE_URN: {"zone": "z", "chip": "c", "reads": 5}},
            {BADGE_URN: {"zone": "y", "chip": "c", "reads": 6}},
            {BADGE_URN: {"zone": "y", "chip": "c", "reads": 5}},
            marks=pytest.mark.rfc("P-3.5.1-05", "P-3.5.1-08"),
        ),
        pytest.param(
            {BADGE_URN: {"zone": "z", "chip": "c", "reads": 5}},
            {"label": "L"},
            {"label": "L", BADGE_URN: {"chip": "c", "reads": 5}},
            marks=pytest.mark.rfc("P-3.5.1-07", "P-3.5.1-08"),
        ),
        pytest.param({BADGE_URN: {"zone": "z"}}, {"label": "L"}, {"label": "L"}, marks=pytest.mark.rfc("P-3.5.1-12")),
    ],
)
def test_put_keeps_what_the_client_has_no_say_over(
    current: Document, payload: Mapping[str, Json], result: Document
) -> None:
    assert put(current, payload) == result


@pytest.mark.rfc("P-3.5.1-05", "S-7-09")
@pytest.mark.parametrize(
    ("current", "payload", "path"),
    [
        ({"serial": "s"}, {"serial": "t"}, "serial"),
        ({"exact": "s"}, {"exact": "S"}, "exact"),
        ({"issued": "2020-01-01T00:00:00Z"}, {"issued": "2020-01-01T00:00:01Z"}, "issued"),
        ({"marks": ["a"]}, {"marks": ["a", "b"]}, "marks"),
        ({"owner": {"code": "c"}}, {"owner": {"code": "d"}}, "owner.code"),
        ({BADGE_URN: {"chip": "c"}}, {BADGE_URN: {"chip": "d"}}, f"{BADGE_URN}:chip"),
    ],
)
def test_put_cannot_change_an_immutable_value(current: Document, payload: Mapping[str, Json], path: str) -> None:
    with pytest.raises(MutabilityError) as refusal:
        put(current, {**payload, "label": "L"})
    assert refusal.value.path == path


@pytest.mark.rfc("P-3.5.1-05")
def test_an_immutable_value_is_repeated_as_its_attribute_compares() -> None:
    current: Document = {"serial": "Abc", "issued": "2020-01-01T00:00:00Z"}
    assert put(current, {"serial": "aBC", "issued": "2020-01-01T01:00:00+01:00"}).keys() == current.keys()


# A group's members


MEMBERS: Final[Json] = [{"value": "1", "display": "One"}, {"value": "2"}]


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ([{"value": "2"}], [{"value": "2"}]),
        ([{"value": "3"}, {"value": "1"}], [{"value": "1", "display": "One"}, {"value": "3"}]),
        ([{"value": "1", "display": "Other"}], [{"value": "1", "display": "One"}]),
        ([], None),
        (None, None),
    ],
)
@pytest.mark.rfc("S-4.2-02", "P-3.5.1-01")
def test_members_come_and_go_and_never_change(members: Json, result: Json) -> None:
    after = put({"displayName": "G", "members": MEMBERS}, {"displayName": "G", "members": members}, GROUP)
    assert after.get("members") == result


def test_the_same_members_in_another_order_are_the_same_list() -> None:
    current: Document = {"displayName": "G", "members": MEMBERS}
    assert put(current, {"displayName": "G", "members": [{"value": "2"}, {"value": "1"}]}, GROUP) is current


@pytest.mark.parametrize(
    ("resource_type", "current"),
    [
        (GROUP, {"displayName": "G", "members": MEMBERS}),
        (GROUP, {"displayName": "G", "externalId": "e"}),
        (USER, {"userName": "G", "externalId": "e"}),
    ],
)
def test_what_links_a_resource_stays_when_it_is_left_out_unless_strictly(
    resource_type: ResourceType, current: Document
) -> None:
    (name,) = current.keys() - {"displayName", "userName"}
    sent = {key: value for key, value in current.items() if key != name}
    assert put(current, sent, resource_type) is current
    assert put(current, sent, resource_type, STRICT) == sent
    assert put(current, sent, resource_type, Tolerance(put_keeps_linkage=False)) == sent
    assert put(current, {**sent, name: None}, resource_type) == sent


@pytest.mark.rfc("P-3.5.1-13", "S-2.3.8-01")
def test_put_of_what_is_stored_gives_the_same_object() -> None:
    current: Document = {
        "id": "1",
        "userName": "a",
        "password": "p",
        "name": {"givenName": "G", "familyName": "F"},
        "emails": [{"value": "1", "type": "work"}],
        URN: {"manager": {"value": "1", "displayName": "M"}},
    }
    payload: Document = {
        URN: {"manager": {"value": "1"}},
        "emails": [{"type": "work", "value": "1"}],
        "name": {"familyName": "F", "givenName": "G"},
        "userName": "a",
    }
    assert put(current, payload, USER) is current


def test_what_does_not_change_is_shared() -> None:
    current: Document = {"userName": "a", "emails": [{"value": "1"}], "name": {"givenName": "G"}}
    after = put(current, {"userName": "b", "emails": [{"value": "1"}], "name": {"givenName": "G"}}, USER)
    assert after["emails"] is current["emails"]
    assert after["name"] is current["name"]


@pytest.mark.rfc("P-3.5.1-04")
@pytest.mark.parametrize(("payload", "pin"), [({}, "1234"), ({"pin": None}, None), ({"pin": "9"}, "9")])
def test_a_write_only_value_stays_unless_it_is_replaced_or_cleared_by_name(payload: dict[str, Json], pin: Json) -> None:
    assert put({"id": "1", "pin": "1234"}, payload).get("pin") == pin
