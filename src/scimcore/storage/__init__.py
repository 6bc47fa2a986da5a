"""Where resources live: the contract (`scimcore.storage.protocol`) and the storages that come with scimcore.

Each storage is imported when it is first asked for: `SqlStorage` needs the extra `sql`, and an application that keeps
its resources elsewhere needs neither.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scimcore.storage.memory import MemoryStorage
    from scimcore.storage.sql import SqlStorage

__all__ = ["MemoryStorage", "SqlStorage"]

if not TYPE_CHECKING:  # a type checker knows every name, and should miss the others

    def __getattr__(name: str) -> object:
        if name == "MemoryStorage":
            from scimcore.storage.memory import MemoryStorage

            return MemoryStorage
        if name == "SqlStorage":
            from scimcore.storage.sql import SqlStorage

            return SqlStorage
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
