"""Bringing back what a connection had removed: the same id, and the groups that the account was in."""

import attrs

from scimcore.provisioning.intent import Intent, Note
from scimcore.provisioning.membership import restored_groups
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONING_URN, provenance_of, with_provenance
from scimcore.provisioning.taking import connection_of, linking, merged
from scimcore.rules.delta import elements_of
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.protocol import Record, Session


async def revived(
    intent: Intent,
    record: Record,
    sent: Document,
    session: Session,
    *,
    restore_groups: bool = True,
    group_type: ResourceType = PROVISIONED_GROUP,
) -> Intent:
    """*intent* as the return of *record*, which its connection manages and had removed, with what was *sent* written.

    The account is active again unless *sent* says otherwise; what was not sent is as it was. Groups that it had to
    leave are joined again where they still exist, when it becomes active.

    Raises:
        VersionClash: One of the groups is deleted at this moment.
        ValueError: The connection has no name.
    """
    connection = connection_of(intent)
    facts = provenance_of(record.document)
    link = linking(facts.link(connection), connection, intent.at, sent)
    facts = attrs.evolve(facts.linked(link), purge_after=None)
    written = {name: value for name, value in sent.items() if name not in ("id", PROVISIONING_URN)}
    if "active" in intent.resource_type.attributes:
        written.setdefault("active", True)
    document = merged(record.document, written)
    if facts.former_groups and link.active:
        if restore_groups:
            rejoined = await restored_groups(
                session, intent.resource_type, record.id, facts.former_groups, intent.at, group_type
            )
            if rejoined:
                document = {**document, "groups": [*elements_of(document.get("groups")), *rejoined]}
        facts = attrs.evolve(facts, former_groups=())
    document = with_provenance(document, facts)
    return attrs.evolve(intent, id=record.id, before=record, after=document).noting(Note("revived"))
