"""Microsoft Entra ID provisions a company: with the flag `aadOptscim062020` in the tenant URL and without it.

What Entra sends is from "Develop and plan provisioning for a SCIM endpoint" and "Known issues and resolutions with SCIM
2.0 protocol compliance": it asks for random names to test a connection, looks people up by any of three attributes,
repeats what it got no answer to, changes one group from several places at once, and deletes thirty days after it
disabled.
"""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.stories.conftest import ACCOUNT, Answer, Client, Connect, Platform

from scimcore import ScimProvider
from scimcore.dialects import ENTRA, ENTRA_SCIM2020, Dialect
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.leaving import Leaving, Outcome
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER

BASE: Final = "/scim/v2"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ADSCIM: Final = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0"


def connection(name: str, dialect: Dialect, on_delete: Outcome = "delete") -> Connection:
    return Connection(
        name=name,
        tenant=ACCOUNT,
        dialect=dialect,
        policies=(
            Adoption(on_existing="take_over", match=("userName", "externalId"), by_id=True),
            Ownership(),
            UnknownMembers(),
            NestedGroups(),
            Leaving(on_deactivate="suspend", on_delete=on_delete, memberships="set_aside"),
        ),
    )


CONNECTIONS: Final = (
    connection("entra", ENTRA),
    connection("entra-2020", ENTRA_SCIM2020),
    connection("entra-keeping", ENTRA, on_delete="soft_delete"),
)


def served(platform: Platform) -> ScimProvider:
    return ScimProvider(
        platform.storage,
        authenticate=platform.tokens.authenticate,
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=CONNECTIONS,
        clock=platform.clock,
        on_event=platform.audit,
        on_bug=platform.on_bug,
    )


def connected(platform: Platform, connect: Connect, name: str = "entra") -> Client:
    return connect(platform.secret(name), BASE)


@pytest.fixture
def entra(platform: Platform) -> Iterator[Client]:
    """Entra, connected with a good secret token, without the flag."""
    with platform.serving(served) as connect:
        yield connected(platform, connect)


@pytest.fixture
def entra_2020(platform: Platform) -> Iterator[Client]:
    """Entra with the flag."""
    with platform.serving(served) as connect:
        yield connected(platform, connect, "entra-2020")


def person(login: str, given: str, family: str, **more: object) -> dict[str, object]:
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"object-id-of-{given.lower()}",
        "userName": login,
        "active": True,
        "emails": [{"primary": True, "type": "work", "value": login}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"{given} {family}", "familyName": family, "givenName": given},
        "roles": [],
        **more,
    }


def assigned(entra: Client, login: str, given: str = "Ann", family: str = "Archer", **more: object) -> str:
    answer = entra.post("/Users", person(login, given, family, **more))
    assert answer.status == 201, answer.body
    return answer.id


def provisioned_group(entra: Client, name: str) -> str:
    body = {
        "schemas": [GROUP, f"{ADSCIM}/Group"],
        "externalId": f"object-id-of-{name}",
        "displayName": name,
        "meta": {"resourceType": "Group"},
    }
    answer = entra.post("/Groups", body)
    assert answer.status == 201, answer.body
    return answer.id


def added(entra: Client, group: str, *members: str) -> Answer:
    value = [{"$ref": None, "value": member} for member in members]
    return entra.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": value})


def removed(entra: Client, group: str, *members: str) -> Answer:
    value = [{"$ref": None, "value": member} for member in members]
    return entra.patch(f"/Groups/{group}", {"op": "Remove", "path": "members", "value": value})


def found(entra: Client, filter: str) -> list[str]:
    return [one["id"] for one in entra.get("/Users", filter=filter).found]


def replaced(path: str, value: object) -> dict[str, object]:
    return {"op": "Replace", "path": path, "value": value}


@pytest.mark.parametrize("name", ["entra", "entra-2020"])
def test_the_connection_is_tested_with_names_that_nobody_has(platform: Platform, name: str) -> None:
    with platform.serving(served) as connect:
        client = connected(platform, connect, name)
        flag: dict[str, str] = {"aadOptscim062020": ""} if name == "entra-2020" else {}
        for path, attribute in (("/Users", "userName"), ("/Groups", "displayName")):
            answer = client.get(path, filter=f'{attribute} eq "{uuid.uuid4()}"', **flag)
            assert (answer.status, answer.body["totalResults"], answer.body.get("Resources", [])) == (200, 0, [])
        stranger = connect("not-a-secret-token-of-anybody", BASE)
        assert stranger.get("/Users", filter=f'userName eq "{uuid.uuid4()}"').status == 401


