"""Recorded conversations of identity providers, and a conformance tester, against a served scimcore."""

import asyncio
import json
import socket
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import pytest
import uvicorn
from scim2_client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from scimcore import ScimProvider
from scimcore.access import BearerTokens, Caller
from scimcore.adapters.asgi import ScimApp
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant
from scimcore.testing.transcripts import (
    Answer,
    Sender,
    play,
    read_transcript,
    request_of,
    sent_in_process,
    sent_over_http,
)

HERE: Final = Path(__file__).parent
CONVERSATIONS: Final = sorted(path.relative_to(HERE).as_posix() for path in HERE.glob("*/*.json"))

NOT_PLAYED: Final = {
    # A form-encoded request for an access token. It goes to the token endpoint of an authorization server, which is no
    # SCIM endpoint and no part of a provider's core.
    "028": "entra",
}
TESTER: Final = "scim2-tester"


def token_of(conversation: str) -> str:
    """Each conversation has a tenant of its own, so that none finds what another left."""
    return f"token-of-the-tenant-{conversation}"


def new_provider() -> ScimProvider:
    callers = {token_of(name): Caller(tenant=Tenant(name)) for name in (*CONVERSATIONS, TESTER)}
    return ScimProvider(MemoryStorage(), authenticate=BearerTokens(callers), on_bug=report)


def report(bug: Exception, _: str) -> None:
    """Show on the output of the failing test what its client only sees as 500."""
    traceback.print_exception(bug)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Where a provider is served over HTTP."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)  # before the server starts, so that nobody has to wait for it
        config = uvicorn.Config(ScimApp(new_provider()), lifespan="off", ws="none", log_level="warning")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def client(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def event_loop_elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    """A running event loop in another thread."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def sent_to_async_face(provider: ScimProvider, loop: asyncio.AbstractEventLoop) -> Sender:
    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        handling = provider.handle(request_of(method, path, headers, body))
        response = asyncio.run_coroutine_threadsafe(handling, loop).result()
        return response.status, response.headers, response.body

    return send


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_recorded_conversation_goes_as_it_must_over_http(
    conversation: str, client: httpx.Client, base_url: str
) -> None:
    play(read_transcript(HERE / conversation), sent_over_http(client, base_url), {"token": token_of(conversation)})


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_recorded_conversation_goes_as_it_must_through_the_synchronous_face(conversation: str) -> None:
    play(read_transcript(HERE / conversation), sent_in_process(new_provider()), {"token": token_of(conversation)})


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_recorded_conversation_goes_as_it_must_through_the_asynchronous_face(
    conversation: str, event_loop_elsewhere: asyncio.AbstractEventLoop
) -> None:
    send = sent_to_async_face(new_provider(), event_loop_elsewhere)
    play(read_transcript(HERE / conversation), send, {"token": token_of(conversation)})


def test_every_recording_is_played_exactly_once_and_for_its_client() -> None:
    recordings: dict[str, str] = json.loads((HERE / "records.json").read_text())
    played: list[tuple[str, str]] = []
    for conversation in CONVERSATIONS:
        transcript = read_transcript(HERE / conversation)
        assert transcript.client == conversation.split("/")[0]
        played.extend((record, transcript.client) for record in transcript.records)
    assert Counter([*played, *NOT_PLAYED.items()]) == Counter(recordings.items())


SKIPPED_BY_THE_TESTER: Final[frozenset[str]] = frozenset()
"""Checks that scim2-tester passes over; each needs a reason."""


class ConformanceClient(BaseSyncSCIMClient):
    """What scim2-tester talks through."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self._client = client

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self._client.request(method, url, **options)


WORKED: Final = frozenset({Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE})


def test_scim2_tester_finds_no_fault(base_url: str) -> None:
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token_of(TESTER)}"}) as client:
        results = check_server(ConformanceClient(client))
    skipped = {f"{result.title}" for result in results if result.status is Status.SKIPPED}
    failed = [result for result in results if result.status not in WORKED | {Status.SKIPPED}]
    assert failed == []
    assert skipped == SKIPPED_BY_THE_TESTER
    assert len(results) > 50
