"""Policies decide before the engine writes; what they make of a request is written, answered and told."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import TypeAlias

import attrs
import pytest
from tests.engine.conftest import Face, Maker, tenants_by_token

from scimcore.access import Caller
from scimcore.dialects import DEFAULT, STRICT, Dialect
from scimcore.errors import ForbiddenError, UniquenessError
from scimcore.provisioning import Connection, Intent, Note
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER, Link, Provenance, with_provenance
from scimcore.rules.filter import parse_filter
from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import Instant, Query, Record, Session, Tenant, UniqueKey

ACME = Tenant("acme")
AT = Instant("2026-11-22T09:00:00.000000Z")


@attrs.frozen
class Deciding:
    """A policy that is one function."""

    decide: Callable[[Intent, Session], Awaitable[Intent]]

    async def decided(self, intent: Intent, session: Session) -> Intent:
        return await self.decide(intent, session)


Decide: TypeAlias = Callable[[Intent, Session], Awaitable[Intent]]


def connected(*policies: Decide, dialect: Dialect = DEFAULT) -> list[Connection]:
    return [Connection(name="", tenant=ACME, policies=tuple(map(Deciding, policies)), dialect=dialect)]


async def found(session: Session, text: str) -> Json:
    page = await session.search(Query(resource_types=(USER,), filter=parse_filter(text), count=2))
    return [dict(record.document) for record in page.records]


def test_policies_see_what_is_about_to_happen(make_face: Maker) -> None:
    seen: list[Intent] = []

    async def watching(intent: Intent, _: Session) -> Intent:
        seen.append(intent)
        return intent

    face = make_face(connections=connected(watching))
    id = face.user("bjensen", title="T")
    face.patch(f"/Users/{id}", {"op": "remove", "path": "title"})
    face.send("PUT", f"/Users/{id}", {"userName": "b"})
    face.send("DELETE", f"/Users/{id}")
    shown = [(one.asked, one.id, one.before and dict(one.before.document), one.after) for one in seen]
    first: Json = {"id": id, "userName": "bjensen", "title": "T"}
    second: Json = {"id": id, "userName": "bjensen"}
    third: Json = {"id": id, "userName": "b"}
    assert shown == [
        ("create", id, None, first),
        ("patch", id, first, second),
        ("replace", id, second, third),
        ("delete", id, third, None),
    ]
    assert {one.caller for one in seen} == {Caller(tenant=ACME)}


def test_policies_are_composed_in_order(make_face: Maker) -> None:
    def naming(part: str) -> Decide:
        async def decide(intent: Intent, _: Session) -> Intent:
            assert intent.after is not None
            title = f"{intent.after.get('title', '')}{part}"
            return intent.becoming({**intent.after, "title": title}, Note("titled", part))

        return decide

    face = make_face(connections=connected(naming("a"), naming("b")))
    answer = face.send("POST", "/Users", {"userName": "bjensen"})
    assert answer.body["title"] == "ab"
    (event,) = face.events
    assert event.notes == (Note("titled", "a"), Note("titled", "b"))
    assert event.delta.assigned["title"] == "ab"


def test_a_create_becomes_an_adoption(make_face: Maker) -> None:
    async def adopting(intent: Intent, session: Session) -> Intent:
        record = await session.get(USER, "id-1")
        if intent.asked != "create" or record is None or intent.after is None:
            return intent
        after = {**record.document, "externalId": intent.after["externalId"]}
        return attrs.evolve(intent, id=record.id, before=record, after=after).noting(Note("adopted"))

    face = make_face(connections=connected(adopting))
    id = face.user("bjensen", title="T")
    answer = face.send("POST", "/Users", {"userName": "bjensen", "externalId": "00u1"})
    assert answer.status == 201
    assert (answer.body["id"], answer.body["title"], answer.body["externalId"]) == (id, "T", "00u1")
    assert answer.headers["location"].endswith(f"/Users/{id}")
    assert [(event.happening, event.resource_id) for event in face.events] == [("adopted", id)]
    assert len(face.stored()) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_becomes_a_removal_and_is_answered_with_what_was_wanted(make_face: Maker, method: str) -> None:
    async def removing(intent: Intent, _: Session) -> Intent:
        is_leaving = intent.after is not None and intent.after.get("active") is False
        return intent.becoming(None, Note("removed")) if is_leaving else intent

    face = make_face(connections=connected(removing))
    id = face.user("bjensen")
    operations = {"Operations": [{"op": "replace", "value": {"active": False}}]}
    answer = face.send(
        method, f"/Users/{id}", operations if method == "PATCH" else {"userName": "bjensen", "active": False}
    )
    assert (answer.status, answer.body["id"], answer.body["active"]) == (200, id, False)
    assert face.stored() == []
    assert [(event.happening, event.notes) for event in face.events] == [("deleted", (Note("removed"),))]


def test_a_delete_becomes_a_change(make_face: Maker) -> None:
    async def suspending(intent: Intent, _: Session) -> Intent:
        if intent.asked != "delete" or intent.before is None:
            return intent
        return intent.becoming({**intent.before.document, "active": False}, Note("suspended"))

    face = make_face(connections=connected(suspending))
    id = face.user("bjensen")
    assert face.send("DELETE", f"/Users/{id}").status == 204
    (record,) = face.stored()
    assert record.document["active"] is False
    assert [(event.happening, event.notes) for event in face.events] == [("retained", (Note("suspended"),))]
    assert face.events[0].delta.assigned == {"active": False}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_refusal_of_a_policy_leaves_nothing_behind(make_face: Maker, method: str) -> None:
    is_open = True

    async def refusing(intent: Intent, session: Session) -> Intent:
        if is_open:
            return intent
        (other,) = (await session.search(Query(resource_types=(GROUP,), count=1))).records
        await session.delete(other)
        raise ForbiddenError("not on a Sunday")

    face = make_face(connections=connected(refusing))
    id = face.user("bjensen")
    face.group("Guides")
    is_open, stored = False, face.stored()
    bodies: Mapping[str, object] = {
        "POST": {"userName": "other"},
        "PUT": {"userName": "bjensen", "title": "T"},
        "PATCH": {"Operations": [{"op": "add", "path": "title", "value": "T"}]},
        "DELETE": None,
    }
    answer = face.send(method, "/Users" if method == "POST" else f"/Users/{id}", bodies[method])
    assert face.refused(answer, 403) == "not on a Sunday"
    assert face.stored() == stored
    assert face.events == []
    (refusal,) = face.refusals
    assert (refusal.happening, refusal.request_id) == ("refused", answer.request_id)
    assert "not on a Sunday" in refusal.reason
    assert refusal.reason.startswith(f"{method} /Users")


def test_a_connection_that_is_made_for_one_request_decides_about_no_other(make_face: Maker) -> None:
    numbers = count()

    def connection_of(_: Caller) -> Connection:
        number = next(numbers)

        async def naming(intent: Intent, _: Session) -> Intent:
            assert intent.after is not None
            return intent.becoming({**intent.after, "title": f"T{number}"})

        (connection,) = connected(naming)
        return connection

    face = make_face(connections=connection_of)
    # More than a provider keeps.
    titles = [face.send("POST", "/Users", {"userName": f"user{number}"}).body["title"] for number in range(1_100)]
    assert titles == [f"T{number}" for number in range(1_100)]


def test_policies_look_again_when_somebody_else_took_the_name(make_face: Maker) -> None:
    """A race: the rival's user appears after the policy looked and before the engine writes."""
    looked: list[Json] = []

    async def adopting(intent: Intent, session: Session) -> Intent:
        there = await found(session, 'userName eq "bjensen"')
        looked.append(there)
        if not there:
            with face.storage.session(ACME) as rival:
                rival.insert(attrs.evolve(template, id="rival", document={**template.document, "id": "rival"}))
            return intent
        record = await session.get(USER, "rival")
        return intent if record is None else attrs.evolve(intent, id="rival", before=record, after=record.document)

    face = make_face(connections=[])
    face.user("bjensen")
    (template,) = face.stored()
    with face.storage.session(ACME) as session:
        session.delete(template)
    face = make_face(connections=connected(adopting))
    answer = face.send("POST", "/Users", {"userName": "bjensen"})
    assert (answer.status, answer.body["id"]) == (201, "rival")
    assert [bool(there) for there in looked] == [False, True]


