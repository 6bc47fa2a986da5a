"""The record of every identity operation: sinks for the streams of events, and a chain that shows tampering.

`SqlAudit` needs the extra `sql`, so it is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from scimcore.audit.chain import Head
from scimcore.audit.entry import Entry, Told, entry_of
from scimcore.audit.sinks import LogSink, Sink, all_of

if TYPE_CHECKING:
    from scimcore.audit.sql import SqlAudit

__all__ = ["Entry", "Head", "LogSink", "Sink", "SqlAudit", "Told", "all_of", "entry_of"]


def __getattr__(name: str) -> object:
    if name == "SqlAudit":
        from scimcore.audit.sql import SqlAudit

        return SqlAudit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
