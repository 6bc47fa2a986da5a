"""Who `detect` takes a request to come from."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore import Request
from scimcore.dialects import DIALECTS, Diagnosis, detect
from scimcore.dialects.quirk import CORE_GROUP, CORE_USER, ENTERPRISE, group, patch, user


def request(
    method: str = "GET", query: str = "", body: Any = None, headers: Mapping[str, str] | None = None
) -> Request:
    sent = b"" if body is None else json.dumps(body).encode()
    return Request(method, "/Users", query, headers or {}, sent)


def from_agent(agent: str) -> Request:
    return request(headers={"User-Agent": agent})


def dialect_of(sent: Request) -> str | None:
    found = detect(sent)
    return None if found is None else found.dialect


TELLING: Final = [
    ("okta", from_agent("Okta SCIM Client 1.0.0")),
    ("okta", from_agent("OKTA SCIM Integration")),
    ("authentik", from_agent("authentik@2024.2.1")),
    ("onelogin", from_agent("OneLogin/1.0")),
    ("jumpcloud", from_agent("JumpCloud")),
    ("ping-federate", from_agent("PingFederate SCIM Connector")),
    ("ping-one", from_agent("PingOne")),
    ("keycloak", from_agent("keycloak-scim")),
    ("google", from_agent("ssosync")),
    ("okta", request("POST", body=group({"displayName": "g", "urn:okta:custom:group:1.0": {"description": "d"}}))),
    ("okta", request("POST", body=user({"userName": "a", "externalId": "00ujl29u0le5T6Aj10h7"}))),
    ("entra-scim2020", request("GET", "aadOptscim062020")),
    ("entra-scim2020", request("PATCH", body=patch({"op": "replace", "value": {"name.givenName": "A"}}))),
    ("entra-scim2020", request("PATCH", body=patch({"op": "add", "value": {f"{ENTERPRISE}:department": "D"}}))),
    ("entra-scim2020", request("PATCH", "aadOptscim062020", patch({"op": "Replace", "path": "title", "value": "x"}))),
    (
        "entra",
        request(
            "POST",
            body={"schemas": [CORE_GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]},
        ),
    ),
    ("entra", request("POST", body={"schemas": [CORE_USER, ENTERPRISE.replace("2.0:User", "2.0User")]})),
    ("entra", request("PATCH", body=patch({"op": "Replace", "path": "active", "value": "False"}))),
    ("entra", request("PATCH", body=patch({"op": "add", "path": "members", "value": [{"$ref": None, "value": "1"}]}))),
    ("entra", request("PATCH", body=patch({"op": "add", "path": 'roles[primary eq "True"].value', "value": "x"}))),
    ("entra", request("POST", body=user({"userName": "a", "roles": [{"primary": "True", "value": "x"}]}))),
    ("entra", request("GET", "filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22a%22")),
    ("entra", request("GET", 'filter=id eq "1" and manager eq "2"&attributes=id')),
    ("entra", request("GET", 'excludedAttributes=members&filter=displayName eq "g"')),
    ("ping-federate", request("GET", 'filter=emails eq "a@b.com"')),
    ("ping-one", request("GET", 'filter=username Eq "a"')),
    ("ping-one", request("GET", 'filter=email Co "a"')),
    ("keycloak", request("POST", body=user({"userName": "a", "groups": [{"value": "k", "type": "direct"}]}))),
    ("google", request("POST", body=user({"userName": "a", "addresses": [{"type": "work"}]}))),
]


@pytest.mark.parametrize(("dialect", "sent"), TELLING)
def test_what_one_client_alone_is_known_to_send_names_it(dialect: str, sent: Request) -> None:
    found = detect(sent)
    assert found is not None
    assert found.dialect == dialect
    assert found.reason


SAYS_NOTHING: Final = [
    request("GET", "count=1"),
    request("GET", 'filter=userName eq "a"'),
    request("GET", "filter=displayName+eq+%22staff%22"),
    request("GET", "excludedAttributes=members"),
    request("GET", 'filter=emails.value eq "a"'),
    request("DELETE"),
    from_agent("Go-http-client/1.1"),
    from_agent(""),
    request("POST", body=user({"userName": "a", "externalId": "00u"})),
    request("POST", body=user({"userName": "a", "groups": [], "addresses": [{"type": "work", "locality": "x"}]})),
    request("PATCH", body=patch({"op": "replace", "value": {"active": False}})),
    # OneLogin, JumpCloud, authentik and ssosync all remove members like this.
    request("PATCH", body=patch({"op": "remove", "path": "members", "value": [{"value": "1"}]})),
    request("PATCH", body=patch({"op": "add", "path": "name", "value": {"name.givenName": "A"}})),
    request("GET", 'excludedAttributes=groups&filter=userName eq "a"'),
    # In a body of operations that is no PATCH the words mean something else.
    request("POST", body={"Operations": [{"op": "Add", "path": "/Users"}]}),
    # A client that repeats what it was told does not speak of itself.
    request("PUT", body=user({"userName": "a", "groups": [{"value": "k", "type": "direct"}]})),
]
CONTRADICTORY: Final = [
    from_agent("okta keycloak"),
    request("GET", "aadOptscim062020", headers={"User-Agent": "Okta SCIM Client 1.0.0"}),
    request("GET", 'filter=username Eq "a"&aadOptscim062020'),
]


@pytest.mark.parametrize("sent", [*SAYS_NOTHING, *CONTRADICTORY])
def test_what_many_clients_send_or_what_points_at_two_names_nobody(sent: Request) -> None:
    assert detect(sent) is None


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"\xff\xfe",
        b"{",
        b"null",
        b'{"Operations": {"op": "Add"}}',
        b'{"Operations": ["Add", null, 7, {"op": ["Add"], "path": 7, "value": [[]]}], "schemas": [7]}',
        b'{"schemas": "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"}',
    ],
)
def test_a_body_that_cannot_be_read_names_nobody(body: bytes) -> None:
    for method in ("POST", "PUT", "PATCH"):
        assert detect(Request(method, "/Users", body=body)) is None


def test_a_very_large_body_is_not_read() -> None:
    body = {"Operations": [{"op": "Add", "path": "title", "value": "x" * 1_000_000}]}
    assert detect(request("PATCH", body=body)) is None


def test_a_query_with_too_many_parameters_names_nobody() -> None:
    assert detect(request("GET", "&".join(["aadOptscim062020="] * 1_000))) is None


def test_headers_are_read_in_any_case() -> None:
    class Raw:
        method, path, query, body = "GET", "/Users", "", b""
        headers: Final = {"USER-AGENT": "Okta SCIM Client 1.0.0"}

    assert detect(Raw()) == Diagnosis("okta", "its User-Agent names the product")


ANYTHING: Final = st.recursive(
    st.one_of(st.none(), st.integers(), st.sampled_from(["Add", "members", "direct", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["Operations", "op", "path", "value", "schemas", "roles", "groups", "addresses"]), inner
        ),
    ),
    max_leaves=15,
)


@given(method=st.sampled_from(["POST", "PATCH", "GET"]), query=st.text(max_size=50), body=ANYTHING)
def test_any_request_may_be_given(method: str, query: str, body: Any) -> None:
    found = detect(request(method, query, body))
    assert found is None or found.dialect in DIALECTS
