"""A clash of versions is answered by trying again, unless the client asked to be told (If-Match)."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from tests.engine.conftest import Answer, Face, Maker

from scimcore.access import anonymous
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.rules.limits import Limits
from scimcore.storage.protocol import VersionClash

ATTEMPTS = 4


@attrs.define
class Rival:
    """Changes the resource whenever the provider is about to: so often, and then no more."""

    times: int
    change: Callable[[], object] = attrs.field(default=lambda: None)
    seen: int = 0

    def __call__(self, call: str, _: tuple[Any, ...]) -> None:
        if call in ("update", "delete") and self.seen < self.times:
            self.seen += 1
            self.change()
            raise VersionClash("elsewhere")


def theirs(face: Face, method: str, id: str) -> Callable[[], object]:
    """What the rival does, through a provider of its own."""
    rival = ScimProvider(face.storage, authenticate=anonymous(tenant="acme"))
    body = b'{"Operations": [{"op": "add", "path": "title", "value": "theirs"}]}' if method == "PATCH" else b""
    return lambda: rival.handle_sync(Request(method, f"/Users/{id}", body=body))


def changed(face: Face, method: str, id: str, if_match: str | None = None) -> Answer:
    headers = {} if if_match is None else {"If-Match": if_match}
    match method:
        case "PUT":
            return face.send("PUT", f"/Users/{id}", {"userName": "bjensen", "title": "mine"}, headers)
        case "PATCH":
            return face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "mine"}, headers=headers)
        case _:
            return face.send("DELETE", f"/Users/{id}", headers=headers)


@pytest.mark.parametrize("times", [1, 2, ATTEMPTS - 1])
@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("PATCH", 200), ("DELETE", 204)])
def test_a_client_that_sent_no_precondition_never_sees_a_clash(
    make_face: Maker, method: str, status: int, times: int
) -> None:
    rival = Rival(times)
    face = make_face(watch=rival, limits=Limits(max_attempts=ATTEMPTS))
    id = face.user()
    assert changed(face, method, id).status == status
    assert rival.seen == times
    assert len(face.events) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_clash_without_end_is_given_up(make_face: Maker, method: str) -> None:
    rival = Rival(1_000)
    face = make_face(watch=rival, limits=Limits(max_attempts=ATTEMPTS))
    id = face.user()
    before = face.stored()
    answer = changed(face, method, id)
    face.refused(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert rival.seen == ATTEMPTS
    assert (face.stored(), face.events) == (before, [])


@pytest.mark.rfc("P-3.14-06", "P-3.12-07")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_client_that_sent_if_match_is_told_of_the_clash(make_face: Maker, method: str) -> None:
    rival = Rival(1)
    face = make_face(watch=rival)
    id = face.user()
    rival.change = theirs(face, "PATCH", id)
    answer = changed(face, method, id, 'W/"1"')
    face.refused(answer, 412)
    assert [record.document.get("title") for record in face.stored()] == ["theirs"]
    assert face.events == []


def test_what_a_rival_wrote_in_between_is_kept(make_face: Maker) -> None:
    rival = Rival(2)
    face = make_face(watch=rival)
    id = face.user()
    rival.change = theirs(face, "PATCH", id)
    body = face.patch(f"/Users/{id}", {"op": "add", "path": "nickName", "value": "mine"}).body
    assert (body["title"], body["nickName"]) == ("theirs", "mine")


def test_what_a_rival_deleted_in_between_is_not_found(make_face: Maker) -> None:
    rival = Rival(1)
    face = make_face(watch=rival)
    id = face.user()
    rival.change = theirs(face, "DELETE", id)
    face.refused(changed(face, "PATCH", id), 404)
    assert face.events == []
