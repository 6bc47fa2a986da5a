"""A tenant sees nothing of another (RFC 7644 §6)."""

import pytest
from tests.engine.conftest import Face, Maker, tenants_by_token

from scimcore.schema.document import Json

ACME, GLOBEX = {"Authorization": "Bearer acme"}, {"Authorization": "Bearer globex"}
USER: Json = {"userName": "bjensen", "externalId": "7"}


@pytest.fixture
def face(make_face: Maker) -> Face:
    """A provider for every tenant that asks."""
    return make_face(authenticate=tenants_by_token)


@pytest.mark.rfc("P-6-02", "P-6.2-01", "P-6-01")
def test_names_are_unique_within_a_tenant_only(face: Face) -> None:
    assert face.send("POST", "/Users", USER, ACME).status == 201
    assert face.send("POST", "/Users", USER, GLOBEX).status == 201
    face.refused(face.send("POST", "/Users", USER, GLOBEX), 409, "uniqueness")


@pytest.mark.rfc("P-6-02", "P-3.12-06")
@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PUT", USER), ("PATCH", {"Operations": [{"op": "remove", "path": "title"}]}), ("DELETE", None)],
)
def test_what_belongs_to_another_tenant_does_not_exist(face: Face, method: str, body: Json) -> None:
    id = face.send("POST", "/Users", USER, ACME).body["id"]
    before = face.stored("acme")
    for headers in (GLOBEX, {**GLOBEX, "If-Match": 'W/"1"'}):
        theirs = face.send(method, f"/Users/{id}", body, headers)
        nobodys = face.send(method, "/Users/none", body, headers)
        face.refused(theirs, 404)
        assert theirs == nobodys
    assert face.stored("acme") == before


@pytest.mark.rfc("P-6-02")
@pytest.mark.parametrize("target", ["/Users", "/", '/Users?filter=userName eq "bjensen"', "/Users?sortBy=userName"])
def test_a_search_finds_what_is_the_tenants_own(face: Face, target: str) -> None:
    face.send("POST", "/Users", USER, ACME)
    assert face.send("GET", target, headers=GLOBEX).body["totalResults"] == 0
    assert face.send("GET", target, headers=ACME).body["totalResults"] == 1


@pytest.mark.rfc("P-6-02")
def test_nobody_becomes_a_member_of_another_tenants_group(face: Face) -> None:
    stranger = face.send("POST", "/Users", USER, ACME).body["id"]
    sent: Json = {"displayName": "Guides", "members": [{"value": stranger}]}
    group = face.send("POST", "/Groups", sent, GLOBEX)
    assert group.status == 201
    assert "members" not in group.body
    assert face.events[-1].ignored == (f'members[value eq "{stranger}"]',)


@pytest.mark.rfc("P-6-02")
def test_an_event_names_the_tenant(face: Face) -> None:
    for headers in (ACME, GLOBEX):
        face.send("POST", "/Users", USER, headers)
    assert [event.caller and event.caller.tenant for event in face.events] == ["acme", "globex"]
