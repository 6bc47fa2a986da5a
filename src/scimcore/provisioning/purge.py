"""Forgetting the accounts whose grace period has ended. Nothing here runs by itself: an application calls it."""

from scimcore.provisioning.finding import found
from scimcore.provisioning.provenance import PROVISIONED_USER, PROVISIONING_URN
from scimcore.rules.filter import parse_filter
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Instant, Record, Session, VersionClash


async def purged(
    session: Session, now: Instant, resource_type: ResourceType = PROVISIONED_USER, most: int = 100
) -> tuple[Record, ...]:
    """Forget soft-deleted accounts whose grace period has ended; those that are forgotten, at most *most* of them.

    Call it, each time in a session of its own, until it gives fewer than *most*. An account that is active, or that a
    connection still provisions, stays; so does one that comes back at this very moment.
    """
    gone: list[Record] = []
    for record in await found(session, resource_type, parse_filter(_due(now)), most=most):
        try:
            await session.delete(record)
        except VersionClash:
            continue
        gone.append(record)
    return tuple(gone)


def _due(now: Instant) -> str:
    is_live = f"{PROVISIONING_URN}:connections[active eq true and not (removed pr)]"
    return f'active eq false and {PROVISIONING_URN}:purgeAfter le "{now}" and not ({is_live})'
