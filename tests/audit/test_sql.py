"""The record in a database: one chain for each tenant, whoever writes, and nobody changes it unseen."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import attrs
import pytest
from sqlalchemy import NullPool, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError
from tests.audit.test_sinks import CALLER, CREATED, ROTATED, STRANGER

from scimcore import Request, ScimProvider
from scimcore.access import anonymous
from scimcore.audit import Head, SqlAudit
from scimcore.audit.tables import METADATA
from scimcore.engine.events import Event
from scimcore.engine.immediate import finish
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Instant, Tenant

ACME = Tenant("acme")


@attrs.frozen
class Database:
    """A database with an empty record."""

    url: str
    asynchronous_url: str

    def execute(self, statement: str) -> None:
        """Do what an administrator could."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path / 'audit.db'}", f"sqlite+aiosqlite:///{tmp_path / 'audit.db'}")
    else:
        location = request.getfixturevalue("postgresql")
        found = Database(f"postgresql+psycopg{location}", f"postgresql+asyncpg{location}")
    engine = create_engine(found.url, poolclass=NullPool)
    METADATA.create_all(engine)
    found.execute("DELETE FROM scim_audit")
    return found


@pytest.fixture
def audit(database: Database) -> Iterator[SqlAudit]:
    audit = SqlAudit(database.url)
    yield audit
    finish(audit.close())


def told(audit: SqlAudit, *events: Event) -> None:
    for event in events:
        assert audit(event) is None


def numbered(count: int, tenant: str = "acme") -> Sequence[Event]:
    caller = attrs.evolve(CALLER, tenant=Tenant(tenant))
    return [attrs.evolve(CREATED, caller=caller, resource_id=str(number)) for number in range(count)]


def breaks(audit: SqlAudit, *noted: Head) -> list[tuple[str, int]]:
    return [(one.tenant, one.number) for one in finish(audit.verified(noted)).breaks]


def test_each_tenant_has_a_chain_of_its_own(audit: SqlAudit) -> None:
    told(audit, *numbered(2), STRANGER, *numbered(3, "globex"))
    assert audit(ROTATED) is None
    verification = finish(audit.verified())
    assert [(head.tenant, head.number) for head in verification.heads] == [("", 1), ("acme", 3), ("globex", 3)]
    assert verification.breaks == ()
    entries = finish(audit.entries(ACME))
    assert [json.loads(entry.text)["happening"] for entry in entries] == ["created", "created", "token rotated"]
    assert [entry.number for entry in finish(audit.entries(ACME, after=1, most=1))] == [2]


def test_the_record_goes_on_after_a_restart(database: Database, audit: SqlAudit) -> None:
    told(audit, *numbered(2))
    again = SqlAudit(database.url)
    told(again, *numbered(2))
    told(audit, *numbered(1))  # which does not know yet that another one wrote
    assert [head.number for head in finish(audit.verified()).heads] == [5]
    assert breaks(audit) == []
    finish(again.close())


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE scim_audit SET entry = '{}' WHERE tenant = 'acme' AND number = 2", [("acme", 2)]),
        ("DELETE FROM scim_audit WHERE tenant = 'acme' AND number = 2", [("acme", 2)]),
        ("DELETE FROM scim_audit WHERE tenant = 'acme' AND number = 1", [("acme", 1)]),
        ("UPDATE scim_audit SET tenant = 'globex' WHERE number = 1", [("acme", 1), ("globex", 1)]),
        (
            "UPDATE scim_audit SET number = number + 10 WHERE tenant = 'acme'",
            [("acme", one) for one in (1, 12, 13, 14)],
        ),
    ],
)
def test_tampering_shows(database: Database, audit: SqlAudit, statement: str, broken: list[tuple[str, int]]) -> None:
    told(audit, *numbered(4))
    assert breaks(audit) == []
    database.execute(statement)
    assert breaks(audit) == broken


def test_what_was_cut_off_shows_by_the_noted_head(database: Database, audit: SqlAudit) -> None:
    told(audit, *numbered(4))
    (head,) = finish(audit.verified()).heads
    told(audit, *numbered(1))
    assert breaks(audit, head) == []
    database.execute("DELETE FROM scim_audit WHERE number > 3")
    assert breaks(audit) == []
    assert breaks(audit, head) == [("acme", 4)]


def test_a_chain_that_was_made_anew_shows_by_the_noted_head(database: Database, audit: SqlAudit) -> None:
    told(audit, *numbered(2))
    (head,) = finish(audit.verified()).heads
    database.execute("DELETE FROM scim_audit")
    forger = SqlAudit(database.url)
    told(forger, *numbered(3)[1:])
    assert breaks(forger) == []
    assert breaks(forger, head) == [("acme", 2)]
    finish(forger.close())


def test_a_chain_with_a_key_cannot_be_made_anew_without_it(database: Database) -> None:
    sealed, forger = SqlAudit(database.url, key=b"kept elsewhere"), SqlAudit(database.url)
    told(sealed, *numbered(1))
    assert breaks(sealed) == []
    told(forger, *numbered(1))
    assert breaks(sealed) == [("acme", 2)]
    for one in (sealed, forger):
        finish(one.close())


