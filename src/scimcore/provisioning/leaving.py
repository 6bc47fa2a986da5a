"""Question: what becomes of an account when its provider deactivates or deletes it, and what when it comes back?

Place it behind the policy of ownership: where another connection or manual management still provisions the account,
that one leaves it active, and nobody leaves.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import Final, Literal, TypeAlias

import attrs

from scimcore.errors import ForbiddenError, NotFoundError
from scimcore.provisioning.intent import Hook, Intent, Note
from scimcore.provisioning.membership import left_groups, restored_groups
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    Link,
    Provenance,
    provenance_of,
    with_provenance,
)
from scimcore.provisioning.settings import checked
from scimcore.rules.delta import delta_between, elements_of
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Change, Instant, Record, Session

Outcome: TypeAlias = Literal["suspend", "soft_delete", "delete"]
"""Kept and inactive; kept and inactive until a grace period has ended; gone."""

Question: TypeAlias = Callable[[Intent, Session], bool | Awaitable[bool]]
"""What only the application knows about an account, asked before it leaves."""

_MOST_GRACE: Final = timedelta(days=36_500)
_MOST_LISTED: Final = 100


def _check_grace(grace: timedelta) -> None:
    if not timedelta(0) <= grace <= _MOST_GRACE:
        raise ValueError("a grace period is between nothing and a hundred years")


@attrs.frozen(kw_only=True)
class Leaving:
    """The policy for accounts that are deactivated, deleted or reactivated, and for groups that are deleted.

    An account that is kept has `active: false`, so that it is suspended for everybody at once. After a DELETE it does
    not exist any more for the connection that sent it (`Connection.sees`), whatever the application keeps.
    """

    on_deactivate: Outcome | Hook = "suspend"
    """After `active: false`. The connection goes on seeing an account that is kept, and may activate it again."""
    on_delete: Outcome | Hook = "delete"
    grace: timedelta = checked(timedelta(days=30), _check_grace)
    """How long a soft-deleted account is kept at least; see `purged`."""
    memberships: Literal["keep", "set_aside", "end"] = "keep"
    """Of an account that is kept inactive: it stays in its groups, leaves them until it is active again, or leaves them
    for good."""
    on_group_delete: Literal["delete", "unlink"] = "delete"
    """An unlinked group stays as it is, managed manually; the connection does not see it any more."""
    is_last_owner: Question | None = None
    """Whether the tenant cannot do without the account. It may raise a refusal of its own."""
    group_type: ResourceType = PROVISIONED_GROUP

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent* as the leaving or returning account is to be treated.

        Raises:
            ForbiddenError: The account is the last owner of the tenant.
            ScimError: A hook refuses.
        """
        if intent.before is None:
            return intent
        if intent.resource_type.attribute("active") is None:
            return self._group(intent, intent.before)
        if intent.after is None:
            return await self._deleted(intent, intent.before, session) if intent.asked == "delete" else intent
        was_active = is_active(intent.before.document)
        if not was_active and "active" not in intent.after:
            # To say nothing of it, in a PUT or by removing it, is no way to activate a suspended account.
            return attrs.evolve(intent, after={**intent.after, "active": False})
        is_now = is_active(intent.after)
        if was_active and not is_now and intent.asked != "delete":
            return await self._deactivated(intent, intent.after, session)
        if is_now and not was_active:
            return await self._reactivated(intent, intent.after, session)
        return intent

    def _group(self, intent: Intent, before: Record) -> Intent:
        if intent.asked != "delete" or intent.after is not None or self.on_group_delete == "delete":
            return intent
        connection = intent.caller.connection
        provenance = _removed(provenance_of(before.document), connection, intent.at)
        if provenance.managed_by == connection:
            provenance = attrs.evolve(provenance, managed_by=None)
        return intent.becoming(with_provenance(before.document, provenance), Note("unlinked"))

    async def _deleted(self, intent: Intent, before: Record, session: Session) -> Intent:
        await self._check_dispensable(intent, session)
        match self.on_delete:
            case "delete":
                return intent
            case "suspend" | "soft_delete" as outcome:
                provenance = _removed(provenance_of(before.document), intent.caller.connection, intent.at)
                return await self._kept_inactive(intent, before.document, provenance, outcome, session)
            case hook:
                return await _hooked(hook, intent, session)

    async def _deactivated(self, intent: Intent, after: Document, session: Session) -> Intent:
        await self._check_dispensable(intent, session)
        match self.on_deactivate:
            case "delete":
                return intent.becoming(None, Note("deleted", "deactivation removes the account"))
            case "suspend" | "soft_delete" as outcome:
                provenance = provenance_of(after)
                link = provenance.link(intent.caller.connection)
                if link is not None:
                    provenance = provenance.linked(attrs.evolve(link, active=False))
                return await self._kept_inactive(intent, after, provenance, outcome, session)
            case hook:
                return await _hooked(hook, intent, session)

    async def _kept_inactive(
        self,
        intent: Intent,
        document: Document,
        provenance: Provenance,
        outcome: Literal["suspend", "soft_delete"],
        session: Session,
    ) -> Intent:
        notes = [Note("suspended")]
        if outcome == "soft_delete":
            purge_after = later(intent.at, self.grace)
            provenance = attrs.evolve(provenance, purge_after=purge_after)
            notes = [Note("soft_deleted", f"may be forgotten after {purge_after}")]
        inactive: dict[str, Json] = {**document, "active": False}
        if self.memberships != "keep":
            left = await left_groups(session, intent.resource_type, intent.id, intent.at, self.group_type)
            inactive.pop("groups", None)
            if left:
                notes.append(Note("groups_left", _listed(left)))
            if self.memberships == "set_aside":
                former = tuple(dict.fromkeys((*provenance.former_groups, *left)))
                provenance = attrs.evolve(provenance, former_groups=former)
        return intent.becoming(with_provenance(inactive, provenance), *notes)

    async def _reactivated(self, intent: Intent, after: Document, session: Session) -> Intent:
        provenance = provenance_of(after)
        link = provenance.link(intent.caller.connection)
        if link is not None:
            provenance = provenance.linked(attrs.evolve(link, active=True, removed=None))
        document, groups = await _returned(
            session, intent.resource_type, intent.id, after, provenance, intent.at, self.group_type
        )
        notes = (Note("groups_restored", _listed(groups)),) if groups else ()
        return intent.becoming(document, Note("reactivated"), *notes)

    async def _check_dispensable(self, intent: Intent, session: Session) -> None:
        if self.is_last_owner is None:
            return
        answer = self.is_last_owner(intent, session)
        if await answer if isawaitable(answer) else answer:
            raise ForbiddenError("the last owner of the tenant can be neither suspended nor removed")


