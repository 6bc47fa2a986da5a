"""`Tokens`: bearer tokens (RFC 6750) from their issue to their end, and the authenticator that knows them again."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

import attrs

from scimcore.access.bearer import INVALID_TOKEN, bearer_token
from scimcore.access.caller import Caller, Credentials
from scimcore.access.secret import ENTROPY_BYTES, LENGTH, digest_of, is_well_formed, token_text
from scimcore.access.store import TokenStore
from scimcore.access.token import SCOPES, Issued, OnTokenEvent, Refusal, Scope, Token, TokenEvent, instant
from scimcore.errors import UnauthorizedError
from scimcore.storage.protocol import Tenant

LIFETIME: Final = timedelta(days=90)
OVERLAP: Final = timedelta(days=1)
WARNING: Final = timedelta(days=14)

_USE_NOTED_EVERY: Final = timedelta(minutes=1)
_MOST_REMEMBERED: Final = 1_024

# Only who presented the real secret is told more than that it is not known (RFC 6750 §3.1).
_REASONS: Final[dict[Refusal, str]] = {
    "unknown": "the bearer token is not known",
    "expired": "the token expired",
    "revoked": "the token was revoked",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _random_entropy() -> bytes:
    return secrets.token_bytes(ENTROPY_BYTES)


def _random_id() -> str:
    return secrets.token_hex(8)


@attrs.frozen
class _Remembered:
    """A token that was found valid, until when that holds without asking, and when its next use is worth a note."""

    caller: Caller
    until: datetime
    note_use_at: datetime


class UnknownTokenError(LookupError):
    """There is no such token, or none that could be replaced."""


class Tokens:
    """Bearer tokens over a `TokenStore`: issued once in clear, kept as SHA-256, known again, replaced and ended.

    `authenticate` is the authenticator for a provider. What it found valid it believes for *remembered*, so that a
    request need not ask the store; what this object revokes or replaces ends at once, and in other processes after that
    time. Nothing is kept of a failed attempt.

    *on_event* is told of everything that happens to tokens (`TokenEvent`), *on_bug* of what it raises. *warning* is how
    long before its end the use of a token brings an `expiring` event.

    With a store that needs no event loop nothing here suspends.
    """

    def __init__(
        self,
        store: TokenStore,
        *,
        on_event: OnTokenEvent | None = None,
        on_bug: Callable[[Exception], None] | None = None,
        clock: Callable[[], datetime] = _utc_now,
        entropy: Callable[[], bytes] = _random_entropy,
        new_id: Callable[[], str] = _random_id,
        remembered: timedelta = timedelta(seconds=1),
        warning: timedelta = WARNING,
    ) -> None:
        self._store = store
        self._on_event = on_event
        self._on_bug = on_bug
        self._clock = clock
        self._entropy = entropy
        self._new_id = new_id
        self._span = remembered
        self._warning = warning
        self._remembered: dict[str, _Remembered] = {}
        self._endings = 0

    # From issue to end

    async def issue(
        self,
        tenant: Tenant | str,
        connection: str = "",
        *,
        lifetime: timedelta = LIFETIME,
        scopes: Iterable[Scope] = SCOPES,
        label: str = "",
    ) -> Issued:
        """A new token for a connection of *tenant*; the secret in it is shown this once.

        Raises:
            ValueError: The lifetime is not positive or ends after the year 9999, a scope is unknown or there is none,
                the tenant is empty, or a name has characters that do not print.
        """
        issued = self._made(Tenant(tenant), connection, lifetime, frozenset(scopes), label)
        await self._store.add(issued.token)
        await self._tell(TokenEvent(happening="issued", at=instant(issued.token.created), token=issued.token))
        return issued

    async def rotate(
        self, tenant: Tenant | str, id: str, *, overlap: timedelta = OVERLAP, lifetime: timedelta | None = None
    ) -> Issued:
        """A new token in the place of another, which stays valid for *overlap*, unless it expires earlier.

        So a client can be given the new one without an outage. It opens what the old one opened, and lives as long as
        that one was meant to unless *lifetime* says otherwise.

        Raises:
            UnknownTokenError: The tenant has no such token, or it was revoked.
            ValueError: *overlap* is negative, or *lifetime* is not positive or ends after the year 9999.
        """
        old = next((one for one in await self._store.listed(Tenant(tenant)) if one.id == id), None)
        if old is None:
            raise UnknownTokenError(f"tenant {tenant} has no token {id}")
        if overlap < timedelta(0):
            raise ValueError("an overlap is not negative")
        span = old.expires - old.created if lifetime is None else lifetime
        issued = self._made(old.tenant, old.connection, span, old.scopes, old.label)
        ends = _after(issued.token.created, overlap)
        replaced = await self._store.replace(old.tenant, id, ends, issued.token)
        self._forget(old)
        if replaced is None:
            raise UnknownTokenError(f"token {id} of tenant {tenant} was revoked")
        at = instant(issued.token.created)
        await self._tell(TokenEvent(happening="rotated", at=at, token=issued.token, replaced=replaced))
        return issued

    async def revoke(self, tenant: Tenant | str, id: str) -> Token:
        """End a token now; it is kept for the record. Revoking it again changes nothing.

        Raises:
            UnknownTokenError: The tenant has no such token.
        """
        now = self._clock()
        token = await self._store.revoke(Tenant(tenant), id, now)
        if token is None:
            raise UnknownTokenError(f"tenant {tenant} has no token {id}")
        self._forget(token)
        await self._tell(TokenEvent(happening="revoked", at=instant(now), token=token))
        return token

    async def listed(self, tenant: Tenant | str | None = None) -> tuple[Token, ...]:
        """All tokens of a tenant, or of everybody, ended ones too: by tenant, then the oldest first."""
        return await self._store.listed(None if tenant is None else Tenant(tenant))

    def _made(
        self, tenant: Tenant, connection: str, lifetime: timedelta, scopes: frozenset[Scope], label: str
    ) -> Issued:
        if lifetime <= timedelta(0):
            raise ValueError("a token lives for some time")
        if not scopes or scopes - SCOPES:
            raise ValueError("the scopes of a token are read, write or both")
        if not tenant:
            raise ValueError("a token belongs to a tenant")
        if not (tenant + connection + label).isprintable():
            raise ValueError("a name has characters that do not print")
        secret, now = token_text(self._entropy()), self._clock()
        token = Token(
            id=self._new_id(),
            tenant=tenant,
            connection=connection,
            scopes=scopes,
            label=label,
            digest=digest_of(secret),
            created=now,
            expires=_after(now, lifetime),
        )
        return Issued(token, secret)

    # Who is calling

    def authenticate(self, request: Credentials) -> Caller | Awaitable[Caller]:
        """The caller whose token the Authorization header carries.

        Raises:
            UnauthorizedError: There is no such header, its scheme is not Bearer, or the token is not valid now.
        """
        presented = bearer_token(request)
        # The length first: a header can be long, and its digest is not free.
        if len(presented) != LENGTH:
            return self._refused("unknown", None)
        digest = digest_of(presented)
        remembered = self._remembered.get(digest)
        if remembered is not None and self._clock() < remembered.until:
            return remembered.caller
        if not is_well_formed(presented):
            return self._refused("unknown", None)
        return self._recognised(digest)

    async def _recognised(self, digest: str) -> Caller:
        endings = self._endings
        token = await self._store.find(digest)
        # The store has looked the digest up as it likes; that they are the same is decided here, in constant time.
        if token is None or not hmac.compare_digest(token.digest, digest):
            return await self._refused("unknown", None)
        now = self._clock()
        status = token.status(now)
        if status != "active":
            self._remembered.pop(digest, None)
            return await self._refused(status, token)
        caller, note_use_at = await self._noted(token, now)
        # A token that ended while the store was being asked must not be believed afterwards.
        if endings == self._endings:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[digest] = _Remembered(caller, min(now + self._span, token.expires), note_use_at)
        return caller

    async def _noted(self, token: Token, now: datetime) -> tuple[Caller, datetime]:
        """The caller of *token*, and when its next use is to be noted, after this one was."""
        remembered = self._remembered.get(token.digest)
        caller = token.caller if remembered is None else remembered.caller
        if remembered is not None and now < remembered.note_use_at:
            return caller, remembered.note_use_at
        last = token.last_used
        if last is not None and now - last < _USE_NOTED_EVERY:
            return caller, last + _USE_NOTED_EVERY
        # Of several processes one succeeds, so that one warns.
        is_first = await self._store.used(token, now)
        is_new_day = last is None or last.date() < now.date()
        if is_first and is_new_day and token.expires_soon(now, self._warning):
            await self._tell(TokenEvent(happening="expiring", at=instant(now), token=token))
        return caller, now + _USE_NOTED_EVERY

    async def _refused(self, why: Refusal, token: Token | None) -> NoReturn:
        """Raise what the client is told, when it was put on record."""
        await self._tell(TokenEvent(happening="refused", at=instant(self._clock()), token=token, why=why))
        described = "" if token is None else f', error_description="{_REASONS[why]}"'
        raise UnauthorizedError(_REASONS[why], f"{INVALID_TOKEN}{described}")

    def _forget(self, token: Token) -> None:
        self._endings += 1
        self._remembered.pop(token.digest, None)

    async def _tell(self, event: TokenEvent) -> None:
        if self._on_event is None:
            return
        try:
            told = self._on_event(event)
            if told is not None:
                await told
        except Exception as bug:  # noqa: BLE001 - a listener's fault is reported, and is no client's
            if self._on_bug is not None:
                self._on_bug(bug)


def _after(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment + span
    except OverflowError:
        raise ValueError("that is after the year 9999") from None
