"""POST on an endpoint (RFC 7644 §3.3)."""

import attrs
import pytest
from tests.engine.conftest import BASE, Face, Maker

from scimcore.dialects import Dialect
from scimcore.schema.attribute import Attribute, Mutability, Returned, Type, Uniqueness
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, GROUP_SCHEMA, USER_SCHEMA

MINIMAL = {"schemas": [USER_SCHEMA.id], "userName": "bjensen"}


@pytest.mark.rfc("P-3.3-04", "P-3.3-05", "S-3.1-02", "S-3.1-04", "S-3.1-16", "S-3.1-18")
def test_a_created_user_comes_back_whole(face: Face) -> None:
    answer = face.send("POST", "/Users", MINIMAL)
    assert answer.status == 201
    id = answer.body["id"]
    assert answer.body == {
        "schemas": [USER_SCHEMA.id],
        "id": id,
        "userName": "bjensen",
        "meta": {
            "resourceType": "User",
            "created": "2026-11-22T09:00:00.000000Z",
            "lastModified": "2026-11-22T09:00:00.000000Z",
            "location": f"{BASE}/Users/{id}",
            "version": 'W/"1"',
        },
    }


@pytest.mark.rfc("P-3.3-06", "P-3.14-01", "P-3.14-02", "S-3.1-19", "S-3.1-20", "S-3.1-21")
def test_headers_of_a_creation_repeat_what_meta_says(face: Face) -> None:
    answer = face.send("POST", "/Users", MINIMAL)
    meta = answer.body["meta"]
    assert answer.headers["location"] == answer.headers["content-location"] == meta["location"]
    assert answer.headers["etag"] == meta["version"]
    assert face.send("GET", meta["location"].removeprefix(BASE)).body == answer.body


@pytest.mark.rfc("P-3.3-01", "S-3.1-07", "S-3.1-14", "S-7-08", "P-3.3.1-01", "P-3.1-03")
def test_what_a_client_cannot_set_is_not_taken_from_it(face: Face) -> None:
    sent = {
        **MINIMAL,
        "id": "mine",
        "meta": {"resourceType": "Group", "created": "1999-01-01T00:00:00Z", "location": "https://elsewhere"},
        "groups": [{"value": "admins"}],
        "nonsense": 1,
    }
    answer = face.send("POST", "/Users", sent)
    assert answer.status == 201
    assert answer.body["id"] != "mine"
    assert answer.body["meta"]["resourceType"] == "User"
    assert answer.body["meta"]["created"].startswith("2026")
    assert answer.body.keys().isdisjoint({"groups", "nonsense"})
    assert face.events[0].ignored == ("id", "meta", "groups", "nonsense")


@pytest.mark.rfc("S-2.1-02", "S-3.3-05", "S-3-04", "S-3.3-03", "S-3-06")
def test_names_are_taken_in_any_case_and_given_back_as_the_schema_spells_them(face: Face) -> None:
    sent = {
        "SCHEMAS": [ENTERPRISE_USER.id.upper(), USER_SCHEMA.id],
        "USERNAME": "bjensen",
        "Name": {"FAMILYNAME": "Jensen"},
        ENTERPRISE_USER.id.upper(): {"EmployeeNumber": "7"},
    }
    body = face.send("POST", "/Users", sent).body
    assert body["schemas"] == [USER_SCHEMA.id, ENTERPRISE_USER.id]
    assert body["name"] == {"familyName": "Jensen"}
    assert body[ENTERPRISE_USER.id] == {"employeeNumber": "7"}


@pytest.mark.rfc("S-2.5-01", "S-2.5-04", "P-3.3-03")
def test_empty_values_are_no_values(face: Face) -> None:
    sent = {**MINIMAL, "nickName": None, "emails": [], "name": {"givenName": None}, "title": "", "active": None}
    body = face.send("POST", "/Users", sent).body
    assert body.keys() == {"schemas", "id", "userName", "meta"}


@pytest.mark.rfc("S-2.3.1-01", "P-3.8-01")
def test_unicode_comes_back_as_it_was_sent(face: Face) -> None:
    id = face.user(displayName="Zoë 🚀", nickName="\u200bא\u0301")
    body = face.send("GET", f"/Users/{id}").body
    assert body["displayName"] == "Zoë 🚀"
    assert body["nickName"] == "\u200bא\u0301"


@pytest.mark.rfc("P-3.3-07", "P-3.12-11", "S-7-15", "S-7-16", "P-3.12-07", "P-7.8-01")
@pytest.mark.parametrize("taken", ["bjensen", "BJENSEN", "ｂｊｅｎｓｅｎ"])
def test_a_user_name_that_is_taken_is_a_conflict(face: Face, taken: str) -> None:
    face.user("bjensen")
    before = face.stored()
    detail = face.refused(face.send("POST", "/Users", {**MINIMAL, "userName": taken}), 409, "uniqueness")
    assert detail == "userName: the value is taken by another resource"
    assert face.stored() == before


