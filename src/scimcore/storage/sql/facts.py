"""What holds for the whole database: by which places values are indexed, and what revision its tables are at.

A process that indexed other places than another would find less than there is, without an error. So the database says
what was indexed, and who was told otherwise is refused before the first look-up.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from pydantic_core import from_json, to_json
from sqlalchemy import Column, Connection, Table, Text, inspect, select

from scimcore.storage.sql.dialect import Dialect, alone
from scimcore.storage.sql.migrations import History, UnfitDatabaseError
from scimcore.storage.sql.tables import METADATA, RESOURCE

FACT: Final = Table(
    "scim_fact",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON"),
)

HISTORY: Final = History(METADATA, "0001", Path(__file__).parent / "migrations" / "versions", "scim_schema_version")
"""The tables of resources."""

_INDEXED: Final = "indexed"
_noted: Final = select(FACT.c.value).where(FACT.c.name == _INDEXED)


def check(connection: Connection, dialect: Dialect, indexed: Collection[str]) -> None:
    """Make sure that the database is one that a storage which indexes *indexed* can work with.

    Raises:
        UnfitDatabaseError: Its tables are missing or of an earlier release, or other places are indexed in it.
    """
    HISTORY.check(connection)
    if not inspect(connection).has_table(FACT.name):
        raise UnfitDatabaseError("there are no tables: call create_all() or migrate()")
    noted = connection.execute(_noted).scalar()
    if noted is None:
        _note_first(connection, dialect, indexed)
        noted = connection.execute(_noted).scalar_one()
    there, wanted = set(from_json(noted)), set(_folded(indexed))
    if there != wanted:
        differing = ", ".join(sorted(there ^ wanted))
        raise UnfitDatabaseError(f"the database was written with another `indexed` ({differing}): call reindex()")


def note(connection: Connection, indexed: Collection[str]) -> None:
    """Say that values are indexed by *indexed* from now on."""
    connection.execute(FACT.delete().where(FACT.c.name == _INDEXED))
    connection.execute(FACT.insert(), {"name": _INDEXED, "value": _json(indexed)})


def _note_first(connection: Connection, dialect: Dialect, indexed: Collection[str]) -> None:
    with alone(connection, dialect):
        if connection.execute(_noted).first() is not None:
            return
        if connection.execute(select(RESOURCE.c.id).limit(1)).first() is not None:
            raise UnfitDatabaseError("nothing says what is indexed in the database: call reindex()")
        note(connection, indexed)


def _folded(names: Collection[str]) -> list[str]:
    """The names as they are compared: attribute names have no case (RFC 7643 §2.1)."""
    return sorted({name.lower() for name in names})


def _json(names: Collection[str]) -> str:
    return to_json(_folded(names)).decode()
