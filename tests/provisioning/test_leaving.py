"""What becomes of accounts that are deactivated, deleted and reactivated, and of deleted groups."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

import attrs
import pytest
from tests.engine.conftest import Maker, WatchedStorage
from tests.provisioning.connections import (
    ACME,
    LATER,
    NOW,
    Client,
    client_of,
    connected,
    keep,
    record_of,
    storage_of,
)

from scimcore.engine.immediate import finish, opened
from scimcore.errors import ForbiddenError, NotFoundError, PreconditionFailedError
from scimcore.provisioning import Intent, Note
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.leaving import Leaving, later, restored
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.provisioning.purge import purged
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Instant, Record, Session

SUSPENDED: Final = "active eq false"
SUSPENDING: Final = Leaving(on_deactivate="suspend", on_delete="suspend")
SOFT: Final = Leaving(on_deactivate="soft_delete", on_delete="soft_delete", grace=timedelta(days=7))


def stored(client: Client, id: str) -> Record | None:
    return next((record for record in client.face.stored() if record.id == id), None)


def facts(client: Client, id: str) -> Provenance:
    record = stored(client, id)
    assert record is not None
    return provenance_of(record.document)


def deactivated(client: Client, id: str) -> int:
    return client.set(f"/Users/{id}", active=False).status


def deleted(client: Client, id: str) -> int:
    return client.send("DELETE", f"/Users/{id}").status


# What is kept, and who sees it


@pytest.mark.parametrize(
    ("policy", "leave", "notes", "is_kept", "is_seen", "has_an_end"),
    [
        pytest.param(Leaving(), deactivated, ["suspended"], True, True, False, id="deactivation suspends"),
        pytest.param(Leaving(), deleted, [], False, False, False, id="DELETE deletes"),
        pytest.param(SUSPENDING, deleted, ["suspended"], True, False, False, id="DELETE suspends"),
        pytest.param(SOFT, deactivated, ["soft_deleted"], True, True, True, id="deactivation deletes softly"),
        pytest.param(SOFT, deleted, ["soft_deleted"], True, False, True, id="DELETE deletes softly"),
        pytest.param(
            Leaving(on_deactivate="delete"), deactivated, ["deleted"], False, False, False, id="deactivation deletes"
        ),
    ],
)
def test_who_leaves_is_suspended_or_gone(
    make_face: Maker,
    policy: Leaving,
    leave: Callable[[Client, str], int],
    notes: list[str],
    is_kept: bool,
    is_seen: bool,
    has_an_end: bool,
) -> None:
    okta = client_of(make_face, policy)
    id = okta.created("/Users", userName="bjensen", active=True)
    assert leave(okta, id) in (200, 204)
    assert okta.noted == notes
    record = stored(okta, id)
    assert (record is not None) is is_kept
    if record is not None:
        assert record.document["active"] is False
        assert (provenance_of(record.document).purge_after is not None) is has_an_end
    assert okta.send("GET", f"/Users/{id}").status == (200 if is_seen else 404)
    assert okta.ids("/Users", 'userName eq "bjensen"') == ([id] if is_seen else [])


@pytest.mark.parametrize("policy", [SUSPENDING, SOFT, Leaving(on_deactivate="delete")])
def test_the_answer_is_the_one_that_was_asked_for(make_face: Maker, policy: Leaving) -> None:
    okta = client_of(make_face, policy)
    id = okta.created("/Users", userName="bjensen", active=True)
    answer = okta.set(f"/Users/{id}", active=False)
    assert (answer.status, answer.body["id"], answer.body["active"]) == (200, id, False)
    put = client_of(make_face, policy)
    id = put.created("/Users", userName="bjensen", active=True)
    answer = put.send("PUT", f"/Users/{id}", {"userName": "bjensen", "active": False})
    assert (answer.status, answer.body["active"]) == (200, False)


def test_a_suspended_account_reads_as_suspended_everywhere_at_once(make_face: Maker) -> None:
    face = connected(make_face, {"okta": (SOFT,), "entra": (), "portal": ()})
    okta, entra, portal = (Client(face, name) for name in ("okta", "entra", "portal"))
    id = okta.created("/Users", userName="bjensen", active=True)
    other = okta.created("/Users", userName="mandy", active=True)
    assert entra.ids("/Users", SUSPENDED) == []
    assert deleted(okta, id) == 204
    for client in (entra, portal):
        assert client.send("GET", f"/Users/{id}").body["active"] is False
        assert client.ids("/Users", SUSPENDED) == [id]
        assert client.ids("/Users", "active eq true") == [other]
    assert okta.ids("/Users", SUSPENDED) == []
    assert deleted(okta, id) == 404
    assert deactivated(okta, id) == 404


def test_an_account_that_says_nothing_of_active_can_be_suspended_too(make_face: Maker) -> None:
    okta = client_of(make_face, SUSPENDING)
    id = okta.created("/Users", userName="bjensen")
    assert deactivated(okta, id) == 200
    assert okta.noted == ["suspended"]


def test_an_account_can_be_created_suspended(make_face: Maker) -> None:
    okta = client_of(make_face, Leaving(on_deactivate="delete"))
    id = okta.created("/Users", userName="bjensen", active=False)
    assert okta.ids("/Users", SUSPENDED) == [id]
    assert okta.noted == []


def test_suspending_the_suspended_changes_nothing(make_face: Maker) -> None:
    okta = client_of(make_face, SOFT)
    id = okta.created("/Users", userName="bjensen", active=True)
    deactivated(okta, id)
    before = stored(okta, id)
    assert deactivated(okta, id) == 200
    assert stored(okta, id) == before
    assert okta.noted == []


@pytest.mark.parametrize("way", ["put", "remove"])
def test_to_say_nothing_of_active_activates_nobody(make_face: Maker, way: str) -> None:
    okta = client_of(make_face, SUSPENDING)
    id = okta.created("/Users", userName="bjensen", active=True)
    deactivated(okta, id)
    if way == "put":
        answer = okta.send("PUT", f"/Users/{id}", {"userName": "bjensen", "title": "T"})
    else:
        answer = okta.patch(f"/Users/{id}", {"op": "remove", "path": "active"})
    assert (answer.status, answer.body["active"]) == (200, False)


def test_other_changes_of_an_account_are_let_alone(make_face: Maker) -> None:
    okta = client_of(make_face, SUSPENDING)
    id = okta.created("/Users", userName="bjensen", active=True)
    assert okta.set(f"/Users/{id}", title="T").body["title"] == "T"
    assert okta.noted == []


# Coming back


@pytest.mark.parametrize("policy", [SUSPENDING, SOFT])
def test_reactivation_restores_the_same_account(make_face: Maker, policy: Leaving) -> None:
    okta = client_of(make_face, policy)
    id = okta.created("/Users", userName="bjensen", active=True, title="T")
    deactivated(okta, id)
    answer = okta.set(f"/Users/{id}", active=True)
    assert (answer.status, answer.body["id"], answer.body["title"], answer.body["active"]) == (200, id, "T", True)
    assert okta.noted == ["reactivated"]
    assert facts(okta, id) == Provenance()


def test_the_link_of_the_connection_follows(make_face: Maker) -> None:
    okta = client_of(make_face, SOFT)
    linked = Provenance(managed_by="okta", links=(Link(connection="okta", since=NOW, external_id="00u1"),))
    document = with_provenance({"userName": "a", "active": True}, linked)
    keep(okta.face.storage, record_of(PROVISIONED_USER, "u1", **document))
    deactivated(okta, "u1")
    assert facts(okta, "u1").links == (Link(connection="okta", since=NOW, external_id="00u1", active=False),)
    okta.set("/Users/u1", active=True)
    assert facts(okta, "u1") == linked
    deleted(okta, "u1")
    (link,) = facts(okta, "u1").links
    assert (link.external_id, link.active, link.removed is not None) == ("00u1", False, True)


@pytest.mark.parametrize(
    ("memberships", "while_away", "when_back"),
    [("keep", ["g1", "g2"], ["g1", "g2"]), ("set_aside", [], ["g1", "g2"]), ("end", [], [])],
)
def test_memberships_of_the_suspended_are_kept_set_aside_or_ended(
    make_face: Maker, memberships: Literal["keep", "set_aside", "end"], while_away: list[str], when_back: list[str]
) -> None:
    okta = client_of(make_face, attrs.evolve(SUSPENDING, memberships=memberships))
    id = okta.created("/Users", userName="bjensen", active=True)
    other = okta.created("/Users", userName="mandy", active=True)
    for group in ("g1", "g2"):
        members = [{"value": one, "type": "User"} for one in (id, other)]
        keep(okta.face.storage, record_of(PROVISIONED_GROUP, group, displayName=group, members=members))

    def groups() -> list[str]:
        assert okta.ids("/Groups", f'members[value eq "{other}"]') == ["g1", "g2"]
        held = okta.ids("/Groups", f'members[value eq "{id}"]')
        shown = okta.send("GET", f"/Users/{id}").body.get("groups", [])
        assert [one["value"] for one in shown] == held
        return held

    answer = okta.set(f"/Users/{id}", active=False)
    assert [one["value"] for one in answer.body.get("groups", [])] == while_away == groups()
    answer = okta.set(f"/Users/{id}", active=True)
    assert [one["value"] for one in answer.body.get("groups", [])] == when_back == groups()
    assert facts(okta, id).former_groups == ()


def test_the_groups_left_and_restored_are_on_record(make_face: Maker) -> None:
    okta = client_of(make_face, attrs.evolve(SUSPENDING, memberships="set_aside"))
    id = okta.created("/Users", userName="bjensen", active=True)
    groups = [record_of(PROVISIONED_GROUP, f"g{n:03}", displayName=f"{n}", members=[{"value": id}]) for n in range(101)]
    keep(okta.face.storage, *groups)
    told = []
    for active in (False, True):
        okta.set(f"/Users/{id}", active=active)
        told += [(note.what, note.detail[:10], note.detail[-16:]) for note in okta.last.notes[1:]]
    assert told == [
        ("groups_left", "g000, g001", " g099 and 1 more"),
        ("groups_restored", "g000, g001", " g099 and 1 more"),
    ]


def test_groups_that_are_gone_or_joined_meanwhile_do_no_harm(make_face: Maker) -> None:
    okta = client_of(make_face, attrs.evolve(SUSPENDING, memberships="set_aside"))
    id = okta.created("/Users", userName="bjensen", active=True)
    gone, joined = (okta.created("/Groups", displayName=name, members=[{"value": id}]) for name in ("A", "B"))
    deactivated(okta, id)
    assert okta.send("DELETE", f"/Groups/{gone}").status == 204
    okta.patch(f"/Groups/{joined}", {"op": "add", "path": "members", "value": [{"value": id}]})
    assert okta.set(f"/Users/{id}", active=True).status == 200
    assert okta.ids("/Groups", f'members[value eq "{id}"]') == [joined]
    assert len(okta.send("GET", f"/Groups/{joined}").body["members"]) == 1


def test_groups_set_aside_once_are_not_forgotten_by_a_second_leave(make_face: Maker) -> None:
    okta = client_of(make_face, attrs.evolve(SUSPENDING, memberships="set_aside"))
    id = okta.created("/Users", userName="bjensen", active=True)
    group = okta.created("/Groups", displayName="A", members=[{"value": id}])
    deactivated(okta, id)
    deleted(okta, id)
    assert facts(okta, id).former_groups == (group,)


# The last owner


async def later_true(*_: object) -> bool:
    return True


def refusing(*_: object) -> bool:
    raise PreconditionFailedError("name another owner first")


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (lambda *_: True, 403),
        (later_true, 403),
        (refusing, 412),
        (lambda *_: False, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("policy", [SUSPENDING, SOFT, Leaving(on_deactivate="delete", on_delete="delete")])
@pytest.mark.parametrize("leave", [deactivated, deleted])
def test_the_last_owner_cannot_leave(
    make_face: Maker,
    policy: Leaving,
    leave: Callable[[Client, str], int],
    question: Callable[[Intent, Session], bool | Awaitable[bool]] | None,
    status: int | None,
) -> None:
    okta = client_of(make_face, attrs.evolve(policy, is_last_owner=question))
    id = okta.created("/Users", userName="bjensen", active=True)
    before = stored(okta, id)
    assert leave(okta, id) == (status or (204 if leave is deleted else 200))
    assert (stored(okta, id) == before) is (status is not None)


def test_the_last_owner_may_change_otherwise_and_the_refusal_says_why(make_face: Maker) -> None:
    okta = client_of(make_face, Leaving(is_last_owner=lambda *_: True))
    id = okta.created("/Users", userName="bjensen", active=True)
    assert okta.set(f"/Users/{id}", title="T").status == 200
    assert "last owner" in okta.face.refused(okta.set(f"/Users/{id}", active=False), 403)


# Hooks


def test_an_application_decides_by_a_function(make_face: Maker) -> None:
    def archiving(intent: Intent, _: Session) -> Intent:
        assert intent.before is not None
        return intent.becoming({**intent.before.document, "active": False, "title": "archived"}, Note("archived"))

    async def forbidding(_: Intent, __: Session) -> Intent:
        raise ForbiddenError("ask the owner of the account")

    okta = client_of(make_face, Leaving(on_deactivate=archiving, on_delete=forbidding))
    id = okta.created("/Users", userName="bjensen", active=True)
    okta.face.refused(okta.send("DELETE", f"/Users/{id}"), 403)
    assert okta.set(f"/Users/{id}", active=False).body["title"] == "archived"
    assert okta.noted == ["archived"]


# Behind other policies


@attrs.frozen
class Keeping:
    """A policy like that of ownership: another connection still provisions every account."""

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002
        if intent.before is None:
            return intent
        return intent.becoming({**(intent.after or intent.before.document), "active": True}, Note("kept"))


@pytest.mark.parametrize("leave", [deactivated, deleted])
def test_who_is_still_provisioned_elsewhere_stays_active(make_face: Maker, leave: Callable[[Client, str], int]) -> None:
    okta = client_of(make_face, Keeping(), attrs.evolve(SOFT, is_last_owner=lambda *_: True))
    id = okta.created("/Users", userName="bjensen", active=True)
    assert leave(okta, id) in (200, 204)
    assert okta.noted == ["kept"]
    record = stored(okta, id)
    assert record is not None
    assert record.document["active"] is True
    assert facts(okta, id) == Provenance()


# Groups


def test_a_deleted_group_is_gone(make_face: Maker) -> None:
    okta = client_of(make_face, SUSPENDING)
    id = okta.created("/Groups", displayName="A")
    assert okta.send("DELETE", f"/Groups/{id}").status == 204
    assert stored(okta, id) is None


def test_an_unlinked_group_stays_for_the_application_and_is_managed_manually(make_face: Maker) -> None:
    face = connected(make_face, {"okta": (Leaving(on_group_delete="unlink"),), "portal": ()})
    okta, portal = Client(face), Client(face, "portal")
    user = okta.created("/Users", userName="bjensen")
    document = with_provenance({"displayName": "A", "members": [{"value": user}]}, Provenance(managed_by="okta"))
    keep(face.storage, record_of(PROVISIONED_GROUP, "g1", **document))
    assert okta.send("DELETE", "/Groups/g1").status == 204
    assert okta.noted == ["unlinked"]
    assert okta.send("GET", "/Groups/g1").status == 404
    assert [one["value"] for one in portal.send("GET", "/Groups/g1").body["members"]] == [user]
    assert facts(okta, "g1").managed_by is None


# Forgetting, and bringing back by hand


def soft_deleted(id: str, purge_after: Instant, *, active: bool = False, live: bool = False) -> Record:
    gone = Link(connection="okta", since=NOW, active=live, removed=None if live else NOW)
    provenance = Provenance(managed_by="okta", links=(gone,), purge_after=purge_after, former_groups=("g1", "g9"))
    document = with_provenance({"userName": id, "active": active}, provenance)
    return record_of(PROVISIONED_USER, id, **document)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_accounts_are_forgotten_when_their_grace_period_has_ended(kind: str, tmp_path: Path) -> None:
    early = Instant("2026-11-22T09:30:00.000001Z")
    with storage_of(kind, tmp_path) as storage:
        keep(
            storage,
            soft_deleted("ended", NOW),
            soft_deleted("ended too", early),
            soft_deleted("not yet", LATER),
            soft_deleted("active", NOW, active=True),
            soft_deleted("provisioned", NOW, live=True),
            record_of(PROVISIONED_USER, "suspended", userName="s", active=False),
        )

        async def swept() -> list[list[str]]:
            rounds = []
            for now in (NOW, LATER, LATER, LATER):
                async with opened(storage, ACME) as session:
                    rounds.append([one.id for one in await purged(session, now, most=1)])
            return rounds

        assert finish(swept()) == [["ended"], ["ended too"], ["not yet"], []]


def test_an_account_that_comes_back_at_that_very_moment_is_not_forgotten() -> None:
    memory = MemoryStorage()
    keep(memory, soft_deleted("u1", NOW), soft_deleted("u2", NOW))

    async def back() -> None:
        async with opened(memory, ACME) as session:
            await restored(session, "u1", LATER)

    def returning(name: str, arguments: tuple[object, ...]) -> None:
        if name == "delete" and isinstance(arguments[0], Record) and arguments[0].id == "u1":
            finish(back())

    async def swept() -> list[str]:
        async with opened(WatchedStorage(memory, returning, None), ACME) as session:
            return [one.id for one in await purged(session, LATER)]

    assert finish(swept()) == ["u2"]
    with memory.session(ACME) as session:
        record = session.get(PROVISIONED_USER, "u1")
    assert record is not None
    assert record.document["active"] is True


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_administrator_brings_an_account_back(kind: str, tmp_path: Path) -> None:
    with storage_of(kind, tmp_path) as storage:
        group = record_of(PROVISIONED_GROUP, "g1", displayName="A")
        keep(storage, soft_deleted("u1", LATER), soft_deleted("u2", LATER, live=True), group)

        async def back(id: str) -> Record:
            async with opened(storage, ACME) as session:
                await restored(session, id, LATER)
            async with opened(storage, ACME) as session:
                record = await session.get(PROVISIONED_USER, id)
                assert record is not None
                assert await restored(session, id, LATER) == record
                return record

        record = finish(back("u1"))
        assert record.document["active"] is True
        assert record.document["groups"] == [{"value": "g1", "display": "A", "type": "direct"}]
        assert record.last_modified == LATER
        provenance = provenance_of(record.document)
        (link,) = provenance.links
        assert (provenance.managed_by, provenance.purge_after, link.removed) == (None, None, NOW)
        assert provenance_of(finish(back("u2")).document).managed_by == "okta"
        with pytest.raises(NotFoundError):
            finish(back("u3"))


@pytest.mark.parametrize("grace", [timedelta(days=-1), timedelta(days=40_000)])
def test_a_grace_period_has_bounds(grace: timedelta) -> None:
    with pytest.raises(ValueError, match="grace"):
        Leaving(grace=grace)


def test_instants_stay_in_their_form() -> None:
    assert later(Instant("2026-12-31T23:59:59.000001Z"), timedelta(seconds=1)) == "2027-01-01T00:00:00.000001Z"


# Together with adoption and ownership


def test_an_account_leaves_with_its_last_connection_and_comes_back_with_the_first(make_face: Maker) -> None:
    policies = (
        Adoption(on_existing="link"),
        Ownership(),
        attrs.evolve(SOFT, memberships="set_aside"),
    )
    face = connected(make_face, {"okta": policies, "entra": policies})
    okta, entra = Client(face), Client(face, "entra")
    id = okta.created("/Users", userName="bjensen", active=True)
    group = okta.created("/Groups", displayName="A", members=[{"value": id}])
    assert entra.created("/Users", userName="bjensen", active=True) == id
    assert deleted(okta, id) == 204
    assert okta.send("GET", f"/Users/{id}").status == 404
    assert entra.send("GET", f"/Users/{id}").body["active"] is True
    assert deactivated(entra, id) == 200
    assert entra.noted == ["soft_deleted", "groups_left"]
    assert okta.send("GET", f"/Groups/{group}").body.get("members") is None
    assert entra.set(f"/Users/{id}", active=True).body["groups"][0]["value"] == group
    assert deleted(entra, id) == 204
    assert entra.send("GET", f"/Users/{id}").status == 404
    record = stored(entra, id)
    assert record is not None
    assert record.document["active"] is False
    answer = entra.send("POST", "/Users", {"userName": "bjensen", "active": True})
    assert (answer.status, answer.body["id"], answer.body["active"]) == (201, id, True)
    assert [one["value"] for one in answer.body["groups"]] == [group]
    assert (facts(entra, id).purge_after, facts(entra, id).former_groups) == (None, ())
