"""GET and POST `.search` on an endpoint and at the root (RFC 7644 §3.4.2, §3.4.3)."""

import functools
import operator
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import pytest
from tests.engine.conftest import Answer, Face, Maker

from scimcore.rules.limits import Limits
from scimcore.schema.document import Json
from scimcore.schema.standard import ENTERPRISE_USER, USER_SCHEMA

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
SECRET = "t1meMa$heen"


@pytest.fixture
def full(face: Face) -> Face:
    """Four users, made in this order, and a group with the second of them."""
    face.user(
        "carol",
        title="Guide",
        name={"givenName": "Carol"},
        emails=[{"value": "z@x.org"}, {"value": "a@x.org", "primary": True}],
        **{ENTERPRISE_USER.id: {"employeeNumber": "10"}},
    )
    alice = face.user("alice", title="agent", emails=[{"value": "b@x.org", "type": "work"}], active=False)
    face.user("Bob", name={"givenName": "bob"}, externalId="x7", password=SECRET)
    face.user("dave", title="Boss", emails=[{"value": "c@x.org", "type": "home"}])
    face.group("Guides", [alice])
    return face


def asked(face: Face, target: str, **parameters: object) -> Answer:
    return face.send("GET", f"{target}?{urlencode({name: str(value) for name, value in parameters.items()})}")


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.raw
    return [one.get("userName") or one["displayName"] for one in answer.body["Resources"]]


@pytest.mark.rfc("P-3.4.2-01", "P-3.4.2-02", "P-3.4.2-04", "P-3.1-01")
def test_a_list_says_how_many_there_are_and_which_part_it_is(full: Face) -> None:
    answer = full.send("GET", "/Users?count=1&attributes=userName")
    resources = answer.body.pop("Resources")
    assert answer.body == {"schemas": [LIST], "totalResults": 4, "startIndex": 1, "itemsPerPage": 1}
    assert [one["userName"] for one in resources] == ["carol"]
    assert resources[0].keys() == {"schemas", "id", "userName"}


@pytest.mark.rfc("P-3.4.2-05")
def test_no_match_is_an_empty_list(full: Face) -> None:
    answer = asked(full, "/Users", filter='userName eq "nobody"')
    assert answer.status == 200
    assert answer.body["totalResults"] == 0
    assert answer.body["Resources"] == []


def test_an_entry_of_a_list_is_the_resource_as_its_own_url_shows_it(full: Face) -> None:
    for resource in full.send("GET", "/").body["Resources"]:
        assert full.send("GET", resource["meta"]["location"].partition("/v2")[2]).body == resource


@pytest.mark.rfc("P-3.4.2.4-01", "P-3.4.2.4-02", "P-3.4.2.4-03", "P-3.4.2.4-04", "P-3.4.2.4-06", "P-3.4.2.4-07")
@pytest.mark.rfc("P-3.4.2-03", "P-3.4.2.4-05", "S-5-07", "C-4-02")
@pytest.mark.parametrize(
    ("query", "start", "expected"),
    [
        ("", 1, ["carol", "alice"]),
        ("startIndex=2", 2, ["alice", "Bob"]),
        ("startIndex=2&count=1", 2, ["alice"]),
        ("startIndex=4", 4, ["dave"]),
        ("startIndex=5", 5, []),
        ("startIndex=99", 99, []),
        ("startIndex=999999999999999999", 999999999999999999, []),
        ("startIndex=0", 1, ["carol", "alice"]),
        ("startIndex=-5", 1, ["carol", "alice"]),
        ("startindex=3&COUNT=1", 3, ["Bob"]),
        ("count=0", 1, []),
        ("count=-1", 1, []),
        ("count=3", 1, ["carol", "alice", "Bob"]),
        ("count=4", 1, ["carol", "alice", "Bob"]),
        ("count=1000000000", 1, ["carol", "alice", "Bob"]),
    ],
)
def test_a_page_is_cut_out_of_the_list(make_face: Maker, query: str, start: int, expected: list[str]) -> None:
    face = make_face(limits=Limits(default_page_size=2, max_page_size=3))
    for name in ("carol", "alice", "Bob", "dave"):
        face.user(name)
    answer = face.send("GET", f"/Users?{query}")
    assert names(answer) == expected
    assert answer.body["startIndex"] == start
    assert answer.body["totalResults"] == 4
    assert answer.body["itemsPerPage"] == len(expected)


