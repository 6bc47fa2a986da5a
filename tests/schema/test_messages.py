"""The protocol's messages: what is read, and what is said about what cannot be read (RFC 7644 §3.1, §3.12)."""

import pytest
from pydantic import ValidationError

from scimcore.errors import InvalidSyntaxError
from scimcore.schema.document import Json
from scimcore.schema.messages import (
    AuthenticationScheme,
    BulkFeature,
    BulkRequest,
    Error,
    Feature,
    FilterFeature,
    ListResponse,
    Pagination,
    PatchRequest,
    SearchRequest,
    ServiceProviderConfig,
    read_message,
)
from scimcore.schema.standard import SERVICE_PROVIDER_CONFIG_SCHEMA

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SECRET = "hunter2-hunter2"


def patch(payload: Json) -> PatchRequest:
    return read_message(PatchRequest, payload, schemas_optional=True)


def search(payload: Json) -> SearchRequest:
    return read_message(SearchRequest, payload, schemas_optional=True)


def bulk(payload: Json) -> BulkRequest:
    return read_message(BulkRequest, payload, schemas_optional=True)


def operation(**members: Json) -> Json:
    return {"Operations": [members]}


# PATCH


def test_a_patch_is_read_with_its_operations_in_order() -> None:
    request = patch(
        {
            "schemas": [PATCH_OP],
            "Operations": [
                {"op": "replace", "path": "active", "value": False},
                {"op": "add", "value": {"name": {"givenName": "Barbara"}}},
                {"op": "remove", "path": "title"},
            ],
        }
    )
    assert [(found.op, found.path, found.value) for found in request.operations] == [
        ("replace", "active", False),
        ("add", None, {"name": {"givenName": "Barbara"}}),
        ("remove", "title", None),
    ]


def test_a_missing_value_and_a_null_value_are_told_apart() -> None:
    request = patch({"Operations": [{"op": "remove", "path": "title"}, {"op": "remove", "path": "t", "VALUE": None}]})
    assert [found.has_value for found in request.operations] == [False, True]


def test_a_value_is_passed_on_and_not_copied() -> None:
    value: dict[str, Json] = {"members": [{"value": str(n)} for n in range(3)]}
    assert patch(operation(op="add", value=value)).operations[0].value is value


@pytest.mark.rfc("P-3.5.2-04")
@pytest.mark.parametrize("op", ["add", "Add", "ADD"])
def test_an_op_is_read_in_any_case(op: str) -> None:
    assert patch(operation(op=op)).operations[0].op == "add"


@pytest.mark.rfc("S-2.1-02")
@pytest.mark.parametrize(
    "payload",
    [
        {"operations": [{"op": "add", "path": "title", "value": "x"}]},
        {"OPERATIONS": [{"Op": "add", "PATH": "title", "Value": "x"}], "Schemas": [PATCH_OP]},
    ],
)
def test_members_are_matched_in_any_case(payload: Json) -> None:
    found = patch(payload).operations[0]
    assert (found.op, found.path, found.value) == ("add", "title", "x")


def test_unknown_members_are_ignored() -> None:
    # Entra's published Postman collection sends an id beside and a name inside the operations.
    payload: Json = {"id": "7", "Operations": [{"name": "addMember", "op": "add", "path": "members", "value": []}]}
    assert patch(payload).operations[0].path == "members"


