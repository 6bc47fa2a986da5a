"""What PATCH does to a document, operation by operation (RFC 7644 §3.5.2)."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Final

import pytest

from scimcore.errors import (
    InvalidFilterError,
    InvalidPathError,
    InvalidSyntaxError,
    InvalidValueError,
    MutabilityError,
    NoTargetError,
    ScimError,
)
from scimcore.rules.delta import Delta
from scimcore.rules.keyed import named_keys
from scimcore.rules.limits import Limits
from scimcore.rules.patch import Patched, applied, patched
from scimcore.rules.tolerance import DEFAULT, STRICT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.messages import PatchRequest, read_message
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

URN: Final = ENTERPRISE_USER.id
USER_URN: Final = USER.schema.id
LEASE_URN: Final = "urn:example:params:scim:schemas:extension:Lease"
ROOM: Final = ResourceType(
    name="Room",
    endpoint="/Rooms",
    schema=Schema(
        id="urn:example:params:scim:schemas:Room",
        name="Room",
        attributes=(
            Attribute(name="serial", mutability=Mutability.IMMUTABLE),
            Attribute(name="marks", multi_valued=True, mutability=Mutability.IMMUTABLE),
            Attribute(name="pin", mutability=Mutability.WRITE_ONLY),
            Attribute(name="visits", type=Type.INTEGER, mutability=Mutability.READ_ONLY),
            Attribute(name="seats", type=Type.INTEGER),
            Attribute(name="tags", multi_valued=True),
            Attribute(name="keys", multi_valued=True, required=True),
            Attribute(
                name="door",
                type=Type.COMPLEX,
                sub_attributes=(
                    Attribute(name="code", required=True),
                    Attribute(name="colour"),
                    Attribute(name="maker", mutability=Mutability.IMMUTABLE),
                    Attribute(name="opened", type=Type.INTEGER, mutability=Mutability.READ_ONLY),
                ),
            ),
            Attribute(
                name="windows",
                type=Type.COMPLEX,
                multi_valued=True,
                sub_attributes=(Attribute(name="value", required=True), Attribute(name="size", type=Type.INTEGER)),
            ),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id=LEASE_URN,
                name="Lease",
                attributes=(
                    Attribute(name="tenant", required=True),
                    Attribute(name="rent", type=Type.INTEGER),
                    Attribute(name="contract", mutability=Mutability.IMMUTABLE),
                    Attribute(name="notes", multi_valued=True),
                ),
            )
        ),
    ),
)
W: Final[dict[str, Json]] = {"value": "w@x", "type": "work", "primary": True}
V: Final[dict[str, Json]] = {"value": "v@x", "type": "work", "display": "V"}
H: Final[dict[str, Json]] = {"value": "h@x", "type": "home"}
USER_GIVEN: Final[Document] = {
    "id": "1",
    "userName": "bj",
    "title": "T",
    "active": True,
    "name": {"givenName": "B", "familyName": "J"},
    "emails": [W, V, H],
    URN: {"department": "D", "manager": {"value": "2", "displayName": "M"}},
}
GROUP_GIVEN: Final[Document] = {
    "id": "g",
    "displayName": "G",
    "members": [{"value": "1", "display": "One"}, {"value": "2", "type": "User"}, {"value": "3"}],
}
ROOM_GIVEN: Final[Document] = {
    "id": "r",
    "serial": "S",
    "marks": ["m"],
    "pin": "1",
    "visits": 5,
    "tags": ["a", "b"],
    "keys": ["k"],
    "door": {"code": "c", "colour": "red", "maker": "X", "opened": 3},
    "windows": [{"value": "w1", "size": 1}],
    LEASE_URN: {"tenant": "t", "rent": 1, "contract": "C", "notes": ["n"]},
}
GIVEN: Final[Mapping[ResourceType, Document]] = {USER: USER_GIVEN, GROUP: GROUP_GIVEN, ROOM: ROOM_GIVEN}


def op(op: str, path: str | None, *value: Json, **more: Json) -> dict[str, Json]:
    """One operation; without *value* it has none."""
    operation: dict[str, Json] = {"op": op, **more}
    if path is not None:
        operation["path"] = path
    if value:
        operation["value"] = value[0]
    return operation


def add(path: str | None, *value: Json) -> dict[str, Json]:
    return op("add", path, *value)


def replace(path: str | None, *value: Json) -> dict[str, Json]:
    return op("replace", path, *value)


def remove(path: str | None, *value: Json) -> dict[str, Json]:
    return op("remove", path, *value)


def apply(
    given: Document, operations: Sequence[Json], resource_type: ResourceType = USER, tolerance: Tolerance = DEFAULT
) -> Patched:
    """What PATCH does to *given*, which stays as it was; the Delta is exact and an unchanged document is itself."""
    message = read_message(
        PatchRequest, {"schemas": [PatchRequest.urn], "Operations": list(operations)}, schemas_optional=False
    )
    before, sent = deepcopy(given), deepcopy(operations)
    try:
        result = applied(given, message.operations, resource_type, tolerance)
    finally:
        assert (given, operations) == (before, sent)
    assert result.delta.applied_to(given) == result.document
    assert (result.document is given) == (result.document == given) == (not result.delta)
    return result


def changes(operations: Sequence[Json], resource_type: ResourceType = USER) -> dict[str, Json]:
    """What PATCH of the usual document gives the attributes that change; None to those it unassigns."""
    given = GIVEN[resource_type]
    result = apply(given, operations, resource_type)
    return {name: result.document.get(name) for name in result.delta.attributes}


def refusal(
    operations: Sequence[Json], resource_type: ResourceType = USER, tolerance: Tolerance = DEFAULT
) -> ScimError:
    with pytest.raises(ScimError) as refused:
        apply(GIVEN[resource_type], operations, resource_type, tolerance)
    return refused.value


# The message (§3.5.2)


@pytest.mark.rfc("P-3.5.2-03", "P-3.5.2-04")
@pytest.mark.parametrize(
    "operations",
    [[], [{"path": "title"}], [{"op": "move", "path": "title"}], [{"op": 5}], [5], [None], [{"op": "add", "path": 5}]],
)
def test_what_is_no_list_of_operations_is_refused(operations: list[Json]) -> None:
    with pytest.raises(InvalidSyntaxError):
        patched(USER_GIVEN, operations)


@pytest.mark.rfc("P-3.5.2-04")
@pytest.mark.parametrize("name", ["add", "Add", "ADD", "replace", "Replace", "RePlAcE"])
def test_operations_are_named_in_any_case(name: str) -> None:
    assert changes([op(name, "title", "X")]) == {"title": "X"}
    assert changes([{"OP": name, "Path": "title", "VALUE": "X", "name": "from Okta"}]) == {"title": "X"}


def test_the_rule_alone_takes_parsed_json_and_users_by_default() -> None:
    assert patched({"userName": "a"}, [replace("userName", "b")]) == {"userName": "b"}
    assert patched({"displayName": "a"}, [replace("displayName", "b")], GROUP) == {"displayName": "b"}


# Paths (§3.5.2, §3.10)


@pytest.mark.rfc("P-3.5.2-11", "S-2.1-02")
@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("TITLE", {"title": "X"}),
        (f"{USER_URN}:title", {"title": "X"}),
        (f"{USER_URN.upper()}:NAME.GIVENNAME", {"name": {"givenName": "X", "familyName": "J"}}),
        ('EMAILS[Type Eq "HOME"].DISPLAY', {"emails": [W, V, {**H, "display": "X"}]}),
        (f"{URN}:department", {URN: {"department": "X", "manager": {"value": "2", "displayName": "M"}}}),
        (f"{URN.upper()}.DEPARTMENT", {URN: {"department": "X", "manager": {"value": "2", "displayName": "M"}}}),
        ("department", {URN: {"department": "X", "manager": {"value": "2", "displayName": "M"}}}),
        (f"{URN}:manager.value", {URN: {"department": "D", "manager": {"value": "X", "displayName": "M"}}}),
    ],
)
def test_a_path_names_an_attribute_in_any_notation(path: str, changed: Document) -> None:
    assert changes([replace(path, "X")]) == changed


@pytest.mark.rfc("P-3.5.2-05", "P-3.5.2-07")
@pytest.mark.parametrize(
    "path", ["nope", "name.nope", "emails[0]", "a..b", "emails[", "emails.", "name[givenName pr]", " "]
)
@pytest.mark.parametrize("name", ["add", "replace", "remove"])
@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_a_path_that_names_nothing_is_refused(path: str, name: str, tolerance: Tolerance) -> None:
    assert isinstance(refusal([op(name, path, "X")], USER, tolerance), InvalidPathError)


@pytest.mark.rfc("P-3.5.2-06")
@pytest.mark.parametrize(
    "path", ['emails[type zz "a"]', "emails[nope pr]", 'emails[primary eq "a"]', "emails[type eq work]"]
)
@pytest.mark.parametrize("name", ["add", "replace", "remove"])
def test_a_broken_filter_in_a_path_is_refused_as_a_filter(path: str, name: str) -> None:
    assert isinstance(refusal([op(name, path, {"display": "X"})]), InvalidFilterError)


def test_a_path_longer_than_the_limit_is_refused() -> None:
    operations = read_message(PatchRequest, {"Operations": [add("t" * 11, "X")]}, schemas_optional=True).operations
    with pytest.raises(InvalidPathError):
        applied(USER_GIVEN, operations, USER, limits=Limits(max_filter_length=10))


@pytest.mark.parametrize(
    ("operations", "named"),
    [
        ([replace("active", True)], {"active"}),
        ([replace("ACTIVE", True), remove("title")], {"active", "title"}),
        ([{"op": "add", "value": {"active": True, "name.familyName": "J", "nobody": 1}}], {"active", "name"}),
        ([add('emails[type eq "work"].value', "a@b.example")], {"emails"}),
        ([{"op": "replace", "value": {f"{URN}:department": "A"}}], {URN}),
        ([replace(URN, {"department": "A"})], {URN}),
        ([remove("nickName")], {"nickName"}),
    ],
)
def test_what_a_patch_is_about_is_known_even_where_nothing_changes(operations: list[Json], named: set[str]) -> None:
    given: Document = {"id": "1", "userName": "b", "active": True, "title": "T"}
    once = apply(given, operations)
    again = apply(once.document, operations)
    assert not again.delta
    assert once.named == again.named == named


# Order and atomicity (§3.5.2)


@pytest.mark.rfc("P-3.5.2-14")
@pytest.mark.parametrize(
    ("operations", "changed"),
    [
        ([remove("emails"), add("emails", [{"value": "n"}])], {"emails": [{"value": "n"}]}),
        ([add("emails", [{"value": "n"}]), remove("emails")], {"emails": None}),
        ([replace("title", "a"), replace("title", "b")], {"title": "b"}),
        (
            [replace('emails[type eq "home"].type', "own"), remove('emails[type eq "home"]')],
            {"emails": [W, V, {**H, "type": "own"}]},
        ),
        ([remove("name"), add("name.givenName", "X")], {"name": {"givenName": "X"}}),
        ([remove(URN), add(f"{URN}:division", "X")], {URN: {"division": "X"}}),
    ],
)
def test_each_operation_works_on_what_the_one_before_left(operations: list[Json], changed: Document) -> None:
    assert changes(operations) == changed


@pytest.mark.rfc("P-3.5.2-16")
@pytest.mark.parametrize(
    "last",
    [
        replace("id", "2"),
        replace("nope", "X"),
        replace("active", "maybe"),
        replace('emails[type eq "none"]', {"value": "X"}),
        remove("userName"),
        remove(None),
    ],
)
def test_when_an_operation_fails_nothing_has_happened(last: Json) -> None:
    # `apply` checks that the document is as it was.
    refusal([replace("title", "X"), remove("emails"), add(f"{URN}:division", "V"), last])


@pytest.mark.rfc("P-3.5.2-14")
def test_mutability_is_judged_by_each_operation_not_by_the_end() -> None:
    operations = [replace("serial", "T"), replace("serial", "S")]
    assert isinstance(refusal(operations, ROOM), MutabilityError)


def test_a_problem_names_the_operation_and_the_attribute() -> None:
    error = refusal([replace("title", "X"), add("emails", [{"value": "n"}, {"value": 5, "primary": "x"}])])
    assert isinstance(error, InvalidValueError)
    assert [problem.path for problem in error.problems] == [
        "Operations[1].emails[1].value",
        "Operations[1].emails[1].primary",
    ]


# Mutability (§3.5.2)


@pytest.mark.rfc("P-3.5.2-08", "S-7-08")
@pytest.mark.parametrize("name", ["add", "replace", "remove"])
@pytest.mark.parametrize(
    ("path", "resource_type"),
    [
        ("id", USER),
        ("meta", USER),
        ("meta.created", USER),
        pytest.param("groups", USER, marks=pytest.mark.rfc("S-4.1.2-07")),
        ('groups[value eq "1"]', USER),
        ('groups[value eq "1"].display', USER),
        pytest.param(f"{URN}:manager.displayName", USER, marks=pytest.mark.rfc("S-4.3-02")),
        ("visits", ROOM),
        ("door.opened", ROOM),
    ],
)
def test_a_read_only_target_is_refused(name: str, path: str, resource_type: ResourceType) -> None:
    assert isinstance(refusal([op(name, path, "X")], resource_type), MutabilityError)


@pytest.mark.rfc("P-3.5.2-09", "S-7-09")
@pytest.mark.parametrize(
    "operation",
    [
        add("serial", "T"),
        replace("serial", "T"),
        remove("serial"),
        replace("serial", None),
        add(None, {"serial": "T"}),
        add("marks", ["n"]),
        replace("marks", ["n"]),
        remove("marks"),
        replace("door.maker", "Y"),
        remove("door.maker"),
        replace("door", {"maker": "Y"}),
        replace("door", {"maker": None}),
        replace(f"{LEASE_URN}:contract", "D"),
        remove(f"{LEASE_URN}:contract"),
        replace(LEASE_URN, {"contract": "D"}),
        replace(LEASE_URN, None),
        remove(LEASE_URN),
    ],
)
def test_an_immutable_value_that_is_there_cannot_change(operation: Json) -> None:
    assert isinstance(refusal([operation], ROOM), MutabilityError)


@pytest.mark.rfc("S-4.2-02")
@pytest.mark.parametrize(
    "operation",
    [
        replace('members[value eq "1"].value', "9"),
        replace('members[value eq "1"].display', "Other"),
        remove('members[value eq "1"].display'),
        replace("members.display", "Other"),
        replace('members[value eq "1"]', {"value": "9"}),
    ],
)
def test_a_member_that_is_there_never_changes(operation: Json) -> None:
    assert isinstance(refusal([operation], GROUP), MutabilityError)


@pytest.mark.rfc("P-3.5.2-09", "P-3.5.2.1-07")
@pytest.mark.parametrize(
    "operation",
    [
        add("serial", "S"),
        replace("serial", "s"),
        add("marks", ["m"]),
        replace("door.maker", "X"),
        replace("door", {"maker": "x"}),
        replace(f"{LEASE_URN}:contract", "C"),
    ],
)
def test_an_immutable_value_may_be_repeated(operation: Json) -> None:
    assert changes([operation], ROOM) == {}


@pytest.mark.rfc("P-3.5.2-09")
@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize(
    ("path", "value", "result"),
    [
        ("serial", "S", {"serial": "S"}),
        ("marks", ["a"], {"marks": ["a"]}),
        ("door", {"code": "c", "maker": "Y"}, {"door": {"code": "c", "maker": "Y"}}),
    ],
)
def test_an_immutable_value_may_be_set_once(name: str, path: str, value: Json, result: Document) -> None:
    assert apply({}, [op(name, path, value)], ROOM).document == result


def test_a_write_only_value_can_be_set_and_removed() -> None:
    assert changes([replace("pin", "2")], ROOM) == {"pin": "2"}
    assert changes([remove("pin")], ROOM) == {"pin": None}


# Required values (§3.5.2.2, §3.5.2.3)


@pytest.mark.rfc("P-3.5.2.2-07")
@pytest.mark.parametrize(
    ("operation", "resource_type"),
    [
        (remove("userName"), USER),
        pytest.param(remove("displayName"), GROUP, marks=pytest.mark.rfc("S-4.2-01")),
        (remove("keys"), ROOM),
        (remove("keys", ["k"]), ROOM),
        (remove('keys[value eq "k"]'), ROOM),
        (remove("door.code"), ROOM),
        (remove("windows.value"), ROOM),
        (remove("windows[size eq 1].value"), ROOM),
        (remove(f"{LEASE_URN}:tenant"), ROOM),
    ],
)
def test_a_required_value_cannot_be_removed(operation: Json, resource_type: ResourceType) -> None:
    assert isinstance(refusal([operation], resource_type), MutabilityError)


@pytest.mark.rfc("P-3.5.2.3-09", "P-3.5.2-20", "S-4.1.1-01")
@pytest.mark.parametrize(
    ("operation", "resource_type"),
    [
        (replace("userName", None), USER),
        (replace("userName", ""), USER),
        (replace(None, {"userName": None}), USER),
        (add("displayName", ""), GROUP),
        (replace("keys", []), ROOM),
        (replace("door.code", None), ROOM),
        (replace("door", {"code": None}), ROOM),
        (replace("windows[size eq 1]", {"value": ""}), ROOM),
        (replace("windows", [{"size": 2}]), ROOM),
        (add("windows", [{"size": 2}]), ROOM),
        (add("windows[size eq 5].size", 6), ROOM),
        (replace(f"{LEASE_URN}:tenant", ""), ROOM),
    ],
)
def test_a_required_value_cannot_be_emptied(operation: Json, resource_type: ResourceType) -> None:
    assert isinstance(refusal([operation], resource_type), (InvalidValueError, MutabilityError))


@pytest.mark.rfc("P-3.5.2-20")
@pytest.mark.parametrize(
    ("operations", "path"),
    [
        ([add("door.colour", "red")], "door.code"),
        ([add("door", {"colour": "red"})], "door.code"),
        ([add(f"{LEASE_URN}:rent", 5)], f"{LEASE_URN}:tenant"),
        ([add(LEASE_URN, {"rent": 5})], f"{LEASE_URN}:tenant"),
        ([add("windows", [{"value": "a"}, {"size": 5}])], "windows[1].value"),
    ],
)
def test_what_is_new_has_the_values_that_it_needs(operations: list[Json], path: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        apply({"id": "r", "keys": ["k"]}, operations, ROOM)
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.rfc("P-3.5.2-20", "P-3.5.2-14")
def test_what_is_new_may_be_built_by_several_operations() -> None:
    operations = [add("door.colour", "red"), add("door.code", "c"), add(f"{LEASE_URN}:rent", 5), add("tenant", "t")]
    assert apply({"keys": ["k"]}, operations, ROOM).document == {
        "keys": ["k"],
        "door": {"colour": "red", "code": "c"},
        LEASE_URN: {"rent": 5, "tenant": "t"},
    }


def test_a_required_value_that_was_missing_before_hinders_no_other_change() -> None:
    assert apply({"id": "r"}, [add("seats", 5)], ROOM).document == {"id": "r", "seats": 5}


def test_a_required_extension_cannot_be_removed() -> None:
    lease = ROOM.extensions[0].schema
    leased = ResourceType(
        name="Leased", endpoint="/Leased", schema=ROOM.schema, extensions=(Extension(lease, required=True),)
    )
    given: Document = {"keys": ["k"], LEASE_URN: {"tenant": "t"}}
    for operation in (remove(LEASE_URN), replace(LEASE_URN, None), replace(None, {LEASE_URN: None})):
        with pytest.raises((MutabilityError, InvalidValueError)):
            apply(given, [operation], leased)


# Values


@pytest.mark.rfc("P-3.5.2-10", "S-2.3-02")
@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("title", 5, "title"),
        ("title", ["x"], "title"),
        ("title", {"value": "x"}, "title"),
        ("active", "maybe", "active"),
        ("active", 1, "active"),
        ("name", "Barbara", "name"),
        ("name", [], "name"),
        ("name", {"givenName": 5}, "name.givenName"),
        ("name.givenName", {"x": 1}, "name.givenName"),
        ("emails", [{"value": 5}], "emails[0].value"),
        ("emails", ["a", 5], "emails[1].value"),
        ("emails", [None], "emails[0]"),
        ("addresses", "Main Street", "addresses[0]"),
        ("emails.type", 5, "emails.type"),
        ('emails[type eq "work"].value', 5, "emails.value"),
        ('emails[type eq "work"]', {"primary": "x"}, "emails.primary"),
        ('emails[type eq "work"]', [{"value": "x"}], "emails"),
        ('emails[type eq "none"].value', 5, "emails.value"),
        ("profileUrl", "a b", "profileUrl"),
        ("x509Certificates", [{"value": "@@"}], "x509Certificates[0].value"),
        (f"{URN}:department", 5, f"{URN}:department"),
        (f"{URN}:manager", {"value": 5}, f"{URN}:manager.value"),
        (URN, "x", URN),
        (URN, {"department": 5}, f"{URN}:department"),
    ],
)
@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_value_that_does_not_fit_is_refused(name: str, path: str, value: Json, problem: str) -> None:
    error = refusal([op(name, path, value)])
    assert isinstance(error, InvalidValueError)
    assert [one.path for one in error.problems] == [f"Operations[0].{problem}"]


@pytest.mark.rfc("P-3.5.2.1-01")
@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize("path", ["title", "emails", 'emails[type eq "work"]', URN, f"{URN}:department"])
def test_a_value_is_needed(name: str, path: str) -> None:
    error = refusal([op(name, path)])
    assert isinstance(error, InvalidValueError)
    assert [problem.path for problem in error.problems] == ["Operations[0].value"]


@pytest.mark.rfc("S-2.3.2-01")
@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        (replace("active", "False"), {"active": False}),
        (replace("active", "fAlSe"), {"active": False}),
        (replace(None, {"active": "False"}), {"active": False}),
        (replace("active", "True"), {}),
        (add("emails", [{"value": "n", "primary": "False"}]), {"emails": [W, V, H, {"value": "n", "primary": False}]}),
        (replace('emails[primary eq "True"].display', "P"), {"emails": [{**W, "display": "P"}, V, H]}),
        (
            replace('emails[type eq "home"].primary', "True"),
            {"emails": [{**W, "primary": False}, V, {**H, "primary": True}]},
        ),
    ],
)
def test_texts_stand_for_booleans(operation: Json, changed: Document) -> None:
    assert changes([operation]) == changed


# Add (§3.5.2.1)


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        pytest.param(add("nickName", "N"), {"nickName": "N"}, marks=pytest.mark.rfc("P-3.5.2.1-03")),
        pytest.param(add("title", "X"), {"title": "X"}, marks=pytest.mark.rfc("P-3.5.2.1-06")),
        pytest.param(add("title", ""), {"title": None}, id="an empty text"),
        pytest.param(
            add("name", {"middleName": "Q"}),
            {"name": {"givenName": "B", "familyName": "J", "middleName": "Q"}},
            marks=pytest.mark.rfc("P-3.5.2.1-04"),
        ),
        pytest.param(
            add("name", {"givenName": "Q"}),
            {"name": {"givenName": "Q", "familyName": "J"}},
            marks=pytest.mark.rfc("P-3.5.2.1-04"),
        ),
        pytest.param(
            add("name.middleName", "Q"),
            {"name": {"givenName": "B", "familyName": "J", "middleName": "Q"}},
            marks=pytest.mark.rfc("P-3.5.2.1-04"),
        ),
        pytest.param(
            add("emails", [{"value": "n"}]),
            {"emails": [W, V, H, {"value": "n"}]},
            marks=pytest.mark.rfc("P-3.5.2.1-05"),
        ),
        pytest.param(
            add("emails", {"value": "n"}), {"emails": [W, V, H, {"value": "n"}]}, marks=pytest.mark.rfc("P-3.5.2.1-05")
        ),
        pytest.param(
            add("emails", [{"value": "h@x", "type": "work"}]),
            {"emails": [W, V, H, {"value": "h@x", "type": "work"}]},
            marks=pytest.mark.rfc("S-2.4-09"),
        ),
        pytest.param(
            add("emails", [{"value": "H@X", "type": "HOME", "display": "Home"}]),
            {"emails": [W, V, {"value": "H@X", "type": "HOME", "display": "Home"}]},
            marks=pytest.mark.rfc("S-2.4-08"),
        ),
        pytest.param(
            add("phoneNumbers", [{"value": "1"}]),
            {"phoneNumbers": [{"value": "1"}]},
            marks=pytest.mark.rfc("P-3.5.2.1-03"),
        ),
        pytest.param(
            add('emails[type eq "work"]', {"display": "X"}),
            {"emails": [{**W, "display": "X"}, {**V, "display": "X"}, H]},
            marks=pytest.mark.rfc("P-3.5.2.1-08"),
        ),
        pytest.param(
            add('emails[type eq "home"].display', "X"),
            {"emails": [W, V, {**H, "display": "X"}]},
            marks=pytest.mark.rfc("P-3.5.2.1-08"),
        ),
        pytest.param(
            add("emails.display", "X"),
            {"emails": [{**W, "display": "X"}, {**V, "display": "X"}, {**H, "display": "X"}]},
            marks=pytest.mark.rfc("P-3.5.2-21"),
        ),
        pytest.param(
            add("phoneNumbers.value", "1"), {"phoneNumbers": [{"value": "1"}]}, marks=pytest.mark.rfc("P-3.5.2-21")
        ),
    ],
)
def test_add(operation: Json, changed: Document) -> None:
    assert changes([operation]) == changed


@pytest.mark.rfc("P-3.5.2.1-07", "P-3.5.2.3-10")
@pytest.mark.parametrize(
    ("operation", "resource_type"),
    [
        (add("title", "T"), USER),
        (add("name", {"givenName": "B"}), USER),
        (add("name", {}), USER),
        (add("emails", [H]), USER),
        (add("emails", []), USER),
        (add("emails", None), USER),
        (add("emails", [{}]), USER),
        (add('emails[type eq "work"].type', "work"), USER),
        (add('emails[type eq "none"].value', None), USER),
        (add(URN, {"department": "D"}), USER),
        (add("members", [{"value": "1"}]), GROUP),
        (add("members", [{"value": "1", "display": "Other"}, {"value": "3"}]), GROUP),
        (add("tags", ["B"]), ROOM),
        (replace("title", "T"), USER),
        (replace("name", {"familyName": "J"}), USER),
        (replace("emails", [W, V, H]), USER),
        (replace("members", [{"value": "3"}, {"value": "2"}, {"value": "1"}]), GROUP),
        (replace(URN, {}), USER),
        (replace(URN, {"manager": {"value": "2"}}), USER),
        (remove("nickName"), USER),
        (remove("phoneNumbers"), USER),
        (remove(f"{URN}:division"), USER),
        (remove("name.middleName"), USER),
    ],
)
def test_what_is_so_already_changes_nothing(operation: Json, resource_type: ResourceType) -> None:
    assert changes([operation], resource_type) == {}


def test_what_does_not_change_is_shared() -> None:
    result = patched(USER_GIVEN, [replace("title", "X"), add("emails", [{"value": "n"}])])
    assert result["name"] is USER_GIVEN["name"]
    assert result[URN] is USER_GIVEN[URN]
    emails = result["emails"]
    assert isinstance(emails, list)
    assert all(one is other for one, other in zip(emails, GIVEN[USER]["emails"], strict=False))  # type: ignore[arg-type]


# Add and replace without a path


@pytest.mark.rfc("P-3.5.2.1-02", "P-3.5.2.1-09", "P-3.5.2.3-01")
@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize(
    ("value", "changed"),
    [
        ({"nickName": "N", "title": "X"}, {"nickName": "N", "title": "X"}),
        ({"TITLE": "X"}, {"title": "X"}),
        ({"name": {"givenName": "X"}}, {"name": {"givenName": "X", "familyName": "J"}}),
        ({"name.givenName": "X"}, {"name": {"givenName": "X", "familyName": "J"}}),
        ({f"{USER_URN}:name.givenName": "X"}, {"name": {"givenName": "X", "familyName": "J"}}),
        ({'emails[type eq "home"].value': "X"}, {"emails": [W, V, {**H, "value": "X"}]}),
        ({URN: {"costCenter": "X"}}, {URN: {"costCenter": "X", **GIVEN[USER][URN]}}),  # type: ignore[dict-item]
        ({URN.upper(): {"COSTCENTER": "X"}}, {URN: {"costCenter": "X", **GIVEN[USER][URN]}}),  # type: ignore[dict-item]
        ({f"{URN}:costCenter": "X"}, {URN: {"costCenter": "X", **GIVEN[USER][URN]}}),  # type: ignore[dict-item]
        ({f"{URN}.costCenter": "X"}, {URN: {"costCenter": "X", **GIVEN[USER][URN]}}),  # type: ignore[dict-item]
        ({URN: {"manager.value": "9"}}, {URN: {"department": "D", "manager": {"value": "9", "displayName": "M"}}}),
        ({"schemas": [USER_URN, "urn:x"], "title": "X"}, {"title": "X"}),
        ({"title": None, "active": ""}, {"title": None, "active": None}),
        ({}, {}),
    ],
)
def test_without_a_path_the_value_names_the_attributes(name: str, value: Json, changed: Document) -> None:
    assert changes([op(name, None, value)]) == changed
    assert changes([op(name, "", value)]) == changed


@pytest.mark.rfc("P-3.5.2.1-02", "P-3.5.2.3-01")
def test_without_a_path_add_appends_and_replace_replaces() -> None:
    value: Json = {"emails": [{"value": "n"}]}
    assert changes([add(None, value)]) == {"emails": [W, V, H, {"value": "n"}]}
    assert changes([replace(None, value)]) == {"emails": [{"value": "n"}]}


@pytest.mark.rfc("P-3.5.2.1-02")
@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize("value", [None, "x", 5, True, [], [{"title": "x"}]])
def test_without_a_path_the_value_must_be_an_object(name: str, value: Json) -> None:
    assert isinstance(refusal([op(name, None, value)]), InvalidValueError)


@pytest.mark.rfc("P-3.5.2.1-02")
@pytest.mark.parametrize("name", ["add", "replace"])
def test_without_a_path_there_must_be_a_value(name: str) -> None:
    assert isinstance(refusal([op(name, None)]), InvalidValueError)


@pytest.mark.rfc("S-2.1-03")
@pytest.mark.parametrize(
    "value",
    [
        {"title": "a", "TITLE": "b"},
        {"name": {"givenName": "a", "GIVENNAME": "b"}},
        {URN: {"division": "a", "Division": "b"}},
    ],
)
def test_a_name_that_stands_twice_is_ambiguous(value: Json) -> None:
    assert isinstance(refusal([replace(None, value)]), InvalidSyntaxError)


@pytest.mark.parametrize(
    ("value", "changed", "ignored"),
    [
        pytest.param({"id": "1", "title": "X"}, {"title": "X"}, ("id",), id="its own id"),
        pytest.param({"bogus": 1, "title": "X"}, {"title": "X"}, ("bogus",), id="unknown"),
        pytest.param({"a b": 1, "[": 2, "": 3, "title": "X"}, {"title": "X"}, ("a b", "[", ""), id="no name at all"),
        pytest.param({URN: {"bogus": 1}}, {}, (f"{URN}:bogus",), id="unknown in an extension"),
        pytest.param({"name": {"bogus": 1}}, {}, ("name.bogus",), id="unknown sub-attribute"),
        pytest.param({"meta": {"created": "x"}, "groups": []}, {}, ("meta", "groups"), id="readOnly"),
        pytest.param({f"{URN}:manager.displayName": "X"}, {}, (f"{URN}:manager.displayName",), id="readOnly inside"),
        pytest.param({URN: {"manager": {"displayName": "X"}}}, {}, (f"{URN}:manager.displayName",), id="deep inside"),
    ],
)
def test_without_a_path_what_cannot_be_set_is_left_out_and_reported(
    value: Json, changed: Document, ignored: tuple[str, ...]
) -> None:
    result = apply(USER_GIVEN, [replace(None, value)])
    assert {name: result.document.get(name) for name in result.delta.attributes} == changed
    assert result.ignored == ignored


@pytest.mark.rfc("P-3.5.2-23")
@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_another_id_is_refused_with_all_that_comes_with_it(tolerance: Tolerance) -> None:
    assert isinstance(refusal([add(None, {"title": "y", "id": "x"})], USER, tolerance), MutabilityError)


# Remove (§3.5.2.2)


@pytest.mark.parametrize(
    ("operation", "resource_type", "changed"),
    [
        pytest.param(remove("title"), USER, {"title": None}, marks=pytest.mark.rfc("P-3.5.2.2-02")),
        pytest.param(remove("title", "other"), USER, {"title": None}, id="a value beside a single one is passed over"),
        pytest.param(remove("name"), USER, {"name": None}, marks=pytest.mark.rfc("P-3.5.2.2-02")),
        pytest.param(remove("name.givenName"), USER, {"name": {"familyName": "J"}}, id="sub-attribute"),
        pytest.param(remove("members"), GROUP, {"members": None}, marks=pytest.mark.rfc("P-3.5.2.2-03")),
        pytest.param(
            remove('members[value eq "1"]'),
            GROUP,
            {"members": [{"value": "2", "type": "User"}, {"value": "3"}]},
            marks=pytest.mark.rfc("P-3.5.2.2-04"),
        ),
        pytest.param(remove("members[value pr]"), GROUP, {"members": None}, marks=pytest.mark.rfc("P-3.5.2.2-04")),
        pytest.param(
            remove('emails[type eq "work" and value sw "v"]'),
            USER,
            {"emails": [W, H]},
            marks=pytest.mark.rfc("P-3.5.2.2-05"),
        ),
        pytest.param(remove('emails[not (type eq "work")]'), USER, {"emails": [W, V]}, id="negation"),
        pytest.param(
            remove('emails[type eq "work"].display'),
            USER,
            {"emails": [W, {"value": "v@x", "type": "work"}, H]},
            marks=pytest.mark.rfc("P-3.5.2.2-06"),
        ),
        pytest.param(
            remove("emails.type"),
            USER,
            {"emails": [{"value": "w@x", "primary": True}, {"value": "v@x", "display": "V"}, {"value": "h@x"}]},
            marks=pytest.mark.rfc("P-3.5.2-21"),
        ),
        pytest.param(remove('tags[value eq "A"]'), ROOM, {"tags": ["b"]}, id="a text"),
        pytest.param(remove(URN), USER, {URN: None}, marks=pytest.mark.rfc("P-3.5.2-22")),
        pytest.param(
            remove(f"{URN}:department"), USER, {URN: {"manager": {"value": "2", "displayName": "M"}}}, id="extension"
        ),
        pytest.param(remove(f"{URN}:manager"), USER, {URN: {"department": "D"}}, id="manager"),
        pytest.param(remove("members", None), GROUP, {"members": None}, id="null is no list"),
    ],
)
def test_remove(operation: Json, resource_type: ResourceType, changed: Document) -> None:
    assert changes([operation], resource_type) == changed


@pytest.mark.rfc("P-3.5.2.2-02", "S-3.3-03")
def test_what_has_nothing_left_is_not_there() -> None:
    operations = [remove("name.givenName"), remove("name.familyName"), remove("department"), remove("manager")]
    assert changes(operations) == {"name": None, URN: None}


@pytest.mark.parametrize("emptied", ["", None])
def test_a_manager_without_a_value_is_nobody(emptied: Json) -> None:
    for operation in (
        replace("manager.value", emptied),
        replace("manager", {"value": emptied}),
        remove("manager.value"),
    ):
        assert changes([operation]) == {URN: {"department": "D"}}


@pytest.mark.rfc("P-3.5.2.2-01")
@pytest.mark.parametrize(
    "operation", [remove(None), remove(""), remove(None, None), remove(None, {}), remove(None, "title")]
)
def test_remove_needs_a_path(operation: Json) -> None:
    assert isinstance(refusal([operation]), NoTargetError)


@pytest.mark.rfc("P-3.5.2.2-08")
@pytest.mark.parametrize(
    "path",
    ['members[value eq "9"]', 'members[value eq "9"].display', 'members[value eq "1" and type eq "Group"]'],
)
@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_removing_what_matches_nothing_changes_nothing(path: str, tolerance: Tolerance) -> None:
    assert apply(GROUP_GIVEN, [remove(path)], GROUP, tolerance).document is GROUP_GIVEN


@pytest.mark.rfc("P-3.5.2.2-09")
@pytest.mark.parametrize(
    ("value", "left"),
    [
        ([{"value": "1"}], ["2", "3"]),
        ([{"value": "1"}, {"value": "3"}, {"value": "9"}], ["2"]),
        ([{"VALUE": "1"}], ["2", "3"]),
        ([{"value": "1", "display": "whoever", "$ref": None, "type": "Group"}], ["2", "3"]),
        ({"value": "1"}, ["2", "3"]),
        ("1", ["2", "3"]),
        (["1", "2"], ["3"]),
        ({"members": [{"value": "1"}]}, ["2", "3"]),
        ({"MEMBERS": ["1", {"value": "2"}]}, ["3"]),
        ([{"value": "9"}], ["1", "2", "3"]),
        ([], ["1", "2", "3"]),
        ({"members": []}, ["1", "2", "3"]),
        (["1", "2", "3"], []),
    ],
)
def test_remove_with_a_value_removes_those_members_and_no_others(value: Json, left: list[str]) -> None:
    for operation in (remove("members", value), remove(None, {"members": value})):
        members = apply(GROUP_GIVEN, [operation], GROUP).document.get("members", [])
        assert [one["value"] for one in members] == left  # type: ignore[union-attr, index, call-overload]


@pytest.mark.rfc("P-3.5.2.2-09")
@pytest.mark.parametrize(
    "value",
    [
        "",
        {},
        [{}],
        [""],
        [None],
        [[]],
        5,
        [5],
        True,
        [{"value": 5}],
        [{"display": "One"}],
        [{"$ref": "x"}],
        [{"value": ""}],
    ],
)
@pytest.mark.parametrize("given", [GROUP_GIVEN, {"id": "g", "displayName": "G"}], ids=["members", "no members"])
def test_remove_with_a_value_that_says_nobody_is_refused(value: Json, given: Document) -> None:
    with pytest.raises(InvalidValueError):
        apply(given, [remove("members", value)], GROUP)


@pytest.mark.rfc("P-3.5.2.2-09")
@pytest.mark.parametrize(
    ("path", "value", "given", "left"),
    [
        ("emails", [{"value": "W@X"}], USER, [V, H]),
        ("emails", [{"value": "w@x", "type": "home"}], USER, [W, V, H]),
        ("emails", [{"value": "v@x", "type": "work", "display": "v"}], USER, [W, H]),
        ("emails", [{"value": "w@x", "primary": "True"}], USER, [V, H]),
        ("emails", "h@x", USER, [W, V]),
        ("tags", ["A", "x"], ROOM, ["b"]),
        ("tags", "b", ROOM, ["a"]),
    ],
)
def test_remove_with_a_value_removes_what_it_describes(path: str, value: Json, given: ResourceType, left: Json) -> None:
    assert apply(GIVEN[given], [remove(path, value)], given).document[path] == left


@pytest.mark.rfc("P-3.5.2.2-09")
def test_what_has_no_value_is_described_by_all_that_is_said() -> None:
    work, home = {"type": "work", "country": "DE"}, {"type": "home", "country": "DE"}
    given: Document = {"addresses": [work, home]}
    assert apply(given, [remove("addresses", [{"type": "Work", "country": "de"}])]).document == {"addresses": [home]}
    assert apply(given, [remove("addresses", [{"type": "work", "country": "FR"}])]).document is given
    assert apply(given, [remove("addresses", {"country": "DE"})]).document == {}


@pytest.mark.rfc("P-3.5.2.2-09")
@pytest.mark.parametrize("operation", [remove(URN, {"department": "D"}), remove(None, {URN: {"department": "D"}})])
def test_remove_with_an_extensions_attributes_removes_no_others(operation: Json) -> None:
    assert changes([operation]) == {URN: {"manager": {"value": "2", "displayName": "M"}}}


# Replace (§3.5.2.3)


@pytest.mark.parametrize(
    ("operation", "resource_type", "changed"),
    [
        pytest.param(replace("title", "X"), USER, {"title": "X"}, marks=pytest.mark.rfc("P-3.5.2.3-02")),
        pytest.param(replace("nickName", "N"), USER, {"nickName": "N"}, marks=pytest.mark.rfc("P-3.5.2.3-04")),
        pytest.param(
            replace("phoneNumbers", [{"value": "1"}]),
            USER,
            {"phoneNumbers": [{"value": "1"}]},
            marks=pytest.mark.rfc("P-3.5.2.3-04"),
        ),
        pytest.param(replace("emails", [H]), USER, {"emails": [H]}, marks=pytest.mark.rfc("P-3.5.2.3-03")),
        pytest.param(
            replace("members", [{"value": "9"}, {"value": "1"}]),
            GROUP,
            {"members": [{"value": "1", "display": "One"}, {"value": "9"}]},
            marks=pytest.mark.rfc("P-3.5.2.3-03"),
        ),
        pytest.param(
            replace("name", {"givenName": "X"}),
            USER,
            {"name": {"givenName": "X", "familyName": "J"}},
            marks=pytest.mark.rfc("P-3.5.2.3-05"),
        ),
        pytest.param(
            replace("name", {"givenName": None, "middleName": "Q"}),
            USER,
            {"name": {"familyName": "J", "middleName": "Q"}},
            marks=pytest.mark.rfc("P-3.5.2.3-05"),
        ),
        pytest.param(
            replace('emails[type eq "work"]', {"display": "X"}),
            USER,
            {"emails": [{**W, "display": "X"}, {**V, "display": "X"}, H]},
            marks=pytest.mark.rfc("P-3.5.2.3-06"),
        ),
        pytest.param(
            replace('emails[type eq "work"].type', "other"),
            USER,
            {"emails": [{**W, "type": "other"}, {**V, "type": "other"}, H]},
            marks=pytest.mark.rfc("P-3.5.2.3-07"),
        ),
        pytest.param(
            replace("emails.type", "home"),
            USER,
            {"emails": [{**W, "type": "home"}, {**V, "type": "home"}, H]},
            marks=pytest.mark.rfc("P-3.5.2-21"),
        ),
        pytest.param(
            replace('emails[type eq "work"].value', "n@x"),
            USER,
            {"emails": [{**W, "value": "n@x"}, H]},
            marks=pytest.mark.rfc("S-2.4-08"),
            id="equal elements become one",
        ),
        pytest.param(replace('emails[type eq "home"]', None), USER, {"emails": [W, V]}, id="an element by null"),
        pytest.param(replace(URN, None), USER, {URN: None}, marks=pytest.mark.rfc("P-3.5.2-22")),
        pytest.param(replace(URN, ""), USER, {URN: None}, marks=pytest.mark.rfc("P-3.5.2-22")),
        pytest.param(
            replace(URN, {"division": "V"}),
            USER,
            {URN: {**GIVEN[USER][URN], "division": "V"}},  # type: ignore[dict-item]
            marks=pytest.mark.rfc("P-3.5.2-22"),
        ),
        pytest.param(
            replace("manager", "9"),
            USER,
            {URN: {"department": "D", "manager": {"value": "9", "displayName": "M"}}},
            id="bare",
        ),
    ],
)
def test_replace(operation: Json, resource_type: ResourceType, changed: Document) -> None:
    assert changes([operation], resource_type) == changed


@pytest.mark.rfc("P-3.5.2.3-09", "S-2.5-02")
@pytest.mark.parametrize("path", ["title", "name", "name.givenName", "emails", "manager", f"{URN}:department"])
@pytest.mark.parametrize("value", [None, ""])
def test_replacing_by_nothing_unassigns(path: str, value: Json) -> None:
    assert changes([replace(path, value)]) == changes([remove(path)])


@pytest.mark.rfc("P-3.5.2.3-08")
@pytest.mark.parametrize(
    "operation",
    [
        replace('members[value eq "zz"]', {"value": "zz"}),
        add('members[value eq "zz"]', {"value": "zz"}),
        replace('members[value sw "z"].display', "X"),
        replace('members[value eq "y" or value eq "z"].display', "X"),
        replace('members[not (value eq "1") and value eq "z"].display', "X"),
        replace('members[value eq "y" and value eq "z"].display', "X"),
    ],
)
@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_a_filter_that_matches_nothing_and_describes_nobody_has_no_target(
    operation: Json, tolerance: Tolerance
) -> None:
    assert isinstance(refusal([operation], GROUP, tolerance), NoTargetError)


@pytest.mark.rfc("P-3.5.2.1-08", "P-3.5.2.3-08")
@pytest.mark.parametrize("name", ["add", "replace"])
@pytest.mark.parametrize(
    ("path", "value", "element"),
    [
        ('emails[type eq "other"].value', "o@x", {"type": "other", "value": "o@x"}),
        ('emails[type eq "work" and display eq "N"].value', "o@x", {"type": "work", "display": "N", "value": "o@x"}),
        ('emails[primary eq false and type eq "a"].value', "o@x", {"primary": False, "type": "a", "value": "o@x"}),
        ('emails[type eq "other"].primary', True, {"type": "other", "primary": True}),
    ],
)
def test_a_filter_that_matches_nothing_creates_the_element_it_describes_once(
    name: str, path: str, value: Json, element: Document
) -> None:
    operation = op(name, path, value)
    (created,) = [one for one in changes([operation])["emails"] if one not in (W, V, H)][-1:]  # type: ignore[union-attr]
    assert created == element
    assert changes([operation, operation]) == changes([operation])
    assert isinstance(refusal([operation], USER, STRICT), NoTargetError)


# Primary (§3.5.2)


@pytest.mark.rfc("P-3.5.2-15", "P-3.5.2-20")
@pytest.mark.parametrize(
    ("operation", "primary"),
    [
        (add("emails", [{"value": "n", "primary": True}]), "n"),
        (add("emails", [{"value": "n", "primary": True}, {"value": "m", "primary": True}]), "n"),
        (add("emails", [{**H, "primary": True}]), "h@x"),
        (add("emails", [{"value": "n", "primary": True}, {"value": "w@x", "type": "work"}]), "n"),
        (add("emails", [{"value": "n"}]), "w@x"),
        (replace('emails[type eq "home"].primary', True), "h@x"),
        (replace('emails[type eq "home"]', {"primary": True}), "h@x"),
        (add('emails[type eq "other"].primary', True), None),
        (replace('emails[type eq "work"].primary', True), "w@x"),
        (replace('emails[display eq "V" or type eq "home"].primary', True), "v@x"),
        (replace("emails.primary", True), "w@x"),
        (replace("emails", [{"value": "n", "primary": True}, {"value": "m", "primary": True}]), "n"),
        (replace('emails[value eq "w@x"].display', "X"), "w@x"),
    ],
)
def test_one_element_is_primary_and_it_is_the_one_that_was_named(operation: Json, primary: str | None) -> None:
    once = patched(USER_GIVEN, [operation])
    emails = once["emails"]
    assert isinstance(emails, list)
    assert [one.get("value") for one in emails if one.get("primary") is True] == [primary]
    assert patched(once, [operation]) is once


def test_no_element_need_be_primary() -> None:
    assert changes([replace('emails[type eq "work"].primary', False)]) == {
        "emails": [{**W, "primary": False}, {**V, "primary": False}, H]
    }


# schemas


@pytest.mark.rfc("P-3.5.2-12", "P-3.5.2-13")
def test_schemas_may_be_added_before_an_extension_is_used() -> None:
    operations = [add("schemas", [URN]), add(f"{URN}:employeeNumber", "1")]
    assert apply({"userName": "a"}, operations).document == {"userName": "a", URN: {"employeeNumber": "1"}}


@pytest.mark.rfc("P-3.5.2-08")
@pytest.mark.parametrize("operation", [remove("schemas"), replace("schemas", [USER_URN])])
def test_schemas_follow_from_the_values_and_cannot_be_taken_away(operation: Json) -> None:
    assert isinstance(refusal([operation]), MutabilityError)


# Each setting once in each position


@pytest.mark.parametrize(
    ("setting", "operation", "resource_type", "changed", "error"),
    [
        (
            "create_unmatched_element",
            add('emails[type eq "x"].value', "n"),
            USER,
            {"emails": [W, V, H, {"type": "x", "value": "n"}]},
            NoTargetError,
        ),
        (
            "create_unmatched_element",
            replace('emails[type eq "x"].value', "n"),
            USER,
            {"emails": [W, V, H, {"type": "x", "value": "n"}]},
            NoTargetError,
        ),
        (
            "remove_listed_values",
            remove("members", ["1", "2"]),
            GROUP,
            {"members": [{"value": "3"}]},
            InvalidValueError,
        ),
        ("remove_listed_values", remove("phoneNumbers", [{"value": "1"}]), USER, {}, InvalidValueError),
        ("strings_as_booleans", replace("active", "False"), USER, {"active": False}, InvalidValueError),
        (
            "strings_as_booleans",
            replace('emails[primary eq "True"].display', "P"),
            USER,
            {"emails": [{**W, "display": "P"}, V, H]},
            InvalidFilterError,
        ),
        ("bare_values", add("emails", "n"), USER, {"emails": [W, V, H, {"value": "n"}]}, InvalidValueError),
        ("bare_values", add("emails", {"value": "n"}), USER, {"emails": [W, V, H, {"value": "n"}]}, InvalidValueError),
        ("bare_values", replace("manager", "2"), USER, {}, InvalidValueError),
        (
            "bare_values",
            replace('emails[type eq "home"]', "n"),
            USER,
            {"emails": [W, V, {**H, "value": "n"}]},
            InvalidValueError,
        ),
        ("ignore_read_only", replace(None, {"groups": [{"value": "g"}]}), USER, {}, MutabilityError),
        ("ignore_read_only", replace(None, {"meta": {"version": "x"}}), USER, {}, MutabilityError),
        ("ignore_read_only", replace(None, {"manager.displayName": "X"}), USER, {}, MutabilityError),
        ("ignore_read_only", replace(None, {"visits": 6}), ROOM, {}, MutabilityError),
        ("ignore_unknown", replace(None, {"bogus": 1}), USER, {}, InvalidPathError),
        ("ignore_unknown", replace(None, {URN: {"bogus": 1}}), USER, {}, InvalidPathError),
        ("ignore_unknown", replace("name", {"bogus": 1}), USER, {}, InvalidValueError),
        (
            "first_primary_wins",
            replace("emails", [{**W}, {**H, "primary": True}]),
            USER,
            {"emails": [W, {**H, "primary": False}]},
            InvalidValueError,
        ),
        (
            "free_canonical_values",
            add("emails", [{"value": "n", "type": "x"}]),
            USER,
            {"emails": [W, V, H, {"value": "n", "type": "x"}]},
            InvalidValueError,
        ),
    ],
)
def test_a_setting_decides(
    setting: str, operation: Json, resource_type: ResourceType, changed: Document, error: type[ScimError]
) -> None:
    assert changes([operation], resource_type) == changed
    assert type(refusal([operation], resource_type, STRICT)) is error
    assert type(refusal([operation], resource_type, Tolerance(**{setting: False}))) is error


def test_an_empty_text_is_a_value_where_a_setting_says_so() -> None:
    literal = Tolerance(empty_string_unassigns=False)
    assert apply(USER_GIVEN, [replace("title", "")], USER, literal).document["title"] == ""
    assert isinstance(refusal([replace("userName", "")], USER, literal), InvalidValueError)


@pytest.mark.parametrize("tolerance", [DEFAULT, STRICT], ids=["default", "strict"])
def test_read_only_values_that_contradict_nothing_are_passed_over(tolerance: Tolerance) -> None:
    result = apply(ROOM_GIVEN, [replace(None, {"id": "r", "visits": 5, "door.opened": 3, "seats": 9})], ROOM, tolerance)
    assert (result.document["seats"], result.ignored) == (9, ("id", "visits", "door.opened"))


# The elements that a PATCH names


def keys(operations: Sequence[Json], attribute: str = "members", key: str = "value") -> frozenset[str] | None:
    message = read_message(PatchRequest, {"Operations": list(operations)}, schemas_optional=True)
    return named_keys(message.operations, GROUP, attribute, key)


@pytest.mark.parametrize(
    ("operations", "named"),
    [
        ([replace("displayName", "X")], ""),
        ([replace(None, {"displayName": "X", "bogus": 1})], ""),
        ([add("members", [{"value": "1"}, {"value": "2"}])], "12"),
        ([add("MEMBERS", [{"VALUE": "1"}])], "1"),
        ([add(f"{GROUP.schema.id}:members", {"value": "1"})], "1"),
        ([add("members", "1")], "1"),
        ([add("members", ["1", {"value": "2"}])], "12"),
        ([add("members", {"members": [{"value": "1"}]})], "1"),
        ([add("members", [])], ""),
        ([add("members", None)], ""),
        ([add(None, {"members": [{"value": "1"}]})], "1"),
        ([add(None, {"Members": [{"Value": "1"}], "displayName": "X"})], "1"),
        ([remove("members", [{"value": "1"}])], "1"),
        ([remove("members", [{"Value": "1", "display": "x"}])], "1"),
        ([remove("members", {"value": "1"})], "1"),
        ([remove("members", "1")], "1"),
        ([remove("members", [])], ""),
        ([remove(None, {"members": [{"value": "1"}]})], "1"),
        ([remove('members[value eq "1"]')], "1"),
        ([remove('members[VALUE EQ "1"].display')], "1"),
        ([add('members[value eq "1"].display', "X")], "1"),
        ([replace('members[value eq "1"].display', "X")], "1"),
        ([add(None, {'members[value eq "1"].display': "X"})], "1"),
        ([add("members", "1"), remove("members", "2"), remove('members[value eq "3"]')], "123"),
    ],
)
def test_the_members_that_a_patch_names_are_known(operations: list[Json], named: str) -> None:
    assert keys(operations) == frozenset(named)


@pytest.mark.parametrize(
    "operation",
    [
        remove("members"),
        remove("members", None),
        remove(None, {"members": None}),
        replace("members", [{"value": "1"}]),
        replace("members", []),
        replace("members", None),
        replace(None, {"members": [{"value": "1"}]}),
        add("members.display", "X"),
        remove("members.display"),
        remove("members[value pr]"),
        remove('members[value sw "1"]'),
        remove('members[value eq "1" or value eq "2"]'),
        remove('members[not (value eq "1")]'),
        remove('members[display eq "1"]'),
        remove("members[value eq null]"),
        add('members[display eq "X"].value', "1"),
        add('members[value eq "1"].value', "2"),
    ],
)
def test_what_may_touch_other_members_names_none(operation: Json) -> None:
    assert keys([operation]) is None
    assert keys([add("members", "1"), operation]) is None


def links(*more: Attribute, required: bool = False, mutability: Mutability = Mutability.READ_WRITE) -> Attribute:
    """A list of references like a group's members, but for what is given."""
    value = Attribute(name="value", case_exact=True, mutability=Mutability.IMMUTABLE)
    sub_attributes = {one.name: one for one in (value, Attribute(name="$ref"), *more)}
    return Attribute(
        name="links",
        type=Type.COMPLEX,
        multi_valued=True,
        required=required,
        mutability=mutability,
        sub_attributes=tuple(sub_attributes.values()),
    )


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param(links(Attribute(name="value", case_exact=True)), id="elements that may change"),
        pytest.param(links(Attribute(name="value", mutability=Mutability.IMMUTABLE)), id="keys of any case"),
        pytest.param(links(required=True), id="a list that may not be empty"),
        pytest.param(links(Attribute(name="primary", type=Type.BOOLEAN)), id="one primary among all"),
        pytest.param(links(mutability=Mutability.IMMUTABLE), id="a list that is set once"),
    ],
)
def test_elements_that_depend_on_one_another_cannot_be_named_alone(attribute: Attribute) -> None:
    schema = Schema(id="urn:example:params:scim:schemas:Linked", name="Linked", attributes=(attribute,))
    linked = ResourceType(name="Linked", endpoint="/Linked", schema=schema)
    message = read_message(PatchRequest, {"Operations": [add("links", [{"value": "1"}])]}, schemas_optional=True)
    assert named_keys(message.operations, linked, "links", "value") is None
    other = read_message(PatchRequest, {"Operations": [add("externalId", "e")]}, schemas_optional=True)
    assert named_keys(other.operations, linked, "links", "value") == frozenset()


