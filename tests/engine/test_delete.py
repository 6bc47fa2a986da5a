"""DELETE (RFC 7644 §3.6)."""

import pytest
from tests.engine.conftest import Face


@pytest.mark.rfc("P-3.6-01", "P-3.6-02", "P-3.6-03")
def test_what_was_deleted_is_gone(face: Face) -> None:
    face.user("alice")
    id = face.user("bob")
    answer = face.send("DELETE", f"/Users/{id}")
    assert (answer.status, answer.raw) == (204, b"")
    for method, body in (("GET", None), ("PUT", {"userName": "x"}), ("PATCH", PATCH), ("DELETE", None)):
        face.refused(face.send(method, f"/Users/{id}", body), 404)
    for target in ("/Users", "/", "/Users?filter=userName pr", f'/?filter=id pr and id ne "{"x"}"'):
        found = face.send("GET", target).body
        assert [one["userName"] for one in found["Resources"]] == ["alice"]
        assert found["totalResults"] == 1


PATCH = {"Operations": [{"op": "add", "path": "title", "value": "T"}]}


@pytest.mark.rfc("P-3.6-05", "S-2.3.7-04")
def test_a_deleted_user_leaves_its_groups(face: Face) -> None:
    alice, bob = face.user("alice"), face.user("bob")
    group = face.group("Guides", [alice, bob])
    before = face.send("GET", f"/Groups/{group}").headers["etag"]
    face.send("DELETE", f"/Users/{alice}")
    answer = face.send("GET", f"/Groups/{group}")
    assert [one["value"] for one in answer.body["members"]] == [bob]
    assert answer.headers["etag"] != before


def test_a_deleted_group_leaves_its_members(face: Face) -> None:
    user = face.user()
    face.send("DELETE", f"/Groups/{face.group('Guides', [user])}")
    assert "groups" not in face.send("GET", f"/Users/{user}").body


def test_a_body_sent_with_a_deletion_is_not_looked_at(face: Face) -> None:
    assert face.send("DELETE", f"/Users/{face.user()}", b"{", {"Content-Type": "text/xml"}).status == 204
