"""A database that no other module has left anything in: it remembers what is indexed, and modules differ about that."""

import pytest
from sqlalchemy import NullPool, create_engine, text


@pytest.fixture(scope="module")
def untouched(postgresql: str) -> str:
    """The URL, without the driver, of a PostgreSQL database without tables."""
    engine = create_engine(f"postgresql+psycopg{postgresql}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return postgresql
