"""Where the time of an operation goes: the stack is looked at in random moments, and each look belongs to one stage.

Sampling slows nothing down but what it interrupts, so that small functions do not look larger than they are; the
shares it finds are applied to the time measured without it. The floor beside it is the work that no design can leave
out: parse, validate and dump the same payload, and nothing else.
"""

import signal
from collections import Counter
from collections.abc import Callable
from random import Random
from time import perf_counter
from types import FrameType
from typing import Any, Final, Literal

import attrs
import orjson
from pydantic import BaseModel

from benchmarks.contenders import Contender, ours
from benchmarks.exchange import Ear, Exchange
from benchmarks.operations import OPERATIONS
from benchmarks.people import SEED
from benchmarks.results import Profile
from benchmarks.timing import Case, Pace, Runner, Seconds, repeated, timed
from scimcore.models import User

STAGES: Final = (
    "adapter",
    "authentication",
    "routing",
    "JSON in",
    "messages",
    "validation",
    "filter and path",
    "change",
    "storage",
    "flow and events",
    "representation",
    "JSON out",
)
_OF_MODULES: Final = {
    "scimcore.adapters": "adapter",
    "scimcore.engine.http": "adapter",
    "scimcore.access": "authentication",
    "scimcore.engine": "flow and events",
    "scimcore.engine.routing": "routing",
    "scimcore.engine.operation": "routing",
    "scimcore.engine.wire": "JSON in",
    "scimcore.engine.answer": "representation",
    "scimcore.engine.representation": "representation",
    "scimcore.engine.immediate": "storage",
    "scimcore.schema.messages": "messages",
    "scimcore.rules": "change",
    "scimcore.rules.receive": "validation",
    "scimcore.rules.filter": "filter and path",
    "scimcore.rules.terms": "filter and path",
    "scimcore.rules.binding": "filter and path",
    "scimcore.rules.grammar": "filter and path",
    "scimcore.rules.syntax": "filter and path",
    "scimcore.rules.tokens": "filter and path",
    "scimcore.rules.path": "filter and path",
    "scimcore.rules.project": "representation",
    "scimcore.rules.envelope": "representation",
    "scimcore.rules.etag": "representation",
    "scimcore.storage": "storage",
}
_HOTTEST: Final = 5
_SHORTEST: Final = 0.0002
"""Seconds between two looks, at least; the rest is chance, so that no rhythm of the work is met."""


@attrs.define
class _Watch:
    """Counts where a request is, whenever it is looked at."""

    stages: Counter[str] = attrs.field(factory=Counter)
    functions: Counter[str] = attrs.field(factory=Counter)
    is_open: bool = False
    is_over: bool = False
    _chance: Random = attrs.field(factory=lambda: Random(SEED))

    def look(self, _: int, frame: FrameType | None) -> None:
        if self.is_open:
            self._count(frame)
        if not self.is_over:  # a look may come late, when the clock has been stopped
            self.wait()

    def wait(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, _SHORTEST + self._chance.random() * _SHORTEST)

    def _count(self, frame: FrameType | None) -> None:
        is_leaf = True
        while frame is not None:
            module: str = frame.f_globals.get("__name__", "")
            if module.startswith("scimcore."):
                function = f"{module.removeprefix('scimcore.')}.{frame.f_code.co_qualname}"
                if is_leaf:
                    self.functions[function] += 1
                    is_leaf = False
                stage = _stage_of(module, frame.f_code.co_name)
                if stage is not None:
                    self.stages[stage] += 1
                    return
            frame = frame.f_back


def _stage_of(module: str, function: str) -> str | None:
    """The stage of a frame; None for what serves every stage, such as the schema."""
    if module == "scimcore.engine.wire" and function == "written":
        return "JSON out"
    while module:
        if module in _OF_MODULES:
            return _OF_MODULES[module]
        module = module.rpartition(".")[0]
    return None


async def _watched(contender: Contender, case: Case, done: int, seconds: Seconds) -> _Watch:
    watch, ear = _Watch(), Ear()
    application, root_path = contender.application, contender.root_path
    before = signal.signal(signal.SIGALRM, watch.look)
    watch.wait()
    try:
        end = perf_counter() + seconds
        while perf_counter() < end:
            exchange = case.request(done)
            scope, receive = exchange.scope(root_path), exchange.receive()
            watch.is_open = True
            await application(scope, receive, ear.send)
            watch.is_open = False
            if case.restore is not None:
                await contender.done(case.restore(done))
            done += 1
    finally:
        watch.is_over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return watch


# Floors


class _Operation(BaseModel):
    op: Literal["add", "replace", "remove"]
    path: str | None = None
    value: Any = None


class _Message(BaseModel):
    schemas: list[str]
    Operations: list[_Operation]


@attrs.frozen
class _Floor:
    of: str
    work: Callable[[bytes, Any], object]
    """What is done with the request's body and the answer's document."""


_DUMP: Final = _Floor("dump", lambda _, document: orjson.dumps(document))
_USER: Final = _Floor(
    "parse, validate, dump", lambda body, document: (User.model_validate_json(body), orjson.dumps(document))
)
_PATCH: Final = _Floor(
    "parse, validate, dump", lambda body, document: (_Message.model_validate_json(body), orjson.dumps(document))
)
_MEMBER: Final = _Floor("parse, validate", lambda body, _: _Message.model_validate_json(body))


_FLOORS: Final[dict[str, _Floor]] = {
    "GET": _DUMP,
    "POST": _USER,
    "PUT": _USER,
    "PATCH": _PATCH,
}


async def _floor(contender: Contender, exchange: Exchange, pace: Pace) -> tuple[str, Seconds]:
    answer = await contender.done(exchange)
    floor = _FLOORS[exchange.method] if answer.body else _MEMBER
    document = orjson.loads(answer.body) if answer.body else None
    return floor.of, repeated(lambda: floor.work(exchange.body, document), pace)


async def profiles(pace: Pace, seconds: Seconds) -> list[Profile]:
    """Every operation of the table, each watched for *seconds*."""
    found = []
    for operation in OPERATIONS:
        contender = ours()
        case = await operation.prepare(contender)
        runner = Runner(contender, case)
        total = await timed(runner, pace)
        watch = await _watched(contender, case, runner.done, seconds)
        floor_of, floor = await _floor(contender, case.request(runner.done + 1_000_000), pace)
        looks = sum(watch.stages.values()) or 1
        found.append(
            Profile(
                operation=operation.name,
                total=total,
                stages={stage: total * watch.stages[stage] / looks for stage in STAGES},
                hottest=tuple((name, total * count / looks) for name, count in watch.functions.most_common(_HOTTEST)),
                floor=floor,
                floor_of=floor_of,
                samples=looks,
            )
        )
    return found
