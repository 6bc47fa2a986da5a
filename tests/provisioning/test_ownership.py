"""Who manages a resource, what other connections may do with it, and what remains when one of them lets go."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import ACME, NOW, Client, connected, keep, record_of, storage_of

from scimcore.access import Caller, anonymous
from scimcore.engine.http import Request
from scimcore.engine.immediate import finish, opened
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection, Intent, Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.ownership import Ownership, SignsIn
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    PROVISIONING_URN,
    Provenance,
    provenance_of,
)
from scimcore.rules.delta import elements_of
from scimcore.schema.document import Document, Json
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Session

LINKING: Final = (Adoption(on_existing="link"), GroupAdoption(on_existing="link"))


class Clients:
    """Two identity providers of one tenant, `old` and `new`, and what is stored."""

    def __init__(self, make_face: Maker, *, old: tuple[Policy, ...], new: tuple[Policy, ...]) -> None:
        self.face = connected(make_face, {"old": old, "new": new})
        self.old, self.new = Client(self.face, "old"), Client(self.face, "new")

    def document(self, id: str) -> Document:
        (found,) = [one.document for one in self.face.stored() if one.id == id]
        return found

    def facts(self, id: str) -> Provenance:
        return provenance_of(self.document(id))

    def live(self, id: str) -> list[str]:
        """The connections that provision it."""
        return [link.connection for link in self.facts(id).links if link.is_live]


def sharing(make_face: Maker, ownership: Ownership = Ownership(), *after: Policy) -> Clients:  # noqa: B008 - a value
    return Clients(make_face, old=(*LINKING, ownership, *after), new=(*LINKING, ownership, *after))


def shared_account(clients: Clients, **values: object) -> str:
    """An account that `old` created and `new` provisions too."""
    sent = {"userName": "bob", "title": "Clerk", "active": True, **values}
    id = clients.old.created("/Users", **sent, externalId="O")
    assert clients.new.created("/Users", **sent, externalId="N") == id
    return id


# What is on record


@pytest.mark.parametrize("sent", [{}, {"externalId": "O"}, {"active": True}, {"active": False, "externalId": "O"}])
def test_an_account_says_who_created_it(make_face: Maker, sent: Document) -> None:
    clients = sharing(make_face)
    id = clients.old.created("/Users", userName="bob", **sent)
    facts = clients.facts(id)
    assert (facts.managed_by, facts.signs_in_through) == ("old", "old")
    assert [(link.connection, link.external_id, link.active, link.removed) for link in facts.links] == [
        ("old", sent.get("externalId"), sent.get("active", True), None)
    ]


def test_a_group_says_who_created_it(make_face: Maker) -> None:
    clients = sharing(make_face)
    facts = clients.facts(clients.old.created("/Groups", displayName="Guides", externalId="O"))
    assert (facts.managed_by, facts.signs_in_through, facts.links[0].external_id) == ("old", None, "O")


@pytest.mark.parametrize(
    "claim",
    [
        {PROVISIONING_URN: {"managedBy": "new"}},
        {f"{PROVISIONING_URN}:managedBy": "new"},
        {PROVISIONING_URN: {"connections": [{"value": "new", "active": True}]}},
    ],
)
def test_a_client_cannot_say_who_manages_what(make_face: Maker, claim: Document) -> None:
    clients = sharing(make_face)
    id = clients.old.created("/Users", userName="bob", **claim)
    before = clients.facts(id)
    assert before.managed_by == "old"
    clients.new.send("PUT", f"/Users/{id}", {"userName": "bob", **claim})
    clients.new.set(f"/Users/{id}", **claim)
    clients.old.set(f"/Users/{id}", **claim)
    assert clients.facts(id).managed_by == "old"


def test_both_connections_of_an_account_are_on_record(make_face: Maker) -> None:
    clients = sharing(make_face)
    id = shared_account(clients)
    facts = clients.facts(id)
    assert (facts.managed_by, facts.signs_in_through) == ("old", "old")
    assert [(link.connection, link.external_id) for link in facts.links] == [("old", "O"), ("new", "N")]
    assert clients.document(id)["externalId"] == "O"


@pytest.mark.parametrize(
    ("setting", "after_two", "after_old_left"),
    [("first", "old", "new"), ("manager", "old", "new"), ("newest", "new", "new")],
)
def test_which_connection_signs_an_account_in_is_a_setting(
    make_face: Maker, setting: SignsIn, after_two: str, after_old_left: str
) -> None:
    clients = sharing(make_face, Ownership(signs_in_through=setting))
    id = shared_account(clients)
    assert clients.facts(id).signs_in_through == after_two
    clients.old.set(f"/Users/{id}", active=False)
    assert clients.facts(id).signs_in_through == after_old_left


@pytest.mark.parametrize(("setting", "expected"), [("first", "new"), ("manager", None), ("newest", "new")])
def test_a_manual_account_that_is_linked_may_sign_in_through_the_connection(
    make_face: Maker, setting: SignsIn, expected: str | None
) -> None:
    clients = sharing(make_face, Ownership(signs_in_through=setting))
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob"))
    clients.new.created("/Users", userName="bob")
    assert clients.facts("bob").signs_in_through == expected
    clients.new.send("DELETE", "/Users/bob")
    assert clients.facts("bob").signs_in_through is None


def test_the_external_id_is_the_managers_and_each_link_has_its_own(make_face: Maker) -> None:
    clients = sharing(make_face)
    id = shared_account(clients)
    clients.old.set(f"/Users/{id}", externalId="O2")
    clients.new.set(f"/Users/{id}", externalId="N2")
    assert clients.document(id)["externalId"] == "O2"
    assert [link.external_id for link in clients.facts(id).links] == ["O2", "N2"]
    clients.old.patch(f"/Users/{id}", {"op": "remove", "path": "externalId"})
    assert "externalId" not in clients.document(id)
    assert [link.external_id for link in clients.facts(id).links] == [None, "N2"]


def test_when_the_newest_connection_leaves_the_manager_signs_in(make_face: Maker) -> None:
    policies = (*LINKING, Ownership(signs_in_through="newest"))
    taking = Ownership(signs_in_through="newest", on_foreign="take")
    face = connected(make_face, {"first": policies, "second": (*LINKING, taking), "third": policies})
    first, second, third = (Client(face, name) for name in ("first", "second", "third"))
    id = first.created("/Users", userName="bob", active=True)
    second.set(f"/Users/{id}", title="Clerk")
    third.created("/Users", userName="bob")

    def facts() -> Provenance:
        return provenance_of(face.stored()[0].document)

    assert (facts().managed_by, facts().signs_in_through) == ("second", "third")
    deactivated(third, id)
    assert facts().signs_in_through == "second"
    deactivated(first, id)
    assert facts().signs_in_through == "second"


# What a connection may write


CHANGES: Final[list[Document]] = [
    {"title": "Boss"},
    {"userName": "robert"},
    {"userName": "eve"},  # the name of another account: refused if it were written
    {"emails": [{"value": "eve@evil.example"}]},
    {"name": {"givenName": "Eve"}, "displayName": "Eve"},
]


@pytest.mark.parametrize("sent", CHANGES)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("linked", [True, False])
def test_what_another_connection_manages_is_not_changed(
    make_face: Maker, linked: bool, method: str, sent: Document
) -> None:
    clients = sharing(make_face)
    clients.old.created("/Users", userName="eve")
    id = shared_account(clients) if linked else clients.old.created("/Users", userName="bob", title="Clerk")
    before = {**clients.document(id), PROVISIONING_URN: None}
    body: Document = {"userName": "bob", "title": "Clerk", **sent}
    operations: Json = [{"op": "replace", "value": sent}]
    answer = clients.new.send(method, f"/Users/{id}", body if method == "PUT" else {"Operations": operations})
    assert answer.status == 200
    assert answer.body["userName"] == "bob"
    assert {**clients.document(id), PROVISIONING_URN: None} == before
    assert clients.facts(id).managed_by == "old"
    assert clients.live(id) == ["old", "new"]
    (note,) = [note for note in clients.new.last.notes if note.what == "ignored"]
    assert all(name in note.detail for name in sent)
    assert "managed by old" in note.detail


def test_renaming_an_own_account_to_the_name_of_another_is_refused(make_face: Maker) -> None:
    clients = sharing(make_face)
    bob = clients.old.created("/Users", userName="bob")
    eve = clients.new.created("/Users", userName="eve")
    for name in ("bob", "BOB", "ｂob"):
        clients.face.refused(clients.new.set(f"/Users/{eve}", userName=name), 409, "uniqueness")
    assert clients.document(eve)["userName"] == "eve"
    assert clients.facts(bob).links[0].connection == "old"


def test_what_is_managed_manually_is_not_changed_either(make_face: Maker) -> None:
    clients = sharing(make_face)
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob", title="Clerk"))
    clients.new.set("/Users/bob", title="Boss", active=False, externalId="N")
    document = clients.document("bob")
    assert (document["title"], "active" in document, "externalId" in document) == ("Clerk", False, False)
    facts = provenance_of(document)
    assert (facts.managed_by, facts.links[0].external_id, facts.links[0].active) == (None, "N", False)
    assert clients.new.noted == ["retained", "ignored"]


def test_a_suspended_manual_account_is_linked_as_suspended(make_face: Maker) -> None:
    clients = sharing(make_face)
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob", active=False))
    clients.new.set("/Users/bob", title="Boss")
    assert [link.active for link in clients.facts("bob").links] == [False]


def test_members_of_a_group_that_another_connection_manages_stay(make_face: Maker) -> None:
    clients = sharing(make_face)
    a, b = (clients.old.created("/Users", userName=name) for name in "ab")
    group = clients.old.created("/Groups", displayName="Guides", members=[{"value": a}])
    for operation in (
        {"op": "add", "path": "members", "value": [{"value": b}]},
        {"op": "remove", "path": f'members[value eq "{a}"]'},
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": [{"value": b}]},
        {"op": "replace", "path": "displayName", "value": "Mine"},
    ):
        assert clients.new.patch(f"/Groups/{group}", operation).status in (200, 204)
        assert "ignored" in clients.new.noted
    clients.new.send("PUT", f"/Groups/{group}", {"displayName": "Mine", "members": [{"value": b}]})
    document = clients.document(group)
    assert document["displayName"] == "Guides"
    assert [one["value"] for one in elements_of(document["members"]) if isinstance(one, dict)] == [a]


def test_a_change_by_the_manager_passes_as_it_is(make_face: Maker) -> None:
    """So that a membership PATCH, of which only the named members were read, clashes with no other one."""
    clients = sharing(make_face)
    group = clients.old.created("/Groups", displayName="Guides", externalId="O")
    (before,) = clients.face.stored()
    after = {**before.document, "members": [{"value": "a"}]}
    intent = Intent(
        asked="patch",
        caller=Caller(tenant=ACME, connection="old"),
        resource_type=PROVISIONED_GROUP,
        at=NOW,
        id=group,
        before=before,
        after=after,
        wanted=after,
    )

    async def decided() -> Intent:
        async with opened(clients.face.storage, ACME) as session:
            return await Ownership().decided(intent, session)

    assert finish(decided()) is intent


# Being told to refuse, or to take


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_connection_can_be_kept_away_from_what_others_manage(make_face: Maker, method: str) -> None:
    clients = sharing(make_face, Ownership(on_foreign="refuse"))
    id = clients.old.created("/Users", userName="bob")
    before = clients.document(id)
    bodies = {
        "PUT": {"userName": "bob", "title": "T"},
        "PATCH": {"Operations": [{"op": "add", "value": {"title": "T"}}]},
    }
    detail = clients.face.refused(clients.new.send(method, f"/Users/{id}", bodies.get(method)), 403)
    assert "old" not in detail
    assert clients.document(id) == before


def test_what_changes_nothing_is_not_refused(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(on_foreign="refuse"))
    id = clients.old.created("/Users", userName="bob", title="T")
    before = clients.document(id)
    assert clients.new.set(f"/Users/{id}", title="T").status == 200
    assert clients.document(id) == before


def test_a_connection_that_had_a_link_before_may_still_end_it(make_face: Maker) -> None:
    clients = Clients(make_face, old=(*LINKING, Ownership()), new=(*LINKING, Ownership(on_foreign="refuse")))
    id = shared_account(clients)
    assert clients.new.send("DELETE", f"/Users/{id}").status == 204
    assert clients.live(id) == ["old"]


def test_of_what_was_shared_before_it_is_kept_away_as_it_was(make_face: Maker) -> None:
    clients = Clients(make_face, old=(*LINKING, Ownership()), new=(*LINKING, Ownership(on_foreign="refuse")))
    id = shared_account(clients)
    assert clients.new.set(f"/Users/{id}", active=False, title="Boss").status == 200
    assert (clients.document(id)["active"], clients.document(id)["title"]) == (True, "Clerk")
    assert clients.live(id) == ["old"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_connection_can_be_told_to_take_what_others_manage(make_face: Maker, method: str) -> None:
    clients = Clients(make_face, old=(Ownership(),), new=(Ownership(on_foreign="take"),))
    emails: Json = [{"value": "bob@corp.example"}]
    id = clients.old.created("/Users", userName="bob", emails=emails, nickName="Bo", externalId="O")
    sent: Document = {"userName": "eve", "emails": [{"value": "eve@evil.example"}], "title": "Boss", "externalId": "N"}
    operations: Json = [{"op": "replace", "value": sent}]
    clients.new.send(method, f"/Users/{id}", sent if method == "PUT" else {"Operations": operations})
    document = clients.document(id)
    assert (document["userName"], document["title"], document["nickName"]) == ("bob", "Boss", "Bo")
    assert [one["value"] for one in elements_of(document["emails"]) if isinstance(one, dict)] == ["bob@corp.example"]
    facts = provenance_of(document)
    assert (facts.managed_by, [link.external_id for link in facts.links]) == ("new", ["O", "N"])
    assert clients.new.noted == ["taken_over"]
    clients.old.set(f"/Users/{id}", title="Clerk")
    assert clients.document(id)["title"] == "Boss"


def test_to_take_is_not_to_delete(make_face: Maker) -> None:
    clients = Clients(make_face, old=(Ownership(),), new=(Ownership(on_foreign="take"),))
    id = clients.old.created("/Users", userName="bob")
    assert clients.new.send("DELETE", f"/Users/{id}").status == 204
    assert clients.live(id) == ["old"]
    assert clients.new.send("GET", f"/Users/{id}").status == 404
    assert clients.old.send("GET", f"/Users/{id}").status == 200


# Letting go


def deactivated(client: Client, id: str) -> None:
    assert client.set(f"/Users/{id}", active=False).status == 200


def deactivated_by_put(client: Client, id: str) -> None:
    shown = client.send("GET", f"/Users/{id}").body
    assert client.send("PUT", f"/Users/{id}", {**shown, "active": False}).status == 200


def deleted(client: Client, id: str) -> None:
    assert client.send("DELETE", f"/Users/{id}").status == 204


LETTING_GO: Final = [deactivated, deactivated_by_put, deleted]
LetGo = Callable[[Client, str], None]


@pytest.mark.parametrize("let_go", LETTING_GO)
def test_what_one_lets_go_of_the_other_still_provisions(make_face: Maker, let_go: LetGo) -> None:
    """The managing connection goes first, then the other one, then nobody is left."""
    clients = sharing(make_face, Ownership(), Leaving(on_delete="soft_delete"))
    id = shared_account(clients)
    group = clients.old.created("/Groups", displayName="Guides", members=[{"value": id}])
    let_go(clients.old, id)
    document = clients.document(id)
    assert (document["active"], document["externalId"]) == (True, "N")
    facts = provenance_of(document)
    assert (facts.managed_by, facts.signs_in_through, facts.purge_after) == ("new", "new", None)
    assert clients.live(id) == ["new"]
    assert clients.old.noted == ["retained", "handed_over"]
    assert [one["value"] for one in clients.new.send("GET", f"/Users/{id}").body["groups"]] == [group]
    assert clients.old.send("GET", f"/Users/{id}").status == (404 if let_go is deleted else 200)
    clients.new.set(f"/Users/{id}", title="Boss")
    assert clients.document(id)["title"] == "Boss"
    let_go(clients.new, id)
    assert clients.document(id)["active"] is False
    assert clients.live(id) == []


def test_what_the_manager_writes_as_it_lets_go_is_stored(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    clients.old.set(f"/Users/{id}", active=False, title="Former clerk")
    assert (clients.document(id)["active"], clients.document(id)["title"]) == (True, "Former clerk")


@pytest.mark.parametrize("let_go", LETTING_GO)
def test_what_the_other_lets_go_of_the_manager_still_provisions(make_face: Maker, let_go: LetGo) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    let_go(clients.new, id)
    facts = clients.facts(id)
    assert (clients.document(id)["active"], facts.managed_by, facts.signs_in_through) == (True, "old", "old")
    assert clients.live(id) == ["old"]
    assert "retained" in clients.new.noted
    let_go(clients.old, id)
    left = [one.document for one in clients.face.stored()]
    assert left == [] if let_go is deleted else left[0]["active"] is False


@pytest.mark.parametrize("let_go", LETTING_GO)
def test_a_manual_account_survives_the_connection_that_was_linked_to_it(make_face: Maker, let_go: LetGo) -> None:
    clients = sharing(make_face, Ownership(), Leaving(on_deactivate="delete"))
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob", active=True))
    clients.new.created("/Users", userName="bob")
    let_go(clients.new, "bob")
    assert clients.document("bob")["active"] is True
    assert clients.live("bob") == []


def test_a_connection_deletes_what_nobody_else_provisions(make_face: Maker) -> None:
    clients = sharing(make_face)
    clients.old.send("DELETE", f"/Users/{clients.old.created('/Users', userName='bob')}")
    assert clients.face.stored() == []


def test_a_group_that_both_provision_survives_one_of_them(make_face: Maker) -> None:
    clients = sharing(make_face)
    a = clients.old.created("/Users", userName="a")
    group = clients.old.created("/Groups", displayName="Guides", members=[{"value": a}])
    assert clients.new.created("/Groups", displayName="Guides") == group
    assert clients.old.send("DELETE", f"/Groups/{group}").status == 204
    assert clients.facts(group).managed_by == "new"
    assert [one["value"] for one in clients.new.send("GET", f"/Groups/{group}").body["members"]] == [a]
    assert clients.new.send("DELETE", f"/Groups/{group}").status == 204
    assert [one.id for one in clients.face.stored()] == [a]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "PATCH with more"])
def test_a_connection_that_comes_back_provisions_again(make_face: Maker, method: str) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    deactivated(clients.new, id)
    if method.startswith("PATCH"):
        clients.new.set(f"/Users/{id}", active=True, **({"title": "Boss"} if method == "PATCH with more" else {}))
    else:
        deactivated_body = clients.new.send("GET", f"/Users/{id}").body
        clients.new.send("PUT", f"/Users/{id}", {**deactivated_body, "title": "Boss"})
    assert clients.live(id) == ["old", "new"]
    deactivated(clients.old, id)
    assert (clients.document(id)["active"], clients.facts(id).managed_by) == (True, "new")


def test_what_a_connection_sends_besides_does_not_bring_it_back(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    deactivated(clients.new, id)
    clients.new.set(f"/Users/{id}", title="Boss")
    assert clients.live(id) == ["old"]
    clients.new.set(f"/Users/{id}", title=clients.document(id).get("title", ""))
    assert clients.live(id) == ["old"]


def test_a_suspended_account_is_handed_to_the_connection_that_activates_it(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    deactivated(clients.new, id)
    deactivated(clients.old, id)
    assert clients.document(id)["active"] is False
    assert clients.new.set(f"/Users/{id}", active=True).body["active"] is True
    assert (clients.facts(id).managed_by, clients.live(id)) == ("new", ["new"])
    assert clients.new.noted == ["handed_over", "reactivated"]


def test_a_suspended_account_stays_with_its_manager_while_nobody_activates_it(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = shared_account(clients)
    deactivated(clients.new, id)
    deactivated(clients.old, id)
    clients.new.set(f"/Users/{id}", title="Boss")
    document = clients.document(id)
    assert (document["active"], document["title"], provenance_of(document).managed_by) == (False, "Clerk", "old")


def test_a_connection_that_activates_what_was_soft_deleted_ends_its_grace(make_face: Maker) -> None:
    leaving = Leaving(on_deactivate="soft_delete")
    clients = Clients(make_face, old=(*LINKING, Ownership(), leaving), new=(*LINKING, Ownership()))
    id = shared_account(clients)
    deactivated(clients.new, id)
    deactivated(clients.old, id)
    assert clients.facts(id).purge_after is not None
    clients.new.set(f"/Users/{id}", active=True)
    assert clients.document(id)["active"] is True
    assert (clients.facts(id).purge_after, clients.facts(id).managed_by) == (None, "new")


def test_an_heir_that_has_no_external_id_leaves_none_behind(make_face: Maker) -> None:
    clients = sharing(make_face)
    id = clients.old.created("/Users", userName="bob", externalId="O")
    clients.new.created("/Users", userName="bob")
    deactivated(clients.old, id)
    assert "externalId" not in clients.document(id)
    assert [link.external_id for link in clients.facts(id).links] == ["O", None]


def test_a_stranger_cannot_bring_back_what_its_manager_suspended(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = clients.old.created("/Users", userName="bob", title="Clerk", active=True)
    deactivated(clients.old, id)
    suspended = clients.document(id)
    for sent in ({"title": "Boss"}, {"active": True}, {"active": True, "title": "Boss"}):
        assert clients.new.set(f"/Users/{id}", **sent).body["active"] is False
        assert clients.new.noted == ["ignored"]
    clients.new.send("PUT", f"/Users/{id}", {"userName": "bob", "active": True})
    assert clients.document(id) == suspended


def test_a_put_that_does_not_mention_active_leaves_a_suspended_account_suspended(make_face: Maker) -> None:
    clients = sharing(make_face, Ownership(), Leaving())
    id = clients.old.created("/Users", userName="bob")
    deactivated(clients.old, id)
    clients.old.send("PUT", f"/Users/{id}", {"userName": "bob", "title": "T"})
    assert clients.document(id)["active"] is False
    assert clients.live(id) == []


# The order of policies


@attrs.frozen
class Watching:
    """A policy that remembers what the policies before it made of a request."""

    seen: list[tuple[str, bool]]

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        is_leaving = intent.after is None or intent.after.get("active") is False
        self.seen.append((intent.asked, is_leaving))
        return intent


def test_a_policy_behind_it_sees_nobody_leave_while_another_provisions_the_account(make_face: Maker) -> None:
    seen: list[tuple[str, bool]] = []
    clients = sharing(make_face, Ownership(), Watching(seen))
    id = shared_account(clients)
    seen.clear()
    deactivated(clients.old, id)
    deleted(clients.old, id)
    deactivated(clients.new, id)
    assert seen == [("patch", False), ("delete", False), ("patch", True)]


def test_it_stamps_what_adoption_finds_even_if_it_stands_before_it(make_face: Maker) -> None:
    policies = (Ownership(), Adoption(on_existing="take_over"))
    clients = Clients(make_face, old=policies, new=policies)
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob"))
    assert clients.new.created("/Users", userName="bob", title="T") == "bob"
    assert (clients.facts("bob").managed_by, clients.live("bob")) == ("new", ["new"])


@attrs.frozen
class AdoptingEverybody:
    """An application's own adoption, which knows nothing of provenance."""

    async def decided(self, intent: Intent, session: Session) -> Intent:
        if intent.asked != "create" or intent.after is None:
            return intent
        record = await session.get(intent.resource_type, "bob")
        return intent if record is None else attrs.evolve(intent, id="bob", before=record)


