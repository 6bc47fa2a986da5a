"""The SQL storage: the storage contract on both databases and both kinds of driver, and what is its own."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Barrier
from urllib.parse import urlencode

import attrs
import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from scimcore.access import anonymous
from scimcore.engine.http import Request
from scimcore.engine.immediate import finish
from scimcore.engine.provider import ScimProvider
from scimcore.errors import InvalidFilterError, UnavailableError, UniquenessError
from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import matches, parse_filter
from scimcore.rules.limits import Limits
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType, Schema
from scimcore.schema.document import Json
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import FIRST_VERSION, Record, Session, Tenant, VersionClash
from scimcore.storage.sql import prepared
from scimcore.storage.sql.statements import ONE
from scimcore.storage.sql.tables import METADATA
from scimcore.testing import StorageContract
from scimcore.testing.company import ALICE, EMPTY
from scimcore.testing.sessions import Flow, Sessions, changed, group, ids, joining, leaving, query, record, user

ACME = Tenant("acme")


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL, without the driver, of a database with empty tables."""
    location = f":///{tmp_path / 'scim.db'}"
    storage = SqlStorage(f"sqlite{location}")
    storage.create_all()
    storage.close()
    return location


@pytest.fixture
def emptied(postgresql: str) -> str:
    """The URL, without the driver, of a PostgreSQL database with empty tables."""
    engine = create_engine(f"postgresql+psycopg{postgresql}", poolclass=NullPool)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    return postgresql


class TestSqlite(StorageContract):
    @pytest.fixture
    def storage(self, sqlite: str) -> Iterator[SqlStorage]:
        storage = SqlStorage(f"sqlite{sqlite}")
        yield storage
        storage.close()


class TestSqliteAsync(StorageContract):
    @pytest.fixture
    def storage(self, sqlite: str, runner: asyncio.Runner) -> Iterator[SqlStorage]:
        storage = SqlStorage(f"sqlite+aiosqlite{sqlite}")
        yield storage
        runner.run(storage.close_async())


class TestPostgres(StorageContract):
    @pytest.fixture
    def storage(self, emptied: str) -> Iterator[SqlStorage]:
        storage = SqlStorage(f"postgresql+psycopg{emptied}")
        yield storage
        storage.close()


class TestPostgresAsync(StorageContract):
    @pytest.fixture(params=["psycopg", "asyncpg"])
    def storage(self, request: pytest.FixtureRequest, emptied: str) -> SqlStorage:
        return SqlStorage(create_async_engine(f"postgresql+{request.param}{emptied}", poolclass=NullPool))


