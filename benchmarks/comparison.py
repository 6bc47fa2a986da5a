"""Whether two contenders did the same work: the same class of status, and the same content in what they answered."""

from collections.abc import Mapping
from json import dumps
from typing import Any, Final

from benchmarks.contenders import Contender
from benchmarks.exchange import Answer
from benchmarks.timing import Case, Runner

_OF_THE_SERVER: Final = frozenset({"id", "meta", "$ref"})
"""What each server makes up itself."""

_EXAMPLES: Final = 3


class DifferentAnswersError(Exception):
    """The contenders were asked the same and did not do the same."""


def essence(value: Any, names: Mapping[str, str]) -> Any:
    """*value* without what each server makes up, ids as *names* call them, and lists in one order."""
    match value:
        case dict():
            parts = {name: essence(part, names) for name, part in value.items() if name not in _OF_THE_SERVER}
            return {name: part for name, part in sorted(parts.items()) if part not in (None, [], {})}
        case list():
            return sorted((essence(part, names) for part in value), key=lambda part: dumps(part, sort_keys=True))
        case str():
            return names.get(value, value)
        case _:
            return value


async def warmed(runners: list[Runner]) -> None:
    """Run the first requests of a case on every contender, and compare what comes of them.

    Raises:
        DifferentAnswersError: A status class, a body that all of them sent, or what a read shows afterwards differs.
    """
    for number in range(_EXAMPLES):
        answers = [await runner.contender.ask(runner.case.request(number)) for runner in runners]
        expected = runners[0].case.status // 100
        if any(answer.status // 100 != expected for answer in answers):
            raise DifferentAnswersError(f"statuses {[answer.status for answer in answers]}")
        if all(answer.body for answer in answers):
            _check_same(runners, answers)
        _check_same(runners, await _witnessed(runners, number))
        for runner in runners:
            if runner.case.restore is not None:
                await runner.contender.done(runner.case.restore(number))
    for runner in runners:
        runner.done += _EXAMPLES


async def _witnessed(runners: list[Runner], number: int) -> list[Answer]:
    return [await _witness(runner.contender, runner.case, number) for runner in runners if runner.case.witness]


async def _witness(contender: Contender, case: Case, number: int) -> Answer:
    assert case.witness is not None
    return await contender.done(case.witness(number))


def _check_same(runners: list[Runner], answers: list[Answer]) -> None:
    found = [
        essence(answer.document, {id: f"user {number}" for number, id in enumerate(runner.contender.users)})
        for runner, answer in zip(runners, answers, strict=False)
    ]
    for runner, other in zip(runners[1:], found[1:], strict=False):
        if other != found[0]:
            here, there = dumps(found[0], indent=1).splitlines(), dumps(other, indent=1).splitlines()
            line = next(number for number, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1])
            raise DifferentAnswersError(f"ours {here[line].strip()}, {runner.contender.name} {there[line].strip()}")
