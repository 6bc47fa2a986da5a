"""`scimcore migrate`: the tables of a database as this release needs them."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from scimcore.cli.options import UnusableError, add_database_options, configuration_from, reaching
from scimcore.config import database_of
from scimcore.config.configuration import MEMORY
from scimcore.config.database import shown

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "migrate",
        help="make or upgrade the tables of a database",
        description="Make the tables that this release needs, from nothing or from an earlier release, in one "
        "transaction. A server refuses to run on the tables of an earlier release.",
    )
    add_database_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Upgrade, and return the exit status.

    Raises:
        UnusableError: The database cannot be used, or nothing says which release made its tables.
    """
    configuration = configuration_from(options)
    if configuration.database == MEMORY:
        raise UnusableError("there is nothing to upgrade in memory: name a database", 2)

    async def upgraded() -> None:
        opened = database_of(configuration)
        try:
            await opened.migrate()
        finally:
            await opened.close()

    with reaching(*configuration.databases):
        asyncio.run(upgraded())
    print(f"{shown(configuration.database)} is as this release needs it.")
    return 0
