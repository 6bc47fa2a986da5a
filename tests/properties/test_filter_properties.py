"""Laws that every filter keeps, whatever it asks of whatever document."""

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from scimcore.errors import InvalidFilterError, InvalidPathError
from scimcore.rules.filter import matches, parse_filter
from scimcore.rules.path import parse_path
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import USER

Texts: TypeAlias = st.SearchStrategy[str]

# Few and similar values, so that comparisons often hold; among them all that must be escaped or folded.
WORDS = st.sampled_from(
    ["", "a", "A", "ab", "b", 'q"t', "back\\slash", "line\nend", "é", "e\u0301", "50%_", "x] and (y"]
)
MOMENTS = st.sampled_from(["2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00.5Z"])
BOOLEANS = st.booleans()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _comparisons(names: list[str], operators: list[str], operands: Texts) -> Texts:
    return st.builds(lambda *parts: " ".join(parts), st.sampled_from(names), st.sampled_from(operators), operands)


_STRING_OPERATORS = ["eq", "NE", "co", "sw", "ew", "gt", "ge", "lt", "Le"]
_PARTS = st.one_of(
    _comparisons(["type", "VALUE"], _STRING_OPERATORS, WORDS.map(_quoted)),
    _comparisons(["primary"], ["eq", "ne"], st.sampled_from(["true", "false", "null", '"True"'])),
    st.sampled_from(["type pr", "value Pr", "primary pr"]),
)
_TERMS = st.one_of(
    _comparisons(
        ["userName", "externalId", "name.givenName", "emails", "emails.type"], _STRING_OPERATORS, WORDS.map(_quoted)
    ),
    _comparisons(["active", "emails.primary"], ["eq", "ne"], st.sampled_from(["true", "false"])),
    _comparisons(["meta.created"], ["eq", "ne", "gt", "ge", "lt", "le"], MOMENTS.map(_quoted)),
    _comparisons(["title", "emails", "name", "meta.created"], ["eq", "ne"], st.just("null")),
    st.sampled_from(["userName pr", "name pr", "emails pr", "emails.primary pr", "active pr"]),
)


def _combined(parts: Texts) -> Texts:
    return st.recursive(
        parts,
        lambda inner: st.one_of(
            inner.map(lambda text: f"not ({text})"),
            inner.map(lambda text: f"({text})"),
            st.builds(lambda one, word, other: f"{one} {word} {other}", inner, st.sampled_from(["and", "or"]), inner),
        ),
        max_leaves=6,
    )


ELEMENT_FILTERS = _combined(_PARTS)
FILTERS = _combined(st.one_of(_TERMS, ELEMENT_FILTERS.map(lambda text: f"emails[{text}]")))
ELEMENTS: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {}, optional={"type": WORDS, "value": WORDS, "primary": BOOLEANS}
)
USERS: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {},
    optional={
        "userName": WORDS,
        "externalId": WORDS,
        "title": st.one_of(st.none(), WORDS),
        "active": BOOLEANS,
        "name": st.fixed_dictionaries({}, optional={"givenName": WORDS}),
        "emails": st.lists(ELEMENTS, max_size=3),
        "meta": st.fixed_dictionaries({}, optional={"created": MOMENTS}),
    },
)
ANY_JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), BOOLEANS, st.integers(), st.floats(allow_nan=False), WORDS, MOMENTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "value", "primary", "givenName", "created"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(FILTERS)
def test_parsing_the_print_of_a_filter_gives_the_filter(text: str) -> None:
    found = parse_filter(text)
    assert parse_filter(str(found)) == found
    assert str(parse_filter(str(found))) == str(found)


@given(FILTERS, USERS)
def test_a_print_matches_what_the_filter_matches(text: str, user: Document) -> None:
    assert matches(str(parse_filter(text)), user) is matches(text, user)


@given(FILTERS, FILTERS, USERS)
def test_or_and_and_not_are_those_of_logic(one: str, other: str, user: Document) -> None:
    first, second = matches(one, user), matches(other, user)
    assert matches(f"({one}) or ({other})", user) is (first or second)
    assert matches(f"({one}) and ({other})", user) is (first and second)
    assert matches(f"not ({one})", user) is not first


