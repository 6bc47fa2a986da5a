"""What a run found, as values."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from benchmarks.timing import Seconds


@attrs.frozen
class Row:
    """One line of the table: ours against the peer's, or against another of ours."""

    operation: str
    peer: Seconds | None
    """None if there is no peer here, or the line compares scimcore with itself."""
    ours: Seconds
    ratio: float | None
    target: float
    at_most: bool = False
    """The ratio is a cost to stay below, not a gain to reach."""
    note: str = ""
    interpreted: float | None = None
    """The ratio of the same sources interpreted, where it was measured beside compiled ones."""

    @property
    def passes(self) -> bool:
        """Whether the ratio keeps the target; what was not measured does not."""
        if self.ratio is None:
            return False
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def against_peer(operation: str, peer: Seconds | None, ours: Seconds, target: float) -> Row:
    """How many times faster than the peer."""
    return Row(operation, peer, ours, None if peer is None else peer / ours, target)


@attrs.frozen
class Series:
    """The cost of one thing at several sizes of something."""

    name: str
    sizes: str
    """What the sizes count."""
    points: tuple[tuple[int, Seconds], ...]
    most: float
    """The exponent that growth may have: 1 is linear, 0 is flat."""
    peer: tuple[tuple[int, Seconds], ...] = ()

    @property
    def exponent(self) -> float:
        """The power of the size that the cost grows with: over all sizes or in the last step, whichever is steeper.

        A fixed cost hides growth at small sizes, chance can feign it in one step; so both are looked at.
        """
        return max(_slope(self.points), _slope(self.points[-2:]))


def _slope(points: Sequence[tuple[int, Seconds]]) -> float:
    """The slope of the least-squares line on logarithmic axes."""
    xs = [math.log(size) for size, _ in points]
    ys = [math.log(seconds) for _, seconds in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return rise / sum((x - mean_x) ** 2 for x in xs)


Checkpoints: TypeAlias = tuple[tuple[int, int], ...]
"""Requests done -> what is held beyond what was held at the start."""


@attrs.frozen
class Memory:
    """What is kept, and what is used on the way."""

    user_bytes: float
    member_bytes: float
    peer_user_bytes: float | None
    list_size: int
    list_body_bytes: int
    list_peak_bytes: int
    traced: Checkpoints
    """In bytes."""
    counted: Checkpoints
    """In blocks of memory, at least one for each object that is alive."""

    @property
    def bytes_per_request(self) -> float:
        """What each of the traced requests leaves behind."""
        return _per_request(self.traced)

    @property
    def blocks_per_request(self) -> float:
        """How many objects each of the counted requests leaves behind."""
        return _per_request(self.counted)

    @property
    def is_steady(self) -> bool:
        """Whether requests leave nothing behind: not one object in ten requests."""
        return self.blocks_per_request < 0.1


def _per_request(checkpoints: Checkpoints) -> float:
    """The slope of the second half: what is bounded is full by then."""
    (first, low), (last, high) = checkpoints[len(checkpoints) // 2], checkpoints[-1]
    return (high - low) / (last - first)


@attrs.frozen
class Listing:
    """All users, page by page, each page after the one before."""

    users: int
    early_page: Seconds
    deep_page: Seconds
    """A page with nine tenths of the users before it."""
    resident: Checkpoints
    """Users listed -> bytes of memory that the process holds; no bytes where the system does not tell."""

    @property
    def grown_bytes(self) -> int:
        """By how much the process grew after the first tenth."""
        return self.resident[-1][1] - self.resident[0][1]

    @property
    def is_flat(self) -> bool:
        """Whether what is held does not follow what was listed."""
        return self.grown_bytes < 8_000_000


@attrs.frozen
class Sharing:
    """Requests per second of one tenant on one PostgreSQL, by the number of server processes."""

    clients: int
    creates: Mapping[int, float]
    """Half of them are refused, because each name is asked for twice."""
    reads: Mapping[int, float]


@attrs.frozen
class Database:
    """What was found of the SQL storage."""

    rows: Sequence[Row]
    listing: Listing
    floor: Seconds
    """A request over HTTP that the application does nothing for."""
    sharing: Sharing | None
    """None where there is no PostgreSQL."""


@attrs.frozen
class Start:
    """From nothing to ready, in fresh interpreters."""

    statements: Mapping[str, Seconds]
    """What is run -> how long it takes inside the interpreter."""
    bare: Seconds
    """The process without it, from outside."""
    first_answer: Seconds
    """The process that imports, builds a provider and answers one request, from outside."""


@attrs.frozen
class Profile:
    """Where the time of one operation goes."""

    operation: str
    total: Seconds
    stages: Mapping[str, Seconds]
    hottest: tuple[tuple[str, Seconds], ...]
    """The functions that take most, with what they call outside scimcore."""
    floor: Seconds
    floor_of: str
    samples: int


@attrs.frozen
class Run:
    """Everything that one run found."""

    rows: Sequence[Row]
    by_group: Sequence[Series]
    by_store: Sequence[Series]
    beyond: Sequence[Series]
    memory: Memory
    database: Database
    start: Start
    profiles: Sequence[Profile]

    @property
    def passes(self) -> bool:
        """Whether every target is met, requests leave nothing behind, and a long listing holds nothing."""
        rows = (*self.rows, *self.database.rows)
        return self.memory.is_steady and self.database.listing.is_flat and all(row.passes for row in rows)
