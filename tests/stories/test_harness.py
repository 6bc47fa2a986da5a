"""A delivery platform in the manner of Harness and the identity providers of one account, from first to last.

The account had people and groups before it had an identity provider. They are found again and taken over, and what the
platform itself hangs on them (role bindings) is nobody else's business. After Harness Developer Hub, "Provision users
and groups using Okta SCIM" and its sisters for Microsoft Entra ID and OneLogin.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.stories.account import (
    ENTERPRISE,
    NEW_APP,
    OKTA_APP,
    SOURCE,
    USER,
    assigned,
    deactivated,
    person,
    pushed,
    served,
)
from tests.stories.conftest import ACCOUNT, Client, Platform

from scimcore.dialects import ENTRA, OKTA
from scimcore.engine.immediate import finish
from scimcore.profiles import HARNESS_GROUP, HARNESS_USER, IdentityProvider
from scimcore.provisioning import Intent
from scimcore.provisioning.provenance import PROVISIONING_URN
from scimcore.storage.protocol import Session


@pytest.fixture
def okta(platform: Platform) -> Iterator[Client]:
    """Okta at an account of the platform, connected with a good token."""
    with platform.serving(served(OKTA_APP)) as connect:
        yield connect(platform.secret("okta"))


def test_every_account_has_a_url_of_its_own_that_opens_with_its_own_token_alone(platform: Platform) -> None:
    other = IdentityProvider(name="okta", account="globex", dialect=OKTA)
    with platform.serving(served(OKTA_APP, other)) as connect:
        acme = connect(platform.secret("okta"))
        id = assigned(acme, "jane@acme.example")
        assert acme.get("/Users", count=1, startIndex=1).body["totalResults"] == 1
        location = acme.get(f"/Users/{id}").body["meta"]["location"]
        assert location.endswith(f"/gateway/ng/api/scim/account/acme/Users/{id}")

        astray = connect(platform.secret("okta"), "/gateway/ng/api/scim/account/globex")
        nowhere = connect(platform.secret("okta"), "/gateway/ng/api/scim/account/no-such-account")
        answers = [client.get("/Users", count=1, startIndex=1) for client in (astray, nowhere)]
        assert [(answer.status, answer.body) for answer in answers] == [(404, answers[0].body)] * 2


def test_an_existing_user_is_found_by_e_mail_and_taken_over_with_id_and_role_bindings(
    platform: Platform, okta: Client
) -> None:
    manual = platform.manual_user("Jane.Doe@acme.example", "account admin", displayName="jdoe")
    # Okta looks first; it would only change what it found, so it finds nothing that it does not provision.
    assert okta.get("/Users", filter='userName eq "jane.doe@acme.example"', startIndex=1, count=100).found == []
    assert okta.get(f"/Users/{manual}").status == 404
    answer = okta.post("/Users", person("jane.doe@ACME.example", "Jane", "Doe", externalId="00u1"))
    assert (answer.status, answer.id) == (201, manual)

    account = platform.account(manual)
    assert (account["userName"], account["displayName"]) == ("Jane.Doe@acme.example", "Jane Doe")
    assert platform.role_bindings[manual] == {"account admin"}
    assert platform.provenance(manual).managed_by == "okta"
    assert platform.found('userName eq "jane.doe@acme.example"') == [manual]
    (entry,) = platform.recorded("adopted")
    assert (entry["resourceId"], entry["connection"]) == (manual, "okta")
    assert "taken_over" in [note["what"] for note in entry["notes"]]


def test_a_user_who_is_pushed_again_is_the_one_that_is_there(platform: Platform, okta: Client) -> None:
    manual = platform.manual_user("jane@acme.example")
    assert assigned(okta, "jane@acme.example") == manual
    again = okta.post("/Users", person("jane@acme.example", "Jane", "Poe"))
    assert (again.status, again.id, again.body["displayName"]) == (201, manual, "Jane Poe")
    assert platform.found("userName pr") == [manual]


def test_a_user_of_another_user_name_is_found_by_an_e_mail_only_if_it_is_verified(platform: Platform) -> None:
    mine = platform.manual_user("jane@acme.example", "viewer", userName="jane")
    theirs = platform.manual_user("john@acme.example", "owner", userName="john")
    with platform.serving(served(OKTA_APP, is_verified=lambda record, _: record.id == mine)) as connect:
        okta = connect(platform.secret("okta"))
        assert assigned(okta, "jane@acme.example") == mine
        assert assigned(okta, "john@acme.example", "John") != theirs
        # It keeps its address whatever else is changed, and its name until the identity provider says it again.
        assert okta.patch(f"/Users/{mine}", {"op": "replace", "path": "displayName", "value": "JD"}).status == 200
        account = platform.account(mine)
        assert (account["userName"], account["displayName"]) == ("jane", "JD")
        assert account["emails"] == [{"value": "jane@acme.example", "primary": True}]
        assert okta.put(f"/Users/{mine}", person("Jane@acme.example", "Jane", "Doe")).status == 200
        assert platform.account(mine)["userName"] == "jane@acme.example"
    assert platform.provenance(theirs).managed_by is None
    assert platform.role_bindings[theirs] == {"owner"}


def test_who_provisions_a_user_or_a_group_is_shown_to_whoever_asks(platform: Platform, okta: Client) -> None:
    jane = assigned(okta, "jane@acme.example")
    team = pushed(okta, "team-a", jane).id
    assert PROVISIONING_URN not in okta.get(f"/Users/{jane}").body
    for path in (f"/Users/{jane}", f"/Groups/{team}"):
        assert okta.get(path, attributes=SOURCE).body[PROVISIONING_URN] == {"managedBy": "okta"}
    # What identity providers do not provision, they do not see: a group of the platform's own.
    local = platform.manual_group("local")
    assert okta.get(f"/Groups/{local}").status == 404
    assert [one["id"] for one in okta.get("/Groups", startIndex=1, count=100).found] == [team]
    # The platform sees everything, and finds it by where it comes from.
    assert platform.found(f'{SOURCE} eq "okta"') == [jane]
    assert platform.found(f"not ({SOURCE} pr)", HARNESS_GROUP) == [local]


def test_five_attributes_are_synced_and_the_rest_is_accepted_and_not_kept(platform: Platform, okta: Client) -> None:
    more = {
        "title": "CTO",
        "locale": "en-US",
        "password": "1mz050nq",
        "phoneNumbers": [{"value": "555", "type": "work"}],
        "emails": [
            {"value": "jane@home.example", "type": "home"},
            {"value": "jane@acme.example", "type": "work", "primary": True},
        ],
        ENTERPRISE: {"department": "Sales"},
    }
    jane = assigned(okta, "Jane@acme.example", "Jane", "Doe", **more)
    account = {name: value for name, value in platform.account(jane).items() if name != PROVISIONING_URN}
    assert account == {
        "id": jane,
        "userName": "jane@acme.example",
        "name": {"givenName": "Jane", "familyName": "Doe"},
        "emails": [{"value": "jane@acme.example", "type": "work", "primary": True}],
        "displayName": "Jane Doe",
        "active": True,
    }
    answer = okta.patch(f"/Users/{jane}", {"op": "replace", "path": "title", "value": "CEO"})
    assert (answer.status, answer.body.get("title")) == (200, None)
    ignored = [note["detail"] for entry in platform.recorded() for note in entry.get("notes", ())]
    assert any("title" in detail for detail in ignored)


def test_the_display_name_is_the_users_name_and_given_and_family_name_where_there_is_none(
    platform: Platform, okta: Client
) -> None:
    shown = assigned(okta, "jane@acme.example", displayName="JD")
    bare = okta.post("/Users", {"schemas": [USER], "userName": "j@acme.example", "name": {"givenName": "J"}}).id
    full = assigned(okta, "john@acme.example", "John", "Roe", displayName="")
    assert [platform.account(id)["displayName"] for id in (shown, bare, full)] == ["JD", "J", "John Roe"]

    marriage = {"op": "replace", "value": {"name": {"familyName": "Poe"}}}
    assert [okta.patch(f"/Users/{id}", marriage).body["displayName"] for id in (shown, full)] == ["JD", "John Poe"]
    assert okta.put(f"/Users/{shown}", person("jane@acme.example", "Jane", "Poe")).body["displayName"] == "Jane Poe"


def test_entra_is_understood_too(platform: Platform) -> None:
    with platform.serving(served(IdentityProvider(name="entra", account=ACCOUNT, dialect=ENTRA))) as connect:
        entra = connect(platform.secret("entra"))
        for path in (
            '/Users?filter=userName eq "d3f2"',
            '/Groups?excludedAttributes=members&filter=displayName eq "d3f2"',
        ):
            assert entra.get(path).found == []
        jane = assigned(entra, "Jane@acme.example", externalId="0a21f0f2", department=None, roles=[])
        (known,) = entra.get("/Users", filter='emails[type eq "work"].value eq "jane@acme.example"').found
        assert known["id"] == jane
        team = pushed(entra, "team-a", externalId="8aa1a0c0").id
        add = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": jane}]}
        assert [entra.patch(f"/Groups/{team}", add).status for _ in range(2)] == [204, 204]
        assert platform.members(team) == {jane}
        change = {"op": "Replace", "path": "displayName", "value": "Jane P"}
        manager = {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "271"}
        assert entra.patch(f"/Users/{jane}", change, manager).status == 200
        assert (platform.account(jane)["displayName"], ENTERPRISE in platform.account(jane)) == ("Jane P", False)
        assert entra.patch(f"/Users/{jane}", {"op": "Replace", "path": "active", "value": "False"}).status == 200
        # Thirty days later it deletes whom it disabled.
        assert entra.delete(f"/Users/{jane}").status == 404
        assert platform.record(jane) is None


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_who_is_deactivated_is_removed_from_the_account(platform: Platform, okta: Client, method: str) -> None:
    jane, john = assigned(okta, "jane@acme.example"), assigned(okta, "john@acme.example", "John")
    team = pushed(okta, "team-a", jane, john).id
    match method:
        case "PATCH":
            answer = deactivated(okta, jane)
        case "PUT":
            answer = okta.put(f"/Users/{jane}", person("jane@acme.example", "Jane", "Doe", active=False))
        case _:
            answer = okta.delete(f"/Users/{jane}")
    if method == "DELETE":
        assert answer.status == 204
    else:
        assert (answer.status, answer.id, answer.body["active"]) == (200, jane, False)
    assert okta.get(f"/Users/{jane}").status == 404
    assert platform.record(jane) is None
    assert platform.members(team) == {john}
    (entry,) = platform.recorded("deleted")
    assert entry["resourceId"] == jane
    # Who comes back is somebody new, without what the former account had.
    assert assigned(okta, "jane@acme.example") != jane
    assert platform.members(team) == {john}


def test_the_last_owner_of_the_account_cannot_be_removed(platform: Platform) -> None:
    owner = platform.manual_user("jane@acme.example", "owner")

    def is_last_owner(intent: Intent, _: Session) -> bool:
        return platform.role_bindings.get(intent.id) == {"owner"}

    with platform.serving(served(OKTA_APP, is_last_owner=is_last_owner)) as connect:
        okta = connect(platform.secret("okta"))
        assert assigned(okta, "jane@acme.example") == owner
        assert (deactivated(okta, owner).status, okta.delete(f"/Users/{owner}").status) == (403, 403)
        assert platform.account(owner)["active"] is True
        platform.role_bindings["another"] = platform.role_bindings.pop(owner)
        assert deactivated(okta, owner).status == 200
    assert platform.record(owner) is None
    assert len(platform.recorded("refused")) == 2


def test_an_expired_token_stops_provisioning_and_a_new_one_resumes_it(platform: Platform) -> None:
    issued = finish(platform.tokens.issue(ACCOUNT, "okta", lifetime=timedelta(days=30)))
    with platform.serving(served(OKTA_APP)) as connect:
        okta = connect(issued.secret)
        jane = assigned(okta, "jane@acme.example")
        platform.now += timedelta(days=31)
        refused = deactivated(okta, jane)
        assert (refused.status, refused.body["detail"]) == (401, "the token expired")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert platform.account(jane)["active"] is True

        renewed = finish(platform.tokens.rotate(ACCOUNT, issued.token.id))
        assert deactivated(connect(renewed.secret), jane).status == 200
        assert deactivated(okta, jane).status == 401
    assert platform.record(jane) is None
    assert [entry["reason"] for entry in platform.recorded("token refused")] == ["expired", "expired"]


def test_leaving_an_old_app_integration_removes_nothing_that_the_new_one_provisions(platform: Platform) -> None:
    with platform.serving(served(OKTA_APP, NEW_APP)) as connect:
        old, new = connect(platform.secret("okta")), connect(platform.secret("okta-new"))
        jane, john = assigned(old, "jane@acme.example"), assigned(old, "john@acme.example", "John")
        team = pushed(old, "team-a", jane, john).id

        # The customer sets up the new integration and assigns the same people and groups there.
        assert assigned(new, "jane@acme.example", externalId="00u-new") == jane
        assert pushed(new, "team-a", jane).id == team
        both = platform.provenance(jane)
        assert (both.managed_by, both.signs_in_through) == ("okta", "okta")
        assert [link.connection for link in both.links if link.is_live] == ["okta", "okta-new"]

        # Then it unassigns everybody in the old one, and takes that down.
        assert [deactivated(old, id).status for id in (jane, john)] == [200, 200]
        assert old.delete(f"/Groups/{team}").status == 204

        assert platform.record(john) is None
        assert platform.account(jane)["active"] is True
        assert new.get(f"/Users/{jane}").body["active"] is True
        assert (platform.provenance(jane).managed_by, platform.account(jane)["externalId"]) == ("okta-new", "00u-new")
        assert platform.provenance(team, HARNESS_GROUP).managed_by == "okta-new"
        assert platform.members(team) == {jane}
        assert (old.get(f"/Groups/{team}").status, new.get(f"/Groups/{team}").status) == (404, 200)
        assert "handed_over" in platform.noted()

        # What the new one manages now, it changes and ends.
        assert new.put(f"/Users/{jane}", person("jane@acme.example", "Jane", "Poe")).status == 200
        assert platform.account(jane)["displayName"] == "Jane Poe"
        assert deactivated(new, jane).status == 200
        assert platform.record(jane) is None


def test_two_integrations_that_push_the_same_people_at_once_get_the_same_accounts(platform: Platform) -> None:
    make = served(OKTA_APP, NEW_APP)
    second = platform.beside()
    with platform.serving(make) as connect, second.serving(make) as connect_elsewhere:
        clients = [connect(platform.secret("okta")), connect_elsewhere(platform.secret("okta-new"))]
        with ThreadPoolExecutor(4) as workers:
            jobs = [(client, f"person{number}@acme.example") for number in range(6) for client in clients]
            ids = list(workers.map(lambda job: assigned(*job), jobs))
        assert ids[::2] == ids[1::2]
        assert len(platform.found("userName pr")) == 6
        assert {len(platform.provenance(id).links) for id in ids} == {2}
    second.storage.close()


def test_when_the_last_one_has_left_only_what_is_the_platforms_own_remains(platform: Platform, okta: Client) -> None:
    local = platform.manual_user("owner@acme.example", "owner")
    admins = platform.manual_group("admins", local)
    people = [assigned(okta, f"person{number}@acme.example") for number in range(3)]
    team = pushed(okta, "team-a", *people).id
    assert [deactivated(okta, id).status for id in people] == [200] * 3
    assert platform.group(team).get("members") is None
    assert okta.delete(f"/Groups/{team}").status == 204
    assert okta.get("/Users", filter=f"{SOURCE} pr", startIndex=1, count=100).found == []
    assert okta.get("/Groups", startIndex=1, count=100).found == []
    assert platform.found("userName pr", HARNESS_USER) == [local]
    assert platform.members(admins) == {local}
    assert (platform.role_bindings[local], platform.role_bindings[admins]) == ({"owner"}, {"role of admins"})
    happened = [entry["happening"] for entry in platform.recorded() if "resourceId" in entry]
    assert happened == ["created"] * 4 + ["deleted"] * 4
