"""A password is never stored, never shown and never told (RFC 7643 §4.1.1, §7; RFC 7644 §7.7)."""

import pytest
from tests.engine.conftest import Face

SECRET = "t1meMa$heen"


@pytest.mark.rfc("P-3.3-12", "P-3.5.1-04", "S-7-12")
@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"userName": "b", "password": SECRET}),
        ("POST", {"userName": "b", "PASSWORD": SECRET, "title": "T"}),
        ("PUT", {"userName": "b", "password": SECRET}),
        ("PATCH", {"Operations": [{"op": "add", "path": "password", "value": SECRET}]}),
        ("PATCH", {"Operations": [{"op": "Replace", "value": {"Password": SECRET, "title": "T"}}]}),
        (
            "PATCH",
            {"Operations": [{"op": "replace", "path": "password", "value": SECRET}, {"op": "remove", "path": "title"}]},
        ),
        ("PUT", {"userName": "b", "password": [SECRET]}),
        ("PATCH", {"Operations": [{"op": "add", "path": "password", "value": {"x": SECRET}}]}),
        ("PATCH", {"Operations": [{"op": "add", "path": f'password[value eq "{SECRET}"]', "value": SECRET}]}),
    ],
)
@pytest.mark.parametrize("query", ["", "?attributes=password,userName", "?excludedAttributes=userName"])
def test_a_password_goes_nowhere(face: Face, method: str, body: object, query: str) -> None:
    id = face.user("a")
    answer = face.send(method, ("/Users" if method == "POST" else f"/Users/{id}") + query, body)
    assert answer.status in (200, 201, 400)
    places = [face.stored(), face.events]
    if answer.status != 400:
        places.append(answer.raw)
        places += [face.send("GET", target).raw for target in ("/", f"/Users/{id}{query}", f"/Users{query}")]
    for place in map(repr, places):
        assert SECRET not in place
    assert not any("password" in record.document for record in face.stored())


def test_a_password_alone_changes_no_version(face: Face) -> None:
    id = face.user()
    answer = face.patch(f"/Users/{id}", {"op": "replace", "path": "password", "value": SECRET})
    assert (answer.status, answer.headers["etag"]) == (200, 'W/"1"')


@pytest.mark.parametrize("filter", [f'password eq "{SECRET}"', 'password sw "t"', "password pr", "not (password pr)"])
@pytest.mark.parametrize("endpoint", ["/Users", "/"])
def test_a_password_cannot_be_searched_for(face: Face, endpoint: str, filter: str) -> None:
    face.user(password=SECRET)
    face.refused(face.send("GET", f"{endpoint}?filter={filter}"), 400, "invalidFilter")
    face.refused(face.send("POST", f"{endpoint}/.search", {"filter": filter}), 400, "invalidFilter")
