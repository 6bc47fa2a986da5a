"""Sessions that commit together: what each is promised alone, and what the others cannot take from it."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine, create_engine, event, text

from scimcore.access import TokenEvent, Tokens, anonymous
from scimcore.access.sql import SqlTokens
from scimcore.audit import SqlAudit
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.errors import UnavailableError, UniquenessError
from scimcore.schema.standard import USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Session, Tenant, VersionClash
from scimcore.storage.sql import group_commit
from scimcore.storage.sql.session import SqlSession
from scimcore.testing import StorageContract
from scimcore.testing.company import ALICE
from scimcore.testing.sessions import Flow, Sessions, changed, ids, query, user

ACME = Tenant("acme")
MANY = 40
"""More than a pool has connections."""

T = TypeVar("T")


@pytest.fixture
def url(empty_sqlite: str) -> str:
    storage = SqlStorage(f"sqlite{empty_sqlite}")
    storage.create_all()
    storage.close()
    return f"sqlite{empty_sqlite}"


class TestSqlite(StorageContract):
    @pytest.fixture
    def storage(self, url: str) -> Iterator[SqlStorage]:
        storage = SqlStorage(url, group_commit=True)
        yield storage
        storage.close()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, connect_args={"timeout": 0.05})
    yield engine
    engine.dispose()


@pytest.fixture
def storage(engine: Engine) -> Iterator[SqlStorage]:
    storage = SqlStorage(engine, group_commit=True)
    yield storage
    storage.close()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def acme(storage: SqlStorage, runner: asyncio.Runner) -> Sessions:
    return Sessions(storage, ACME, runner)


@pytest.fixture
def elsewhere(url: str) -> Iterator[sqlite3.Connection]:
    """A connection that sees what is committed, and nothing else."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=0.05)
    yield connection
    connection.close()


def committed(elsewhere: sqlite3.Connection) -> list[str]:
    return [id for (id,) in elsewhere.execute("SELECT id FROM scim_resource ORDER BY id")]


def creates(*names: str) -> Flow[None]:
    async def flow(session: Session) -> None:
        for name in names:
            await session.insert(user(name, name))

    return flow


def outcomes(runner: asyncio.Runner, storage: SqlStorage, flows: Sequence[Flow[T]]) -> list[T | BaseException]:
    """What becomes of *flows*, each in its session and all at once."""

    async def within(flow: Flow[T]) -> T:
        async with storage.session(ACME) as session:
            return await flow(session)

    async def all_at_once() -> list[T | BaseException]:
        return await asyncio.gather(*map(within, flows), return_exceptions=True)

    return runner.run(all_at_once())


@pytest.fixture
def said(engine: Engine) -> Iterator[list[str]]:
    """The statements that begin and end transactions."""
    found: list[str] = []

    def note(*told: object) -> None:
        found.extend(word for word in ("BEGIN", "COMMIT", "ROLLBACK") if str(told[2]).split()[0] == word)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_sessions_at_once_are_committed_at_once(acme: Sessions, said: list[str]) -> None:
    acme.search(query())
    acme.run_together([creates(f"u{number}") for number in range(MANY)])
    assert said == ["BEGIN", "COMMIT"]
    assert len(ids(acme.search(query(count=MANY)))) == MANY


def test_sessions_one_after_the_other_are_committed_each(acme: Sessions, said: list[str]) -> None:
    for name in ("a", "b"):
        acme.run(creates(name))
    assert said == ["BEGIN", "COMMIT"] * 2


