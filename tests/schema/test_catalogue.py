"""Names and URNs, resolved once and in any case (RFC 7643 §2.1, §6; RFC 7644 §3.10), and what is no schema."""

import pytest

from scimcore.schema.attribute import Attribute, Mutability, Returned, Type
from scimcore.schema.catalogue import SCHEMA_URN, Catalogue, Extension, ResourceType, Schema, schemas_of
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, SCHEMA_SCHEMA, USER, USER_SCHEMA

CORE = USER_SCHEMA.id
ENTERPRISE = ENTERPRISE_USER.id


def complex_attribute(name: str, *sub_attributes: Attribute) -> Attribute:
    return Attribute(name=name, type=Type.COMPLEX, sub_attributes=sub_attributes)


def schema(*attributes: Attribute, urn: str = "urn:example:thing") -> Schema:
    return Schema(id=urn, name="Thing", attributes=attributes)


# Places


@pytest.mark.rfc("P-3.10-01", "P-3.10-02", "S-2.1-02", "S-3.3-05")
@pytest.mark.parametrize(
    ("notation", "place"),
    [
        ("userName", "userName"),
        ("USERNAME", "userName"),
        ("id", "id"),
        ("externalid", "externalId"),
        ("schemas", "schemas"),
        ("Meta.LastModified", "meta.lastModified"),
        ("name.givenName", "name.givenName"),
        ("NAME.GIVENNAME", "name.givenName"),
        ("emails.value", "emails.value"),
        ("groups.$ref", "groups.$ref"),
        (f"{CORE}:userName", "userName"),
        (f"{CORE}:name.familyName", "name.familyName"),
        (f"{CORE.upper()}:NAME.familyname", "name.familyName"),
        (f"{CORE}:id", "id"),
        (ENTERPRISE, ENTERPRISE),
        (ENTERPRISE.upper(), ENTERPRISE),
        (f"{ENTERPRISE}:department", f"{ENTERPRISE}:department"),
        (f"{ENTERPRISE.lower()}:DEPARTMENT", f"{ENTERPRISE}:department"),
        (f"{ENTERPRISE}:manager.value", f"{ENTERPRISE}:manager.value"),
        (f"{ENTERPRISE}:manager.$ref", f"{ENTERPRISE}:manager.$ref"),
        # Entra writes a dot after the URN.
        (f"{ENTERPRISE}.manager", f"{ENTERPRISE}:manager"),
        (f"{ENTERPRISE}.Manager.displayname", f"{ENTERPRISE}:manager.displayName"),
        # Microsoft's documentation shows the attribute of the extension alone.
        ("manager", f"{ENTERPRISE}:manager"),
        ("Manager.Value", f"{ENTERPRISE}:manager.value"),
        ("employeenumber", f"{ENTERPRISE}:employeeNumber"),
    ],
)
def test_a_name_in_attribute_notation_is_a_place(notation: str, place: str) -> None:
    assert str(USER.place(notation)) == place


@pytest.mark.parametrize(
    "notation",
    [
        "",
        ".",
        ":",
        "nope",
        "nope.value",
        "name.nope",
        "name.",
        ".givenName",
        "name..givenName",
        "name.givenName.x",
        "userName.value",
        "emails[0]",
        " userName",
        CORE,
        f"{CORE}:",
        f"{CORE}:nope",
        f"{CORE}.userName",
        f"{CORE}:department",
        f"{ENTERPRISE}:",
        f"{ENTERPRISE}:nope",
        f"{ENTERPRISE}:userName",
        f"{ENTERPRISE}:manager.nope",
        f"{ENTERPRISE}x:department",
        "urn:example:unknown:department",
    ],
)
def test_a_name_that_means_nothing_has_no_place(notation: str) -> None:
    assert USER.place(notation) is None


def test_a_place_tells_container_attribute_and_sub_attribute_apart() -> None:
    place = USER.place("manager.value")
    assert place is not None
    assert place.container is USER.containers[ENTERPRISE]
    assert (place.attribute.name, place.sub and place.sub.name, place.leaf.name) == ("manager", "value", "value")


def test_the_leaf_of_a_place_without_sub_attribute_is_the_attribute() -> None:
    place = USER.place("emails")
    assert place is not None
    assert (place.container, place.sub, place.leaf) == (None, None, place.attribute)


def test_an_extension_has_its_attributes_by_bare_name_only_where_the_type_has_none() -> None:
    extended = ResourceType(
        name="Thing",
        endpoint="/Things",
        schema=schema(Attribute(name="size")),
        extensions=(Extension(schema(Attribute(name="Size"), urn="urn:example:extra")),),
    )
    assert str(extended.place("size")) == "size"
    assert str(extended.place("urn:example:extra:size")) == "urn:example:extra:Size"