def test_an_adoption_of_the_applications_own_makes_a_link(make_face: Maker) -> None:
    policies = (AdoptingEverybody(), Ownership())
    clients = Clients(make_face, old=policies, new=policies)
    keep(clients.face.storage, record_of(PROVISIONED_USER, "bob", userName="bob", title="Clerk"))
    assert clients.new.created("/Users", userName="robert", externalId="N", title="Boss") == "bob"
    assert (clients.document("bob")["title"], clients.live("bob")) == ("Clerk", ["new"])
    assert clients.facts("bob").links[0].external_id == "N"


# The rest


@pytest.mark.parametrize("settings", [{"on_foreign": "keep"}, {"signs_in_through": "nobody"}])
def test_an_unknown_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        Ownership(**settings)  # type: ignore[arg-type]  # as a configuration file may have it


@pytest.mark.parametrize("policy", [Ownership(), *LINKING])
def test_a_connection_without_a_name_owns_nothing(policy: Policy) -> None:
    provider = ScimProvider(
        MemoryStorage(),
        authenticate=anonymous(tenant="acme"),
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=[Connection(name="", tenant=ACME, policies=(policy,))],
        on_bug=lambda bug, _: bugs.append(str(bug)),
    )
    bugs: list[str] = []
    kind = "Groups" if isinstance(policy, GroupAdoption) else "Users"
    body = b'{"displayName": "Guides", "userName": "bob"}'
    assert provider.handle_sync(Request("POST", f"/{kind}", body=body)).status == 500
    assert bugs == ["policies of adoption and ownership need a connection with a name"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_every_storage_keeps_both_connections(kind: str, tmp_path: Path) -> None:
    policies = (*LINKING, Ownership(), Leaving())
    with storage_of(kind, tmp_path) as storage:
        provider = ScimProvider(
            storage,
            authenticate=lambda request: Caller(tenant=ACME, connection=request.headers["authorization"]),
            resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
            connections=[Connection(name=name, tenant=ACME, policies=policies) for name in ("old", "new")],
            new_id=lambda: "bob",
        )

        def sent(connection: str, method: str, path: str, body: str = "") -> bytes:
            request = Request(
                method, path, "attributes=active,externalId", {"authorization": connection}, body.encode()
            )
            return provider.handle_sync(request).body

        sent("old", "POST", "/Users", '{"userName": "bob", "externalId": "O", "active": true}')
        sent("new", "POST", "/Users", '{"userName": "bob", "externalId": "N", "active": true}')
        sent("old", "DELETE", "/Users/bob")
        shown = sent("new", "GET", "/Users/bob")
        assert b'"active":true' in shown
        assert b'"externalId":"N"' in shown
        sent("new", "PATCH", "/Users/bob", '{"Operations": [{"op": "replace", "value": {"active": false}}]}')
        assert b'"active":false' in sent("new", "GET", "/Users/bob")
