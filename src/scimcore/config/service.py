"""What a configuration makes: a provider, its storage and its tokens, and the application that serves them."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import attrs

from scimcore.access import Authenticator, MemoryTokens, TokenEvent, Tokens, either
from scimcore.adapters.asgi import ScimApp
from scimcore.adapters.tenants import TenantPaths, TenantWsgiPaths
from scimcore.adapters.wsgi import ScimWsgiApp
from scimcore.audit import Sink, Told, all_of
from scimcore.config.configuration import MEMORY, Configuration
from scimcore.config.database import url_of
from scimcore.engine.environment import OnBug
from scimcore.engine.provider import ScimProvider
from scimcore.provisioning.identifiers import GroupIdentifiers
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER
from scimcore.provisioning.scopes import SCOPED_GROUP
from scimcore.schema.catalogue import ResourceType
from scimcore.storage import MemoryStorage

if TYPE_CHECKING:
    from scimcore.access.sql import SqlTokens
    from scimcore.audit import SqlAudit
    from scimcore.storage import SqlStorage


@attrs.frozen
class Database:
    """Where a configuration keeps resources, the tokens that open them, and the record of what happened."""

    storage: "MemoryStorage | SqlStorage"
    tokens: "MemoryTokens | SqlTokens"
    audit: "SqlAudit | None"
    audits_within: bool = False
    """Whether changes are put on record in the transactions that make them; they can be where both are in one
    database."""

    def noted(self, event: Told) -> Awaitable[None] | None:
        """Put *event* on record, if there is one.

        That a token is unknown is not noted, as the provider tells of the request that was refused for it.
        """
        if self.audit is None or (isinstance(event, TokenEvent) and event.why == "unknown"):
            return None
        return self.audit(event)

    async def create_all(self) -> None:
        """Make the tables that are not there yet.

        Raises:
            UnfitDatabaseError: There are tables that this release cannot use.
        """
        if not isinstance(self.storage, MemoryStorage):
            await self.storage.create_all_async()
        if not isinstance(self.tokens, MemoryTokens):
            await self.tokens.create_all()
        if self.audit is not None:
            await self.audit.create_all()

    async def migrate(self) -> None:
        """Make the tables what this release needs, from nothing or from any earlier release.

        Raises:
            UnfitDatabaseError: There are tables, and nothing says which release made them.
        """
        if not isinstance(self.storage, MemoryStorage):
            await self.storage.migrate_async()
        await self.create_all()

    async def close(self) -> None:
        """Give back all connections; they are made anew when they are needed."""
        if not isinstance(self.storage, MemoryStorage):
            await self.storage.close_async()
        if not isinstance(self.tokens, MemoryTokens):
            await self.tokens.close()
        if self.audit is not None:
            await self.audit.close()


def database_of(configuration: Configuration, audit_key: bytes = b"", *, group_commit: bool = False) -> Database:
    """What is behind the database of *configuration*; nothing is reached yet.

    With an *audit_key* the record is sealed with it, which keeps whoever can write the database from forging it. With
    *group_commit* a SQLite file is written to as `SqlStorage` does it then, on an event loop only.

    Raises:
        ValueError: It, or that of the record, is no URL of SQLite or PostgreSQL.
        ModuleNotFoundError: SQLAlchemy or the driver is not installed.
    """
    if configuration.database == MEMORY:
        return Database(MemoryStorage(), MemoryTokens(), _record_of(configuration, audit_key))
    from scimcore.access.sql import SqlTokens
    from scimcore.storage.sql import SqlStorage

    url = url_of(configuration.database)
    storage = SqlStorage(url, group_commit=group_commit)
    audit = _record_of(configuration, audit_key, storage.settle)
    tokens = SqlTokens(url, settle=storage.settle)
    return Database(storage, tokens, audit, audits_within=configuration.record == configuration.database)


def _record_of(configuration: Configuration, key: bytes, settle: Callable[[], None] | None = None) -> "SqlAudit | None":
    if configuration.record is None:
        return None
    from scimcore.audit.sql import SqlAudit

    # Whether it is the same file cannot be told from its name, and there is mostly nothing to settle.
    return SqlAudit(url_of(configuration.record), key=key, settle=settle)


@attrs.frozen
class Service:
    """A configuration at work."""

    configuration: Configuration
    database: Database
    tokens: Tokens
    provider: ScimProvider

    def asgi(self) -> TenantPaths:
        """The ASGI application, mounted at every path of the configuration."""
        return TenantPaths(ScimApp(self.provider), self.configuration.paths, self.configuration.public_url)

    def wsgi(self) -> TenantWsgiPaths:
        """The WSGI application; the driver of its database needs no event loop."""
        return TenantWsgiPaths(ScimWsgiApp(self.provider), self.configuration.paths, self.configuration.public_url)


def service_of(
    configuration: Configuration,
    *,
    also: Authenticator | None = None,
    audit_key: bytes = b"",
    resource_types: Iterable[ResourceType] | None = None,
    on_event: Sink | None = None,
    on_bug: OnBug | None = None,
    group_commit: bool = False,
) -> Service:
    """A provider for the connections of *configuration*, opened by the tokens of its database.

    Whom *also* knows is let in too. *on_event* is told what the provider and the tokens tell, besides the record in the
    database. Without *resource_types* there are users and groups that know where they come from. The tables must be
    there, or be made (`Service.database.create_all`). For *group_commit* see `database_of`; then there is no WSGI
    application.

    Raises:
        ValueError: A database is no URL of SQLite or PostgreSQL, or a tenant has two connections of one name.
        ModuleNotFoundError: SQLAlchemy or the driver is not installed.
    """
    database = database_of(configuration, audit_key, group_commit=group_commit)
    sink = database.noted if on_event is None else all_of(database.noted, on_event)
    is_within = database.audits_within

    def report(bug: Exception) -> None:
        if on_bug is not None:
            on_bug(bug, "")

    tokens = Tokens(database.tokens, on_event=sink, on_bug=report)
    provider = ScimProvider(
        database.storage,
        authenticate=tokens.authenticate if also is None else either(also, tokens.authenticate),
        resource_types=_resource_types(configuration) if resource_types is None else resource_types,
        connections=configuration.connections,
        limits=configuration.limits,
        record=database.audit if is_within else None,
        on_event=on_event if is_within else sink,
        on_bug=on_bug,
    )
    return Service(configuration, database, tokens, provider)


def _resource_types(configuration: Configuration) -> Iterable[ResourceType]:
    """Users, and groups that know of scopes where a policy does."""
    policies = (policy for connection in configuration.connections for policy in connection.policies)
    has_scopes = any(isinstance(policy, GroupIdentifiers) for policy in policies)
    return PROVISIONED_USER, SCOPED_GROUP if has_scopes else PROVISIONED_GROUP
