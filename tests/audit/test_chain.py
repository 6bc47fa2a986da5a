"""A chain shows whatever was changed, left out or put in."""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.audit.chain import BEGINNING, Sealed, Verifying, seal
from scimcore.storage.protocol import Tenant

ACME = Tenant("acme")


def chain(texts: Sequence[str], key: bytes = b"", tenant: Tenant = ACME) -> list[Sealed]:
    previous, entries = BEGINNING, list[Sealed]()
    for number, text in enumerate(texts, 1):
        previous = seal(previous, tenant, number, text, key)
        entries.append(Sealed(tenant, number, text, previous))
    return entries


def breaks(entries: Sequence[Sealed], key: bytes = b"") -> list[int]:
    walk = Verifying(ACME, key)
    walk.walk(entries)
    return [one.number for one in walk.breaks]


FIVE = chain([f'{{"at":{number}}}' for number in range(5)])


@pytest.mark.parametrize(
    ("tampered", "where"),
    [
        (FIVE, []),
        ([], []),
        (FIVE[1:], [1]),
        ([*FIVE[:2], *FIVE[3:]], [3]),
        ([*FIVE[:1], *FIVE[4:]], [2]),
        ([*FIVE[:2], attrs.evolve(FIVE[2], text="{}"), *FIVE[3:]], [3]),
        ([*FIVE[:2], attrs.evolve(FIVE[2], seal="0" * 64), *FIVE[3:]], [3, 4]),
        ([*FIVE[:4], attrs.evolve(FIVE[4], text="{}")], [5]),
        (
            [*FIVE[:2], attrs.evolve(FIVE[2], text="{}", seal=seal(FIVE[1].seal, ACME, 3, "{}")), *FIVE[3:]],
            [4],
        ),
    ],
)
def test_a_chain_breaks_where_it_was_touched(tampered: Sequence[Sealed], where: list[int]) -> None:
    assert breaks(tampered) == where


def test_a_gap_is_named() -> None:
    walk = Verifying(ACME)
    walk.walk([FIVE[0], FIVE[4]])
    assert [one.reason for one in walk.breaks] == ["missing: 2 to 4"]


def test_a_chain_with_a_key_cannot_be_made_without_it() -> None:
    kept = chain(["{}", "{}"], b"kept elsewhere")
    assert breaks(kept, b"kept elsewhere") == []
    assert breaks(kept, b"guessed") == [1, 2]
    assert breaks(chain(["{}"]), b"kept elsewhere") == [1]


def test_what_was_cut_off_the_end_is_not_missed_but_the_head_tells() -> None:
    walk = Verifying(ACME)
    walk.walk(FIVE[:4])
    assert walk.breaks == []
    assert (walk.head.number, walk.head.seal) == (4, FIVE[3].seal)


@given(st.text(), st.integers(1, 10**12), st.text(), st.text(), st.integers(1, 10**12), st.text())
def test_no_two_entries_have_one_seal(
    tenant: str, number: int, text: str, other_tenant: str, other_number: int, other_text: str
) -> None:
    one, other = (tenant, number, text), (other_tenant, other_number, other_text)
    assert (seal(BEGINNING, *one) == seal(BEGINNING, *other)) == (one == other)


def test_parts_do_not_run_into_each_other() -> None:
    assert seal(BEGINNING, "ab", 1, "c") != seal(BEGINNING, "a", 1, "bc")
    assert seal("1", "a", 1, "") != seal("", "a", 11, "")
