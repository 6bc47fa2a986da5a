"""The run: `python -m benchmarks` measures, prints, writes `docs/`, and ends with 1 if a target is missed."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

import attrs
from rich.console import Console

from benchmarks import accounts, databases, growth, interpreted, machine, memory, report, served, stages, starting
from benchmarks.contenders import Making, installed_peer, ours
from benchmarks.operations import table
from benchmarks.results import Database, Profile, Row, Run, Series
from benchmarks.scale import SMALL, WHOLE, Scale
from benchmarks.timing import QUICK

_DOCS: Final = Path(__file__).parents[1] / "docs"


async def run(scale: Scale, peer: Making | None, told: Callable[[str], None]) -> Run:
    """Everything, in the order in which it is printed."""
    rows, profiles = await in_process(scale, peer, told)
    told("cost by group size")
    by_group = await growth.by_group(scale.sizes, scale.pace)
    if peer is not None:
        by_group = beside(by_group, await growth.by_group(scale.peer_sizes, QUICK, peer))
    told("cost by store size")
    by_store = await growth.by_store(scale.sizes, scale.survey)
    if peer is not None:
        by_store = beside(by_store, await growth.by_store(scale.peer_sizes, scale.survey, peer))
    told("cost by what a request asks for")
    beyond = await beyond_the_table(scale, peer)
    told("imports")
    start = starting.measured(scale.starts, peer=peer is not None)
    told("memory")
    kept = await memory.measured(scale.listed, scale.listed, scale.mixed, scale.variety, peer)
    stored = await on_databases(scale, told, peer=peer is not None)
    rows += [*(own_ratio(one) for one in by_group), starting.row(start)]
    return Run(rows, by_group, by_store, beyond, kept, stored, start, profiles)


async def in_process(scale: Scale, peer: Making | None, told: Callable[[str], None]) -> tuple[list[Row], list[Profile]]:
    """The table and the profiles; if what is imported is compiled, with the ratios of the same sources interpreted."""
    makings = (ours,) if peer is None else (ours, peer)
    rows = await table(makings, scale.pace, told)
    if not machine.is_compiled():
        told("profiles")
        return rows, await stages.profiles(scale.survey, scale.watched_seconds)
    told("the table and profiles, interpreted")
    others, profiles = interpreted.measured(scale, peer=peer is not None)
    return interpreted.beside(rows, others), profiles


async def on_databases(scale: Scale, told: Callable[[str], None], *, peer: bool) -> Database:
    """The SQL storage: a large SQLite file, servers, and several of them on one PostgreSQL."""
    rows, listing = await databases.measured(scale.stored, scale.large_group, scale.survey, told)
    told("tokens, policies and a record")
    managed = await accounts.measured(scale.pace)
    told("over HTTP")
    over_http = [*served.over_http(scale.pace, peer=peer), *served.with_accounts(scale.pace)]
    floor = served.floor(scale.survey)
    told("server processes on one PostgreSQL")
    return Database([*over_http, *managed, *rows], listing, floor, served.shared(scale.shared))


async def beyond_the_table(scale: Scale, peer: Making | None) -> list[Series]:
    """Large requests, long filters, sorts, parsing, and bodies that are refused."""
    pace, large = scale.survey, scale.large
    sizes = (large // 100, large // 10, large)
    return [
        *await growth.additions(scale.asked, 1_000, pace),
        *await growth.creations(sizes, pace),
        *await growth.removals(scale.removed, large, pace, peer if scale.peer_removes else None),
        *await growth.searches(sizes, 50, pace),
        *growth.parsing(sizes, pace),
        *await growth.refusals((10_000, 100_000, 1_000_000), pace),
    ]


def beside(mine: list[Series], theirs: list[Series]) -> list[Series]:
    """My series with the points of the peer's."""
    return [attrs.evolve(one, peer=other.points) for one, other in zip(mine, theirs, strict=True)]


def own_ratio(series: Series) -> Row:
    """The largest group against a group of 100."""
    times = dict(series.points)
    largest = max(times)
    name = f"{series.name}: group of {largest:,} ÷ of 100"
    return Row(name, times[100], times[largest], times[largest] / times[100], 1.5, at_most=True)


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 if every target is met, requests leave nothing behind and a long listing holds nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds; writes nothing")
    parser.add_argument(
        "--docs", type=Path, metavar="DIR", help="where to write the pages (default: docs, if not quick)"
    )
    options = parser.parse_args(arguments)
    console = Console()
    peer = installed_peer()
    if peer is None:
        console.print("scim2-server is not installed (pip install --group bench): scimcore alone.")
    docs: Path | None = options.docs or (None if options.quick else _DOCS)
    if peer is None and docs == _DOCS:
        docs = None
    start = perf_counter()

    def told(name: str) -> None:
        console.print(f"{perf_counter() - start:4.0f} s  {name}", highlight=False)

    found = asyncio.run(run(SMALL if options.quick else WHOLE, peer, told))
    console.print(report.terminal_table(found.rows))
    console.print(report.terminal_table(found.database.rows, "scimcore on a database"))
    console.print(report.growth_table([*found.by_group, *found.by_store, *found.beyond]))
    if docs is not None:
        for path in report.written(found, docs):
            console.print(f"wrote {path.name}")
    console.print(f"left behind by each mixed request: {found.memory.blocks_per_request:.4f} objects")
    return 0 if found.passes else 1


if __name__ == "__main__":
    sys.exit(main())
