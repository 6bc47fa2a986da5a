"""How cost grows: with the group, with the store, and with what one request asks for."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final
from urllib.parse import quote

from benchmarks.contenders import Contender, Making, ours
from benchmarks.exchange import Exchange
from benchmarks.operations import addition_case, create_case, look_up_case, patch_case, read_case, removal_case
from benchmarks.people import SEARCH_URN, SEED, adding_members, encoded, group, patch, removing_members, user_name
from benchmarks.results import Series
from benchmarks.timing import Case, Pace, Runner, Seconds, compared, repeated
from scimcore import USER, parse_filter

LINEAR: Final = 1.15
"""Linear, with room for what a larger store costs in caches of the processor."""
FLAT: Final = 0.1

_SPARE: Final = 50


async def _series(name: str, sizes: str, cases: dict[int, tuple[Contender, Case]], most: float, pace: Pace) -> Series:
    """One operation at every size, in rounds that alternate between the sizes."""
    runners = [Runner(contender, case) for contender, case in cases.values()]
    return Series(name, sizes, tuple(zip(cases, await compared(runners, pace), strict=True)), most)


# With the store and the group


async def by_store(sizes: Sequence[int], pace: Pace, make: Making = ours) -> list[Series]:
    """Operations on one user, among as many users as *sizes* say."""
    stores = {size: make() for size in sizes}
    for size, contender in stores.items():
        await contender.hire(size)
    found = []
    for name, case in (
        ("GET one user", read_case),
        ("userName eq", look_up_case),
        ("PATCH one attribute", patch_case),
        ("create a user", create_case),
    ):
        cases = {size: (contender, case(contender)) for size, contender in stores.items()}
        found.append(await _series(name, "users", cases, FLAT, pace))
    return found


async def by_group(sizes: Sequence[int], pace: Pace, make: Making = ours) -> list[Series]:
    """One member more, and one less, in groups of *sizes*."""
    contender = make()
    await contender.hire(max(sizes) + _SPARE)
    users = contender.users
    groups = {size: await contender.gather(f"Group of {size}", users[:size]) for size in sizes}
    adding = {size: (contender, addition_case(id, users[-_SPARE:])) for size, id in groups.items()}
    removing = {size: (contender, removal_case(id, users[: min(size, _SPARE)])) for size, id in groups.items()}
    return [
        await _series("add one member", "members", adding, FLAT, pace),
        await _series("remove one member", "members", removing, FLAT, pace),
    ]


# With the request


async def additions(sizes: Sequence[int], members: int, pace: Pace) -> list[Series]:
    """PATCH that adds *sizes* members to a group: in one operation, and in one operation each."""
    contender = ours()
    await contender.hire(members + max(sizes))
    users = contender.users
    id = await contender.gather("Group", users[:members])

    def one_each(new: Sequence[str]) -> bytes:
        added = [{"value": [{"value": member, "type": "User"}]} for member in new]
        return patch(*({"op": "add", "path": "members", **value} for value in added))

    def case(body: Callable[[Sequence[str]], bytes], size: int) -> Case:
        new = users[members : members + size]
        adding = Exchange("PATCH", f"/Groups/{id}", body=body(new))
        values = [{"value": member} for member in new]
        back = patch({"op": "remove", "path": "members", "value": values})
        removing = Exchange("PATCH", f"/Groups/{id}", body=back)
        return Case(lambda _: adding, lambda _: removing)

    together = {size: (contender, case(adding_members, size)) for size in sizes}
    apart = {size: (contender, case(one_each, size)) for size in sizes}
    return [
        await _series("PATCH, members added in one operation", "members added", together, LINEAR, pace),
        await _series("PATCH, members added in one operation each", "members added", apart, LINEAR, pace),
    ]


async def creations(sizes: Sequence[int], pace: Pace) -> list[Series]:
    """POST of a group with members."""
    contender = ours()
    await contender.hire(max(sizes))

    def case(size: int) -> Case:
        def request(number: int) -> Exchange:
            return Exchange("POST", "/Groups", body=encoded(group(f"{size} of {number}", contender.users[:size])))

        return Case(request, status=201)

    cases = {size: (contender, case(size)) for size in sizes}
    return [await _series("POST of a group", "members", cases, LINEAR, pace)]


async def removals(sizes: Sequence[int], members: int, pace: Pace, make: Making | None = None) -> list[Series]:
    """PATCH that removes members by value filters from a large group; by the peer once, at the largest of *sizes*."""
    contender = ours()
    await contender.hire(members)
    id = await contender.gather("Group", contender.users)

    def case(size: int) -> Case:
        some = Random(SEED).sample(contender.users, size)
        removing = Exchange("PATCH", f"/Groups/{id}", body=removing_members(some))
        adding = Exchange("PATCH", f"/Groups/{id}", body=adding_members(some))
        return Case(lambda _: removing, lambda _: adding)

    cases = {size: (contender, case(size)) for size in sizes}
    name = f'PATCH, `members[value eq "…"]` removed from a group of {members:,}'
    mine = await _series(name, "members removed", cases, LINEAR, pace)
    if make is None:
        return [mine]
    seconds = await _once(make(), max(sizes), members)
    return [Series(mine.name, mine.sizes, mine.points, mine.most, ((max(sizes), seconds),))]


async def _once(contender: Contender, size: int, members: int) -> Seconds:
    # The peer takes members on trust, so none need be created as users first.
    ids = [f"{number:032x}" for number in range(members)]
    id = await contender.gather("Group", ids)
    some = Random(SEED).sample(ids, size)
    exchange = Exchange("PATCH", f"/Groups/{id}", body=removing_members(some))
    return await Runner(contender, Case(lambda _: exchange)).run(1)


# Searches


async def searches(sizes: Sequence[int], terms: int, pace: Pace) -> list[Series]:
    """A long filter that no index answers, and a sorted search, over as many users as *sizes* say."""
    stores = {size: ours() for size in sizes}
    for size, contender in stores.items():
        await contender.hire(size)
    largest = stores[max(sizes)]
    long = _long_filter(terms)
    sort = encoded({"schemas": [SEARCH_URN], "sortBy": "name.familyName", "count": 100})
    sorting = Exchange("POST", "/Users/.search", body=sort)
    return [
        await _series(
            f"a filter of {terms} terms",
            "users",
            {size: (contender, Case(lambda _: long)) for size, contender in stores.items()},
            LINEAR,
            pace,
        ),
        await _series(
            f"a filter over {max(sizes):,} users",
            "terms",
            {count: (largest, _filtering(count)) for count in (max(1, terms // 10), terms // 3, terms)},
            LINEAR,
            pace,
        ),
        await _series(
            "`.search` with `sortBy` name.familyName",
            "users",
            {size: (contender, Case(lambda _: sorting)) for size, contender in stores.items()},
            LINEAR,
            pace,
        ),
    ]


def _filtering(terms: int) -> Case:
    exchange = _long_filter(terms)
    return Case(lambda _: exchange)


def _long_filter(terms: int) -> Exchange:
    """All terms have to be tried: none of them is true."""
    kinds = (
        'title eq "Nobody {}"',
        'name.familyName sw "Nobody {}"',
        'displayName co "nobody {}"',
        'emails.value ew "@nobody{}.example"',
        'phoneNumbers[type eq "fax" and value eq "{}"]',
    )
    text = " or ".join(kinds[number % len(kinds)].format(number) for number in range(terms))
    return Exchange("GET", "/Users", query=f"filter={quote(text)}&count=100")


def parsing(sizes: Sequence[int], pace: Pace) -> list[Series]:
    """Distinct filters, parsed and bound to the resource type."""

    def bind(count: int) -> None:
        for number in range(count):
            parse_filter(f'userName eq "{user_name(number)}"').bound(USER)

    points = tuple((size, repeated(lambda size=size: bind(size), pace)) for size in sizes)  # type: ignore[misc]
    return [Series('parse and bind `userName eq "…"`', "distinct filters", points, LINEAR)]


# Refusals


async def refusals(sizes: Sequence[int], pace: Pace) -> list[Series]:
    """POST of bodies of *sizes* bytes that are refused: for what they say, and for what they are."""
    contender = ours()
    found = []
    for name, body in (("without a userName", _nameless), ("nested too deeply", _deep), ("cut off", _cut_off)):
        cases = {}
        for size in sizes:
            exchange = Exchange("POST", "/Users", body=body(size))
            cases[size] = (contender, Case(lambda _, exchange=exchange: exchange, status=400))  # type: ignore[misc]
        found.append(await _series(f"decode and refuse a body {name}", "bytes", cases, LINEAR, pace))
    return found


def _nameless(size: int) -> bytes:
    email = {"value": "nobody@work.example.com", "type": "work"}
    return encoded({"emails": [email] * (size // len(encoded(email)))})


def _deep(size: int) -> bytes:
    return b'{"emails":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}"


def _cut_off(size: int) -> bytes:
    return _nameless(size)[:-2]
