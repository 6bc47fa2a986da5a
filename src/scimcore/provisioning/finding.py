"""Looking for resources by exact values, safely: a value that a client sent never becomes part of a filter's syntax."""

import json
from functools import lru_cache
from typing import Final

from scimcore.rules.filter import Filter, parse_filter
from scimcore.rules.grammar import Statement, statement
from scimcore.rules.limits import Limits
from scimcore.rules.tokens import split
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import EVERYTHING, Elements, Query, Record, Session

_PAGE: Final = 200
# What clients write is bounded; this is as long as what is looked for.
_UNBOUNDED: Final = Limits(max_filter_length=10_000_000, max_filter_terms=100_000)


def equal_to(attribute: str, *values: str) -> Filter:
    """The filter for what has one of *values* at *attribute*, of any length and number.

    >>> str(equal_to("displayName", 'Team "A"', "Team B"))
    'displayName eq "Team \\\\"A\\\\"" or displayName eq "Team B"'
    """
    text = " or ".join([f"{attribute} eq {json.dumps(value)}" for value in values])
    return parse_filter(text, _UNBOUNDED)


def any_of(places: tuple[str, ...], values: tuple[str, ...]) -> Filter:
    """The filter for what has one of *values*, each at the place beside it, in attribute notation.

    Only the values differ from one call to the next, so they are not spelled and read again.

    >>> str(any_of(("userName", "externalId"), ("bjensen", '0"1')))
    'userName eq "bjensen" or externalId eq "0\\\\"1"'
    """
    asking, spelled = _asking(places)
    return Filter(asking, values, spelled)


@lru_cache(maxsize=64)
def _asking(places: tuple[str, ...]) -> tuple[Statement, str]:
    spelled = " or ".join([f'{place} eq ""' for place in places])
    shape, _ = split(spelled)
    return statement(shape, _UNBOUNDED.max_filter_depth, _UNBOUNDED.max_filter_terms), spelled


async def found(
    session: Session,
    resource_type: ResourceType,
    filter: Filter,
    elements: Elements = EVERYTHING,
    most: int | None = None,
    *,
    for_update: bool = False,
) -> tuple[Record, ...]:
    """The resources of *resource_type* that match *filter*, oldest first; no more than *most*, page by page.

    *for_update* says that they decide about a write; see `Query`.
    """
    records: list[Record] = []
    while True:
        count = _PAGE if most is None else min(_PAGE, most - len(records))
        page = await session.search(
            Query(
                resource_types=(resource_type,),
                filter=filter,
                offset=len(records),
                count=count,
                elements=elements,
                for_update=for_update,
            )
        )
        if not page.records:
            return tuple(records)
        records += page.records
        if len(records) >= page.total or len(records) == most:
            return tuple(records)


@lru_cache(maxsize=256)
def deciding(resource_type: ResourceType, most: int) -> Query:
    """The search for the oldest *most* resources of *resource_type*, which decide about a write; see `Query`."""
    return Query(resource_types=(resource_type,), count=most, for_update=True)
