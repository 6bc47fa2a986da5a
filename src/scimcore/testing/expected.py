"""What a JSON value is expected to look like, in part; written as JSON, so that it can stand in a transcript.

An expected value matches
    a scalar    the same scalar (true is not 1)
    an object   an object that has at least these attributes, with matching values
    a list      a list of the same length, element by element
    {"$contains": [a, b]}   a list with an element for each of these, in any order; of text: a text it contains
    {"$excludes": [a, b]}   a list (or nothing) with no element that matches one of these
    {"$one_of": [a, b]}     anything that one of these matches
    {"$type": "integer"}    any value of that JSON type: string, integer, number, boolean, array, object
    {"$length": 3}          a list of that length
    {"$not_empty": true}    a value that is there and is not null, "", [] or {}
    {"$empty": true}        nothing, null, "", [] or {}
    {"$absent": true}       nothing: the attribute is not there at all
The signs start with `$` because SCIM has attributes called `type`; several of them in one object hold together.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final, Literal, TypeAlias

from pydantic import JsonValue
from pydantic_core import to_json


class Nothing(Enum):
    """What stands where an attribute does not stand."""

    HERE = "nothing"


Found: TypeAlias = JsonValue | Literal[Nothing.HERE]


def found_at(document: JsonValue, pointer: str) -> Found:
    """What the JSON Pointer leads to (RFC 6901 §4).

    >>> found_at({"Resources": [{"id": "1"}]}, "/Resources/0/id"), found_at({}, "/id")
    ('1', <Nothing.HERE: 'nothing'>)
    """
    found = document
    for escaped in pointer.split("/")[1:]:
        part = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return Nothing.HERE
    return found


def differences(expected: JsonValue, actual: Found, path: str = "") -> list[str]:
    """Where *actual* is not what *expected* says, one line for each place; none if it matches.

    *path* is the JSON Pointer to them, for the lines.

    >>> differences({"active": True, "id": {"$not_empty": True}}, {"active": 1, "userName": "b"})
    ['/active: expected true, came 1', '/id: expected {"$not_empty":true}, came nothing']
    >>> differences({"emails": {"$contains": [{"type": "work"}]}}, {"emails": [{"value": "a"}, {"type": "work"}]})
    []
    """
    return list(_compared(expected, actual, path))


def check_signs(expected: JsonValue) -> None:
    """Refuse what could never be understood as intended.

    Raises:
        ValueError: A sign is unknown, stands among attributes, or names no JSON type.

    >>> check_signs({"emails": {"$contain": []}})
    Traceback (most recent call last):
    ValueError: unknown sign '$contain'
    """
    for part in expected if isinstance(expected, list) else []:
        check_signs(part)
    if not isinstance(expected, dict):
        return
    if _is_sign(expected) and not _SIGNS.issuperset(expected):
        raise ValueError(f"attributes and signs in one object: {_shown(expected)}")
    for name, part in expected.items():
        if name.startswith("$") and name != "$ref" and name not in _SIGNS:
            raise ValueError(f"unknown sign {name!r}")
        if name == "$type" and part not in _TYPES:
            raise ValueError(f"unknown JSON type {_shown(part)}")
        check_signs(part)


def _compared(expected: JsonValue, actual: Found, path: str) -> Iterator[str]:
    if isinstance(expected, dict):
        if _is_sign(expected):
            if not all(_holds(sign, operand, actual) for sign, operand in expected.items()):
                yield _difference(expected, actual, path)
        elif isinstance(actual, dict):
            for name, part in expected.items():
                place = name.replace("~", "~0").replace("/", "~1")
                yield from _compared(part, actual.get(name, Nothing.HERE), f"{path}/{place}")
        else:
            yield _difference(expected, actual, path)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) == len(actual):
            for index, (part, element) in enumerate(zip(expected, actual, strict=True)):
                yield from _compared(part, element, f"{path}/{index}")
        else:
            yield f"{path or 'body'}: expected {len(expected)} elements, came {len(actual)}: {_shown(actual)}"
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield _difference(expected, actual, path)


def _difference(expected: JsonValue, actual: Found, path: str) -> str:
    return f"{path or 'body'}: expected {_shown(expected)}, came {_shown(actual)}"


def _shown(value: Found) -> str:
    return value.value if isinstance(value, Nothing) else to_json(value).decode()


_SIGNS: Final = frozenset(
    {"$contains", "$excludes", "$one_of", "$type", "$length", "$not_empty", "$empty", "$absent"},
)
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def _is_sign(expected: Mapping[str, JsonValue]) -> bool:
    return not _SIGNS.isdisjoint(expected)


def _holds(sign: str, operand: JsonValue, actual: Found) -> bool:
    elements = actual if isinstance(actual, list) else []
    operands = operand if isinstance(operand, list) else [operand]
    is_empty = actual is Nothing.HERE or actual is None or actual in ("", [], {})
    match sign:
        case "$contains":
            if isinstance(actual, str):
                return all(isinstance(part, str) and part in actual for part in operands)
            return all(any(_matches(part, element) for element in elements) for part in operands)
        case "$excludes":
            return not any(_matches(part, element) for element in elements for part in operands)
        case "$one_of":
            return any(_matches(part, actual) for part in operands)
        case "$type":
            return isinstance(actual, _TYPES[str(operand)]) and (operand == "boolean" or not isinstance(actual, bool))
        case "$length":
            return isinstance(actual, list) and len(actual) == operand
        case "$absent":
            return (actual is Nothing.HERE) is operand
        case "$empty":
            return is_empty is operand
        case _:
            return is_empty is not operand


def _matches(expected: JsonValue, actual: Found) -> bool:
    return next(_compared(expected, actual, ""), None) is None