@pytest.mark.parametrize(
    ("operations", "delta"),
    [
        ([remove("members", "1"), add("members", {"value": "1", "display": "One"})], Delta()),
        (
            [add('members[value eq "2"].display', "Two")],
            Delta(
                added={"members": ({"value": "2", "type": "User", "display": "Two"},)},
                removed={"members": ({"value": "2", "type": "User"},)},
            ),
        ),
        (
            [remove("members", ["1", "2"]), add("members", ["9", "2"])],
            Delta(
                added={"members": ({"value": "9"}, {"value": "2"})},
                removed={"members": ({"value": "1", "display": "One"}, {"value": "2", "type": "User"})},
            ),
        ),
    ],
)
def test_members_are_never_assigned_as_a_whole(operations: list[Json], delta: Delta) -> None:
    # Where only the named members were loaded, all others would be lost.
    assert apply(GROUP_GIVEN, operations, GROUP).delta == delta


def test_a_path_that_means_nothing_names_nobody() -> None:
    assert keys([add("nope", "1")]) == frozenset()


@pytest.mark.parametrize(
    ("operation", "detail"),
    [
        ({"op": "replace", "path": "id", "value": "2"}, "Operations[1].id: is readOnly"),
        ({"op": "remove", "path": "userName"}, "Operations[1].userName: is required"),
        ({"op": "remove"}, "Operations[1]: remove needs a path"),
        ({"op": "replace", "path": 'emails[type eq "x"]', "value": {"value": "v"}}, "Operations[1].emails"),
        ({"op": "add", "path": "nope", "value": "v"}, "Operations[1]: User has no attribute 'nope'"),
        ({"op": "add", "path": 'emails[type zz "x"].value', "value": "v"}, "Operations[1]: "),
    ],
)
def test_an_error_names_the_operation(operation: Json, detail: str) -> None:
    with pytest.raises(ScimError) as refusal:
        patched({"id": "1", "userName": "bj"}, [{"op": "add", "path": "title", "value": "T"}, operation])
    assert refusal.value.detail.startswith(detail)


