"""How Microsoft Entra ID provisions, in its two flavours; a flag in the tenant URL chooses between them.

Provisioning on demand never sends the flag, so whoever speaks the flavour with it must understand the other, too.
"""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.entra_rewritten import REWRITTEN
from scimcore.dialects.quirk import CORE_GROUP, ENTERPRISE, Evidence, Example, Quirk, group, named, patch, user
from scimcore.dialects.shared import (
    EMPTY_TEXT,
    GROUP_NAMES_ARE_KEYS,
    LINKAGE_STAYS,
    LISTED_MEMBERS_LEAVE,
    PLUS_FOR_BLANK,
)

_TUTORIAL: Final = "https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups"
_NOTES: Final = "https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility"
_ROLES: Final = "https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes"
_MANAGER_RUN: Final = "pranems/SCIMServer@1ab5aa1f641c docs/MANAGER_PATCH_STRING_COERCION.md"
_POSTMAN: Final = "https://aka.ms/ProvisioningPostman"
_BOSS: Final = f"{ENTERPRISE}:manager"

# What a PATCH looks like

_CAPITAL_OPS = Quirk(
    name="operations in PascalCase",
    sent="`Add`, `Replace`, `Remove`",
    done="operations have no case",
    sources=(_TUTORIAL, _NOTES),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Replace", "path": "name.familyName", "value": "Li"}),
            given=named("ann"),
            understood={"userName": "ann", "name": {"familyName": "Li"}},
        ),
    ),
)

_TEXT_BOOLEANS = Quirk(
    name="booleans as text",
    sent='`Replace active "False"`; the validator creates roles with `"primary": "True"`',
    done="`True` and `False`, in any case, are booleans",
    sources=(_NOTES, "pranems/SCIMServer@1ab5aa1f641c docs/archive/SCIM_VALIDATOR_FALSE_POSITIVES_REPORT.md"),
    evidence=Evidence.VENDOR,
    settings={"strings_as_booleans": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Replace", "path": "active", "value": "False"}),
            given=named("ann"),
            understood={"userName": "ann", "active": False},
        ),
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "roles": [{"primary": "True", "value": "admin"}]}),
            status=201,
            understood={"userName": "ann", "roles": [{"primary": True, "value": "admin"}]},
        ),
    ),
)

_MAKES_ELEMENT = Quirk(
    name="value filter that matches nothing",
    sent='`Replace` and `Add` at `emails[type eq "work"].value` where there is no work e-mail',
    done="the element that the filter describes is created, once; RFC 7644 §3.5.2.3 says noTarget",
    sources=(_TUTORIAL, "limosa-io/laravel-scim-server#34"),
    evidence=Evidence.CAPTURE,
    settings={"create_unmatched_element": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@b.com"}),
            given=named("ann"),
            understood={"userName": "ann", "emails": [{"type": "work", "value": "a@b.com"}]},
        ),
    ),
)

_PRIMARY_ROLE = Quirk(
    name="the primary role",
    sent='`roles[primary eq "True"].value`, `.display` and `.type` (expression SingleAppRoleAssignment)',
    done="the text is compared as a boolean; all three make one role",
    sources=(_ROLES,),
    evidence=Evidence.VENDOR,
    settings={"strings_as_booleans": True, "create_unmatched_element": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch(
                {"op": "Add", "path": 'roles[primary eq "True"].display', "value": "Admin"},
                {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "admin"},
            ),
            given=named("ann"),
            understood={"userName": "ann", "roles": [{"primary": True, "display": "Admin", "value": "admin"}]},
        ),
    ),
)

_BARE_MANAGER = Quirk(
    name="manager as text",
    sent="`Add …:User:manager` with the bare id; Microsoft's Postman collection adds members so, too",
    done="the text is the reference's `value`",
    sources=(_MANAGER_RUN, "Captain-P-Goldfish/SCIM-SDK#686", _POSTMAN),
    evidence=Evidence.CAPTURE,
    settings={"bare_values": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Add", "path": _BOSS, "value": "271"}),
            given=named("ann"),
            understood={"userName": "ann", ENTERPRISE: {"manager": {"value": "271"}}},
        ),
    ),
)