@pytest.mark.rfc("P-3.5.2-03", "P-3.5.2-04", "P-3.12-13", "S-2.1-03")
@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({}, "Operations: is missing"),
        ({"Operations": []}, "Operations: must not be empty"),
        ({"Operations": None}, "Operations: must be an array"),
        ({"Operations": "x"}, "Operations: must be an array"),
        ({"Operations": {"op": "add"}}, "Operations: must be an array"),
        ({"Operations": [7]}, "Operations[0]: must be an object"),
        ({"Operations": [None]}, "Operations[0]: must be an object"),
        (operation(), "Operations[0].op: is missing"),
        (operation(op="move"), "Operations[0].op: must be add, remove or replace"),
        (operation(op=None), "Operations[0].op: must be add, remove or replace"),
        (operation(op=1), "Operations[0].op: must be add, remove or replace"),
        (operation(op=["add"]), "Operations[0].op: must be add, remove or replace"),
        (operation(op="\ud800"), "Operations[0].op: must be text that UTF-8 can carry"),
        (operation(op="add", path=7), "Operations[0].path: must be a string"),
        (operation(op="add", Op="add"), "Operations[0]: has the member op twice"),
        ({"Operations": [], "operations": []}, "the message has the member Operations twice"),
        ([], "the message must be an object"),
        (None, "the message must be an object"),
        ("x", "the message must be an object"),
        (7, "the message must be an object"),
    ],
)
def test_what_is_no_patch_is_refused_with_the_place(payload: Json, problem: str) -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        patch(payload)
    assert refusal.value.detail == problem


def test_every_problem_is_listed_and_no_value_is_echoed() -> None:
    fine: Json = {"op": "replace", "path": "password", "value": SECRET}
    with pytest.raises(InvalidSyntaxError) as refusal:
        patch({"schemas": SECRET, "Operations": [fine, {"op": SECRET, "path": {SECRET: SECRET}}, {"OP": "x"}, SECRET]})
    assert refusal.value.detail.splitlines() == [
        "schemas: must be an array",
        "Operations[1].op: must be add, remove or replace",
        "Operations[1].path: must be a string",
        "Operations[2].op: must be add, remove or replace",
        "Operations[3]: must be an object",
    ]


def test_a_long_list_of_problems_is_cut() -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        patch({"Operations": [{}] * 1_000})
    lines = refusal.value.detail.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (51, "Operations[0].op: is missing", "and 950 more problems")


# schemas


@pytest.mark.rfc("P-3.5.2-02", "P-3.4.3-02", "P-3.7-02", "P-3.1-01")
@pytest.mark.parametrize(
    ("model", "name"), [(PatchRequest, "PatchOp"), (SearchRequest, "SearchRequest"), (BulkRequest, "BulkRequest")]
)
def test_a_message_carries_its_own_urn(model: type[PatchRequest | SearchRequest | BulkRequest], name: str) -> None:
    urn = f"urn:ietf:params:scim:api:messages:2.0:{name}"
    operations: list[Json] = [{"op": "add", "method": "POST", "path": "/Users"}]
    assert read_message(model, {"schemas": [urn], "Operations": operations}, schemas_optional=False).schemas == (urn,)
    with pytest.raises(InvalidSyntaxError, match=f"schemas: must contain {urn}"):
        read_message(model, {"Operations": operations}, schemas_optional=False)


@pytest.mark.rfc("P-3.5.2-02", "S-3-04")
@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("schemas", [[PATCH_OP], [PATCH_OP.upper()], ["urn:example:other", PATCH_OP]])
def test_schemas_may_be_in_any_case_and_hold_more(schemas: Json, optional: bool) -> None:
    payload: Json = {"schemas": schemas, "Operations": [{"op": "add"}]}
    assert read_message(PatchRequest, payload, schemas_optional=optional).operations


@pytest.mark.rfc("S-2.5-01")
@pytest.mark.parametrize("absent", [{}, {"schemas": None}])
def test_missing_schemas_are_accepted_where_they_are_optional(absent: dict[str, Json]) -> None:
    payload: Json = {**absent, "Operations": [{"op": "add"}]}
    assert read_message(PatchRequest, payload, schemas_optional=True).schemas is None
    with pytest.raises(InvalidSyntaxError, match="schemas: must contain"):
        read_message(PatchRequest, payload, schemas_optional=False)


