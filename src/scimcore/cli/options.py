"""What several commands take: the database and the configuration file, and spans of time."""

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import attrs

from scimcore.config import Configuration, read_configuration
from scimcore.config.database import check_database, shown, url_of
from scimcore.config.spans import span
from scimcore.errors import ScimError

AUDIT_KEY: Final = "SCIMCORE_AUDIT_KEY"


@attrs.define(slots=False)
class UnusableError(Exception):
    """Why a command does not go on, for the person who gave it, and with which exit status."""

    reason: str
    status: int = 1

    def __str__(self) -> str:
        return self.reason


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take a database, and a configuration file that names one."""
    parser.add_argument(
        "--database",
        metavar="URL",
        help="as sqlite:///scim.db or postgresql://user@host/name, or memory: for none; other users of this machine "
        "can see arguments, so a URL with a password belongs in SCIMCORE_DATABASE or in the configuration file "
        "(default: sqlite:///scim.db)",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a configuration file (TOML)")


def configuration_from(options: argparse.Namespace) -> Configuration:
    """What the command line, the environment and the configuration file say, in this order.

    Raises:
        ConfigurationError: The file says something that cannot be.
        UnusableError: The file cannot be read, or the database is none.
    """
    file: Path | None = options.config
    try:
        configuration = Configuration() if file is None else read_configuration(file)
    except OSError as reason:
        raise UnusableError(f"cannot read {file}: {reason.strerror}", 2) from None
    given: str | None = options.database
    if given is None:
        given = os.environ.get("SCIMCORE_DATABASE")
    if given is None:
        return configuration
    try:
        check_database(given)
    except ValueError as reason:
        raise UnusableError(f"--database: {reason}", 2) from None
    return attrs.evolve(configuration, database=given)


def audit_key() -> bytes:
    """What the record of identity operations is sealed with; empty where nobody said."""
    return os.environ.get(AUDIT_KEY, "").encode()


def check_there(database: str) -> None:
    """Make sure that *database* is no file that would only come into being by looking into it.

    Raises:
        UnusableError: There is no such file.
    """
    url = url_of(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UnusableError(f"there is no database {url.database}")


@contextmanager
def reaching(*databases: str) -> Iterator[None]:
    """Say in one line why one of *databases* could not be used in the block.

    Raises:
        UnusableError: It could not.
    """
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from scimcore.storage.sql.migrations import UnfitDatabaseError

    try:
        yield
    except (SQLAlchemyError, OSError, ScimError, UnfitDatabaseError) as error:
        cause = error.__cause__ if isinstance(error, ScimError) and error.__cause__ is not None else error
        reason = cause.orig if isinstance(cause, DBAPIError) else cause
        named = " or ".join(map(shown, databases))
        raise UnusableError(f"cannot use the database {named}: {reason}") from error


def lasting(text: str) -> timedelta:
    """A span of time.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        return span(text)
    except ValueError as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def port(text: str) -> int:
    """A port.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65_535:
        raise argparse.ArgumentTypeError("not a port between 0 and 65535")
    return int(text)
