"""What is kept for each user and member, what serving a long list takes, and whether anything is left behind."""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final
from urllib.parse import quote

from benchmarks.contenders import Contender, Making, ours
from benchmarks.exchange import Exchange
from benchmarks.operations import addition_case, list_case, look_up_case, patch_case, read_case, replace_case
from benchmarks.people import SEED, encoded, person
from benchmarks.results import Memory

_CHECKPOINTS: Final = 10
_MOST_TRACED: Final = 10_000
_TRACED_VARIETY: Final = 1_000
"""Tracing takes five times as long as the requests. For more of them, blocks are counted, which costs nothing."""


async def measured(users: int, listed: int, requests: int, variety: int, peer: Making | None = None) -> Memory:
    """All of it; slow, because every allocation is traced.

    The mixed *requests* repeat themselves after *variety* of them.
    """
    contender = ours()
    with _tracing():
        user_bytes = await _per_user(contender, users)
        before = _held()
        await contender.gather("Everyone", contender.users)
        member_bytes = (_held() - before) / len(contender.users)
        peer_user_bytes = None if peer is None else await _per_user(peer(), users // 4)
    body_bytes, peak_bytes = await _listing(listed)
    # From the beginning: what is replaced later must have been counted.
    with _tracing():
        traced = await _mixed(min(requests, _MOST_TRACED), min(variety, _TRACED_VARIETY), _held)
    counted = await _mixed(requests, variety, _blocks)
    return Memory(
        user_bytes=user_bytes,
        member_bytes=member_bytes,
        peer_user_bytes=peer_user_bytes,
        list_size=listed,
        list_body_bytes=body_bytes,
        list_peak_bytes=peak_bytes,
        traced=traced,
        counted=counted,
    )


@contextmanager
def _tracing() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _blocks() -> int:
    """The blocks of memory that the interpreter has given out: at least one for each object that is alive."""
    gc.collect()
    return sys.getallocatedblocks()


async def _per_user(contender: Contender, users: int) -> float:
    # A few first: what is made once is not part of a user.
    few = 50
    await contender.hire(few)
    before = _held()
    await contender.hire(few + users)
    return (_held() - before) / users


async def _listing(size: int) -> tuple[int, int]:
    contender = ours()
    await contender.hire(size)
    exchange = Exchange("GET", "/Users", query=f"count={size}")
    await contender.done(exchange)
    with _tracing():
        before = _held()
        answer = await contender.done(exchange)
        return len(answer.body), tracemalloc.get_traced_memory()[1] - before


async def _mixed(requests: int, variety: int, meter: Callable[[], int]) -> tuple[tuple[int, int], ...]:
    """Reads, searches, changes and refusals in a random order, over a store that is as large after as before."""
    users = 150
    contender = ours()
    await contender.hire(users)
    group = await contender.gather("Team", contender.users[:110])
    addition = addition_case(group, contender.users[110:])
    read, look_up, listing = (case(contender).request for case in (read_case, look_up_case, list_case))
    replace, change = replace_case(contender).request, patch_case(contender).request
    assert addition.restore is not None
    kinds: tuple[Callable[[int], Exchange], ...] = (
        *(read,) * 6,
        *(look_up,) * 3,
        *(change,) * 4,
        *(addition.request, addition.restore) * 2,
        replace,
        lambda number: Exchange("GET", "/Users", query=f"count={number % 4}"),
        lambda number: Exchange("GET", "/Users", query="filter=" + quote(f'title eq "Nobody {number}"')),
        lambda number: Exchange("GET", f"/Users/nobody-{number}"),
        lambda number: Exchange("GET", "/Users", query=f"attributes=emails,unknown{number}&count=1"),
        lambda number: Exchange("GET", "/Users", query=quote(f"filter=unknown{number} pr", safe="=")),
        lambda number: Exchange("PATCH", f"/Users/{contender.users[number % users]}", body=b'{"Operations": '),
    )
    chance = Random(SEED)
    order = bytes(chance.randrange(len(kinds)) for _ in range(variety))
    await contender.ask(listing(0))
    share = requests // _CHECKPOINTS
    checkpoints = []
    start = meter()
    for checkpoint in range(1, _CHECKPOINTS + 1):
        for done in range(share * (checkpoint - 1), share * checkpoint):
            number = done % variety
            if number % 20 == 0:
                await _come_and_go(contender, users + number)
            else:
                await contender.ask(kinds[order[number]](number))
        checkpoints.append((share * checkpoint, meter() - start))
    return tuple(checkpoints)


async def _come_and_go(contender: Contender, number: int) -> None:
    """Create a user who was never there and delete them again."""
    answer = await contender.done(Exchange("POST", "/Users", body=encoded(person(number))))
    await contender.done(Exchange("DELETE", f"/Users/{answer.document['id']}"))
