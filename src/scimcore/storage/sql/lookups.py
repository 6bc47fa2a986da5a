"""Which records can match a filter, as far as an index knows: by equal values and equal beginnings.

A list of ids never leaves out a record that matches; whether it holds no others is said with it.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import attrs
from sqlalchemy import ColumnElement, Select, and_, false, select, union_all

from scimcore.rules.compare import is_exact, normalized
from scimcore.rules.filter import And, Comparison, Never, Operator, Or, SomeElement, Term
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.storage.keyed import KEYED
from scimcore.storage.sql.dialect import IsAmong
from scimcore.storage.sql.membership import groups_within
from scimcore.storage.sql.rows import LONGEST_KEY, text_key
from scimcore.storage.sql.tables import MEMBER, RESOURCE, VALUE_INDEX

_Ids: TypeAlias = Select[str]
_MOST_LISTS: Final = 100
"""In one condition; SQLite takes 500."""

_MOST_KEYS: Final = 10_000
"""In one list; SQLite and PostgreSQL take some 32,000 parameters."""

_FIRST_SURROGATE: Final = 0xD800
_AFTER_SURROGATES: Final = 0xE000


@attrs.frozen
class Listed:
    """The ids of all records that can match."""

    ids: tuple[_Ids, ...]
    """Lists whose union is meant."""
    decides: bool
    """Whether every one of those records matches."""

    @property
    def condition(self) -> ColumnElement[bool]:
        """Whether a record is among them."""
        if not self.ids:
            return false()
        return IsAmong(RESOURCE.c.id, self.ids[0] if len(self.ids) == 1 else union_all(*self.ids))


class Sought(NamedTuple):
    """Values of which every record that can match has one."""

    values: tuple[tuple[str, str], ...]
    """Names of indexed places, each with the key of a value there."""
    decides: bool
    """Whether every record that has one matches."""


def either(parts: Sequence[Listed]) -> Listed | None:
    """All that are listed in one of *parts*; None if that would be too much for one statement."""
    ids = tuple(one for part in parts for one in part.ids)
    return None if len(ids) > _MOST_LISTS else Listed(ids, all(part.decides for part in parts))


@attrs.frozen
class Lookups:
    """The indexes on records of one resource type of one tenant."""

    tenant: str
    resource_type: ResourceType
    places: Mapping[str, Place]
    """The places that the value index holds, by name."""
    indirect_groups: bool
    """Whether members of a group within another are members of that other too."""

    def listed(self, term: Term, inside: Place | None = None) -> Listed | None:
        """What can match *term*, which is about an element of *inside* if given; None if no index knows."""
        match term:
            case Comparison():
                ids = self._equal(term, f"{inside}.{term.place}" if inside else str(term.place))
                return None if ids is None else Listed((ids,), decides=True)
            case SomeElement(place, inner):
                # Elements of a simple attribute have no sub-attribute that a place could name.
                return self.listed(inner, place) if place.attribute.is_complex else None
            case And(terms):
                found = [few for part in terms if (few := self.listed(part, inside)) is not None]
                few = min(found, key=_width, default=None)
                return None if few is None else Listed(few.ids, decides=False)
            case Or(terms):
                return self._either(terms, inside)
            case Never():
                return Listed((), decides=True)
            case _:
                return None

    def sought(self, term: Term, inside: Place | None = None) -> Sought | None:
        """What a record that matches *term* has one of; None if no index knows, or *term* asks for no value.

        *term* is about an element of *inside* if given.
        """
        match term:
            case Comparison():
                name, key = self._indexed_key(term, inside)
                return None if key is None else Sought(((name, key),), decides=True)
            case SomeElement(place, inner):
                return self.sought(inner, place) if place.attribute.is_complex else None
            case And(terms):
                found = [few for part in terms if (few := self.sought(part, inside)) is not None]
                few = min(found, key=_number, default=None)
                return None if few is None else Sought(few.values, decides=False)
            case Or(terms):
                values: list[tuple[str, str]] = []
                decides = True
                for part in terms:
                    one = self.sought(part, inside)
                    if one is None:
                        return None
                    values += one.values
                    decides = decides and one.decides
                return Sought(tuple(values), decides)
            case _:
                return None

    def _either(self, terms: Sequence[Term], inside: Place | None) -> Listed | None:
        """What can match one of *terms*: many values of one place are looked up as one."""
        keys: dict[str, list[str]] = {}
        known: list[Listed] = []
        for part in terms:
            name, key = self._indexed_key(part, inside)
            if key is not None:
                keys.setdefault(name, []).append(key)
                continue
            some = self.listed(part, inside)
            if some is None:
                return None
            known.append(some)
        if sum(map(len, keys.values())) > _MOST_KEYS:
            return None
        values = [self._with_value(name, VALUE_INDEX.c.value.in_(found)) for name, found in keys.items()]
        return either([*(Listed((one,), decides=True) for one in values), *known])

    def _indexed_key(self, term: Term, inside: Place | None) -> tuple[str, str | None]:
        """The name of the place that *term* is about, and the key it has to have in the value index."""
        match term:
            case Comparison(place, Operator.EQ, str(operand)):
                name = f"{inside}.{place}" if inside else str(place)
                indexed = self.places.get(name)
                return name, None if indexed is None else text_key(indexed.leaf, operand)
            case _:
                return "", None

    def _equal(self, term: Comparison, name: str) -> _Ids | None:
        place = self.places.get(name)
        if not isinstance(term.operand, str):
            return None
        if term.operator is Operator.EQ and is_exact(term.place.leaf):
            key = normalized(term.operand)
            if name == "id":
                return _called(self.tenant, self.resource_type.name, key)
            if name == "members.value" and self._is_keyed("members"):
                return select(MEMBER.c.group_id).where(MEMBER.c.tenant == self.tenant, MEMBER.c.normal_key == key)
            if name == "groups.value" and self._is_keyed("groups"):
                return self._members_of(key)
        if place is None:
            return None
        key = text_key(place.leaf, term.operand) or ""
        # A long value is known by its beginning and a digest.
        if term.operator is Operator.EQ:
            return self._with_value(name, VALUE_INDEX.c.value == key)
        if term.operator is Operator.SW and key and len(key) <= LONGEST_KEY:
            after, value = _successor(key), VALUE_INDEX.c.value
            return self._with_value(name, value >= key if after is None else and_(value >= key, value < after))
        return None

    def _is_keyed(self, attribute: str) -> bool:
        return attribute in KEYED.get(self.resource_type.name, {})

    def _with_value(self, name: str, test: ColumnElement[bool]) -> _Ids:
        return select(VALUE_INDEX.c.id).where(
            VALUE_INDEX.c.tenant == self.tenant,
            VALUE_INDEX.c.type == self.resource_type.name,
            VALUE_INDEX.c.place == name,
            test,
        )

    def _members_of(self, normal_id: str) -> _Ids:
        groups = _called(self.tenant, "Group", normal_id)
        if self.indirect_groups:
            groups = groups_within(self.tenant, groups)
        return select(MEMBER.c.key).where(MEMBER.c.tenant == self.tenant, MEMBER.c.group_id.in_(groups))


def _called(tenant: str, type_name: str, normal_id: str) -> _Ids:
    other = RESOURCE.alias()
    return select(other.c.id).where(other.c.tenant == tenant, other.c.type == type_name, other.c.normal_id == normal_id)


def _successor(text: str) -> str | None:
    """The first text, by code point, after all that begin with *text*; None if there is none."""
    head = text.rstrip(chr(sys.maxunicode))
    if not head:
        return None
    following = ord(head[-1]) + 1
    return head[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)


def _width(listed: Listed) -> int:
    return len(listed.ids)


def _number(sought: Sought) -> int:
    return len(sought.values)
