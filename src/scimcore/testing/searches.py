"""The part of the storage contract that is about searches: what they find, in which order, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import pytest

from scimcore.errors import InvalidFilterError
from scimcore.rules.tolerance import STRICT
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.standard import GROUP, USER
from scimcore.storage.protocol import Page, Position, Query
from scimcore.testing.company import (
    GROUP_FILTERS,
    MEMBERSHIP_FILTERS,
    ORDERS,
    ROOT_FILTERS,
    SIGHTS,
    TEAM,
    USER_FILTERS,
)
from scimcore.testing.sessions import Sessions, group, ids, query, user

# The values of "title" repeat and are missing, those of "userName" neither.
_WALKS: Final[Sequence[tuple[Sequence[ResourceType], str | None, str | None, bool]]] = [
    ((USER,), None, None, False),
    ((USER,), "userName pr", None, False),
    ((USER,), 'title eq "same" or userName sw "user1"', None, False),
    ((USER,), None, "title", False),
    ((USER,), None, "title", True),
    ((USER,), "userName pr", "userName", True),
    ((USER,), None, "meta.created", False),
    ((USER, GROUP), None, None, False),
    ((USER, GROUP), None, "displayName", False),
    ((USER, GROUP), None, "userName", True),
]

# Of the crowd of `_WALKS` some are hidden, at the beginning, in the middle and at the end of any order.
_SIGHT: Final = {"User": 'title pr and userName ne "user1" and not (title eq "t2")', "Group": 'displayName ne "team 2"'}
_HIDDEN: Final = {"0", "1", "2", "3", "7", "4", "g1"}


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

    # What the caller sees

    @pytest.mark.parametrize(("text", "types", "seen", "expected"), SIGHTS)
    def test_what_the_caller_does_not_see_is_neither_found_nor_counted(
        self,
        company: Sessions,
        text: str | None,
        types: Sequence[ResourceType],
        seen: Mapping[str, str],
        expected: list[str],
    ) -> None:
        asked = query(text, types, seen=seen)
        page, counted = company.search(asked), company.search(attrs.evolve(asked, count=0))
        assert (ids(page), page.total, page.next) == (expected, len(expected), None)
        assert (ids(counted), counted.total) == ([], len(expected))

    @pytest.mark.usefixtures("derived")
    def test_what_the_caller_sees_may_follow_from_memberships(self, company: Sessions) -> None:
        for text, expected in ((None, ["u1", "u2"]), ('userName eq "alice"', ["u1"]), ('userName eq "carol"', [])):
            assert ids(company.search(query(text, seen={"User": 'groups.value eq "g1"'}))) == expected

    @pytest.mark.parametrize("text", [None, 'externalId eq "x"', 'externalId eq "x" and userName sw "user"'])
    @pytest.mark.parametrize("sort_by", [None, "userName"])
    @pytest.mark.parametrize("many", [8, 80])
    def test_pages_are_made_of_what_the_caller_sees(
        self, acme: Sessions, text: str | None, sort_by: str | None, many: int
    ) -> None:
        for number in range(many):
            shown = {"title": "shown"} if number % 4 in (1, 2) else {}
            acme.insert(user(f"{number:02}", f"user{number:02}", number, externalId="x", **shown))
        expected = [f"{number:02}" for number in range(many) if number % 4 in (1, 2)]
        asked = query(text, seen={"User": "title pr"}, sort_by=sort_by, count=3)
        pages = [acme.search(attrs.evolve(asked, offset=offset)) for offset in range(0, len(expected) + 3, 3)]
        assert [id for page in pages for id in ids(page)] == expected
        assert {page.total for page in pages} == {len(expected)}
        assert [id for page in _walked(acme, asked) for id in ids(page)] == expected

    def test_a_found_record_is_whole_whatever_its_sight_depends_on(self, company: Sessions) -> None:
        seen = {"Group": 'members.value eq "u2"'}
        assert company.search(query('displayName eq "team"', (GROUP,), seen=seen)).records == (TEAM,)

    # Walks

    @pytest.fixture
    def crowd(self, acme: Sessions) -> Sessions:
        """Ten users and four groups, created in no order of their names."""
        for number in range(10):
            title = {"title": "same" if number % 2 else f"T{number}"} if number % 3 else {}
            acme.insert(user(f"{number * 7 % 10}", f"user{number}", number % 4, **title))
        acme.insert(*(group(f"g{number}", f"Team {3 - number}", second=number) for number in range(4)))
        return acme

    @pytest.mark.parametrize(("types", "text", "sort_by", "descending"), _WALKS)
    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_a_walk_from_position_to_position_is_the_whole_search(
        self,
        crowd: Sessions,
        types: Sequence[ResourceType],
        text: str | None,
        sort_by: str | None,
        descending: bool,
        size: int,
    ) -> None:
        asked = query(text, types, sort_by=sort_by, descending=descending, count=size)
        whole = crowd.search(attrs.evolve(asked, count=1000))
        pages = list(_walked(crowd, asked))
        assert [id for page in pages for id in ids(page)] == ids(whole)
        assert [len(page.records) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert {page.total for page in pages} == {whole.total}
        assert whole.next is None

    @pytest.mark.parametrize(("types", "text", "sort_by", "descending"), _WALKS)
    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_a_walk_leads_past_what_the_caller_does_not_see(
        self,
        crowd: Sessions,
        types: Sequence[ResourceType],
        text: str | None,
        sort_by: str | None,
        descending: bool,
        size: int,
    ) -> None:
        asked = query(text, types, sort_by=sort_by, descending=descending, count=size)
        whole = ids(crowd.search(attrs.evolve(asked, count=1000)))
        pages = list(_walked(crowd, attrs.evolve(asked, seen=query(seen=_SIGHT).seen)))
        visible = [id for id in whole if id not in _HIDDEN]
        assert [id for page in pages for id in ids(page)] == visible
        assert {page.total for page in pages} == {len(visible)}

    @pytest.mark.parametrize(("sort_by", "descending"), [(None, False), ("title", False), ("title", True)])
    def test_a_walk_is_not_moved_by_records_that_come_and_go(
        self, crowd: Sessions, sort_by: str | None, descending: bool
    ) -> None:
        asked = query(sort_by=sort_by, descending=descending, count=4)
        whole = ids(crowd.search(attrs.evolve(asked, count=1000)))
        page = crowd.search(asked)
        for seen in page.records[1:]:
            crowd.delete(seen)
        # Those without a title come first where the titles descend.
        crowd.insert(user("!", "early") if descending else user("!", "early", title="!"))
        assert ids(crowd.search(attrs.evolve(asked, after=page.next, count=1000))) == whole[4:]

    def test_a_page_may_lie_some_way_behind_a_position(self, crowd: Sessions) -> None:
        whole = ids(crowd.search(query()))
        first = crowd.search(query(count=2))
        assert ids(crowd.search(query(after=first.next, offset=3, count=2))) == whole[5:7]

    @pytest.mark.parametrize("count", [0, 10, 11])
    def test_nothing_follows_a_page_that_is_the_last_or_empty(self, crowd: Sessions, count: int) -> None:
        assert crowd.search(query(count=count)).next is None

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "null", "[1]", '[0,"a","1"]', '[0,1,"1","User"]', '[0,"\\u0000","1","User"]']
    )
    @pytest.mark.parametrize("sort_by", [None, "userName"])
    def test_what_is_no_position_is_refused(self, crowd: Sessions, text: str, sort_by: str | None) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - what it says is the storage's own
            crowd.search(query(sort_by=sort_by, after=Position(text)))

    def test_a_position_belongs_to_an_order_of_as_many_parts(self, crowd: Sessions) -> None:
        first = crowd.search(query(None, (USER, GROUP), count=1))
        two = query(None, (USER, GROUP), sort_by="userName", after=first.next)
        title = query(None, (GROUP,), sort_by="displayName").sorts
        with pytest.raises(ValueError):  # noqa: PT011
            crowd.search(attrs.evolve(two, sorts={**two.sorts, **title}))

    # Tolerance

    @pytest.mark.parametrize("asked", [query('active eq "True"'), query(seen={"User": 'active eq "True"'})])
    def test_a_filter_is_read_as_tolerantly_as_the_caller_says(self, acme: Sessions, asked: Query) -> None:
        acme.insert(user("u1", "alice", active=True), user("u2", "bob", active=False))
        assert ids(acme.search(asked)) == ["u1"]
        with pytest.raises(InvalidFilterError):
            acme.search(attrs.evolve(asked, tolerance=STRICT))


def _walked(sessions: Sessions, asked: Query) -> Iterator[Page]:
    """The pages of a walk, each behind the one before."""
    while True:
        page = sessions.search(asked)
        yield page
        if page.next is None:
            return
        asked = attrs.evolve(asked, after=page.next)