@given(FILTERS, FILTERS, USERS)
def test_de_morgan_holds(one: str, other: str, user: Document) -> None:
    assert matches(f"not (({one}) or ({other}))", user) is matches(f"not ({one}) and not ({other})", user)
    assert matches(f"not (({one}) and ({other}))", user) is matches(f"not ({one}) or not ({other})", user)


@given(FILTERS, FILTERS, FILTERS, USERS)
def test_and_comes_before_or_without_brackets(one: str, two: str, three: str, user: Document) -> None:
    bare = f"({one}) or ({two}) and ({three})"
    assert matches(bare, user) is (matches(one, user) or (matches(two, user) and matches(three, user)))


@given(st.sampled_from(["userName", "externalId", "emails", "emails.type", "name.givenName"]), WORDS, USERS)
def test_ne_is_the_negation_of_eq(name: str, word: str, user: Document) -> None:
    operand = _quoted(word)
    assert matches(f"{name} ne {operand}", user) is not matches(f"{name} eq {operand}", user)


@given(st.sampled_from(["userName", "title", "emails", "name"]), USERS)
def test_null_is_the_absence_that_pr_denies(name: str, user: Document) -> None:
    assert matches(f"{name} eq null", user) is not matches(f"{name} pr", user)
    assert matches(f"{name} ne null", user) is matches(f"{name} pr", user)


@given(ELEMENT_FILTERS, st.lists(ELEMENTS, max_size=4))
def test_a_value_filter_holds_when_it_holds_of_one_element(text: str, elements: list[dict[str, Json]]) -> None:
    whole = matches(f"emails[{text}]", {"emails": elements})
    assert whole is any(matches(f"emails[{text}]", {"emails": [element]}) for element in elements)
    condition = parse_path(f"emails[{text}].value", USER).condition
    assert condition
    assert whole is any(map(condition.matches, elements))


@given(ELEMENT_FILTERS, WORDS, st.lists(ELEMENTS, max_size=4))
def test_a_tail_behind_brackets_is_about_the_same_element(
    text: str, word: str, elements: list[dict[str, Json]]
) -> None:
    operand, document = _quoted(word), {"emails": elements}
    inside = matches(f"emails[({text}) and value eq {operand}]", document)
    assert matches(f"emails[{text}].value eq {operand}", document) is inside
    assert matches(f"emails[{text}] eq {operand}", document) is inside


@given(FILTERS, st.dictionaries(st.sampled_from(["userName", "name", "emails", "meta", "active"]), ANY_JSON))
def test_no_document_makes_a_filter_fail(text: str, document: dict[str, Json]) -> None:
    assert matches(text, document) in (True, False)


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [*' \t()[].:$"\\\0-1', "  ", '"a"', "01", "1e9", "true", "null", "not", "and", "or", "eq", "pr", "co", "gt"]
        ),
        st.sampled_from(["emails", "userName", "type", "urn:a:b:c", "name.x", " and ", " eq ", " pr "]),
        st.text(max_size=3),
    ),
    max_size=14,
).map("".join)


def _refused(text: str, refusal: InvalidFilterError | InvalidPathError) -> bool:
    return refusal.position is not None and 0 <= refusal.position <= len(text) and refusal.reason in refusal.detail


@given(st.one_of(FRAGMENTS, st.text(st.characters(), max_size=40)))
def test_no_text_fails_in_any_way_but_as_a_faulty_filter(text: str) -> None:
    try:
        found = parse_filter(text)
        answer = found.bound(USER).matches({})
    except InvalidFilterError as refusal:
        answer = _refused(text, refusal)
    else:
        answer = answer in (True, False) and parse_filter(str(found)) == found
    assert answer


@given(st.one_of(FRAGMENTS, FRAGMENTS.map(lambda text: f"emails[{text}]"), st.text(st.characters(), max_size=40)))
def test_no_text_fails_in_any_way_but_as_a_faulty_path(text: str) -> None:
    try:
        path = parse_path(text, USER)
    except (InvalidPathError, InvalidFilterError) as refusal:
        answer = _refused(text, refusal)
    else:
        answer = USER.place(str(path.place)) == path.place
    assert answer
