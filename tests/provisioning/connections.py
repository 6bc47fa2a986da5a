"""A provider with connections for tests: each identity provider calls under its name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import attrs
from tests.engine.conftest import PATCH_OP, Answer, Face, Maker

from scimcore.access import Caller, Credentials
from scimcore.dialects import Dialect
from scimcore.engine.events import Event
from scimcore.engine.immediate import finish, opened
from scimcore.provisioning import Connection, Policy
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.rules.tolerance import Tolerance
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Instant, Record, Storage, SyncStorage, Tenant

ACME = Tenant("acme")
NOW = Instant("2026-11-22T09:30:00.000000Z")
LATER = Instant("2026-11-23T09:30:00.000000Z")
SHARED_NAMES = attrs.evolve(Dialect.DEFAULT, tolerance=Tolerance(unique_group_names=False))
"""Groups may share a name: what becomes of that is a policy's decision."""


def by_name(credentials: Credentials) -> Caller:
    """An authenticator whose token is the name of the connection."""
    return Caller(tenant=ACME, connection=credentials.headers.get("authorization", "okta"))


@attrs.frozen
class Client:
    """One identity provider in front of a provider."""

    face: Face
    name: str = "okta"

    def send(self, method: str, target: str, body: object = None) -> Answer:
        return self.face.send(method, target, body, {"Authorization": self.name})

    def created(self, endpoint: str, **values: object) -> str:
        """The id of a new resource."""
        answer = self.send("POST", endpoint, values)
        assert answer.status == 201, answer.raw
        id: str = answer.body["id"]
        return id

    def patch(self, target: str, *operations: object) -> Answer:
        return self.send("PATCH", target, {"schemas": [PATCH_OP], "Operations": list(operations)})

    def set(self, target: str, **values: object) -> Answer:
        """The answer to a PATCH without a path."""
        return self.patch(target, {"op": "replace", "value": values})

    def ids(self, endpoint: str, filter: str) -> list[str]:
        """The ids of what matches."""
        answer = self.send("POST", f"{endpoint}/.search", {"filter": filter})
        assert answer.status == 200, answer.raw
        return [one["id"] for one in answer.body["Resources"]]

    @property
    def last(self) -> Event:
        """What was told last."""
        return self.face.told[-1]

    @property
    def noted(self) -> list[str]:
        """What the policies did with the last request."""
        return [note.what for note in self.last.notes]


def connected(
    make_face: Maker,
    connections: Mapping[str, tuple[Policy, ...]],
    *,
    group_type: ResourceType = PROVISIONED_GROUP,
    dialect: Dialect = Dialect.DEFAULT,
) -> Face:
    """A provider with those connections of one tenant, each with its policies."""
    return make_face(
        authenticate=by_name,
        resource_types=(PROVISIONED_USER, group_type),
        connections=[
            Connection(
                name=name,
                tenant=ACME,
                policies=policies,
                dialect=dialect,
            )
            for name, policies in connections.items()
        ],
    )


def client_of(make_face: Maker, *policies: Policy, dialect: Dialect = Dialect.DEFAULT) -> Client:
    """The only identity provider of a provider, with those policies."""
    return Client(connected(make_face, {"okta": policies}, dialect=dialect))


# Below the provider

T = TypeVar("T")


@contextmanager
def storage_of(kind: str, directory: Path) -> Iterator[SyncStorage | Storage]:
    """A storage whose sessions never suspend: `memory`, or `sqlite` in *directory*."""
    if kind == "memory":
        yield MemoryStorage()
        return
    storage = SqlStorage(f"sqlite:///{directory / 'scim.db'}")
    storage.create_all()
    yield storage
    storage.close()


def record_of(resource_type: ResourceType, id: str, **values: object) -> Record:
    """A record with those attributes."""
    document: Document = {"id": id, **values}  # type: ignore[dict-item]  # JSON, as tests write it
    return Record(resource_type=resource_type, id=id, document=document, created=NOW, last_modified=NOW)


def keep(storage: SyncStorage | Storage, *records: Record) -> None:
    """Put *records* in *storage*."""

    async def kept() -> None:
        async with opened(storage, ACME) as session:
            for record in records:
                await session.insert(record)

    finish(kept())
