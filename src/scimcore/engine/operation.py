"""What a request asks for: exactly one of a closed set of operations."""

from typing import TYPE_CHECKING, TypeAlias

import attrs

from scimcore.rules.filter import Filter
from scimcore.rules.project import Projection
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import PatchRequest


@attrs.frozen(kw_only=True)
class Create:
    """POST on an endpoint (RFC 7644 §3.3)."""

    resource_type: ResourceType
    payload: Json
    shown: Projection


@attrs.frozen(kw_only=True)
class Read:
    """GET of one resource (RFC 7644 §3.4.1)."""

    resource_type: ResourceType
    id: str
    shown: Projection
    if_none_match: str | None = None


@attrs.frozen(kw_only=True)
class Search:
    """GET on an endpoint or the root, or POST on `.search` (RFC 7644 §3.4.2, §3.4.3)."""

    resource_types: tuple[ResourceType, ...]
    filter: Filter | None
    sort_by: str | None
    descending: bool
    start_index: int
    count: int
    attributes: tuple[str, ...]
    excluded: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Replace:
    """PUT (RFC 7644 §3.5.1)."""

    resource_type: ResourceType
    id: str
    payload: Json
    shown: Projection
    if_match: str | None = None


@attrs.frozen(kw_only=True)
class Patch:
    """PATCH (RFC 7644 §3.5.2); *answer_wanted* when the client chose what the answer shows."""

    resource_type: ResourceType
    id: str
    message: "PatchRequest"
    shown: Projection
    answer_wanted: bool = False
    if_match: str | None = None


@attrs.frozen(kw_only=True)
class Delete:
    """DELETE (RFC 7644 §3.6)."""

    resource_type: ResourceType
    id: str
    if_match: str | None = None


@attrs.frozen
class DiscoverConfig:
    """GET /ServiceProviderConfig (RFC 7644 §4)."""


@attrs.frozen
class DiscoverResourceTypes:
    """GET /ResourceTypes, or one of them by name."""

    name: str | None = None


@attrs.frozen
class DiscoverSchemas:
    """GET /Schemas, or one of them by URN."""

    urn: str | None = None


@attrs.frozen
class Options:
    """OPTIONS on any endpoint: which methods it knows."""

    allowed: tuple[str, ...]


Change: TypeAlias = Create | Replace | Patch | Delete
Discover: TypeAlias = DiscoverConfig | DiscoverResourceTypes | DiscoverSchemas
Operation: TypeAlias = Change | Read | Search | Discover | Options
