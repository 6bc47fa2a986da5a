"""A chain of entries in which each one's seal covers the one before, so that none can be changed or left out unseen.

Who may write the table may also write a new chain over it. Against that there are a key that is kept elsewhere, and
heads that were written down elsewhere.
"""

import hashlib
import hmac
from collections.abc import Iterable

import attrs

from scimcore.storage.protocol import Tenant

BEGINNING = ""
"""What the seal of a first entry covers in the place of one before."""


@attrs.frozen
class Sealed:
    """An entry in its place in the chain of its tenant: numbered from 1, its *text* sealed with all before it."""

    tenant: Tenant
    number: int
    text: str
    seal: str


@attrs.frozen
class Head:
    """Where a chain ends. Written down elsewhere, it proves later that nothing was cut off the end."""

    tenant: Tenant
    number: int
    seal: str

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


@attrs.frozen
class Break:
    """A place where a chain does not hold."""

    tenant: Tenant
    number: int
    reason: str


def seal(previous: str, tenant: str, number: int, text: str, key: bytes = b"") -> str:
    """The seal of an entry that follows one sealed *previous*: SHA-256 in hexadecimal, with a *key* its HMAC.

    >>> seal(BEGINNING, "acme", 1, "{}")[:16]
    '74996dc841828e1e'
    """
    # No part can run into the next: a seal has a fixed length, a number has no line break, a tenant is measured.
    covered = f"{previous}\n{number}\n{len(tenant)}\n{tenant}{text}".encode()
    return hmac.new(key, covered, "sha256").hexdigest() if key else hashlib.sha256(covered).hexdigest()


class Verifying:
    """A walk along the chain of one tenant, entry by entry."""

    def __init__(self, tenant: Tenant, key: bytes = b"") -> None:
        self.tenant = tenant
        self.key = key
        self.breaks: list[Break] = []
        self._number = 0
        self._seal = BEGINNING

    def walk(self, entries: Iterable[Sealed]) -> None:
        """Look at the next *entries*; what does not hold is in `breaks`."""
        for entry in entries:
            if entry.number != self._number + 1:
                gone = f"{self._number + 1}" + (f" to {entry.number - 1}" if entry.number > self._number + 2 else "")
                self.breaks.append(Break(self.tenant, self._number + 1, f"missing: {gone}"))
            elif not hmac.compare_digest(seal(self._seal, self.tenant, entry.number, entry.text, self.key), entry.seal):
                self.breaks.append(Break(self.tenant, entry.number, "changed, or the entry before it was"))
            self._number, self._seal = entry.number, entry.seal

    @property
    def head(self) -> Head:
        """The last entry that was seen."""
        return Head(self.tenant, self._number, self._seal)
