"""What identifies a resource besides its id: group identifiers and unique values."""

import hashlib
import re
from typing import Final

import pytest

from scimcore.rules.identifier import (
    RESERVED_IDENTIFIERS,
    group_identifier,
    identifier_fault,
    is_unique,
    legacy_group_identifier,
    unique_values,
)
from scimcore.rules.tolerance import DEFAULT, STRICT, Tolerance
from scimcore.schema.attribute import Attribute, Type, Uniqueness
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Document
from scimcore.schema.standard import GROUP, USER

URN: Final = "urn:example:params:scim:schemas:extension:Payroll"
STAFF: Final = ResourceType(
    name="Staff",
    endpoint="/Staff",
    schema=Schema(
        id="urn:example:params:scim:schemas:Staff",
        name="Staff",
        attributes=(
            Attribute(name="desk", type=Type.INTEGER, uniqueness=Uniqueness.SERVER),
            Attribute(name="badge", case_exact=True, uniqueness=Uniqueness.GLOBAL),
            Attribute(name="since", type=Type.DATE_TIME, uniqueness=Uniqueness.SERVER),
            Attribute(name="displayName"),
        ),
    ),
    extensions=(
        Extension(Schema(id=URN, name="Payroll", attributes=(Attribute(name="number", uniqueness=Uniqueness.SERVER),))),
    ),
)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("example-group", "example_group"),
        ("test.display-name", "test_display_name"),
        ("display?INVALID#name!", "displayINVALIDname"),
        ("123_displayname", "_displayname_60273ebf"),
        ("team-a", "team_a"),
        ("team.a", "team_a"),
        ("team a", "team_a"),
        ("Team A", "Team_A"),
        ("  Sales EMEA  ", "Sales_EMEA"),
        ("Équipe Réseau", "Equipe_Reseau"),
        ("E\u0301quipe", "Equipe"),
        ("a  b", "a__b"),
        ("R&D / Ops", "RD__Ops"),
        ("$team", "team"),
        ("-ops", "_ops"),
        (".ops", "_ops"),
        ("$1team", "team"),
        ("a$1", "a$1"),
        ("100", "_ad573668"),
        ("開発", ""),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_group_name_becomes_an_identifier(name: str, identifier: str) -> None:
    assert group_identifier(name) == identifier


@pytest.mark.parametrize("name", ["x" * 200, "a.b " * 50])
def test_only_names_that_begin_with_a_digit_are_shortened(name: str) -> None:
    assert len(group_identifier(name)) == len(name.strip())


def test_a_digest_keeps_apart_the_names_that_begin_with_a_digit() -> None:
    names = [f"{number} team" for number in range(100)]
    identifiers = {group_identifier(name) for name in names}
    assert len(identifiers) == 100
    digest = hashlib.sha256(b"7 team").hexdigest()[:8]
    assert group_identifier("  7 team ") == f"_team_{digest}"


def test_an_identifier_with_a_digest_is_at_most_128_long() -> None:
    assert len(group_identifier("1" + "x" * 500)) == 128
    assert re.fullmatch(r"x{119}_[0-9a-f]{8}", group_identifier("1" + "x" * 119))


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("123_displayname", "_displayname"),
        ("100", ""),
        ("1 team", "_team"),
        ("example-group", "example_group"),
        ("Équipe Réseau", "Equipe_Reseau"),
        ("$1team", "team"),
        ("-ops", "_ops"),
    ],
)
def test_the_older_generation_knows_no_digest(name: str, identifier: str) -> None:
    assert legacy_group_identifier(name) == identifier


@pytest.mark.parametrize("name", ["team-a", " A.b c ", "Équipe", "x" * 300, "", "$", "_1"])
def test_the_generations_differ_only_in_names_that_begin_with_a_digit(name: str) -> None:
    assert legacy_group_identifier(name) == group_identifier(name)


