"""Schemas, resource types and the names in them, resolved once and in any case (RFC 7643 §2.1, §6; RFC 7644 §3.10)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import attrs

from scimcore.schema.attribute import (
    Attribute,
    Expected,
    Mutability,
    Returned,
    Type,
    Uniqueness,
    by_name,
    expected_in,
    is_demanding,
)
from scimcore.schema.document import Document, Json
from scimcore.schema.remembered import remembered

SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"

# Erratum 8924: RFC 7643 §2.1 cannot derive the "$" of "$ref", which §2.4 defines.
_NAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9_$-]*\Z")

ID = Attribute(
    name="id",
    description="Unique identifier of the resource, issued by the service provider.",
    case_exact=True,
    mutability=Mutability.READ_ONLY,
    returned=Returned.ALWAYS,
    uniqueness=Uniqueness.SERVER,
)
EXTERNAL_ID = Attribute(
    name="externalId", description="Identifier of the resource as the provisioning client knows it.", case_exact=True
)
SCHEMAS = Attribute(
    name="schemas",
    type=Type.REFERENCE,
    multi_valued=True,
    description="URNs of the schemas whose attributes the resource has.",
    required=True,
    case_exact=True,
    mutability=Mutability.READ_ONLY,  # it follows from the values that a resource has
    returned=Returned.ALWAYS,
    reference_types=("uri",),
)
META = Attribute(
    name="meta",
    type=Type.COMPLEX,
    description="What the service provider knows about the resource itself.",
    mutability=Mutability.READ_ONLY,
    sub_attributes=(
        Attribute(
            name="resourceType",
            description="Name of the resource type.",
            case_exact=True,
            mutability=Mutability.READ_ONLY,
        ),
        Attribute(
            name="created", type=Type.DATE_TIME, description="When it was created.", mutability=Mutability.READ_ONLY
        ),
        Attribute(
            name="lastModified",
            type=Type.DATE_TIME,
            description="When it was last changed.",
            mutability=Mutability.READ_ONLY,
        ),
        Attribute(
            name="location",
            type=Type.REFERENCE,
            description="URI of the resource.",
            case_exact=True,
            mutability=Mutability.READ_ONLY,
            reference_types=("uri",),
        ),
        Attribute(
            name="version",
            description="Version of the resource, equal to its ETag.",
            case_exact=True,
            mutability=Mutability.READ_ONLY,
        ),
    ),
)
COMMON = (SCHEMAS, ID, EXTERNAL_ID, META)


@attrs.frozen(kw_only=True)
class Schema:
    """A schema: a URN and the attributes it defines (RFC 7643 §7).

    Raises:
        ValueError: A name is malformed or stands twice, a complex attribute lies inside another, or a characteristic
            does not fit its type.
    """

    id: str
    name: str
    # A schema stands in signatures and tracebacks: told with all its attributes, it would fill pages.
    description: str = attrs.field(default="", repr=False)
    attributes: tuple[Attribute, ...] = attrs.field(default=(), repr=False)

    def __attrs_post_init__(self) -> None:
        _check_names(self.id, self.attributes)
        for attribute in self.attributes:
            _check_names(f"{self.id}:{attribute.name}", attribute.sub_attributes)
            # Only the schema of schemas itself nests complex attributes (RFC 7643 §8.7.2, erratum 8415).
            if self.id != SCHEMA_URN and any(sub.is_complex for sub in attribute.sub_attributes):
                raise ValueError(f"{self.id}:{attribute.name}: a complex attribute inside a complex attribute")

    def as_json(self) -> dict[str, Json]:
        """The schema as /Schemas shows it, without `meta`."""
        return {
            "schemas": [SCHEMA_URN],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.as_json() for attribute in self.attributes],
        }


def _check_names(owner: str, attributes: Iterable[Attribute]) -> None:
    seen: set[str] = set()
    for attribute in attributes:
        if not _NAME.match(attribute.name):
            raise ValueError(f"{owner}: {attribute.name!r} is no attribute name (RFC 7643 §2.1)")
        if attribute.name.lower() in seen:
            raise ValueError(f"{owner}: the attribute {attribute.name!r} stands twice")
        if attribute.reference_types and attribute.type is not Type.REFERENCE:
            raise ValueError(f"{owner}:{attribute.name}: only a reference has referenceTypes")
        if attribute.sub_attributes and not attribute.is_complex:
            raise ValueError(f"{owner}:{attribute.name}: only a complex attribute has sub-attributes")
        seen.add(attribute.name.lower())


@attrs.frozen
class Extension:
    """A schema that adds attributes to a resource type, under its URN (RFC 7643 §3.3)."""

    schema: Schema
    required: bool = False


@attrs.frozen
class Place:
    """Where a value stands in a document: an attribute, perhaps inside an extension, perhaps one sub-attribute of it.

    `str(place)` is its name in attribute notation (RFC 7644 §3.10).
    """

    container: Attribute | None
    attribute: Attribute
    sub: Attribute | None = None
    # Worked out once, like the facts of an Attribute: places are kept, and asked for these by every rule.
    leaf: Attribute = attrs.field(init=False, eq=False, repr=False)
    """The attribute whose values are meant."""
    is_writable: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether a client has any say over the values."""
    name: str = attrs.field(init=False, eq=False, repr=False)
    """The same as `str()`."""

    def __attrs_post_init__(self) -> None:
        leaf = self.sub or self.attribute
        prefix = f"{self.container.name}:" if self.container else ""
        suffix = f".{self.sub.name}" if self.sub else ""
        object.__setattr__(self, "leaf", leaf)
        object.__setattr__(self, "is_writable", self.attribute.is_writable and leaf.is_writable)
        object.__setattr__(self, "name", f"{prefix}{self.attribute.name}{suffix}")

    def __str__(self) -> str:
        return self.name


