"""`scimcore serve`: what is to be served, and who may come in. It never runs open."""

import argparse
import asyncio
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from scimcore.access import BearerTokens, Caller
from scimcore.cli.options import UnusableError, add_database_options, configuration_from, port, reaching
from scimcore.config import Configuration, database_of
from scimcore.config.configuration import MEMORY
from scimcore.config.database import shown
from scimcore.storage.protocol import Tenant

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_ONLY_TENANT = Tenant("default")


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "serve",
        help="run a SCIM server",
        description="Run a SCIM server at /scim/v2. Without --config it has one tenant, and whoever has a token of the "
        "database is let in, whatever its connection.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8080, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--token",
        help="a bearer token that clients may send besides those of the database; other users of this machine can see "
        "arguments, so prefer the environment variable SCIMCORE_TOKEN; if there is no token at all, one is made "
        "for this run and printed",
    )
    add_database_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it, and return the exit status.

    Raises:
        ConfigurationError: The configuration file says something that cannot be.
        UnusableError: The database, the token or the port cannot be used.
    """
    from scimcore.cli.server import serve

    configuration = configuration_from(options)
    configuration = attrs.evolve(
        configuration,
        database=_without_blocking(configuration.database),
        audit=_without_blocking(configuration.audit) if isinstance(configuration.audit, str) else configuration.audit,
    )
    given: str | None = options.token
    if given is None:
        given = os.environ.get("SCIMCORE_TOKEN")
    callers = _callers(configuration)
    if given is not None and len(callers) > 1:
        raise UnusableError(
            f"one token does not tell {len(callers)} connections apart: make them with scimcore token create", 2
        )
    known = {} if given is None else {given: callers[0]}
    try:
        BearerTokens(known)
    except ValueError as reason:
        raise UnusableError(str(reason), 2) from None
    in_memory = configuration.database == MEMORY
    kept = _prepared(configuration) if configuration.databases else 0
    made: Mapping[str, Caller] = {}
    if given is None and not kept and (in_memory or not configuration.connections):
        made = {secrets.token_urlsafe(32): caller for caller in callers}
    opening = {**known, **made}
    notes = _notes(configuration, made, kept, is_open=bool(opening or kept))
    return serve(options.host, options.port, configuration, BearerTokens(opening) if opening else None, notes)


def _without_blocking(database: str) -> str:
    """*database*, with the driver of psycopg that does not hold up an event loop, if none was asked for."""
    return re.sub("^postgres(ql)?://", "postgresql+psycopg_async://", database)


def _callers(configuration: Configuration) -> list[Caller]:
    """Who may call: each connection of the configuration, or the one there is without any."""
    if not configuration.connections:
        return [Caller(tenant=_ONLY_TENANT)]
    return [Caller(tenant=one.tenant, connection=one.name) for one in configuration.connections]


def _prepared(configuration: Configuration) -> int:
    """Make the tables that are not there yet, and count the tokens that are valid now."""

    async def prepared() -> int:
        opened = database_of(configuration)
        try:
            await opened.create_all()
            now = datetime.now(UTC)
            return sum(token.status(now) == "active" for token in await opened.tokens.listed())
        finally:
            await opened.close()

    with reaching(*configuration.databases):
        return asyncio.run(prepared())


def _notes(configuration: Configuration, made: Mapping[str, Caller], kept: int, *, is_open: bool) -> list[str]:
    """What whoever starts the server should know; the tokens that were *made* are nowhere else."""
    notes = [
        "Users and groups live in memory and are gone when it stops."
        if configuration.database == MEMORY
        else f"Users and groups are kept in {shown(configuration.database)}."
    ]
    if kept:
        notes.append(f"{kept} token{'s open' if kept > 1 else ' opens'} it: scimcore token list.")
    for token, caller in made.items():
        whose = f" for {caller.connection} of {caller.tenant}" if caller.connection else ""
        notes.append(f"Bearer token{whose}, made for this run: {token}")
    if not is_open:
        notes.append("No token opens it yet: scimcore token create.")
    return notes
