"""Tokens from their issue to their end, in every store (RFC 6750, RFC 7644 §7.4)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from inspect import getsource
from itertools import count
from pathlib import Path

import attrs
import pytest
from tests.access.conftest import Clock, Run

from scimcore.access import (
    Caller,
    Issued,
    MemoryTokens,
    Scope,
    Token,
    TokenEvent,
    Tokens,
    TokenStore,
    UnknownTokenError,
    tokens,
)
from scimcore.access.secret import digest_of, token_text
from scimcore.access.sql import SqlTokens
from scimcore.engine.http import Request
from scimcore.engine.immediate import finish
from scimcore.errors import UnauthorizedError
from scimcore.storage.protocol import Tenant

ACME, GLOBEX = Tenant("acme"), Tenant("globex")
PLAIN = 'Bearer realm="scim"'
INVALID = 'Bearer realm="scim", error="invalid_token"'
STRANGER = token_text(b"\xff" * 32)


@attrs.frozen
class Office:
    """Tokens under test, and everything that was told of them."""

    tokens: Tokens
    run: Run
    clock: Clock
    events: list[TokenEvent]

    def issue(
        self, tenant: Tenant = ACME, connection: str = "okta", *, scopes: frozenset[Scope] = frozenset({"read"})
    ) -> Issued:
        return self.run(self.tokens.issue(tenant, connection, scopes=scopes))

    def caller(self, secret: str, scheme: str = "Bearer") -> Caller:
        return self.run(_awaited(self.tokens.authenticate(request(f"{scheme} {secret}"))))

    def refusal(self, secret: str) -> UnauthorizedError:
        with pytest.raises(UnauthorizedError) as refused:
            self.caller(secret)
        return refused.value

    def one(self, tenant: Tenant = ACME) -> Token:
        (token,) = self.run(self.tokens.listed(tenant))
        return token

    @property
    def happenings(self) -> list[str]:
        return [event.happening for event in self.events]


async def _awaited(caller: Caller | Awaitable[Caller]) -> Caller:
    return caller if isinstance(caller, Caller) else await caller


def request(authorization: str) -> Request:
    return Request("GET", "/Users", headers={"Authorization": authorization})


@pytest.fixture
def office(store: TokenStore, run: Run, clock: Clock) -> Office:
    return opened(store, run, clock)


def opened(store: TokenStore, run: Run, clock: Clock) -> Office:
    events: list[TokenEvent] = []
    numbers = count(1)
    return Office(
        Tokens(store, clock=clock, new_id=lambda: f"token-{next(numbers)}", on_event=events.append), run, clock, events
    )


@pytest.mark.rfc("P-2-02")
@pytest.mark.parametrize("scopes", [frozenset({"read"}), frozenset({"read", "write"}), frozenset({"write"})])
def test_a_token_tells_its_caller(office: Office, scopes: frozenset[Scope]) -> None:
    issued = office.issue(scopes=scopes)
    asked = office.caller(issued.secret)
    assert asked == Caller(tenant=ACME, connection="okta", scopes=frozenset(scopes))


def test_a_token_never_opens_another_tenant(office: Office) -> None:
    for tenant in (ACME, GLOBEX):
        assert office.caller(office.issue(tenant).secret).tenant == tenant
    assert office.one(ACME).tenant == ACME


@pytest.mark.rfc("P-7.4-01")
def test_the_secret_is_nowhere_but_in_what_was_issued(office: Office) -> None:
    issued = office.issue()
    office.caller(issued.secret)
    kept = office.one()
    assert issued.secret not in repr(issued) + repr(kept) + repr(attrs.asdict(kept)) + repr(vars(office.tokens))
    assert kept.digest == digest_of(issued.secret)
    assert kept.digest not in repr(issued)


def test_what_was_issued_is_kept_as_it_was(office: Office) -> None:
    made = office.tokens.issue(ACME, "okta main", lifetime=timedelta(days=7), label="Zoë’s, until the audit")
    issued = office.run(made)
    assert issued.token == office.one()
    assert issued.token.expires - issued.token.created == timedelta(days=7)
    assert issued.token.label == "Zoë’s, until the audit"
    assert office.happenings == ["issued"]


@pytest.mark.rfc("P-7.4-01", "P-2-01")
def test_an_expired_token_opens_nothing_and_says_why(office: Office) -> None:
    issued = office.issue()
    office.clock.pass_by(days=90, microseconds=-1)
    assert office.caller(issued.secret).tenant == ACME
    office.clock.pass_by(microseconds=1)
    refused = office.refusal(issued.secret)
    assert refused.challenge == f'{INVALID}, error_description="the token expired"'
    assert refused.detail == "the token expired"
    assert (office.events[-1].happening, office.events[-1].why) == ("refused", "expired")
    assert office.events[-1].token == office.one()


def test_a_revoked_token_opens_nothing_at_once(office: Office) -> None:
    issued = office.issue()
    office.caller(issued.secret)
    revoked = office.run(office.tokens.revoke(ACME, issued.token.id))
    assert revoked.revoked == office.clock.now
    assert office.refusal(issued.secret).challenge == f'{INVALID}, error_description="the token was revoked"'
    assert office.happenings == ["issued", "revoked", "refused"]
    assert office.one() == revoked


def test_another_process_learns_of_a_revocation_within_a_second(store: TokenStore, run: Run, clock: Clock) -> None:
    here, there = opened(store, run, clock), opened(store, run, clock)
    issued = here.issue()
    there.caller(issued.secret)
    run(here.tokens.revoke(ACME, issued.token.id))
    clock.pass_by(seconds=1)
    there.refusal(issued.secret)


def test_revoking_again_changes_nothing(office: Office) -> None:
    id = office.issue().token.id
    first = office.run(office.tokens.revoke(ACME, id))
    office.clock.pass_by(days=1)
    assert office.run(office.tokens.revoke(ACME, id)) == first


def test_a_rotated_token_overlaps_with_its_successor(office: Office) -> None:
    old = office.issue()
    office.clock.pass_by(days=80)
    new = office.run(office.tokens.rotate(ACME, old.token.id, overlap=timedelta(hours=2)))
    assert office.caller(new.secret) == office.caller(old.secret)
    office.clock.pass_by(hours=2)
    assert office.caller(new.secret).connection == "okta"
    assert office.refusal(old.secret).detail == "the token expired"
    (rotated,) = (event for event in office.events if event.happening == "rotated")
    assert rotated.token == new.token
    assert rotated.replaced is not None
    assert (rotated.replaced.id, rotated.replaced.expires) == (old.token.id, new.token.created + timedelta(hours=2))


def test_a_successor_opens_the_same_for_as_long_as_the_first_was_meant_to(office: Office) -> None:
    old = office.run(office.tokens.issue(ACME, "okta", scopes={"read"}, lifetime=timedelta(days=7), label="x")).token
    office.clock.pass_by(days=3)
    new = office.run(office.tokens.rotate(ACME, old.id)).token
    assert (new.tenant, new.connection, new.scopes, new.label) == (old.tenant, old.connection, old.scopes, old.label)
    assert new.expires == office.clock.now + timedelta(days=7)


def test_an_overlap_prolongs_nothing(office: Office) -> None:
    old = office.issue()
    office.run(office.tokens.rotate(ACME, old.token.id, overlap=timedelta(days=365)))
    office.clock.pass_by(days=90)
    office.refusal(old.secret)


def test_a_rotation_without_overlap_ends_the_old_token_at_once(office: Office) -> None:
    old = office.issue()
    office.caller(old.secret)
    office.run(office.tokens.rotate(ACME, old.token.id, overlap=timedelta(0)))
    office.refusal(old.secret)


def test_a_revoked_token_has_no_successor(office: Office) -> None:
    id = office.issue().token.id
    office.run(office.tokens.revoke(ACME, id))
    with pytest.raises(UnknownTokenError, match="was revoked"):
        office.run(office.tokens.rotate(ACME, id))
    assert len(office.run(office.tokens.listed())) == 1


@pytest.mark.parametrize("tenant", [GLOBEX, Tenant("")])
def test_the_token_of_another_tenant_is_neither_rotated_nor_revoked(office: Office, tenant: Tenant) -> None:
    issued = office.issue(ACME)
    for attempt in (office.tokens.revoke(tenant, issued.token.id), office.tokens.rotate(tenant, issued.token.id)):
        with pytest.raises(UnknownTokenError, match="has no token"):
            office.run(attempt)
    assert office.caller(issued.secret).tenant == ACME


def test_tokens_are_listed_by_tenant_and_age(office: Office) -> None:
    for tenant in (GLOBEX, ACME, GLOBEX, ACME):
        office.issue(tenant)
        office.clock.pass_by(seconds=1)
    every = office.run(office.tokens.listed())
    assert [(one.tenant, one.id) for one in every] == [
        (ACME, "token-2"),
        (ACME, "token-4"),
        (GLOBEX, "token-1"),
        (GLOBEX, "token-3"),
    ]
    assert office.run(office.tokens.listed(GLOBEX)) == every[2:]


# Who is refused


@pytest.mark.rfc("P-2-01")
@pytest.mark.parametrize(
    "garbage",
    [
        STRANGER,
        STRANGER[:-1],
        f"{STRANGER}0",
        STRANGER[:-1] + ("0" if STRANGER[-1] != "0" else "1"),
        "scim_" + "0" * 49,
        "x",
        "x" * 54,
        "x" * 1_000_000,
        f"{STRANGER} {STRANGER}",
        f"{STRANGER}, Bearer {STRANGER}",
        "\u00e9\udcff",
        "scim_" + "é" * 49,
        "scim_" + "\udcff" * 49,
        "scim_" + "\x00" * 49,
        "' OR 1=1 --",
    ],
)
def test_whoever_has_no_token_learns_nothing(office: Office, garbage: str) -> None:
    issued = office.issue()
    refused = office.refusal(garbage)
    assert (refused.challenge, refused.detail) == (INVALID, "the bearer token is not known")
    assert office.events[-1] == attrs.evolve(office.events[-1], happening="refused", token=None, why="unknown")
    assert issued.token.last_used is None


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic eDp5", STRANGER, f"Bearer{STRANGER}", "Bearer\t"])
def test_a_request_without_a_token_is_asked_for_one(office: Office, authorization: str) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        office.tokens.authenticate(request(authorization))
    assert refused.value.challenge == PLAIN


def test_the_digest_is_no_token(office: Office) -> None:
    issued = office.issue()
    office.refusal(issued.token.digest)
    office.refusal(issued.token.id)


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase])
def test_the_case_of_a_token_matters(office: Office, change: Callable[[str], str]) -> None:
    office.refusal(change(office.issue().secret))


def test_nothing_grows_with_failed_attempts(run: Run, clock: Clock) -> None:
    office = opened(MemoryTokens(), run, clock)
    before = repr(vars(office.tokens))
    for number in range(1_000):
        office.refusal(token_text(number.to_bytes(32, "big")))
    assert repr(vars(office.tokens)) == before


# What a check does must not depend on how much of a secret was guessed.


class WatchedTokens(MemoryTokens):
    """A store that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    async def find(self, digest: str) -> Token | None:
        self.asked.append(("find", digest))
        return await super().find(digest)

    async def used(self, token: Token, at: datetime) -> bool:
        self.asked.append(("used", token.digest))
        return await super().used(token, at)


