"""Whatever the schema, the documents and the filter: a database finds what `matches` finds, and needs no help to."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.rules.envelope import with_envelope
from scimcore.rules.order import sort_place
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Query, Record
from scimcore.storage.sql.functions import KEY_FUNCTIONS
from scimcore.storage.sql.pushdown import Sight, narrowed
from scimcore.testing import strategies
from scimcore.testing.sessions import Sessions, ids, query, record

IDS = ("1", "a", "A", "é", "e\u0301", "\U0001f600")
TENANTS = count()


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStorage]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('sql') / Path('scim.db')}"
    else:
        url = f"postgresql+psycopg{request.getfixturevalue('untouched')}"
    # What an index decides is the question of another test.
    storage = SqlStorage(url, indexed=())
    storage.create_all()
    yield storage
    storage.close()


@pytest.fixture
def seen(storage: SqlStorage) -> Sight:
    """What the database of *storage* is asked with."""
    return Sight("any", lambda _: {}, KEY_FUNCTIONS[storage._engine.dialect.name], indirect_groups=False)  # noqa: SLF001


def bent(document: Document) -> st.SearchStrategy[Document]:
    """*document* with one value that its schema does not allow."""
    scalars = st.sampled_from([None, True, False, 0, -0.0, 2**70, 1e-310, "", "x", "2011-05-13T04:42:34Z"])
    odd = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("value"), inner, max_size=1)
    )
    return st.tuples(st.sampled_from(sorted({*document} - {"id"} or {"nothing"})), odd).flatmap(
        lambda found: st.booleans().map(lambda inside: _with(document, found[0], found[1], inside))
    )


def _with(document: Document, name: str, odd: Json, inside: bool) -> Document:
    value = document.get(name)
    if inside and isinstance(value, list):
        return {**document, name: [*value, odd]}
    if inside and isinstance(value, dict):
        return {**document, name: dict.fromkeys(value, odd)}
    return {**document, name: odd}


@st.composite
def collections(draw: st.DrawFn, resource_type: ResourceType, *, fits: bool = True) -> list[tuple[Record, Document]]:
    """A few records, each with a document that fits its schema: its own, unless *fits* lets it have another."""
    found = []
    for id in draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1)):
        fitting = draw(strategies.documents(resource_type, id))
        document = fitting if fits or draw(st.booleans()) else draw(bent(fitting))
        one = record(resource_type, document, second=draw(st.integers(0, 2)))
        found.append((attrs.evolve(one, unique=()), fitting))
    return found


def _matching(records: Sequence[Record], asked: Query) -> list[str]:
    matching = []
    for one in records:
        bound = asked.bound(one.resource_type)
        whole = with_envelope(one.resource_type, one.document, one.created, one.last_modified, one.version)
        if bound is None or bound.matches(whole):
            matching.append(one.id)
    return sorted(matching)


@pytest.mark.rfc("P-3.4.2.2-02")
def test_a_database_alone_finds_exactly_what_matches(storage: SqlStorage, seen: Sight) -> None:
    decided: Counter[bool] = Counter()

    @given(resource_type=strategies.resource_types(), data=st.data())
    def ask(resource_type: ResourceType, data: st.DataObject) -> None:
        drawn = data.draw(collections(resource_type, fits=False))
        records = [one for one, _ in drawn]
        terms = strategies.filters(resource_type)
        told = strategies.filters_about(resource_type, [document for _, document in drawn])
        if told:
            terms |= st.sampled_from(told)
        texts = data.draw(st.lists(strategies.combined(terms), min_size=3, max_size=6))
        with asyncio.Runner() as runner:
            sessions = Sessions(storage, f"filters-{next(TENANTS)}", runner)
            sessions.insert(*records)
            for text in texts:
                asked = query(text, (resource_type,))
                page = sessions.search(asked)
                expected = _matching(records, asked)
                assert (sorted(ids(page)), page.total) == (expected, len(expected)), text
                decided[narrowed(asked, seen).exact] += 1

    ask()
    assert decided[True] > 0.99 * decided.total() > 200


@pytest.mark.rfc("P-3.4.2.3-02")
def test_a_database_sorts_as_the_rules_do_whatever_the_schema(storage: SqlStorage) -> None:
    @given(resource_type=strategies.resource_types(), data=st.data(), descending=st.booleans(), size=st.integers(1, 4))
    def ask(resource_type: ResourceType, data: st.DataObject, descending: bool, size: int) -> None:
        names = [str(place) for place in strategies.places(resource_type) if _is_sortable(str(place), resource_type)]
        records = [one for one, _ in data.draw(collections(resource_type))]
        sort_by = data.draw(st.sampled_from(names))
        asked = query(None, (resource_type,), sort_by=sort_by, descending=descending, count=size)
        found: Mapping[str, list[str]] = {"memory": [], "sql": []}
        with asyncio.Runner() as runner:
            for name, one in (("memory", MemoryStorage()), ("sql", storage)):
                sessions = Sessions(one, f"sorted-{next(TENANTS)}", runner)
                sessions.insert(*records)
                page = sessions.search(asked)
                found[name].extend(ids(page))
                while page.next is not None:
                    page = sessions.search(attrs.evolve(asked, after=page.next))
                    found[name].extend(ids(page))
        assert found["sql"] == found["memory"]
        assert sorted(found["sql"]) == sorted(one.id for one in records)

    ask()


def _is_sortable(name: str, resource_type: ResourceType) -> bool:
    place = resource_type.place(name)
    if place is None:
        return False
    value = place.leaf.sub_attribute("value") if place.leaf.is_complex else place.leaf
    if value is None or value.is_complex or (place.leaf.is_complex and place.sub is not None):
        return False
    if "never" in (place.attribute.returned, place.leaf.returned, value.returned):
        return False
    return sort_place(name, resource_type) is not None
