"""Records as rows: what is written, what is read back, and what a record is found by. No statement is run here."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, TypeAlias

import orjson
from pydantic_core import from_json, to_json

from scimcore.rules.compare import folded as folded_text
from scimcore.rules.compare import is_exact, normalized
from scimcore.schema.attribute import TEXTUAL, Attribute
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.comparable import keys_of
from scimcore.storage.index import indexable
from scimcore.storage.keyed import KEYED
from scimcore.storage.protocol import Instant, Record, UniqueKey, Version

Places: TypeAlias = Callable[[ResourceType], Mapping[str, Place]]
"""The places of a resource type that the value index holds, by name."""

LONGEST_KEY: Final = 250
# PostgreSQL and SQLite take some 32,000 parameters.
_MOST_KEYS: Final = 10_000


def json_text(value: Json) -> str:
    """*value* as JSON; it begins with a blank if `json_value` has to take more care than usual.

    >>> json_text({"a": 1}), json_text({"a": 2**64})
    ('{"a":1}', ' {"a":18446744073709551616}')
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # No client can send an integer beyond 64 bits, but an application may keep one.
        return " " + to_json(value).decode()


def json_value(text: str) -> Any:
    """What `json_text` has written, every integer exactly as it was.

    >>> json_value(json_text({"a": [2**64 + 1]}))
    {'a': [18446744073709551617]}
    """
    return from_json(text) if text.startswith(" ") else orjson.loads(text)


def bounded(key: str) -> str:
    """A stand-in for *key* that an index of PostgreSQL can hold (2,704 bytes): equal stand-ins are equal keys.

    No short key equals the stand-in of a long one, because the stand-in is longer than any key that is left alone.

    >>> bounded("bjensen"), len(bounded("b" * 1_000_000))
    ('bjensen', 315)
    """
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[:LONGEST_KEY]}\x01{sha256(key.encode()).hexdigest()}"


def text_key(attribute: Attribute, value: Json) -> str | None:
    """What *value* of a textual *attribute* is looked up by; None if it is no text.

    >>> text_key(Attribute(name="userName"), "BJensen"), text_key(Attribute(name="userName"), 1)
    ('bjensen', None)
    """
    if not isinstance(value, str):
        return None
    return bounded(normalized(value) if is_exact(attribute) else folded_text(value))


def portions(keys: Sequence[str]) -> list[Sequence[str]]:
    """*keys* in parts that one statement can name.

    >>> [len(some) for some in portions(["key"] * 25_000)]
    [10000, 10000, 5000]
    """
    return [keys[start : start + _MOST_KEYS] for start in range(0, len(keys), _MOST_KEYS)]


# Writing


def resource_row(tenant: str, record: Record, document: Document) -> dict[str, object]:
    """The row of *record*, whose *document* holds no keyed attribute."""
    return {
        "tenant": tenant,
        "type": record.resource_type.name,
        "id": record.id,
        "normal_id": normalized(record.id),
        "created": record.created,
        "last_modified": record.last_modified,
        "version": record.version,
        **content(record.resource_type, document, record.unique),
    }


def content(resource_type: ResourceType, document: Document, unique: Iterable[UniqueKey]) -> dict[str, object]:
    """The columns that an update of a document writes."""
    keyed = KEYED.get(resource_type.name, {})
    display = document.get("displayName") if "members" in keyed else None
    return {
        "document": json_text(document),
        "display": display if isinstance(display, str) else None,
        "folded_display": folded_text(display) if isinstance(display, str) else None,
        "names": json_text([[key.attribute, key.value] for key in unique]),
        "comparison_keys": json_text(keys_of(resource_type, document, keyed)),
    }


def unique_row(tenant: str, record: Record, key: UniqueKey) -> dict[str, object]:
    """The row that keeps *key* for *record*."""
    return {
        "tenant": tenant,
        "type": record.resource_type.name,
        "attribute": key.attribute,
        "value": bounded(key.value),
        "id": record.id,
    }


@lru_cache(maxsize=256)
def indexed_places(names: tuple[str, ...], resource_type: ResourceType) -> Mapping[str, Place]:
    """The places of *resource_type* among *names* whose values are text in a row, by name in attribute notation."""
    elsewhere = {"id", "meta", "schemas", *KEYED.get(resource_type.name, {})}
    return {
        name: place
        for name, place in indexable(names, resource_type)
        if place.leaf.type in TEXTUAL and place.attribute.name not in elsewhere
    }


def index_entries(places: Mapping[str, Place], document: Document) -> set[tuple[str, str]]:
    """What *document* is found by: names of places, each with the key of a value there."""
    return {
        (name, key)
        for name, place in places.items()
        for value in _values_at(place, document)
        if (key := text_key(place.leaf, value)) is not None
    }


def index_changes(
    places: Mapping[str, Place], before: Document, after: Document, names: Collection[str]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What a document is no longer found by, and what it is found by from now on, after a change of *names* in it.

    >>> from scimcore.schema.standard import USER
    >>> places = indexed_places(("userName", "emails.value"), USER)
    >>> index_changes(places, {"userName": "A"}, {"userName": "B", "title": "C"}, {"userName", "title"})
    ({('userName', 'a')}, {('userName', 'b')})
    """
    touched = {name: place for name, place in places.items() if (place.container or place.attribute).name in names}
    if not touched:
        return set(), set()
    old, new = index_entries(touched, before), index_entries(touched, after)
    return old - new, new - old


def _values_at(place: Place, document: Document) -> Iterator[Json]:
    holder: Json = document.get(place.container.name) if place.container else document
    found = holder.get(place.attribute.name) if isinstance(holder, dict) else None
    several = place.attribute.multi_valued and isinstance(found, (list, tuple))
    for element in found if several and isinstance(found, (list, tuple)) else (found,):
        if place.sub is None:
            yield element
        elif isinstance(element, dict):
            yield element.get(place.sub.name)


# Reading


def record_of(row: Sequence[Any], resource_type: ResourceType) -> Record:
    """The record in *row*, which begins with `statements.RECORD_COLUMNS`, without keyed attributes."""
    _, id, created, last_modified, version, document, names = row[:7]
    return Record(
        resource_type=resource_type,
        id=str(id),
        document=json_value(document),
        created=Instant(created),
        last_modified=Instant(last_modified),
        version=Version(version),
        unique=unique_keys(names),
    )


def unique_keys(names: str) -> tuple[UniqueKey, ...]:
    """The unique keys in the column `names`."""
    return tuple([UniqueKey(attribute, value) for attribute, value in json_value(names)])