class Database:
    """A database in use by tests: its storage, its engine, and the statements that reach it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = SqlStorage(url)._engine  # type: ignore[assignment] # noqa: SLF001 - with its PRAGMAs
        self.storage = SqlStorage(self.engine)

    @contextmanager
    def statements(self) -> Iterator[list[tuple[str, object]]]:
        """The statements, with their parameters, that are executed in the block."""
        found: list[tuple[str, object]] = []

        def note(*said: object) -> None:
            if not str(said[2]).startswith(("BEGIN", "COMMIT")):
                found.append((str(said[2]), said[3]))

        event.listen(self.engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(self.engine, "before_cursor_execute", note)

    def plan(self, statement: str, parameters: object) -> str:
        """How the database would execute *statement*."""
        explain = "EXPLAIN QUERY PLAN" if self.engine.dialect.name == "sqlite" else "EXPLAIN"
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type] # as seen
            return "\n".join(str(row[-1]) for row in rows)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    kind: str = request.param
    driver, place = ("sqlite", "sqlite") if kind == "sqlite" else ("postgresql+psycopg", "emptied")
    database = Database(f"{driver}{request.getfixturevalue(place)}")
    yield database
    database.engine.dispose()


@pytest.fixture
def acme(database: Database) -> Iterator[Sessions]:
    with asyncio.Runner() as runner:
        yield Sessions(database.storage, ACME, runner)


# Drivers


def test_a_provider_without_an_event_loop_answers_from_a_synchronous_engine(database: Database) -> None:
    provider = ScimProvider(database.storage, authenticate=anonymous(tenant="acme"))
    body = json.dumps({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bjensen"}).encode()
    headers = {"content-type": "application/scim+json"}
    assert provider.handle_sync(Request("POST", "/Users", headers=headers, body=body)).status == 201
    assert provider.handle_sync(Request("POST", "/Users", headers=headers, body=body)).status == 409
    found = json.loads(provider.handle_sync(Request("GET", "/Users", query='filter=userName eq "BJENSEN"')).body)
    assert found["totalResults"] == 1


def test_an_asynchronous_engine_wants_the_asynchronous_calls(tmp_path: Path) -> None:
    storage = SqlStorage(f"sqlite+aiosqlite:///{tmp_path / 'scim.db'}")
    with pytest.raises(TypeError, match="create_all_async"):
        storage.create_all()
    with pytest.raises(TypeError, match="close_async"):
        storage.close()
    with asyncio.Runner() as runner:
        runner.run(storage.create_all_async())
        Sessions(storage, ACME, runner).insert(ALICE)
        runner.run(storage.close_async())
    again = SqlStorage(f"sqlite:///{tmp_path / 'scim.db'}")
    with asyncio.Runner() as runner:
        runner.run(again.create_all_async())
        assert Sessions(again, ACME, runner).get(USER, "u1") == ALICE
        runner.run(again.close_async())


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="not mysql"):
        SqlStorage(create_engine("mysql://", module=sqlite3))


def test_the_package_does_not_import_sqlalchemy_before_it_is_needed() -> None:
    program = "import scimcore, scimcore.storage, sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Cost


def test_a_page_costs_the_same_number_of_statements_however_much_is_on_it(database: Database, acme: Sessions) -> None:
    acme.insert(*(user(f"u{number}", f"user{number}") for number in range(20)))
    acme.insert(*(group(f"g{number}", f"Group {number}", [f"u{number}", "u0"], second=number) for number in range(20)))
    costs = []
    for size in (1, 3, 20):
        for types in ((USER,), (GROUP,), (USER, GROUP)):
            with database.statements() as seen:
                assert len(acme.search(query(None, types, count=size)).records) == size
            costs.append(len(seen))
    # A page that is the last one needs no count; at the root such a page has users and groups.
    assert costs == [3, 3, 3, 3, 3, 4, 2, 2, 4]


def test_members_that_are_not_asked_for_are_not_read(database: Database, acme: Sessions) -> None:
    acme.insert(group("g1", "Crowd", ["u1", "u2"]))
    with database.statements() as seen:
        page = acme.search(query('displayName eq "crowd"', (GROUP,), elements={"members": ()}))
    assert "members" not in page.records[0].document
    assert len(seen) == 1


@pytest.mark.parametrize("size", [10, 3_000])
def test_a_change_of_members_costs_the_same_in_every_group(database: Database, acme: Sessions, size: int) -> None:
    before = group("g1", "Crowd", [f"m{number}" for number in range(size)])
    acme.insert(before)
    costs = []
    for change in (joining(before, "new", "newer"), leaving(before, "m1"), joining(before, "m2")):
        with database.statements() as seen:
            acme.update(change)
        costs.append(len(seen))
    assert costs == [4, 4, 2]
    assert len(acme.members("g1")) == size + 1


# More terms than are put to the database.
LARGE = " or ".join(f'title sw "{number}"' for number in range(1, 200))


def test_a_walk_reads_chunk_by_chunk(database: Database, acme: Sessions) -> None:
    acme.insert(*(user(f"u{number}", f"user{number}", number % 3, title=f"{number % 2}") for number in range(2_100)))
    with database.statements() as seen:
        page = acme.search(query(LARGE, offset=1040, count=20))
    assert (len(page.records), page.total) == (10, 1050)
    assert len(seen) == 4
    assert len(set(ids(acme.search(query(LARGE, count=2_000))))) == 1050


@pytest.mark.parametrize("text", [None, 'userName co "7" or emails[type eq "home"]'])
def test_a_page_deep_in_a_walk_is_one_statement_that_begins_where_the_last_one_ended(
    database: Database, acme: Sessions, text: str | None
) -> None:
    acme.insert(*(user(f"u{number}", f"user{number}", number % 7) for number in range(3_000)))
    _analyzed(database)
    asked = query(text, count=50)
    page = acme.search(asked)
    for _ in range(5):
        assert page.next is not None
        with database.statements() as seen:
            page = acme.search(attrs.evolve(asked, after=page.next, elements={"groups": ()}))
        assert len(page.records) == 50
        ((statement, parameters),) = seen
        plan = database.plan(statement, parameters)
        assert "scim_resource_in_order" in plan, plan
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


# Each look-up, and what of it must not be walked.
LOOK_UPS = [
    ('userName eq "user7"', (USER,), ["u7"]),
    ('externalId eq "x7"', (USER,), ["u7"]),
    ('emails.value eq "7@x.example"', (USER,), ["u7"]),
    ('emails[value eq "7@x.example" and type eq "work"]', (USER,), ["u7"]),
    ('userName sw "user177"', (USER,), ["u177", *(f"u177{digit}" for digit in range(10))]),
    ('id eq "u7"', (USER,), ["u7"]),
    ('groups.value eq "g7"', (USER,), ["u7"]),
    ('userName eq "user7" or externalId eq "x8"', (USER,), ["u7", "u8"]),
    ('userName eq "user7" and active eq true', (USER,), ["u7"]),
    (" or ".join(f'userName eq "user{number}"' for number in range(150)), (USER,), sorted(f"u{n}" for n in range(150))),
    ('displayName eq "group 7"', (GROUP,), ["g7"]),
    ('members.value eq "u7"', (GROUP,), ["g7"]),
    ('userName eq "user7" or displayName eq "group 7"', (USER, GROUP), ["u7", "g7"]),
]


def test_look_ups_walk_no_table(database: Database, acme: Sessions) -> None:
    # PostgreSQL rather walks a table of a few pages.
    acme.insert(*(_employee(number) for number in range(2_000)))
    acme.insert(*(group(f"g{number}", f"Group {number}", [f"u{number}"], 9) for number in range(2_000)))
    _analyzed(database)
    for filter, types, expected in LOOK_UPS:
        with database.statements() as seen:
            assert ids(acme.search(query(filter, types))) == expected, filter
        for statement, parameters in seen:
            plan = database.plan(statement, parameters)
            walks = [line for line in plan.splitlines() if _is_walk(line)]
            assert not walks, f"{filter}\n{statement}\n{plan}"


SHARING = ['externalId eq "shared"', 'userName eq "nobody" or externalId eq "shared" or emails[value eq "x@y.example"]']


@pytest.mark.parametrize("filter", SHARING)
@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        (0, 2, ["a", "b"]),
        (1, 2, ["b", "c"]),
        (0, 9, ["a", "b", "c"]),
        (2, 2, ["c"]),
        (3, 2, []),
        (9, 2, []),
        (0, 0, []),
    ],
)
def test_records_that_share_an_indexed_value_come_in_pages(
    acme: Sessions, filter: str, offset: int, count: int, expected: list[str]
) -> None:
    acme.insert(*(user(id, f"user-{id}", second, externalId="shared") for second, id in enumerate("abc")))
    acme.insert(user("d", "user-d", externalId="other"))
    page = acme.search(query(filter, offset=offset, count=count))
    assert (ids(page), page.total) == (expected, 3)
    assert (page.next is not None) is (0 < offset + count < 3 and count > 0)


@pytest.mark.parametrize("filter", SHARING)
def test_a_page_of_records_that_share_an_indexed_value_says_where_the_next_one_begins(
    acme: Sessions, filter: str
) -> None:
    acme.insert(*(user(id, f"user-{id}", externalId="shared") for id in "cab"))
    first = acme.search(query(filter, count=2))
    second = acme.search(query(filter, after=first.next, count=2))
    assert (ids(first), ids(second), second.total, second.next) == (["a", "b"], ["c"], 3, None)


def test_a_look_up_is_the_same_statement_whatever_is_looked_up(database: Database, acme: Sessions) -> None:
    acme.insert(user("a", "anna"), user("b", "berta"))
    with database.statements() as seen:
        for name in ("anna", "berta", "nobody"):
            acme.search(query(f'userName eq "{name}"', elements={"groups": ()}))
    assert len(seen) == 3
    assert len({statement for statement, _ in seen}) == 1


LONG = "l" * 300


@pytest.mark.parametrize("count", [0, 1, 20])
@pytest.mark.parametrize(
    "filter",
    [
        *('userName eq "ANNA"', 'userName eq "stra\u00dfe"', 'userName eq "STRASSE"', 'externalId eq "X1"'),
        *('externalId eq "x1"', 'userName eq "" or externalId eq ""', f'userName eq "{LONG.upper()}"'),
        *(f'externalId eq "{LONG}"', f'externalId eq "{LONG.upper()}"', 'userName eq "anna" or userName eq "Anna"'),
        *(
            'userName eq "anna" or externalId eq "x1"',
            'emails eq "Anna@x.example"',
            'id eq "a" or userName eq "nobody"',
        ),
        *(
            'groups.value eq "g"',
            'groups eq "g" or userName eq "berta"',
            'title eq "T"',
            'title eq "t" or userName eq "anna"',
        ),
        *("externalId eq null", 'externalId eq null or userName eq "anna"', 'meta.resourceType eq "User"'),
        *('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"', "active eq true or active eq false"),
        " or ".join(f'userName eq "{name}"' for name in ("anna", "berta", *"0123456789")),
    ],
)
def test_what_is_asked_by_equal_values_is_what_the_rules_find(acme: Sessions, filter: str, count: int) -> None:
    everybody = [
        user("a", "Anna", 3, externalId="x1", title="T", emails=[{"value": "anna@X.example"}]),
        user("b", "berta", 2, externalId="X1", active=True, emails=[{"value": "anna@x.example"}]),
        user("c", "Strasse", 1, externalId=LONG),
        user("d", LONG, externalId=LONG.upper()),
    ]
    acme.insert(*everybody, group("g", "Group", ["b"], 4))
    asked = query(filter, count=count)
    bound = asked.bound(USER)
    assert bound is not None
    whole = [found for one in everybody if (found := acme.get(USER, one.id)) is not None]
    expected = [
        one.id
        for one in sorted(whole, key=lambda one: one.created)
        if bound.matches(with_envelope(USER, one.document, one.created, one.last_modified, one.version))
    ]
    page = acme.search(asked)
    assert (ids(page), page.total) == (expected[:count], len(expected))


@pytest.mark.parametrize("filter", ["userName eq 1", 'userName eq "anna" or externalId eq true', 'password eq "x"'])
def test_a_look_up_of_what_no_value_can_be_is_refused(acme: Sessions, filter: str) -> None:
    with pytest.raises(InvalidFilterError):
        acme.search(query(filter))


@pytest.mark.parametrize(
    ("filter", "seen"),
    [
        ('userName eq "{}"', {"User": "not (title pr)"}),
        ('userName eq "{}"', {"User": "not (title pr) and meta.created pr"}),
        ('userName eq "{}" and active eq true', {}),
        ('emails[type eq "work" and value eq "{}"]', {"User": "id pr"}),
        ('active eq true and (userName eq "{0}" or externalId eq "{0}")', {}),
    ],
)
def test_what_else_is_said_of_those_who_have_a_value_is_decided_without_the_database(
    database: Database, acme: Sessions, filter: str, seen: Mapping[str, str]
) -> None:
    acme.insert(
        user("a", "anna", active=True, emails=[{"value": "anna", "type": "work"}]),
        user("b", "berta", active=True, emails=[{"value": "berta", "type": "home"}], title="T"),
        user("c", "carla", active=False, emails=[{"value": "carla", "type": "home"}]),
    )
    found: list[str] = []
    statements: set[str] = set()
    for name in ("anna", "berta", "carla", "nobody"):
        asked = query(filter.format(name), seen=seen, elements={"groups": ()})
        with database.statements() as sent:
            found += ids(acme.search(asked))
        statements.update(statement for statement, _ in sent)
        assert len(sent) == 1
    assert found[0] == "a"
    assert len(found) < 3
    assert len(statements) == 1


@pytest.mark.parametrize("filter", SHARING)
@pytest.mark.parametrize("many", [10, 11, 20, 21, 30])
def test_records_that_share_several_values_are_found_once_however_many_they_are(
    acme: Sessions, filter: str, many: int
) -> None:
    shared: dict[str, Json] = {"externalId": "shared", "emails": [{"value": "x@y.example"}]}
    acme.insert(*(user(f"{number:02}", f"user-{number}", many - number, **shared) for number in range(many)))
    found: list[str] = []
    for offset in range(0, many + 7, 7):
        page = acme.search(query(filter, offset=offset, count=7))
        assert (page.total, page.next is not None) == (many, offset + 7 < many)
        found += ids(page)
    assert found == [f"{number:02}" for number in reversed(range(many))]


@pytest.mark.parametrize("many", [19, 20, 21, 60])
def test_the_database_decides_where_many_have_a_value(database: Database, acme: Sessions, many: int) -> None:
    acme.insert(*(user(f"{number:02}", f"user{number}", number, externalId="x") for number in range(many)))
    with database.statements() as sent:
        page = acme.search(query('externalId eq "x"', seen={"User": 'not (userName co "2")'}, count=5, offset=5))
    assert (ids(page), page.total) == (["06", "07", "08", "09", "10"], sum("2" not in str(one) for one in range(many)))
    assert len(sent) == (2 if many <= 20 else 4)  # the groups are asked for at last


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**64) - 1, 2**200])
def test_integers_come_back_as_they_were_however_large(acme: Sessions, number: int) -> None:
    alice = user("u1", "alice", size=number, more=[{"n": [number, 0.5]}])
    guides = record(GROUP, {"id": "g1", "displayName": "Guides", "members": [{"value": "u1", "size": number}]})
    acme.insert(alice, guides)
    assert acme.found(USER, "u1").document["size"] == number
    assert repr(acme.found(USER, "u1").document["more"]) == f"[{{'n': [{number}, 0.5]}}]"
    assert acme.found(GROUP, "g1").document["members"] == [{"value": "u1", "size": number}]
    assert ids(acme.search(query('userName eq "alice"'))) == ["u1"]


@pytest.mark.parametrize("echo", [False, True])
def test_a_fault_is_the_same_whether_or_not_the_engine_logs(echo: bool) -> None:
    engine = create_engine("sqlite://", echo=echo, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, pytest.raises(OperationalError, match="no such table") as fault:
        prepared.asked(prepared.Immediate(connection), ONE, {"b_tenant": "acme", "b_type": "User", "b_id": "u1"})
    assert fault.value.statement is not None
    assert not fault.value.connection_invalidated
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_connection_whose_statement_was_cancelled_is_not_used_again(emptied: str, driver: str) -> None:
    def asleep(connection: Connection) -> object:
        return prepared.asked(prepared.Immediate(connection), text("SELECT pg_sleep(60)"), {})

    async def cancelled() -> bool:
        engine = create_async_engine(f"postgresql+{driver}{emptied}", isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connection.run_sync(asleep), 0.2)
            is_invalid = connection.invalidated
        await engine.dispose()
        return is_invalid

    assert asyncio.run(cancelled())


def _analyzed(database: Database) -> None:
    if database.engine.dialect.name == "postgresql":
        with database.engine.begin() as connection:
            connection.execute(text(f"ANALYZE {', '.join(METADATA.tables)}"))


def _employee(number: int) -> Record:
    emails: Json = [{"value": f"{number}@x.example", "type": "work"}]
    return user(f"u{number}", f"user{number}", externalId=f"x{number}", active=True, emails=emails)


def _is_walk(line: str) -> bool:
    """Whether a step of a plan looks at every resource, or at every one of a type."""
    if "VIRTUAL TABLE" in line:  # the elements of one attribute of one resource
        return False
    if line.startswith(("SEARCH scim_resource", "SCAN")):
        return line.startswith("SCAN") or "id=?" not in line
    return "Seq Scan on scim_resource" in line or "scim_resource_in_order" in line


# Values


@pytest.mark.parametrize("length", [249, 250, 251, 315, 9_000])
def test_names_of_any_length_are_unique_and_found(acme: Sessions, length: int) -> None:
    name = "é" * (length - 1)
    acme.insert(user("u1", name + "a"), user("u2", name + "b"))
    with pytest.raises(UniquenessError):
        acme.insert(user("u3", name + "A"))
    assert ids(acme.search(query(f'userName eq "{name}B"'))) == ["u2"]


@pytest.mark.parametrize("operator", ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
def test_long_values_compare_as_short_ones_do(acme: Sessions, operator: str) -> None:
    names = [
        "a" * 249,
        "a" * 250,
        "a" * 251,
        "a" * 250 + "\x01",
        "a" * 250 + "b",
        "a" * 400,
        "b",
        "A_%",
        "\ud7ff",
        "\U0010ffff",
    ]
    acme.insert(*(user(f"u{number}", name) for number, name in enumerate(names)))
    operands = [*names, "a" * 249 + "b", "a" * 250 + "\x01", "a", "A", "\ue000", "%", "_", "aa%"]
    for operand in operands:
        asked = f"userName {operator} {json.dumps(operand)}"
        expected = [f"u{number}" for number, name in enumerate(names) if matches(asked, {"userName": name})]
        assert ids(acme.search(query(asked))) == expected, asked
        assert ids(acme.search(query(f"not ({asked})"))) == [
            f"u{number}" for number in range(len(names)) if f"u{number}" not in expected
        ]


def test_values_against_the_schema_are_present_and_equal_nothing(acme: Sessions) -> None:
    odd: list[Json] = [5, False, ["x"], {"value": "x"}, "", [], [""], {}, "x"]
    acme.insert(
        *(
            record(
                USER, {"id": f"u{number}", "userName": f"{number}", "displayName": value, "emails": [{"value": value}]}
            )
            for number, value in enumerate(odd)
        )
    )
    for asked in ("displayName pr", "emails.value pr", "emails[value pr]", 'displayName eq "x"', 'emails.value ge ""'):
        expected = [one.id for one in acme.search(query()).records if matches(asked, one.document)]
        assert ids(acme.search(query(asked))) == expected, asked


@pytest.mark.parametrize(
    "value",
    ["' OR 1=1 --", '"; DROP TABLE scim_resource', "50%", "a_b", "\\", ":b_id", "%(x)s", "{}", "日本\u0001", "😀"],
)
def test_no_value_is_read_as_sql(acme: Sessions, value: str) -> None:
    acme.insert(user("u1", value), user("u2", "other"), group("g1", value, [value]))
    assert ids(acme.search(query(f"userName eq {json.dumps(value)}"))) == ["u1"]
    assert ids(acme.search(query(f"members.value eq {json.dumps(value)}", (GROUP,)))) == ["g1"]
    assert acme.found(GROUP, "g1").document["members"] == [{"value": value}]


ROOMY = Limits(max_filter_length=1_000_000, max_filter_terms=10_000)
HUGE = {
    "terms of one list": " or ".join(f'title eq "t{number}"' for number in range(5, 505)),
    "negated terms": " and ".join(f'title ne "t{number}"' for number in range(5, 505)),
    "terms in brackets": "emails[" + " or ".join(f'value ew "{number}@x.example"' for number in range(500)) + "]",
    "value paths": " and ".join(f'not (emails[value eq "{number}@x.example"])' for number in range(5, 505)),
    "indexed terms": " or ".join(f'userName eq "user{number}"' for number in range(5, 505)),
    "negations": 'not (title eq "t1" or ' * 49 + "title pr" + ")" * 49,
    "alternations": 'title pr and (active pr or (title eq "t1" or (' * 16 + "title pr" + ")))" * 16,
    "levels in brackets": "emails[" + 'not (value eq "1@x.example" or ' * 48 + "type pr" + ")" * 48 + "]",
    "much and little": 'title sw "t1" and (' + 'not (title eq "t1" or ' * 48 + "title pr" + ")" * 49,
}


@pytest.mark.parametrize("terms", HUGE)
def test_filters_built_to_explode_are_answered(acme: Sessions, terms: str) -> None:
    people = [attrs.evolve(_employee(number), unique=()) for number in range(20)]
    people = [changed(one, {**one.document, "title": f"t{number}"}).after for number, one in enumerate(people)]
    acme.insert(*people)
    filter = parse_filter(HUGE[terms], ROOMY)
    expected = [one.id for one in people if matches(filter, one.document)]
    page = acme.search(attrs.evolve(query(), filter=filter))
    assert sorted(ids(page)) == sorted(expected)
    assert page.total == len(expected)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udfff x"])
def test_what_no_database_can_hold_never_reaches_one(database: Database, text: str) -> None:
    provider = ScimProvider(database.storage, authenticate=anonymous(tenant="acme"))
    asked = [
        Request("GET", "/Users", query=urlencode({"filter": f"userName eq {json.dumps(text)}"})),
        Request("GET", "/Users", query=urlencode({"filter": f'userName eq "{text}"'}, errors="surrogatepass")),
        Request("GET", "/Users", query=urlencode({"sortBy": text}, errors="surrogatepass")),
        Request("GET", f"/Users/{text}"),
        Request("DELETE", f"/Users/{text}"),
    ]
    with database.statements() as seen:
        answers = [provider.handle_sync(request) for request in asked]
    assert [answer.status for answer in answers] == [400, 400, 400, 404, 404]
    assert not [parameters for _, parameters in seen if text in str(parameters)]


def _recased(resource_type: ResourceType, name: str, sub: str) -> ResourceType:
    """*resource_type* with the case of letters counting where it did not, or the other way round."""

    def changed(attribute: Attribute) -> Attribute:
        if attribute.name != name:
            return attribute
        subs = [attrs.evolve(one, case_exact=one.case_exact != (one.name == sub)) for one in attribute.sub_attributes]
        return attrs.evolve(attribute, sub_attributes=tuple(subs))

    schema = attrs.evolve(
        resource_type.schema, attributes=tuple(changed(one) for one in resource_type.schema.attributes)
    )
    return ResourceType(
        name=resource_type.name,
        endpoint=resource_type.endpoint,
        schema=schema,
        extensions=resource_type.extensions,
    )


@pytest.mark.parametrize("operator", ["eq", "ne", "co", "sw", "ew", "gt", "le"])
@pytest.mark.parametrize(
    ("base", "name", "sub"),
    [(GROUP, "members", "value"), (GROUP, "members", "type"), (USER, "groups", "value"), (USER, "groups", "display")],
)
def test_schemas_may_compare_members_and_groups_otherwise(
    acme: Sessions, base: ResourceType, name: str, sub: str, operator: str
) -> None:
    kind = _recased(base, name, sub)
    people, teams = (kind, GROUP) if base is USER else (USER, kind)
    for id in ("U1", "u1", "u2"):
        acme.insert(record(people, {"id": id, "userName": f"{id} {id.islower()}"}))
    for id, member in (("G1", "U1"), ("g1", "u1"), ("g2", "u2")):
        element: Json = {"value": member, "type": "User" if member == "u2" else "user"}
        acme.insert(record(teams, {"id": id, "displayName": f"{id} Team{id.islower()}", "members": [element]}))
    whole = [acme.found(kind, id) for id in (("U1", "u1", "u2") if base is USER else ("G1", "g1", "g2"))]
    operands = {"value": ["u1", "U1", "g1", "G1"], "type": ["user", "User"], "display": ["g1 team", "g1 TeamTrue"]}
    for operand in operands[sub]:
        for asked in (f'{name}.{sub} {operator} "{operand}"', f'not ({name}[{sub} {operator} "{operand}"])'):
            expected = [one.id for one in whole if matches(asked, one.document, kind)]
            assert ids(acme.search(query(asked, (kind,)))) == expected, asked
    in_order = acme.search(query(None, (kind,), sort_by=f"{name}.value"))
    assert in_order.total == 3


def test_numbers_and_the_order_of_attributes_are_kept(acme: Sessions) -> None:
    values: dict[str, Json] = {"zeta": 1.0, "alpha": 1, "beta": 1e300, "gamma": -0.5, "delta": 2**70, "active": True}
    one = record(USER, {"id": "u1", "userName": "bjensen", **values})
    acme.insert(one)
    found = acme.found(USER, "u1").document
    assert list(map(repr, found.items())) == list(map(repr, one.document.items()))


def test_an_id_is_given_once_and_a_refused_record_takes_no_name(acme: Sessions) -> None:
    acme.insert(ALICE)
    with pytest.raises(UniquenessError):
        acme.insert(user("u1", "eve"))
    acme.insert(user("u2", "eve"))
    assert ids(acme.search(query())) == ["u2", "u1"]


def test_elements_are_counted_where_they_are_keyed(acme: Sessions) -> None:
    acme.insert(ALICE, group("g1", "One", ["u1"]), group("g2", "Two", ["u1"]))

    async def flow(session: Session) -> list[int]:
        return [
            await session.count(USER, "u1", "groups", 5),
            await session.count(USER, "u1", "groups", 1),
            await session.count(USER, "u1", "emails", 5),
        ]

    assert acme.run(flow) == [2, 1, 0]


# Many at once


def _together(storage: SqlStorage, flows: Sequence[Flow[bool]]) -> list[bool]:
    barrier = Barrier(len(flows))

    async def run(flow: Flow[bool]) -> bool:
        barrier.wait()
        async with storage.session(ACME) as session:
            return await flow(session)

    with ThreadPoolExecutor(len(flows)) as pool:
        return list(pool.map(lambda flow: finish(run(flow)), flows))


def test_threads_that_add_members_all_do(database: Database, acme: Sessions) -> None:
    acme.insert(EMPTY)

    assert all(_together(database.storage, [_joins(f"m{number}") for number in range(8)]))
    assert acme.members("g3") == [f"m{number}" for number in range(8)]
    assert acme.found(GROUP, "g3").version == FIRST_VERSION + 8


def test_of_threads_that_create_one_name_one_succeeds(database: Database, acme: Sessions) -> None:
    def creates(id: str) -> Flow[bool]:
        async def flow(session: Session) -> bool:
            try:
                await session.insert(user(id, "alice"))
            except UniquenessError:
                return False
            return True

        return flow

    assert sum(_together(database.storage, [creates(f"u{number}") for number in range(8)])) == 1
    assert acme.search(query('userName eq "alice"')).total == 1


WRITER = """
import sys
from scimcore.engine.immediate import finish
from scimcore.errors import UniquenessError
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Tenant
from scimcore.testing.sessions import group, joining, user

