"""What a gateway's pieces of a URL mean: the encoded path below the mount point, and the URL of the mount point itself.

Gateways decode paths before they hand them on, which makes `%2F` in an id look like a separator; and they disagree on
whether the raw path they keep contains the mount point.
"""

import re
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

_OCTET = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

_PLAIN = re.compile(rb"[A-Za-z0-9/._~-]*")

# The path characters of RFC 3986 §3.3 that `quote` would encode.
_PATH_CHARACTERS = "/!$&'()*+,;=:@~"


def encoded(path: bytes, raw: bytes) -> str:
    """Return the decoded *path* as the client encoded it, taken from the end of the *raw* path of the request line.

    *raw* may begin with the mount point, with scheme and host, or be empty. Where it does not end with *path*, because
    something on the way rewrote one of the two, the path is encoded anew.

    >>> encoded(b"/Users/a/b", b"/scim/v2/Users/a%2Fb")
    '/Users/a%2Fb'
    >>> encoded(b"/Users/a b", b"")
    '/Users/a%20b'
    """
    if _PLAIN.fullmatch(path) and b"%" not in raw:
        return path.decode("ascii")
    if b"%" in raw:
        tail = b"".join(_OCTET.findall(raw)[-len(path) :]) if path else b""
        if tail.isascii() and unquote_to_bytes(tail) == path:
            return tail.decode("ascii")
    return quote(path, safe=_PATH_CHARACTERS)


@lru_cache(maxsize=64)
def base_url(scheme: str, host: str | None, server: str | None, port: int | None, root: bytes) -> str:
    """Return the URL of the mount point *root*, without a trailing slash.

    The Host header is the client's to choose: unless it is a plain host with an optional port, the server's own address
    stands in for it.

    >>> base_url("https", "example.com", "10.0.0.1", 8000, b"/scim/v2/")
    'https://example.com/scim/v2'
    >>> base_url("http", "evil.example/path?", "::1", 8000, b"")
    'http://[::1]:8000'
    """
    authority = host if host is not None and _HOST.fullmatch(host) else _address(server, port)
    return f"{scheme}://{authority}{quote(root.rstrip(b'/'), safe=_PATH_CHARACTERS)}"


def _address(server: str | None, port: int | None) -> str:
    """The server's own address as an authority; a server on a Unix socket has none."""
    if not server or port is None:
        return "localhost"
    return f"[{server}]:{port}" if ":" in server else f"{server}:{port}"
