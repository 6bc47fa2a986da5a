"""Which attributes a response shows (RFC 7643 §7 "returned", RFC 7644 §3.9)."""

from copy import deepcopy
from typing import Final

import pytest

from scimcore.errors import InvalidValueError
from scimcore.rules.project import projected, projection, requested_only
from scimcore.schema.attribute import Attribute, Returned, Type
from scimcore.schema.catalogue import Extension, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

URN: Final = ENTERPRISE_USER.id
USER_URN: Final = USER.schema.id
RESOURCE: Final[Document] = {
    "schemas": [USER_URN, URN],
    "id": "1",
    "externalId": "e",
    "userName": "bj",
    "password": "secret",
    "active": False,
    "name": {"givenName": "B", "familyName": "J"},
    "emails": [{"value": "b@x", "type": "work", "primary": True}, {"type": "home"}],
    URN: {"department": "D", "manager": {"value": "2", "displayName": "M"}},
    "meta": {"resourceType": "User", "version": 'W/"1"', "location": "https://h/Users/1"},
}

LEVELS: Final = tuple(
    Attribute(name=level.value, returned=level)
    for level in (Returned.ALWAYS, Returned.DEFAULT, Returned.REQUEST, Returned.NEVER)
)
ITEM_URN: Final = "urn:example:params:scim:schemas:extension:Item"
ITEM: Final = ResourceType(
    name="Item",
    endpoint="/Items",
    schema=Schema(
        id="urn:example:params:scim:schemas:Item",
        name="Item",
        attributes=(
            *LEVELS,
            Attribute(name="whole", type=Type.COMPLEX, sub_attributes=LEVELS),
            Attribute(name="parts", type=Type.COMPLEX, multi_valued=True, sub_attributes=LEVELS),
            Attribute(name="asked", type=Type.COMPLEX, returned=Returned.REQUEST, sub_attributes=LEVELS),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id=ITEM_URN,
                name="Item",
                attributes=(*LEVELS, Attribute(name="whole", type=Type.COMPLEX, sub_attributes=LEVELS)),
            )
        ),
    ),
)
ALL: Final[Document] = {"always": "a", "default": "d", "request": "r", "never": "n"}
FULL: Final[Document] = {
    "schemas": [ITEM.schema.id, ITEM_URN],
    "id": "1",
    **ALL,
    "whole": ALL,
    "parts": [ALL, {"never": "n"}],
    "asked": ALL,
    ITEM_URN: {**ALL, "whole": ALL},
    "meta": {"resourceType": "Item"},
}
USUAL: Final[Document] = {"always": "a", "default": "d"}
LEAST: Final[Document] = {"schemas": FULL["schemas"], "id": "1", "always": "a", ITEM_URN: {"always": "a"}}


def show(
    resource: Document,
    resource_type: ResourceType = USER,
    attributes: tuple[str, ...] = (),
    excluded: tuple[str, ...] = (),
) -> Document:
    before = deepcopy(resource)
    result = projected(resource, projection(resource_type, attributes, excluded))
    assert resource == before
    return result


def only(*names: str) -> dict[str, Json]:
    return {name: RESOURCE[name] for name in ("schemas", "id", *names)}


@pytest.mark.rfc("S-7-12", "S-4.1.1-11")
def test_everything_but_the_password_is_shown() -> None:
    assert show(RESOURCE) == {name: value for name, value in RESOURCE.items() if name != "password"}


def test_a_resource_without_anything_to_hide_is_shown_as_it_is() -> None:
    resource: Document = {"schemas": [USER_URN], "id": "1", "userName": "bj"}
    assert show(resource) is resource


