"""An event as it goes on record: JSON that says who did what to which resource, when, and what came of it."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from scimcore.access.token import TokenEvent
from scimcore.engine.events import Event
from scimcore.rules.delta import Delta
from scimcore.schema.document import Json
from scimcore.storage.protocol import Instant, Tenant

Told: TypeAlias = Event | TokenEvent
"""What the provider and the token store tell of."""

NOBODY = Tenant("")
"""The tenant of what happened to nobody's account: a client that did not say who it is."""


class Entry(NamedTuple):
    """One line of the record. *facts* hold no secret: events withhold what nobody may read."""

    tenant: Tenant
    at: Instant
    facts: Mapping[str, Json]


def entry_of(event: Told) -> Entry:
    """What goes on record about *event*; whatever there is nothing to say about is left out."""
    if isinstance(event, Event):
        return Entry(NOBODY if event.caller is None else event.caller.tenant, event.at, _of_resource(event))
    return Entry(NOBODY if event.token is None else event.token.tenant, event.at, _of_token(event))


def _of_resource(event: Event) -> dict[str, Json]:
    facts: dict[str, Json] = {"at": event.at, "happening": event.happening}
    if event.caller is not None and event.caller.connection:
        facts["connection"] = event.caller.connection
    if event.resource_type:
        facts["resourceType"] = event.resource_type
    if event.resource_id:
        facts["resourceId"] = event.resource_id
    if event.request_id:
        facts["requestId"] = event.request_id
    if event.delta:
        facts["changes"] = _changes(event.delta)
    if event.notes:
        facts["notes"] = [{"what": note.what, "detail": note.detail} for note in event.notes]
    if event.ignored:
        facts["ignored"] = list(event.ignored)
    if event.reason:
        facts["reason"] = event.reason
    return facts


def _changes(delta: Delta) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if delta.assigned:
        found["assigned"] = dict(delta.assigned)
    if delta.unassigned:
        found["unassigned"] = sorted(delta.unassigned)
    if delta.added:
        found["added"] = {name: list(elements) for name, elements in delta.added.items()}
    if delta.removed:
        found["removed"] = {name: list(elements) for name, elements in delta.removed.items()}
    return found


def _of_token(event: TokenEvent) -> dict[str, Json]:
    facts: dict[str, Json] = {"at": event.at, "happening": f"token {event.happening}"}
    if event.token is not None and event.token.connection:
        facts["connection"] = event.token.connection
    for name, token in (("token", event.token), ("replaced", event.replaced)):
        if token is not None:
            facts[name] = {"id": token.id, "label": token.label, "expires": token.expires.isoformat()}
    if event.why:
        facts["reason"] = event.why
    return facts
