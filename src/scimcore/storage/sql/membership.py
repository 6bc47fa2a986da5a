"""Members and groups from the rows of members. No reading costs more statements for records that have more of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import attrs
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    literal,
    null,
    select,
    union_all,
)

from scimcore.rules.compare import normalized
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.groups import group_element
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import Elements, Record
from scimcore.storage.sql import statements
from scimcore.storage.sql.elements import element_of
from scimcore.storage.sql.prepared import Rows
from scimcore.storage.sql.rows import record_of
from scimcore.storage.sql.tables import MEMBER, RESOURCE
from scimcore.storage.sql.transaction import Transaction

_GROUP: Final = RESOURCE.alias("holder")


@attrs.frozen
class Membership:
    """Who belongs to what, in one tenant."""

    tenant: str
    indirect_groups: bool
    """Whether a user's groups are also those that its groups belong to."""
    transaction: Transaction

    async def one(self, resource_type: ResourceType, id: str, elements: Elements) -> Record | None:
        """The record of that type and *id*, with those *elements* of its keyed attributes; None if there is none.

        A user comes with its groups in one exchange with the database: it is what is read most.
        """
        with_groups = "groups" in KEYED.get(resource_type.name, ()) and elements.get("groups") is None
        statement = _with_groups(self.indirect_groups) if with_groups else statements.ONE
        rows = await self.transaction.ask(statement, {**self._those([id]), "b_type": resource_type.name})
        record = next((record_of(row, resource_type) for row in rows if row[0] is not None), None)
        if record is None:
            return None
        if not with_groups:
            return (await self.shown([record], elements))[0]
        groups = [(id, direct, *group) for kind, *group, direct, _, _ in rows if kind is None]
        return _with_elements(record, {("groups", id): [element for _, element in _shown(groups)]})

    async def shown(self, records: Sequence[Record], elements: Elements, by_normal: bool = False) -> list[Record]:
        """*records* with those *elements* of their keyed attributes, whose keys may be given in normal form."""
        found: dict[tuple[str, str], list[Json]] = {}
        for name, read in (("members", self._members), ("groups", self._groups)):
            holders = [one.id for one in records if name in KEYED.get(one.resource_type.name, ())]
            keys = elements.get(name)
            if holders and (keys is None or keys):
                for id, element in await read(holders, keys, by_normal):
                    found.setdefault((name, id), []).append(element)
        return [_with_elements(one, found) for one in records] if found else list(records)

    async def count_members(self, id: str, most: int) -> int:
        """How many members the group *id* has, counting no further than *most*."""
        parameters = {"b_tenant": self.tenant, "b_id": id, "b_most": most}
        ((number,),) = await self.transaction.ask(statements.MEMBERS_COUNTED, parameters)
        return int(number)

    async def count_groups(self, id: str, most: int) -> int:
        """How many groups *id* has, counting no further than *most*."""
        counted = select(func.count()).select_from(_groups_of(self.indirect_groups, True).limit(most).subquery())
        number: int = (await self.transaction.run(counted, self._those([id]))).scalar_one()
        return number

    async def _members(
        self, ids: Sequence[str], keys: Collection[str] | None, by_normal: bool
    ) -> Iterable[tuple[str, Json]]:
        statement = _members_of(len(ids) == 1)
        if keys is not None:
            statement = statement.where((MEMBER.c.normal_key if by_normal else MEMBER.c.key).in_(sorted(keys)))
        rows = await self._rows(statement, ids, is_fixed=keys is None)
        return [(group_id, element_of(key, element)) for group_id, key, element in rows]

    async def _groups(
        self, ids: Sequence[str], keys: Collection[str] | None, by_normal: bool
    ) -> Iterable[tuple[str, Json]]:
        statement = _groups_of(self.indirect_groups, len(ids) == 1)
        if keys is not None:
            statement = statement.where((_GROUP.c.normal_id if by_normal else _GROUP.c.id).in_(sorted(keys)))
        return _shown(await self._rows(statement, ids, is_fixed=keys is None))

    async def _rows(self, statement: Select[Any], ids: Sequence[str], *, is_fixed: bool) -> Rows:
        """What *statement* finds about *ids*; their number is written into it if there are several."""
        parameters = self._those(ids)
        if is_fixed and len(ids) == 1:
            return await self.transaction.ask(statement, parameters)
        return (await self.transaction.run(statement, parameters)).all()

    def _those(self, ids: Sequence[str]) -> dict[str, object]:
        """The parameters of a statement about *ids*."""
        if len(ids) == 1:
            return {"b_tenant": self.tenant, "b_id": ids[0], "b_normal": normalized(ids[0])}
        return {"b_tenant": self.tenant, "b_ids": ids, "b_normals": [normalized(id) for id in ids]}


