"""Somebody who controls an identity provider tries to make other people's accounts and groups his own.

Each attempt has a decided answer: it is refused, or it is accepted and what was there before is as it was. Whatever the
answer is, it tells nothing of the account or the group that it was about but that a name is taken.
"""

from collections.abc import Mapping
from typing import Final

import pytest
from tests.hostile.company import EVIL, GOOD, PATCH, World, check_silent, mail, plain, read, user, world_of

from scimcore.profiles import HARNESS_GROUP
from scimcore.provisioning.provenance import PROVISIONING_URN, provenance_of
from scimcore.storage.protocol import Storage, SyncStorage


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("root@acme.example", 409),
        ("ROOT@Acme.Example", 409),
        ("ｒoot@acme.example", 409),
        ("ａlice@acme.example", 409),
        ("alice@acme．example", 409),
        ("mi\u212ae@acme.example", 409),  # the Kelvin sign, whose lower case is k
        ("MI\u212aE@ACME.EXAMPLE", 409),
        ("alice@acme.example\0", 400),
        ("ali\ud800ce@acme.example", 400),
        ("", 400),
    ],
)
def test_a_name_that_counts_as_a_protected_one_or_as_one_in_other_letters_is_refused(
    world: World, name: str, status: int
) -> None:
    before = world.owned()
    answer = world.post("/Users", userName=name, displayName="Mallory", emails=mail("mallory@evil.example"))
    assert answer.status == status
    check_silent(answer)
    assert world.owned() == before


@pytest.mark.parametrize(
    "name",
    [
        "\u0430lice@acme.example",  # a Cyrillic letter
        "al\u0131ce@acme.example",  # i without a dot
        "AL\u0130CE@acme.example",  # I with one
        "alice\u0301@acme.example",
        "alice@acme.example ",
        "alice@acme.example\n",
        "ali\u200bce@acme.example",
        "ali\u00adce@acme.example",
        "\ufeffalice@acme.example",
        "alice@\u0430cme.example",
        "../alice@acme.example",
        'alice@acme.example" or userName pr or userName eq "',
        "alice%",
        "_lice@acme.example",
    ],
)
def test_a_name_that_only_looks_like_anothers_is_another_name_and_opens_nothing(world: World, name: str) -> None:
    before = world.owned()
    answer = world.post("/Users", userName=name, displayName="Mallory", emails=mail("mallory@evil.example"))
    assert answer.status == 201
    assert read(answer)["id"] not in before
    assert world.owned() == before


def test_a_name_in_another_case_is_the_same_name_and_its_account_is_taken_over_as_it_is(world: World) -> None:
    answer = world.post("/Users", userName="ALICE@acme.example", emails=mail("mallory@evil.example"), roles=["owner"])
    assert (answer.status, read(answer)["id"]) == (201, "id-of-alice")
    alice = world.owned()["id-of-alice"]
    assert {**user("alice"), "managedBy": EVIL} == alice


@pytest.mark.parametrize("address", ["root@acme.example", "alice@acme.example", "ａlice@acme.example"])
def test_an_e_mail_address_opens_no_account_whose_owner_has_not_proved_it_or_who_is_privileged(
    world: World, address: str
) -> None:
    before = world.owned()
    answer = world.post("/Users", userName="mallory@evil.example", emails=mail(address))
    assert answer.status in (201, 409)
    if answer.status == 409:
        check_silent(answer)
    else:
        assert read(answer)["id"] not in before
    assert world.owned() == before


def test_an_address_in_the_second_place_or_in_another_list_opens_nothing_either(world: World) -> None:
    before = world.owned()
    both = [{"value": "mallory@evil.example", "primary": True}, {"value": "root@acme.example"}]
    answer = world.post("/Users", userName="m@evil.example", emails=both, ims=mail("root@acme.example"))
    assert answer.status == 201
    assert world.owned() == before


def test_an_account_found_by_a_verified_address_keeps_its_name_and_its_addresses(
    storage: Storage | SyncStorage,
) -> None:
    world = world_of(storage, "standard")
    answer = world.post("/Users", userName="mallory@evil.example", emails=mail("carol@acme.example"))
    assert read(answer)["id"] == "id-of-carol"
    carol = world.owned()["id-of-carol"]
    assert (carol["userName"], carol["emails"]) == ("carol", user("carol")["emails"])


