"""The record in the transactions of the changes: neither is there without the other, whoever writes and dies."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
from sqlalchemy import NullPool, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimcore import Request, ScimProvider
from scimcore.access import Caller, anonymous
from scimcore.audit import SqlAudit
from scimcore.audit.tables import METADATA as RECORD
from scimcore.engine.events import Event
from scimcore.schema.standard import USER
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Instant, Query, Tenant
from scimcore.storage.sql.tables import METADATA

ACME = Tenant("acme")
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@attrs.define
class Beside:
    """A provider whose record lies beside the users."""

    storage: SqlStorage
    audit: SqlAudit
    bugs: list[Exception] = attrs.field(factory=list)
    provider: ScimProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.provider = ScimProvider(
            self.storage,
            authenticate=anonymous(tenant="acme"),
            record=self.audit,
            on_bug=lambda bug, _: self.bugs.append(bug),
        )

    async def send(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/scim+json"} if sent else {}
        response = await self.provider.handle(Request(method, path, headers=headers, body=sent))
        return response.status, json.loads(response.body) if response.body else {}

    async def create(self, name: str) -> int:
        return (await self.send("POST", "/Users", {"userName": name}))[0]

    async def entries(self) -> list[dict[str, object]]:
        return [json.loads(entry.text) for entry in await self.audit.entries(ACME, most=10_000)]

    async def users(self) -> list[str]:
        async with self.storage.session(ACME) as session:
            page = await session.search(Query(resource_types=(USER,), count=10_000))
        return [record.id for record in page.records]


Act = Callable[[Beside], Awaitable[None]]


@pytest.fixture(params=["sqlite", "grouped", "aiosqlite", "psycopg", "asyncpg"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without entries and users; it ends in `#grouped` for a group commit."""
    kind: str = request.param
    if kind in ("sqlite", "grouped", "aiosqlite"):
        plain = f"sqlite:///{tmp_path / 'scim.db'}"
        found = plain.replace("sqlite:", "sqlite+aiosqlite:") if kind == "aiosqlite" else plain
    else:
        location = request.getfixturevalue("postgresql")
        found, plain = f"postgresql+{kind}{location}", f"postgresql+psycopg{location}"
    storage = SqlStorage(create_engine(plain, poolclass=NullPool))
    storage.create_all()
    engine = create_engine(plain, poolclass=NullPool)
    RECORD.create_all(engine)
    with engine.begin() as connection:
        # What is indexed stays on record, as a storage would refuse to work without it.
        for table in (*RECORD.tables, *(name for name in METADATA.tables if name != "scim_fact")):
            connection.execute(text(f"DELETE FROM {table}"))
    return f"{found}#grouped" if kind == "grouped" else found


def beside(url: str) -> Beside:
    location, _, grouped = url.partition("#")
    if "+" in location:
        # Loops come and go in these tests, and connections with them.
        storage = SqlStorage(create_async_engine(location, poolclass=NullPool))
        audit = SqlAudit(create_async_engine(location, poolclass=NullPool))
    else:
        storage = SqlStorage(location, group_commit=bool(grouped))
        audit = SqlAudit(location, settle=storage.settle)
    return Beside(storage, audit)


def run(url: str, act: Act) -> None:
    async def flow() -> None:
        found = beside(url)
        try:
            await act(found)
        finally:
            await found.storage.close_async()
            await found.audit.close()
        assert found.bugs == []

    asyncio.run(flow())


def seen(id: str, tenant: Tenant = ACME) -> Event:
    return Event(
        happening="unchanged",
        caller=Caller(tenant=tenant),
        resource_type="User",
        resource_id=id,
        at=Instant("2026-11-22T09:30:00.000000Z"),
        request_id="",
    )


async def unbroken(found: Beside) -> int:
    """How many entries the chain has, after a walk along it."""
    verification = await found.audit.verified()
    assert verification.breaks == ()
    return sum(head.number for head in verification.heads)


def test_every_change_is_an_entry_and_so_is_what_was_refused(url: str) -> None:
    async def act(found: Beside) -> None:
        status, user = await found.send("POST", "/Users", {"userName": "a"})
        assert status == 201
        assert await found.create("a") == 409
        title = {"op": "replace", "path": "title", "value": "T"}
        for _ in range(2):
            assert (await found.send("PATCH", f"/Users/{user['id']}", {"Operations": [title]}))[0] == 200
        assert (await found.send("DELETE", f"/Users/{user['id']}"))[0] == 204
        happened = [entry["happening"] for entry in await found.entries()]
        assert happened == ["created", "refused", "patched", "unchanged", "deleted"]
        assert await unbroken(found) == 5

    run(url, act)


def test_all_who_write_at_once_continue_one_chain(url: str) -> None:
    async def act(found: Beside) -> None:
        names = [f"user{number % 20}" for number in range(30)]
        statuses = await asyncio.gather(*map(found.create, names))
        assert sorted(statuses) == [201] * 20 + [409] * 10
        entries = await found.entries()
        created = [entry["resourceId"] for entry in entries if entry["happening"] == "created"]
        assert sorted(map(str, created)) == sorted(await found.users())
        assert await unbroken(found) == 30

    run(url, act)