def test_a_name_that_stays_taken_is_refused_after_one_more_look(make_face: Maker) -> None:
    looks: list[str] = []

    async def looking(intent: Intent, _: Session) -> Intent:
        looks.append(intent.id)
        return intent

    face = make_face(connections=connected(looking))
    face.user("bjensen")
    looks.clear()
    face.refused(face.send("POST", "/Users", {"userName": "bjensen"}), 409, "uniqueness")
    assert len(looks) == 2


def test_policies_may_choose_other_names_until_one_is_free(make_face: Maker) -> None:
    numbers = iter(range(1, 100))

    async def numbering(intent: Intent, _: Session) -> Intent:
        assert intent.after is not None
        return intent.becoming({**intent.after, "userName": f"{intent.after['userName']}{next(numbers)}"})

    face = make_face(connections=connected(numbering))
    for name in ("a1", "a2", "a3"):
        with face.storage.session(ACME) as session:
            session.insert(taken(name))
    assert face.send("POST", "/Users", {"userName": "a"}).body["userName"] == "a4"


def taken(name: str) -> Record:
    return Record(
        resource_type=USER,
        id=f"id of {name}",
        document={"id": f"id of {name}", "userName": name},
        created=AT,
        last_modified=AT,
        unique=(UniqueKey("userName", name),),
    )


