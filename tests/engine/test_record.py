"""The record: a change and its entry in one transaction, and refusals besides."""

from collections.abc import Awaitable, Callable

import attrs
import pytest
from tests.engine.conftest import Face, Maker

from scimcore.engine.events import Event
from scimcore.errors import UnavailableError
from scimcore.storage.protocol import EVERYTHING, Session


async def accepted(event: Event, session: Session) -> None:
    """Find nothing to object to."""


@attrs.define
class Recorder:
    """A record that notes what it is told, and in which state of the storage."""

    look: Callable[[], int] = lambda: 0
    """How many resources others see."""
    check: Callable[[Event, Session], Awaitable[None]] = accepted
    within_them: list[tuple[str, int]] = attrs.field(factory=list)
    besides: list[str] = attrs.field(factory=list)
    is_full: bool = False

    async def within(self, event: Event, session: Session) -> None:
        await self.check(event, session)
        self.within_them.append((event.happening, self.look()))

    def __call__(self, event: Event) -> None:
        if self.is_full:
            raise OSError("the disk is full")
        self.besides.append(event.happening)


def change_all(face: Face) -> None:
    """Create, change, leave alone and delete a user, and be refused."""
    id = face.user("a")
    face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "T"})
    face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "T"})
    face.send("PUT", f"/Users/{id}", {"userName": "b"})
    face.send("POST", "/Users", {"userName": "b"})
    face.send("DELETE", f"/Users/{id}")
    face.send("GET", "/Users")


def test_changes_are_recorded_in_their_transactions_and_refusals_besides(make_face: Maker) -> None:
    recorder = Recorder()
    change_all(make_face(record=recorder))
    happened = [happening for happening, _ in recorder.within_them]
    assert happened == ["created", "patched", "unchanged", "replaced", "deleted"]
    assert recorder.besides == ["refused"]


def test_listeners_are_told_the_same_as_without_a_record(make_face: Maker) -> None:
    told: list[list[Event]] = []
    for record in (None, Recorder()):
        events: list[Event] = []
        change_all(make_face(record=record, on_event=events.append))
        told.append(events)
    assert told[0] == told[1]
    assert len(told[0]) == 6


def test_what_is_recorded_is_what_the_transaction_has_written(make_face: Maker) -> None:
    found: list[object] = []

    async def look(event: Event, session: Session) -> None:
        record = await session.get(face.stored()[0].resource_type, event.resource_id, EVERYTHING)
        found.append(record.document.get("title") if record else None)

    recorder = Recorder()
    face = make_face(record=recorder)
    id = face.user("a")
    recorder.check = look
    face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "T"})
    assert found == ["T"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_cannot_be_recorded_is_not_changed(make_face: Maker, method: str) -> None:
    async def full(_: Event, __: Session) -> None:
        raise OSError("the disk is full")

    events: list[Event] = []
    recorder = Recorder()
    face = make_face(record=recorder, on_event=events.append)
    id = face.user("a")
    before = face.stored()
    events.clear()
    recorder.check = full
    sent = {"userName": "b", "title": "T", "Operations": [{"op": "add", "path": "title", "value": "T"}]}
    answer = face.send(method, "/Users" if method == "POST" else f"/Users/{id}", None if method == "DELETE" else sent)
    assert answer.status == 500
    assert face.stored() == before
    assert events == []
    assert [str(bug) for bug in face.bugs] == ["the disk is full"]
    face.bugs.clear()


def test_a_record_that_cannot_be_reached_tells_the_client_to_come_again(make_face: Maker) -> None:
    async def away(_: Event, __: Session) -> None:
        raise UnavailableError("the record is away")

    recorder = Recorder(check=away)
    face = make_face(record=recorder)
    answer = face.send("POST", "/Users", {"userName": "a"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert face.stored() == []
    assert recorder.besides == ["refused"]


def test_a_refusal_that_cannot_be_recorded_is_answered_all_the_same(make_face: Maker) -> None:
    told: list[Event] = []
    face = make_face(record=Recorder(is_full=True), on_event=told.append)
    assert face.send("POST", "/Users", {}).status == 400
    assert [event.happening for event in told] == ["refused"]
    assert [str(bug) for bug in face.bugs] == ["the disk is full"]
    face.bugs.clear()
