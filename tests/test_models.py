"""The typed faces say what the schemas say, and carry a document there and back."""

from types import MappingProxyType, NoneType, UnionType
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from scimcore.models import Element, EnterpriseUser, Group, Link, Name, User
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.document import Document
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

PYTHON_TYPES = {Type.BOOLEAN: bool, Type.STRING: str, Type.REFERENCE: str, Type.BINARY: str}

DOCUMENT: Document = {
    "id": "7",
    "externalId": "e7",
    "userName": "bjensen",
    "name": {"givenName": "Barbara", "familyName": "Jensen"},
    "active": False,
    "emails": [{"value": "b@example.com", "type": "work", "primary": True}, {"value": "b@example.org"}],
    "groups": [{"value": "g1", "$ref": "https://example.com/Groups/g1", "display": "Staff", "type": "direct"}],
    "x509Certificates": [{"value": "MIIB"}],
    ENTERPRISE_USER.id: {"employeeNumber": "701984", "manager": {"value": "8", "$ref": "../Users/8"}},
    "urn:example:extra": {"badge": [1, 2]},
}


def checked(face: type[BaseModel], attributes: dict[str, Attribute], path: str) -> list[str]:
    """Where *face* and *attributes* differ."""
    fields = {field.alias: field for field in face.model_fields.values()}
    found = [f"{path}{name}" for name in fields.keys() ^ attributes.keys()]
    for name, attribute in attributes.items():
        field = fields.get(name)
        if field is None:
            continue
        kind: object = field.annotation
        if isinstance(kind, UnionType):
            (kind,) = (one for one in get_args(kind) if one is not NoneType)
        is_list = get_origin(kind) is tuple
        if is_list:
            kind = get_args(kind)[0]
        if is_list != attribute.multi_valued or field.is_required() != attribute.required:
            found.append(f"{path}{name}")
        if not attribute.is_complex:
            found += [] if kind is PYTHON_TYPES[attribute.type] else [f"{path}{name}"]
        else:
            assert isinstance(kind, type)
            assert issubclass(kind, BaseModel)
            found += checked(kind, {sub.name: sub for sub in attribute.sub_attributes}, f"{path}{name}.")
    return found


@pytest.mark.parametrize(
    ("face", "attributes"),
    [
        (User, {name: found for name, found in USER.attributes.items() if name not in ("schemas", "meta")}),
        (Group, {name: found for name, found in GROUP.attributes.items() if name not in ("schemas", "meta")}),
        (EnterpriseUser, {attribute.name: attribute for attribute in ENTERPRISE_USER.attributes}),
    ],
)
def test_a_face_has_the_attributes_of_the_schema(face: type[BaseModel], attributes: dict[str, Attribute]) -> None:
    assert checked(face, attributes, "") == []


def test_a_document_goes_there_and_back_unchanged() -> None:
    assert User.from_document(DOCUMENT).to_document() == DOCUMENT


def test_a_document_of_any_mapping_is_read() -> None:
    assert User.from_document(MappingProxyType(dict(DOCUMENT))) == User.from_document(DOCUMENT)


def test_a_face_names_what_the_document_holds() -> None:
    user = User.from_document(DOCUMENT)
    assert user.name == Name(given_name="Barbara", family_name="Jensen")
    assert user.emails[1] == Element(value="b@example.org")
    assert user.groups[0].ref == "https://example.com/Groups/g1"
    assert user.x509_certificates[0].value == "MIIB"
    assert user.enterprise is not None
    assert user.enterprise.manager is not None
    assert user.enterprise.manager.value == "8"


def test_what_is_unassigned_is_left_out_of_the_document() -> None:
    user = User(user_name="bjensen", name=Name(), emails=(Element(), Element(value="b")), enterprise=EnterpriseUser())
    assert user.to_document() == {"userName": "bjensen", "emails": [{"value": "b"}]}


def test_a_group_is_made_by_field_names() -> None:
    group = Group(id="g1", display_name="Staff", members=(Link(value="7", ref="../Users/7", type="User"),))
    assert group.to_document() == {
        "id": "g1",
        "displayName": "Staff",
        "members": [{"value": "7", "$ref": "../Users/7", "type": "User"}],
    }


def test_a_document_of_another_resource_type_is_refused_without_showing_it() -> None:
    with pytest.raises(ValidationError) as refusal:
        User.from_document({"displayName": "Staff", "password": "hunter2"})
    assert "userName" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_a_password_is_not_shown() -> None:
    user = User(user_name="bjensen", password="hunter2")
    assert "hunter2" not in repr(user)
    assert user.to_document()["password"] == "hunter2"
