"""A connection as a session sees it: every call a coroutine, whether or not the driver needs an event loop.

A synchronous connection is wrapped so that nothing suspends; an asynchronous one fits as it is. So a session is
written once, and a provider without an event loop runs it to its end in one step.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import CursorResult, Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import Executable

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]]
"""The parameters of a statement; a sequence executes it once for each."""


class Connection(Protocol):
    """What a session needs of a connection to the database."""

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> CursorResult[Any]: ...
    async def commit(self) -> None: ...
    async def rollback(self) -> None: ...
    async def invalidate(self) -> None: ...
    async def close(self) -> None: ...


async def connected(engine: Engine | AsyncEngine) -> Connection:
    """A connection of *engine*; it suspends only if *engine* is asynchronous."""
    if isinstance(engine, AsyncEngine):
        return await engine.connect()
    return _Immediate(engine.connect())


class _Immediate:
    """A synchronous connection whose methods are coroutines that never suspend."""

    __slots__ = ("_connection",)

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def commit(self) -> None:
        self._connection.commit()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def invalidate(self) -> None:
        self._connection.invalidate()

    async def close(self) -> None:
        self._connection.close()