def test_two_processes_of_a_kind_continue_one_chain(url: str) -> None:
    async def act(found: Beside) -> None:
        other = beside(url)
        for number in range(10):
            assert await found.create(f"a{number}") == 201
            assert await other.create(f"b{number}") == 201
            assert await other.create(f"a{number}") == 409
        assert await unbroken(found) == 30
        await other.storage.close_async()
        await other.audit.close()

    run(url, act)


def test_an_entry_that_was_undone_with_its_change_has_no_place_in_the_chain(url: str) -> None:
    async def act(found: Beside) -> None:
        assert await found.create("a") == 201
        for number in range(2):
            with suppress(ZeroDivisionError):
                async with found.storage.session(ACME) as session:
                    await found.audit.within(seen(f"gone{number}"), session)
                    raise ZeroDivisionError
            assert await found.create(f"b{number}") == 201
        async with found.storage.session(ACME) as session:
            await found.audit.within(seen("kept"), session)
            with suppress(ZeroDivisionError):
                async with session.savepoint():
                    await found.audit.within(seen("gone"), session)
                    raise ZeroDivisionError
            await found.audit.within(seen("kept too"), session)
        assert await found.create("c") == 201
        known = [entry["resourceId"] for entry in await found.entries() if entry["happening"] == "unchanged"]
        assert known == ["kept", "kept too"]
        assert await unbroken(found) == 6

    run(url, act)


def test_a_chain_whose_beginning_was_undone_leaves_its_place_to_another(url: str) -> None:
    async def act(found: Beside) -> None:
        with suppress(ZeroDivisionError):
            async with found.storage.session(ACME) as session:
                await found.audit.within(seen("gone"), session)
                raise ZeroDivisionError
        for tenant in (Tenant("globex"), ACME):
            async with found.storage.session(tenant) as session:
                await found.audit.within(seen("kept", tenant), session)
        for tenant in (Tenant("globex"), ACME):
            assert len(await found.audit.entries(tenant)) == 1
        assert await unbroken(found) == 2

    run(url, act)


def test_who_goes_on_with_his_own_chain_asks_nothing_first(url: str) -> None:
    async def act(found: Beside) -> None:
        engine = found.storage._engine  # noqa: SLF001 - what is said to the database is heard there
        said: list[str] = []
        event.listen(
            engine.sync_engine if isinstance(engine, AsyncEngine) else engine,
            "before_cursor_execute",
            lambda *heard: said.append(heard[2]),
        )
        for name in "abc":
            assert await found.create(name) == 201
        about = [one.split()[0] for one in said if "scim_audit" in one]
        assert about == ["SELECT", "INSERT", "SELECT", "INSERT", "INSERT", "INSERT"]
        assert await unbroken(found) == 3

    run(url, act)


def test_without_its_table_nothing_is_changed(url: str) -> None:
    async def act(found: Beside) -> None:
        await found.send("GET", "/Users")
        RECORD.drop_all(engine)
        assert await found.create("a") == 500
        assert await found.users() == []
        assert len(found.bugs) == 1
        found.bugs.clear()
        await found.audit.create_all()
        assert await found.create("a") == 201
        assert await unbroken(found) == 1

    engine = create_engine(
        url.partition("#")[0].replace("+aiosqlite", "").replace("+asyncpg", "+psycopg"), poolclass=NullPool
    )
    run(url, act)


def test_a_storage_without_sql_has_no_such_transactions() -> None:
    bugs: list[Exception] = []
    provider = ScimProvider(
        MemoryStorage(),
        authenticate=anonymous(tenant="acme"),
        record=SqlAudit("sqlite://"),
        on_bug=lambda bug, _: bugs.append(bug),
    )
    assert provider.handle_sync(Request("POST", "/Users", body=b'{"userName": "a"}')).status == 500
    assert [type(bug) for bug in bugs] == [TypeError]
    found = provider.handle_sync(Request("GET", "/Users")).body
    assert json.loads(found)["totalResults"] == 0


WRITER = """
import asyncio, sys
from tests.audit.test_within import beside

async def main():
    found = beside(sys.argv[1])

    async def write(client):
        for number in range(100_000):
            assert await found.create(f"{sys.argv[2]}-{client}-{number}") == 201
            print("created", flush=True)

    await asyncio.gather(*map(write, range(4)))

asyncio.run(main())
"""


def test_killed_processes_leave_no_change_without_its_entry_and_no_entry_without_its_change(url: str) -> None:
    def read(writers: Sequence["subprocess.Popen[str]"]) -> int:
        return sum(1 for one in writers for line in one.communicate()[0].splitlines() if line == "created")

    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, name], stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None
        for _ in range(40):
            assert writer.stdout.readline() == "created\n"
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    acknowledged = 80 + read(writers)

    async def act(found: Beside) -> None:
        created = sorted(str(entry["resourceId"]) for entry in await found.entries())
        assert created == sorted(await found.users())
        assert acknowledged <= len(created) <= acknowledged + 8
        assert await unbroken(found) == len(created)

    run(url, act)
