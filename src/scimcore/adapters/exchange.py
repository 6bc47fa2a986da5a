"""One HTTP exchange in the words of ASGI 3: messages to a `Request`, and a `Response` to messages.

A request whose body was cut off is never executed: the provider is asked only when the last part has arrived.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from scimcore.adapters.paths import MOUNT, Mount
from scimcore.adapters.url import base_url, encoded
from scimcore.engine.http import Headers, Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.errors import PayloadTooLargeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BODILESS: Final = frozenset({204, 304})


async def exchange(provider: ScimProvider, scope: Scope, receive: Receive, send: Send) -> None:
    """Have *provider* answer the request of *scope*."""
    headers = _joined(scope["headers"])
    limit = provider.limits.max_body_bytes
    too_large: Response | None = None
    body: bytes | None = None
    try:
        body = await _body(receive, headers, limit)
    except PayloadTooLargeError as refusal:
        too_large = provider.refusal(refusal, _request(scope, headers, b""))
    # No longer in the handler, where compiled code must not suspend.
    if too_large is not None:
        await answer(too_large, scope, send, closing=True)
    elif body is not None:
        await answer(await provider.handle(_request(scope, headers, body)), scope, send)


async def answer(response: Response, scope: Scope, send: Send, *, closing: bool = False) -> None:
    """Send *response*; *closing* when the rest of the request will not be read."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status not in _BODILESS:
        headers.append((b"content-length", b"%d" % len(response.body)))
    # HTTP/2 knows no Connection header (RFC 9113 §8.2.2).
    if closing and scope.get("http_version", "1.1").startswith("1"):
        headers.append((b"connection", b"close"))
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _request(scope: Scope, headers: Headers, body: bytes) -> Request:
    root: str = scope.get("root_path", "").rstrip("/")
    path = below(root, scope["path"]).encode()
    server, port = scope.get("server") or (None, None)
    mount: Mount | None = scope.get(MOUNT)
    return Request(
        scope["method"],
        encoded(path, scope.get("raw_path") or b""),
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        base_url(scope.get("scheme", "http"), headers.get("host"), server, port, root.encode())
        if mount is None
        else mount.base_url,
        None if mount is None else mount.tenant,
    )


def below(root: str, path: str) -> str:
    """*path* relative to *root*; the specification has `path` contain the root, older servers leave it out."""
    rest = path.removeprefix(root)
    return rest if not rest or rest.startswith("/") else path


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = Headers()
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _body(receive: Receive, headers: Headers, limit: int) -> bytes | None:
    """The whole body, or None if the client went away before its end.

    Raises:
        PayloadTooLargeError: It is longer than *limit*, by its Content-Length or by what has arrived so far.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 19 or int(announced) > limit):
        raise PayloadTooLargeError("the size of the body in bytes", limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise PayloadTooLargeError("the size of the body in bytes", limit)
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)
