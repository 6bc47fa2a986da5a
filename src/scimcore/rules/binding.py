"""A filter's names become places of a resource type, and its literals operands of the right type (RFC 7644 §3.4.2.2).

What depends on the shape of a filter alone is worked out once and kept as a `Plan`; a request adds its literals.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final, TypeAlias, assert_never

import attrs

from scimcore.rules.compare import instant
from scimcore.rules.grammar import LONGEST_REMEMBERED, Statement
from scimcore.rules.syntax import (
    AttrExp,
    AttrPath,
    LogExp,
    NotExp,
    NotWellFormed,
    Operator,
    PresenceExp,
    Syntax,
    ValuePath,
)
from scimcore.rules.terms import And, Comparison, Never, Not, Or, Presence, SomeElement, Term
from scimcore.rules.tokens import position_of_literal
from scimcore.rules.tolerance import Tolerance
from scimcore.schema.attribute import TEXTUAL, Attribute, Returned, Type
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json
from scimcore.schema.remembered import remembered

_Build: TypeAlias = Callable[[Sequence[Json]], Term]

_EQUALITY: Final = frozenset({Operator.EQ, Operator.NE})
_ORDER: Final = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})
_SUBSTRING: Final = frozenset({Operator.CO, Operator.SW, Operator.EW})
_OPERATORS: Final = {
    Type.STRING: _EQUALITY | _ORDER | _SUBSTRING,
    Type.REFERENCE: _EQUALITY | _ORDER | _SUBSTRING,
    Type.INTEGER: _EQUALITY | _ORDER,
    Type.DECIMAL: _EQUALITY | _ORDER,
    Type.DATE_TIME: _EQUALITY | _ORDER,
    Type.BOOLEAN: _EQUALITY,
    Type.BINARY: _EQUALITY,
    # With null only: any other literal is refused when it comes.
    Type.COMPLEX: _EQUALITY,
}
_BOOLEANS: Final = {"true": True, "false": False}


@attrs.frozen
class Expected:
    """What a literal is compared with; no attribute if the resource type does not know the name."""

    attribute: Attribute | None
    operator: Operator

    def operand(self, literal: Json, tolerance: Tolerance) -> Json:
        """*literal* as a value of the attribute.

        Raises:
            ValueError: It is of another type.
        """
        if self.attribute is None:
            return literal
        if literal is None:
            if self.operator not in _EQUALITY:
                raise ValueError(f"null has no order and no parts: {self.operator} does not apply")
            return None
        if self.attribute.type is Type.BOOLEAN and tolerance.strings_as_booleans and isinstance(literal, str):
            literal = _BOOLEANS.get(literal.lower(), literal)
        if not _fits(self.attribute.type, literal):
            raise ValueError(self._refusal(self.attribute))
        return literal

    def _refusal(self, attribute: Attribute) -> str:
        if attribute.is_complex:
            return f"{attribute.name!r} is complex: compare one of its sub-attributes"
        return f"{attribute.name!r} is compared with a value of type {attribute.type}"


def _fits(kind: Type, literal: Json) -> bool:
    match kind:
        case Type.STRING | Type.REFERENCE | Type.BINARY:
            return isinstance(literal, str)
        case Type.INTEGER | Type.DECIMAL:
            return isinstance(literal, (int, float)) and not isinstance(literal, bool)
        case Type.BOOLEAN:
            return isinstance(literal, bool)
        case Type.DATE_TIME:
            return isinstance(literal, str) and _is_date_time(literal)
        case Type.COMPLEX:
            return False
        case _ as unreachable:
            assert_never(unreachable)


def _is_date_time(text: str) -> bool:
    try:
        return instant(text) is not None
    except ValueError:
        return False


@attrs.frozen(eq=False)
class Plan:
    """A filter's shape, bound to a resource type: all it needs to become a term is literals."""

    shape: str
    expected: tuple[Expected, ...]
    term: _Build
    names: frozenset[str]
    """Of the attributes, extensions among them, that it looks at in a resource."""
    equated: tuple[Place, ...] | None
    """The place of text that each literal is compared with, if the filter is `eq` terms joined by `or` and no more."""

    def operands(self, literals: Sequence[Json], tolerance: Tolerance) -> list[Json]:
        """The *literals* as values of the attributes that they are compared with.

        Raises:
            NotWellFormed: One is of another type than its attribute.
        """
        operands: list[Json] = []
        try:
            for expected, literal in zip(self.expected, literals, strict=True):
                operands.append(expected.operand(literal, tolerance))
        except ValueError as fault:
            raise NotWellFormed(str(fault), position_of_literal(self.shape, len(operands))) from None
        return operands


