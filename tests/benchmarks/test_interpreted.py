"""The benchmarks say whether they measured compiled code, and measure the same sources interpreted beside it."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import attrs
import pytest

from benchmarks import interpreted, machine, report
from benchmarks.__main__ import in_process
from benchmarks.operations import OPERATIONS
from benchmarks.results import Row, against_peer
from benchmarks.scale import SMALL, Scale
from benchmarks.timing import Pace
from benchmarks.wire import serving

_SHORT: Final = Pace(rounds=1, round_seconds=0.001)
_TINY: Final[Scale] = attrs.evolve(SMALL, pace=_SHORT, survey=_SHORT, watched_seconds=0.05)
_OPERATIONS: Final = {one.name for one in OPERATIONS}
_ROOT: Final = Path(__file__).parents[2]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that takes what it imports for compiled, whatever it is; others find out for themselves."""
    monkeypatch.setattr(machine, "origin", lambda: "scimcore/rules/patch.so")


@pytest.mark.usefixtures("compiled")
def test_beside_compiled_code_the_same_operations_are_measured_interpreted() -> None:
    steps: list[str] = []
    rows, profiles = asyncio.run(in_process(_TINY, None, steps.append))
    assert steps[-1] == "the table and profiles, interpreted"
    assert {row.operation for row in rows} == {profile.operation for profile in profiles} == _OPERATIONS
    # Compiled predicates have no place on the stack of Python: only interpreted ones are ever seen there.
    (walk,) = [profile for profile in profiles if profile.operation == "unindexed filter over 2,000 users"]
    assert walk.stages["filter and path"] > walk.total / 4


@pytest.mark.usefixtures("compiled")
def test_compiled_code_is_never_measured_as_interpreted() -> None:
    with pytest.raises(RuntimeError, match="is compiled"):
        asyncio.run(interpreted.measured_here(_TINY, peer=False))


def test_what_fails_in_the_other_process_is_no_measurement(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        interpreted.measured(attrs.evolve(_TINY, pace=Pace(rounds=0, round_seconds=0.001)), peer=False)
    assert "StatisticsError" in capfd.readouterr().err


@pytest.mark.parametrize("before", [{}, {"PYTHONPATH": ""}, {"PYTHONPATH": "build/compiled"}])
def test_the_sources_come_before_every_other_scimcore(before: dict[str, str]) -> None:
    environment = interpreted.environment({"LANG": "C", **before})
    first, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert Path(first) == _ROOT / "src"
    assert others == [path for path in before.values() if path]
    assert environment["LANG"] == "C"


def test_each_row_is_given_what_it_reaches_interpreted() -> None:
    rows = [against_peer("GET", 0.3, 0.01, 25), Row("own", 1.0, 1.2, 1.2, 1.5, at_most=True)]
    found = interpreted.beside(rows, [against_peer("GET", 0.3, 0.02, 25)])
    assert [row.interpreted for row in found] == [pytest.approx(15), None]
    assert [row.ratio for row in found] == [row.ratio for row in rows]


def test_the_table_shows_what_is_reached_interpreted_where_it_was_measured() -> None:
    row = against_peer("GET", 0.3, 0.01, 25)
    own = Row("own", 1.0, 1.2, 1.2, 1.5, at_most=True)
    without = "\n".join(report.beside_peer([row, own]))
    assert "| operation | peer | scimcore | ratio | target |  |" in without
    assert "nterpreted" not in without
    page = "\n".join(report.beside_peer([attrs.evolve(row, interpreted=15.0), own]))
    assert "| operation | peer | scimcore | ratio | interpreted | target |  |" in page
    assert "| GET | 300 ms | 10 ms | 30 × | 15 × | ≥ 25 × | pass |" in page
    assert "| own | 1 s | 1.2 s | 1.20 | — | ≤ 1.5 | pass |" in page
    assert "*Interpreted* is" in page


@pytest.mark.parametrize(
    ("origin", "said"),
    [("/site/scimcore/rules/patch.py", "interpreted"), ("/site/scimcore/rules/patch.cpython-311.so", "compiled")],
)
def test_the_versions_say_whether_scimcore_is_compiled(origin: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "origin", lambda: origin)
    assert machine.facts()["scimcore"].endswith(f", {said}")


def test_a_server_that_imports_another_scimcore_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(_ROOT / "src" / "scimcore", tmp_path / "scimcore", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="the server imports"), serving("nothing"):
        pass
