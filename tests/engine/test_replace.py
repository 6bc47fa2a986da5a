"""PUT (RFC 7644 §3.5.1)."""

import pytest
from tests.engine.conftest import BASE, Face, Maker

from scimcore.dialects import Dialect
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, USER_SCHEMA


@pytest.mark.rfc("P-3.5-01", "P-3.5.1-01", "P-3.5.1-02", "P-3.5.1-10", "P-3.5.1-12", "P-3.14-01", "S-3.1-18")
def test_what_is_sent_takes_the_place_of_what_was_there(face: Face) -> None:
    id = face.user(
        "bjensen", nickName="Babs", emails=[{"value": "a"}, {"value": "b"}], **{ENTERPRISE_USER.id: {"division": "X"}}
    )
    answer = face.send("PUT", f"/Users/{id}", {"userName": "barbara", "emails": [{"value": "b"}]})
    assert answer.status == 200
    meta = answer.body.pop("meta")
    assert answer.body == {"schemas": [USER_SCHEMA.id], "id": id, "userName": "barbara", "emails": [{"value": "b"}]}
    assert meta["version"] == answer.headers["etag"] == 'W/"2"'
    assert meta["location"] == answer.headers["location"] == f"{BASE}/Users/{id}"
    assert meta["created"] < meta["lastModified"]
    assert face.send("GET", f"/Users/{id}").body == {**answer.body, "meta": meta}


@pytest.mark.rfc("P-3.5.1-03", "S-2.5-01")
@pytest.mark.parametrize("empty", [None, [], [{}], [{"value": None}]])
def test_empty_values_clear(face: Face, empty: Json) -> None:
    id = face.user(roles=[{"value": "admin"}])
    answer = face.send("PUT", f"/Users/{id}", {"userName": "bjensen", "roles": empty})
    assert answer.status == 200
    assert "roles" not in answer.body


@pytest.mark.rfc("P-3.5.1-08", "S-2-01", "S-3.1-14", "S-7-08")
def test_what_is_read_only_stays(face: Face) -> None:
    user = face.user()
    group = face.group("Guides", [user])
    sent = {"userName": "bjensen", "id": "other", "groups": [{"value": "x"}], "meta": {"version": "9"}, "title": "T"}
    body = face.send("PUT", f"/Users/{user}", sent).body
    assert body["id"] == user
    assert body["title"] == "T"
    assert [one["value"] for one in body["groups"]] == [group]


@pytest.mark.rfc("P-3.5.1-09", "P-3.12-16")
@pytest.mark.parametrize("sent", [{}, {"userName": None}, {"userName": ""}, {"title": "T"}])
def test_a_required_attribute_must_be_sent(face: Face, sent: Json) -> None:
    id = face.user()
    before = face.stored()
    detail = face.refused(face.send("PUT", f"/Users/{id}", sent), 400, "invalidValue")
    assert detail == "userName: is required"
    assert face.stored() == before


@pytest.mark.rfc("P-3.5.1-11", "P-3.12-11")
def test_a_name_may_be_ones_own_and_nobody_elses(face: Face) -> None:
    face.user("alice")
    id = face.user("bob")
    assert face.send("PUT", f"/Users/{id}", {"userName": "BOB"}).status == 200
    before = face.stored()
    face.refused(face.send("PUT", f"/Users/{id}", {"userName": "Alice"}), 409, "uniqueness")
    assert face.stored() == before


@pytest.mark.rfc("P-3.5.1-13", "S-2.3.8-01")
def test_the_same_again_in_another_order_changes_nothing(face: Face) -> None:
    id = face.user(name={"givenName": "B", "familyName": "J"}, emails=[{"value": "a", "type": "work"}])
    before = face.send("GET", f"/Users/{id}")
    sent = dict(reversed(before.body.items()))
    answer = face.send("PUT", f"/Users/{id}", sent)
    assert (answer.status, answer.body, answer.headers) == (200, before.body, before.headers)
    assert [event.happening for event in face.events] == ["unchanged"]


def test_put_keeps_the_linkage_that_it_does_not_name(face: Face) -> None:
    user = face.user(externalId="7")
    group = face.group("Guides", [user])
    assert face.send("PUT", f"/Users/{user}", {"userName": "b"}).body["externalId"] == "7"
    assert [one["value"] for one in face.send("PUT", f"/Groups/{group}", {"displayName": "G"}).body["members"]] == [
        user
    ]
    assert "members" not in face.send("PUT", f"/Groups/{group}", {"displayName": "G", "members": []}).body


def test_a_strict_put_clears_the_linkage_too(make_face: Maker) -> None:
    face = make_face(dialect=Dialect.STRICT)
    user = face.user(externalId="7")
    group = face.group("Guides", [user])
    sent = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b"}
    assert "externalId" not in face.send("PUT", f"/Users/{user}", sent).body
    sent = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G"}
    assert "members" not in face.send("PUT", f"/Groups/{group}", sent).body


def test_put_of_members_makes_them_the_only_ones(face: Face) -> None:
    a, b, c = face.user("a"), face.user("b"), face.user("c")
    group = face.group("Guides", [a, b])
    sent = {"displayName": "Guides", "members": [{"value": c}, {"value": b}]}
    answer = face.send("PUT", f"/Groups/{group}", sent)
    assert {one["value"] for one in answer.body["members"]} == {b, c}
    (event,) = face.events
    assert {one["value"] for one in event.delta.removed["members"]} == {a}  # type: ignore[index, call-overload]
    assert {one["value"] for one in event.delta.added["members"]} == {c}  # type: ignore[index, call-overload]


@pytest.mark.rfc("P-3.9-04")
def test_the_answer_to_a_put_shows_what_was_asked_for(face: Face) -> None:
    id = face.user(title="T")
    answer = face.send("PUT", f"/Users/{id}?excludedAttributes=userName,meta", {"userName": "b", "title": "T"})
    assert answer.body.keys() == {"schemas", "id", "title"}
