"""Every example of every quirk, at a provider that speaks the dialect: so the table in docs/dialects.md is true."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import attrs
import pytest

from scimcore import GROUP, USER, Request, Response, ScimProvider
from scimcore.access import anonymous
from scimcore.dialects import DIALECTS, HARNESS, Dialect, Evidence, Example, Quirk
from scimcore.rules.tolerance import STRICT
from scimcore.storage import MemoryStorage

CASES: Final = [
    pytest.param(dialect, quirk, id=f"{dialect.name}: {quirk.name}")
    for dialect in DIALECTS.values()
    for quirk in dialect.quirks
]


def report(bug: Exception, _: str) -> None:
    traceback.print_exception(bug)


class Client:
    """A client of a new provider that speaks a dialect."""

    def __init__(self, dialect: Dialect, served: tuple[str, ...] = ("User", "Group")) -> None:
        ids = count(1)
        self._provider = ScimProvider(
            MemoryStorage(),
            authenticate=anonymous(tenant="t"),
            resource_types=[one for one in (USER, GROUP) if one.name in served],
            dialect=dialect,
            new_id=lambda: str(next(ids)),
            on_bug=report,
        )

    def send(self, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
        path, _, query = target.partition("?")
        sent = b"" if body is None else json.dumps(body).encode()
        with_type = {"Content-Type": "application/scim+json", **(headers or {})}
        return self._provider.handle_sync(Request(method, path, quote(query, safe="=&+%"), with_type, sent))


Outcome = tuple[int, Any, str | None]
"""Status, what was understood, and the media type of the answer where it matters."""


def outcome(example: Example, dialect: Dialect) -> Outcome:
    """What comes of *example* at a provider that speaks *dialect*."""
    client = Client(dialect, tuple(example.served))
    for endpoint, resource in example.given:
        assert client.send("POST", endpoint, resource).status == 201
    answer = client.send(example.method, example.target, example.body, example.headers)
    media_type = answer.headers.get("content-type") if example.media_type else None
    path, _, _ = example.target.partition("?")
    shown = answer.body or client.send("GET", path).body
    return answer.status, understood(json.loads(shown)), media_type


def understood(body: Any) -> Any:
    if "Resources" in body:
        return [resource["id"] for resource in body["Resources"]]
    if "detail" in body:
        return body.get("scimType")
    told = {"id", "schemas", "meta"}
    if "members" in body:
        members = [
            {name: part for name, part in one.items() if name in ("value", "display")} for one in body["members"]
        ]
        body = {**body, "members": members}
    return {name: value for name, value in body.items() if name not in told}


def expected(example: Example) -> Outcome:
    return example.status, example.understood, example.media_type


@pytest.mark.parametrize(("dialect", "quirk"), CASES)
def test_what_the_table_says_of_a_quirk_is_what_happens(dialect: Dialect, quirk: Quirk) -> None:
    for example in quirk.examples:
        assert outcome(example, dialect) == expected(example)


@pytest.mark.parametrize(("dialect", "quirk"), CASES)
def test_a_quirk_needs_nothing_but_what_it_asks_for(dialect: Dialect, quirk: Quirk) -> None:
    alone = Dialect.of(dialect.name, quirk, base=STRICT)
    for example in quirk.examples:
        assert outcome(example, alone) == expected(example)


def without_each_need(dialect: Dialect, quirk: Quirk) -> Iterator[Dialect]:
    """*dialect* without one thing or another that *quirk* asks for."""
    for setting, value in quirk.settings.items():
        yield attrs.evolve(dialect, tolerance=attrs.evolve(dialect.tolerance, **{setting: not value}))
    if quirk.resource is not None:
        yield attrs.evolve(dialect, quirks=replaced(dialect, quirk, attrs.evolve(quirk, resource=None)))
    if quirk.message is not None:
        yield attrs.evolve(dialect, quirks=replaced(dialect, quirk, attrs.evolve(quirk, message=None)))
    if quirk.bodiless_patches:
        yield attrs.evolve(dialect, bodiless_patches=dialect.bodiless_patches - quirk.bodiless_patches)
    if quirk.media_type is not None:
        yield attrs.evolve(dialect, media_type=None)


def replaced(dialect: Dialect, old: Quirk, new: Quirk) -> tuple[Quirk, ...]:
    return tuple([new if one is old else one for one in dialect.quirks])


@pytest.mark.parametrize(("dialect", "quirk"), CASES)
def test_a_quirk_asks_for_nothing_that_its_examples_do_not_need(dialect: Dialect, quirk: Quirk) -> None:
    for less in without_each_need(dialect, quirk):
        assert any(outcome(example, less) != expected(example) for example in quirk.examples)


@pytest.mark.parametrize(("dialect", "quirk"), CASES)
def test_a_quirk_says_who_when_what_and_where_to_read_it(dialect: Dialect, quirk: Quirk) -> None:
    assert quirk.sent
    assert quirk.done
    assert quirk.sources
    assert quirk.evidence in Evidence
    assert quirk.examples
    assert [one.name for one in dialect.quirks].count(quirk.name) == 1


def quirk_that(**needs: Any) -> Quirk:
    example = Example(method="GET", target="/Users", understood=[])
    texts = {"name": "n", "sent": "s", "done": "d", "sources": ("u",), "evidence": Evidence.SOURCE}
    return Quirk(**{**texts, "examples": (example,), **needs})


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        ({"settings": {"bare_values": True}}, {"settings": {"bare_values": False}}, "wants bare_values the other way"),
        ({"media_type": "a/b"}, {"media_type": "c/d"}, "answers in a/b and c/d"),
    ],
)
def test_quirks_that_contradict_each_other_make_no_dialect(
    one: dict[str, Any], other: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=f"ours: .*{fault}"):
        Dialect.of("ours", quirk_that(**one), quirk_that(**other))


def test_a_quirk_with_an_unknown_setting_makes_no_dialect() -> None:
    with pytest.raises(TypeError, match="no_such_setting"):
        Dialect.of("ours", quirk_that(settings={"no_such_setting": True}))


def test_what_quirks_do_not_settle_is_as_in_the_base() -> None:
    made = Dialect.of("ours", quirk_that(settings={"bare_values": True}), base=STRICT)
    assert made.tolerance == attrs.evolve(STRICT, bare_values=True)


def test_the_rewrites_of_a_dialect_come_in_the_order_of_its_quirks() -> None:
    def adding(sign: str) -> Callable[[Any, object], Any]:
        return lambda payload, _: f"{payload}{sign}"

    made = Dialect.of("ours", quirk_that(resource=adding("1"), message=adding("a")), quirk_that(resource=adding("2")))
    assert (made.resource("", USER), made.message("", USER)) == ("12", "a")


def test_dialects_are_found_by_their_names() -> None:
    assert all(dialect.name == name for name, dialect in DIALECTS.items())
    assert DIALECTS["default"] is Dialect.DEFAULT
    assert DIALECTS["strict"] is Dialect.STRICT


def test_dialects_and_their_quirks_can_be_keys() -> None:
    assert {HARNESS: 1}[HARNESS] == 1


@pytest.mark.parametrize("method", ["resource", "message"])
def test_a_dialect_without_rewrites_gives_back_what_it_was_given(method: str) -> None:
    payload: dict[str, Any] = {"Operations": [], "department": "Sales"}
    for dialect in (Dialect.DEFAULT, Dialect.STRICT, HARNESS):
        assert getattr(dialect, method)(payload, USER) is payload
