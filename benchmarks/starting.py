"""Import time and start-up, in fresh interpreters that take turns."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.results import Row, Start
from benchmarks.timing import Seconds

OURS: Final = "import scimcore"
FLOOR: Final = "from pydantic import BaseModel; import scim2_filter_parser.lexer, scim2_filter_parser.parser"
"""`import pydantic` alone imports next to nothing: the package loads its parts when they are asked for."""
LEAST: Final = "import pydantic, scim2_filter_parser.lexer, scim2_filter_parser.parser"
MODEL: Final = f"{FLOOR}\nclass Model(BaseModel): pass"
PEER: Final = "import scim2_server.applications.asgi, scim2_server.memory"

_FIRST_ANSWER: Final = """
from scimcore import Request, ScimProvider
from scimcore.access import anonymous
from scimcore.storage import MemoryStorage
provider = ScimProvider(MemoryStorage(), authenticate=anonymous())
assert provider.handle_sync(Request("GET", "/Users")).status == 200
"""


def loaded_modules(statement: str) -> frozenset[str]:
    """The modules in a fresh interpreter after *statement*, without those that any interpreter has."""
    after = _output(f"{statement}\nimport sys\nprint(*sys.modules)")
    return frozenset(after.split()) - frozenset(_output("import sys\nprint(*sys.modules)").split())


def measured(rounds: int, *, peer: bool) -> Start:
    """Median times over *rounds* rounds, each of which starts every interpreter once."""
    statements = (OURS, FLOOR, LEAST, MODEL, *((PEER,) if peer else ()))
    actions: list[Callable[[], Seconds]] = [lambda one=one: _inside(one) for one in statements]  # type: ignore[misc]
    actions += [lambda: _outside("pass"), lambda: _outside(_FIRST_ANSWER)]
    times = _in_turn(actions, rounds)
    return Start(dict(zip(statements, times, strict=False)), bare=times[-2], first_answer=times[-1])


def row(start: Start) -> Row:
    """The line of the table that is about imports."""
    floor, ours = start.statements[FLOOR], start.statements[OURS]
    name = "import of `scimcore` ÷ of pydantic and scim2-filter-parser"
    return Row(name, floor, ours, ours / floor, 1.5, at_most=True, note="peer: the two imports")


def _in_turn(actions: Sequence[Callable[[], Seconds]], rounds: int) -> list[Seconds]:
    for action in actions:
        action()  # writes the byte code, fills the file cache
    times = [[action() for action in actions] for _ in range(rounds)]
    return [median(column) for column in zip(*times, strict=True)]


def _inside(statement: str) -> Seconds:
    return float(
        _output(f"from time import perf_counter\nstart = perf_counter()\n{statement}\nprint(perf_counter() - start)")
    )


def _outside(statement: str) -> Seconds:
    start = perf_counter()
    _output(statement)
    return perf_counter() - start


def _output(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
