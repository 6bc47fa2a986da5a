"""Two ways to prove who one is."""

from collections.abc import Awaitable

import pytest
from tests.access.conftest import Run

from scimcore.access import Authenticator, BearerTokens, Caller, Credentials, anonymous, either
from scimcore.engine.http import Request
from scimcore.errors import ForbiddenError, UnauthorizedError
from scimcore.storage.protocol import Tenant

FIRST, SECOND = "the-first-long-token", "the-second-long-token"
CALLERS = {token: Caller(tenant=Tenant(token)) for token in (FIRST, SECOND)}


def at_once(token: str) -> Authenticator:
    return BearerTokens({token: CALLERS[token]})


def by_waiting(token: str) -> Authenticator:
    known = BearerTokens({token: CALLERS[token]})

    async def authenticate(request: Credentials) -> Caller:
        return known(request)

    return authenticate


@pytest.mark.parametrize("first", [at_once(FIRST), by_waiting(FIRST)])
@pytest.mark.parametrize("second", [at_once(SECOND), by_waiting(SECOND)])
def test_both_let_their_callers_in_and_nobody_else(first: Authenticator, second: Authenticator, run: Run) -> None:
    async def caller(token: str) -> Caller:
        found: Caller | Awaitable[Caller] = either(first, second)(
            Request("GET", "/", headers={"Authorization": f"Bearer {token}"})
        )
        return found if isinstance(found, Caller) else await found

    assert [run(caller(token)) for token in CALLERS] == list(CALLERS.values())
    with pytest.raises(UnauthorizedError):
        run(caller("another-long-token"))


def test_the_second_is_not_asked_about_callers_of_the_first() -> None:
    def nobody(_: Credentials) -> Caller:
        raise ForbiddenError("asked")

    assert either(anonymous("acme"), nobody)(Request("GET", "/")) == Caller(tenant=Tenant("acme"))
    with pytest.raises(ForbiddenError, match="asked"):
        either(nobody, anonymous("acme"))(Request("GET", "/"))