url, name, many = sys.argv[1], sys.argv[2], int(sys.argv[3])
storage = SqlStorage(url)

async def write(number):
    async with storage.session(Tenant("acme")) as session:
        try:
            await session.insert(user(f"{name}-{number}", f"user{number}"))
        except UniquenessError:
            return "taken"
        await session.update(joining(group("g3", "Empty"), f"{name}-{number}"))
        return f"{name}-{number}"

for number in range(many):
    print(finish(write(number)), flush=True)
"""


def _writer(database: Database, name: str, many: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, database.url, name, str(many)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_create_the_same_names_share_them_out(database: Database, acme: Sessions) -> None:
    acme.insert(EMPTY)
    writers = [_writer(database, name, 40) for name in ("a", "b", "c")]
    said = [line for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    created = sorted(line for line in said if line != "taken")
    assert len(said) == 120
    assert len(created) == 40
    assert acme.members("g3") == created
    assert acme.found(GROUP, "g3").version == FIRST_VERSION + 40
    assert sorted(ids(acme.search(query()))) == created


def test_what_was_acknowledged_outlives_a_killed_process_and_nothing_is_half_done(
    database: Database, acme: Sessions
) -> None:
    acme.insert(EMPTY)
    writer = _writer(database, "a", 100_000)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.communicate()[0].split("\n")[:-1]
    members = acme.members("g3")
    assert set(acknowledged) <= set(members)
    assert len(members) <= len(acknowledged) + 1
    assert sorted(ids(acme.search(query(count=200_000)))) == members
    assert acme.found(GROUP, "g3").version == FIRST_VERSION + len(members)
    acme.insert(user("late", "late"))


# Faults


def test_a_database_that_stays_locked_is_unavailable(sqlite: str) -> None:
    storage = SqlStorage(create_engine(f"sqlite{sqlite}", connect_args={"timeout": 0.05}))
    other = sqlite3.connect(sqlite.removeprefix(":///"), isolation_level=None)
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError) as refused:
            sessions.update(changed(ALICE, {**ALICE.document, "title": "Chief"}))
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        assert sessions.get(USER, "u1") == ALICE
        other.execute("ROLLBACK")
        assert sessions.update(changed(ALICE, {**ALICE.document, "title": "Chief"})).version > FIRST_VERSION
    other.close()
    storage.close()


@pytest.fixture(params=["psycopg", "asyncpg"])
def breakable(request: pytest.FixtureRequest, emptied: str) -> Iterator[Sessions]:
    """Sessions on PostgreSQL, whose connections may be ended from outside."""
    url = f"postgresql+{request.param}{emptied}"
    is_async = request.param == "asyncpg"
    storage = SqlStorage(create_async_engine(url, poolclass=NullPool) if is_async else url)
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(ALICE)
        yield sessions
        runner.run(storage.close_async())


def test_a_lost_connection_is_unavailable_and_the_next_session_has_another(breakable: Sessions, emptied: str) -> None:
    async def flow(session: Session) -> None:
        await session.insert(user("u9", "eve"))
        _end_other_connections(emptied)
        await session.insert(user("u8", "dave"))

    with pytest.raises(UnavailableError):
        breakable.run(flow)
    assert ids(breakable.search(query())) == ["u1"]


def test_a_session_that_goes_on_after_losing_its_connection_does_not_end_well(
    breakable: Sessions, emptied: str
) -> None:
    async def flow(session: Session) -> None:
        await session.insert(user("u9", "eve"))
        with suppress(UnavailableError):
            async with session.savepoint():
                _end_other_connections(emptied)
                await session.insert(user("u8", "dave"))
        with pytest.raises(UnavailableError):
            await session.get(USER, "u1")

    with pytest.raises(UnavailableError):
        breakable.run(flow)
    assert ids(breakable.search(query())) == ["u1"]


def test_a_commit_that_is_not_confirmed_is_unavailable(breakable: Sessions, emptied: str) -> None:
    async def flow(session: Session) -> None:
        await session.insert(user("u9", "eve"))
        _end_other_connections(emptied)

    with pytest.raises(UnavailableError):
        breakable.run(flow)
    assert ids(breakable.search(query())) == ["u1"]


STRICTER = {
    "psycopg": {"options": r"-c default_transaction_isolation=repeatable\ read"},
    "asyncpg": {"server_settings": {"default_transaction_isolation": "repeatable read"}},
}


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_serialization_failure_is_a_clash_and_the_session_may_try_again(emptied: str, driver: str) -> None:
    url = f"postgresql+{driver}{emptied}"
    engine = create_async_engine(url, poolclass=NullPool, connect_args=STRICTER[driver])
    with asyncio.Runner() as runner:
        sessions = Sessions(SqlStorage(engine), ACME, runner)
        sessions.insert(EMPTY)
        other = SqlStorage(create_engine(f"postgresql+psycopg{emptied}", poolclass=NullPool))

        async def flow(session: Session) -> None:
            async with session.savepoint():  # begins the transaction, which from now on sees what it saw first
                assert await session.get(GROUP, "g3") == EMPTY
            assert _together(other, [_joins("m1")]) == [True]
            with pytest.raises(VersionClash):
                await session.update(joining(EMPTY, "m2"))
            await session.update(joining(EMPTY, "m3"))

        sessions.run(flow)
        assert sessions.members("g3") == ["m1", "m3"]


def _joins(member: str) -> Flow[bool]:
    async def flow(session: Session) -> bool:
        return bool(await session.update(joining(EMPTY, member)))

    return flow


def _end_other_connections(location: str) -> None:
    engine = create_engine(f"postgresql+psycopg{location}", poolclass=NullPool)
    ending = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
    )
    with engine.connect() as connection:
        connection.execute(text(ending))


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    storage = SqlStorage(f"postgresql+psycopg://nobody@/nobody?host={tmp_path}")
    with asyncio.Runner() as runner, pytest.raises(UnavailableError):
        Sessions(storage, ACME, runner).get(USER, "u1")
    storage.close()


def test_of_two_that_deadlock_one_is_told_to_try_again(emptied: str) -> None:
    storage = SqlStorage(f"postgresql+psycopg{emptied}")
    with asyncio.Runner() as runner:
        Sessions(storage, ACME, runner).insert(user("u1", "one"), user("u2", "two"))
    barrier = Barrier(2)

    def writes(first: str, second: str) -> Flow[bool]:
        async def flow(session: Session) -> bool:
            for number, id in enumerate((first, second)):
                before = await session.get(USER, id)
                assert before is not None
                await session.update(changed(before, {**before.document, "title": first}))
                if not number:
                    barrier.wait()
            return True

        return flow

    async def run(flow: Flow[bool]) -> bool:
        try:
            async with storage.session(ACME) as session:
                return await flow(session)
        except UnavailableError:
            return False

    with ThreadPoolExecutor(2) as pool:
        flows = [writes("u1", "u2"), writes("u2", "u1")]
        assert sum(pool.map(lambda flow: finish(run(flow)), flows)) == 1
    storage.close()


# Schemas that change


def test_a_schema_that_says_otherwise_than_the_one_written_by_fails_no_search(acme: Sessions) -> None:
    one, several = (
        ResourceType(
            name="Thing",
            endpoint="/Things",
            schema=Schema(id="urn:example:Thing", name="Thing", attributes=(Attribute(name="tag", multi_valued=many),)),
        )
        for many in (False, True)
    )
    acme.insert(record(one, {"id": "t1", "tag": "red"}), record(several, {"id": "t2", "tag": ["red"]}))
    for kind in (one, several):
        for asked in (
            'tag eq "red"',
            "tag pr",
            'not (tag co "e")',
            'tag[value eq "red"]' if kind is several else "id pr",
        ):
            assert acme.search(query(asked, (kind,), sort_by="tag")).total <= 2
