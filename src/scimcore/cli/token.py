"""`scimcore token`: bearer tokens made, listed, replaced and ended, in the database of the server."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from scimcore.access import Issued, Token, Tokens, UnknownTokenError
from scimcore.access.token import instant
from scimcore.access.tokens import LIFETIME, OVERLAP, WARNING
from scimcore.cli.options import (
    UnusableError,
    add_database_options,
    audit_key,
    check_there,
    configuration_from,
    lasting,
    reaching,
)
from scimcore.config import Configuration, database_of
from scimcore.config.configuration import MEMORY
from scimcore.storage.protocol import Tenant

if TYPE_CHECKING:
    from argparse import _SubParsersAction

T = TypeVar("T")

_HEADINGS: Final = ("ID", "TENANT", "CONNECTION", "SCOPES", "EXPIRES", "STATUS", "LAST USED", "LABEL")


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "token", help="make, list, replace and end bearer tokens", description="Bearer tokens, kept in the database."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    _add_create(actions)
    _add_list(actions)
    _add_rotate(actions)
    _add_revoke(actions)


# Make one


def _add_create(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("create", help="make a token and print it: it is shown this once")
    parser.add_argument("--connection", required=True, metavar="NAME", help="the identity provider that will have it")
    parser.add_argument(
        "--tenant", metavar="NAME", help="whose resources it opens (default: the connection's, or default)"
    )
    parser.add_argument(
        "--expires",
        type=lasting,
        default=LIFETIME,
        metavar="SPAN",
        help="how long it is valid, as 90d or 12h (default: 90d)",
    )
    parser.add_argument(
        "--scope", action="append", choices=("read", "write"), help="what it is for; may be repeated (default: both)"
    )
    parser.add_argument("--label", default="", help="a note for people")
    add_database_options(parser)
    parser.set_defaults(run=_create)


def _create(options: argparse.Namespace) -> int:
    configuration = configuration_from(options)
    tenant = _tenant_of(options.connection, options.tenant, configuration)

    async def created(tokens: Tokens) -> Issued:
        return await tokens.issue(
            tenant,
            options.connection,
            lifetime=options.expires,
            scopes=options.scope or ("read", "write"),
            label=options.label,
        )

    _show(_done(configuration, created, is_new=True))
    return 0


def _tenant_of(connection: str, tenant: str | None, configuration: Configuration) -> str:
    """The tenant that is meant by the name of a connection.

    Raises:
        UnusableError: The configuration has connections, and none like this, or several.
    """
    if not configuration.connections:
        return "default" if tenant is None else tenant
    among = {one.tenant for one in configuration.connections if one.name == connection and tenant in (None, one.tenant)}
    if len(among) > 1:
        raise UnusableError(f"several tenants have a connection {connection}: say --tenant", 2)
    for only in among:
        return only
    known = ", ".join(sorted(f"{one.name} of {one.tenant}" for one in configuration.connections))
    whose = "" if tenant is None else f" of {tenant}"
    raise UnusableError(f"the configuration has no connection {connection}{whose}; it has {known}", 2)


def _show(issued: Issued) -> None:
    """Print the secret alone on the standard output, so that a script can take it, and the rest beside it."""
    token = issued.token
    print(f"Token {token.id} for {token.connection} of {token.tenant}, until {_time(token.expires)}.", file=sys.stderr)
    print("It is shown this once:", file=sys.stderr, flush=True)
    print(issued.secret)


# List them


def _add_list(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("list", help="list the tokens, and warn of those that soon end")
    parser.add_argument("--tenant", metavar="NAME", help="of one tenant only")
    parser.add_argument(
        "--within", type=lasting, default=WARNING, metavar="SPAN", help="how soon is soon, as 30d (default: 14d)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    add_database_options(parser)
    parser.set_defaults(run=_list)


def _list(options: argparse.Namespace) -> int:
    tokens = _done(configuration_from(options), lambda tokens: tokens.listed(options.tenant))
    now = datetime.now(UTC)
    if options.json:
        print(json.dumps([_described(token, now, options.within) for token in tokens], indent=2))
        return 0
    for line in _table([_HEADINGS, *(_row(token, now, options.within) for token in tokens)]):
        print(line)
    for token in tokens:
        if token.expires_soon(now, options.within):
            what = f"token {token.id} for {token.connection} of {token.tenant} {_left(token, now)}"
            print(f"warning: {what}: scimcore token rotate {token.id}", file=sys.stderr)
    return 0


def _described(token: Token, now: datetime, within: timedelta) -> dict[str, object]:
    return {
        "id": token.id,
        "tenant": token.tenant,
        "connection": token.connection,
        "scopes": sorted(token.scopes),
        "label": token.label,
        "status": token.status(now),
        "expiresSoon": token.expires_soon(now, within),
        "created": instant(token.created),
        "expires": instant(token.expires),
        "revoked": None if token.revoked is None else instant(token.revoked),
        "lastUsed": None if token.last_used is None else instant(token.last_used),
    }


def _row(token: Token, now: datetime, within: timedelta) -> Sequence[str]:
    return (
        token.id,
        token.tenant,
        token.connection,
        ",".join(sorted(token.scopes)),
        _time(token.expires),
        _left(token, now) if token.expires_soon(now, within) else token.status(now),
        "never" if token.last_used is None else _time(token.last_used),
        token.label,
    )


def _left(token: Token, now: datetime) -> str:
    days = (token.expires - now).days
    return f"expires in {days} day{'' if days == 1 else 's'}" if days else "expires today"


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# Replace and end them


def _add_rotate(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("rotate", help="make a token in the place of another, which stays valid for a while")
    parser.add_argument("id", help="as scimcore token list shows it")
    parser.add_argument(
        "--overlap", type=lasting, default=OVERLAP, metavar="SPAN", help="how long both are valid (default: 1d)"
    )
    parser.add_argument(
        "--expires", type=lasting, metavar="SPAN", help="how long the new one is valid (default: as the old one was)"
    )
    add_database_options(parser)
    parser.set_defaults(run=_rotate)


def _rotate(options: argparse.Namespace) -> int:
    async def rotated(tokens: Tokens) -> Issued:
        tenant = await _owner(tokens, options.id)
        return await tokens.rotate(tenant, options.id, overlap=options.overlap, lifetime=options.expires)

    _show(_done(configuration_from(options), rotated))
    return 0


def _add_revoke(actions: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = actions.add_parser("revoke", help="end a token now")
    parser.add_argument("id", help="as scimcore token list shows it")
    add_database_options(parser)
    parser.set_defaults(run=_revoke)


def _revoke(options: argparse.Namespace) -> int:
    async def revoked(tokens: Tokens) -> Token:
        return await tokens.revoke(await _owner(tokens, options.id), options.id)

    token = _done(configuration_from(options), revoked)
    print(f"Token {token.id} for {token.connection} of {token.tenant} is revoked.", file=sys.stderr)
    return 0


async def _owner(tokens: Tokens, id: str) -> Tenant:
    """Whose token it is. Whoever has the database has all of them."""
    for token in await tokens.listed():
        if token.id == id:
            return token.tenant
    raise UnknownTokenError(f"there is no token {id}")


def _done(configuration: Configuration, work: Callable[[Tokens], Awaitable[T]], *, is_new: bool = False) -> T:
    """What *work* does with the tokens of the database; only where one is made may the database be new.

    Raises:
        UnusableError: The database cannot be used, or the work cannot be done.
    """
    database = configuration.database
    if database == MEMORY:
        raise UnusableError("tokens in memory are the server's own: name a database", 2)
    if not is_new:
        check_there(database)

    async def done() -> T:
        opened = database_of(configuration, audit_key())
        try:
            await opened.create_all()
            return await work(Tokens(opened.tokens, on_event=opened.noted, on_bug=_report))
        finally:
            await opened.close()

    with reaching(*configuration.databases):
        try:
            return asyncio.run(done())
        except (UnknownTokenError, ValueError) as reason:
            raise UnusableError(str(reason.args[0])) from None


def _report(bug: Exception) -> None:
    print(f"warning: this is not on record: {bug}", file=sys.stderr)
