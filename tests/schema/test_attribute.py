"""An attribute definition: defaults, sub-attributes by name, and how /Schemas shows it (RFC 7643 §2.2, §7)."""

import pytest

from scimcore.schema.attribute import Attribute, Mutability, Returned, Type, Uniqueness
from scimcore.schema.document import Json


@pytest.mark.rfc("S-2.2-01")
def test_what_a_definition_leaves_out_has_the_defaults_of_the_rfc() -> None:
    assert Attribute(name="x").as_json() == {
        "name": "x",
        "type": "string",
        "multiValued": False,
        "description": "",
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }


@pytest.mark.rfc("S-7-18")
def test_every_characteristic_is_shown_with_the_keyword_of_the_rfc() -> None:
    attribute = Attribute(
        name="x",
        type=Type.REFERENCE,
        multi_valued=True,
        description="An x.",
        required=True,
        canonical_values=("a", "b"),
        case_exact=True,
        mutability=Mutability.WRITE_ONLY,
        returned=Returned.REQUEST,
        uniqueness=Uniqueness.GLOBAL,
        reference_types=("User", "external"),
    )
    assert attribute.as_json() == {
        "name": "x",
        "type": "reference",
        "multiValued": True,
        "description": "An x.",
        "required": True,
        "canonicalValues": ["a", "b"],
        "caseExact": True,
        "mutability": "writeOnly",
        "returned": "request",
        "uniqueness": "global",
        "referenceTypes": ["User", "external"],
    }


@pytest.mark.rfc("S-2.3.8-03", "S-7-04")
def test_a_complex_attribute_shows_its_parts_and_no_case_or_uniqueness() -> None:
    shown = Attribute(name="x", type=Type.COMPLEX, sub_attributes=(Attribute(name="y"),)).as_json()
    assert shown["subAttributes"] == [Attribute(name="y").as_json()]
    assert not {"caseExact", "uniqueness"} & shown.keys()


@pytest.mark.parametrize(
    ("type_", "has_case_and_uniqueness"),
    [(type_, type_ not in (Type.COMPLEX, Type.BOOLEAN)) for type_ in Type],
)
def test_case_and_uniqueness_are_shown_where_they_mean_something(type_: Type, has_case_and_uniqueness: bool) -> None:
    shown = Attribute(name="x", type=type_).as_json()
    assert ("caseExact" in shown, "uniqueness" in shown) == (has_case_and_uniqueness, has_case_and_uniqueness)


@pytest.mark.rfc("S-2.3-01", "S-7-03")
def test_the_types_are_those_of_the_rfc_and_no_others() -> None:
    names: list[Json] = [str(type_) for type_ in Type]
    assert names == ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"]
    with pytest.raises(ValueError, match="currency"):
        Type("currency")


@pytest.mark.rfc("S-2.1-02")
@pytest.mark.parametrize("name", ["givenName", "GIVENNAME", "givenname"])
def test_a_sub_attribute_is_found_in_any_case(name: str) -> None:
    given_name = Attribute(name="givenName")
    assert Attribute(name="name", type=Type.COMPLEX, sub_attributes=(given_name,)).sub_attribute(name) is given_name


def test_an_unknown_sub_attribute_is_none() -> None:
    assert Attribute(name="name", type=Type.COMPLEX, sub_attributes=(Attribute(name="a"),)).sub_attribute("b") is None


@pytest.mark.parametrize("mutability", Mutability)
def test_all_but_read_only_attributes_are_writable(mutability: Mutability) -> None:
    assert Attribute(name="x", mutability=mutability).is_writable == (mutability != "readOnly")


@pytest.mark.parametrize("type_", Type)
def test_only_the_complex_type_is_complex(type_: Type) -> None:
    assert Attribute(name="x", type=type_).is_complex == (type_ == "complex")


def test_definitions_are_equal_when_they_say_the_same() -> None:
    assert Attribute(name="x", sub_attributes=(Attribute(name="y"),)) == Attribute(
        name="x", sub_attributes=(Attribute(name="y"),)
    )
    assert Attribute(name="x") != Attribute(name="x", required=True)
