"""What a client sent becomes a canonical document, or every problem in it is named (RFC 7643 §2, RFC 7644 §3.3)."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Final

import pytest

from scimcore.errors import InvalidSyntaxError, InvalidValueError
from scimcore.rules.receive import received
from scimcore.rules.tolerance import DEFAULT, STRICT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

URN: Final = ENTERPRISE_USER.id
DEVICE_URN: Final = "urn:example:params:scim:schemas:Device"
WARRANTY_URN: Final = "urn:example:params:scim:schemas:extension:Warranty"
LISTS: Final = [
    one.name for one in USER.attributes.values() if one.multi_valued and one.is_writable and one.name != "schemas"
]

DEVICE: Final = ResourceType(
    name="Device",
    endpoint="/Devices",
    schema=Schema(
        id=DEVICE_URN,
        name="Device",
        attributes=(
            Attribute(name="serial", mutability=Mutability.IMMUTABLE),
            Attribute(name="pin", mutability=Mutability.WRITE_ONLY),
            Attribute(name="model", required=True, mutability=Mutability.READ_ONLY),
            Attribute(name="price", type=Type.DECIMAL),
            Attribute(name="ports", type=Type.INTEGER),
            Attribute(name="bought", type=Type.DATE_TIME),
            Attribute(name="firmware", type=Type.BINARY),
            Attribute(name="home", type=Type.REFERENCE),
            Attribute(name="enabled", type=Type.BOOLEAN),
            Attribute(name="colour", canonical_values=("red", "blue")),
            Attribute(name="grade", canonical_values=("A", "B"), case_exact=True),
            Attribute(name="tags", multi_valued=True),
            Attribute(
                name="keys",
                type=Type.COMPLEX,
                multi_valued=True,
                sub_attributes=(Attribute(name="code", required=True), Attribute(name="label")),
            ),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id=WARRANTY_URN,
                name="Warranty",
                attributes=(Attribute(name="years", type=Type.INTEGER, required=True), Attribute(name="terms")),
            )
        ),
    ),
)


def user(**attributes: Json) -> dict[str, Json]:
    return {"userName": "bj", **attributes}


def read(payload: Json, resource_type: ResourceType = USER, tolerance: Tolerance = DEFAULT) -> Mapping[str, Json]:
    return received(payload, resource_type, tolerance).document


def refused(payload: Json, resource_type: ResourceType = USER, tolerance: Tolerance = DEFAULT) -> list[str]:
    """The paths of the problems for which *payload* is refused."""
    with pytest.raises(InvalidValueError) as refusal:
        received(payload, resource_type, tolerance)
    return [problem.path for problem in refusal.value.problems]


def strictly(payload: Mapping[str, Json], resource_type: ResourceType = USER) -> dict[str, Json]:
    """*payload* with the `schemas` that a strict reading wants."""
    return {"schemas": [resource_type.schema.id, *resource_type.containers], **payload}


# The form of the body


@pytest.mark.rfc("P-3.3-09")
@pytest.mark.parametrize("payload", [None, [], "x", 5, True, [{"userName": "bj"}]])
def test_what_is_no_object_is_refused(payload: Json) -> None:
    with pytest.raises(InvalidSyntaxError):
        received(payload, USER)


@pytest.mark.rfc("S-2.1-02", "S-3.3-05")
def test_names_are_read_in_any_case_and_kept_as_the_schema_spells_them() -> None:
    payload: Json = {
        "USERNAME": "bj",
        "Name": {"FAMILYNAME": "J"},
        "eMails": [{"VALUE": "b@x", "Primary": True}],
        URN.upper(): {"EMPLOYEENUMBER": "1", "Manager": {"Value": "2"}},
    }
    assert read(payload) == {
        "userName": "bj",
        "name": {"familyName": "J"},
        "emails": [{"value": "b@x", "primary": True}],
        URN: {"employeeNumber": "1", "manager": {"value": "2"}},
    }


@pytest.mark.rfc("S-2.1-03")
@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"userName": "a", "username": "b"}, "userName"),
        ({"userName": "a", "title": None, "TITLE": "t"}, "title"),
        (user(name={"givenName": "a", "GIVENNAME": "a"}), "name.givenName"),
        (user(emails=[{"value": "a", "Value": "b"}]), "emails[0].value"),
        (user(**{URN: {}, URN.lower(): {}}), URN),
    ],
)
def test_a_name_that_stands_twice_is_ambiguous(payload: Json, name: str) -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        received(payload, USER)
    assert name in refusal.value.detail


@pytest.mark.rfc("S-2.3.8-01")
def test_the_order_of_members_means_nothing() -> None:
    one = user(title="T", name={"givenName": "G", "familyName": "F"})
    other: Json = {"name": {"familyName": "F", "givenName": "G"}, "title": "T", "userName": "bj"}
    assert read(one) == read(other)


@pytest.mark.rfc("S-2.3.1-01")
@pytest.mark.parametrize("text", ["Zoë 🚀", "e\u0301", " spaced ", 'quoted "', "x" * 100_000])
def test_text_is_kept_as_it_was_sent(text: str) -> None:
    assert read(user(displayName=text))["displayName"] == text


def test_reading_leaves_the_payload_as_it_was() -> None:
    payload = user(
        id="1", active="True", emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}], name=None
    )
    before = deepcopy(payload)
    received(payload, USER)
    assert payload == before


# Types


WRONG: Final[Mapping[Type, tuple[Json, ...]]] = {
    Type.STRING: (5, 1.5, True, ["a"], {"value": "a"}),
    Type.BOOLEAN: ("maybe", 1, 0, [True], {"value": True}),
    Type.REFERENCE: (5, True, "http://h/a b", "a\nb", ["a"], {"value": "a"}),
    Type.BINARY: (5, True, "@@", "QQ==\n", ["QQ=="], {"value": "QQ=="}),
    Type.COMPLEX: (5, True, ["a"], [[]]),
}


def placed(attribute: Attribute, value: Json) -> Json:
    return [value] if attribute.multi_valued else value


def wrong_values(resource_type: ResourceType) -> Iterator[tuple[str, dict[str, Json]]]:
    """For each attribute that a client may send, at any depth, its path and bodies with values of other types."""
    for attribute in resource_type.attributes.values():
        if attribute.is_writable and attribute.name != "schemas":
            is_container = attribute.name in resource_type.containers
            yield from wrong_below(attribute, "", ":" if is_container else ".")


def wrong_below(attribute: Attribute, prefix: str, joint: str) -> Iterator[tuple[str, dict[str, Json]]]:
    path = f"{prefix}{attribute.name}" + ("[0]" if attribute.multi_valued else "")
    for value in WRONG[attribute.type]:
        # One level of brackets around a list of values is that list.
        if not (attribute.multi_valued and isinstance(value, list)):
            yield path, {attribute.name: placed(attribute, value)}
    for sub in attribute.sub_attributes:
        if sub.is_writable and not (attribute.name == "members" and sub.name == "$ref"):
            for inner, body in wrong_below(sub, f"{path}{joint}", "."):
                yield inner, {attribute.name: placed(attribute, body)}


@pytest.mark.rfc("S-2.3-02", "S-2.3.7-01", "S-2.3.8-02", "S-4.1.2-04")
@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=["User", "Group"])
def test_a_value_of_another_type_is_refused_at_every_attribute(resource_type: ResourceType) -> None:
    required: dict[str, Json] = {one.name: "x" for one in resource_type.demanding}
    paths = set()
    for path, body in wrong_values(resource_type):
        payload = strictly({**required, **body}, resource_type)
        assert refused(payload, resource_type, STRICT) == [path], payload
        # A tolerant reading may take what stands for an object for its `value`.
        assert {found.removesuffix(".value") for found in refused(payload, resource_type)} == {
            path.removesuffix(".value")
        }, payload
        paths.add(path)
    assert len(paths) > (60 if resource_type is USER else 4)


@pytest.mark.rfc("S-2.3-02", "S-7-05")
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("sent", [{"type": "x"}, "x", 5])
def test_one_value_for_a_list_is_refused_by_a_strict_reading(name: str, sent: Json) -> None:
    payload: Json = {"userName": "bj", name: sent, "schemas": [USER.schema.id]}
    assert name in refused(payload, USER, STRICT)


@pytest.mark.parametrize("name", LISTS)
def test_null_is_no_element(name: str) -> None:
    assert refused(user(**{name: [None]})) == [f"{name}[0]"]


def test_every_problem_is_named_at_once() -> None:
    payload: Json = {
        "displayName": 5,
        "active": "maybe",
        "emails": [{"value": "fine"}, {"value": 5, "primary": "x"}],
        "name": "Barbara",
        URN: {"manager": {"value": 1}},
    }
    assert refused(payload) == [
        "displayName",
        "active",
        "emails[1].value",
        "emails[1].primary",
        "name",
        f"{URN}:manager.value",
        "userName",
    ]


def test_a_required_value_of_the_wrong_type_is_one_problem() -> None:
    assert refused({"userName": 5}) == ["userName"]
    assert refused({"keys": [{"code": 5, "label": "L"}]}, DEVICE) == ["keys[0].code"]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        pytest.param("price", 1.5, marks=pytest.mark.rfc("S-2.3.3-01")),
        pytest.param("price", 2, marks=pytest.mark.rfc("S-2.3.3-01")),
        pytest.param("price", -0.5, marks=pytest.mark.rfc("S-2.3.3-01")),
        pytest.param("ports", 10, marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("ports", -(10**30), marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("bought", "2011-05-13T04:42:34Z", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("bought", "2011-05-13T04:42:34.12+02:00", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("bought", "2011-05-13T04:42:34", marks=pytest.mark.rfc("S-2.3.5-02")),
        pytest.param("bought", "2024-02-29T24:00:00Z", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("firmware", "QUI=", marks=pytest.mark.rfc("S-2.3.6-01")),
        pytest.param("firmware", "QUI", marks=pytest.mark.rfc("S-2.3.6-01")),
        pytest.param("firmware", "-_8", marks=pytest.mark.rfc("S-2.3.6-01")),
        pytest.param("home", "https://example.com/a?b=c#d", marks=pytest.mark.rfc("S-2.3.7-01")),
        pytest.param("home", "../Users/1", marks=pytest.mark.rfc("S-2.3.7-01")),
        pytest.param("enabled", False, marks=pytest.mark.rfc("S-2.3.2-01")),
        pytest.param("colour", "green", marks=pytest.mark.rfc("S-2.3.1-02")),
        pytest.param("tags", ["a", "b"], marks=pytest.mark.rfc("S-7-05")),
        pytest.param("serial", "s", marks=pytest.mark.rfc("P-3.3-12", "S-7-09")),
        pytest.param("pin", "1234", marks=pytest.mark.rfc("P-3.3-12")),
    ],
)
def test_a_value_that_fits_is_kept_as_it_is(name: str, sent: Json) -> None:
    assert read({name: sent}, DEVICE) == {name: sent}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        pytest.param("price", "1.5", marks=pytest.mark.rfc("S-2.3.3-01")),
        pytest.param("price", True, marks=pytest.mark.rfc("S-2.3.3-01")),
        pytest.param("ports", 1.5, marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("ports", 1e3, marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("ports", "10", marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("ports", True, marks=pytest.mark.rfc("S-2.3.4-01")),
        pytest.param("bought", "2011-05-13", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("bought", "2023-02-30T00:00:00Z", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("bought", "2023-02-03 00:00:00Z", marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("bought", 1305261754, marks=pytest.mark.rfc("S-2.3.5-01")),
        pytest.param("firmware", "@@", marks=pytest.mark.rfc("S-2.3.6-01")),
        pytest.param("firmware", "Q=UI", marks=pytest.mark.rfc("S-2.3.6-01")),
        pytest.param("home", "http://h/a b", marks=pytest.mark.rfc("S-2.3.7-01")),
        pytest.param("enabled", "yes", marks=pytest.mark.rfc("S-2.3.2-01")),
        pytest.param("enabled", 1, marks=pytest.mark.rfc("S-2.3.2-01")),
        pytest.param("serial", ["a"], marks=pytest.mark.rfc("S-7-05")),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, sent: Json) -> None:
    assert refused({name: sent}, DEVICE) == [name]


# No value


@pytest.mark.rfc("S-2.5-01", "S-2.5-02", "S-2.5-04", "P-3.3-03")
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("nickName", None),
        ("nickName", ""),
        ("active", ""),
        ("emails", None),
        ("emails", []),
        ("emails", ""),
        ("emails", [{}]),
        ("emails", [{"value": None}]),
        ("emails", [""]),
        ("name", None),
        ("name", {}),
        ("name", ""),
        ("name", {"givenName": None, "familyName": ""}),
        (URN, {}),
        (URN, {"manager": {"value": ""}}),
        (URN, {"manager": None, "department": ""}),
    ],
)
def test_null_and_what_is_empty_mean_no_value(name: str, sent: Json) -> None:
    result = received(user(**{name: sent}), USER)
    assert result.document == {"userName": "bj"}
    assert result.unassigned == {name}


def test_what_is_left_out_is_not_unassigned_by_name() -> None:
    assert received(user(title="T"), USER).unassigned == frozenset()


# Required values


@pytest.mark.parametrize(
    ("payload", "resource_type", "paths"),
    [
        pytest.param({}, USER, ["userName"], marks=pytest.mark.rfc("P-3.3-08", "S-4.1.1-01")),
        pytest.param({"userName": ""}, USER, ["userName"], marks=pytest.mark.rfc("S-4.1.1-01")),
        pytest.param({"userName": None}, USER, ["userName"], marks=pytest.mark.rfc("S-4.1.1-01")),
        pytest.param({"members": [{"value": "1"}]}, GROUP, ["displayName"], marks=pytest.mark.rfc("S-4.2-01")),
        pytest.param({"displayName": ""}, GROUP, ["displayName"], marks=pytest.mark.rfc("S-4.2-01")),
        pytest.param({"keys": [{"code": "1"}, {"label": "L"}]}, DEVICE, ["keys[1].code"], id="a part of an element"),
        pytest.param({WARRANTY_URN: {"terms": "T"}}, DEVICE, [f"{WARRANTY_URN}:years"], id="a part of an extension"),
    ],
)
def test_a_required_value_that_is_missing_is_named(
    payload: Json, resource_type: ResourceType, paths: list[str]
) -> None:
    assert refused(payload, resource_type) == paths


@pytest.mark.rfc("P-3.3-11")
def test_a_required_value_that_only_the_provider_sets_is_not_demanded() -> None:
    assert read({"serial": "s"}, DEVICE) == {"serial": "s"}


def test_a_required_extension_is_demanded_and_an_optional_one_is_not() -> None:
    demanded = ResourceType(
        name="Device",
        endpoint="/Devices",
        schema=DEVICE.schema,
        extensions=(Extension(DEVICE.extensions[0].schema, required=True),),
    )
    assert read({}, DEVICE) == {}
    assert refused({}, demanded) == [WARRANTY_URN]


# What a client cannot set


@pytest.mark.parametrize(
    ("payload", "resource_type", "ignored"),
    [
        pytest.param(user(id="mine"), USER, ("id",), marks=pytest.mark.rfc("P-3.3-01", "S-3.1-07")),
        pytest.param(user(ID="mine"), USER, ("ID",), marks=pytest.mark.rfc("S-2.1-02", "S-3.1-07")),
        pytest.param(user(meta={"created": "x"}), USER, ("meta",), marks=pytest.mark.rfc("P-3.3-01", "S-3.1-14")),
        pytest.param(user(groups=[{"value": "g"}]), USER, ("groups",), marks=pytest.mark.rfc("S-4.1.2-07", "S-7-08")),
        pytest.param(user(groups=5), USER, ("groups",), marks=pytest.mark.rfc("P-3.3-01")),
        pytest.param(
            user(**{URN: {"manager": {"displayName": "M"}}}),
            USER,
            (f"{URN}:manager.displayName",),
            marks=pytest.mark.rfc("S-4.3-02"),
        ),
        pytest.param({"model": "X"}, DEVICE, ("model",), marks=pytest.mark.rfc("S-7-08")),
        pytest.param(user(bogus=1), USER, ("bogus",), id="unknown"),
        pytest.param(user(emails=[{"bogus": 1}]), USER, ("emails[0].bogus",), id="unknown in an element"),
        pytest.param(user(**{URN: {"bogus": 1}}), USER, (f"{URN}:bogus",), id="unknown in an extension"),
        pytest.param(user(**{"urn:x:unknown": {}}), USER, ("urn:x:unknown",), id="unknown extension"),
        pytest.param(user(employeeNumber="1"), USER, ("employeeNumber",), marks=pytest.mark.rfc("S-3.3-02")),
    ],
)
def test_what_a_client_cannot_set_is_left_out_and_reported(
    payload: Mapping[str, Json], resource_type: ResourceType, ignored: tuple[str, ...]
) -> None:
    result = received(payload, resource_type)
    assert result.document == ({"userName": "bj"} if resource_type is USER else {})
    assert result.ignored == ignored


@pytest.mark.rfc("P-3.3-01")
def test_a_strict_reading_leaves_out_read_only_values_too() -> None:
    result = received(strictly(user(id="mine", meta={}, groups=[])), USER, STRICT)
    assert (result.document, result.ignored) == ({"userName": "bj"}, ("id", "meta", "groups"))


@pytest.mark.rfc("S-3-06", "S-4.3-01")
def test_attributes_of_an_extension_stay_in_its_container() -> None:
    assert read(user(**{URN: {"costCenter": "C"}})) == {"userName": "bj", URN: {"costCenter": "C"}}


@pytest.mark.rfc("S-3-05", "S-3.1-10", "S-3.1-12")
@pytest.mark.parametrize("resource_type", [USER, GROUP, DEVICE], ids=lambda one: one.name)
def test_external_id_is_the_clients_on_every_resource(resource_type: ResourceType) -> None:
    required: dict[str, Json] = {one.name: "x" for one in resource_type.demanding if one.required}
    assert read({**required, "externalId": "aB"}, resource_type)["externalId"] == "aB"
    assert "externalId" not in read(required, resource_type)


def test_the_reference_of_a_member_is_derived_and_never_kept() -> None:
    payload: Json = {
        "displayName": "G",
        "members": [{"value": "1", "$ref": "https://elsewhere/Users/1", "type": "User"}],
    }
    assert read(payload, GROUP)["members"] == [{"value": "1", "type": "User"}]


def test_the_reference_of_a_manager_is_stored_as_sent() -> None:
    manager: Json = {"value": "1", "$ref": "../Users/1"}
    assert read(user(**{URN: {"manager": manager}}))[URN] == {"manager": manager}


# Lists


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(
            [{"value": "a", "type": "work"}, {"value": "A", "type": "WORK", "display": "again"}],
            [{"value": "a", "type": "work"}],
            marks=pytest.mark.rfc("S-2.4-08"),
        ),
        pytest.param(
            [{"value": "a", "type": "work"}, {"value": "a", "type": "home"}, {"value": "a"}],
            [{"value": "a", "type": "work"}, {"value": "a", "type": "home"}, {"value": "a"}],
            marks=pytest.mark.rfc("S-2.4-09"),
        ),
        pytest.param([{"type": "work"}, {"type": "work"}], [{"type": "work"}], id="equal elements without a value"),
        pytest.param(
            [{"type": "work"}, {"type": "home"}], [{"type": "work"}, {"type": "home"}], id="elements without a value"
        ),
    ],
)
def test_an_element_stands_once_in_a_list(sent: Json, kept: Json) -> None:
    assert read(user(emails=sent))["emails"] == kept


def test_equal_texts_stand_once_in_a_list() -> None:
    assert read({"tags": ["a", "b", "A", "e\u0301", "é"]}, DEVICE) == {"tags": ["a", "b", "e\u0301"]}


def test_a_member_stands_once_whatever_else_is_said_about_it() -> None:
    members: Json = [{"value": "1", "type": "User"}, {"value": "1", "display": "One"}, {"value": "2"}]
    assert read({"displayName": "G", "members": members}, GROUP)["members"] == [
        {"value": "1", "type": "User"},
        {"value": "2"},
    ]


def test_members_that_differ_in_case_are_different_members() -> None:
    members: Json = [{"value": "a"}, {"value": "A"}]
    assert read({"displayName": "G", "members": members}, GROUP)["members"] == members


@pytest.mark.rfc("S-2.4-02")
def test_the_first_primary_element_stays_primary() -> None:
    emails: Json = [{"value": "a"}, {"value": "b", "primary": True}, {"value": "c", "primary": "True"}]
    assert read(user(emails=emails))["emails"] == [
        {"value": "a"},
        {"value": "b", "primary": True},
        {"value": "c", "primary": False},
    ]


# schemas


@pytest.mark.parametrize(
    ("sent", "is_refused"),
    [
        pytest.param([USER.schema.id], False, id="the base schema"),
        pytest.param([URN, USER.schema.id], False, marks=pytest.mark.rfc("S-3-04"), id="any order"),
        pytest.param([USER.schema.id, USER.schema.id], False, marks=pytest.mark.rfc("S-3-03"), id="twice"),
        pytest.param([USER.schema.id.upper()], False, id="any case"),
        pytest.param(USER.schema.id, False, id="one text"),
        pytest.param([URN], True, marks=pytest.mark.rfc("S-3.3-01"), id="only the extension"),
        pytest.param([USER.schema.id, "urn:x:unknown"], True, marks=pytest.mark.rfc("S-3-02"), id="unknown"),
        pytest.param([], True, marks=pytest.mark.rfc("S-3-01"), id="empty"),
        pytest.param(None, True, marks=pytest.mark.rfc("S-3-01"), id="null"),
    ],
)
def test_only_a_strict_reading_wants_the_right_schemas(sent: Json, is_refused: bool) -> None:
    payload = user(schemas=sent)
    assert received(payload, USER).document == {"userName": "bj"}
    if is_refused:
        assert refused(payload, USER, STRICT) == ["schemas"]
    else:
        assert read(payload, USER, STRICT) == {"userName": "bj"}


@pytest.mark.rfc("S-3-01")
def test_a_body_without_schemas_is_read_unless_strictly() -> None:
    assert read(user()) == {"userName": "bj"}
    assert refused(user(), USER, STRICT) == ["schemas"]


@pytest.mark.parametrize("name", ["schemas", "SCHEMAS"])
@pytest.mark.parametrize("sent", [5, {"a": 1}, [5], [None], [["urn:x"]]])
@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_schemas_must_be_urns(name: str, sent: Json, tolerance: Tolerance) -> None:
    assert refused(user(**{name: sent}), USER, tolerance) == ["schemas"]


# Each setting once in each position

EMAIL_TWICE: Final[Json] = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]


@pytest.mark.parametrize(
    ("setting", "payload", "resource_type", "document", "path"),
    [
        pytest.param("empty_string_unassigns", user(title="", userName=""), USER, None, "userName", id="required"),
        pytest.param(
            "strings_as_booleans",
            user(active="tRuE"),
            USER,
            user(active=True),
            "active",
            marks=pytest.mark.rfc("S-2.3.2-01"),
        ),
        pytest.param(
            "bare_values",
            user(emails="b@x"),
            USER,
            user(emails=[{"value": "b@x"}]),
            "emails",
            marks=pytest.mark.rfc("S-7-05"),
        ),
        pytest.param(
            "bare_values", user(emails={"value": "b"}), USER, user(emails=[{"value": "b"}]), "emails", id="one object"
        ),
        pytest.param(
            "bare_values",
            user(emails=["a@x", {"value": "b@x"}]),
            USER,
            user(emails=[{"value": "a@x"}, {"value": "b@x"}]),
            "emails[0]",
            marks=pytest.mark.rfc("S-2.4-04"),
        ),
        pytest.param(
            "bare_values",
            user(**{URN: {"manager": "26118915"}}),
            USER,
            user(**{URN: {"manager": {"value": "26118915"}}}),
            f"{URN}:manager",
            id="manager",
        ),
        pytest.param("bare_values", {"tags": "a"}, DEVICE, {"tags": ["a"]}, "tags", id="one text"),
        pytest.param("ignore_unknown", user(bogus=1), USER, user(), "bogus", id="unknown"),
        pytest.param("ignore_unknown", user(name={"bogus": 1}), USER, user(), "name.bogus", id="unknown part"),
        pytest.param(
            "first_primary_wins",
            user(emails=EMAIL_TWICE),
            USER,
            user(emails=[{"value": "a", "primary": True}, {"value": "b", "primary": False}]),
            "emails",
            marks=pytest.mark.rfc("S-2.4-02"),
        ),
        pytest.param(
            "free_canonical_values",
            {"colour": "green"},
            DEVICE,
            {"colour": "green"},
            "colour",
            marks=pytest.mark.rfc("S-2.3.1-02"),
        ),
        pytest.param(
            "free_canonical_values",
            user(emails=[{"value": "a", "type": "foo"}]),
            USER,
            user(emails=[{"value": "a", "type": "foo"}]),
            "emails[0].type",
            marks=pytest.mark.rfc("S-2.3.1-02"),
        ),
        pytest.param("free_canonical_values", {"grade": "a"}, DEVICE, {"grade": "a"}, "grade", id="caseExact"),
    ],
)
def test_a_setting_decides(
    setting: str, payload: Mapping[str, Json], resource_type: ResourceType, document: Json, path: str
) -> None:
    if document is None:
        assert refused(payload, resource_type) == [path]
    else:
        assert read(payload, resource_type) == document
    assert refused(strictly(payload, resource_type), resource_type, STRICT) == [path]
    # The one setting alone makes the difference.
    assert refused(payload, resource_type, Tolerance(**{setting: False})) == [path]


def test_an_empty_text_is_a_value_where_a_setting_says_so() -> None:
    literal = Tolerance(empty_string_unassigns=False)
    assert read(user(title=""), USER, literal) == {"userName": "bj", "title": ""}
    assert refused(user(active=""), USER, literal) == ["active"]


def test_canonical_values_are_recognised_in_any_case_unless_the_attribute_is_case_exact() -> None:
    exact = Tolerance(free_canonical_values=False)
    assert read({"colour": "RED", "grade": "A"}, DEVICE, exact) == {"colour": "RED", "grade": "A"}
