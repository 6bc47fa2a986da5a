"""OneLogin and a platform in the manner of Harness: people by PUT, their e-mail for good, groups by name.

What OneLogin sends is from "Implement your SCIM API" and from a simulation of its calls; what the platform takes of it
from Harness Developer Hub, "Provision users and groups with OneLogin SCIM": first name, last name, e-mail, no more, and
an e-mail that cannot change once it is provisioned. Whether somebody who is taken out of the application is deleted or
suspended is for OneLogin's administrator to choose.
"""

from collections.abc import Iterator
from typing import Final

import pytest
from tests.stories.conftest import ACCOUNT, Answer, Client, Platform

from scimcore import ScimProvider
from scimcore.dialects import OKTA, ONELOGIN
from scimcore.profiles import HARNESS_GROUP, IdentityProvider, harness_profile
from scimcore.provisioning.provenance import PROVISIONING_URN

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"

PROVIDERS: Final = (
    IdentityProvider(name="onelogin", account=ACCOUNT, dialect=ONELOGIN),
    IdentityProvider(name="onelogin-suspending", account=ACCOUNT, dialect=ONELOGIN, leavers="suspended"),
    IdentityProvider(name="okta", account=ACCOUNT, dialect=OKTA),
)


def served(platform: Platform) -> ScimProvider:
    return harness_profile(
        platform.storage,
        authenticate=platform.tokens.authenticate,
        providers=PROVIDERS,
        clock=platform.clock,
        on_event=platform.audit,
        on_bug=platform.on_bug,
    )


@pytest.fixture
def onelogin(platform: Platform) -> Iterator[Client]:
    with platform.serving(served) as connect:
        yield connect(platform.secret("onelogin"))


def person(email: str, given: str, family: str, **more: object) -> dict[str, object]:
    """What the default template makes of a person; administrators edit it, so the keys come in any order."""
    return {
        "userName": email,
        "name": {"givenName": given, "familyName": family},
        "schemas": [USER],
        "emails": [{"value": email, "type": "work", "primary": True}],
        "active": True,
        **more,
    }


def assigned(onelogin: Client, email: str, given: str = "Hans", family: str = "Mueller", **more: object) -> str:
    assert onelogin.get("/Users", filter=f'userName eq "{email}"').status == 200
    answer = onelogin.post("/Users", person(email, given, family, **more))
    assert answer.status == 201, answer.body
    return answer.id


def pushed(onelogin: Client, name: str) -> str:
    """The id of the group that has a name among all groups; a new one if none has."""
    known = {one["displayName"]: one["id"] for one in onelogin.get("/Groups", count=100, startIndex=1).found}
    if name not in known:
        known[name] = onelogin.post("/Groups", {"displayName": name, "schemas": [GROUP]}).id
    return str(known[name])


def put_in(onelogin: Client, group: str, *members: str) -> Answer:
    value = [{"value": member} for member in members]
    return onelogin.patch(f"/Groups/{group}", {"value": value, "op": "add", "path": "members"})


def taken_out(onelogin: Client, group: str, *members: str) -> Answer:
    value = [{"value": member} for member in members]
    return onelogin.patch(f"/Groups/{group}", {"value": value, "op": "remove", "path": "members"})


def test_the_connection_is_tested_and_every_answer_is_plain_json(onelogin: Client) -> None:
    hans = assigned(onelogin, "hans@acme.example")
    answers = [
        onelogin.get("/Users", filter='userName eq "never-existing-user"'),
        onelogin.get(f"/Users/{hans}"),
        onelogin.get("/Users/nobody"),
        onelogin.post("/Users", {"schemas": [USER]}),
    ]
    assert [answer.status for answer in answers] == [200, 200, 404, 400]
    assert answers[0].found == []
    assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == ["application/json"] * 4
    # It reads how to authenticate when the settings are saved, and anybody may.
    assert onelogin.get("/ServiceProviderConfig").status == 200


def test_first_name_last_name_and_e_mail_are_synced_and_nothing_else(platform: Platform, onelogin: Client) -> None:
    numbers = [{"value": "555"}]
    hans = assigned(onelogin, "hans@acme.example", title="CTO", displayName="Hansi", phoneNumbers=numbers, locale="de")
    account = {name: value for name, value in platform.account(hans).items() if name != PROVISIONING_URN}
    assert account == {
        "id": hans,
        "userName": "hans@acme.example",
        "name": {"givenName": "Hans", "familyName": "Mueller"},
        "emails": [{"value": "hans@acme.example", "type": "work", "primary": True}],
        "displayName": "Hans Mueller",
        "active": True,
    }
    # The template for the enterprise schema has one object where a list belongs.
    married = person("hans@acme.example", "Hans", "Meier", title="CEO", emails={"value": "hans@acme.example"})
    answer = onelogin.put(f"/Users/{hans}", married)
    assert (answer.status, answer.body["displayName"], answer.body.get("title")) == (200, "Hans Meier", None)


