"""The build hook that compiles: the modules that `pyproject.toml` names go through mypyc, where a C compiler is there.

The wheel holds the same sources beside what was compiled of them, and behaves the same; it is only faster. Nothing is
written into the source tree, so an editable install never meets compiled modules by accident.

SCIMCORE_BUILD says otherwise: `pure` makes the wheel that runs anywhere, `compiled` fails rather than make that one.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from pathspec import GitIgnoreSpec

_SOURCES: Final = "src"
_SETTINGS: Final = """\
[mypy]
cache_dir = {cache}
mypy_path = src
namespace_packages = True
explicit_package_bases = True
ignore_missing_imports = True
"""
# A process of its own, because mypyc prints to the standard output and ends the process where something is wrong.
_COMPILING: Final = """\
import sys
from mypyc.build import mypycify
from setuptools import Distribution

settings, generated, built, *paths = sys.argv[1:]
arguments = ["--config-file", settings, *paths]
extensions = mypycify(arguments, target_dir=generated, group_name="scimcore", multi_file=True, debug_level="0")
for extension in extensions if sys.platform == "linux" else ():
    # Nobody looks for anything but the modules, and calls go to their functions, and to Python's, without a detour.
    extension.extra_compile_args += ["-fvisibility=hidden", "-fno-plt"]
command = Distribution({"name": "scimcore", "ext_modules": extensions}).get_command_obj("build_ext")
command.build_lib, command.build_temp = built, generated
command.ensure_finalized()
command.run()
"""


class CompilingHook(BuildHookInterface[Any]):
    """Compiles what the patterns `include` name and `exclude` does not."""

    PLUGIN_NAME = "custom"

    _folder: TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """What the build needs: the compiler, and all that the types of the sources come from."""
        if not _is_wanted():
            return []
        return ["mypy>=2.1", "setuptools>=77", *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say where the wheel finds the results.

        Raises:
            RuntimeError: A compiled wheel is asked for, and mypyc or the C compiler fails; the message is its output.
        """
        if version == "editable" or not _is_wanted():
            return
        self._folder = TemporaryDirectory(prefix="scimcore-compiled-")
        folder = Path(self._folder.name)
        settings, built = folder / "mypy.ini", folder / "built"
        settings.write_text(_SETTINGS.format(cache=folder / "cache"))
        modules = compiled_modules(Path(self.root), self.config["include"], self.config["exclude"])
        arguments = [str(settings), str(folder / "generated"), str(built), *modules]
        run = subprocess.run(
            [sys.executable, "-c", _COMPILING, *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if run.returncode:
            if _is_demanded():
                raise RuntimeError(f"scimcore could not be compiled:\n{run.stdout}")
            self.app.display_warning("scimcore could not be compiled; the wheel is a slower one that runs anywhere")
            return
        for path in built.rglob("*"):
            if path.is_file():
                build_data["force_include"][str(path)] = str(path.relative_to(built))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Throw away what the wheel holds by now."""
        if self._folder is not None:
            self._folder.cleanup()


def compiled_modules(root: Path, include: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """The source files below *root* that patterns in the manner of `.gitignore` choose, relative to it."""
    named, left_out = GitIgnoreSpec.from_lines(include), GitIgnoreSpec.from_lines(exclude)
    names = sorted(path.relative_to(root).as_posix() for path in Path(root, _SOURCES).rglob("*.py"))
    return [name for name in names if named.match_file(name) and not left_out.match_file(name)]


def _is_demanded() -> bool:
    return os.environ.get("SCIMCORE_BUILD") == "compiled"


def _is_wanted() -> bool:
    """Whether to try: compiled code is asked for, or it is left open and this machine looks as if it could."""
    wish = os.environ.get("SCIMCORE_BUILD", "")
    if wish not in ("", "pure", "compiled"):
        raise ValueError(f"SCIMCORE_BUILD is {wish!r}, not 'pure' or 'compiled'")
    if wish:
        return wish == "compiled"
    if sys.implementation.name != "cpython":
        return False
    compiler = (sysconfig.get_config_var("CC") or "cl").split()[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").exists()
