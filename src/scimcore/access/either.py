"""Two ways to prove who one is."""

from collections.abc import Awaitable

from scimcore.access.caller import Authenticator, Caller, Credentials
from scimcore.errors import UnauthorizedError


def either(first: Authenticator, second: Authenticator) -> Authenticator:
    """An authenticator that asks *second* about everybody whom *first* does not know, and lets it say the refusal.

    >>> from types import SimpleNamespace
    >>> from scimcore.access import BearerTokens, anonymous
    >>> either(BearerTokens({}), anonymous("acme"))(SimpleNamespace(headers={})).tenant
    'acme'
    """

    def authenticate(request: Credentials) -> Caller | Awaitable[Caller]:
        try:
            found = first(request)
        except UnauthorizedError:
            return second(request)
        return found if isinstance(found, Caller) else _waited_for(found, second, request)

    return authenticate


async def _waited_for(found: Awaitable[Caller], second: Authenticator, request: Credentials) -> Caller:
    try:
        return await found
    except UnauthorizedError:
        other = second(request)
        return other if isinstance(other, Caller) else await other
