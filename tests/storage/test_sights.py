"""Whatever is asked, and whatever of it the caller sees: a page holds what matches both, and counts nothing else."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import matches
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import USER
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Record, SyncStorage
from scimcore.testing.sessions import Sessions, ids, query, record
from scimcore.testing.strategies import combined

TENANTS = count()
# Few values, so that they are shared; what an index answers, alone and in part, and what none does.
TERMS = combined(
    st.sampled_from(
        [
            *('userName eq "A"', 'userName eq "b"', 'userName eq "b" or externalId eq "x"', 'externalId eq "x"'),
            *('emails.value eq "a@x.example"', 'emails[type eq "work" and value eq "a@x.example"]'),
            *('emails[value eq "a@x.example" or value eq "b@x.example"]', 'emails[not (value eq "a@x.example")]'),
            *('title eq "t"', "not (title pr)", 'userName sw "a"', "active eq true", 'meta.resourceType eq "User"'),
        ]
    )
)


@pytest.fixture(params=["memory", "sqlite"], scope="module")
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    if request.param == "memory":
        yield MemoryStorage()
        return
    path: Path = tmp_path_factory.mktemp("sights") / "scim.db"
    storage = SqlStorage(f"sqlite:///{path}")
    storage.create_all()
    yield storage
    storage.close()


def users() -> st.SearchStrategy[Document]:
    """Users with one value or another at each place that the terms look at."""
    emails: st.SearchStrategy[Json] = st.fixed_dictionaries(
        {"value": st.sampled_from(["a@x.example", "b@x.example"]), "type": st.sampled_from(["work", "home"])}
    )
    others: Mapping[str, st.SearchStrategy[Json]] = {
        "externalId": st.sampled_from("xy"),
        "title": st.just("t"),
        "active": st.booleans(),
        "emails": st.lists(emails, min_size=1, max_size=2),
    }
    name: Mapping[str, st.SearchStrategy[Json]] = {"userName": st.sampled_from("abA")}
    return st.fixed_dictionaries(name, optional=others)


@given(
    stock=st.lists(users(), min_size=1, max_size=8),
    asked=st.none() | TERMS,
    visible=TERMS,
    sort_by=st.none() | st.none() | st.sampled_from(["title", "meta.created"]),
    descending=st.booleans(),
    offset=st.integers(0, 2),
    size=st.integers(0, 3),
)
def test_a_page_is_cut_out_of_what_is_both_asked_and_seen(
    storage: SyncStorage,
    stock: Sequence[Document],
    asked: str | None,
    visible: str,
    sort_by: str | None,
    descending: bool,
    offset: int,
    size: int,
) -> None:
    search = query(asked, seen={"User": visible}, sort_by=sort_by, descending=descending, offset=offset, count=size)
    with asyncio.Runner() as runner:
        sessions = Sessions(storage, f"sights-{next(TENANTS)}", runner)
        records = [record(USER, {"id": f"{number}", **one}, number) for number, one in enumerate(stock)]
        # Names that repeat are another question.
        sessions.insert(*(attrs.evolve(one, unique=()) for one in records))
        page, everyone = sessions.search(search), sessions.search(query(sort_by=sort_by, descending=descending))
    expected = [
        one.id for one in everyone.records if all(matches(text, _whole(one)) for text in (asked, visible) if text)
    ]
    assert (ids(page), page.total) == (expected[offset : offset + size], len(expected))
    assert (page.next is not None) is (0 < size < len(expected[offset:]))


def _whole(one: Record) -> Document:
    return with_envelope(USER, one.document, one.created, one.last_modified, one.version)