def test_nobody_is_answered_before_the_commit_and_nobody_else_sees_anything(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    seen: list[tuple[str, list[str]]] = []

    async def create(name: str) -> None:
        async with storage.session(ACME) as session:
            await session.insert(user(name, name))
            seen.append((f"{name} wrote", committed(elsewhere)))
        seen.append((f"{name} is done", committed(elsewhere)))

    async def both() -> None:
        await asyncio.gather(create("a"), create("b"))

    runner.run(both())
    assert seen == [("a wrote", []), ("b wrote", []), ("a is done", ["a", "b"]), ("b is done", ["a", "b"])]


def test_sessions_that_read_meanwhile_see_what_is_committed(storage: SqlStorage, runner: asyncio.Runner) -> None:
    async def look(text: str | None) -> list[str]:
        async with storage.session(ACME) as session:
            assert (await session.get(USER, "late") is None) is (text is None)
            return ids(await session.search(query(text)))

    async def flow() -> None:
        await quick(storage, "early")
        late = asyncio.create_task(quick(storage, "late"))
        await asyncio.sleep(0)
        assert await look(None) == ["early"]
        await late
        # Through the connection that has written, in both ways that statements are put to it.
        assert await look('title pr or userName sw "l"') == ["late"]
        await quick(storage, "later")
        assert await look('userName eq "later"') == ["later"]

    runner.run(flow())


def test_other_threads_read_through_connections_of_their_own(storage: SqlStorage, runner: asyncio.Runner) -> None:
    provider = ScimProvider(storage, authenticate=anonymous(tenant="acme"))

    def look(_: int) -> object:
        return json.loads(provider.handle_sync(Request("GET", "/Users", query="count=100")).body)["totalResults"]

    async def flow() -> list[object]:
        await quick(storage, "a")
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(4) as pool:
            looks = [loop.run_in_executor(pool, look, number) for number in range(40)]
            for number in range(40):
                await quick(storage, f"u{number}")
            return await asyncio.gather(*looks)

    assert all(isinstance(found, int) and 1 <= found <= 41 for found in runner.run(flow()))


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_what_one_session_is_refused_for_is_undone_alone(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection, refused: int
) -> None:
    outcomes(runner, storage, [creates("taken")])
    flows = [creates("a"), creates("b")]
    flows.insert(refused, creates("mine", "taken"))
    found = outcomes(runner, storage, flows)
    assert [type(one) for one in found].index(UniquenessError) == refused
    assert found.count(None) == 2
    assert committed(elsewhere) == ["a", "b", "taken"]


def test_a_session_alone_that_is_refused_leaves_nothing_open(
    acme: Sessions, said: list[str], elsewhere: sqlite3.Connection
) -> None:
    acme.run(creates("taken"))
    with pytest.raises(UniquenessError):
        acme.run(creates("mine", "taken"))
    assert said == ["BEGIN", "COMMIT", "BEGIN", "ROLLBACK"]
    elsewhere.execute("BEGIN IMMEDIATE")


def test_of_many_that_create_one_name_one_succeeds(storage: SqlStorage, runner: asyncio.Runner, acme: Sessions) -> None:
    async def create(session: Session) -> None:
        await session.insert(user("alice", "alice"))

    found = outcomes(runner, storage, [create] * MANY)
    assert sorted(type(one).__name__ for one in found) == ["NoneType"] + ["UniquenessError"] * (MANY - 1)
    assert acme.search(query()).total == 1


def test_clients_that_change_one_user_at_once_all_do(storage: SqlStorage, runner: asyncio.Runner) -> None:
    """A write that clashed with one not yet committed is tried again when that is."""
    provider = ScimProvider(storage, authenticate=anonymous(tenant="acme"))
    names = ["title", "nickName", "locale", "displayName", "userType"]
    headers = {"content-type": "application/scim+json"}

    def patch(path: str, name: str) -> Request:
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": name, "value": name}],
        }
        return Request("PATCH", path, headers=headers, body=json.dumps(body).encode())

    async def flow() -> tuple[list[int], dict[str, object]]:
        body = json.dumps({"schemas": [USER.schema.id], "userName": "bjensen"}).encode()
        created = json.loads((await provider.handle(Request("POST", "/Users", headers=headers, body=body))).body)
        path = f"/Users/{created['id']}"
        answers = await asyncio.gather(*(provider.handle(patch(path, name)) for name in names))
        return [one.status for one in answers], json.loads((await provider.handle(Request("GET", path))).body)

    statuses, found = runner.run(flow())
    assert statuses == [200] * len(names)
    assert {name: found[name] for name in names} == {name: name for name in names}


# Faults


