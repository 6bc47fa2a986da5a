"""PATCH paths (RFC 7644 §3.5.2): the place a path names, and the elements that its value filter chooses."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import attrs

from scimcore.errors import InvalidFilterError, InvalidPathError
from scimcore.rules.binding import Plan, element_plan
from scimcore.rules.grammar import LONGEST_REMEMBERED, PathStatement, path_statement
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.rules.syntax import AttrExp, LogExp, NotWellFormed, Operator, PathSyntax, Syntax
from scimcore.rules.terms import Term, element_predicate
from scimcore.rules.tokens import literals_of, position_in, split
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json
from scimcore.schema.remembered import remembered

_LONGEST_REMEMBERED: Final = 200
"""In characters, of a path with its literals."""


@attrs.frozen
class Condition:
    """The value filter of a path, about elements of its attribute."""

    tree: Term
    matches: Callable[[Json], bool] = attrs.field(eq=False, repr=False)
    """Whether an element is chosen."""
    equalities: Mapping[str, Json] | None
    """What a chosen element holds, by sub-attribute; None if the filter is anything but `eq` terms joined by `and`."""


@attrs.frozen
class Path:
    """Where a PATCH operation works: a place, and of its elements those that meet the condition."""

    place: Place
    condition: Condition | None
    text: str = attrs.field(eq=False)

    def __str__(self) -> str:
        return self.text


def parse_path(
    text: str, resource_type: ResourceType, tolerance: Tolerance = DEFAULT, limits: Limits = DEFAULT_LIMITS
) -> Path:
    """What *text* means as a PATCH path on *resource_type* (RFC 7644 §3.5.2).

    Besides the RFC's forms the URN of an extension is read, alone or with a dot behind it, and the bare name of an
    attribute that one extension has. Whether the place may be changed is not checked.

    >>> from scimcore.schema.standard import USER
    >>> path = parse_path('Emails[TYPE eq "work"].value', USER)
    >>> print(path.place, path.condition.equalities)
    emails.value {'type': 'work'}

    Raises:
        InvalidPathError: It is no path, or names no attribute of the type; the error shows where.
        InvalidFilterError: It is a path whose value filter is none, or does not fit the attribute.
    """
    if len(text) > limits.max_filter_length:
        raise InvalidPathError(f"the path is longer than {limits.max_filter_length} characters")
    parsed = _parsed if len(text) <= _LONGEST_REMEMBERED else _parsed.__wrapped__
    return parsed(text, resource_type, tolerance, limits.max_filter_depth, limits.max_filter_terms)


# Clients repeat a few paths in every request. Where they name a member in each, the shape is remembered all the same;
# but the paths of one request are read twice, once for what to load, so that many of them must fit.
@lru_cache(maxsize=2048)
def _parsed(text: str, resource_type: ResourceType, tolerance: Tolerance, max_depth: int, max_terms: int) -> Path:
    shape, spelled = split(text)
    try:
        found = _plan(path_statement(shape, max_depth, max_terms), resource_type)
        if found.filter is None:
            return Path(found.place, None, text)
        operands = found.filter.operands(literals_of(shape, spelled), tolerance)
    except NotWellFormed as fault:
        refusal = InvalidFilterError if _is_in_filter(shape, fault.position) else InvalidPathError
        raise refusal(fault.reason, text, position_in(text, fault.position)) from None
    tree = found.filter.term(operands)
    equalities = None
    if found.equal is not None:
        equalities = _without_contradiction([(name, operands[slot]) for name, slot in found.equal])
    return Path(found.place, Condition(tree, element_predicate(found.place.attribute, tree), equalities), text)


def _is_in_filter(shape: str, position: int) -> bool:
    """Whether what is wrong at *position* is the filter of a path that is well-formed around it."""
    start, end = shape.find("["), shape.find("]")
    # An index as in emails[0], or nothing at all, was never meant as a filter.
    return start < position <= end and re.match(r"[ \t]*[$(A-Za-z]", shape[start + 1 :]) is not None


@attrs.frozen(eq=False)
class _PathPlan:
    place: Place
    filter: Plan | None = None
    equal: tuple[tuple[str, int], ...] | None = None
    """Sub-attribute and literal of each term, when the filter is `eq` terms joined by `and`."""


@remembered(512, largest=LONGEST_REMEMBERED, size=lambda statement, _: len(statement.shape))
def _plan(statement: PathStatement, resource_type: ResourceType) -> _PathPlan:
    path = statement.syntax
    place = resource_type.place(path.attribute.text)
    if place is None:
        raise NotWellFormed(f"{resource_type.name} has no attribute {path.attribute.text!r}", path.attribute.position)
    if path.filter is None:
        return _PathPlan(place)
    if place.sub is not None or not place.attribute.multi_valued:
        raise NotWellFormed(f"{str(place)!r} is not multi-valued: no value filter applies", path.attribute.position)
    found = element_plan(statement.shape, path.filter, resource_type, place.attribute)
    return _PathPlan(_part(place, path), found, _equal(path.filter, found))


def _part(place: Place, path: PathSyntax) -> Place:
    if path.sub_attribute is None:
        return place
    sub = place.attribute.sub_attribute(path.sub_attribute.text)
    if sub is None:
        reason = f"{place} has no sub-attribute {path.sub_attribute.text!r}"
        raise NotWellFormed(reason, path.sub_attribute.position)
    return Place(place.container, place.attribute, sub)


def _equal(syntax: Syntax, found: Plan) -> tuple[tuple[str, int], ...] | None:
    pairs = []
    for term in syntax.terms if isinstance(syntax, LogExp) and syntax.connective == "and" else (syntax,):
        if (
            not isinstance(term, AttrExp)
            or term.operator is not Operator.EQ
            or (attribute := found.expected[term.slot].attribute) is None
        ):
            return None
        pairs.append((attribute.name, term.slot))
    return tuple(pairs)


def _without_contradiction(pairs: list[tuple[str, Json]]) -> Mapping[str, Json] | None:
    equalities = dict(pairs)
    # No element has two values for one sub-attribute; one that is equal to null has none.
    if any(equalities[name] != operand for name, operand in pairs):
        return None
    return {name: operand for name, operand in equalities.items() if operand is not None}
