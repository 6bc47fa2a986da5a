"""Who is in which group: memberships taken away and given back, and those that follow from groups in groups.

Whatever changes a membership here names the one element that comes or goes, so that it costs the same in every group.
"""

from collections.abc import Iterable
from typing import Final

from scimcore.errors import TooManyError
from scimcore.provisioning.provenance import PROVISIONED_GROUP
from scimcore.rules.delta import Delta, elements_of
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Change, Instant, Record, Session

MOST_EFFECTIVE_MEMBERS: Final = 1_000_000


async def left_groups(
    session: Session, resource_type: ResourceType, id: str, at: Instant, group_type: ResourceType = PROVISIONED_GROUP
) -> tuple[str, ...]:
    """End the direct memberships of a resource; the ids of the groups that it was in.

    The groups are changed in the order of their ids, so that two who do this at once wait for each other and never
    both.

    Raises:
        VersionClash: One of the groups is deleted at this moment.
    """
    record = await session.get(resource_type, id)
    groups = [] if record is None else [key for one in elements_of(record.document.get("groups")) if (key := _key(one))]
    for group_id in sorted(groups):
        group = await session.get(group_type, group_id, {"members": (id,)})
        if group is None:
            continue
        members = elements_of(group.document.get("members"))
        gone = tuple(one for one in members if _key(one) == id)
        rest = [one for one in members if _key(one) != id]
        await _update(session, group, rest, Delta(removed={"members": gone}), at)
    return tuple(groups)


async def restored_groups(
    session: Session,
    resource_type: ResourceType,
    id: str,
    group_ids: Iterable[str],
    at: Instant,
    group_type: ResourceType = PROVISIONED_GROUP,
) -> tuple[Document, ...]:
    """Make a resource a member of those of *group_ids* that still exist; how they appear among its `groups`.

    Raises:
        VersionClash: One of the groups is deleted at this moment.
    """
    shown: list[Document] = []
    for group_id in sorted(set(group_ids)):
        group = await session.get(group_type, group_id, {"members": (id,)})
        if group is None:
            continue
        members = elements_of(group.document.get("members"))
        if not any(_key(one) == id for one in members):
            element: Document = {"value": id, "type": resource_type.name}
            await _update(session, group, [*members, element], Delta(added={"members": (element,)}), at)
        name = group.document.get("displayName")
        facts: dict[str, Json] = {"value": group_id, "display": name, "type": "direct"}
        shown.append({name: value for name, value in facts.items() if value is not None})
    return tuple(shown)


async def effective_members(
    session: Session,
    group_id: str,
    group_type: ResourceType = PROVISIONED_GROUP,
    most: int = MOST_EFFECTIVE_MEMBERS,
) -> frozenset[str]:
    """The ids of all that are in a group, directly or in a group inside it; groups themselves are not among them.

    Each group is visited once, so a cycle ends. Empty if there is no such group.

    Raises:
        TooManyError: There are more than *most* members and groups.
    """
    members: set[str] = set()
    groups = {group_id}
    waiting = [group_id]
    while waiting:
        group = await session.get(group_type, waiting.pop())
        if group is None:
            continue
        inside, others = await split_by_type(session, group_type, elements_of(group.document.get("members")))
        members |= others
        waiting += inside - groups
        groups |= inside
        if len(members) + len(groups) > most:
            raise TooManyError(f"the group has more than {most} effective members")
    return frozenset(members)


async def split_by_type(
    session: Session, group_type: ResourceType, elements: Iterable[Json]
) -> tuple[set[str], set[str]]:
    """The ids among *elements* that belong to groups, and the others.

    An element says of what type it is; where one does not, the session is asked.
    """
    groups: set[str] = set()
    others: set[str] = set()
    untold: set[str] = set()
    for element in elements:
        match element:
            case {"value": str(key), "type": str(name)}:
                (groups if name == group_type.name else others).add(key)
            case {"value": str(key)}:
                untold.add(key)
            case _:
                pass
    if untold:
        types = await session.locate(untold)
        found = {key for key in untold if types.get(key) == group_type.name}
        groups |= found
        others |= untold - found
    return groups, others


async def _update(session: Session, group: Record, members: list[Json], delta: Delta, at: Instant) -> None:
    document: dict[str, Json] = {name: value for name, value in group.document.items() if name != "members"}
    if members:
        document["members"] = members
    after = group.changed(document, last_modified=max(at, group.last_modified))
    await session.update(Change(before=group, after=after, delta=delta, expected=None))


def _key(element: Json) -> str | None:
    value = element.get("value") if isinstance(element, dict) else None
    return value if isinstance(value, str) else None
