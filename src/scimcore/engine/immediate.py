"""A synchronous storage behind the asynchronous protocol, and the one step that runs a flow without an event loop."""

from collections.abc import Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TypeVar

from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import (
    EVERYTHING,
    Change,
    Elements,
    Page,
    Query,
    Record,
    Session,
    Storage,
    SyncSession,
    SyncStorage,
    Tenant,
)

T = TypeVar("T")


def finish(coroutine: Coroutine[object, None, T]) -> T:
    """Run to its end a coroutine that never suspends.

    Raises:
        RuntimeError: It suspended, so something in it needs an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        coroutine.close()
    raise RuntimeError("a synchronous provider awaited something that suspends")


def opened(storage: Storage | SyncStorage, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
    """A transaction of *tenant*, asynchronous in form whatever the storage is."""
    context = storage.session(tenant)
    return context if isinstance(context, AbstractAsyncContextManager) else _ImmediateSession(context)


class _ImmediateSavepoint:
    """A synchronous savepoint, entered and left without suspending."""

    __slots__ = ("_context",)

    def __init__(self, context: AbstractContextManager[None]) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        self._context.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._context.__exit__(kind, error, trace)


class _ImmediateSession:
    """A synchronous transaction, entered and left without suspending; its methods are coroutines that never do."""

    __slots__ = ("_context", "_session")

    def __init__(self, context: AbstractContextManager[SyncSession]) -> None:
        self._context = context

    async def __aenter__(self) -> "_ImmediateSession":
        self._session = self._context.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._context.__exit__(kind, error, trace)

    async def get(self, resource_type: ResourceType, id: str, elements: Elements = EVERYTHING) -> Record | None:
        return self._session.get(resource_type, id, elements)

    async def locate(self, ids: Collection[str]) -> Mapping[str, str]:
        return self._session.locate(ids)

    async def count(self, resource_type: ResourceType, id: str, attribute: str, most: int) -> int:
        return self._session.count(resource_type, id, attribute, most)

    async def search(self, query: Query) -> Page:
        return self._session.search(query)

    async def insert(self, record: Record) -> None:
        self._session.insert(record)

    async def update(self, change: Change) -> Record:
        return self._session.update(change)

    async def delete(self, record: Record) -> None:
        self._session.delete(record)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return _ImmediateSavepoint(self._session.savepoint())
