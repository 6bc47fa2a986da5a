"""Conditional requests (RFC 7644 §3.14)."""

import pytest
from tests.engine.conftest import Answer, Face

NOW = ["*", " * ", 'W/"2"', '"2"', "2", 'W/"1", W/"2"', '"x","2"', 'W/"2",', 'W/"1" ,"2"']
NOT_NOW = ['W/"1"', '"1"', "1", '"*"', 'W/"3", "4"', "", '"02"']
MALFORMED = ['"2', 'W/"1" W/"2"', "a b", ',,"2"', "W/*, 2 3"]


@pytest.fixture
def id(face: Face) -> str:
    """A user in its second version."""
    id = face.user(title="first")
    face.patch(f"/Users/{id}", {"op": "replace", "path": "title", "value": "second"})
    face.told.clear()
    return id


def changed(face: Face, method: str, id: str, if_match: str) -> Answer:
    headers = {"If-Match": if_match}
    match method:
        case "PUT":
            return face.send("PUT", f"/Users/{id}", {"userName": "bjensen", "title": "third"}, headers)
        case "PATCH":
            return face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "third"}, headers=headers)
        case _:
            return face.send("DELETE", f"/Users/{id}", headers=headers)


CHANGES = pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])


@pytest.mark.rfc("P-3.14-05", "P-3.14-07")
@CHANGES
@pytest.mark.parametrize("if_match", NOW)
def test_a_change_is_made_where_if_match_names_the_version(face: Face, id: str, method: str, if_match: str) -> None:
    answer = changed(face, method, id, if_match)
    assert answer.status == (204 if method == "DELETE" else 200)
    assert answer.headers.get("etag") == (None if method == "DELETE" else 'W/"3"')


@pytest.mark.rfc("P-3.14-04", "P-3.12-07")
@CHANGES
@pytest.mark.parametrize("if_match", NOT_NOW)
def test_a_change_is_refused_where_if_match_names_another_version(
    face: Face, id: str, method: str, if_match: str
) -> None:
    before = face.stored()
    face.refused(changed(face, method, id, if_match), 412)
    assert face.stored() == before
    assert face.events == []


@CHANGES
@pytest.mark.parametrize("if_match", MALFORMED)
def test_a_header_that_is_no_list_of_tags_is_refused(face: Face, id: str, method: str, if_match: str) -> None:
    before = face.stored()
    face.refused(changed(face, method, id, if_match), 400, "invalidSyntax")
    assert face.stored() == before


@pytest.mark.rfc("P-3.14-05")
@CHANGES
def test_any_version_of_what_does_not_exist_is_not_found(face: Face, method: str) -> None:
    face.refused(changed(face, method, "none", "*"), 404)


@CHANGES
def test_a_precondition_is_checked_even_if_nothing_would_change(face: Face, id: str, method: str) -> None:
    stale = {"If-Match": 'W/"1"'}
    face.refused(changed(face, method, id, stale["If-Match"]), 412)
    face.refused(face.patch(f"/Users/{id}", {"op": "remove", "path": "nickName"}, headers=stale), 412)


@pytest.mark.rfc("P-3.14-03")
@pytest.mark.parametrize("if_none_match", NOW)
def test_what_the_client_has_already_is_not_sent_again(face: Face, id: str, if_none_match: str) -> None:
    answer = face.send("GET", f"/Users/{id}", headers={"If-None-Match": if_none_match})
    assert (answer.status, answer.raw) == (304, b"")
    assert answer.headers["etag"] == 'W/"2"'


@pytest.mark.rfc("P-3.14-03")
@pytest.mark.parametrize("if_none_match", NOT_NOW)
def test_what_the_client_does_not_have_is_sent(face: Face, id: str, if_none_match: str) -> None:
    answer = face.send("GET", f"/Users/{id}", headers={"If-None-Match": if_none_match})
    assert (answer.status, answer.body["title"]) == (200, "second")


@pytest.mark.parametrize("if_none_match", MALFORMED)
def test_a_malformed_if_none_match_is_refused(face: Face, id: str, if_none_match: str) -> None:
    face.refused(face.send("GET", f"/Users/{id}", headers={"If-None-Match": if_none_match}), 400, "invalidSyntax")


@pytest.mark.rfc("P-3.14-06", "P-3.14-07")
def test_of_two_changes_on_one_version_the_second_is_refused(face: Face, id: str) -> None:
    assert [changed(face, "PUT", id, 'W/"2"').status, changed(face, "PATCH", id, 'W/"2"').status] == [200, 412]


def test_reading_makes_no_new_version(face: Face, id: str) -> None:
    tags = {face.send("GET", f"/Users/{id}").headers["etag"] for _ in range(3)}
    assert tags == {'W/"2"'}