@pytest.mark.rfc("P-3.4.2.4-08", "P-3.4.2.3-06")
@pytest.mark.parametrize(
    ("query", "place"),
    [
        *(
            (f"{name}={value}", name)
            for name in ("count", "startIndex")
            for value in ("abc", "1.5", "", "--1", "1_0", "٣")
        ),
        ("count=" + "9" * 1_000_000, "count"),
        ("sortBy=userName&sortOrder=up", "sortOrder"),
    ],
)
def test_paging_and_order_that_mean_nothing_are_refused(full: Face, query: str, place: str) -> None:
    assert full.refused(full.send("GET", f"/Users?{query}"), 400, "invalidValue").startswith(f"{place}: must be ")


@pytest.mark.rfc("P-3.4.2.3-02", "P-3.4.2.3-03", "P-3.4.2.3-04", "P-3.4.2.3-05", "P-3.4.2.3-07", "P-3.4.2.3-09")
@pytest.mark.parametrize(
    ("sort_by", "order", "expected"),
    [
        ("userName", "", ["alice", "Bob", "carol", "dave"]),
        ("userName", "ascending", ["alice", "Bob", "carol", "dave"]),
        ("USERNAME", "Descending", ["dave", "carol", "Bob", "alice"]),
        (f"{USER_SCHEMA.id.upper()}:userName", "", ["alice", "Bob", "carol", "dave"]),
        ("emails.value", "", ["carol", "alice", "dave", "Bob"]),
        ("emails", "descending", ["Bob", "dave", "alice", "carol"]),
        ("name.givenName", "", ["Bob", "carol", "alice", "dave"]),
        (f"{ENTERPRISE_USER.id}:employeeNumber", "descending", ["alice", "Bob", "dave", "carol"]),
        ("meta.created", "descending", ["dave", "Bob", "alice", "carol"]),
        ("title", "", ["alice", "dave", "carol", "Bob"]),
    ],
)
def test_sorting_is_by_value_and_type(full: Face, sort_by: str, order: str, expected: list[str]) -> None:
    parameters = {"sortBy": sort_by} | ({"sortOrder": order} if order else {})
    assert names(asked(full, "/Users", **parameters)) == expected


@pytest.mark.parametrize("sort_by", ["nope", "name", "password", "emails[type eq", "\x00"])
def test_what_has_no_order_cannot_be_sorted_by(full: Face, sort_by: str) -> None:
    full.refused(asked(full, "/Users", sortBy=sort_by), 400, "invalidPath")


@pytest.mark.rfc("P-3.4.2.3-08")
def test_pages_of_equal_keys_neither_repeat_nor_lose_anyone(face: Face) -> None:
    for number in range(7):
        face.user(f"u{number}", title="same")
    pages = [names(asked(face, "/Users", sortBy="title", startIndex=start, count=2)) for start in (1, 3, 5, 7)]
    assert sorted(functools.reduce(operator.iadd, pages, [])) == [f"u{number}" for number in range(7)]


@pytest.mark.rfc("P-3.4.2.2-01", "P-3.10-01", "P-3.10-02", "S-3.1-09", "S-3.1-12")
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ('userName eq "BOB"', ["Bob"]),
        ('USERNAME SW "c"', ["carol"]),
        (f'{USER_SCHEMA.id}:userName eq "bob"', ["Bob"]),
        (f'{ENTERPRISE_USER.id.upper()}:EMPLOYEENUMBER eq "10"', ["carol"]),
        ("active eq false", ["alice"]),
        ('emails[type eq "work" and value co "b@"]', ["alice"]),
        ('title pr and not (title sw "b")', ["carol", "alice"]),
        ('externalId eq "x7"', ["Bob"]),
        ('externalId eq "X7"', []),
        ('meta.resourceType eq "User"', ["carol", "alice", "Bob", "dave"]),
        ('meta.created gt "2026-11-22T09:00:00Z"', ["alice", "Bob", "dave"]),
        ("groups pr", ["alice"]),
        ('id eq "ID-1"', []),
    ],
)
def test_a_filter_finds_what_it_describes(full: Face, filter: str, expected: list[str]) -> None:
    answer = asked(full, "/Users", filter=filter)
    assert names(answer) == expected
    assert answer.body["totalResults"] == len(expected)


@pytest.mark.rfc("P-3.4.2.1-05", "P-3.12-09", "P-7.5.2-01")
@pytest.mark.parametrize(
    "filter",
    [
        "",
        " ",
        "userName",
        'userName eq "x',
        'nope eq "x"',
        "userName eq x",
        "active gt true",
        'name eq "x"',
        "(" * 60,
        'userName zz "x"',
        'password eq "x"',
        f'password sw "{SECRET[0]}"',
        "password pr",
        'emails[[type eq "a"]]',
    ],
)
def test_a_filter_that_means_nothing_is_refused(full: Face, filter: str) -> None:
    full.refused(asked(full, "/Users", filter=filter), 400, "invalidFilter")


