"""Who was not let in, and what was asked for and refused, is on the stream of events."""

import pytest
from tests.engine.conftest import Face, Maker, tenants_by_token

from scimcore import Request
from scimcore.access import BearerTokens, Caller
from scimcore.storage.protocol import Tenant


def test_a_caller_who_is_not_known_is_told_of(make_face: Maker) -> None:
    face = make_face(authenticate=BearerTokens({"a-long-random-secret": Caller(tenant=Tenant("acme"))}))
    answer = face.send("GET", "/Users", headers={"Authorization": "Bearer another-long-secret"})
    face.refused(answer, 401)
    (event,) = face.refusals
    assert (event.happening, event.caller, event.request_id) == ("unauthenticated", None, answer.request_id)
    assert event.reason == "GET /Users: the bearer token is not known"
    assert "another-long-secret" not in repr(event)


@pytest.mark.parametrize(
    ("method", "target", "body", "reason"),
    [
        ("POST", "/Users", {"userName": "bjensen"}, "uniqueness"),
        ("POST", "/Users", {}, "userName"),
        ("POST", "/Users", b"{", "invalidSyntax"),
        ("PUT", "/Users/nobody", {"userName": "b"}, "not found"),
        ("DELETE", "/Users/nobody", None, "not found"),
        ("PATCH", "/Users/id-1", {"Operations": [{"op": "add", "path": "nope", "value": 1}]}, "invalidPath"),
    ],
)
def test_a_change_that_is_refused_is_told_of(face: Face, method: str, target: str, body: object, reason: str) -> None:
    face.user("bjensen")
    answer = face.send(method, target, body)
    assert answer.status >= 400
    (event,) = face.told
    assert (event.happening, event.caller, event.request_id) == (
        "refused",
        Caller(tenant=Tenant("acme")),
        answer.request_id,
    )
    assert event.reason.startswith(f"{method} {target}: ")
    assert reason in event.reason.lower() or reason in event.reason


def test_a_missing_scope_is_told_of(make_face: Maker) -> None:
    face = make_face(authenticate=tenants_by_token)
    face.refused(face.send("GET", "/Users", headers={"Authorization": "Bearer acme/write"}), 403)
    assert [event.happening for event in face.told] == ["refused"]


@pytest.mark.parametrize("target", ["/Users/nobody", "/Users?filter=x", "/Nowhere"])
def test_what_is_merely_not_found_is_not_told_of(face: Face, target: str) -> None:
    assert face.send("GET", target).status in (400, 404)
    assert face.told == []


def test_a_search_by_post_that_is_refused_changes_nothing_to_tell_of(face: Face) -> None:
    assert face.send("POST", "/Users/.search", {"filter": "x"}).status == 400
    assert face.told == []


@pytest.mark.parametrize("path", ["/Users", "/Users/id-1", "/Groups", "/Schemas", "/Nowhere", "/Bulk"])
def test_the_tenant_in_the_url_is_the_callers_or_there_is_nothing(face: Face, path: str) -> None:
    face.user("bjensen")
    own = face.handle(face.provider, Request("GET", path, tenant="acme"))
    alone = face.handle(face.provider, Request("GET", path))
    assert (own.status, own.body) == (alone.status, alone.body)
    others = [face.handle(face.provider, Request("GET", path, tenant=one)) for one in ("globex", "", "ACME", "a" * 999)]
    assert {one.status for one in others} == {404}
    assert len({one.body for one in others}) == 1
