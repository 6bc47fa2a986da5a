"""Bad input is refused, the refusal names the place, and what is stored stays as it was."""

import json
from collections.abc import Iterator

import pytest
from tests.engine.conftest import Face

from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

# Wrong types, at every attribute

_WRONG: dict[Type, tuple[Json, ...]] = {
    Type.STRING: (5, True, 1.5, {"a": 1}, ["a"], {}),
    Type.BOOLEAN: (1, 0, "maybe", [True], {"a": True}),
    Type.REFERENCE: (5, False, "http://h/a b", "<>", {"a": 1}),
    Type.BINARY: (5, True, "@@", "é", {"a": 1}),
    Type.COMPLEX: (5, True, 1.5, "text"),
}


def places(resource_type: ResourceType) -> Iterator[Place]:
    """Every place that a client may write to."""
    for attribute in resource_type.attributes.values():
        if not attribute.is_writable or attribute.name == "schemas":
            continue
        yield Place(None, attribute)
        for sub in attribute.sub_attributes:
            if not sub.is_writable:
                continue
            if attribute.name not in resource_type.containers:
                yield Place(None, attribute, sub)
                continue
            yield Place(attribute, sub)
            yield from (Place(attribute, sub, part) for part in sub.sub_attributes if part.is_writable)


def wrong_values(attribute: Attribute) -> Iterator[Json]:
    for value in _WRONG[attribute.type]:
        is_value = attribute.is_complex and attribute.sub_attribute("value") and isinstance(value, str)
        if not is_value:  # a string stands for the value of a complex attribute
            yield [value] if attribute.multi_valued else value


def payload(place: Place, value: Json) -> tuple[dict[str, Json], str]:
    """An object with *value* at *place*, and what a problem with it is named by."""
    if place.sub is not None:
        value = [{place.sub.name: value}] if place.attribute.multi_valued else {place.sub.name: value}
    name = place.attribute.name + ("[0]" if place.attribute.multi_valued else "")
    name += f".{place.sub.name}" if place.sub else ""
    if place.container is not None:
        return {place.container.name: {place.attribute.name: value}}, f"{place.container.name}:{name}"
    return {place.attribute.name: value}, name


PLACES = [pytest.param(kind, place, id=f"{kind.name}-{place}") for kind in (USER, GROUP) for place in places(kind)]
REQUIRED: dict[str, dict[str, Json]] = {"User": {"userName": "eve"}, "Group": {"displayName": "Eve"}}


def test_there_is_a_place_for_every_attribute_of_the_standard() -> None:
    assert len(PLACES) > 70


@pytest.mark.rfc("S-2.3-02", "S-2.3.6-01", "S-2.3.7-01", "S-7-05", "P-3.12-16", "P-3.5.2-10", "P-3.12-03")
@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_a_value_of_the_wrong_type_is_refused_by_its_path(face: Face, kind: ResourceType, place: Place) -> None:
    member = face.user()
    id = face.user("bob") if kind is USER else face.group("Guides", [member])
    before = face.stored()
    target = f"{kind.endpoint}/{id}"
    for wrong in wrong_values(place.leaf):
        wrongly, path = payload(place, wrong)
        whole = {**REQUIRED[kind.name], **wrongly}
        for method, where in (("POST", kind.endpoint), ("PUT", target)):
            detail = face.refused(face.send(method, where, whole), 400, "invalidValue")
            assert detail.startswith(path), (method, wrong)
            assert len(detail.splitlines()) == 1
        for op in ("add", "replace"):
            answer = face.patch(target, {"op": op, "value": wrongly})
            assert path.split("[")[0].split(".")[0] in face.refused(answer, 400, "invalidValue"), (op, wrong)
            if place.sub is None:
                answer = face.patch(target, {"op": op, "path": str(place), "value": wrong})
                assert str(place) in face.refused(answer, 400, "invalidValue"), (op, wrong)
    assert face.stored() == before
    assert face.events == []


