"""Users that exist already when a connection creates them: who is linked, who is taken over, and who never is."""

from pathlib import Path
from typing import Final, Literal

import attrs
import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import ACME, NOW, Client, client_of, connected, keep, record_of, storage_of

from scimcore.access import Caller
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection, Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.matching import MOST_CANDIDATES, EmailCase, MatchKey, is_alike
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    PROVISIONING_URN,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.rules.identifier import unique_values
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import ENTERPRISE_USER
from scimcore.storage.protocol import Instant, Record, Session, Tenant, UniqueKey

EARLIER: Final = Instant("2026-01-01T00:00:00.000000Z")


def account(id: str, user_name: str, provenance: Provenance | None = None, **values: Json) -> Record:
    """An account as the engine would have stored it."""
    document: Document = {"id": id, "userName": user_name, **values}
    if provenance is not None:
        document = with_provenance(document, provenance)
    unique = tuple(UniqueKey(name, value) for name, value in unique_values(document, PROVISIONED_USER))
    return Record(
        resource_type=PROVISIONED_USER, id=id, document=document, created=NOW, last_modified=NOW, unique=unique
    )


def managed(
    by: str,
    *,
    external_id: str | None = None,
    removed: bool = False,
    purge_after: Instant | None = None,
    former_groups: tuple[str, ...] = (),
) -> Provenance:
    """The provenance of what one connection provisions, or has removed."""
    link = Link(
        connection=by,
        since=EARLIER,
        external_id=external_id,
        active=not removed,
        removed=EARLIER if removed else None,
    )
    return Provenance(
        managed_by=by, signs_in_through=by, links=(link,), purge_after=purge_after, former_groups=former_groups
    )


def email(address: str, **values: Json) -> Json:
    return [{"value": address, "type": "work", "primary": True, **values}]


def always(_: Record, __: str) -> bool:
    return True


BOB: Final = account(
    "bob",
    "bob@corp.example",
    displayName="Bob",
    title="Clerk",
    name={"givenName": "Robert", "familyName": "Smith"},
    emails=email("bob@corp.example"),
    roles=[{"value": "auditor"}],
)


GROUP: Final = record_of(PROVISIONED_GROUP, "g1", displayName="G")


def provider_with(make_face: Maker, policy: Adoption, *records: Record, **others: tuple[Policy, ...]) -> Client:
    """A client in front of a provider where Okta adopts as *policy* says, and *records* are there."""
    face = connected(make_face, {"okta": (policy, Ownership(on_foreign=policy.on_foreign)), **others})
    keep(face.storage, *records)
    return Client(face)


def stored(client: Client, id: str) -> Document:
    (found,) = [one.document for one in client.face.stored() if one.id == id]
    return found


def facts_of(client: Client, id: str) -> Provenance:
    return provenance_of(stored(client, id))


# What is done with an account that exists


@pytest.mark.parametrize("user_name", ["bob@corp.example", "BOB@Corp.Example"])
def test_by_default_an_existing_account_is_refused(make_face: Maker, user_name: str) -> None:
    okta = provider_with(make_face, Adoption(), BOB)
    detail = okta.face.refused(okta.send("POST", "/Users", {"userName": user_name}), 409, "uniqueness")
    assert detail == "userName: the value is taken by another resource"
    assert [one.document for one in okta.face.stored()] == [BOB.document]


def test_a_link_leaves_the_account_as_it_is(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="link"), BOB)
    sent = {"userName": "Bob@corp.example", "externalId": "00u1", "title": "Boss", "emails": email("bob@evil.example")}
    answer = okta.send("POST", "/Users", sent)
    assert (answer.status, answer.body["id"], answer.body["title"]) == (201, "bob", "Clerk")
    document = dict(stored(okta, "bob"))
    assert document.pop(PROVISIONING_URN)
    assert document == BOB.document
    facts = facts_of(okta, "bob")
    assert (facts.managed_by, facts.signs_in_through) == (None, "okta")
    assert [(link.connection, link.external_id, link.is_live) for link in facts.links] == [("okta", "00u1", True)]
    assert okta.last.happening == "adopted"
    assert okta.noted == ["linked", "ignored"]
    assert okta.last.notes[1].detail == "emails, title, userName: as before"