def _rooted(path: str) -> str:
    # RFC 7643 §6 writes `Users` in the text and `/Users` in the example.
    return "/" + path.strip("/")


@attrs.frozen(kw_only=True, eq=False)
class ResourceType:
    """A kind of resource: its endpoint, its schema and the extensions of it (RFC 7643 §6).

    An extension appears among `attributes` as a complex attribute named by its URN, so that every rule walks it like
    any other. Two resource types are the same only if they are one object.

    Raises:
        ValueError: A schema stands twice.
    """

    name: str
    endpoint: str = attrs.field(converter=_rooted)
    schema: Schema
    extensions: tuple[Extension, ...] = ()
    description: str = attrs.field(default="", repr=False)
    attributes: Mapping[str, Attribute] = attrs.field(init=False, repr=False)
    containers: Mapping[str, Attribute] = attrs.field(init=False, repr=False)
    demanding: tuple[Attribute, ...] = attrs.field(init=False, repr=False)
    """The attributes that a client has to give, or that contain such."""
    names: Mapping[str, Attribute] = attrs.field(init=False, repr=False)
    """The attributes by their names, as spelled and in lower case."""
    expected: dict[str, Expected] = attrs.field(init=False, repr=False)
    """The same for values that arrive."""

    def __attrs_post_init__(self) -> None:
        urns = [self.schema.id, *(extension.schema.id for extension in self.extensions)]
        if len({urn.lower() for urn in urns}) != len(urns):
            raise ValueError(f"{self.name}: a schema stands twice")
        containers = {extension.schema.id: _container(extension) for extension in self.extensions}
        common = {attribute.name.lower() for attribute in COMMON}
        # RFC 7643 §3.1: what a schema says about a common attribute does not count.
        own = [attribute for attribute in self.schema.attributes if attribute.name.lower() not in common]
        attributes = {attribute.name: attribute for attribute in (*COMMON, *own, *containers.values())}
        object.__setattr__(self, "attributes", attributes)
        object.__setattr__(self, "containers", containers)
        object.__setattr__(self, "demanding", tuple(filter(is_demanding, attributes.values())))
        object.__setattr__(self, "names", by_name(attributes.values()))
        object.__setattr__(self, "expected", expected_in(self.names))

    def attribute(self, name: str) -> Attribute | None:
        """The top-level attribute, or extension container, of that name in any case; None if there is none."""
        return self.names.get(name) or self.names.get(name.lower())

    def place(self, name: str) -> Place | None:
        """What *name* in attribute notation means, in any case (RFC 7644 §3.10); None if it means nothing.

        Besides the RFC's forms, a dot after an extension's URN and the bare name of an extension attribute are
        understood.
        """
        return _place(self, name)

    def schemas_of(self, document: Document) -> list[str]:
        """The `schemas` attribute of *document*: the base schema, then each extension that it has values of."""
        found = [self.schema.id]
        for urn in self.containers:
            if urn in document:
                found.append(urn)  # noqa: PERF401 - a comprehension takes twice as long, for so few
        return found


