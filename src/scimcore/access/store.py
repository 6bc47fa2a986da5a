"""Where tokens are kept: the contract, and the reference implementation in memory.

A token is looked up by its digest before anyone knows whose tenant it opens, so this is the one store that a tenant
does not bound. What it gives back says the tenant, and no request chooses it.
"""

from datetime import datetime
from typing import Protocol

import attrs

from scimcore.access.token import Token
from scimcore.storage.protocol import Tenant


class TokenStore(Protocol):
    """Keeps tokens. A store that needs no event loop never suspends."""

    async def find(self, digest: str) -> Token | None:
        """The token with exactly this digest."""

    async def listed(self, tenant: Tenant | None = None) -> tuple[Token, ...]:
        """All tokens of a tenant, or of everybody, ended ones too: by tenant, then the oldest first."""

    async def add(self, token: Token) -> None:
        """Keep a new token."""

    async def replace(self, tenant: Tenant, id: str, expires: datetime, successor: Token) -> Token | None:
        """Keep *successor* and let the token that it replaces end at *expires*, unless it ends earlier.

        Both happen or neither. The replaced token, as it is now; None, and nothing happens, if the tenant has no such
        token or it was revoked.
        """

    async def revoke(self, tenant: Tenant, id: str, at: datetime) -> Token | None:
        """The token, revoked; one that was revoked before stays as it was. None if the tenant has no such token."""

    async def used(self, token: Token, at: datetime) -> bool:
        """Note a use of *token*, which is as `find` gave it.

        False, and nothing is noted, if another use was noted since or now is no time to write: nobody waits for this.
        """


class MemoryTokens:
    """A `TokenStore` in memory."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    async def find(self, digest: str) -> Token | None:
        return self._tokens.get(digest)

    async def listed(self, tenant: Tenant | None = None) -> tuple[Token, ...]:
        among = [token for token in tuple(self._tokens.values()) if tenant is None or token.tenant == tenant]
        return tuple(sorted(among, key=lambda token: (token.tenant, token.created, token.id)))

    async def add(self, token: Token) -> None:
        self._tokens[token.digest] = token

    async def replace(self, tenant: Tenant, id: str, expires: datetime, successor: Token) -> Token | None:
        old = self._one(tenant, id)
        if old is None or old.revoked is not None:
            return None
        self._tokens[successor.digest] = successor
        return self._kept(attrs.evolve(old, expires=min(old.expires, expires)))

    async def revoke(self, tenant: Tenant, id: str, at: datetime) -> Token | None:
        token = self._one(tenant, id)
        if token is None or token.revoked is not None:
            return token
        return self._kept(attrs.evolve(token, revoked=at))

    async def used(self, token: Token, at: datetime) -> bool:
        kept = self._tokens[token.digest]
        if kept.last_used != token.last_used:
            return False
        self._kept(attrs.evolve(kept, last_used=at))
        return True

    def _one(self, tenant: Tenant, id: str) -> Token | None:
        return next((one for one in tuple(self._tokens.values()) if (one.tenant, one.id) == (tenant, id)), None)

    def _kept(self, token: Token) -> Token:
        self._tokens[token.digest] = token
        return token
