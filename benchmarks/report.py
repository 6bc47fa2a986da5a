"""What a run found, as pages and as a table for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from rich.table import Table

from benchmarks import machine, starting
from benchmarks.charts import cost_chart, ratios_chart
from benchmarks.results import Database, Memory, Profile, Row, Run, Series, Start
from benchmarks.served import AT_ONCE
from benchmarks.stages import STAGES
from benchmarks.timing import FULL
from benchmarks.wording import brief, duration, size

_BEGIN: Final = "<!-- profile: written by `make bench` -->"
_END: Final = "<!-- end of profile -->"

_HOW: Final = f"""\
Both sides are ASGI applications over their own memory storage, called in one process and one event loop with the same
requests; only the ids in them differ, because each server issues its own. scimcore runs as it comes: every limit, every
validation, bearer tokens, and an event listener attached; the versions say whether it is compiled. scim2-server 0.8.3
runs with its default configuration, and checks a bearer token in the hook that it has for that.

The unindexed filter is `emails[type eq "work" and value co "n.70"]`, whose number changes; eleven users match. The list
of 100 is all there are. Each addition and removal of a member changes the group, and is undone before the next; the
undoing is not timed.

Before an operation is timed, the first requests go to both sides: the status class, the bodies, and what a GET shows
afterwards must be the same but for ids, `meta` and `$ref`. Then all warm up. In each of
{FULL.rounds} rounds every operation has its turn, and in it both sides, so that a spell in which the machine is slow
lies on a few rounds of all operations and not on all rounds of one; a figure is the median round, whose time is its
mean request. Only the call of the application is timed, not the making of the request. The garbage collector stays on
and its work counts; what the storages hold is frozen (`gc.freeze`) before the rounds, so that neither side pays for
the size of the other's heap. Seeds are fixed.
"""


_HOW_STORED: Final = f"""\
The large and the small store are SQLite files, filled with rows that the storage itself wrote. Look-ups and changes of
members go through the ASGI application in one process, to users who lie far apart; the two sides of a ratio take turns.
The first page of a listing also counts all users, so later pages are compared with the second.

Over HTTP each side is one process behind uvicorn, and both take turns: with one client, which asks when it has its
answer, or with {AT_ONCE} of that kind at once, where a figure is the time of all divided by the number of requests.
Connections stay open. scimcore keeps its users in a SQLite file, and unless a line says otherwise each write waits for
the disk (`synchronous = FULL`, the default) and is committed with those that are ready at the same time, as by
`scimcore serve`; the peer keeps them in memory. A request that the application does nothing for is the least that any
application could take.