@pytest.mark.parametrize("external_id", ["E-root", "e-root", "00u-victor"])
def test_a_number_that_belongs_to_another_provider_or_to_a_privileged_account_opens_nothing(
    world: World, external_id: str
) -> None:
    victor = read(world.post("/Users", GOOD, userName="victor@acme.example", externalId="00u-victor"))["id"]
    before = world.owned()
    answer = world.post("/Users", userName="mallory@evil.example", externalId=external_id)
    assert answer.status in (201, 409)
    if answer.status == 409:
        check_silent(answer)
    else:
        assert read(answer)["id"] not in {*before, victor}
    assert world.owned() == before


NEW_NAMES: Final = (
    "victor@acme.example",
    "VICTOR@acme.example",
    "ｖictor@acme.example",
    "root@acme.example",
    "ROOT@acme.example",
    "alice@acme.example",
    "mi\u212ae@acme.example",
)


@pytest.mark.parametrize("name", NEW_NAMES)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_account_cannot_be_renamed_to_what_counts_as_anothers_name(world: World, name: str, method: str) -> None:
    world.post("/Users", GOOD, userName="victor@acme.example")
    own = read(world.post("/Users", userName="mallory@evil.example"))["id"]
    before = world.owned()
    if method == "PUT":
        answer = world.send("PUT", f"/Users/{own}", {"userName": name, "emails": mail(name)})
    else:
        answer = world.patch(f"/Users/{own}", {"op": "replace", "path": "userName", "value": name})
    assert answer.status == 409
    check_silent(answer)
    assert world.document(world.user_type, own)["userName"] == "mallory@evil.example"
    assert world.owned() == before


def replaced(**values: object) -> dict[str, object]:
    return {"op": "replace", "value": values}