@pytest.mark.parametrize(
    ("identifier", "longest", "fault"),
    [
        ("a", 128, None),
        ("_", 128, None),
        ("_1$", 128, None),
        ("a" * 128, 128, None),
        ("a" * 129, 128, "longer than 128"),
        ("a" * 65, 64, "longer than 64"),
        ("", 128, "empty"),
        ("9lives", 128, "does not begin"),
        ("$a", 128, "does not begin"),
        ("a-b", 128, "does not begin"),
        ("é", 128, "does not begin"),
        ("a\n", 128, "does not begin"),
        *((word, 128, "reserved") for word in sorted(RESERVED_IDENTIFIERS)),
        ("Org", 128, None),
        ("orgs", 128, None),
    ],
)
def test_what_cannot_be_an_identifier_says_why(identifier: str, longest: int, fault: str | None) -> None:
    found = identifier_fault(identifier, longest)
    assert (found is None) is (fault is None)
    assert (fault or "") in (found or "")


# Unique values


def unique(document: Document, resource_type: ResourceType, tolerance: Tolerance = DEFAULT) -> list[tuple[str, str]]:
    return list(unique_values(document, resource_type, tolerance))


@pytest.mark.parametrize(
    ("one", "other", "resource_type"),
    [
        pytest.param({"userName": "BJensen"}, {"userName": "bjENSEN"}, USER, marks=pytest.mark.rfc("S-4.1.1-02")),
        pytest.param({"userName": "é"}, {"userName": "E\u0301"}, USER, marks=pytest.mark.rfc("S-4.1.1-02")),
        pytest.param({"displayName": "Team"}, {"displayName": "TEAM"}, GROUP, id="group names"),
        pytest.param({"desk": 1}, {"desk": 1.0}, STAFF, id="numbers"),
        pytest.param({"since": "2020-01-01T00:00:00Z"}, {"since": "2020-01-01T01:00:00+01:00"}, STAFF, id="moments"),
        pytest.param({URN: {"number": "a"}}, {URN: {"number": "A"}}, STAFF, marks=pytest.mark.rfc("S-7-15")),
    ],
)
def test_equal_values_clash(one: Document, other: Document, resource_type: ResourceType) -> None:
    assert len(unique(one, resource_type)) == 1
    assert unique(one, resource_type) == unique(other, resource_type)


@pytest.mark.parametrize(
    ("one", "other", "resource_type"),
    [
        ({"userName": "a"}, {"userName": "b"}, USER),
        ({"badge": "a"}, {"badge": "A"}, STAFF),
        ({"desk": 1}, {"desk": 2}, STAFF),
        ({"desk": 1}, {"badge": "1"}, STAFF),
        ({"since": "2020-01-01T00:00:00Z"}, {"since": "2020-01-01T00:00:00.1Z"}, STAFF),
        ({"badge": "a"}, {URN: {"number": "a"}}, STAFF),
    ],
)
def test_different_values_do_not_clash(one: Document, other: Document, resource_type: ResourceType) -> None:
    assert unique(one, resource_type) != unique(other, resource_type)
    assert unique(one, resource_type)


@pytest.mark.parametrize(
    ("document", "resource_type"),
    [
        pytest.param({"id": "1", "externalId": "e"}, USER, marks=pytest.mark.rfc("S-3.1-13"), id="externalId"),
        pytest.param({"displayName": "D", "emails": [{"value": "a"}]}, USER, id="a user's displayName"),
        pytest.param({"displayName": "D"}, STAFF, id="the displayName of what is no group"),
        pytest.param({URN: {}}, STAFF, id="an extension without the value"),
    ],
)
def test_other_values_may_be_shared(document: Document, resource_type: ResourceType) -> None:
    assert unique(document, resource_type) == []


@pytest.mark.rfc("S-4.2-06")
@pytest.mark.parametrize("tolerance", [STRICT, Tolerance(unique_group_names=False)])
def test_group_names_are_unique_only_where_a_setting_says_so(tolerance: Tolerance) -> None:
    assert unique({"displayName": "Team"}, GROUP) == [("displayName", "team")]
    assert unique({"displayName": "Team"}, GROUP, tolerance) == []


def test_whether_an_attribute_is_unique_can_be_asked() -> None:
    assert is_unique(USER.attributes["userName"], USER)
    assert not is_unique(USER.attributes["displayName"], USER)
    assert is_unique(GROUP.attributes["displayName"], GROUP)
    assert not is_unique(GROUP.attributes["displayName"], GROUP, STRICT)
    assert is_unique(STAFF.containers[URN].sub_attributes[0], STAFF)
