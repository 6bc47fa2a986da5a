"""PATCH (RFC 7644 §3.5.2) as the engine answers it; what operations mean is tested with the rules."""

import pytest
from tests.engine.conftest import BASE, PATCH_OP, Face, Maker

from scimcore.dialects import Dialect
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, USER_SCHEMA

TITLE = {"op": "add", "path": "title", "value": "T"}


@pytest.mark.rfc("P-3.5.2-17", "P-3.5.2.3-02", "P-3.14-07", "S-3.1-18")
def test_a_patched_resource_comes_back_whole(face: Face) -> None:
    id = face.user(nickName="Babs")
    answer = face.patch(f"/Users/{id}", {"op": "replace", "path": "nickName", "value": "B"}, TITLE)
    assert answer.status == 200
    assert answer.body["nickName"] == "B"
    assert answer.body["title"] == "T"
    assert answer.headers["etag"] == answer.body["meta"]["version"] == 'W/"2"'
    assert answer.headers["location"] == f"{BASE}/Users/{id}"
    assert face.send("GET", f"/Users/{id}").body == answer.body


@pytest.mark.rfc("P-3.5.2-18", "P-3.9-04")
def test_the_answer_to_a_patch_shows_what_was_asked_for(face: Face) -> None:
    id = face.user()
    answer = face.patch(f"/Users/{id}?attributes=title", TITLE)
    assert (answer.status, answer.body) == (200, {"schemas": [USER_SCHEMA.id], "id": id, "title": "T"})


@pytest.mark.rfc("P-3.5.2-03", "P-3.5.2-04", "P-3.5.2-19", "P-3.12-13")
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "Operations: is missing"),
        ({"Operations": []}, "Operations: must not be empty"),
        ({"Operations": {}}, "Operations: must be an array"),
        ({"Operations": "x"}, "Operations: must be an array"),
        ({"Operations": None}, "Operations: must be an array"),
        ({"Operations": [5]}, "Operations[0]: must be an object"),
        ({"Operations": [TITLE, {}]}, "Operations[1].op: is missing"),
        ({"Operations": [TITLE, {"op": "move", "path": "title"}]}, "Operations[1].op: must be add, remove or replace"),
        ({"Operations": [{**TITLE, "OP": "add"}]}, "Operations[0]: has the member op twice"),
        ({"Operations": [{**TITLE, "path": 5}]}, "Operations[0].path: must be a string"),
        ({"Operations": [TITLE], "operations": [TITLE]}, "the message has the member Operations twice"),
        ({"schemas": [USER_SCHEMA.id], "Operations": [TITLE]}, "schemas: must contain"),
        ({"schemas": "x", "Operations": [TITLE]}, "schemas: must be an array"),
        ([TITLE], "the message must be an object"),
        (None, "the message must be an object"),
    ],
)
def test_a_patch_of_the_wrong_shape_is_refused(face: Face, body: Json, place: str) -> None:
    id = face.user()
    before = face.stored()
    sent = b"null" if body is None else body
    assert face.refused(face.send("PATCH", f"/Users/{id}", sent), 400, "invalidSyntax").startswith(place)
    assert face.stored() == before


@pytest.mark.rfc("P-3.5.2-02")
def test_a_strict_provider_wants_the_urn_of_the_message(make_face: Maker) -> None:
    for dialect, status in ((Dialect.STRICT, 400), (Dialect.DEFAULT, 200)):
        face = make_face(dialect=dialect)
        assert face.send("PATCH", f"/Users/{face.user()}", {"Operations": [TITLE]}).status == status


