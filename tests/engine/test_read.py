"""GET of one resource (RFC 7644 §3.4.1), and URLs in both directions."""

import pytest
from tests.engine.conftest import BASE, Face, Maker

from scimcore.schema.document import Json
from scimcore.schema.standard import USER_SCHEMA


@pytest.mark.rfc("P-3.4.1-01", "P-3.4.1-02", "S-3.1-20")
def test_a_resource_is_read_with_its_location_and_etag(face: Face) -> None:
    id = face.user()
    answer = face.send("GET", f"/Users/{id}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/scim+json"
    assert answer.headers["location"] == answer.body["meta"]["location"] == f"{BASE}/Users/{id}"
    assert answer.headers["etag"] == answer.body["meta"]["version"] == 'W/"1"'


@pytest.mark.rfc("P-3.4.1-01", "P-3.12-06", "P-3.2-01")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
def test_what_does_not_exist_is_not_found(face: Face, method: str, endpoint: str) -> None:
    face.user()
    before = face.stored()
    body = None if method in ("GET", "DELETE") else PAYLOAD
    detail = face.refused(face.send(method, f"/{endpoint}/none", body), 404)
    assert detail == f"{endpoint[:-1]} not found"
    assert face.stored() == before


PAYLOAD: Json = {
    "userName": "a",
    "displayName": "b",
    "Operations": [{"op": "add", "path": "displayName", "value": "x"}],
}


def test_a_user_is_not_found_among_groups(face: Face) -> None:
    face.refused(face.send("GET", f"/Groups/{face.user()}"), 404)


def test_an_id_is_exact(face: Face) -> None:
    id = face.user()
    face.refused(face.send("GET", f"/Users/{id.upper()}"), 404)


@pytest.mark.rfc("P-1.3-01", "P-3.13-01", "S-2.3.7-02")
def test_locations_carry_the_base_url_of_the_request(face: Face) -> None:
    id = face.user()
    body = face.send("GET", f"/Users/{id}", base_url="https://h/scim/t1/v2").body
    assert body["meta"]["location"] == f"https://h/scim/t1/v2/Users/{id}"


@pytest.mark.parametrize("public_url", ["https://public.example/scim", "https://public.example/scim/"])
def test_a_public_url_takes_the_place_of_every_other(make_face: Maker, public_url: str) -> None:
    face = make_face(public_url=public_url)
    user = face.user()
    group = face.group(members=[user])
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = face.send("GET", f"/Groups/{group}", headers=headers, base_url="https://evil.example").body
    assert body["meta"]["location"] == f"https://public.example/scim/Groups/{group}"
    assert body["members"][0]["$ref"] == f"https://public.example/scim/Users/{user}"
    assert "evil" not in str(face.send("GET", "/Schemas", base_url="https://evil.example").body)


@pytest.mark.rfc("P-1.3-01")
@pytest.mark.parametrize("public_url", ["https://h/s?x=1", "https://h/s#x"])
def test_a_public_url_has_no_query(make_face: Maker, public_url: str) -> None:
    with pytest.raises(ValueError, match="query or a fragment"):
        make_face(public_url=public_url)


@pytest.mark.rfc("S-2.3.7-03", "P-3.14-07")
def test_a_reference_leads_to_the_resource(face: Face) -> None:
    user = face.user(displayName="Babs")
    group = face.group("Guides", [user])
    (member,) = face.send("GET", f"/Groups/{group}").body["members"]
    assert member == {"value": user, "$ref": f"{BASE}/Users/{user}", "type": "User"}
    (holder,) = face.send("GET", member["$ref"].removeprefix(BASE)).body["groups"]
    assert holder == {"value": group, "$ref": f"{BASE}/Groups/{group}", "display": "Guides", "type": "direct"}


def test_a_group_in_a_group_is_referred_to_as_a_group(face: Face) -> None:
    inner = face.group("Inner")
    outer = face.group("Outer", [inner])
    (member,) = face.send("GET", f"/Groups/{outer}").body["members"]
    assert member == {"value": inner, "$ref": f"{BASE}/Groups/{inner}", "type": "Group"}


@pytest.mark.rfc("P-1.2-01")
@pytest.mark.parametrize(
    ("id", "encoded"),
    [("a b/ü", "a%20b%2F%C3%BC"), ("100%", "100%25"), ("..", ".."), ("a?b#c", "a%3Fb%23c"), (".search2", ".search2")],
)
def test_an_id_is_percent_encoded_in_urls(make_face: Maker, id: str, encoded: str) -> None:
    face = make_face(new_id=lambda: id)
    assert face.user() == id
    answer = face.send("GET", f"/Users/{encoded}")
    assert answer.status == 200
    assert answer.headers["location"] == f"{BASE}/Users/{encoded}"


@pytest.mark.parametrize("path", ["/users/{}", "/USERS/{}", "/Users/{}/", "//Users//{}//", "Users/{}", "/%55sers/{}"])
def test_endpoints_are_found_in_any_case_and_with_any_slashes(face: Face, path: str) -> None:
    id = face.user()
    answer = face.send("GET", path.format(id))
    assert answer.status == 200
    assert answer.headers["location"] == f"{BASE}/Users/{id}"


@pytest.mark.parametrize(
    "path",
    [
        "/Nope",
        "/Nope/1",
        "/Users/1/2",
        "/Users/1/emails",
        "/.search/1",
        "/Schemas/a/b",
        "/Users%2F1",
        "/v2/scim/Users",
        "/ServiceProviderConfig/1",
        "/%",
        "/%zz",
        "/%ff",
        "/Users/%ff",
        "/\x00",
        "/ＵＳＥＲＳ",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"])
@pytest.mark.rfc("P-3.12-06", "P-3.12-01")
def test_an_unknown_path_is_not_found_whatever_the_method(face: Face, path: str, method: str) -> None:
    face.refused(face.send(method, path), 404)


@pytest.mark.parametrize(
    "id", ["%", "%00", "%zz", "%2e%2e%2fGroups", "'; drop table users --", "\u00fc", "x" * 100_000]
)
def test_an_id_that_nobody_has_is_not_found(face: Face, id: str) -> None:
    face.refused(face.send("GET", f"/Users/{id}"), 404)


@pytest.mark.rfc("P-3.12-17", "P-3.13-02")
@pytest.mark.parametrize("path", ["/v1/Users", "/V9/Users"])
def test_another_version_of_the_protocol_is_refused(face: Face, path: str) -> None:
    face.refused(face.send("GET", path), 400, "invalidVers")


def test_head_is_answered_like_get(face: Face) -> None:
    id = face.user()
    for target in (f"/Users/{id}", "/Users", "/Schemas", "/ServiceProviderConfig"):
        assert face.send("HEAD", target) == face.send("GET", target)


def test_reading_tells_no_event(face: Face) -> None:
    id = face.user()
    for target in (f"/Users/{id}", "/Users", "/", "/Users/none"):
        face.send("GET", target)
    assert face.events == []


@pytest.mark.parametrize("name", ["attributes", "Attributes", "ATTRIBUTES"])
def test_names_of_query_parameters_are_taken_in_any_case(face: Face, name: str) -> None:
    id = face.user(title="T")
    assert face.send("GET", f"/Users/{id}?{name}=title").body == {"schemas": [USER_SCHEMA.id], "id": id, "title": "T"}
