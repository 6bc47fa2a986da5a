"""Quirks that several clients have."""

from typing import Final

from scimcore.dialects.quirk import Evidence, Example, Quirk, group, named, patch, user

_TEAM: Final = (
    *named("ann", "ben"),
    ("/Groups", group({"displayName": "g", "members": [{"value": "1"}, {"value": "2"}]})),
)

LISTED_MEMBERS_LEAVE: Final = Quirk(
    name="members to remove in a list",
    sent="Entra without its flag, OneLogin, JumpCloud, authentik, ssosync: `remove` at `members` with a list as value",
    done="those members leave, the others stay; RFC 7644 §3.5.2.2 knows no `value` and would remove all",
    sources=(
        "https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups#update-group-remove-members",
        "linkyard/scim-scala@02a2b9b4648b OneLoginClientSpec.scala",
        "awslabs/ssosync@21bd7da3b5e6 internal/aws/client.go",
        "goauthentik/authentik authentik/providers/scim/clients/groups.py",
    ),
    evidence=Evidence.VENDOR,
    settings={"remove_listed_values": True},
    examples=(
        Example(
            method="PATCH",
            target="/Groups/3?attributes=members",
            body=patch({"op": "remove", "path": "members", "value": [{"value": "1"}]}),
            given=_TEAM,
            understood={"members": [{"value": "2"}]},
        ),
    ),
)

REPEATED_MEMBERS: Final = Quirk(
    name="changes of members repeated",
    sent="Okta, JumpCloud, Rippling: additions of members, and removals of people who are none",
    done="nothing changes, nothing is refused, the version stays",
    sources=(
        "https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/",
        "Infisical/infisical PR 2138",
    ),
    evidence=Evidence.CAPTURE,
    examples=(
        Example(
            method="PATCH",
            target="/Groups/3?attributes=members",
            body=patch(
                {"op": "remove", "path": 'members[value eq "nobody"]'},
                {"op": "add", "path": "members", "value": [{"value": "2", "display": "ben"}]},
            ),
            given=_TEAM,
            understood={"members": [{"value": "1"}, {"value": "2"}]},
        ),
    ),
)

READ_ONLY_IN_BODY: Final = Quirk(
    name="readOnly attributes sent back",
    sent="Okta and the Keycloak extensions: a PUT with `id`, `meta` and `groups`, as the GET before it showed them",
    done="what is readOnly is left out",
    sources=(
        "https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/",
        "suvera/keycloak-scim2-storage@cedd5b01bca9 ScimClient2.java",
    ),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="PUT",
            target="/Users/1",
            body=user({"id": "1", "userName": "ann", "title": "CTO", "groups": [], "meta": {"resourceType": "User"}}),
            given=named("ann"),
            understood={"userName": "ann", "title": "CTO"},
        ),
    ),
)

LINKAGE_STAYS: Final = Quirk(
    name="PUT without linkage",
    sent="Okta: PUT of a user without `externalId`; Microsoft's Postman collection: PUT of a group without `members`",
    done="both stay, unless they are sent as null or empty",
    sources=(
        "https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/",
        "https://aka.ms/ProvisioningPostman",
    ),
    evidence=Evidence.VENDOR,
    settings={"put_keeps_linkage": True},
    examples=(
        Example(
            method="PUT",
            target="/Users/1",
            body=user({"userName": "ann", "active": True}),
            given=(("/Users", user({"userName": "ann", "externalId": "00ujl29u0le5T6Aj10h7"})),),
            understood={"userName": "ann", "externalId": "00ujl29u0le5T6Aj10h7", "active": True},
        ),
        Example(
            method="PUT",
            target="/Groups/3",
            body=group({"displayName": "renamed"}),
            given=_TEAM,
            understood={"displayName": "renamed", "members": [{"value": "1"}, {"value": "2"}]},
        ),
    ),
)

EMPTY_TEXT: Final = Quirk(
    name="empty text for no value",
    sent='Entra: `""` for an optional attribute; Okta\'s test plan wants no errors from empty values',
    done="the attribute has no value",
    sources=(
        "okta/okta-developer-docs@468de9c511b5 okta-scim-test-plan-v2.xlsx",
        "ory/polis@e13ed6541ec0 npm/test/dsync/data/user-requests.ts",
    ),
    evidence=Evidence.PEER,
    settings={"empty_string_unassigns": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "replace", "path": "title", "value": ""}),
            given=(("/Users", user({"userName": "ann", "title": "CTO"})),),
            understood={"userName": "ann"},
        ),
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "title": ""}),
            status=201,
            understood={"userName": "ann"},
        ),
    ),
)

GROUP_NAMES_ARE_KEYS: Final = Quirk(
    name="group names as keys",
    sent="Entra's validator and authentik: a group that is there already is created again, perhaps in another case",
    done="409 `uniqueness`; authentik then looks the group up",
    sources=(
        "pranems/SCIMServer@1ab5aa1f641c docs/archive/SCIM_VALIDATOR_FALSE_POSITIVES_REPORT.md",
        "goauthentik/authentik authentik/providers/scim/clients/groups.py",
    ),
    evidence=Evidence.VALIDATOR,
    settings={"unique_group_names": True},
    examples=(
        Example(
            method="POST",
            target="/Groups",
            body=group({"displayName": "STAFF"}),
            given=(("/Groups", group({"displayName": "staff"})),),
            status=409,
            understood="uniqueness",
        ),
    ),
)

PLUS_FOR_BLANK: Final = Quirk(
    name="plus signs for blanks in a filter",
    sent="Entra, authentik, ssosync: `filter=userName+eq+%22a%40b.com%22`",
    done="`+` is a blank, `%2B` a plus",
    sources=(
        "MicrosoftDocs/azure-docs#11784",
        "awslabs/ssosync@21bd7da3b5e6 internal/aws/client.go",
        "goauthentik/authentik authentik/providers/scim/clients/groups.py",
    ),
    evidence=Evidence.CAPTURE,
    examples=(
        Example(
            method="GET",
            target="/Users?filter=userName+eq+%22a%40b.com%22",
            given=named("a@b.com"),
            understood=["1"],
        ),
    ),
)