def test_a_commit_that_fails_refuses_all_who_wait_for_it(
    storage: SqlStorage, runner: asyncio.Runner, engine: Engine, elsewhere: sqlite3.Connection
) -> None:
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    elsewhere.executescript(
        """
        CREATE TABLE parent (id TEXT PRIMARY KEY);
        CREATE TABLE child (id TEXT REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER orphaning AFTER INSERT ON scim_resource WHEN NEW.id = 'bad'
        BEGIN INSERT INTO child VALUES (NEW.id); END;
        """
    )
    found = outcomes(runner, storage, [creates("a"), creates("bad"), creates("b")])
    assert [type(one) for one in found] == [UnavailableError] * 3
    assert committed(elsewhere) == []
    assert outcomes(runner, storage, [creates("a"), creates("b")]) == [None, None]
    assert committed(elsewhere) == ["a", "b"]


def test_a_full_disk_loses_nothing_that_was_confirmed(
    storage: SqlStorage, runner: asyncio.Runner, engine: Engine, elsewhere: sqlite3.Connection
) -> None:
    """SQLite undoes the whole transaction when the file cannot grow."""

    async def bulky(session: Session) -> None:
        await session.insert(user("bulky", "bulky", title="x" * 1_000_000))

    outcomes(runner, storage, [creates("first")])
    engine.dispose()
    storage.close()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 40"))
    found = outcomes(runner, storage, [creates("a"), bulky, creates("b")])
    confirmed = [name for name, one in zip(("a", "bulky", "b"), found, strict=True) if one is None]
    assert "bulky" not in confirmed
    assert committed(elsewhere) == sorted([*confirmed, "first"])
    assert outcomes(runner, storage, [creates("after")]) == [None]
    assert committed(elsewhere) == sorted([*confirmed, "first", "after"])


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_session_that_ends_the_transaction_is_refused_with_those_before_it(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection, is_refused: bool
) -> None:
    async def breaking(session: Session) -> None:
        assert isinstance(session, SqlSession)
        await session.insert(user("x", "x"))
        await session.transaction.run(text("ROLLBACK"), {})
        if is_refused:
            raise UniquenessError("userName")

    found = outcomes(runner, storage, [creates("a"), breaking, creates("b")])
    assert [type(one) for one in found] == [UnavailableError, UnavailableError, type(None)]
    assert committed(elsewhere) == ["b"]


