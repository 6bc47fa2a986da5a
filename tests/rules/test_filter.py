"""Filters: what they match, what they refuse and where, how they print."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from scimcore.errors import InvalidFilterError
from scimcore.rules.filter import (
    And,
    Comparison,
    Never,
    Not,
    Operator,
    Or,
    Presence,
    SomeElement,
    Term,
    matches,
    parse_filter,
)
from scimcore.rules.limits import Limits
from scimcore.rules.terms import predicate
from scimcore.rules.tolerance import STRICT
from scimcore.schema.attribute import Attribute, Returned, Type
from scimcore.schema.catalogue import Extension, Place, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

THING: Final = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:example:schemas:1.0:Thing",
        name="Thing",
        attributes=(
            Attribute(name="nickName"),
            Attribute(name="code", case_exact=True),
            Attribute(name="pr"),
            Attribute(name="not"),
            Attribute(name="or"),
            Attribute(name="eq"),
            Attribute(name="true"),
            Attribute(name="nullable"),
            Attribute(name="children", type=Type.INTEGER),
            Attribute(name="weight", type=Type.DECIMAL),
            Attribute(name="seal", type=Type.BINARY),
            Attribute(name="home", type=Type.REFERENCE, reference_types=("external",)),
            Attribute(name="born", type=Type.DATE_TIME),
            Attribute(name="secret", returned=Returned.NEVER),
            Attribute(name="tags", multi_valued=True),
            Attribute(name="scores", type=Type.INTEGER, multi_valued=True),
            Attribute(
                name="boxes",
                type=Type.COMPLEX,
                multi_valued=True,
                sub_attributes=(
                    Attribute(name="size", type=Type.INTEGER),
                    Attribute(name="labels", multi_valued=True),
                    Attribute(name="primary", type=Type.BOOLEAN),
                    Attribute(name="key", returned=Returned.NEVER),
                ),
            ),
            Attribute(
                name="owner",
                type=Type.COMPLEX,
                sub_attributes=(Attribute(name="value"), Attribute(name="primary", type=Type.BOOLEAN)),
            ),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id="urn:example:schemas:1.0:More",
                name="More",
                attributes=(
                    Attribute(name="value"),
                    Attribute(
                        name="parts",
                        type=Type.COMPLEX,
                        multi_valued=True,
                        sub_attributes=(Attribute(name="value"), Attribute(name="primary", type=Type.BOOLEAN)),
                    ),
                ),
            )
        ),
    ),
)
_TYPES: Final = {"User": USER, "Group": GROUP, "Thing": THING}


def _cases() -> Iterator[object]:
    for case in json.loads(Path(__file__).with_name("filter_cases.json").read_text(encoding="utf-8")):
        yield pytest.param(case, id=case["name"].replace(" ", "-"), marks=pytest.mark.rfc(*case.get("rfc", ())))


@pytest.mark.parametrize("case", list(_cases()))
def test_a_filter_of_the_table_is_answered_as_the_table_says(case: dict[str, object]) -> None:
    resource_type = _TYPES[str(case.get("resource_type", "User"))]
    text, documents = str(case["filter"]), case.get("documents", [])
    assert isinstance(documents, list)
    if "refused" in case:
        with pytest.raises(InvalidFilterError) as refusal:
            parse_filter(text).bound(resource_type)
        assert (refusal.value.reason, refusal.value.position) == (case["refused"], case["at"])
    else:
        bound = parse_filter(text).bound(resource_type)
        assert [document["id"] for document in documents if bound.matches(document)] == case["match"]


WORK_AND_HOME: Final[Document] = {
    "emails": [{"type": "work", "value": "a@x.org", "primary": True}, {"type": "home", "value": "b@y.org"}],
    "name": {"givenName": "Ann", "familyName": ""},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('userName EQ "bjensen"', True, marks=pytest.mark.rfc("P-3.4.2.2-03", "P-3.4.2.2-30")),
        pytest.param('externalId eq "AB1"', False, marks=pytest.mark.rfc("P-3.4.2.2-30")),
        pytest.param('externalId eq "aB1"', True, marks=pytest.mark.rfc("P-3.4.2.2-30")),
        pytest.param('userName sw "BJENSEN"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('userName ew "jensen"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('userName co ""', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('nickName co ""', False, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('externalId co "B"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('externalId sw "b"', False, marks=pytest.mark.rfc("P-3.4.2.2-30")),
        pytest.param('externalId ew "B1"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('externalId gt "aA9"', True, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('userName gt "B"', True, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('userName gt "bjensen"', False, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('userName ge "bjensen"', True, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('userName lt "bjensen"', False, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('userName le "C"', True, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param('displayName eq "Zo\\u0065\\u0308"', True, marks=pytest.mark.rfc("P-3.4.2.2-23")),
        pytest.param('displayName eq "ZOË"', True, marks=pytest.mark.rfc("P-3.4.2.2-30")),
        pytest.param('displayName co "oë"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('userType ne "Employee"', True, marks=pytest.mark.rfc("P-3.4.2.2-06")),
        pytest.param('userType gt ""', False, marks=pytest.mark.rfc("P-3.4.2.2-09")),
        pytest.param("title pr", False, marks=pytest.mark.rfc("P-3.4.2.2-08")),
        pytest.param("name pr", True, marks=pytest.mark.rfc("P-3.4.2.2-08")),
        pytest.param("name.familyName pr", False, marks=pytest.mark.rfc("P-3.4.2.2-08")),
        pytest.param("emails pr", True, marks=pytest.mark.rfc("P-3.4.2.2-08")),
        pytest.param("emails.display pr", False, marks=pytest.mark.rfc("P-3.4.2.2-08")),
        pytest.param("active eq true", True, marks=pytest.mark.rfc("P-3.4.2.2-05", "P-3.4.2.2-28")),
        pytest.param('active eq "True"', True, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param('active ne "FALSE"', True, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param(
            'emails.type eq "work" and emails.value eq "b@y.org"', True, marks=pytest.mark.rfc("P-3.4.2.2-19")
        ),
        pytest.param('emails[type eq "work" and value eq "b@y.org"]', False, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param(
            'emails[type eq "x" or (type eq "home" and value ew "org")]', True, marks=pytest.mark.rfc("P-3.4.2.2-20")
        ),
        pytest.param('emails[not (type eq "work")]', True, marks=pytest.mark.rfc("P-3.4.2.2-20")),
        pytest.param('emails[ type eq "work" ].value eq "A@X.ORG"', True, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('emails[type eq "work"] eq "b@y.org"', False, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('emails[type eq "work"] eq "a@x.org"', True, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('emails[type eq "work"] pr', True, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('emails[type eq "work"].display pr', False, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('emails[type eq "home" or type eq "work"].value ne "b@y.org"', True, id="tail binds to the or"),
        pytest.param('emails co "y.org"', True, marks=pytest.mark.rfc("P-3.4.2.2-27")),
        pytest.param('emails ne "b@y.org"', False, marks=pytest.mark.rfc("P-3.4.2.2-26", "P-3.4.2.2-06")),
        pytest.param("emails eq null", False, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param("emails.display eq null", True, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param("phoneNumbers eq null", True, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param("name ne null", True, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param('emails[type eq "home" and primary eq false]', True, id="no primary reads as false"),
        pytest.param('emails[type eq "work" and primary eq false]', False, id="a primary is no false"),
        pytest.param("emails.primary eq false", True, id="some element is not primary"),
        pytest.param("emails.primary ne false", False, id="ne false negates that"),
        pytest.param('emails[type eq "home" and primary ne true]', True, id="ne true holds without a primary"),
        pytest.param("phoneNumbers.primary eq false", False, id="no element is nothing"),
        pytest.param('manager eq "26118915"', True, id="manager stands for its value, without its URN"),
        pytest.param(f'{ENTERPRISE}:manager.displayName sw "J"', True, marks=pytest.mark.rfc("P-3.4.2.2-24")),
        pytest.param(f'{ENTERPRISE.upper()}:MANAGER.DISPLAYNAME sw "j"', True, marks=pytest.mark.rfc("P-3.4.2.2-03")),
        pytest.param(f'{ENTERPRISE}.manager eq "26118915"', True, id="a dot behind the URN"),
        pytest.param(f"{ENTERPRISE} pr", True, id="an extension is present"),
        pytest.param('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"', True, id="the core URN"),
        pytest.param("not(title pr) and not (nickName pr)", True, marks=pytest.mark.rfc("P-3.4.2.2-18")),
        pytest.param(" active  eq\ttrue ", True, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param('(userName eq "x" or active eq true) and title pr', False, marks=pytest.mark.rfc("P-3.4.2.2-17")),
        pytest.param('userName eq "x" and title pr or active eq true', True, marks=pytest.mark.rfc("P-3.4.2.2-17")),
        pytest.param("not (title pr) and not (nickName pr) and active eq true", True, id="three terms"),
        pytest.param("title pr or nickName pr or active eq false", False, id="three alternatives"),
        pytest.param('not (not (userName eq "bjensen"))', True, id="not twice"),
    ],
)
def test_a_user_matches_as_its_values_say(text: str, expected: bool) -> None:
    user: Document = {
        "id": "1",
        "userName": "BJensen",
        "externalId": "aB1",
        "displayName": "Zoë",
        "title": "",
        "active": True,
        **WORK_AND_HOME,
        ENTERPRISE: {"manager": {"value": "26118915", "displayName": "John"}},
    }
    assert matches(text, user) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("children lt 10", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("children eq 9.0", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("children ge 9", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("children gt 8.5", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("children eq -9", False, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("weight le 1.5E1", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("weight gt 1e-2", True, marks=pytest.mark.rfc("P-3.4.2.2-11")),
        pytest.param("scores eq 2", True, marks=pytest.mark.rfc("P-3.4.2.2-26")),
        pytest.param("scores ne 2", False, marks=pytest.mark.rfc("P-3.4.2.2-26")),
        pytest.param("scores gt 2", False, marks=pytest.mark.rfc("P-3.4.2.2-26")),
        pytest.param('born eq "2020-01-01T02:00:00.0+02:00"', True, marks=pytest.mark.rfc("P-3.4.2.2-10")),
        pytest.param('born lt "2020-01-01T00:00:00.0000000001Z"', True, marks=pytest.mark.rfc("P-3.4.2.2-10")),
        pytest.param('born gt "2020-01-01T00:30:00+01:00"', True, marks=pytest.mark.rfc("P-3.4.2.2-10")),
        pytest.param('born ne "2020-01-01T00:00:00Z"', False, marks=pytest.mark.rfc("P-3.4.2.2-06")),
        pytest.param('seal eq "TQ=="', True, marks=pytest.mark.rfc("P-3.4.2.2-05")),
        pytest.param('seal eq "tq=="', False, marks=pytest.mark.rfc("P-3.4.2.2-05")),
        pytest.param('home eq "https://a.example/X"', True, marks=pytest.mark.rfc("P-3.4.2.2-05")),
        pytest.param('home eq "https://a.example/x"', False, marks=pytest.mark.rfc("P-3.4.2.2-05")),
        pytest.param('home sw "https://"', True, marks=pytest.mark.rfc("P-3.4.2.2-07")),
        pytest.param('code eq "e\\u0301"', True, id="a caseExact string is compared normalized"),
        pytest.param('tags eq "B"', True, marks=pytest.mark.rfc("P-3.4.2.2-26")),
        pytest.param('tags[value eq "a" and value eq "b"]', False, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('tags[value sw "a" or value eq "x"]', True, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('tags[value eq "a"].value ew "A"', True, marks=pytest.mark.rfc("P-3.4.2.2-19")),
        pytest.param('boxes[size gt 2 and labels eq "red"]', True, id="a list inside an element"),
        pytest.param('boxes[size lt 2 and labels eq "red"]', False, id="a list inside another element"),
        pytest.param('boxes.labels eq "blue"', True, id="a list inside some element"),
        pytest.param("pr pr and not pr and or pr and eq pr and true pr", True, id="names like operators"),
        pytest.param(
            'not eq "n" and eq eq "e" and true eq "t" and or eq "o"', True, id="compared names like operators"
        ),
        pytest.param("nullable eq null", True, id="a name that begins like a literal"),
        pytest.param('owner eq "o"', True, marks=pytest.mark.rfc("P-3.4.2.2-27")),
        pytest.param("owner.primary eq false", False, id="a single value has no default"),
        pytest.param('urn:example:schemas:1.0:More:parts.value eq "p"', True, marks=pytest.mark.rfc("P-3.4.2.2-24")),
        pytest.param('urn:example:schemas:1.0:More:parts[value eq "p" and primary eq false]', True, id="URN, brackets"),
        pytest.param("urn:example:schemas:1.0:More:parts.primary eq false", True, id="URN, default"),
        pytest.param('urn:example:schemas:1.0:More:value eq "v"', True, id="an extension with a value"),
    ],
)
def test_a_value_of_any_type_compares_as_its_type_says(text: str, expected: bool) -> None:
    thing: Document = {
        "code": "\u00e9",
        "pr": "p",
        "not": "n",
        "or": "o",
        "eq": "e",
        "true": "t",
        "children": 9,
        "weight": 15.0,
        "seal": "TQ==",
        "home": "https://a.example/X",
        "born": "2020-01-01T00:00:00Z",
        "tags": ["a", "b"],
        "scores": [1, 2],
        "boxes": [{"size": 1, "labels": ["blue"]}, {"size": 3, "labels": ["green", "red"]}],
        "owner": {"value": "O"},
        "urn:example:schemas:1.0:More": {"value": "v", "parts": [{"value": "p"}]},
    }
    assert matches(text, thing, THING) is expected


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        pytest.param("userName regex 1", "the operator 'regex' is", 9, marks=pytest.mark.rfc("P-3.4.2.2-29")),
        pytest.param("userName eq john", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq 'john'", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq 01", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq +1", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq .5", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq NaN", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq -Infinity", "expected a comparison value", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param("userName eq 1e999", "the number is too large", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param('title eq "a" and userName eq "b', "the string has no end", 29, id="caret behind a literal"),
        pytest.param('userName eq "\\x"', "a string is not valid JSON", 12, marks=pytest.mark.rfc("P-3.4.2.2-23")),
        pytest.param('userName eq "a\nb"', "a string is not valid JSON", 12, marks=pytest.mark.rfc("P-3.4.2.2-22")),
        pytest.param('userName eq "\\u0000"', "a string must not contain NUL", 12, id="an escaped NUL"),
        pytest.param('userName eq "a\0"', "a string is not valid JSON", 12, id="a NUL"),
        pytest.param('userName eq "\\ud800"', "a string must not contain NUL or half", 12, id="an escaped surrogate"),
        pytest.param('userName eq "\ud800"', "a string must not contain NUL or half", 12, id="a surrogate"),
        pytest.param("userName\0pr", "unexpected character '\\x01'", 8, id="a NUL outside of strings"),
        pytest.param("userName", "expected an operator", 8, marks=pytest.mark.rfc("P-3.4.2.2-04")),
        pytest.param('eq "x"', "expected an operator", 3, marks=pytest.mark.rfc("P-3.4.2.2-04")),
        pytest.param('userName eq "a" x', "expected 'and' or 'or'", 16, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("(userName pr", "a bracket is not closed", 12, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("userName pr)", "no bracket is open", 11, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("(userName pr]", "no bracket is open", 12, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param('userName eq"a"', "expected a blank", 11, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param('userName eq "a"and title pr', "expected a blank", 15, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("title pr and(title pr)", "expected a blank", 12, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("name .givenName pr", "a blank before '.'", 5, marks=pytest.mark.rfc("P-3.4.2.2-32")),
        pytest.param("title and active", "expected an operator", 6, id="no operator"),
        pytest.param("title pr and not", "expected '(' after 'not'", 16, marks=pytest.mark.rfc("P-3.4.2.2-18")),
        pytest.param("emails[type pr][value pr]", "a value filter must follow", 15, id="brackets behind brackets"),
        pytest.param("emails[type pr].value[value pr]", "a value filter must follow", 21, id="brackets behind a tail"),
        pytest.param("emails.value[type pr]", "a value filter must follow", 12, id="brackets behind a sub-attribute"),
        pytest.param(
            'emails[type eq "a" and emails[type eq "b"]]',
            "a value filter cannot",
            29,
            marks=pytest.mark.rfc("P-3.4.2.2-21"),
        ),
        pytest.param("emails[]", "expected an attribute name", 7, marks=pytest.mark.rfc("P-3.4.2.2-20")),
        pytest.param("emails[emails.type pr]", "emails has no attribute", 7, marks=pytest.mark.rfc("P-3.4.2.2-20")),
        pytest.param("emails[userName pr]", "emails has no attribute", 7, marks=pytest.mark.rfc("P-3.4.2.2-20")),
        pytest.param("schemas[type pr]", "schemas has no attribute", 8, marks=pytest.mark.rfc("P-3.4.2.2-20")),
        pytest.param('emails[type eq "a"].bogus pr', "emails has no attribute 'bogus'", 20, id="an unknown tail"),
        pytest.param(
            "emails[type pr] bogus 1", "expected 'and', 'or', an operator", 16, id="no operator behind brackets"
        ),
        pytest.param('title eq "long text" and bogus pr', "User has no attribute 'bogus'", 25, id="unknown, later"),
        pytest.param('name eq "x"', "'name' is complex", 8, marks=pytest.mark.rfc("P-3.4.2.2-27")),
        pytest.param('name co "x"', "'co' does not apply to 'name'", 5, marks=pytest.mark.rfc("P-3.4.2.2-27")),
        pytest.param(f'{ENTERPRISE} eq "x"', "is complex", 62, id="an extension has no value"),
        pytest.param("active lt false", "'lt' does not apply to 'active'", 7, marks=pytest.mark.rfc("P-3.4.2.2-12")),
        pytest.param(
            'x509Certificates.value le "AA"', "'le' does not apply", 23, marks=pytest.mark.rfc("P-3.4.2.2-12")
        ),
        pytest.param('x509Certificates co "AA"', "'co' does not apply", 17, marks=pytest.mark.rfc("P-3.4.2.2-13")),
        pytest.param('meta.created sw "2011"', "'sw' does not apply", 13, marks=pytest.mark.rfc("P-3.4.2.2-13")),
        pytest.param('active eq "yes"', "'active' is compared with a value of type boolean", 10, id="no boolean"),
        pytest.param("active eq 1", "'active' is compared with a value of type boolean", 10, id="1 is no boolean"),
        pytest.param("userName eq 5", "'userName' is compared", 12, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param("userName eq true", "'userName' is compared", 12, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param('meta.created gt "x"', "'created' is compared", 16, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param("meta.created gt 5", "'created' is compared", 16, marks=pytest.mark.rfc("P-3.4.2.2-14")),
        pytest.param("title gt null", "null has no order", 9, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param("title co null", "null has no order", 9, marks=pytest.mark.rfc("P-3.4.2.2-15")),
        pytest.param("password pr", "'password' cannot be filtered by", 0, marks=pytest.mark.rfc("P-3.4.2.2-34")),
        pytest.param('password sw "a"', "'password' cannot be filtered by", 0, marks=pytest.mark.rfc("P-3.4.2.2-34")),
        pytest.param("PASSWORD eq null", "'PASSWORD' cannot be filtered by", 0, marks=pytest.mark.rfc("P-3.4.2.2-34")),
    ],
)
def test_a_faulty_filter_is_refused_where_the_fault_is(text: str, reason: str, position: int) -> None:
    with pytest.raises(InvalidFilterError) as refusal:
        parse_filter(text).bound(USER)
    assert reason in refusal.value.reason
    assert refusal.value.position == position


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("children eq true", "'children' is compared with a value of type integer"),
        ('children eq "9"', "'children' is compared with a value of type integer"),
        ('children co "9"', "'co' does not apply to 'children'"),
        ("weight sw 1", "'sw' does not apply to 'weight'"),
        ('secret eq "x"', "'secret' cannot be filtered by"),
        ('boxes[key eq "x"]', "'key' cannot be filtered by"),
        ('boxes.key eq "x"', "'boxes.key' cannot be filtered by"),
        ('boxes eq "x"', "'boxes' is complex"),
        ('owner[value eq "x"]', "'owner' is not multi-valued"),
        ("urn:example:schemas:1.0:More:value[value pr]", "is not multi-valued"),
    ],
)
def test_what_a_type_does_not_allow_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidFilterError) as refusal:
        parse_filter(text).bound(THING)
    assert reason in refusal.value.reason


def test_a_refusal_shows_the_place_with_a_caret() -> None:
    with pytest.raises(InvalidFilterError) as refusal:
        parse_filter("userName eq and active eq true")
    assert str(refusal.value).splitlines() == [
        "invalidFilter: expected a comparison value",
        "  userName eq and active eq true",
        "              ^",
    ]


def test_strings_are_no_booleans_for_a_strict_provider() -> None:
    with pytest.raises(InvalidFilterError, match="'active' is compared with a value of type boolean"):
        parse_filter('active eq "True"').bound(USER, tolerance=STRICT)


@pytest.mark.rfc("P-3.4.2.2-33")
@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        ("(" * 50_000, Limits(max_filter_length=100_000), "more than 50 brackets inside one another"),
        ("(" * 50_000, Limits(max_filter_length=100_000, max_filter_depth=100_000), "more than 100 brackets"),
        ("not (" * 51 + "title pr" + ")" * 51, Limits(), "more than 50 brackets inside one another"),
        (" or ".join(["title pr"] * 201), Limits(), "more than 200 comparisons"),
        ('title eq "' + "x" * 10_000 + '"', Limits(), "the filter is longer than 10000 characters"),
        ("title pr and title pr", Limits(max_filter_terms=1), "more than 1 comparisons"),
    ],
)
def test_a_filter_beyond_the_limits_is_refused(text: str, limits: Limits, reason: str) -> None:
    with pytest.raises(InvalidFilterError) as refusal:
        parse_filter(text, limits)
    assert refusal.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" or ".join(f'userName eq "{n}"' for n in range(200)), id="200-alternatives"),
        pytest.param("(" * 50 + 'userName eq "57"' + ")" * 50, id="50-brackets"),
        pytest.param("not (not (" * 25 + 'userName eq "57"' + "))" * 25, id="50-negations"),
        pytest.param(" and ".join(f'(userName eq "57" or nickName eq "{n}")' for n in range(20)), id="20-pairs"),
    ],
)
@pytest.mark.rfc("P-3.4.2.2-33")
def test_a_filter_at_the_limits_is_answered(text: str) -> None:
    assert matches(text, {"userName": "57"})
    assert not matches(text, {"userName": "x"})


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "a"',
        'userName eq "a" and title pr or not (active eq true)',
        '(title pr or userName pr) and emails[type eq "work" and not (value pr)]',
        'displayName eq "a\\"b\\\\c\\né"',
        "title eq null and active eq false or userName gt -1.5",
        f'{ENTERPRISE}:manager.$ref eq "x"',
    ],
)
def test_a_printed_filter_reads_as_it_was_written(text: str) -> None:
    assert str(parse_filter(text)) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (' USERNAME  Eq "\\u0061" ', 'USERNAME eq "a"'),
        ("((title pr) and (userName pr and active pr))", "title pr and userName pr and active pr"),
        ("(title pr and userName pr) or (active pr)", "title pr and userName pr or active pr"),
        ("not(title pr)", "not (title pr)"),
        ('emails[type eq "work"].value eq "x"', 'emails[type eq "work" and value eq "x"]'),
        ('emails[type eq "a" or type eq "b"] sw "x"', 'emails[(type eq "a" or type eq "b") and value sw "x"]'),
        ('emails[type eq "work"] pr', 'emails[type eq "work"]'),
        ("weight eq 1.50E1", "weight eq 15.0"),
    ],
)
def test_a_print_has_one_form_for_one_meaning(text: str, printed: str) -> None:
    assert str(parse_filter(text)) == printed
    assert parse_filter(printed) == parse_filter(text)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('userName eq "a"', 'USERNAME EQ "\\u0061"', True),
        ('userName eq "a"', 'userName eq "b"', False),
        ('userName eq "a"', 'userName ne "a"', False),
        ("x eq 1", "x eq true", False),
        ("a pr and b pr", "b pr and a pr", False),
    ],
)
def test_filters_are_equal_when_they_say_the_same(one: str, other: str, equal: bool) -> None:
    assert (parse_filter(one) == parse_filter(other)) is equal
    assert not equal or hash(parse_filter(one)) == hash(parse_filter(other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "x"', False),
        ('userName ne "x"', True),
        ("userName pr", False),
        ("userName eq null", True),
        ("userName ne null", False),
        ('not (userName eq "x")', True),
        ('displayName eq "G" and not (userName pr)', True),
        ('emails[type eq "work" and value eq 5].value eq "x"', False),
        ('not (emails[type eq "work" or not (value pr)])', True),
        ("members[bogus eq 5]", False),
    ],
)
def test_a_name_of_another_type_has_no_value_when_several_are_searched(text: str, expected: bool) -> None:
    group: Document = {"displayName": "G", "members": [{"value": "1"}]}
    assert parse_filter(text).bound(GROUP, foreign_is_absent=True).matches(group) is expected


def test_a_secret_stays_one_when_several_types_are_searched() -> None:
    with pytest.raises(InvalidFilterError, match="cannot be filtered by"):
        parse_filter('password eq "x"').bound(USER, foreign_is_absent=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "x" or meta.created pr', True),
        ("schemas pr", True),
        ('schemas[value eq "x"]', True),
        ('id eq "x" and emails[type eq "work"]', False),
        (f"{ENTERPRISE}:manager pr", False),
    ],
)
def test_a_filter_tells_whether_it_looks_at_the_envelope(text: str, expected: bool) -> None:
    assert parse_filter(text).bound(USER).mentions_envelope is expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('userName eq "x" or not (TITLE pr)', {"userName", "title"}),
        ('emails[type eq "work" and value co "x"]', {"emails"}),
        ('name.givenName eq "x" and groups.value eq "1"', {"name", "groups"}),
        (f'{ENTERPRISE}:department eq "x" or manager.value eq "1"', {ENTERPRISE}),
        ('elsewhere eq "x" or meta.created pr', {"meta"}),
    ],
)
def test_a_filter_tells_which_attributes_it_looks_at(text: str, names: set[str]) -> None:
    assert parse_filter(text).bound(USER, foreign_is_absent=True).names == names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('userName eq "x"', "title pr"),
        ('userName eq "x" and active eq true', "not (title pr)"),
        ('userName eq "x"', 'title pr and emails[type eq "work"]'),
        ('userName eq "x" or active eq true', "title pr or meta.created pr"),
    ],
)
def test_joined_filters_are_the_filter_that_says_both(one: str, other: str) -> None:
    first, second = parse_filter(one).bound(USER), parse_filter(other).bound(USER)
    joined, whole = first.joined(second), parse_filter(f"({one}) and ({other})").bound(USER)
    assert joined == whole
    documents: list[Document] = [{}, {"userName": "X"}, {"title": "T"}, {"userName": "X", "title": "T", "active": True}]
    for document in documents:
        assert joined.matches(document) is whole.matches(document)


def _place(name: str) -> Place:
    place = USER.place(name)
    assert place
    return place


def _of_emails(name: str) -> Place:
    return Place(None, _place(f"emails.{name}").leaf)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('USERNAME eq "X"', Comparison(_place("userName"), Operator.EQ, "X")),
        ('userName ne "x"', Not(Comparison(_place("userName"), Operator.EQ, "x"))),
        ('active eq "True"', Comparison(_place("active"), Operator.EQ, True)),
        ('emails co "x"', Comparison(_place("emails.value"), Operator.CO, "x")),
        ("emails eq null", Not(Presence(_place("emails")))),
        ("title ne null", Presence(_place("title"))),
        ("title pr or active pr", Or((Presence(_place("title")), Presence(_place("active"))))),
        (
            'emails[type eq "work"].value eq "x"',
            SomeElement(
                _place("emails"),
                And(
                    (
                        Comparison(_of_emails("type"), Operator.EQ, "work"),
                        Comparison(_of_emails("value"), Operator.EQ, "x"),
                    )
                ),
            ),
        ),
        (
            "emails.primary eq false",
            SomeElement(_place("emails"), Not(Comparison(_of_emails("primary"), Operator.EQ, True))),
        ),
        ("bogus pr", Never()),
    ],
)
def test_a_storage_reads_simple_terms(text: str, tree: Term) -> None:
    assert parse_filter(text).bound(USER, foreign_is_absent=True).tree == tree


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('born gt "2020-01-01T00:00:00Z"', {"born": "yesterday"}),
        ('born eq "2020-01-01T00:00:00Z"', {"born": 5}),
        ("children eq 1", {"children": True}),
        ("children lt 5", {"children": "1"}),
        ('nickName eq "5"', {"nickName": 5}),
        ('nickName gt "5"', {"nickName": ["6"]}),
        ('code eq "x"', {"code": {"x": 1}}),
        ('code co "x"', {"code": None}),
        ('boxes[labels eq "x"]', {"boxes": "x"}),
        ("boxes[size eq 1]", {"boxes": [None, "x", 1]}),
        ("boxes.size eq 1", {"boxes": [None, "x", 1]}),
        ('owner eq "x"', {"owner": "x"}),
        ('tags eq "x"', {"tags": None}),
        ('tags[value eq "x"]', {"tags": [None]}),
        ('urn:example:schemas:1.0:More:value eq "v"', {"urn:example:schemas:1.0:More": "v"}),
    ],
)
def test_a_value_of_the_wrong_type_matches_nothing(text: str, document: dict[str, Json]) -> None:
    assert not matches(text, document, THING)


@pytest.mark.parametrize(
    "term",
    [
        Comparison(_place("userName"), Operator.CO, 5),
        Comparison(_place("userName"), Operator.EQ, 5),
        Comparison(_place("id"), Operator.EQ, None),
        Comparison(_place("meta.created"), Operator.GT, "yesterday"),
    ],
)
def test_a_term_with_an_operand_of_the_wrong_type_matches_nothing(term: Term) -> None:
    user: Document = {"userName": "5", "id": "5", "meta": {"created": "2020-01-01T00:00:00Z"}}
    assert not predicate(term)(user)


def test_a_multi_valued_attribute_that_holds_one_value_is_read_as_a_list_of_it() -> None:
    assert matches('tags eq "x"', {"tags": "x"}, THING)
    assert matches("boxes.size eq 1", {"boxes": {"size": 1}}, THING)


def test_a_filter_is_asked_about_many_documents_without_being_parsed_again() -> None:
    found = parse_filter('userName sw "a"')
    assert [matches(found, {"userName": name}) for name in ("ann", "bob", "Al")] == [True, False, True]


# What is asked by equal values alone


@pytest.mark.parametrize(
    ("text", "places", "texts"),
    [
        ('nickname EQ "a"', ["nickName"], ["a"]),
        ('(nickName eq "")', ["nickName"], [""]),
        ('nickName eq "a" or (code eq "b" or home eq "c")', ["nickName", "code", "home"], ["a", "b", "c"]),
        ('(nickName eq "a" or code eq "b") or nickName eq "c"', ["nickName", "code", "nickName"], ["a", "b", "c"]),
        ('owner eq "a" or owner.value eq "b"', ["owner.value", "owner.value"], ["a", "b"]),
        ('tags eq "a" or seal eq "QQ=="', ["tags", "seal"], ["a", "QQ=="]),
        ('urn:example:schemas:1.0:More:value eq "a"', ["urn:example:schemas:1.0:More:value"], ["a"]),
    ],
)
def test_a_filter_for_equal_texts_tells_them_with_their_places(text: str, places: list[str], texts: list[str]) -> None:
    found = parse_filter(text).equated(THING)
    assert found is not None
    assert (list(map(str, found[0])), list(found[1])) == (places, texts)


@pytest.mark.parametrize(
    "text",
    [
        *('nickName ne "a"', 'nickName sw "a"', 'not (nickName eq "a")', "nickName pr", "nickName eq null"),
        *('nickName eq "a" and code eq "b"', 'nickName eq "a" or code pr', 'nickName eq "a" or code eq null'),
        *("children eq 1", 'born eq "2011-05-13T04:42:34Z"', 'boxes[labels eq "a"]', "boxes.primary eq false"),
        *('nickName eq "a" or children eq 1', 'nickName eq "a" or nickName eq "b" and code eq "c"'),
    ],
)
def test_a_filter_for_anything_else_tells_nothing(text: str) -> None:
    parse_filter(text).bound(THING)
    assert parse_filter(text).equated(THING) is None


@pytest.mark.parametrize(
    "text", ["nickName eq 1", "nickName eq true", 'secret eq "a"', 'unheard eq "a"', 'boxes eq "a"', 'boxes.key eq "a"']
)
def test_a_filter_that_is_refused_tells_nothing(text: str) -> None:
    with pytest.raises(InvalidFilterError):
        parse_filter(text).bound(THING)
    assert parse_filter(text).equated(THING) is None
