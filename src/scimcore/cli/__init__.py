"""The `scimcore` command: it reads arguments and starts what they name. What it needs is in the extras."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Final

from scimcore.cli import audit, migrate, serve, token
from scimcore.cli.options import UnusableError
from scimcore.config import ConfigurationError

COMMANDS: Final = (serve, token, audit, migrate)
"""Each has `add_to(commands)`, which adds a parser whose default `run` takes the options and gives the exit status."""

_EXTRAS: Final = {"uvicorn": "server", "rich": "server", "sqlalchemy": "sql", "psycopg": "sql", "alembic": "sql"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; *arguments* default to those of the process.

    The status is 2 for a command that cannot be meant, as argparse has it, and 1 for one that did not succeed.
    """
    parser = argparse.ArgumentParser(prog="scimcore", description="The provider side of SCIM 2.0.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigurationError as error:
        for fault in error.faults:
            print(f"{options.config}: {fault}", file=sys.stderr)
        return 2
    except UnusableError as error:
        print(f"scimcore {options.command}: {error}", file=sys.stderr)
        return error.status
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get(missing.name or "")
        install = missing.name if extra is None else f"'scimcore[{extra}]'"
        print(f"scimcore {options.command} needs {missing.name}: pip install {install}", file=sys.stderr)
        return 1
