"""The `scimcore` command in a directory of its own, as the real process or within this one, which is faster."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import httpx
import pytest
from sqlalchemy import NullPool, create_engine, text

from scimcore.cli import main

COMMAND = Path(sys.executable).with_name("scimcore")
TOKEN = "a-token-made-up-for-tests"


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a database is made if nobody says otherwise, and an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("SCIMCORE_TOKEN", "SCIMCORE_DATABASE"):
        monkeypatch.delenv(name, raising=False)


@attrs.frozen
class Ended:
    """The end of a command."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command within this process."""

    def run(*arguments: str) -> Ended:
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    """The URL, without the driver, of a PostgreSQL database without tables."""
    engine = create_engine(f"postgresql+psycopg{postgresql}", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE scim_of_the_command"))
        yield postgresql.replace("/postgres?", "/scim_of_the_command?")
        connection.execute(text("DROP DATABASE scim_of_the_command WITH (FORCE)"))


def surroundings(token: str | None, database: str | None = None) -> dict[str, str]:
    """The environment of the process, with SCIMCORE_TOKEN and SCIMCORE_DATABASE as said."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SCIMCORE_")}
    said = {"SCIMCORE_TOKEN": token, "SCIMCORE_DATABASE": database}
    return {**variables, **{name: value for name, value in said.items() if value is not None}}


@attrs.define
class Running:
    """A server: what it printed on its start and, once it has ended, its log and its exit status."""

    process: subprocess.Popen[str]
    greeting: str = ""
    log: str = ""
    status: int | None = None

    def await_greeting(self, lines: int = 2) -> None:
        """Read so many *lines* of what it prints."""
        assert self.process.stdout is not None
        self.greeting = "".join(self.process.stdout.readline() for _ in range(lines))

    @property
    def url(self) -> str:
        return self.printed(r"listens at (http://\S+)")

    def printed(self, pattern: str) -> str:
        found = re.search(pattern, self.greeting)
        assert found is not None, self.greeting
        return found[1]


@contextmanager
def started(*arguments: str, token: str | None = TOKEN, database: str | None = None) -> Iterator[Running]:
    """A server on a free port, whatever it has come to; without a *database* it chooses its own."""
    command = [str(COMMAND), "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env=surroundings(token, database), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        running = Running(process)
        try:
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            try:
                _, running.log = process.communicate(timeout=20)
            finally:
                process.kill()
            running.status = process.returncode


@contextmanager
def serving(
    *arguments: str, token: str | None = None, lines: int = 2, database: str | None = "memory:"
) -> Iterator[Running]:
    """A server that has said so many *lines*."""
    with started(*arguments, token=token, database=database) as running:
        running.await_greeting(lines)
        yield running


def ended(*arguments: str, token: str | None = None, database: str | None = None) -> subprocess.CompletedProcess[str]:
    """The end of a command that does not go on."""
    variables = surroundings(token, database)
    return subprocess.run([COMMAND, *arguments], env=variables, capture_output=True, text=True, timeout=20)


def asked(url: str, token: str = TOKEN, method: str = "GET", json: object = None) -> httpx.Response:
    return httpx.request(method, url, headers={"Authorization": f"Bearer {token}"}, json=json)
