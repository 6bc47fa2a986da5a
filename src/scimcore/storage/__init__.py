"""Where resources live: the contract (`scimcore.storage.protocol`) and the storages that come with scimcore.

`SqlStorage` needs the extra `sql`, so it is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from scimcore.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from scimcore.storage.sql import SqlStorage

__all__ = ["MemoryStorage", "SqlStorage"]


def __getattr__(name: str) -> object:
    if name == "SqlStorage":
        from scimcore.storage.sql import SqlStorage

        return SqlStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
