"""The benchmarks of the SQL storage measure a database that the storage could have written, and servers that answer."""

import asyncio
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest

from benchmarks import databases, report, served
from benchmarks.exchange import Exchange
from benchmarks.people import encoded, person
from benchmarks.results import Database, Listing, Row
from benchmarks.stock import FIRST, Stock, stocked, team_name, user_id
from benchmarks.timing import Pace
from benchmarks.wire import Wire, serving
from scimcore.schema.standard import GROUP, USER
from scimcore.testing import postgres

USERS = 300


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return asyncio.run(stocked(tmp_path / "stock.db", USERS, 200))


def rows(stock: Stock) -> dict[str, list[str]]:
    with sqlite3.connect(stock.path) as connection:
        tables = ("scim_resource", "scim_unique_key", "scim_value_index", "scim_member")
        found = {table: sorted(map(str, connection.execute(f"SELECT * FROM {table}"))) for table in tables}
    connection.close()
    return found


def test_rows_made_in_bulk_are_those_that_the_storage_would_write(stock: Stock) -> None:
    before = rows(stock)
    storage = stock.storage()
    storage.reindex([USER, GROUP])
    storage.close()
    assert rows(stock) == before
    assert len(before["scim_resource"]) == USERS + USERS // 100 + 2
    assert len(before["scim_member"]) == USERS // 10 + 100 + 200


@pytest.mark.parametrize("number", [FIRST, FIRST + 7, FIRST + USERS - 1])
def test_every_user_is_found_by_what_it_was_given(stock: Stock, number: int) -> None:
    contender = stock.contender()

    async def found(filter: str) -> list[str]:
        answer = await contender.done(Exchange("GET", "/Users", query=f"filter={quote(filter)}"))
        return [one["id"] for one in answer.document["Resources"]]

    async def flow() -> None:
        answer = await contender.done(Exchange("GET", f"/Users/{user_id(number)}"))
        assert answer.document["userName"] == person(number)["userName"]
        assert answer.document["emails"][0] == person(number)["emails"][0]
        for filter in (
            f'userName eq "{person(number)["userName"]}"',
            f'externalId eq "{person(number)["externalId"]}"',
            f'emails.value eq "{person(number)["emails"][0]["value"]}"',
        ):
            assert await found(filter) == [user_id(number)]

    asyncio.run(flow())


def test_teams_are_found_by_their_names_and_members(stock: Stock) -> None:
    contender = stock.contender()

    async def flow() -> None:
        query = quote(f'filter=displayName eq "{team_name(2)}"', safe="=")
        (team,) = (await contender.done(Exchange("GET", "/Groups", query=query))).document["Resources"]
        assert {one["value"] for one in team["members"]} == {user_id(FIRST + 200 + number) for number in range(10)}
        query = quote(f'filter=members.value eq "{user_id(FIRST + 205)}"', safe="=")
        assert (await contender.done(Exchange("GET", "/Groups", query=query))).document["totalResults"] == 1

    asyncio.run(flow())


def test_every_line_is_measured_and_a_listing_sees_everyone() -> None:
    pace = Pace(rounds=1, round_seconds=0.001)
    lines, listing = asyncio.run(databases.measured((200, 3_000), 1_000, pace, lambda _: None))
    assert len(lines) == 9
    assert all(line.ratio is not None and 0.01 < line.ratio < 100 for line in lines)
    assert listing.resident[-1][0] == listing.users == 3_000


def test_a_server_answers_as_the_application_does(tmp_path: Path) -> None:
    asyncio.run(stocked(tmp_path / "stock.db", USERS, 200))
    with serving(f"sqlite:///{tmp_path / 'stock.db'}") as port:
        wire = Wire(port)
        assert wire.done(Exchange("GET", f"/Users/{user_id(FIRST)}")).document["id"] == user_id(FIRST)
        assert wire.ask(Exchange("POST", "/Users", body=encoded(person(FIRST)))).status == 409
        with pytest.raises(RuntimeError, match="404"):
            wire.done(Exchange("GET", "/Users/nobody"))
        wire.close()


def test_operations_over_http_are_measured() -> None:
    lines = served.over_http(Pace(rounds=1, round_seconds=0.01), peer=False)
    assert [line.operation for line in lines] == [
        "over HTTP, 1 client: create a user",
        "over HTTP, 1 client: create a user, `synchronous = NORMAL`",
        "over HTTP, 16 clients: create a user",
        "over HTTP, 1 client: GET one user",
        "over HTTP, 16 clients: GET one user",
        "over HTTP, 1 client: PATCH one attribute",
        "over HTTP, 1 client: PATCH one attribute, `synchronous = NORMAL`",
        "over HTTP, 16 clients: PATCH one attribute",
    ]
    assert all(line.ours > 0 and line.ratio is None for line in lines)


def test_what_accounts_add_over_http_is_measured() -> None:
    lines = served.with_accounts(Pace(rounds=1, round_seconds=0.01))
    assert [line.operation for line in lines] == [
        f"over HTTP, {clients}: {operation} with a token, policies and a record ÷ without"
        for operation in ("create", "GET")
        for clients in ("1 client", "16 clients")
    ]
    assert all(line.ratio is not None and 0.1 < line.ratio < 10 for line in lines)


def test_processes_on_one_database_agree() -> None:
    if postgres.binaries() is None:
        pytest.skip("NOT TESTED ON POSTGRESQL: it is not installed (Debian: apt-get install postgresql)")
    sharing = served.shared(40)
    assert sharing is not None
    assert sharing.creates.keys() == sharing.reads.keys() == {1, 2}


@pytest.mark.parametrize(("grown", "is_flat"), [(0, True), (7_000_000, True), (100_000_000, False)])
def test_a_listing_is_flat_when_the_process_does_not_grow(grown: int, is_flat: bool) -> None:
    listing = Listing(10, 1.0, 1.0, ((1, 200_000_000), (10, 200_000_000 + grown)))
    assert listing.is_flat is is_flat


def test_the_page_tells_of_the_database() -> None:
    listing = Listing(10, 1.0, 1.0, ((1, 200), (10, 300)))
    row = Row("GET by `id`: 100 ÷ 10 users", 1.0, 1.1, 1.1, 1.3, at_most=True)
    page = "\n".join(report.on_database(Database([row], listing, 0.0001, None)))
    assert "| GET by `id`: 100 ÷ 10 users | 1 s | 1.1 s | 1.10 | ≤ 1.3 | pass |" in page
    assert "no PostgreSQL" in page
