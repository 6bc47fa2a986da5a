"""The syntax tree of a filter and of a PATCH path (RFC 7644 §3.4.2.2, §3.5.2), named as the RFC's ABNF names it.

A tree belongs to a *shape*: a text without its literals. It knows these by number only, and no schema at all.
"""

from enum import StrEnum
from typing import Literal, TypeAlias

import attrs


class Operator(StrEnum):
    """The comparison operators of RFC 7644 §3.4.2.2; `pr` is a `PresenceExp`."""

    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


@attrs.frozen
class AttrPath:
    """An attribute as the filter spells it; *position* is its place in the shape."""

    text: str = attrs.field(eq=str.lower)
    position: int = attrs.field(eq=False)


@attrs.frozen
class AttrExp:
    """`attrPath compareOp compValue`; *slot* counts the literals of the text."""

    path: AttrPath
    operator: Operator
    slot: int
    position: int = attrs.field(eq=False)
    """Of the operator."""


@attrs.frozen
class PresenceExp:
    """`attrPath pr`."""

    path: AttrPath


@attrs.frozen
class ValuePath:
    """`attrPath[filter]`: some one element matches the filter."""

    path: AttrPath
    filter: "Syntax"


@attrs.frozen
class LogExp:
    """Terms joined by one connective; never directly inside another LogExp of the same connective."""

    connective: Literal["and", "or"]
    terms: tuple["Syntax", ...]


@attrs.frozen
class NotExp:
    """`not (filter)`."""

    filter: "Syntax"


Syntax: TypeAlias = AttrExp | PresenceExp | ValuePath | LogExp | NotExp


@attrs.frozen
class PathSyntax:
    """A PATCH path: `attrPath` or `attrPath[filter]`, and then perhaps a sub-attribute (RFC 7644 §3.5.2)."""

    attribute: AttrPath
    filter: Syntax | None
    sub_attribute: AttrPath | None


class NotWellFormed(Exception):  # noqa: N818 - never leaves the package: who knows the whole text makes the error of it
    """The shape is no filter; *position* is a place in the shape."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
