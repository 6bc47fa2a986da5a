"""An attribute and its characteristics (RFC 7643 §2.2, §7), as a value.

This file says what an attribute is; what a value of it may look like is for `rules` to say.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from scimcore.schema.document import Json


class Type(StrEnum):
    """The data types of RFC 7643 §2.3."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BINARY = "binary"
    REFERENCE = "reference"
    COMPLEX = "complex"


TEXTUAL: Final = (Type.STRING, Type.REFERENCE, Type.BINARY)
"""The types whose values are text, and are compared as text."""


class Mutability(StrEnum):
    """Who may change a value, and when (RFC 7643 §7)."""

    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(StrEnum):
    """When a value is part of a response (RFC 7643 §7)."""

    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class Uniqueness(StrEnum):
    """Among which resources a value is unique (RFC 7643 §7)."""

    NONE = "none"
    SERVER = "server"
    GLOBAL = "global"


Native: TypeAlias = type[str] | type[bool] | type[int]

Expected: TypeAlias = "tuple[str, Native | None, Attribute]"
"""An attribute behind what is asked of it first when a value arrives: its name and what it is natively."""

_NATIVE: Final[Mapping[Type, Native]] = {Type.STRING: str, Type.BOOLEAN: bool, Type.INTEGER: int}


@attrs.frozen(kw_only=True, cache_hash=True)
class Attribute:
    """An attribute definition; what is left out has the defaults of RFC 7643 §2.2.

    >>> manager = Attribute(name="manager", type=Type.COMPLEX, sub_attributes=(Attribute(name="value"),))
    >>> manager.sub_attribute("VALUE").name
    'value'
    """

    name: str
    type: Type = Type.STRING
    multi_valued: bool = False
    description: str = ""
    required: bool = False
    canonical_values: tuple[str, ...] = ()
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    uniqueness: Uniqueness = Uniqueness.NONE
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple["Attribute", ...] = ()
    # What follows from the above is worked out once: rules ask for it for every value they walk.
    is_complex: bool = attrs.field(init=False, eq=False, repr=False)
    is_writable: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether a client has any say over the value."""
    is_exact: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether the case of letters counts in its values (RFC 7643 §2.2, §2.3.6, §2.3.7)."""
    native: Native | None = attrs.field(init=False, eq=False, repr=False)
    """What JSON becomes in Python when a client may write it without a further look, empty text aside; None if it may
    write nothing so."""
    demanding: "tuple[Attribute, ...]" = attrs.field(init=False, eq=False, repr=False)
    """The sub-attributes that a client has to give, or that contain such."""
    is_membership: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether its elements are references that come and go but never change, like a group's members."""
    is_independent: bool = attrs.field(init=False, eq=False, repr=False)
    """Whether what happens to one of its elements has no bearing on the others, nor their number any."""
    joint: str = attrs.field(init=False, eq=False, repr=False)
    """What stands between its name and that of a sub-attribute: a colon where it is an extension (RFC 7644 §3.10)."""
    names: Mapping[str, "Attribute"] = attrs.field(init=False, eq=False, repr=False)
    """The sub-attributes by their names, as spelled and in lower case."""
    expected: dict[str, Expected] = attrs.field(init=False, eq=False, repr=False)
    """The same for values that arrive."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "is_complex", self.type is Type.COMPLEX)
        object.__setattr__(self, "is_writable", self.mutability is not Mutability.READ_ONLY)
        object.__setattr__(self, "is_exact", self.case_exact or self.type in (Type.REFERENCE, Type.BINARY))
        is_plain = self.is_writable and not self.multi_valued
        object.__setattr__(self, "native", _NATIVE.get(self.type) if is_plain else None)
        object.__setattr__(self, "demanding", tuple(filter(is_demanding, self.sub_attributes)))
        object.__setattr__(self, "joint", ":" if self.name.startswith("urn:") else ".")
        object.__setattr__(self, "names", by_name(self.sub_attributes))
        object.__setattr__(self, "expected", expected_in(self.names))
        value = self.sub_attribute("value") if self.multi_valued and self.sub_attribute("$ref") else None
        is_membership = value is not None and value.mutability is Mutability.IMMUTABLE
        object.__setattr__(self, "is_membership", is_membership)
        is_bound = self.required or self.mutability is Mutability.IMMUTABLE or "primary" in self.names
        object.__setattr__(self, "is_independent", is_membership and not is_bound)

    def sub_attribute(self, name: str) -> "Attribute | None":
        """The sub-attribute of that name, in any case (RFC 7643 §2.1); None if there is none."""
        return self.names.get(name) or self.names.get(name.lower())

    def as_json(self) -> dict[str, Json]:
        """The definition as /Schemas shows it (RFC 7643 §7), without characteristics that its type does not have."""
        shown: dict[str, Json] = {
            "name": self.name,
            "type": self.type.value,
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": self.required,
        }
        if self.canonical_values:
            shown["canonicalValues"] = list(self.canonical_values)
        # Erratum 6004: complex attributes have neither uniqueness nor caseExact of their own; nor have booleans.
        if self.type not in (Type.COMPLEX, Type.BOOLEAN):
            shown["caseExact"] = self.case_exact
            shown["uniqueness"] = self.uniqueness.value
        shown["mutability"] = self.mutability.value
        shown["returned"] = self.returned.value
        if self.reference_types:
            shown["referenceTypes"] = list(self.reference_types)
        if self.sub_attributes:
            shown["subAttributes"] = [sub.as_json() for sub in self.sub_attributes]
        return shown


def is_demanding(attribute: Attribute) -> bool:
    """Whether a client has to give *attribute*, or something inside it where it gives it."""
    return attribute.is_writable and (attribute.required or bool(attribute.demanding))


def by_name(attributes: Iterable[Attribute]) -> Mapping[str, Attribute]:
    """*attributes* by their names as spelled and in lower case, so that the usual look-up folds nothing."""
    found = {attribute.name.lower(): attribute for attribute in attributes}
    return {**found, **{attribute.name: attribute for attribute in found.values()}}


def expected_in(names: Mapping[str, Attribute]) -> dict[str, Expected]:
    """The attributes of *names* for values that arrive: what is asked of each of them stands beside it."""
    return {name: (attribute.name, attribute.native, attribute) for name, attribute in names.items()}
