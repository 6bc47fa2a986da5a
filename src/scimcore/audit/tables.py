"""The tables of the record, and the statements about them that are always the same.

An entry is known by its position, one integer that says which chain it is in and where: SQLite keeps it in the table
itself, where a key of tenant and number would be an index beside it, and one page more to write for each entry.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

METADATA: Final = MetaData()

LONGEST_CHAIN: Final = 1 << 40
"""How many positions each chain has; the entry with the number n of the chain c is at c * LONGEST_CHAIN + n."""

# Ordered by code point, as Python orders it; SQLite does so by itself.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite keeps a key in the table only if it is declared so.
_KEY: Final = BigInteger().with_variant(Integer(), "sqlite")

CHAIN: Final = Table(
    "scim_audit_chain",
    METADATA,
    Column("chain", _KEY, primary_key=True, autoincrement=True),
    Column("tenant", _TEXT, nullable=False, unique=True),
)

AUDIT: Final = Table(
    "scim_audit",
    METADATA,
    Column("position", _KEY, primary_key=True, autoincrement=False),
    Column("tenant", _TEXT, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", _TEXT, nullable=False),
    Column("entry", _TEXT, nullable=False, comment="JSON, exactly as it was sealed"),
    Column("seal", _TEXT, nullable=False),
)

APPENDED: Final = insert(AUDIT)
"""An insert of an entry that fails where its place is taken."""

_EARLIER: Final = AUDIT.alias("earlier")
_IS_CONTINUED: Final = (_EARLIER.c.position == bindparam("b_position"), _EARLIER.c.seal == bindparam("b_seal"))
"""Whether an entry is the one that the next is to follow."""

_GIVEN: Final = {column.name: bindparam(column.name, type_=column.type) for column in AUDIT.c}
FOLLOWING: Final[Mapping[str, ClauseElement]] = {
    # Behind nothing there is no seal, and no entry without one. To insert what is selected from the same table, SQLite
    # would make another table of it first.
    "sqlite": sqlite.insert(AUDIT)
    .prefix_with("OR IGNORE")
    .values({**_GIVEN, "seal": select(_GIVEN["seal"]).where(*_IS_CONTINUED).scalar_subquery()})
    .inline(),
    "postgresql": postgresql.insert(AUDIT)
    .from_select(list(_GIVEN), select(*_GIVEN.values()).where(exists(literal_column("1")).where(*_IS_CONTINUED)))
    .on_conflict_do_nothing(),
}
"""By the name of the dialect: an insert of the entry that follows another, which writes none if that is not there."""

BEGUN: Final[Mapping[str, ClauseElement]] = {
    "sqlite": sqlite.insert(CHAIN).values(tenant=bindparam("tenant")).on_conflict_do_nothing().inline(),
    "postgresql": postgresql.insert(CHAIN).values(tenant=bindparam("tenant")).on_conflict_do_nothing().inline(),
}
"""By the name of the dialect: an insert of the chain of a tenant, unless it has one."""

_LENGTH: Final[ColumnElement[int]] = literal_column(str(LONGEST_CHAIN), BigInteger)
_START: Final = CHAIN.c.chain * _LENGTH
_LAST: Final = (
    select(func.max(_EARLIER.c.position))
    .where(_EARLIER.c.position > _START, _EARLIER.c.position < _START + _LENGTH)
    .scalar_subquery()
)
LAST: Final = (
    select(CHAIN.c.chain, AUDIT.c.number, AUDIT.c.seal)
    .select_from(CHAIN.outerjoin(AUDIT, AUDIT.c.position == _LAST))
    .where(CHAIN.c.tenant == bindparam("tenant"))
)
"""The chain of a tenant, and its last entry, if it has one."""

# In a join PostgreSQL would walk all chains before this one, for the entries to come in order.
_START_OF_ITS: Final = select(_START).where(CHAIN.c.tenant == bindparam("tenant")).scalar_subquery()
AFTER: Final = (
    select(AUDIT.c.number, AUDIT.c.entry, AUDIT.c.seal)
    .where(AUDIT.c.position > _START_OF_ITS + bindparam("after"), AUDIT.c.position < _START_OF_ITS + _LENGTH)
    .order_by(AUDIT.c.position)
    .limit(bindparam("most"))
)
"""The next entries of a tenant behind a number."""

EVERYBODYS: Final = (
    select(AUDIT.c.position, AUDIT.c.tenant, AUDIT.c.number, AUDIT.c.entry, AUDIT.c.seal)
    .where(AUDIT.c.position > bindparam("after"))
    .order_by(AUDIT.c.position)
    .limit(bindparam("most"))
)
"""The next entries of all chains, one chain behind another."""
