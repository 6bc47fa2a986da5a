"""A filter as a condition in SQL with bound parameters, and whether that condition decides or only narrows.

A condition never leaves out a record that matches. Where it is exact it finds nothing else either, so the database
counts and pages; where it is not, `BoundFilter.matches` decides about what it finds. What is negated must be exact.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, assert_never

import attrs
from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, or_, select, true, union_all

from scimcore.rules.compare import instant, is_exact, normalized
from scimcore.rules.filter import And, Comparison, Never, Not, Operator, Or, Presence, SomeElement, Term
from scimcore.rules.terms import predicate
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json
from scimcore.storage.keyed import KEYED
from scimcore.storage.sql.dialect import IsAmong
from scimcore.storage.sql.rows import LONGEST_KEY, text_key, without_text
from scimcore.storage.sql.tables import MEMBER, RESOURCE, VALUE_INDEX

_Ids: TypeAlias = Select[str]
_MOST_INDEXES: Final = 100
"""In one condition; SQLite takes 500."""

_MOMENTS: Final = {"meta.created": RESOURCE.c.created, "meta.lastModified": RESOURCE.c.last_modified}


@attrs.frozen
class Narrowed:
    """A condition on rows of the resource table that holds for every record that matches."""

    condition: ColumnElement[bool]
    exact: bool
    """Whether it holds for no other record."""
    among: tuple[_Ids, ...] | None = None
    """The ids of all records it can hold for, from indexes; None if only a walk over everything can tell."""
    is_list: bool = False
    """Whether it says no more than that the id is one of those."""


@attrs.frozen
class Pushdown:
    """What the database can say about records of one resource type of one tenant."""

    tenant: str
    resource_type: ResourceType
    places: Mapping[str, Place]
    """The places that the value index holds, by name."""

    def narrowed(self, term: Term, inside: Place | None = None) -> Narrowed:
        """*term* as a condition; *inside* is the attribute whose elements it is about, if it is about elements."""
        match term:
            case Comparison():
                return self._comparison(term, inside)
            case SomeElement(place, inner):
                return self._some_element(place, inner)
            case And(terms):
                return _all([self.narrowed(part, inside) for part in terms], inside)
            case Or(terms):
                return _any([self.narrowed(part, inside) for part in terms])
            case Not(inner):
                negated = self.narrowed(inner, inside)
                # Some element is not so, is something else than: no element is so.
                return Narrowed(not_(negated.condition), True) if negated.exact and inside is None else _ANYTHING
            case Presence(place):
                return self._presence(place, inside)
            case Never():
                return Narrowed(false(), True, (), is_list=True)
            case _ as unreachable:
                assert_never(unreachable)

    def _some_element(self, place: Place, inner: Term) -> Narrowed:
        # Elements of a simple attribute have no sub-attribute that a place could name.
        return self.narrowed(inner, place) if place.attribute.is_complex else _ANYTHING

    def _comparison(self, term: Comparison, inside: Place | None) -> Narrowed:
        name = f"{inside}.{term.place}" if inside else str(term.place)
        if name in _MOMENTS:
            return self._moment(_MOMENTS[name], term)
        if name == "meta.resourceType":
            holds = predicate(Comparison(Place(None, term.place.leaf), term.operator, term.operand))
            named: dict[str, Json] = {term.place.leaf.name: self.resource_type.name}
            return Narrowed(true() if holds(named) else false(), True)
        if not isinstance(term.operand, str):
            return _ANYTHING
        if term.operator is Operator.EQ and is_exact(term.place.leaf):
            key = normalized(term.operand)
            if name == "id":
                return _one_of(self._called(self.resource_type.name, key))
            if name == "members.value" and self._is_keyed("members"):
                return _one_of(self._groups_with(key))
            if name == "groups.value" and self._is_keyed("groups"):
                return _one_of(self._members_of(key))
        place = self.places.get(name)
        if place is None or self._is_keyed(place.attribute.name):
            return _ANYTHING
        return self._indexed(name, term.operator, text_key(place.leaf, term.operand) or "")

    def _is_keyed(self, attribute: str) -> bool:
        return attribute in KEYED.get(self.resource_type.name, {})

    def _indexed(self, name: str, operator: Operator, key: str) -> Narrowed:
        """Some value at the place *name* compares to *key*.

        A long value is known by its beginning: enough to compare it to what is no longer than that.
        """
        value = VALUE_INDEX.c.value
        if operator is Operator.EQ:
            return self._listed(name, value == key)
        if len(key) > LONGEST_KEY:
            return _ANYTHING
        match operator:
            case Operator.SW if key:
                after = _successor(key)
                return self._listed(name, value >= key if after is None else and_(value >= key, value < after))
            case Operator.SW | Operator.GE:
                return self._some(name, value >= key)
            case Operator.GT:
                return self._some(name, value > key)
            case Operator.LT:
                return self._some(name, value < key)
            case Operator.LE:
                return self._some(name, value <= key)
            case Operator.CO:
                return self._some(name, _may(value.contains(key, autoescape=True)), exact=False)
            case Operator.EW:
                return self._some(name, _may(value.endswith(key, autoescape=True)), exact=False)
            case _:
                return _ANYTHING

    def _listed(self, name: str, test: ColumnElement[bool]) -> Narrowed:
        """The records with a value that passes *test*, for tests that few pass."""
        return _one_of(
            select(VALUE_INDEX.c.id).where(
                VALUE_INDEX.c.tenant == self.tenant,
                VALUE_INDEX.c.type == self.resource_type.name,
                VALUE_INDEX.c.place == name,
                test,
            )
        )

    def _some(self, name: str, test: ColumnElement[bool], *, exact: bool = True) -> Narrowed:
        """Records with a value that passes *test*, for tests that many may pass: asked of each in its turn."""
        return Narrowed(exists().where(*self._values_of_this(), VALUE_INDEX.c.place == name, test), exact)

    def _values_of_this(self) -> tuple[ColumnElement[bool], ...]:
        return (
            VALUE_INDEX.c.tenant == self.tenant,
            VALUE_INDEX.c.type == self.resource_type.name,
            VALUE_INDEX.c.id == RESOURCE.c.id,
        )

    def _called(self, type_name: str, normal_id: str) -> _Ids:
        other = RESOURCE.alias()
        return select(other.c.id).where(
            other.c.tenant == self.tenant, other.c.type == type_name, other.c.normal_id == normal_id
        )

    def _groups_with(self, normal_key: str) -> _Ids:
        return select(MEMBER.c.group_id).where(MEMBER.c.tenant == self.tenant, MEMBER.c.normal_key == normal_key)

    def _members_of(self, normal_id: str) -> _Ids:
        groups = self._called("Group", normal_id)
        return select(MEMBER.c.key).where(MEMBER.c.tenant == self.tenant, MEMBER.c.group_id.in_(groups))

    def _presence(self, place: Place, inside: Place | None) -> Narrowed:
        # The key of an element is never empty, so an element is always present.
        if inside is None and str(place) in ("members", "members.value") and self._is_keyed("members"):
            found = (MEMBER.c.tenant == self.tenant, MEMBER.c.group_id == RESOURCE.c.id)
            return Narrowed(exists().where(*found), True)
        if inside is None and str(place) in ("groups", "groups.value") and self._is_keyed("groups"):
            found = (MEMBER.c.tenant == self.tenant, MEMBER.c.normal_key == RESOURCE.c.normal_id)
            return Narrowed(exists().where(*found, MEMBER.c.key == RESOURCE.c.id), True)
        if inside is None and str(place) in ("id", "meta", "schemas", *_MOMENTS):
            return Narrowed(true(), True)
        name = f"{inside}.{place}" if inside else str(place)
        if name not in self.places or self._is_keyed(self.places[name].attribute.name):
            return _ANYTHING
        is_text = and_(VALUE_INDEX.c.place == name, VALUE_INDEX.c.value != "")
        is_present = or_(is_text, VALUE_INDEX.c.place == without_text(name))
        return Narrowed(exists().where(*self._values_of_this(), is_present), True)

    def _moment(self, column: ColumnElement[str], term: Comparison) -> Narrowed:
        """Stored moments are all of one length, so their text is compared; the operand is cut to that length first."""
        bound = _cut(term.operand)
        if bound is None:
            return _ANYTHING
        text, is_whole = bound
        match term.operator:
            case Operator.GT:
                condition = column > text
            case Operator.GE:
                condition = column >= text if is_whole else column > text
            case Operator.LT:
                condition = column < text if is_whole else column <= text
            case Operator.LE:
                condition = column <= text
            case Operator.EQ:
                condition = column == text if is_whole else false()
            case _:
                return _ANYTHING
        return Narrowed(condition, True)


_ANYTHING: Final = Narrowed(true(), False)
_FIRST_SURROGATE: Final = 0xD800
_AFTER_SURROGATES: Final = 0xE000
_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)
# `instant` counts from a day before the epoch of `datetime`.
_SECONDS_BEFORE_EPOCH: Final = instant("0001-01-01T00:00:00Z")[0]


def _cut(operand: Json) -> tuple[str, bool] | None:
    """The last microsecond not after *operand*, as stored, and whether it is *operand*; None beyond the calendar."""
    try:
        seconds, fraction = instant(operand) if isinstance(operand, str) else (0, "")
        moment = _EPOCH + timedelta(seconds=seconds - _SECONDS_BEFORE_EPOCH, microseconds=int(f"{fraction:0<6}"[:6]))
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0"), len(fraction) <= 6


def _may(test: ColumnElement[bool]) -> ColumnElement[bool]:
    """That *test* may hold: of a long value the index has the beginning only.

    SQLite's LIKE takes `a` and `A` for equal, so it finds more than it should even in short ones.
    """
    return or_(test, func.length(VALUE_INDEX.c.value) > LONGEST_KEY)


def _successor(text: str) -> str | None:
    """The first text, by code point, after all that begin with *text*; None if there is none."""
    head = text.rstrip(chr(sys.maxunicode))
    if not head:
        return None
    following = ord(head[-1]) + 1
    return head[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)


def _one_of(*ids: _Ids) -> Narrowed:
    return Narrowed(IsAmong(RESOURCE.c.id, ids[0] if len(ids) == 1 else union_all(*ids)), True, ids, is_list=True)


def _all(parts: Sequence[Narrowed], inside: Place | None) -> Narrowed:
    indexes = [part.among for part in parts if part.among is not None]
    # That one element has both cannot be told from two rows.
    exact = inside is None and all(part.exact for part in parts)
    return Narrowed(and_(true(), *(part.condition for part in parts)), exact, min(indexes, key=len, default=None))


def _any(parts: Sequence[Narrowed]) -> Narrowed:
    """Databases do not look into several indexes for the sake of an `OR`, but they do for one list of ids."""
    condition = or_(false(), *(part.condition for part in parts))
    exact = all(part.exact for part in parts)
    among: list[_Ids] = []
    for part in parts:
        if part.among is None:
            return Narrowed(condition, exact)
        among += part.among
    if not among or len(among) > _MOST_INDEXES:
        return Narrowed(condition, exact, None if among else (), is_list=not among)
    listed = _one_of(*among)
    if all(part.is_list for part in parts):
        return listed
    return Narrowed(and_(listed.condition, condition), exact, tuple(among))


def union(parts: Sequence[tuple[ResourceType, Narrowed]]) -> Narrowed:
    """What records of several types have to fulfil, each type its own."""
    typed = [Narrowed(and_(RESOURCE.c.type == one.name, part.condition), part.exact, part.among) for one, part in parts]
    return typed[0] if len(typed) == 1 else _any(typed)
