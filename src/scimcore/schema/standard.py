"""The schemas and resource types of RFC 7643, as data (§4 to §8.7, errata applied; RFC 9865 §4, RFC 9967 §4).

Facts alone: every attribute is what the RFC says it is, under descriptions of our own. One fact is tightened:
`members.value` and `groups.value` are caseExact, because they hold an `id`, which §3.1 makes case-exact; erratum 8472
says the same of `manager.value`.
"""

from typing import Final

import attrs

from scimcore.schema.attribute import Attribute, Mutability, Returned, Type, Uniqueness
from scimcore.schema.catalogue import SCHEMA_URN, Extension, ResourceType, Schema


def _text(name: str, description: str, *canonical: str, required: bool = False, case_exact: bool = False) -> Attribute:
    return Attribute(
        name=name, description=description, canonical_values=canonical, required=required, case_exact=case_exact
    )


def _texts(name: str, description: str, case_exact: bool = False) -> Attribute:
    return Attribute(name=name, description=description, multi_valued=True, case_exact=case_exact)


def _flag(name: str, description: str, required: bool = False) -> Attribute:
    return Attribute(name=name, type=Type.BOOLEAN, description=description, required=required)


def _number(name: str, description: str, required: bool = False) -> Attribute:
    return Attribute(name=name, type=Type.INTEGER, description=description, required=required)


def _link(name: str, description: str, *targets: str, required: bool = False, case_exact: bool = True) -> Attribute:
    # Erratum 6001: a reference is case-exact; the discovery schemas, which the erratum does not name, say otherwise.
    return Attribute(
        name=name,
        type=Type.REFERENCE,
        description=description,
        required=required,
        case_exact=case_exact,
        reference_types=targets,
    )


def _one(name: str, description: str, *sub_attributes: Attribute, required: bool = False) -> Attribute:
    return Attribute(
        name=name, type=Type.COMPLEX, description=description, required=required, sub_attributes=sub_attributes
    )


def _many(name: str, description: str, *sub_attributes: Attribute, required: bool = False) -> Attribute:
    return attrs.evolve(_one(name, description, *sub_attributes, required=required), multi_valued=True)


def _kind(*canonical: str) -> Attribute:
    return _text("type", "What the value is used for.", *canonical)


_DISPLAY: Final = _text("display", "The value as people read it.")
_PRIMARY: Final = _flag("primary", "Whether this value is the preferred one; true at most once.")


def _values(name: str, description: str, value: Attribute, *kinds: str) -> Attribute:
    """A list in the manner of `emails`: value, display, type and primary (RFC 7643 §2.4)."""
    return _many(name, description, value, _DISPLAY, _kind(*kinds), _PRIMARY)


def _all(mutability: Mutability, *found: Attribute) -> tuple[Attribute, ...]:
    """The attributes and everything inside them, with that mutability."""
    return tuple(
        attrs.evolve(attribute, mutability=mutability, sub_attributes=_all(mutability, *attribute.sub_attributes))
        for attribute in found
    )


