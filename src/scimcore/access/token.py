"""What is known of a bearer token once it was issued: everything but the token itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

import attrs

from scimcore.access.caller import Caller
from scimcore.storage.protocol import Instant, Tenant

Scope: TypeAlias = Literal["read", "write"]
SCOPES: Final[frozenset[Scope]] = frozenset({"read", "write"})
Status: TypeAlias = Literal["active", "expired", "revoked"]


@attrs.frozen(kw_only=True)
class Token:
    """A bearer token as it is kept: whom it lets in, for what and until when. All times are in UTC."""

    id: str
    """Names the token where people talk about it; it opens nothing."""
    tenant: Tenant
    connection: str
    scopes: frozenset[Scope] = SCOPES
    label: str = ""
    digest: str = attrs.field(repr=False)
    """The SHA-256 of the token, in hexadecimal."""
    created: datetime
    expires: datetime
    """It is not valid any more at this moment (RFC 7644 §7.4 asks for a limited life)."""
    revoked: datetime | None = None
    last_used: datetime | None = None
    """Of the uses in one minute, one is noted."""

    @property
    def caller(self) -> Caller:
        """Who asks with this token."""
        return Caller(tenant=self.tenant, connection=self.connection, scopes=frozenset(self.scopes))

    def status(self, now: datetime) -> Status:
        """Whether it lets anyone in."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if now >= self.expires else "active"

    def expires_soon(self, now: datetime, within: timedelta) -> bool:
        """Whether it is valid now and will not be *within* that time: somebody should rotate it."""
        return self.status(now) == "active" and self.expires - now <= within


@attrs.frozen
class Issued:
    """A new token. The *secret* is what the client sends: it is here and nowhere else, and cannot be had again."""

    token: Token
    secret: str = attrs.field(repr=False)


Refusal: TypeAlias = Literal["unknown", "expired", "revoked"]
TokenHappening: TypeAlias = Literal["issued", "rotated", "revoked", "expiring", "refused"]


@attrs.frozen(kw_only=True)
class TokenEvent:
    """Something that happened to a token.

    *token* is the one it happened to: of a rotation the new one, with the *replaced* one beside it; None when a request
    was refused for a token that nobody has. *why* is there for refusals. `expiring` comes with the first use on each
    day (UTC) of a token that will soon end.
    """

    happening: TokenHappening
    at: Instant
    token: Token | None
    replaced: Token | None = None
    why: Refusal | None = None


OnTokenEvent: TypeAlias = Callable[[TokenEvent], Awaitable[None] | None]


def instant(moment: datetime) -> Instant:
    """Return *moment* as the text that storages keep.

    >>> instant(datetime(2026, 11, 22, 9, 30, tzinfo=UTC))
    '2026-11-22T09:30:00.000000Z'
    """
    in_utc = moment.astimezone(UTC)
    return Instant(in_utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z")


def moment(kept: str) -> datetime:
    """Return the moment that the text of an `instant` means.

    >>> moment("2026-11-22T09:30:00.000000Z")
    datetime.datetime(2026, 11, 22, 9, 30, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromisoformat(kept)
