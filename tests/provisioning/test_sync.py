"""Which attributes a connection writes."""

from typing import Final

import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import client_of, keep, record_of

from scimcore.provisioning.provenance import PROVISIONED_USER, Provenance, with_provenance
from scimcore.provisioning.sync import HARNESS_SYNC, ONELOGIN_SYNC, SyncedAttributes, synced
from scimcore.schema.document import Document
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

URN: Final = ENTERPRISE_USER.id
WORK: Final[Document] = {"value": "a@example.com", "type": "work", "primary": True}
HOME: Final[Document] = {"value": "a@home.example", "type": "home"}
PRIMARY: Final = ("emails[primary eq true].value", "emails[primary eq true].type")


@pytest.mark.parametrize(
    ("allowed", "before", "after", "expected", "ignored"),
    [
        pytest.param(("title",), {}, {"title": "T"}, {"title": "T"}, [], id="what is synced is written"),
        pytest.param((), {}, {"title": "T"}, {}, ["title"], id="what is not synced is not stored"),
        pytest.param((), {"title": "O"}, {"title": "N"}, {"title": "O"}, ["title"], id="and stays as it was"),
        pytest.param((), {"title": "O"}, {}, {"title": "O"}, ["title"], id="and is not removed"),
        pytest.param(("title",), {"title": "O"}, {}, {}, [], id="what is synced can be removed"),
        pytest.param((), {"title": "O"}, {"title": "O"}, {"title": "O"}, [], id="the same again is nothing"),
        pytest.param(
            (),
            {"userName": "a", "active": True},
            {"userName": "b", "active": False, "externalId": "e", "id": "1"},
            {"userName": "b", "active": False, "externalId": "e", "id": "1"},
            [],
            id="what finds, suspends and links an account passes",
        ),
        pytest.param(
            ("name.givenName",),
            {"name": {"givenName": "A", "familyName": "B"}},
            {"name": {"givenName": "C", "familyName": "D", "middleName": "E"}},
            {"name": {"givenName": "C", "familyName": "B"}},
            ["name.familyName", "name.middleName"],
            id="a part of a name",
        ),
        pytest.param(
            ("name",), {}, {"name": {"givenName": "C"}}, {"name": {"givenName": "C"}}, [], id="the whole name"
        ),
        pytest.param(
            ("name.givenName",), {"name": {"givenName": "A"}}, {}, {}, [], id="a removed part leaves no empty name"
        ),
        pytest.param(
            (f"{URN}:department",),
            {URN: {"costCenter": "1"}},
            {URN: {"department": "D", "costCenter": "2", "manager": {"value": "7"}}},
            {URN: {"department": "D", "costCenter": "1"}},
            [f"{URN}:costCenter", f"{URN}:manager.value"],
            id="a part of an extension",
        ),
        pytest.param((URN,), {}, {URN: {"department": "D"}}, {URN: {"department": "D"}}, [], id="a whole extension"),
        pytest.param((), {}, {"emails": [WORK]}, {}, ["emails"], id="a list"),
        pytest.param(PRIMARY, {}, {"emails": [WORK]}, {"emails": [WORK]}, [], id="the primary e-mail"),
        pytest.param(
            PRIMARY,
            {},
            {"emails": [{**WORK, "display": "A"}, HOME]},
            {"emails": [{"value": "a@example.com", "type": "work", "primary": True}]},
            ["emails"],
            id="the primary e-mail of two, and of it what is synced",
        ),
        pytest.param(
            PRIMARY,
            {"emails": [WORK, HOME]},
            {"emails": [{**WORK, "value": "new@example.com"}]},
            {"emails": [{**WORK, "value": "new@example.com"}, HOME]},
            ["emails"],
            id="another primary e-mail, and the others as they were",
        ),
        pytest.param(
            PRIMARY,
            {"emails": [{**WORK, "display": "A"}]},
            {"emails": [{"value": "new@example.com", "type": "work", "primary": True}]},
            {"emails": [{"display": "A", "value": "new@example.com", "type": "work", "primary": True}]},
            ["emails"],
            id="what is not synced of it stays",
        ),
        pytest.param(
            PRIMARY,
            {"emails": [WORK, HOME]},
            {"emails": [{**WORK, "primary": False}, {**HOME, "primary": True}]},
            {"emails": [{**HOME, "primary": True}]},
            ["emails"],
            id="the other one becomes the primary e-mail, once",
        ),
        pytest.param(
            PRIMARY,
            {},
            {"emails": [{"value": "a@example.com"}, HOME]},
            {"emails": [{"value": "a@example.com"}]},
            ["emails"],
            id="the first e-mail where none is primary",
        ),
        pytest.param(PRIMARY, {"emails": [WORK, HOME]}, {}, {"emails": [HOME]}, ["emails"], id="no e-mail any more"),
        pytest.param(
            ('emails[type eq "work"]',),
            {"emails": [{**HOME, "primary": True}]},
            {"emails": [WORK]},
            {"emails": [{**HOME, "primary": False}, WORK]},
            ["emails"],
            id="one e-mail is primary",
        ),
        pytest.param(
            ('emails[type eq "work"].value', 'emails[type eq "home"]'),
            {"emails": [{**WORK, "display": "A"}]},
            {"emails": [{**WORK, "value": "b@example.com", "display": "B"}, HOME, {"value": "c", "type": "other"}]},
            {"emails": [{**WORK, "value": "b@example.com", "display": "A"}, HOME]},
            ["emails"],
            id="two kinds of elements, one in part and one whole",
        ),
        pytest.param(
            ("emails.value",),
            {"emails": [WORK, HOME]},
            {"emails": [{"value": "a@example.com", "type": "work"}, {"value": "c@example.com", "type": "other"}]},
            {"emails": [WORK, {"value": "c@example.com"}]},
            ["emails"],
            id="one sub-attribute of every element",
        ),
    ],
)
def test_what_is_not_synced_stays_as_it_was(
    allowed: tuple[str, ...], before: Document, after: Document, expected: Document, ignored: list[str]
) -> None:
    document, unwritten = synced(before, after, USER, allowed)
    assert document == expected
    assert list(unwritten) == ignored
    assert document is after or ignored


