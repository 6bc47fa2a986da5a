"""The benchmarks measure what they say: the comparison notices differences, the pages show what was found."""

import asyncio
from xml.etree import ElementTree

import attrs
import pytest

from benchmarks.charts import cost_chart, ratios_chart
from benchmarks.comparison import DifferentAnswersError, essence, warmed
from benchmarks.contenders import Contender, ours
from benchmarks.exchange import Exchange
from benchmarks.operations import look_up_case, patch_case, table
from benchmarks.results import Row, Series, against_peer
from benchmarks.timing import Case, Pace, Runner
from benchmarks.wording import brief, duration, size


def test_every_operation_of_the_table_runs_and_changes_what_it_says() -> None:
    rows = asyncio.run(table((ours, ours), Pace(rounds=1, round_seconds=0.001), lambda _: None))
    assert len(rows) == 10
    assert all(row.ratio is not None and 0.01 < row.ratio < 100 for row in rows)


def test_two_contenders_that_answer_differently_are_found_out() -> None:
    async def compare() -> None:
        runners = []
        for count in (20, 1):  # the second only ever looks for the one user it has
            contender = ours()
            await contender.hire(count)
            runners.append(Runner(contender, look_up_case(contender)))
        await warmed(runners)

    with pytest.raises(DifferentAnswersError):
        asyncio.run(compare())


def test_two_contenders_whose_state_differs_afterwards_are_found_out() -> None:
    async def compare() -> None:
        contenders = [ours(), ours()]
        for contender in contenders:
            await contender.hire(5)
        cases = [patch_case(contender) for contender in contenders]
        third = Exchange("GET", f"/Users/{contenders[1].users[4]}")
        runners = [Runner(one, case) for one, case in zip(contenders, cases, strict=True)]
        runners[1] = Runner(contenders[1], attrs.evolve(cases[1], witness=lambda _: third))
        await warmed(runners)

    with pytest.raises(DifferentAnswersError):
        asyncio.run(compare())


def test_a_refusal_is_no_measurement() -> None:
    async def run(contender: Contender) -> None:
        await Runner(contender, Case(lambda _: Exchange("GET", "/Users/nobody"))).run(1)

    with pytest.raises(RuntimeError, match="404"):
        asyncio.run(run(ours()))


def test_the_essence_of_an_answer_is_without_what_servers_make_up() -> None:
    mine = {"id": "1", "meta": {"version": "1"}, "emails": [{"value": "b"}, {"value": "a"}], "title": None}
    theirs = {"id": "2", "emails": [{"value": "a"}, {"value": "b"}], "groups": []}
    assert essence(mine, {}) == essence(theirs, {})
    assert essence(["1"], {"1": "user 0"}) == essence(["2"], {"2": "user 0"})
    assert essence({"a": 1}, {}) != essence({"a": 2}, {})


@pytest.mark.parametrize(
    ("power", "most"),
    [(0, 0.01), (1, 1.01), (2, 2.01)],
)
def test_the_exponent_is_the_power_of_the_size(power: int, most: float) -> None:
    series = Series("cost", "things", tuple((size, 1e-6 * size**power) for size in (10, 100, 1_000)), 1)
    assert most - 0.02 < series.exponent < most


def test_growth_that_a_fixed_cost_hides_still_shows_in_the_last_step() -> None:
    series = Series("cost", "things", tuple((size, 1 + 1e-4 * size**2) for size in (10, 100, 1_000)), 1)
    assert series.exponent > 1.5


@pytest.mark.parametrize(
    ("row", "passes"),
    [
        (against_peer("GET", 50.0, 1.0, 50), True),
        (against_peer("GET", 49.0, 1.0, 50), False),
        (against_peer("GET", None, 1.0, 50), False),
        (Row("own", 1.0, 1.4, 1.4, 1.5, at_most=True), True),
        (Row("own", 1.0, 1.6, 1.6, 1.5, at_most=True), False),
    ],
)
def test_a_row_passes_when_its_ratio_keeps_the_target(row: Row, passes: bool) -> None:
    assert row.passes is passes


def test_charts_are_well_formed_and_show_every_line() -> None:
    rows = [against_peer("GET", 0.5, 0.001, 100), against_peer("PUT <all>", 0.5, 0.1, 20)]
    series = [
        Series("add", "members", ((10, 1e-4), (1_000, 2e-4)), 0, peer=((10, 1e-3),)),
        Series("x", "y", ((1, 1),), 0),
    ]
    for chart, shown in ((ratios_chart(rows), "PUT <all>"), (cost_chart("Title", "note", series), "add")):
        texts = [element.text for element in ElementTree.fromstring(chart).iter() if element.text]
        assert any(shown in text for text in texts)


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.2e-6, "4.2 µs"), (42e-6, "42 µs"), (999.6e-6, "1 ms"), (4.25e-3, "4.2 ms"), (33.3, "33 s")]
)
def test_a_time_is_written_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_keep_the_digits_that_count() -> None:
    assert [brief(one) for one in (0.25, 4, 42.4, 1234.5)] == ["0.25", "4", "42", "1,234"]
    assert [size(one) for one in (444, 3_800, 1_874_196)] == ["444 B", "3.8 kB", "1.9 MB"]
