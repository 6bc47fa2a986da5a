"""Payloads that no rule reads as they were meant, and what becomes of them."""

import copy
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore import GROUP, USER
from scimcore.dialects import DIALECTS, Dialect
from scimcore.dialects.quirk import ENTERPRISE, patch
from scimcore.dialects.rewriting import lifted, unlisted, with_enterprise_2, with_patched_roles_read, with_roles_read
from scimcore.errors import ScimError
from scimcore.rules.patch import applied, patched
from scimcore.rules.receive import received
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.messages import PatchRequest, read_message
from scimcore.schema.standard import ENTERPRISE_USER, USER_SCHEMA

Payload = Any


def at(path: str, value: Payload, **more: Payload) -> Payload:
    return patch({"op": "Add", "path": path, "value": value, **more})


# A list around a single value


@pytest.mark.parametrize(
    ("path", "value", "meant"),
    [
        ("displayName", [{"$ref": None, "value": "Ann"}], "Ann"),
        ("displayName", [{"value": "Ann"}], "Ann"),
        ("active", [{"$ref": None, "value": "False"}], "False"),
        ("name.givenName", [{"value": "Ann"}], "Ann"),
        ('emails[type eq "work"].value', [{"value": "a@b.com"}], "a@b.com"),
        ("manager", [{"$ref": "../Users/9", "value": "9"}], {"$ref": "../Users/9", "value": "9"}),
        ("manager", ["9"], "9"),
        ("name", [{"givenName": "Ann"}], {"givenName": "Ann"}),
        (f"{ENTERPRISE}:department", [{"value": "Sales"}], "Sales"),
    ],
)
def test_a_list_around_a_single_value_is_taken_off(path: str, value: Payload, meant: Payload) -> None:
    assert unlisted(at(path, value), USER) == at(path, meant)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("displayName", "Ann"),
        ("displayName", []),
        ("displayName", [{"value": "Ann"}, {"value": "Ben"}]),
        ("displayName", [{"value": "Ann", "type": "work"}]),
        ("displayName", [{"display": "Ann"}]),
        ("displayName", ["Ann"]),
        ("displayName", [["Ann"]]),
        ("emails", [{"value": "a@b.com"}]),
        ('emails[type eq "work"]', [{"value": "a@b.com"}]),
        ("noSuchAttribute", [{"value": "x"}]),
        ("emails[", [{"value": "x"}]),
        ("", [{"value": "x"}]),
        (None, [{"value": "x"}]),
        (7, [{"value": "x"}]),
    ],
)
def test_what_is_no_list_around_a_single_value_stays_the_same_object(path: Payload, value: Payload) -> None:
    message = at(path, value)
    assert unlisted(message, USER) is message


def test_only_the_operations_that_need_it_are_written_anew() -> None:
    kept: dict[str, Json] = {"op": "replace", "path": "active", "value": False}
    message = patch(kept, {"op": "add", "path": "title", "value": [{"value": "CTO"}]})
    rewritten: Payload = unlisted(message, USER)
    assert rewritten["Operations"][0] is kept
    assert rewritten["schemas"] is message["schemas"]


def test_members_of_a_message_are_known_in_any_case() -> None:
    message: Payload = {"operations": [{"OP": "add", "Path": "title", "VALUE": [{"value": "CTO"}]}]}
    assert unlisted(message, USER) == {"operations": [{"OP": "add", "Path": "title", "VALUE": "CTO"}]}


# Attributes of an extension among those of the resource


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"department": "Sales"}, {ENTERPRISE: {"department": "Sales"}}),
        ({"DEPARTMENT": "Sales"}, {ENTERPRISE: {"DEPARTMENT": "Sales"}}),
        ({"department": "a", "manager": "9"}, {ENTERPRISE: {"department": "a", "manager": "9"}}),
        ({"department": "a", ENTERPRISE: {"costCenter": "1"}}, {ENTERPRISE: {"costCenter": "1", "department": "a"}}),
        ({"department": "a", ENTERPRISE: {"Department": "b"}}, {ENTERPRISE: {"Department": "b"}}),
        ({"department": "a", ENTERPRISE: None}, {ENTERPRISE: {"department": "a"}}),
        ({ENTERPRISE.upper(): {}, "department": "a"}, {ENTERPRISE.upper(): {"department": "a"}}),
    ],
)
def test_an_attribute_that_only_an_extension_has_goes_under_its_urn(sent: Payload, meant: Payload) -> None:
    assert lifted({"userName": "ann", **sent}, USER) == {"userName": "ann", **meant}


@pytest.mark.parametrize(
    "payload",
    [
        {"userName": "ann", "title": "CTO"},
        {"department": None, "manager": None},
        {"department": "Sales", ENTERPRISE: "nonsense"},
        {"noSuchAttribute": 1},
        {f"{ENTERPRISE}:department": "Sales"},
        {"manager.value": "9"},
    ],
)
def test_a_resource_without_such_attributes_stays_the_same_object(payload: Payload) -> None:
    assert lifted(payload, USER) is payload