@pytest.mark.rfc("P-3.9-01", "S-3-01", "S-3.1-04", "S-7-13")
@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        pytest.param(("userName",), only("userName"), id="one"),
        pytest.param(("active",), only("active"), id="false"),
        pytest.param(("emails", "name"), only("emails", "name"), id="two"),
        pytest.param(("name.givenName",), {**only(), "name": {"givenName": "B"}}, id="a sub-attribute"),
        pytest.param(("name.givenName", "name"), only("name"), id="a sub-attribute and all of it"),
        pytest.param(("name", "name.givenName"), only("name"), id="all of it and a sub-attribute"),
        pytest.param(("emails.value",), {**only(), "emails": [{"value": "b@x"}]}, id="in elements that have it"),
        pytest.param(("emails.display",), only(), id="in no element"),
        pytest.param(('emails[type eq "work"]',), only("emails"), id="a value filter is passed over"),
        pytest.param(("meta.version",), {**only(), "meta": {"version": 'W/"1"'}}, id="part of meta"),
        pytest.param(("nickName",), only(), id="unassigned"),
        pytest.param(("nope", "name.nope", ""), only(), marks=pytest.mark.rfc("P-3.9-06"), id="unknown"),
        pytest.param(("password",), only(), marks=pytest.mark.rfc("S-7-12", "S-4.1.1-11"), id="never"),
        pytest.param((" USERNAME ", "NAME.GIVENNAME"), {**only("userName"), "name": {"givenName": "B"}}, id="any case"),
        pytest.param((USER_URN.upper() + ":emails",), only("emails"), marks=pytest.mark.rfc("P-3.9-05"), id="by URN"),
        pytest.param((URN,), only(URN), marks=pytest.mark.rfc("P-3.9-06"), id="an extension"),
        pytest.param((f"{URN}:department",), {**only(), URN: {"department": "D"}}, id="part of an extension"),
        pytest.param(
            (f"{URN}:manager.value", f"{URN}:department"),
            {**only(), URN: {"department": "D", "manager": {"value": "2"}}},
            id="deep in an extension",
        ),
    ],
)
def test_attributes_name_what_is_shown_besides_what_always_is(attributes: tuple[str, ...], shown: Document) -> None:
    assert show(RESOURCE, attributes=attributes) == shown


