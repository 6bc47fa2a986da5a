"""Which attributes a response shows: returned, `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9)."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import attrs

from scimcore.errors import InvalidValueError, Problem
from scimcore.schema.attribute import Attribute, Returned
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json, is_unassigned

_LONGEST_REMEMBERED = 1_000
_NEVER: Final = frozenset({Returned.NEVER})
_NOT_USUAL: Final = frozenset({Returned.NEVER, Returned.REQUEST})

Cut: TypeAlias = Mapping[str, "Cut | None"]
"""Names, and for each what of it is meant: None for all of it, or a Cut of its sub-attributes."""


@attrs.frozen
class Projection:
    """A choice of attributes of a resource type: those in *kept*, or if that is None all but those in *dropped*."""

    kept: Cut | None
    dropped: Cut
    secret: Cut
    """What is never shown."""

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
    if not attributes and not excluded:
        return _projection(resource_type, (), ())
    if attributes and excluded:
        raise InvalidValueError([Problem("excludedAttributes", "cannot be combined with attributes")])
    # Clients choose the lists: only such as could be real are remembered.
    is_usual = sum(map(len, attributes)) + sum(map(len, excluded)) <= _LONGEST_REMEMBERED
    return (_projection if is_usual else _projection.__wrapped__)(resource_type, attributes, excluded)


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
            result = {**result, **_without({name: resource[name]}, shown.secret)}
    return result


@lru_cache(maxsize=1024)
def requested_only(resource_type: ResourceType) -> frozenset[str]:
    """The top-level attributes that are returned only on request (RFC 7643 §7)."""
    return frozenset(name for name, one in resource_type.attributes.items() if one.returned is Returned.REQUEST)


@lru_cache(maxsize=1024)
def _projection(resource_type: ResourceType, attributes: tuple[str, ...], excluded: tuple[str, ...]) -> Projection:
    everything = resource_type.attributes.values()
    secret = _hidden(everything, _NEVER)
    if not attributes:
        dropped = _hidden(everything, _NOT_USUAL)
        for name in excluded:
            _drop(dropped, resource_type, name)
        return Projection(None, dropped, secret)
    kept: dict[str, Cut | None] = {one.name: _usual(one) for one in everything if one.returned is Returned.ALWAYS}
    for container in resource_type.containers.values():
        if always := _always(container):
            kept[container.name] = always
    for name in attributes:
        _keep(kept, resource_type, name)
    return Projection(kept, {}, secret)


def _hidden(attributes: Iterable[Attribute], levels: frozenset[Returned]) -> dict[str, Cut | None]:
    """What is returned as one of *levels* says, at every depth."""
    hidden: dict[str, Cut | None] = {}
    for attribute in attributes:
        if attribute.returned in levels:
            hidden[attribute.name] = None
        elif inner := _hidden(attribute.sub_attributes, levels):
            hidden[attribute.name] = inner
    return hidden


def _usual(attribute: Attribute) -> Cut | None:
    """What is shown of *attribute* to those who ask for it, but for none of its parts."""
    if not _hidden(attribute.sub_attributes, _NOT_USUAL):
        return None
    return {sub.name: _usual(sub) for sub in attribute.sub_attributes if sub.returned not in _NOT_USUAL}


def _always(attribute: Attribute) -> Cut:
    """What is shown of *attribute* to those who ask for something else in it."""
    return {sub.name: _usual(sub) for sub in attribute.sub_attributes if sub.returned is Returned.ALWAYS}


def _steps(resource_type: ResourceType, name: str) -> list[Attribute]:
    """From the top-level attribute to what *name* means; none if it means nothing, or what is never shown."""
    place = resource_type.place(name.strip().partition("[")[0])
    steps = [] if place is None else [place.container, place.attribute, place.sub]
    found = [step for step in steps if step is not None]
    return [] if any(step.returned is Returned.NEVER for step in found) else found


def _keep(kept: dict[str, Cut | None], resource_type: ResourceType, name: str) -> None:
    """Add what *name* means to what is shown."""
    steps = _steps(resource_type, name)
    if not steps:
        return
    meant = _usual(steps[-1])
    for outer, inner in reversed(list(pairwise(steps))):
        meant = _union(_always(outer), {inner.name: meant})
    top = steps[0].name
    kept[top] = _union(kept[top], meant) if top in kept else meant


def _drop(dropped: dict[str, Cut | None], resource_type: ResourceType, name: str) -> None:
    """Add what *name* means to what is left out, unless it is always shown."""
    steps = _steps(resource_type, name)
    if not steps or steps[-1].returned is Returned.ALWAYS:
        return
    meant: Cut | None = None
    if steps[-1].name in resource_type.containers and _always(steps[-1]):
        meant = {sub.name: None for sub in steps[-1].sub_attributes if sub.returned is not Returned.ALWAYS}
    for step in reversed(steps[1:]):
        meant = {step.name: meant}
    top = steps[0].name
    dropped[top] = _union(dropped[top], meant) if top in dropped else meant


def _union(one: Cut | None, other: Cut | None) -> Cut | None:
    """What either of the two means."""
    if one is None or other is None:
        return None
    return {name: _union(one.get(name, {}), other.get(name, {})) for name in {**one, **other}}


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
    # The fewer names are looked up among the others.
    hit = [name for name in cut if name in value] if len(cut) < len(value) else [name for name in value if name in cut]
    if not hit:
        return value
    result = dict(value)
    for name in hit:
        inner = cut[name]
        shown: Json = None
        if inner is not None:
            shown = {} if _is_within(value[name], inner) else _each(value[name], inner, _without)
        if is_unassigned(shown):
            del result[name]
        else:
            result[name] = shown
    return result


def _is_within(value: Json, cut: Cut) -> bool:
    """Whether *value* is an object of which all is meant by *cut*."""
    if not isinstance(value, dict):
        return False
    for name in value:  # noqa: SIM110 - a generator takes longer than what this saves
        if name not in cut or cut[name] is not None:
            return False
    return True


def _each(value: Json, cut: Cut, apply: Callable[[Document, Cut], Document]) -> Json:
    if isinstance(value, list):
        return [shown for one in value if (shown := _each(one, cut, apply)) != {}]
    return apply(value, cut) if isinstance(value, dict) else value
