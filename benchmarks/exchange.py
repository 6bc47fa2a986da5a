"""A minimal ASGI driver: one request, one answer, nothing in between."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

import attrs

from scimcore.access.secret import token_text

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

SECRET: Final = bytes(range(32))
TOKEN: Final = token_text(SECRET)
MOUNT: Final = "/v2"


@attrs.frozen
class Exchange:
    """A request as its bytes say it; *path* starts below the base URL."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""

    def scope(self, root_path: str) -> dict[str, Any]:
        """The ASGI scope of this request, as a server would make it."""
        path = MOUNT + self.path
        headers = [
            (b"host", b"scim.example.com"),
            (b"user-agent", b"provisioning/1.0"),
            (b"accept", b"application/scim+json"),
            (b"authorization", b"Bearer " + TOKEN.encode()),
        ]
        if self.body:
            headers.append((b"content-type", b"application/scim+json"))
            headers.append((b"content-length", b"%d" % len(self.body)))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": self.query.encode(),
            "root_path": root_path,
            "headers": headers,
            "client": ("192.0.2.1", 50000),
            "server": ("scim.example.com", 443),
        }

    def receive(self) -> Receive:
        """What hands the body over, in one part."""
        message: Message = {"type": "http.request", "body": self.body, "more_body": False}

        async def receive() -> Message:
            return message

        return receive


@attrs.frozen
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@attrs.define
class Ear:
    """The `send` side of one exchange; it can be used for many, one after the other."""

    status: int = 0
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.body = b""
        else:
            body = message.get("body", b"")
            self.body = self.body + body if self.body else body


async def asked(application: Application, root_path: str, exchange: Exchange) -> Answer:
    """The answer of *application* to one request."""
    ear = Ear()
    await application(exchange.scope(root_path), exchange.receive(), ear.send)
    return Answer(ear.status, ear.body)
