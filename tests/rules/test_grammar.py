"""From text to tree: shapes, literals, and what is corrected in the grammar that scim2-filter-parser brings."""

import pytest

from scimcore.rules.grammar import path_statement, statement
from scimcore.rules.syntax import (
    AttrExp,
    AttrPath,
    LogExp,
    NotExp,
    NotWellFormed,
    Operator,
    PathSyntax,
    PresenceExp,
    Syntax,
    ValuePath,
)
from scimcore.rules.tokens import decoded, position_in, split
from scimcore.schema.document import Json


def _pr(name: str) -> PresenceExp:
    return PresenceExp(AttrPath(name, 0))


def _eq(name: str, slot: int) -> AttrExp:
    return AttrExp(AttrPath(name, 0), Operator.EQ, slot, 0)


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ('a eq "x"', ['"x"']),
        ('a eq "x \\" y" and b eq "\\\\"', ['"x \\" y"', '"\\\\"']),
        ("a eq true and b ne false or c eq null", ["true", "false", "null"]),
        ("true pr and null eq 1 and false pr", ["1"]),
        ("(a eq true) and b[c eq null]", ["true", "null"]),
        ("trueName pr and a eq nullable", []),
        ("a eq -12.5e+3 and b1 eq 7", ["-12.5e+3", "7"]),
        ("urn:a:2.0:b:c-1 pr and urn:x:1:y eq 0", ["0"]),
        ('a co "true and 5 eq null"', ['"true and 5 eq null"']),
        ('a eq "no end', ['"no end']),
        ('a eq "no end \\" either', ['"no end \\" either']),
        ('a eq "no end\\', ['"no end\\']),
    ],
)
def test_literals_are_cut_out_of_a_text(text: str, literals: list[str]) -> None:
    shape, found = split(text)
    assert found == literals
    assert shape.count("\0") == len(literals)


@pytest.mark.rfc("P-3.4.2.2-23")
@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('""', ""),
        ('"a\\"b\\\\c\\/\\u00e9\\n"', 'a"b\\c/é\n'),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\u00a0 \u2028"', "\u00a0 \u2028"),
        ("true", True),
        ("null", None),
        ("-0", 0),
        ("10", 10),
        ("-2.50", -2.5),
        ("1E+2", 100.0),
    ],
)
def test_a_literal_is_read_as_json(literal: str, value: Json) -> None:
    found = decoded(literal)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.rfc("P-3.4.2.2-22")
@pytest.mark.parametrize(
    "literal",
    [
        *("01", "1.", "-", "1e", "0x1", "1,5", "9e999", "9" * 5000),
        *('"\\a"', '"\\u12"', '"\t"', '"\\ud800"', '"\\u0000"', '"', '"a', '"a\\"', '"a\\'),
    ],
)
def test_what_json_does_not_know_is_no_literal(literal: str) -> None:
    with pytest.raises(ValueError, match=r"expected a comparison value|string|too large"):
        decoded(literal)


@pytest.mark.rfc("P-3.4.2.2-17")
@pytest.mark.parametrize(
    ("shape", "tree"),
    [
        ("a pr or b pr and c pr", LogExp("or", (_pr("a"), LogExp("and", (_pr("b"), _pr("c")))))),
        ("a pr and b pr or c pr", LogExp("or", (LogExp("and", (_pr("a"), _pr("b"))), _pr("c")))),
        ("(a pr or b pr) and c pr", LogExp("and", (LogExp("or", (_pr("a"), _pr("b"))), _pr("c")))),
        ("a pr and (b pr or c pr)", LogExp("and", (_pr("a"), LogExp("or", (_pr("b"), _pr("c")))))),
        ("a pr and (b pr and (c pr))", LogExp("and", (_pr("a"), _pr("b"), _pr("c")))),
        (
            "a pr or b pr and c pr or d pr and e pr",
            LogExp("or", (_pr("a"), LogExp("and", (_pr("b"), _pr("c"))), LogExp("and", (_pr("d"), _pr("e"))))),
        ),
        ("not (a pr) and b pr", LogExp("and", (NotExp(_pr("a")), _pr("b")))),
        ("NOT(a pr OR b pr)", NotExp(LogExp("or", (_pr("a"), _pr("b"))))),
        ("((a pr))", _pr("a")),
        (
            "a[b pr or c pr] and d pr",
            LogExp("and", (ValuePath(AttrPath("a", 0), LogExp("or", (_pr("b"), _pr("c")))), _pr("d"))),
        ),
        ("a[b eq \0].c eq \0", ValuePath(AttrPath("a", 0), LogExp("and", (_eq("b", 0), _eq("c", 1))))),
        ("a[b eq \0] eq \0", ValuePath(AttrPath("a", 0), LogExp("and", (_eq("b", 0), _eq("value", 1))))),
        ("a[b eq \0] pr", ValuePath(AttrPath("a", 0), _eq("b", 0))),
        ("urn:x:1.0:T:a.b eq \0", _eq("urn:x:1.0:T:a.b", 0)),
        ("urn:x:1.0:T:a[b pr]", ValuePath(AttrPath("urn:x:1.0:T:a", 0), _pr("b"))),
        ("and pr", _pr("and")),
        ("or.not pr", _pr("or.not")),
        ("not[a pr]", ValuePath(AttrPath("not", 0), _pr("a"))),
    ],
)
def test_terms_are_grouped_as_the_rfc_says(shape: str, tree: Syntax) -> None:
    assert statement(shape, 50, 200).syntax == tree


def test_a_name_in_another_case_is_the_same_name() -> None:
    assert statement("A.B pr", 50, 200).syntax == statement("a.b pr", 50, 200).syntax


@pytest.mark.parametrize("literal", ['"a"', '"bb"', '"c\\"c"'])
def test_filters_that_differ_in_literals_only_are_parsed_once(literal: str) -> None:
    first, _ = split('userName eq "first"')
    shape, _ = split(f"userName eq {literal}")
    assert statement(shape, 50, 200) is statement(first, 50, 200)


def test_a_position_in_the_shape_is_found_in_the_text() -> None:
    text = 'a eq "long" and b eq 12345 and c zz 1'
    with pytest.raises(NotWellFormed) as fault:
        statement(split(text)[0], 50, 200)
    assert text[position_in(text, fault.value.position) :] == "zz 1"


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ("a", PathSyntax(AttrPath("a", 0), None, None)),
        ("a.b", PathSyntax(AttrPath("a.b", 0), None, None)),
        ("urn:x:1.0:T", PathSyntax(AttrPath("urn:x:1.0:T", 0), None, None)),
        ("a[b eq \0]", PathSyntax(AttrPath("a", 0), _eq("b", 0), None)),
        ("a[b eq \0].c", PathSyntax(AttrPath("a", 0), _eq("b", 0), AttrPath("c", 0))),
        (
            "urn:x:1.0:T:a[not (b pr)].$ref",
            PathSyntax(AttrPath("urn:x:1.0:T:a", 0), NotExp(_pr("b")), AttrPath("$ref", 0)),
        ),
    ],
)
def test_a_path_has_an_attribute_a_filter_and_a_sub_attribute(shape: str, path: PathSyntax) -> None:
    assert path_statement(shape, 50, 200).syntax == path


@pytest.mark.parametrize(
    "shape", ["", "a pr", "a eq \0", "(a", "(a)", "a pr and b", "(a pr) and b", "not (a pr)", "a b", "a["]
)
def test_a_filter_is_no_path(shape: str) -> None:
    with pytest.raises(NotWellFormed):
        path_statement(shape, 50, 200)
