"""Stores of tokens of every kind, and a clock that stands still until it is told to move."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import attrs
import pytest
from sqlalchemy import NullPool, create_engine, delete
from sqlalchemy.ext.asyncio import create_async_engine

from scimcore.access import MemoryTokens, TokenStore
from scimcore.access.sql import METADATA, TOKEN, SqlTokens

T = TypeVar("T")


@attrs.define
class Clock:
    """A clock; calling it tells the time."""

    now: datetime = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Run(Protocol):
    """Runs a coroutine to its end."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:

        def run(coroutine: Coroutine[Any, Any, T], /) -> T:
            return runner.run(coroutine)

        yield run


@pytest.fixture(params=["memory", "sqlite", "aiosqlite", "psycopg", "asyncpg"])
def store(request: pytest.FixtureRequest, tmp_path: Path, run: Run) -> Iterator[TokenStore]:
    """An empty store, of each kind in turn."""
    kind: str = request.param
    if kind == "memory":
        yield MemoryTokens()
        return
    tokens: SqlTokens
    match kind:
        case "sqlite":
            tokens = SqlTokens(f"sqlite:///{tmp_path / 'scim.db'}")
        case "aiosqlite":
            tokens = SqlTokens(f"sqlite+aiosqlite:///{tmp_path / 'scim.db'}")
        case "psycopg":
            tokens = SqlTokens(_emptied(request.getfixturevalue("postgresql")))
        case _:
            location = _emptied(request.getfixturevalue("postgresql")).replace("psycopg", "asyncpg")
            tokens = SqlTokens(create_async_engine(location, poolclass=NullPool))
    run(tokens.create_all())
    yield tokens
    run(tokens.close())


def _emptied(location: str) -> str:
    url = f"postgresql+psycopg{location}"
    engine = create_engine(url, poolclass=NullPool)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(delete(TOKEN))
    return url