def test_a_bare_name_that_two_extensions_have_means_nothing() -> None:
    ambiguous = ResourceType(
        name="Thing",
        endpoint="/Things",
        schema=schema(),
        extensions=tuple(Extension(schema(Attribute(name="size"), urn=f"urn:example:{n}")) for n in (1, 2)),
    )
    assert ambiguous.place("size") is None
    assert str(ambiguous.place("urn:example:2:size")) == "urn:example:2:size"


@pytest.mark.parametrize("urns", [("urn:example:a", "urn:example:a:b"), ("urn:example:a:b", "urn:example:a")])
def test_an_urn_that_starts_with_another_urn_is_told_apart(urns: tuple[str, str]) -> None:
    nested = ResourceType(
        name="Thing",
        endpoint="/Things",
        schema=schema(),
        extensions=tuple(Extension(schema(Attribute(name="size"), urn=urn)) for urn in urns),
    )
    assert str(nested.place("urn:example:a:b:size")) == "urn:example:a:b:size"
    assert str(nested.place("urn:example:a:size")) == "urn:example:a:size"


def test_the_attributes_of_an_extension_are_no_places_of_another_resource_type() -> None:
    assert GROUP.place("manager") is None
    assert GROUP.place(f"{ENTERPRISE}:manager") is None


# Resource types


@pytest.mark.rfc("S-3-05", "S-3.1-01")
def test_every_resource_type_has_the_common_attributes() -> None:
    bare = ResourceType(name="Thing", endpoint="/Things", schema=schema())
    assert list(bare.attributes) == ["schemas", "id", "externalId", "meta"]


@pytest.mark.rfc("S-3.1-03", "S-3.1-09")
def test_what_a_schema_says_about_a_common_attribute_does_not_count() -> None:
    claimed = schema(Attribute(name="ID", mutability=Mutability.READ_WRITE, returned=Returned.REQUEST))
    found = ResourceType(name="Thing", endpoint="/Things", schema=claimed).attribute("id")
    assert found is not None
    assert (found.name, found.mutability, found.returned, found.case_exact) == ("id", "readOnly", "always", True)


@pytest.mark.rfc("S-6-06")
@pytest.mark.parametrize("endpoint", ["Things", "/Things", "/Things/", "Things/"])
def test_an_endpoint_may_be_written_with_or_without_slashes(endpoint: str) -> None:
    assert ResourceType(name="Thing", endpoint=endpoint, schema=schema()).endpoint == "/Things"


@pytest.mark.rfc("S-3-06")
def test_an_extension_is_a_complex_attribute_named_by_its_urn() -> None:
    container = USER.attribute(ENTERPRISE.lower())
    assert container is not None
    assert (container.name, container.type, container.required) == (ENTERPRISE, Type.COMPLEX, False)
    assert container.sub_attributes == ENTERPRISE_USER.attributes


@pytest.mark.rfc("S-6-03")
def test_a_required_extension_is_a_required_attribute() -> None:
    strict = ResourceType(
        name="User", endpoint="/Users", schema=USER_SCHEMA, extensions=(Extension(ENTERPRISE_USER, required=True),)
    )
    assert strict.containers[ENTERPRISE].required


@pytest.mark.rfc("S-3.3-01", "S-3.3-03", "S-3-03")
@pytest.mark.parametrize(
    ("extra", "schemas"),
    [({}, [CORE]), ({ENTERPRISE: {"department": "IT"}}, [CORE, ENTERPRISE]), ({"urn:example:other": {}}, [CORE])],
)
def test_schemas_lists_the_base_schema_and_the_extensions_with_values(
    extra: dict[str, dict[str, str]], schemas: list[str]
) -> None:
    assert USER.schemas_of({"userName": "bjensen", **extra}) == schemas


def test_a_resource_type_uses_its_base_schema_and_its_extensions() -> None:
    assert list(schemas_of(USER)) == [USER_SCHEMA, ENTERPRISE_USER]


@pytest.mark.parametrize("urn", [CORE, CORE.upper()])
def test_a_schema_that_extends_itself_is_refused(urn: str) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        ResourceType(
            name="User", endpoint="/Users", schema=USER_SCHEMA, extensions=(Extension(Schema(id=urn, name="U")),)
        )


# The catalogue


@pytest.mark.rfc("S-2.1-02")
def test_the_catalogue_finds_names_endpoints_and_urns_in_any_case() -> None:
    catalogue = Catalogue([USER, GROUP])
    assert catalogue.named("uSER") is USER
    assert catalogue.at("GROUPS") is GROUP
    assert catalogue.schema(ENTERPRISE.upper()) is ENTERPRISE_USER


