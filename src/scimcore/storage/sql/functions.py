"""How each database looks into the column of comparison keys (`scimcore.storage.comparable`).

Names of attributes are bound parameters like everything else. What is asked for and not there is NULL.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

import attrs
from sqlalchemy import ColumnElement, FromClause, String, Text, case, cast, func, literal

from scimcore.rules.etag import tag
from scimcore.storage.sql.tables import RESOURCE

_Path: TypeAlias = Sequence[str]
"""Labels, from the outside to the inside."""


class Elements(NamedTuple):
    """The elements of a list, as rows."""

    rows: FromClause
    keys: ColumnElement[str]
    """Those of one element."""


@attrs.frozen
class KeyFunctions:
    """The functions of one kind of database."""

    text: Callable[[ColumnElement[str], _Path], ColumnElement[str]]
    """The key at a path, ordered by code point."""
    exists: Callable[[ColumnElement[str], _Path], ColumnElement[bool]]
    """Whether anything, null included, is at a path."""
    elements: Callable[[ColumnElement[str], _Path], Elements]
    """The list at a path, element by element; nothing where there is none."""
    first: Callable[[ColumnElement[str], _Path, str], ColumnElement[str]]
    """The key at a label of the first element of the list at a path, ordered by code point."""
    contains: Callable[[ColumnElement[str], str], ColumnElement[bool]]
    """Whether a text contains another."""
    by_code_point: Callable[[ColumnElement[str]], ColumnElement[str]]
    """A text that is compared code point by code point."""


# SQLite


def _in_sqlite(path: _Path, suffix: str = "") -> str:
    # A label holds nothing that would end the quotes.
    return "$" + "".join(f'."{label}"' for label in path) + suffix


def _sqlite_text(keys: ColumnElement[str], path: _Path) -> ColumnElement[str]:
    return func.json_extract(keys, _in_sqlite(path), type_=Text)


def _sqlite_exists(keys: ColumnElement[str], path: _Path) -> ColumnElement[bool]:
    return func.json_type(keys, _in_sqlite(path), type_=Text).is_not(None)


def _sqlite_elements(keys: ColumnElement[str], path: _Path) -> Elements:
    rows = func.json_each(keys, _in_sqlite(path)).table_valued("value", "type")
    # An attribute that was not multi-valued when the keys were written must not fail the search.
    return Elements(rows, case((rows.c["type"] == "object", rows.c["value"])))


def _sqlite_first(keys: ColumnElement[str], path: _Path, label: str) -> ColumnElement[str]:
    return func.json_extract(keys, _in_sqlite(path, f'[0]."{label}"'), type_=Text)


def _sqlite_contains(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    return func.instr(text, part) > 0


def _as_it_is(text: ColumnElement[str]) -> ColumnElement[str]:
    return text


# PostgreSQL


def _by_code_point(text: ColumnElement[str]) -> ColumnElement[str]:
    return text.collate("C")


def _postgresql_text(keys: ColumnElement[str], path: _Path) -> ColumnElement[str]:
    return _by_code_point(func.jsonb_extract_path_text(keys, *path, type_=Text))


def _postgresql_exists(keys: ColumnElement[str], path: _Path) -> ColumnElement[bool]:
    return func.jsonb_extract_path(keys, *path, type_=String).is_not(None)


def _postgresql_elements(keys: ColumnElement[str], path: _Path) -> Elements:
    found: ColumnElement[str] = func.jsonb_extract_path(keys, *path, type_=String)
    listed = case((func.jsonb_typeof(found) == "array", found))
    rows = func.jsonb_array_elements(listed).table_valued("value")
    return Elements(rows, rows.c["value"])


def _postgresql_first(keys: ColumnElement[str], path: _Path, label: str) -> ColumnElement[str]:
    return _postgresql_text(keys, (*path, "0", label))


def _postgresql_contains(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    return func.strpos(text, part) > 0


def version_text(functions: KeyFunctions) -> ColumnElement[str]:
    """The `meta.version` of a record (RFC 7644 §3.14)."""
    before, after = tag(0).split("0")
    text: ColumnElement[str] = literal(before).concat(cast(RESOURCE.c.version, Text)).concat(after)
    return functions.by_code_point(text)


KEY_FUNCTIONS: Final = {
    "sqlite": KeyFunctions(_sqlite_text, _sqlite_exists, _sqlite_elements, _sqlite_first, _sqlite_contains, _as_it_is),
    "postgresql": KeyFunctions(
        _postgresql_text,
        _postgresql_exists,
        _postgresql_elements,
        _postgresql_first,
        _postgresql_contains,
        _by_code_point,
    ),
}
"""By the name of the database."""
