"""Every ASGI event, in process: what the provider is asked, and what the server is told."""

import asyncio
import json
from collections.abc import Iterable, Mapping

import attrs
import httpx
import pytest
from fastapi import FastAPI

from scimcore.adapters.asgi import ScimApp
from scimcore.adapters.exchange import Message, Scope
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider

LIMIT = 1_000


@attrs.define
class Server:
    """The server's side of a connection: it offers *events*, and keeps what it is told."""

    events: list[Message]
    told: list[Message] = attrs.field(factory=list)

    async def receive(self) -> Message:
        return self.events.pop(0)

    async def send(self, message: Message) -> None:
        self.told.append(message)

    @property
    def status(self) -> int:
        status: int = self.told[0]["status"]
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.decode(): value.decode() for name, value in self.told[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.told[1:])


def http(method: str = "GET", path: str = "/Users", **changes: object) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"scim.example.com")],
        "server": ("10.0.0.1", 8000),
        **changes,
    }


def parts(*bodies: bytes) -> list[Message]:
    last = len(bodies) - 1
    return [{"type": "http.request", "body": body, "more_body": index < last} for index, body in enumerate(bodies)]


def served(provider: ScimProvider, scope: Scope, events: Iterable[Message] = ({"type": "http.request"},)) -> Server:
    server = Server(list(events))
    asyncio.run(ScimApp(provider)(scope, server.receive, server.send))
    return server


@pytest.mark.parametrize(
    ("changes", "path", "base_url"),
    [
        pytest.param({"path": "/Users"}, "/Users", "http://scim.example.com", id="at the root"),
        pytest.param(
            {"path": "/scim/v2/Users", "root_path": "/scim/v2"},
            "/Users",
            "http://scim.example.com/scim/v2",
            id="the path contains the root path",
        ),
        pytest.param(
            {"path": "/Users", "root_path": "/scim/v2"},
            "/Users",
            "http://scim.example.com/scim/v2",
            id="the path leaves the root path out",
        ),
        pytest.param(
            {"path": "/Userstore", "root_path": "/Users"},
            "/Userstore",
            "http://scim.example.com/Users",
            id="the root path is no prefix of segments",
        ),
        pytest.param(
            {"path": "/scim/v2", "root_path": "/scim/v2/"},
            "",
            "http://scim.example.com/scim/v2",
            id="nothing below the root path",
        ),
        pytest.param(
            {"path": "/v2/Users/a/b", "raw_path": b"/v2/Users/a%2Fb", "root_path": "/v2"},
            "/Users/a%2Fb",
            "http://scim.example.com/v2",
            id="an encoded slash",
        ),
        pytest.param(
            {"path": "/v2/Users/a/b", "raw_path": b"/Users/a%2Fb", "root_path": "/v2"},
            "/Users/a%2Fb",
            "http://scim.example.com/v2",
            id="a raw path without the root path",
        ),
        pytest.param(
            {"path": "/Users/ü", "raw_path": None},
            "/Users/%C3%BC",
            "http://scim.example.com",
            id="no raw path",
        ),
        pytest.param(
            {"path": "/Users", "headers": [], "server": None, "scheme": "https"},
            "/Users",
            "https://localhost",
            id="neither host nor server",
        ),
    ],
)
def test_the_path_is_relative_to_the_mount_point(
    provider: ScimProvider, asked: list[Request], changes: dict[str, object], path: str, base_url: str
) -> None:
    served(provider, {**http(), **changes})
    assert [(request.path, request.base_url) for request in asked] == [(path, base_url)]


def test_headers_that_come_twice_are_one_list_and_latin_1(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, http(headers=[(b"Accept", b"a/b"), (b"accept", b"c/d"), (b"x-name", b"\xe9")]))
    assert asked[0].headers == {"accept": "a/b, c/d", "x-name": "é"}


def test_the_query_reaches_the_provider_as_it_was_sent(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, http(query_string=b"filter=userName+eq+%22a%22"))
    assert asked[0].query == "filter=userName+eq+%22a%22"


def test_a_body_in_parts_is_one_body(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, http("POST"), parts(b'{"a"', b"", b":1}"))
    assert asked[0].body == b'{"a":1}'


def test_a_client_that_goes_away_before_the_end_of_its_body_is_not_served(
    provider: ScimProvider, asked: list[Request]
) -> None:
    events: list[Message] = [*parts(b"{}", b"")[:1], {"type": "http.disconnect"}]
    assert served(provider, http("POST"), events).told == []
    assert asked == []


def test_a_body_that_announces_too_much_is_refused_unread(provider: ScimProvider, asked: list[Request]) -> None:
    server = served(provider, http("POST", headers=[(b"content-length", b"1001")]), parts(b"unread"))
    assert (server.status, len(server.events), asked) == (413, 1, [])
    assert server.headers["connection"] == "close"
    assert json.loads(server.body)["status"] == "413"


def test_a_content_length_beyond_all_numbers_is_refused(provider: ScimProvider) -> None:
    assert served(provider, http("POST", headers=[(b"content-length", b"9" * 5_000)])).status == 413


def test_a_body_that_grows_too_long_is_refused_at_once(provider: ScimProvider, asked: list[Request]) -> None:
    server = served(provider, http("POST"), parts(b"x" * LIMIT, b"x", b"never read"))
    assert (server.status, len(server.events), asked) == (413, 1, [])


def test_a_body_at_the_limit_is_read(provider: ScimProvider, asked: list[Request]) -> None:
    served(provider, http("POST"), parts(b"x" * LIMIT))
    assert len(asked[0].body) == LIMIT


def test_http_2_is_told_nothing_about_connections(provider: ScimProvider) -> None:
    server = served(provider, http("POST", headers=[(b"content-length", b"1001")], http_version="2"))
    assert "connection" not in server.headers


def test_head_is_get_without_its_body(provider: ScimProvider) -> None:
    get, head = served(provider, http()), served(provider, http("HEAD"))
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(get.body)), b"")
    assert get.headers["content-length"] == str(len(get.body))


def test_options_names_the_methods_and_has_no_body(provider: ScimProvider) -> None:
    server = served(provider, http("OPTIONS"))
    assert (server.status, server.body) == (204, b"")
    assert {"GET", "POST"} <= set(server.headers["allow"].split(", "))
    assert "content-length" not in server.headers


def test_a_lifespan_starts_and_stops(provider: ScimProvider) -> None:
    server = served(provider, {"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    assert [message["type"] for message in server.told] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_closed(provider: ScimProvider) -> None:
    server = served(provider, {"type": "websocket"}, [{"type": "websocket.connect"}])
    assert [message["type"] for message in server.told] == ["websocket.close"]


def test_an_unknown_protocol_is_named(provider: ScimProvider) -> None:
    with pytest.raises(ValueError, match="gopher"):
        served(provider, {"type": "gopher"})


@pytest.mark.parametrize("prefix", ["", "/proxy"])
def test_fastapi_mounts_it(provider: ScimProvider, asked: list[Request], prefix: str) -> None:
    application = FastAPI()
    application.mount("/scim/v2", ScimApp(provider))

    async def read() -> httpx.Response:
        transport = httpx.ASGITransport(application, root_path=prefix)
        async with httpx.AsyncClient(transport=transport, base_url="http://scim.example.com") as client:
            return await client.get(f"{prefix}/scim/v2/Users/a%2Fb")

    assert asyncio.run(read()).status_code == 404
    assert (asked[0].path, asked[0].base_url) == ("/Users/a%2Fb", f"http://scim.example.com{prefix}/scim/v2")
