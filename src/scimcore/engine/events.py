"""What happened: the one stream on which audit, webhooks and security event tokens build."""

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Final, Literal, Protocol, TypeAlias

import attrs

from scimcore.access import Caller
from scimcore.provisioning import Note
from scimcore.rules.delta import Delta
from scimcore.schema.attribute import Attribute, Mutability, Returned
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.protocol import Instant, Session

NOTHING: Final = Delta()

Happening: TypeAlias = Literal[
    "created",
    "adopted",  # a create that found its resource there already
    "replaced",
    "patched",
    "deleted",
    "retained",  # a delete that a policy turned into something else
    "unchanged",
    "refused",  # a change that was asked for and not made, or a caller who may not ask at all
    "unauthenticated",
]


@attrs.frozen(kw_only=True, slots=False)
class Event:
    """A change that was committed, or a request that changed nothing: because it did not need to, or was refused.

    *delta* withholds the values of attributes that are never returned (None stands in for them). *ignored* names what
    the request carried and nobody stored: unknown attributes, readOnly input, members that do not exist. *notes* say
    what policies did. *reason* is what a refused client was told; such an event may have no resource, and one about an
    unauthenticated client has no caller.
    """

    happening: Happening
    caller: Caller | None
    resource_type: str
    resource_id: str
    at: Instant
    request_id: str
    delta: Delta = NOTHING
    ignored: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    reason: str = ""


OnEvent: TypeAlias = Callable[[Event], Awaitable[None] | None]


class Recorder(Protocol):
    """What keeps events in the database that they are about, a change and its entry in one transaction."""

    def within(self, event: Event, session: Session, /) -> Awaitable[None]:
        """Put *event* on record in the transaction of *session*, which undoes the change if this raises."""

    def __call__(self, event: Event, /) -> Awaitable[None] | None:
        """Put a refusal on record, which has no transaction."""


def withheld(delta: Delta, resource_type: ResourceType) -> Delta:
    """*delta* without the values that nobody may read back (RFC 7643 §7, `returned: never`)."""
    closed = _closed_names(resource_type)
    if closed.isdisjoint(delta.assigned) and closed.isdisjoint(delta.added) and closed.isdisjoint(delta.removed):
        return delta
    return attrs.evolve(
        delta,
        assigned={name: _open_part(resource_type.attribute(name), value) for name, value in delta.assigned.items()},
        added=_open_elements(delta.added, resource_type),
        removed=_open_elements(delta.removed, resource_type),
    )


@lru_cache(maxsize=256)
def _closed_names(resource_type: ResourceType) -> frozenset[str]:
    """The attributes that hold something secret, at any depth."""
    return frozenset(name for name, attribute in resource_type.attributes.items() if _has_secrets(attribute))


def _has_secrets(attribute: Attribute) -> bool:
    return _is_secret(attribute) or any(map(_has_secrets, attribute.sub_attributes))


def _is_secret(attribute: Attribute) -> bool:
    return attribute.returned is Returned.NEVER or attribute.mutability is Mutability.WRITE_ONLY


def _open_elements(
    elements: Mapping[str, tuple[Json, ...]], resource_type: ResourceType
) -> Mapping[str, tuple[Json, ...]]:
    return {
        name: tuple(_open_part(resource_type.attribute(name), element) for element in some)
        for name, some in elements.items()
    }


def _open_part(attribute: Attribute | None, value: Json) -> Json:
    """*value* with None in the place of everything secret."""
    if attribute is None or _is_secret(attribute):
        return None
    if isinstance(value, list):
        return [_open_part(attribute, element) for element in value]
    if isinstance(value, dict):
        return {name: _open_part(attribute.sub_attribute(name), part) for name, part in value.items()}
    return value
