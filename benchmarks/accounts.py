"""What tokens, policies and a record add to a request on SQLite, beside the same provider without any of them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.contenders import Contender
from benchmarks.exchange import MOUNT, SECRET, TOKEN
from benchmarks.operations import create_case, read_case
from benchmarks.results import Row
from benchmarks.timing import Pace, Runner, Seconds, compared
from scimcore import ScimProvider
from scimcore.access import Tokens, anonymous
from scimcore.access.sql import SqlTokens
from scimcore.adapters.asgi import ScimApp
from scimcore.audit import SqlAudit
from scimcore.dialects import OKTA
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.storage import SqlStorage
from scimcore.storage.protocol import Tenant

_ACME: Final = Tenant("acme")
_USERS: Final = 100

ADDED: Final = (("create", "create a user", 1.25), ("GET", "GET one user", 1.15))
"""Operations, each by its name here and in the table beside the peer, and the most that it may cost with everything."""

_CASES: Final = {"create": create_case, "GET": read_case}


async def measured(pace: Pace) -> list[Row]:
    """The rows of the table: a create and a GET with everything, against the same with nothing."""
    with TemporaryDirectory(prefix="scimcore-bench-") as folder:
        storages = [SqlStorage(f"sqlite:///{Path(folder) / name}") for name in ("bare.db", "managed.db")]
        for storage in storages:
            storage.create_all()
        plain, full = storages
        contenders = [_bare(plain), await managed(full, f"sqlite:///{Path(folder) / 'managed.db'}")]
        for contender in contenders:
            await contender.hire(_USERS)
        rows = []
        for name, _, target in ADDED:
            without, with_all = await compared([Runner(one, _CASES[name](one)) for one in contenders], pace)
            rows.append(row(name, without, with_all, target))
        for storage in storages:
            storage.close()
        return rows


def row(name: str, without: Seconds, with_all: Seconds, target: float) -> Row:
    """The line that says what the operation of that *name* costs with everything."""
    operation = f"{name} with a token, policies and a record ÷ without"
    return Row(operation, without, with_all, with_all / without, target, at_most=True)


def _bare(storage: SqlStorage) -> Contender:
    provider = ScimProvider(storage, authenticate=anonymous(_ACME))
    return Contender("without policies", ScimApp(provider), MOUNT)


async def managed(storage: SqlStorage, url: str) -> Contender:
    """A provider for one connection, as an application would set it up for Okta, its record beside the users."""
    audit, store = SqlAudit(url, settle=storage.settle), SqlTokens(url, settle=storage.settle)
    await audit.create_all()
    await store.create_all()
    tokens = Tokens(store, on_event=audit, entropy=lambda: SECRET)
    issued = await tokens.issue(_ACME, "okta")
    assert issued.secret == TOKEN
    okta = Connection(
        name="okta",
        tenant=_ACME,
        dialect=OKTA,
        policies=(Adoption(on_existing="take_over", match=("userName", "externalId")), Ownership(), Leaving()),
    )
    provider = ScimProvider(
        storage,
        authenticate=tokens.authenticate,
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=[okta],
        record=audit,
    )
    return Contender("with policies", ScimApp(provider), MOUNT)
