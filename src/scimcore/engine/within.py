"""Where a flow opens its session, and what it does in it.

It is never compiled: a coroutine of mypyc leaves the exception that it handles with the thread, so that none may
suspend while it handles one, and the end of an `async with` does.
"""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from scimcore.engine.immediate import opened
from scimcore.storage.protocol import Session, Storage, SyncStorage, Tenant

P = ParamSpec("P")
T = TypeVar("T")


async def within(
    storage: Storage | SyncStorage,
    tenant: Tenant,
    act: Callable[Concatenate[Session, P], Awaitable[T]],
    *arguments: P.args,
    **named: P.kwargs,
) -> T:
    """What *act* comes to in a session of *tenant*, which commits what it wrote, or undoes it if it fails.

    Raises:
        Exception: What *act* raises; and what the storage raises because it cannot open the session or commit.
    """
    async with opened(storage, tenant) as session:
        return await act(session, *arguments, **named)
