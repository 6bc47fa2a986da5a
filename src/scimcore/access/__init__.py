"""Who is calling: authenticators turn what a request carries into a Caller. No resource is known here."""

from scimcore.access.bearer import BearerTokens, anonymous
from scimcore.access.caller import Authenticator, Caller, Credentials
from scimcore.storage.protocol import Tenant

__all__ = ["Authenticator", "BearerTokens", "Caller", "Credentials", "Tenant", "anonymous"]
