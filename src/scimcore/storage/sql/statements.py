"""The statements that are always the same, built once. Their parameters may not have the names of columns."""

from typing import Final

from sqlalchemy import BindParameter, bindparam, delete, func, insert, literal, select, update

from scimcore.storage.sql.tables import MEMBER, RESOURCE, UNIQUE_KEY, VALUE_INDEX

_tenant: Final[BindParameter[str]] = bindparam("b_tenant")
_type: Final[BindParameter[str]] = bindparam("b_type")
_id: Final[BindParameter[str]] = bindparam("b_id")

RECORD_COLUMNS: Final = (
    RESOURCE.c.type,
    RESOURCE.c.id,
    RESOURCE.c.created,
    RESOURCE.c.last_modified,
    RESOURCE.c.version,
    RESOURCE.c.document,
    RESOURCE.c.names,
)

_this_one: Final = (RESOURCE.c.tenant == _tenant, RESOURCE.c.type == _type, RESOURCE.c.id == _id)

ONE: Final = select(*RECORD_COLUMNS).where(*_this_one)
ONE_LOCKED: Final = ONE.with_for_update(key_share=True)
"""Locked against other changes, not against those who only refer to it."""

LOCATED: Final = (
    select(RESOURCE.c.id, RESOURCE.c.type)
    .where(RESOURCE.c.tenant == _tenant, RESOURCE.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(RESOURCE.c.id)
    .with_for_update(read=True, key_share=True)
)
"""Locked against deletion; in one order, so that two who locate the same do not wait for each other."""

UPDATED: Final = (
    update(RESOURCE)
    .where(*_this_one, RESOURCE.c.version == bindparam("b_expected"))
    .values(
        last_modified=bindparam("b_last_modified"),
        version=RESOURCE.c.version + 1,
        document=bindparam("b_document"),
        display=bindparam("b_display"),
        folded_display=bindparam("b_folded_display"),
        names=bindparam("b_names"),
        comparison_keys=bindparam("b_comparison_keys"),
    )
)
TOUCHED: Final = (
    update(RESOURCE)
    .where(*_this_one, RESOURCE.c.version == bindparam("b_expected"))
    .values(last_modified=bindparam("b_last_modified"), version=RESOURCE.c.version + 1)
)
"""A new version for a record whose document stays."""

DELETED: Final = (
    delete(RESOURCE).where(*_this_one, RESOURCE.c.version == bindparam("b_expected")).returning(*RECORD_COLUMNS)
)

RELEASED: Final = delete(UNIQUE_KEY).where(
    UNIQUE_KEY.c.tenant == _tenant,
    UNIQUE_KEY.c.type == _type,
    UNIQUE_KEY.c.attribute == bindparam("b_attribute"),
    UNIQUE_KEY.c.value == bindparam("b_value"),
    UNIQUE_KEY.c.id == _id,
)

INDEXED: Final = insert(VALUE_INDEX)
UNINDEXED: Final = delete(VALUE_INDEX).where(
    VALUE_INDEX.c.tenant == _tenant,
    VALUE_INDEX.c.type == _type,
    VALUE_INDEX.c.value == bindparam("b_value"),
    VALUE_INDEX.c.place == bindparam("b_place"),
    VALUE_INDEX.c.id == _id,
)

# Members

_in_group: Final = (MEMBER.c.tenant == _tenant, MEMBER.c.group_id == _id)
_of_member: Final = (
    MEMBER.c.tenant == _tenant,
    MEMBER.c.normal_key == bindparam("b_normal"),
    MEMBER.c.key == bindparam("b_key"),
)

JOINED: Final = insert(MEMBER)
MEMBERS: Final = select(MEMBER.c.key, MEMBER.c.element).where(*_in_group).order_by(MEMBER.c.position, MEMBER.c.key)
MEMBERS_NAMED: Final = MEMBERS.where(MEMBER.c.key.in_(bindparam("b_keys", expanding=True)))
MEMBERS_GONE: Final = delete(MEMBER).where(*_in_group)
MEMBERS_GONE_NAMED: Final = MEMBERS_GONE.where(MEMBER.c.key.in_(bindparam("b_keys", expanding=True)))
MEMBER_CHANGED: Final = (
    update(MEMBER)
    .where(*_in_group, MEMBER.c.key == bindparam("b_key"))
    .values(element=bindparam("b_element"), comparison_keys=bindparam("b_comparison_keys"))
)
MEMBERS_COUNTED: Final = select(func.count()).select_from(
    select(literal(1)).where(*_in_group).limit(bindparam("b_most")).subquery()
)
LEFT_BY: Final = (
    update(RESOURCE)
    .where(
        RESOURCE.c.tenant == _tenant,
        RESOURCE.c.type == "Group",
        RESOURCE.c.id.in_(select(MEMBER.c.group_id).where(*_of_member)),
    )
    .values(version=RESOURCE.c.version + 1)
)
"""A new version for every group that loses a member."""
LEFT: Final = delete(MEMBER).where(*_of_member)
