"""Versions as entity tags, and what If-Match and If-None-Match say about them (RFC 7644 §3.14).

SCIM issues weak tags and yet uses them in If-Match, where HTTP asks for strong comparison (RFC 9110 §13.1.1); so the
opaque part alone is compared here.
"""

import re

from scimcore.errors import InvalidSyntaxError

_TAG = re.compile(r'\s*(?:(?:W/)?"([^"]*)"|([^\s,"]+))\s*(?:,|\Z)')


def tag(version: int) -> str:
    """The ETag of a version, and its `meta.version`, byte for byte.

    It is weak, because `attributes` changes the bytes of a representation without changing the version.

    >>> tag(3)
    'W/"3"'
    """
    return f'W/"{version}"'


def names_version(header: str, version: int) -> bool:
    """Whether an If-Match or If-None-Match header names *version*: `*`, or a list with its tag.

    An unquoted tag is understood.

    Raises:
        InvalidSyntaxError: The header is no list of entity tags.

    >>> names_version('W/"2", "3"', 3), names_version("*", 3), names_version('"4"', 3)
    (True, True, False)
    """
    if header.strip() == "*":
        return True
    position, opaque = 0, str(version)
    found = False
    while position < len(header):
        match = _TAG.match(header, position)
        if match is None:
            raise InvalidSyntaxError("If-Match and If-None-Match take a list of entity tags or *")
        found = found or opaque in match.groups()
        position = match.end()
    return found
