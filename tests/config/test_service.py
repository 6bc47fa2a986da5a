"""A configuration at work: the same in Python as in a file."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from scimcore.access import BearerTokens, Caller
from scimcore.audit import Told
from scimcore.config import Configuration, Service, service_of
from scimcore.dialects import Dialect
from scimcore.engine.http import Request, Response
from scimcore.provisioning import Connection
from scimcore.rules.limits import Limits
from scimcore.schema.standard import USER
from scimcore.storage.protocol import Tenant

ACME = Tenant("acme")
OKTA = Connection(name="okta", tenant=ACME, dialect=Dialect.STRICT)


def asked(service: Service, token: str, path: str = "/Users") -> Response:
    return asyncio.run(service.provider.handle(Request("GET", path, headers={"Authorization": f"Bearer {token}"})))


@pytest.fixture(params=["memory:", "sqlite:///{}", "sqlite+aiosqlite:///{}"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url: str = request.param
    return url.format(tmp_path / "scim.db")


def test_the_tokens_of_the_database_open_the_provider(database: str) -> None:
    events: list[Told] = []
    service = service_of(Configuration(database=database, connections=(OKTA,)), on_event=events.append)

    async def conversation() -> list[int]:
        await service.database.create_all()
        okta, stranger = [(await service.tokens.issue(ACME, name)).secret for name in ("okta", "another")]
        statuses = []
        for token in (okta, stranger, "nobody's"):
            request = Request("GET", "/Users", headers={"Authorization": f"Bearer {token}"})
            statuses.append((await service.provider.handle(request)).status)
        await service.database.close()
        return statuses

    # A token whose connection is not configured is valid and opens nothing.
    assert asyncio.run(conversation()) == [200, 403, 401]
    assert [event.happening for event in events] == ["issued", "issued", "refused", "refused", "unauthenticated"]


@pytest.mark.parametrize(("audit", "status"), [(True, 500), ("sqlite:///{}", 201)])
def test_a_record_beside_the_users_is_written_with_the_change_or_nothing_is(
    tmp_path: Path, audit: bool | str, status: int
) -> None:
    apart = audit.format(tmp_path / "record.db") if isinstance(audit, str) else audit
    callers: Mapping[str, Caller] = {"a-token-from-elsewhere": Caller(tenant=ACME, connection="okta")}
    bugs: list[Exception] = []
    service = service_of(
        Configuration(database=f"sqlite:///{tmp_path / 'scim.db'}", connections=(OKTA,), audit=apart),
        also=BearerTokens(callers),
        on_bug=lambda bug, _: bugs.append(bug),
    )

    async def conversation() -> tuple[int, object]:
        await service.database.create_all()
        record = tmp_path / ("record.db" if isinstance(audit, str) else "scim.db")
        with closing(sqlite3.connect(record)) as connection:
            connection.execute("DROP TABLE scim_audit")
        headers = {"Authorization": "Bearer a-token-from-elsewhere"}
        body = json.dumps({"schemas": [USER.schema.id], "userName": "a"}).encode()
        created = await service.provider.handle(Request("POST", "/Users", headers=headers, body=body))
        found = await service.provider.handle(Request("GET", "/Users", headers=headers))
        await service.database.close()
        return created.status, json.loads(found.body)["totalResults"]

    assert asyncio.run(conversation()) == (status, int(status == 201))
    assert len(bugs) == 1


def test_whom_the_application_knows_is_let_in_too() -> None:
    callers: Mapping[str, Caller] = {"a-token-from-elsewhere": Caller(tenant=ACME, connection="okta")}
    service = service_of(Configuration(database="memory:", connections=(OKTA,)), also=BearerTokens(callers))
    assert asked(service, "a-token-from-elsewhere").status == 200
    assert asked(service, "another-from-elsewhere").status == 401


def test_limits_are_those_of_the_configuration() -> None:
    limits = Limits(max_page_size=7)
    service = service_of(Configuration(database="memory:", limits=limits))
    config = json.loads(asked(service, "", "/ServiceProviderConfig").body)
    assert config["filter"]["maxResults"] == 7


@pytest.mark.parametrize("paths", [(), ("scim",), ("/{tenants}",)])
def test_a_path_that_is_none_is_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"path|segment"):
        Configuration(paths=paths)


@pytest.mark.parametrize("database", ["mysql://db/scim", "nonsense", "sqlite"])
def test_a_database_that_is_none_is_refused(database: str) -> None:
    with pytest.raises(ValueError, match=r"neither SQLite nor PostgreSQL|no URL of a database"):
        service_of(Configuration(database=database))


def test_two_connections_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        service_of(Configuration(database="memory:", connections=(OKTA, OKTA)))
