"""Which attributes a response shows: returned, `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9)."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

import attrs

from scimcore.errors import InvalidValueError, Problem
from scimcore.schema.attribute import Attribute, Returned
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json, is_unassigned

Cut: TypeAlias = Mapping[str, "Cut | None"]
"""Names, and for each what of it is meant: None for all of it, or a Cut of its sub-attributes."""


@attrs.frozen
class Projection:
    """A choice of attributes of a resource type: those in *kept*, or if that is None all but those in *dropped*."""

    kept: Cut | None
    dropped: Cut

    def shows(self, name: str) -> bool:
        """Whether any of the top-level attribute *name* is shown."""
        if self.kept is not None:
            return name in self.kept
        return not (name in self.dropped and self.dropped[name] is None)


def projection(
    resource_type: ResourceType, attributes: tuple[str, ...] = (), excluded: tuple[str, ...] = ()
) -> Projection:
    """What to show of a resource for `attributes` or `excludedAttributes`, both as lists of names in attribute
    notation.

    Names that mean nothing are passed over; a value filter behind a name is, too.

    Raises:
        InvalidValueError: Both are given; they exclude one another (RFC 7644 §3.9).
    """
    if attributes and excluded:
        raise InvalidValueError([Problem("excludedAttributes", "cannot be combined with attributes")])
    return _projection(resource_type, attributes, excluded)


def projected(resource: Document, shown: Projection, also: Iterable[str] = ()) -> Document:
    """The part of *resource* that *shown* lets through, with the `returned: request` attributes named by *also*.

    *resource* is complete, with `schemas` and `meta`.

    >>> from scimcore.schema.standard import USER
    >>> resource = {"schemas": [], "id": "1", "userName": "b", "title": "T"}
    >>> projected(resource, projection(USER, attributes=("USERNAME",)))
    {'schemas': [], 'id': '1', 'userName': 'b'}
    """
    result = _kept(resource, shown.kept) if shown.kept is not None else _without(resource, shown.dropped)
    for name in also:
        if name in resource and name not in result:
            result = {**result, name: resource[name]}
    return result


@lru_cache(maxsize=1024)
def requested_only(resource_type: ResourceType) -> frozenset[str]:
    """The top-level attributes that are returned only on request (RFC 7643 §7)."""
    return frozenset(name for name, one in resource_type.attributes.items() if one.returned is Returned.REQUEST)


@lru_cache(maxsize=1024)
def _projection(resource_type: ResourceType, attributes: tuple[str, ...], excluded: tuple[str, ...]) -> Projection:
    everything = resource_type.attributes.values()
    if not attributes:
        dropped = _hidden(everything)
        for name in excluded:
            _mark(dropped, resource_type, name, keep_always=True)
        return Projection(None, dropped)
    kept: dict[str, Cut | None] = {one.name: None for one in everything if one.returned is Returned.ALWAYS}
    for name in attributes:
        _mark(kept, resource_type, name, keep_always=False)
    return Projection(kept, {})


def _hidden(attributes: Iterable[Attribute]) -> dict[str, Cut | None]:
    """What is not shown unless asked for, at every depth."""
    hidden: dict[str, Cut | None] = {}
    for attribute in attributes:
        if attribute.returned in (Returned.NEVER, Returned.REQUEST):
            hidden[attribute.name] = None
        elif inner := _hidden(attribute.sub_attributes):
            hidden[attribute.name] = inner
    return hidden


def _mark(cut: dict[str, Cut | None], resource_type: ResourceType, name: str, *, keep_always: bool) -> None:
    """Add to *cut* what *name* means; *keep_always* when the cut is of what to leave out."""
    place = resource_type.place(name.strip().partition("[")[0])
    if place is None:
        return
    steps = [step for step in (place.container, place.attribute, place.sub) if step is not None]
    if any(step.returned is Returned.NEVER for step in steps) or (
        keep_always and steps[-1].returned is Returned.ALWAYS
    ):
        return
    for step in steps[:-1]:
        inner = cut.get(step.name, {})
        if inner is None:
            return
        always = (
            {} if keep_always else {sub.name: None for sub in step.sub_attributes if sub.returned is Returned.ALWAYS}
        )
        deeper: dict[str, Cut | None] = {**always, **inner}
        cut[step.name] = deeper
        cut = deeper
    last = steps[-1]
    unseen = () if keep_always else tuple(_hidden(last.sub_attributes))
    cut[last.name] = {sub.name: None for sub in last.sub_attributes if sub.name not in unseen} if unseen else None


def _kept(value: Document, cut: Cut) -> Document:
    result: dict[str, Json] = {}
    for name, one in value.items():
        if name in cut:
            inner = cut[name]
            shown = one if inner is None else _each(one, inner, _kept)
            if not is_unassigned(shown) or inner is None:
                result[name] = shown
    return result


def _without(value: Document, cut: Cut) -> Document:
    if cut.keys().isdisjoint(value):
        return value
    result: dict[str, Json] = {}
    for name, one in value.items():
        if name not in cut:
            result[name] = one
        elif (inner := cut[name]) is not None:
            shown = _each(one, inner, _without)
            if not is_unassigned(shown):
                result[name] = shown
    return result


def _each(value: Json, cut: Cut, apply: Callable[[Document, Cut], Document]) -> Json:
    if isinstance(value, list):
        return [shown for one in value if (shown := _each(one, cut, apply)) != {}]
    return apply(value, cut) if isinstance(value, dict) else value
