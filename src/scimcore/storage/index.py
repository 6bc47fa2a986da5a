"""What the memory storage finds records by, and how a filter narrows the search.

An index may offer too many records, never too few: `BoundFilter.matches` decides. This file knows no session and no
lock.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from scimcore.rules.compare import Key, comparison_key, folded
from scimcore.rules.filter import And, Comparison, Not, Operator, Or, Presence, SomeElement, Term
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.keyed import KEYED_NAMES
from scimcore.storage.protocol import Elements

INDEXED: Final = (
    "userName",
    "externalId",
    "displayName",
    "emails.value",
    "urn:scimcore:params:scim:schemas:extension:provisioning:1.0:identifier",
)
"""Places that every storage indexes unless it is told otherwise, besides `id`, `members.value` and `groups.value`."""

UNSEEN: Final[Elements] = dict.fromkeys(KEYED_NAMES, ())
"""What to read of keyed attributes where nothing of them counts."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Hashable)


class Buckets(Generic[K, V]):
    """Values by key. A key with one value, the usual case, costs no set.

    >>> buckets = Buckets[str, int]()
    >>> for number in (1, 2): buckets.add("a", number)
    >>> buckets.discard("a", 1)
    >>> list(buckets.at("a")), list(buckets.at("b"))
    ([2], [])
    """

    __slots__ = ("_several", "_single")

    def __init__(self) -> None:
        self._single: dict[K, V] = {}
        self._several: dict[K, set[V]] = {}

    def add(self, key: K, value: V) -> None:
        several = self._several.get(key)
        if several is not None:
            several.add(value)
            return
        other = self._single.setdefault(key, value)
        if other != value:
            self._several[key] = {self._single.pop(key), value}

    def discard(self, key: K, value: V) -> None:
        several = self._several.get(key)
        if several is None:
            if self._single.get(key) == value:
                del self._single[key]
            return
        several.discard(value)
        if len(several) == 1:
            self._single[key] = self._several.pop(key).pop()

    def at(self, key: K) -> Collection[V]:
        """The values at *key*; a view that the next change may alter."""
        several = self._several.get(key)
        if several is not None:
            return several
        return (self._single[key],) if key in self._single else ()


class PlaceIndex(Generic[V]):
    """Records by the values they have at one place of a document."""

    __slots__ = ("_buckets", "_key", "_place", "_top")

    def __init__(self, place: Place) -> None:
        self._place = place
        # An id is looked up by references to it too, whose caseExact may differ: folded, it is found by all of them.
        self._key = _folded_key if place.attribute.name == "id" else comparison_key
        self._top = (place.container or place.attribute).name
        self._buckets: Buckets[Key, V] = Buckets()

    def add(self, value: V, document: Document) -> None:
        """Find *value* by what *document* holds."""
        for key in self._keys(_values_at(self._place, document)):
            self._buckets.add(key, value)

    def discard(self, value: V, document: Document) -> None:
        """Find *value* no longer by what *document* holds."""
        for key in self._keys(_values_at(self._place, document)):
            self._buckets.discard(key, value)

    def move(self, value: V, before: Document, after: Document) -> None:
        """Find *value* by what *after* holds; next to free of cost if it is what *before* holds."""
        if before.get(self._top) is after.get(self._top):
            return
        old, new = _values_at(self._place, before), _values_at(self._place, after)
        if old != new:
            for key in self._keys(old):
                self._buckets.discard(key, value)
            for key in self._keys(new):
                self._buckets.add(key, value)

    def _keys(self, values: Iterable[Json]) -> list[Key]:
        return [self._key(self._place.leaf, one) for one in values]

    def equal(self, operand: Json) -> Collection[V]:
        """Whatever may equal *operand* at this place."""
        return self._buckets.at(self._key(self._place.leaf, operand))


def _folded_key(_: Attribute, value: Json) -> Key:
    return folded(value) if isinstance(value, str) else False


def _values_at(place: Place, document: Document) -> list[Json]:
    holder: Json = document.get(place.container.name) if place.container else document
    found = holder.get(place.attribute.name) if isinstance(holder, dict) else None
    values: list[Json] = found if isinstance(found, list) else [found]
    if place.sub:
        name = place.sub.name
        values = [element.get(name) for element in values if isinstance(element, dict)]
    return [value for value in values if value is not None]


def indexable(names: Iterable[str], resource_type: ResourceType) -> Iterator[tuple[str, Place]]:
    """The places of *resource_type* among *names* that an index can hold, by their name in attribute notation."""
    for name in names:
        place = resource_type.place(name)
        if place is not None and not place.leaf.is_complex and not (place.sub and place.sub.multi_valued):
            yield str(place), place


LookUp = Callable[[str, Json], Collection[V] | None]
"""Name of a place, operand -> whatever may equal it there; None if no index knows."""


def candidates(term: Term, look_up: LookUp[V], inside: str = "") -> Collection[V] | None:
    """All that can match *term*, and perhaps more; None if only a walk over everything can tell."""
    # Not a match statement, for the same reason as in `predicate`.
    if isinstance(term, Comparison):
        return look_up(f"{inside}{term.place}", term.operand) if term.operator is Operator.EQ else None
    if isinstance(term, SomeElement):
        return candidates(term.term, look_up, f"{term.place}.")
    if isinstance(term, And):
        found = [few for part in term.terms if (few := candidates(part, look_up, inside)) is not None]
        return min(found, key=len, default=None)
    if isinstance(term, Or):
        union: set[V] = set()
        for part in term.terms:
            some = candidates(part, look_up, inside)
            if some is None:
                return None
            union.update(some)
        return union
    return None


def keys_named(term: Term, attribute: str, key: str = "value") -> set[str] | None:
    """The keys of all elements of *attribute* that can matter to *term*; None if any element can.

    A group is thus asked for one of its members without a look at the others.
    """
    match term:
        case And(terms) | Or(terms):
            found: set[str] = set()
            for part in terms:
                keys = keys_named(part, attribute, key)
                if keys is None:
                    return None
                found |= keys
            return found
        case Not(inner):
            return keys_named(inner, attribute, key)
        case Comparison(place) | Presence(place) | SomeElement(place) if _is_at(place, attribute):
            return _keys_singled_out(term, key)
        case _:
            return set()


def _is_at(place: Place, attribute: str) -> bool:
    return place.container is None and place.attribute.name == attribute


def _keys_singled_out(term: Term, key: str) -> set[str] | None:
    """The keys that an element must have one of to match *term*; None if it need not."""
    match term:
        case Comparison(place, Operator.EQ, str(operand)) if place.leaf.name == key:
            return {operand}
        case SomeElement(_, inner):
            return _keys_singled_out(inner, key)
        case And(terms):
            return next((keys for part in terms if (keys := _keys_singled_out(part, key)) is not None), None)
        case _:
            return None
