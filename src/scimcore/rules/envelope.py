"""The full resource around a document: `schemas` and `meta`, which are derived and never stored (RFC 7643 §3, §3.1)."""

from scimcore.rules.etag import tag
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document


def with_envelope(
    resource_type: ResourceType, document: Document, created: str, last_modified: str, version: int
) -> Document:
    """Return *document* with the `schemas` and `meta` that a client sees.

    `meta.location` is left out: it depends on the URL of the request.

    >>> from scimcore.schema.standard import GROUP
    >>> moment = "2026-11-22T09:30:00.000000Z"
    >>> with_envelope(GROUP, {"id": "1"}, moment, moment, 2)["meta"]["version"]
    'W/"2"'
    """
    return {
        "schemas": resource_type.schemas_of(document),
        **document,
        "meta": {
            "resourceType": resource_type.name,
            "created": created,
            "lastModified": last_modified,
            "version": tag(version),
        },
    }
