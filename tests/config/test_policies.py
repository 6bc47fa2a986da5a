"""The policies that come with scimcore, as a configuration file asks for them."""

import inspect
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from scimcore.config import POLICIES, ConfigurationError, configuration_of
from scimcore.provisioning import Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.immutable import ImmutableAttributes
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.scopes import Scope
from scimcore.provisioning.sync import SyncedAttributes


def policies(*tables: dict[str, object]) -> tuple[Policy, ...]:
    connection = {"name": "okta", "tenant": "acme", "policies": list(tables)}
    return configuration_of({"tenants": ["acme"], "connections": [connection]}).connections[0].policies


@pytest.mark.parametrize(
    ("name", "settings", "policy"),
    [
        (
            "adoption",
            {"on_existing": "take_over", "match": ["userName"], "by_id": True},
            Adoption(on_existing="take_over", match=("userName",), by_id=True),
        ),
        ("group_adoption", {"on_existing": "link"}, GroupAdoption(on_existing="link")),
        ("ownership", {"on_foreign": "take"}, Ownership(on_foreign="take")),
        (
            "sync",
            {"user": ["name.givenName", 'emails[type eq "work"].value']},
            SyncedAttributes({"User": ("name.givenName", 'emails[type eq "work"].value')}),
        ),
        ("immutable", {"paths": ["emails"]}, ImmutableAttributes(("emails",))),
        (
            "leaving",
            {"on_delete": "soft_delete", "grace": "12h", "memberships": "end"},
            Leaving(on_delete="soft_delete", grace=timedelta(hours=12), memberships="end"),
        ),
        (
            "group_identifiers",
            {"collision": "suffix", "account": "acme", "organisation": "emea"},
            GroupIdentifiers(collision="suffix", scope=Scope("acme", "emea")),
        ),
        ("members", {"unknown": "refuse"}, UnknownMembers("refuse")),
        ("nesting", {"groups_in_groups": "refuse"}, NestedGroups("refuse")),
    ],
)
def test_a_file_makes_the_policy_that_python_makes(name: str, settings: dict[str, object], policy: Policy) -> None:
    assert policies({"policy": name, **settings}) == (policy,)


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - {"immutable"}))
def test_settings_that_are_left_out_are_those_of_the_policy(name: str) -> None:
    (made,) = policies({"policy": name})
    without_hooks = {"sync": SyncedAttributes({}), "adoption": Adoption(match=("userName", "externalId"))}
    assert made == (without_hooks[name] if name in without_hooks else type(made)())


def test_policies_stand_in_the_order_of_the_file() -> None:
    made = policies({"policy": "adoption"}, {"policy": "ownership"}, {"policy": "leaving"})
    assert [type(policy) for policy in made] == [Adoption, Ownership, Leaving]


@pytest.mark.parametrize(
    ("name", "policy", "left_to_python"),
    [
        ("adoption", Adoption, {"email", "kept", "is_verified", "is_privileged", "group_type"}),
        ("group_adoption", GroupAdoption, {"is_privileged"}),
        # `scope` is said by account, organisation and project.
        ("group_identifiers", GroupIdentifiers, {"scope", "is_privileged"}),
        ("immutable", ImmutableAttributes, {"resource_type"}),
        ("leaving", Leaving, {"is_last_owner", "group_type"}),
        # A table has its name in `policy`.
        ("members", UnknownMembers, {"policy"}),
        ("nesting", NestedGroups, {"policy"}),
        ("ownership", Ownership, set()),
        ("sync", SyncedAttributes, {"allowed"}),
    ],
)
def test_whatever_is_no_function_can_be_said_in_a_file(
    name: str, policy: type[attrs.AttrsInstance], left_to_python: set[str]
) -> None:
    fields = {one.name for one in attrs.fields(policy) if one.init}
    assert fields - set(inspect.signature(POLICIES[name]).parameters) == left_to_python


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"policy": "adoption", "match": ["mail"]}, "match[0]: should be 'userName', 'externalId' or 'email'"),
        ({"policy": "sync", "user": ["nmae.givenName"]}, "user[0]: "),
        ({"policy": "sync", "user": ["emails[type eq]"]}, "user[0]: "),
        ({"policy": "sync", "group": ["userName"]}, "group[0]: "),
        ({"policy": "immutable"}, "paths: is required"),
        ({"policy": "immutable", "paths": []}, "paths: Tuple should have at least 1 item"),
        ({"policy": "leaving", "grace": 30}, "grace: should be a span of time"),
        ({"policy": "leaving", "grace": "30 days"}, "grace: not a span of time such as 90d"),
        ({"policy": "leaving", "on_delete": "forget"}, "on_delete: should be 'suspend', 'soft_delete' or 'delete'"),
        ({"policy": "group_identifiers", "project": "web"}, "an organisation and a project belong to an `account`"),
        ({"policy": "group_identifiers", "account": "a b"}, ""),
        ({"policy": "members", "unknown": True}, "unknown: should be 'skip' or 'refuse'"),
        ({"policy": "nesting", "most_groups": 0}, "most_groups: should be greater than or equal to 1"),
    ],
)
def test_a_setting_that_cannot_be_is_named(table: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        policies(table)
    (found,) = refused.value.faults
    assert str(found).startswith("connections[0].policies[0]")
    assert fault in str(found)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_documentation_names_every_policy_with_its_settings(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    (row,) = (line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |"))
    for setting in inspect.signature(POLICIES[name]).parameters.values():
        assert f"`{setting.name}`" in row


@pytest.mark.parametrize(
    ("names", "faults"),
    [
        (["adoption", "group_adoption", "ownership", "group_identifiers", "leaving"], []),
        (["leaving", "ownership"], ['policies[1]: "ownership" decides before "leaving": put it in front of it']),
        (["group_identifiers", "group_adoption"], ['policies[1]: "group_adoption" decides before "group_identifiers"']),
        (["ownership", "adoption"], ['policies[1]: "adoption" decides before "ownership"']),
        (["leaving", "ownership", "adoption"], ["policies[1]: ", "policies[2]: "]),
    ],
)
def test_policies_in_the_wrong_order_are_a_fault(names: list[str], faults: list[str]) -> None:
    connection = {"name": "okta", "tenant": "acme", "policies": [{"policy": name} for name in names]}
    settings = {"tenants": ["acme"], "connections": [connection]}
    try:
        configuration_of(settings)
        found: list[str] = []
    except ConfigurationError as error:
        found = list(map(str, error.faults))
    assert len(found) == len(faults)
    for one, expected in zip(found, faults, strict=True):
        assert one.startswith(f"connections[0].{expected}")
