"""One provider below several paths, some of which name the tenant (RFC 7644 §6), over ASGI and WSGI."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol

import attrs
import httpx
import pytest
from werkzeug.test import Client

from scimcore.access import BearerTokens, Caller
from scimcore.adapters.asgi import ScimApp
from scimcore.adapters.paths import PathTemplate, PathTemplates
from scimcore.adapters.tenants import TenantPaths, TenantWsgiPaths
from scimcore.adapters.wsgi import ScimWsgiApp
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant

HOST = "http://scim.example.com"
PATHS = ("/scim/v2", "/scim/{tenant}/v2", "/gateway/ng/api/scim/account/{tenant}")
TENANTS = ("acme", "globex", "a/b c", "Zoë", "v2")
TOKENS = {tenant: f"token-of-tenant-number-{number}" for number, tenant in enumerate(TENANTS)}


@attrs.frozen
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class Ask(Protocol):
    def __call__(self, path: str, token: str | None = None, method: str = "GET", body: object = None) -> Answer: ...


def in_process(kind: str, provider: ScimProvider, public_url: str | None = None) -> Ask:
    """Asks an application that serves *provider* below PATHS."""

    def over_asgi(path: str, token: str | None = None, method: str = "GET", body: object = None) -> Answer:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(TenantPaths(ScimApp(provider), PATHS, public_url))
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, headers=headers(token), json=body)

        answer = asyncio.run(asked())
        return Answer(answer.status_code, dict(answer.headers), answer.json() if answer.content else None)

    def over_wsgi(path: str, token: str | None = None, method: str = "GET", body: object = None) -> Answer:
        client = Client(TenantWsgiPaths(ScimWsgiApp(provider), PATHS, public_url))
        answer = client.open(path, base_url=HOST, method=method, headers=headers(token), json=body)
        return Answer(answer.status_code, dict(answer.headers.to_wsgi_list()), json.loads(answer.data or b"null"))

    return over_asgi if kind == "asgi" else over_wsgi


def headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture(params=["asgi", "wsgi"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def for_all_tenants() -> ScimProvider:
    numbers = iter(range(1_000_000))
    return ScimProvider(
        MemoryStorage(),
        authenticate=BearerTokens({token: Caller(tenant=Tenant(tenant)) for tenant, token in TOKENS.items()}),
        new_request_id=lambda: "request",
        new_id=lambda: f"id-{next(numbers)}",
    )


@pytest.fixture
def ask(kind: str) -> Ask:
    """Asks a provider that knows every one of TENANTS by its token."""
    return in_process(kind, for_all_tenants())


@pytest.mark.rfc("P-6-01")
@pytest.mark.parametrize(
    ("path", "tenant", "mounted", "below"),
    [
        ("/scim/v2/Users", None, "/scim/v2", "/Users"),
        ("/scim/acme/v2/Users", "acme", "/scim/acme/v2", "/Users"),
        ("/scim/a%2Fb%20c/v2/Users/x%2Fy", "a/b c", "/scim/a%2Fb%20c/v2", "/Users/x%2Fy"),
        ("/scim/Zo%C3%AB/v2/Users", "Zoë", "/scim/Zo%C3%AB/v2", "/Users"),
        ("/scim/%61cme/v2/Users", "acme", "/scim/acme/v2", "/Users"),
        ("/sc%69m/acme/%76%32/Users", "acme", "/scim/acme/v2", "/Users"),
        ("/scim/v2/v2/Users", "v2", "/scim/v2/v2", "/Users"),
        ("/gateway/ng/api/scim/account/kmpy/Groups", "kmpy", "/gateway/ng/api/scim/account/kmpy", "/Groups"),
        ("/scim/acme/v2", "acme", "/scim/acme/v2", ""),
        ("/scim/acme/v2/", "acme", "/scim/acme/v2", "/"),
    ],
)
def test_a_path_says_the_tenant_and_the_mount_point(
    kind: str, provider: ScimProvider, asked: list[Request], path: str, tenant: str | None, mounted: str, below: str
) -> None:
    in_process(kind, provider)(path)
    (request,) = asked
    assert (request.tenant, request.base_url, request.path) == (tenant, f"{HOST}{mounted}", below)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/Users",
        "/scim",
        "/scim/",
        "/scim/v2x/Users",
        "/scim/acme/v3/Users",
        "/scim//v2/Users",
        "/SCIM/v2/Users",
        "/gateway/ng/api/scim/account",
        "/gateway/ng/api/scim/account/",
        "/scim/acme%2Fv2/Users",
    ],
)
def test_every_other_path_is_a_scim_404(kind: str, provider: ScimProvider, asked: list[Request], path: str) -> None:
    answer = in_process(kind, provider)(path)
    assert (answer.status, answer.body["status"], answer.body["detail"]) == (404, "404", "endpoint not found")
    assert asked == []


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_location_leads_back_to_the_resource(kind: str, tenant: str) -> None:
    provider = for_all_tenants()
    for public_url, base in ((None, HOST), ("https://id.example.org/proxied/", "https://id.example.org/proxied")):
        ask = in_process(kind, provider, public_url)
        for template in PATHS:
            mounted = PathTemplate.parsed(template).url(tenant)
            user = {"userName": f"{template} {base}"}
            created = ask(f"{mounted}/Users", TOKENS[tenant], "POST", user)
            location = created.headers["location"]
            assert created.status == 201
            assert location == created.body["meta"]["location"] == f"{base}{mounted}/Users/{created.body['id']}"
            assert ask(location.removeprefix(base), TOKENS[tenant]).body["userName"] == user["userName"]


@pytest.mark.rfc("P-6.1-01", "P-6-02")
@pytest.mark.parametrize("template", PATHS[1:])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/Users", None),
        ("GET", "/Users/id-0", None),
        ("GET", '/Users?filter=userName eq "ada"', None),
        ("GET", "/Groups", None),
        ("GET", "/Schemas", None),
        ("GET", "/", None),
        ("GET", "/NoSuchEndpoint", None),
        ("HEAD", "/Users/id-0", None),
        ("OPTIONS", "/Users", None),
        ("POST", "/Users", {"userName": "ada"}),
        ("POST", "/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}),
        ("POST", "/Bulk", {"Operations": []}),
        ("PUT", "/Users/id-0", {"userName": "ada"}),
        ("PATCH", "/Users/id-0", {"Operations": [{"op": "replace", "value": {"active": False}}]}),
        ("PATCH", "/Users/id-0", {"Operations": []}),
        ("DELETE", "/Users/id-0", None),
        ("DELETE", "/Users/id-7", None),
    ],
)
def test_a_token_opens_no_path_of_another_tenant_and_learns_nothing_there(
    ask: Ask, template: str, method: str, target: str, body: object
) -> None:
    theirs, nobodys = (PathTemplate.parsed(template).url(tenant) for tenant in ("globex", "no-such-tenant"))
    ask(f"{theirs}/Users", TOKENS["globex"], "POST", {"userName": "grace"})
    before = ask(f"{theirs}/Users", TOKENS["globex"]).body
    answers = [ask(mounted + target, TOKENS["acme"], method, body) for mounted in (theirs, nobodys)]
    assert answers[0] == answers[1]
    assert answers[0].status == 404
    assert ask(f"{theirs}/Users", TOKENS["globex"]).body == before


@pytest.mark.rfc("P-2-01")
def test_without_a_token_every_tenant_is_the_same(ask: Ask) -> None:
    answers = [ask(f"/scim/{tenant}/v2/Users", token) for tenant in ("acme", "none") for token in (None, "x" * 40)]
    assert answers[:2] == answers[2:]
    assert [answer.status for answer in answers] == [401] * 4


def test_what_anyone_may_ask_says_nothing_about_tenants(ask: Ask) -> None:
    answers = [ask(f"/scim/{tenant}/v2/ServiceProviderConfig") for tenant in ("acme", "none")]
    located = [str(answer.body).replace("/scim/acme/", "/scim/none/") for answer in answers]
    assert located[0] == located[1]


def test_tenants_are_compared_exactly(ask: Ask) -> None:
    for spelled in ("ACME", "acme%00", "acme%20", "%EF%BD%81cme", "acme%2E", "acme%FF", "acm%D0%B5"):
        assert ask(f"/scim/{spelled}/v2/Users", TOKENS["acme"]).status == 404
    assert ask("/scim/acme/v2/Users", TOKENS["acme"]).status == 200


def test_a_plain_path_serves_every_tenant_by_its_token(ask: Ask) -> None:
    for tenant, token in TOKENS.items():
        assert ask("/scim/v2/Users", token, "POST", {"userName": "ada", "title": tenant}).status == 201
    for tenant, token in TOKENS.items():
        (user,) = ask("/scim/v2/Users", token).body["Resources"]
        assert user["title"] == tenant


@pytest.mark.parametrize(
    "text",
    [
        *("", "scim", "scim/v2", "//", "/scim//v2", "/scim/../v2", "/scim/.", "/{tenant}/{tenant}", "/{account}"),
        *("/x{tenant}", "/{tenant", "/scim?x", "/scim#x", "/a%20b", "/a\nb", "/{Tenant}"),
    ],
)
def test_a_template_that_no_path_can_match_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|segment"):
        PathTemplate.parsed(text)


@pytest.mark.parametrize("path", ["/scim/../v2/Users", "/scim/./v2/Users", "/scim/%2E%2e/v2/Users"])
def test_a_path_that_climbs_names_no_tenant(path: str) -> None:
    assert PathTemplates.parsed(PATHS).matched(path) is None


def test_at_least_one_path_is_served() -> None:
    with pytest.raises(ValueError, match="at least one path"):
        PathTemplates.parsed(())


def test_the_root_is_a_path_and_others_come_before_it() -> None:
    templates = PathTemplates.parsed(("/", "/{tenant}", "/scim/", "/scim"))
    assert [template.segments for template in templates.templates] == [("scim",), (None,), ()]
    found = [templates.matched(path) for path in ("/scim/Users", "/acme/Users", "/", "")]
    assert [one and one[1] for one in found] == ["/scim", "/acme", "", ""]


def test_an_application_around_it_is_part_of_the_url(provider: ScimProvider, asked: list[Request]) -> None:
    application = TenantPaths(ScimApp(provider), PATHS)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/idp/scim/a/b/v2/Users",
        "raw_path": b"/idp/scim/a%2Fb/v2/Users",
        "root_path": "/idp",
        "query_string": b"",
        "headers": [(b"host", b"scim.example.com")],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: object) -> None:
        pass

    for path in ("/idp/scim/a/b/v2/Users", "/scim/a/b/v2/Users"):
        asyncio.run(application({**scope, "path": path}, receive, send))
    for request in asked:
        assert (request.tenant, request.path) == ("a/b", "/Users")
        assert request.base_url == f"{HOST}/idp/scim/a%2Fb/v2"