@pytest.mark.rfc("P-3.3-07")
def test_a_group_name_that_is_taken_is_a_conflict_in_any_case(face: Face) -> None:
    face.group("Tour Guides")
    sent = {"schemas": [GROUP_SCHEMA.id], "displayName": "TOUR GUIDES"}
    face.refused(face.send("POST", "/Groups", sent), 409, "uniqueness")


def test_a_strict_provider_lets_groups_share_a_name(make_face: Maker) -> None:
    face = make_face(dialect=Dialect.STRICT)
    assert face.group("Tour Guides") != face.group("Tour Guides")


@pytest.mark.rfc("S-3.1-13", "S-3.1-10")
def test_external_ids_may_repeat(face: Face) -> None:
    first, second = face.user("a", externalId="7"), face.user("b", externalId="7")
    assert first != second


@pytest.mark.rfc("S-3.1-06", "P-3.6-04")
def test_an_id_is_never_given_again(face: Face) -> None:
    id = face.user("bjensen")
    face.send("DELETE", f"/Users/{id}")
    assert face.user("bjensen") != id


@pytest.mark.rfc("P-3.3-08", "P-3.12-16", "P-3.12-03", "P-3.1-04")
@pytest.mark.parametrize(
    ("sent", "problems"),
    [
        ({"schemas": [USER_SCHEMA.id]}, ["userName: is required"]),
        ({**MINIMAL, "userName": ""}, ["userName: is required"]),
        ({**MINIMAL, "userName": None}, ["userName: is required"]),
        ({**MINIMAL, "userName": 5}, ["userName: must be a string"]),
        ({**MINIMAL, "userName": ["a"]}, ["userName: must be a string"]),
        ({**MINIMAL, "active": "maybe"}, ["active: must be true or false"]),
        ({**MINIMAL, "name": "Jensen"}, ["name: must be an object"]),
        ({**MINIMAL, "emails": [{"value": 5}]}, ["emails[0].value: must be a string"]),
        ({**MINIMAL, "emails": [None]}, ["emails[0]: must not be null"]),
        ({**MINIMAL, "x509Certificates": [{"value": "@@"}]}, ["x509Certificates[0].value: must be base64"]),
        ({**MINIMAL, "profileUrl": "http://h/a b"}, ["profileUrl: must be a URI"]),
        (
            {**MINIMAL, ENTERPRISE_USER.id: {"manager": {"value": 1}}},
            [f"{ENTERPRISE_USER.id}:manager.value: must be a string"],
        ),
        (
            {"title": 1, "nickName": {}, "emails": {"value": True}},
            [
                "title: must be a string",
                "nickName: must be a string",
                "emails[0].value: must be a string",
                "userName: is required",
            ],
        ),
    ],
)
def test_every_problem_of_a_payload_is_named_by_its_path(face: Face, sent: Json, problems: list[str]) -> None:
    assert face.refused(face.send("POST", "/Users", sent), 400, "invalidValue").splitlines() == problems
    assert face.stored() == []


@pytest.mark.rfc("S-3-01", "S-3-02", "S-3.3-01")
@pytest.mark.parametrize(
    "schemas", [None, [], [ENTERPRISE_USER.id], [USER_SCHEMA.id, "urn:x:unknown"], [GROUP_SCHEMA.id]]
)
def test_schemas_that_do_not_fit_are_refused_by_a_strict_provider_alone(make_face: Maker, schemas: Json) -> None:
    sent: dict[str, Json] = {"userName": "bjensen", "schemas": schemas}
    strict = make_face(dialect=Dialect.STRICT)
    strict.refused(strict.send("POST", "/Users", sent), 400, "invalidValue")
    answer = make_face().send("POST", "/Users", sent)
    assert answer.status == 201
    assert answer.body["schemas"] == [USER_SCHEMA.id]


@pytest.mark.rfc("P-3.9-04")
def test_the_answer_to_a_creation_shows_what_was_asked_for(face: Face) -> None:
    answer = face.send("POST", "/Users?attributes=title", {**MINIMAL, "title": "Guide", "nickName": "Babs"})
    assert answer.status == 201
    assert answer.body.keys() == {"schemas", "id", "title"}
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.rfc("P-3.3-13")
def test_a_creation_that_fails_in_the_storage_leaves_nothing_behind(make_face: Maker) -> None:
    broken = False

    def watch(call: str, _: tuple[object, ...]) -> None:
        if broken and call == "insert":
            raise OSError("disk full")

    face = make_face(watch=watch)
    member = face.user()
    before, broken = face.stored(), True
    sent = {"schemas": [GROUP_SCHEMA.id], "displayName": "Guides", "members": [{"value": member}]}
    face.refused(face.send("POST", "/Groups", sent), 500)
    assert face.stored() == before
    assert [str(bug) for bug in face.bugs] == ["disk full"]
    face.bugs.clear()


