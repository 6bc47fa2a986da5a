"""What a filter asks of a document, term by term, and the predicate that answers it.

Terms are what a storage reads to narrow a search. They are simpler than filters: `ne` is the negation of `eq`,
comparisons with null are presence, and every value is of the attribute's type.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar, assert_never

import attrs

from scimcore.rules.compare import folded, instant, is_present, normalized
from scimcore.rules.syntax import Operator
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import Place
from scimcore.schema.document import Document, Json


@attrs.frozen
class And:
    """All of the terms."""

    terms: tuple["Term", ...]


@attrs.frozen
class Or:
    """One of the terms at least."""

    terms: tuple["Term", ...]


@attrs.frozen
class Not:
    """The term does not match."""

    term: "Term"


@attrs.frozen
class Comparison:
    """Some value at *place* compares to *operand*, which is of the place's type and never null.

    The operator is any but `ne`. Where nothing is assigned nothing compares.
    """

    place: Place
    operator: Operator
    operand: Json


@attrs.frozen
class Presence:
    """Some value at *place* is neither null nor empty."""

    place: Place


@attrs.frozen
class SomeElement:
    """Some one element at *place* matches *term*, whose places are sub-attributes of the element.

    An element of a simple attribute counts as `{"value": element}`.
    """

    place: Place
    term: "Term"


@attrs.frozen
class Never:
    """Nothing matches: the attribute is unknown to the resource type, and the query allows for that."""


Term: TypeAlias = And | Or | Not | Comparison | Presence | SomeElement | Never

_Test: TypeAlias = Callable[[Json], bool]


def predicate(term: Term) -> Callable[[Document], bool]:
    """A function that says whether a canonical document, or an element of an attribute, matches *term*.

    The keys of operands are made here, once. Values of documents that do not fit their type match nothing.

    >>> title = Comparison(Place(None, Attribute(name="title")), Operator.EQ, "Boss")
    >>> list(map(predicate(Not(title)), [{"title": "BOSS"}, {"title": "clerk"}, {}]))
    [False, True, True]
    """
    # Not a match statement: that takes twice as long, and this runs in every search.
    if isinstance(term, Comparison):
        return _at_place(term.place, _test(term.place.leaf, term.operator, term.operand))
    if isinstance(term, SomeElement):
        return _at(term.place, _some(element_predicate(term.place.attribute, term.term)))
    if isinstance(term, And):
        return _all(tuple(map(predicate, term.terms)))
    if isinstance(term, Or):
        return _any(tuple(map(predicate, term.terms)))
    if isinstance(term, Not):
        return _not(predicate(term.term))
    if isinstance(term, Presence):
        return _at_place(term.place, is_present)
    if isinstance(term, Never):
        return _is_never
    assert_never(term)


def element_predicate(attribute: Attribute, term: Term) -> Callable[[Json], bool]:
    """A function that says whether an element of *attribute* matches *term*.

    >>> work = Comparison(Place(None, Attribute(name="type")), Operator.EQ, "work")
    >>> element_predicate(Attribute(name="emails", type=Type.COMPLEX), work)({"type": "Work", "value": "a"})
    True
    """
    inner = predicate(term)
    if attribute.is_complex:
        return lambda element: isinstance(element, dict) and inner(element)
    return lambda element: element is not None and inner({"value": element})


def _not(inner: Callable[[Document], bool]) -> Callable[[Document], bool]:
    return lambda document: not inner(document)


def _all(tests: tuple[Callable[[Document], bool], ...]) -> Callable[[Document], bool]:
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) and second(document)

    def every(document: Document) -> bool:
        for test in tests:  # noqa: SIM110 - all() with a generator takes twice as long
            if not test(document):
                return False
        return True

    return every


def _any(tests: tuple[Callable[[Document], bool], ...]) -> Callable[[Document], bool]:
    if len(tests) == 2:
        first, second = tests
        return lambda document: first(document) or second(document)

    def some(document: Document) -> bool:
        for test in tests:  # noqa: SIM110 - any() with a generator takes twice as long
            if test(document):
                return True
        return False

    return some


def _at_place(place: Place, test: _Test) -> Callable[[Document], bool]:
    sub = place.sub
    if sub is None:
        return _at(place, _some(test) if place.attribute.multi_valued else test)
    if sub.multi_valued:
        test = _some(test)
    return _at(place, (_some_part if place.attribute.multi_valued else _part)(sub.name, test))


def _at(place: Place, test: _Test) -> Callable[[Document], bool]:
    name = place.attribute.name
    if place.container is None:
        return lambda document: test(document.get(name))
    urn, inside = place.container.name, _part(name, test)
    return lambda document: inside(document.get(urn))


def _part(name: str, test: _Test) -> _Test:
    return lambda value: isinstance(value, dict) and test(value.get(name))


def _some(test: _Test) -> _Test:
    def some(values: Json) -> bool:
        if not isinstance(values, (list, tuple)):
            return values is not None and test(values)
        for value in values:  # noqa: SIM110 - any() with a generator takes twice as long
            if test(value):
                return True
        return False

    return some


def _some_part(name: str, test: _Test) -> _Test:
    def some(values: Json) -> bool:
        for value in values if isinstance(values, (list, tuple)) else (values,):
            if isinstance(value, dict) and test(value.get(name)):
                return True
        return False

    return some


def _test(attribute: Attribute, operator: Operator, operand: Json) -> _Test:
    """Whether one value compares to *operand*; anything may be asked, None included."""
    match attribute.type:
        case Type.BOOLEAN:
            return lambda value: value is operand
        case Type.INTEGER | Type.DECIMAL:
            return _ordered(operator, _number(operand), _number)
        case Type.DATE_TIME:
            return _ordered(operator, _moment(operand), _moment)
        case _ if attribute.is_exact:
            return _exact(operand) if operator is Operator.EQ else _textual(operator, _normalized(operand), _normalized)
        case _:
            return _inexact(operand) if operator is Operator.EQ else _textual(operator, _folded(operand), _folded)


def _exact(operand: Json) -> _Test:
    key = _normalized(operand)
    return lambda value: isinstance(value, str) and (value if value.isascii() else normalized(value)) == key


def _inexact(operand: Json) -> _Test:
    key = _folded(operand)
    # As `folded` does, without calling it for the texts that most are.
    return lambda value: isinstance(value, str) and (value.lower() if value.isascii() else folded(value)) == key


def _textual(operator: Operator, key: str | None, read: Callable[[Json], str | None]) -> _Test:
    if key is None:
        return _is_never
    match operator:
        case Operator.CO:
            return lambda value: (found := read(value)) is not None and key in found
        case Operator.SW:
            return lambda value: (found := read(value)) is not None and found.startswith(key)
        case Operator.EW:
            return lambda value: (found := read(value)) is not None and found.endswith(key)
        case _:
            return _ordered(operator, key, read)


_K = TypeVar("_K", str, float, tuple[int, str])


def _ordered(operator: Operator, key: _K | None, read: Callable[[Json], _K | None]) -> _Test:
    if key is None:
        return _is_never
    match operator:
        case Operator.GT:
            return lambda value: (found := read(value)) is not None and found > key
        case Operator.GE:
            return lambda value: (found := read(value)) is not None and found >= key
        case Operator.LT:
            return lambda value: (found := read(value)) is not None and found < key
        case Operator.LE:
            return lambda value: (found := read(value)) is not None and found <= key
        case _:
            return lambda value: read(value) == key


def _is_never(_: Json) -> bool:
    return False


def _normalized(value: Json) -> str | None:
    return normalized(value) if isinstance(value, str) else None


def _folded(value: Json) -> str | None:
    return folded(value) if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _moment(value: Json) -> tuple[int, str] | None:
    try:
        return instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
