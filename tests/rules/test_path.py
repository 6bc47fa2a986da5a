"""PATCH paths: what they name, which elements they choose, how they are refused."""

import pytest

from scimcore.errors import InvalidFilterError, InvalidPathError
from scimcore.rules.limits import Limits
from scimcore.rules.path import parse_path
from scimcore.rules.tolerance import STRICT
from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("userName", "userName"),
        ("NAME.GIVENNAME", "name.givenName"),
        ("emails", "emails"),
        ("emails.value", "emails.value"),
        ('emails[type eq "work"]', "emails"),
        (' emails[ type eq "work" ].VALUE ', "emails.value"),
        ('urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value', "emails.value"),
        (ENTERPRISE, ENTERPRISE),
        (f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager"),
        (f"{ENTERPRISE}:manager.$ref", f"{ENTERPRISE}:manager.$ref"),
        (f"{ENTERPRISE}.manager", f"{ENTERPRISE}:manager"),
        ("manager", f"{ENTERPRISE}:manager"),
        ("manager.value", f"{ENTERPRISE}:manager.value"),
        ("password", "password"),
    ],
)
def test_a_path_names_a_place(text: str, place: str) -> None:
    path = parse_path(text, USER)
    assert str(path.place) == place
    assert str(path) == text


@pytest.mark.parametrize(
    ("text", "element", "expected"),
    [
        ('emails[type eq "work"]', {"type": "Work"}, True),
        ('emails[type eq "work"].value', {"type": "home"}, False),
        ('emails[type eq "work" and primary eq true]', {"type": "work"}, False),
        ("emails[primary eq false]", {"type": "work"}, True),
        ('emails[primary eq "False"]', {"primary": True}, False),
        ('emails[not (value co "x") or display pr]', {"value": "x", "display": "d"}, True),
        ('emails[type eq "work"]', "work", False),
        ('schemas[value eq "urn:x"]', "urn:x", True),
        ('schemas[value eq "urn:x"]', None, False),
    ],
)
def test_the_condition_of_a_path_chooses_elements(text: str, element: Json, expected: bool) -> None:
    condition = parse_path(text, USER).condition
    assert condition
    assert condition.matches(element) is expected


@pytest.mark.parametrize(
    ("filter", "equalities"),
    [
        ('type eq "work"', {"type": "work"}),
        ('TYPE eq "work" and PRIMARY eq "True"', {"type": "work", "primary": True}),
        (
            '(type eq "work") and (display eq "x" and primary eq false)',
            {"type": "work", "display": "x", "primary": False},
        ),
        ('type eq "work" and type eq "work"', {"type": "work"}),
        ('type eq "work" and display eq null', {"type": "work"}),
        ('type eq "work" and type eq "home"', None),
        ('type eq "work" or type eq "home"', None),
        ('type eq "work" and display pr', None),
        ('type ne "work"', None),
        ('not (type eq "work")', None),
    ],
)
def test_a_condition_tells_what_its_elements_hold(filter: str, equalities: dict[str, Json] | None) -> None:
    condition = parse_path(f"emails[{filter}].value", USER).condition
    assert condition
    assert condition.equalities == equalities


def test_a_path_without_brackets_has_no_condition() -> None:
    assert parse_path("emails.value", USER).condition is None


