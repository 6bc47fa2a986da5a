"""How the SCIM extensions of Keycloak provision; Keycloak itself has no client."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import Evidence, Example, Quirk, group, named, patch, user
from scimcore.dialects.shared import READ_ONLY_IN_BODY

_MITODL: Final = "mitodl/keycloak-scim@099fbe8321a1 src/main/java/sh/libre/scim/core/"
_SUVERA: Final = "suvera/keycloak-scim2-storage@cedd5b01bca9 ScimClient2.java"

_NO_MEMBERS = Quirk(
    name="PUT without members",
    sent="mitodl: PUT of a group leaves `members` out when the last one has gone",
    done="the group is emptied; an `externalId` that is left out goes too",
    sources=(f"{_MITODL}GroupAdapter.java",),
    evidence=Evidence.SOURCE,
    settings={"put_keeps_linkage": False},
    examples=(
        Example(
            method="PUT",
            target="/Groups/2",
            body=group({"id": "2", "externalId": "k1", "displayName": "staff"}),
            given=(*named("ann"), ("/Groups", group({"displayName": "staff", "members": [{"value": "1"}]}))),
            understood={"externalId": "k1", "displayName": "staff"},
        ),
    ),
)

_TEXT_ACTIVE = Quirk(
    name="active as text",
    sent='mitodl, in its PATCH mode: `active` as `"true"` or `"false"`',
    done="read as a boolean",
    sources=(f"{_MITODL}UserAdapter.java",),
    evidence=Evidence.SOURCE,
    settings={"strings_as_booleans": True},
    examples=(
        Example(
            method="PATCH",
            target="/Users/1",
            body=patch({"op": "replace", "path": "active", "value": "false"}),
            given=named("ann"),
            understood={"userName": "ann", "active": False},
        ),
    ),
)

_FOREIGN_GROUPS = Quirk(
    name="Keycloak's groups inside a user",
    sent="suvera: `groups` with Keycloak's own ids, although `groups` is readOnly",
    done="left out: memberships come from groups alone",
    sources=(_SUVERA,),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "groups": [{"display": "staff", "value": "k1", "type": "direct"}]}),
            status=201,
            understood={"userName": "ann"},
        ),
    ),
)

_EMPTY_LISTS = Quirk(
    name="empty lists",
    sent="suvera: `emails`, `addresses`, `photos` and the like as `[]`",
    done="no value (RFC 7643 §2.5)",
    sources=(_SUVERA,),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "emails": [], "addresses": [], "photos": [], "x509Certificates": []}),
            status=201,
            understood={"userName": "ann"},
        ),
    ),
)

_PLAIN_JSON = Quirk(
    name="bodies as plain JSON",
    sent="mitodl: `Content-Type: application/json`, if configured",
    done="read like `application/scim+json`",
    sources=(f"{_MITODL}ScimClient.java",),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="POST",
            target="/Users",
            headers={"Content-Type": "application/json"},
            body=user({"userName": "ann"}),
            status=201,
            understood={"userName": "ann"},
        ),
    ),
)

KEYCLOAK: Final = Dialect.of(
    "keycloak", _NO_MEMBERS, _TEXT_ACTIVE, _FOREIGN_GROUPS, _EMPTY_LISTS, READ_ONLY_IN_BODY, _PLAIN_JSON
)
