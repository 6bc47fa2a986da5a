"""Authenticators: who is let in, and what everyone else is told (RFC 7644 §2, RFC 6750 §3)."""

import inspect

import attrs
import pytest

from scimcore.access import Authenticator, BearerTokens, Caller, anonymous
from scimcore.engine.http import Request
from scimcore.errors import UnauthorizedError
from scimcore.storage.protocol import Tenant

ACME = "acme-0123456789-abcdef"
GLOBEX = "globex-0123456789-abcdef"
CALLERS = {
    ACME: Caller(tenant=Tenant("acme"), connection="okta"),
    GLOBEX: Caller(tenant=Tenant("globex"), scopes=frozenset({"read"})),
}
PLAIN_CHALLENGE = 'Bearer realm="scim"'
TOKEN_CHALLENGE = 'Bearer realm="scim", error="invalid_token"'


def request(authorization: str | None = None, query: str = "") -> Request:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Request("GET", "/Users", query=query, headers=headers)


@pytest.mark.rfc("P-2-02")
@pytest.mark.parametrize("token", [ACME, GLOBEX])
def test_a_token_tells_its_caller(token: str) -> None:
    assert BearerTokens(CALLERS)(request(f"Bearer {token}")) == CALLERS[token]


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
def test_the_scheme_is_read_in_any_case_and_blanks_do_not_matter(form: str) -> None:
    assert BearerTokens(CALLERS)(request(form.format(ACME))) == CALLERS[ACME]


@pytest.mark.rfc("P-2-01")
@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, PLAIN_CHALLENGE),
        ("", PLAIN_CHALLENGE),
        (ACME, PLAIN_CHALLENGE),
        (f"Basic {ACME}", PLAIN_CHALLENGE),
        (f"Bearer{ACME}", PLAIN_CHALLENGE),
        ("Bearer", PLAIN_CHALLENGE),
        ("Bearer ", PLAIN_CHALLENGE),
        ("Bearer unknown-0123456789", TOKEN_CHALLENGE),
        (f"Bearer {ACME}x", TOKEN_CHALLENGE),
        (f"Bearer {ACME[:-1]}", TOKEN_CHALLENGE),
        (f"Bearer {ACME.upper()}", TOKEN_CHALLENGE),
        (f"Bearer {ACME} {ACME}", TOKEN_CHALLENGE),
        (f"Bearer {ACME}, Bearer {GLOBEX}", TOKEN_CHALLENGE),
        ("Bearer \u00e9\udcff", TOKEN_CHALLENGE),
    ],
)
def test_everyone_else_is_asked_for_a_token(authorization: str | None, challenge: str) -> None:
    with pytest.raises(UnauthorizedError) as refusal:
        BearerTokens(CALLERS)(request(authorization))
    assert refusal.value.challenge == challenge
    assert ACME not in refusal.value.detail


@pytest.mark.rfc("P-7.4-02")
@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
def test_a_token_in_the_query_string_is_not_accepted(name: str) -> None:
    with pytest.raises(UnauthorizedError):
        BearerTokens(CALLERS)(request(query=f"{name}={ACME}"))


@pytest.mark.parametrize("token", ["", "x", "x" * 15])
def test_a_short_token_is_refused_at_construction_and_not_shown(token: str) -> None:
    with pytest.raises(ValueError, match="at least 16 characters") as refusal:
        BearerTokens({ACME: CALLERS[ACME], token: CALLERS[ACME]})
    assert "xx" not in str(refusal.value)


@pytest.mark.parametrize("character", [" ", "\n", "\u00e9", "\ud800", "\x00"])
def test_a_token_that_no_header_can_carry_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII characters only"):
        BearerTokens({f"0123456789{character}0123456789": CALLERS[ACME]})


def test_a_token_of_sixteen_characters_is_accepted() -> None:
    assert BearerTokens({"x" * 16: CALLERS[ACME]})(request("Bearer " + "x" * 16)) == CALLERS[ACME]


def test_without_tokens_nobody_is_let_in() -> None:
    with pytest.raises(UnauthorizedError):
        BearerTokens({})(request(f"Bearer {ACME}"))


@pytest.mark.rfc("P-7.4-01")
def test_the_tokens_themselves_are_not_kept() -> None:
    tokens = BearerTokens(CALLERS)
    kept = [repr(value) for _, value in inspect.getmembers(tokens)]
    assert repr(tokens) == "<BearerTokens: 2 tokens>"
    assert [text for text in kept if ACME in text or GLOBEX in text] == []


def test_later_changes_of_the_mapping_do_not_let_anyone_in() -> None:
    callers = {ACME: CALLERS[ACME]}
    tokens = BearerTokens(callers)
    callers[GLOBEX] = CALLERS[GLOBEX]
    with pytest.raises(UnauthorizedError):
        tokens(request(f"Bearer {GLOBEX}"))


@pytest.mark.rfc("P-2.2-01")
@pytest.mark.parametrize("authorization", [None, f"Bearer {ACME}", "Basic x"])
def test_anonymous_lets_everyone_in_as_one_tenant(authorization: str | None) -> None:
    assert anonymous(tenant="globex")(request(authorization)) == Caller(tenant=Tenant("globex"))


def test_a_caller_may_read_and_write_unless_said_otherwise() -> None:
    caller = Caller(tenant=Tenant("acme"))
    assert (caller.connection, caller.scopes) == ("", frozenset({"read", "write"}))


def test_a_caller_does_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        CALLERS[ACME].tenant = Tenant("globex")  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize("authenticator", [anonymous(), BearerTokens(CALLERS)])
def test_both_are_authenticators(authenticator: Authenticator) -> None:
    assert isinstance(authenticator(request(f"Bearer {ACME}")), Caller)