# Bodies that are no JSON, or none that can be kept

TEMPLATES = {
    "create": ("POST", "/Users", '{"userName": "eve", "title": %s}'),
    "replace": ("PUT", "/Users/id-1", '{"userName": "eve", "title": %s}'),
    "patch": ("PATCH", "/Users/id-1", '{"Operations": [{"op": "add", "path": "title", "value": %s}]}'),
    "group": ("POST", "/Groups", '{"displayName": "Eve", "members": %s}'),
    "search": ("POST", "/.search", '{"count": 1, "x": %s}'),
}
BODIES = {
    "nothing": b"",
    "blank": b"  \n",
    "half an object": b"{",
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"5",
    "null": b"null",
    "bad UTF-8": b'{"userName": "\xff\xfe"}',
    "overlong UTF-8": b'{"userName": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"userName": "\xed\xa0\x80"}',
    "UTF-16": '{"userName": "eve"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two values": b"{}{}",
    "XML": b"<User/>",
    "a form": b"userName=eve",
    "only brackets": b"[" * 1_000_000,
    "only closing brackets": b"]" * 100_000,
    "only braces": b'{"a":' * 500_000,
    "an endless string": b'"' + b"x" * 1_000_000,
    "an endless string of quotes": b"[" * 40 + b'"' + b'\\"' * 500_000,
    "an endless string of backslashes": b"[" * 40 + b'"' + b"\\" * 1_000_001,
}
FRAGMENTS = {
    "nothing": "",
    "a bare word": "x",
    "a comma too many": "[1,]",
    "single quotes": "'x'",
    "a comment": "1 /* x */",
    "hexadecimal": "0x10",
    "a leading zero": "01",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "a float out of range": "1e400",
    "a float far out of range": "-1e" + "9" * 100_000,
    "an integer beyond 64 bits": str(2**63),
    "an integer below 64 bits": str(-(2**63) - 1),
    "a million digits": "9" * 1_000_000,
    "half a surrogate pair": r'"\ud800"',
    "the other half": r'"\udc00"',
    "a surrogate pair turned round": r'"\ude00\ud83d"',
    "half a surrogate pair as a name": r'{"\udfff": 1}',
    "NUL": r'"a\u0000b"',
    "NUL as a name": r'{"\u0000": 1}',
    "NUL deep inside": r'[[{"a": [{"b": "\u0000"}]}]]',
    "a raw control character": '"a\x01b"',
    "a raw NUL": '"a\x00b"',
    "a bad escape": r'"\x41"',
    "a name twice": '{"a": 1, "a": 1}',
    "a name twice after many": "{" + ", ".join(f'"a{n}": 1' for n in range(200_000)) + ', "a0": 1}',
    "too deep": "[" * 32 + "]" * 32,
    "too deep in both": '[{"a":' * 16 + "1" + "}]" * 16,
    "too deep in objects": '{"a":' * 32 + "1" + "}" * 32,
    "far too deep": "[" * 100_000 + "]" * 100_000,
    "brackets of two kinds": "[}",
}


@pytest.mark.rfc("P-3.3-09", "P-3.8-01", "P-3.12-06")
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_body_that_is_no_json_object_is_refused(face: Face, template: str, body: str) -> None:
    face.user()
    before = face.stored()
    method, target, _ = TEMPLATES[template]
    answer = face.send(method, target, BODIES[body], {"Content-Type": "application/scim+json"})
    assert len(face.refused(answer, 400, "invalidSyntax")) < 200
    assert face.stored() == before


@pytest.mark.rfc("P-3.3-09", "S-2.1-03")
@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_body_with_something_that_is_no_json_is_refused(face: Face, template: str, fragment: str) -> None:
    face.user()
    before = face.stored()
    method, target, text = TEMPLATES[template]
    answer = face.send(method, target, (text % FRAGMENTS[fragment]).encode())
    assert len(face.refused(answer, 400, "invalidSyntax")) < 200
    assert face.stored() == before
    assert face.events == []