USER_SCHEMA: Final = Schema(
    id="urn:ietf:params:scim:schemas:core:2.0:User",
    name="User",
    description="A person's account.",
    attributes=(
        attrs.evolve(
            _text("userName", "Name that the person signs in with, unique in any case.", required=True),
            uniqueness=Uniqueness.SERVER,
        ),
        _one(
            "name",
            "The parts of the person's name.",
            _text("formatted", "The whole name, ready to be shown."),
            _text("familyName", "Family name, or last name."),
            _text("givenName", "Given name, or first name."),
            _text("middleName", "Middle names."),
            _text("honorificPrefix", "What stands before the name, such as Dr."),
            _text("honorificSuffix", "What stands after the name, such as III."),
        ),
        _text("displayName", "Name to show for the person."),
        _text("nickName", "Casual name of the person."),
        _link("profileUrl", "Page about the person.", "external"),
        _text("title", "Job title, such as Vice President."),
        _text("userType", "Relation to the organization, such as Employee or Contractor."),
        _text("preferredLanguage", "Languages the person reads, as an Accept-Language value."),
        _text("locale", "Region whose formats for dates, numbers and money apply, such as en-US."),
        _text("timezone", "Time zone by its IANA name, such as Europe/Paris."),
        _flag("active", "Whether the account may be used."),
        attrs.evolve(
            _text("password", "Password in clear text, to be set or changed; never shown."),
            mutability=Mutability.WRITE_ONLY,
            returned=Returned.NEVER,
        ),
        _values("emails", "E-mail addresses.", _text("value", "The address."), "work", "home", "other"),
        _values(
            "phoneNumbers",
            "Telephone numbers.",
            _text("value", "The number, preferably as a tel: URI."),
            *("work", "home", "mobile", "fax", "pager", "other"),
        ),
        _values(
            "ims",
            "Addresses for instant messages.",
            _text("value", "The address."),
            *("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other"),
        ),
        _values(
            "photos",
            "Pictures of the person.",
            _link("value", "Where the picture is found.", "external"),
            *("photo", "thumbnail"),
        ),
        _many(
            "addresses",
            "Postal addresses.",
            _text("formatted", "The whole address, ready to be printed."),
            _text("streetAddress", "Street, house number and the like."),
            _text("locality", "City or place."),
            _text("region", "State or region."),
            _text("postalCode", "Postal code."),
            _text("country", "Country as an ISO 3166-1 two-letter code."),
            _kind("work", "home", "other"),
            _PRIMARY,
        ),
        *_all(
            Mutability.READ_ONLY,
            _many(
                "groups",
                "Groups the person belongs to; to change them, change the groups.",
                _text("value", "Id of the group.", case_exact=True),
                _link("$ref", "URI of the group.", "Group"),
                _text("display", "Name of the group."),
                _text("type", "Whether the person is a member, or a group in between is.", "direct", "indirect"),
            ),
        ),
        _values("entitlements", "Things the person may use.", _text("value", "The entitlement.")),
        _values("roles", "Roles of the person.", _text("value", "The role.")),
        _values(
            "x509Certificates",
            "Certificates of the person.",
            Attribute(
                name="value", type=Type.BINARY, description="One certificate in DER, as base64.", case_exact=True
            ),
        ),
    ),
)

GROUP_SCHEMA: Final = Schema(
    id="urn:ietf:params:scim:schemas:core:2.0:Group",
    name="Group",
    description="A set of users and groups.",
    attributes=(
        _text("displayName", "Name of the group.", required=True),
        _many(
            "members",
            "Users and groups that belong to the group.",
            *_all(
                Mutability.IMMUTABLE,
                _text("value", "Id of the member.", case_exact=True),
                _link("$ref", "URI of the member.", "User", "Group"),
                _text("type", "Resource type of the member.", "User", "Group"),
                _text("display", "Name of the member."),
            ),
        ),
    ),
)

ENTERPRISE_USER: Final = Schema(
    id="urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name="EnterpriseUser",
    description="What an organization knows about the people who belong to it.",
    attributes=(
        _text("employeeNumber", "Identifier that the organization gave to the person."),
        _text("costCenter", "Name of the cost center."),
        _text("organization", "Name of the organization."),
        _text("division", "Name of the division."),
        _text("department", "Name of the department."),
        _one(
            "manager",
            "The person's manager.",
            _text("value", "Id of the manager.", case_exact=True),
            _link("$ref", "URI of the manager.", "User"),
            attrs.evolve(_text("displayName", "Name of the manager."), mutability=Mutability.READ_ONLY),
        ),
    ),
)

_SUPPORTED: Final = _flag("supported", "Whether the provider offers it.", required=True)

