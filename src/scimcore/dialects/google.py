"""How ssosync carries Google Workspace users and groups. Google's own client is not published."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import Evidence, Example, Quirk, user
from scimcore.dialects.shared import LISTED_MEMBERS_LEAVE, PLUS_FOR_BLANK

_BARE_ADDRESS = Quirk(
    name="address of nothing but a type",
    sent='`"addresses": [{"type": "work"}]` with every user',
    done="stored as it is",
    sources=("awslabs/ssosync@21bd7da3b5e6 internal/aws/schema.go",),
    evidence=Evidence.SOURCE,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "a@b.com", "addresses": [{"type": "work"}]}),
            status=201,
            understood={"userName": "a@b.com", "addresses": [{"type": "work"}]},
        ),
    ),
)

GOOGLE: Final = Dialect.of("google", PLUS_FOR_BLANK, _BARE_ADDRESS, LISTED_MEMBERS_LEAVE)