def test_a_name_that_a_policy_refuses_is_refused_at_once(make_face: Maker) -> None:
    looks: list[str] = []

    async def refusing(intent: Intent, _: Session) -> Intent:
        looks.append(intent.id)
        raise UniquenessError("userName")

    face = make_face(connections=connected(refusing))
    face.refused(face.send("POST", "/Users", {"userName": "bjensen"}), 409, "uniqueness")
    assert len(looks) == 1


def test_a_policy_that_leaves_nothing_of_a_create_stores_nothing(make_face: Maker) -> None:
    async def dropping(intent: Intent, _: Session) -> Intent:
        return intent.becoming(None, Note("dropped"))

    face = make_face(connections=connected(dropping))
    assert face.send("POST", "/Users", {"userName": "bjensen"}).status == 201
    assert face.stored() == []


def test_policies_are_told_of_members_that_do_not_exist(make_face: Maker) -> None:
    seen: list[tuple[str, ...]] = []

    async def watching(intent: Intent, _: Session) -> Intent:
        seen.append(intent.unknown_members)
        return intent

    face = make_face(connections=connected(watching))
    id = face.user("bjensen")
    face.group("Guides", [id, "nobody"])
    assert seen == [(), ("nobody",)]


# Connections


def test_the_dialect_of_the_connection_counts(make_face: Maker) -> None:
    lenient, strict = make_face(), make_face(connections=connected(dialect=STRICT))
    payload = {"schemas": [USER.schema.id], "userName": "bjensen", "nope": 1}
    assert lenient.send("POST", "/Users", payload).status == 201
    strict.refused(strict.send("POST", "/Users", payload), 400, "invalidValue")


def test_each_connection_has_policies_of_its_own(make_face: Maker) -> None:
    async def refusing(_: Intent, __: Session) -> Intent:
        raise ForbiddenError("read only")

    def of(caller: Caller) -> Connection:
        policies = (Deciding(refusing),) if caller.tenant == "globex" else ()
        return Connection(name=caller.connection, tenant=caller.tenant, policies=policies)

    face = make_face(authenticate=tenants_by_token, connections=of)
    as_acme, as_globex = ({"Authorization": f"Bearer {tenant}"} for tenant in ("acme", "globex"))
    assert face.send("POST", "/Users", {"userName": "a"}, as_acme).status == 201
    face.refused(face.send("POST", "/Users", {"userName": "a"}, as_globex), 403)


def test_a_caller_without_a_connection_is_refused(make_face: Maker) -> None:
    connection = Connection(name="okta", tenant=ACME)
    face = make_face(connections=[connection])
    face.refused(face.send("GET", "/Users"), 403)


def test_two_connections_of_a_tenant_cannot_share_a_name(make_face: Maker) -> None:
    one = Connection(name="okta", tenant=ACME)
    with pytest.raises(ValueError, match="'okta' of 'acme' stands twice"):
        make_face(connections=[one, attrs.evolve(one)])
    make_face(connections=[one, attrs.evolve(one, tenant=Tenant("globex"))])


# What a connection sees