def test_a_store_sees_whole_digests_and_never_a_secret(run: Run, clock: Clock) -> None:
    store = WatchedTokens()
    office = opened(store, run, clock)
    issued = office.issue()
    near = token_text((int.from_bytes(b"\xff" * 32, "big") - 1).to_bytes(32, "big"))
    for secret in (STRANGER, near):
        office.refusal(secret)
    # One right character or fifty: the same single question, about 256 bits that say nothing of either.
    assert store.asked == [("find", digest_of(STRANGER)), ("find", digest_of(near))]
    store.asked.clear()
    office.caller(issued.secret)
    assert store.asked == [("find", issued.token.digest), ("used", issued.token.digest)]


class LaxTokens(MemoryTokens):
    """A store that finds by the first digit alone, as a database with an unlucky collation might."""

    async def find(self, digest: str) -> Token | None:
        return next((one for one in await self.listed() if one.digest[0] == digest[0]), None)


def test_what_a_store_finds_is_compared_again(run: Run, clock: Clock) -> None:
    office = opened(LaxTokens(), run, clock)
    issued = office.issue()
    secrets = (token_text(number.to_bytes(32, "big")) for number in count())
    near = next(secret for secret in secrets if digest_of(secret)[0] == issued.token.digest[0])
    assert office.refusal(near).detail == "the bearer token is not known"
    assert office.caller(issued.secret).tenant == ACME


