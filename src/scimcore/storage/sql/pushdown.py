"""What the database makes of a search: a condition, and whether that decides or only narrows.

A condition never leaves out a record that matches. Where it is exact it finds nothing else either, so the database
counts and pages; where it is not, `BoundFilter.matches` decides about what it finds. Not exact are filters of more
terms or levels than a database bears; filters on `groups.value` of a schema for which the case of ids does not count,
and on `groups.display` of one for which the case of names does; and most filters on `groups` where indirect groups are
shown.
"""

from collections.abc import Sequence
from typing import Final

import attrs
from sqlalchemy import ColumnElement, and_, or_, true

from scimcore.rules.filter import And, Term
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Query
from scimcore.storage.sql.conditions import MOST_TERMS, Resource, condition, is_bearable, size
from scimcore.storage.sql.functions import KeyFunctions
from scimcore.storage.sql.lookups import Listed, Lookups, either
from scimcore.storage.sql.rows import Places
from scimcore.storage.sql.tables import RESOURCE


@attrs.frozen
class Sight:
    """What a search knows about the tables it looks at."""

    tenant: str
    places: Places
    functions: KeyFunctions
    indirect_groups: bool


@attrs.frozen
class Narrowed:
    """A condition on rows of the resource table that holds for every record that matches."""

    condition: ColumnElement[bool]
    exact: bool
    """Whether it holds for no other record."""
    listed: Listed | None = None
    """The records it can hold for, if an index knows them."""


_EVERYTHING: Final = Narrowed(true(), exact=True)


def narrowed(query: Query, sight: Sight) -> Narrowed:
    """What records have to fulfil to match *query*, each type its own."""
    parts = []
    for one in query.resource_types:
        bound = query.bound(one)
        part = _EVERYTHING if bound is None else _narrowed(bound.tree, one, sight)
        parts.append(attrs.evolve(part, condition=and_(RESOURCE.c.type == one.name, part.condition)))
    return parts[0] if len(parts) == 1 else _any(parts)


def _narrowed(term: Term, resource_type: ResourceType, sight: Sight) -> Narrowed:
    lookups = Lookups(sight.tenant, resource_type, sight.places(resource_type), sight.indirect_groups)
    listed = lookups.listed(term)
    if listed is not None and listed.decides:
        return Narrowed(listed.condition, exact=True, listed=listed)
    resource = Resource(sight.tenant, resource_type, sight.functions, sight.indirect_groups)
    whole = condition(term, resource) if is_bearable(term) else None
    parts = [_part_of(term, resource) if whole is None else whole]
    if listed is not None:
        parts.insert(0, listed.condition)
    return Narrowed(and_(*parts), exact=whole is not None, listed=listed)


def _part_of(term: Term, resource: Resource) -> ColumnElement[bool]:
    """As much of *term* as the database can tell."""
    found: list[ColumnElement[bool]] = []
    left = MOST_TERMS
    for part in term.terms if isinstance(term, And) else ():
        holds = condition(part, resource) if is_bearable(part) and size(part) <= left else None
        if holds is not None:
            found.append(holds)
            left -= size(part)
    return and_(true(), *found)


def _any(parts: Sequence[Narrowed]) -> Narrowed:
    """Databases do not look into several indexes for the sake of an `OR`, but they do for one list of ids."""
    holds = or_(*(part.condition for part in parts))
    exact = all(part.exact for part in parts)
    known = [part.listed for part in parts if part.listed is not None]
    listed = either(known) if len(known) == len(parts) else None
    return Narrowed(holds if listed is None else and_(listed.condition, holds), exact, listed)
