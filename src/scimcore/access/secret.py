"""The text of a bearer token: a prefix that people and scanners know it by, 256 random bits, and a checksum.

The checksum tells a token from a word that looks like one without asking a store, as the secret scanners of code hosts
do. It protects nothing: whoever wants to can compute it.
"""

import hashlib
import string
import zlib
from typing import Final

PREFIX: Final = "scim_"
ENTROPY_BYTES: Final = 32

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 62 ** 43 > 2 ** 256, and 62 ** 6 > 2 ** 32.
_BODY, _CHECKSUM = 43, 6
LENGTH: Final = len(PREFIX) + _BODY + _CHECKSUM


def token_text(entropy: bytes) -> str:
    """Return the token that carries *entropy*, 32 random bytes.

    Raises:
        ValueError: There are more or fewer of them.

    >>> token_text(bytes(32))
    'scim_000000000000000000000000000000000000000000030Xdgi'
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a token is made of {ENTROPY_BYTES} random bytes")
    unchecked = PREFIX + _base62(int.from_bytes(entropy, "big"), _BODY)
    return unchecked + _checksum(unchecked)


def is_well_formed(text: str) -> bool:
    """Whether *text* has the form of a token and the right checksum; nothing is said about whose it is.

    >>> is_well_formed(token_text(bytes(range(32))))
    True
    >>> is_well_formed("scim_" + 49 * "0")
    False
    """
    if len(text) != LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    unchecked = text[:-_CHECKSUM]
    return unchecked[len(PREFIX) :].isalnum() and text.endswith(_checksum(unchecked))


def digest_of(text: str) -> str:
    """The SHA-256 of a token, in hexadecimal: all that is kept of it.

    The entropy of a token makes a plain digest as safe as a slow one, at the cost of a request instead of a login.

    >>> digest_of("scim_example")[:16]
    '2bdd3e2f01c326f4'
    """
    # A header may carry anything; what has no UTF-8 form still gets a digest, and is nobody's token.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(unchecked: str) -> str:
    return _base62(zlib.crc32(unchecked.encode("ascii")), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
