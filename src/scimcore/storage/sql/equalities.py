"""The search that is asked most: who has this value, or one of these few?

Identity providers look for an account before they create one, and so does a policy that adopts accounts. To write such
a statement anew takes several times as long as to run it, and only its values differ: so it is written once for each
number of values. Whatever else is asked of the few that have one, or hidden of them, is then no matter for a database.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)

from scimcore.rules.filter import Filter
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.storage.protocol import Query
from scimcore.storage.sql.lookups import Listed, Lookups, Sought
from scimcore.storage.sql.ordering import unsorted
from scimcore.storage.sql.prepared import Rows
from scimcore.storage.sql.rows import Places, text_key
from scimcore.storage.sql.statements import RECORD_COLUMNS
from scimcore.storage.sql.tables import RESOURCE, VALUE_INDEX

_MOST_VALUES: Final = 10
# Where the id and the creation stand in RECORD_COLUMNS.
_ID: Final = 1
_CREATED: Final = 2

_VALUES: Final = tuple((f"b_place_{number}", f"b_value_{number}") for number in range(_MOST_VALUES))
"""How the parameters are called that each value takes."""

_tenant: Final[BindParameter[str]] = bindparam("b_tenant")
_type: Final[BindParameter[str]] = bindparam("b_type")


def sought(query: Query, tenant: str, places: Places, *, indirect_groups: bool) -> Sought | None:
    """A few values, of which the records that *query* finds have one; None if it asks for none, or for too many."""
    if len(query.resource_types) > 1 or query.sorts or query.after is not None:
        return None
    (resource_type,) = query.resource_types
    if query.filter is not None and resource_type.name not in query.seen:
        found = _sought_at_once(query.filter, resource_type, places(resource_type))
        if found is not None:
            return found
    bound = query.bound(resource_type)
    if bound is None:
        return None
    lookups = Lookups(tenant, resource_type, places(resource_type), indirect_groups)
    found = lookups.sought(bound.tree)
    return found if found is not None and len(found.values) <= _MOST_VALUES else None


def _sought_at_once(filter: Filter, resource_type: ResourceType, indexed: Mapping[str, Place]) -> Sought | None:
    """What `Lookups.sought` makes of a *filter* that asks for nothing but values; None if it has to be asked."""
    equated = filter.equated(resource_type)
    if equated is None:
        return None
    asked, texts = equated
    if len(asked) > _MOST_VALUES:
        return None
    values: list[tuple[str, str]] = []
    for number, text in enumerate(texts):
        place = asked[number]
        name = place.name
        key = text_key(place.leaf, text) if name in indexed else None
        if key is None:
            return None
        values.append((name, key))
    return Sought(tuple(values), True)


def parameters(few: Sought, tenant: str, type_name: str, count: int, offset: int) -> dict[str, object]:
    """The parameters for *count* records that have a value that is sought, behind the first *offset*."""
    found: dict[str, object] = {"b_tenant": tenant, "b_type": type_name, "b_count": count, "b_offset": offset}
    for number, (place, value) in enumerate(few.values):
        b_place, b_value = _VALUES[number]
        found[b_place] = place
        found[b_value] = value
    return found


def having(few: Sought) -> Select[Any]:
    """The records of one type that have one of as many values, a page of them by creation."""
    return _having(len(few.values))


def apart(few: Sought, most: int) -> ClauseElement:
    """The same as one look-up behind another: the first *most*, in no order, and each record as often as it has one of
    the values."""
    return _apart(len(few.values), most)


def in_order(rows: Rows) -> Rows:
    """The *rows* that `apart` found, each record once, by creation.

    >>> in_order([("User", "b", "2026-11-23"), ("User", "a", "2026-11-23"), ("User", "b", "2026-11-23")])
    [('User', 'a', '2026-11-23'), ('User', 'b', '2026-11-23')]
    """
    return sorted({row[_ID]: row for row in rows}.values(), key=itemgetter(_CREATED, _ID))


def counted(few: Sought) -> Select[Any]:
    """How many records of one type have one of as many values."""
    return _counted(len(few.values))


@lru_cache(maxsize=_MOST_VALUES)
def _having(number: int) -> Select[Any]:
    order = unsorted(several_types=False).by(without_index=True)
    statement = _restricted(select(*RECORD_COLUMNS), number).order_by(*order)
    return statement.limit(bindparam("b_count", type_=BigInteger)).offset(bindparam("b_offset", type_=BigInteger))


@lru_cache(maxsize=_MOST_VALUES)
def _apart(number: int, most: int) -> ClauseElement:
    same = (RESOURCE.c.tenant == VALUE_INDEX.c.tenant, RESOURCE.c.type == VALUE_INDEX.c.type)
    both = VALUE_INDEX.join(RESOURCE, and_(*same, RESOURCE.c.id == VALUE_INDEX.c.id))
    found = [select(*RECORD_COLUMNS).select_from(both).where(*_has_value(one)) for one in range(number)]
    whole = found[0] if number == 1 else union_all(*found)
    # SQLAlchemy gives SQLite an offset in any case: one that is written out takes no parameter.
    return whole.limit(literal_column(str(most), BigInteger)).offset(literal_column("0", BigInteger))


@lru_cache(maxsize=_MOST_VALUES)
def _counted(number: int) -> Select[Any]:
    return _restricted(select(func.count(RESOURCE.c.version)), number)


def _restricted(statement: Select[Any], number: int) -> Select[Any]:
    ids = tuple(select(VALUE_INDEX.c.id).where(*_has_value(one)) for one in range(number))
    return statement.where(RESOURCE.c.tenant == _tenant, RESOURCE.c.type == _type, Listed(ids, decides=True).condition)


def _has_value(number: int) -> tuple[ColumnElement[bool], ...]:
    """That a row of the value index holds the value of that number."""
    place, value = _VALUES[number]
    return (
        VALUE_INDEX.c.tenant == _tenant,
        VALUE_INDEX.c.type == _type,
        VALUE_INDEX.c.place == bindparam(place),
        VALUE_INDEX.c.value == bindparam(value),
    )
