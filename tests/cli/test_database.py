"""What outlives a run of `scimcore serve`: users, groups and tokens, in SQLite by default."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import TOKEN, asked, ended, serving, started

USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "grace"}


def created(url: str, token: str = TOKEN) -> httpx.Response:
    return httpx.post(f"{url}/Users", headers={"Authorization": f"Bearer {token}"}, json=USER)


def test_users_are_kept_in_sqlite_without_being_asked() -> None:
    with serving(token=TOKEN, database=None) as server:
        assert "kept in sqlite:///scim.db" in server.greeting
        assert created(server.url).status_code == 201
    assert Path("scim.db").is_file()
    with serving(token=TOKEN, database=None) as server:
        assert [user["userName"] for user in asked(f"{server.url}/Users").json()["Resources"]] == ["grace"]
    assert server.status == 0


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg", "postgresql+asyncpg", "sqlite+aiosqlite"])
def test_every_driver_keeps_them(driver: str, request: pytest.FixtureRequest) -> None:
    place = ":///scim.db" if driver.startswith("sqlite") else request.getfixturevalue("empty_postgresql")
    for status in (201, 409):
        with serving(token=TOKEN, database=f"{driver}{place}") as server:
            assert created(server.url).status_code == status
            assert asked(f"{server.url}/Users").json()["totalResults"] == 1
        assert (server.status, "Traceback" in server.log) == (0, False), server.log


def test_servers_that_start_together_on_an_empty_database_all_start(empty_postgresql: str) -> None:
    with ExitStack() as stack:
        # Each returns when its process has been started, not when it listens.
        servers = [stack.enter_context(started(database=f"postgresql{empty_postgresql}")) for _ in range(4)]
        for server in servers:
            server.await_greeting()
        assert created(servers[0].url).status_code == 201
        assert [asked(f"{server.url}/Users").json()["totalResults"] for server in servers] == [1] * 4


def test_the_environment_names_a_database_that_no_argument_shows() -> None:
    refused = ended("serve", database="postgresql://scim:s3cret@127.0.0.1:1/scim")
    assert refused.returncode == 1
    assert "cannot use the database postgresql+psycopg_async://scim:***@127.0.0.1:1/scim" in refused.stderr
    assert "s3cret" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("url", ["mysql://db/scim", "scim.db", ""])
def test_a_database_that_is_none_is_refused(url: str) -> None:
    refused = ended("serve", "--database", url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--database: " in refused.stderr


def test_a_file_that_is_no_database_is_named() -> None:
    Path("scim.db").write_bytes(b"this is no database" * 100)
    refused = ended("serve")
    assert refused.returncode == 1
    assert "cannot use the database sqlite:///scim.db: file is not a database" in refused.stderr


def test_a_token_made_for_a_run_ends_with_it() -> None:
    with serving(database=None, lines=3) as server:
        made = server.printed(r"Bearer token, made for this run: (\S+)")
        assert asked(f"{server.url}/Users", made).status_code == 200
    with serving(database=None, lines=3) as server:
        assert asked(f"{server.url}/Users", made).status_code == 401
        assert server.printed(r"made for this run: (\S+)") != made
    with closing(sqlite3.connect("scim.db")) as database:
        assert database.execute("SELECT count(*) FROM scim_token").fetchone() == (0,)
