"""The table: what is asked of both contenders, and how many times faster scimcore has to be."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import attrs

from benchmarks.comparison import warmed
from benchmarks.contenders import Contender, Making
from benchmarks.exchange import Exchange
from benchmarks.people import adding_members, encoded, patch, person, removing_members, user_name
from benchmarks.results import Row, against_peer
from benchmarks.timing import Case, Pace, Preparing, Runner, in_turn

POPULATION: Final = 2_000
GROUP_SIZE: Final = 1_000
_SPARE: Final = 50
"""Users that are no members at first; each request adds another one of them."""


@attrs.frozen
class Operation:
    """A line of the table."""

    name: str
    target: float
    prepare: Preparing


def read_case(contender: Contender) -> Case:
    """GET of one user, each time another one."""
    users = contender.users
    return Case(lambda number: Exchange("GET", f"/Users/{users[number % len(users)]}"))


def create_case(contender: Contender) -> Case:
    """POST of a user that was not there."""
    first = len(contender.users)
    return Case(lambda number: Exchange("POST", "/Users", body=encoded(person(first + number))), status=201)


def look_up_case(contender: Contender) -> Case:
    """`userName eq`, each time another name."""
    count = len(contender.users)
    return Case(lambda number: _search(f'userName eq "{user_name(number % count)}"'))


def walk_case(_: Contender) -> Case:
    """A filter that no index answers; it finds few, so that finding is what takes the time."""
    return Case(lambda number: _search(f'emails[type eq "work" and value co "n.{number % 10 + 70}"]'))


def list_case(contender: Contender) -> Case:
    """All users in one page."""
    count = len(contender.users)
    return Case(lambda _: Exchange("GET", "/Users", query=f"startIndex=1&count={count}"))


def replace_case(contender: Contender) -> Case:
    """PUT of a user with some attributes changed."""
    users = contender.users

    def request(number: int) -> Exchange:
        which = number % len(users)
        return Exchange("PUT", f"/Users/{users[which]}", body=encoded(person(which, number + 1)))

    return Case(request, witness=lambda number: Exchange("GET", f"/Users/{users[number % len(users)]}"))


def patch_case(contender: Contender) -> Case:
    """PATCH of one attribute."""
    return _user_patch(contender.users, "title", "Title {}")


def value_path_case(contender: Contender) -> Case:
    """PATCH through a value path."""
    return _user_patch(contender.users, 'emails[type eq "work"].value', "changed.{}@work.example.com")


def addition_case(group: str, others: list[str]) -> Case:
    """PATCH that adds one of *others* to a group."""
    return Case(
        lambda number: Exchange("PATCH", f"/Groups/{group}", body=adding_members([others[number % len(others)]])),
        lambda number: Exchange("PATCH", f"/Groups/{group}", body=removing_members([others[number % len(others)]])),
        lambda _: Exchange("GET", f"/Groups/{group}"),
    )


def removal_case(group: str, members: list[str]) -> Case:
    """PATCH that removes one of *members* from a group."""
    return Case(
        lambda number: Exchange("PATCH", f"/Groups/{group}", body=removing_members([members[number % len(members)]])),
        lambda number: Exchange("PATCH", f"/Groups/{group}", body=adding_members([members[number % len(members)]])),
        lambda _: Exchange("GET", f"/Groups/{group}"),
    )


def _search(filter: str) -> Exchange:
    return Exchange("GET", "/Users", query=f"filter={quote(filter)}&count=100")


def _user_patch(users: list[str], path: str, value: str) -> Case:
    def request(number: int) -> Exchange:
        body = patch({"op": "replace", "path": path, "value": value.format(number)})
        return Exchange("PATCH", f"/Users/{users[number % len(users)]}", body=body)

    return Case(request, witness=lambda number: Exchange("GET", f"/Users/{users[number % len(users)]}"))


def _on_users(case: Callable[[Contender], Case], count: int = POPULATION) -> Preparing:
    async def prepare(contender: Contender) -> Case:
        await contender.hire(count)
        return case(contender)

    return prepare


def _on_a_group(case: Callable[[str, list[str]], Case], *, members: bool) -> Preparing:
    async def prepare(contender: Contender) -> Case:
        await contender.hire(GROUP_SIZE + _SPARE)
        group = await contender.gather(f"Team with {case.__name__}", contender.users[:GROUP_SIZE])
        return case(group, contender.users[:_SPARE] if members else contender.users[GROUP_SIZE:])

    return prepare


OPERATIONS: Final = (
    Operation("GET one user", 25, _on_users(read_case)),
    Operation("create a user", 20, _on_users(create_case)),
    Operation("`userName eq` among 2,000 users", 30, _on_users(look_up_case)),
    Operation("unindexed filter over 2,000 users", 20, _on_users(walk_case)),
    # All there are: without a sort, each server has its own order, and a part of it would be another part.
    Operation("list of 100 users", 100, _on_users(list_case, 100)),
    Operation("PUT", 20, _on_users(replace_case)),
    Operation("PATCH one attribute", 20, _on_users(patch_case)),
    Operation("PATCH through a value path", 20, _on_users(value_path_case)),
    Operation("add one member to a group of 1,000", 500, _on_a_group(addition_case, members=False)),
    Operation("remove one member from a group of 1,000", 500, _on_a_group(removal_case, members=True)),
)


async def table(makings: tuple[Making, ...], pace: Pace, told: Callable[[str], None]) -> list[Row]:
    """Every operation on scimcore, the first of *makings*, and on the peer if it is among them.

    Each operation has contenders of its own, so that none finds what another left.

    Raises:
        DifferentAnswersError: They did not do the same work.
    """
    cases: list[list[Runner]] = []
    for operation in OPERATIONS:
        told(operation.name)
        contenders = [make() for make in makings]
        runners = [Runner(contender, await operation.prepare(contender)) for contender in contenders]
        await warmed(runners)
        cases.append(runners)
    told("rounds of all of them")
    rows: list[Row] = []
    for operation, (mine, *others) in zip(OPERATIONS, await in_turn(cases, pace), strict=True):
        rows.append(against_peer(operation.name, others[0] if others else None, mine, operation.target))
    return rows
