"""What records are found by, written anew: after other places are to be indexed, or the schema compares otherwise."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, TextClause, bindparam, delete, select, text, tuple_, update

from scimcore.schema.catalogue import ResourceType
from scimcore.storage.sql import facts
from scimcore.storage.sql.dialect import Dialect, alone
from scimcore.storage.sql.elements import element_of, stored
from scimcore.storage.sql.rows import content, index_entries, indexed_places, record_of
from scimcore.storage.sql.statements import RECORD_COLUMNS
from scimcore.storage.sql.tables import MEMBER, RESOURCE, VALUE_INDEX

_CHUNK: Final = 1_000

_WRITERS_WAIT: Final[Mapping[str, TextClause]] = {
    "postgresql": text(f"LOCK TABLE {RESOURCE.name}, {MEMBER.name} IN SHARE ROW EXCLUSIVE MODE")
}
"""In SQLite they do anyway."""

_DERIVED: Final = ("display", "folded_display", "comparison_keys")
_derived_of_record: Final = (
    update(RESOURCE)
    .where(
        RESOURCE.c.tenant == bindparam("b_tenant"),
        RESOURCE.c.type == bindparam("b_type"),
        RESOURCE.c.id == bindparam("b_id"),
    )
    .values({name: bindparam(f"b_{name}") for name in _DERIVED})
)
_derived_of_member: Final = (
    update(MEMBER)
    .where(
        MEMBER.c.tenant == bindparam("b_tenant"),
        MEMBER.c.group_id == bindparam("b_group_id"),
        MEMBER.c.key == bindparam("b_key"),
    )
    .values(comparison_keys=bindparam("b_comparison_keys"))
)


def reindexed(
    connection: Connection, dialect: Dialect, indexed: Collection[str], resource_types: Iterable[ResourceType]
) -> None:
    """Write what all records of all tenants are found by, in one transaction; those who write wait.

    Raises:
        ValueError: There are records of a type that is none of *resource_types*.
    """
    types = {one.name: one for one in resource_types}
    with alone(connection, dialect):
        if dialect.name in _WRITERS_WAIT:
            connection.execute(_WRITERS_WAIT[dialect.name])
        there = set(connection.execute(select(RESOURCE.c.type).distinct()).scalars())
        if there - types.keys():
            raise ValueError(f"there are records of other types: {', '.join(sorted(there - types.keys()))}")
        connection.execute(delete(VALUE_INDEX))
        for rows in _chunks(connection):
            _reindex_records(connection, rows, tuple(indexed), types)
        for one in types.values():
            if "members" in one.attributes:
                _reindex_members(connection, one)
        facts.note(connection, indexed)


def _chunks(connection: Connection) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    order = (RESOURCE.c.tenant, RESOURCE.c.id, RESOURCE.c.type)
    columns = (*RECORD_COLUMNS, RESOURCE.c.tenant)
    statement = select(*columns).order_by(*order).limit(_CHUNK)
    rows = connection.execute(statement).all()
    while rows:
        yield rows
        last = rows[-1]
        rows = connection.execute(statement.where(tuple_(*order) > tuple_(last.tenant, last.id, last.type))).all()


def _reindex_records(
    connection: Connection,
    rows: Sequence[Row[*tuple[Any, ...]]],
    indexed: tuple[str, ...],
    types: Mapping[str, ResourceType],
) -> None:
    columns: list[dict[str, object]] = []
    entries: list[dict[str, object]] = []
    for row in rows:
        resource_type = types[row.type]
        record = record_of(row, resource_type)
        new = content(resource_type, record.document, record.unique)
        columns.append(
            {
                "b_tenant": row.tenant,
                "b_type": row.type,
                "b_id": row.id,
                **{f"b_{name}": new[name] for name in _DERIVED},
            }
        )
        entries += (
            {"tenant": row.tenant, "type": row.type, "place": place, "value": value, "id": row.id}
            for place, value in index_entries(indexed_places(indexed, resource_type), record.document)
        )
    connection.execute(_derived_of_record, columns)
    if entries:
        connection.execute(VALUE_INDEX.insert(), entries)


def _reindex_members(connection: Connection, resource_type: ResourceType) -> None:
    """Members that are more than their key, and whose key is compared in another way than it is kept."""
    order = (MEMBER.c.tenant, MEMBER.c.group_id, MEMBER.c.key)
    statement = select(*order, MEMBER.c.element).order_by(*order).limit(_CHUNK)
    rows = connection.execute(statement).all()
    while rows:
        new = [
            {
                "b_tenant": row.tenant,
                "b_group_id": row.group_id,
                "b_key": row.key,
                "b_comparison_keys": stored(resource_type, row.key, element_of(row.key, row.element))[
                    "comparison_keys"
                ],
            }
            for row in rows
        ]
        connection.execute(_derived_of_member, new)
        last = rows[-1]
        rows = connection.execute(statement.where(tuple_(*order) > tuple_(last.tenant, last.group_id, last.key))).all()
