"""`scimcore serve`: a provider with memory storage behind uvicorn, never open, with an access log without secrets."""

import socket
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import attrs
import uvicorn
from rich.console import Console
from rich.markup import escape

from scimcore.access import Authenticator
from scimcore.adapters.asgi import Message, Receive, ScimApp, Scope, Send, answer
from scimcore.engine.provider import ScimProvider
from scimcore.errors import NotFoundError
from scimcore.storage import MemoryStorage

BASE_PATH: Final = "/scim/v2"


def serve(host: str, port: int, authenticate: Authenticator, *, new_token: str | None) -> int:
    """Serve until a signal ends it, and return the exit status; *new_token* is printed, as nobody else knows it."""
    try:
        listener = _listening(host, port)
    except OSError as reason:
        print(f"scimcore cannot listen on {host} port {port}: {reason.strerror}", file=sys.stderr)
        return 1
    provider = ScimProvider(MemoryStorage(), authenticate=authenticate, on_bug=_report)
    application = AccessLog(At(BASE_PATH, ScimApp(provider)))
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False)
    _greet(_url(host, listener), new_token)
    # After an orderly end uvicorn raises the signal again that it ended for.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listening(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio turns off Nagle's algorithm only then: without it, each answer takes 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _url(host: str, listener: socket.socket) -> str:
    port: int = listener.getsockname()[1]
    return f"http://[{host}]:{port}{BASE_PATH}" if ":" in host else f"http://{host}:{port}{BASE_PATH}"


def _greet(url: str, new_token: str | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]scimcore[/bold] listens at [cyan]{escape(url)}[/cyan]")
    console.print("Users and groups live in memory and are gone when it stops.")
    if new_token is not None:
        console.print(f"Bearer token, made for this run: [green]{new_token}[/green]")


@attrs.frozen
class At:
    """An ASGI application mounted at *path*; everywhere else is a SCIM 404."""

    path: str
    application: ScimApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif f"{scope['path']}/".startswith(f"{self.path}/"):
            await self.application({**scope, "root_path": self.path}, receive, send)
        else:
            nowhere = self.application.provider.refusal(NotFoundError(scope["path"]))
            await answer(nowhere, scope, send, closing=True)


@attrs.frozen
class AccessLog:
    """An ASGI application that notes one line for each request of another.

    The query string stays out, as filters name people; so do headers and bodies, as they hold tokens and passwords.
    """

    application: At

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began = time.perf_counter()
        # What stands when the client went away before its request was complete.
        status, request_id = "-", "-"

        async def noting(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = str(message["status"])
                request_id = dict(message["headers"]).get(b"x-request-id", b"-").decode("latin-1")
            await send(message)

        try:
            await self.application(scope, receive, noting)
        finally:
            took = f"{(time.perf_counter() - began) * 1_000:.1f}ms"
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            path = scope["raw_path"].decode("latin-1")
            print(now, scope["method"], path, status, took, request_id, file=sys.stderr, flush=True)


def _report(bug: Exception, request_id: str) -> None:
    print(f"bug in request {request_id}", file=sys.stderr)
    traceback.print_exception(bug)