def test_threads_continue_one_chain(audit: SqlAudit) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda event: told(audit, event), numbered(80)))
    (head,) = finish(audit.verified()).heads
    assert head.number == 80
    assert breaks(audit) == []


def test_chains_begin_at_once_and_none_gets_the_place_of_another(database: Database, audit: SqlAudit) -> None:
    other = SqlAudit(database.url)
    tenants = [f"tenant{number}" for number in range(12)]
    together = Barrier(2)

    def tell(which: SqlAudit) -> None:
        for tenant in tenants:
            together.wait(10)
            told(which, *numbered(2, tenant))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tell, (audit, other)))
    verification = finish(audit.verified())
    assert verification.breaks == ()
    assert {head.tenant: head.number for head in verification.heads} == dict.fromkeys(tenants, 4)
    finish(other.close())


def test_many_may_make_the_table_at_once(database: Database) -> None:
    for _ in range(5):
        database.execute("DROP TABLE scim_audit")
        audits = [SqlAudit(database.url) for _ in range(4)]
        together = Barrier(len(audits))

        def create(audit: SqlAudit, together: Barrier = together) -> None:
            together.wait()
            finish(audit.create_all())

        with ThreadPoolExecutor(len(audits)) as pool:
            list(pool.map(create, audits))
        told(audits[0], *numbered(1))
        for audit in audits:
            finish(audit.close())


WRITER = """
import sys
from scimcore.audit import SqlAudit
from tests.audit.test_sql import numbered, told

told(SqlAudit(sys.argv[1]), *numbered(50))
"""


def test_processes_continue_one_chain(database: Database, audit: SqlAudit) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, database.url]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    (head,) = finish(audit.verified()).heads
    assert head.number == 150
    assert breaks(audit) == []


def test_tasks_continue_one_chain_on_an_event_loop(database: Database) -> None:
    async def write() -> None:
        audit = SqlAudit(database.asynchronous_url)
        await audit.create_all()

        async def tell(event: Event) -> None:
            waiting = audit(event)
            assert waiting is not None
            await waiting

        await asyncio.gather(*map(tell, numbered(20)))
        verification = await audit.verified()
        assert ([head.number for head in verification.heads], verification.breaks) == ([20], ())
        assert len(await audit.entries(ACME, most=5)) == 5
        await audit.close()

    asyncio.run(write())


def test_a_provider_puts_everything_on_record(audit: SqlAudit) -> None:
    provider = ScimProvider(MemoryStorage(), authenticate=anonymous(), on_event=audit)
    bodies = (b'{"userName": "a"}', b'{"userName": "a"}', '{"userName": "Zoë 開発"}'.encode())
    statuses = [provider.handle_sync(Request("POST", "/Users", body=body)).status for body in bodies]
    assert statuses == [201, 409, 201]
    entries = [json.loads(entry.text) for entry in finish(audit.entries(ACME))]
    assert [entry["happening"] for entry in entries] == ["created", "refused", "created"]
    assert entries[2]["changes"]["assigned"]["userName"] == "Zoë 開発"
    assert breaks(audit) == []


def test_a_record_that_cannot_be_written_is_a_bug_and_the_change_stays(database: Database) -> None:
    bugs: list[Exception] = []
    database.execute("DROP TABLE scim_audit")
    audit = SqlAudit(database.url)
    provider = ScimProvider(
        MemoryStorage(), authenticate=anonymous(), on_event=audit, on_bug=lambda bug, _: bugs.append(bug)
    )
    assert provider.handle_sync(Request("POST", "/Users", body=b'{"userName": "a"}')).status == 201
    assert len(bugs) == 1
    finish(audit.create_all())
    finish(audit.close())


def test_the_record_goes_on_after_a_fault_and_after_it_was_closed(database: Database, audit: SqlAudit) -> None:
    told(audit, *numbered(1))
    database.execute("ALTER TABLE scim_audit RENAME TO elsewhere")
    with pytest.raises(DBAPIError):
        audit(CREATED)
    database.execute("ALTER TABLE elsewhere RENAME TO scim_audit")
    told(audit, *numbered(1))
    finish(audit.close())
    told(audit, *numbered(1))
    assert [head.number for head in finish(audit.verified()).heads] == [3]
    assert breaks(audit) == []


def test_an_engine_of_the_application_has_its_connections_back(database: Database) -> None:
    engine = create_engine(database.url, poolclass=QueuePool)
    told(SqlAudit(engine), *numbered(2))
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0
    engine.dispose()


def test_moments_are_kept_as_they_were_told(audit: SqlAudit) -> None:
    told(audit, attrs.evolve(CREATED, at=Instant("2026-11-22T09:30:00.123456Z")))
    (entry,) = finish(audit.entries(ACME))
    assert json.loads(entry.text)["at"] == "2026-11-22T09:30:00.123456Z"
