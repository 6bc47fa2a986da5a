"""Records that `BoundFilter.matches` decides about, because the database cannot or need not."""

from collections.abc import Collection, Sequence

from scimcore.rules.compare import is_exact, normalized
from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import BoundFilter
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage.index import UNSEEN, keys_named
from scimcore.storage.keyed import KEYED_NAMES
from scimcore.storage.protocol import Elements, Query, Record
from scimcore.storage.sql.membership import Membership


async def judged(query: Query, records: Sequence[Record], membership: Membership) -> dict[tuple[str, str], bool]:
    """Which of *records* match *query*: resource type name, id -> whether it does."""
    found: dict[tuple[str, str], bool] = {}
    for one in query.resource_types:
        bound = query.bound(one)
        of_type = [record for record in records if record.resource_type is one]
        elements = UNSEEN if bound is None else _elements_for(bound, one)
        for record in await membership.shown(of_type, elements, by_normal=True):
            found[one.name, record.id] = bound is None or bound.matches(_seen(record, bound.mentions_envelope))
    return found


def _seen(record: Record, envelope: bool) -> Document:
    if not envelope:
        return record.document
    return with_envelope(record.resource_type, record.document, record.created, record.last_modified, record.version)


def _elements_for(bound: BoundFilter, resource_type: ResourceType) -> Elements:
    """The elements of keyed attributes that can matter to *bound*, their keys in normal form."""
    if KEYED_NAMES.isdisjoint(bound.names):
        return UNSEEN
    found: dict[str, Collection[str]] = {}
    for name in KEYED_NAMES:
        place = resource_type.place(f"{name}.value")
        keys = keys_named(bound.tree, name)
        if keys is not None and (not keys or (place is not None and is_exact(place.leaf))):
            found[name] = {normalized(key) for key in keys}
    return found
