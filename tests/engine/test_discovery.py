"""What the provider says about itself (RFC 7643 §5 to §7; RFC 7644 §4)."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.conftest import BASE, Face, Maker, tenants_by_token

from scimcore.access import BearerTokens
from scimcore.dialects import Dialect
from scimcore.rules.limits import Limits
from scimcore.schema.messages import ServiceProviderConfig
from scimcore.schema.standard import ENTERPRISE_USER, GROUP_SCHEMA, USER_SCHEMA

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
SCHEMAS = [USER_SCHEMA.id, ENTERPRISE_USER.id, GROUP_SCHEMA.id]
SCHEMAS += [f"{CORE}{name}" for name in ("ServiceProviderConfig", "ResourceType", "Schema")]


@pytest.mark.rfc("P-4-01", "S-5-01", "S-5-02", "S-5-04", "S-5-05", "C-4-01")
def test_the_configuration_is_one_object_that_says_what_works(make_face: Maker) -> None:
    face = make_face(limits=Limits(default_page_size=7, max_page_size=50))
    answer = face.send("GET", "/ServiceProviderConfig")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/scim+json"
    meta = answer.body.pop("meta")
    assert meta == {"resourceType": "ServiceProviderConfig", "location": f"{BASE}/ServiceProviderConfig"}
    config = ServiceProviderConfig.model_validate(answer.body)
    assert config.filter.max_results == 50
    assert not config.bulk.supported
    assert config.pagination is not None
    assert (config.pagination.default_page_size, config.pagination.max_page_size) == (7, 50)
    assert len(config.authentication_schemes) == 1


@pytest.mark.rfc("S-5-06")
def test_only_the_configuration_is_open_to_everyone(make_face: Maker) -> None:
    face = make_face(authenticate=BearerTokens({}))
    assert face.send("GET", "/ServiceProviderConfig").status == 200
    assert face.send("HEAD", "/serviceproviderconfig/").status == 200
    for method, target in (
        ("GET", "/Schemas"),
        ("GET", "/ResourceTypes"),
        ("PUT", "/ServiceProviderConfig"),
        ("GET", "/ServiceProviderConfig?filter=x"),
        ("GET", "/ServiceProviderConfig/x"),
        ("OPTIONS", "/Users"),
        ("GET", "/Nope"),
    ):
        face.refused(face.send(method, target), 401)


@pytest.mark.rfc("P-4-02", "S-7-01", "S-7-02", "P-3.1-02")
def test_schemas_are_listed_and_each_has_its_url(face: Face) -> None:
    answer = face.send("GET", "/Schemas")
    assert answer.body["schemas"] == [LIST]
    assert [one["id"] for one in answer.body["Resources"]] == SCHEMAS
    assert answer.body["totalResults"] == answer.body["itemsPerPage"] == len(SCHEMAS)
    for one in answer.body["Resources"]:
        assert one["meta"] == {"resourceType": "Schema", "location": f"{BASE}/Schemas/{one['id']}"}
        assert one["schemas"] == [f"{CORE}Schema"]
        assert face.send("GET", f"/Schemas/{one['id']}").body == one


@pytest.mark.rfc("P-1.2-01")
@pytest.mark.parametrize("spelled", [USER_SCHEMA.id, USER_SCHEMA.id.upper(), USER_SCHEMA.id.replace(":", "%3A")])
def test_a_schema_is_found_however_its_urn_is_written(face: Face, spelled: str) -> None:
    assert face.send("GET", f"/schemas/{spelled}").body["id"] == USER_SCHEMA.id


@pytest.mark.rfc("P-4-03", "S-6-01", "S-6-02")
def test_resource_types_are_listed_and_each_has_its_url(face: Face) -> None:
    answer = face.send("GET", "/ResourceTypes")
    assert answer.body["schemas"] == [LIST]
    assert [one["name"] for one in answer.body["Resources"]] == ["User", "Group"]
    for one in answer.body["Resources"]:
        assert one["meta"] == {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/{one['id']}"}
        assert face.send("GET", f"/ResourceTypes/{one['id']}").body == one
        assert face.send("GET", one["endpoint"]).status == 200
        for urn in (one["schema"], *(extension["schema"] for extension in one.get("schemaExtensions", ()))):
            assert face.send("GET", f"/Schemas/{urn}").status == 200


@pytest.mark.rfc("P-4-04")
@pytest.mark.parametrize("endpoint", ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"])
def test_paging_sorting_and_selection_are_not_looked_at(face: Face, endpoint: str) -> None:
    query = "?count=1&startIndex=2&sortBy=nope&sortOrder=up&attributes=id&count=x"
    assert face.send("GET", endpoint + query).body == face.send("GET", endpoint).body


@pytest.mark.rfc("P-4-05")
@pytest.mark.parametrize("endpoint", ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", f"/Schemas/{SCHEMAS[0]}"])
@pytest.mark.parametrize("name", ["filter", "FILTER", "%66ilter"])
def test_discovery_cannot_be_filtered(face: Face, endpoint: str, name: str) -> None:
    answer = face.send("GET", f"{endpoint}?{name}=id pr")
    if endpoint == "/ServiceProviderConfig" and name.startswith("%"):
        assert answer.status in (200, 403)  # it is open before a query is parsed
    else:
        face.refused(answer, 403)


@pytest.mark.parametrize("target", ["/Schemas/urn:nope", "/ResourceTypes/Nope", f"/Schemas/{LIST}", "/Schemas/User"])
@pytest.mark.rfc("P-3.1-02", "P-4-02")
def test_what_is_not_there_to_discover_is_not_found(face: Face, target: str) -> None:
    face.refused(face.send("GET", target), 404)


@pytest.mark.rfc("S-5-03", "S-6-05", "S-7-01", "P-3.2-05")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "target", ["/Schemas", f"/Schemas/{SCHEMAS[0]}", "/ResourceTypes", "/ResourceTypes/User", "/ServiceProviderConfig"]
)
def test_discovery_is_read_only(face: Face, target: str, method: str) -> None:
    answer = face.send(method, target, {})
    face.refused(answer, 405)
    assert answer.headers["allow"] == "GET, OPTIONS, HEAD"


def walked(attributes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for attribute in attributes:
        yield attribute
        yield from walked(attribute.get("subAttributes", []))


@pytest.mark.rfc("S-7-04", "S-7-18", "S-2.3.8-03", "S-7-03")
def test_every_definition_says_what_its_type_allows(face: Face) -> None:
    for schema in face.send("GET", "/Schemas").body["Resources"]:
        for attribute in walked(schema["attributes"]):
            is_complex = attribute["type"] == "complex"
            assert is_complex == ("subAttributes" in attribute)
            assert is_complex <= attribute.keys().isdisjoint({"caseExact", "uniqueness"})
            assert attribute["mutability"] in ("readOnly", "readWrite", "immutable", "writeOnly")
            assert attribute["returned"] in ("always", "never", "default", "request")
            assert ("referenceTypes" in attribute) == (attribute["type"] == "reference")


@pytest.mark.parametrize(("dialect", "uniqueness"), [(Dialect.DEFAULT, "server"), (Dialect.STRICT, "none")])
def test_the_uniqueness_of_group_names_is_the_one_that_is_enforced(
    make_face: Maker, dialect: Dialect, uniqueness: str
) -> None:
    schema = make_face(dialect=dialect).send("GET", f"/Schemas/{GROUP_SCHEMA.id}").body
    assert schema["attributes"][0]["name"] == "displayName"
    assert schema["attributes"][0]["uniqueness"] == uniqueness


def test_discovery_needs_the_right_to_read(make_face: Maker) -> None:
    face = make_face(authenticate=tenants_by_token)
    face.refused(face.send("GET", "/Schemas", headers={"Authorization": "Bearer a/write"}), 403)
