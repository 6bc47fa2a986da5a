"""A filter as a condition in SQL, over the comparison keys of documents and the rows of members.

A condition holds for exactly the records that match; it may be NULL instead of false. Nothing but bound parameters
carries what a client wrote. Where a database cannot tell, there is no condition.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeAlias, assert_never

import attrs
from sqlalchemy import ColumnElement, FromClause, Text, and_, exists, false, func, literal, not_, or_, true

from scimcore.rules.compare import instant, is_exact
from scimcore.rules.filter import And, Comparison, Never, Not, Operator, Or, Presence, SomeElement, Term
from scimcore.rules.terms import predicate
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json
from scimcore.storage.comparable import VALUE, comparable, flag, label
from scimcore.storage.keyed import KEYED
from scimcore.storage.sql.functions import KeyFunctions, version_text
from scimcore.storage.sql.tables import MEMBER, RESOURCE

Condition: TypeAlias = ColumnElement[bool]

MOST_TERMS: Final = 100
"""In one condition. With more of them a walk is faster: a database reads the keys anew for many a term."""

MOST_LEVELS: Final = 20
"""Of terms inside terms. The parser of SQLite runs over from 24 on, if each is the last part of the one around it."""

_Test: TypeAlias = Callable[[ColumnElement[str]], Condition]
_Rows: TypeAlias = Callable[[Condition], Condition]
_Chain: TypeAlias = Sequence[Attribute]
"""Attributes from the outside to the inside: an extension, an attribute, a sub-attribute, as far as there are any."""

_GROUP: Final = RESOURCE.alias("holder")
_MOMENTS: Final = {"created": RESOURCE.c.created, "lastModified": RESOURCE.c.last_modified}


class Scope(Protocol):
    """What a term is about."""

    def comparison(self, term: Comparison) -> Condition | None: ...
    def presence(self, place: Place) -> Condition | None: ...
    def some_element(self, term: SomeElement) -> Condition | None: ...


def condition(term: Term, scope: Scope) -> Condition | None:
    """What holds where *term* matches, and nowhere else; None if the database cannot tell."""
    match term:
        case Comparison():
            return scope.comparison(term)
        case Presence(place):
            return scope.presence(place)
        case SomeElement():
            return scope.some_element(term)
        case And(terms):
            return _joined(and_, true(), [condition(part, scope) for part in terms])
        case Or(terms):
            return _joined(or_, false(), [condition(part, scope) for part in terms])
        case Not(inner):
            negated = condition(inner, scope)
            # NOT would leave NULL as it is, so that a missing value were neither equal nor unequal.
            return None if negated is None else negated.is_not(true())
        case Never():
            return false()
        case _ as unreachable:
            assert_never(unreachable)


def size(term: Term) -> int:
    """How many comparisons and presence tests *term* has."""
    match term:
        case And(terms) | Or(terms):
            return sum(map(size, terms))
        case Not(inner) | SomeElement(_, inner):
            return size(inner)
        case _:
            return 1


def depth(term: Term) -> int:
    """How many levels of terms there are in *term*."""
    match term:
        case And(terms) | Or(terms):
            return 1 + max(map(depth, terms))
        case Not(inner) | SomeElement(_, inner):
            return 1 + depth(inner)
        case _:
            return 1


def is_bearable(term: Term) -> bool:
    """Whether databases take a condition of as many terms, in as many levels, as *term* has."""
    return size(term) <= MOST_TERMS and depth(term) <= MOST_LEVELS


def _joined(
    junction: Callable[..., Condition], neutral: Condition, parts: Sequence[Condition | None]
) -> Condition | None:
    known = [part for part in parts if part is not None]
    return junction(neutral, *known) if len(known) == len(parts) else None


# Keys


def _compared(functions: KeyFunctions, attribute: Attribute, operator: Operator, operand: Json) -> _Test:
    """How the key of a value of *attribute* compares to *operand*."""
    key = comparable(attribute, operand)
    if key is None:
        return lambda _: false()
    match operator:
        case Operator.EQ:
            return lambda text: text == key
        case Operator.GT:
            return lambda text: text > key
        case Operator.GE:
            return lambda text: text >= key
        case Operator.LT:
            return lambda text: text < key
        case Operator.LE:
            return lambda text: text <= key
        case Operator.CO:
            return lambda text: functions.contains(text, key)
        case Operator.SW:
            return lambda text: func.substr(text, 1, len(key), type_=Text) == key
        case Operator.EW:
            return lambda text: func.substr(text, func.length(text) - (len(key) - 1), type_=Text) == key
        case _:
            raise ValueError(f"{operator} is the negation of another operator")


def _holds(
    functions: KeyFunctions, keys: ColumnElement[str], path: Sequence[str], chain: _Chain, test: _Test
) -> Condition:
    """Whether some key at *chain* passes *test*."""
    attribute, rest = chain[0], chain[1:]
    path = (*path, label(attribute.name))
    if attribute.multi_valued:
        rows, element = functions.elements(keys, path)
        if rest:
            return _some(rows, _holds(functions, element, (), rest, test))
        return _some(rows, test(functions.text(element, (VALUE,))))
    return _holds(functions, keys, path, rest, test) if rest else test(functions.text(keys, path))


def _present(functions: KeyFunctions, keys: ColumnElement[str], path: Sequence[str], chain: _Chain) -> Condition:
    """Whether some value at *chain* is present."""
    attribute, rest = chain[0], chain[1:]
    here = (*path, label(attribute.name))
    if not rest:
        flagged = functions.exists(keys, (*path, flag(label(attribute.name))))
        return and_(functions.exists(keys, here), not_(flagged))
    if attribute.multi_valued:
        rows, element = functions.elements(keys, here)
        return _some(rows, _present(functions, element, (), rest))
    return _present(functions, keys, here, rest)


def _some(rows: FromClause, holds: Condition) -> Condition:
    return exists(literal(1)).select_from(rows).where(holds).correlate_except(rows)


def _chain_to(place: Place) -> _Chain:
    return [part for part in (place.container, place.attribute, place.sub) if part is not None]


@attrs.frozen
class _Element:
    """An element of an attribute, by its keys."""

    functions: KeyFunctions
    keys: ColumnElement[str]

    def comparison(self, term: Comparison) -> Condition | None:
        test = _compared(self.functions, term.place.leaf, term.operator, term.operand)
        return _holds(self.functions, self.keys, (), _chain_to(term.place), test)

    def presence(self, place: Place) -> Condition | None:
        return _present(self.functions, self.keys, (), _chain_to(place))

    def some_element(self, _: SomeElement) -> Condition | None:
        return None


# Rows


@attrs.frozen
class _MemberRow:
    """A member of a group: its key in a column, the rest of it among the keys beside."""

    functions: KeyFunctions

    def comparison(self, term: Comparison) -> Condition | None:
        leaf = term.place.leaf
        test = _compared(self.functions, leaf, term.operator, term.operand)
        if leaf.name == "value" and is_exact(leaf):
            return test(MEMBER.c.normal_key)
        return _holds(self.functions, MEMBER.c.comparison_keys, (), _chain_to(term.place), test)

    def presence(self, place: Place) -> Condition | None:
        # The key of an element is never empty.
        if place.leaf.name == "value":
            return true()
        return _present(self.functions, MEMBER.c.comparison_keys, (), _chain_to(place))

    def some_element(self, _: SomeElement) -> Condition | None:
        return None


@attrs.frozen
class _GroupRow:
    """A group among the `groups` of a member (RFC 7643 §4.1.2)."""

    functions: KeyFunctions

    def comparison(self, term: Comparison) -> Condition | None:
        leaf = term.place.leaf
        test = _compared(self.functions, leaf, term.operator, term.operand)
        match leaf.name:
            case "value":
                return test(_GROUP.c.normal_id) if is_exact(leaf) else None
            case "display":
                return None if is_exact(leaf) else test(_GROUP.c.folded_display)
            case "type":
                return _constant(predicate(term)({"type": "direct"}))
            case _:
                return false()

    def presence(self, place: Place) -> Condition | None:
        match place.leaf.name:
            case "value" | "type":
                return true()
            case "display":
                return _GROUP.c.display != ""
            case _:
                return false()

    def some_element(self, _: SomeElement) -> Condition | None:
        return None


def _constant(holds: bool) -> Condition:
    return true() if holds else false()


# Resources


@attrs.frozen
class Resource:
    """A resource of one type of one tenant."""

    tenant: str
    resource_type: ResourceType
    functions: KeyFunctions
    indirect_groups: bool
    """Whether a user's `groups` are more than the rows of members say: then they are for `matches` to judge."""

    def comparison(self, term: Comparison) -> Condition | None:
        place = term.place
        match place.attribute.name if place.container is None else "":
            case "id":
                return self._test(term)(RESOURCE.c.normal_id) if is_exact(place.leaf) else None
            case "meta":
                return self._about_meta(term)
            case "schemas":
                return self._about_schemas(term)
            case name if self._is_keyed(name):
                inner = Comparison(Place(None, place.leaf), term.operator, term.operand)
                return self._some_row(name, inner) if place.sub else None
            case _:
                return _holds(self.functions, RESOURCE.c.comparison_keys, (), _chain_to(place), self._test(term))

    def presence(self, place: Place) -> Condition | None:
        match place.attribute.name if place.container is None else "":
            case "id" | "schemas":
                return true()
            case "meta":
                return _constant(place.leaf.name != "location")
            case name if self._is_keyed(name):
                if place.sub is None or place.sub.name == "value":
                    return self._rows(name)(true())
                return self._some_row(name, Presence(Place(None, place.sub)))
            case _:
                return _present(self.functions, RESOURCE.c.comparison_keys, (), _chain_to(place))

    def some_element(self, term: SomeElement) -> Condition | None:
        place = term.place
        if place.container is None and place.attribute.name == "schemas":
            return self._about_schemas(term)
        if place.container is None and self._is_keyed(place.attribute.name):
            return self._some_row(place.attribute.name, term.term)
        rows, element = self.functions.elements(
            RESOURCE.c.comparison_keys, [label(part.name) for part in _chain_to(place)]
        )
        holds = condition(term.term, _Element(self.functions, element))
        return None if holds is None else _some(rows, holds)

    def _test(self, term: Comparison) -> _Test:
        return _compared(self.functions, term.place.leaf, term.operator, term.operand)

    def _is_keyed(self, attribute: str) -> bool:
        return attribute in KEYED.get(self.resource_type.name, {})

    def _some_row(self, attribute: str, inner: Term) -> Condition | None:
        if attribute == "groups" and self.indirect_groups:
            return None
        row: Scope = _MemberRow(self.functions) if attribute == "members" else _GroupRow(self.functions)
        holds = condition(inner, row)
        return None if holds is None else self._rows(attribute)(holds)

    def _rows(self, attribute: str) -> _Rows:
        """Whether some row of a keyed *attribute* of this resource fulfils a condition."""
        if attribute == "members":
            of_this = and_(MEMBER.c.tenant == self.tenant, MEMBER.c.group_id == RESOURCE.c.id)
            return lambda holds: _some(MEMBER, and_(of_this, holds))
        of_this = and_(
            MEMBER.c.tenant == self.tenant,
            MEMBER.c.normal_key == RESOURCE.c.normal_id,
            MEMBER.c.key == RESOURCE.c.id,
        )
        named = and_(_GROUP.c.tenant == self.tenant, _GROUP.c.type == "Group", _GROUP.c.id == MEMBER.c.group_id)
        return lambda holds: _some(MEMBER.join(_GROUP, named), and_(of_this, holds))

    def _about_schemas(self, term: Comparison | SomeElement) -> Condition:
        """The base schema is always among them, an extension's where the document has it."""
        tested = predicate(term)
        found = [
            self.functions.exists(RESOURCE.c.comparison_keys, (label(urn),))
            for urn in self.resource_type.containers
            if tested({"schemas": [urn]})
        ]
        return or_(_constant(tested({"schemas": [self.resource_type.schema.id]})), *found)

    def _about_meta(self, term: Comparison) -> Condition:
        match term.place.leaf.name:
            case "resourceType":
                return _constant(predicate(term)({"meta": {"resourceType": self.resource_type.name}}))
            case "version":
                return self._test(term)(version_text(self.functions))
            case name if name in _MOMENTS:
                return _moment(_MOMENTS[name], term)
            case _:
                return false()


