"""One provider below several paths, some of which name the tenant: `/scim/v2`, `/scim/{tenant}/v2`.

The token says whose resources are meant. Where the path says so too, both must agree; if they do not, the answer is
that of a path that does not exist, whether or not there is such a tenant.
"""

from collections.abc import Iterable
from urllib.parse import unquote, unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment

import attrs

from scimcore.adapters.asgi import ScimApp
from scimcore.adapters.exchange import Receive, Scope, Send, answer, below
from scimcore.adapters.paths import MOUNT, Mount, PathTemplates
from scimcore.adapters.url import base_url, encoded
from scimcore.adapters.wsgi import ScimWsgiApp, own_url
from scimcore.errors import NotFoundError


def _templates(paths: Iterable[str]) -> PathTemplates:
    return PathTemplates.parsed(paths)


def _without_slash(url: str | None) -> str | None:
    return None if url is None else url.rstrip("/")


@attrs.frozen
class TenantPaths:
    """An ASGI application that mounts another at every one of *paths*; everywhere else is a SCIM 404.

    *public_url* is the URL under which clients reach the paths, as `https://scim.example.com`; without it the one of
    each request is used. The provider itself has none then, as that would be the URL of one mount point.

    Raises:
        ValueError: A path is no template.
    """

    application: ScimApp
    paths: PathTemplates = attrs.field(converter=_templates)
    public_url: str | None = attrs.field(default=None, converter=_without_slash)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        root: str = scope.get("root_path", "").rstrip("/")
        path = below(root, scope["path"])
        found = self.paths.matched(encoded(path.encode(), scope.get("raw_path") or b""))
        if found is None:
            await answer(self.application.provider.refusal(NotFoundError("endpoint")), scope, send, closing=True)
            return
        match, url = found
        mounted = unquote(match.mounted)
        inner = {
            **scope,
            "root_path": root + mounted,
            "path": root + path,
            MOUNT: Mount(f"{self.public_url or _own_url(scope, root)}{url}", match.tenant),
        }
        await self.application(inner, receive, send)


@attrs.frozen
class TenantWsgiPaths:
    """The same as a WSGI application."""

    application: ScimWsgiApp
    paths: PathTemplates = attrs.field(converter=_templates)
    public_url: str | None = attrs.field(default=None, converter=_without_slash)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = environ.get("PATH_INFO", "").encode("latin-1")
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        found = self.paths.matched(encoded(path, target.partition("?")[0].encode("latin-1", "replace")))
        if found is None:
            return self.application.refused(NotFoundError("endpoint"), environ, start_response)
        match, url = found
        mounted = unquote_to_bytes(match.mounted)
        inner = {
            **environ,
            "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + mounted.decode("latin-1"),
            "PATH_INFO": path[len(mounted) :].decode("latin-1"),
            MOUNT: Mount(f"{self.public_url or own_url(environ)}{url}", match.tenant),
        }
        return self.application(inner, start_response)


def _own_url(scope: Scope, root: str) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), None)
    server, port = scope.get("server") or (None, None)
    return base_url(scope.get("scheme", "http"), host, server, port, root.encode())