WRITES: Final[Mapping[str, tuple[str, object]]] = {
    "put": ("PUT", {"userName": "mallory@evil.example", "displayName": "Mine", "emails": mail("mallory@evil.example")}),
    "suspended": ("PATCH", {"schemas": [PATCH], "Operations": [replaced(active=False)]}),
    "renamed": ("PATCH", {"schemas": [PATCH], "Operations": [replaced(userName="mallory@evil.example")]}),
    "readdressed": ("PATCH", {"schemas": [PATCH], "Operations": [replaced(emails=mail("mallory@evil.example"))]}),
    "deleted": ("DELETE", None),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_to_a_privileged_account_by_its_id_is_refused_or_not_stored(world: World, write: str) -> None:
    before = world.owned()
    method, body = WRITES[write]
    answer = world.send(method, "/Users/id-of-root", body)
    assert answer.status in (200, 204, 403, 404)
    assert "privileged" not in answer.body.decode()
    assert world.owned() == before
    # To have written to it once, or to have deleted it, is no way to get it by creating it.
    again = world.post("/Users", userName="root@acme.example", displayName="Mine", roles=["owner"])
    assert again.status in (201, 409)
    assert world.owned() == before


@pytest.mark.parametrize("write", WRITES)
def test_a_write_to_what_another_provider_manages_is_accepted_and_not_stored(world: World, write: str) -> None:
    created = world.post("/Users", GOOD, userName="victor@acme.example", displayName="Victor", active=True)
    victor = read(created)["id"]
    before = plain(world.document(world.user_type, victor))
    method, body = WRITES[write]
    answer = world.send(method, f"/Users/{victor}", body)
    assert answer.status in (200, 204)
    assert plain(world.document(world.user_type, victor)) == before
    assert before["managedBy"] == GOOD


def test_who_manages_an_account_is_not_for_a_client_to_say(world: World) -> None:
    victor = read(world.post("/Users", GOOD, userName="victor@acme.example"))["id"]
    claim = {"managedBy": GOOD, "connections": [{"value": GOOD, "active": True}]}
    own = read(world.send("POST", "/Users", {"userName": "mallory@evil.example", PROVISIONING_URN: claim}))["id"]
    assert provenance_of(world.document(world.user_type, own)).managed_by == EVIL
    for id in (own, victor):
        answer = world.patch(f"/Users/{id}", {"op": "replace", "path": f"{PROVISIONING_URN}:managedBy", "value": EVIL})
        assert (answer.status, read(answer)["scimType"]) == (400, "mutability")
    assert provenance_of(world.document(world.user_type, victor)).managed_by == GOOD


@pytest.mark.parametrize(
    "name", ["admins", " admins ", "ádmins", "admins?", "ａadmins", "ad\u200bmins", "\u0430admins"]
)
def test_a_group_whose_name_becomes_a_privileged_identifier_is_refused(
    storage: Storage | SyncStorage, name: str
) -> None:
    world = world_of(storage, "harness")
    before = world.owned()
    answer = world.post("/Groups", displayName=name, members=[{"value": "id-of-mike"}])
    assert answer.status == 409
    check_silent(answer)
    assert world.owned() == before


@pytest.mark.parametrize(
    ("name", "status"),
    [("admins", 409), ("ADMINS", 409), ("ａdmins", 409), ("OPS", 409), ("ádmins", 201), ("\u0430dmins", 201)],
)
def test_a_group_with_a_privileged_name_is_refused_and_one_that_looks_like_it_is_another(
    storage: Storage | SyncStorage, name: str, status: int
) -> None:
    world = world_of(storage, "standard")
    before = world.owned()
    answer = world.post("/Groups", displayName=name, members=[{"value": "id-of-mike"}])
    assert answer.status == status
    if status == 409:
        check_silent(answer)
    assert world.owned() == before


@pytest.mark.parametrize(
    "name",
    [
        "開発",
        "???",
        "   ",
        "$9",
        "org",
        "account",
        "null",
        "new",
        "stepGroup",
        "_harness_system",
        "bulkId",
        "a" * 129,
        "a\0",
    ],
)
def test_a_group_name_that_becomes_no_identifier_or_a_reserved_word_is_refused(
    storage: Storage | SyncStorage, name: str
) -> None:
    world = world_of(storage, "harness")
    before = world.owned()
    answer = world.post("/Groups", displayName=name, members=[{"value": "id-of-mike"}])
    assert answer.status == 400
    check_silent(answer)
    assert world.owned() == before


@pytest.mark.parametrize(
    ("name", "id"), [("admins", "admins_2"), ("ádmins", "admins_2"), ("org", "org_2"), ("ops!", "ops_2")]
)
def test_where_both_are_kept_a_name_that_is_taken_or_reserved_gets_an_identifier_of_its_own(
    storage: Storage | SyncStorage, name: str, id: str
) -> None:
    world = world_of(storage, "harness", groups="keep_both")
    before = world.owned()
    answer = world.post("/Groups", displayName=name, members=[{"value": "id-of-mike"}])
    assert (answer.status, read(answer)["id"]) == (201, id)
    assert world.owned() == before


@pytest.mark.parametrize("group", ["admins", "ops"])
def test_nobody_gets_into_a_group_of_the_applications_own_by_its_id(world: World, group: str) -> None:
    before = world.owned()
    member = [{"value": "id-of-mike"}]
    answers = [
        world.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": member}),
        world.send("PUT", f"/Groups/{group}", {"displayName": "mine", "members": member}),
        world.send("DELETE", f"/Groups/{group}"),
    ]
    assert {answer.status for answer in answers} <= {200, 204, 404}
    assert world.owned() == before


def test_a_group_that_is_given_a_privileged_name_later_gets_nothing_by_it(world: World) -> None:
    own = read(world.post("/Groups", displayName="mine", members=[{"value": "id-of-mike"}]))["id"]
    before = world.owned()
    answer = world.patch(f"/Groups/{own}", {"op": "replace", "path": "displayName", "value": "admins"})
    # Where names are no keys two groups may share one: the identifier, on which everything hangs, stays.
    assert answer.status == (204 if world.group_type is HARNESS_GROUP else 409)
    check_silent(answer)
    assert world.document(world.group_type, own)["id"] == own
    assert world.owned() == before


def test_a_second_provider_changes_no_member_of_what_the_first_one_pushed(world: World) -> None:
    members = [{"value": "id-of-alice"}]
    team = read(world.post("/Groups", GOOD, displayName="team", members=members))["id"]
    before = plain(world.document(world.group_type, team))
    answers = [
        world.post("/Groups", displayName="team", members=[{"value": "id-of-mike"}]),
        world.patch(f"/Groups/{team}", {"op": "add", "path": "members", "value": [{"value": "id-of-mike"}]}),
        world.patch(f"/Groups/{team}", {"op": "replace", "path": "displayName", "value": "mine"}),
        world.send("DELETE", f"/Groups/{team}"),
    ]
    assert all(answer.status < 300 for answer in answers)
    assert plain(world.document(world.group_type, team)) == before
