"""The tables. Every key begins with the tenant; nothing is numbered by a sequence and nothing points across tenants.

So the tables can be distributed by tenant as they are. Text is ordered by code point, as Python orders it, because the
database and the rules must agree about order.

What a write to SQLite costs is the pages that it touches: each goes into the log whole, and later into the file. So
there is no index that a key could serve too, and a table of short rows is nothing but its key (`WITHOUT ROWID`).
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text
from sqlalchemy.types import UserDefinedType


class Jsonb(UserDefinedType[str]):
    """PostgreSQL's jsonb, written as text: SQLAlchemy's own type would make JSON of JSON."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "JSONB"


METADATA: Final = MetaData()

# SQLite compares bytes unless told otherwise; in UTF-8 that is the order of code points too.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
_KEYS: Final = Text().with_variant(Jsonb(), "postgresql")

RESOURCE: Final = Table(
    "scim_resource",
    METADATA,
    Column("tenant", _TEXT, primary_key=True),
    Column("id", _TEXT, primary_key=True),
    Column("type", _TEXT, primary_key=True),
    Column("normal_id", _TEXT, nullable=False, comment="the id in Unicode form C, by which it is compared"),
    Column("created", _TEXT, nullable=False),
    Column("last_modified", _TEXT, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("document", _TEXT, nullable=False, comment="JSON as it was given, without keyed attributes"),
    Column("display", _TEXT, comment="displayName of a group, for the groups of a member"),
    Column("folded_display", _TEXT, comment="what that is compared by"),
    Column("names", _TEXT, nullable=False, comment="JSON: the unique keys, as scim_unique_key holds them"),
    Column("comparison_keys", _KEYS, nullable=False, comment="what the values of the document are compared by"),
    Index("scim_resource_in_order", "tenant", "type", "created", "id"),
    Index("scim_resource_by_normal_id", "tenant", "type", "normal_id"),
)

UNIQUE_KEY: Final = Table(
    "scim_unique_key",
    METADATA,
    Column("tenant", _TEXT, primary_key=True),
    Column("type", _TEXT, primary_key=True),
    Column("attribute", _TEXT, primary_key=True),
    Column("value", _TEXT, primary_key=True),
    Column("id", _TEXT, nullable=False),
    sqlite_with_rowid=False,
)

VALUE_INDEX: Final = Table(
    "scim_value_index",
    METADATA,
    Column("tenant", _TEXT, primary_key=True),
    Column("type", _TEXT, primary_key=True),
    # Before the place, because the values of one record are often alike: a userName is mostly an e-mail address.
    Column("value", _TEXT, primary_key=True, comment="what values are compared by, shortened where it is long"),
    Column("place", _TEXT, primary_key=True),
    Column("id", _TEXT, primary_key=True),
    sqlite_with_rowid=False,
)

MEMBER: Final = Table(
    "scim_member",
    METADATA,
    Column("tenant", _TEXT, primary_key=True),
    Column("group_id", _TEXT, primary_key=True),
    Column("key", _TEXT, primary_key=True),
    Column("normal_key", _TEXT, nullable=False, comment="the key in Unicode form C, by which it is compared"),
    Column("position", BigInteger, nullable=False),
    Column("element", _TEXT, comment="JSON; null where the element is its key alone"),
    Column("comparison_keys", _KEYS, comment="what values beside the key are compared by; null without any"),
    Index("scim_member_by_key", "tenant", "normal_key", "group_id"),
    sqlite_with_rowid=False,
)
