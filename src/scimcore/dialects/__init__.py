"""How identity providers talk: a Dialect is a name, a Tolerance and cited quirks.

`detect` guesses who talks, for diagnosis; which dialect applies is for an application to say.
"""

from collections.abc import Mapping
from typing import Final

from scimcore.dialects.authentik import AUTHENTIK
from scimcore.dialects.detection import Diagnosis, detect
from scimcore.dialects.dialect import DEFAULT, STRICT, Dialect
from scimcore.dialects.entra import ENTRA, ENTRA_SCIM2020
from scimcore.dialects.google import GOOGLE
from scimcore.dialects.harness import HARNESS
from scimcore.dialects.jumpcloud import JUMPCLOUD
from scimcore.dialects.keycloak import KEYCLOAK
from scimcore.dialects.okta import OKTA
from scimcore.dialects.onelogin import ONELOGIN
from scimcore.dialects.ping import PING_FEDERATE, PING_ONE
from scimcore.dialects.quirk import Evidence, Example, Quirk

DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (
        DEFAULT,
        STRICT,
        OKTA,
        ENTRA,
        ENTRA_SCIM2020,
        ONELOGIN,
        JUMPCLOUD,
        PING_FEDERATE,
        PING_ONE,
        KEYCLOAK,
        AUTHENTIK,
        GOOGLE,
        HARNESS,
    )
}
"""Every dialect that comes with scimcore, by its name."""

__all__ = [
    "AUTHENTIK",
    "DEFAULT",
    "DIALECTS",
    "ENTRA",
    "ENTRA_SCIM2020",
    "GOOGLE",
    "HARNESS",
    "JUMPCLOUD",
    "KEYCLOAK",
    "OKTA",
    "ONELOGIN",
    "PING_FEDERATE",
    "PING_ONE",
    "STRICT",
    "Diagnosis",
    "Dialect",
    "Evidence",
    "Example",
    "Quirk",
    "detect",
]
