"""Races that the contract cannot stage: what one session relies on while another takes it away."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import pytest

from scimcore.engine.immediate import finish
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import FIRST_VERSION, Tenant
from scimcore.testing.company import ALICE, EMPTY
from scimcore.testing.sessions import Sessions, changed, joining

ACME = Tenant("acme")
_LONG_ENOUGH_SECONDS = 0.3
"""For whoever is not held up to finish."""
_TOO_LONG_SECONDS = 30
"""So that whoever waits for what failed fails too."""


@pytest.fixture
def storage(empty: str) -> Iterator[SqlStorage]:
    storage = SqlStorage(empty)
    storage.create_all()
    yield storage
    storage.close()


@pytest.fixture
def acme(storage: SqlStorage) -> Iterator[Sessions]:
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE, EMPTY)
        yield sessions


def test_a_member_that_was_located_is_not_deleted_before_it_has_joined(storage: SqlStorage, acme: Sessions) -> None:
    is_located = Event()

    async def delete() -> None:
        async with storage.session(ACME) as session:
            assert is_located.wait(_TOO_LONG_SECONDS)
            await session.delete(ALICE)

    async def join() -> None:
        async with storage.session(ACME) as session:
            assert await session.locate(["u1"]) == {"u1": "User"}
            is_located.set()
            wait([deletion], _LONG_ENOUGH_SECONDS)
            await session.update(joining(EMPTY, "u1"))

    with ThreadPoolExecutor(1) as pool:
        deletion = pool.submit(lambda: finish(delete()))
        finish(join())
    deletion.result()
    assert acme.get(USER, "u1") is None
    assert acme.members("g3") == []
    assert acme.found(GROUP, "g3").version == FIRST_VERSION + 2


def test_a_member_that_is_being_deleted_is_not_located(storage: SqlStorage, acme: Sessions) -> None:
    is_deleted, may_end = Event(), Event()

    async def delete() -> None:
        async with storage.session(ACME) as session:
            await session.delete(ALICE)
            is_deleted.set()
            assert may_end.wait(_TOO_LONG_SECONDS)

    async def locate() -> object:
        async with storage.session(ACME) as session:
            assert is_deleted.wait(_TOO_LONG_SECONDS)
            return await session.locate(["u1"])

    with ThreadPoolExecutor(2) as pool:
        deletion = pool.submit(lambda: finish(delete()))
        location = pool.submit(lambda: finish(locate()))
        wait([location], _LONG_ENOUGH_SECONDS)
        may_end.set()
    deletion.result()
    assert location.result() == {}
    assert acme.get(USER, "u1") is None


@pytest.mark.parametrize("empty", ["postgresql+psycopg"], indirect=True)
def test_a_member_that_was_located_may_be_changed_meanwhile(storage: SqlStorage, acme: Sessions) -> None:
    async def join() -> None:
        async with storage.session(ACME) as session:
            assert await session.locate(["u1"]) == {"u1": "User"}
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: finish(promote())).result(timeout=30)
            await session.update(joining(EMPTY, "u1"))

    async def promote() -> None:
        async with storage.session(ACME) as session:
            await session.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))

    finish(join())
    assert acme.members("g3") == ["u1"]
    assert acme.found(USER, "u1").document["title"] == "Chief"