def test_what_policies_wrote_passes() -> None:
    before, after = {"userName": "a"}, with_provenance({"userName": "a"}, Provenance(managed_by="okta"))
    assert synced(before, after, PROVISIONED_USER, ()) == (after, {})


def test_members_of_a_group_pass() -> None:
    after: Document = {"displayName": "A", "members": [{"value": "1"}]}
    assert synced({}, after, GROUP, ()) == (after, {})


@pytest.mark.parametrize("path", ["nosuch", "emails[", 'emails[nosuch eq "a"]'])
def test_a_path_that_is_none_is_a_fault_of_the_configuration(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be synced"):
        synced({}, {}, USER, (path,))


# Over HTTP


def test_a_client_may_send_everything_and_five_attributes_are_kept_for_harness(make_face: Maker) -> None:
    okta = client_of(make_face, HARNESS_SYNC)
    sent = {
        "userName": "jane@example.com",
        "name": {"givenName": "Jane", "familyName": "Doe", "formatted": "Jane Doe"},
        "displayName": "Jane Doe",
        "emails": [WORK, HOME],
        "title": "Boss",
        "active": True,
        "externalId": "00u1",
        URN: {"department": "Sales"},
    }
    answer = okta.send("POST", "/Users", sent)
    assert answer.status == 201
    assert {name: value for name, value in answer.body.items() if name not in ("schemas", "id", "meta")} == {
        "userName": "jane@example.com",
        "name": {"givenName": "Jane", "familyName": "Doe"},
        "displayName": "Jane Doe",
        "emails": [WORK],
        "active": True,
        "externalId": "00u1",
    }
    ignored = sorted(note.detail.removesuffix(" is not synced") for note in okta.last.notes)
    assert ignored == sorted(["emails", "name.formatted", "title", f"{URN}:department"])
    assert set(okta.noted) == {"ignored"}


def test_what_is_not_synced_survives_a_put_in_silence_and_a_removal_with_a_note(make_face: Maker) -> None:
    okta = client_of(make_face, SyncedAttributes({"User": ("displayName",)}))
    keep(okta.face.storage, record_of(PROVISIONED_USER, "u1", userName="a", title="T"))
    answer = okta.send("PUT", "/Users/u1", {"userName": "a", "displayName": "A"})
    assert (answer.status, answer.body["displayName"], answer.body["title"], okta.noted) == (200, "A", "T", [])
    answer = okta.patch("/Users/u1", {"op": "remove", "path": "title"})
    assert (answer.status, answer.body["title"], okta.noted) == (200, "T", ["ignored"])


def test_onelogin_gives_first_name_last_name_and_email(make_face: Maker) -> None:
    onelogin = client_of(make_face, ONELOGIN_SYNC)
    name = {"givenName": "Jane", "familyName": "Doe"}
    sent = {"userName": "a@example.com", "name": name, "emails": [WORK], "displayName": "J", "title": "Boss"}
    body = onelogin.send("POST", "/Users", sent).body
    assert (body["name"], body["emails"]) == (name, [WORK])
    assert {"displayName", "title"}.isdisjoint(body)


def test_a_user_may_still_be_deleted(make_face: Maker) -> None:
    okta = client_of(make_face, HARNESS_SYNC)
    id = okta.created("/Users", userName="a")
    assert okta.send("DELETE", f"/Users/{id}").status == 204


def test_a_group_is_written_whole_where_only_users_have_a_list(make_face: Maker) -> None:
    okta = client_of(make_face, HARNESS_SYNC)
    id = okta.created("/Groups", displayName="Guides", externalId="g")
    assert okta.set(f"/Groups/{id}", displayName="Guards").body["displayName"] == "Guards"
    assert okta.noted == []
