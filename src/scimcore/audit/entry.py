"""An event as it goes on record: JSON that says who did what to which resource, when, and what came of it."""

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from scimcore.access.token import Token, TokenEvent
from scimcore.engine.events import Event
from scimcore.rules.delta import Delta
from scimcore.schema.document import Json
from scimcore.storage.protocol import Instant, Tenant

Told: TypeAlias = Event | TokenEvent
"""What the provider and the token store tell of."""

NOBODY = Tenant("")
"""The tenant of what happened to nobody's account: a client that did not say who it is."""


@attrs.frozen
class Entry:
    """One line of the record. *facts* hold no secret: events withhold what nobody may read."""

    tenant: Tenant
    at: Instant
    facts: Mapping[str, Json]


def entry_of(event: Told) -> Entry:
    """What goes on record about *event*; whatever there is nothing to say about is left out."""
    if isinstance(event, Event):
        tenant = NOBODY if event.caller is None else event.caller.tenant
        facts = _of_resource(event)
    else:
        tenant = NOBODY if event.token is None else event.token.tenant
        facts = _of_token(event)
    return Entry(tenant, event.at, {name: value for name, value in facts.items() if value})


def _of_resource(event: Event) -> dict[str, Json]:
    return {
        "at": event.at,
        "happening": event.happening,
        "connection": None if event.caller is None else event.caller.connection,
        "resourceType": event.resource_type,
        "resourceId": event.resource_id,
        "requestId": event.request_id,
        "changes": _changes(event.delta) if event.delta else None,
        "notes": [{"what": note.what, "detail": note.detail} for note in event.notes] if event.notes else None,
        "ignored": list(event.ignored),
        "reason": event.reason,
    }


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
    return {
        "at": event.at,
        "happening": f"token {event.happening}",
        "connection": None if event.token is None else event.token.connection,
        "token": _token(event.token),
        "replaced": _token(event.replaced),
        "reason": event.why,
    }


def _token(token: Token | None) -> Json:
    if token is None:
        return None
    return {"id": token.id, "label": token.label, "expires": token.expires.isoformat()}