def test_digests_are_compared_in_constant_time() -> None:
    assert "hmac.compare_digest(token.digest, digest)" in getsource(tokens)


# What a valid token costs


def test_a_store_is_asked_once_a_second(run: Run, clock: Clock) -> None:
    store = WatchedTokens()
    office = opened(store, run, clock)
    secret = office.issue().secret
    for _ in range(50):
        assert office.caller(secret).tenant == ACME
        clock.pass_by(milliseconds=100)
    assert [what for what, _ in store.asked] == ["find", "used", "find", "find", "find", "find"]


def test_a_remembered_token_does_not_outlive_its_end(office: Office) -> None:
    issued = office.run(office.tokens.issue(ACME, lifetime=timedelta(milliseconds=500)))
    office.caller(issued.secret)
    office.clock.pass_by(milliseconds=500)
    assert office.refusal(issued.secret).detail == "the token expired"


def test_a_remembered_caller_is_had_without_waiting(office: Office) -> None:
    secret = office.issue().secret
    office.caller(secret)
    assert isinstance(office.tokens.authenticate(request(f"Bearer {secret}")), Caller)


def test_a_revocation_during_a_check_is_not_forgotten(run: Run, clock: Clock) -> None:
    class Revoking(MemoryTokens):
        """Finds a token that is revoked before the answer arrives."""

        async def find(self, digest: str) -> Token | None:
            found = await super().find(digest)
            if found is not None and found.revoked is None:
                await place.tokens.revoke(found.tenant, found.id)
            return found

    place = opened(Revoking(), run, clock)
    secret = place.issue().secret
    place.caller(secret)
    place.refusal(secret)