# Moments

_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)
# `instant` counts from a day before the epoch of `datetime`.
_SECONDS_BEFORE_EPOCH: Final = instant("0001-01-01T00:00:00Z")[0]
_SECONDS_BEFORE_END: Final = instant("9999-12-31T23:59:59Z")[0]


def _moment(column: ColumnElement[str], term: Comparison) -> Condition:
    """Stored moments are all of one length, so their text is compared; the operand is cut to that length first."""
    try:
        seconds, fraction = instant(term.operand if isinstance(term.operand, str) else "")
    except ValueError:
        return false()
    if not _SECONDS_BEFORE_EPOCH <= seconds <= _SECONDS_BEFORE_END:
        later = (Operator.GT, Operator.GE) if seconds < _SECONDS_BEFORE_EPOCH else (Operator.LT, Operator.LE)
        return _constant(term.operator in later)
    moment = _EPOCH + timedelta(seconds=seconds - _SECONDS_BEFORE_EPOCH, microseconds=int(f"{fraction:0<6}"[:6]))
    text, is_whole = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0"), len(fraction) <= 6
    match term.operator:
        case Operator.GT:
            return column > text
        case Operator.GE:
            return column >= text if is_whole else column > text
        case Operator.LT:
            return column < text if is_whole else column <= text
        case Operator.LE:
            return column <= text
        case _:
            return column == text if is_whole else false()
