"""Sorting by type, by caseExact, resources without a value last (RFC 7644 §3.4.2.3)."""

from typing import Final

import attrs
import pytest

from scimcore.errors import InvalidPathError
from scimcore.rules.order import ordered, sort_place
from scimcore.schema.attribute import Attribute, Returned, Type
from scimcore.schema.catalogue import Place, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import ENTERPRISE_USER, USER

URN: Final = ENTERPRISE_USER.id
THING: Final = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:example:params:scim:schemas:Thing",
        name="Thing",
        attributes=(
            Attribute(name="code", case_exact=True),
            Attribute(name="size", type=Type.INTEGER),
            Attribute(name="price", type=Type.DECIMAL),
            Attribute(name="made", type=Type.DATE_TIME),
            Attribute(name="open", type=Type.BOOLEAN),
            Attribute(name="tags", multi_valued=True),
            Attribute(
                name="secret",
                type=Type.COMPLEX,
                sub_attributes=(Attribute(name="value", returned=Returned.NEVER), Attribute(name="hint")),
            ),
        ),
    ),
)


@attrs.frozen
class By:
    place: Place
    descending: bool = False


def by(name: str, resource_type: ResourceType = USER, *, descending: bool = False) -> By:
    place = sort_place(name, resource_type)
    assert place is not None
    return By(place, descending)


def itself(document: Document) -> Document:
    return document


def ids(documents: list[Document], ordering: By) -> list[Json]:
    """The ids of *documents* in order; each has its position as id unless it has one."""
    numbered = [{"id": str(position), **document} for position, document in enumerate(documents)]
    return [document["id"] for document in ordered(numbered, itself, ordering)]


@pytest.mark.rfc("P-3.4.2.3-02", "P-3.4.2.3-07")
@pytest.mark.parametrize(
    ("name", "values", "order"),
    [
        ("displayName", ["c", "B", "a"], ["2", "1", "0"]),
        ("code", ["a", "B", "c"], ["1", "0", "2"]),
        ("size", [10, 9, -1], ["2", "1", "0"]),
        ("price", [1.5, 1, 0.25], ["2", "1", "0"]),
        ("made", ["2020-01-01T00:00:00Z", "2020-01-01T00:30:00+01:00", "2019-12-31T23:00:00.5Z"], ["2", "1", "0"]),
        ("open", [True, False, True], ["1", "0", "2"]),
        ("tags", [["b", "a"], ["a", "z"]], ["1", "0"]),
    ],
)
def test_values_are_ordered_by_their_type(name: str, values: list[Json], order: list[str]) -> None:
    resource_type = USER if name == "displayName" else THING
    documents: list[Document] = [{name: value} for value in values]
    assert ids(documents, by(name, resource_type)) == order


@pytest.mark.rfc("P-3.4.2.3-05")
@pytest.mark.parametrize(("descending", "order"), [(False, ["2", "0", "1", "3"]), (True, ["1", "3", "0", "2"])])
def test_resources_without_a_value_come_last_and_when_descending_first(descending: bool, order: list[str]) -> None:
    documents: list[Document] = [{"title": "b"}, {}, {"title": "a"}, {"name": {"givenName": "G"}}]
    assert ids(documents, by("title", descending=descending)) == order


@pytest.mark.rfc("P-3.4.2.3-08")
@pytest.mark.parametrize("descending", [False, True])
def test_equal_values_keep_their_order(descending: bool) -> None:
    documents: list[Document] = [{"title": "a"}, {"title": "A"}, {"title": "\uff41"}]
    assert ids(documents, by("title", descending=descending)) == ["0", "1", "2"]


@pytest.mark.rfc("P-3.4.2.3-03")
@pytest.mark.parametrize("name", ["emails", "emails.value"])
def test_a_list_is_ordered_by_its_primary_element_else_its_first(name: str) -> None:
    documents: list[Document] = [
        {"emails": [{"value": "a"}, {"value": "c", "primary": True}]},
        {"emails": [{"value": "b"}, {"value": "z", "primary": False}]},
        {"emails": [{"value": "a"}, {"display": "none", "primary": True}]},
    ]
    assert ids(documents, by(name)) == ["1", "0", "2"]


def test_a_value_inside_an_extension_orders() -> None:
    documents: list[Document] = [{URN: {"manager": {"value": "b"}}}, {URN: {"manager": {"value": "a"}}}, {}]
    assert ids(documents, by(f"{URN}:manager")) == ["1", "0", "2"]
    assert ids(documents, by(f"{URN}:manager.value")) == ["1", "0", "2"]


@pytest.mark.rfc("P-3.4.2.3-04", "P-3.4.2.3-09")
@pytest.mark.parametrize(
    ("sort_by", "place"),
    [
        ("userName", "userName"),
        ("USERNAME", "userName"),
        (f"{USER.schema.id.upper()}:username", "userName"),
        ("name.givenName", "name.givenName"),
        ("emails", "emails.value"),
        ("emails.type", "emails.type"),
        ("meta.lastModified", "meta.lastModified"),
        (f"{URN}:department", f"{URN}:department"),
        (f"{URN}:manager", f"{URN}:manager.value"),
        ("groups", "groups.value"),
        ("nope", "None"),
        ("name.nope", "None"),
        ("", "None"),
    ],
)
def test_the_attribute_to_sort_by_is_found(sort_by: str, place: str) -> None:
    assert str(sort_place(sort_by, USER)) == place


@pytest.mark.rfc("P-3.4.2.3-04")
@pytest.mark.parametrize("sort_by", ["name", "NAME", "meta", "addresses", URN])
def test_a_complex_attribute_without_a_value_has_no_order(sort_by: str) -> None:
    with pytest.raises(InvalidPathError):
        sort_place(sort_by, USER)


@pytest.mark.parametrize(("resource_type", "sort_by"), [(USER, "password"), (THING, "secret"), (THING, "secret.value")])
def test_what_is_never_shown_does_not_order_either(resource_type: ResourceType, sort_by: str) -> None:
    with pytest.raises(InvalidPathError):
        sort_place(sort_by, resource_type)


def test_items_are_ordered_by_the_documents_they_have() -> None:
    items = [("x", {"title": "b"}), ("y", {"title": "a"})]

    def document_of(item: tuple[str, dict[str, str]]) -> Document:
        return item[1]

    assert ordered(iter(items), document_of, by("title")) == [items[1], items[0]]
