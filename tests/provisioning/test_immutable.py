"""Attributes that never change again."""

from typing import Final, Literal

import attrs
import pytest
from tests.engine.conftest import Maker
from tests.provisioning.connections import ACME, NOW, Client, client_of, keep, record_of

from scimcore.provisioning import Connection
from scimcore.provisioning.immutable import ImmutableAttributes
from scimcore.provisioning.provenance import PROVISIONED_USER, PROVISIONING_URN
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import Extension, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import ENTERPRISE_USER, USER

URN: Final = ENTERPRISE_USER.id
WORK: Final[Document] = {"value": "a@example.com", "type": "work", "primary": True}
HOME: Final[Document] = {"value": "a@home.example", "type": "home"}
LINKED: Final[Json] = {
    "managedBy": "onelogin",
    "connections": [{"value": "onelogin", "since": NOW, "active": True}],
}


def onelogin_of(
    make_face: Maker, *paths: str, after: Literal["provisioned", "created"] = "provisioned", linked: bool = True
) -> Client:
    client = client_of(make_face, ImmutableAttributes(paths, after))
    facts: Document = {PROVISIONING_URN: LINKED} if linked else {}
    values: Document = {"userName": "A@example.com", "emails": [WORK, HOME], URN: {"department": "D"}, **facts}
    keep(client.face.storage, record_of(PROVISIONED_USER, "u1", **values))
    return client


PATHS: Final = ("emails", "userName", f"{URN}:department", "name.familyName")


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ({"op": "replace", "path": "emails", "value": [{**WORK, "value": "b@example.com"}]}, "emails"),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "b@example.com"}, "emails"),
        ({"op": "replace", "path": "emails.display", "value": "A"}, "emails"),
        ({"op": "add", "path": "emails", "value": [{"value": "c@example.com", "type": "other"}]}, "emails"),
        ({"op": "remove", "path": "emails"}, "emails"),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "emails"),
        ({"op": "replace", "path": "userName", "value": "b@example.com"}, "userName"),
        ({"op": "replace", "value": {"userName": "b@example.com"}}, "userName"),
        ({"op": "replace", "path": f"{URN}:department", "value": "E"}, f"{URN}:department"),
        ({"op": "remove", "path": URN}, f"{URN}:department"),
    ],
)
def test_a_patch_that_changes_one_is_refused(make_face: Maker, operation: Json, path: str) -> None:
    onelogin = onelogin_of(make_face, *PATHS)
    answer = onelogin.patch("/Users/u1", operation)
    assert path in onelogin.face.refused(answer, 400, "mutability")
    assert [record.version for record in onelogin.face.stored()] == [1]


@pytest.mark.parametrize(
    "body",
    [
        {"userName": "b@example.com", "emails": [WORK, HOME], URN: {"department": "D"}},
        {"userName": "a@example.com", "emails": [WORK], URN: {"department": "D"}},
        {"userName": "a@example.com", URN: {"department": "D"}},
        {"userName": "a@example.com", "emails": [WORK, HOME]},
    ],
)
def test_a_put_that_changes_or_leaves_out_one_is_refused(make_face: Maker, body: Json) -> None:
    onelogin = onelogin_of(make_face, *PATHS)
    onelogin.face.refused(onelogin.send("PUT", "/Users/u1", body), 400, "mutability")


def test_the_same_again_changes_nothing_whatever_its_case_and_order(make_face: Maker) -> None:
    onelogin = onelogin_of(make_face, *PATHS)
    same = [HOME, {**WORK, "value": "A@EXAMPLE.com"}]
    answer = onelogin.set("/Users/u1", userName="a@example.com", emails=same, title="T")
    assert answer.status == 200
    assert (answer.body["userName"], answer.body["emails"]) == ("A@example.com", [WORK, HOME])
    assert answer.body["title"] == "T"


def test_one_without_a_value_may_get_one_and_then_keeps_it(make_face: Maker) -> None:
    onelogin = onelogin_of(make_face, *PATHS)
    assert onelogin.set("/Users/u1", **{"name.familyName": "Doe"}).status == 200
    onelogin.face.refused(onelogin.set("/Users/u1", **{"name.familyName": "Roe"}), 400, "mutability")


@pytest.mark.parametrize(
    ("path", "operation", "status"),
    [
        ("emails.value", {"op": "replace", "path": "emails.display", "value": "A"}, 200),
        ("emails.value", {"op": "remove", "path": 'emails[type eq "home"]'}, 400),
        ('emails[type eq "work"].value', {"op": "remove", "path": 'emails[type eq "home"]'}, 200),
        ('emails[type eq "work"].value', {"op": "remove", "path": 'emails[type eq "work"]'}, 400),
        ('emails[type eq "work"]', {"op": "replace", "path": 'emails[type eq "work"].display', "value": "A"}, 400),
    ],
)
def test_a_part_of_a_list_can_be_immutable(make_face: Maker, path: str, operation: Json, status: int) -> None:
    onelogin = onelogin_of(make_face, path)
    assert onelogin.patch("/Users/u1", operation).status == status


@pytest.mark.parametrize(
    ("after", "linked", "status"),
    [("provisioned", True, 400), ("provisioned", False, 200), ("created", False, 400)],
)
def test_from_when_on_is_a_setting(
    make_face: Maker, after: Literal["provisioned", "created"], linked: bool, status: int
) -> None:
    onelogin = onelogin_of(make_face, "emails", after=after, linked=linked)
    assert onelogin.patch("/Users/u1", {"op": "remove", "path": "emails"}).status == status


def test_an_account_may_still_be_created_and_deleted(make_face: Maker) -> None:
    onelogin = client_of(make_face, ImmutableAttributes(("emails",), "created"))
    id = onelogin.created("/Users", userName="a", emails=[WORK])
    assert onelogin.send("DELETE", f"/Users/{id}").status == 204


def test_a_whole_extension_can_be_immutable_in_a_type_that_does_not_tell_where_resources_come_from(
    make_face: Maker,
) -> None:
    urn = "urn:example:params:scim:schemas:extension:Skills"
    skills = Schema(id=urn, name="Skills", attributes=(Attribute(name="skills", multi_valued=True),))
    staff = attrs.evolve(USER, extensions=(*USER.extensions, Extension(skills)))
    connection = Connection(name="", tenant=ACME, policies=(ImmutableAttributes((urn,)),))
    face = make_face(resource_types=(staff,), connections=[connection])
    skilled: dict[str, object] = {urn: {"skills": ["a", "b"]}}
    id = face.user("bjensen", **skilled)
    again = face.patch(f"/Users/{id}", {"op": "replace", "value": {urn: {"skills": ["B", "A"]}}})
    assert (again.status, again.body[urn]) == (200, {"skills": ["a", "b"]})
    changed = face.patch(f"/Users/{id}", {"op": "add", "path": f"{urn}:skills", "value": ["c"]})
    face.refused(changed, 400, "mutability")


def test_other_resource_types_are_let_alone(make_face: Maker) -> None:
    onelogin = client_of(make_face, ImmutableAttributes(("emails", "displayName"), "created"))
    id = onelogin.created("/Groups", displayName="A")
    assert onelogin.set(f"/Groups/{id}", displayName="B").status == 200


def test_a_path_that_is_none_is_a_fault_of_the_configuration(make_face: Maker) -> None:
    onelogin = onelogin_of(make_face, "nosuch")
    assert onelogin.set("/Users/u1", title="T").status == 500
    (bug,) = onelogin.face.bugs
    assert "nosuch" in str(bug)
    onelogin.face.bugs.clear()
