"""What sets the two faces apart: only an event loop may wait."""

import asyncio

import pytest
from tests.engine.conftest import SuspendingStorage

from scimcore.access import Caller, Credentials, anonymous
from scimcore.engine.events import Event
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.schema.standard import USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Query, Storage, SyncStorage, Tenant

CREATION = Request("POST", "/Users", body=b'{"userName": "bjensen"}')


def provider(storage: Storage | SyncStorage) -> ScimProvider:
    return ScimProvider(storage, authenticate=anonymous(tenant="acme"))


def stored(storage: MemoryStorage) -> int:
    with storage.session(Tenant("acme")) as session:
        return session.search(Query(resource_types=(USER,), count=10)).total


def test_a_storage_that_suspends_cannot_be_used_without_a_loop_and_what_it_wrote_is_taken_back() -> None:
    class LazyToInsert(SuspendingStorage):
        """Suspends for the first time when the record is in already."""

    memory = MemoryStorage()
    with pytest.raises(RuntimeError, match="suspends"):
        provider(LazyToInsert(memory)).handle_sync(CREATION)
    assert stored(memory) == 0
    assert asyncio.run(provider(LazyToInsert(memory)).handle(CREATION)).status == 201


def test_an_authenticator_that_suspends_needs_a_loop() -> None:
    async def authenticate(_: Credentials) -> Caller:
        await asyncio.sleep(0)
        return Caller(tenant=Tenant("acme"))

    memory = MemoryStorage()
    slow = ScimProvider(memory, authenticate=authenticate)
    with pytest.raises(RuntimeError, match="suspends"):
        slow.handle_sync(CREATION)
    assert stored(memory) == 0
    assert asyncio.run(slow.handle(CREATION)).status == 201


def test_a_listener_that_suspends_needs_a_loop_and_hears_of_what_was_committed() -> None:
    told: list[Event] = []

    async def on_event(event: Event) -> None:
        await asyncio.sleep(0)
        told.append(event)

    memory = MemoryStorage()
    telling = ScimProvider(memory, authenticate=anonymous(tenant="acme"), on_event=on_event)
    with pytest.raises(RuntimeError, match="suspends"):
        telling.handle_sync(CREATION)
    assert (stored(memory), told) == (1, [])
    assert asyncio.run(telling.handle(Request("DELETE", "/Users/none"))).status == 404


def test_a_synchronous_storage_serves_an_event_loop() -> None:
    memory = MemoryStorage()

    async def conversation() -> list[int]:
        serving = provider(memory)
        reading = Request("GET", "/Users", 'filter=userName%20eq%20"bjensen"')
        return [response.status for response in [await serving.handle(CREATION), await serving.handle(reading)]]

    assert asyncio.run(conversation()) == [201, 200]


def test_many_tasks_adding_members_at_once_lose_none() -> None:
    memory = MemoryStorage()
    serving = provider(SuspendingStorage(memory))

    async def conversation() -> tuple[list[int], int]:
        created = await asyncio.gather(
            *(serving.handle(Request("POST", "/Users", body=f'{{"userName": "u{n}"}}'.encode())) for n in range(20))
        )
        group = await serving.handle(Request("POST", "/Groups", body=b'{"displayName": "Guides"}'))
        path = group.headers["location"].removeprefix("http://localhost")
        ids = [one.headers["location"].rpartition("/")[2] for one in created]
        bodies = [f'{{"Operations": [{{"op": "add", "path": "members", "value": "{id}"}}]}}'.encode() for id in ids]
        answers = await asyncio.gather(*(serving.handle(Request("PATCH", path, body=body)) for body in bodies))
        read = await serving.handle(Request("GET", path))
        return [answer.status for answer in answers], read.body.count(b'"type":"User"')

    assert asyncio.run(conversation()) == ([200] * 20, 20)


def test_many_tasks_changing_one_user_all_succeed() -> None:
    serving = provider(SuspendingStorage(MemoryStorage()))
    names = ["title", "nickName", "displayName", "userType", "locale", "timezone"]

    async def conversation() -> tuple[list[int], bytes]:
        path = (await serving.handle(CREATION)).headers["location"].removeprefix("http://localhost")
        bodies = [f'{{"Operations": [{{"op": "add", "path": "{name}", "value": "X"}}]}}'.encode() for name in names]
        answers = await asyncio.gather(*(serving.handle(Request("PATCH", path, body=body)) for body in bodies))
        return [answer.status for answer in answers], (await serving.handle(Request("GET", path))).body

    statuses, body = asyncio.run(conversation())
    assert statuses == [200] * len(names)
    assert [name for name in names if f'"{name}":"X"'.encode() not in body] == []
