"""How Okta provisions. Its integrations use PATCH for groups and (de)activation, those of the wizard PUT alone."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import Evidence, Example, Quirk, group, named, patch, user
from scimcore.dialects.shared import EMPTY_TEXT, LINKAGE_STAYS, READ_ONLY_IN_BODY, REPEATED_MEMBERS

_REFERENCE: Final = "https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/"

_PASSWORD = Quirk(
    name="password placeholder and empty groups",
    sent="every POST of a user carries a `password`, synced or not, and `groups: []`",
    done="neither is stored, nor ever shown",
    sources=(_REFERENCE,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "groups": [], "password": "1mz050nq", "active": True}),
            status=201,
            understood={"userName": "ann", "active": True},
        ),
    ),
)

_RENAME = Quirk(
    name="id repeated in a rename",
    sent="a `replace` without path whose value holds the group's readOnly `id`, with every change of members too",
    done="the same `id` is passed over, another one is `mutability`; the unchanged name changes nothing",
    sources=(_REFERENCE,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="PATCH",
            target="/Groups/1",
            body=patch({"op": "replace", "value": {"id": "1", "displayName": "renamed"}}),
            given=(("/Groups", group({"displayName": "staff"})),),
            understood={"displayName": "renamed"},
        ),
        Example(
            method="PATCH",
            target="/Groups/1",
            body=patch({"op": "replace", "value": {"id": "2", "displayName": "renamed"}}),
            given=(("/Groups", group({"displayName": "staff"})),),
            status=400,
            understood="mutability",
        ),
    ),
)

_NULL_DISPLAY = Quirk(
    name="null displays of members",
    sent='integrations of the wizard: PUT of a group with its `id` and members with `"display": null`',
    done="null is no value",
    sources=("jelhub/scimgateway#95",),
    evidence=Evidence.CAPTURE,
    examples=(
        Example(
            method="PUT",
            target="/Groups/2",
            body=group({"id": "2", "displayName": "staff", "members": [{"value": "1", "display": None}]}),
            given=(*named("ann"), ("/Groups", group({"displayName": "staff"}))),
            understood={"displayName": "staff", "members": [{"value": "1"}]},
        ),
    ),
)

_DESCRIPTION = Quirk(
    name="Okta's own group extension",
    sent="`urn:okta:custom:group:1.0` with the description of a group",
    done="ignored and reported, unless the application declares that extension",
    sources=("okta/okta-developer-docs PR 800",),
    evidence=Evidence.VENDOR,
    settings={"ignore_unknown": True},
    examples=(
        Example(
            method="POST",
            target="/Groups",
            body=group({"displayName": "staff", "urn:okta:custom:group:1.0": {"description": "All of them"}}),
            status=201,
            understood={"displayName": "staff"},
        ),
    ),
)

_UPPER_CASE = Quirk(
    name="look-up in upper case",
    sent="the SPEC test looks a user up by its userName in upper case",
    done="found: RFC 7643 §4.1.1 compares userNames without case",
    sources=("okta/okta-developer-docs@468de9c511b5 Okta-SCIM-20-SPEC-Test.json",),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET",
            target="/Users?filter=userName%20eq%20%22ANN@OKTA.LOCAL%22&startIndex=1&count=100",
            given=named("ann@okta.local"),
            understood=["1"],
        ),
    ),
)

OKTA: Final = Dialect.of(
    "okta",
    _PASSWORD,
    READ_ONLY_IN_BODY,
    LINKAGE_STAYS,
    EMPTY_TEXT,
    _RENAME,
    REPEATED_MEMBERS,
    _NULL_DISPLAY,
    _DESCRIPTION,
    _UPPER_CASE,
)