@pytest.mark.rfc("S-3.1-08")
@pytest.mark.parametrize("issued", ["bulkId:1", "x-BULKID", ""])
def test_an_id_that_no_resource_may_have_is_a_bug_and_never_issued(make_face: Maker, issued: str) -> None:
    face = make_face(new_id=lambda: issued)
    face.refused(face.send("POST", "/Users", MINIMAL), 500)
    assert face.stored() == []
    assert [type(bug) for bug in face.bugs] == [ValueError]
    face.bugs.clear()


BADGE = Schema(
    id="urn:example:Badge",
    name="Badge",
    attributes=(
        Attribute(name="number", mutability=Mutability.IMMUTABLE, uniqueness=Uniqueness.SERVER),
        Attribute(name="pin", mutability=Mutability.WRITE_ONLY, returned=Returned.NEVER),
        Attribute(name="issuer", required=True, mutability=Mutability.READ_ONLY),
        Attribute(name="photo", type=Type.BINARY, returned=Returned.REQUEST),
        Attribute(name="colour", returned=Returned.ALWAYS),
        Attribute(name="id", mutability=Mutability.READ_WRITE, returned=Returned.NEVER),
    ),
)
BADGES = ResourceType(name="Badge", endpoint="Badges", schema=BADGE)
SENT = {"schemas": [BADGE.id], "number": "7", "pin": "1234", "photo": "AAAA", "colour": "red"}


@pytest.mark.rfc("P-3.3-11", "P-3.3-12", "P-3.2-02", "S-3.1-01", "S-3.1-03", "S-3-05", "S-6-06", "S-7-14")
def test_a_resource_type_of_ones_own_needs_no_code(make_face: Maker) -> None:
    face = make_face(resource_types=(BADGES,))
    answer = face.send("POST", "/Badges", {**SENT, "externalId": "x"})
    assert answer.status == 201
    assert {name: answer.body[name] for name in ("number", "photo", "colour", "externalId")} == {
        "number": "7",
        "photo": "AAAA",
        "colour": "red",
        "externalId": "x",
    }
    assert "pin" not in answer.body
    assert answer.body["meta"]["resourceType"] == "Badge"
    assert answer.body["meta"]["location"] == f"{BASE}/Badges/{answer.body['id']}"
    found = face.send("GET", '/Badges?filter=externalId eq "x"').body
    assert found["totalResults"] == 1


@pytest.mark.rfc("S-7-11", "S-7-12", "S-7-13", "S-7-14", "P-3.4-01", "P-3.4.2.5-02")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"number", "colour", "meta"}),
        ("?attributes=photo", {"photo", "colour"}),
        ("?attributes=pin", {"colour"}),
        ("?excludedAttributes=colour,id,schemas,number", {"colour", "meta"}),
        ("?excludedAttributes=meta.version", {"number", "colour", "meta"}),
    ],
)
def test_returned_says_what_is_shown(make_face: Maker, query: str, shown: set[str]) -> None:
    face = make_face(resource_types=(BADGES,))
    id = face.send("POST", "/Badges", SENT).body["id"]
    for body in (
        face.send("GET", f"/Badges/{id}{query}").body,
        face.send("GET", f"/Badges{query}").body["Resources"][0],
    ):
        assert body.keys() == {"schemas", "id"} | shown
        assert ("version" in body.get("meta", {"version": ""})) == ("meta.version" not in query)


@pytest.mark.rfc("S-7-09", "P-3.5.1-05", "P-3.5.1-06", "P-3.5.1-07", "P-3.12-12")
def test_an_immutable_value_is_set_once(make_face: Maker) -> None:
    face = make_face(resource_types=(BADGES,))
    id = face.send("POST", "/Badges", {"schemas": [BADGE.id], "colour": "red"}).body["id"]
    assert face.send("PUT", f"/Badges/{id}", {"number": "7", "colour": "red"}).body["number"] == "7"
    assert face.send("PUT", f"/Badges/{id}", {"colour": "blue"}).body["number"] == "7"
    before = face.send("GET", f"/Badges/{id}").body
    face.refused(face.send("PUT", f"/Badges/{id}", {"number": "8", "colour": "green"}), 400, "mutability")
    face.refused(face.patch(f"/Badges/{id}", {"op": "replace", "path": "number", "value": "8"}), 400, "mutability")
    assert face.send("GET", f"/Badges/{id}").body == before


@pytest.mark.rfc("S-6-03")
def test_a_required_extension_must_be_there(make_face: Maker) -> None:
    required = Schema(id="urn:example:Desk", name="Desk", attributes=(Attribute(name="room", required=True),))
    kind = attrs.evolve(BADGES, extensions=(Extension(required, required=True),))
    face = make_face(resource_types=(kind,))
    assert "urn:example:Desk" in face.refused(face.send("POST", "/Badges", SENT), 400, "invalidValue")
    whole = {**SENT, "urn:example:Desk": {"room": "12"}}
    id = face.send("POST", "/Badges", whole).body["id"]
    face.refused(face.send("PUT", f"/Badges/{id}", SENT), 400, "invalidValue")
    face.refused(face.send("POST", "/Badges", {**SENT, "urn:example:Desk": {"floor": "1"}}), 400, "invalidValue")
