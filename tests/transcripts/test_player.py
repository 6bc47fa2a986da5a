"""The transcript player: what it sends, what it accepts, and what it says when a server answers otherwise."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from pydantic import JsonValue, ValidationError

from scimcore.testing.expected import differences, found_at
from scimcore.testing.transcripts import (
    Answer,
    Sender,
    Transcript,
    TranscriptError,
    encoded_path,
    play,
    read_transcript,
)

HERE: Final = Path(__file__).parent


class Recorder:
    """A sender that answers from a list, the last answer again and again, and keeps what it was sent."""

    def __init__(self, *answers: tuple[int, JsonValue]) -> None:
        self.sent: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self._answers = list(answers)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.sent.append((method, path, headers, body))
        status, content = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return (
            status,
            {"Content-Type": "application/scim+json"},
            b"" if content is None else json.dumps(content).encode(),
        )


def transcript(*exchanges: JsonValue, **more: JsonValue) -> Transcript:
    about: dict[str, JsonValue] = {"client": "x", "name": "y", "evidence": "none", "source": "none"}
    return Transcript.model_validate({**about, **more, "exchanges": list(exchanges)})


def exchange(path: str = "/Users", status: JsonValue = 200, **more: JsonValue) -> dict[str, JsonValue]:
    response: dict[str, JsonValue] = {"status": status}
    for name in ("body", "absent", "headers"):
        if name in more:
            response[name] = more.pop(name)
    return {"step": "ask", "request": {"method": "GET", "path": path}, "response": response, **more}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 1),
        ("a", "a"),
        (None, None),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, {"a": 2}], [1, {"a": 2, "b": 3}]),
        ({"$contains": [2, 1]}, [1, 2, 3]),
        ({"$contains": "needle"}, "a needle in hay"),
        ({"$excludes": [{"a": 1}]}, [{"a": 2}]),
        ({"a": {"$excludes": [1]}}, {}),
        ({"$one_of": [1, 2]}, 2),
        ({"$type": "integer"}, 3),
        ({"$type": "number"}, 3.5),
        ({"$type": "boolean"}, False),
        ({"$type": "array", "$length": 2}, [1, 2]),
        ({"$not_empty": True}, False),
        ({"$not_empty": True}, 0),
        ({"a": {"$empty": True}}, {"a": []}),
        ({"a": {"$empty": True}}, {}),
        ({"a": {"$absent": True}}, {"b": 1}),
        ({"a": {"$absent": False}}, {"a": None}),
        ({"$ref": "x"}, {"$ref": "x"}),
        ({"type": "work"}, {"type": "work", "value": "a"}),
    ],
)
def test_an_expected_value_matches(expected: JsonValue, actual: JsonValue) -> None:
    assert differences(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        (True, 1, "body: expected true, came 1"),
        (1, True, "body: expected 1, came true"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "/a/b: expected 1, came 2"),
        ({"a": 1}, [1], 'body: expected {"a":1}, came [1]'),
        ({"a": None}, {}, "/a: expected null, came nothing"),
        ([1], [1, 2], "body: expected 1 elements, came 2: [1,2]"),
        ([1, 2], [1, 3], "/1: expected 2, came 3"),
        ([1], {}, "body: expected [1], came {}"),
        ({"a/b~c": 1}, {}, "/a~1b~0c: expected 1, came nothing"),
        ({"$contains": [4]}, [1, 2], 'body: expected {"$contains":[4]}, came [1,2]'),
        ({"$contains": ["x"]}, "hay", 'body: expected {"$contains":["x"]}, came "hay"'),
        ({"$excludes": [1]}, [1], 'body: expected {"$excludes":[1]}, came [1]'),
        ({"$one_of": [1, 2]}, 3, 'body: expected {"$one_of":[1,2]}, came 3'),
        ({"$type": "integer"}, True, 'body: expected {"$type":"integer"}, came true'),
        ({"$type": "integer"}, "1", 'body: expected {"$type":"integer"}, came "1"'),
        ({"$length": 1}, [], 'body: expected {"$length":1}, came []'),
        ({"$not_empty": True}, "", 'body: expected {"$not_empty":true}, came ""'),
        ({"a": {"$empty": True}}, {"a": [1]}, '/a: expected {"$empty":true}, came [1]'),
        ({"a": {"$absent": True}}, {"a": None}, '/a: expected {"$absent":true}, came null'),
        ({"$type": "array", "$length": 2}, [1], 'body: expected {"$type":"array","$length":2}, came [1]'),
    ],
)
def test_a_difference_is_named_with_its_place(expected: JsonValue, actual: JsonValue, difference: str) -> None:
    assert differences(expected, actual) == [difference]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/Users/{id}", "/Users/a%2Fb%26c"),
        ('/Users?filter=userName eq "é"&count=1', "/Users?filter=userName%20eq%20%22%C3%A9%22&count=1"),
        ('/Users?filter=userName eq "{id}"', "/Users?filter=userName%20eq%20%22a%2Fb%26c%22"),
        ("/Users?filter=userName+eq+%22x%22", "/Users?filter=userName+eq+%22x%22"),
        ("/Users?filter=userName%20eq%20%22x%22", "/Users?filter=userName%20eq%20%22x%22"),
        ("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User"),
    ],
)
def test_a_path_is_percent_encoded_only_where_needed(path: str, sent: str) -> None:
    assert encoded_path(path, {"id": "a/b&c"}) == sent


@pytest.mark.parametrize("pointer", ["/a/1/b", "", "/a/01x", "/c~1d"])
def test_a_json_pointer_leads_to_a_value_or_nowhere(pointer: str) -> None:
    document: JsonValue = {"a": [0, {"b": "found"}], "c/d": "found"}
    expected = {"/a/1/b": "found", "": document, "/c~1d": "found"}
    assert str(found_at(document, pointer)) == str(expected.get(pointer, "Nothing.HERE"))


def test_what_is_captured_fills_the_placeholders_of_later_requests() -> None:
    send = Recorder((200, {"Resources": [{"id": "7"}]}), (200, {"id": "7"}))
    first = exchange(capture={"userId": "/Resources/0/id"})
    second = exchange("/Users/{userId}", body={"id": "{userId}"})
    assert play(transcript(first, second), send)["userId"] == "7"
    assert send.sent[1][1] == "/Users/7"


def test_a_body_goes_out_as_scim_with_the_headers_of_the_transcript_and_its_own() -> None:
    send = Recorder((200, None))
    request: dict[str, JsonValue] = {
        "method": "POST",
        "path": "/Users",
        "headers": {"accept": None, "X-Own": "{token}"},
        "body": {"userName": "{name}"},
    }
    ask: dict[str, JsonValue] = {**exchange(), "request": request}
    headers: JsonValue = {"Accept": "application/json", "Authorization": "Bearer {token}"}
    play(transcript(ask, headers=headers, names={"name": "bj"}), send, {"token": "t"})
    assert send.sent == [
        (
            "POST",
            "/Users",
            {"Authorization": "Bearer t", "X-Own": "t", "Content-Type": "application/scim+json"},
            b'{"userName":"bj"}',
        )
    ]


def test_a_raw_body_goes_out_as_it_is() -> None:
    send = Recorder((400, None))
    request: JsonValue = {"method": "POST", "path": "/Users", "raw_body": "{broken"}
    play(transcript({**exchange(status=400), "request": request}), send)
    assert send.sent[0][3] == b"{broken"


def test_seeds_are_created_first_and_state_is_read_after_its_exchange() -> None:
    send = Recorder((201, {"id": "7"}), (200, {}))
    conversation = transcript(
        exchange("/Users", state=[{"read": "/Users/{userId}"}]),
        given=[{"at": "/Users", "resource": {"userName": "bj"}, "as": "userId"}, exchange("/Users/{userId}")],
        state=[{"read": "/Groups"}],
    )
    play(conversation, send)
    assert [(method, path) for method, path, *_ in send.sent] == [
        ("POST", "/Users"),
        ("GET", "/Users/7"),
        ("GET", "/Users"),
        ("GET", "/Users/7"),
        ("GET", "/Groups"),
    ]


@pytest.mark.parametrize("concurrently", [False, True])
def test_a_turn_knows_what_was_captured_in_the_same_turn(concurrently: bool) -> None:
    seed: JsonValue = {"at": "/Users", "resource": {"userName": "user{i}"}, "as": "userId_i", "times": 3}
    send = Recorder((201, {"id": "a"}), (201, {"id": "b"}), (201, {"id": "c"}), (200, {}))
    again = exchange("/Users/{userId_i}", times=3, concurrently=concurrently)
    names = play(transcript(again, exchange("/Users/{userId_2}"), given=[seed]), send)
    assert [names[f"userId_{turn}"] for turn in range(3)] == ["a", "b", "c"]
    assert sorted(path for _, path, *_ in send.sent[3:6]) == ["/Users/a", "/Users/b", "/Users/c"]
    assert send.sent[6][1] == "/Users/c"
    assert send.sent[1][3] == b'{"userName":"user1"}'


def test_every_play_has_a_uuid_of_its_own() -> None:
    send = Recorder((200, None))
    for _ in range(2):
        play(transcript(exchange("/Users/{uuid}")), send)
    assert send.sent[0][1] != send.sent[1][1]


def test_a_204_is_asked_for_no_body() -> None:
    play(transcript(exchange(status=[200, 204], body={"id": "1"}, absent=["/x"])), Recorder((204, None)))


@pytest.mark.parametrize(
    ("asked", "answer", "said"),
    [
        (exchange(status=[200, 204]), (500, {"detail": "no"}), "status: expected 200 or 204, came 500"),
        (exchange(body={"id": "1"}), (200, {"id": "2"}), '/id: expected "1", came "2"'),
        (exchange(absent=["/password"]), (200, {"password": None}), "/password: must be absent"),
        (exchange(body={}), (200, None), "body: expected JSON, came nothing"),
        (exchange(headers={"content-type": "x"}), (200, {}), 'header content-type: expected "x", came "application/'),
        (exchange(headers={"location": "x"}), (200, {}), 'header location: expected "x", came nothing'),
        (exchange(capture={"userId": "/id"}), (200, {"id": 7}), "/id: no text to capture as userId"),
        (exchange("/Users/{userId}"), (200, {}), "nothing is known as 'userId'"),
    ],
)
def test_a_failure_says_which_exchange_what_was_expected_and_what_came(
    asked: JsonValue, answer: tuple[int, JsonValue], said: str
) -> None:
    with pytest.raises(TranscriptError) as failure:
        play(transcript(exchange(), asked), Recorder((200, {}), answer))
    assert "x/y, exchange 2, 'ask'" in str(failure.value)
    assert said in str(failure.value)


def test_a_failure_shows_the_answer_and_every_difference() -> None:
    send = Recorder((200, {"id": "2", "active": "True"}))
    with pytest.raises(TranscriptError) as failure:
        play(transcript(exchange(record="001", body={"id": "1", "active": True})), send)
    assert str(failure.value).splitlines() == [
        "x/y, exchange 1, 'ask' (record 001): GET /Users",
        '  /id: expected "1", came "2"',
        '  /active: expected true, came "True"',
        'came: 200 {"id": "2", "active": "True"}',
    ]


def test_a_body_that_is_no_json_is_a_failure() -> None:
    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG001
        return 200, {}, b"<html>"

    with pytest.raises(TranscriptError, match="expected JSON, came something else"):
        play(transcript(exchange(body={})), send)


@pytest.mark.parametrize(
    "body",
    [{"$contain": []}, {"a": [{"$typ": "integer"}]}, {"$type": "int"}, {"$length": 1, "userName": "a"}],
)
def test_a_file_with_a_sign_that_means_nothing_is_refused(body: JsonValue) -> None:
    with pytest.raises(ValidationError):
        transcript(exchange(body=body))


def test_a_file_with_a_key_that_means_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "typo.json"
    file.write_text(json.dumps({"client": "x", "name": "y", "exchange": []}))
    with pytest.raises(ValidationError, match="exchange"):
        read_transcript(file)


def yes(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:  # noqa: ARG001
    """A server that agrees to everything and does nothing."""
    if method == "DELETE":
        return 204, {}, b""
    content = json.loads(body) if body.startswith(b"{") and body.endswith(b"}") else {}
    return (
        (201 if method == "POST" else 200),
        {"content-type": "application/scim+json"},
        json.dumps({**content, "id": "1"}).encode(),
    )


@pytest.mark.parametrize("conversation", sorted(path.relative_to(HERE).as_posix() for path in HERE.glob("*/*.json")))
def test_no_recorded_conversation_is_satisfied_by_a_server_that_only_says_yes(conversation: str) -> None:
    send: Sender = yes
    with pytest.raises(TranscriptError):
        play(read_transcript(HERE / conversation), send, {"token": "t"})
