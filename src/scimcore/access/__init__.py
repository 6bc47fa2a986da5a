"""Who is calling: authenticators turn what a request carries into a Caller. No resource is known here.

`SqlTokens` needs the extra `sql` and is imported from `scimcore.access.sql`.
"""

from scimcore.access.bearer import BearerTokens, anonymous, bearer_token
from scimcore.access.caller import Authenticator, Caller, Credentials
from scimcore.access.either import either
from scimcore.access.store import MemoryTokens, TokenStore
from scimcore.access.token import Issued, OnTokenEvent, Scope, Token, TokenEvent
from scimcore.access.tokens import Tokens, UnknownTokenError
from scimcore.storage.protocol import Tenant

__all__ = [
    "Authenticator",
    "BearerTokens",
    "Caller",
    "Credentials",
    "Issued",
    "MemoryTokens",
    "OnTokenEvent",
    "Scope",
    "Tenant",
    "Token",
    "TokenEvent",
    "TokenStore",
    "Tokens",
    "UnknownTokenError",
    "anonymous",
    "bearer_token",
    "either",
]
