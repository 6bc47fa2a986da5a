"""A company with people and groups, and two identity providers of it, one of which is evil."""

import json
from datetime import UTC, datetime
from typing import Any, Final, Literal

import attrs

from scimcore import Request, Response, ScimProvider
from scimcore.access import Caller
from scimcore.access.caller import Credentials
from scimcore.dialects import OKTA
from scimcore.engine.immediate import finish, opened
from scimcore.profiles import HARNESS_GROUP, HARNESS_USER, IdentityProvider, harness_profile
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.group_adoption import GroupAdoption
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import (
    PROVISIONED_GROUP,
    PROVISIONED_USER,
    PROVISIONING_URN,
    provenance_of,
)
from scimcore.rules.identifier import unique_values
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Instant, Record, Storage, SyncStorage, Tenant, UniqueKey

ACME: Final = Tenant("acme")
NOW: Final = Instant("2026-11-22T09:30:00.000000Z")
GOOD: Final = "corp-okta"
EVIL: Final = "evil-okta"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

PRIVILEGED: Final = frozenset({"id-of-root", "admins"})
VERIFIED: Final = frozenset({"id-of-root", "id-of-carol"})


def user(name: str, **values: Json) -> Document:
    email: Json = [{"value": f"{name}@acme.example", "type": "work", "primary": True}]
    return {
        "id": f"id-of-{name}",
        "userName": f"{name}@acme.example",
        "displayName": f"Secret name of {name}",
        "emails": email,
        "active": True,
        **values,
    }


MANUAL_USERS: Final = (
    user("root", externalId="E-root"),
    user("alice"),
    user("mike"),
    user("carol", userName="carol"),
)
MANUAL_GROUPS: Final[tuple[Document, ...]] = (
    {"id": "admins", "displayName": "admins", "members": [{"value": "id-of-root", "type": "User"}]},
    {"id": "ops", "displayName": "ops", "members": [{"value": "id-of-alice", "type": "User"}]},
)
SECRETS: Final = ("id-of-", "Secret name", GOOD, "privileged", "managed", "E-root", "Traceback")
"""Of what is not the evil provider's, and of why it cannot have it."""


def by_name(credentials: Credentials) -> Caller:
    return Caller(tenant=ACME, connection=credentials.headers["authorization"])


def is_privileged(record: Record) -> bool:
    return record.id in PRIVILEGED


def is_verified(record: Record, _: str) -> bool:
    return record.id in VERIFIED


def harness(storage: Storage | SyncStorage, groups: Literal["link", "keep_both"]) -> ScimProvider:
    return harness_profile(
        storage,
        groups=groups,
        authenticate=by_name,
        providers=[IdentityProvider(name=name, account=ACME, dialect=OKTA) for name in (GOOD, EVIL)],
        is_privileged=is_privileged,
        is_verified=is_verified,
        clock=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC),
    )


def standard(storage: Storage | SyncStorage) -> ScimProvider:
    """Connections that may take over whatever the policies let them."""
    policies = (
        Adoption(on_existing="take_over", is_verified=is_verified, is_privileged=is_privileged, by_id=True),
        GroupAdoption(on_existing="link", is_privileged=is_privileged),
        Ownership(),
        UnknownMembers(),
        Leaving(),
    )
    connections = [
        Connection(
            name=name,
            tenant=ACME,
            dialect=OKTA,
            policies=policies,
        )
        for name in (GOOD, EVIL)
    ]
    return ScimProvider(
        storage,
        authenticate=by_name,
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=connections,
        clock=lambda: datetime(2026, 11, 22, 10, tzinfo=UTC),
    )


@attrs.frozen
class World:
    """A company with people and groups of its own, with those that a good provider manages, and with an evil one."""

    storage: Storage | SyncStorage
    provider: ScimProvider
    user_type: ResourceType
    group_type: ResourceType

    def insert(self, resource_type: ResourceType, document: Document) -> None:
        async def insert() -> None:
            async with opened(self.storage, ACME) as session:
                unique = tuple(UniqueKey(*one) for one in unique_values(document, resource_type))
                id = str(document["id"])
                record = Record(
                    resource_type=resource_type, id=id, document=document, created=NOW, last_modified=NOW, unique=unique
                )
                await session.insert(record)

        finish(insert())

    def document(self, resource_type: ResourceType, id: str) -> Document:
        """What the application has, but for the links that connections have to it."""

        async def read() -> Document:
            async with opened(self.storage, ACME) as session:
                record = await session.get(resource_type, id)
                assert record is not None
                return record.document

        return finish(read())

    def send(self, method: str, path: str, body: object = None, name: str = EVIL) -> Response:
        sent = b"" if body is None else json.dumps(body).encode()
        return self.provider.handle_sync(Request(method, path, "", {"Authorization": name}, sent))

    def post(self, path: str, name: str = EVIL, **values: object) -> Response:
        return self.send("POST", path, values, name)

    def patch(self, path: str, *operations: object) -> Response:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def owned(self) -> dict[str, Document]:
        """Everything that is not the evil provider's, as the application sees it."""
        users = {str(one["id"]): self.user_type for one in MANUAL_USERS}
        groups = {str(one["id"]): self.group_type for one in MANUAL_GROUPS}
        return {id: plain(self.document(kind, id)) for id, kind in (users | groups).items()}


def plain(document: Document) -> Document:
    """*document* with its manager, but without the links to it and the groups that others put it in."""
    managed: Json = provenance_of(document).managed_by
    return {
        **{name: value for name, value in document.items() if name not in (PROVISIONING_URN, "groups")},
        "managedBy": managed,
    }


def world_of(storage: Storage | SyncStorage, kind: str, groups: Literal["link", "keep_both"] = "link") -> World:
    is_harness = kind == "harness"
    types = (HARNESS_USER, HARNESS_GROUP) if is_harness else (PROVISIONED_USER, PROVISIONED_GROUP)
    world = World(storage, harness(storage, groups) if is_harness else standard(storage), *types)
    for document in MANUAL_USERS:
        world.insert(types[0], document)
    for document in MANUAL_GROUPS:
        world.insert(types[1], document)
    return world


def read(response: Response) -> Any:
    return json.loads(response.body) if response.body else None


def check_silent(response: Response) -> None:
    """The refusal tells nothing of what it protects."""
    text = response.body.decode()
    assert [secret for secret in SECRETS if secret in text] == []


def mail(address: str) -> list[dict[str, object]]:
    return [{"value": address, "type": "work", "primary": True}]