def test_an_attribute_that_two_extensions_have_stays_where_it_is() -> None:
    second = Schema(id="urn:example:second", name="Second", attributes=(Attribute(name="department"),))
    both = ResourceType(
        name="User",
        endpoint="/Users",
        schema=USER_SCHEMA,
        extensions=(Extension(ENTERPRISE_USER), Extension(second)),
    )
    payload = {"userName": "ann", "department": "Sales"}
    assert lifted(payload, both) is payload


def test_an_attribute_that_the_resource_has_itself_stays_where_it_is() -> None:
    other = Schema(id="urn:example:other", name="Other", attributes=(Attribute(name="title"),))
    titled = ResourceType(name="User", endpoint="/Users", schema=USER_SCHEMA, extensions=(Extension(other),))
    payload = {"userName": "ann", "title": "CTO"}
    assert lifted(payload, titled) is payload


def test_one_name_in_two_cases_is_still_refused_after_it_was_moved() -> None:
    payload: Payload = lifted({"userName": "ann", "department": "a", "Department": "b"}, USER)
    with pytest.raises(ScimError, match="twice"):
        received(payload, USER)


# The enterprise extension of SCIM 1

OLD: Final = "urn:scim:schemas:extension:enterprise:1.0"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({OLD: {"department": "Sales"}}, {ENTERPRISE: {"department": "Sales"}}),
        ({OLD.upper(): {"department": "Sales"}}, {ENTERPRISE: {"department": "Sales"}}),
        ({OLD: {"manager": {"managerId": "9"}}}, {ENTERPRISE: {"manager": {"value": "9"}}}),
        (
            {OLD: {"manager": {"managerId": "8", "value": "9"}}},
            {ENTERPRISE: {"manager": {"managerId": "8", "value": "9"}}},
        ),
        ({OLD: {"manager": "9"}}, {ENTERPRISE: {"manager": "9"}}),
        ({OLD: {}}, {ENTERPRISE: {}}),
    ],
)
def test_the_enterprise_extension_of_scim_1_becomes_the_one_of_scim_2(sent: Payload, meant: Payload) -> None:
    assert with_enterprise_2({"userName": "ann", **sent}, USER) == {"userName": "ann", **meant}


@pytest.mark.parametrize(
    ("payload", "resource_type"),
    [
        ({"userName": "ann"}, USER),
        ({OLD: {"department": "a"}, ENTERPRISE: {"department": "b"}}, USER),
        ({OLD: {"department": "a"}, ENTERPRISE.upper(): None}, USER),
        ({OLD: "nonsense"}, USER),
        ({OLD: None}, USER),
        ({OLD: {"department": "a"}}, GROUP),
        ([OLD], USER),
    ],
)
def test_a_resource_without_the_extension_of_scim_1_alone_stays_the_same_object(
    payload: Payload, resource_type: ResourceType
) -> None:
    assert with_enterprise_2(payload, resource_type) is payload


# Roles as JSON text

TEXT: Final = '{"id":"827f","value":"admin","displayName":"Admin"}'
ADMIN: Final = {"value": "admin", "display": "Admin"}


@pytest.mark.parametrize(
    ("role", "meant"),
    [
        (TEXT, ADMIN),
        ({"value": TEXT}, ADMIN),
        ({"value": TEXT, "primary": False}, {"primary": False, **ADMIN}),
        ('{"value":"admin"}', {"value": "admin"}),
        ('{"value":"admin","displayName":""}', {"value": "admin"}),
        ('{"value":"admin","displayName":{"a":1}}', {"value": "admin"}),
        ({"value": "admin", "displayName": "Admin"}, ADMIN),
    ],
)
def test_a_role_that_is_json_text_is_read(role: Payload, meant: Payload) -> None:
    assert with_roles_read({"roles": [role, "plain"]}, USER) == {"roles": [meant, "plain"]}
    assert with_patched_roles_read(at("roles", [role]), USER) == at("roles", [meant])
    for path in ("roles", "Roles", "urn:ietf:params:scim:schemas:core:2.0:User:roles"):
        assert with_patched_roles_read(at(path, role), USER) == at(path, meant)
    assert with_patched_roles_read(at("", {"roles": [role]}), USER) == at("", {"roles": [meant]})
    pathless = patch({"op": "add", "value": {"Roles": [role], "title": "CTO"}})
    assert with_patched_roles_read(pathless, USER) == patch({"op": "add", "value": {"Roles": [meant], "title": "CTO"}})


