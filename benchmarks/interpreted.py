"""The same sources interpreted: the table and the profiles, measured in a process that imports `src`.

What compiling is worth shows only where one run measures both. And where the time goes shows only in the stacks of
Python, on which compiled code has no place.

`python -m benchmarks.interpreted` takes a pickled Scale, and whether to measure the peer too, from the standard input;
it gives the pickled rows and profiles to the standard output.
"""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import attrs

from benchmarks import machine, stages
from benchmarks.contenders import installed_peer, ours
from benchmarks.operations import table
from benchmarks.results import Profile, Row
from benchmarks.scale import Scale

_ROOT: Final = Path(__file__).parents[1]


def measured(scale: Scale, *, peer: bool) -> tuple[list[Row], list[Profile]]:
    """The rows of the table and the profiles, from a process of its own.

    Raises:
        subprocess.CalledProcessError: It failed; what it said is on the standard error.
    """
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.interpreted"],
        cwd=_ROOT,
        env=environment(os.environ),
        input=pickle.dumps((scale, peer)),
        stdout=subprocess.PIPE,
        check=True,
    )
    rows, profiles = pickle.loads(run.stdout)
    return rows, profiles


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """*outer*, in which the sources come before everything else that is called scimcore.

    >>> environment({"PYTHONPATH": "build/compiled"})["PYTHONPATH"].split(os.pathsep)
    ['...src', 'build/compiled']
    """
    paths = [str(_ROOT / "src"), outer.get("PYTHONPATH", "")]
    return {**outer, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def beside(rows: Sequence[Row], interpreted: Sequence[Row]) -> list[Row]:
    """*rows*, each with the ratio that the same operation reaches *interpreted*."""
    ratios = {row.operation: row.ratio for row in interpreted}
    return [attrs.evolve(row, interpreted=ratios.get(row.operation)) for row in rows]


async def measured_here(scale: Scale, *, peer: bool) -> tuple[list[Row], list[Profile]]:
    """The rows and the profiles, from this process.

    Raises:
        RuntimeError: This process has imported compiled modules.
    """
    if machine.is_compiled():
        raise RuntimeError("the scimcore that this process imports is compiled")
    theirs = installed_peer() if peer else None
    makings = (ours,) if theirs is None else (ours, theirs)
    rows = await table(makings, scale.pace, lambda _: None)
    return rows, await stages.profiles(scale.survey, scale.watched_seconds)


def main() -> None:
    """Answer one question, as the module says."""
    scale, peer = pickle.load(sys.stdin.buffer)
    with redirect_stdout(sys.stderr):
        found = asyncio.run(measured_here(scale, peer=peer))
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    main()
