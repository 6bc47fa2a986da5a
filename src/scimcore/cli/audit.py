"""`scimcore audit`: the record of every identity operation, read and verified."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from scimcore.audit.chain import Head, Sealed
from scimcore.cli.options import (
    AUDIT_KEY,
    UnusableError,
    add_database_options,
    audit_key,
    check_there,
    configuration_from,
    reaching,
)
from scimcore.config.configuration import MEMORY
from scimcore.config.database import url_of
from scimcore.storage.protocol import Tenant

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from scimcore.audit.sql import SqlAudit

T = TypeVar("T")


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "audit",
        help="read and verify the record of identity operations",
        description=f"The record of identity operations. If it is sealed with a key, {AUDIT_KEY} holds the key.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="verify every chain of the record, and print where each ends")
    verify.add_argument(
        "--head",
        type=_head,
        action="append",
        default=[],
        metavar="TENANT=NUMBER:SEAL",
        help="where a chain ended once, as this command printed it; shows what was cut off since; may be repeated",
    )
    add_database_options(verify)
    verify.set_defaults(run=_verify)
    show = actions.add_parser("show", help="print the entries of a tenant, one line of JSON each")
    show.add_argument("--tenant", default="default", metavar="NAME", help="(default: default)")
    show.add_argument("--after", type=int, default=0, metavar="NUMBER", help="only entries behind this number")
    add_database_options(show)
    show.set_defaults(run=_show)


def _verify(options: argparse.Namespace) -> int:
    verification = _done(options, lambda audit: audit.verified(options.head))
    for head in verification.heads:
        print(f"{head.tenant}={head}")
    for one in verification.breaks:
        print(f"broken: tenant {one.tenant!r}, entry {one.number}: {one.reason}", file=sys.stderr)
    return 1 if verification.breaks else 0


def _show(options: argparse.Namespace) -> int:
    tenant = Tenant(options.tenant)

    async def shown(audit: "SqlAudit") -> int:
        after: int = options.after
        while page := await audit.entries(tenant, after):
            for entry in page:
                print(_line(entry))
            after = page[-1].number
        return 0

    return _done(options, shown)


def _line(entry: Sealed) -> str:
    return json.dumps({"number": entry.number, **json.loads(entry.text)}, ensure_ascii=False)


def _head(text: str) -> Head:
    tenant, _, rest = text.rpartition("=")
    number, _, seal = rest.partition(":")
    if not number.isdecimal() or not seal:
        raise argparse.ArgumentTypeError("not TENANT=NUMBER:SEAL, as scimcore audit verify prints it")
    return Head(Tenant(tenant), int(number), seal)


def _done(options: argparse.Namespace, work: "Callable[[SqlAudit], Awaitable[T]]") -> T:
    """What *work* finds in the record of the database.

    Raises:
        UnusableError: There is no such database, or no record in it.
    """
    configuration = configuration_from(options)
    # Where a file says that nothing is put on record any more, there may be one from before.
    database = configuration.record or configuration.database
    if database == MEMORY:
        raise UnusableError("in memory there is no record: name a database", 2)
    check_there(database)
    from scimcore.audit.sql import SqlAudit

    async def done() -> T:
        audit = SqlAudit(url_of(database), key=audit_key())
        try:
            return await work(audit)
        finally:
            await audit.close()

    with reaching(database):
        return asyncio.run(done())