def test_a_take_over_writes_what_was_sent_but_neither_user_name_nor_emails(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"), BOB)
    sent = {
        "userName": "Bob@Corp.example",
        "externalId": "00u1",
        "displayName": "Bob S.",
        "name": {"familyName": "Smythe"},
        "emails": email("bob@evil.example"),
        "roles": [{"value": "owner"}],
        ENTERPRISE_USER.id: {"department": "Audit"},
    }
    answer = okta.send("POST", "/Users", sent)
    assert (answer.status, answer.body["id"], answer.body["userName"]) == (201, "bob", "bob@corp.example")
    assert answer.headers["location"].endswith("/Users/bob")
    document = dict(stored(okta, "bob"))
    assert document.pop(PROVISIONING_URN)
    assert document == {
        **BOB.document,
        "externalId": "00u1",
        "displayName": "Bob S.",
        "name": {"givenName": "Robert", "familyName": "Smythe"},
        ENTERPRISE_USER.id: {"department": "Audit"},
    }
    facts = facts_of(okta, "bob")
    assert (facts.managed_by, facts.signs_in_through, facts.links[0].external_id) == ("okta", "okta", "00u1")
    assert okta.noted == ["taken_over", "ignored"]
    assert okta.last.notes[1].detail == "emails, roles, userName: as before"


def test_an_account_without_emails_is_given_none_on_first_contact(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"), account("eve", "eve"))
    okta.created("/Users", userName="eve", emails=email("eve@evil.example"))
    assert "emails" not in stored(okta, "eve")


def test_from_then_on_the_connection_writes_what_it_has_taken_over(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"), BOB)
    okta.created("/Users", userName="bob@corp.example")
    assert okta.set("/Users/bob", emails=email("robert@corp.example"), title="Boss").status == 200
    assert stored(okta, "bob")["emails"] == email("robert@corp.example")
    assert stored(okta, "bob")["title"] == "Boss"


def test_an_adopted_account_keeps_its_groups(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"), BOB)
    group = okta.created("/Groups", displayName="Guides", members=[{"value": "bob"}])
    answer = okta.send("POST", "/Users", {"userName": "bob@corp.example", "groups": []})
    assert [one["value"] for one in answer.body["groups"]] == [group]
    assert [one["value"] for one in okta.send("GET", "/Users/bob").body["groups"]] == [group]


def test_an_account_that_does_not_exist_is_created(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over", is_verified=always), BOB)
    id = okta.created("/Users", userName="alice", emails=email("alice@corp.example"), externalId="00u2")
    assert id != "bob"
    assert facts_of(okta, id).managed_by == "okta"


@pytest.mark.parametrize("sent", [{"active": False}, {"active": True}, {}])
def test_a_take_over_says_whether_the_account_is_active(make_face: Maker, sent: Document) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"), BOB)
    okta.created("/Users", userName="bob@corp.example", **sent)
    assert stored(okta, "bob").get("active") == sent.get("active")
    assert facts_of(okta, "bob").links[0].active is (sent != {"active": False})


# How an account is found


VERIFIED: Final = Adoption(on_existing="link", is_verified=always)


@pytest.mark.parametrize(
    ("match", "sent", "is_found"),
    [
        (("userName",), {"userName": "bob@corp.example"}, True),
        (("externalId",), {"userName": "other", "externalId": "E-1"}, True),
        (("externalId",), {"userName": "other", "externalId": "e-1"}, False),
        (("email",), {"userName": "other", "emails": email("bob@corp.example")}, True),
        (("userName", "externalId"), {"userName": "other", "emails": email("bob@corp.example")}, False),
        (("email",), {"userName": "other", "emails": [{"value": "bob@home.example"}]}, True),
        (  # an address that is not the primary one points to nobody
            ("email",),
            {
                "userName": "other",
                "emails": [*([{"value": "bob@corp.example"}]), {"value": "o@x.example", "primary": True}],
            },
            False,
        ),
        (("userName", "externalId", "email"), {"userName": "other"}, False),
    ],
)
def test_an_account_is_found_by_the_keys_of_the_policy(
    make_face: Maker, match: tuple[MatchKey, ...], sent: Document, is_found: bool
) -> None:
    emails: Json = [{"value": "bob@corp.example", "primary": True}, {"value": "bob@home.example"}]
    there = account("bob", "bob@corp.example", externalId="E-1", emails=emails)
    okta = provider_with(make_face, attrs.evolve(VERIFIED, match=match), there)
    assert (okta.created("/Users", **sent) == "bob") is is_found


def test_a_user_name_that_is_taken_and_not_matched_by_is_refused(make_face: Maker) -> None:
    okta = provider_with(make_face, attrs.evolve(VERIFIED, match=("email",)), BOB)
    okta.face.refused(okta.send("POST", "/Users", {"userName": "bob@corp.example"}), 409, "uniqueness")


def test_a_value_never_becomes_syntax_of_the_search(make_face: Maker) -> None:
    okta = provider_with(make_face, VERIFIED, BOB)
    hostile = 'x" or userName pr or userName eq "\\'
    assert okta.created("/Users", userName=hostile, externalId=hostile, emails=email(hostile)) != "bob"
    assert okta.created("/Users", userName="n" * 30_000) != "bob"


# The same letters, and letters that look the same

SAME: Final = "same"
REFUSED: Final = "refused"
OTHER: Final = "other"


@pytest.mark.parametrize(
    ("there", "sent", "outcome"),
    [
        ("admin", "admin", SAME),
        ("admin", "ADMIN", SAME),
        ("Éva", "éva", SAME),
        ("ÖZGE", "özge", SAME),
        ("admin", "аdmin", OTHER),  # a Cyrillic letter
        ("admin", "admіn", OTHER),
        ("google", "gооgle", OTHER),
        ("bill", "biII", OTHER),
        ("admin", "ａdmin", REFUSED),  # full-width
        ("admin", "ＡＤＭＩＮ", REFUSED),
        ("mike", "mi\u212ae", REFUSED),  # the Kelvin sign
        ("fiona", "\ufb01ona", REFUSED),  # a ligature
        ("strasse", "straße", REFUSED),
        ("sam", "\u017fam", REFUSED),  # a long s
        ("éva", "e\u0301va", REFUSED),  # the accent alone
        ("irma", "ırma", OTHER),  # a dotless i
        ("irma", "İRMA", OTHER),
        ("admin", "admin\u200b", OTHER),  # a blank of no width
        ("admin", "admin ", OTHER),
        ("a@straße.example", "a@xn--strae-oqa.example", OTHER),
    ],
)
def test_user_names_are_linked_only_if_they_are_the_same_letters(
    make_face: Maker, there: str, sent: str, outcome: str
) -> None:
    okta = provider_with(make_face, VERIFIED, account("u1", there))
    answer = okta.send("POST", "/Users", {"userName": sent})
    match outcome:
        case "refused":
            assert "in other letters" in okta.face.refused(answer, 409, "uniqueness")
            assert facts_of(okta, "u1") == Provenance()
        case _:
            assert answer.status == 201
            assert (answer.body["id"] == "u1") is (outcome == SAME)


@pytest.mark.parametrize("setting", ["exact", "any_case"])
@pytest.mark.parametrize(
    ("there", "sent", "differ_in"),
    [
        ("bob@corp.example", "bob@corp.example", "nothing"),
        ("Bob@corp.example", "bob@Corp.Example", "case"),
        ("éva@corp.example", "Éva@corp.example", "case"),
        ("bob@corp.example", "bоb@corp.example", "letters"),  # a Cyrillic letter
        ("bob@corp.example", "bob@cоrp.example", "letters"),
        ("bob@corp.example", "ｂob@corp.example", "letters"),
        ("bob@corp.example", "bob@corp．example", "letters"),  # a full-width dot
        ("mike@corp.example", "mi\u212ae@corp.example", "letters"),
        ("mike@corp.example", "mıke@corp.example", "letters"),
        ("a@strasse.example", "a@straße.example", "letters"),
        ("a@xn--strae-oqa.example", "a@straße.example", "letters"),  # the same domain, written in two ways
        ("a@xn--strae-oqa.example", "a@XN--STRAE-OQA.example", "case"),
        ("bob@corp.example", "bob+1@corp.example", "letters"),
        ("bob.smith@corp.example", "bobsmith@corp.example", "letters"),
    ],
)
def test_emails_match_only_if_they_are_the_same_letters(
    make_face: Maker, there: str, sent: str, differ_in: str, setting: EmailCase
) -> None:
    okta = provider_with(make_face, attrs.evolve(VERIFIED, email=setting), account("u1", "u1", emails=email(there)))
    is_same = differ_in == "nothing" or (differ_in == "case" and setting == "any_case")
    assert (okta.created("/Users", userName="other", emails=email(sent)) == "u1") is is_same


def test_being_alike_goes_both_ways() -> None:
    letters = [chr(code) for code in range(0x2FFF) if not 0xD800 <= code < 0xE000]
    cases = {(one, other) for one in letters for other in (one, one.lower(), one.upper(), one.casefold())}
    assert all(is_alike(one, other) == is_alike(other, one) for one, other in cases)
    assert {one for one in letters if is_alike(one, "k")} == {"k", "K"}
    assert {one for one in letters if is_alike(one, "i")} == {"i", "I"}


# Attempts to take somebody else's account


@pytest.mark.parametrize(
    ("policy", "records", "sent"),
    [
        pytest.param(  # an address that nobody has proved may have been entered by anybody
            Adoption(on_existing="take_over"),
            [account("bob", "bob", emails=email("ceo@corp.example"))],
            {"userName": "ceo", "emails": email("ceo@corp.example")},
            id="no e-mail is verified unless the application says so",
        ),
        pytest.param(
            Adoption(on_existing="take_over", is_verified=lambda record, _: record.id != "bob"),
            [account("bob", "bob", emails=email("ceo@corp.example"))],
            {"userName": "ceo", "emails": email("ceo@corp.example")},
            id="this one is not",
        ),
        pytest.param(
            Adoption(on_existing="take_over", is_verified=always),
            [account("bob", "bob", managed("okta", external_id="1"), emails=email("shared@corp.example"))],
            {"userName": "carol", "externalId": "2", "emails": email("shared@corp.example")},
            id="two people of one connection share an address",
        ),
        pytest.param(
            Adoption(on_existing="take_over", is_verified=always),
            [account("bob", "bob", managed("okta", removed=True), emails=email("shared@corp.example"), active=False)],
            {"userName": "carol", "emails": email("shared@corp.example")},
            id="one of them has left",
        ),
        pytest.param(
            Adoption(on_existing="take_over", on_foreign="take"),
            [account("bob", "bob", managed("entra", external_id="1"), externalId="1")],
            {"userName": "carol", "externalId": "1"},
            id="the external id of another connection",
        ),
    ],
)
def test_what_points_to_nobody_makes_an_account_of_its_own(
    make_face: Maker, policy: Adoption, records: list[Record], sent: Document
) -> None:
    okta = provider_with(make_face, policy, *records)
    assert okta.created("/Users", **sent) != "bob"
    assert stored(okta, "bob") == records[0].document


def test_an_unverified_address_goes_on_record(make_face: Maker) -> None:
    policy = Adoption(on_existing="link", is_verified=lambda _, __: False)
    okta = provider_with(make_face, policy, BOB)
    okta.created("/Users", userName="other", emails=email("bob@corp.example"))
    assert [(note.what, note.detail) for note in okta.last.notes] == [
        ("not_linked", "bob has the e-mail address too, unverified")
    ]


@pytest.mark.parametrize("on_existing", ["link", "take_over"])
@pytest.mark.parametrize(
    ("records", "sent"),
    [
        pytest.param(
            [account("a", "bob"), account("b", "robert", emails=email("bob@corp.example"))],
            {"userName": "bob", "emails": email("bob@corp.example")},
            id="userName and e-mail point to two",
        ),
        pytest.param(
            [account("a", "a", emails=email("x@corp.example")), account("b", "b", emails=email("x@corp.example"))],
            {"userName": "c", "emails": email("x@corp.example")},
            id="an e-mail points to two",
        ),
        pytest.param(
            [account("a", "a", externalId="1"), account("b", "b", externalId="1")],
            {"userName": "c", "externalId": "1"},
            id="an externalId points to two",
        ),
        pytest.param(
            [account("a", "a", externalId="1"), account("b", "b")],
            {"userName": "b", "externalId": "1"},
            id="userName and externalId point to two",
        ),
        pytest.param(
            [account("a", "straße"), account("b", "b", emails=email("x@corp.example"))],
            {"userName": "strasse", "emails": email("x@corp.example")},
            id="a userName that looks alike, and the e-mail of another",
        ),
    ],
)
def test_an_ambiguous_account_is_never_linked(
    make_face: Maker, on_existing: Literal["link", "take_over"], records: list[Record], sent: Document
) -> None:
    okta = provider_with(make_face, Adoption(on_existing=on_existing, is_verified=always), *records)
    detail = okta.face.refused(okta.send("POST", "/Users", sent), 409, "uniqueness")
    assert not any(word in detail for word in ("bob", "robert", "corp.example", "u1"))
    assert [one.document for one in okta.face.stored()] == [record.document for record in records]


@pytest.mark.parametrize("verified", ["u5", "nobody"])
def test_an_address_of_very_many_accounts_is_nobodys(make_face: Maker, verified: str) -> None:
    records = [account(f"u{n}", f"u{n}", emails=email("x@corp.example")) for n in range(MOST_CANDIDATES + 1)]
    policy = Adoption(on_existing="take_over", is_verified=lambda record, _: record.id == verified)
    okta = provider_with(make_face, policy, *records)
    sent = {"userName": "c", "emails": email("x@corp.example")}
    okta.face.refused(okta.send("POST", "/Users", sent), 409, "uniqueness")
    assert stored(okta, "u5") == records[5].document


@pytest.mark.parametrize("on_existing", ["link", "take_over"])
@pytest.mark.parametrize(
    "sent", [{"userName": "bob@corp.example"}, {"userName": "x", "emails": email("bob@corp.example")}]
)
def test_a_privileged_account_is_never_linked(
    make_face: Maker, on_existing: Literal["link", "take_over"], sent: Document
) -> None:
    policy = Adoption(on_existing=on_existing, is_verified=always, is_privileged=lambda record: record.id == "bob")
    okta = provider_with(make_face, policy, BOB)
    detail = okta.face.refused(okta.send("POST", "/Users", sent), 409, "uniqueness")
    assert "bob" not in detail
    assert "privileged" not in detail
    assert stored(okta, "bob") == BOB.document
    assert [event.happening for event in okta.face.refusals] == ["refused"]


def test_an_account_of_another_tenant_does_not_exist(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over", is_verified=always))
    with okta.face.storage.session(Tenant("globex")) as session:
        session.insert(BOB)
    sent = {"userName": "bob@corp.example", "externalId": "1", "emails": email("bob@corp.example")}
    assert okta.created("/Users", **sent) != "bob"
    assert [one.document for one in okta.face.stored("globex")] == [BOB.document]


def test_hooks_may_wait(make_face: Maker) -> None:
    async def is_verified(_: Record, address: str) -> bool:
        return address == "bob@corp.example"

    async def is_privileged(record: Record) -> bool:
        return record.document.get("title") == "Owner"

    owner = account("o", "owner", title="Owner")
    policy = Adoption(on_existing="link", is_verified=is_verified, is_privileged=is_privileged)
    okta = provider_with(make_face, policy, BOB, owner)
    assert okta.created("/Users", userName="x", emails=email("bob@corp.example")) == "bob"
    okta.face.refused(okta.send("POST", "/Users", {"userName": "owner"}), 409, "uniqueness")


# What connections provision already


@pytest.mark.parametrize("on_existing", ["refuse", "link", "take_over"])
@pytest.mark.parametrize("sent", [{"userName": "bob"}, {"userName": "BOB", "externalId": "2"}])
def test_a_connection_that_creates_its_own_account_again_is_refused(
    make_face: Maker, on_existing: Literal["refuse", "link", "take_over"], sent: Document
) -> None:
    there = account("bob", "bob", managed("okta", external_id="1"), externalId="1")
    okta = provider_with(make_face, Adoption(on_existing=on_existing), there)
    okta.face.refused(okta.send("POST", "/Users", sent), 409, "uniqueness")
    assert stored(okta, "bob") == there.document


def test_an_account_that_the_connection_has_only_suspended_is_a_duplicate(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over"))
    id = okta.created("/Users", userName="bob")
    okta.set(f"/Users/{id}", active=False)
    okta.face.refused(okta.send("POST", "/Users", {"userName": "bob", "active": True}), 409, "uniqueness")
    assert stored(okta, id)["active"] is False


def test_a_connection_may_create_its_own_account_again_and_so_update_it(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="take_over", again="update"), BOB)
    id = okta.created("/Users", userName="carol", externalId="1", title="Clerk", displayName="Carol")
    again = okta.created("/Users", userName="Carol", externalId="2", displayName="Carol B.")
    assert again == id
    assert (okta.last.happening, okta.noted) == ("adopted", ["created_again"])
    after = stored(okta, id)
    assert (after["userName"], after["title"], after["displayName"]) == ("Carol", "Clerk", "Carol B.")
    assert provenance_of(after).links[0].external_id == after["externalId"] == "2"
    assert okta.created("/Users", userName="carol", externalId="2", displayName="Carol B.") == id
    # What it has only a link to it does not write this way either.
    linking = provider_with(make_face, Adoption(on_existing="link", again="update"), BOB)
    for _ in range(2):
        assert linking.created("/Users", userName="bob@corp.example", title="Boss") == "bob"
    assert stored(linking, "bob")["title"] == "Clerk"


def test_a_suspended_account_that_is_created_again_is_active_again(make_face: Maker) -> None:
    policies = (Adoption(on_existing="take_over", again="update"), Ownership(), Leaving())
    okta = client_of(make_face, *policies)
    id = okta.created("/Users", userName="bob")
    okta.set(f"/Users/{id}", active=False)
    assert okta.created("/Users", userName="bob", active=True) == id
    assert stored(okta, id)["active"] is True
    assert okta.noted == ["created_again", "reactivated"]


# An account that was found by its address is called otherwise by the connection


def found_by_address(
    make_face: Maker, on_existing: Literal["link", "take_over"], again: Literal["refuse", "update"] = "refuse"
) -> Client:
    """Okta, which calls the account of Bob by another name and has adopted it."""
    okta = provider_with(make_face, Adoption(on_existing=on_existing, again=again, is_verified=always), BOB)
    assert okta.created("/Users", userName="b.smith", emails=email("bob@corp.example")) == "bob"
    assert stored(okta, "bob")["userName"] == "bob@corp.example"
    return okta


@pytest.mark.parametrize("on_existing", ["link", "take_over"])
@pytest.mark.parametrize("user_name", ["b.smith", "B.Smith"])
def test_an_adopted_account_that_is_created_again_is_no_second_one(
    make_face: Maker, on_existing: Literal["link", "take_over"], user_name: str
) -> None:
    sent = {"userName": user_name, "emails": email("bob@corp.example")}
    okta = found_by_address(make_face, on_existing)
    okta.face.refused(okta.send("POST", "/Users", sent), 409, "uniqueness")
    again = found_by_address(make_face, on_existing, "update")
    assert again.created("/Users", **sent) == "bob"
    assert again.noted[0] == "created_again"
    assert len(again.face.stored()) == 1


def test_an_adopted_account_that_was_removed_comes_back_by_the_name_that_its_connection_has_for_it(
    make_face: Maker,
) -> None:
    policies = (Adoption(on_existing="take_over", is_verified=always), Ownership(), Leaving(on_delete="soft_delete"))
    okta = client_of(make_face, *policies)
    keep(okta.face.storage, BOB)
    sent = {"userName": "b.smith", "emails": email("bob@corp.example")}
    assert okta.created("/Users", **sent) == "bob"
    assert okta.send("DELETE", "/Users/bob").status == 204
    assert okta.created("/Users", **sent) == "bob"
    assert okta.noted == ["revived", "reactivated"]


@pytest.mark.parametrize("on_existing", ["link", "take_over"])
def test_who_has_the_name_next_is_another_person(make_face: Maker, on_existing: Literal["link", "take_over"]) -> None:
    okta = found_by_address(make_face, on_existing)
    another = okta.created("/Users", userName="bob.2", emails=email("bob@corp.example"))
    assert another != "bob"
    renamed = {"userName": "robert", "emails": email("bob@corp.example")}
    assert okta.send("PUT", "/Users/bob", renamed).status == 200
    assert okta.created("/Users", userName="b.smith", emails=email("bob@corp.example")) not in ("bob", another)


def test_the_name_is_kept_only_where_it_is_not_the_accounts(make_face: Maker) -> None:
    okta = found_by_address(make_face, "take_over")
    assert facts_of(okta, "bob").links[0].user_name == "b.smith"
    okta.set("/Users/bob", title="Boss")
    assert facts_of(okta, "bob").links[0].user_name == "b.smith"
    okta.set("/Users/bob", userName="b.smith")
    assert facts_of(okta, "bob").links[0].user_name is None
    linked = found_by_address(make_face, "link")
    for name, kept in (("bobby", "bobby"), ("b.smith", "b.smith"), ("bob@corp.example", None)):
        assert linked.send("PUT", "/Users/bob", {"userName": name}).status == 200
        assert facts_of(linked, "bob").links[0].user_name == kept
    by_name = provider_with(make_face, Adoption(on_existing="take_over"), BOB)
    by_name.created("/Users", userName="BOB@corp.example")
    assert facts_of(by_name, "bob").links[0].user_name is None


@pytest.mark.parametrize(
    ("on_existing", "on_foreign", "manager", "notes"),
    [
        ("link", "share", "entra", ["linked", "ignored"]),
        ("take_over", "share", "entra", ["linked", "ignored"]),
        ("link", "take", "entra", ["linked", "ignored"]),
        ("take_over", "take", "okta", ["taken_over"]),
    ],
)
def test_an_account_of_another_connection_is_not_stolen(
    make_face: Maker,
    on_existing: Literal["link", "take_over"],
    on_foreign: Literal["share", "take"],
    manager: str,
    notes: list[str],
) -> None:
    there = account("bob", "bob", managed("entra", external_id="E"), externalId="E", title="Clerk")
    okta = provider_with(make_face, Adoption(on_existing=on_existing, on_foreign=on_foreign), there)
    answer = okta.send("POST", "/Users", {"userName": "bob", "externalId": "O", "title": "Boss"})
    assert (answer.status, answer.body["id"]) == (201, "bob")
    facts = facts_of(okta, "bob")
    assert facts.managed_by == manager
    assert [(link.connection, link.external_id) for link in facts.links] == [("entra", "E"), ("okta", "O")]
    assert stored(okta, "bob")["externalId"] == ("E" if manager == "entra" else "O")
    assert stored(okta, "bob")["title"] == ("Clerk" if manager == "entra" else "Boss")
    assert okta.noted == notes


@pytest.mark.parametrize("on_existing", ["link", "take_over"])
def test_an_account_of_another_connection_can_be_refused(
    make_face: Maker, on_existing: Literal["link", "take_over"]
) -> None:
    there = account("bob", "bob", managed("entra"))
    okta = provider_with(make_face, Adoption(on_existing=on_existing, on_foreign="refuse"), there)
    detail = okta.face.refused(okta.send("POST", "/Users", {"userName": "bob"}), 409, "uniqueness")
    assert "entra" not in detail
    assert stored(okta, "bob") == there.document


def test_an_account_that_its_connection_has_removed_is_handed_to_the_next(make_face: Maker) -> None:
    facts = managed("entra", removed=True, purge_after=NOW, former_groups=("g1",))
    there = account("bob", "bob", facts, active=False, emails=email("bob@corp.example"))
    okta = provider_with(make_face, Adoption(on_existing="link"), there)
    okta.created("/Users", userName="bob", emails=email("bob@evil.example"))
    document = stored(okta, "bob")
    assert (document["active"], document["emails"]) == (True, email("bob@corp.example"))
    after = provenance_of(document)
    assert (after.managed_by, after.purge_after, after.former_groups) == ("okta", None, ())
    assert okta.noted == ["handed_over", "ignored"]


# What the connection had removed comes back


REMOVED: Final = managed("okta", external_id="1", removed=True, purge_after=NOW, former_groups=("g1", "gone"))


@pytest.mark.parametrize("on_existing", ["refuse", "link", "take_over"])
@pytest.mark.parametrize(
    "sent",
    [
        {"userName": "BOB", "externalId": "2", "title": "Boss"},
        {"userName": "robert", "externalId": "1", "title": "Boss"},
    ],
)
def test_a_removed_account_is_revived_with_its_id(
    make_face: Maker, on_existing: Literal["refuse", "link", "take_over"], sent: Document
) -> None:
    there = account("bob", "bob", REMOVED, active=False, externalId="1", nickName="Bo", emails=email("b@corp.example"))
    okta = provider_with(make_face, Adoption(on_existing=on_existing), there)
    keep(okta.face.storage, GROUP)
    assert okta.send("GET", "/Users/bob").status == 404
    answer = okta.send("POST", "/Users", {**sent, "emails": email("new@corp.example")})
    assert (answer.status, answer.body["id"], answer.body["active"]) == (201, "bob", True)
    assert [one["value"] for one in answer.body["groups"]] == ["g1"]
    shown = okta.send("GET", "/Users/bob").body
    assert {name: shown[name] for name in sent} == sent
    assert (shown["nickName"], shown["emails"][0]["value"]) == ("Bo", "new@corp.example")
    assert [one["value"] for one in shown["groups"]] == ["g1"]
    facts = facts_of(okta, "bob")
    assert facts == managed("okta", external_id=str(sent["externalId"]))
    assert okta.noted == ["revived"]


def test_a_revived_account_need_not_return_to_its_groups(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(restore_groups=False), account("bob", "bob", REMOVED, active=False))
    group = Record(
        resource_type=PROVISIONED_GROUP,
        id="g1",
        document={"id": "g1", "displayName": "G"},
        created=NOW,
        last_modified=NOW,
    )
    keep(okta.face.storage, group)
    assert "groups" not in okta.send("POST", "/Users", {"userName": "bob"}).body
    assert facts_of(okta, "bob").former_groups == ()


def test_an_account_revived_as_inactive_waits_for_its_groups(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(), account("bob", "bob", REMOVED, active=False))
    okta.created("/Users", userName="bob", active=False)
    facts = facts_of(okta, "bob")
    assert (facts.former_groups, facts.links[0].removed, facts.links[0].active) == (("g1", "gone"), None, False)
    assert okta.send("GET", "/Users/bob").body["active"] is False


def test_a_revived_account_cannot_take_the_name_of_another(make_face: Maker) -> None:
    there = account("bob", "bob", REMOVED, active=False, externalId="1")
    okta = provider_with(make_face, Adoption(), there, account("eve", "eve"))
    okta.face.refused(okta.send("POST", "/Users", {"userName": "eve", "externalId": "1"}), 409, "uniqueness")
    assert stored(okta, "bob") == there.document


def test_a_manual_account_that_the_connection_let_go_of_is_only_linked_again(make_face: Maker) -> None:
    okta = provider_with(make_face, Adoption(on_existing="link"), BOB)
    okta.created("/Users", userName="bob@corp.example")
    assert okta.send("DELETE", "/Users/bob").status == 204
    assert okta.send("GET", "/Users/bob").status == 404
    assert okta.created("/Users", userName="bob@corp.example", title="Boss") == "bob"
    assert okta.noted == ["linked", "ignored"]
    assert (stored(okta, "bob")["title"], facts_of(okta, "bob").managed_by) == ("Clerk", None)
    assert facts_of(okta, "bob").links[0].is_live


# Writing to an account that was found without a create


@pytest.mark.parametrize(
    ("by_id", "on_existing", "manager", "title"),
    [
        (True, "take_over", "okta", "Boss"),
        (True, "link", None, "Clerk"),
        (False, "take_over", None, "Clerk"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_by_id_takes_over_if_told_to(
    make_face: Maker,
    method: str,
    by_id: bool,
    on_existing: Literal["link", "take_over"],
    manager: str | None,
    title: str,
) -> None:
    okta = provider_with(make_face, Adoption(on_existing=on_existing, by_id=by_id), BOB)
    sent: Document = {"userName": "eve@evil.example", "title": "Boss", "emails": email("eve@evil.example")}
    operations: Json = [{"op": "replace", "value": sent}]
    assert okta.send(method, "/Users/bob", sent if method == "PUT" else {"Operations": operations}).status == 200
    document = stored(okta, "bob")
    assert {**document, PROVISIONING_URN: None} == {**BOB.document, "title": title, PROVISIONING_URN: None}
    assert provenance_of(document).managed_by == manager


def test_a_suspension_by_id_takes_nothing_over(make_face: Maker) -> None:
    policies = (Adoption(on_existing="take_over", by_id=True), Ownership(), Leaving(on_deactivate="delete"))
    okta = client_of(make_face, *policies)
    with okta.face.storage.session(ACME) as session:
        session.insert(BOB)
    assert okta.set("/Users/bob", active=False).status == 200
    after = stored(okta, "bob")
    assert (after.get("active"), provenance_of(after).managed_by) == (BOB.document.get("active"), None)
    assert okta.noted == ["retained"]


def test_a_write_by_id_does_not_take_over_a_privileged_account(make_face: Maker) -> None:
    policy = Adoption(on_existing="take_over", by_id=True, is_privileged=lambda _: True)
    okta = provider_with(make_face, policy, BOB)
    okta.face.refused(okta.set("/Users/bob", title="Boss"), 403)
    assert stored(okta, "bob") == BOB.document


def test_a_write_by_id_does_not_take_what_another_connection_manages(make_face: Maker) -> None:
    there = account("bob", "bob", managed("entra"), title="Clerk")
    okta = provider_with(make_face, Adoption(on_existing="take_over", by_id=True), there)
    okta.set("/Users/bob", title="Boss")
    assert (stored(okta, "bob")["title"], facts_of(okta, "bob").managed_by) == ("Clerk", "entra")


# The rest


@pytest.mark.parametrize(
    "settings",
    [{"on_existing": "steal"}, {"match": ("title",)}, {"email": "fuzzy"}, {"on_foreign": "keep"}],
)
def test_an_unknown_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        Adoption(**settings)  # type: ignore[arg-type]  # as a configuration file may have it


def test_groups_are_no_business_of_it(make_face: Maker) -> None:
    client = client_of(make_face, Adoption(on_existing="link"))
    assert client.created("/Groups", displayName="Guides")


class Rival:
    """A policy that has somebody else create the account between the look and the write."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.client: Client | None = None

    async def decided(self, intent: object, session: Session) -> object:  # noqa: ARG002
        if self.client is not None:
            keep(self.client.face.storage, self.record)
            self.client = None
        return intent


def test_an_account_that_appears_in_between_is_adopted(make_face: Maker) -> None:
    rival = Rival(BOB)
    face = connected(make_face, {"okta": (Adoption(on_existing="take_over"), rival, Ownership())})  # type: ignore[dict-item]
    rival.client = Client(face)
    assert Client(face).created("/Users", userName="bob@corp.example", title="Boss") == "bob"
    assert facts_of(Client(face), "bob").managed_by == "okta"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_every_storage_finds_links_and_revives(kind: str, tmp_path: Path) -> None:
    policies = (Adoption(on_existing="take_over", is_verified=always, email="any_case"), Ownership())
    with storage_of(kind, tmp_path) as storage:
        keep(storage, BOB, account("anna", "anna", REMOVED, active=False))
        provider = ScimProvider(
            storage,
            authenticate=lambda _: Caller(tenant=ACME, connection="okta"),
            resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
            connections=[Connection(name="okta", tenant=ACME, policies=policies)],
        )

        def posted(body: str) -> tuple[int, bool]:
            response = provider.handle_sync(Request("POST", "/Users", body=body.encode()))
            return response.status, b'"id":"bob"' in response.body or b'"id":"anna"' in response.body

        assert posted('{"userName": "robert", "emails": [{"value": "BOB@corp.example"}]}') == (201, True)
        assert posted('{"userName": "Anna"}') == (201, True)
        assert posted('{"userName": "ａnna"}') == (409, False)
        assert posted('{"userName": "carol"}') == (201, False)
