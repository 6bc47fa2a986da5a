"""Whatever is sent to whatever endpoint: never a bug, never a malformed refusal, never a store changed by a refusal."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import quote

import attrs
from hypothesis import event, given
from hypothesis import strategies as st

from scimcore.access import anonymous
from scimcore.engine.events import Event
from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.rules.limits import Limits
from scimcore.schema.document import Document, Json
from scimcore.schema.messages import Error
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Query, Record, Tenant
from scimcore.testing import strategies

SECRET = "t1meMa$heen"
SMALL = Limits(max_body_bytes=20_000, max_json_depth=12, max_filter_terms=10, max_operations=8, max_patch_work=50)
STATUSES = {200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 501}

ALICE: Document = {
    "userName": "alice",
    "password": SECRET,
    "active": True,
    "title": "Guide",
    "name": {"givenName": "Alice"},
    "emails": [{"value": "a@x.org", "type": "work", "primary": True}, {"value": "b@x.org", "type": "home"}],
    ENTERPRISE_USER.id: {"employeeNumber": "7", "manager": {"value": "id-2"}},
}
SEED: tuple[tuple[str, Document], ...] = (
    ("/Users", ALICE),
    ("/Users", {"userName": "bob"}),
    ("/Groups", {"displayName": "Guides", "members": [{"value": "id-1"}, {"value": "id-2"}]}),
    ("/Groups", {"displayName": "All", "members": [{"value": "id-3"}]}),
)


# A provider that reports a bug by failing


def failing(bug: Exception, _: str) -> None:
    raise bug


@attrs.define
class World:
    """A provider with two users and two groups, and what is stored and was told there."""

    handle: Callable[[ScimProvider, Request], Response]
    storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    told: list[Event] = attrs.field(factory=list)
    provider: ScimProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        ids, requests, seconds = count(1), count(1), count()
        self.provider = ScimProvider(
            self.storage,
            authenticate=anonymous(tenant="acme"),
            limits=SMALL,
            clock=lambda: datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=next(seconds)),
            new_id=lambda: f"id-{next(ids)}",
            new_request_id=lambda: f"request-{next(requests)}",
            on_event=self.told.append,
            on_bug=failing,
        )
        for endpoint, document in SEED:
            assert self.sent(Request("POST", endpoint, body=json.dumps(document).encode())).status == 201

    def sent(self, request: Request) -> Response:
        return self.handle(self.provider, request)

    @property
    def changes(self) -> list[Event]:
        """What was told, but for refusals."""
        return [event for event in self.told if event.happening not in ("refused", "unauthenticated")]

    @property
    def state(self) -> tuple[tuple[Record, ...], int]:
        """Every record of the tenant, and how many changes were told."""
        with self.storage.session(Tenant("acme")) as session:
            return session.search(Query(resource_types=(USER, GROUP), count=1_000)).records, len(self.changes)


# What is sent

ANY_TEXT = st.text(st.characters(), max_size=12) | st.text("aA1.:[]()\"'\\%$/ \x00é\ud800", max_size=12)
NAMES = st.sampled_from(
    [
        *USER.attributes,
        *GROUP.attributes,
        "value",
        "type",
        "primary",
        "op",
        "path",
        "Operations",
        "schemas",
        "USERNAME",
        "name.givenName",
        'emails[type eq "work"].value',
        "members",
        "count",
        "filter",
        f"{ENTERPRISE_USER.id}:manager",
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63) - 1, 10**30, 0, 1, 1e308])
ANY_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | NUMBERS
    | ANY_TEXT
    | st.sampled_from(["id-1", "id-2", "nobody", "alice", "Guides", "True"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, value: Json) -> Json:
    """*value* with something else somewhere in it."""
    if not (isinstance(value, (dict, list)) and value) or draw(st.integers(0, 3)) == 0:
        return draw(ANY_JSON)
    if isinstance(value, list):
        position = draw(st.integers(0, len(value) - 1))
        return [draw(mutated(one)) if n == position else one for n, one in enumerate(value)]
    chosen = draw(st.sampled_from(sorted(value)))
    match draw(st.integers(0, 5)):
        case 0:
            return {name: one for name, one in value.items() if name != chosen}
        case 1:
            return {**value, draw(NAMES | ANY_TEXT): draw(ANY_JSON)}
        case 2:
            return {**value, chosen.swapcase(): value[chosen]}
        case _:
            return {**value, chosen: draw(mutated(value[chosen]))}


def patches(document: Document, kind: str) -> st.SearchStrategy[Json]:
    resource_type = USER if kind == "Users" else GROUP
    return strategies.patch_operations(resource_type, document).map(lambda found: {"Operations": found})


SEARCHES: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "filter": strategies.filters(USER) | ANY_TEXT,
        "sortBy": NAMES | ANY_TEXT,
        "sortOrder": st.sampled_from(["ascending", "Descending", "up"]),
        "startIndex": st.integers(-2, 5),
        "count": st.integers(-2, 5),
        "attributes": st.lists(NAMES, max_size=3),
    },
)
USERS: st.SearchStrategy[Json] = strategies.user_payloads() | st.just(ALICE)
GROUPS: st.SearchStrategy[Json] = strategies.group_payloads(["id-1", "id-2", "id-3"])
USER_PATCHES = patches({"id": "id-1", **ALICE}, "Users")


def membership(id: str) -> st.SearchStrategy[Json]:
    """One operation on the members of a group."""
    return st.sampled_from(
        [
            {"op": "add", "path": "members", "value": [{"value": id}]},
            {"op": "remove", "path": f'members[value eq "{id}"]'},
            {"op": "replace", "path": "members", "value": [{"value": id}]},
        ]
    )


def patching(operations: list[Json]) -> Json:
    return {"Operations": operations}


MEMBERSHIPS = st.sampled_from(["id-1", "id-2", "id-4", "nobody"]).flatmap(membership)
GROUP_PATCHES = patches({"id": "id-3", **SEED[2][1]}, "Groups") | st.lists(MEMBERSHIPS, min_size=1, max_size=3).map(
    patching
)
ANYTHING = USERS | GROUPS | USER_PATCHES | GROUP_PATCHES | SEARCHES


def bodies(messages: st.SearchStrategy[Json]) -> st.SearchStrategy[bytes]:
    """Some of *messages*: as they are, with something else in them, or cut off; and what is no message at all."""
    written = messages.map(lambda found: json.dumps(found, ensure_ascii=False).encode(errors="surrogatepass"))
    return st.one_of(
        written,
        messages.flatmap(mutated).map(lambda found: json.dumps(found).encode()),
        messages.flatmap(mutated).flatmap(mutated).map(lambda found: json.dumps(found).encode()),
        st.tuples(written, st.integers(0, 200), st.binary(max_size=3)).map(
            lambda found: found[0][: found[1]] + found[2]
        ),
        ANY_JSON.map(lambda found: json.dumps(found).encode()),
        st.binary(max_size=40),
    )


ENDPOINTS = [
    "Users",
    "Groups",
    "users",
    "Schemas",
    "ResourceTypes",
    "ServiceProviderConfig",
    ".search",
    "Bulk",
    "Me",
    "v1",
]
ITEMS = ["id-1", "id-2", "id-3", "id-4", "nobody", ".search", "User", USER.schema.id]
SEGMENTS = (
    st.sampled_from(ENDPOINTS[:2])
    | st.sampled_from(ENDPOINTS + ITEMS)
    | ANY_TEXT
    | ANY_TEXT.map(lambda text: quote(text, safe="", errors="surrogatepass"))
)
PATHS = st.one_of(
    st.sampled_from(["", "/", "/.search", "/Users/.search", "/Groups/.search", "/Users", "/Groups"]),
    st.tuples(st.sampled_from(ENDPOINTS[:3]), st.sampled_from(ITEMS)).map(lambda found: f"/{found[0]}/{found[1]}"),
    st.lists(SEGMENTS, max_size=3).map(lambda found: "/" + "/".join(found)),
)
PARAMETERS = st.sampled_from(
    ["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "startindex", "cursor"]
)
VALUES = st.one_of(
    strategies.filters(USER), strategies.filters(GROUP), NAMES, ANY_TEXT, st.integers(-3, 10**20).map(str)
)
QUERIES = st.one_of(
    st.just(""),
    st.lists(st.tuples(PARAMETERS, VALUES), max_size=3).map(
        lambda found: "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in found)
    ),
    st.lists(st.tuples(PARAMETERS, VALUES), max_size=2).map(
        lambda found: "&".join(f"{name}={value}" for name, value in found)
    ),
    ANY_TEXT,
)
TAGS = st.sampled_from(["*", 'W/"1"', '"1"', 'W/"2"', 'W/"1", "x"', '"', "W/"]) | ANY_TEXT
HEADERS: st.SearchStrategy[Mapping[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "application/scim+json; charset=utf-8", "text/xml"])
        | ANY_TEXT,
        "Accept": st.sampled_from(["application/json", "*/*"]) | ANY_TEXT,
        "If-Match": TAGS,
        "If-None-Match": TAGS,
    },
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]) | st.sampled_from(
    ["HEAD", "OPTIONS", "BREW", "get", ""]
)
REQUESTS = st.builds(
    Request,
    method=METHODS,
    path=PATHS,
    query=QUERIES,
    headers=st.just(dict[str, str]()) | HEADERS,
    body=bodies(ANYTHING) | st.just(b""),
)


def changes(method: str, paths: list[str], messages: st.SearchStrategy[Json]) -> st.SearchStrategy[Request]:
    return st.builds(
        Request, method=st.just(method), path=st.sampled_from(paths), query=st.just("") | QUERIES, body=bodies(messages)
    )


# Most of the requests above do not get past the routing; most of these do.
CHANGES = st.one_of(
    changes("POST", ["/Users"], USERS),
    changes("POST", ["/Groups"], GROUPS),
    changes("PUT", ["/Users/id-1", "/Users/id-2"], USERS),
    changes("PUT", ["/Groups/id-3"], GROUPS),
    changes("PATCH", ["/Users/id-1", "/Users/id-2"], USER_PATCHES),
    changes("PATCH", ["/Groups/id-3", "/Groups/id-4"], GROUP_PATCHES),
    changes("DELETE", ["/Users/id-1", "/Users/id-2", "/Groups/id-3"], st.none()),
)
QUESTIONS = st.one_of(
    changes("POST", ["/.search", "/Users/.search", "/Groups/.search"], SEARCHES),
    changes("GET", ["/", "/Users", "/Groups", "/Users/id-1", "/Groups/id-3"], st.none()),
)


def check(world: World, request: Request) -> Response:
    """What must hold of the answer to any request at all."""
    before = world.state
    response = world.sent(request)
    event(f"{request.method if request.method.isupper() else 'other'} {response.status}")
    assert response.status in STATUSES
    assert SECRET.encode() not in response.body
    if response.status >= 400:
        error = Error.model_validate_json(response.body)
        assert error.status == str(response.status)
        assert error.detail
        assert world.state == before
    elif request.method in ("GET", "HEAD", "OPTIONS") or request.path.endswith(".search"):
        assert world.state == before
    elif response.body:
        assert json.loads(response.body)["schemas"]
    return response


@given(st.lists(CHANGES | QUESTIONS | REQUESTS, min_size=1, max_size=4))
def test_whatever_is_sent_is_answered_in_order_and_alike_by_both_faces(requests: list[Request]) -> None:
    with asyncio.Runner() as runner:
        at_once = World(lambda provider, request: provider.handle_sync(request))
        in_a_loop = World(lambda provider, request: runner.run(provider.handle(request)))
        for request in requests:
            assert check(at_once, request) == check(in_a_loop, request)
        assert at_once.state == in_a_loop.state


@given(CHANGES)
def test_whatever_change_is_wanted_is_made_or_refused(request: Request) -> None:
    check(World(lambda provider, request: provider.handle_sync(request)), request)


@given(QUESTIONS | REQUESTS)
def test_whatever_is_asked_is_answered(request: Request) -> None:
    check(World(lambda provider, request: provider.handle_sync(request)), request)
