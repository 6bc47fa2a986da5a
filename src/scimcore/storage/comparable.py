"""What values are compared by, as text: for whoever compares without calling the rules, a database above all.

Databases neither fold letters nor read dateTimes as the rules do. So a document is kept a second time, as the keys of
its values: text that is equal where `rules.compare` says equal, and that stands in its order code point by code point.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from math import isfinite
from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from scimcore.rules.compare import folded, instant, is_exact, is_present, normalized
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json

VALUE: Final = "value"
"""What an element of a simple attribute has its value as."""

_Keyer: TypeAlias = Callable[[Json], str | None]
_Write: TypeAlias = Callable[[dict[str, Json], Json], None]
"""Writes the keys of one attribute's value into those of what holds it."""

_DERIVED: Final = ("id", "meta", "schemas")
_BEFORE_ALL_TIME: Final = 10**17
_EXPONENT_ZERO: Final = 1 << 31
_COMPLEMENT: Final = str.maketrans("0123456789abcdef", "fedcba9876543210")


def comparable(attribute: Attribute, value: Json) -> str | None:
    """What *value* of *attribute* is compared by, as text; None if it does not fit the type.

    >>> comparable(Attribute(name="userName"), "BJensen"), comparable(Attribute(name="userName"), 5)
    ('bjensen', None)
    >>> size = Attribute(name="size", type=Type.DECIMAL)
    >>> sorted([10, -2, 0.5, -1e300, 0, 2**70], key=lambda number: comparable(size, number))
    [-1e+300, -2, 0, 0.5, 10, 1180591620717411303424]
    """
    return _keyer(attribute)(value)


def label(name: str) -> str:
    """What the attribute *name* is called among keys: a text that needs no escape in the path languages of databases.

    >>> label("$ref"), label('urn:odd:"\u00e9')
    ('$ref', 'urn:odd:%22%C3%A9')
    """
    return quote(name, safe="$:")


def flag(label: str) -> str:
    """What stands beside the keys of *label* where its value is there and yet counts as absent (RFC 7644 §3.4.2.2)."""
    return f"!{label}"


def keys_of(resource_type: ResourceType, document: Document, without: Collection[str] = ()) -> dict[str, Json]:
    """The keys of the values of *document*, laid out as the document is, but for `id` and the attributes *without*.

    An attribute that is multi-valued by its schema is a list of objects, the one to sort by first; every other value is
    its key, or null if it is present and does not fit its type.

    >>> from scimcore.schema.standard import USER
    >>> emails = [{"value": "Home@x.example"}, {"value": "Work@x.example", "primary": True}]
    >>> keys_of(USER, {"id": "1", "title": "Boss", "emails": emails, "unknown": 1})["emails"]
    [{'value': 'work@x.example', 'primary': 'true'}, {'value': 'home@x.example'}]
    """
    found: dict[str, Json] = {}
    writers = _writers_of(resource_type)
    for name, value in document.items():
        write = writers.get(name)
        if write is not None and name not in without:
            write(found, value)
    return found


@lru_cache(maxsize=64)
def element_keyer(resource_type: ResourceType, name: str) -> Callable[[Document], dict[str, Json]]:
    """What gives the keys of an element of the complex attribute *name*.

    >>> from scimcore.schema.standard import GROUP
    >>> element_keyer(GROUP, "members")({"value": "Ab", "type": "User"})
    {'value': 'Ab', 'type': 'user'}
    """
    return partial(_parts, _writers(resource_type.attributes[name].sub_attributes))


def sort_key(place: Place, document: Document) -> str | None:
    """What *document* is sorted by at *place* (RFC 7644 §3.4.2.3): its primary or first value; None without one.

    >>> from scimcore.schema.standard import USER
    >>> sort_key(USER.place("emails.value"), {"emails": [{"value": "B"}, {"value": "A", "primary": True}]})
    'a'
    """
    found: Json = document.get(place.container.name) if place.container else document
    value = found.get(place.attribute.name) if isinstance(found, dict) else None
    if value is None:
        return None
    written: dict[str, Json] = {}
    _writer(place.attribute)(written, value)
    key = written.get(label(place.attribute.name))
    if isinstance(key, list):
        first = key[0] if key else None
        key = first.get(label(place.sub.name) if place.sub else VALUE) if isinstance(first, dict) else None
    elif place.sub:
        key = key.get(label(place.sub.name)) if isinstance(key, dict) else None
    return key if isinstance(key, str) else None


# Keys of values


