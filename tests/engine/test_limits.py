"""Each limit refuses what exceeds it by one, and nothing that does not (RFC 7644 §3.7.4, §3.12)."""

import json

import pytest
from tests.engine.conftest import Maker

from scimcore.rules.limits import Limits
from scimcore.schema.document import Json

TITLE = {"op": "add", "path": "title", "value": "T"}


def sized(length: int) -> bytes:
    body = json.dumps({"userName": "b", "title": ""}).encode()
    return body.replace(b'""', b'"' + b"x" * (length - len(body)) + b'"')


@pytest.mark.rfc("P-3.12-08")
@pytest.mark.parametrize(("length", "status"), [(1_000, 201), (1_001, 413)])
def test_max_body_bytes(make_face: Maker, length: int, status: int) -> None:
    face = make_face(limits=Limits(max_body_bytes=1_000))
    answer = face.send("POST", "/Users", sized(length))
    assert answer.status == status
    if status == 413:
        assert "1000" in face.refused(answer, 413)
        assert face.stored() == []


@pytest.mark.parametrize(("depth", "status"), [(8, 201), (9, 400)])
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("kinds", [["[]"], ["{}"], ["{}", "[]"]])
def test_max_json_depth(make_face: Maker, kinds: list[str], depth: int, status: int, closed: bool) -> None:
    face = make_face(limits=Limits(max_json_depth=8))
    nested = "1"
    for level in range(1, depth):
        kind = kinds[level % len(kinds)]
        nested = kind[0] + ('"a":' if kind == "{}" else "") + nested + kind[1] * closed
    body = '{"userName": "b", "x": [0, [], {}, [], {}, [], {}, []], "nested": ' + nested + "}"
    answer = face.send("POST", "/Users", body.encode())
    assert answer.status == (status if closed else 400)
    if answer.status == 400:
        face.refused(answer, 400, "invalidSyntax")


@pytest.mark.parametrize(
    "brackets",
    [
        "]" * 9,
        "[" * 9 + "}" * 9,
        '"' + "[" * 50 + '"',
        '"' + r"\"" + "[" * 50 + r"\\" + '"',
    ],
)
def test_brackets_that_do_not_match_are_refused_and_brackets_in_strings_do_not_count(
    make_face: Maker, brackets: str
) -> None:
    face = make_face(limits=Limits(max_json_depth=8))
    answer = face.send("POST", "/Users", ('{"userName": "b", "title": ' + brackets + "}").encode())
    assert answer.status == (201 if brackets.startswith('"') else 400)


@pytest.mark.parametrize("string", ['""', r'"\""', r'"\\"', r'"[\"[\\"'])
@pytest.mark.parametrize(("depth", "status"), [(8, 201), (9, 400)])
def test_brackets_behind_a_string_count(make_face: Maker, string: str, depth: int, status: int) -> None:
    face = make_face(limits=Limits(max_json_depth=8))
    nested = "[" * (depth - 2) + "]" * (depth - 2)
    body = f'{{"userName": "b", "x": [{string}, {nested}, [[], [], []]]}}'
    assert face.send("POST", "/Users", body.encode()).status == status


FILTERS = {
    "max_filter_length": (Limits(max_filter_length=30), 'userName eq "{}"', 16),
    "max_filter_depth": (Limits(max_filter_depth=5), "{}", 5),
    "max_filter_terms": (Limits(max_filter_terms=5), "{}", 5),
}


def grown(limit: str, size: int) -> str:
    match limit:
        case "max_filter_length":
            return f'userName eq "{"x" * size}"'
        case "max_filter_depth":
            return "(" * size + "userName pr" + ")" * size
        case _:
            return " or ".join(["userName pr"] * size)


