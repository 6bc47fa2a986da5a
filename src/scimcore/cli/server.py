"""The server behind `scimcore serve`: uvicorn, and an access log without secrets."""

import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import attrs
import uvicorn
from rich.console import Console
from rich.markup import escape

from scimcore.access import Authenticator
from scimcore.adapters.exchange import Message, Receive, Scope, Send
from scimcore.adapters.tenants import TenantPaths
from scimcore.cli.options import UnusableError, audit_key
from scimcore.config import Configuration, Database, service_of


def serve(host: str, port: int, configuration: Configuration, also: Authenticator | None, notes: Iterable[str]) -> int:
    """Serve until a signal ends it, and return the exit status.

    Whom *also* knows is let in besides the owners of the tokens in the database; *notes* are printed when it listens.

    Raises:
        UnusableError: It cannot listen there.
    """
    try:
        listener = _listening(host, port)
    except OSError as reason:
        raise UnusableError(f"cannot listen on {host} port {port}: {reason.strerror}") from None
    service = service_of(configuration, also=also, audit_key=audit_key(), on_bug=_report, group_commit=True)
    # Said no earlier: a signal that answers the greeting must find uvicorn listening to signals.
    greet = partial(_greet, _origin(host, listener), configuration.paths, tuple(notes))
    application = AccessLog(service.asgi(), service.database, greet)
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False)
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


def _origin(host: str, listener: socket.socket) -> str:
    port: int = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _greet(origin: str, paths: Iterable[str], notes: Iterable[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for path in paths:
        console.print(f"[bold]scimcore[/bold] listens at [cyan]{escape(origin + path.rstrip('/'))}[/cyan]")
    for note in notes:
        console.print(escape(note))


@attrs.frozen
class AccessLog:
    """An ASGI application that notes one line for each request of another, greets at the beginning, and closes the
    database at the end.

    The query string stays out, as filters name people; so do headers and bodies, as they hold tokens and passwords.
    """

    application: TenantPaths
    database: Database
    greet: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, self._living(send))
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

    def _living(self, send: Send) -> Send:
        """*send*, which greets when all is ready, and closes the database first when all is over: only the event loop
        that opened it can."""

        async def living(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await self.database.close()
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self.greet()

        return living


def _report(bug: Exception, request_id: str) -> None:
    print(f"bug in request {request_id}", file=sys.stderr)
    traceback.print_exception(bug)
