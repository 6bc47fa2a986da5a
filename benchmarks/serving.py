"""A server process: `python -m benchmarks.serving WHAT`, where WHAT is `peer`, `nothing` or the URL of a database.

`relaxed:` before the URL of a SQLite file stands for an engine that does not wait for the disk at every commit,
`managed:` for a provider with tokens, policies and a record. When it listens it prints its port, and where it imports
scimcore from. All stand behind the same server with the same settings.
"""

import asyncio
import socket
import sys
from typing import Any, Final

import uvicorn
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from benchmarks import machine
from benchmarks.contenders import on_storage
from benchmarks.exchange import MOUNT, Application, Receive, Send

RELAXED: Final = "relaxed:"
MANAGED: Final = "managed:"


async def nothing(_: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answers every request alike: what it takes is what the server takes."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def _application(what: str) -> Application:
    if what == "nothing":
        return nothing
    if what == "peer":
        from benchmarks.peer import peer

        return peer().application
    from scimcore.storage import SqlStorage

    if what.startswith(MANAGED):
        from benchmarks.accounts import managed

        url = what.removeprefix(MANAGED)
        return asyncio.run(managed(SqlStorage(url, group_commit=True), url)).application
    url = what.removeprefix(RELAXED)
    return on_storage("scimcore", SqlStorage(url if url == what else _relaxed(url), group_commit=True)).application


def _relaxed(url: str) -> Engine:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "connect")
    def relax(connection: DBAPIConnection, _: object) -> None:
        connection.cursor().execute("PRAGMA synchronous = NORMAL")

    return engine


def main(what: str) -> None:
    """Serve until a signal ends it."""
    application = _application(what)
    root_path = "" if what == "peer" else MOUNT

    async def mounted(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await application({**scope, "root_path": root_path}, receive, send)

    # The protocol is named because asyncio turns off Nagle's algorithm only then.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    sys.stdout.write(f"{listener.getsockname()[1]} {machine.origin()}\n")
    sys.stdout.flush()
    # Each waits for its turn, and on a busy machine for the others to start: longer than the five seconds of uvicorn.
    config = uvicorn.Config(mounted, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=60)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
