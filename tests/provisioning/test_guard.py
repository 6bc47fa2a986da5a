"""What an application may edit itself of what identity providers manage."""

from contextlib import nullcontext
from typing import Final

import attrs
import pytest
from tests.provisioning.connections import record_of

from scimcore.provisioning.guard import Guard, ProvisionedError
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    PROVISIONING_URN,
    Link,
    Provenance,
    with_provenance,
)
from scimcore.schema.attribute import Mutability
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.standard import ENTERPRISE_USER
from scimcore.storage.protocol import Instant, Record

URN: Final = ENTERPRISE_USER.id
NOW: Final = Instant("2026-11-22T09:30:00.000000Z")


def resource(resource_type: ResourceType, provenance: Provenance) -> Record:
    record = record_of(resource_type, "7", userName="bob", displayName="Bob")
    return record.changed(with_provenance(record.document, provenance))


def okta(**facts: object) -> Provenance:
    link = attrs.evolve(Link(connection="okta", since=NOW), **facts)  # type: ignore[arg-type]  # facts of a link
    return Provenance(managed_by="okta", links=(link,))


MANUAL: Final = Provenance()
LINKED: Final = Provenance(links=(Link(connection="okta", since=NOW),))
GUARD: Final = Guard(
    local={
        "User": ("roleBindings", "NICKNAME", "name.givenName", "photos", f"{URN}:department", "preferredLanguage"),
        "Group": ("roleBindings",),
    },
    where={"okta": "Okta > Applications > Acme"},
    overrides=lambda actor, record: actor == "repair-bot" and record.id == "7",
)


@pytest.mark.parametrize(
    ("resource_type", "names", "refused"),
    [
        (PROVISIONED_USER, ["displayName"], ["displayName"]),
        (PROVISIONED_USER, ["USERNAME", "emails", "active"], ["userName", "emails", "active"]),
        (PROVISIONED_USER, ["groups"], ["groups"]),
        (PROVISIONED_USER, ["roles"], ["roles"]),
        (PROVISIONED_USER, ["preferredLanguage"], []),
        (PROVISIONED_USER, ["PREFERREDLANGUAGE", "photos.value", "photos"], []),
        (PROVISIONED_USER, ["name.givenName"], []),
        (PROVISIONED_USER, ["name"], ["name"]),  # more than the part that is local
        (PROVISIONED_USER, ["name.familyName", "name.givenName"], ["name.familyName"]),
        (PROVISIONED_USER, [f"{URN}:department", "department"], []),
        (PROVISIONED_USER, [URN], [URN]),
        (PROVISIONED_USER, ["manager.value"], [f"{URN}:manager.value"]),
        (PROVISIONED_USER, [f"{PROVISIONING_URN}:managedBy"], [f"{PROVISIONING_URN}:managedBy"]),
        (PROVISIONED_USER, ["managedBy"], [f"{PROVISIONING_URN}:managedBy"]),
        (PROVISIONED_USER, ["roleBindings"], []),
        (PROVISIONED_USER, ["roleBindings.scope"], []),
        (PROVISIONED_USER, ["roleBindingsOfOthers"], ["roleBindingsOfOthers"]),
        (PROVISIONED_USER, ["emial"], ["emial"]),
        (PROVISIONED_USER, [], []),
        (PROVISIONED_GROUP, ["displayName"], ["displayName"]),
        (PROVISIONED_GROUP, ["members"], ["members"]),
        (PROVISIONED_GROUP, ["members.value", "roleBindings"], ["members.value"]),
        (PROVISIONED_GROUP, ["roleBindings"], []),
    ],
)
def test_of_what_is_provisioned_only_what_is_local_can_be_edited(
    resource_type: ResourceType, names: list[str], refused: list[str]
) -> None:
    record = resource(resource_type, okta())
    if not refused:
        GUARD.check_edit(record, names, "anna")
        return
    with pytest.raises(ProvisionedError) as caught:
        GUARD.check_edit(record, names, "anna")
    assert caught.value.attributes == tuple(refused)