@remembered(512, largest=LONGEST_REMEMBERED, size=lambda statement, *_: len(statement.shape))
def plan(statement: Statement, resource_type: ResourceType, foreign_is_absent: bool) -> Plan:
    """The filter *statement* bound to *resource_type*.

    Raises:
        NotWellFormed: An attribute is unknown or may not be asked for, or an operator does not apply to its type.
    """
    return _plan(statement.shape, statement.syntax, _Binder(resource_type, foreign_is_absent), None)


def element_plan(shape: str, syntax: Syntax, resource_type: ResourceType, attribute: Attribute) -> Plan:
    """The filter *syntax* bound to the elements of *attribute*.

    Raises:
        NotWellFormed: As for `plan`.
    """
    return _plan(shape, syntax, _Binder(resource_type, foreign_is_absent=False), attribute)


def _plan(shape: str, syntax: Syntax, binder: "_Binder", element: Attribute | None) -> Plan:
    term = binder.build(syntax, element)
    expected = tuple(binder.expected[slot] for slot in sorted(binder.expected))
    equated = _equated(syntax, binder) if element is None else None
    return Plan(shape, expected, term, frozenset(binder.names), equated)


def _equated(syntax: Syntax, binder: "_Binder") -> tuple[Place, ...] | None:
    terms = syntax.terms if isinstance(syntax, LogExp) and syntax.connective == "or" else (syntax,)
    if any(not isinstance(term, AttrExp) or term.slot not in binder.equated for term in terms):
        return None
    return tuple(place for _, place in sorted(binder.equated.items(), key=itemgetter(0)))


class _Binder:
    """Binds one filter; *element* is the attribute in whose brackets a name stands, None outside of brackets."""

    def __init__(self, resource_type: ResourceType, foreign_is_absent: bool) -> None:
        self._resource_type = resource_type
        self._foreign_is_absent = foreign_is_absent
        self.expected: dict[int, Expected] = {}
        self.equated: dict[int, Place] = {}
        """Number of a literal -> the place of text that it has to equal, outside of brackets."""
        self.names: set[str] = set()

    def build(self, syntax: Syntax, element: Attribute | None) -> _Build:
        match syntax:
            case LogExp(connective, terms):
                parts = tuple(self.build(term, element) for term in terms)
                whole = And if connective == "and" else Or
                return lambda operands: whole(tuple([part(operands) for part in parts]))
            case NotExp(inner):
                negated = self.build(inner, element)
                return lambda operands: Not(negated(operands))
            case PresenceExp(path):
                place = self._place(path, element)
                presence = Never() if place is None else Presence(place)
                return lambda _: presence
            case ValuePath(path, inner):
                return self._value_path(path, inner)
            case AttrExp():
                return self._comparison(syntax, element)
            case _ as unreachable:
                assert_never(unreachable)

    def _value_path(self, path: AttrPath, inner: Syntax) -> _Build:
        place = self._place(path, None)
        if place is None:
            for slot in _slots(inner):
                self.expected[slot] = Expected(None, Operator.EQ)
            return lambda _: Never()
        # RFC 7644 §3.4.2.2 speaks of values of a parent attribute; of a single-valued one, name.givenName says it all.
        if place.sub is not None or not place.attribute.multi_valued:
            raise NotWellFormed(f"{path.text!r} is not multi-valued: no value filter applies", path.position)
        chosen = self.build(inner, place.attribute)
        return lambda operands: SomeElement(place, chosen(operands))

    def _comparison(self, syntax: AttrExp, element: Attribute | None) -> _Build:
        slot, operator = syntax.slot, syntax.operator
        written = self._place(syntax.path, element)
        if written is None:
            self.expected[slot] = Expected(None, operator)
            return lambda operands: _absent_compared(operator, operands[slot])
        place = _valued(written)
        if operator not in _OPERATORS[place.leaf.type]:
            reason = f"{str(operator)!r} does not apply to {syntax.path.text!r}, which is of type {place.leaf.type}"
            raise NotWellFormed(reason, syntax.position)
        self.expected[slot] = Expected(place.leaf, operator)
        if operator is Operator.EQ and element is None and place.leaf.type in TEXTUAL:
            self.equated[slot] = place
        compared = _compared(place, operator, _defaults_to_false(place, element))
        present = Presence(written)

        def build(operands: Sequence[Json]) -> Term:
            operand = operands[slot]
            if operand is None:
                return present if operator is Operator.NE else Not(present)
            return compared(operand)

        return build

    def _place(self, path: AttrPath, element: Attribute | None) -> Place | None:
        place = self._resource_type.place(path.text) if element is None else _place_in(element, path.text)
        if place is None:
            if self._foreign_is_absent:
                return None
            owner = self._resource_type.name if element is None else element.name
            raise NotWellFormed(f"{owner} has no attribute {path.text!r}", path.position)
        if any(part and part.returned is Returned.NEVER for part in (place.container, place.attribute, place.sub)):
            raise NotWellFormed(f"{path.text!r} cannot be filtered by", path.position)
        if element is None:
            self.names.add((place.container or place.attribute).name)
        return place