def test_what_is_remembered_is_bounded(run: Run, clock: Clock) -> None:
    store = WatchedTokens()
    office = opened(store, run, clock)
    issued = [office.issue() for _ in range(1_030)]
    for one in issued:
        office.caller(one.secret)
    assert len(office.tokens._remembered) <= 1_024  # noqa: SLF001 - what the test is about
    assert [office.caller(one.secret).tenant for one in issued] == [ACME] * 1_030


# Last use and warnings


def test_a_use_is_noted_once_a_minute(office: Office) -> None:
    secret, began = office.issue().secret, office.clock.now
    noted = set()
    for _ in range(13):
        office.caller(secret)
        noted.add(office.one().last_used)
        office.clock.pass_by(seconds=10)
    assert noted == {began, began + timedelta(minutes=1), began + timedelta(minutes=2)}


def test_two_processes_note_a_use_once(store: TokenStore, run: Run, clock: Clock) -> None:
    office = opened(store, run, clock)
    office.issue()
    token = office.one()
    assert run(store.used(token, clock.now))
    assert not run(store.used(token, clock.now + timedelta(seconds=1)))
    assert office.one().last_used == clock.now


def test_a_token_that_soon_ends_brings_a_warning_on_each_day_of_use(office: Office) -> None:
    secret = office.issue().secret
    office.clock.pass_by(days=75)
    office.caller(secret)
    assert office.happenings == ["issued"]
    for _ in range(72):
        office.clock.pass_by(hours=1)
        office.caller(secret)
    warnings = [event for event in office.events if event.happening == "expiring"]
    assert [event.at for event in warnings] == ["2027-02-07T00:30:00.000000Z", "2027-02-08T00:30:00.000000Z"]
    assert warnings[0].token is not None
    assert warnings[0].token.expires_soon(office.clock.now, timedelta(days=14))


