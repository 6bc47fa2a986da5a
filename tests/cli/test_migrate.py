"""`scimcore migrate`: tables from nothing, and what a server says of tables that it cannot use."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run, ended


def execute(statement: str) -> None:
    with closing(sqlite3.connect("scim.db")) as database, database:
        database.execute(statement)


def tables() -> set[str]:
    with closing(sqlite3.connect("scim.db")) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_tables_are_made_once_and_everything_stays(run: Run) -> None:
    for _ in range(2):
        done = run("migrate")
        assert (done.returncode, done.stdout) == (0, "sqlite:///scim.db is as this release needs it.\n"), done.stderr
        assert {"scim_resource", "scim_token", "scim_audit"} <= tables()
    execute("UPDATE scim_fact SET value = value")


def test_postgresql_is_upgraded_too(run: Run, empty_postgresql: str) -> None:
    done = run("migrate", "--database", f"postgresql{empty_postgresql}")
    assert done.returncode == 0, done.stderr


def test_a_server_refuses_tables_of_an_earlier_release_and_says_what_to_do(run: Run) -> None:
    assert run("migrate").returncode == 0
    execute("UPDATE scim_schema_version SET version_num = '0000'")
    refused = ended("serve")
    assert refused.returncode == 1
    assert "the tables are at revision 0000" in refused.stderr
    assert "scimcore migrate" in refused.stderr


def test_tables_that_nothing_tells_of_are_left_alone(run: Run) -> None:
    execute("CREATE TABLE scim_member (x)")
    refused = run("migrate")
    assert refused.returncode == 1
    assert "which revision made scim_member" in refused.stderr
    assert tables() == {"scim_member"}


@pytest.mark.parametrize("database", ["memory:", "mysql://x/y"])
def test_only_a_database_can_be_upgraded(run: Run, database: str) -> None:
    assert run("migrate", "--database", database).returncode == 2
    assert not Path("scim.db").exists()