@pytest.mark.parametrize(
    "change",
    [
        {"userName": "h.mueller@acme.example", "emails": [{"value": "h.mueller@acme.example", "primary": True}]},
        {"emails": [{"value": "h.mueller@acme.example", "type": "work", "primary": True}]},
        {"userName": "h.mueller@acme.example"},
    ],
)
def test_the_e_mail_of_a_provisioned_user_cannot_change(
    platform: Platform, onelogin: Client, change: dict[str, object]
) -> None:
    hans = assigned(onelogin, "hans@acme.example")
    before = platform.account(hans)
    answer = onelogin.put(f"/Users/{hans}", person("hans@acme.example", "Hans", "Meier", **change))
    assert (answer.status, answer.body["scimType"]) == (400, "mutability")
    assert platform.account(hans) == before
    assert [entry["happening"] for entry in platform.recorded() if "resourceType" not in entry][-1] == "refused"
    # In other letters, or left out, it is the same address.
    unchanged: list[dict[str, object]] = [
        {"userName": "HANS@acme.example"},
        {"emails": [{"value": "Hans@Acme.example"}]},
        {"emails": []},
    ]
    for same in unchanged:
        assert onelogin.put(f"/Users/{hans}", person("hans@acme.example", "Hans", "Mueller", **same)).status == 200
    assert platform.account(hans)["userName"] == "hans@acme.example"
    assert [one["value"] for one in onelogin.get(f"/Users/{hans}").body["emails"]] == ["hans@acme.example"]


def test_groups_are_matched_by_their_names_and_lose_the_members_that_are_listed(
    platform: Platform, onelogin: Client
) -> None:
    hans, greta = assigned(onelogin, "hans@acme.example"), assigned(onelogin, "greta@acme.example", "Greta")
    team = pushed(onelogin, "team-a")
    assert (team, pushed(onelogin, "team-a")) == ("team_a", "team_a")
    assert put_in(onelogin, team, hans, greta).status == 204
    assert taken_out(onelogin, team, hans).status == 204
    assert platform.members(team) == {greta}
    assert taken_out(onelogin, team, hans).status == 204
    assert platform.members(team) == {greta}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_who_is_taken_out_is_deleted_where_the_administrator_said_delete(
    platform: Platform, onelogin: Client, method: str
) -> None:
    hans, greta = assigned(onelogin, "hans@acme.example"), assigned(onelogin, "greta@acme.example", "Greta")
    team = pushed(onelogin, "team-a")
    assert put_in(onelogin, team, hans, greta).status == 204
    # It takes a leaver out of each group first.
    assert taken_out(onelogin, team, hans).status == 204
    if method == "PUT":
        assert (
            onelogin.put(f"/Users/{hans}", person("hans@acme.example", "Hans", "Mueller", active=False)).status == 200
        )
    else:
        assert onelogin.delete(f"/Users/{hans}").status == 204
    assert platform.record(hans) is None
    assert onelogin.get(f"/Users/{hans}").status == 404
    assert platform.members(team) == {greta}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_who_is_taken_out_is_suspended_where_the_administrator_said_suspend(platform: Platform, method: str) -> None:
    with platform.serving(served) as connect:
        onelogin = connect(platform.secret("onelogin-suspending"))
        hans = assigned(onelogin, "hans@acme.example")
        team = pushed(onelogin, "team-a")
        assert put_in(onelogin, team, hans).status == 204
        platform.role_bindings[hans] = {"deployer"}
        if method == "PUT":
            away = person("hans@acme.example", "Hans", "Mueller", active=False)
            assert onelogin.put(f"/Users/{hans}", away).status == 200
            assert onelogin.get(f"/Users/{hans}").body["active"] is False
        else:
            assert onelogin.delete(f"/Users/{hans}").status == 204
            assert onelogin.get(f"/Users/{hans}").status == 404
        assert platform.account(hans)["active"] is False
        assert "suspended" in platform.noted()
        # Who comes back is the same, with what was his.
        back = person("hans@acme.example", "Hans", "Mueller")
        answer = onelogin.put(f"/Users/{hans}", back) if method == "PUT" else onelogin.post("/Users", back)
        assert (answer.id, answer.body["active"]) == (hans, True)
        assert platform.role_bindings[hans] == {"deployer"}
        assert platform.members(team) == {hans}


def test_who_is_provisioned_already_keeps_what_he_has(platform: Platform) -> None:
    with platform.serving(served) as connect:
        okta, onelogin = connect(platform.secret("okta")), connect(platform.secret("onelogin"))
        profile = {**person("hans@acme.example", "Hans", "Mueller"), "displayName": "H. Mueller"}
        hans = okta.post("/Users", profile).id
        team = okta.post("/Groups", {"schemas": [GROUP], "displayName": "team-a", "members": [{"value": hans}]}).id
        platform.role_bindings[hans] = {"deployer"}
        manual = platform.manual_user("greta@acme.example", "viewer", displayName="Greta G")

        assert assigned(onelogin, "hans@acme.example", "Johann", "Miller") == hans
        assert platform.account(hans)["displayName"] == "H. Mueller"
        assert platform.provenance(hans).managed_by == "okta"
        assert pushed(onelogin, "team-a") == team
        assert assigned(onelogin, "greta@acme.example", "Greta", "Gruen") == manual
        assert platform.provenance(manual).managed_by == "onelogin"

        assert onelogin.delete(f"/Users/{hans}").status == 204
        assert onelogin.get(f"/Users/{hans}").status == 404
        assert okta.get(f"/Users/{hans}").body["active"] is True
        assert platform.members(team) == {hans}
    assert (platform.role_bindings[hans], platform.role_bindings[manual]) == ({"deployer"}, {"viewer"})


def test_after_the_last_leaver_an_empty_group_stays_for_onelogin_deletes_none(
    platform: Platform, onelogin: Client
) -> None:
    people = [assigned(onelogin, f"person{number}@acme.example") for number in range(3)]
    team = pushed(onelogin, "team-a")
    assert put_in(onelogin, team, *people).status == 204
    for id in people:
        assert taken_out(onelogin, team, id).status == 204
        assert onelogin.delete(f"/Users/{id}").status == 204
    assert platform.found("userName pr") == []
    assert platform.members(team) == set()
    assert platform.provenance(team, HARNESS_GROUP).managed_by == "onelogin"
