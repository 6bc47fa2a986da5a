"""Authenticators: by bearer token (RFC 7644 §2, RFC 6750), or by nothing."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from scimcore.access.caller import Caller, Credentials
from scimcore.errors import UnauthorizedError
from scimcore.storage.protocol import Tenant

SHORTEST_TOKEN: Final = 16
"""In characters. A token is as good as its randomness, and shorter ones cannot have enough of it (RFC 7644 §7.4)."""

CHALLENGE: Final = 'Bearer realm="scim"'
INVALID_TOKEN: Final = f'{CHALLENGE}, error="invalid_token"'
"""RFC 6750 §3: the error code is for a request that came with a token."""

_NOBODY: Final[tuple[bytes, Caller | None]] = (b"", None)


def anonymous(tenant: str = "acme") -> Callable[[Credentials], Caller]:
    """An authenticator that lets everyone in as *tenant*, for applications that check callers before scimcore does.

    >>> from types import SimpleNamespace
    >>> anonymous(tenant="acme")(SimpleNamespace(headers={})).tenant
    'acme'
    """
    caller = Caller(tenant=Tenant(tenant))

    def authenticate(_: Credentials) -> Caller:
        return caller

    return authenticate


class BearerTokens:
    """An authenticator that knows its callers by bearer tokens, and the tokens by their SHA-256 alone.

    Tokens are high-entropy secrets, so a plain digest keeps them as safe as a slow one would, at the cost of a request
    instead of a login.

    Raises:
        ValueError: A token is shorter than 16 characters, or cannot be sent in a header.

    >>> BearerTokens({"a-long-random-secret": Caller(tenant=Tenant("acme"))})
    <BearerTokens: 1 token>
    """

    def __init__(self, tokens: Mapping[str, Caller]) -> None:
        for token in tokens:
            if len(token) < SHORTEST_TOKEN:
                raise ValueError(f"a bearer token has at least {SHORTEST_TOKEN} characters")
            if not token.isascii() or not token.isprintable() or " " in token:
                raise ValueError("a bearer token has visible ASCII characters only (RFC 6750 §2.1)")
        self._callers = {(digest := _digest(token)): (digest, caller) for token, caller in tokens.items()}

    def __repr__(self) -> str:
        return f"<BearerTokens: {len(self._callers)} token{'' if len(self._callers) == 1 else 's'}>"

    def __call__(self, request: Credentials) -> Caller:
        """The caller whose token the Authorization header carries.

        Raises:
            UnauthorizedError: There is no such header, its scheme is not Bearer, or nobody has the token.
        """
        digest = _digest(bearer_token(request))
        known, caller = self._callers.get(digest, _NOBODY)
        # The time that a look-up takes depends on digests, which nobody can choose; that they are the same is decided
        # in constant time all the same.
        if caller is None or not hmac.compare_digest(known, digest):
            raise UnauthorizedError("the bearer token is not known", INVALID_TOKEN)
        return caller


def bearer_token(request: Credentials) -> str:
    """The token that the Authorization header of *request* carries (RFC 6750 §2.1); it may be anything but empty.

    Raises:
        UnauthorizedError: There is no such header, or its scheme is not Bearer.
    """
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("a bearer token is required", CHALLENGE)
    return token


def _digest(token: str) -> bytes:
    # A header may carry anything; what has no UTF-8 form still gets a digest, and is nobody's token.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