@pytest.mark.parametrize("limit", FILTERS)
def test_limits_of_filters(make_face: Maker, limit: str) -> None:
    limits, _, size = FILTERS[limit]
    face = make_face(limits=limits)
    assert face.send("GET", f"/Users?filter={grown(limit, size)}").status == 200
    face.refused(face.send("GET", f"/Users?filter={grown(limit, size + 1)}"), 400, "invalidFilter")
    face.refused(face.send("POST", "/.search", {"filter": grown(limit, size + 1)}), 400, "invalidFilter")


def test_limits_of_paths(make_face: Maker) -> None:
    face = make_face(limits=Limits(max_filter_length=30, max_filter_terms=1))
    id = face.user(emails=[{"value": "a"}])
    long = {"op": "remove", "path": f'emails[value eq "{"x" * 30}"]'}
    face.refused(face.patch(f"/Users/{id}", long), 400, "invalidPath")
    many = {"op": "remove", "path": "emails[value pr or type pr]"}
    face.refused(face.patch(f"/Users/{id}", many), 400, "invalidFilter")
    assert face.patch(f"/Users/{id}", {"op": "remove", "path": "emails[value pr]"}).status == 200


@pytest.mark.rfc("P-3.12-08")
def test_max_operations(make_face: Maker) -> None:
    face = make_face(limits=Limits(max_operations=3))
    id = face.user()
    assert "3" in face.refused(face.patch(f"/Users/{id}", *[TITLE] * 4), 413)
    face.refused(face.patch(f"/Users/{id}", *[{"op": "nonsense"}] * 4), 413)
    assert face.patch(f"/Users/{id}", *[TITLE] * 3).status == 200


def emails(first: int, last: int) -> list[Json]:
    return [{"value": f"e{number}"} for number in range(first, last)]


@pytest.mark.parametrize("stored", [100, 0])
def test_max_patch_work(make_face: Maker, stored: int) -> None:
    """Elements that are walked again and again, be they there already or sent along."""
    face = make_face(limits=Limits(max_patch_work=1_000))
    id = face.user(emails=emails(0, stored))
    before = face.stored()
    first = {"op": "add", "path": "emails", "value": emails(0, 100)}
    more: list[Json] = [{"op": "add", "path": "emails", "value": emails(n, n + 1)} for n in range(100, 112)]
    face.refused(face.patch(f"/Users/{id}", first, *more), 413)
    face.refused(face.patch(f"/Users/{id}", {"op": "add", "value": {"emails": emails(0, 100)}}, *more), 413)
    created: Json = {f'emails[value eq "{n}"].display': "x" for n in range(200)}
    face.refused(face.patch(f"/Users/{id}", {"op": "add", "value": created}), 413)
    assert face.stored() == before
    assert face.patch(f"/Users/{id}", first).status == 200


@pytest.mark.parametrize("repeated", [False, True])
def test_as_many_operations_as_are_allowed_may_each_add_a_member(make_face: Maker, repeated: bool) -> None:
    face = make_face()
    members = [face.user(f"u{number}") for number in range(1_000)]
    group = face.group("Guides", members if repeated else [])
    operations: list[Json] = [{"op": "add", "path": "members", "value": [{"value": id}]} for id in members]
    assert face.patch(f"/Groups/{group}", *operations).status == 204


def test_pages_are_limited(make_face: Maker) -> None:
    face = make_face(limits=Limits(default_page_size=2, max_page_size=3))
    for number in range(5):
        face.user(f"u{number}")
    for query, size in (("", 2), ("?count=5", 3), ("?count=1", 1)):
        assert face.send("GET", f"/Users{query}").body["itemsPerPage"] == size
    assert face.send("POST", "/.search", {"count": 9}).body["itemsPerPage"] == 3


def test_every_limit_has_its_test() -> None:
    elsewhere = {"inline_members", "max_attempts"}  # in test_keyed_members.py and test_retry.py
    here = {"max_body_bytes", "max_json_depth", *FILTERS, "max_operations", "max_patch_work"}
    assert {name for name in dir(Limits()) if not name.startswith("_")} == (
        elsewhere | here | {"default_page_size", "max_page_size"}
    )
