"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSONB = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "scim_fact",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "scim_member",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("group_id", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("normal_key", _TEXT, nullable=False, comment="the key in Unicode form C, by which it is compared"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("element", _TEXT, comment="JSON; null where the element is its key alone"),
        sa.Column("comparison_keys", _JSONB, comment="what values beside the key are compared by; null without any"),
        sa.PrimaryKeyConstraint("tenant", "group_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("scim_member_by_key", "scim_member", ["tenant", "normal_key", "group_id"])
    op.create_table(
        "scim_resource",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("normal_id", _TEXT, nullable=False, comment="the id in Unicode form C, by which it is compared"),
        sa.Column("created", _TEXT, nullable=False),
        sa.Column("last_modified", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", _TEXT, nullable=False, comment="JSON as it was given, without keyed attributes"),
        sa.Column("display", _TEXT, comment="displayName of a group, for the groups of a member"),
        sa.Column("folded_display", _TEXT, comment="what that is compared by"),
        sa.Column("names", _TEXT, nullable=False, comment="JSON: the unique keys, as scim_unique_key holds them"),
        sa.Column("comparison_keys", _JSONB, nullable=False, comment="what the values of the document are compared by"),
        sa.PrimaryKeyConstraint("tenant", "id", "type"),
    )
    op.create_index("scim_resource_by_normal_id", "scim_resource", ["tenant", "type", "normal_id"])
    op.create_index("scim_resource_in_order", "scim_resource", ["tenant", "type", "created", "id"])
    op.create_table(
        "scim_unique_key",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("attribute", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "type", "attribute", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scim_value_index",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False, comment="what values are compared by, shortened where it is long"),
        sa.Column("place", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "type", "value", "place", "id"),
        sqlite_with_rowid=False,
    )
