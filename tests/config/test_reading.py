"""A configuration file: what it may say, and how everything that is wrong with it is named at once."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

import attrs
import pytest

from scimcore.config import Configuration, ConfigurationError, configuration_of, read_configuration
from scimcore.config.policies import PolicyMaker
from scimcore.dialects import DIALECTS, Dialect
from scimcore.provisioning import Intent
from scimcore.rules.filter import parse_filter
from scimcore.rules.limits import Limits
from scimcore.storage.protocol import Session

WHOLE = """
database = "postgresql://scim@db/scim"
public_url = "https://scim.example.com"
paths = ["/scim/v2", "/scim/{tenant}/v2"]
tenants = ["acme", "globex"]

[limits]
max_page_size = 500

[[connections]]
name = "okta-main"
tenant = "acme"
dialect = "okta"
visible = { User = 'userType eq "Employee"' }

[[connections.policies]]
policy = "leaving"
on_delete = "suspend"

[[connections.policies]]
policy = "adoption"

[[connections]]
name = "okta-main"
tenant = "globex"
"""


@attrs.frozen
class Leaving:
    """A policy with settings."""

    on_delete: str
    grace: timedelta

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - it has no say
        return intent


def leaving(*, on_delete: Literal["suspend", "delete"], grace: timedelta = timedelta(0)) -> Leaving:
    return Leaving(on_delete, grace)


def adoption(*, by: tuple[str, ...] = ("userName",)) -> Leaving:
    return Leaving(",".join(by), timedelta(0))


MAKERS: dict[str, PolicyMaker] = {"leaving": leaving, "adoption": adoption}


def read(text: str, tmp_path: Path) -> Configuration:
    file = tmp_path / "scimcore.toml"
    file.write_text(text, encoding="utf-8")
    return read_configuration(file, MAKERS)


def faults(text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(text, tmp_path)
    assert str(refused.value).splitlines()
    return [str(fault) for fault in refused.value.faults]


def test_a_file_says_what_a_configuration_says(tmp_path: Path) -> None:
    configuration = read(WHOLE, tmp_path)
    main, other = configuration.connections
    assert configuration.database == "postgresql://scim@db/scim"
    assert configuration.public_url == "https://scim.example.com"
    assert configuration.paths == ("/scim/v2", "/scim/{tenant}/v2")
    assert configuration.limits == Limits(max_page_size=500)
    assert (main.name, main.tenant, main.dialect) == ("okta-main", "acme", DIALECTS["okta"])
    assert main.policies == (Leaving("suspend", timedelta(0)), Leaving("userName", timedelta(0)))
    assert main.visible == {"User": parse_filter('userType eq "Employee"')}
    assert (other.tenant, other.dialect, other.policies, other.visible) == ("globex", Dialect.DEFAULT, (), {})


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert read("", tmp_path) == Configuration()


def test_a_password_in_a_url_is_not_shown() -> None:
    assert "s3cret" not in repr(Configuration(database="postgresql://scim:s3cret@db/scim"))
    assert "s3cret" not in repr(Configuration(audit="postgresql://scim:s3cret@db/record"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('databse = "x"', "databse: there is no such setting"),
        ("database = 7", "database: should be text that prints"),
        ('database = ""', "database: should be text that prints"),
        ('database = "mysql://db/scim"', "database: mysql is neither SQLite nor PostgreSQL"),
        ('database = "scim.db"', "database: no URL of a database"),
        ("audit = 7", "audit: should be text that prints"),
        ('audit = "memory:"', "audit: no URL of a database"),
        ('public_url = "scim.example.com"', "public_url: should be an http or https URL"),
        ('public_url = "https://scim.example.com/?x"', "public_url: should be an http or https URL"),
        ("paths = []", "paths: List should have at least 1 item"),
        ('paths = "/scim"', "paths: should be a valid list"),
        ('paths = ["/a", "scim"]', "paths[1]: a path begins with a slash"),
        ('paths = ["/{account}"]', "paths[0]: a segment is {tenant} or plain text"),
        ("limits = { max_page_sise = 3 }", 'limits.max_page_sise: unknown limit "max_page_sise"; known are default_'),
        ("limits = { max_page_size = 0 }", "limits.max_page_size: should be greater than or equal to 1"),
        ("limits = { max_page_size = true }", "limits.max_page_size: should be a valid integer"),
        ('limits = { max_page_size = "9" }', "limits.max_page_size: should be a valid integer"),
        ("limits = 3", "limits: should be a valid dictionary"),
        ('tenants = ["acme", 3]', "tenants[1]: should be text that prints"),
        ('tenants = ["a\\u0000b"]', "tenants[0]: should be text that prints"),
        ('tenants = ["acme", "acme"]', 'tenants: "acme" stands there 2 times'),
        ("connections = {}", "connections: should be a valid list"),
        ("connections = [3]", "connections[0]: should be a valid dictionary"),
        ('[[connections]]\nname = "x"', "connections[0].tenant: is required"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, expected: str, tmp_path: Path) -> None:
    (found,) = faults(text, tmp_path)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('dialect = "okt"', 'dialect: unknown dialect "okt"; known are authentik, default, '),
        ("dialect = 3", "dialect: should be text that prints"),
        ('dialct = "okta"', "dialct: there is no such setting"),
        ("visible = { Person = 'id pr' }", "visible.Person: should be 'User' or 'Group'"),
        ("visible = { User = 'id' }", "visible.User: expected"),
        ("visible = { User = 'nickname2 pr' }", "visible: User: "),
        ('policies = ["leaving"]', "policies[0]: should be a table that names its policy; known are adoption, leaving"),
        ("policies = [{}]", "policies[0]: should be a table that names its policy"),
        ('policies = [{ policy = "leave" }]', 'policies[0]: unknown policy "leave"; known are adoption, leaving'),
        ('policies = [{ policy = "leaving" }]', "policies[0].on_delete: is required"),
        (
            'policies = [{ policy = "leaving", on_delete = "x" }]',
            "policies[0].on_delete: should be 'suspend' or 'delete'",
        ),
        ('policies = [{ policy = "adoption", of = 3 }]', "policies[0].of: there is no such setting"),
        ('policies = [{ policy = "adoption", by = [3] }]', "policies[0].by[0]: should be a valid string"),
    ],
)
def test_a_fault_of_a_connection_is_named_with_its_place(setting: str, expected: str, tmp_path: Path) -> None:
    (found,) = faults(f'tenants = ["acme"]\n[[connections]]\nname = "x"\ntenant = "acme"\n{setting}', tmp_path)
    assert found.startswith(f"connections[0].{expected}")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = """
    databse = "x"
    tenants = ["acme"]
    paths = ["nowhere"]
    [limits]
    max_operations = -1
    [[connections]]
    name = "okta"
    tenant = "acme"
    dialect = "okt"
    policies = [{ policy = "leaving", on_delete = "x", grace = "y" }, { policy = "z" }]
    [[connections]]
    name = "okta"
    tenant = "acme"
    [[connections]]
    tenant = "globx"
    name = "entra"
    """
    assert {fault.partition(":")[0] for fault in faults(text, tmp_path)} == {
        "databse",
        "paths[0]",
        "limits.max_operations",
        "connections[0].dialect",
        "connections[0].policies[0].on_delete",
        "connections[0].policies[0].grace",
        "connections[0].policies[1]",
        "connections[1].name",
        "connections[2].tenant",
    }


@pytest.mark.parametrize("content", [b"tenants = [", b"\xff\xfe", b"x = 1\nx = 2"])
def test_what_is_no_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "scimcore.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="not TOML in UTF-8"):
        read_configuration(file)


def test_a_message_does_not_show_a_password(tmp_path: Path) -> None:
    (found,) = faults('database = "mysql://scim:s3cret@db/scim"', tmp_path)
    assert "s3cret" not in found


def test_the_policies_that_come_with_scimcore_are_known_by_default() -> None:
    settings = {"tenants": ["acme"], "connections": [{"name": "x", "tenant": "acme", "policies": [{"policy": "?"}]}]}
    with pytest.raises(ConfigurationError, match="unknown policy"):
        configuration_of(settings)
