"""What the command says when the `server` extra is not installed."""

import sys

import pytest

from scimcore.cli import main


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "scimcore.cli.serve", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--token", "a-token-made-up-for-tests"]) == 1
    assert "needs uvicorn: pip install 'scimcore[server]'" in capsys.readouterr().err