@pytest.mark.rfc("S-2.1-03")
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/Users", '{"userName": "eve", "USERNAME": "eve"}'),
        ("PUT", "/Users/id-1", '{"userName": "eve", "title": "a", "Title": null}'),
        ("POST", "/Users", '{"userName": "eve", "name": {"givenName": "a", "GivenName": "b"}}'),
        ("POST", "/Users", '{"userName": "eve", "emails": [{"value": "a", "VALUE": "b"}]}'),
        (
            "POST",
            "/Users",
            f'{{"userName": "eve", "{ENTERPRISE_USER.id}": {{}}, "{ENTERPRISE_USER.id.upper()}": {{}}}}',
        ),
        ("PATCH", "/Users/id-1", '{"Operations": [{"op": "add", "OP": "remove", "path": "title", "value": "x"}]}'),
        (
            "PATCH",
            "/Users/id-1",
            '{"Operations": [{"op": "add", "path": "name", "value": {"givenName": "a", "GIVENNAME": "b"}}]}',
        ),
        ("PATCH", "/Users/id-1", '{"Operations": [{"op": "add", "value": {"title": "a", "TITLE": "b"}}]}'),
        ("POST", "/.search", '{"count": 1, "COUNT": 2}'),
    ],
)
def test_a_name_that_stands_twice_in_different_case_is_refused(face: Face, method: str, target: str, body: str) -> None:
    face.user()
    before = face.stored()
    assert "twice" in face.refused(face.send(method, target, body.encode()), 400, "invalidSyntax")
    assert face.stored() == before


def test_numbers_at_the_edge_of_64_bits_are_read(face: Face) -> None:
    body = f'{{"userName": "eve", "x": [{2**63 - 1}, {-(2**63) + 1}, 1e308, -0.0, 1e-999]}}'
    assert face.send("POST", "/Users", body.encode()).status == 201


# Filters, paths and URLs

FILTERS = {
    "100 kB of text": 'userName eq "' + "x" * 100_000 + '"',
    "100 kB of terms": " or ".join(['userName eq "x"'] * 6_000),
    "100 kB of not": "not (" * 20_000 + "userName pr" + ")" * 20_000,
    "10 000 brackets": "(" * 10_000 + "userName pr" + ")" * 10_000,
    "4 000 brackets": "(" * 4_000 + "userName pr" + ")" * 4_000,
    "4 000 opening brackets": "(" * 4_000,
    "10 000 square brackets": "emails[" * 10_000 + "type pr" + "]" * 10_000,
    "1 000 square brackets": "emails[" * 1_000 + "type pr" + "]" * 1_000,
    "9 000 digits": "userName eq " + "9" * 9_000,
    "9 000 digits behind the point": "userName gt 0." + "9" * 9_000,
    "a huge exponent": "active eq 1e" + "9" * 5_000,
    "9 000 blanks": "userName" + " " * 9_000,
    "an endless string": 'userName eq "' + "\\" * 9_001,
    "half a surrogate pair": r'userName eq "\ud800"',
    "a bad escape": r'userName eq "\x"',
    "NUL in a name": "user\x00Name pr",
    "a name of another script": "ｕｓｅｒＮａｍｅ pr",
    "an attribute of the language": 'userName.__class__ eq "x"',
    "a format": 'title{0.__class__} eq "%s"',
    "a dot too many": "name..givenName pr",
    "a URN without a name": f"{USER.schema.id}: pr",
}