def test_the_catalogue_has_nothing_for_what_it_does_not_know() -> None:
    catalogue = Catalogue([GROUP])
    assert (catalogue.named("User"), catalogue.at("Users"), catalogue.schema(CORE)) == (None, None, None)
    assert catalogue.at("/Groups") is None


@pytest.mark.rfc("S-7-01")
def test_the_catalogue_lists_every_schema_in_use_once() -> None:
    twin = ResourceType(name="Person", endpoint="/People", schema=USER_SCHEMA)
    assert Catalogue([USER, GROUP, twin]).schemas == (USER_SCHEMA, ENTERPRISE_USER, GROUP.schema)


@pytest.mark.rfc("S-6-04")
@pytest.mark.parametrize(
    ("name", "endpoint", "refusal"),
    [
        ("user", "/People", "the name 'user' stands twice"),
        ("Person", "/USERS", "the endpoint 'USERS' stands twice"),
    ],
)
def test_two_resource_types_with_one_name_or_endpoint_are_refused(name: str, endpoint: str, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        Catalogue([USER, ResourceType(name=name, endpoint=endpoint, schema=USER_SCHEMA)])


@pytest.mark.parametrize("urn", [CORE, CORE.upper()])
def test_two_schemas_with_one_urn_are_refused(urn: str) -> None:
    impostor = Schema(id=urn, name="Impostor", attributes=(Attribute(name="size"),))
    with pytest.raises(ValueError, match=r"the schema URN .* stands twice"):
        Catalogue([USER, ResourceType(name="Person", endpoint="/People", schema=impostor)])


# What is no schema


@pytest.mark.rfc("S-2.1-01")
@pytest.mark.parametrize(
    "name", ["", "1abc", "a b", "a.b", "a:b", "-a", "_a", "$", "$$a", "a[", "é", "aé", "a\n", "a\u212a"]
)
def test_a_malformed_attribute_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no attribute name"):
        schema(Attribute(name=name))
    with pytest.raises(ValueError, match="no attribute name"):
        schema(complex_attribute("outer", Attribute(name=name)))


@pytest.mark.rfc("S-2.1-01")
@pytest.mark.parametrize("name", ["a", "A", "foo-bar_1", "a$b", "$ref", "x509Certificates"])
def test_a_well_formed_attribute_name_is_accepted(name: str) -> None:
    assert ResourceType(name="Thing", endpoint="/Things", schema=schema(Attribute(name=name))).attribute(name)


@pytest.mark.parametrize(
    "attributes",
    [
        (Attribute(name="size"), Attribute(name="SIZE")),
        (complex_attribute("outer", Attribute(name="value"), Attribute(name="Value")),),
    ],
)
def test_a_name_that_stands_twice_in_any_case_is_refused(attributes: tuple[Attribute, ...]) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        schema(*attributes)


@pytest.mark.rfc("S-2.3.8-02")
def test_a_complex_attribute_inside_a_complex_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="a complex attribute inside a complex attribute"):
        schema(complex_attribute("outer", complex_attribute("inner", Attribute(name="value"))))


def test_the_schema_of_schemas_alone_may_nest_complex_attributes() -> None:
    assert SCHEMA_SCHEMA.id == SCHEMA_URN
    attributes = next(attribute for attribute in SCHEMA_SCHEMA.attributes if attribute.name == "attributes")
    nested = attributes.sub_attribute("subAttributes")
    assert nested is not None
    assert nested.is_complex


@pytest.mark.rfc("S-7-17")
def test_reference_types_on_a_string_are_refused() -> None:
    with pytest.raises(ValueError, match="only a reference has referenceTypes"):
        schema(Attribute(name="link", reference_types=("User",)))


def test_sub_attributes_of_a_string_are_refused() -> None:
    with pytest.raises(ValueError, match="only a complex attribute has sub-attributes"):
        schema(Attribute(name="outer", sub_attributes=(Attribute(name="value"),)))


def test_a_refusal_names_schema_and_attribute() -> None:
    with pytest.raises(ValueError, match="urn:example:thing:outer: the attribute 'B' stands twice"):
        schema(complex_attribute("outer", Attribute(name="b"), Attribute(name="B")))


@pytest.mark.rfc("S-7-02")
def test_a_schema_is_shown_with_its_urn_and_the_urn_of_schemas() -> None:
    shown = schema(Attribute(name="size")).as_json()
    assert (shown["schemas"], shown["id"], shown["name"]) == ([SCHEMA_URN], "urn:example:thing", "Thing")


def test_a_resource_type_is_told_by_its_names_alone() -> None:
    """It stands in signatures and tracebacks, which nobody reads when every attribute stands there too."""
    assert repr(USER).startswith("ResourceType(name='User', endpoint='/Users', schema=Schema(id='urn:")
    assert len(repr(USER)) < 400