def _container(extension: Extension) -> Attribute:
    return Attribute(
        name=extension.schema.id,
        type=Type.COMPLEX,
        description=extension.schema.description,
        required=extension.required,
        sub_attributes=extension.schema.attributes,
    )


@remembered(4096, largest=200, size=lambda _, name: len(name))
def _place(resource_type: ResourceType, name: str) -> Place | None:
    folded = name.lower()
    for container in resource_type.containers.values():
        urn = container.name.lower()
        if folded == urn:
            return Place(None, container)
        if folded.startswith((urn + ":", urn + ".")):
            found = _inside(container, container.sub_attribute, name[len(urn) + 1 :])
            if found is not None:
                return found
    urn = resource_type.schema.id.lower()
    if folded.startswith(urn + ":"):
        return _inside(None, resource_type.attribute, name[len(urn) + 1 :])
    found = _inside(None, resource_type.attribute, name)
    if found is not None:
        return found
    # Microsoft's documentation shows a bare "manager" in PATCH paths and filters; understood while one extension has
    # it.
    guesses = [_inside(container, container.sub_attribute, name) for container in resource_type.containers.values()]
    known = [guess for guess in guesses if guess is not None]
    return known[0] if len(known) == 1 else None


def _inside(container: Attribute | None, named: Callable[[str], Attribute | None], rest: str) -> Place | None:
    first, dot, second = rest.partition(".")
    attribute = named(first)
    if attribute is None:
        return None
    sub = attribute.sub_attribute(second) if dot else None
    return None if dot and sub is None else Place(container, attribute, sub)


class Catalogue:
    """The resource types of a provider and the schemas they use, found in any case.

    Raises:
        ValueError: Two resource types share a name or an endpoint (errata 8365, 8366), or two schemas share a URN.
    """

    def __init__(self, resource_types: Iterable[ResourceType]) -> None:
        self.resource_types = tuple(resource_types)
        self._by_name = _unique("name", ((found.name, found) for found in self.resource_types))
        self._by_endpoint = _unique("endpoint", ((found.endpoint[1:], found) for found in self.resource_types))
        used = (schema for found in self.resource_types for schema in schemas_of(found))
        self._by_urn = _unique("schema URN", ((schema.id, schema) for schema in used))
        self.schemas = tuple(self._by_urn.values())

    def named(self, name: str) -> ResourceType | None:
        """The resource type called *name*."""
        return self._by_name.get(name.lower())

    def at(self, endpoint: str) -> ResourceType | None:
        """The resource type at *endpoint*, written without slashes."""
        return self._by_endpoint.get(endpoint.lower())

    def schema(self, urn: str) -> Schema | None:
        """The schema of that URN."""
        return self._by_urn.get(urn.lower())


def schemas_of(resource_type: ResourceType) -> Iterator[Schema]:
    """The base schema of *resource_type*, then its extensions."""
    yield resource_type.schema
    for extension in resource_type.extensions:
        yield extension.schema


_T = TypeVar("_T")


def _unique(what: str, pairs: Iterable[tuple[str, _T]]) -> Mapping[str, _T]:
    found: dict[str, _T] = {}
    for name, value in pairs:
        if found.setdefault(name.lower(), value) is not value:
            raise ValueError(f"the {what} {name!r} stands twice")
    return found
