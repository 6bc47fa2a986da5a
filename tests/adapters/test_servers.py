"""Real servers on loopback, spoken to through raw sockets: uvicorn for ASGI, gunicorn for WSGI."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import attrs
import pytest
import uvicorn

from scimcore.adapters.asgi import ScimApp
from scimcore.engine.provider import ScimProvider

HEAD = b"Host: scim.example.com\r\nContent-Type: application/scim+json\r\nConnection: close\r\n"
USER = json.dumps({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "grace"}).encode()


@attrs.frozen
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.frozen
class Address:
    """A server, and where its application is mounted."""

    port: int
    mount: str = ""

    def sent(self, *pieces: bytes) -> bytes:
        """Everything the server says to *pieces*, after which the client says no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def asked(self, method: str, path: str, headers: bytes = b"", *body: bytes) -> Reply:
        """The reply to one complete request."""
        line = f"{method} {self.mount}{path} HTTP/1.1\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            for piece in (line + HEAD + headers + b"\r\n", *body):
                connection.sendall(piece)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        return Reply(int(first.split()[1]), fields, content)

    @property
    def users(self) -> int:
        """How many users are stored."""
        total: int = self.asked("GET", "/Users").json["totalResults"]
        return total


@contextmanager
def uvicorn_serving(provider: ScimProvider) -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(ScimApp(provider), log_config=None, access_log=False, root_path="/scim/v2")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Address(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@contextmanager
def gunicorn_serving() -> Iterator[Address]:
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "1", "gunicorn_app:application"]
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).parent,
        env={**os.environ, "SCRIPT_NAME": "/scim/v2"},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        try:
            listening = next(line for line in process.stderr if "Listening at: " in line)
            yield Address(int(listening.split("127.0.0.1:")[1].split()[0]), mount="/scim/v2")
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture(params=["uvicorn", "gunicorn"])
def server(request: pytest.FixtureRequest, provider: ScimProvider) -> Iterator[Address]:
    """A running server; uvicorn puts its root path in front of what the client sends, gunicorn expects it there."""
    with uvicorn_serving(provider) if request.param == "uvicorn" else gunicorn_serving() as address:
        yield address


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


@pytest.mark.rfc("P-1.3-01")
def test_a_user_is_created_and_found_below_the_mount_point(server: Address) -> None:
    created = server.asked("POST", "/Users", length(USER), USER)
    assert created.status == 201, created.body
    assert created.json["meta"]["location"] == f"http://scim.example.com/scim/v2/Users/{created.json['id']}"
    assert server.users == 1


def test_a_chunked_body_is_put_together(server: Address) -> None:
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (USER[:10], USER[10:11], USER[11:])]
    created = server.asked("POST", "/Users", b"Transfer-Encoding: chunked\r\n", *chunks, b"0\r\n\r\n")
    assert created.status == 201, created.body
    assert created.json["userName"] == "grace"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        # What arrived is a complete document: only its length tells that more was to come.
        pytest.param(b"Content-Length: %d\r\n" % (len(USER) + 1), USER, id="shorter than announced"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n" % (len(USER), USER), id="without a last chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b" % (len(USER) + 9, USER), id="within a chunk"),
    ],
)
def test_a_body_that_is_cut_off_is_never_executed(server: Address, headers: bytes, body: bytes) -> None:
    line = f"POST {server.mount}/Users HTTP/1.1\r\n".encode()
    server.sent(line + HEAD + headers + b"\r\n", body)
    assert server.users == 0


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(server: Address) -> None:
    refused = server.asked("POST", "/Users", b"Content-Length: 1001\r\n")
    assert (refused.status, refused.json["status"]) == (413, "413")


def test_a_chunked_body_that_grows_too_long_is_refused(server: Address) -> None:
    chunk = b"3e8\r\n%b\r\n" % (b"x" * 1_000)
    refused = server.asked("POST", "/Users", b"Transfer-Encoding: chunked\r\n", chunk, chunk, b"0\r\n\r\n")
    assert (refused.status, refused.json["status"]) == (413, "413")


def test_head_has_the_length_and_not_the_body(server: Address) -> None:
    get, head = server.asked("GET", "/Users"), server.asked("HEAD", "/Users")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(get.body)), b"")


def test_options_has_no_body(server: Address) -> None:
    options = server.asked("OPTIONS", "/Users")
    assert (options.status, options.body) == (204, b"")
    assert "post" in options.headers["allow"]


def test_an_encoded_slash_is_part_of_the_id() -> None:
    with gunicorn_serving() as server:
        echo = server.asked("GET", "/Users/a%2Fb%20c?x=%2F", b"Authorization: Echo\r\n")
    assert (echo.status, echo.json["detail"]) == (401, "http://scim.example.com/scim/v2 /Users/a%2Fb%20c")