async def restored(
    session: Session,
    id: str,
    at: Instant,
    resource_type: ResourceType = PROVISIONED_USER,
    group_type: ResourceType = PROVISIONED_GROUP,
) -> Record:
    """Bring back an account that was suspended or soft-deleted, with its groups: what an administrator's button does.

    It is managed manually from then on, unless a connection still provisions it. A connection that deleted it goes on
    not seeing it, until it creates it again.

    Raises:
        NotFoundError: There is no such account, or no more.
        VersionClash: The account or one of its groups is changed at this moment; try again in a new session.
    """
    before = await session.get(resource_type, id)
    if before is None:
        raise NotFoundError(resource_type.name)
    provenance = provenance_of(before.document)
    manager = provenance.link(provenance.managed_by or "")
    if manager is None or not manager.is_live:
        provenance = attrs.evolve(provenance, managed_by=None)
    active = {**before.document, "active": True}
    document, _ = await _returned(session, resource_type, id, active, provenance, at, group_type)
    delta = delta_between(before.document, document)
    if not delta:
        return before
    after = before.changed(document, last_modified=max(at, before.last_modified))
    return await session.update(Change(before=before, after=after, delta=delta, expected=before.version))


def is_active(account: Document) -> bool:
    """Whether *account* is not suspended; one that does not say is active.

    >>> is_active({"userName": "bjensen"}), is_active({"active": False})
    (True, False)
    """
    return account.get("active") is not False


def later(at: Instant, by: timedelta) -> Instant:
    """The moment *by* after *at*.

    >>> later(Instant("2026-11-22T09:30:00.000000Z"), timedelta(days=30))
    '2026-12-22T09:30:00.000000Z'
    """
    moment = datetime.fromisoformat(at) + by
    return Instant(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


async def _returned(
    session: Session,
    resource_type: ResourceType,
    id: str,
    document: Document,
    provenance: Provenance,
    at: Instant,
    group_type: ResourceType,
) -> tuple[Document, tuple[str, ...]]:
    """*document* of an account that is active again, its groups given back, and which those are."""
    groups = await restored_groups(session, resource_type, id, provenance.former_groups, at, group_type)
    back = attrs.evolve(provenance, purge_after=None, former_groups=())
    if groups:
        known = {one.get("value") for one in elements_of(document.get("groups")) if isinstance(one, dict)}
        new = [one for one in groups if one["value"] not in known]
        document = {**document, "groups": [*elements_of(document.get("groups")), *new]}
    return with_provenance(document, back), tuple(str(one["value"]) for one in groups)


def _removed(provenance: Provenance, connection: str, at: Instant) -> Provenance:
    link = provenance.link(connection) or Link(connection=connection, since=at)
    return provenance.linked(attrs.evolve(link, active=False, removed=at))


def _listed(ids: Sequence[str]) -> str:
    more = len(ids) - _MOST_LISTED
    return ", ".join(ids[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


async def _hooked(hook: Hook, intent: Intent, session: Session) -> Intent:
    decided = hook(intent, session)
    return await decided if isawaitable(decided) else decided
