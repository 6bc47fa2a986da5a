"""Time per request: warm-up, then rounds that alternate between the contenders, then the median round.

The garbage collector stays on while requests run, as in a server, and its work counts. Before each turn it runs once;
before the first, what the storages hold is put out of its sight (`gc.freeze`), so that the size of one contender's
storage does not slow the other.
"""

import gc
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import Final

import attrs

from benchmarks.contenders import Contender
from benchmarks.exchange import Ear, Exchange

Seconds = float

_MOST: Final = 2_000


@attrs.frozen
class Pace:
    """How long a run may take."""

    rounds: int
    round_seconds: Seconds
    """Roughly; an operation that takes longer is done once in a round."""


FULL: Final = Pace(rounds=15, round_seconds=0.12)
SURVEY: Final = Pace(rounds=5, round_seconds=0.08)
"""For curves, where many sizes are measured and each point has neighbours."""
QUICK: Final = Pace(rounds=3, round_seconds=0.03)


@attrs.frozen
class Case:
    """A request that can be repeated: the first, the second … may differ, so that each finds work to do."""

    request: Callable[[int], Exchange]
    restore: Callable[[int], Exchange] | None = None
    """What undoes the request of that number; its time does not count."""
    witness: Callable[[int], Exchange] | None = None
    """What reads the state that the request of that number leaves."""
    status: int = 200
    """The class of the status that every answer must have."""


@attrs.define
class Runner:
    """A case on a contender, and how often it has run."""

    contender: Contender
    case: Case
    done: int = 0

    async def run(self, count: int) -> Seconds:
        """The mean time of the next *count* requests.

        Raises:
            RuntimeError: An answer has another status than the case says.
        """
        total = 0
        application, root_path = self.contender.application, self.contender.root_path
        ear = Ear()
        send = ear.send
        for number in range(self.done, self.done + count):
            exchange = self.case.request(number)
            scope, receive = exchange.scope(root_path), exchange.receive()
            start = perf_counter_ns()
            await application(scope, receive, send)
            total += perf_counter_ns() - start
            if ear.status // 100 != self.case.status // 100:
                raise RuntimeError(f"{self.contender.name} answered {ear.status} to {exchange.method} {exchange.path}")
            if self.case.restore is not None:
                await self.contender.done(self.case.restore(number))
        self.done += count
        return total / count / 1e9

    async def paced(self, pace: Pace) -> int:
        """How many requests make a round, found while warming up."""
        # The first may build what all later ones use: an index, a compiled filter.
        await self.run(1)
        count = max(1, min(_MOST, int(pace.round_seconds / max(await self.run(1), 1e-7))))
        # A tenth of a round warms what the first requests have not.
        await self.run(max(1, count // 10))
        return count


async def in_turn(cases: Sequence[Sequence[Runner]], pace: Pace) -> list[list[Seconds]]:
    """The median times of a request in each of *cases*, on each of its runners.

    In every round each case has its turn, and in it each runner: a spell in which the machine is slow lies on rounds of
    all cases, and on no more than a few of any.
    """
    counts = [[await runner.paced(pace) for runner in runners] for runners in cases]
    rounds: list[list[list[Seconds]]] = [[[] for _ in runners] for runners in cases]
    gc.collect()
    gc.freeze()
    try:
        for _ in range(pace.rounds):
            for runners, sizes, times in zip(cases, counts, rounds, strict=True):
                for runner, count, found in zip(runners, sizes, times, strict=True):
                    gc.collect()
                    found.append(await runner.run(count))
    finally:
        gc.unfreeze()
    return [[median(found) for found in times] for times in rounds]


async def compared(runners: Sequence[Runner], pace: Pace) -> list[Seconds]:
    """The median time of a request on each runner, over rounds that alternate between them."""
    (seconds,) = await in_turn([runners], pace)
    return seconds


async def timed(runner: Runner, pace: Pace) -> Seconds:
    """The median time of a request."""
    (seconds,) = await compared([runner], pace)
    return seconds


def repeated(action: Callable[[], object], pace: Pace) -> Seconds:
    """The median time of *action*, which needs no event loop."""
    start = perf_counter_ns()
    action()
    once = max((perf_counter_ns() - start) / 1e9, 1e-7)
    count = max(1, min(20_000, int(pace.round_seconds / 2 / once)))
    times = []
    for _ in range(pace.rounds):
        gc.collect()
        start = perf_counter_ns()
        for _ in range(count):
            action()
        times.append((perf_counter_ns() - start) / count / 1e9)
    return median(times)


Preparing = Callable[[Contender], Awaitable[Case]]
