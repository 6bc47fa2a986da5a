"""Question: may a group be a member of a group, and what if that closes a circle?

A group that contains itself says nothing about who is in it, and naive readers never come to an end. So a change that
would close a circle is refused. Two changes at the same moment, each sound alone, can still close one between them,
because neither sees the other's: nothing of scimcore hangs on it, for every walk here visits a group once, and it ends
when one of the memberships is removed.
"""

from typing import Final, Literal

import attrs

from scimcore.errors import InvalidValueError, Problem
from scimcore.provisioning.finding import equal_to, found
from scimcore.provisioning.intent import Intent
from scimcore.provisioning.membership import split_by_type
from scimcore.rules.delta import elements_of
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.protocol import Session

_AT_ONCE: Final = 50


@attrs.frozen
class NestedGroups:
    """The policy for groups in groups: accepted as long as none contains itself, or refused.

    Only the groups that contain the changed one are looked at, and none of their members: the walk goes upwards.
    """

    policy: Literal["accept", "refuse"] = "accept"
    most_groups: int = 10_000
    """How many groups may contain one, directly or not; a change below more than these is refused."""

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent*, the same object.

        Raises:
            InvalidValueError: A new member is a group and groups are refused, or the group would contain itself.
        """
        attribute = intent.resource_type.attribute("members")
        if intent.after is None or attribute is None or not attribute.is_membership:
            return intent
        before = intent.before.document.get("members") if intent.before else None
        new = _new_elements(before, intent.after.get("members"))
        nested, _ = await split_by_type(session, intent.resource_type, new) if new else (set(), set())
        if not nested:
            return intent
        if self.policy == "refuse":
            raise InvalidValueError(Problem("members", f'"{id}" is a group') for id in sorted(nested))
        # Nothing contains yet what comes into being with this request.
        if intent.before is not None:
            around = await self._around(session, intent.resource_type, intent.before.id, nested)
            if around:
                raise InvalidValueError(Problem("members", f'the group "{id}" contains this group') for id in around)
        return intent

    async def _around(self, session: Session, group_type: ResourceType, id: str, nested: set[str]) -> list[str]:
        """Those of *nested* that are the group of that *id* or contain it."""
        seen, level = {id}, [id]
        while level and not seen & nested:
            above: set[str] = set()
            for start in range(0, len(level), _AT_ONCE):
                holding = equal_to("members.value", *level[start : start + _AT_ONCE])
                most = self.most_groups + 1
                above |= {one.id for one in await found(session, group_type, holding, {"members": ()}, most)}
            level = sorted(above - seen)
            seen |= above
            if len(seen) > self.most_groups:
                raise InvalidValueError([Problem("members", f"more than {self.most_groups} groups contain this group")])
        return sorted(seen & nested)


def _new_elements(before: Json, after: Json) -> list[Json]:
    # What a request does not touch is the same object before and after.
    if before is after:
        return []
    old = {id(one) for one in elements_of(before)}
    known = {one["value"] for one in elements_of(before) if isinstance(one, dict) and "value" in one}
    return [
        one
        for one in elements_of(after)
        if id(one) not in old and not (isinstance(one, dict) and one.get("value") in known)
    ]
