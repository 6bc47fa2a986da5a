"""The part of the storage contract that is about searches: what they find, in which order, page by page."""

from collections.abc import Sequence

import pytest

from scimcore.schema.catalogue import ResourceType
from scimcore.schema.standard import GROUP, USER
from scimcore.testing.company import (
    GROUP_FILTERS,
    MEMBERSHIP_FILTERS,
    ORDERS,
    ROOT_FILTERS,
    TEAM,
    USER_FILTERS,
)
from scimcore.testing.sessions import Sessions, group, ids, query, user


class SearchContract:
    """What every storage finds."""

    @pytest.mark.rfc("P-3.4.2.2-02")
    @pytest.mark.parametrize(("text", "expected"), USER_FILTERS)
    def test_a_search_finds_exactly_the_users_that_match(
        self, company: Sessions, text: str, expected: list[str]
    ) -> None:
        page = company.search(query(text))
        assert (ids(page), page.total) == (expected, len(expected))

    @pytest.mark.parametrize(("text", "expected"), GROUP_FILTERS)
    def test_a_search_finds_exactly_the_groups_that_match(
        self, company: Sessions, text: str, expected: list[str]
    ) -> None:
        page = company.search(query(text, (GROUP,)))
        assert (ids(page), page.total) == (expected, len(expected))

    @pytest.mark.parametrize(("text", "expected"), MEMBERSHIP_FILTERS)
    @pytest.mark.usefixtures("derived")
    def test_a_search_sees_memberships(self, company: Sessions, text: str, expected: list[str]) -> None:
        assert ids(company.search(query(text))) == expected

    @pytest.mark.rfc("P-3.4.2.1-01", "P-3.4.2.1-04")
    @pytest.mark.parametrize(("text", "expected"), ROOT_FILTERS)
    def test_a_search_may_span_resource_types(self, company: Sessions, text: str, expected: list[str]) -> None:
        page = company.search(query(text, (USER, GROUP)))
        assert (ids(page), page.total) == (expected, len(expected))

    def test_a_found_record_is_whole(self, company: Sessions) -> None:
        page = company.search(query('displayName eq "team"', (GROUP,)))
        assert page.records == (TEAM,)

    @pytest.mark.rfc("P-3.4.2.3-02", "P-3.4.2.3-05", "P-3.4.2.3-07")
    @pytest.mark.parametrize(("types", "sort_by", "descending", "expected"), ORDERS)
    def test_a_search_is_ordered_as_asked(
        self,
        company: Sessions,
        types: Sequence[ResourceType],
        sort_by: str,
        descending: bool,
        expected: list[str],
    ) -> None:
        assert ids(company.search(query(None, types, sort_by=sort_by, descending=descending))) == expected

    def test_unsorted_records_are_ordered_by_creation_then_id(self, acme: Sessions) -> None:
        acme.insert(user("b", "1", second=5), user("c", "2", second=3), user("a", "3", second=5))
        acme.insert(group("d", "4", second=4))
        assert ids(acme.search(query())) == ["c", "a", "b"]
        assert ids(acme.search(query("userName pr"))) == ["c", "a", "b"]
        assert ids(acme.search(query(None, (USER, GROUP)))) == ["c", "d", "a", "b"]

    @pytest.mark.rfc("P-3.4.2.3-08", "P-3.4.2.4-06")
    @pytest.mark.parametrize("text", [None, "userName pr", 'title eq "same" or userName eq "user1"'])
    @pytest.mark.parametrize("sort_by", [None, "title", "userName"])
    def test_pages_follow_each_other_without_gap_or_repeat(
        self, acme: Sessions, text: str | None, sort_by: str | None
    ) -> None:
        acme.insert(*(user(f"{number * 7 % 10}", f"user{number}", title="same") for number in range(10)))
        whole = ids(acme.search(query(text, sort_by=sort_by)))
        pages = [acme.search(query(text, sort_by=sort_by, offset=offset, count=3)) for offset in range(0, 12, 3)]
        assert [id for page in pages for id in ids(page)] == whole
        assert [len(page.records) for page in pages] == [3, 3, 3, 1]
        assert {page.total for page in pages} == {10}

    @pytest.mark.parametrize("text", [None, "userName pr"])
    @pytest.mark.parametrize(("offset", "count"), [(0, 0), (3, 10), (100, 10)])
    def test_a_page_without_records_has_the_total(
        self, company: Sessions, text: str | None, offset: int, count: int
    ) -> None:
        page = company.search(query(text, offset=offset, count=count))
        assert (page.records, page.total) == ((), 3)