@pytest.mark.parametrize(
    ("excluded", "hidden"),
    [
        pytest.param(("userName", "meta"), ("userName", "meta"), marks=pytest.mark.rfc("P-3.9-02", "S-7-13")),
        pytest.param(("id", "schemas"), (), marks=pytest.mark.rfc("S-7-11", "S-3.1-09", "S-3-01")),
        pytest.param(("nope", " EMAILS "), ("emails",), marks=pytest.mark.rfc("P-3.9-05", "P-3.9-06")),
        pytest.param((URN,), (URN,), marks=pytest.mark.rfc("P-3.9-06")),
        pytest.param((f"{URN}:department", f"{URN}:manager"), (URN,), id="all of an extension, part by part"),
    ],
)
def test_excluded_attributes_are_hidden_unless_they_are_always_shown(
    excluded: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    expected = {name: value for name, value in RESOURCE.items() if name not in (*hidden, "password")}
    assert show(RESOURCE, excluded=excluded) == expected


@pytest.mark.parametrize(
    ("excluded", "name", "left"),
    [
        pytest.param("meta.version", "meta", {"resourceType": "User", "location": "https://h/Users/1"}, id="meta"),
        pytest.param("name.givenName", "name", {"familyName": "J"}, id="complex"),
        pytest.param("emails.type", "emails", [{"value": "b@x", "primary": True}], id="elements left empty vanish"),
        pytest.param(f"{URN}:manager.displayName", URN, {"department": "D", "manager": {"value": "2"}}, id="extension"),
    ],
)
@pytest.mark.rfc("P-3.9-02", "S-3.1-15")
def test_a_part_can_be_excluded(excluded: str, name: str, left: Json) -> None:
    assert show(RESOURCE, excluded=(excluded,))[name] == left


@pytest.mark.rfc("P-3.9-02")
def test_a_group_can_be_shown_without_its_members() -> None:
    group: Document = {"schemas": [GROUP.schema.id], "id": "g", "displayName": "G", "members": [{"value": "1"}]}
    assert "members" not in show(group, GROUP, excluded=("members",))
    assert not projection(GROUP, excluded=("members",)).shows("members")
    assert not projection(GROUP, attributes=("displayName",)).shows("members")
    assert projection(GROUP, attributes=("members.value",)).shows("members")
    assert projection(GROUP, excluded=("members.display",)).shows("members")
    assert projection(GROUP).shows("members")


@pytest.mark.rfc("P-3.9-03")
def test_attributes_and_excluded_attributes_exclude_one_another() -> None:
    with pytest.raises(InvalidValueError):
        projection(USER, ("userName",), ("name",))


# The four levels of "returned", on attributes, sub-attributes, elements and in extensions


@pytest.mark.rfc("S-7-11", "S-7-12", "S-7-13", "S-7-14")
@pytest.mark.parametrize(
    ("attributes", "excluded", "shown"),
    [
        pytest.param(
            (),
            (),
            {
                **LEAST,
                **USUAL,
                "whole": USUAL,
                "parts": [USUAL],
                ITEM_URN: {**USUAL, "whole": USUAL},
                "meta": {"resourceType": "Item"},
            },
            id="the usual",
        ),
        pytest.param(("meta",), (), {**LEAST, "meta": {"resourceType": "Item"}}, id="something else"),
        pytest.param(("request", "never"), (), {**LEAST, "request": "r"}, id="on request"),
        pytest.param(("whole",), (), {**LEAST, "whole": USUAL}, id="complex"),
        pytest.param(("whole.request",), (), {**LEAST, "whole": {"always": "a", "request": "r"}}, id="sub"),
        pytest.param(("whole.request", "whole"), (), {**LEAST, "whole": {**USUAL, "request": "r"}}, id="sub, all"),
        pytest.param(("whole", "whole.request"), (), {**LEAST, "whole": {**USUAL, "request": "r"}}, id="all, sub"),
        pytest.param(("whole.never",), (), LEAST, id="never a sub"),
        pytest.param(("parts",), (), {**LEAST, "parts": [USUAL]}, id="elements"),
        pytest.param(("parts.default",), (), {**LEAST, "parts": [USUAL]}, id="a part of elements"),
        pytest.param(("asked",), (), {**LEAST, "asked": USUAL}, id="complex on request"),
        pytest.param((ITEM_URN,), (), {**LEAST, ITEM_URN: {**USUAL, "whole": USUAL}}, id="extension"),
        pytest.param(
            (f"{ITEM_URN}:request",), (), {**LEAST, ITEM_URN: {"always": "a", "request": "r"}}, id="in an extension"
        ),
        pytest.param(
            (f"{ITEM_URN}:whole",), (), {**LEAST, ITEM_URN: {"always": "a", "whole": USUAL}}, id="complex in extension"
        ),
        pytest.param(
            (),
            ("always", "default", "whole", "parts", "meta", f"{ITEM_URN}:always", f"{ITEM_URN}:default"),
            {**LEAST, ITEM_URN: {"always": "a", "whole": USUAL}},
            id="excluded",
        ),
        pytest.param((), ("default", "whole", "parts", "meta", ITEM_URN), LEAST, id="excluded extension"),
        pytest.param(
            (),
            ("default", "whole.default", "whole.always", "parts.default", "meta", f"{ITEM_URN}:whole.default"),
            {
                **LEAST,
                "whole": {"always": "a"},
                "parts": [{"always": "a"}],
                ITEM_URN: {**USUAL, "whole": {"always": "a"}},
            },
            id="excluded parts",
        ),
    ],
)
def test_returned_says_when_an_attribute_is_shown(
    attributes: tuple[str, ...], excluded: tuple[str, ...], shown: Document
) -> None:
    assert show(FULL, ITEM, attributes, excluded) == shown


@pytest.mark.rfc("S-7-14")
def test_what_is_shown_on_request_is_shown_to_those_who_wrote_it() -> None:
    result = projected(FULL, projection(ITEM), also=("request", "asked"))
    assert result["request"] == "r"
    assert result == {**show(FULL, ITEM), "request": "r", "asked": {"always": "a", "default": "d", "request": "r"}}


def test_what_was_not_stored_is_not_shown_to_those_who_wrote_it() -> None:
    assert projected({"id": "1"}, projection(ITEM), also=("request",)) == {"id": "1"}


@pytest.mark.rfc("S-7-14")
def test_the_attributes_that_are_shown_on_request_only_are_known() -> None:
    assert requested_only(ITEM) == {"request", "asked"}
    assert requested_only(USER) == frozenset()


def test_an_equal_choice_is_made_once() -> None:
    assert projection(USER, ("userName",)) is projection(USER, ("userName",))
