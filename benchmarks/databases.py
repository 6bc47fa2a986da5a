"""What a SQLite file with a million users costs: look-ups, members, pages, and the memory of one long listing."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final
from urllib.parse import quote

import attrs

from benchmarks.exchange import Exchange
from benchmarks.operations import addition_case, removal_case
from benchmarks.people import SEED, user_name
from benchmarks.results import Listing, Row
from benchmarks.stock import FIRST, TEAM, Stock, stocked, team_name, user_id
from benchmarks.timing import Case, Pace, Runner, Seconds, compared
from scimcore.schema.standard import USER
from scimcore.storage.protocol import Position, Query, Tenant

_ACME: Final = Tenant("acme")
_SAMPLE: Final = 2_000
_PAGE: Final = 1_000


async def measured(
    sizes: tuple[int, int], large: int, pace: Pace, told: Callable[[str], None]
) -> tuple[list[Row], Listing]:
    """The rows of the table that compare a large store with a small one, and the listing of the large one."""
    with TemporaryDirectory(prefix="scimcore-bench-") as folder:
        stocks = []
        for size in sizes:
            told(f"{size:,} users in SQLite")
            stocks.append(await stocked(Path(folder) / f"{size}.db", size, min(large, size)))
        few, many = stocks
        told("look-ups")
        rows = await _look_ups(few, many, pace)
        told("members in SQLite")
        rows += await _members(many, pace)
        told("pages")
        listing = await _listing(many, pace)
        name = f"a page of {_PAGE:,} among {many.users:,} users: after nine tenths ÷ the second"
        ratio = listing.deep_page / listing.early_page
        rows.append(Row(name, listing.early_page, listing.deep_page, ratio, 1.3, at_most=True))
        return rows, listing


# Look-ups

_LOOK_UPS: Final[dict[str, Callable[[int], Exchange]]] = {
    "GET by `id`": lambda number: Exchange("GET", f"/Users/{user_id(number)}"),
    "`userName eq`": lambda number: _search("Users", f'userName eq "{user_name(number)}"'),
    "`externalId eq`": lambda number: _search("Users", f'externalId eq "00u{number:012d}"'),
    "`emails.value eq`": lambda number: _search("Users", f'emails.value eq "person.{number}@work.example.com"'),
    "`displayName eq` of a group": lambda number: _search("Groups", f'displayName eq "{team_name(_team(number))}"'),
    "`members.value eq`": lambda number: _search(
        "Groups", f'members.value eq "{user_id(_member(number))}"', "&attributes=displayName"
    ),
}


async def _look_ups(few: Stock, many: Stock, pace: Pace) -> list[Row]:
    rows = []
    contenders = [(stock, stock.contender()) for stock in (few, many)]
    for name, request in _LOOK_UPS.items():
        runners = [Runner(contender, _scattered(stock, request)) for stock, contender in contenders]
        small, large = await compared(runners, pace)
        rows.append(
            Row(f"{name}: {many.users:,} ÷ {few.users:,} users", small, large, large / small, 1.3, at_most=True)
        )
    return rows


def _scattered(stock: Stock, request: Callable[[int], Exchange]) -> Case:
    """The request about users who lie far apart."""
    numbers = Random(SEED).sample(range(FIRST, FIRST + stock.users), min(_SAMPLE, stock.users))
    return Case(lambda number: request(numbers[number % len(numbers)]))


def _team(number: int) -> int:
    """A team, for a number of a user."""
    return (number - FIRST) // 100


def _member(number: int) -> int:
    """Somebody who is in a team, near the user of that number."""
    return number - number % 100 + number % TEAM


def _search(endpoint: str, filter: str, further: str = "") -> Exchange:
    return Exchange("GET", f"/{endpoint}", query=f"filter={quote(filter)}&count=100{further}")


# Members


async def _members(stock: Stock, pace: Pace) -> list[Row]:
    contender = stock.contender()
    last = FIRST + stock.users
    others = [user_id(number) for number in range(last - 50, last)]
    members = [user_id(number) for number in range(FIRST, FIRST + 50)]
    rows = []
    for name, case in (
        ("add one member", partial(addition_case, others=others)),
        ("remove one member", partial(removal_case, members=members)),
    ):
        runners = [Runner(contender, case(group)) for group in (stock.small, stock.large)]
        small, large = await compared(runners, pace)
        full = f"{name}: group of {stock.large_size:,} ÷ of 100"
        rows.append(Row(full, small, large, large / small, 1.5, at_most=True))
    return rows


# Pages


async def _listing(stock: Stock, pace: Pace) -> Listing:
    storage = stock.storage()
    first = Query(resource_types=(USER,), count=_PAGE)

    async def page(after: Position | None) -> Position | None:
        async with storage.session(_ACME) as session:
            return (await session.search(attrs.evolve(first, after=after))).next

    checkpoints: list[tuple[int, int]] = []
    # The first page counts all users too, so the second is what others are compared with.
    early = after = await page(None)
    deep, listed = early, _PAGE
    while after is not None:
        if listed % (stock.users // 10) == 0:
            checkpoints.append((listed, _resident()))
            deep = after
        after = await page(after)
        listed += _PAGE
    checkpoints.append((listed, _resident()))
    times: dict[bool, list[Seconds]] = {True: [], False: []}
    for _ in range(pace.rounds * 2):
        for is_deep in times:
            start = perf_counter()
            await page(deep if is_deep else early)
            times[is_deep].append(perf_counter() - start)
    storage.close()
    return Listing(stock.users, median(times[False]), median(times[True]), tuple(checkpoints))


def _resident() -> int:
    """How many bytes of memory this process holds; nothing where the system does not tell."""
    known = Path("/proc/self/statm")
    if not known.exists():
        return 0
    return int(known.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
