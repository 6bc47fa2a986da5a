"""Okta provisions a company: the connection, the import, joiners, movers, leavers, pushed groups, the last leaver.

What Okta sends is from its SCIM 2.0 reference and its SPEC test: it looks a person up by userName, changes an account
by GET and PUT of the whole resource, deactivates it by PATCH without a path, and never deletes it.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.stories.conftest import ACCOUNT, Answer, Client, Platform

from scimcore import ScimProvider
from scimcore.dialects import OKTA
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER

BASE: Final = "/scim/v2"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"

CONNECTION: Final = Connection(
    name="okta",
    tenant=ACCOUNT,
    dialect=OKTA,
    policies=(
        Adoption(on_existing="take_over", match=("userName",), by_id=True),
        GroupAdoption(on_existing="link", by_id=True),
        Ownership(),
        UnknownMembers(),
        NestedGroups(),
        Leaving(on_deactivate="suspend"),
    ),
)


def served(platform: Platform) -> ScimProvider:
    return ScimProvider(
        platform.storage,
        authenticate=platform.tokens.authenticate,
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=[CONNECTION],
        clock=platform.clock,
        on_event=platform.audit,
        on_bug=platform.on_bug,
    )


@pytest.fixture
def okta(platform: Platform) -> Iterator[Client]:
    """Okta, connected with a good token."""
    with platform.serving(served) as connect:
        yield connect(platform.secret("okta"), BASE)


def person(login: str, given: str, family: str, **more: object) -> dict[str, object]:
    """What Okta posts: a placeholder for a password, and groups that it may not set."""
    return {
        "schemas": [USER],
        "userName": login,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": True, "value": login, "type": "work"}],
        "displayName": f"{given} {family}",
        "locale": "en-US",
        "externalId": f"00u{given.lower()}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **more,
    }


def assigned(okta: Client, login: str, given: str, family: str) -> str:
    """The id of somebody who was assigned the application: looked up, not found, created."""
    assert looked_up(okta, login) == []
    answer = okta.post("/Users", person(login, given, family))
    assert answer.status == 201
    return answer.id


def looked_up(okta: Client, login: str) -> list[Any]:
    return okta.get("/Users", filter=f'userName eq "{login}"', startIndex=1, count=100).found


def updated(okta: Client, id: str, **profile: object) -> Answer:
    """Okta reads the account, puts the profile over what it read, and sends all of it back."""
    known = okta.get(f"/Users/{id}")
    assert known.status == 200
    return okta.put(f"/Users/{id}", {**known.body, **profile})


def set_active(okta: Client, id: str, value: bool) -> Answer:
    return okta.patch(f"/Users/{id}", {"op": "replace", "value": {"active": value}})


def pushed(okta: Client, name: str, *members: str) -> str:
    """The id of a group that is pushed for the first time: an empty one, then all of its members."""
    assert okta.get("/Groups", filter=f'displayName eq "{name}"', startIndex=1, count=100).found == []
    answer = okta.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": []})
    assert answer.status == 201
    assert replaced_members(okta, answer.id, *members).status in (200, 204)
    return answer.id


def replaced_members(okta: Client, id: str, *members: str) -> Answer:
    value = [{"value": member, "display": f"login of {member}"} for member in members]
    return okta.patch(f"/Groups/{id}", {"op": "replace", "path": "members", "value": value})


def named(okta: Client, id: str, name: str) -> Answer:
    return okta.patch(f"/Groups/{id}", {"op": "replace", "value": {"id": id, "displayName": name}})


def test_the_connection_is_tested_and_a_wrong_token_opens_nothing(platform: Platform) -> None:
    with platform.serving(served) as connect:
        good = connect(platform.secret("okta"), BASE).get("/Users", count=1, startIndex=1)
        wrong = connect("scimcore_not_a_token_of_anybody", BASE).get("/Users", count=1, startIndex=1)
        # The SPEC test sends a header without a scheme.
        bare = connect("", BASE, Authorization="non-token").get("/Users", filter='userName eq "nobody@acme.example"')
    assert (good.status, good.body["totalResults"], good.body["startIndex"]) == (200, 0, 1)
    for refused in (wrong, bare):
        assert (refused.status, refused.body["status"]) == (401, "401")
        assert refused.headers["www-authenticate"].startswith("Bearer")


def test_an_import_shows_everybody_once_and_changes_nothing(platform: Platform, okta: Client) -> None:
    everybody = [platform.manual_user(f"person{number:02}@acme.example", "viewer") for number in range(5)]
    staff = platform.manual_group("staff", *everybody[:2])
    before = [platform.account(id) for id in everybody]
    pages = [okta.get("/Users", startIndex=start, count=2) for start in (1, 3, 5)]
    groups = okta.get("/Groups", startIndex=1, count=100)
    assert [page.body["totalResults"] for page in pages] == [5, 5, 5]
    assert [one["id"] for page in pages for one in page.found] == everybody
    assert [(one["id"], one["displayName"], len(one["members"])) for one in groups.found] == [(staff, "staff", 2)]
    assert [platform.account(id) for id in everybody] == before
    assert platform.recorded("adopted") == platform.recorded("replaced") == []


def test_a_manual_account_that_is_found_by_its_user_name_is_taken_over_with_all_it_has(
    platform: Platform, okta: Client
) -> None:
    manual = platform.manual_user("Ann@acme.example", "account admin", displayName="annie", title="CTO")
    staff = platform.manual_group("staff", manual)

    (match,) = looked_up(okta, "ann@acme.example")
    assert match["id"] == manual
    profile = person("ann@acme.example", "Ann", "Archer", id=manual)
    assert okta.put(f"/Users/{manual}", profile).status == 200

    account = platform.account(manual)
    assert (account["displayName"], account["title"]) == ("Ann Archer", "CTO")
    assert account["userName"] == "Ann@acme.example"
    provenance = platform.provenance(manual)
    link = provenance.link("okta")
    assert (provenance.managed_by, link and link.external_id) == ("okta", "00uann")
    assert platform.role_bindings[manual] == {"account admin"}
    assert platform.members(staff) == {manual}
    assert "taken_over" in platform.noted()
    assert platform.found('userName eq "ann@acme.example"') == [manual]
    # From now on it is an account of Okta's, so the profile counts, the title that it does not have included.
    assert updated(okta, manual, title="Engineer").body["title"] == "Engineer"


def test_joiners_are_created_and_movers_are_changed_by_the_whole_resource(platform: Platform, okta: Client) -> None:
    answer = okta.post("/Users", person("ben@acme.example", "Ben", "Baker"))
    assert answer.status == 201
    assert "password" not in answer.body
    ben = answer.id
    assert [one["id"] for one in looked_up(okta, "BEN@ACME.EXAMPLE")] == [ben]
    assert okta.post("/Users", person("ben@acme.example", "Ben", "Baker")).status == 409

    mail = [{"primary": True, "value": "ben@acme.example", "type": "work", "display": "ben@acme.example"}]
    moved = updated(okta, ben, name={"givenName": "Ben", "middleName": "O", "familyName": "Brewer"}, emails=mail)
    assert (moved.status, moved.id, moved.body["name"]["familyName"]) == (200, ben, "Brewer")
    again = updated(okta, ben)
    assert (again.status, again.body["meta"]["version"]) == (200, moved.body["meta"]["version"])

    renamed = updated(okta, ben, userName="ben.brewer@acme.example")
    assert renamed.body["userName"] == "ben.brewer@acme.example"
    # The former name is free: whoever gets it is somebody else.
    assert assigned(okta, "ben@acme.example", "Benjamin", "Young") != ben
    assert platform.provenance(ben).managed_by == "okta"
    assert "1mz050nq" not in str(platform.recorded())


def test_who_is_unassigned_is_suspended_and_comes_back_as_before(platform: Platform, okta: Client) -> None:
    ben = assigned(okta, "ben@acme.example", "Ben", "Baker")
    team = pushed(okta, "team", ben)
    platform.role_bindings[ben] = {"deployer"}

    assert set_active(okta, ben, False).body["active"] is False
    assert okta.get(f"/Users/{ben}").body["active"] is False
    assert platform.found("active eq true") == []
    assert "suspended" in platform.noted()

    assert updated(okta, ben, active=True).body["active"] is True
    (found,) = looked_up(okta, "ben@acme.example")
    assert (found["id"], [one["value"] for one in found["groups"]]) == (ben, [team])
    assert platform.members(team) == {ben}
    assert platform.role_bindings[ben] == {"deployer"}

    # Integrations of the wizard know PUT alone.
    assert updated(okta, ben, active=False).body["active"] is False
    assert platform.account(ben)["active"] is False


def test_a_pushed_group_follows_its_members_and_its_name(platform: Platform, okta: Client) -> None:
    ann, ben, cat = (assigned(okta, f"{name}@acme.example", name.title(), "X") for name in ("ann", "ben", "cat"))
    team = pushed(okta, "Team A", ann, ben)
    assert platform.members(team) == {ann, ben}
    assert platform.provenance(team, PROVISIONED_GROUP).managed_by == "okta"

    change = okta.patch(
        f"/Groups/{team}",
        {"op": "remove", "path": f'members[value eq "{ann}"]'},
        {"op": "add", "path": "members", "value": [{"value": cat, "display": "cat@acme.example"}]},
    )
    assert change.status in (200, 204)
    assert platform.members(team) == {ben, cat}

    # The id, which is readOnly, comes with every rename, and the rename with every change of members.
    assert named(okta, team, "Team A").status in (200, 204)
    assert named(okta, team, "Team B").status in (200, 204)
    (found,) = okta.get("/Groups", filter='displayName eq "Team B"', startIndex=1, count=100).found
    assert found["id"] == team
    assert platform.group(team)["displayName"] == "Team B"

    assert replaced_members(okta, team, ann).status in (200, 204)
    assert platform.members(team) == {ann}
    whole = {"schemas": [GROUP], "id": team, "displayName": "Team B", "members": [{"value": ben, "display": None}]}
    assert okta.put(f"/Groups/{team}", whole).status == 200
    assert platform.members(team) == {ben}


def test_a_stranger_among_the_members_does_not_lose_the_push(platform: Platform, okta: Client) -> None:
    ann, ben = (assigned(okta, f"{name}@acme.example", name.title(), "X") for name in ("ann", "ben"))
    team = pushed(okta, "Team A", ann)
    answer = okta.patch(
        f"/Groups/{team}",
        {"op": "remove", "path": 'members[value eq "89bb1940-b905-4575-9e7f-6f887cfb368e"]'},
        {"op": "add", "path": "members", "value": [{"value": "stranger"}, {"value": ben}]},
    )
    assert answer.status in (200, 204)
    assert platform.members(team) == {ann, ben}
    (skip,) = [note for entry in platform.recorded("patched") for note in entry.get("notes", ())]
    assert skip["what"] == "skipped"
    assert "stranger" in skip["detail"]


def test_a_group_of_the_application_is_linked_when_okta_creates_it_and_never_doubled(
    platform: Platform, okta: Client
) -> None:
    manual = platform.manual_user("local@acme.example")
    ann = assigned(okta, "ann@acme.example", "Ann", "Archer")
    admins = platform.manual_group("Team A", manual)
    answer = okta.post("/Groups", {"schemas": [GROUP], "displayName": "Team A", "members": []})
    assert (answer.status, answer.id) == (201, admins)
    # The push begins with nobody; who was in the group stays until it says who belongs there.
    assert platform.members(admins) == {manual}
    assert replaced_members(okta, admins, ann).status in (200, 204)
    assert platform.members(admins) == {ann}
    assert platform.found('displayName eq "Team A"', PROVISIONED_GROUP) == [admins]
    assert platform.role_bindings[admins] == {"role of Team A"}
    assert platform.provenance(admins, PROVISIONED_GROUP).managed_by == "okta"


def test_a_group_that_okta_found_and_linked_follows_the_push(platform: Platform, okta: Client) -> None:
    manual = platform.manual_user("local@acme.example")
    ann = assigned(okta, "ann@acme.example", "Ann", "Archer")
    admins = platform.manual_group("Team A", manual)
    (found,) = okta.get("/Groups", filter='displayName eq "Team A"', startIndex=1, count=100).found
    assert found["id"] == admins
    # Okta links what it found: it creates nothing, and pushes by id.
    assert named(okta, admins, "Team A").status in (200, 204)
    assert replaced_members(okta, admins, ann).status in (200, 204)
    assert platform.members(admins) == {ann}
    assert platform.role_bindings[admins] == {"role of Team A"}
    assert platform.provenance(admins, PROVISIONED_GROUP).managed_by == "okta"


def test_when_the_last_one_has_left_only_what_is_the_applications_own_remains(platform: Platform, okta: Client) -> None:
    local = platform.manual_user("local@acme.example", "owner")
    ann, ben = (assigned(okta, f"{name}@acme.example", name.title(), "X") for name in ("ann", "ben"))
    team = pushed(okta, "team", ann, ben)
    for leaver in (ann, ben):
        assert set_active(okta, leaver, False).status == 200
    assert platform.found("active eq true") == [local]
    assert okta.delete(f"/Groups/{team}").status == 204
    assert okta.get(f"/Groups/{team}").status == 404
    assert okta.get("/Groups", startIndex=1, count=100).found == []
    assert platform.role_bindings[local] == {"owner"}
    happened = [entry["happening"] for entry in platform.recorded() if "resourceId" in entry]
    assert happened == ["created", "created", "created", "patched", "patched", "patched", "deleted"]
