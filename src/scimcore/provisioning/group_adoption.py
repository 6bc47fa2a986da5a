"""Question: what happens when a connection creates a group whose name exists already?

The name must be the same, case included. The group is refused, linked, or there are two of them from then on. A linked
group that nobody manages is taken over: it keeps its id and its name, and the members that are sent take the place of
those that it had. One that another connection manages stays as it is.
"""

from typing import Final, Literal, TypeAlias

import attrs

from scimcore.errors import ForbiddenError, UniquenessError
from scimcore.provisioning.finding import equal_to, found
from scimcore.provisioning.intent import Intent, Note
from scimcore.provisioning.matching import IsPrivileged, OnForeign, answered
from scimcore.provisioning.provenance import PROVISIONING_URN, provenance_of, with_provenance
from scimcore.provisioning.refusals import NotAdoptedError
from scimcore.provisioning.settings import one_of
from scimcore.provisioning.taking import (
    changed_names,
    connection_of,
    has_removed,
    is_abandoned,
    linking,
    merged,
    provisions,
)
from scimcore.rules.replace import retained
from scimcore.schema.document import Document
from scimcore.storage.protocol import Record, Session

OnExistingGroup: TypeAlias = Literal["refuse", "link", "keep_both"]

_LINKAGE: Final = frozenset({"id", "externalId"})


@attrs.frozen(kw_only=True)
class GroupAdoption:
    """The policy for groups that exist already. It stands before `Ownership` and before group identifiers.

    Raises:
        ValueError: A setting is none of those that there are.
    """

    on_existing: OnExistingGroup = one_of("refuse", "link", "keep_both")
    """409; the existing group; or a second one, which takes a dialect without `unique_group_names`."""
    on_foreign: OnForeign = one_of("share", "refuse", "take")
    """What is done with a group that another connection manages: linked as it is, refused, or taken over. Say the same
    to `Ownership`."""
    is_privileged: IsPrivileged | None = None
    """Whether a group gives so much that whoever names one like it must not fill it. Without this hook none does."""
    by_id: bool = False
    """Whether a PUT or PATCH to a group that nobody manages takes it over too, if `on_existing` links. Okta looks for a
    group, and where its administrator links what it found it pushes to the id, without a POST."""

    async def decided(self, intent: Intent, session: Session) -> Intent:
        """*intent* about the group that exists, if there is one and it may be linked.

        Raises:
            UniquenessError: The name is taken, and the group is not linked or the connection provisions it already.
            NotAdoptedError: There is such a group, or several, and it is not linked.
            ForbiddenError: A write by id would take over a privileged group.
            ValueError: The connection has no name.
        """
        if intent.resource_type.name != "Group":
            return intent
        if intent.asked != "create" or intent.before is not None:
            return await self._written_by_id(intent)
        sent, connection = intent.after, connection_of(intent)
        name = sent.get("displayName") if sent else None
        if sent is None or not isinstance(name, str):
            return intent
        called = equal_to("displayName", name)
        alike = await found(session, intent.resource_type, called, {"members": ()}, for_update=True)
        groups = [record for record in alike if record.document.get("displayName") == name]
        removed = [record for record in groups if has_removed(provenance_of(record.document), connection)]
        if len(removed) == 1 and (len(groups) == 1 or self.on_existing == "keep_both"):
            return await self._linked(intent, removed[0], sent, session)
        if not groups or self.on_existing == "keep_both":
            return intent
        if self.on_existing == "refuse":
            raise UniquenessError("displayName")
        if len(groups) > 1:
            raise NotAdoptedError("ambiguous")
        return await self._linked(intent, groups[0], sent, session)

    async def _written_by_id(self, intent: Intent) -> Intent:
        before, after = intent.before, intent.after
        if not self.by_id or self.on_existing != "link" or before is None or after is None:
            return intent
        facts = provenance_of(before.document)
        if intent.asked not in ("replace", "patch") or facts.managed_by is not None:
            return intent
        if self.is_privileged is not None and await answered(self.is_privileged(before)):
            raise ForbiddenError("this connection may not take over the resource; an administrator can link it")
        connection = connection_of(intent)
        facts = facts.linked(linking(facts.link(connection), connection, intent.at, after))
        document = with_provenance(after, attrs.evolve(facts, managed_by=connection, purge_after=None))
        return intent.becoming(document, Note("taken_over", "written to by id"))

    async def _linked(self, intent: Intent, group: Record, sent: Document, session: Session) -> Intent:
        """*intent* about an existing group: taken over, or only linked."""
        connection, facts = connection_of(intent), provenance_of(group.document)
        if provisions(facts, connection):
            raise UniquenessError("displayName")
        is_foreign = facts.managed_by not in (None, connection)
        if is_foreign and self.on_foreign == "refuse":
            raise NotAdoptedError("foreign")
        is_ours = facts.managed_by == connection
        if not is_ours and self.is_privileged is not None and await answered(self.is_privileged(group)):
            raise NotAdoptedError("privileged")
        # What replaces members must have read them all; and the answer shows them.
        record = await session.get(intent.resource_type, group.id) or group
        facts = facts.linked(linking(facts.link(connection), connection, intent.at, sent))
        if is_foreign and self.on_foreign == "share" and not is_abandoned(facts):
            document = record.document
            notes = [Note("linked", f"as it is: managed by {facts.managed_by}")]
            ignored = [name for name in changed_names(document, merged(document, sent)) if name not in _LINKAGE]
            if ignored:
                notes.append(Note("ignored", f"{', '.join(ignored)}: managed by {facts.managed_by}"))
        else:
            facts = attrs.evolve(facts, managed_by=connection, purge_after=None)
            document = _filled(intent, record, sent)
            notes = [Note("revived" if is_ours else "taken_over", "found by displayName")]
        after = with_provenance(document, facts)
        return attrs.evolve(intent, id=record.id, before=record, after=after).noting(*notes)


def _filled(intent: Intent, record: Record, sent: Document) -> Document:
    """The group with what was sent; members that it had and that were sent too are the same elements.

    A push that begins with an empty group, as Okta's does, says nothing of members yet: they stay.
    """
    written = {name: value for name, value in sent.items() if name not in ("id", PROVISIONING_URN)}
    members = intent.resource_type.attribute("members")
    if members is not None and "members" in written:
        written["members"] = retained(members, record.document.get("members"), written["members"])
    return merged(record.document, written)
