"""What is put at the end of a chain, and how that is found in the transaction of a change."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from scimcore.audit.chain import BEGINNING, seal
from scimcore.audit.entry import Entry
from scimcore.audit.tables import AUDIT, BEGUN, FOLLOWING, LAST, LONGEST_CHAIN
from scimcore.engine.wire import written
from scimcore.errors import UnavailableError
from scimcore.storage.protocol import Tenant
from scimcore.storage.sql.transaction import Transaction

ATTEMPTS: Final = 100
"""How often somebody else may be faster before an entry is given up."""

_MOST_ENDS: Final = 10_000


class End(NamedTuple):
    """Where a chain ends: at its last entry, or, while it has none, at the place before the first."""

    position: int
    number: int
    seal: str


class Ends:
    """Where chains end, as far as is known here; nothing is known of those that nobody wrote to for long."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Tenant, End] = {}

    def get(self, tenant: Tenant) -> End | None:
        return self._known.get(tenant)

    def forget(self, tenant: Tenant) -> End | None:
        """What was known of the chain of *tenant*."""
        return self._known.pop(tenant, None)

    def remember(self, tenant: Tenant, end: End) -> None:
        if len(self._known) >= _MOST_ENDS:
            self._known.clear()
        self._known[tenant] = end


def end_in(rows: Sequence[Sequence[Any]]) -> End | None:
    """The end that `LAST` found; None if there is no chain."""
    for chain, number, sealed in rows:
        number = number or 0
        return End(chain * LONGEST_CHAIN + number, number, sealed or BEGINNING)
    return None


def behind(end: End, entry: Entry, key: bytes) -> tuple[End, dict[str, object]]:
    """The row of *entry* where it follows *end*, and where the chain ends then."""
    text = written(entry.facts).decode()
    number = end.number + 1
    new = End(end.position + 1, number, seal(end.seal, entry.tenant, number, text, key))
    row: dict[str, object] = {
        "position": new.position,
        "tenant": entry.tenant,
        "number": number,
        "at": entry.at,
        "entry": text,
        "seal": new.seal,
    }
    return new, row


class Appending:
    """Puts entries behind others in the transactions of changes.

    What was put last may have been undone since, or others may have gone on. So an entry is put there only if what it
    follows is still the end, and else the end is looked for.
    """

    __slots__ = ("_ends", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ends = Ends()

    async def put(self, entry: Entry, transaction: Transaction) -> None:
        """Put *entry* at the end of its chain.

        Raises:
            UnavailableError: The database cannot be reached, or others took every place that was tried.
        """
        # From here on nobody else writes to SQLite. In PostgreSQL the insert waits for whoever takes the same place.
        await transaction.begin()
        dialect = transaction.dialect
        for _ in range(ATTEMPTS):
            end = self._ends.forget(entry.tenant)
            insert = FOLLOWING[dialect.name]
            if end is None:
                end = await _looked_for(entry.tenant, transaction)
                insert = dialect.insert_if_free(AUDIT)
            new, row = behind(end, entry, self._key)
            row["b_position"], row["b_seal"] = end.position, end.seal
            if await transaction.alter(insert, row):
                self._ends.remember(entry.tenant, new)
                return
        raise UnavailableError("the record is written to by too many at once")


async def _looked_for(tenant: Tenant, transaction: Transaction) -> End:
    """Where the chain of *tenant* ends, which begins now if there is none."""
    called: dict[str, object] = {"tenant": tenant}
    end = end_in(await transaction.ask(LAST, called))
    if end is None:
        await transaction.alter(BEGUN[transaction.dialect.name], called)
        end = end_in(await transaction.ask(LAST, called))
    if end is None:
        raise UnavailableError("the record is being changed by somebody else")
    return end
