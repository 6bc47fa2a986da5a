"""Filters (RFC 7644 §3.4.2.2): parsed, printed, bound to a resource type, and asked about documents.

A filter is a prepared statement. Its shape is parsed and bound once and kept; what a request pays for is its literals.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, assert_never

import attrs

from scimcore.errors import InvalidFilterError
from scimcore.rules.binding import plan
from scimcore.rules.grammar import LONGEST_REMEMBERED, Statement, statement
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
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
from scimcore.rules.terms import And, Comparison, Never, Not, Or, Presence, SomeElement, Term, predicate
from scimcore.rules.tokens import literals_of, position_in, split
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import USER

_ENVELOPE: Final = frozenset({"meta", "schemas"})

__all__ = [
    "And",
    "BoundFilter",
    "Comparison",
    "Filter",
    "Never",
    "Not",
    "Operator",
    "Or",
    "Presence",
    "SomeElement",
    "Term",
    "matches",
    "parse_filter",
]


@attrs.frozen
class BoundFilter:
    """A filter that knows its resource type."""

    tree: Term
    """What is asked, for storages to narrow a search by."""
    matches: Callable[[Document], bool] = attrs.field(eq=False, repr=False)
    """Whether a document matches; it is read, never modified, and may hold anything."""
    names: frozenset[str]
    """Of the attributes, extensions among them, that it looks at in a resource."""
    mentions_envelope: bool
    """Whether it looks at `meta` or `schemas`, which documents do not hold: then ask about the whole resource."""

    def joined(self, other: "BoundFilter") -> "BoundFilter":
        """What matches both this filter and *other*, which is about the same resource type; this one is tried first.

        >>> both = parse_filter('userName sw "b"').bound(USER).joined(parse_filter("title pr").bound(USER))
        >>> both.matches({"userName": "BJensen"}), both.matches({"userName": "BJensen", "title": "Tour Guide"})
        (False, True)
        """
        one, another = self.matches, other.matches
        return BoundFilter(
            And((*_conjuncts(self.tree), *_conjuncts(other.tree))),
            lambda document: one(document) and another(document),
            self.names | other.names,
            self.mentions_envelope or other.mentions_envelope,
        )


def _conjuncts(term: Term) -> tuple[Term, ...]:
    return term.terms if isinstance(term, And) else (term,)


def _syntax(found: Statement) -> Syntax:
    return found.syntax


@attrs.frozen(str=False, slots=False)
class Filter:
    """A well-formed filter; `str()` prints it so that parsing the print gives an equal filter.

    Filters are equal if they have the same terms in the same order: blanks, needless brackets, the case of names and
    operators, and the escapes in a literal do not count.
    """

    _statement: Statement = attrs.field(eq=_syntax, repr=False)
    # Python holds True for equal to 1, which no filter does.
    _literals: tuple[Json, ...] = attrs.field(eq=repr, repr=False)
    text: str = attrs.field(eq=False)
    _bound: dict[tuple[ResourceType, bool, Tolerance], BoundFilter] = attrs.field(
        init=False, factory=dict, eq=False, repr=False
    )
    """What `bound` has given already: the engine binds a filter to refuse it in time, the storage to apply it."""

    def __str__(self) -> str:
        return _printed(self._statement.syntax, self._literals)

    def bound(
        self, resource_type: ResourceType, foreign_is_absent: bool = False, tolerance: Tolerance = DEFAULT
    ) -> BoundFilter:
        """This filter about resources of *resource_type*.

        With *foreign_is_absent* a name that the type does not know has no value, as searches over several types need.

        >>> parse_filter('userName sw "b"').bound(USER).matches({"userName": "BJensen"})
        True

        Raises:
            InvalidFilterError: An attribute is unknown or never returned, an operator does not apply to its type, or a
                literal is of another type.
        """
        key = (resource_type, foreign_is_absent, tolerance)
        found = self._bound.get(key)
        if found is None:
            found = self._bound[key] = self._newly_bound(*key)
        return found

    def _newly_bound(self, resource_type: ResourceType, foreign_is_absent: bool, tolerance: Tolerance) -> BoundFilter:
        try:
            found = plan(self._statement, resource_type, foreign_is_absent)
            tree = found.term(found.operands(self._literals, tolerance))
        except NotWellFormed as fault:
            raise _refusal(fault, self.text) from None
        return BoundFilter(tree, predicate(tree), found.names, not _ENVELOPE.isdisjoint(found.names))

    def equated(self, resource_type: ResourceType) -> tuple[tuple[Place, ...], tuple[str, ...]] | None:
        """The places of *resource_type*, and the texts of which a match has one there, if that is all that is asked.

        So a storage with an index needs no term and no predicate. None for every other filter, even one that asks the
        same in other words, and for one that `bound` refuses.

        >>> places, texts = parse_filter('USERNAME eq "b" or emails eq "c"').equated(USER) or ((), ())
        >>> list(map(str, places)), texts
        (['userName', 'emails.value'], ('b', 'c'))
        """
        if len(self._statement.shape) > LONGEST_REMEMBERED:
            return None
        places = _equated(self._statement, resource_type)
        if places is None:
            return None
        texts = tuple([literal for literal in self._literals if isinstance(literal, str)])
        return (places, texts) if len(texts) == len(places) else None

    def check_names(self, resource_types: Iterable[ResourceType]) -> None:
        """Refuse names that none of *resource_types* knows: a search over several types may not drop a term (§3.4.2.1).

        Raises:
            InvalidFilterError: There is such a name; the error shows where.
        """
        types = tuple(resource_types)
        for path in _attributes(self._statement.syntax):
            if not any(one.place(path.text) for one in types):
                reason = f"no resource type has an attribute {path.text!r}"
                raise InvalidFilterError(reason, self.text, position_in(self.text, path.position))


@lru_cache(maxsize=512)
def _equated(statement: Statement, resource_type: ResourceType) -> tuple[Place, ...] | None:
    try:
        return plan(statement, resource_type, False).equated
    except NotWellFormed:
        return None


def parse_filter(text: str, limits: Limits = DEFAULT_LIMITS) -> Filter:
    """The filter that *text* spells (RFC 7644 §3.4.2.2). No name is looked up yet; see `Filter.bound`.

    Beyond the RFC's grammar, `not(` without a blank, several blanks and `emails[type eq "work"].value eq "x"` are read.

    >>> print(parse_filter('title PR  AND (userType eq "\\u0041")'))
    title pr and userType eq "A"

    Raises:
        InvalidFilterError: It is no filter, or exceeds *limits*; the error shows where.
    """
    if len(text) > limits.max_filter_length:
        raise InvalidFilterError(f"the filter is longer than {limits.max_filter_length} characters")
    shape, spelled = split(text)
    try:
        found = statement(shape, limits.max_filter_depth, limits.max_filter_terms)
        literals = literals_of(shape, spelled)
    except NotWellFormed as fault:
        raise _refusal(fault, text) from None
    return Filter(found, literals, text)


def matches(filter: Filter | str, document: Document, resource_type: ResourceType = USER) -> bool:
    """Whether *document*, in canonical form, matches *filter* (RFC 7644 §3.4.2.2).

    >>> matches('emails[type eq "work" and value ew "@example.com"]', {"emails": [{"type": "work", "value": "a@b.c"}]})
    False

    Raises:
        InvalidFilterError: *filter* is no filter about resources of that type.
    """
    found = parse_filter(filter) if isinstance(filter, str) else filter
    return found.bound(resource_type).matches(document)


def _attributes(syntax: Syntax) -> Iterator[AttrPath]:
    """The attributes that a filter names outside of square brackets."""
    match syntax:
        case AttrExp(path) | PresenceExp(path) | ValuePath(path):
            yield path
        case NotExp(inner):
            yield from _attributes(inner)
        case LogExp(_, terms):
            for term in terms:
                yield from _attributes(term)
        case _ as unreachable:
            assert_never(unreachable)


def _refusal(fault: NotWellFormed, text: str) -> InvalidFilterError:
    return InvalidFilterError(fault.reason, text, position_in(text, fault.position))


def _printed(syntax: Syntax, literals: Sequence[Json]) -> str:
    match syntax:
        case AttrExp(path, operator, slot):
            return f"{path.text} {operator} {json.dumps(literals[slot], ensure_ascii=False)}"
        case PresenceExp(path):
            return f"{path.text} pr"
        case ValuePath(path, inner):
            return f"{path.text}[{_printed(inner, literals)}]"
        case NotExp(inner):
            return f"not ({_printed(inner, literals)})"
        case LogExp("or", terms):
            return " or ".join([_printed(term, literals) for term in terms])
        case LogExp(_, terms):
            return " and ".join([_grouped(term, literals) for term in terms])
        case _ as unreachable:
            assert_never(unreachable)


def _grouped(syntax: Syntax, literals: Sequence[Json]) -> str:
    text = _printed(syntax, literals)
    return f"({text})" if isinstance(syntax, LogExp) else text
