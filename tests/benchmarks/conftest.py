"""The benchmarks at sizes for every test run: what they assert are ratios within one run, never times."""

import pytest

from benchmarks.timing import Pace


@pytest.fixture(scope="session")
def pace() -> Pace:
    return Pace(rounds=5, round_seconds=0.02)
