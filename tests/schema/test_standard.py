"""The schemas as data say what RFC 7643 §8.7 says, with its errata, RFC 9865 §4 and RFC 9967 §4 (rfc7643.json)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import (
    ENTERPRISE_USER,
    GROUP,
    GROUP_SCHEMA,
    RESOURCE_TYPE_SCHEMA,
    SCHEMA_SCHEMA,
    SERVICE_PROVIDER_CONFIG_SCHEMA,
    USER,
    USER_SCHEMA,
)

Facts = Mapping[str, Json]


class Printed(TypedDict):
    name: str
    attributes: list[Facts]


SCHEMAS = (
    USER_SCHEMA,
    GROUP_SCHEMA,
    ENTERPRISE_USER,
    SERVICE_PROVIDER_CONFIG_SCHEMA,
    RESOURCE_TYPE_SCHEMA,
    SCHEMA_SCHEMA,
)
PRINTED: Mapping[str, Printed] = json.loads((Path(__file__).parent / "rfc7643.json").read_text(encoding="utf-8"))

# An id is case-exact wherever it stands (RFC 7643 §3.1); erratum 8472 says so of manager.value only.
TIGHTENED = {
    (USER_SCHEMA.id, "groups.value", "caseExact"): True,
    (GROUP_SCHEMA.id, "members.value", "caseExact"): True,
}


def walked(attributes: Json, prefix: str = "") -> Iterator[tuple[str, Facts]]:
    assert isinstance(attributes, Sequence)
    for attribute in attributes:
        assert isinstance(attribute, Mapping)
        path = f"{prefix}{attribute['name']}"
        yield path, attribute
        yield from walked(attribute.get("subAttributes", []), path + ".")


def characteristics(attribute: Facts) -> dict[str, object]:
    """What tells an attribute, in one form: what does not apply to the type left out, sets without an order."""
    applicable = {"name", "type", "multiValued", "required", "mutability", "returned", "referenceTypes"}
    if attribute["type"] not in ("complex", "boolean"):
        applicable.add("uniqueness")
    if attribute["type"] in ("string", "reference", "binary"):
        applicable.add("caseExact")
    found: dict[str, object] = {key: attribute[key] for key in applicable if key in attribute}
    canonical = attribute.get("canonicalValues", [])
    assert isinstance(canonical, Sequence)
    return {**found, "canonicalValues": frozenset(canonical)}


def printed(urn: str) -> dict[str, dict[str, object]]:
    found = {path: characteristics(facts) for path, facts in walked(PRINTED[urn]["attributes"])}
    for (schema, path, characteristic), value in TIGHTENED.items():
        if schema == urn:
            found[path][characteristic] = value
    return found


def shown(schema: Schema) -> dict[str, Facts]:
    return dict(walked(schema.as_json()["attributes"]))


def every_attribute(attributes: Sequence[Attribute]) -> Iterator[Attribute]:
    for attribute in attributes:
        yield attribute
        yield from every_attribute(attribute.sub_attributes)


@pytest.mark.rfc("S-8.7-01")
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_a_schema_defines_the_attributes_of_the_rfc_in_its_order(schema: Schema) -> None:
    assert list(shown(schema)) == list(printed(schema.id))
    assert schema.name == PRINTED[schema.id]["name"]


@pytest.mark.rfc("S-8.7-01", "S-4.2-01", "S-4.1.2-07", "S-7-18")
@pytest.mark.parametrize(
    ("schema", "path"), [pytest.param(schema, path, id=path) for schema in SCHEMAS for path in printed(schema.id)]
)
def test_an_attribute_has_the_characteristics_of_the_rfc(schema: Schema, path: str) -> None:
    assert characteristics(shown(schema)[path]) == printed(schema.id)[path]


def test_no_schema_of_the_rfc_is_left_out() -> None:
    assert {schema.id for schema in SCHEMAS} == set(PRINTED)


@pytest.mark.parametrize(("urn", "path", "characteristic"), TIGHTENED)
def test_a_tightening_differs_from_the_rfc(urn: str, path: str, characteristic: str) -> None:
    untouched = dict(walked(PRINTED[urn]["attributes"]))
    assert untouched[path][characteristic] != TIGHTENED[urn, path, characteristic]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_everything_is_described_in_one_sentence(schema: Schema) -> None:
    described = [schema.description, *(attribute.description for attribute in every_attribute(schema.attributes))]
    assert [text for text in described if not text.endswith(".") or len(text) > 80] == []


@pytest.mark.rfc("S-2.3.8-03")
def test_complex_attributes_show_neither_uniqueness_nor_case() -> None:
    complex_ones = [facts for schema in SCHEMAS for facts in shown(schema).values() if facts["type"] == "complex"]
    assert len(complex_ones) > 20
    assert [facts["name"] for facts in complex_ones if {"uniqueness", "caseExact"} & facts.keys()] == []


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_a_schema_is_shown_as_plain_json(schema: Schema) -> None:
    plain = schema.as_json()
    assert json.loads(json.dumps(plain)) == plain
    canonical = [value for attribute in every_attribute(schema.attributes) for value in attribute.canonical_values]
    # An enum member prints like a string and is refused by strict JSON writers.
    assert {type(value) for value in canonical} <= {str}


@pytest.mark.rfc("S-6-01", "S-6-03")
def test_users_and_groups_are_where_the_rfc_puts_them() -> None:
    assert (USER.name, USER.endpoint, USER.schema) == ("User", "/Users", USER_SCHEMA)
    assert (GROUP.name, GROUP.endpoint, GROUP.schema) == ("Group", "/Groups", GROUP_SCHEMA)
    assert [(extension.schema, extension.required) for extension in USER.extensions] == [(ENTERPRISE_USER, False)]
    assert GROUP.extensions == ()