@pytest.mark.parametrize(
    "target",
    [
        '/Users?filter=nope eq "x"',
        "/?filter=userName zz",
        '/?filter=active eq "maybe"',
        "/Users?sortBy=nope",
        "/?sortBy=nope",
        "/Users?attributes=a&excludedAttributes=b",
    ],
)
def test_a_search_that_means_nothing_does_not_reach_the_storage(make_face: Maker, target: str) -> None:
    calls: list[str] = []
    face = make_face(watch=lambda call, _: calls.append(call))
    answer = face.send("GET", target)
    face.refused(answer, 400, answer.body["scimType"])
    assert calls == []


def test_a_broken_filter_is_shown_with_its_place(full: Face) -> None:
    detail = full.refused(asked(full, "/Users", filter="userName eq and active eq true"), 400, "invalidFilter")
    lines = detail.splitlines()
    assert lines[1] == "  userName eq and active eq true"
    assert lines[2].index("^") == lines[1].index("and")


@pytest.mark.rfc("P-3.4.2.1-01", "P-3.4.2.1-02", "P-3.4.2.1-04", "S-3.1-05")
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ('meta.created ge "2026-01-01T00:00:00Z"', ["carol", "alice", "Bob", "dave", "Guides"]),
        ('meta.resourceType eq "Group"', ["Guides"]),
        ("userName pr", ["carol", "alice", "Bob", "dave"]),
        ("members pr or title pr", ["carol", "alice", "dave", "Guides"]),
        ('id eq "id-1"', ["carol"]),
    ],
)
def test_a_search_at_the_root_spans_all_resource_types(full: Face, filter: str, expected: list[str]) -> None:
    assert names(asked(full, "/", filter=filter)) == expected


def test_the_root_sorts_resources_of_all_types(full: Face) -> None:
    assert names(asked(full, "", sortBy="meta.created", sortOrder="descending", count=2)) == ["Guides", "dave"]
    full.refused(asked(full, "", sortBy="nope"), 400, "invalidPath")


def test_at_the_root_a_type_without_the_attribute_comes_last(full: Face) -> None:
    assert names(asked(full, "/", sortBy="userName")) == ["alice", "Bob", "carol", "dave", "Guides"]


@pytest.mark.rfc("P-3.4.3-01", "P-3.4.3-04")
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"filter": 'title pr and userName co "a"'},
        {"sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 2},
        {"attributes": ["userName", "emails.value"], "filter": "emails pr"},
        {"excludedAttributes": ["meta", "emails", "groups"], "startIndex": -1},
        {"count": 0},
        {"sortBy": "nope"},
        {"filter": "userName zz"},
        {"attributes": ["a"], "excludedAttributes": ["b"]},
    ],
)
@pytest.mark.parametrize("endpoint", ["", "/Users"])
def test_a_search_by_post_finds_what_the_one_by_get_finds(
    full: Face, endpoint: str, parameters: Mapping[str, Json]
) -> None:
    query = {name: ", ".join(map(str, one)) if isinstance(one, list) else one for name, one in parameters.items()}
    by_get = asked(full, endpoint, **query)
    before = full.stored()
    by_post = full.send("POST", f"{endpoint}/.search", {"schemas": [SEARCH], **parameters})
    assert (by_post.status, by_post.body) == (by_get.status, by_get.body)
    assert full.stored() == before
    assert full.events == []


@pytest.mark.rfc("P-3.4.3-02", "P-3.4.3-05", "P-3.12-13")
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"schemas": [LIST]}, "schemas"),
        ({"schemas": []}, "schemas"),
        ({"schemas": [SEARCH], "count": "10"}, "count"),
        ({"schemas": [SEARCH], "startIndex": 1.5}, "startIndex"),
        ({"schemas": [SEARCH], "startIndex": True}, "startIndex"),
        ({"schemas": [SEARCH], "filter": 5}, "filter"),
        ({"schemas": [SEARCH], "attributes": [5]}, "attributes[0]"),
        ({"schemas": [SEARCH], "attributes": {}}, "attributes"),
        ({"schemas": [SEARCH], "sortOrder": "up"}, "sortOrder"),
        ({"schemas": [SEARCH], "sortBy": ["userName"]}, "sortBy"),
        ([], "the message"),
        ("x", "the message"),
    ],
)
def test_a_search_request_of_the_wrong_shape_is_refused(full: Face, body: Json, place: str) -> None:
    assert full.refused(full.send("POST", "/Users/.search", body), 400, "invalidSyntax").startswith(place)