def test_a_token_that_has_ended_does_not_end_soon(office: Office) -> None:
    token = office.issue().token
    assert not token.expires_soon(token.expires, timedelta(days=14))
    assert not token.expires_soon(token.created, timedelta(days=14))
    revoked = office.run(office.tokens.revoke(ACME, token.id))
    assert not revoked.expires_soon(token.created, timedelta(days=365))


def test_events_may_be_told_by_waiting(run: Run, clock: Clock) -> None:
    told: list[str] = []

    async def on_event(event: TokenEvent) -> None:
        told.append(event.happening)

    run(Tokens(MemoryTokens(), clock=clock, on_event=on_event).issue(ACME))
    assert told == ["issued"]


def test_a_listener_that_fails_is_reported_and_is_no_clients_fault(run: Run, clock: Clock) -> None:
    def on_event(event: TokenEvent) -> None:
        raise OSError(event.happening)

    bugs: list[Exception] = []
    silent = Tokens(MemoryTokens(), clock=clock, on_event=on_event)
    office = Office(Tokens(MemoryTokens(), clock=clock, on_event=on_event, on_bug=bugs.append), run, clock, [])
    assert office.caller(office.issue().secret).tenant == ACME
    office.refusal(STRANGER)
    assert [str(bug) for bug in bugs] == ["issued", "refused"]
    assert run(silent.issue(ACME)).token.tenant == ACME


# What is not issued


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta.max, timedelta(days=4_000_000)])
def test_a_token_lives_for_some_time_and_not_for_ever(office: Office, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match=r"lives for some time|after the year 9999"):
        office.run(office.tokens.issue(ACME, lifetime=lifetime))
    assert office.run(office.tokens.listed()) == ()


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({"admin"}), frozenset({"read", "READ"})])
def test_a_scope_that_nobody_knows_is_not_given(office: Office, scopes: frozenset[Scope]) -> None:
    with pytest.raises(ValueError, match="read, write or both"):
        office.issue(scopes=scopes)


@pytest.mark.parametrize("name", ["\x00", "a\nb", "\u202e", "\ud800", "\x1b[2J"])
def test_a_name_that_does_not_print_is_refused(office: Office, name: str) -> None:
    for attempt in (
        office.tokens.issue(name),
        office.tokens.issue(ACME, name),
        office.tokens.issue(ACME, label=name),
    ):
        with pytest.raises(ValueError, match="do not print"):
            office.run(attempt)


def test_a_token_belongs_to_a_tenant(office: Office) -> None:
    with pytest.raises(ValueError, match="belongs to a tenant"):
        office.run(office.tokens.issue(""))


def test_an_overlap_is_not_negative(office: Office) -> None:
    id = office.issue().token.id
    with pytest.raises(ValueError, match="not negative"):
        office.run(office.tokens.rotate(ACME, id, overlap=timedelta(seconds=-1)))


# Without an event loop


def test_a_synchronous_store_needs_no_event_loop(tmp_path: Path, clock: Clock) -> None:
    store = SqlTokens(f"sqlite:///{tmp_path / 'scim.db'}")
    finish(store.create_all())
    office = opened(store, finish, clock)
    old = office.issue()
    new = finish(office.tokens.rotate(ACME, old.token.id))
    assert office.caller(new.secret) == office.caller(old.secret)
    finish(office.tokens.revoke(ACME, old.token.id))
    office.refusal(old.secret)
    finish(store.close())
