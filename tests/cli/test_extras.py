"""What the command says when an extra is not installed."""

import sys

import pytest

from scimcore.cli import main


@pytest.mark.parametrize(
    ("command", "database", "module", "install"),
    [
        (["serve"], "memory:", "uvicorn", "'scimcore[server]'"),
        (["serve"], "sqlite:///scim.db", "sqlalchemy", "'scimcore[sql]'"),
        (["serve"], "postgresql://localhost/scim", "psycopg", "'scimcore[sql]'"),
        (["serve"], "sqlite+aiosqlite:///scim.db", "aiosqlite", "aiosqlite"),
        (["token", "list"], "postgresql+asyncpg://localhost/scim", "asyncpg", "asyncpg"),
    ],
)
def test_what_is_not_installed_is_named(
    command: list[str],
    database: str,
    module: str,
    install: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "scimcore.cli.server", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    assert main([*command, "--database", database]) == 1
    assert f"needs {module}: pip install {install}" in capsys.readouterr().err
