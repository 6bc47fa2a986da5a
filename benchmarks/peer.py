"""scim2-server behind its own ASGI application and its own memory storage.

Its ASGI application lets everyone in and has `check_auth` to override; its command's WSGI application overrides it with
a set of bearer tokens. The same is done here, so that both sides authenticate.
"""

from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.utils import load_default_provider

from benchmarks.contenders import Contender
from benchmarks.exchange import TOKEN


class _Guarded(ASGIApplication):
    """The peer's application, for callers with the token."""

    def check_auth(self, request: ScimRequest) -> None:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or token != TOKEN:
            raise PermissionError("the bearer token is not known")


def peer() -> Contender:
    """scim2-server as it comes, with every feature that its default configuration announces."""
    # It strips /v2 from the path itself, so to an ASGI server it is mounted at the root.
    return Contender("scim2-server", _Guarded(AsyncInMemoryStorage(), load_default_provider()), "")
