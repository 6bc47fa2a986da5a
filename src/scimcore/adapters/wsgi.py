"""`ScimWsgiApp`: scimcore as a WSGI application (PEP 3333), on its own or below another.

A request whose body was cut off is never executed: fewer bytes than Content-Length promised are refused.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final
from wsgiref.types import InputStream, StartResponse, WSGIEnvironment

import attrs

from scimcore.adapters.paths import MOUNT, Mount
from scimcore.adapters.url import base_url, encoded
from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.errors import InvalidSyntaxError, PayloadTooLargeError, ScimError

_BODILESS: Final = frozenset({204, 304})
_CHUNK: Final = 65_536


@attrs.frozen
class ScimWsgiApp:
    """A WSGI application that answers at `/Users`, `/Groups`, `/Schemas` … below where it is mounted."""

    provider: ScimProvider

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        try:
            body = _body(environ, self.provider.limits.max_body_bytes)
        except ScimError as refusal:
            response = self.provider.refusal(refusal, _request(environ, b""))
        else:
            response = self.provider.handle_sync(_request(environ, body))
        return _answer(response, environ, start_response)

    def refused(self, error: ScimError, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that is none for the provider."""
        return _answer(self.provider.refusal(error), environ, start_response)


def _answer(response: Response, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(response.headers.items())
    if response.status not in _BODILESS:
        headers.append(("content-length", str(len(response.body))))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]


def _request(environ: WSGIEnvironment, body: bytes) -> Request:
    # Text in the environ is bytes decoded as Latin-1, whatever they mean (PEP 3333, "Unicode Issues").
    path = environ.get("PATH_INFO", "").encode("latin-1")
    # Not in PEP 3333: gunicorn and werkzeug say RAW_URI, uWSGI and mod_wsgi REQUEST_URI.
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    mount: Mount | None = environ.get(MOUNT)
    return Request(
        environ["REQUEST_METHOD"],
        encoded(path, target.partition("?")[0].encode("latin-1", "replace")),
        environ.get("QUERY_STRING", ""),
        _headers(environ),
        body,
        own_url(environ) if mount is None else mount.base_url,
        None if mount is None else mount.tenant,
    )


def own_url(environ: WSGIEnvironment) -> str:
    """The URL of the mount point as the server knows it, without a trailing slash."""
    port: str = environ.get("SERVER_PORT", "")
    return base_url(
        environ.get("wsgi.url_scheme", "http"),
        environ.get("HTTP_HOST"),
        environ.get("SERVER_NAME"),
        int(port) if port.isdecimal() else None,
        environ.get("SCRIPT_NAME", "").encode("latin-1"),
    )


def _headers(environ: WSGIEnvironment) -> Mapping[str, str]:
    """The headers by lower-case name; servers have joined those that came more than once."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _body(environ: WSGIEnvironment, limit: int) -> bytes:
    """The whole body.

    Raises:
        PayloadTooLargeError: It is longer than *limit*, by its Content-Length or by what could be read.
        InvalidSyntaxError: It was cut off, or the server cannot say where it ends.
    """
    announced: str = environ.get("CONTENT_LENGTH") or ""
    if announced:
        if not announced.isdecimal():
            raise InvalidSyntaxError("Content-Length is no number")
        if len(announced) > 19 or int(announced) > limit:
            raise PayloadTooLargeError("the size of the body in bytes", limit)
        length = int(announced)
        body = _read(environ["wsgi.input"], length)
        if len(body) < length:
            raise InvalidSyntaxError("the body was cut off")
        return body
    if environ.get("wsgi.input_terminated"):
        body = _read(environ["wsgi.input"], limit + 1)
        if len(body) > limit:
            raise PayloadTooLargeError("the size of the body in bytes", limit)
        return body
    if environ.get("HTTP_TRANSFER_ENCODING"):
        # PEP 3333 leaves such a stream without an end: reading could block for ever, and taking it as empty would
        # execute a request without its body.
        raise InvalidSyntaxError("this server needs a Content-Length")
    return b""


def _read(stream: InputStream, size: int) -> bytes:
    """Up to *size* bytes; fewer only where the stream ends.

    Raises:
        InvalidSyntaxError: The connection broke.
    """
    parts: list[bytes] = []
    try:
        while size > 0 and (part := stream.read(min(size, _CHUNK))):
            parts.append(part)
            size -= len(part)
    except OSError as broken:
        raise InvalidSyntaxError("the body was cut off") from broken
    return b"".join(parts)
