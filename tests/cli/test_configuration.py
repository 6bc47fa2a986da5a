"""`scimcore serve --config`: many tenants behind one server."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import TOKEN, Run, asked, ended, serving

CONFIGURATION = """
public_url = "https://scim.example.com"
paths = ["/scim/v2", "/scim/{tenant}/v2", "/gateway/ng/api/scim/account/{tenant}"]
tenants = ["acme", "globex"]

[limits]
max_page_size = 3

[[connections]]
name = "okta"
tenant = "acme"
dialect = "okta"

[[connections]]
name = "entra"
tenant = "globex"
dialect = "entra"
"""


@pytest.fixture(autouse=True)
def written() -> None:
    Path("scimcore.toml").write_text(CONFIGURATION, encoding="utf-8")


def made(run: Run, connection: str) -> str:
    done = run("token", "create", "--config", "scimcore.toml", "--connection", connection)
    return done.stdout.strip()


def test_tenants_are_told_apart_by_token_and_path(run: Run) -> None:
    acme, globex = made(run, "okta"), made(run, "entra")
    with serving("--config", "scimcore.toml", database=None, lines=5) as server:
        origin = server.url.removesuffix("/scim/v2")
        assert f"listens at {origin}/scim/{{tenant}}/v2\n" in server.greeting
        user = {"userName": "grace"}
        created = asked(f"{origin}/scim/acme/v2/Users", acme, method="POST", json=user)
        assert created.status_code == 201
        assert created.headers["location"].startswith("https://scim.example.com/scim/acme/v2/Users/")
        for path in ("/scim/v2", "/scim/acme/v2", "/gateway/ng/api/scim/account/acme"):
            assert asked(f"{origin}{path}/Users", acme).json()["totalResults"] == 1
            refused = asked(f"{origin}{path}/Users", globex)
            assert refused.status_code == 404 if "acme" in path else refused.json()["totalResults"] == 0
        assert asked(f"{origin}/scim/none/v2/Users", acme).status_code == 404
        assert asked(f"{origin}/scim/acme/v2/ServiceProviderConfig", acme).json()["filter"]["maxResults"] == 3


def test_a_token_whose_connection_is_not_in_the_file_opens_nothing(run: Run) -> None:
    secret = run("token", "create", "--connection", "another", "--tenant", "acme").stdout.strip()
    with serving("--config", "scimcore.toml", database=None, lines=5) as server:
        assert asked(f"{server.url}/Users", secret).status_code == 403


def test_a_server_without_any_token_says_how_to_make_one() -> None:
    with serving("--config", "scimcore.toml", database=None, lines=5) as server:
        assert "No token opens it yet: scimcore token create." in server.greeting
        assert asked(f"{server.url}/Users").status_code == 401


def test_in_memory_every_connection_gets_a_token_for_the_run() -> None:
    with serving("--config", "scimcore.toml", lines=6) as server:
        for connection, tenant in (("okta", "acme"), ("entra", "globex")):
            token = server.printed(rf"Bearer token for {connection} of {tenant}, made for this run: (\S+)")
            assert asked(server.url.replace("/v2", f"/{tenant}/v2") + "/Users", token).status_code == 200


def test_a_given_token_is_for_the_only_connection_there_is() -> None:
    refused = ended("serve", "--config", "scimcore.toml", "--token", TOKEN)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "one token does not tell 2 connections apart" in refused.stderr
    Path("scimcore.toml").write_text(
        'tenants = ["acme"]\nconnections = [{ name = "okta", tenant = "acme" }]', encoding="utf-8"
    )
    with serving("--config", "scimcore.toml", token=TOKEN) as server:
        assert asked(f"{server.url}/Users").status_code == 200


def test_every_fault_of_the_file_is_named_before_anything_starts() -> None:
    Path("scimcore.toml").write_text(
        'databse = "x"\n[[connections]]\nname = "okta"\ntenant = "acme"\ndialect = "okt"', encoding="utf-8"
    )
    refused = ended("serve", "--config", "scimcore.toml")
    assert (refused.returncode, refused.stdout) == (2, "")
    faults = sorted(refused.stderr.splitlines())
    assert [fault.partition(";")[0] for fault in faults] == [
        'scimcore.toml: connections[0].dialect: unknown dialect "okt"',
        'scimcore.toml: connections[0].tenant: unknown tenant "acme"',
        "scimcore.toml: databse: there is no such setting",
    ]
    assert not Path("scim.db").exists()


def test_the_command_line_comes_before_the_file() -> None:
    Path("scimcore.toml").write_text('database = "sqlite:///of-the-file.db"', encoding="utf-8")
    with serving("--config", "scimcore.toml", "--database", "sqlite:///said.db", token=TOKEN, database=None) as server:
        assert "sqlite:///said.db" in server.greeting
    assert Path("said.db").exists()
    assert not Path("of-the-file.db").exists()


def test_the_policies_of_a_connection_decide() -> None:
    policies = """
    [[connections.policies]]
    policy = "sync"
    user = ["userName", "displayName"]
    [[connections.policies]]
    policy = "group_identifiers"
    """
    first, rest = CONFIGURATION.split('dialect = "okta"')
    Path("scimcore.toml").write_text(f'{first}dialect = "okta"\n{policies}{rest}', encoding="utf-8")
    with serving("--config", "scimcore.toml", lines=6) as server:
        okta, entra = (
            server.printed(rf"token for {name} \S+ \S+ made for this run: (\S+)") for name in ("okta", "entra")
        )
        user = {"userName": "grace", "displayName": "Grace", "title": "Admiral"}
        kept = asked(f"{server.url}/Users", okta, method="POST", json=user).json()
        assert (kept["displayName"], "title" in kept) == ("Grace", False)
        assert asked(f"{server.url}/Users", entra, method="POST", json=user).json()["title"] == "Admiral"
        groups = [
            asked(f"{server.url}/Groups", okta, method="POST", json={"displayName": name}) for name in ("a-b", "a.b")
        ]
        assert [group.status_code for group in groups] == [201, 409]


def test_what_happens_is_put_on_record_unless_the_file_says_no(run: Run) -> None:
    secret = made(run, "okta")
    with serving("--config", "scimcore.toml", database=None, lines=5) as server:
        asked(f"{server.url}/Users", secret, method="POST", json={"userName": "grace"})
        asked(f"{server.url}/Users", "no-token-of-anyone")
    shown = [json.loads(line)["happening"] for line in run("audit", "show", "--tenant", "acme").stdout.splitlines()]
    assert shown == ["token issued", "created"]
    assert run("audit", "verify").returncode == 0
    Path("scimcore.toml").write_text("audit = false", encoding="utf-8")
    silent = ("--config", "scimcore.toml", "--database", "sqlite:///silent.db")
    assert run("token", "create", "--connection", "okta", *silent).returncode == 0
    with closing(sqlite3.connect("silent.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
    assert "scim_token" in tables
    assert "scim_audit" not in tables


def test_the_record_may_have_a_database_of_its_own(run: Run) -> None:
    named = Path("scimcore.toml").read_text(encoding="utf-8")
    Path("scimcore.toml").write_text(f'audit = "sqlite:///record.db"\n{named}', encoding="utf-8")
    configured = ("--config", "scimcore.toml")
    secret = made(run, "okta")
    with serving(*configured, database=None, lines=5) as server:
        asked(f"{server.url}/Users", secret, method="POST", json={"userName": "grace"})
    shown = run("audit", "show", "--tenant", "acme", *configured).stdout.splitlines()
    assert [json.loads(line)["happening"] for line in shown] == ["token issued", "created"]
    verified = run("audit", "verify", *configured)
    assert (verified.returncode, verified.stdout.partition(":")[0]) == (0, "acme=2")
    assert run("audit", "verify", "--database", "sqlite:///scim.db").returncode == 1  # there is none


def test_a_record_may_outlive_what_is_in_memory(run: Run) -> None:
    Path("scimcore.toml").write_text('database = "memory:"\naudit = "sqlite:///record.db"', encoding="utf-8")
    with serving("--config", "scimcore.toml", database=None, lines=3) as server:
        secret = server.printed(r"Bearer token, made for this run: (\S+)")
        asked(f"{server.url}/Users", secret, method="POST", json={"userName": "grace"})
    (entry,) = run("audit", "show", "--config", "scimcore.toml").stdout.splitlines()
    assert json.loads(entry)["happening"] == "created"