What a token, policies and a record add is measured on one connection as for Okta: adoption by userName and externalId,
ownership, leaving, and an audit entry in the transaction of each change; beside it the same provider lets everybody in
and tells nobody. In the lines over HTTP a request is what a client waits for; in the others it is the call of the
application.
"""


def terminal_table(rows: Sequence[Row], title: str = "scimcore beside scim2-server 0.8.3") -> Table:
    """The rows with their verdicts, for the terminal."""
    table = Table(title=title)
    further = _with_interpreted(rows)
    table.add_column("operation")
    for name in ("peer", "ours", "ratio", *further, "target"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        verdict = "[green]pass" if row.passes else "[bold red]short"
        table.add_row(row.operation.replace("[", r"\["), *_cells(row, further), verdict)
    return table


def growth_table(series: Sequence[Series]) -> Table:
    """The cost at each size, and how it grows, for the terminal."""
    table = Table(title="Growth")
    for name in ("cost", "of", "at sizes", "exponent"):
        table.add_column(name, justify="right" if name == "exponent" else "left")
    for one in series:
        points = ", ".join(f"{count:,}: {duration(seconds)}" for count, seconds in one.points)
        peer = "".join(f"; peer {count:,}: {duration(seconds)}" for count, seconds in one.peer)
        table.add_row(one.name.replace("[", r"\["), one.sizes, points + peer, f"{one.exponent:.2f}")
    return table


def written(run: Run, docs: Path) -> list[Path]:
    """Write the pages and charts below *docs*; which they are."""
    charts = {
        "ratios": ratios_chart(run.rows),
        "group-size": cost_chart(
            "One member more or less, by the size of the group",
            "PATCH of a group; the time for one request",
            run.by_group,
        ),
        "store-size": cost_chart(
            "Operations on one user, by the number of users",
            "An index answers each of them; the time for one request",
            run.by_store,
        ),
    }
    paths = []
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    for name, chart in charts.items():
        paths.append(docs / "benchmarks" / f"{name}.svg")
        paths[-1].write_text(chart, encoding="utf-8")
    paths.append(docs / "benchmarks.md")
    paths[-1].write_text("\n".join(_page(run)), encoding="utf-8")
    speed = docs / "explanation" / "speed.md"
    if speed.exists():
        paths.append(speed)
        speed.write_text(_with_profile(speed.read_text(encoding="utf-8"), run.profiles), encoding="utf-8")
    return paths


def _page(run: Run) -> Iterator[str]:
    yield "# Benchmarks\n"
    yield "Written by `make bench`; run it to see the numbers of your own machine. None is typed in.\n"
    yield _facts({"date": date.today().isoformat(), **machine.facts()})
    yield "## Beside scim2-server\n"
    yield "![Times faster than scim2-server](benchmarks/ratios.svg)\n"
    yield from beside_peer(run.rows)
    yield (
        "The last lines compare scimcore with itself and with what it is built on: their *peer* is the time in a\n"
        "group of 100, and the time to import pydantic and scim2-filter-parser.\n"
    )
    yield "### How it is measured\n"
    yield _HOW
    yield "## Growth\n"
    yield (
        "The exponent is the power of the size that the cost grows with, over all sizes or in the last step,\n"
        "whichever is steeper: 0 is flat, 1 is linear. Tests hold it, with slack, at smaller sizes. A change of\n"
        "members is answered with the group (200) up to 100 members and with nothing (204) above.\n"
    )
    yield "![Cost by group size](benchmarks/group-size.svg)\n"
    yield "![Cost by store size](benchmarks/store-size.svg)\n"
    for series in (run.by_group, run.by_store, run.beyond):
        yield from _growth(series)
    yield from on_database(run.database)
    yield from _memory(run.memory)
    yield from _start(run.start)


def beside_peer(rows: Sequence[Row]) -> Iterator[str]:
    """The table beside the peer; for compiled sources, with what they reach interpreted."""
    further = _with_interpreted(rows)
    yield _table(
        ("operation", "peer", "scimcore", "ratio", *further, "target", ""),
        [(row.operation, *_cells(row, further), "pass" if row.passes else "**short**") for row in rows],
    )
    if further:
        yield (
            "*Interpreted* is the ratio that the same sources reach uncompiled, against the same peer, in a process\n"
            "of their own right after the others.\n"
        )


def _with_interpreted(rows: Sequence[Row]) -> tuple[str, ...]:
    """The column that only some runs have."""
    return ("interpreted",) if any(row.interpreted is not None for row in rows) else ()


def _cells(row: Row, further: Sequence[str] = ()) -> tuple[str, ...]:
    sign = "≤" if row.at_most else "≥"
    return (
        "—" if row.peer is None else duration(row.peer),
        duration(row.ours),
        _ratio(row.ratio, row),
        *(_ratio(row.interpreted, row) for _ in further),
        f"{sign} {row.target:g}{'' if row.at_most else ' ×'}",
    )


def _ratio(ratio: float | None, row: Row) -> str:
    if ratio is None:
        return "—"
    return f"{ratio:.2f}" if row.at_most else f"{brief(ratio)} ×"


def _growth(series: Sequence[Series]) -> Iterator[str]:
    """A table for those that have the same sizes."""
    groups: dict[tuple[str, tuple[int, ...]], list[Series]] = {}
    for one in series:
        groups.setdefault((one.sizes, tuple(count for count, _ in one.points)), []).append(one)
    for (sizes, counts), alike in groups.items():
        lines = []
        for one in alike:
            lines.append((one.name, *(duration(seconds) for _, seconds in one.points), f"{one.exponent:.2f}"))
            if one.peer:
                peer = dict(one.peer)
                times = (duration(peer[count]) if count in peer else "" for count in counts)
                lines.append((f"scim2-server: {one.name}", *times, ""))
        yield _table((sizes, *(f"{count:,}" for count in counts), "exponent"), lines)


def on_database(database: Database) -> Iterator[str]:
    """The section about the SQL storage."""
    yield "## On a database\n"
    yield _table(
        ("operation", "peer or small", "scimcore", "ratio", "target", ""),
        [(row.operation, *_cells(row), "pass" if row.passes else "**short**") for row in database.rows],
    )
    yield _HOW_STORED
    listing = database.listing
    lines = [
        ("a request over HTTP that the application does nothing for", duration(database.floor)),
        (f"the process, after a tenth of {listing.users:,} users was listed", size(listing.resident[0][1])),
        ("the same after all of them", size(listing.resident[-1][1])),
    ]
    yield _table(("beside them", ""), lines)
    sharing = database.sharing
    if sharing is None:
        yield "There is no PostgreSQL here, so nothing was measured on it.\n"
        return
    yield (
        f"Several server processes on one PostgreSQL, {sharing.clients} clients, one tenant. Every name is asked for\n"
        "by two clients: one gets it (201), one is refused (409), and afterwards every server shows every user once.\n"
    )
    rates = [
        (name, *(f"{rate:,.0f}" for rate in found.values()), f"{found[2] / found[1]:.2f} ×")
        for name, found in (("create, half of them refused", sharing.creates), ("GET", sharing.reads))
    ]
    heads = (f"{count} process{'es' if count > 1 else ''}" for count in sharing.creates)
    yield _table(("requests per second", *heads, "two ÷ one"), rates)


def _memory(memory: Memory) -> Iterator[str]:
    yield "## Memory\n"
    lines = [("a stored user with its index entries", size(memory.user_bytes))]
    if memory.peer_user_bytes is not None:
        lines.append(("scim2-server: a stored user", size(memory.peer_user_bytes)))
    lines += [
        ("a member of a group, with the way back from user to group", size(memory.member_bytes)),
        (f"peak while serving a list of {memory.list_size:,}", size(memory.list_peak_bytes)),
        ("the body of that list", size(memory.list_body_bytes)),
        (f"left behind by each of {memory.traced[-1][0]:,} mixed requests", f"{memory.bytes_per_request:.1f} B"),
    ]
    yield _table(("traced by tracemalloc", "bytes"), lines)
    yield (
        f"Over {memory.counted[-1][0]:,} mixed requests, reads, searches, changes and refusals, counted with\n"
        f"`sys.getallocatedblocks`: {memory.blocks_per_request:.4f} objects left behind by each. What is remembered\n"
        "of requests is bounded; it is full after the first half, so that the second shows the rest.\n"
    )


def _start(start: Start) -> Iterator[str]:
    yield "## Start\n"
    names = {
        starting.OURS: "`import scimcore`",
        starting.FLOOR: "importing pydantic's `BaseModel` and scim2-filter-parser",
        starting.LEAST: "the same with a bare `import pydantic`, which loads its parts later",
        starting.MODEL: "the same, and one model defined: pydantic loads more for the first",
        starting.PEER: "importing scim2-server's ASGI application and memory storage",
    }
    lines = [(names[statement], duration(seconds)) for statement, seconds in start.statements.items()]
    lines += [
        ("an interpreter that does nothing, as a process", duration(start.bare)),
        ("an interpreter that imports scimcore and answers one request, as a process", duration(start.first_answer)),
    ]
    yield _table(("median of fresh interpreters", "time"), lines)


def _with_profile(page: str, profiles: Sequence[Profile]) -> str:
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    return f"{head}{_BEGIN}\n\n{_profile(profiles)}\n{_END}{tail}"


def _profile(profiles: Sequence[Profile]) -> str:
    used = [stage for stage in STAGES if any(one.stages[stage] for one in profiles)]
    times = [
        (
            one.operation,
            *(_microseconds(one.stages[stage]) for stage in used),
            f"**{_microseconds(one.total)}**",
            _microseconds(one.floor),
            f"{brief(one.total / one.floor)} ×",
        )
        for one in profiles
    ]
    floors = [(one.operation, one.floor_of, f"{one.samples:,}") for one in profiles]
    hot = [
        (one.operation, ", ".join(f"`{name}` {_microseconds(seconds)}" for name, seconds in one.hottest))
        for one in profiles
    ]
    return "\n".join(
        (
            "Microseconds of one request, by stage:\n",
            _table(("operation", *used, "all", "floor", "all ÷ floor"), times),
            "What the floor does, and how often the operation was looked at:\n",
            _table(("operation", "floor", "looks"), floors, left=2),
            "The functions that take most, in microseconds, with what they call outside scimcore:\n",
            _table(("operation", "functions"), hot, left=2),
        )
    )


def _microseconds(seconds: float) -> str:
    if not seconds:
        return ""
    micro = seconds * 1e6
    return f"{micro:,.0f}" if micro >= 99.5 else f"{micro:.1f}"


def _facts(facts: Mapping[str, str]) -> str:
    return _table(("", ""), list(facts.items()), left=2)


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], left: int = 1) -> str:
    rules = ["---" if number < left else "---:" for number in range(len(heads))]
    cells = [heads, rules, *([cell.replace("|", r"\|") for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