@pytest.mark.rfc("P-3.9-01", "P-3.9-02", "P-3.9-05", "P-3.9-06", "P-3.4.2.5-01", "P-3.4.2.5-02", "S-3-01", "S-3.1-15")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("attributes=userName", {"schemas", "id", "userName"}),
        (f"attributes=USERNAME, {USER_SCHEMA.id.upper()}:TITLE", {"schemas", "id", "userName", "title"}),
        (f"attributes={ENTERPRISE_USER.id}", {"schemas", "id", ENTERPRISE_USER.id}),
        (f"attributes={ENTERPRISE_USER.id}:employeeNumber", {"schemas", "id", ENTERPRISE_USER.id}),
        ("attributes=nope", {"schemas", "id"}),
        ("attributes=password", {"schemas", "id"}),
        ("attributes=name.givenName", {"schemas", "id", "name"}),
        ("excludedAttributes=id,schemas,emails,name,meta", {"schemas", "id", "userName", "title", ENTERPRISE_USER.id}),
    ],
)
@pytest.mark.parametrize("target", ["/Users/id-1", '/Users?filter=id eq "id-1"&', "/Users/.search"])
def test_attributes_choose_what_is_shown(full: Face, target: str, query: str, shown: set[str]) -> None:
    name, _, value = query.partition("=")
    if target.endswith(".search"):
        answer = full.send("POST", target, {"schemas": [SEARCH], name: value.split(","), "filter": 'id eq "id-1"'})
    else:
        answer = full.send("GET", target + ("" if "?" in target else "?") + f"{name}={quote(value)}")
    assert answer.status == 200
    (resource,) = answer.body.get("Resources", [answer.body])
    assert resource.keys() == shown


@pytest.mark.rfc("P-3.9-03")
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/Users/id-1"),
        ("GET", "/Users"),
        ("GET", "/"),
        ("POST", "/Users"),
        ("PUT", "/Users/id-1"),
        ("PATCH", "/Users/id-1"),
    ],
)
def test_attributes_and_excluded_attributes_exclude_one_another(full: Face, method: str, target: str) -> None:
    before = full.stored()
    operations = [{"op": "add", "path": "title", "value": "T"}]
    body = None if method == "GET" else {"userName": "eve", "Operations": operations}
    answer = full.send(method, f"{target}?attributes=title&excludedAttributes=name", body)
    full.refused(answer, 400, "invalidValue")
    assert full.stored() == before


@pytest.mark.rfc("P-3.4.2-06", "P-3.4.2-07", "P-7.4-02")
@pytest.mark.parametrize("query", ["foo=1", "foo", "&&;=&", "a=1&a=2", "cursor=x", "%00=%00", "access_token=abc"])
@pytest.mark.parametrize("target", ["/Users", "/Users/id-1", "/Schemas", "/"])
def test_unknown_query_parameters_are_not_looked_at(full: Face, target: str, query: str) -> None:
    assert full.send("GET", f"{target}?{query}").body == full.send("GET", target).body


def test_a_filter_on_one_resource_is_not_looked_at(full: Face) -> None:
    assert full.send("GET", '/Users/id-1?filter=userName eq "nobody"').status == 200


def test_too_many_query_parameters_are_refused(full: Face) -> None:
    full.refused(full.send("GET", "/Users?" + "a=1&" * 101), 400, "invalidSyntax")


def test_a_query_that_is_no_utf_8_is_refused(full: Face) -> None:
    full.refused(full.send("GET", "/Users?filter=%ff"), 400, "invalidSyntax")


def test_values_percent_encoded_in_a_query_are_decoded_once(face: Face) -> None:
    face.user("a+b c%20d")
    assert names(face.send("GET", "/Users?filter=userName+eq+%22a%2Bb%20c%2520d%22")) == ["a+b c%20d"]


def test_the_last_of_a_repeated_parameter_counts(full: Face) -> None:
    assert names(full.send("GET", "/Users?count=1&COUNT=2")) == ["carol", "alice"]


@pytest.mark.rfc("P-3.4.2.1-05")
@pytest.mark.parametrize("filter", ['nope eq "x"', 'not (nope eq "x")', "userName pr or name.nope pr"])
def test_a_name_that_no_type_knows_is_refused_at_the_root(make_face: Maker, filter: str) -> None:
    detail = make_face().refused(make_face().send("GET", f"/?filter={quote(filter)}"), 400, "invalidFilter")
    assert "nope" in detail
