"""The table of the record, and the statements about it that are always the same."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Column,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

METADATA: Final = MetaData()

# Ordered by code point, as Python orders it; SQLite does so by itself.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

AUDIT: Final = Table(
    "scim_audit",
    METADATA,
    Column("tenant", _TEXT, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", _TEXT, nullable=False),
    Column("entry", _TEXT, nullable=False, comment="JSON, exactly as it was sealed"),
    Column("seal", _TEXT, nullable=False),
)

APPENDED: Final = insert(AUDIT)
"""An insert of an entry that fails where its place is taken."""

_EARLIER: Final = AUDIT.alias("earlier")
_IS_CONTINUED: Final = (
    _EARLIER.c.tenant == bindparam("tenant"),
    _EARLIER.c.number == bindparam("b_number"),
    _EARLIER.c.seal == bindparam("b_seal"),
)
"""Whether an entry is the one that the next is to follow."""

_GIVEN: Final = {column.name: bindparam(column.name, type_=column.type) for column in AUDIT.c}
FOLLOWING: Final[Mapping[str, ClauseElement]] = {
    # The number after that of nothing is NULL, which no entry may have. To insert what is selected from the same table,
    # SQLite would make another table of it first.
    "sqlite": sqlite.insert(AUDIT)
    .prefix_with("OR IGNORE")
    .values(
        {**_GIVEN, "number": select(_EARLIER.c.number + literal_column("1")).where(*_IS_CONTINUED).scalar_subquery()}
    )
    .inline(),
    "postgresql": postgresql.insert(AUDIT)
    .from_select(list(_GIVEN), select(*_GIVEN.values()).where(exists(literal_column("1")).where(*_IS_CONTINUED)))
    .on_conflict_do_nothing(),
}
"""By the name of the dialect: an insert of the entry that follows another, which writes none if that is not there."""

LAST: Final = (
    select(AUDIT.c.number, AUDIT.c.seal)
    .where(AUDIT.c.tenant == bindparam("b_tenant"))
    .order_by(AUDIT.c.number.desc())
    .limit(1)
)
"""Where the chain of a tenant ends."""
