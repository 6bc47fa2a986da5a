"""Recorded conversations of identity providers, played against any SCIM server: adding a case adds no code.

A transcript is a JSON file: what must be there before (`given`), what the client says and must hear (`exchanges`), and
what must be there afterwards (`state`). Play it with a `Sender`, all that has to be known about a deployment.

    {
      "client": "okta",                         who talks
      "name": "onboarding",                     what about
      "evidence": "Okta SCIM 2.0 SPEC test",    how we know that the client talks like this
      "source": "https://…",                    and where to read it
      "notes": ["…"],                           what to know about the case; optional
      "names": {"email": "a@example.com"},      placeholders with a value of their own; optional
      "headers": {"Authorization": "Bearer {token}"},   sent with every request; a request's own headers win, null omits
      "given": [{"at": "/Users", "resource": {…}, "as": "userId"}],      created first; or whole exchanges
      "exchanges": [{
        "record": "004",                        identifier of the recording; optional
        "step": "create user",
        "request": {"method": "POST", "path": "/Users", "headers": {…}, "body": {…}},    or "raw_body": "text"
        "response": {"status": 201, "headers": {…}, "body": {…}, "absent": ["/password"]},
        "capture": {"userId": "/id"},
        "state": [{"read": "/Users/{userId}", "body": {…}}],      looked up right after this exchange
        "times": 20, "concurrently": true       sent that often, {i} counts from 0; optional
      }],
      "state": [{"read": "/Users/{userId}", "status": 200, "body": {…}, "absent": ["/nickName"]}]
    }

Placeholders are `{name}` in any text. Their values are given to `play`, stand in `names` or are captured from answers
(by JSON Pointer, RFC 6901); `{uuid}` is new in every play. With `times`, a name that ends in `_i` is one name for each
turn: what turn 3 captured as `userId_i` is `{userId_i}` in turn 3 of a later exchange and `{userId_3}` everywhere.

A path is written decoded and percent-encoded when it is sent; one that holds `%XX` or `+` is sent as it stands.
What an expected body may say, `$contains` and the like, is written down in `scimcore.testing.expected`. A 204 has no
body, so nothing is expected of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Final, Protocol, TypeAlias
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import from_json, to_json

from scimcore.engine.http import Request, Response
from scimcore.testing.expected import Nothing, check_signs, differences, found_at

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers (names in any case) and body of a response."""


class Sender(Protocol):
    """Carries one request to a SCIM server. *path* starts with `/` and includes the query, percent-encoded."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer: ...


class HttpAnswer(Protocol):
    """The part of an HTTP library's response that is looked at."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class HttpClient(Protocol):
    """The part of an HTTP client that is used; `httpx.Client` and Starlette's `TestClient` have it."""

    def request(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes) -> HttpAnswer: ...


class SyncProvider(Protocol):
    """The synchronous face of a provider."""

    def handle_sync(self, request: Request) -> Response: ...


def sent_over_http(client: HttpClient, base_url: str) -> Sender:
    """A sender to the SCIM base URL *base_url*."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = client.request(method, base_url.rstrip("/") + path, headers=headers, content=body)
        return answer.status_code, answer.headers, answer.content

    return send


def sent_in_process(provider: SyncProvider) -> Sender:
    """A sender that calls *provider* directly, without HTTP."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        response = provider.handle_sync(request_of(method, path, headers, body))
        return response.status, response.headers, response.body

    return send


def request_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """What a sender is given, as the engine's Request.

    >>> request_of("GET", "/Users?count=1", {}, b"").query
    'count=1'
    """
    place, _, query = path.partition("?")
    return Request(method, place, query, headers, body)


