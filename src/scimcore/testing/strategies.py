"""Hypothesis strategies for whatever rules and providers are fed: schemas, documents, filters, PATCH, payloads.

Values come from small pools as often as from everywhere, so that generated filters find something in generated
documents.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from scimcore.schema.attribute import Attribute, Mutability, Returned, Type, Uniqueness
from scimcore.schema.catalogue import COMMON, Extension, Place, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import GROUP, USER

_URN: Final = "urn:example:params:scim:schemas"
_RESERVED: Final = frozenset(attribute.name.lower() for attribute in COMMON) | {
    *("and", "or", "not", "pr", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    *("true", "false", "null", "primary", "members", "groups"),
}
# Case and accents in two spellings each, width forms, letters that fold to two, what JSON and SQL LIKE have to escape.
_POOL: Final = (
    "a",
    "A",
    "ab",
    "aB",
    "é",
    "e\u0301",
    "\uff41",
    "Straße",
    "STRASSE",
    "ß",
    'say "a"',
    "50%",
    "a_b",
    "\\",
    "日本",
)
_MOMENTS: Final = (
    "2011-05-13T04:42:34Z",
    "2011-05-13T04:42:34.000Z",
    "2011-05-13T06:42:34+02:00",
    "2011-05-13T04:42:34.5Z",
    "1999-12-31T23:59:59-08:00",
)
_URIS: Final = ("https://example.com/a", "https://example.com/A", "urn:example:b", "https://example.com/é")
_ORDERED: Final = ("gt", "ge", "lt", "le")
_SUBSTRING: Final = ("co", "sw", "ew")


# What a resource is


def texts() -> SearchStrategy[str]:
    """Text that JSON, SQL and URLs can carry: not empty, no NUL, no lone surrogates."""
    anything = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
    return st.sampled_from(_POOL) | anything


def names() -> SearchStrategy[str]:
    """Attribute names that mean nothing to SCIM itself."""
    return st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,6}", fullmatch=True).filter(
        lambda name: name.lower() not in _RESERVED
    )


def attributes(may_be_complex: bool = True) -> SearchStrategy[Attribute]:
    """Attributes with any characteristics that go together."""
    kinds = st.sampled_from([kind for kind in Type if may_be_complex or kind is not Type.COMPLEX])
    return kinds.flatmap(
        lambda kind: st.builds(
            Attribute,
            name=names(),
            type=st.just(kind),
            # Inside a complex attribute RFC 7643 has no lists; vendors' schemas do not either.
            multi_valued=st.booleans() if may_be_complex else st.just(False),
            description=st.text(max_size=5),
            required=st.booleans(),
            case_exact=st.booleans(),
            mutability=st.sampled_from(Mutability),
            returned=st.sampled_from(Returned),
            uniqueness=st.just(Uniqueness.NONE),
            sub_attributes=_distinct(attributes(may_be_complex=False)) if kind is Type.COMPLEX else st.just(()),
        )
    )


def schemas(urn: str = f"{_URN}:Thing") -> SearchStrategy[Schema]:
    """Schemas with that URN."""
    return st.builds(
        Schema, id=st.just(urn), name=st.just(urn.rpartition(":")[2]), attributes=_distinct(attributes(), most=5)
    )


def resource_types(name: str = "Thing") -> SearchStrategy[ResourceType]:
    """Resource types of that name, with or without an extension."""
    extensions = st.builds(Extension, schema=schemas(f"{_URN}:extension:{name}"))
    return st.builds(
        ResourceType,
        name=st.just(name),
        endpoint=st.just(f"/{name}s"),
        schema=schemas(f"{_URN}:{name}"),
        extensions=st.lists(extensions, max_size=1).map(tuple),
    )


def _distinct(found: SearchStrategy[Attribute], most: int = 3) -> SearchStrategy[tuple[Attribute, ...]]:
    return st.lists(found, min_size=1, max_size=most, unique_by=lambda attribute: attribute.name.lower()).map(tuple)


# Documents


@lru_cache(maxsize=1024)
def values(attribute: Attribute) -> SearchStrategy[Json]:
    """Canonical values of *attribute*: never null or empty; at most one element is primary."""
    if not attribute.multi_valued:
        return single_values(attribute)
    return st.lists(single_values(attribute), min_size=1, max_size=3, unique_by=_printed).map(_with_one_primary)


def single_values(attribute: Attribute) -> SearchStrategy[Json]:
    """Canonical values of *attribute*, or elements if it is multi-valued."""
    match attribute.type:
        case Type.COMPLEX:
            return _objects(attribute.sub_attributes)
        case Type.BOOLEAN:
            return st.booleans()
        case Type.INTEGER:
            return st.integers(-3, 3) | st.integers(-(2**53), 2**53)
        case Type.DECIMAL:
            return st.sampled_from([-1.5, 0.0, 0.5, 2.0, 2]) | st.floats(allow_nan=False, allow_infinity=False)
        case Type.DATE_TIME:
            return st.sampled_from(_MOMENTS)
        case Type.BINARY:
            return st.binary(min_size=1, max_size=4).map(lambda found: base64.b64encode(found).decode())
        case Type.REFERENCE:
            return st.sampled_from(_URIS)
        case Type.STRING:
            canonical = attribute.canonical_values
            return st.sampled_from(canonical) | texts() if canonical else texts()


@lru_cache(maxsize=64)
def documents(resource_type: ResourceType, id: str = "1") -> SearchStrategy[Document]:
    """Canonical documents as a client may cause them: without readOnly and never returned attributes, but for `id`."""
    return _objects(_writable(resource_type), least=0).map(lambda found: {"id": id, **found})


def user_payloads() -> SearchStrategy[Document]:
    """Bodies of POST /Users that are to be accepted."""
    return payloads(USER)


def group_payloads(member_ids: Sequence[str] = ()) -> SearchStrategy[Document]:
    """Bodies of POST /Groups that are to be accepted; members are some of *member_ids*."""
    members = st.lists(st.sampled_from(member_ids), unique=True) if member_ids else st.just([])
    return st.tuples(payloads(GROUP), members).map(lambda found: _with_members(*found))


def payloads(resource_type: ResourceType) -> SearchStrategy[Document]:
    """Bodies of POST that are to be accepted, whatever is unique aside."""
    found = documents(resource_type)
    return found.map(
        lambda document: {
            "schemas": resource_type.schemas_of(document),
            **{name: value for name, value in document.items() if name != "id"},
        }
    )


def _with_members(payload: Document, members: Sequence[str]) -> Document:
    rest = {name: value for name, value in payload.items() if name != "members"}
    return {**rest, "members": [{"value": member} for member in members]} if members else rest


def _writable(resource_type: ResourceType) -> list[Attribute]:
    return [
        attribute
        for attribute in resource_type.attributes.values()
        if attribute.returned is not Returned.NEVER and attribute.name != "schemas"
    ]


@st.composite
def _objects(draw: DrawFn, found: Sequence[Attribute], least: int = 1) -> Mapping[str, Json]:
    """Objects with the required attributes among *found* and a few of the others."""
    assignable = {attribute.name: attribute for attribute in found if _is_assignable(attribute)}
    chosen = [name for name, attribute in assignable.items() if attribute.required]
    others = [name for name in assignable if name not in chosen]
    if others:
        missing = max(0, least - len(chosen))
        chosen += draw(st.lists(st.sampled_from(others), unique=True, min_size=missing, max_size=5))
    return {name: draw(values(assignable[name])) for name in chosen}


def _is_assignable(attribute: Attribute) -> bool:
    """Whether a client can give it a value; a complex attribute takes one if a part of it does."""
    return attribute.is_writable and (not attribute.is_complex or any(map(_is_assignable, attribute.sub_attributes)))


def _printed(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _with_one_primary(elements: list[Json]) -> list[Json]:
    found: list[Json] = []
    seen = False
    for element in elements:
        if isinstance(element, dict) and element.get("primary") is True:
            found.append({**element, "primary": not seen})
            seen = True
        else:
            found.append(element)
    return found


# Filters


@lru_cache(maxsize=64)
def filters(resource_type: ResourceType) -> SearchStrategy[str]:
    """Well-formed filters on whatever *resource_type* has, `schemas` and `meta` included, `meta.location` not."""
    plain = [_place_terms(resource_type, place) for place in places(resource_type)]
    nested = [
        combined(st.one_of([_terms(sub.name, sub, single_values(sub)) for sub in subs])).map(f"{name}[{{}}]".format)
        for name, subs in _element_parts(resource_type)
    ]
    return combined(st.one_of(plain) | st.one_of(nested) if nested else st.one_of(plain))


def filters_about(resource_type: ResourceType, documents: Iterable[Document]) -> list[str]:
    """Filters that compare with what *documents* hold, so that they find something."""
    found: set[str] = set()
    for place in places(resource_type):
        name, leaf = str(Place(place.container, place.attribute)), place.leaf
        for value in {_printed(value) for document in documents for value in _values_at(place, document)}:
            for operator in () if leaf.is_complex else _operators(leaf):
                found.add(f"{place} {operator} {value}")
                if place.attribute.multi_valued and place.attribute.is_complex == bool(place.sub):
                    found.add(f"{name}[{place.sub.name if place.sub else 'value'} {operator} {value}]")
    return sorted(found)


def _values_at(place: Place, document: Document) -> Iterator[Json]:
    holder: Json = document.get(place.container.name) if place.container else document
    found = holder.get(place.attribute.name) if isinstance(holder, dict) else None
    for element in found if isinstance(found, list) else [found]:
        value: Json = element
        if place.sub:
            value = element.get(place.sub.name) if isinstance(element, dict) else None
        if value is not None and not isinstance(value, (list, dict)):
            yield value


def combined(terms: SearchStrategy[str]) -> SearchStrategy[str]:
    """Filters made of *terms*, with `and`, `or`, `not` and brackets."""
    return st.recursive(
        terms,
        lambda inner: (
            st.tuples(inner, st.sampled_from(("and", "or")), inner).map(" ".join)
            | inner.map("not ({})".format)
            | inner.map("({})".format)
        ),
        max_leaves=4,
    )


def places(resource_type: ResourceType) -> list[Place]:
    """All places that a filter may name."""
    found = []
    for container, attribute in _attributes(resource_type):
        found.append(Place(container, attribute))
        found += [Place(container, attribute, sub) for sub in attribute.sub_attributes if _is_visible(sub)]
    return [place for place in found if str(place) != "meta.location"]


def _attributes(resource_type: ResourceType) -> Iterator[tuple[Attribute | None, Attribute]]:
    """The attributes, each with the extension that holds it."""
    for attribute in resource_type.attributes.values():
        is_container = attribute.name in resource_type.containers
        for inner in attribute.sub_attributes if is_container else (attribute,):
            if _is_visible(inner):
                yield (attribute if is_container else None), inner


def _element_parts(resource_type: ResourceType) -> Iterator[tuple[str, list[Attribute]]]:
    """The names that take brackets, and what may stand inside them."""
    for container, attribute in _attributes(resource_type):
        parts = [sub for sub in attribute.sub_attributes if _is_visible(sub) and not sub.is_complex]
        if not attribute.is_complex:
            # An element of a simple attribute is its own value.
            parts = [attrs.evolve(attribute, name="value", multi_valued=False)]
        if attribute.multi_valued and parts and attribute.name != "schemas":
            yield str(Place(container, attribute)), parts


def _is_visible(attribute: Attribute) -> bool:
    return attribute.returned is not Returned.NEVER


def _place_terms(resource_type: ResourceType, place: Place) -> SearchStrategy[str]:
    known: dict[str, Sequence[str]] = {
        "schemas": [resource_type.schema.id, *resource_type.containers],
        "meta.resourceType": [resource_type.name, "User"],
        "meta.version": ['W/"1"', 'W/"2"'],
    }
    operands = st.sampled_from(known[str(place)]) if str(place) in known else single_values(place.leaf)
    return _terms(str(place), place.leaf, operands)


def _terms(name: str, attribute: Attribute, operands: SearchStrategy[Json]) -> SearchStrategy[str]:
    """Filters of one term about *name*."""
    present = st.just(f"{name} pr")
    if attribute.is_complex:
        return present
    compared = st.tuples(st.sampled_from(_operators(attribute)), operands.map(json.dumps)) | st.tuples(
        st.sampled_from(("eq", "ne")), st.just("null")
    )
    return present | compared.map(lambda found: f"{name} {found[0]} {found[1]}")


def _operators(attribute: Attribute) -> tuple[str, ...]:
    operators: tuple[str, ...] = ("eq", "ne")
    if attribute.type not in (Type.BOOLEAN, Type.BINARY):
        operators += _ORDERED
    if attribute.type in (Type.STRING, Type.REFERENCE):
        operators += _SUBSTRING
    return operators


# PATCH


def patch_operations(resource_type: ResourceType, document: Document) -> SearchStrategy[list[Document]]:
    """A few operations in a row that are all to be accepted."""
    return st.lists(patch_operation(resource_type, document), min_size=1, max_size=4)


def patch_operation(resource_type: ResourceType, document: Document) -> SearchStrategy[Document]:
    """One operation that fits *document* and is idempotent (RFC 7644 §3.5.2): a second time it changes nothing."""
    choices = [
        operation
        for container, attribute in _attributes(resource_type)
        for operation in _operations(container, attribute, document)
    ]
    return st.one_of(choices)


def _operations(
    container: Attribute | None, attribute: Attribute, document: Document
) -> Iterator[SearchStrategy[Document]]:
    if not _is_changeable(attribute):
        return
    path = str(Place(container, attribute))
    yield _setting(path, values(attribute))
    if container is None:
        yield values(attribute).map(lambda value: {"op": "add", "value": {path: value}})
    if not attribute.required:
        yield st.just({"op": "remove", "path": path})
    subs = [sub for sub in attribute.sub_attributes if _is_changeable(sub)]
    if attribute.multi_valued:
        yield from _element_operations(path, attribute, subs, document)
        return
    for sub in subs:
        yield _setting(f"{path}.{sub.name}", values(sub))
        if not sub.required:
            yield st.just({"op": "remove", "path": f"{path}.{sub.name}"})


def _element_operations(
    path: str, attribute: Attribute, subs: Sequence[Attribute], document: Document
) -> Iterator[SearchStrategy[Document]]:
    """Operations on elements that *document* has, found by their `value`."""
    elements = document.get(attribute.name)
    for element in elements if isinstance(elements, list) else ():
        if isinstance(element, dict) and "value" in element:
            target = f"{path}[value eq {json.dumps(element['value'])}]"
            yield st.just({"op": "remove", "path": target})
            for sub in subs:
                if sub.name != "value":
                    yield _setting(f"{target}.{sub.name}", values(sub))


def _setting(path: str, found: SearchStrategy[Json]) -> SearchStrategy[Document]:
    return st.builds(
        lambda op, value: {"op": op, "path": path, "value": value}, st.sampled_from(("add", "replace")), found
    )


def _is_changeable(attribute: Attribute) -> bool:
    if attribute.name == "schemas":  # readWrite by its definition, and derived from what the resource holds
        return False
    fixed = any(sub.mutability is Mutability.IMMUTABLE for sub in attribute.sub_attributes)
    # What is immutable in an element comes and goes with the element; elsewhere it stands in the way of a new value.
    return (
        attribute.mutability is Mutability.READ_WRITE
        and _is_assignable(attribute)
        and (attribute.multi_valued or not fixed)
    )
