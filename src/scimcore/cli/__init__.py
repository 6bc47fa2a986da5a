"""The `scimcore` command: it reads arguments and starts what they name. Needs the `server` extra."""

import argparse
import os
import secrets
import sys
from collections.abc import Sequence

from scimcore.access import BearerTokens, Caller
from scimcore.storage.protocol import Tenant


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; *arguments* default to those of the process."""
    parser = argparse.ArgumentParser(prog="scimcore", description="The provider side of SCIM 2.0.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="run a SCIM server",
        description="Run a SCIM server at /scim/v2 that keeps users and groups in memory.",
    )
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serving.add_argument("--port", type=_port, default=8080, help="0 takes a free one (default: %(default)s)")
    serving.add_argument(
        "--token",
        help="the bearer token that clients must send; other users of this machine can see arguments, so prefer the "
        "environment variable SCIMCORE_TOKEN; without either, a token is made and printed",
    )
    options = parser.parse_args(arguments)
    given: str | None = os.environ.get("SCIMCORE_TOKEN") if options.token is None else options.token
    token = secrets.token_urlsafe(32) if given is None else given
    try:
        authenticate = BearerTokens({token: Caller(tenant=Tenant("default"))})
    except ValueError as reason:
        parser.error(str(reason))
    try:
        from scimcore.cli.serve import serve
    except ModuleNotFoundError as missing:
        print(f"scimcore serve needs {missing.name}: pip install 'scimcore[server]'", file=sys.stderr)
        return 1
    return serve(options.host, options.port, authenticate, new_token=token if given is None else None)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("not a port between 0 and 65535")
    return int(text)