def test_paths_are_equal_when_they_mean_the_same() -> None:
    assert parse_path('Emails[TYPE eq "work"].value', USER) == parse_path('emails[(type eq "work")].value', USER)
    assert parse_path('emails[type eq "work"]', USER) != parse_path('emails[type eq "home"]', USER)


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("", "expected an attribute name", 0),
        (".", "unexpected character '.'", 0),
        (".emails", "expected an attribute name", 0),
        ("a..b", "unexpected character '.'", 1),
        ("emails,", "unexpected character ','", 6),
        ("emails[].value", "expected an attribute name", 7),
        ("emails[ ]", "expected an attribute name", 8),
        ("emails[0]", "expected an attribute name", 7),
        ('emails[type eq "work"', "a bracket is not closed", 21),
        ('emails[type eq "work]', "a bracket is not closed", 21),
        ('emails[type eq "work"]value', "expected a blank", 22),
        ('emails.value[type eq "x"].display', "a value filter must follow", 12),
        ('emails[type eq "work"][type eq "home"]', "a value filter must follow", 22),
        ("emails.value.deeper", "expected an operator", 12),
        ("emails value", "is not supported", 7),
        ("userName pr", "expected a path, not a filter", 11),
        ('userName eq "x"', "expected a path, not a filter", 15),
        ("(userName", "a bracket is not closed", 9),
        ("(userName pr) and title", "expected a path, not a filter", 0),
        ("urn:x", "User has no attribute 'urn:x'", 0),
        ("bogus", "User has no attribute 'bogus'", 0),
        ("name.bogus", "User has no attribute 'name.bogus'", 0),
        ('bogus[type eq "work"]', "User has no attribute 'bogus'", 0),
        ('emails[type eq "work"].bogus', "emails has no sub-attribute 'bogus'", 23),
        ('schemas[value eq "x"].value', "schemas has no sub-attribute 'value'", 22),
        ('name[givenName eq "x"]', "'name' is not multi-valued", 0),
        ('userName[value eq "x"]', "'userName' is not multi-valued", 0),
        (f"{ENTERPRISE}:userName", "User has no attribute", 0),
    ],
)
def test_a_malformed_path_is_refused_where_the_fault_is(text: str, reason: str, position: int) -> None:
    with pytest.raises(InvalidPathError) as refusal:
        parse_path(text, USER)
    assert reason in refusal.value.reason
    assert refusal.value.position == position


@pytest.mark.rfc("P-3.12-09")
@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ('emails[type zz "a"]', "the operator 'zz' is not supported", 12),
        ("emails[type eq work]", "expected a comparison value", 15),
        ('emails[type eq "work" and]', "expected an attribute name", 25),
        ('emails[type eq "\\x"]', "a string is not valid JSON", 15),
        ('emails[bogus eq "a"]', "emails has no attribute 'bogus'", 7),
        ("emails[type eq 5]", "'type' is compared with a value of type string", 15),
        ("emails[primary gt true].value", "'gt' does not apply to 'primary'", 15),
        ("emails[type[value pr]]", "a value filter cannot stand inside another", 11),
        ("emails[(type pr]", "no bracket is open that this one closes", 15),
    ],
)
def test_a_broken_filter_in_a_sound_path_is_a_faulty_filter(text: str, reason: str, position: int) -> None:
    with pytest.raises(InvalidFilterError) as refusal:
        parse_path(text, USER)
    assert reason in refusal.value.reason
    assert refusal.value.position == position


def test_strings_are_no_booleans_in_a_path_for_a_strict_provider() -> None:
    with pytest.raises(InvalidFilterError, match="a value of type boolean"):
        parse_path('emails[primary eq "True"]', USER, STRICT)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("x" * 10_001, Limits()),
        ("(" * 5_000, Limits()),
        ("emails[" + "(" * 51 + "type pr" + ")" * 51 + "]", Limits()),
        ("emails[type pr and value pr]", Limits(max_filter_terms=1)),
    ],
)
def test_a_path_beyond_the_limits_is_refused(text: str, limits: Limits) -> None:
    with pytest.raises((InvalidPathError, InvalidFilterError), match=r"longer than|more than"):
        parse_path(text, USER, limits=limits)


def test_a_path_that_was_read_before_is_refused_under_narrower_limits() -> None:
    text = "emails[type pr and value pr].display"
    assert parse_path(text, USER).condition
    with pytest.raises(InvalidFilterError, match="more than 1 comparisons"):
        parse_path(text, USER, limits=Limits(max_filter_terms=1))


def test_a_path_that_a_tolerant_provider_understood_is_refused_for_a_strict_one() -> None:
    text = 'emails[primary eq "True"].display'
    assert parse_path(text, USER).condition
    with pytest.raises(InvalidFilterError, match="a value of type boolean"):
        parse_path(text, USER, STRICT)


def test_one_text_is_another_path_of_another_resource_type() -> None:
    assert parse_path("displayName", USER).place.attribute is USER.attributes["displayName"]
    assert parse_path("displayName", GROUP).place.attribute is GROUP.attributes["displayName"]


def test_paths_of_one_shape_choose_by_their_own_literals() -> None:
    first, second = (parse_path(f'members[value eq "{id}"]', GROUP).condition for id in ("1", "2"))
    assert first
    assert second
    assert [first.matches({"value": "1"}), second.matches({"value": "1"})] == [True, False]
