"""The order of a search, and positions in it: pure, for every storage.

Types whose values can be compared are sorted as one; what else is sorted by another kind of value comes in a further
part of the order, where the records of all other types count as missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
from pydantic_core import from_json, to_json

from scimcore.schema.document import Json
from scimcore.storage.protocol import Position, Sort


@attrs.frozen
class Part:
    """One of the things that records are ordered by; types without a sort here have no value."""

    sorts: Mapping[str, Sort]
    """Resource type name -> order; all of one direction, by values that compare."""

    @property
    def descending(self) -> bool:
        return next(iter(self.sorts.values())).descending


def parts_of(sorts: Mapping[str, Sort]) -> tuple[Part, ...]:
    """What *sorts* order by, the most important first.

    >>> from scimcore.schema.standard import GROUP, USER
    >>> by_name = {one.name: Sort(one.place("displayName")) for one in (USER, GROUP)}
    >>> [list(part.sorts) for part in parts_of(by_name)]
    [['User', 'Group']]
    """
    kinds = dict.fromkeys(map(_kind, sorts.values()))
    return tuple(Part({name: sort for name, sort in sorts.items() if _kind(sort) == kind}) for kind in kinds)


def _kind(sort: Sort) -> tuple[str, str, bool, bool]:
    """What two sorts must share for their values to be comparable."""
    return str(sort.place), sort.place.leaf.type, sort.place.leaf.case_exact, sort.descending


@attrs.frozen
class Rank:
    """Where a record stands: its keys, part by part, then what tells it from every other record."""

    keys: tuple[str | None, ...]
    """None where it has no value to sort by. In a search that nobody asked to sort, the moment of its creation."""
    id: str
    type: str

    def follows(self, other: "Rank", descending: Sequence[bool]) -> bool:
        """Whether this comes behind *other* in an order whose parts are *descending* or not.

        A missing value comes last, in a descending order first (RFC 7644 §3.4.2.3).

        >>> Rank((None,), "1", "User").follows(Rank(("a",), "2", "User"), [False])
        True
        """
        for mine, theirs, is_descending in zip(self.keys, other.keys, descending, strict=True):
            if mine != theirs:
                if mine is None or theirs is None:
                    return (mine is None) is not is_descending
                return (mine < theirs) is is_descending
        return (self.id, self.type) > (other.id, other.type)


UNSORTED: Final = (False,)
"""The directions of a search that nobody asked to sort: by creation."""


def directions(parts: Iterable[Part]) -> tuple[bool, ...]:
    """Which parts of an order are descending."""
    return tuple(part.descending for part in parts) or UNSORTED


def in_rank(ranks: Iterable[Rank], descending: Sequence[bool], after: Rank | None = None) -> list[Rank]:
    """*ranks* in the order whose parts are *descending* or not; only those that follow *after*, if it is given.

    >>> [rank.id for rank in in_rank([Rank((None,), "1", ""), Rank(("a",), "2", ""), Rank(("a",), "0", "")], [True])]
    ['1', '0', '2']
    """
    found = sorted(ranks, key=_name)
    for number in reversed(range(len(descending))):
        keyed = [(key, rank) for rank in found if (key := rank.keys[number]) is not None]
        keyed.sort(key=_first, reverse=descending[number])
        present, missing = [rank for _, rank in keyed], [rank for rank in found if rank.keys[number] is None]
        found = missing + present if descending[number] else present + missing
    return found if after is None else [rank for rank in found if rank.follows(after, descending)]


def _name(rank: Rank) -> tuple[str, str]:
    return rank.id, rank.type


def _first(pair: tuple[str, Rank]) -> str:
    return pair[0]


def position(rank: Rank, total: int) -> Position:
    """The position behind *rank*, in a search that found *total* records where it began."""
    return Position(to_json([total, *rank.keys, rank.id, rank.type]).decode())


def read_position(text: Position, parts: int) -> tuple[Rank, int]:
    """The rank and the total in a position, in a search with that many *parts*.

    >>> read_position(position(Rank(("a",), "1", "User"), 10), 1)
    (Rank(keys=('a',), id='1', type='User'), 10)

    Raises:
        ValueError: It is no position in such a search.
    """
    found: Json = from_json(text)
    match found:
        case [int(total), *keys, str(id), str(type)] if len(keys) == parts:
            return Rank(tuple(_key(key) for key in keys), _text(id), _text(type)), total
        case _:
            raise ValueError("no position in this search")


def _key(key: Json) -> str | None:
    return None if key is None else _text(key)


def _text(text: Json) -> str:
    # A client may have had it in its hands, and no database takes a NUL.
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("no position in this search")
    return text
