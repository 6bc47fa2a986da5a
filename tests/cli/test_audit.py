"""`scimcore audit`: the record read and verified."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from scimcore import Request, ScimProvider
from scimcore.access import Caller, Tenant
from scimcore.audit import SqlAudit
from scimcore.engine.immediate import finish
from scimcore.storage import MemoryStorage


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A database with a record of three changes in a tenant, and one in another."""
    keep(tmp_path / "scim.db", b"")
    return tmp_path / "scim.db"


def keep(path: Path, key: bytes) -> None:
    audit = SqlAudit(f"sqlite:///{path}", key=key)
    finish(audit.create_all())
    tenant = iter(("default", "default", "globex", "default"))
    provider = ScimProvider(MemoryStorage(), authenticate=lambda _: Caller(tenant=Tenant(next(tenant))), on_event=audit)
    for name in ("a", "Zoë", "c", "a"):
        provider.handle_sync(Request("POST", "/Users", body=json.dumps({"userName": name}).encode()))
    finish(audit.close())


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


@pytest.mark.usefixtures("record")
def test_a_whole_record_is_verified_and_its_ends_are_printed(run: Run) -> None:
    done = run("audit", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["default=3", "globex=1"]


def test_a_change_of_the_record_is_found(run: Run, record: Path) -> None:
    execute(record, "UPDATE scim_audit SET entry = replace(entry, 'Zo', 'Jo') WHERE tenant = 'default'")
    done = run("audit", "verify")
    assert done.returncode == 1
    assert done.stderr == "broken: tenant 'default', entry 2: changed, or the entry before it was\n"


def test_what_was_cut_off_is_found_by_the_end_that_was_noted(run: Run, record: Path) -> None:
    heads = run("audit", "verify").stdout.splitlines()
    execute(record, "DELETE FROM scim_audit WHERE number = 3")
    assert run("audit", "verify").returncode == 0
    done = run("audit", "verify", "--head", heads[0], "--head", heads[1])
    assert done.returncode == 1
    assert done.stderr == "broken: tenant 'default', entry 3: missing: it was noted as the end\n"


@pytest.mark.usefixtures("record")
def test_entries_are_shown_one_on_a_line(run: Run) -> None:
    shown = [json.loads(line) for line in run("audit", "show").stdout.splitlines()]
    assert [(one["number"], one["happening"]) for one in shown] == [(1, "created"), (2, "created"), (3, "refused")]
    assert shown[1]["changes"]["assigned"]["userName"] == "Zoë"
    assert len(run("audit", "show", "--after", "2").stdout.splitlines()) == 1
    assert len(run("audit", "show", "--tenant", "globex").stdout.splitlines()) == 1
    assert run("audit", "show", "--tenant", "nobody").stdout == ""


def test_a_key_comes_from_the_environment(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path / "scim.db", b"kept elsewhere")
    assert run("audit", "verify").returncode == 1
    monkeypatch.setenv("SCIMCORE_AUDIT_KEY", "kept elsewhere")
    assert run("audit", "verify").returncode == 0


@pytest.mark.parametrize("arguments", [(), ("--database", "memory:"), ("--database", "sqlite:///nowhere.db")])
def test_a_record_that_is_not_there_is_no_whole_one(run: Run, arguments: tuple[str, ...]) -> None:
    done = run("audit", "verify", *arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("scimcore audit: ")
    assert done.stdout == ""


def test_a_database_without_a_record_is_no_whole_one(run: Run, tmp_path: Path) -> None:
    execute(tmp_path / "scim.db", "CREATE TABLE other (x)")
    done = run("audit", "verify")
    assert done.returncode == 1
    assert "scim_audit" in done.stderr


@pytest.mark.parametrize("head", ["acme", "acme=x:1", "acme=1", "acme=1:"])
@pytest.mark.usefixtures("record")
def test_a_head_that_is_none_is_refused(run: Run, head: str) -> None:
    assert run("audit", "verify", "--head", head).returncode == 2
