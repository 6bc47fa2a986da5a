"""A record as a client sees it: `schemas`, `meta` and the URIs, none of which is stored (RFC 7643 §3.1, §2.3.7)."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from scimcore.rules.envelope import with_envelope
from scimcore.rules.project import Projection, projected
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.catalogue import Catalogue, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Record


def location(record: Record, base_url: str) -> str:
    """The URI of a resource."""
    return f"{base_url}{record.resource_type.endpoint}/{_encoded(record.id)}"


def represented(
    record: Record,
    shown: Projection,
    where: str,
    base_url: str,
    catalogue: Catalogue,
    also: frozenset[str] = frozenset(),
) -> Document:
    """The part of the resource that *shown* lets through, and of `returned: request` attributes those in *also*.

    *where* is its location; *base_url* is where those of the resources that it refers to begin.
    """
    resource_type = record.resource_type
    document = record.document
    for attribute in references(resource_type):
        value = document.get(attribute.name)
        if isinstance(value, list) and shown.shows(attribute.name):
            document = {**document, attribute.name: _with_uris(attribute, value, base_url, catalogue)}
    resource = with_envelope(resource_type, document, record.created, record.last_modified, record.version, where)
    return projected(resource, shown, also)


@lru_cache(maxsize=256)
def references(resource_type: ResourceType) -> tuple[Attribute, ...]:
    """The attributes whose elements refer to resources by ids that the provider vouches for: members and groups."""
    return tuple(attribute for attribute in resource_type.attributes.values() if _is_vouched_for(attribute))


def _is_vouched_for(attribute: Attribute) -> bool:
    reference = attribute.sub_attribute("$ref") if attribute.multi_valued else None
    return reference is not None and reference.mutability in (Mutability.IMMUTABLE, Mutability.READ_ONLY)


def _with_uris(attribute: Attribute, elements: list[Json], base_url: str, catalogue: Catalogue) -> list[Json]:
    reference = attribute.sub_attribute("$ref")
    fallback = reference.reference_types[0] if reference and reference.reference_types else ""
    bases: dict[str, str] = {}
    result: list[Json] = []
    for element in elements:
        if not isinstance(element, Mapping):
            continue
        # A group's member says its type; a user's group is "direct" or "indirect", and always a Group.
        kind = str(element.get("type", fallback))
        if kind not in bases:
            resource_type = catalogue.named(kind) or catalogue.named(fallback)
            bases[kind] = f"{base_url}{resource_type.endpoint}/" if resource_type else ""
        value = element.get("value")
        if bases[kind] and isinstance(value, str):
            result.append({**element, "$ref": bases[kind] + _encoded(value)})
        else:
            result.append(element)
    return result


def _encoded(id: str) -> str:
    """An id as a path segment; most need no look at each character."""
    return id if id.isascii() and id.isalnum() else quote(id, safe="")
