"""What an update changes, attribute by attribute.

Rules share what they do not change, so everything that is the same object on both sides is skipped without a look at
it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from operator import is_
from typing import Final

import attrs

from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json

_NONE: Final[Mapping[str, Json]] = {}
_NO_ELEMENTS: Final[Mapping[str, tuple[Json, ...]]] = {}


@attrs.frozen
class Delta:
    """The difference between two canonical documents, by top-level attribute or extension URN.

    A multi-valued attribute whose elements only come and go is in `added` and `removed`; everything else that has a new
    value is in `assigned`, whole. Applied to the old document it gives the new one.
    """

    assigned: Mapping[str, Json] = _NONE
    unassigned: frozenset[str] = frozenset()
    added: Mapping[str, tuple[Json, ...]] = _NO_ELEMENTS
    removed: Mapping[str, tuple[Json, ...]] = _NO_ELEMENTS

    @property
    def attributes(self) -> frozenset[str]:
        """The names of all attributes that change."""
        return self.unassigned.union(self.assigned, self.added, self.removed)

    def __bool__(self) -> bool:
        return bool(self.assigned or self.added or self.removed or self.unassigned)

    def applied_to(self, document: Document) -> Document:
        """*document* with these changes; the same object when there are none.

        >>> Delta(added={"tags": ("b",)}).applied_to({"tags": ["a"]})
        {'tags': ['a', 'b']}
        """
        if not self:
            return document
        result = {name: value for name, value in document.items() if name not in self.unassigned}
        result.update(self.assigned)
        for name in {**self.removed, **self.added}:
            elements = [*_without(elements_of(result.get(name)), self.removed.get(name, ())), *self.added.get(name, ())]
            if elements:
                result[name] = elements
            else:
                result.pop(name, None)
        return result


def delta_between(before: Document, after: Document, unordered: Collection[str] = ()) -> Delta:
    """What turns the canonical document *before* into *after*.

    The elements of the attributes named in *unordered* only come and go; where in the list they stand does not count.

    >>> delta_between({"title": "A", "tags": ["a"]}, {"tags": ["a", "b"]})
    Delta(assigned={}, unassigned=frozenset({'title'}), added={'tags': ('b',)}, removed={})
    """
    assigned: dict[str, Json] = {}
    added: dict[str, tuple[Json, ...]] = {}
    removed: dict[str, tuple[Json, ...]] = {}
    for name, new in after.items():
        old = before.get(name)
        if old is new or same(old, new):
            continue
        if not (isinstance(new, list) and (old is None or isinstance(old, list))):
            assigned[name] = new
            continue
        kept, gone, come = _difference(old or [], new)
        if name in unordered or [*kept, *come] == new:
            if gone:
                removed[name] = tuple(gone)
            if come:
                added[name] = tuple(come)
        else:
            assigned[name] = new
    unassigned = set()
    for name, old in before.items():
        if name in after:
            continue
        if isinstance(old, list):
            removed[name] = tuple(old)
        else:
            unassigned.add(name)
    return Delta(assigned, frozenset(unassigned), added, removed)


def delta_of_new(document: Document) -> Delta:
    """What turns nothing into *document*.

    >>> delta_of_new({"title": "A", "tags": ["a"]})
    Delta(assigned={'title': 'A'}, unassigned=frozenset(), added={'tags': ('a',)}, removed={})
    """
    assigned: dict[str, Json] = {}
    added: dict[str, tuple[Json, ...]] = {}
    for name, value in document.items():
        if isinstance(value, list):
            added[name] = tuple(value)
        else:
            assigned[name] = value
    return Delta(assigned, added=added)


@lru_cache(maxsize=1024)
def unordered(resource_type: ResourceType) -> frozenset[str]:
    """The attributes whose elements come and go and have no order, like a group's members.

    A storage that keeps such elements one by one is never given the whole list in the place of those that changed.
    """
    return frozenset(name for name, attribute in resource_type.attributes.items() if attribute.is_membership)


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are the same value; unlike Python's `==`, true is not 1.

    >>> same({"a": [1]}, {"a": [1]}), same(True, 1), same(1, 1.0)
    (True, False, True)
    """
    # Python compares whole values in C; only where it finds them equal may true still stand against 1.
    return one is other or (one == other and _are_alike(one, other))


def _are_alike(one: Json, other: Json) -> bool:
    """Whether two values that are equal to Python have booleans in the same places."""
    if isinstance(one, str):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        for name, value in one.items():
            if not isinstance(value, str) and not _are_alike(value, other[name]):
                return False
        return True
    if isinstance(one, list) and isinstance(other, list):
        return all(map(_are_alike, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def elements_of(value: Json) -> Sequence[Json]:
    """The elements of a multi-valued attribute; none if it is unassigned."""
    return value if isinstance(value, list) else ()


def frozen(value: Json) -> object:
    """A hashable stand-in for *value*: equal stand-ins are the same value."""
    if isinstance(value, dict):
        return frozenset((name, frozen(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return (bool, value) if isinstance(value, bool) else value


# Up to here comparing each with each is faster than hashing them all.
_FEW = 36


def _difference(old: Sequence[Json], new: Sequence[Json]) -> tuple[list[Json], list[Json], list[Json]]:
    """The elements of *old* that *new* has too, those that it has not, and those that only *new* has."""
    if len(old) <= len(new) and all(map(is_, old, new)):  # elements were appended
        return list(old), [], list(new[len(old) :])
    kept: list[Json] = []
    gone: list[Json] = []
    is_new, is_old = _membership(new, len(old)), _membership(old, len(new))
    for element in old:
        (kept if is_new(element) else gone).append(element)
    return kept, gone, [element for element in new if not is_old(element)]


def _membership(elements: Sequence[Json], questions: int) -> Callable[[Json], bool]:
    """Whether an element is among *elements*, to be asked that many times."""
    if len(elements) * questions <= _FEW:
        return partial(_is_among, elements)
    stand_ins = set(map(frozen, elements))
    return lambda element: frozen(element) in stand_ins


def _is_among(elements: Sequence[Json], element: Json) -> bool:
    for other in elements:  # noqa: SIM110 - any() with a generator takes twice as long
        if same(other, element):
            return True
    return False


def _without(elements: Sequence[Json], gone: Sequence[Json]) -> list[Json]:
    if not gone:
        return list(elements)
    names = set(map(frozen, gone))
    return [element for element in elements if frozen(element) not in names]
