"""How OneLogin provisions: users by PUT, from a template that the administrator edits; memberships by PATCH."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import ENTERPRISE, Evidence, Example, Quirk, user
from scimcore.dialects.rewriting import with_enterprise_2
from scimcore.dialects.shared import LISTED_MEMBERS_LEAVE

_TEMPLATES: Final = "https://developers.onelogin.com/scim/define-user-schema"

_PLAIN_JSON = Quirk(
    name="answers as plain JSON",
    sent="wants `Content-Type: application/json` in answers, and asks for nothing by Accept",
    done="every answer is `application/json`",
    sources=("https://developers.onelogin.com/scim/implement-scim-api",),
    evidence=Evidence.VENDOR,
    media_type="application/json",
    examples=(
        Example(
            method="GET",
            target='/Users?filter=userName eq "never-existing-user"',
            understood=[],
            media_type="application/json",
        ),
    ),
)

_ONE_EMAIL = Quirk(
    name="e-mails as one object",
    sent='the template for the enterprise schema has `"emails": {"value": …}`',
    done="a list of one",
    sources=(_TEMPLATES, "15five/django-scim2@b725a1aeab3b django_scim/adapters.py"),
    evidence=Evidence.VENDOR,
    settings={"bare_values": True},
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "emails": {"value": "ann@example.com"}}),
            status=201,
            understood={"userName": "ann", "emails": [{"value": "ann@example.com"}]},
        ),
    ),
)

_OLD_URN = Quirk(
    name="schemas of SCIM 1",
    sent="templates list `urn:scim:schemas:core:1.0`",
    done="read as what the endpoint expects",
    sources=(_TEMPLATES,),
    evidence=Evidence.VENDOR,
    settings={"schemas_optional": True},
    examples=(
        Example(
            method="POST",
            target="/Users",
            body={"userName": "ann", "schemas": ["urn:scim:schemas:core:1.0"]},
            status=201,
            understood={"userName": "ann"},
        ),
    ),
)

_OLD_ENTERPRISE = Quirk(
    name="enterprise extension of SCIM 1",
    sent="the template for the enterprise schema has `department` and `manager.managerId` under "
    "`urn:scim:schemas:extension:enterprise:1.0`",
    done="they go under the URN of RFC 7643 §4.3, where the manager has a `value`",
    sources=(_TEMPLATES,),
    evidence=Evidence.VENDOR,
    resource=with_enterprise_2,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user(
                {
                    "userName": "ann",
                    "urn:scim:schemas:extension:enterprise:1.0": {
                        "department": "Sales",
                        "manager": {"managerId": "9", "displayName": "Ben"},
                    },
                }
            ),
            status=201,
            understood={"userName": "ann", ENTERPRISE: {"department": "Sales", "manager": {"value": "9"}}},
        ),
    ),
)

ONELOGIN: Final = Dialect.of("onelogin", _PLAIN_JSON, _ONE_EMAIL, _OLD_URN, _OLD_ENTERPRISE, LISTED_MEMBERS_LEAVE)
