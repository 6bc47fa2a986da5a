"""Sorting in Python, where the database cannot be trusted to agree with the rules; and the orders where it can."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sqlalchemy import ColumnElement

from scimcore.rules.compare import is_exact
from scimcore.rules.order import ordered
from scimcore.schema.document import Document
from scimcore.storage.protocol import Query, Record, Sort
from scimcore.storage.sql.tables import RESOURCE

UNSORTED: Final[tuple[ColumnElement[str], ...]] = (RESOURCE.c.created, RESOURCE.c.id, RESOURCE.c.type)
"""By creation, then id."""

_SORTABLE: Final = {
    "id": RESOURCE.c.normal_id,
    "meta.created": RESOURCE.c.created,
    "meta.lastModified": RESOURCE.c.last_modified,
}


FEW: Final[tuple[ColumnElement[str], ...]] = (RESOURCE.c.created.concat(""), RESOURCE.c.id, RESOURCE.c.type)
"""The same for records that an index names: no index on the creation is walked in their place."""


def order_in_sql(query: Query) -> tuple[ColumnElement[str], ...] | None:
    """The order of *query* in SQL; None if only Python knows it.

    Moments are stored in one form and every record has them; other values compare by rules that no database has.
    """
    if not query.sorts:
        return UNSORTED
    if len(query.resource_types) > 1:
        return None
    sort = query.sorts[query.resource_types[0].name]
    column = _SORTABLE.get(str(sort.place))
    if column is None or (str(sort.place) == "id" and not is_exact(sort.place.leaf)):
        return None
    return (column.desc() if sort.descending else column), RESOURCE.c.id


def sorted_attribute(query: Query, record_type: str) -> str | None:
    """The attribute or extension that decides where a record of that type comes."""
    sort = query.sorts.get(record_type)
    return None if sort is None else (sort.place.container or sort.place.attribute).name


def sorted_records(records: list[Record], sorts: Mapping[str, Sort]) -> list[Record]:
    """*records* as *sorts* say; a type without a sort is ordered like resources without a value.

    Values are compared only with values of their kind: a stable sort for each kind, the first kind last.
    """
    result = sorted(records, key=_id)
    for kind in reversed(dict.fromkeys(map(_kind, sorts.values()))):
        of_kind = {name: sort for name, sort in sorts.items() if _kind(sort) == kind}
        result = ordered(result, partial(_document_if, of_kind), next(iter(of_kind.values())))
    return result


def _id(record: Record) -> str:
    return record.id


def _document_if(sorts: Mapping[str, Sort], record: Record) -> Document:
    return record.document if record.resource_type.name in sorts else {}


def _kind(sort: Sort) -> tuple[str, str, bool, bool]:
    """What two sorts must share for their values to be comparable."""
    return str(sort.place), sort.place.leaf.type, sort.place.leaf.case_exact, sort.descending
