"""The database of a configuration: named by a URL, reached through SQLAlchemy (extra `sql`)."""

from typing import TYPE_CHECKING, Final

from scimcore.config.configuration import MEMORY

if TYPE_CHECKING:
    from sqlalchemy import URL

_DATABASES: Final = ("sqlite", "postgresql")


def url_of(database: str) -> "URL":
    """The URL of a database, with its driver: psycopg where PostgreSQL is named alone.

    Raises:
        ValueError: It is no URL of SQLite or PostgreSQL.
        ModuleNotFoundError: SQLAlchemy is not installed.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise ValueError("no URL of a database, as sqlite:///scim.db or postgresql://host/name, nor memory:") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in _DATABASES:
        raise ValueError(f"{url.get_backend_name()} is neither SQLite nor PostgreSQL")
    return url


def check_database(database: str) -> None:
    """Make sure that *database* names one.

    Raises:
        ValueError: It is neither `memory:` nor a URL of SQLite or PostgreSQL.
        ModuleNotFoundError: SQLAlchemy is not installed.
    """
    if database != MEMORY:
        url_of(database)


def shown(database: str) -> str:
    """*database* without the password in it."""
    return database if database == MEMORY else url_of(database).render_as_string(hide_password=True)
