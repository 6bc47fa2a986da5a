"""What happened: the one stream on which audit, webhooks and security event tokens build."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

import attrs

from scimcore.access import Caller
from scimcore.rules.delta import Delta
from scimcore.schema.attribute import Mutability, Returned
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.protocol import Instant

Happening: TypeAlias = Literal["created", "replaced", "patched", "deleted", "unchanged"]


@attrs.frozen(kw_only=True)
class Event:
    """A change that was committed, or a request that would have changed something and did not need to.

    *delta* withholds the values of attributes that are never returned (None stands in for them). *ignored* names what
    the request carried and nobody stored: unknown attributes, readOnly input, members that do not exist.
    """

    happening: Happening
    caller: Caller
    resource_type: str
    resource_id: str
    delta: Delta
    ignored: tuple[str, ...]
    at: Instant
    request_id: str


OnEvent: TypeAlias = Callable[[Event], Awaitable[None] | None]


def withheld(delta: Delta, resource_type: ResourceType) -> Delta:
    """*delta* without the values that nobody may read back (RFC 7643 §7, `returned: never`)."""
    if not delta.assigned:
        return delta
    return attrs.evolve(
        delta, assigned={name: _open_part(resource_type, name, value) for name, value in delta.assigned.items()}
    )


def _open_part(resource_type: ResourceType, name: str, value: Json) -> Json:
    attribute = resource_type.attribute(name)
    if attribute is None or attribute.returned is Returned.NEVER or attribute.mutability is Mutability.WRITE_ONLY:
        return None
    secret = {sub.name for sub in attribute.sub_attributes if sub.returned is Returned.NEVER}
    if secret and isinstance(value, dict):
        return {part: None if part in secret else one for part, one in value.items()}
    return None if secret else value