@pytest.fixture
def partial_face(make_face: Maker) -> Face:
    """A connection that sees no users with a title, and three users of whom one has one."""
    visible = {"User": parse_filter("not (title pr)")}
    face = make_face(connections=[Connection(name="", tenant=ACME, visible=visible)])
    for name, values in (("a", {}), ("b", {"title": "T"}), ("c", {})):
        face.user(name, **values)
    face.group("Guides", ["id-1", "id-2"])
    return face


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("/Users", ["a", "c"]),
        ('/Users?filter=userName eq "b"', []),
        ('/Users?filter=userName eq "a" or userName eq "b" or userName eq "c"', ["a", "c"]),
        ("/Users?sortBy=userName&sortOrder=descending&count=1", ["c"]),
        ("/", ["a", "c", "Guides"]),
        ('/?filter=displayName pr or userName ge "b"', ["c", "Guides"]),
        ("/Groups", ["Guides"]),
    ],
)
def test_a_search_finds_what_the_connection_sees(partial_face: Face, target: str, names: list[str]) -> None:
    body = partial_face.send("GET", target.replace(" ", "%20").replace('"', "%22")).body
    assert [one.get("userName") or one["displayName"] for one in body["Resources"]] == names
    assert body["totalResults"] == (2 if "count=1" in target else len(names))


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_a_connection_does_not_see_is_not_there(partial_face: Face, method: str) -> None:
    body = {"PUT": {"userName": "b"}, "PATCH": {"Operations": [{"op": "remove", "path": "title"}]}}.get(method)
    stored = partial_face.stored()
    hidden = partial_face.send(method, "/Users/id-2", body)
    missing = partial_face.send(method, "/Users/nobody", body)
    assert partial_face.refused(hidden, 404) == partial_face.refused(missing, 404)
    assert partial_face.stored() == stored


def test_what_is_visible_by_its_meta_is_there_by_its_id(make_face: Maker) -> None:
    recent = {"User": parse_filter('meta.created gt "2001-01-01T00:00:00Z" and schemas pr')}
    face = make_face(connections=[Connection(name="", tenant=ACME, visible=recent)])
    id = face.user("bjensen")
    assert face.send("GET", f"/Users/{id}").status == 200
    assert face.send("GET", "/Users").body["totalResults"] == 1


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_visible_by_its_members_is_so_whatever_is_read_of_them(make_face: Maker, method: str) -> None:
    led = {"Group": parse_filter('members.value eq "id-1"')}
    face = make_face(connections=[Connection(name="", tenant=ACME, visible=led)])
    bjensen, other = face.user("bjensen"), face.user("other")
    assert bjensen == "id-1"
    shown, hidden = face.group("Led", [bjensen]), face.group("Not led", [other])
    body = {"PATCH": {"Operations": [{"op": "add", "path": "members", "value": [{"value": other}]}]}}.get(method)
    for id, is_there in ((hidden, False), (shown, True)):
        answer = face.send(method, f"/Groups/{id}?excludedAttributes=members", body)
        assert (answer.status != 404) is is_there, answer.body


def test_what_a_connection_deleted_is_gone_for_it_though_a_policy_kept_it(make_face: Maker) -> None:
    async def keeping(intent: Intent, _: Session) -> Intent:
        if intent.asked != "delete" or intent.before is None:
            return intent
        link = Link(connection="", since=AT, removed=AT)
        return intent.becoming(with_provenance(intent.before.document, Provenance(links=(link,))))

    connection = Connection(
        name='"okta"', tenant=ACME, policies=(Deciding(keeping),), visible={"User": parse_filter("title pr")}
    )
    face = make_face(
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=lambda caller: connected(keeping)[0] if caller.connection == "" else connection,
    )
    id, group = face.user("bjensen", title="T"), face.group("Guides")
    for target in (f"/Users/{id}", f"/Groups/{group}"):
        assert face.send("DELETE", target).status == 204
        assert face.send("GET", target).status == 404
    for target in ("/Users", "/Groups", "/", "/Users?filter=title%20pr"):
        assert face.send("GET", target).body["totalResults"] == 0
    assert len(face.stored()) == 2
    # Another connection still sees it, as far as it is shown to it.
    (user,) = (record for record in face.stored() if record.id == id)
    seen = connection.sees(PROVISIONED_USER)
    assert seen is not None
    assert seen.bound(PROVISIONED_USER).matches(user.document)
    assert not seen.bound(PROVISIONED_USER).matches({"userName": "a"})


# Answers


def test_a_dialect_may_want_no_body_for_a_patch(make_face: Maker) -> None:
    face = make_face(connections=connected(dialect=Dialect("terse", bodiless_patches=frozenset({"Group"}))))
    user, group = face.user("bjensen"), face.group("Guides")
    assert face.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]}).status == 204
    assert face.patch(f"/Groups/{group}?attributes=members", {"op": "remove", "path": "members"}).status == 200
    assert face.patch(f"/Users/{user}", {"op": "add", "path": "title", "value": "T"}).status == 200


def test_a_dialect_may_want_one_media_type_always(make_face: Maker) -> None:
    face = make_face(connections=connected(dialect=Dialect("plain", media_type="application/json")))
    assert face.send("GET", "/Users").headers["content-type"] == "application/json"
    assert face.send("GET", "/Users/nobody").headers["content-type"] == "application/json"
