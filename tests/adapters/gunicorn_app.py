"""The application that gunicorn serves in test_servers.py: like any user's, a provider and an adapter."""

from scimcore.access import Caller, Credentials
from scimcore.adapters.wsgi import ScimWsgiApp
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.errors import UnauthorizedError
from scimcore.rules.limits import Limits
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant


def authenticate(request: Credentials) -> Caller:
    """Let everyone in, but answer those who ask for it with what the adapter understood."""
    if request.headers.get("authorization") == "Echo" and isinstance(request, Request):
        raise UnauthorizedError(f"{request.base_url} {request.path}")
    return Caller(tenant=Tenant("acme"))


application = ScimWsgiApp(ScimProvider(MemoryStorage(), authenticate=authenticate, limits=Limits(max_body_bytes=1_000)))
