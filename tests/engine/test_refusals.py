"""Every refusal is a SCIM Error with the status, keyword and headers of its kind (RFC 7644 §3.12)."""

from collections.abc import Awaitable

import pytest
from tests.engine.conftest import BASE, Face, Maker, tenants_by_token

from scimcore.access import BearerTokens, Caller, Credentials
from scimcore.engine.http import Request
from scimcore.errors import PayloadTooLargeError, UnauthorizedError, UnavailableError
from scimcore.schema.standard import USER_SCHEMA
from scimcore.storage.protocol import Tenant

MINIMAL = {"schemas": [USER_SCHEMA.id], "userName": "bjensen"}
TOKEN = "a-token-of-many-characters"


@pytest.mark.rfc("P-2-01", "P-3.12-06", "P-7.4-01", "P-7.4-02")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong-token-of-many"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": ""},
        {"Authorization": f"Bearer {TOKEN}�"},
        {"X-Authorization": f"Bearer {TOKEN}"},
        {"Authorization": TOKEN},
    ],
)
def test_a_caller_that_nobody_knows_is_challenged(make_face: Maker, headers: dict[str, str]) -> None:
    face = make_face(authenticate=BearerTokens({TOKEN: Caller(tenant=Tenant("acme"))}))
    answer = face.send("POST", f"/Users?access_token={TOKEN}", MINIMAL, headers)
    face.refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="scim"')
    assert TOKEN not in answer.raw.decode()
    assert face.stored() == []


def test_a_caller_that_is_known_is_let_in(make_face: Maker) -> None:
    face = make_face(authenticate=BearerTokens({TOKEN: Caller(tenant=Tenant("acme"))}))
    assert face.send("POST", "/Users", MINIMAL, {"authorization": f"bearer {TOKEN}"}).status == 201


def test_an_authenticator_may_wait(make_face: Maker) -> None:
    async def authenticate(_: Credentials) -> Caller:
        return Caller(tenant=Tenant("later"))

    def authenticating(credentials: Credentials) -> Awaitable[Caller]:
        return authenticate(credentials)

    face = make_face(authenticate=authenticating)
    face.user()
    assert len(face.stored("later")) == 1


def test_an_authenticator_may_refuse_in_its_own_way(make_face: Maker) -> None:
    def refuse(_: Credentials) -> Caller:
        raise UnauthorizedError("log in elsewhere", 'Basic realm="x"')

    answer = make_face(authenticate=refuse).send("GET", "/Users")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="x"')


@pytest.mark.rfc("P-2-02", "P-2.1-01", "P-3.12-06")
@pytest.mark.parametrize(
    ("method", "target", "scope"),
    [
        ("POST", "/Users", "write"),
        ("PUT", "/Users/id-1", "write"),
        ("PATCH", "/Users/id-1", "write"),
        ("DELETE", "/Users/id-1", "write"),
        ("GET", "/Users/id-1", "read"),
        ("GET", "/Users", "read"),
        ("POST", "/Users/.search", "read"),
        ("POST", "/.search", "read"),
        ("GET", "/Schemas", "read"),
    ],
)
def test_a_caller_without_the_scope_is_forbidden(make_face: Maker, method: str, target: str, scope: str) -> None:
    face = make_face(authenticate=tenants_by_token)
    id = face.send("POST", "/Users", MINIMAL, {"Authorization": "Bearer acme"}).body["id"]
    before = face.stored()
    other = {"read": "write", "write": "read"}[scope]
    body = {**MINIMAL, "title": "T", "Operations": [{"op": "remove", "path": "title"}]}
    sent = None if method in ("GET", "DELETE") else {**body, "schemas": None}
    answer = face.send(method, target.replace("id-1", id), sent, {"Authorization": f"Bearer acme/{other}"})
    assert scope in face.refused(answer, 403)
    assert face.stored() == before


@pytest.mark.rfc("P-3.2-05")
@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        *((method, "/Users", "GET, POST, OPTIONS, HEAD") for method in ("PUT", "PATCH", "DELETE", "BREW", "get", "")),
        *((method, "/Users/id-1", "GET, PUT, PATCH, DELETE, OPTIONS, HEAD") for method in ("POST", "TRACE")),
        *((method, "/", "GET, OPTIONS, HEAD") for method in ("POST", "DELETE")),
        *((method, "/.search", "POST, OPTIONS") for method in ("GET", "HEAD", "PUT")),
        *((method, "/Groups/.search", "POST, OPTIONS") for method in ("GET", "DELETE")),
    ],
)
def test_a_method_that_the_endpoint_does_not_know_is_not_allowed(
    face: Face, method: str, target: str, allow: str
) -> None:
    face.user()
    before = face.stored()
    answer = face.send(method, target, b"{not read")
    face.refused(answer, 405)
    assert answer.headers["allow"] == allow
    options = face.send("OPTIONS", target)
    assert (options.status, options.raw, options.headers["allow"]) == (204, b"", allow)
    assert face.stored() == before


