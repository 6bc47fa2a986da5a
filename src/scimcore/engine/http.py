"""HTTP as two frozen values. Adapters make a Request and write a Response; nothing else of HTTP reaches the engine."""

from collections.abc import Mapping

import attrs


class Headers(dict[str, str]):
    """Header fields by their names in lower case; those that came more than once are one list (RFC 9110 §5.3)."""

    __slots__ = ()


def _lower_names(headers: Mapping[str, str]) -> Headers:
    if isinstance(headers, Headers):
        return headers
    return Headers((name.lower(), value) for name, value in headers.items())


@attrs.frozen
class Request:
    """A request, complete: an adapter never hands over a body that was cut off.

    *path* is relative to where scimcore is mounted and still percent-encoded; *query* is the raw query string;
    *base_url* is the URL of the mount point without a trailing slash. Header names are in any case. *tenant* is the one
    that the URL names, where URLs name tenants; nobody reaches it who is not a caller of it.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=Headers, converter=_lower_names)
    body: bytes = b""
    base_url: str = "http://localhost"
    tenant: str | None = None


@attrs.frozen
class Response:
    """A response. Header names are in lower case; Content-Length is for the adapter to add."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
