"""`Configuration`: what a server is told, as a value."""

from typing import Final

import attrs

from scimcore.adapters.paths import PathTemplates
from scimcore.provisioning import Connection
from scimcore.rules.limits import DEFAULT_LIMITS, Limits

DEFAULT_DATABASE: Final = "sqlite:///scim.db"
MEMORY: Final = "memory:"
"""The database that is none: everything is gone when the process ends."""

DEFAULT_PATHS: Final = ("/scim/v2",)


def _valid_paths(_: object, __: object, paths: tuple[str, ...]) -> None:
    PathTemplates.parsed(paths)


@attrs.frozen(kw_only=True)
class Configuration:
    """What a server is told; a file says the same (`read_configuration`).

    Without *connections* every token of the database is welcome, and no policy decides. *public_url* is the URL under
    which clients reach the *paths*, as `https://scim.example.com`; without it the one of each request is used.

    Raises:
        ValueError: A path is no template, or there is none.
    """

    database: str = attrs.field(default=DEFAULT_DATABASE, repr=False)
    """A URL, as SqlStorage takes it, or `memory:`. It may hold a password."""
    connections: tuple[Connection, ...] = ()
    paths: tuple[str, ...] = attrs.field(default=DEFAULT_PATHS, validator=_valid_paths)
    """Where it is mounted; `{tenant}` stands for a tenant."""
    public_url: str | None = None
    limits: Limits = DEFAULT_LIMITS
    audit: bool | str = attrs.field(default=True, repr=False)
    """Whether every change, refusal and token is put on record in the database. A URL keeps the record in a database of
    its own."""

    @property
    def record(self) -> str | None:
        """The URL of the database that the record is in; None if there is no record."""
        if isinstance(self.audit, str):
            return self.audit
        return self.database if self.audit and self.database != MEMORY else None

    @property
    def databases(self) -> tuple[str, ...]:
        """The URLs of all databases."""
        found = dict.fromkeys((self.database, self.record))
        return tuple([url for url in found if url is not None and url != MEMORY])