class TranscriptError(AssertionError):
    """The server does not answer as the transcript demands, or the transcript cannot be played."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SentRequest(_Part):
    """What the client sends; *body* as JSON, or *raw_body* as it is."""

    method: str
    path: str
    headers: dict[str, str | None] = {}
    body: JsonValue = None
    raw_body: str | None = None


class ExpectedResponse(_Part):
    """What must come back; *body* is matched in part, the JSON Pointers of *absent* lead nowhere in it."""

    status: int | list[int]
    headers: dict[str, JsonValue] = {}
    body: JsonValue = None
    absent: list[str] = []


class Read(_Part):
    """A look at what the server holds."""

    read: str
    status: int | list[int] = 200
    body: JsonValue = None
    absent: list[str] = []


class Exchange(_Part):
    """One request and what must come back."""

    record: str | None = None
    step: str
    request: SentRequest
    response: ExpectedResponse
    capture: dict[str, str] = {}
    state: list[Read] = []
    times: Annotated[int, Field(ge=1)] | None = None
    concurrently: bool = False


class Seed(_Part):
    """A resource that the conversation finds; its id is captured under the name *known_as*, in JSON `as`."""

    at: str
    resource: dict[str, JsonValue]
    known_as: str | None = Field(default=None, alias="as")
    times: Annotated[int, Field(ge=1)] | None = None


class Transcript(_Part):
    """A conversation, as its file says."""

    client: str
    name: str
    evidence: str
    source: str
    notes: list[str] = []
    names: dict[str, str] = {}
    headers: dict[str, str | None] = {}
    given: list[Seed | Exchange] = []
    exchanges: Annotated[list[Exchange], Field(min_length=1)]
    state: list[Read] = []

    @model_validator(mode="after")
    def _signs_are_known(self) -> "Transcript":
        for _, exchange in _steps(self):
            check_signs(exchange.response.body)
        return self

    @property
    def records(self) -> list[str]:
        """The identifiers of the recordings that this conversation replays, in order."""
        return [exchange.record for exchange in self.exchanges if exchange.record is not None]


def read_transcript(path: Path) -> Transcript:
    """The transcript in the file *path*.

    Raises:
        ValueError: The file is no transcript (pydantic's ValidationError says where).
    """
    return Transcript.model_validate_json(path.read_bytes())


def play(transcript: Transcript, send: Sender, names: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Every name that is known at the end, after the whole conversation went as *transcript* says.

    *names* are values of placeholders, `token` above all; they win over those in the file.

    Raises:
        TranscriptError: An answer is not what it must be; the message names the exchange and every difference.
    """
    known = {"uuid": str(uuid4()), **transcript.names, **(names or {})}
    for title, exchange in _steps(transcript):
        known.update(_played(f"{transcript.client}/{transcript.name}, {title}", exchange, transcript, send, known))
    return known


def _steps(transcript: Transcript) -> Iterator[tuple[str, Exchange]]:
    """Everything that is sent, in order, each with a title for error messages."""
    for number, given in enumerate(transcript.given, 1):
        yield f"given {number}", _creation(given) if isinstance(given, Seed) else given
    for number, exchange in enumerate(transcript.exchanges, 1):
        recorded = f" (record {exchange.record})" if exchange.record else ""
        yield f"exchange {number}, {exchange.step!r}{recorded}", exchange
        for read in exchange.state:
            yield f"state after exchange {number}, {exchange.step!r}{recorded}", _look(read)
    for number, read in enumerate(transcript.state, 1):
        yield f"state {number}", _look(read)


def _creation(seed: Seed) -> Exchange:
    return Exchange(
        step="create",
        request=SentRequest(method="POST", path=seed.at, body=seed.resource),
        response=ExpectedResponse(status=201),
        capture={seed.known_as: "/id"} if seed.known_as else {},
        times=seed.times,
    )


def _look(read: Read) -> Exchange:
    return Exchange(
        step="read",
        request=SentRequest(method="GET", path=read.read),
        response=ExpectedResponse(status=read.status, body=read.body, absent=read.absent),
    )


def _played(
    title: str, exchange: Exchange, transcript: Transcript, send: Sender, names: Mapping[str, str]
) -> Mapping[str, str]:
    """What the exchange captures."""
    if exchange.times is None:
        return _turn(title, exchange, transcript.headers, send, names)

    def turn(number: int) -> Mapping[str, str]:
        ending = f"_{number}"
        own = {f"{name.removesuffix(ending)}_i": value for name, value in names.items() if name.endswith(ending)}
        scope = {**names, **own, "i": str(number)}
        captured = _turn(f"{title}, turn {number}", exchange, transcript.headers, send, scope)
        return {f"{name.removesuffix('_i')}{ending}": value for name, value in captured.items()}

    turns = range(exchange.times)
    if not exchange.concurrently:
        return _merged(map(turn, turns))
    with ThreadPoolExecutor(exchange.times) as pool:
        return _merged(pool.map(turn, turns))


def _merged(captures: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return {name: value for capture in captures for name, value in capture.items()}


def _turn(
    title: str, exchange: Exchange, common: Mapping[str, str | None], send: Sender, names: Mapping[str, str]
) -> Mapping[str, str]:
    """What the exchange captures, sent once."""
    request = exchange.request
    try:
        path = encoded_path(request.path, names)
        headers = _headers(common, request, names)
        content = _content(request, names)
        response = _filled_response(exchange.response, names)
    except KeyError as missing:
        raise TranscriptError(f"{title}: nothing is known as {missing}") from None
    status, came, body = send(request.method, path, headers, content)
    problems = list(_differences_of_head(response, status, came))
    actual: JsonValue = None
    if not problems and status != 204:
        actual, problems = _judged(response, body, has_captures=bool(exchange.capture))
    found = {name: found_at(actual, at) for name, at in exchange.capture.items()}
    captured = {name: value for name, value in found.items() if isinstance(value, str)}
    if not problems:
        problems = [f"{exchange.capture[name]}: no text to capture as {name}" for name in found if name not in captured]
    if problems:
        raise TranscriptError(_report(title, request.method, path, problems, status, body))
    return captured


def _judged(response: ExpectedResponse, body: bytes, has_captures: bool) -> tuple[JsonValue, list[str]]:
    """The JSON in *body*, and how it differs from what is expected."""
    if response.body is None and not response.absent and not has_captures:
        return None, []
    try:
        actual: JsonValue = from_json(body)
    except ValueError:
        return None, ["body: expected JSON, came " + ("something else" if body else "nothing")]
    problems = differences(response.body, actual) if response.body is not None else []
    present = [at for at in response.absent if found_at(actual, at) is not Nothing.HERE]
    return actual, [*problems, *(f"{at}: must be absent" for at in present)]


def _report(title: str, method: str, path: str, problems: Sequence[str], status: int, body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace") or "(no body)"
    return "\n".join([f"{title}: {method} {path}", *(f"  {problem}" for problem in problems), f"came: {status} {text}"])


def _headers(common: Mapping[str, str | None], request: SentRequest, names: Mapping[str, str]) -> dict[str, str]:
    own = {name.lower() for name in request.headers}
    merged = {name: value for name, value in common.items() if name.lower() not in own} | request.headers
    headers = {name: _filled_text(value, names) for name, value in merged.items() if value is not None}
    has_body = request.body is not None or request.raw_body is not None
    if has_body and "content-type" not in {name.lower() for name in merged}:
        headers["Content-Type"] = "application/scim+json"
    return headers


def _content(request: SentRequest, names: Mapping[str, str]) -> bytes:
    if request.raw_body is not None:
        return request.raw_body.encode()
    return b"" if request.body is None else to_json(_filled(request.body, names))


_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z][\w-]*)\}")
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}|\+")


