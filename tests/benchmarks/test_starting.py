"""A bare `import scimcore` imports what it needs and nothing heavy besides."""

import sys
from typing import Final

import pytest

from benchmarks import starting

_DEPENDENCIES: Final = (
    "import attrs, scim2_filter_parser.lexer, scim2_filter_parser.parser\n"
    "from pydantic import BaseModel\n"
    "class Model(BaseModel): pass"
)
_LIGHT: Final = frozenset({"_json", "base64", "bisect", "hashlib", "hmac", "json", "random", "secrets"})
"""Of the standard library, what scimcore may import although its dependencies do not."""


@pytest.fixture(scope="module")
def imported() -> frozenset[str]:
    return starting.loaded_modules(starting.OURS)


@pytest.mark.parametrize(
    "heavy",
    [
        *("asyncio", "concurrent.futures", "multiprocessing", "sqlite3", "http.server", "urllib.request", "unittest"),
        *("hypothesis", "pytest", "rich", "uvicorn", "starlette", "fastapi", "django", "flask", "sqlalchemy", "httpx"),
        *("scim2_models", "scim2_server", "scimcore.cli", "scimcore.models", "scimcore.adapters", "scimcore.testing"),
        *("pydantic.main", "scimcore.schema.messages", "scimcore.engine.provider", "scimcore.storage.memory"),
    ],
)
def test_importing_scimcore_leaves_heavy_modules_alone(imported: frozenset[str], heavy: str) -> None:
    assert heavy not in imported


def test_a_provider_over_a_storage_builds_no_pydantic_model_before_it_reads_a_message() -> None:
    imported = starting.loaded_modules("from scimcore import ScimProvider\nfrom scimcore.storage import MemoryStorage")
    assert imported.isdisjoint({"pydantic.main", "scimcore.schema.messages"})


def test_of_the_standard_library_scimcore_adds_little_to_what_its_dependencies_import(imported: frozenset[str]) -> None:
    added = imported - starting.loaded_modules(_DEPENDENCIES)
    roots = {name.partition(".")[0] for name in added}
    public = {root for root in roots & sys.stdlib_module_names if not root.startswith("_")}
    assert public <= _LIGHT


def test_no_other_package_is_imported(imported: frozenset[str]) -> None:
    added = imported - starting.loaded_modules(_DEPENDENCIES)
    roots = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    # The second is where a compiled wheel keeps what its modules share.
    assert roots <= {"scimcore", "scimcore__mypyc", "pydantic"}
