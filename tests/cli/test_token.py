"""`scimcore token`: made, listed, replaced and ended, and what that means for a running server."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run, asked, ended, serving

CONFIGURATION = """
tenants = ["acme", "globex"]
connections = [
    { name = "okta-main", tenant = "acme" },
    { name = "entra", tenant = "acme" },
    { name = "entra", tenant = "globex" },
]
"""


def made(run: Run, *arguments: str, connection: str = "okta-main") -> str:
    """The secret of a new token."""
    done = run("token", "create", "--connection", connection, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def listed(run: Run, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("token", "list", "--json", *arguments).stdout)
    return found


def test_a_new_token_is_printed_alone_and_kept_as_a_digest(run: Run) -> None:
    done = ended("token", "create", "--connection", "okta-main", "--tenant", "acme", "--expires", "90d", "--label", "é")
    secret = done.stdout.strip()
    assert re.fullmatch("scim_[0-9A-Za-z]{49}", secret)
    assert re.search("Token [0-9a-f]{16} for okta-main of acme, until ", done.stderr)
    (token,) = listed(run)
    assert (token["tenant"], token["connection"], token["status"], token["label"]) == (
        "acme",
        "okta-main",
        "active",
        "é",
    )
    assert (token["scopes"], token["lastUsed"], token["revoked"]) == (["read", "write"], None, None)
    with closing(sqlite3.connect("scim.db")) as database:
        assert secret not in repr(database.execute("SELECT * FROM scim_token").fetchall())


def test_a_token_opens_the_server_until_it_is_revoked(run: Run) -> None:
    secret = made(run)
    with serving(database=None, lines=3) as server:
        assert "1 token opens it" in server.greeting
        assert asked(f"{server.url}/Users", secret).status_code == 200
        (token,) = listed(run)
        assert token["lastUsed"] is not None
        id = str(token["id"])
        assert run("token", "revoke", id).returncode == 0
        # The server asks the database again every second.
        assert becomes_401(f"{server.url}/Users", secret)
        refused = asked(f"{server.url}/Users", secret)
        assert 'error="invalid_token", error_description="the token was revoked"' in refused.headers["www-authenticate"]
        assert refused.json()["status"] == "401"
    assert listed(run)[0]["status"] == "revoked"
    assert secret not in server.log


def becomes_401(url: str, secret: str) -> bool:
    """Whether a token is refused at last, within far more requests than fit into a second."""
    return any(asked(url, secret).status_code == 401 for _ in range(20_000))


def test_a_rotated_token_and_its_successor_both_work_for_a_while(run: Run) -> None:
    old = made(run, "--scope", "read", "--label", "nightly")
    id = str(listed(run)[0]["id"])
    rotated = run("token", "rotate", id, "--overlap", "2h")
    new = rotated.stdout.strip()
    before, after = listed(run)
    assert (after["scopes"], after["label"], after["connection"]) == (["read"], "nightly", "okta-main")
    assert str(before["expires"]) < str(after["expires"])
    with serving(database=None, lines=3) as server:
        assert [asked(f"{server.url}/Users", secret).status_code for secret in (old, new)] == [200, 200]


def test_a_token_without_the_scope_write_only_reads(run: Run) -> None:
    secret = made(run, "--scope", "read")
    with serving(database=None, lines=3) as server:
        assert asked(f"{server.url}/Users", secret).status_code == 200
        refused = asked(f"{server.url}/Users", secret, method="POST", json={"userName": "ada"})
        assert refused.status_code == 403


def test_a_list_is_a_table_that_warns_of_what_soon_ends(run: Run) -> None:
    made(run, "--expires", "10d", "--label", "soon")
    made(run, "--expires", "1y", "--tenant", "globex", connection="entra")
    done = run("token", "list")
    headings, soon, later = done.stdout.splitlines()
    assert headings.split() == ["ID", "TENANT", "CONNECTION", "SCOPES", "EXPIRES", "STATUS", "LAST", "USED", "LABEL"]
    assert re.fullmatch(r"\w{16}  default +okta-main +read,write +\S+ \S+ UTC +expires in 9 days +never +soon", soon)
    assert re.fullmatch(r"\w{16}  globex +entra +read,write +\S+ \S+ UTC +active +never", later)
    warning = rf"warning: token \w+ for okta-main of default expires in 9 days: scimcore token rotate {soon[:16]}\n"
    assert re.fullmatch(warning, done.stderr)
    assert run("token", "list", "--within", "7d").stderr == ""
    assert [one["expiresSoon"] for one in listed(run, "--within", "2y")] == [True, True]
    assert [one["tenant"] for one in listed(run, "--tenant", "globex")] == ["globex"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["create"], 2, "--connection"),
        (["create", "--connection", "x", "--expires", "soon"], 2, "not a span of time such as 90d"),
        (["create", "--connection", "x", "--expires", "0d"], 1, "a token lives for some time"),
        (["create", "--connection", "x", "--expires", "999999y"], 1, "after the year 9999"),
        (["create", "--connection", "x", "--scope", "admin"], 2, "admin"),
        (["create", "--connection", "a\nb"], 1, "do not print"),
        (["create", "--connection", "x", "--tenant", ""], 1, "belongs to a tenant"),
        (["create", "--connection", "x", "--database", "memory:"], 2, "name a database"),
        (["create", "--connection", "x", "--database", "sqlite:///no/such/folder/x.db"], 1, "unable to open database"),
        (["create", "--connection", "x", "--config", "none.toml"], 2, "cannot read none.toml: No such file"),
        (["list"], 1, "there is no database scim.db"),
        (["revoke", "7"], 1, "there is no database scim.db"),
        (["rotate"], 2, "id"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, arguments: list[str], status: int, says: str) -> None:
    refused = run("token", *arguments)
    assert (refused.returncode, refused.stdout) == (status, "")
    assert says in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    if arguments[0] == "list":
        assert not Path("scim.db").exists()


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_a_token_that_is_not_there_is_neither_ended_nor_replaced(run: Run, action: str) -> None:
    made(run)
    refused = run("token", action, "0123456789abcdef")
    assert (refused.returncode, refused.stderr) == (1, "scimcore token: there is no token 0123456789abcdef\n")


def test_the_configuration_says_which_connections_there_are(run: Run) -> None:
    Path("scimcore.toml").write_text(CONFIGURATION, encoding="utf-8")
    made(run, "--config", "scimcore.toml")
    assert [(one["tenant"], one["connection"]) for one in listed(run)] == [("acme", "okta-main")]
    for arguments, says in (
        (["okta-maim"], "has no connection okta-maim; it has entra of acme, entra of globex, okta-main of acme"),
        (["okta-main", "--tenant", "globex"], "has no connection okta-main of globex"),
        (["entra"], "several tenants have a connection entra: say --tenant"),
    ):
        refused = run("token", "create", "--config", "scimcore.toml", "--connection", *arguments)
        assert refused.returncode == 2
        assert says in refused.stderr
    made(run, "--config", "scimcore.toml", "--tenant", "globex", connection="entra")