@pytest.mark.rfc("P-3.5.2-02")
@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize(
    ("schemas", "problem"),
    [
        (["urn:ietf:params:scim:schemas:core:2.0:User"], f"schemas: must contain {PATCH_OP}"),
        ([""], f"schemas: must contain {PATCH_OP}"),
        (PATCH_OP, "schemas: must be an array"),
        ({"0": PATCH_OP}, "schemas: must be an array"),
        ([7], "schemas[0]: must be a string"),
    ],
)
def test_schemas_of_another_message_are_refused(schemas: Json, problem: str, optional: bool) -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        read_message(PatchRequest, {"schemas": schemas, "Operations": [{"op": "add"}]}, schemas_optional=optional)
    assert refusal.value.detail == problem


# Search


def test_a_search_that_says_nothing_asks_for_nothing_special() -> None:
    found = search({})
    assert (found.attributes, found.excluded_attributes, found.filter, found.sort_by, found.sort_order) == (
        *((), ()),
        *(None, None, None),
    )
    assert (found.start_index, found.count) == (None, None)


def test_a_search_is_read_whole() -> None:
    found = search(
        {
            "filter": 'userName sw "b"',
            "sortby": "name.familyName",
            "sortOrder": "Descending",
            "startIndex": -1,
            "count": 0,
        }
    )
    assert (found.filter, found.sort_by, found.sort_order) == ('userName sw "b"', "name.familyName", "descending")
    assert (found.start_index, found.count) == (-1, 0)


@pytest.mark.rfc("P-3.4.3-03", "P-3.9-05")
@pytest.mark.parametrize(
    ("sent", "names"),
    [
        (["userName", "emails.value"], ("userName", "emails.value")),
        ("userName", ("userName",)),
        ("userName, emails.value,,", ("userName", "emails.value")),
        ("", ()),
        ([], ()),
        (None, ()),
    ],
)
def test_attribute_names_are_an_array_or_separated_by_commas(sent: Json, names: tuple[str, ...]) -> None:
    assert search({"attributes": sent}).attributes == names
    assert search({"excludedAttributes": sent}).excluded_attributes == names


@pytest.mark.parametrize("member", ["filter", "sortBy", "sortOrder", "startIndex", "count"])
def test_null_in_a_search_is_what_the_client_did_not_say(member: str) -> None:
    assert search({member: None}) == search({})


@pytest.mark.rfc("P-3.4.3-05")
@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("count", "10", "must be an integer"),
        ("count", True, "must be an integer"),
        ("count", 1.0, "must be an integer"),
        ("count", float("inf"), "must be an integer"),
        ("startIndex", "1", "must be an integer"),
        ("startIndex", [1], "must be an integer"),
        ("filter", 5, "must be a string"),
        ("filter", {}, "must be a string"),
        ("sortBy", ["userName"], "must be a string"),
        ("sortOrder", "up", "must be ascending or descending"),
        ("sortOrder", 1, "must be ascending or descending"),
        ("attributes", 5, "must be an array"),
        ("attributes", {"userName": True}, "must be an array"),
        ("excludedAttributes", True, "must be an array"),
    ],
)
def test_a_search_parameter_of_the_wrong_type_is_refused(member: str, value: Json, problem: str) -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        search({member: value})
    assert refusal.value.detail == f"{member}: {problem}"


def test_an_attribute_name_that_is_no_string_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidSyntaxError, match=r"excludedAttributes\[1\]: must be a string"):
        search({"excludedAttributes": ["userName", 7]})


# Bulk


def test_a_bulk_request_is_read_whole() -> None:
    found = bulk(
        {
            "failOnErrors": 1,
            "operations": [
                {"method": "post", "path": "/Users", "bulkID": "q", "data": {"userName": "b"}},
                {"method": "DELETE", "path": "/Users/7", "version": 'W/"1"'},
            ],
        }
    )
    assert found.fail_on_errors == 1
    assert [(one.method, one.path, one.bulk_id, one.version, one.data) for one in found.operations] == [
        ("POST", "/Users", "q", None, {"userName": "b"}),
        ("DELETE", "/Users/7", None, 'W/"1"', None),
    ]


