"""How values compare: text, moments, presence."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.rules.compare import comparison_key, folded, instant, is_present
from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.document import Json


@pytest.mark.rfc("P-3.4.2.2-30")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BJensen", "bjensen"),
        ("straße", "STRASSE"),
        ("e\u0301", "\u00c9"),
        ("\uff22\uff2a\uff45n", "bjen"),
        ("a\u3000b", "a b"),
        ("\uff76\uff9e", "\u30ac"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\u212a", "k"),
    ],
)
def test_folded_texts_are_equal_when_only_case_width_and_composition_differ(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("e", "é"), ("\u0131", "i"), ("²", "2"), ("\ufb01\u200d", "fi"), ("a ", "a")]
)
def test_folded_texts_differ_when_anything_else_does(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.rfc("P-3.4.2.2-10")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00"),
        ("2011-05-13T04:42:34Z", "2011-05-12T14:42:34-14:00"),
        ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34"),
        ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000Z"),
        ("2011-05-13T04:42:34.1200Z", "2011-05-13T04:42:34.12Z"),
        ("2011-12-31T24:00:00Z", "2012-01-01T00:00:00Z"),
        ("2012-02-29T23:30:00-01:00", "2012-03-01T00:30:00Z"),
        ("0001-01-01T00:00:00+01:00", "0000-12-31T23:00:00Z"),
        ("-0001-12-31T24:00:00Z", "0000-01-01T00:00:00Z"),
    ],
)
def test_two_spellings_of_one_moment_are_equal(one: str, other: str) -> None:
    assert instant(one) == instant(other)


@pytest.mark.rfc("P-3.4.2.2-10")
def test_moments_are_in_order_of_time() -> None:
    moments = [
        "-0400-03-01T00:00:00Z",
        "0001-01-03T00:00:00.0000000Z",
        "1999-12-31T23:59:59.9999999999999999999Z",
        "2000-01-01T00:00:00Z",
        "2000-01-01T00:00:00.09Z",
        "2000-01-01T00:00:00.1Z",
        "2000-02-29T00:00:00Z",
        "2000-03-01T00:00:00Z",
        "12000-01-01T00:00:00Z",
    ]
    assert all(instant(one) < instant(other) for one, other in pairwise(moments))


def test_a_second_is_a_second_across_a_leap_day() -> None:
    assert instant("2024-03-01T00:00:00Z")[0] - instant("2024-02-28T23:59:59Z")[0] == 86_401
    assert instant("1900-03-01T00:00:00Z")[0] - instant("1900-02-28T23:59:59Z")[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2011-05-13",
        "2011-05-13T",
        "2011-05-13T04:42Z",
        "2011-05-13 04:42:34Z",
        "2011-5-13T04:42:34Z",
        "2011-05-13T04:42:34.Z",
        "2011-13-01T00:00:00Z",
        "2011-00-01T00:00:00Z",
        "2011-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2011-04-31T00:00:00Z",
        "2011-04-00T00:00:00Z",
        "2011-05-13T24:00:01Z",
        "2011-05-13T25:00:00Z",
        "2011-05-13T04:60:00Z",
        "2011-05-13T04:42:60Z",
        "2011-05-13T04:42:34+14:01",
        "2011-05-13T04:42:34+15:00",
        "2011-05-13T04:42:34+01:60",
        "2011-05-13T04:42:34+0100",
        "2011-05-13T04:42:34Zjunk",
        "02011-05-13T04:42:34Z",
        "\u0662011-05-13T04:42:34Z",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        instant(text)


@given(moment=st.datetimes())
def test_a_moment_is_the_same_with_z_and_with_a_zone_of_nothing(moment: datetime) -> None:
    text = moment.isoformat(timespec="microseconds")
    assert instant(f"{text}Z") == instant(f"{text}+00:00") == instant(f"{text}0Z")


@pytest.mark.parametrize("text", ["0000-02-29T23:59:59.000001Z", "2026-11-22T24:00:00.000000Z"])
def test_moments_that_python_does_not_know_are_understood_as_all_others_are(text: str) -> None:
    assert instant(text) == instant(text.replace("Z", "+00:00"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-22T09:30:00.000000Z",
        "2026-02-29T09:30:00.000000Z",
        "2026-11-22T24:00:00.000001Z",
        "2026-11-22T09:60:00.000000Z",
        "2026-11-22T09:30:60.000000Z",
        "2026-11-22T24:00:01.000000Z",
        "12026-11-22T09:3:00.000000Z",
        "-2026-11-22T09:3:00.000000Z",
        "2026-11-22T09:30:0\u0660.000000Z",
        "2026-11-22T09:30:0\u00b2.000000Z",
        "2026-11-22 09:30:00.000000Z",
        "2026-11-22t09:30:00.000000Z",
        "2026-11-22T09:30:00,000000Z",
        "2026-W47-7T09:30:00.000000Z",
        "2026-11-22T09:30:00.0000 0Z",
        "2026-11-22T09:30:00.00000\uff10Z",
        "20261122T093000.0000000000Z",
        "2026-11-22T09:30:00.00+00:Z",
    ],
)
def test_what_only_python_or_nobody_takes_for_a_moment_is_none(text: str) -> None:
    assert len(text) == 27
    with pytest.raises(ValueError, match="no "):
        instant(text)


@pytest.mark.parametrize(
    ("attribute", "one", "other", "equal"),
    [
        (Attribute(name="a"), "A", "a", True),
        (Attribute(name="a", case_exact=True), "A", "a", False),
        (Attribute(name="a", case_exact=True), "e\u0301", "\u00e9", True),
        (Attribute(name="a", type=Type.REFERENCE), "A", "a", False),
        (Attribute(name="a", type=Type.BINARY), "QQ==", "qq==", False),
        (Attribute(name="a", type=Type.INTEGER), 1, 1.0, True),
        (Attribute(name="a", type=Type.DECIMAL), 1.5, 1.25, False),
        (Attribute(name="a", type=Type.BOOLEAN), True, False, False),
        (Attribute(name="a", type=Type.DATE_TIME), "2011-05-13T04:42:34Z", "2011-05-13T04:42:34.0+00:00", True),
        (Attribute(name="a", type=Type.DATE_TIME), "junk", "junk", True),
        (Attribute(name="a", type=Type.DATE_TIME), "junk", "trash", False),
        (Attribute(name="a"), ["x"], ["y"], False),
    ],
)
def test_keys_are_equal_exactly_when_the_values_are(attribute: Attribute, one: Json, other: Json, equal: bool) -> None:
    assert (comparison_key(attribute, one) == comparison_key(attribute, other)) is equal


def test_a_broken_moment_comes_before_all_others() -> None:
    born = Attribute(name="born", type=Type.DATE_TIME)
    assert min("-9999-01-01T00:00:00Z", "junk", key=lambda value: comparison_key(born, value)) == "junk"


@pytest.mark.rfc("P-3.4.2.2-08")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False),
        ("", False),
        ([], False),
        ({}, False),
        ([None, ""], False),
        ({"formatted": "", "givenName": None}, False),
        ([{"value": ""}, {}], False),
        (False, True),
        (0, True),
        (" ", True),
        (["", "a"], True),
        ({"formatted": "", "givenName": "a"}, True),
        ([{"value": ""}, {"type": "work"}], True),
    ],
)
def test_a_value_is_present_when_any_part_of_it_is_not_empty(value: Json, expected: bool) -> None:
    assert is_present(value) is expected
