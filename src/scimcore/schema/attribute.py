"""An attribute and its characteristics (RFC 7643 §2.2, §7), as a value.

This file says what an attribute is; what a value of it may look like is for `rules` to say.
"""

from collections.abc import Mapping
from enum import StrEnum

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


@attrs.frozen(kw_only=True)
class Attribute:
    """An attribute definition; what is left out has the defaults of RFC 7643 §2.2.

    >>> email = Attribute(name="emails", type=Type.COMPLEX, multi_valued=True, sub_attributes=(Attribute(name="value"),))
    >>> email.sub_attribute("VALUE").name
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
    _by_folded_name: Mapping[str, "Attribute"] = attrs.field(init=False, eq=False, repr=False)

    @_by_folded_name.default
    def _index(self) -> Mapping[str, "Attribute"]:
        return {sub.name.lower(): sub for sub in self.sub_attributes}

    def sub_attribute(self, name: str) -> "Attribute | None":
        """The sub-attribute of that name, in any case (RFC 7643 §2.1); None if there is none."""
        return self._by_folded_name.get(name.lower())

    @property
    def is_complex(self) -> bool:
        return self.type is Type.COMPLEX

    @property
    def is_writable(self) -> bool:
        """Whether a client has any say over the value."""
        return self.mutability is not Mutability.READ_ONLY

    def as_json(self) -> dict[str, Json]:
        """The definition as /Schemas shows it (RFC 7643 §7); characteristics that do not apply to the type are left out."""
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
