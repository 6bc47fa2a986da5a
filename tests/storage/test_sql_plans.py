"""What a session asks besides searching names its rows: no statement looks at all rows of a tenant."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine, event, text

from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONING_URN
from scimcore.schema.document import Document
from scimcore.schema.standard import GROUP, USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Session, Tenant
from scimcore.storage.sql.tables import METADATA
from scimcore.testing.sessions import Sessions, changed, group, ids, joining, leaving, query, record, user

ACME = Tenant("acme")
MANY = 2_000
"""PostgreSQL rather walks a table of a few pages."""

ONE = user("u7", "user7", externalId="x7")
TEAM = group("g7", "Group 7", ["u7"])


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    engine = create_engine(empty, isolation_level="AUTOCOMMIT")
    storage = SqlStorage(engine)
    storage.create_all()
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, ACME, runner)
        sessions.insert(*(user(f"u{number}", f"user{number}", externalId=f"x{number}") for number in range(MANY)))
        sessions.insert(*(group(f"g{number}", f"Group {number}", [f"u{number}"]) for number in range(MANY)))
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text(f"ANALYZE {', '.join(METADATA.tables)}"))
    yield engine
    engine.dispose()


async def everything(session: Session) -> None:
    """Every call of a session but the search, and the way back of those that are changes."""
    assert await session.get(USER, "u7") is not None
    assert await session.get(GROUP, "g7") is not None
    assert await session.locate(["u7", "g7", "u8", "nobody"]) == {"u7": "User", "g7": "Group", "u8": "User"}
    # SQLite plans otherwise for a single one.
    assert await session.locate(["u7"]) == {"u7": "User"}
    assert await session.count(GROUP, "g7", "members", 5) == 1
    assert await session.count(USER, "u7", "groups", 5) == 1
    await session.insert(user("new", "newcomer", externalId="x"))
    await session.update(joining(TEAM, "u8", "u9"))
    await session.update(leaving(TEAM, "u8"))
    one = await session.update(changed(ONE, {**ONE.document, "userName": "other", "externalId": "other"}))
    await session.delete(one)
    team = await session.get(GROUP, "g7", {"members": ()})
    assert team is not None
    await session.delete(team)


@contextmanager
def noted(engine: Engine) -> Iterator[list[tuple[str, object]]]:
    """The statements, with their parameters, that look for rows in the block."""
    seen: list[tuple[str, object]] = []

    def note(*said: object) -> None:
        statement, parameters, is_many = str(said[2]), said[3], said[5]
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            seen.append((statement, parameters[0] if is_many and isinstance(parameters, list) else parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def check(engine: Engine, seen: list[tuple[str, object]]) -> None:
    """Make sure that none of the statements walks a table."""
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type] # as seen
            plan = [str(row[-1]) for row in rows]
            assert not any(map(is_walk, plan)), "\n".join((statement, *plan))


def test_no_statement_walks_a_table(engine: Engine) -> None:
    with asyncio.Runner() as runner:
        sessions = Sessions(SqlStorage(engine), ACME, runner)
        sessions.get(USER, "nobody")
        with noted(engine) as seen:
            sessions.run(everything)
    assert len(seen) > 15
    check(engine, seen)


def test_a_group_is_found_by_its_identifier_without_a_walk(engine: Engine) -> None:
    identified: Document = {"id": "ident", "displayName": "The Team", PROVISIONING_URN: {"identifier": "the_team"}}
    with asyncio.Runner() as runner:
        sessions = Sessions(SqlStorage(engine), ACME, runner)
        sessions.insert(record(PROVISIONED_GROUP, identified))
        with noted(engine) as seen:
            page = sessions.search(query(f'{PROVISIONING_URN}:identifier eq "the_team"', (PROVISIONED_GROUP,)))
    assert ids(page) == ["ident"]
    check(engine, seen)


def is_walk(step: str) -> bool:
    """Whether a step of a plan looks at more rows than those of one resource, name or member."""
    if "Seq Scan on scim_" in step or re.match(r"SCAN scim_", step):
        return True
    named = re.match(r"SEARCH \w+ USING .*\((.*)\)", step)
    return named is not None and set(re.findall(r'"?(\w+)"?[=<>]', named[1])) <= {
        "tenant",
        "type",
        "attribute",
        "place",
    }


@pytest.mark.parametrize(
    ("step", "walks"),
    [
        ("SEARCH scim_resource USING COVERING INDEX sqlite_autoindex_scim_resource_1 (tenant=?)", True),
        ("SEARCH scim_resource USING INDEX scim_resource_in_order (tenant=? AND type=?)", True),
        ("SEARCH scim_resource USING COVERING INDEX scim_resource_by_id (tenant=? AND id=?)", False),
        ("SCAN scim_member", True),
        ("        ->  Seq Scan on scim_resource  (cost=0.00..1.00 rows=1)", True),
        ("Index Scan using scim_resource_pkey on scim_resource  (cost=0.28..8.30 rows=1)", False),
    ],
)
def test_walks_are_recognised(step: str, walks: bool) -> None:
    assert is_walk(step) is walks
