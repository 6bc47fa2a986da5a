"""WSGI in process, behind the standard library's validator: what the provider is asked, and what the server is told."""

import io
import json
from collections.abc import Mapping
from wsgiref.validate import validator

import attrs
import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, run_wsgi_app

from scimcore.adapters.wsgi import ScimWsgiApp
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider

LIMIT = 1_000


@attrs.frozen
class Answer:
    """What the server was told."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def environ(method: str = "GET", path: str = "/Users", body: bytes = b"", **changes: object) -> dict[str, object]:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "10.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "scim.example.com",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **changes,
    }


def served(provider: ScimProvider, environment: dict[str, object]) -> Answer:
    """What the application says, and the validator does not object to."""
    body, status, headers = run_wsgi_app(validator(ScimWsgiApp(provider)), environment, buffered=True)
    return Answer(int(status.split()[0]), dict(headers), b"".join(body))


@pytest.mark.parametrize(
    ("changes", "path", "base_url"),
    [
        pytest.param({}, "/Users", "http://scim.example.com", id="at the root"),
        pytest.param(
            {"SCRIPT_NAME": "/scim/v2", "PATH_INFO": "/Users/a/b", "RAW_URI": "/scim/v2/Users/a%2Fb?x=%2F"},
            "/Users/a%2Fb",
            "http://scim.example.com/scim/v2",
            id="RAW_URI",
        ),
        pytest.param(
            {"PATH_INFO": "/Users/a/b", "REQUEST_URI": "/Users/a%2Fb"},
            "/Users/a%2Fb",
            "http://scim.example.com",
            id="REQUEST_URI",
        ),
        pytest.param(
            {"PATH_INFO": "/Users/a/b", "RAW_URI": "http://scim.example.com/Users/a%2Fb"},
            "/Users/a%2Fb",
            "http://scim.example.com",
            id="a request line with the whole URL",
        ),
        pytest.param(
            {"PATH_INFO": "/Users/\xc3\xbc"},
            "/Users/%C3%BC",
            "http://scim.example.com",
            id="UTF-8, decoded as Latin-1 as PEP 3333 says",
        ),
        pytest.param(
            {"HTTP_HOST": "evil.example/", "wsgi.url_scheme": "https"},
            "/Users",
            "https://10.0.0.1:8000",
            id="a host that is none",
        ),
    ],
)
def test_the_path_is_relative_to_the_mount_point(
    provider: ScimProvider, asked: list[Request], changes: dict[str, object], path: str, base_url: str
) -> None:
    served(provider, {**environ(), **changes})
    assert [(request.path, request.base_url) for request in asked] == [(path, base_url)]


def test_headers_are_read_from_the_environment(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, environ(HTTP_IF_MATCH='W/"1"', CONTENT_TYPE="application/json", CONTENT_LENGTH=""))
    assert asked[0].headers == {
        "host": "scim.example.com",
        "if-match": 'W/"1"',
        "content-type": "application/json",
    }


def test_a_body_of_the_announced_length_is_read(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, environ("POST", body=b"{}next request", CONTENT_LENGTH="2"))
    assert asked[0].body == b"{}"


def test_a_chunked_body_is_read_to_its_end(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, {**environ("POST", body=b"x" * LIMIT), "wsgi.input_terminated": True})
    assert asked[0].body == b"x" * LIMIT


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        pytest.param(b"", {"CONTENT_LENGTH": "1001"}, id="announced"),
        pytest.param(b"x" * (LIMIT + 1), {"wsgi.input_terminated": True}, id="chunked"),
    ],
)
def test_a_body_that_is_too_long_is_refused(
    provider: ScimProvider, asked: list[Request], body: bytes, changes: dict[str, object]
) -> None:
    answer = served(provider, {**environ("POST", body=body), **changes})
    assert (answer.status, asked) == (413, [])
    assert json.loads(answer.body)["status"] == "413"


class Broken(io.BytesIO):
    """A connection that breaks when it is read."""

    def read(self, _: int | None = -1, /) -> bytes:
        raise ConnectionResetError


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"CONTENT_LENGTH": "3"}, id="fewer bytes than announced"),
        pytest.param({"CONTENT_LENGTH": "2", "wsgi.input": Broken()}, id="the connection breaks"),
        pytest.param({"wsgi.input_terminated": True, "wsgi.input": Broken()}, id="the connection breaks in a chunk"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="chunks that the server does not read"),
    ],
)
def test_a_body_that_was_cut_off_is_never_executed(
    provider: ScimProvider, asked: list[Request], changes: dict[str, object]
) -> None:
    answer = served(provider, {**environ("POST", body=b"{}"), **changes})
    assert (answer.status, asked) == (400, [])


@pytest.mark.parametrize(("length", "expected"), [("-1", 400), ("a", 400), ("9" * 5_000, 413)])
def test_a_content_length_that_is_no_length_is_refused(provider: ScimProvider, length: str, expected: int) -> None:
    # Without the validator, which would not let it through.
    _, status, _ = run_wsgi_app(ScimWsgiApp(provider), environ("POST", CONTENT_LENGTH=length))
    assert int(status.split()[0]) == expected


def test_a_request_without_a_length_has_no_body(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, environ("POST", body=b"of the next request"))
    assert asked[0].body == b""


def test_head_is_get_without_its_body(provider: ScimProvider) -> None:
    get, head = served(provider, environ()), served(provider, environ("HEAD"))
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(get.body)), b"")


def test_options_names_the_methods_and_has_no_body(provider: ScimProvider) -> None:
    answer = served(provider, environ("OPTIONS"))
    assert (answer.status, answer.body) == (204, b"")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert "content-length" not in answer.headers


def test_flask_mounts_it(provider: ScimProvider, asked: list[Request]) -> None:
    application = flask.Flask("application")
    mounted = DispatcherMiddleware(application.wsgi_app, {"/scim/v2": ScimWsgiApp(provider)})
    assert Client(mounted).get("/scim/v2/Users/a%2Fb", base_url="http://scim.example.com").status_code == 404
    assert (asked[0].path, asked[0].base_url) == ("/Users/a%2Fb", "http://scim.example.com/scim/v2")
