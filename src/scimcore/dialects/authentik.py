"""How authentik provisions: it creates blindly and looks a group up only after a 409."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import CORE_GROUP, Evidence, Example, Quirk, group, patch
from scimcore.dialects.shared import GROUP_NAMES_ARE_KEYS, LISTED_MEMBERS_LEAVE, PLUS_FOR_BLANK

_WHOLE_GROUP = Quirk(
    name="whole group in a replace",
    sent="a `replace` without path whose value is the group, with its `id` and `schemas`",
    done="attributes replace attributes; the same `id` and the `schemas` are passed over",
    sources=("goauthentik/authentik PR 23950",),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="PATCH",
            target="/Groups/1",
            body=patch(
                {
                    "op": "replace",
                    "value": {"id": "1", "schemas": [CORE_GROUP], "displayName": "staff", "externalId": "a1"},
                }
            ),
            given=(("/Groups", group({"displayName": "old"})),),
            understood={"displayName": "staff", "externalId": "a1"},
        ),
    ),
)

AUTHENTIK: Final = Dialect.of("authentik", GROUP_NAMES_ARE_KEYS, PLUS_FOR_BLANK, _WHOLE_GROUP, LISTED_MEMBERS_LEAVE)