def _slots(syntax: Syntax) -> Iterator[int]:
    match syntax:
        case AttrExp():
            yield syntax.slot
        case ValuePath(_, inner) | NotExp(inner):
            yield from _slots(inner)
        case LogExp(_, terms):
            for term in terms:
                yield from _slots(term)
        case PresenceExp():
            return
        case _ as unreachable:
            assert_never(unreachable)


def _place_in(attribute: Attribute, name: str) -> Place | None:
    """The sub-attribute *name* of an element of *attribute*; an element of a simple attribute is its own `value`."""
    if attribute.is_complex:
        sub = attribute.sub_attribute(name)
        return None if sub is None else Place(None, sub)
    if name.lower() != "value":
        return None
    return Place(None, attrs.evolve(attribute, name="value", multi_valued=False))


def _valued(place: Place) -> Place:
    """*place*, or its `value` if it is a complex attribute that has one: `emails co "x"` (RFC 7644 §3.4.2.2)."""
    value = None if place.sub else place.attribute.sub_attribute("value")
    # An extension is no attribute with a value, whatever the names of its attributes.
    if value is None or ":" in place.attribute.name:
        return place
    return Place(place.container, place.attribute, value)


def _defaults_to_false(place: Place, element: Attribute | None) -> bool:
    """Whether no value at *place* reads as false: `primary` of a multi-valued attribute (RFC 7643 §2.4)."""
    parent = element if place.sub is None else place.attribute
    is_primary = place.leaf.name.lower() == "primary" and place.leaf.type is Type.BOOLEAN
    return is_primary and parent is not None and parent.multi_valued


def _absent_compared(operator: Operator, operand: Json) -> Term:
    """What a comparison comes to where there is no value: null equals it, everything else differs from it."""
    holds = operator is (Operator.EQ if operand is None else Operator.NE)
    return Not(Never()) if holds else Never()


def _compared(place: Place, operator: Operator, defaults_to_false: bool) -> Callable[[Json], Term]:
    def equal(operand: Json) -> Term:
        if not defaults_to_false or operand is not False:
            return Comparison(place, Operator.EQ, operand)
        if place.sub is None:
            return Not(Comparison(place, Operator.EQ, True))
        primary = Comparison(Place(None, place.sub), Operator.EQ, True)
        return SomeElement(Place(place.container, place.attribute), Not(primary))

    match operator:
        case Operator.EQ:
            return equal
        case Operator.NE:
            return lambda operand: Not(equal(operand))
        case _:
            return lambda operand: Comparison(place, operator, operand)
