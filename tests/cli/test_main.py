"""`scimcore serve`: who gets in, what is printed, what is refused."""

import re
import socket

import httpx
import pytest
from tests.cli.conftest import TOKEN, asked, ended, serving


def test_the_token_of_the_environment_opens_the_server_and_is_not_printed() -> None:
    with serving(token=TOKEN) as server:
        assert asked(f"{server.url}/Users").json()["totalResults"] == 0
    assert TOKEN not in server.greeting + server.log
    assert server.status == 0


def test_the_token_of_the_command_line_comes_before_that_of_the_environment() -> None:
    with serving("--token", TOKEN, token="another-token-made-up") as server:
        assert asked(f"{server.url}/Users").status_code == 200
        assert asked(f"{server.url}/Users", "another-token-made-up").status_code == 401


def test_without_a_token_one_is_made_and_printed() -> None:
    with serving(lines=3) as server:
        made = server.printed(r"Bearer token, made for this run: (\S+)")
        assert asked(f"{server.url}/Users", made).status_code == 200
        assert asked(f"{server.url}/Users", made[:-1]).status_code == 401
    assert made not in server.log


def test_resources_live_at_the_printed_url() -> None:
    with serving(token=TOKEN) as server:
        user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "grace"}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        created = httpx.post(f"{server.url}/Users", headers=headers, json=user)
        assert created.json()["meta"]["location"] == created.headers["location"]
        assert asked(created.headers["location"]).json()["userName"] == "grace"


@pytest.mark.parametrize("path", ["/", "/Users", "/scim/v2x/Users", "/scim"])
def test_everywhere_else_is_a_scim_404(path: str) -> None:
    with serving(token=TOKEN) as server:
        answer = asked(server.url.removesuffix("/scim/v2") + path)
    assert (answer.status_code, answer.json()["status"]) == (404, "404")


def test_the_access_log_tells_method_path_status_and_time_but_nothing_about_people() -> None:
    with serving(token=TOKEN) as server:
        asked(f'{server.url}/Users?filter=userName eq "grace"')
        secret = {"userName": "ada", "password": "s3cret"}
        httpx.post(f"{server.url}/Users", headers={"Authorization": "Bearer not-the-token"}, json=secret)
    found, refused = server.log.splitlines()
    assert re.fullmatch(r"\S+ GET /scim/v2/Users 200 \d+\.\dms \S+", found)
    assert re.fullmatch(r"\S+ POST /scim/v2/Users 401 \d+\.\dms \S+", refused)
    assert not re.search("grace|ada|s3cret|token|filter", server.log)


@pytest.mark.rfc("P-2-01", "P-7.4-02")
def test_a_token_in_the_url_is_neither_accepted_nor_logged() -> None:
    with serving(token=TOKEN) as server:
        refused = httpx.get(f"{server.url}/Users", params={"access_token": TOKEN})
    assert (refused.status_code, refused.json()["status"]) == (401, "401")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in server.log


def test_a_request_that_breaks_off_is_logged_without_a_status() -> None:
    with serving(token=TOKEN) as server:
        address = httpx.URL(server.url)
        with socket.create_connection((address.host, address.port or 80), timeout=20) as connection:
            connection.sendall(b"POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert re.fullmatch(r"\S+ POST /scim/v2/Users - \S+ -\n", server.log)


def test_an_ipv6_address_is_bracketed() -> None:
    with serving("--host", "::1", token=TOKEN) as server:
        assert server.url.startswith("http://[::1]:")
        assert asked(f"{server.url}/Users").status_code == 200


@pytest.mark.parametrize("token", ["", "too-short", "with a space in its middle"])
def test_a_token_that_cannot_protect_anything_is_refused(token: str) -> None:
    assert "bearer token" in ended("serve", token=token).stderr
    refused = ended("serve", "--token", token)
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    refused = ended("serve", f"--port={port}")
    assert refused.returncode == 2
    assert "not a port" in refused.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = ended("serve", "--port", str(port), token=TOKEN)
    assert refused.returncode == 1
    assert f"127.0.0.1 port {port}" in refused.stderr


def test_a_command_is_required() -> None:
    assert ended().returncode == 2
