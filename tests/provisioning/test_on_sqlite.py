"""What policies decide about leavers and groups holds in a database, and for many clients at once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier, Thread
from typing import Final, Literal

import attrs
import pytest
from tests.engine.conftest import PATCH_OP
from tests.provisioning.connections import ACME, SHARED_NAMES, storage_of

from scimcore.access import Caller, anonymous
from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning import Connection, Intent, Policy
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER, PROVISIONING_URN
from scimcore.storage.protocol import Session, Storage, SyncStorage

CLIENTS: Final = 6


@attrs.frozen
class Server:
    """A provider over a database, with the policies of its only connection."""

    provider: ScimProvider

    def send(self, method: str, path: str, body: object = None) -> Response:
        return self.provider.handle_sync(Request(method, path, body=json.dumps(body).encode() if body else b""))

    def created(self, path: str, **values: object) -> str:
        response = self.send("POST", path, values)
        assert response.status == 201, response.body
        id: str = json.loads(response.body)["id"]
        return id

    def set(self, path: str, **values: object) -> dict[str, object]:
        operation = {"op": "replace", "value": values}
        response = self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": [operation]})
        assert response.status == 200, response.body
        body: dict[str, object] = json.loads(response.body)
        return body

    def found(self, path: str, filter: str) -> list[str]:
        response = self.send("POST", f"{path}/.search", {"filter": filter})
        return [one["id"] for one in json.loads(response.body)["Resources"]]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SyncStorage | Storage]:
    with storage_of("sqlite", tmp_path) as storage:
        yield storage


def server(storage: SyncStorage | Storage, *policies: Policy, name: str = "") -> Server:
    connection = Connection(name=name, tenant=ACME, policies=policies, dialect=SHARED_NAMES)
    types = (PROVISIONED_USER, PROVISIONED_GROUP)
    caller = Caller(tenant=ACME, connection=name)
    return Server(ScimProvider(storage, authenticate=lambda _: caller, resource_types=types, connections=[connection]))


@attrs.define
class Meanwhile:
    """A policy that does something in another thread between the look-up of another policy and the write."""

    act: Callable[[], Response]
    done: list[Future[Response]] = attrs.field(factory=list)

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        if not self.done:
            self.done.append(Future())
            Thread(target=lambda: self.done[0].set_result(self.act())).start()
            # As long as the other one takes, unless it has to wait for this one.
            wait(self.done, timeout=0.5)
        return intent


@pytest.mark.parametrize(
    ("path", "first", "second", "policy"),
    [
        (
            "/Users",
            {"userName": "a", "externalId": "1"},
            {"userName": "b", "externalId": "1"},
            Adoption(on_existing="link"),
        ),
        ("/Groups", {"displayName": "A"}, {"displayName": "A"}, GroupAdoption()),
    ],
)
def test_what_another_one_creates_between_look_up_and_write_is_found(
    storage: SyncStorage | Storage, path: str, first: object, second: object, policy: Policy
) -> None:
    meanwhile = Meanwhile(lambda: okta.send("POST", path, second))
    okta = server(storage, policy, meanwhile, Ownership(), name="okta")
    assert okta.send("POST", path, first).status == 201
    assert meanwhile.done[0].result(10).status == 409
    assert len(okta.found(path, "id pr")) == 1


def test_who_leaves_is_suspended_and_comes_back_with_the_same_groups(storage: SyncStorage | Storage) -> None:
    okta = server(storage, Leaving(on_delete="soft_delete", memberships="set_aside"))
    id = okta.created("/Users", userName="bjensen", active=True)
    groups = [okta.created("/Groups", displayName=name, members=[{"value": id}]) for name in ("A", "B")]
    assert "groups" not in okta.set(f"/Users/{id}", active=False)
    assert okta.found("/Users", "active eq false") == [id]
    assert okta.found("/Groups", f'members[value eq "{id}"]') == []
    assert okta.set(f"/Users/{id}", active=True)["groups"]
    assert sorted(okta.found("/Groups", f'members[value eq "{id}"]')) == sorted(groups)
    assert okta.send("DELETE", f"/Users/{id}").status == 204
    assert okta.send("GET", f"/Users/{id}").status == 404
    assert okta.found("/Users", 'userName eq "bjensen"') == []
    assert Server(
        ScimProvider(storage, authenticate=anonymous(tenant="acme"), resource_types=(PROVISIONED_USER,))
    ).found("/Users", f"active eq false and {PROVISIONING_URN}:purgeAfter pr") == [id]


@pytest.mark.parametrize(
    ("collision", "statuses"), [("refuse", [201] + [409] * (CLIENTS - 1)), ("link", [201] * CLIENTS)]
)
@pytest.mark.parametrize("as_id", [False, True])
def test_many_who_make_the_same_group_at_once_make_one(
    storage: SyncStorage | Storage, collision: Literal["refuse", "link"], statuses: list[int], as_id: bool
) -> None:
    okta = server(storage, GroupIdentifiers(collision=collision, as_id=as_id))
    barrier = Barrier(CLIENTS)

    def create(name: str) -> int:
        barrier.wait()
        return okta.send("POST", "/Groups", {"displayName": name}).status

    names = [f"team{sign}a" for sign in "-. _-."]
    with ThreadPoolExecutor(CLIENTS) as clients:
        assert sorted(clients.map(create, names)) == statuses
    assert len(okta.found("/Groups", f'{PROVISIONING_URN}:identifier eq "team_a"')) == 1
    assert okta.found("/Groups", "displayName pr") == okta.found(
        "/Groups", f'{PROVISIONING_URN}:identifier eq "team_a"'
    )


def test_suffixes_are_given_in_order(storage: SyncStorage | Storage) -> None:
    okta = server(storage, GroupIdentifiers(collision="suffix", as_id=True))
    made = [okta.created("/Groups", displayName=name) for name in ("team-a", "team.a", "team a", "org")]
    assert made == ["team_a", "team_a_2", "team_a_3", "org_2"]
