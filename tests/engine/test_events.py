"""Every change is told after it was committed, once, and without what nobody may read."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.engine.conftest import Face, Maker

from scimcore.access import Caller
from scimcore.engine.events import Event
from scimcore.rules.delta import Delta
from scimcore.schema.attribute import Attribute, Mutability, Returned, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER
from scimcore.storage.protocol import Tenant


def test_a_creation_is_told(face: Face) -> None:
    answer = face.send("POST", "/Users", {"userName": "bjensen", "emails": [{"value": "a"}], "nope": 1})
    (event,) = face.events
    id = answer.body["id"]
    assert event == Event(
        happening="created",
        caller=event.caller,
        resource_type="User",
        resource_id=id,
        delta=Delta(assigned={"id": id, "userName": "bjensen"}, added={"emails": ({"value": "a"},)}),
        ignored=("nope",),
        at=event.at,
        request_id=answer.request_id,
    )
    assert event.caller == Caller(tenant=Tenant("acme"))
    assert event.at == face.send("GET", "/Users/id-1").body["meta"]["created"]


@pytest.mark.parametrize(
    ("method", "body", "happening", "delta", "ignored"),
    [
        ("PUT", {"userName": "b", "title": "T"}, "replaced", Delta(assigned={"userName": "b"}), ()),
        ("PUT", {"userName": "a", "id": "x"}, "replaced", Delta(unassigned=frozenset({"title"})), ("id",)),
        ("PUT", {"userName": "a", "title": "T", "x": 1}, "unchanged", Delta(), ("x",)),
        ("PATCH", {"op": "add", "path": "nickName", "value": "N"}, "patched", Delta(assigned={"nickName": "N"}), ()),
        ("PATCH", {"op": "remove", "path": "title"}, "patched", Delta(unassigned=frozenset({"title"})), ()),
        (
            "PATCH",
            {"op": "add", "value": {"emails": [{"value": "e"}], "x": 1}},
            "patched",
            Delta(added={"emails": ({"value": "e"},)}),
            ("x",),
        ),
        ("PATCH", {"op": "add", "path": "title", "value": "T"}, "unchanged", Delta(), ()),
        ("DELETE", None, "deleted", Delta(), ()),
    ],
)
def test_a_change_is_told_with_its_delta(
    face: Face, method: str, body: Json, happening: str, delta: Delta, ignored: tuple[str, ...]
) -> None:
    id = face.user("a", title="T")
    sent: Json = {"Operations": [body]} if method == "PATCH" else body
    answer = face.send(method, f"/Users/{id}", sent)
    (event,) = face.events
    assert (event.happening, event.delta, event.ignored) == (happening, delta, ignored)
    assert (event.resource_id, event.request_id) == (id, answer.request_id)


def test_a_change_of_an_extension_is_told_under_its_urn(face: Face) -> None:
    id = face.user("bjensen", **{ENTERPRISE_USER.id: {"division": "X"}})
    face.patch(f"/Users/{id}", {"op": "add", "path": f"{ENTERPRISE_USER.id}:costCenter", "value": "1"})
    assert face.events[0].delta == Delta(assigned={ENTERPRISE_USER.id: {"division": "X", "costCenter": "1"}})


def test_events_come_in_the_order_of_the_changes(face: Face) -> None:
    id = face.send("POST", "/Users", {"userName": "a"}).body["id"]
    face.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "T"})
    face.send("POST", "/Users", {"userName": "a"})
    face.send("DELETE", f"/Users/{id}")
    assert [event.happening for event in face.events] == ["created", "patched", "deleted"]
    assert sorted(event.at for event in face.events) == [event.at for event in face.events]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_event_is_told_when_the_change_is_stored_already(make_face: Maker, method: str) -> None:
    seen: list[object] = []

    def on_event(_: Event) -> None:
        seen.append([(record.document.get("userName"), record.document.get("title")) for record in face.stored()])

    face = make_face(on_event=on_event)
    id = face.user("a")
    seen.clear()
    sent = {"userName": "b", "title": "T", "Operations": [{"op": "add", "path": "title", "value": "T"}]}
    body = {name: value for name, value in sent.items() if name != "schemas"} if method != "DELETE" else None
    face.send(method, "/Users" if method == "POST" else f"/Users/{id}", body)
    expected: dict[str, object] = {
        "POST": [("a", None), ("b", "T")],
        "PUT": [("b", "T")],
        "PATCH": [("a", "T")],
        "DELETE": [],
    }
    assert seen == [expected[method]]


def test_a_listener_may_wait(make_face: Maker) -> None:
    told: list[Event] = []

    async def on_event(event: Event) -> None:
        told.append(event)

    make_face(on_event=on_event).user()
    assert [event.happening for event in told] == ["created"]


def test_a_listener_that_fails_is_a_bug_and_the_change_stays(make_face: Maker) -> None:
    def on_event(_: Event) -> None:
        raise ConnectionError("the queue is down")

    face = make_face(on_event=on_event)
    assert face.send("POST", "/Users", {"userName": "a"}).status == 201
    assert len(face.stored()) == 1
    assert [str(bug) for bug in face.bugs] == ["the queue is down"]
    face.bugs.clear()


CARD = Schema(
    id="urn:example:Card",
    name="Card",
    attributes=(
        Attribute(name="pin", mutability=Mutability.WRITE_ONLY, returned=Returned.NEVER),
        Attribute(name="codes", multi_valued=True, returned=Returned.NEVER),
        Attribute(
            name="keys",
            type=Type.COMPLEX,
            multi_valued=True,
            sub_attributes=(Attribute(name="value"), Attribute(name="secret", returned=Returned.NEVER)),
        ),
        Attribute(
            name="lock",
            type=Type.COMPLEX,
            sub_attributes=(Attribute(name="label"), Attribute(name="secret", mutability=Mutability.WRITE_ONLY)),
        ),
    ),
)
VAULT = Schema(
    id="urn:example:Vault",
    name="Vault",
    attributes=(
        Attribute(name="name"),
        Attribute(
            name="door",
            type=Type.COMPLEX,
            sub_attributes=(Attribute(name="side"), Attribute(name="secret", returned=Returned.NEVER)),
        ),
    ),
)
CARDS = ResourceType(name="Card", endpoint="/Cards", schema=CARD, extensions=(Extension(VAULT),))
SECRETS: dict[str, Json] = {
    "pin": "hidden-1",
    "codes": ["hidden-2"],
    "keys": [{"value": "seen", "secret": "hidden-3"}],
    "lock": {"label": "seen", "secret": "hidden-4"},
    "urn:example:Vault": {"name": "seen", "door": {"side": "seen", "secret": "hidden-5"}},
}
OTHERS = {"pin": "hidden-6", "codes": ["hidden-7"], "keys": [{"value": "seen", "secret": "hidden-8"}]}

Act = Callable[[Face, str], Any]


@pytest.mark.parametrize(
    "act",
    [
        lambda face, id: face.send("PUT", f"/Cards/{id}", {**SECRETS, **OTHERS}),
        lambda face, id: face.send("PUT", f"/Cards/{id}", {}),
        lambda face, id: face.patch(f"/Cards/{id}", {"op": "remove", "path": "codes"}),
        lambda face, id: face.patch(f"/Cards/{id}", {"op": "add", "path": "codes", "value": ["hidden-9"]}),
        lambda face, id: face.patch(f"/Cards/{id}", {"op": "remove", "path": "keys"}),
        lambda face, id: face.patch(f"/Cards/{id}", {"op": "replace", "path": "keys.secret", "value": "hidden-9"}),
        lambda face, id: face.send("DELETE", f"/Cards/{id}"),
    ],
)
@pytest.mark.rfc("S-7-12")
def test_an_event_withholds_what_nobody_may_read(make_face: Maker, act: Act) -> None:
    face = make_face(resource_types=(CARDS,))
    answer = face.send("POST", "/Cards", SECRETS)
    act(face, answer.body["id"])
    assert face.events[0].happening == "created"
    assert len(face.events) == 2
    assert face.events[0].delta.attributes >= SECRETS.keys()
    assert "seen" in repr(face.events[0].delta)
    for told in map(repr, face.events):
        assert "hidden" not in told
