"""Who asks, and the shape of what finds out. Access knows of a request only what a caller proves himself by."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import attrs

from scimcore.storage.protocol import Tenant


@attrs.frozen(kw_only=True)
class Caller:
    """Who asks: the tenant whose resources are meant, the connection asked through, and what is allowed."""

    tenant: Tenant
    connection: str = ""
    """The identity provider's connection; empty when a tenant has only one."""
    scopes: frozenset[str] = frozenset({"read", "write"})


class Credentials(Protocol):
    """The part of a request that says who asks: its headers, names in lower case. The URL is not among them (§7.4)."""

    @property
    def headers(self) -> Mapping[str, str]: ...


Authenticator: TypeAlias = Callable[[Credentials], Caller | Awaitable[Caller]]
"""Makes out the caller, at once or by waiting, or raises UnauthorizedError (RFC 7644 §2)."""
