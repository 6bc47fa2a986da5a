"""The full resource around a document: `schemas` and `meta`, which are derived and never stored (RFC 7643 §3, §3.1)."""

from scimcore.rules.etag import tag
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json


def with_envelope(
    resource_type: ResourceType,
    document: Document,
    created: str,
    last_modified: str,
    version: int,
    location: str | None = None,
) -> Document:
    """Return *document* with the `schemas` and `meta` that a client sees.

    `meta.location` depends on the URL of the request; outside of one there is none.

    >>> from scimcore.schema.standard import GROUP
    >>> moment = "2026-11-22T09:30:00.000000Z"
    >>> with_envelope(GROUP, {"id": "1"}, moment, moment, 2)["meta"]["version"]
    'W/"2"'
    """
    meta: dict[str, Json] = {
        "resourceType": resource_type.name,
        "created": created,
        "lastModified": last_modified,
        "version": tag(version),
    }
    if location is not None:
        meta["location"] = location
    return {"schemas": resource_type.schemas_of(document), **document, "meta": meta}