SERVICE_PROVIDER_CONFIG_SCHEMA: Final = Schema(
    id="urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    name="Service Provider Configuration",
    description="What the service provider can do.",
    attributes=_all(
        Mutability.READ_ONLY,
        _link("documentationUri", "Documentation for people.", "external", case_exact=False),
        _one("patch", "Changing parts of a resource.", _SUPPORTED, required=True),
        _one(
            "bulk",
            "Many operations in one request.",
            _SUPPORTED,
            _number("maxOperations", "Most operations in one request.", required=True),
            _number("maxPayloadSize", "Most bytes in one request.", required=True),
            required=True,
        ),
        _one(
            "filter",
            "Searching with a filter.",
            _SUPPORTED,
            _number("maxResults", "Most resources in one response.", required=True),
            required=True,
        ),
        _one("changePassword", "Changing passwords.", _SUPPORTED, required=True),
        _one("sort", "Sorting of results.", _SUPPORTED, required=True),
        _many(
            "authenticationSchemes",
            "Ways for a client to authenticate.",
            _text("name", "Common name of the scheme.", required=True),
            _text("description", "What the scheme is.", required=True),
            _link("specUri", "Specification of the scheme.", "external", case_exact=False),
            _link("documentationUri", "How to use the scheme.", "external", case_exact=False),
            _text(
                "type",
                "Which scheme it is.",
                *("oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"),
                required=True,
            ),
            _PRIMARY,
            required=True,
        ),
        _one("etag", "Versions of resources and conditional requests.", _SUPPORTED, required=True),
        _one(
            "pagination",
            "Ways to page through results.",
            _flag("cursor", "Whether pages may be asked for by cursor.", required=True),
            _flag("index", "Whether pages may be asked for by index.", required=True),
            _text("defaultPaginationMethod", "Method used when the request names none.", "cursor", "index"),
            _number("defaultPageSize", "Resources on a page when the request does not say."),
            _number("maxPageSize", "Most resources on a page."),
            _number("cursorTimeout", "Seconds for which a cursor is good."),
        ),
        _one(
            "securityEvents",
            "Security event tokens that the provider issues.",
            _text("asyncRequest", "Whether requests may be answered by an event.", "none", "long", "request"),
            _texts("eventUris", "URIs of the events that may be issued."),
        ),
    ),
)

RESOURCE_TYPE_SCHEMA: Final = Schema(
    id="urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    name="ResourceType",
    description="A kind of resource and where it is found.",
    attributes=_all(
        Mutability.READ_ONLY,
        _text("id", "Identifier of the resource type, equal to its name."),
        attrs.evolve(_text("name", "Name of the resource type.", required=True), uniqueness=Uniqueness.SERVER),
        _text("description", "What its resources are."),
        attrs.evolve(
            _link("endpoint", "Where its resources are, below the base URL.", "uri", required=True, case_exact=False),
            uniqueness=Uniqueness.SERVER,
        ),
        _link("schema", "URN of the base schema.", "uri", required=True),
        _many(
            "schemaExtensions",
            "Extensions that its resources may have.",
            _link("schema", "URN of the extension's schema.", "uri", required=True),
            _flag("required", "Whether every resource has values of the extension.", required=True),
            required=True,
        ),
    ),
)


def _definition(*types: str) -> tuple[Attribute, ...]:
    """What defines an attribute of one of *types* (RFC 7643 §7)."""
    return (
        _text("name", "Name of the attribute.", required=True, case_exact=True),
        _text("type", "Data type of its values.", *types, required=True),
        _flag("multiValued", "Whether it holds a list.", required=True),
        _text("description", "What it means.", case_exact=True),
        _flag("required", "Whether a resource must have a value."),
        _texts("canonicalValues", "Suggested values.", case_exact=True),
        _flag("caseExact", "Whether upper and lower case differ."),
        _text("mutability", "Who may change it, and when.", *map(str, Mutability), case_exact=True),
        _text("returned", "When it is part of a response.", *map(str, Returned), case_exact=True),
        _text("uniqueness", "Among which resources a value is unique.", *map(str, Uniqueness), case_exact=True),
        _texts("referenceTypes", "What a reference may point to.", case_exact=True),
    )


SCHEMA_SCHEMA: Final = Schema(
    id=SCHEMA_URN,
    name="Schema",
    description="A schema: the attributes that resources may have.",
    attributes=_all(
        Mutability.READ_ONLY,
        _text("id", "URN of the schema.", required=True),
        _text("name", "Name of the schema.", required=True),
        _text("description", "What the schema describes."),
        _many(
            "attributes",
            "The attributes that the schema defines.",
            *_definition(*map(str, Type)),
            _many(
                "subAttributes",
                "The parts of a complex attribute.",
                # Erratum 8415: no complex attribute inside another.
                *_definition(*(str(type_) for type_ in Type if type_ is not Type.COMPLEX)),
            ),
            required=True,
        ),
    ),
)

USER: Final = ResourceType(
    name="User",
    endpoint="/Users",
    schema=USER_SCHEMA,
    extensions=(Extension(ENTERPRISE_USER),),
    description="Accounts of people.",
)
GROUP: Final = ResourceType(
    name="Group", endpoint="/Groups", schema=GROUP_SCHEMA, description="Sets of users and groups."
)