@pytest.mark.rfc("P-3.12-09")
@pytest.mark.parametrize("filter", FILTERS)
def test_a_hostile_filter_is_refused_briefly(face: Face, filter: str) -> None:
    id = face.user()
    before = face.stored()
    text = FILTERS[filter]
    answers = [face.send("GET", f"/{endpoint}?filter={text}") for endpoint in ("Users", "")]
    if "\x00" not in text:  # as JSON it would be refused before it is a filter
        answers.append(face.send("POST", "/Users/.search", {"filter": text}))
    for answer in answers:
        assert len(face.refused(answer, 400, "invalidFilter")) < 1_000
    inner = f"emails[{text}]"
    for operation in ({"op": "remove", "path": inner}, {"op": "add", "path": f"{inner}.value", "value": "x"}):
        answer = face.patch(f"/Users/{id}", operation)
        assert answer.body.get("scimType") in ("invalidPath", "invalidFilter", "invalidSyntax"), answer.raw
        assert len(face.refused(answer, 400, answer.body["scimType"])) < 1_000
    assert face.stored() == before


@pytest.mark.parametrize(
    "query",
    [
        "filter=%",
        "filter=%zz",
        "filter=%ff",
        "filter=%C3%28",
        "filter=%ED%A0%80",
        "filter=\x00",
        "filter=é",
        "filter=",
        "filter=%00",
        "count=%31%00",
        "count=١",
        "startIndex=0x1",
        "count=1e3",
        "count=9" + "9" * 30,
    ],
)
def test_a_hostile_query_is_refused(face: Face, query: str) -> None:
    answer = face.send("GET", f"/Users?{query}")
    assert answer.status == 400
    face.refused(answer, 400, answer.body["scimType"])


@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
@pytest.mark.parametrize(
    "value", ["," * 100_000, "x" * 100_000, "a.b.c.d", "emails[", "%00", "%22%5C", "__class__", "meta.", ":", "$ref"]
)
def test_attributes_that_mean_nothing_are_passed_over(face: Face, name: str, value: str) -> None:
    face.user(title="T")
    for target in ("/Users", "/", "/Users/id-1"):
        assert face.send("GET", f"{target}?{name}={value}").status == 200


@pytest.mark.parametrize("name", ["Accept", "If-None-Match", "If-Match", "Authorization", "X-Nonsense"])
@pytest.mark.parametrize(
    "value", ["", " ", ",", ";q=", "\x00", "é" * 10_000, '"' * 9_999, "W/" * 5_000, "*,*", "\ud800"]
)
def test_a_hostile_header_does_no_harm(face: Face, name: str, value: str) -> None:
    id = face.user()
    before = face.stored()
    for answer in (
        face.send("GET", f"/Users/{id}", headers={name: value}),
        face.patch(f"/Users/{id}", {"op": "remove", "path": "title"}, headers={name: value}),
    ):
        if answer.status >= 400:
            assert name.startswith("If-")
            face.refused(answer, answer.status, "invalidSyntax" if answer.status == 400 else None)
    assert face.stored() == before


def test_a_refusal_never_repeats_a_long_payload(face: Face) -> None:
    long = "x" * 100_000
    for answer in (
        face.send("POST", "/Users", {"userName": "eve", "active": long}),
        face.send("POST", "/Users", f'{{"{long}": 1, "{long}": 2}}'.encode()),
        face.send("GET", f"/Users?filter={long}"),
        face.send("GET", f"/Users?sortBy={long}"),
        face.send("GET", f"/{long}"),
        face.send("POST", "/Users", b"{}", {"Content-Type": long}),
        face.patch(f"/Users/{face.user()}", {"op": "add", "path": long, "value": 1}),
    ):
        assert answer.status >= 400
        assert len(answer.raw) < 2_000


def test_a_payload_of_many_resources_worth_is_kept_whole(face: Face) -> None:
    many: list[Json] = [{"value": f"e{number}@example.com"} for number in range(20_000)]
    id = face.user(emails=many)
    assert len(face.send("GET", f"/Users/{id}").body["emails"]) == 20_000
    assert json.loads(face.send("GET", f"/Users/{id}?attributes=userName").raw).keys() == {"schemas", "id", "userName"}
