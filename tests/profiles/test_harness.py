"""What the Harness profile itself decides; whole conversations are told in tests/stories."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from scimcore import Request
from scimcore.access import Caller, Credentials
from scimcore.dialects import ENTRA, OKTA, ONELOGIN
from scimcore.profiles import IdentityProvider, harness_guard, harness_profile
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant

PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PROVIDERS: Final = (
    IdentityProvider(name="okta", account="acme", dialect=OKTA, where="Okta > Applications > Acme"),
    IdentityProvider(name="onelogin", account="acme", dialect=ONELOGIN),
    IdentityProvider(name="okta", account="globex", dialect=ENTRA, where="Entra > Enterprise applications"),
)


def by_name(credentials: Credentials) -> Caller:
    """An authenticator whose token is account and connection."""
    account, _, connection = credentials.headers["authorization"].partition("/")
    return Caller(tenant=Tenant(account), connection=connection)


Send = Callable[..., tuple[int, Any]]


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    """Sends one request to a profile over an empty storage; status and body of the answer."""
    provider = harness_profile(MemoryStorage(), authenticate=by_name, providers=PROVIDERS)

    def send(method: str, path: str, body: object = None, caller: str = "acme/okta") -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        asked = Request(method, path, "", {"Authorization": caller}, sent)
        answer = provider.handle_sync(asked) if request.param == "sync" else asyncio.run(provider.handle(asked))
        return answer.status, json.loads(answer.body) if answer.body else None

    return send


def test_two_identity_providers_of_one_account_need_two_names() -> None:
    twice = [IdentityProvider(name="okta", account="acme"), IdentityProvider(name="okta", account="acme")]
    with pytest.raises(ValueError, match="stands twice"):
        harness_profile(MemoryStorage(), authenticate=by_name, providers=twice)


def test_who_is_no_identity_provider_of_the_account_is_refused(send: Send) -> None:
    status, body = send("GET", "/Users", caller="globex/onelogin")
    assert (status, body["detail"]) == (403, "there is no such connection")


JANE: Final = {"givenName": "Jane", "familyName": "Doe"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (
            {"userName": "Jane@Acme.Example"},
            {"userName": "jane@acme.example", "emails": [{"value": "jane@acme.example", "primary": True}]},
        ),
        (
            {"userName": "jane@acme.example", "emails": [{"value": "other@acme.example", "type": "home"}]},
            {
                "userName": "jane@acme.example",
                "emails": [{"value": "jane@acme.example", "type": "home", "primary": True}],
            },
        ),
        (
            {
                "userName": "jane@acme.example",
                "emails": [{"value": "a@b.example", "type": "home"}, {"value": "c@d.example", "primary": True}],
            },
            {"userName": "jane@acme.example", "emails": [{"value": "jane@acme.example", "primary": True}]},
        ),
        ({"userName": "j@acme.example", "name": JANE}, {"displayName": "Jane Doe"}),
        ({"userName": "j@acme.example", "name": JANE, "displayName": "JD"}, {"displayName": "JD"}),
        ({"userName": "j@acme.example", "name": {"familyName": "Doe"}}, {"displayName": "Doe"}),
        ({"userName": "j@acme.example", "name": {"formatted": "Dr. Jane"}}, {"displayName": None, "name": None}),
        ({"userName": "ﬁ\u212a@acme.example"}, {"userName": "ﬁ\u212a@acme.example"}),
    ],
)
def test_a_user_is_an_e_mail_address_and_a_name_to_show(
    send: Send, sent: Mapping[str, object], stored: Mapping[str, object]
) -> None:
    status, body = send("POST", "/Users", sent)
    assert status == 201
    assert {name: body.get(name) for name in stored} == stored


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"name": {"familyName": "Poe"}}, "Jane Poe"),
        ({"name": {"familyName": "Poe"}, "displayName": "JP"}, "JP"),
        ({"displayName": "JP"}, "JP"),
        ({"displayName": ""}, "Jane Doe"),
        ({"title": "CTO"}, "Jane Doe"),
    ],
)
def test_who_is_shown_by_given_and_family_name_goes_on_being_so(
    send: Send, value: Mapping[str, object], shown: str
) -> None:
    _, jane = send("POST", "/Users", {"userName": "jane@acme.example", "name": JANE})
    message = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": value}]}
    status, body = send("PATCH", f"/Users/{jane['id']}", message)
    assert (status, body["displayName"]) == (200, shown)


def test_a_new_user_name_is_a_new_e_mail_address(send: Send) -> None:
    _, jane = send("POST", "/Users", {"userName": "jane@acme.example", "name": JANE})
    message = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "userName", "value": "J.Poe@acme.example"}]}
    status, body = send("PATCH", f"/Users/{jane['id']}", message)
    assert (status, body["userName"]) == (200, "j.poe@acme.example")
    assert body["emails"] == [{"value": "j.poe@acme.example", "primary": True}]


def test_what_another_provider_manages_gets_no_name_from_this_one(send: Send) -> None:
    _, jane = send("POST", "/Users", {"userName": "jane@acme.example"})
    sent = {"userName": "jane@acme.example", "name": JANE}
    status, body = send("POST", "/Users", sent, caller="acme/onelogin")
    assert (status, body["id"], body.get("displayName")) == (201, jane["id"], None)


def test_a_group_created_again_is_the_one_that_is_there_with_the_name_that_it_has(send: Send) -> None:
    first = send("POST", "/Groups", {"displayName": "team-a"})
    for name in ("team-a", "team.a", "team a"):
        status, body = send("POST", "/Groups", {"displayName": name})
        assert (status, body["id"], body["displayName"]) == (201, "team_a", "team-a")
    assert first[1]["id"] == "team_a"
    assert send("POST", "/Groups", {"displayName": "Team A"})[1]["id"] == "Team_A"


def test_the_guard_of_an_account_knows_its_own_identity_providers() -> None:
    assert harness_guard(PROVIDERS, "acme").where == {"okta": "Okta > Applications > Acme"}
    assert harness_guard(PROVIDERS, "globex").where == {"okta": "Entra > Enterprise applications"}