_NO_MANAGER = Quirk(
    name="manager unassigned by an empty value",
    sent='`replace …:User:manager` with `{"value": ""}` or `""`, never a remove',
    done="the manager is unassigned as a whole",
    sources=("pranems/SCIMServer@1ab5aa1f641c docs/archive/SCIM_VALIDATOR_FALSE_POSITIVES_REPORT.md",),
    evidence=Evidence.VALIDATOR,
    settings={"empty_string_unassigns": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "replace", "path": _BOSS, "value": {"value": ""}}),
            given=(("/Users", user({"userName": "ann", ENTERPRISE: {"manager": {"value": "9", "displayName": "B"}}})),),
            understood={"userName": "ann"},
        ),
    ),
)

_EMPTIED = Quirk(
    name="members replaced by null",
    sent="`Replace members` with null",
    done="the group is emptied",
    sources=("pranems/SCIMServer@1ab5aa1f641c docs/PATCH_NULL_HANDLING_RFC_COMPLIANCE.md",),
    evidence=Evidence.PEER,
    examples=(
        Example(
            method="PATCH",
            target="/Groups/2?attributes=displayName,members",
            body=patch({"op": "Replace", "path": "members", "value": None}),
            given=(*named("ann"), ("/Groups", group({"displayName": "staff", "members": [{"value": "1"}]}))),
            understood={"displayName": "staff"},
        ),
    ),
)

_GROUP_BODIES = Quirk(
    name="PATCH of a group answered without a body",
    sent="expects 204: bodies that list all members are to be avoided",
    done="204, unless the client asks with `attributes`; members are not loaded for an answer that nobody reads",
    sources=(_TUTORIAL,),
    evidence=Evidence.VENDOR,
    bodiless_patches=frozenset({"Group"}),
    examples=(
        Example(
            method="PATCH",
            target="/Groups/2",
            body=patch({"op": "Add", "path": "members", "value": [{"$ref": None, "value": "1"}]}),
            given=(*named("ann"), ("/Groups", group({"displayName": "staff"}))),
            status=204,
            understood={"displayName": "staff", "members": [{"value": "1"}]},
        ),
    ),
)

# What is created

_OWN_URNS = Quirk(
    name="URNs that are no schema",
    sent="groups list `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`; old samples of users "
    "the misspelled `…:enterprise:2.0User`",
    done="passed over and not stored",
    sources=(_TUTORIAL,),
    evidence=Evidence.VENDOR,
    settings={"schemas_optional": True},
    examples=(
        Example(
            method="POST",
            target="/Groups",
            body={
                "schemas": [CORE_GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
                "displayName": "staff",
            },
            status=201,
            understood={"displayName": "staff"},
        ),
    ),
)

_UNLISTED_EXTENSION = Quirk(
    name="extensions that `schemas` does not list",
    sent="the values of an extension, without its URN in `schemas`; or the URN without any values",
    done="`schemas` follows from the values",
    sources=(_ROLES, _TUTORIAL),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", ENTERPRISE: {"costCenter": "4130"}}),
            status=201,
            understood={"userName": "ann", ENTERPRISE: {"costCenter": "4130"}},
        ),
    ),
)

_NAMES = Quirk(
    name="names in PascalCase, members of messages that mean nothing",
    sent='Microsoft\'s Postman collection: `UserName`, `Emails`; operations with `"name": "addMember"`',
    done="names have no case (RFC 7643 §2.1); unknown members of messages are passed over",
    sources=(_POSTMAN, "AzureAD/SCIMReferenceCode#20"),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="POST",
            target="/users",
            body=user({"UserName": "ann", "Emails": [{"Primary": True, "Value": "a@b.com"}]}),
            status=201,
            understood={"userName": "ann", "emails": [{"primary": True, "value": "a@b.com"}]},
        ),
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"name": "setTitle", "op": "add", "path": "Title", "value": "CTO"}),
            given=named("ann"),
            understood={"userName": "ann", "title": "CTO"},
        ),
    ),
)

# What is asked

_MATCHING_EMAIL = Quirk(
    name="filter on a sub-attribute behind a value filter",
    sent='`emails[type eq "work"].value eq "a@b.com"`, which is no filter of RFC 7644 §3.4.2.2',
    done="the value of the same element is compared",
    sources=(_TUTORIAL, "MicrosoftDocs/azure-docs#83855"),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET",
            target='/Users?filter=emails[type eq "work"].value eq "a@b.com"',
            given=(
                ("/Users", user({"userName": "ann", "emails": [{"type": "work", "value": "a@b.com"}]})),
                ("/Users", user({"userName": "ben", "emails": [{"type": "home", "value": "a@b.com"}]})),
            ),
            understood=["1"],
        ),
    ),
)