@pytest.mark.rfc("P-3.11-01", "P-3.12-08", "S-5-07")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("target", ["/Bulk", "/Me", "/ME/", "/bulk"])
def test_what_is_not_offered_is_not_implemented(face: Face, method: str, target: str) -> None:
    face.refused(face.send(method, target, b"{"), 501)


@pytest.mark.rfc("P-3.3-10", "P-3.8-03")
@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml",
        "application/x-www-form-urlencoded",
        "application/scim",
        "application/json; charset=utf-16",
        "application/scim+json;charset=latin-1",
        "",
        "*/*",
        "application/json, text/plain",
        "é" * 5000,
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_in_another_media_type_is_refused(face: Face, method: str, content_type: str) -> None:
    id = face.user()
    before = face.stored()
    target = "/Users" if method == "POST" else f"/Users/{id}"
    face.refused(face.send(method, target, MINIMAL, {"Content-Type": content_type}), 415)
    assert face.stored() == before


@pytest.mark.rfc("P-3.8-02", "P-3.8-03")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/scim+json",
        "application/json",
        "APPLICATION/JSON",
        "application/scim+json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; odata.metadata=none ; charset=utf8",
    ],
)
def test_a_body_in_json_is_read(face: Face, content_type: str) -> None:
    assert face.send("POST", "/Users", MINIMAL, {"CONTENT-TYPE": content_type}).status == 201


def test_a_body_without_a_media_type_is_read_as_scim(face: Face) -> None:
    request = Request("POST", "/Users", body=b'{"userName": "bjensen"}')
    assert face.handle(face.provider, request).status == 201


@pytest.mark.rfc("P-3.8-02", "P-3.8-04", "P-3.12-01")
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/scim+json"),
        ("", "application/scim+json"),
        ("*/*", "application/scim+json"),
        ("application/*", "application/scim+json"),
        ("text/html", "application/scim+json"),
        ("application/scim+json", "application/scim+json"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON;charset=utf-8", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/scim+json, application/json;q=0.9", "application/scim+json"),
        ("application/scim+json;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, */*", "application/scim+json"),
        ("application/json;q=x", "application/scim+json"),
        (";;,,;q=", "application/scim+json"),
        ("application/json;q=nan, application/scim+json;q=inf", "application/scim+json"),
    ],
)
def test_answers_and_refusals_come_in_the_media_type_that_is_wanted(
    face: Face, accept: str | None, media_type: str
) -> None:
    id = face.user()
    headers = {} if accept is None else {"Accept": accept}
    for target in (f"/Users/{id}", "/Users", "/Schemas", "/ServiceProviderConfig", "/Users/none", "/Nope"):
        assert face.send("GET", target, headers=headers).headers["content-type"] == media_type


@pytest.mark.rfc("P-3.12-08", "P-3.12-03")
def test_of_a_bug_the_client_learns_the_request_id_and_nothing_else(make_face: Maker) -> None:
    secret = "/srv/scim.py: password of the database is hunter2"

    def watch(_: str, __: tuple[object, ...]) -> None:
        raise LookupError(secret)

    face = make_face(watch=watch)
    answer = face.send("GET", "/Users")
    assert face.refused(answer, 500) == "internal error; request request-1"
    assert answer.request_id == "request-1"
    assert [str(bug) for bug in face.bugs] == [secret]
    assert face.bugs[0].__traceback__ is not None
    face.bugs.clear()


def test_a_bug_that_nobody_wants_to_hear_of_is_still_500(make_face: Maker) -> None:
    def broken(_: Credentials) -> Caller:
        raise KeyError("tenant")

    face = make_face(authenticate=broken)
    assert face.send("GET", "/Users").status == 500
    assert len(face.bugs) == 1
    face.bugs.clear()


def test_a_storage_that_cannot_work_now_says_when_to_come_back(make_face: Maker) -> None:
    def watch(_: str, __: tuple[object, ...]) -> None:
        raise UnavailableError("the database is down", 30)

    answer = make_face(watch=watch).send("GET", "/Users")
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")


def test_an_adapter_refuses_in_the_same_words(face: Face) -> None:
    response = face.provider.refusal(PayloadTooLargeError("the body", 10), Request("POST", "/Users", base_url=BASE))
    assert response.status == 413
    assert b'"status":"413"' in response.body
    assert face.provider.refusal(PayloadTooLargeError("the body", 10)).status == 413