@pytest.mark.parametrize(
    "filter",
    [
        'userName eq "ann@acme.example"',
        'userName eq "ANN@acme.example"',
        'externalId eq "00012"',
        'emails[type eq "work"].value eq "ann@acme.example"',
    ],
)
def test_an_account_that_is_found_by_a_matching_attribute_is_taken_over(
    platform: Platform, entra: Client, filter: str
) -> None:
    mail: Any = [{"value": "ann@acme.example", "type": "work", "primary": True}]
    manual = platform.manual_user("ann@acme.example", "admin", externalId="00012", title="CTO", emails=mail)
    platform.manual_user("ben@acme.example")
    assert found(entra, filter) == [manual]
    assert entra.get(f"/Users/{manual}").status == 200
    change = entra.patch(f"/Users/{manual}", replaced("name.familyName", "Archer"), replaced("displayName", "Ann A"))
    assert (change.status, change.id) == (200, manual)
    account = platform.account(manual)
    assert (account["displayName"], account["title"]) == ("Ann A", "CTO")
    assert platform.provenance(manual).managed_by == "entra"
    assert platform.role_bindings[manual] == {"admin"}
    assert "taken_over" in platform.noted()


def test_an_initial_cycle_brings_everybody_and_its_repetition_nothing(platform: Platform, entra: Client) -> None:
    names = [("ann", "Archer"), ("ben", "Baker"), ("cat", "Cook")]
    people = {}
    for given, family in names:
        login = f"{given}@acme.example"
        assert found(entra, f'userName eq "{login}"') == []
        people[login] = assigned(entra, login, given.title(), family)
    team = provisioned_group(entra, "team")
    for id in people.values():
        assert added(entra, team, id).status in (200, 204)
    before = {id: platform.record(id) for id in people.values()}

    # An answer was lost, or the cycle begins anew: everything is sent once more.
    for given, family in names:
        login = f"{given}@acme.example"
        again = entra.post("/Users", person(login, given.title(), family))
        assert (again.status, again.body["scimType"]) == (409, "uniqueness")
        assert found(entra, f'userName eq "{login}"') == [people[login]]
    assert entra.post("/Groups", {"schemas": [GROUP], "displayName": "TEAM"}).status == 409
    for id in people.values():
        assert added(entra, team, id).status in (200, 204)
    assert platform.members(team) == set(people.values())
    after = {id: platform.record(id) for id in people.values()}
    assert after == before
    listed = entra.get("/Groups", excludedAttributes="members", filter='displayName eq "team"').found
    assert [(one["id"], "members" in one) for one in listed] == [(team, False)]


def test_an_incremental_cycle_brings_what_changed_and_may_be_sent_twice(platform: Platform, entra: Client) -> None:
    ann, boss = assigned(entra, "ann@acme.example"), assigned(entra, "boss@acme.example", "Boss")
    changes = (
        replaced('emails[type eq "work"].value', "ann.smith@acme.example"),
        replaced("name.familyName", "Smith"),
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": boss},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "555-0100"},
        {"op": "Add", "path": "roles", "value": [{"value": '{"id":"827f0d2e","displayName":"Reader"}'}]},
        replaced('roles[primary eq "True"].display', "Reader"),
    )
    first = entra.patch(f"/Users/{ann}", *changes)
    again = entra.patch(f"/Users/{ann}", *changes)
    assert (first.status, again.status) == (200, 200)
    assert again.body["meta"]["version"] == first.body["meta"]["version"]
    account = platform.account(ann)
    assert account["emails"] == [{"value": "ann.smith@acme.example", "type": "work", "primary": True}]
    assert account["phoneNumbers"] == [{"type": "mobile", "value": "555-0100"}]
    assert account[ENTERPRISE] == {"department": "Sales", "manager": {"value": boss}}
    # Entra asks whether it has to change the manager, and unassigns him by an empty value.
    assert found(entra, f'id eq "{ann}" and manager eq "{boss}"') == [ann]
    assert entra.patch(f"/Users/{ann}", replaced(f"{ENTERPRISE}:manager", {"value": ""})).status == 200
    assert platform.account(ann)[ENTERPRISE] == {"department": "Sales"}


def test_with_the_flag_paths_are_keys_and_members_are_named_by_a_filter(platform: Platform, entra_2020: Client) -> None:
    ann, boss = assigned(entra_2020, "ann@acme.example"), assigned(entra_2020, "boss@acme.example", "Boss")
    team = provisioned_group(entra_2020, "team")
    values = {
        "displayName": "Ann S",
        "name.familyName": "Smith",
        f"{ENTERPRISE}:employeeNumber": "007",
        f"{ENTERPRISE}:manager.value": boss,
    }
    answer = entra_2020.send(
        "PATCH",
        f"/Users/{ann}?aadOptscim062020",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [
                {"op": "replace", "path": 'emails[type eq "work"].value', "value": "ann.smith@acme.example"},
                {"op": "replace", "value": values},
            ],
        },
    )
    assert answer.status == 200
    account = platform.account(ann)
    assert account["displayName"] == "Ann S"
    assert account["name"] == {"formatted": "Ann Archer", "familyName": "Smith", "givenName": "Ann"}
    assert account[ENTERPRISE] == {"employeeNumber": "007", "manager": {"value": boss}}
    assert added(entra_2020, team, ann, boss).status in (200, 204)
    gone = entra_2020.patch(f"/Groups/{team}", {"op": "remove", "path": f'members[value eq "{ann}"]'})
    assert gone.status in (200, 204)
    assert platform.members(team) == {boss}
    assert entra_2020.patch(f"/Users/{ann}", {"op": "replace", "path": "active", "value": False}).status == 200
    assert platform.account(ann)["active"] is False


