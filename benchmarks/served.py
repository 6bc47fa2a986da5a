"""Both contenders as servers: one process each, the same uvicorn, one client or several; scimcore on a SQLite file, the
peer on its memory storage. And what a second process adds where several share one PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import attrs

from benchmarks import accounts
from benchmarks.exchange import Exchange
from benchmarks.people import encoded, patch, person, user_name
from benchmarks.results import Row, Sharing, against_peer
from benchmarks.serving import MANAGED, RELAXED
from benchmarks.timing import Pace, Seconds
from benchmarks.wire import Wire, serving, spread
from scimcore.storage import SqlStorage
from scimcore.testing import postgres

_USERS: Final = 100
_CLIENTS: Final = 4
AT_ONCE: Final = 16
"""Connections to one process, each with a request under way."""


@attrs.define
class _Server:
    wires: list[Wire]
    users: list[str] = attrs.field(factory=list)
    created: int = 0
    changed: int = 0

    def create(self) -> Exchange:
        self.created += 1
        return Exchange("POST", "/Users", body=encoded(person(self.created)))

    def read(self) -> Exchange:
        self.changed += 1
        return Exchange("GET", f"/Users/{self.users[self.changed % len(self.users)]}")

    def change(self) -> Exchange:
        self.changed += 1
        body = patch({"op": "replace", "path": "title", "value": f"Title {self.changed}"})
        return Exchange("PATCH", f"/Users/{self.users[self.changed % len(self.users)]}", body=body)


_OPERATIONS: Final[dict[str, Callable[[_Server], Exchange]]] = {
    "create a user": _Server.create,
    "GET one user": _Server.read,
    "PATCH one attribute": _Server.change,
}


def over_http(pace: Pace, *, peer: bool) -> list[Row]:
    """One operation after the other, the servers taking turns; and what the server itself takes."""
    with TemporaryDirectory(prefix="scimcore-bench-") as folder, ExitStack() as stack:
        urls = _databases(folder)
        whats = (urls[0], RELAXED + urls[1], *(("peer",) if peer else ()))
        servers = [stack.enter_context(_served(what)) for what in whats]
        rows = []
        for name, request in _OPERATIONS.items():
            for clients in (1, AT_ONCE):
                full, normal, *theirs = _compared(servers, request, clients, pace)
                measured = [(f"{_by(clients)}: {name}", full)]
                if clients == 1 and request is not _Server.read:
                    measured.append((f"{measured[0][0]}, `synchronous = NORMAL`", normal))
                rows += [against_peer(line, theirs[0] if theirs else None, ours, 3) for line, ours in measured]
        return rows


def with_accounts(pace: Pace) -> list[Row]:
    """What tokens, policies and a record add to what a client waits for; the servers take turns."""
    with TemporaryDirectory(prefix="scimcore-bench-") as folder, ExitStack() as stack:
        urls = _databases(folder)
        servers = [stack.enter_context(_served(what)) for what in (urls[0], MANAGED + urls[1])]
        rows = []
        for name, request, target in accounts.ADDED:
            for clients in (1, AT_ONCE):
                without, with_all = _compared(servers, _OPERATIONS[request], clients, pace)
                rows.append(accounts.row(f"{_by(clients)}: {name}", without, with_all, target))
        return rows


def _databases(folder: str) -> list[str]:
    """The URLs of two new ones."""
    urls = [f"sqlite:///{Path(folder) / name}" for name in ("one.db", "other.db")]
    for url in urls:
        storage = SqlStorage(url)
        storage.create_all()
        storage.close()
    return urls


def _by(clients: int) -> str:
    return f"over HTTP, {clients} client{'s' if clients > 1 else ''}"


def _compared(
    servers: Sequence[_Server], request: Callable[[_Server], Exchange], clients: int, pace: Pace
) -> list[Seconds]:
    """What a request takes each server; they take turns."""
    times: list[list[Seconds]] = [[] for _ in servers]
    for round in range(pace.rounds + 1):
        for server, found in zip(servers, times, strict=True):
            spent = _spent(server, request, clients, pace)
            if round:
                found.append(spent)
    return list(map(median, times))


def floor(pace: Pace) -> Seconds:
    """What one request takes if the application does nothing."""
    with serving("nothing") as port:
        wire = Wire(port)
        exchange = Exchange("GET", "/Users/0")
        times = []
        for _ in range(pace.rounds):
            start = perf_counter()
            for _ in range(200):
                wire.done(exchange)
            times.append((perf_counter() - start) / 200)
        wire.close()
    return median(times)


@contextmanager
def _served(what: str) -> Iterator[_Server]:
    with serving(what) as port:
        name = "scim2-server" if what == "peer" else "scimcore"
        server = _Server([Wire(port, name) for _ in range(AT_ONCE)])
        for _ in range(_USERS):
            server.users.append(server.wires[0].done(server.create()).document["id"])
        yield server
        for wire in server.wires:
            wire.close()


def _spent(server: _Server, request: Callable[[_Server], Exchange], clients: int, pace: Pace) -> Seconds:
    """The time of a round for each request in it, without the making of the requests."""
    total, count = 0.0, 0
    # With several clients the end of a batch leaves some of them idle, so it is a long one.
    batch = 1 if clients == 1 else clients * 8
    while total < pace.round_seconds:
        exchanges = [request(server) for _ in range(batch)]
        start = perf_counter()
        if clients == 1:
            server.wires[0].done(exchanges[0])
        else:
            spread(server.wires[:clients], exchanges)
        total += perf_counter() - start
        count += batch
    return total / count


# Several processes


def shared(requests: int) -> Sharing | None:
    """What one and two server processes do on one PostgreSQL; None where there is none.

    Raises:
        RuntimeError: A user is missing, is there twice, or a name was given to two.
    """
    if postgres.binaries() is None:
        return None
    with postgres.server() as location:
        url = f"postgresql+psycopg{location}"
        storage = SqlStorage(url)
        storage.create_all()
        storage.close()
        creates, reads = {}, {}
        for processes in (1, 2):
            with ExitStack() as stack:
                ports = [stack.enter_context(serving(url)) for _ in range(processes)]
                creates[processes], ids = _created(ports, processes * 1_000_000, requests)
                reads[processes] = _read(ports, ids, requests)
                _check(ports, processes * 1_000_000, requests, ids)
        return Sharing(_CLIENTS, creates, reads)


def _created(ports: Sequence[int], first: int, requests: int) -> tuple[float, list[str]]:
    """Create users, each name by two clients on different servers at about the same time: one of them gets it."""
    names = [first + number // 2 for number in range(requests)]
    statuses: Counter[int] = Counter()
    ids: list[str] = []

    def create(wire: Wire, number: int) -> None:
        answer = wire.ask(Exchange("POST", "/Users", body=encoded(person(number))))
        statuses[answer.status] += 1
        if answer.status == 201:
            ids.append(answer.document["id"])

    rate = _rate(ports, create, names)
    if statuses != {201: requests // 2, 409: requests // 2}:
        raise RuntimeError(f"of {requests} creates of {requests // 2} names: {dict(statuses)}")
    return rate, ids


def _read(ports: Sequence[int], ids: Sequence[str], requests: int) -> float:
    def read(wire: Wire, number: int) -> None:
        wire.done(Exchange("GET", f"/Users/{ids[number % len(ids)]}"))

    return _rate(ports, read, range(requests))


def _check(ports: Sequence[int], first: int, requests: int, ids: Sequence[str]) -> None:
    """Every server shows every user, once."""
    for port in ports:
        wire = Wire(port)
        for number in range(first, first + requests // 2):
            found = wire.done(Exchange("GET", "/Users", query=f"filter=userName%20eq%20%22{user_name(number)}%22"))
            if [one["id"] in ids for one in found.document["Resources"]] != [True]:
                raise RuntimeError(f"{user_name(number)} is not there once")
        wire.close()


def _rate(ports: Sequence[int], act: Callable[[Wire, int], None], numbers: Sequence[int]) -> float:
    """How often per second *act* is done by several clients that share the *numbers* out, spread over the servers."""
    wires = [Wire(ports[client % len(ports)]) for client in range(_CLIENTS)]

    def run(client: int) -> None:
        for number in numbers[client::_CLIENTS]:
            act(wires[client], number)

    start = perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(run, range(_CLIENTS)))
    spent = perf_counter() - start
    for wire in wires:
        wire.close()
    return len(numbers) / spent