@lru_cache(maxsize=1024)
def _keyer(attribute: Attribute) -> _Keyer:
    match attribute.type:
        case Type.BOOLEAN:
            return _truth
        case Type.INTEGER | Type.DECIMAL:
            return _number
        case Type.DATE_TIME:
            return _moment
        case Type.COMPLEX:
            return _nothing
        case Type.STRING | Type.REFERENCE | Type.BINARY:
            return _exact_text if is_exact(attribute) else _folded_text
        case _ as unreachable:
            assert_never(unreachable)


def _nothing(_: Json) -> None:
    return None


def _truth(value: Json) -> str | None:
    if value is True:
        return "true"
    return "false" if value is False else None


def _exact_text(value: Json) -> str | None:
    return normalized(value) if isinstance(value, str) else None


def _folded_text(value: Json) -> str | None:
    return folded(value) if isinstance(value, str) else None


def _moment(value: Json) -> str | None:
    try:
        seconds, fraction = instant(value) if isinstance(value, str) else (None, "")
    except ValueError:
        return None
    # A format specification takes as long as all the rest.
    return None if seconds is None else str(_BEFORE_ALL_TIME + seconds).zfill(18) + fraction


def _number(value: Json) -> str | None:
    """Sign, exponent and digits of the binary number: exact, where a decimal one would round or go on for long."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # An integer is finite and may be too large to be asked.
    if isinstance(value, float) and not isfinite(value):
        return None
    above, below = value.as_integer_ratio()
    if not above:
        return "1"
    bits = abs(above).bit_length()
    exponent = bits - below.bit_length()
    digits = f"{_EXPONENT_ZERO + exponent:08x}" + f"{abs(above) << -bits % 4:x}".rstrip("0")
    # Of two negative numbers the one with more digits comes first: "g" comes after every digit.
    return f"2{digits}" if above > 0 else f"0{digits.translate(_COMPLEMENT)}g"


# Keys of documents


@lru_cache(maxsize=64)
def _writers_of(resource_type: ResourceType) -> Mapping[str, _Write]:
    found = dict(_writers(tuple(one for one in resource_type.attributes.values() if one.name not in _DERIVED)))
    for urn, container in resource_type.containers.items():
        found[urn] = _structure(container, keeps_null=True)
    return found


@lru_cache(maxsize=256)
def _writers(attributes: tuple[Attribute, ...]) -> Mapping[str, _Write]:
    return {attribute.name: _writer(attribute) for attribute in attributes}


@lru_cache(maxsize=1024)
def _writer(attribute: Attribute) -> _Write:
    if attribute.is_complex or attribute.multi_valued:
        return _structure(attribute, keeps_null=False)
    return _single(label(attribute.name), _keyer(attribute))


def _single(named: str, key: _Keyer) -> _Write:
    flagged = flag(named)

    def write(into: dict[str, Json], value: Json) -> None:
        text = key(value)
        if text is not None:
            into[named] = text
            if not text:
                into[flagged] = True
        elif is_present(value):
            into[named] = None

    return write


def _structure(attribute: Attribute, *, keeps_null: bool) -> _Write:
    """How a value with parts is written; null only if it *keeps_null*, because an extension's URN counts by itself."""
    named, flagged = label(attribute.name), flag(label(attribute.name))
    is_complex = attribute.is_complex
    writers = _writers(attribute.sub_attributes) if is_complex else {VALUE: _single(VALUE, _keyer(attribute))}

    def write(into: dict[str, Json], value: Json) -> None:
        if value is None and not keeps_null:
            return
        if attribute.multi_valued:
            into[named] = [_parts(writers, element) for element in _elements(attribute, value)]
        else:
            into[named] = _parts(writers, value)
        if not is_present(value):
            into[flagged] = True

    return write


def _parts(writers: Mapping[str, _Write], value: Json) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if isinstance(value, dict):
        for name, part in value.items():
            write = writers.get(name)
            if write is not None:
                write(found, part)
    return found


def _elements(attribute: Attribute, value: Json) -> list[Json]:
    """The elements of *value* that filters look at, the one to sort by first."""
    several: list[Json] = list(value) if isinstance(value, (list, tuple)) else [value]
    if not attribute.is_complex:
        return [{VALUE: element} for element in several if element is not None]
    found: list[Json] = [element for element in several if isinstance(element, dict)]
    return sorted(found, key=_is_not_primary) if len(found) > 1 else found


def _is_not_primary(element: Json) -> bool:
    return isinstance(element, dict) and element.get("primary") is not True
