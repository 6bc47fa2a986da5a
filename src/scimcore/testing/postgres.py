"""A PostgreSQL server for tests: made in a temporary directory, reached through a socket in it, ended by its pid."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"
_PATIENCE_SECONDS = 60


def binaries() -> Path | None:
    """Where the server programs of the newest PostgreSQL lie; None if there is none."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[str]:
    """A running server; the value is the part of a URL that comes after the driver's name.

    Raises:
        RuntimeError: It does not start; the message has what it said.
    """
    programs = binaries()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed")
    account = _account()
    home = Path(tempfile.mkdtemp(prefix="scimcore-postgres-"))
    try:
        if account is not None:
            shutil.chown(home, account, account)
        data = home / "data"
        _initialize(programs, data, account)
        with _running(programs, home, data, account):
            yield f"://{_ACCOUNT}@/{_ACCOUNT}?host={home}"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> str | None:
    """Whom to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    return _ACCOUNT


def _initialize(programs: Path, data: Path, account: str | None) -> None:
    made = subprocess.run(
        [
            *(programs / "initdb", "--pgdata", data, "--username", _ACCOUNT, "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ],
        user=account,
        group=account,
        extra_groups=() if account else None,
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed:\n{made.stdout}")


@contextmanager
def _running(programs: Path, home: Path, data: Path, account: str | None) -> Iterator[None]:
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(programs / "postgres", "-D", data, "-k", home, "-c", "listen_addresses="),
                *("-c", "fsync=off", "-c", "max_connections=100"),
            ],
            user=account,
            group=account,
            extra_groups=() if account else None,
            cwd=home,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_readiness(programs, process, home, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_readiness(programs: Path, process: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    for _ in range(_PATIENCE_SECONDS * 20):
        if process.poll() is not None:
            break
        if subprocess.run([programs / "pg_isready", "-q", "-h", home], check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
