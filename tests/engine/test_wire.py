"""JSON as it travels: what is read must not depend on which of the two parsers reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.engine.wire import parsed, written
from scimcore.errors import InvalidSyntaxError
from scimcore.rules.limits import DEFAULT_LIMITS
from scimcore.schema.document import Json

_TWICE = "a name stands twice"

_names = st.sampled_from(["a", "b", "A", "", ":", " :", "a b", "urn:x:y", "é"])
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", ":", ":b", " : ", 'a":', "\\", '{"a":1}', "plain", "\n"]),
)
_blanks = st.sampled_from(["", "", "", " ", "\t", "\n", "\r\n "])


@st.composite
def _texts(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON as a client may spell it: blanks anywhere, names that stand twice."""
    kind = draw(st.sampled_from(["scalar", "list", "object"])) if depth else "scalar"
    blank = draw(_blanks)
    if kind == "scalar":
        return json.dumps(draw(_scalars), ensure_ascii=draw(st.booleans())) + blank
    if kind == "list":
        parts = draw(st.lists(_texts(depth=depth - 1), max_size=3))
        return f"[{blank}{','.join(parts)}]{blank}"
    pairs = draw(st.lists(st.tuples(_names, _texts(depth=depth - 1)), max_size=4))
    spelled = (f"{json.dumps(name, ensure_ascii=False)}{blank}:{text}" for name, text in pairs)
    return f"{{{blank}{f',{blank}'.join(spelled)}}}{blank}"


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError(_TWICE)
    return dict(pairs)


@given(text=_texts())
def test_a_body_is_what_it_says_unless_a_name_stands_twice(text: str) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        with pytest.raises(InvalidSyntaxError, match="stands twice"):
            parsed(text.encode(), DEFAULT_LIMITS)
        return
    # Their prints tell 1 from 1.0 and from true.
    assert repr(parsed(text.encode(), DEFAULT_LIMITS)) == repr(expected)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param('{"a":1,"a":2}', "stands twice", id="twice"),
        pytest.param('{"a":1,"a":":"}', "stands twice", id="twice, and a text that begins with a colon"),
        pytest.param('{"a":1,"a" :2}', "stands twice", id="twice, once with a blank"),
        pytest.param('{"a":":","b" :1,"b" :2}', "stands twice", id="twice with blanks, made up for by a text"),
        pytest.param('[{"a":1},{"b":{"c":1,"c":1}}]', "stands twice", id="twice inside"),
        pytest.param('{"a":9223372036854775808}', "beyond 64 bits", id="too large"),
        pytest.param('{"a":-9223372036854775808}', "beyond 64 bits", id="too small"),
        pytest.param('{"a":1e999}', "out of range", id="infinite"),
        pytest.param('{"a":NaN}', "no JSON number", id="not a number"),
        pytest.param('{"a":1}}', "not JSON: line 1, column 8", id="more behind it"),
        pytest.param('{"a":1,}', "not JSON", id="a comma too many"),
        pytest.param('{"a":"\t"}', "not JSON", id="a control character in a string"),
        pytest.param("\ufeff{}", "not JSON", id="a byte order mark"),
        pytest.param("", "not JSON", id="nothing"),
    ],
)
def test_what_is_wrong_with_a_body_is_said(body: str, message: str) -> None:
    with pytest.raises(InvalidSyntaxError, match=message):
        parsed(body.encode(), DEFAULT_LIMITS)


def test_null_and_numbers_that_fit_are_read() -> None:
    assert parsed(b"null", DEFAULT_LIMITS) is None
    assert parsed(b'{"a":9223372036854775807,"b":1e300,"c":-0.0}', DEFAULT_LIMITS) == {
        "a": 2**63 - 1,
        "b": 1e300,
        "c": -0.0,
    }


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_an_integer_that_an_application_keeps_is_written_whatever_its_size(number: int) -> None:
    assert written({"number": number, "name": "é"}) == f'{{"number":{number},"name":"é"}}'.encode()
