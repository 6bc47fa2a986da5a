"""What Microsoft Entra ID sends that has to be rewritten before a rule can read it."""

from typing import Final

from scimcore.dialects.quirk import ENTERPRISE, Evidence, Example, Quirk, named, patch, user
from scimcore.dialects.rewriting import lifted, unlisted, with_patched_roles_read, with_roles_read

_TUTORIAL: Final = "https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups"
_ROLE_TEXT: Final = '{"id":"827f0d2e-be15-4d8f-a8e3-f8697239c112","value":"admin","displayName":"Admin"}'

_WRAPPED = Quirk(
    name="list around a single value",
    sent='the tutorial\'s `Add manager [{"$ref": "…", "value": "271"}]`; Microsoft\'s own server package reads every '
    'value in that form only: `displayName` as `[{"$ref": null, "value": "Ann"}]`',
    done="what is in a list of one stands for itself",
    sources=(_TUTORIAL, "MicrosoftDocs/azure-docs#42220"),
    evidence=Evidence.VENDOR,
    message=unlisted,
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Add", "path": "manager", "value": [{"$ref": "http://a.b/Users/271", "value": "271"}]}),
            given=named("ann"),
            understood={
                "userName": "ann",
                ENTERPRISE: {"manager": {"$ref": "http://a.b/Users/271", "value": "271"}},
            },
        ),
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Replace", "path": "displayName", "value": [{"$ref": None, "value": "Ann"}]}),
            given=named("ann"),
            understood={"userName": "ann", "displayName": "Ann"},
        ),
    ),
)

_TOP_LEVEL = Quirk(
    name="extension attributes at the top level",
    sent="`department` and `manager` beside `userName` (in the tutorial's older samples, there with null)",
    done="they go under the URN of the only extension that has them; null assigns nothing",
    sources=(_TUTORIAL,),
    evidence=Evidence.VENDOR,
    resource=lifted,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "department": "Sales", "manager": {"value": "271"}}),
            status=201,
            understood={"userName": "ann", ENTERPRISE: {"department": "Sales", "manager": {"value": "271"}}},
        ),
    ),
)

_ROLES = Quirk(
    name="roles as JSON text",
    sent='AppRoleAssignmentsComplex: `Add roles [{"value": "{\\"id\\":…,\\"value\\":…,\\"displayName\\":…}"}]` in a '
    "PATCH, and roles with `displayName` in a POST",
    done="the text's `value` and `displayName` become `value` and `display` of the role; its `id` is dropped",
    sources=(
        "https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes#provisioning-a-role-to-a-scim-app",
        "Captain-P-Goldfish/SCIM-SDK#516",
    ),
    evidence=Evidence.VENDOR,
    resource=with_roles_read,
    message=with_patched_roles_read,
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "Add", "path": "roles", "value": [{"value": _ROLE_TEXT}]}),
            given=named("ann"),
            understood={"userName": "ann", "roles": [{"value": "admin", "display": "Admin"}]},
        ),
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "roles": [{"primary": False, "value": "admin", "displayName": "Admin"}]}),
            status=201,
            understood={"userName": "ann", "roles": [{"primary": False, "value": "admin", "display": "Admin"}]},
        ),
    ),
)

REWRITTEN: Final = (_WRAPPED, _TOP_LEVEL, _ROLES)