@pytest.mark.rfc("P-3.5.2-05", "P-3.5.2-06", "P-3.5.2-07", "P-3.5.2-08", "P-3.5.2-10", "P-3.5.2-16", "P-3.5.2-19")
@pytest.mark.rfc("P-3.5.2.1-01", "P-3.5.2.1-02", "P-3.5.2.2-01", "P-3.5.2.2-07", "P-3.5.2.3-08", "P-3.5.2.3-09")
@pytest.mark.rfc("P-3.12-12", "P-3.12-14", "P-3.12-15", "P-3.12-16", "P-3.5.2-23")
@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "emails[0]", "value": {}}, "invalidPath"),
        ({"op": "add", "path": "name..givenName", "value": "x"}, "invalidPath"),
        ({"op": "add", "path": "emails[", "value": {}}, "invalidPath"),
        ({"op": "add", "path": "nope", "value": "x"}, "invalidPath"),
        ({"op": "remove", "path": "nope"}, "invalidPath"),
        ({"op": "remove", "path": "a" * 10_001}, "invalidPath"),
        ({"op": "add", "path": 'emails[type zz "a"]', "value": {}}, "invalidFilter"),
        ({"op": "add", "path": "emails[type eq " + "9" * 1_000 + "]", "value": {}}, "invalidFilter"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "replace", "path": "meta.created", "value": "x"}, "mutability"),
        ({"op": "add", "path": "groups", "value": [{"value": "x"}]}, "mutability"),
        ({"op": "add", "value": {"id": "x", "nickName": "y"}}, "mutability"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "remove", "path": "id"}, "mutability"),
        ({"op": "replace", "path": "userName", "value": None}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "maybe"}, "invalidValue"),
        ({"op": "add", "path": "title"}, "invalidValue"),
        ({"op": "add", "value": "x"}, "invalidValue"),
        ({"op": "add"}, "invalidValue"),
        ({"op": "replace", "value": [1]}, "invalidValue"),
        ({"op": "add", "value": {ENTERPRISE_USER.id: [1]}}, "invalidValue"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": 'emails[type eq "home"]', "value": {"value": "x"}}, "noTarget"),
    ],
)
def test_a_patch_that_fails_halfway_does_nothing(face: Face, operation: Json, scim_type: str) -> None:
    id = face.user("bjensen", emails=[{"value": "a", "type": "work"}])
    before = face.stored()
    answer = face.patch(f"/Users/{id}", TITLE, operation, {"op": "remove", "path": "emails"})
    face.refused(answer, 400, scim_type)
    assert face.stored() == before
    assert face.events == []


def test_a_problem_is_named_with_the_position_of_its_operation(face: Face) -> None:
    wrong = {"op": "add", "path": "emails", "value": [{"value": "a"}, {"value": 5}]}
    detail = face.refused(face.patch(f"/Users/{face.user()}", TITLE, wrong), 400, "invalidValue")
    assert detail == "Operations[1].emails[1].value: must be a string"


@pytest.mark.rfc("P-3.5.2-20", "P-3.12-11")
def test_a_name_patched_to_one_that_is_taken_is_a_conflict(face: Face) -> None:
    face.user("alice")
    id = face.user("bob")
    before = face.stored()
    answer = face.patch(f"/Users/{id}", TITLE, {"op": "replace", "path": "userName", "value": "ALICE"})
    face.refused(answer, 409, "uniqueness")
    assert face.stored() == before


@pytest.mark.rfc("P-3.5.2.1-07", "P-3.5.2.3-10", "P-3.5.2.2-02", "P-3.5.2.2-08")
@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "title", "value": "Guide"},
        {"op": "replace", "path": "title", "value": "Guide"},
        {"op": "add", "path": "emails", "value": [{"value": "a", "type": "work"}]},
        {"op": "remove", "path": "nickName"},
        {"op": "remove", "path": 'emails[value eq "zz"]'},
        {"op": "replace", "value": {"title": "Guide", "nope": 1}},
        {"op": "Replace", "path": "active", "value": "True"},
    ],
)
def test_a_patch_that_changes_nothing_keeps_version_and_time(face: Face, operation: Json) -> None:
    id = face.user(title="Guide", active=True, emails=[{"value": "a", "type": "work"}])
    before = face.send("GET", f"/Users/{id}")
    answer = face.patch(f"/Users/{id}", operation)
    assert (answer.status, answer.body) == (200, before.body)
    assert answer.headers["etag"] == before.headers["etag"]
    assert [event.happening for event in face.events] == ["unchanged"]


@pytest.mark.rfc("P-3.5.2-14")
def test_operations_work_one_after_the_other(face: Face) -> None:
    id = face.user(emails=[{"value": "a"}])
    added = {"op": "add", "path": "emails", "value": [{"value": "b"}]}
    assert face.patch(f"/Users/{id}", {"op": "remove", "path": "emails"}, added).body["emails"] == [{"value": "b"}]


@pytest.mark.rfc("P-3.5.2-12", "P-3.5.2-13", "P-3.5.2-22")
def test_schemas_follow_the_extension(face: Face) -> None:
    id = face.user()
    declared = {"op": "add", "path": "schemas", "value": [ENTERPRISE_USER.id]}
    added = {"op": "add", "path": f"{ENTERPRISE_USER.id}:employeeNumber", "value": "7"}
    assert face.patch(f"/Users/{id}", declared, added).body["schemas"] == [USER_SCHEMA.id, ENTERPRISE_USER.id]
    gone = face.patch(f"/Users/{id}", {"op": "remove", "path": ENTERPRISE_USER.id}).body
    assert gone["schemas"] == [USER_SCHEMA.id]
    assert ENTERPRISE_USER.id not in gone


def test_a_patch_by_a_message_of_another_case_is_understood(face: Face) -> None:
    sent = {"SCHEMAS": [PATCH_OP.upper()], "operations": [{"Op": "Add", "PATH": "TITLE", "Value": "T", "name": "x"}]}
    assert face.send("PATCH", f"/Users/{face.user()}", sent).body["title"] == "T"