def test_while_another_process_writes_the_database_is_unavailable(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    elsewhere.execute("BEGIN IMMEDIATE")
    found = outcomes(runner, storage, [creates("a"), creates("b")])
    assert [type(one) for one in found] == [UnavailableError] * 2
    elsewhere.execute("ROLLBACK")
    assert outcomes(runner, storage, [creates("a"), creates("b")]) == [None, None]


def test_the_event_loop_goes_on_while_another_process_writes(
    url: str, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    storage = SqlStorage(url, group_commit=True)

    async def flow() -> None:
        await quick(storage, "a")
        elsewhere.execute("BEGIN IMMEDIATE")
        tasks = [asyncio.create_task(quick(storage, name)) for name in "bc"]
        for _ in range(30):
            await asyncio.sleep(0)
        async with storage.session(ACME) as session:
            assert await session.get(USER, "a") is not None
        assert not any(task.done() for task in tasks)
        elsewhere.execute("ROLLBACK")
        await asyncio.gather(*tasks)

    runner.run(flow())
    assert committed(elsewhere) == ["a", "b", "c"]
    storage.close()


def test_a_session_that_goes_on_without_its_turn_does_not_end_well(
    acme: Sessions, elsewhere: sqlite3.Connection
) -> None:
    async def flow(session: Session) -> None:
        with suppress(UnavailableError):
            await session.insert(ALICE)
        await session.get(USER, "u1")

    elsewhere.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError):
        acme.run(flow)


# Sessions that wait for something else


async def after(pause: asyncio.Event, session: Session, name: str) -> None:
    await session.insert(user(name, name))
    await pause.wait()


def slow(storage: SqlStorage, name: str, pause: asyncio.Event) -> Coroutine[object, None, None]:
    async def flow() -> None:
        async with storage.session(ACME) as session:
            await after(pause, session, name)

    return flow()


def quick(storage: SqlStorage, name: str) -> Coroutine[object, None, None]:
    async def flow() -> None:
        async with storage.session(ACME) as session:
            assert await session.get(USER, name) is None
            await session.insert(user(name, name))

    return flow()


def test_sessions_write_one_after_the_other(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    async def flow() -> None:
        pause = asyncio.Event()
        first = asyncio.create_task(slow(storage, "first", pause))
        others = [asyncio.create_task(quick(storage, f"u{number}")) for number in range(MANY)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert committed(elsewhere) == []
        assert not any(one.done() for one in others)
        pause.set()
        await asyncio.gather(first, *others)

    runner.run(flow())
    assert len(committed(elsewhere)) == MANY + 1


def test_a_commit_waits_for_the_session_whose_turn_it_is(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    async def flow() -> None:
        pause = asyncio.Event()
        early = asyncio.create_task(quick(storage, "early"))
        late = asyncio.create_task(slow(storage, "late", pause))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (committed(elsewhere), early.done()) == ([], False)
        late.cancel()
        await early
        assert late.cancelled()

    runner.run(flow())
    assert committed(elsewhere) == ["early"]


def test_whoever_waits_too_long_for_a_turn_is_told_to_come_again(
    storage: SqlStorage, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, elsewhere: sqlite3.Connection
) -> None:
    monkeypatch.setattr(group_commit, "_PATIENCE_SECONDS", 0.01)

    async def flow() -> None:
        pause = asyncio.Event()
        first = asyncio.create_task(slow(storage, "first", pause))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError) as refused:
            await quick(storage, "second")
        assert refused.value.status == 503
        pause.set()
        await first

    runner.run(flow())
    assert committed(elsewhere) == ["first"]


def test_a_session_that_is_cancelled_while_it_waits_takes_nothing_from_the_others(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    async def flow() -> None:
        tasks = [asyncio.create_task(quick(storage, name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [task.cancelled() for task in tasks] == [False, True, False]

    runner.run(flow())
    assert {"a", "c"} <= set(committed(elsewhere))


# Who else is there


@pytest.mark.parametrize("is_settled", [False, True])
def test_whoever_writes_to_the_file_on_the_same_loop_settles_first(
    url: str, storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection, is_settled: bool
) -> None:
    settle = storage.settle if is_settled else None
    other = create_engine(url, connect_args={"timeout": 0})
    store, audit = SqlTokens(other, settle=settle), SqlAudit(other, settle=settle)

    async def flow() -> list[type[BaseException] | None]:
        await store.create_all()
        await audit.create_all()
        tokens = Tokens(store)

        async def noted() -> None:
            audit(told[0])

        told: list[TokenEvent] = []
        await Tokens(store, on_event=told.append).issue(ACME, "okta")
        found: list[type[BaseException] | None] = []
        for name, write in (("a", lambda: tokens.issue(ACME, "okta")), ("b", noted)):
            session = asyncio.create_task(quick(storage, name))
            await asyncio.sleep(0)
            assert name not in committed(elsewhere)
            try:
                await write()
                found.append(None)
            except Exception as error:  # noqa: BLE001 - the test asks which
                found.append(type(error))
            await session
        return found

    found = runner.run(flow())
    assert (found == [None, None]) is is_settled
    assert committed(elsewhere) == ["a", "b"]
    other.dispose()


def test_settling_while_a_session_writes_is_left_to_that_session(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    async def flow() -> None:
        pause = asyncio.Event()
        task = asyncio.create_task(slow(storage, "a", pause))
        await asyncio.sleep(0)
        storage.settle()
        assert committed(elsewhere) == []
        pause.set()
        await task

    runner.run(flow())
    assert committed(elsewhere) == ["a"]


def test_sessions_on_two_event_loops_at_once_are_refused(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    pause = asyncio.Event()

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(slow(storage, "a", pause))
        await asyncio.sleep(0)
        return task

    async def end(task: asyncio.Task[None]) -> None:
        pause.set()
        await task

    task = runner.run(begin())
    with asyncio.Runner() as other, pytest.raises(RuntimeError, match="one event loop"):
        other.run(quick(storage, "b"))
    runner.run(end(task))
    assert committed(elsewhere) == ["a"]


def test_what_an_event_loop_left_open_is_undone_by_the_next(storage: SqlStorage, elsewhere: sqlite3.Connection) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it would complain of the task that it leaves behind
    task = loop.create_task(quick(storage, "a"))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert not task.done()
    with suppress(RuntimeError):
        task.get_coro().close()
    with asyncio.Runner() as runner:
        runner.run(quick(storage, "b"))
    assert committed(elsewhere) == ["b"]


def test_closing_the_storage_commits_what_was_written(
    storage: SqlStorage, runner: asyncio.Runner, elsewhere: sqlite3.Connection
) -> None:
    async def flow() -> None:
        task = asyncio.create_task(quick(storage, "a"))
        await asyncio.sleep(0)
        await storage.close_async()
        assert committed(elsewhere) == ["a"]
        await task

    runner.run(flow())


def test_it_needs_an_event_loop(storage: SqlStorage, elsewhere: sqlite3.Connection) -> None:
    provider = ScimProvider(storage, authenticate=anonymous(tenant="acme"))
    body = json.dumps({"schemas": [USER.schema.id], "userName": "bjensen"}).encode()
    request = Request("POST", "/Users", headers={"content-type": "application/scim+json"}, body=body)
    assert provider.handle_sync(request).status == 500
    assert committed(elsewhere) == []
    assert provider.handle_sync(Request("GET", "/Users")).status == 200


def test_other_databases_group_by_themselves_or_have_nothing_to_group(tmp_path: Path) -> None:
    for url in ("sqlite://", f"sqlite+aiosqlite:///{tmp_path / 'scim.db'}"):
        storage = SqlStorage(url, group_commit=True)
        with asyncio.Runner() as runner:
            runner.run(storage.create_all_async())
            acme = Sessions(storage, ACME, runner)
            acme.insert(ALICE)
            storage.settle()
            assert acme.get(USER, "u1") == ALICE
            assert acme.update(changed(ALICE, {**ALICE.document, "title": "Chief"})).version > ALICE.version
            with pytest.raises(VersionClash):
                acme.update(changed(ALICE, {**ALICE.document, "title": "Clerk"}))
            runner.run(storage.close_async())


# Processes

WRITERS = """
import asyncio, sys
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Tenant
from scimcore.testing.sessions import user

url, name = sys.argv[1], sys.argv[2]
storage = SqlStorage(url, group_commit=True)

async def write(client):
    for number in range(100_000):
        async with storage.session(Tenant("acme")) as session:
            for part in "xy":
                await session.insert(user(f"{name}-{client}-{number}{part}", f"{name}-{client}-{number}{part}"))
        print(f"{name}-{client}-{number}", flush=True)

async def all():
    await asyncio.gather(*(write(client) for client in range(8)))

asyncio.run(all())
"""


def test_a_process_that_writes_all_the_time_lets_others_in(url: str, runner: asyncio.Runner) -> None:
    storage = SqlStorage(url, group_commit=True)

    async def flow() -> None:
        for number in range(10):
            await asyncio.gather(*(quick(storage, f"u{number}-{one}") for one in range(5)))

    with subprocess.Popen([sys.executable, "-c", WRITERS, url, "a"], stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline().startswith("a-")
            # What it says is read, or it would wait for that.
            reading = threading.Thread(target=writer.stdout.read)
            reading.start()
            runner.run(flow())
            assert writer.poll() is None
        finally:
            writer.kill()
        reading.join()
    storage.close()


def test_what_was_acknowledged_outlives_killed_processes_and_nothing_is_half_done(
    url: str, elsewhere: sqlite3.Connection
) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITERS, url, name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    acknowledged: list[str] = []
    for writer in writers:
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(100)]
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for writer in writers:
        acknowledged += writer.communicate()[0].split("\n")[:-1]
    found = set(committed(elsewhere))
    assert {f"{one}{part}" for one in acknowledged for part in "xy"} <= found
    assert {id[:-1] for id in found if id.endswith("x")} == {id[:-1] for id in found if id.endswith("y")}
    elsewhere.execute("BEGIN IMMEDIATE")
