"""Typed faces of User, Group and EnterpriseUser for application code: `user.name.given_name`, not nested look-ups.

A face holds what a document holds, no `schemas` and no `meta`. The engine does without them. Attributes that a face
does not name, such as those of another extension, are kept as they are.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from scimcore.schema.document import Document, Json, is_unassigned
from scimcore.schema.standard import ENTERPRISE_USER


def _name(field: str) -> str:
    return {"ref": "$ref", "enterprise": ENTERPRISE_USER.id}.get(field) or to_camel(field)


class _Face(BaseModel):
    # Errors do not show the input: a password may be part of it.
    model_config = ConfigDict(
        frozen=True, extra="allow", alias_generator=_name, populate_by_name=True, hide_input_in_errors=True
    )


class _ResourceFace(_Face):
    """What every resource has (RFC 7643 §3.1)."""

    id: str | None = None
    external_id: str | None = None

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """The face of *document*.

        Raises:
            pydantic.ValidationError: It is no document of this resource type.
        """
        return cls.model_validate(document)

    def to_document(self) -> dict[str, Json]:
        """The document in canonical form: names as the schema spells them, unassigned attributes left out."""
        document: dict[str, Json] = self.model_dump(mode="json", by_alias=True)
        return {name: value for name, whole in document.items() if not is_unassigned(value := _assigned(whole))}


def _assigned(value: Json) -> Json:
    """*value* without the unassigned values inside it."""
    if isinstance(value, dict):
        return {name: kept for name, inner in value.items() if not is_unassigned(kept := _assigned(inner))}
    if isinstance(value, list):
        return [kept for inner in value if not is_unassigned(kept := _assigned(inner))]
    return value


class Name(_Face):
    """The parts of a person's name (RFC 7643 §4.1.1)."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    honorific_prefix: str | None = None
    honorific_suffix: str | None = None


class Element(_Face):
    """One of the e-mail addresses, phone numbers, roles … of a person (RFC 7643 §2.4)."""

    value: str | None = None
    display: str | None = None
    type: str | None = None
    primary: bool | None = None


class Address(_Face):
    """A postal address (RFC 7643 §4.1.2)."""

    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    type: str | None = None
    primary: bool | None = None


class Link(_Face):
    """A group that a user belongs to, or a member of a group: `value` is its id (RFC 7643 §4.1.2, §4.2)."""

    value: str | None = None
    ref: str | None = None
    display: str | None = None
    type: str | None = None


class Manager(_Face):
    """The manager of a person: `value` is the id of a user (RFC 7643 §4.3)."""

    value: str | None = None
    ref: str | None = None
    display_name: str | None = None


class EnterpriseUser(_Face):
    """What an organization knows about a person (RFC 7643 §4.3)."""

    employee_number: str | None = None
    cost_center: str | None = None
    organization: str | None = None
    division: str | None = None
    department: str | None = None
    manager: Manager | None = None


class User(_ResourceFace):
    """A person's account (RFC 7643 §4.1), with its enterprise extension.

    >>> user = User.from_document({"id": "7", "userName": "bjensen", "name": {"givenName": "Barbara"}})
    >>> user.name.given_name if user.name else None
    'Barbara'
    >>> user.model_copy(update={"name": None, "active": False}).to_document()
    {'id': '7', 'userName': 'bjensen', 'active': False}
    """

    user_name: str
    name: Name | None = None
    display_name: str | None = None
    nick_name: str | None = None
    profile_url: str | None = None
    title: str | None = None
    user_type: str | None = None
    preferred_language: str | None = None
    locale: str | None = None
    timezone: str | None = None
    active: bool | None = None
    password: str | None = Field(default=None, repr=False)
    emails: tuple[Element, ...] = ()
    phone_numbers: tuple[Element, ...] = ()
    ims: tuple[Element, ...] = ()
    photos: tuple[Element, ...] = ()
    addresses: tuple[Address, ...] = ()
    groups: tuple[Link, ...] = ()
    entitlements: tuple[Element, ...] = ()
    roles: tuple[Element, ...] = ()
    x509_certificates: tuple[Element, ...] = ()
    enterprise: EnterpriseUser | None = None


class Group(_ResourceFace):
    """A set of users and groups (RFC 7643 §4.2).

    >>> Group(display_name="Staff", members=(Link(value="7", type="User"),)).to_document()
    {'displayName': 'Staff', 'members': [{'value': '7', 'type': 'User'}]}
    """

    display_name: str
    members: tuple[Link, ...] = ()
