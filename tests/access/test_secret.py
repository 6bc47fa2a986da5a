"""The text of a token: what scanners know it by, and what a typing error does to it."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.access.secret import LENGTH, digest_of, is_well_formed, token_text

TOKEN = token_text(bytes(range(32)))
ENTROPY = st.binary(min_size=32, max_size=32)


@given(ENTROPY)
def test_a_token_matches_the_pattern_that_scanners_are_given(entropy: bytes) -> None:
    token = token_text(entropy)
    assert re.fullmatch("scim_[0-9A-Za-z]{49}", token)
    assert len(token) == LENGTH
    assert is_well_formed(token)


@pytest.mark.rfc("P-7.4-01")
@given(ENTROPY, ENTROPY)
def test_every_bit_of_the_entropy_is_in_the_token(one: bytes, other: bytes) -> None:
    assert (token_text(one) == token_text(other)) == (one == other)


@given(ENTROPY, st.integers(0, LENGTH - 1), st.sampled_from(string.ascii_letters + string.digits))
def test_one_wrong_character_is_noticed(entropy: bytes, place: int, wrong: str) -> None:
    token = token_text(entropy)
    mistyped = token[:place] + wrong + token[place + 1 :]
    assert is_well_formed(mistyped) == (mistyped == token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "scim_",
        TOKEN[:-1],
        TOKEN + "0",
        TOKEN.upper(),
        TOKEN.swapcase(),
        f" {TOKEN}",
        TOKEN.replace("scim_", "scim-"),
        "scim_" + "é" * 49,
        "scim_" + "\udcff" * 49,
        "scim_" + "\x00" * 49,
        "scim_" + "٣" * 49,
        "scim_" + "-" * 49,
        "x" * 1_000_000,
    ],
)
def test_what_only_looks_like_a_token_is_none(text: str) -> None:
    assert not is_well_formed(text)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_token_is_not_made_of_less(size: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        token_text(bytes(size))


def test_text_without_a_utf8_form_has_a_digest() -> None:
    assert digest_of("\udcff") != digest_of("\udcfe")
