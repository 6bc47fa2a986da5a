"""The wheel is what was asked for, and what is compiled of it is what mypyc gets right.

That the compiled modules behave like their sources is for `make compiled-test`: it runs all other tests on them.
"""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias
from zipfile import ZipFile

import pytest
from compiling.hook import compiled_modules

ROOT: Final = Path(__file__).parents[2]
_BUILD: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
_HOOK: Final = _BUILD["targets"]["wheel"]["hooks"]["custom"]
INCLUDE: Final[list[str]] = _HOOK["include"]
EXCLUDE: Final[list[str]] = _HOOK["exclude"]
MODULES: Final = compiled_modules(ROOT, INCLUDE, EXCLUDE)

_OF_ATTRS: Final = frozenset({"field", "Factory", "ib", "attrib"})
"""mypyc makes the class itself, without asking attrs: defaults, validators and converters given so would be lost."""

_Suspending: TypeAlias = ast.Await | ast.AsyncWith | ast.AsyncFor | ast.Yield | ast.YieldFrom


# Which modules


@pytest.mark.parametrize("pattern", INCLUDE)
def test_a_pattern_of_what_is_compiled_names_something_that_is(pattern: str) -> None:
    assert compiled_modules(ROOT, [pattern], EXCLUDE)


@pytest.mark.parametrize("pattern", EXCLUDE)
def test_a_pattern_of_what_stays_interpreted_takes_something_out(pattern: str) -> None:
    others = [other for other in EXCLUDE if other != pattern]
    assert len(compiled_modules(ROOT, INCLUDE, others)) > len(MODULES)


def test_patterns_choose_sources_and_take_out_those_that_others_name(tmp_path: Path) -> None:
    for name in ("src/a/__init__.py", "src/a/b.py", "src/a/c.py", "src/d.py", "src/a/typed.txt", "elsewhere/a/b.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert compiled_modules(tmp_path, ["/src/a/"], ["__init__.py", "/src/a/c.py"]) == ["src/a/b.py"]
    assert compiled_modules(tmp_path, ["/src/a/c.py", "/src/d.py"], []) == ["src/a/c.py", "src/d.py"]


def settled_by_attrs(module: Path) -> Iterator[int]:
    """The lines that use of attrs what mypyc does not know."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="attrs" | "attr"), attr=name) if name in _OF_ATTRS:
                yield node.lineno
            case ast.ImportFrom(module="attrs" | "attr", names=names) if _OF_ATTRS.intersection(n.name for n in names):
                yield node.lineno


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_leaves_no_field_to_attrs(module: str) -> None:
    assert list(settled_by_attrs(ROOT / module)) == []


@pytest.mark.parametrize(
    "line",
    ["x: int = attrs.field(default=1)", "x: list[int] = attrs.Factory(list)", "from attrs import field, frozen"],
)
def test_a_field_left_to_attrs_is_found(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"import attrs\n\n{line}\n")
    assert list(settled_by_attrs(path)) == [3]


def suspended_in_handlers(module: Path) -> Iterator[int]:
    """The lines that suspend while an exception is being handled.

    A coroutine of Python keeps the exception that it handles to itself. One of mypyc (seen in 2.4) leaves it with the
    thread, where the next task meets it: tasks end with one another's exceptions, or never, or the process crashes.
    `async with` awaits its end while it handles.
    """
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AsyncWith):
            yield node.lineno
        elif isinstance(node, ast.ExceptHandler | ast.Try):
            body = node.body if isinstance(node, ast.ExceptHandler) else node.finalbody
            yield from (inner.lineno for inner in _within(body) if isinstance(inner, _Suspending))


def _within(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All that runs where *body* runs: not what functions that it defines do later."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _within(list(ast.iter_child_nodes(node)))


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_never_suspends_while_it_handles_an_exception(module: str) -> None:
    assert list(suspended_in_handlers(ROOT / module)) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("async with a:\n        b()", [2]),
        ("try:\n        a()\n    except E:\n        await b()", [5]),
        ("try:\n        a()\n    finally:\n        if b:\n            yield c", [6]),
        ("try:\n        await a()\n    except E:\n        b()\n    else:\n        await c()\n    await d()", []),
        ("try:\n        await a()\n    finally:\n        async def b(): await c()", []),
    ],
)
def test_suspending_while_an_exception_is_handled_is_found(lines: str, found: list[int], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"async def f():\n    {lines}\n")
    assert list(suspended_in_handlers(path)) == found


def test_all_modules_that_are_to_be_compiled_are_or_none_is() -> None:
    origins = {module: _origin(module) for module in MODULES}
    compiled = [module for module, origin in origins.items() if origin.endswith(tuple(EXTENSION_SUFFIXES))]
    assert compiled in ([], MODULES)


def _origin(module: str) -> str:
    spec = find_spec(".".join(Path(module).relative_to("src").with_suffix("").parts))
    return "" if spec is None or spec.origin is None else spec.origin


# Which wheel


def built(wish: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A wheel in *folder*, made without the network, or what was said instead."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index"]
    return subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        env={**os.environ, "SCIMCORE_BUILD": wish},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_a_pure_wheel_runs_anywhere_and_holds_everything(tmp_path: Path) -> None:
    run = built("pure", tmp_path)
    assert run.returncode == 0, run.stdout
    (wheel,) = tmp_path.iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = (path for path in ROOT.glob("src/**/*") if path.is_file() and path.suffix != ".pyc")
    assert held == {path.relative_to(ROOT / "src").as_posix() for path in sources}
    assert "scimcore/py.typed" in held
    assert any(name.startswith("scimcore/storage/sql/migrations/versions/") for name in held)


def test_a_wish_for_a_wheel_that_there_is_not_is_refused(tmp_path: Path) -> None:
    run = built("fast", tmp_path)
    assert run.returncode != 0
    assert "SCIMCORE_BUILD is 'fast', not 'pure' or 'compiled'" in run.stdout
    assert list(tmp_path.iterdir()) == []
