"""A client with a good token of one tenant goes through everything it could ask about another, and learns nothing.

Two worlds are told the same: in one of them the other tenant has people and groups, in the other it is empty. Whatever
the client sends, both must answer with the same bytes; so there is nothing in any answer that depends on the other
tenant, not even whether it exists.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import attrs
import pytest
from sqlalchemy import create_engine, text

from scimcore import Request, Response, ScimProvider
from scimcore.access import Caller
from scimcore.access.caller import Credentials
from scimcore.engine.immediate import finish, opened
from scimcore.errors import UnauthorizedError
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.nesting import NestedGroups
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Query, Record, Storage, SyncStorage, Tenant

TYPES: Final = (PROVISIONED_USER, PROVISIONED_GROUP)
VICTIM, HOSTILE = Tenant("victim"), Tenant("hostile")
EMPTY: Final[Mapping[str, str]] = {}
URN: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def by_token(request: Credentials) -> Caller:
    """The bearer token is the name of the tenant."""
    tenant = request.headers.get("authorization", "").removeprefix("Bearer ")
    if tenant not in (VICTIM, HOSTILE):
        raise UnauthorizedError("who are you?", "Bearer")
    return Caller(tenant=Tenant(tenant), connection="idp")


def managed(tenant: Tenant) -> Connection:
    """A connection that adopts whatever it may, and whose groups have their identifiers as ids."""
    policies = (
        Adoption(on_existing="take_over", is_verified=lambda *_: True, by_id=True),
        GroupAdoption(on_existing="link", by_id=True),
        GroupIdentifiers(collision="link", as_id=True),
        Ownership(on_foreign="take"),
        NestedGroups(),
        Leaving(on_delete="soft_delete", memberships="set_aside"),
    )
    return Connection(name="idp", tenant=tenant, policies=policies)


@attrs.define
class World:
    """A provider over a storage, whose clock stands still and whose ids are counted for each tenant."""

    storage: Storage | SyncStorage
    is_managed: bool
    """Whether policies decide about accounts and groups."""
    provider: ScimProvider = attrs.field(init=False)
    tenant: Tenant = VICTIM
    numbers: dict[Tenant, Iterator[int]] = attrs.field(
        factory=lambda: {VICTIM: itertools.count(1), HOSTILE: itertools.count(1)}
    )

    def __attrs_post_init__(self) -> None:
        self.provider = ScimProvider(
            self.storage,
            authenticate=by_token,
            resource_types=TYPES,
            connections=[managed(VICTIM), managed(HOSTILE)] if self.is_managed else (),
            clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
            new_id=lambda: f"{self.tenant}-{next(self.numbers[self.tenant])}",
            new_request_id=lambda: "request",
        )

    def send(
        self,
        tenant: Tenant,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] = EMPTY,
        claimed: str | None = None,
    ) -> Response:
        """The answer to a request of *tenant*, whose URL may have *claimed* to be about a tenant."""
        self.tenant = tenant
        path, _, query = target.partition("?")
        headers = {"Authorization": f"Bearer {tenant}", **headers}
        sent = b"" if body is None else json.dumps(body).encode()
        return self.provider.handle_sync(
            Request(method, path, quote(query, safe="=&%"), headers, sent, "https://scim.example", claimed)
        )

    def stored(self, tenant: Tenant) -> list[Record]:
        async def read() -> list[Record]:
            async with opened(self.storage, tenant) as session:
                page = await session.search(Query(resource_types=TYPES, count=1_000))
                return sorted(page.records, key=lambda record: record.id)

        return finish(read())


def populate(world: World, tenant: Tenant, name: str) -> None:
    """Three users with everything that can be asked for, and a group of two of them."""
    for number in (1, 2, 3):
        user = {
            "userName": f"{name}{number}@example.com",
            "externalId": f"00u-{name}-{number}",
            "displayName": f"{name} {number}",
            "title": f"Title of {name}",
            "emails": [{"value": f"{name}{number}@mail.example", "type": "work", "primary": True}],
            URN: {"employeeNumber": f"{name}-{number}", "manager": {"value": f"{tenant}-1"}},
        }
        assert world.send(tenant, "POST", "/Users", user).status == 201
    members = [{"value": f"{tenant}-{number}"} for number in (1, 2)]
    group = {"displayName": f"{name} team", "externalId": f"g-{name}", "members": members}
    assert world.send(tenant, "POST", "/Groups", group).status == 201


@pytest.fixture(params=[False, True], ids=["plain", "managed"])
def is_managed(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def worlds(request: pytest.FixtureRequest, tmp_path: Path, is_managed: bool) -> Iterator[tuple[World, World]]:
    """One world where the victim has people and groups, and one where it has nothing."""
    storages: list[SyncStorage | Storage] = []
    for number in (1, 2):
        match request.param:
            case "memory":
                storages.append(MemoryStorage())
                continue
            case "sqlite":
                url = f"sqlite:///{tmp_path / f'{number}.db'}"
            case _:
                url = f"postgresql+psycopg{request.getfixturevalue('postgresql')}"
                schema = f"world_{number}"
                engine = create_engine(url)
                with engine.begin() as connection:
                    connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
                    connection.execute(text(f"CREATE SCHEMA {schema}"))
                engine.dispose()
                url += ("&" if "?" in url else "?") + f"options=-csearch_path%3D{schema}"
        database = SqlStorage(url)
        database.create_all()
        storages.append(database)
    there, empty = (World(storage, is_managed) for storage in storages)
    populate(there, VICTIM, "bjensen")
    for world in (there, empty):
        populate(world, HOSTILE, "mallory")
    yield there, empty
    for storage in storages:
        if isinstance(storage, SqlStorage):
            storage.close()


PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def patch(*operations: object) -> Mapping[str, object]:
    return {"schemas": [PATCH], "Operations": list(operations)}


IDS: Final = [f"{VICTIM}-{number}" for number in (1, 2, 3, 4)]
FILTERS: Final = [
    *(f'id eq "{id}"' for id in IDS[:1]),
    'userName eq "bjensen1@example.com"',
    'userName sw "bjensen"',
    'userName ge "bjensen" and userName lt "c"',
    'not (userName sw "mallory")',
    'externalId eq "00u-bjensen-1"',
    'displayName eq "bjensen team"',
    'displayName co "bjensen"',
    'emails.value eq "bjensen1@mail.example"',
    'emails[type eq "work" and value co "bjensen"]',
    f'{URN}:employeeNumber eq "bjensen-1"',
    f'{URN}:manager.value eq "{IDS[0]}"',
    f'members.value eq "{IDS[0]}"',
    f'members[value eq "{IDS[0]}"]',
    f'groups.value eq "{IDS[3]}"',
    f'groups[value eq "{IDS[3]}" or display co "bjensen"]',
    f'members[$ref eq "https://scim.example/Users/{IDS[0]}"]',
    f'meta.location eq "https://scim.example/Users/{IDS[0]}"',
    'meta.created pr and title eq "Title of bjensen"',
    'userName eq "%" or userName co "_" or userName eq "x\' OR 1=1 --"',
    f'id eq "{VICTIM}/{IDS[0]}" or id eq "../{IDS[0]}"',
    'userName gt ""',
]
SEARCHES: Final = [
    *(f"{endpoint}?filter={filter}" for endpoint in ("/Users", "/Groups", "/") for filter in FILTERS),
    *(
        f"{endpoint}?sortBy={name}&sortOrder={order}&startIndex={start}&count={count}"
        for endpoint in ("/Users", "/Groups", "")
        for name in ("userName", "id", "displayName", "meta.created", "emails.value", "members.value", "title")
        for order in ("ascending", "descending")
        for start, count in ((1, 100), (2, 1), (4, 100))
    ),
    "/Users?count=0",
    "/Users?attributes=userName,groups",
    f"/Users?tenant={VICTIM}",
    f"/Users?tenant_id={VICTIM}&account={VICTIM}",
]
MEMBER: Final = {"value": IDS[0], "$ref": f"https://scim.example/Users/{IDS[0]}", "type": "User"}
WRITES: Final[list[tuple[str, str, object]]] = [
    # The names of the other tenant are free in this one.
    ("POST", "/Users", {"userName": "bjensen1@example.com", "externalId": "00u-bjensen-1"}),
    ("POST", "/Groups", {"displayName": "bjensen team", "externalId": "g-bjensen"}),
    ("POST", "/Users", {"id": IDS[0], "userName": "with-an-id"}),
    ("POST", "/Users", {"userName": "in-a-group", "groups": [{"value": IDS[3]}]}),
    ("POST", "/Users", {"userName": "managed", URN: {"manager": {"value": IDS[0]}}}),
    ("POST", "/Groups", {"displayName": "with a member", "members": [MEMBER]}),
    ("POST", "/Groups", {"displayName": "with a group", "members": [{"value": IDS[3], "type": "Group"}]}),
    ("POST", "/Groups", {"displayName": "with all", "members": [{"value": id} for id in IDS]}),
    ("PUT", f"/Users/{HOSTILE}-1", {"id": IDS[0], "userName": "mallory1@example.com", "groups": [{"value": IDS[3]}]}),
    ("PUT", f"/Users/{HOSTILE}-2", {"userName": "bjensen2@example.com"}),
    ("PUT", f"/Groups/{HOSTILE}-4", {"displayName": "bjensen team", "members": [MEMBER]}),
    ("PATCH", f"/Groups/{HOSTILE}-4", patch({"op": "add", "path": "members", "value": [MEMBER]})),
    ("PATCH", f"/Groups/{HOSTILE}-4", patch({"op": "remove", "path": f'members[value eq "{IDS[0]}"]'})),
    ("PATCH", f"/Groups/{HOSTILE}-4", patch({"op": "remove", "path": "members", "value": [MEMBER]})),
    ("PATCH", f"/Groups/{HOSTILE}-4", patch({"op": "replace", "value": {"id": IDS[3], "displayName": "x"}})),
    ("PATCH", f"/Users/{HOSTILE}-3", patch({"op": "replace", "path": f"{URN}:manager", "value": IDS[0]})),
    ("PATCH", f"/Users/{HOSTILE}-3", patch({"op": "add", "path": "groups", "value": [{"value": IDS[3]}]})),
    ("PATCH", f"/Users/{HOSTILE}-3", patch({"op": "replace", "path": "id", "value": IDS[0]})),
    (
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": f"/Users/{IDS[0]}"}],
        },
    ),
    ("POST", "/.search", {"filter": f'id eq "{IDS[0]}"'}),
    ("POST", "/Users/.search", {"filter": 'userName sw "bjensen"', "sortBy": "userName"}),
]
ITEMS: Final = [
    (method, f"/{endpoint}/{id}", body)
    for endpoint in ("Users", "Groups")
    for id in (*IDS, f"{VICTIM}-99", f"..%2F{VICTIM}%2F{IDS[0]}", f"{IDS[0]}%00", IDS[0].upper())
    for method, body in (
        ("GET", None),
        ("HEAD", None),
        ("PUT", {"userName": "taken", "displayName": "taken"}),
        ("PATCH", patch({"op": "replace", "path": "displayName", "value": "taken"})),
        ("PATCH", patch({"op": "remove", "path": "members"})),
        ("DELETE", None),
        ("OPTIONS", None),
    )
]


def told(response: Response) -> tuple[int, dict[str, str], bytes]:
    return response.status, dict(response.headers), response.body


def test_searches_tell_nothing(worlds: tuple[World, World]) -> None:
    there, empty = worlds
    for target in SEARCHES:
        one, other = (told(world.send(HOSTILE, "GET", target)) for world in worlds)
        assert one == other, target
        assert b"bjensen" not in one[2] or one[0] == 400, target
    assert there.stored(HOSTILE) == empty.stored(HOSTILE)


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_ids_tell_nothing_whatever_is_done_to_them(worlds: tuple[World, World], header: str) -> None:
    there, empty = worlds
    before = there.stored(VICTIM)
    for method, target, body in ITEMS:
        for headers in ({}, {header: 'W/"1"'}, {header: "*"}):
            one, other = (told(world.send(HOSTILE, method, target, body, headers=headers)) for world in worlds)
            assert one == other, (method, target, headers)
            assert one[0] in (204, 404) if method == "OPTIONS" else one[0] == 404, (method, target)
    assert there.stored(VICTIM) == before
    assert there.stored(HOSTILE) == empty.stored(HOSTILE)


def test_what_is_written_neither_meets_nor_touches_another_tenant(worlds: tuple[World, World]) -> None:
    there, empty = worlds
    before = there.stored(VICTIM)
    # The id of a group is the provider's to choose: a number, or the identifier made of its name.
    own_group = "mallory_team" if there.is_managed else f"{HOSTILE}-4"
    for method, target, body in WRITES:
        target = target.replace(f"{HOSTILE}-4", own_group)
        one, other = (told(world.send(HOSTILE, method, target, body)) for world in worlds)
        assert one[0] != 404, (one, target)
        assert one == other, (method, target, body)
    for target in SEARCHES:
        one, other = (told(world.send(HOSTILE, "GET", target)) for world in worlds)
        assert one == other, target
    assert there.stored(VICTIM) == before
    assert there.stored(HOSTILE) == empty.stored(HOSTILE)
    assert empty.stored(VICTIM) == []


def test_a_url_of_another_tenant_tells_nothing(worlds: tuple[World, World]) -> None:
    there, _ = worlds
    before = there.stored(VICTIM)
    for method, target in (*((method, target) for method, target, _ in ITEMS), ("GET", "/Users"), ("GET", "/")):
        answers = [
            told(world.send(HOSTILE, method, target, claimed=claimed))
            for world in worlds
            for claimed in (VICTIM, "no-such-tenant", "")
        ]
        assert len({(status, body) for status, _, body in answers}) == 1
        assert answers[0][0] == 404
    assert there.stored(VICTIM) == before
