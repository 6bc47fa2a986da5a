"""An account of a platform in the manner of Harness, and what its identity providers say to it."""

from typing import Any, Final

from tests.stories.conftest import ACCOUNT, Answer, Client, Make, Platform

from scimcore import ScimProvider
from scimcore.dialects import ENTRA, OKTA
from scimcore.profiles import IdentityProvider, harness_profile
from scimcore.provisioning.provenance import PROVISIONING_URN
from scimcore.provisioning.scopes import Scope

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SOURCE: Final = f"{PROVISIONING_URN}:managedBy"
OKTA_APP: Final = IdentityProvider(name="okta", account=ACCOUNT, dialect=OKTA, where="Okta > Applications > Harness")
NEW_APP: Final = IdentityProvider(name="okta-new", account=ACCOUNT, dialect=OKTA)
PROJECT: Final = IdentityProvider(name="entra-web", account=ACCOUNT, dialect=ENTRA, scope=Scope(ACCOUNT, "emea", "web"))


def served(*providers: IdentityProvider, **settings: Any) -> Make:
    def make(platform: Platform) -> ScimProvider:
        return harness_profile(
            platform.storage,
            authenticate=platform.tokens.authenticate,
            providers=providers,
            clock=platform.clock,
            on_event=platform.audit,
            on_bug=platform.on_bug,
            **settings,
        )

    return make


def person(email: str, given: str, family: str, **more: object) -> dict[str, object]:
    return {
        "schemas": [USER],
        "userName": email,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": True, "value": email, "type": "work"}],
        "displayName": f"{given} {family}",
        "active": True,
        **more,
    }


def assigned(client: Client, email: str, given: str = "Jane", family: str = "Doe", **more: object) -> str:
    answer = client.post("/Users", person(email, given, family, **more))
    assert answer.status == 201, answer.body
    return answer.id


def pushed(client: Client, name: str, *members: str, **more: object) -> Answer:
    elements = [{"value": member} for member in members]
    return client.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": elements, **more})


def deactivated(client: Client, id: str) -> Answer:
    return client.patch(f"/Users/{id}", {"op": "replace", "value": {"active": False}})
