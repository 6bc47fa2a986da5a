"""What is kept is in proportion, and what a request uses is given back."""

import asyncio

import pytest

from benchmarks import memory
from benchmarks.results import Memory


@pytest.fixture(scope="module")
def measured() -> Memory:
    # The requests repeat themselves, so that what is remembered of them is soon complete.
    return asyncio.run(memory.measured(users=400, listed=1_000, requests=5_000, variety=500))


def test_a_user_takes_a_few_kilobytes(measured: Memory) -> None:
    assert measured.user_bytes < 8_000


def test_a_member_takes_a_fraction_of_a_kilobyte(measured: Memory) -> None:
    assert measured.member_bytes < 1_000


def test_a_list_of_a_thousand_takes_little_more_than_its_body(measured: Memory) -> None:
    assert measured.list_body_bytes > 500_000
    assert measured.list_peak_bytes < 6 * measured.list_body_bytes


def test_requests_leave_nothing_behind(measured: Memory) -> None:
    # Anything kept of a request, an id in a list say, would be more.
    assert measured.bytes_per_request < 16
    assert measured.is_steady
