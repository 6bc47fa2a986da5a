"""What every flow leans on: the settings of a provider as one value, and its only touch of clock and chance."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import attrs

from scimcore.dialects import Dialect
from scimcore.engine.events import OnEvent
from scimcore.rules.limits import Limits
from scimcore.schema.catalogue import Catalogue
from scimcore.storage.protocol import Instant, Storage, SyncStorage


@attrs.frozen(kw_only=True)
class Environment:
    """The settings of a provider."""

    storage: Storage | SyncStorage
    catalogue: Catalogue
    dialect: Dialect
    limits: Limits
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_request_id: Callable[[], str]
    on_event: OnEvent | None

    def now(self) -> Instant:
        """The present moment."""
        moment = self.clock().astimezone(UTC)
        return Instant(moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z")

    def issued_id(self) -> str:
        """A new resource id.

        Raises:
            ValueError: `new_id` made one that RFC 7643 §3.1 forbids.
        """
        issued = self.new_id()
        if not issued or "bulkid" in issued.lower():
            raise ValueError(f"new_id made {issued!r}, which cannot be a resource id")
        return issued


def utc_now() -> datetime:
    """The clock of a provider that was given no other."""
    return datetime.now(UTC)


def random_id() -> str:
    """128 random bits in hexadecimal: the ids of a provider that was given no other source of them."""
    return secrets.token_hex(16)