def test_no_change_of_a_group_is_lost_when_many_come_at_once(platform: Platform) -> None:
    """Two server processes, as far as the database can tell, and eight workers of Entra's."""
    second = platform.beside()
    with platform.serving(served) as connect, second.serving(served) as connect_second:
        secret = platform.secret("entra")
        clients = [connect(secret, BASE), connect_second(secret, BASE)]
        people = [assigned(clients[0], f"person{number}@acme.example", f"P{number}") for number in range(16)]
        team = provisioned_group(clients[0], "team")
        assert added(clients[0], team, *people[:4]).status in (200, 204)

        def change(number: int) -> int:
            client, one = clients[number % 2], people[number]
            act = removed if number < 4 else added
            answer = act(client, team, one)
            for _ in range(4):
                if answer.status == 503:  # Entra comes back when it is told to
                    answer = act(client, team, one)
            return answer.status

        with ThreadPoolExecutor(8) as workers:
            statuses = list(workers.map(change, range(16)))
        assert set(statuses) <= {200, 204}
        assert platform.members(team) == set(people[4:])
    second.storage.close()


def test_who_is_unassigned_is_suspended_then_restored_then_deleted_then_new(platform: Platform, entra: Client) -> None:
    ann, ben = assigned(entra, "ann@acme.example"), assigned(entra, "ben@acme.example", "Ben")
    team = provisioned_group(entra, "team")
    assert added(entra, team, ann, ben).status in (200, 204)

    disabled = entra.patch(f"/Users/{ann}", replaced("active", "False"))
    assert (disabled.status, disabled.body["active"]) == (200, False)
    (shown,) = entra.get("/Users", filter='userName eq "ann@acme.example"').found
    assert (shown["id"], shown["active"]) == (ann, False)
    assert platform.found("active eq true") == [ben]

    restored = entra.patch(f"/Users/{ann}", replaced("active", "True"))
    assert (restored.status, restored.id, restored.body["active"]) == (200, ann, True)
    assert platform.members(team) == {ann, ben}

    assert entra.patch(f"/Users/{ann}", replaced("active", "False")).status == 200
    statuses = [answer.status for answer in (entra.delete(f"/Users/{ann}"), entra.get(f"/Users/{ann}"))]
    assert [*statuses, entra.delete(f"/Users/{ann}").status] == [204, 404, 404]
    assert platform.members(team) == {ben}

    again = assigned(entra, "ann@acme.example")
    assert again != ann
    assert entra.get(f"/Users/{again}").body.get("groups") is None


def test_who_was_deleted_comes_back_as_before_until_the_grace_period_ends(platform: Platform) -> None:
    with platform.serving(served) as connect:
        entra = connected(platform, connect, "entra-keeping")
        ann, ben = assigned(entra, "ann@acme.example"), assigned(entra, "ben@acme.example", "Ben")
        team = provisioned_group(entra, "team")
        assert added(entra, team, ann, ben).status in (200, 204)
        for id in (ann, ben):
            assert entra.delete(f"/Users/{id}").status == 204
            assert (entra.get(f"/Users/{id}").status, entra.delete(f"/Users/{id}").status) == (404, 404)
        assert found(entra, "userName pr") == []
        assert platform.found("active eq false") == sorted((ann, ben))
        assert platform.members(team) == set()

        assert assigned(entra, "ann@acme.example") == ann
        assert platform.members(team) == {ann}
        assert platform.purged() == []
        platform.now += timedelta(days=31)
        assert platform.purged() == [ben]
        assert platform.found("userName pr") == [ann]


def test_after_the_last_leaver_nothing_is_left_but_what_is_manual(platform: Platform, entra: Client) -> None:
    local = platform.manual_user("local@acme.example", "owner")
    people = [assigned(entra, f"person{number}@acme.example", f"P{number}") for number in range(3)]
    team = provisioned_group(entra, "team")
    assert added(entra, team, *people, local).status in (200, 204)
    assert removed(entra, team, people[0]).status in (200, 204)
    assert platform.members(team) == {*people[1:], local}
    for id in people:
        assert entra.patch(f"/Users/{id}", replaced("active", "False")).status == 200
        assert entra.delete(f"/Users/{id}").status == 204
    assert entra.patch(f"/Groups/{team}", replaced("members", None)).status in (200, 204)
    assert platform.members(team) == set()
    assert entra.delete(f"/Groups/{team}").status == 204
    assert platform.found("userName pr") == [local]
    assert platform.found("displayName pr", PROVISIONED_GROUP) == []
    assert platform.provenance(local).managed_by is None
    assert [entry["happening"] for entry in platform.recorded()].count("deleted") == 4