@pytest.mark.rfc("P-3.7-03")
@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({}, "Operations: is missing"),
        ({"Operations": []}, "Operations: must not be empty"),
        (operation(path="/Users"), "Operations[0].method: is missing"),
        (operation(method="POST"), "Operations[0].path: is missing"),
        (operation(method="GET", path="/Users"), "Operations[0].method: must be POST, PUT, PATCH or DELETE"),
        (operation(method="PUT", path=None), "Operations[0].path: must be a string"),
        (operation(method="POST", path="/Users", bulkId=1), "Operations[0].bulkId: must be a string"),
        (operation(method="PUT", path="/Users/1", version=1), "Operations[0].version: must be a string"),
        ({"failOnErrors": "1", "Operations": [{"method": "PUT", "path": "/"}]}, "failOnErrors: must be an integer"),
    ],
)
def test_what_is_no_bulk_request_is_refused_with_the_place(payload: Json, problem: str) -> None:
    with pytest.raises(InvalidSyntaxError) as refusal:
        bulk(payload)
    assert refusal.value.detail == problem


# What the provider sends


def configured(pagination: Pagination | None = None, documentation_uri: str | None = None) -> ServiceProviderConfig:
    on = Feature(supported=True)
    return ServiceProviderConfig(
        documentation_uri=documentation_uri,
        patch=on,
        bulk=BulkFeature(supported=False),
        filter=FilterFeature(supported=True, max_results=1_000),
        change_password=on,
        sort=on,
        etag=on,
        authentication_schemes=(
            AuthenticationScheme(type="oauthbearertoken", name="OAuth Bearer Token", description="A token."),
        ),
        pagination=pagination,
    )


@pytest.mark.rfc("S-5-01", "S-5-02", "S-5-05", "P-4-01")
def test_a_service_provider_config_is_written_with_the_names_of_the_rfc() -> None:
    assert configured().model_dump(by_alias=True, exclude_none=True) == {
        "schemas": (SERVICE_PROVIDER_CONFIG_SCHEMA.id,),
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 1_000},
        "changePassword": {"supported": True},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": (
            {"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "A token."},
        ),
    }


@pytest.mark.rfc("C-4-01")
def test_a_service_provider_config_tells_how_to_page() -> None:
    paging = Pagination(cursor=False, index=True, default_pagination_method="index", default_page_size=100)
    assert configured(paging).model_dump(by_alias=True, exclude_none=True)["pagination"] == {
        "cursor": False,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
    }


def test_a_service_provider_config_has_the_attributes_of_its_schema_and_no_others() -> None:
    written = configured(Pagination(cursor=True, index=True), documentation_uri="https://example.com/").model_dump(
        by_alias=True, exclude_none=True
    )
    schema = {attribute.name: attribute for attribute in SERVICE_PROVIDER_CONFIG_SCHEMA.attributes}
    assert written.keys() - {"schemas"} == schema.keys() - {"securityEvents"}
    for name, attribute in schema.items():
        value = written.get(name)
        if isinstance(value, dict):
            required = {sub.name for sub in attribute.sub_attributes if sub.required}
            assert required <= value.keys() <= {sub.name for sub in attribute.sub_attributes}


def test_a_list_response_is_well_formed_without_resources() -> None:
    urn = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
    assert ListResponse.model_validate({"schemas": [urn], "totalResults": 0}).resources == ()
    with pytest.raises(ValidationError):
        ListResponse.model_validate({"schemas": [urn], "Resources": []})


@pytest.mark.rfc("P-3.12-02", "P-3.12-04")
@pytest.mark.parametrize(
    ("members", "well_formed"),
    [
        ({"status": "400", "scimType": "invalidFilter", "detail": "x"}, True),
        ({"status": "404"}, True),
        ({"status": 400}, False),
        ({"status": "200"}, False),
        ({"status": "400", "scimType": "schemaViolated"}, False),
        ({"status": "400", "errors": []}, False),
    ],
)
def test_an_error_has_a_string_status_and_a_registered_keyword(members: dict[str, Json], well_formed: bool) -> None:
    payload = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], **members}
    if well_formed:
        assert Error.model_validate(payload).status == members["status"]
    else:
        with pytest.raises(ValidationError):
            Error.model_validate(payload)
