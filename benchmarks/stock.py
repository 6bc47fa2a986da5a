"""Databases with as many users as asked: a few are created by the storage, and their rows serve as a pattern for all.

A million requests would take a quarter of an hour. So every row is one that the storage wrote itself, but for the id, a
number and the moment of creation; the secondary indexes are made at the end, as one does when loading.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from benchmarks.contenders import Contender, on_storage
from benchmarks.exchange import Exchange
from benchmarks.people import encoded, group, person
from scimcore.storage import SqlStorage

_PATTERNS: Final = 20
_FIRST_PATTERN: Final = 987_654_300
"""A number that nothing else in a row contains."""
FIRST: Final = 100_000_000
"""The number of the first user: all have as many digits as the numbers of the patterns."""
TEAM: Final = 10
_BEGINNING: Final = datetime(2026, 1, 1)

_Cells: TypeAlias = tuple[object, ...]
_TABLES: Final = {"scim_resource": "id", "scim_unique_key": "id", "scim_value_index": "id", "scim_member": "group_id"}
"""Table -> whose rows they are."""


@attrs.frozen
class Stock:
    """A database of users, teams of ten, and two more groups: one with a hundred members, one with many."""

    path: Path
    users: int
    small: str
    large: str
    large_size: int

    def contender(self) -> Contender:
        """An application over it that runs as it comes."""
        return on_storage("scimcore", self.storage())

    def storage(self) -> SqlStorage:
        return SqlStorage(f"sqlite:///{self.path}")


def user_id(number: int) -> str:
    """The id of a user of a stock: ids are in another order than numbers, as random ones are."""
    return sha256(b"user %d" % number).hexdigest()[:32]


def team_id(number: int) -> str:
    """The id of a team of a stock."""
    return sha256(b"team %d" % number).hexdigest()[:32]


def team_name(number: int) -> str:
    """The `displayName` of a team."""
    return f"Team {number}"


async def stocked(path: Path, users: int, large_size: int) -> Stock:
    """Make the database at *path*."""
    storage = SqlStorage(f"sqlite:///{path}")
    storage.create_all()
    patterns = await _patterns(on_storage("scimcore", storage), path)
    storage.close()
    with sqlite3.connect(path, isolation_level=None) as connection:
        # Whatever breaks off begins again, so nothing is written twice; the storage returns to its log by itself.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
        remade = indexes.fetchall()
        for name, _ in remade:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("BEGIN")
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table}")
        _insert(connection, _user_rows(patterns[:-1], users))
        small, large = team_id(-1), team_id(-2)
        _insert(connection, _group_rows(patterns[-1], users, {small: 100, large: large_size}))
        connection.execute("COMMIT")
        for _, statement in remade:
            connection.execute(statement)
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    with path.open("rb") as file:
        # Otherwise the first writes that are measured wait for all this to reach the disk.
        os.fsync(file.fileno())
    return Stock(path, users, small, large, large_size)


@attrs.frozen
class _Pattern:
    """The rows of one resource, and what in them stands for another one's id and number."""

    id: str
    number: int
    rows: dict[str, list[_Cells]]

    def filled(self, table: str, row: int, id: str, number: int, moment: str) -> _Cells:
        """A row of the resource with that *id* and *number*."""
        return tuple([self._cell(cell, id, str(number), moment) for cell in self.rows[table][row]])

    def _cell(self, cell: object, id: str, number: str, moment: str) -> object:
        if not isinstance(cell, str):
            return cell
        if len(cell) == len(moment) and cell[10:11] == "T" and cell[-1:] == "Z":
            return moment
        return cell.replace(self.id, id).replace(str(self.number), number)


async def _patterns(contender: Contender, path: Path) -> list[_Pattern]:
    """The rows of some users, and last of a group."""
    created: list[tuple[str, int]] = []
    for number in range(_FIRST_PATTERN, _FIRST_PATTERN + _PATTERNS):
        answer = await contender.done(Exchange("POST", "/Users", body=encoded(person(number))))
        created.append((answer.document["id"], number))
    number = _FIRST_PATTERN + _PATTERNS
    body = encoded(group(team_name(number), [created[0][0]]))
    created.append(((await contender.done(Exchange("POST", "/Groups", body=body))).document["id"], number))
    with sqlite3.connect(path) as connection:
        found = [
            _Pattern(
                id,
                number,
                {
                    table: connection.execute(f"SELECT * FROM {table} WHERE {owner} = ?", (id,)).fetchall()
                    for table, owner in _TABLES.items()
                },
            )
            for id, number in created
        ]
    connection.close()
    return found


_Rows: TypeAlias = Iterator[tuple[str, Iterable[_Cells]]]


def _user_rows(patterns: Sequence[_Pattern], users: int) -> _Rows:
    for table in _TABLES:
        for row in range(max(len(pattern.rows[table]) for pattern in patterns)):
            for which, pattern in enumerate(patterns):
                if row < len(pattern.rows[table]):
                    numbers = range(FIRST + which, FIRST + users, len(patterns))
                    yield table, (pattern.filled(table, row, user_id(one), one, moment(one)) for one in numbers)


def _group_rows(pattern: _Pattern, users: int, further: dict[str, int]) -> _Rows:
    teams = {team_id(number): (number, TEAM) for number in range(users // 100)}
    teams.update((id, (-number, size)) for number, (id, size) in enumerate(further.items(), 1))
    for table in ("scim_resource", "scim_unique_key", "scim_value_index"):
        for row in range(len(pattern.rows[table])):
            yield table, (pattern.filled(table, row, id, number, moment(1)) for id, (number, _) in teams.items())
    (member,) = pattern.rows["scim_member"]
    stands_for = next(cell for cell in member[2:] if isinstance(cell, str) and len(cell) == len(pattern.id))
    for id, (number, size) in teams.items():
        first = FIRST if number < 0 else FIRST + number * 100
        yield (
            "scim_member",
            (
                tuple(
                    id
                    if cell == pattern.id
                    else position + FIRST
                    if isinstance(cell, int)
                    else cell.replace(stands_for, user_id(first + position))
                    if isinstance(cell, str)
                    else cell
                    for cell in member
                )
                for position in range(size)
            ),
        )


def moment(number: int) -> str:
    """When a user was created: a millisecond after the one before."""
    at = timedelta(milliseconds=number)
    return (_BEGINNING + at).isoformat(timespec="microseconds") + "Z"


def _insert(connection: sqlite3.Connection, rows: _Rows) -> None:
    for table, cells in rows:
        some = iter(cells)
        first = next(some, None)
        if first is not None:
            statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(first))})"
            connection.execute(statement, first)
            connection.executemany(statement, some)
