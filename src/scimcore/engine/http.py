"""HTTP as two frozen values. Adapters make a Request and write a Response; nothing else of HTTP reaches the engine."""

from collections.abc import Mapping

import attrs


def _lower_names(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@attrs.frozen
class Request:
    """A request, complete: an adapter never hands over a body that was cut off.

    *path* is relative to where scimcore is mounted and still percent-encoded; *query* is the raw query string;
    *base_url* is the URL of the mount point without a trailing slash. Header names are in any case.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_lower_names)
    body: bytes = b""
    base_url: str = "http://localhost"


@attrs.frozen
class Response:
    """A response. Header names are in lower case; Content-Length is for the adapter to add."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
