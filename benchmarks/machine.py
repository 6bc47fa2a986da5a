"""What the run ran on: enough to judge the numbers by, and nothing that names the machine."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from sqlite3 import sqlite_version
from typing import Final

import scimcore.rules.patch

_PACKAGES: Final = (
    "scimcore",
    "scim2-server",
    "scim2-models",
    "orjson",
    "pydantic",
    "pydantic-core",
    "attrs",
    "scim2-filter-parser",
    "sqlalchemy",
    "psycopg",
    "uvicorn",
    "httptools",
    "uvloop",
)


def facts() -> dict[str, str]:
    """The processor, the system and the versions, and whether this scimcore is compiled."""
    packages = {name: found for name in _PACKAGES if (found := _version(name)) is not None}
    if "scimcore" in packages:
        packages["scimcore"] += ", compiled" if is_compiled() else ", interpreted"
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": sqlite_version,
        **packages,
    }


def is_compiled() -> bool:
    """Whether the scimcore that this process imports is compiled, as far as a wheel compiles it."""
    return not origin().endswith(".py")


def origin() -> str:
    """The file that the rules of PATCH are imported from; they are compiled wherever anything is."""
    return scimcore.rules.patch.__file__


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    if known.exists():
        for line in known.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