@pytest.mark.parametrize(
    "role",
    [
        "admin",
        "{admin}",
        '{"value":7}',
        '{"value":""}',
        '{"value":"a\\u0000b"}',
        '{"value":"\\ud800"}',
        '{"id":"827f"}',
        '["value"]',
        "{" * 5_000,
        '{"value":' + "[" * 5_000,
        '{"value":"' + "x" * 20_000 + '"}',
        {"value": "admin", "display": "Admin", "displayName": "another"},
        {"display": "Admin"},
        None,
        7,
        [TEXT],
    ],
)
def test_a_role_that_is_no_json_text_stays_the_same_object(role: Payload) -> None:
    resource, message = {"roles": [role]}, at("roles", [role])
    assert with_roles_read(resource, USER) is resource
    assert with_patched_roles_read(message, USER) is message


def test_json_text_elsewhere_is_left_alone() -> None:
    for message in (at("title", TEXT), at("roles.value", TEXT), at("entitlements", [{"value": TEXT}])):
        assert with_patched_roles_read(message, USER) is message


def test_a_resource_type_without_roles_has_none_read() -> None:
    resource, message = {"displayName": "g", "roles": [TEXT]}, at("roles", [TEXT])
    assert with_roles_read(resource, GROUP) is resource
    assert with_patched_roles_read(message, GROUP) is message


def test_a_role_removed_as_json_text_is_the_one_that_was_added() -> None:
    added: Payload = with_patched_roles_read(at("roles", [{"value": TEXT}]), USER)
    gone: Payload = with_patched_roles_read(patch({"op": "remove", "path": "roles", "value": [{"value": TEXT}]}), USER)
    assert patched({"userName": "ann"}, [*added["Operations"], *gone["Operations"]]) == {"userName": "ann"}


# Any JSON

NAMES: Final = st.sampled_from(
    [
        "Operations",
        "operations",
        "op",
        "path",
        "Path",
        "value",
        "roles",
        "department",
        "manager",
        "managerId",
        ENTERPRISE,
        OLD,
        "$ref",
    ]
)
LEAVES: Final = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(["displayName", "roles", "manager", TEXT, "", "emails["])
)
ANY_JSON: Final[st.SearchStrategy[Json]] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=20,
)
MESSAGES: Final = st.one_of(
    ANY_JSON,
    st.lists(st.dictionaries(NAMES, ANY_JSON, max_size=4), max_size=3).map(lambda some: {"Operations": some}),
)


REWRITING: Final = [one for one in DIALECTS.values() if any(quirk.resource or quirk.message for quirk in one.quirks)]


@given(dialect=st.sampled_from(REWRITING), resource_type=st.sampled_from([USER, GROUP]), payload=MESSAGES)
def test_a_rewrite_takes_any_json_modifies_none_and_leaves_the_same_object_where_it_changes_nothing(
    dialect: Dialect, resource_type: ResourceType, payload: Json
) -> None:
    before = copy.deepcopy(payload)
    rewrites: list[Callable[[Json, ResourceType], Json]] = [dialect.resource, dialect.message]
    for rewrite in rewrites:
        rewritten = rewrite(payload, resource_type)
        assert payload == before
        assert rewritten is payload or rewritten != payload


@given(dialect=st.sampled_from(REWRITING), resource_type=st.sampled_from([USER, GROUP]), payload=MESSAGES)
def test_what_was_rewritten_is_read_or_refused_like_anything_else(
    dialect: Dialect, resource_type: ResourceType, payload: Json
) -> None:
    with suppress(ScimError):
        received(dialect.resource(payload, resource_type), resource_type, dialect.tolerance)
    with suppress(ScimError):
        message = read_message(PatchRequest, dialect.message(payload, resource_type), schemas_optional=True)
        applied({"id": "1"}, message.operations, resource_type, dialect.tolerance)


def test_a_name_spelled_in_a_thousand_ways_is_moved_as_often_and_then_refused() -> None:
    spelled = ["".join(letters) for letters in product(*((letter, letter.upper()) for letter in "department"))]
    payload: Payload = lifted({"userName": "ann", **dict.fromkeys(spelled, "x")}, USER)
    assert len(payload[ENTERPRISE]) == len(spelled) == 1024
    with pytest.raises(ScimError, match="twice"):
        received(payload, USER)


def test_a_complex_extension_attribute_is_found_like_a_simple_one() -> None:
    badge = Attribute(name="badge", type=Type.COMPLEX, sub_attributes=(Attribute(name="colour"),))
    schema = Schema(id="urn:example:badge", name="Badge", attributes=(badge,))
    with_badge = ResourceType(name="User", endpoint="/Users", schema=USER_SCHEMA, extensions=(Extension(schema),))
    payload: Payload = {"userName": "ann", "badge": {"colour": "red"}}
    assert lifted(payload, with_badge) == {"userName": "ann", schema.id: {"badge": {"colour": "red"}}}