def encoded_path(path: str, names: Mapping[str, str]) -> str:
    """*path* with its placeholders filled, as it goes over the wire.

    Raises:
        KeyError: A placeholder is in none of *names*.

    >>> encoded_path('/Users?filter=userName eq "{name}"', {"name": "a+b"})
    '/Users?filter=userName%20eq%20%22a%2Bb%22'
    >>> encoded_path("/Users?filter=userName+eq+%22x%22", {})
    '/Users?filter=userName+eq+%22x%22'
    """
    template = path if _ENCODED.search(path) else quote(path, safe="/?&=:@!$'()*,;{}")
    return _PLACEHOLDER.sub(lambda found: quote(names[found[1]], safe=""), template)


def _filled_text(text: str, names: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: names[found[1]], text)


def _filled(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return _filled_text(value, names)
    if isinstance(value, list):
        return [_filled(element, names) for element in value]
    if isinstance(value, dict):
        return {name: _filled(part, names) for name, part in value.items()}
    return value


def _filled_response(response: ExpectedResponse, names: Mapping[str, str]) -> ExpectedResponse:
    headers = {name: _filled(value, names) for name, value in response.headers.items()}
    return response.model_copy(update={"body": _filled(response.body, names), "headers": headers})


def _differences_of_head(response: ExpectedResponse, status: int, headers: Mapping[str, str]) -> Iterator[str]:
    allowed = [response.status] if isinstance(response.status, int) else response.status
    if status not in allowed:
        yield f"status: expected {' or '.join(map(str, allowed))}, came {status}"
    came = {name.lower(): value for name, value in headers.items()}
    for name, value in response.headers.items():
        yield from differences(value, came.get(name.lower(), Nothing.HERE), f"header {name}")
