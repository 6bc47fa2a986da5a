"""Events on their way to the record: what a line says, and that no sink keeps another from its event."""

import asyncio
import json
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from scimcore import Request, ScimProvider
from scimcore.access import BearerTokens, Caller
from scimcore.access.token import Token, TokenEvent
from scimcore.audit import LogSink, Told, all_of, entry_of
from scimcore.engine.events import Event
from scimcore.provisioning import Note
from scimcore.rules.delta import Delta
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Instant, Tenant

AT = Instant("2026-11-22T09:30:00.000000Z")
CALLER = Caller(tenant=Tenant("acme"), connection="okta")
CREATED = Event(
    happening="created",
    caller=CALLER,
    resource_type="User",
    resource_id="1",
    at=AT,
    request_id="r",
    delta=Delta(assigned={"userName": "a", "password": None}, added={"emails": ({"value": "e"},)}),
    ignored=("nope",),
    notes=(Note("linked", "by userName"),),
)
STRANGER = Event(
    happening="unauthenticated",
    caller=None,
    resource_type="",
    resource_id="",
    at=AT,
    request_id="r",
    reason="GET /Users: no",
)
TOKEN = Token(
    id="t1",
    tenant=Tenant("acme"),
    connection="okta",
    digest="d" * 64,
    created=datetime(2026, 11, 1, tzinfo=UTC),
    expires=datetime(2026, 12, 1, tzinfo=UTC),
)
ROTATED = TokenEvent(happening="rotated", at=AT, token=TOKEN, replaced=TOKEN)


@pytest.mark.parametrize(
    ("event", "tenant", "facts"),
    [
        (
            CREATED,
            "acme",
            {
                "at": AT,
                "happening": "created",
                "connection": "okta",
                "resourceType": "User",
                "resourceId": "1",
                "requestId": "r",
                "changes": {"assigned": {"userName": "a", "password": None}, "added": {"emails": [{"value": "e"}]}},
                "notes": [{"what": "linked", "detail": "by userName"}],
                "ignored": ["nope"],
            },
        ),
        (
            STRANGER,
            "",
            {"at": AT, "happening": "unauthenticated", "requestId": "r", "reason": "GET /Users: no"},
        ),
        (
            ROTATED,
            "acme",
            {
                "at": AT,
                "happening": "token rotated",
                "connection": "okta",
                "token": {"id": "t1", "expires": "2026-12-01T00:00:00+00:00", "label": ""},
                "replaced": {"id": "t1", "expires": "2026-12-01T00:00:00+00:00", "label": ""},
            },
        ),
        (
            TokenEvent(happening="refused", at=AT, token=None, why="unknown"),
            "",
            {"at": AT, "happening": "token refused", "reason": "unknown"},
        ),
    ],
)
def test_an_entry_says_what_there_is_to_say(event: Told, tenant: str, facts: object) -> None:
    entry = entry_of(event)
    assert (entry.tenant, entry.at, dict(entry.facts)) == (tenant, AT, facts)
    assert "d" * 64 not in repr(entry)


def test_a_log_has_one_line_of_json_for_each_event(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "scimcore.audit"):
        for event in (CREATED, STRANGER):
            LogSink()(event)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    first, second = (json.loads(record.getMessage()) for record in caplog.records)
    assert (first["tenant"], first["happening"], first["resourceId"]) == ("acme", "created", "1")
    assert (second["tenant"], second["happening"]) == ("", "unauthenticated")


def test_a_log_that_is_not_listened_to_costs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("scimcore.audit.test")
    with caplog.at_level(logging.ERROR, logger.name):
        LogSink(logger)(CREATED)
    assert caplog.records == []


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_every_sink_is_told_in_order_and_whatever_becomes_of_the_others() -> None:
    told: list[str] = []

    def broken(_: Told) -> None:
        raise ConnectionError("down")

    async def waiting(event: Told) -> None:
        await asyncio.sleep(0)
        told.append(f"waiting {event.happening}")

    sink = all_of(broken, waiting, lambda event: told.append(f"second {event.happening}"))
    with pytest.raises(ExceptionGroup) as raised:
        run(_awaited(sink(CREATED)))
    assert [str(one) for one in raised.value.exceptions] == ["down"]
    assert told == ["waiting created", "second created"]


async def _awaited(told: Any) -> None:
    await told


def test_a_provider_tells_a_log_of_everything(caplog: pytest.LogCaptureFixture) -> None:
    secret = "a-long-random-secret"
    provider = ScimProvider(MemoryStorage(), authenticate=BearerTokens({secret: CALLER}), on_event=all_of(LogSink()))
    body = b'{"userName": "bjensen", "password": "t1meMa$heen"}'
    with caplog.at_level(logging.INFO, "scimcore.audit"):
        for token in (secret, secret, "another-random-secret"):
            provider.handle_sync(Request("POST", "/Users", headers={"Authorization": f"Bearer {token}"}, body=body))
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [line["happening"] for line in lines] == ["created", "refused", "unauthenticated"]
    assert "uniqueness" in lines[1]["reason"]
    assert all(hidden not in caplog.text for hidden in ("t1meMa$heen", secret, "another-random-secret"))