_MANAGER_CHECK = Quirk(
    name="filter on a bare extension attribute",
    sent='`id eq "1" and manager eq "2"`, with `attributes=id`',
    done="the only extension that has a manager is meant, and its `value`",
    sources=(_TUTORIAL,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET",
            target='/Users?filter=id eq "1" and manager eq "271"&attributes=id',
            given=(("/Users", user({"userName": "ann", ENTERPRISE: {"manager": {"value": "271"}}})),),
            understood=["1"],
        ),
    ),
)

_PROBE = Quirk(
    name="connection test of both endpoints",
    sent="GET on `/Users` and `/Groups`, whether or not the application provisions groups",
    done="an endpoint that is not served answers an empty list: a 404 fails the test",
    sources=("pranems/SCIMServer@1ab5aa1f641c docs/auth/EXECUTION_ISSUES_AND_RCA.md",),
    evidence=Evidence.CAPTURE,
    settings={"unserved_lists_are_empty": True},
    examples=(
        Example(
            method="GET",
            target='/Groups?excludedAttributes=members&filter=displayName eq "1b5d"',
            served=("User",),
            understood=[],
        ),
    ),
)

_ZERO = Quirk(
    name="paging from zero",
    sent="Entra as the one that reads: `startindex=0`",
    done="parameters have no case, and 0 counts as 1 (RFC 7644 §3.4.2.4)",
    sources=("AzureAD/SCIMReferenceCode@d445ef901981 SCIM Inbound.postman_collection.json",),
    evidence=Evidence.VENDOR,
    examples=(
        Example(method="GET", target="/Users?startindex=0&count=1", given=named("ann", "ben"), understood=["1"]),
    ),
)

# With the flag

_FLAG = Quirk(
    name="flag in the tenant URL",
    sent="`?aadOptscim062020` at the end of every URL",
    done="unknown parameters are passed over",
    sources=(_NOTES, "ory/polis@e13ed6541ec0 e2e/support/data/dsync/azure.ts"),
    evidence=Evidence.PEER,
    examples=(
        Example(
            method="PATCH",
            target="/Users/1?aadOptscim062020",
            body=patch({"op": "replace", "path": "active", "value": False}),
            given=named("ann"),
            understood={"userName": "ann", "active": False},
        ),
    ),
)

_DOTTED_KEYS = Quirk(
    name="paths as keys",
    sent="a `replace` without path, with keys such as `name.givenName`, `…:User:department`, `…:User:manager.value`",
    done="each key is read like a path",
    sources=(_NOTES, "Captain-P-Goldfish/SCIM-SDK#193"),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch(
                {
                    "op": "replace",
                    "value": {
                        "displayName": "A Li",
                        "name.givenName": "Ann",
                        f"{ENTERPRISE}:employeeNumber": "17",
                        f"{_BOSS}.value": "271",
                    },
                }
            ),
            given=named("ann"),
            understood={
                "userName": "ann",
                "displayName": "A Li",
                "name": {"givenName": "Ann"},
                ENTERPRISE: {"employeeNumber": "17", "manager": {"value": "271"}},
            },
        ),
    ),
)

ENTRA: Final = Dialect.of(
    "entra",
    _CAPITAL_OPS,
    _TEXT_BOOLEANS,
    _MAKES_ELEMENT,
    _PRIMARY_ROLE,
    _BARE_MANAGER,
    _NO_MANAGER,
    EMPTY_TEXT,
    *REWRITTEN,
    LISTED_MEMBERS_LEAVE,
    _EMPTIED,
    _GROUP_BODIES,
    GROUP_NAMES_ARE_KEYS,
    LINKAGE_STAYS,
    _OWN_URNS,
    _UNLISTED_EXTENSION,
    _NAMES,
    PLUS_FOR_BLANK,
    _MATCHING_EMAIL,
    _MANAGER_CHECK,
    _PROBE,
    _ZERO,
)
ENTRA_SCIM2020: Final = Dialect.of("entra-scim2020", _FLAG, _DOTTED_KEYS, *ENTRA.quirks)
