"""How Harness answers: no client, but the provider that clients set up for it expect.

What it does with accounts (adoption, identifiers of groups, removal instead of suspension) is for policies. Operations
that it passes over in silence are answered here as everywhere else.
"""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import Evidence, Example, Quirk, group, named, patch
from scimcore.dialects.shared import LISTED_MEMBERS_LEAVE

_SERVICE: Final = "harness/harness-core NGScimGroupServiceImpl.java (behaviour only)"

_NO_BODY = Quirk(
    name="PATCH of a group without a body",
    sent="answers every PATCH of a group 204",
    done="204, unless the client asks with `attributes`",
    sources=(_SERVICE,),
    evidence=Evidence.SOURCE,
    bodiless_patches=frozenset({"Group"}),
    examples=(
        Example(
            method="PATCH",
            target="/Groups/2",
            body=patch({"op": "Add", "path": "members", "value": [{"value": "1"}]}),
            given=(*named("ann"), ("/Groups", group({"displayName": "staff"}))),
            status=204,
            understood={"displayName": "staff", "members": [{"value": "1"}]},
        ),
    ),
)

_FREE_NAMES = Quirk(
    name="group names are no keys",
    sent="`Team A` and `team a` are two groups: their identifiers `Team_A` and `team_a` differ",
    done="a name may be used twice; whether two groups may share an identifier is a policy's question",
    sources=("harness/harness-core UuidAndIdentifierUtils.java (behaviour only)", _SERVICE),
    evidence=Evidence.SOURCE,
    settings={"unique_group_names": False},
    examples=(
        Example(
            method="POST",
            target="/Groups",
            body=group({"displayName": "team a"}),
            given=(("/Groups", group({"displayName": "Team A"})),),
            status=201,
            understood={"displayName": "team a"},
        ),
    ),
)

_STRANGERS = Quirk(
    name="strangers among the members",
    sent="drops members that it does not know",
    done="skipped and reported",
    sources=(_SERVICE,),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="POST",
            target="/Groups",
            body=group({"displayName": "staff", "members": [{"value": "1"}, {"value": "nobody"}]}),
            given=named("ann"),
            status=201,
            understood={"displayName": "staff", "members": [{"value": "1"}]},
        ),
    ),
)

HARNESS: Final = Dialect.of("harness", _NO_BODY, _FREE_NAMES, _STRANGERS, LISTED_MEMBERS_LEAVE)
