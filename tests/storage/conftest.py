"""Databases in which there is nothing yet."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

_NUMBERS = count(1)


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> str:
    """The URL, without the driver, of a file that is not there yet."""
    return f":///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    """The URL, without the driver, of a database without tables."""
    name = f"empty_{next(_NUMBERS)}"
    server = create_engine(f"postgresql+psycopg{postgresql}", poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    yield make_url(f"x{postgresql}").set(database=name).render_as_string(hide_password=False).removeprefix("x")
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql+psycopg"])
def empty(request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables, with a synchronous driver."""
    driver: str = request.param
    location: str = request.getfixturevalue("empty_sqlite" if driver == "sqlite" else "empty_postgresql")
    return driver + location