@pytest.mark.parametrize("provenance", [MANUAL, LINKED])
def test_what_nobody_manages_can_be_edited_and_deleted(provenance: Provenance) -> None:
    for resource_type in (PROVISIONED_USER, PROVISIONED_GROUP):
        record = resource(resource_type, provenance)
        GUARD.check_edit(record, ["displayName", "members", "emial"], "anna")
        GUARD.check_delete(record, "anna")


def test_a_refusal_says_who_manages_it_and_where_to_change_it() -> None:
    with pytest.raises(ProvisionedError) as caught:
        GUARD.check_edit(resource(PROVISIONED_USER, okta()), ["emails", "displayname"], "anna")
    error = caught.value
    assert str(error) == ("this user is provisioned by okta: change emails, displayName in Okta > Applications > Acme")
    assert (error.action, error.resource_type, error.id, error.managed_by, error.where, error.attributes) == (
        *("edit", "User", "7", "okta", "Okta > Applications > Acme"),
        ("emails", "displayName"),
    )


def test_where_nobody_said_where_a_refusal_says_who() -> None:
    with pytest.raises(ProvisionedError) as caught:
        Guard().check_delete(resource(PROVISIONED_GROUP, okta()), "anna")
    assert str(caught.value) == "this group is provisioned by okta: delete it there"
    assert (caught.value.action, caught.value.where, caught.value.attributes) == ("delete", None, ())


@pytest.mark.parametrize(
    ("facts", "is_refused"),
    [({}, True), ({"active": False}, True), ({"active": False, "removed": NOW}, False)],
)
def test_what_its_connection_has_deleted_can_be_deleted_but_not_edited(
    facts: dict[str, object], is_refused: bool
) -> None:
    record = resource(PROVISIONED_USER, okta(**facts))
    with pytest.raises(ProvisionedError):
        GUARD.check_edit(record, ["active"], "anna")
    if is_refused:
        with pytest.raises(ProvisionedError):
            GUARD.check_delete(record, "anna")
    else:
        GUARD.check_delete(record, "anna")


@pytest.mark.parametrize(("actor", "is_refused"), [("repair-bot", False), ("anna", True), ("", True)])
def test_an_automation_may_be_let_through(actor: str, is_refused: bool) -> None:
    record = resource(PROVISIONED_USER, okta())
    with pytest.raises(ProvisionedError) if is_refused else nullcontext():
        GUARD.check_edit(record, ["emails"], actor)
    with pytest.raises(ProvisionedError) if is_refused else nullcontext():
        GUARD.check_delete(record, actor)


def test_a_screen_can_ask_what_is_editable() -> None:
    local = GUARD.editable(resource(PROVISIONED_USER, okta()), "anna")
    assert local == (
        *("roleBindings", "nickName", "name.givenName", "photos", f"{URN}:department", "preferredLanguage"),
    )
    assert GUARD.editable(resource(PROVISIONED_GROUP, okta()), "anna") == ("roleBindings",)
    assert Guard().editable(resource(PROVISIONED_GROUP, okta()), "anna") == ()


@pytest.mark.parametrize(("provenance", "actor"), [(MANUAL, "anna"), (LINKED, "anna"), (okta(), "repair-bot")])
def test_everything_that_can_be_written_is_editable_for_whom_nothing_is_locked(
    provenance: Provenance, actor: str
) -> None:
    names = GUARD.editable(resource(PROVISIONED_USER, provenance), actor)
    assert {"userName", "emails", f"{URN}:department", "roleBindings"} <= set(names)
    assert not {"id", "meta", "schemas", "groups", URN, f"{PROVISIONING_URN}:managedBy"} & set(names)
    assert len(names) == len(set(names))
    places = [place for name in names if (place := PROVISIONED_USER.place(name)) is not None]
    assert all(place.attribute.mutability is not Mutability.READ_ONLY for place in places)
    assert "members" in GUARD.editable(resource(PROVISIONED_GROUP, provenance), actor)


@pytest.mark.parametrize("provenance", [MANUAL, LINKED, okta(), okta(removed=NOW)])
@pytest.mark.parametrize("actor", ["anna", "repair-bot"])
def test_what_is_editable_can_be_edited(provenance: Provenance, actor: str) -> None:
    for resource_type in (PROVISIONED_USER, PROVISIONED_GROUP):
        record = resource(resource_type, provenance)
        GUARD.check_edit(record, GUARD.editable(record, actor), actor)
