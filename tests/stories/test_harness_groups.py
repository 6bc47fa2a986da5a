"""Groups on a platform in the manner of Harness: identifiers, links, scopes, and what is left to its own people."""

from collections.abc import Iterator

import pytest
from tests.stories.account import OKTA_APP, PROJECT, assigned, pushed, served
from tests.stories.conftest import ACCOUNT, Client, Platform

from scimcore.profiles import HARNESS_GROUP, ROLE_BINDINGS, harness_guard
from scimcore.provisioning.guard import ProvisionedError


@pytest.fixture
def okta(platform: Platform) -> Iterator[Client]:
    """Okta at an account of the platform, connected with a good token."""
    with platform.serving(served(OKTA_APP)) as connect:
        yield connect(platform.secret("okta"))


def test_a_groups_name_becomes_its_identifier_and_stays_it_when_the_name_changes(
    platform: Platform, okta: Client
) -> None:
    jane = assigned(okta, "jane@acme.example")
    answer = pushed(okta, "platform team.emea-1", jane)
    assert (answer.status, answer.id, answer.body["displayName"]) == (
        201,
        "platform_team_emea_1",
        "platform team.emea-1",
    )
    rename = okta.patch(f"/Groups/{answer.id}", {"op": "replace", "value": {"id": answer.id, "displayName": "renamed"}})
    assert (rename.status, rename.body) == (204, None)
    assert okta.get(f"/Groups/{answer.id}").body["displayName"] == "renamed"
    assert platform.provenance(answer.id, HARNESS_GROUP).identifier == "platform_team_emea_1"
    # Case makes another identifier, and so another group.
    assert [pushed(okta, name).id for name in ("Team A", "team a")] == ["Team_A", "team_a"]
    lookup = okta.get("/Groups", filter='displayName eq "team a"', startIndex=1, count=100)
    assert [one["id"] for one in lookup.found] == ["team_a"]


def test_a_pushed_group_is_linked_to_the_one_that_is_there(platform: Platform, okta: Client) -> None:
    local, jane = platform.manual_user("local@acme.example"), assigned(okta, "jane@acme.example")
    exact = platform.manual_group("team-a", local, id="team_a")
    alike = platform.manual_group("ops", local, id="ops")
    assert pushed(okta, "team-a", jane).id == exact
    assert platform.members(exact) == {jane}
    assert platform.provenance(exact, HARNESS_GROUP).managed_by == "okta"
    assert platform.role_bindings[exact] == {"role of team-a"}
    # One from before groups had identifiers is found by its name, and keeps its id.
    older = platform.manual_group("qa team", local)
    assert pushed(okta, "qa team", jane).id == older
    assert platform.provenance(older, HARNESS_GROUP).identifier == "qa_team"
    # Another case is another name and another identifier: nothing is linked that only looks the same.
    other = pushed(okta, "Ops", jane)
    assert (other.status, other.id) == (201, "Ops")
    assert platform.members(alike) == {local}


def test_a_pushed_group_is_kept_beside_the_one_that_is_there_where_the_platform_says_so(platform: Platform) -> None:
    local = platform.manual_user("local@acme.example")
    existing = platform.manual_group("team-a", local, id="team_a")
    with platform.serving(served(OKTA_APP, groups="keep_both")) as connect:
        okta = connect(platform.secret("okta"))
        jane = assigned(okta, "jane@acme.example")
        names = ("team-a", "team.a", "team a")
        assert [pushed(okta, name, jane).id for name in names] == ["team_a_2", "team_a_3", "team_a_4"]
        # Its own groups are the ones it sees.
        assert len(okta.get("/Groups", startIndex=1, count=100).found) == 3
    assert platform.members(existing) == {local}
    assert platform.provenance(existing, HARNESS_GROUP).managed_by is None


def test_what_is_provisioned_is_read_only_on_the_platform_but_for_role_bindings(
    platform: Platform, okta: Client
) -> None:
    jane = assigned(okta, "jane@acme.example")
    team = pushed(okta, "team-a", jane).id
    local = platform.manual_user("local@acme.example")
    guard = harness_guard([OKTA_APP], ACCOUNT)
    account, group = platform.record(jane), platform.record(team, HARNESS_GROUP)
    assert account is not None
    assert group is not None
    for record, changed in (
        (account, "emails"),
        (account, "name.familyName"),
        (account, "displayName"),
        (account, "groups"),
        (group, "members"),
        (group, "displayName"),
    ):
        with pytest.raises(ProvisionedError, match=r"by okta: change .* in Okta > Applications > Harness"):
            guard.check_edit(record, [changed], "admin@acme.example")
        guard.check_edit(record, [ROLE_BINDINGS], "admin@acme.example")
    for record in (account, group):
        with pytest.raises(ProvisionedError, match="delete it in Okta > Applications > Harness"):
            guard.check_delete(record, "admin@acme.example")
    manual = platform.record(local)
    assert manual is not None
    guard.check_edit(manual, ["emails", "name.familyName"], "admin@acme.example")
    guard.check_delete(manual, "admin@acme.example")


def test_groups_belong_to_the_account_or_to_an_organisation_or_a_project_of_it(platform: Platform) -> None:
    with platform.serving(served(OKTA_APP, PROJECT)) as connect:
        okta, web = connect(platform.secret("okta")), connect(platform.secret("entra-web"))
        assert pushed(okta, "team-a").id == "team_a"
        assert pushed(okta, "team-a2", harnessScopes="acme:emea").id == "emea:team_a2"
        inside = pushed(web, "team-a")
        assert (inside.status, inside.id) == (201, "emea:web:team_a")
        # What belongs to the account is beyond the reach of a project, though it be called the same.
        local = platform.manual_group("admins")
        assert pushed(web, "admins").id == "emea:web:admins"
        assert platform.provenance(local, HARNESS_GROUP).managed_by is None
        # A connection of a project makes no groups outside of it, and no connection in another account.
        assert pushed(web, "team-b", harnessScopes="acme:emea").status == 400
        assert pushed(okta, "team-b", harnessScopes="globex").status == 400
    scopes = {one: platform.provenance(one, HARNESS_GROUP).scope for one in ("team_a", "emea:web:team_a")}
    assert scopes == {"team_a": "acme", "emea:web:team_a": "acme:emea:web"}
