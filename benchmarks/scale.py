"""How much is measured: everything, or a little of everything."""

from typing import Final

import attrs

from benchmarks.timing import FULL, QUICK, SURVEY, Pace


@attrs.frozen
class Scale:
    """How much is measured."""

    pace: Pace
    survey: Pace
    sizes: tuple[int, ...]
    peer_sizes: tuple[int, ...]
    """Where the peer is still bearable: it takes seconds for one member of a group of 100,000."""
    asked: tuple[int, ...]
    """How many members one request adds."""
    large: int
    removed: tuple[int, ...]
    peer_removes: bool
    listed: int
    mixed: int
    variety: int
    """After how many of the mixed requests they repeat themselves."""
    starts: int
    watched_seconds: float
    stored: tuple[int, int]
    """Users in the small and in the large database."""
    large_group: int
    shared: int
    """Requests to each number of server processes."""


WHOLE: Final = Scale(
    pace=FULL,
    survey=SURVEY,
    sizes=(10, 100, 1_000, 10_000, 100_000),
    peer_sizes=(10, 100, 1_000, 10_000),
    asked=(10, 100, 1_000),
    large=10_000,
    removed=(1, 10, 100),
    peer_removes=True,
    listed=1_000,
    mixed=200_000,
    variety=50_000,
    starts=9,
    watched_seconds=1.5,
    stored=(10_000, 1_000_000),
    large_group=100_000,
    shared=4_000,
)
SMALL: Final = Scale(
    pace=QUICK,
    survey=QUICK,
    sizes=(10, 100, 1_000, 10_000),
    peer_sizes=(10, 100, 1_000),
    asked=(10, 100, 1_000),
    large=1_000,
    removed=(1, 10, 100),
    peer_removes=False,
    listed=1_000,
    mixed=10_000,
    variety=1_000,
    starts=5,
    watched_seconds=0.4,
    stored=(1_000, 10_000),
    large_group=10_000,
    shared=400,
)