def test_a_listed_value_is_removed_from_a_list_that_may_not_be_empty() -> None:
    """Elements that depend on one another are walked: the last one may not go."""
    schema = Schema(id="urn:example:params:scim:schemas:Linked", name="Linked", attributes=(links(required=True),))
    linked = ResourceType(name="Linked", endpoint="/Linked", schema=schema)
    both: dict[str, Json] = {"links": [{"value": "1"}, {"value": "2"}]}
    one = patched(both, [{"op": "remove", "path": "links", "value": [{"value": "1"}]}], linked)
    assert one == {"links": [{"value": "2"}]}
    with pytest.raises(MutabilityError):
        patched(one, [{"op": "remove", "path": "links", "value": [{"value": "2"}]}], linked)


@pytest.mark.parametrize(
    ("said", "kept"),
    [({}, []), ({"primary": False}, []), ({"primary": True}, ["main"])],
)
def test_a_listed_value_that_is_not_primary_fits_one_that_never_was(said: dict[str, Json], kept: list[str]) -> None:
    """S-2.4-03: a missing `primary` reads as false."""
    for name in ("primary", "Primary"):
        document: dict[str, Json] = {"id": "1", "userName": "bj", "photos": [{"value": "main", **said}]}
        result = patched(document, [remove("photos", [{"value": "main", name: False}])])
        assert result.get("photos", []) == [{"value": value, **said} for value in kept]