def _shown(rows: Rows) -> list[tuple[str, Json]]:
    """The groups in rows of `_groups_of`, each with its member; the direct ones first, the oldest first."""
    # Sorted here: asked to do it, SQLite walks all groups in order rather than those of the members.
    return [
        (member, group_element(id, display, is_direct=direct is not None))
        for member, direct, _, id, display in sorted(rows, key=_by_creation)
    ]


def _by_creation(row: Sequence[Any]) -> tuple[bool, str, str]:
    _, direct, created, id, _ = row
    return direct is None, created, id


# Building a statement takes longer than running it, so each is built once; and that about a single record, which is
# what most requests read, has no list whose length would have to be written into it each time.

_tenant: Final[BindParameter[str]] = bindparam("b_tenant")


def _among(column: Column[str], name: str, single: bool) -> ColumnElement[bool]:
    return column == bindparam(f"b_{name}") if single else column.in_(bindparam(f"b_{name}s", expanding=True))


@lru_cache(maxsize=2)
def _members_of(single: bool) -> Select[Any]:
    """The members of some groups."""
    return (
        select(MEMBER.c.group_id, MEMBER.c.key, MEMBER.c.element)
        .where(MEMBER.c.tenant == _tenant, _among(MEMBER.c.group_id, "id", single))
        .order_by(MEMBER.c.group_id, MEMBER.c.position, MEMBER.c.key)
    )


@lru_cache(maxsize=4)
def _groups_of(indirect_groups: bool, single: bool) -> Select[Any]:
    """The groups of some members, each with the member and something that is null if it is indirect."""
    of_these = (
        MEMBER.c.tenant == _tenant,
        _among(MEMBER.c.normal_key, "normal", single),
        _among(MEMBER.c.key, "id", single),
    )
    shown = (_GROUP.c.created, _GROUP.c.id, _GROUP.c.display)
    if not indirect_groups:
        joined = MEMBER.join(_GROUP, _is_group(MEMBER.c.group_id))
        return (
            select(MEMBER.c.key.label("member"), literal(1).label("direct"), *shown)
            .select_from(joined)
            .where(*of_these)
        )
    held = select(MEMBER.c.key.label("member"), MEMBER.c.group_id).where(*of_these).cte("held", recursive=True)
    inner, outer = RESOURCE.alias("inner_group"), MEMBER.alias("outer_member")
    # A union without repeats ends where groups contain each other.
    held = held.union(
        select(held.c.member, outer.c.group_id)
        .join(inner, (inner.c.tenant == _tenant) & (inner.c.type == "Group") & (inner.c.id == held.c.group_id))
        .join(
            outer,
            (outer.c.tenant == _tenant) & (outer.c.normal_key == inner.c.normal_id) & (outer.c.key == inner.c.id),
        )
    )
    direct = MEMBER.alias("direct_member")
    is_direct = (direct.c.tenant == _tenant) & (direct.c.group_id == held.c.group_id) & (direct.c.key == held.c.member)
    return (
        select(held.c.member, direct.c.position.label("direct"), *shown)
        .join(_GROUP, _is_group(held.c.group_id))
        .outerjoin(direct, is_direct)
    )


@lru_cache(maxsize=2)
def _with_groups(indirect_groups: bool) -> CompoundSelect[Any]:
    """A record, and in rows that begin with a null its groups, in the columns of a record that have the same types."""
    group = _groups_of(indirect_groups, True).subquery()
    nothing = null()
    columns = (nothing, group.c.created, group.c.id, group.c.display, group.c.direct, nothing, nothing)
    return union_all(statements.ONE, select(*columns))


def _is_group(id: ColumnElement[str]) -> ColumnElement[bool]:
    return (_GROUP.c.tenant == _tenant) & (_GROUP.c.type == "Group") & (_GROUP.c.id == id)


def groups_within(tenant: str, groups: Select[str]) -> Select[str]:
    """The ids of *groups* and of all groups that belong to one of them, however deep."""
    within = groups.cte(recursive=True)
    inner = RESOURCE.alias()
    found = within.union(
        select(inner.c.id)
        .select_from(within)
        .join(MEMBER, (MEMBER.c.tenant == tenant) & (MEMBER.c.group_id == within.c.id))
        .join(inner, (inner.c.tenant == tenant) & (inner.c.type == "Group") & (inner.c.id == MEMBER.c.key))
    )
    return select(found.c.id)


def _with_elements(record: Record, found: Mapping[tuple[str, str], list[Json]]) -> Record:
    for name in KEYED.get(record.resource_type.name, ()):
        elements = found.get((name, record.id))
        if elements:
            record = record.changed({**record.document, name: elements})
    return record
