"""Where resources live: the contract (`scimcore.storage.protocol`) and the storages that come with scimcore."""

from scimcore.storage.memory import MemoryStorage

__all__ = ["MemoryStorage"]
