"""The recorded conversations of each client, with a provider that speaks its dialect; and who `detect` takes it for."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from pydantic import JsonValue

from scimcore import Request, Response, ScimProvider
from scimcore.access import BearerTokens, Caller
from scimcore.dialects import (
    AUTHENTIK,
    ENTRA,
    ENTRA_SCIM2020,
    GOOGLE,
    JUMPCLOUD,
    KEYCLOAK,
    OKTA,
    ONELOGIN,
    PING_FEDERATE,
    PING_ONE,
    Dialect,
    detect,
)
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant
from scimcore.testing.transcripts import Exchange, Read, Transcript, play, read_transcript, sent_in_process

TRANSCRIPTS: Final = Path(__file__).parents[1] / "transcripts"
TOKEN: Final = "a-token-for-the-only-tenant"

SPOKEN: Final[Mapping[str, tuple[Dialect, ...]]] = {
    "okta": (OKTA,),
    # Provisioning on demand has no flag whatever the tenant URL says, so both flavours reach both dialects.
    "entra": (ENTRA, ENTRA_SCIM2020),
    "entra-postman": (ENTRA, ENTRA_SCIM2020),
    "entra-inbound": (ENTRA, ENTRA_SCIM2020),
    "onelogin": (ONELOGIN,),
    "jumpcloud": (JUMPCLOUD,),
    "pingfederate": (PING_FEDERATE,),
    "pingone": (PING_ONE,),
    "keycloak-mitodl": (KEYCLOAK,),
    "keycloak-suvera": (KEYCLOAK,),
    "authentik": (AUTHENTIK,),
    "google-ssosync": (GOOGLE,),
}
WITHOUT_DIALECT: Final = frozenset({"cyberark", "sailpoint", "rippling", "workday-like"})
"""Clients of which no quirk is known: they are served by the default, as tests/transcripts proves."""

ANSWERS: Final[Mapping[str, dict[str, JsonValue]]] = {
    # By default a role that is JSON text is kept as text; Entra's dialect reads it.
    "063": {"roles": [{"value": "DocumentMgmt-Admin", "display": "DocumentMgmt Admin"}]},
}
"""What the answer to a recorded request says in its client's dialect, where that differs from the default."""
STATES: Final[Mapping[str, list[Read]]] = {
    # By default a PUT without members keeps them; mitodl's extension means that there are none.
    "157": [Read(read="/Groups/{groupId}", body={"displayName": "staff"}, absent=["/members"])],
}
"""What is there after a recorded request in its client's dialect, where that differs from the default."""

CONVERSATIONS: Final = sorted(TRANSCRIPTS.glob("*/*.json"))
PLAYED: Final = [
    pytest.param(path, dialect, id=f"{path.parent.name}/{path.stem}-{dialect.name}")
    for path in CONVERSATIONS
    for dialect in SPOKEN.get(path.parent.name, ())
]


def report(bug: Exception, _: str) -> None:
    traceback.print_exception(bug)


def new_provider(dialect: Dialect) -> ScimProvider:
    tokens = BearerTokens({TOKEN: Caller(tenant=Tenant("t"))})
    return ScimProvider(MemoryStorage(), authenticate=tokens, dialect=dialect, on_bug=report)


def in_dialect(transcript: Transcript, dialect: Dialect) -> Transcript:
    """*transcript* with what *dialect* answers; what a 204 does not say is read afterwards."""
    exchanges = [_in_dialect(exchange, dialect) for exchange in transcript.exchanges]
    return transcript.model_copy(update={"exchanges": exchanges})


def _in_dialect(exchange: Exchange, dialect: Dialect) -> Exchange:
    record = exchange.record or ""
    response, state = exchange.response, STATES.get(record, exchange.state)
    if record in ANSWERS:
        response = response.model_copy(update={"body": ANSWERS[record]})
    where, _, query = exchange.request.path.partition("?")
    is_patch_of_group = exchange.request.method == "PATCH" and where.startswith("/Groups/")
    if is_patch_of_group and "Group" in dialect.bodiless_patches and "attributes=" not in query.lower():
        state = [Read(read=where, body=response.body, absent=response.absent), *state]
        response = response.model_copy(update={"status": 204, "body": None, "absent": []})
    return exchange.model_copy(update={"response": response, "state": state})


@pytest.mark.parametrize(("path", "dialect"), PLAYED)
def test_a_recorded_conversation_goes_as_it_must_in_the_dialect_of_its_client(path: Path, dialect: Dialect) -> None:
    transcript = in_dialect(read_transcript(path), dialect)
    play(transcript, sent_in_process(new_provider(dialect)), {"token": TOKEN})


def test_every_client_has_a_dialect_or_is_known_to_have_none() -> None:
    clients = {path.parent.name for path in CONVERSATIONS}
    assert clients == set(SPOKEN) | WITHOUT_DIALECT


# Who talks


class Listener:
    """A provider that keeps the requests it gets."""

    def __init__(self) -> None:
        self._provider = new_provider(Dialect.DEFAULT)
        self.heard: list[Request] = []

    def handle_sync(self, request: Request) -> Response:
        self.heard.append(request)
        return self._provider.handle_sync(request)


def requests_of(path: Path) -> list[Request]:
    """What the client sends in the conversation, without what the test creates before and reads afterwards."""
    transcript = read_transcript(path)
    listener = Listener()
    play(transcript, sent_in_process(listener), {"token": TOKEN})
    return [one for one, is_clients in zip(listener.heard, _clients_own(transcript), strict=True) if is_clients]


def _clients_own(transcript: Transcript) -> list[bool]:
    """Of each request of a play, in order, whether it is the client's."""
    own = [False] * sum(given.times or 1 for given in transcript.given)
    for exchange in transcript.exchanges:
        own += [True] * (exchange.times or 1) + [False] * len(exchange.state)
    return [*own, *([False] * len(transcript.state))]


TELLING: Final = {"okta", "entra", "pingfederate", "pingone", "keycloak-suvera", "google-ssosync"}
"""Clients that some of their recorded requests give away; the others send nothing that is theirs alone."""


@pytest.mark.parametrize("client", sorted({path.parent.name for path in CONVERSATIONS}))
def test_detect_names_the_right_client_or_none(client: str) -> None:
    requests = [one for path in CONVERSATIONS if path.parent.name == client for one in requests_of(path)]
    named = {one.dialect for one in map(detect, requests) if one is not None}
    assert named <= {dialect.name for dialect in SPOKEN.get(client, ())}
    assert bool(named) == (client in TELLING)


def test_detect_names_nearly_half_of_what_was_recorded() -> None:
    requests = [one for path in CONVERSATIONS for one in requests_of(path)]
    assert len([one for one in requests if detect(one) is not None]) > 0.4 * len(requests)


def test_the_flag_tells_the_flavours_of_entra_apart() -> None:
    found = map(detect, requests_of(TRANSCRIPTS / "entra" / "update_user_aadOptscim062020.json"))
    assert {one.dialect for one in found if one is not None} == {"entra-scim2020"}
