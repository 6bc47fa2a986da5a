"""Sorting (RFC 7644 §3.4.2.3): by type, by caseExact, resources without a value last."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from scimcore.errors import InvalidPathError
from scimcore.rules.compare import Key, comparison_key
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json

T = TypeVar("T")


class Ordering(Protocol):
    """By which values to order, and which way."""

    @property
    def place(self) -> Place: ...
    @property
    def descending(self) -> bool: ...


def sort_place(sort_by: str, resource_type: ResourceType) -> Place | None:
    """The place a `sortBy` names; None if *resource_type* has no such attribute.

    A complex attribute stands for its `value`.

    Raises:
        InvalidPathError: It is a complex attribute without a `value`, which has no order, or must not be seen.
    """
    place = resource_type.place(sort_by)
    if place is None:
        return None
    if place.leaf.is_complex:
        value = place.leaf.sub_attribute("value")
        if value is None or place.sub is not None:
            raise InvalidPathError(f"cannot sort by {place}: name one of its sub-attributes", sort_by)
        place = Place(place.container, place.attribute, value)
    if "never" in (place.attribute.returned, place.leaf.returned):
        raise InvalidPathError(f"cannot sort by {place}", sort_by)
    return place


def ordered(items: Iterable[T], document_of: Callable[[T], Document], by: Ordering) -> list[T]:
    """*items* in order of their documents' values, stable; those without a value last, when descending first.

    >>> from scimcore.schema.standard import USER
    >>> class By: place, descending = USER.place("title"), False
    >>> ordered([{"title": "b"}, {}, {"title": "A"}], lambda document: document, By())
    [{'title': 'A'}, {'title': 'b'}, {}]
    """
    keyed: list[tuple[Key, T]] = []
    missing: list[T] = []
    attribute = by.place.leaf
    for item in items:
        value = _sort_value(by.place, document_of(item))
        if value is None:
            missing.append(item)
        else:
            keyed.append((comparison_key(attribute, value), item))
    keyed.sort(key=_first, reverse=by.descending)
    present = [item for _, item in keyed]
    return missing + present if by.descending else present + missing


def _first(pair: tuple[Key, T]) -> Key:
    return pair[0]


def _sort_value(place: Place, document: Document) -> Json:
    holder: Json = document.get(place.container.name) if place.container else document
    if not isinstance(holder, dict):
        return None
    value: Json = holder.get(place.attribute.name)
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, dict) and one.get("primary") is True), value[0])
    if place.sub and isinstance(value, dict):
        return value.get(place.sub.name)
    return None if place.sub else value
