"""What scimcore tests itself with, for the tests of whoever builds on it.

It needs pytest, and `scimcore.testing.strategies` hypothesis.
"""

import pytest

# So that a failed assertion of the contract shows its values, as one in a test file does.
pytest.register_assert_rewrite(
    *(f"scimcore.testing.{part}" for part in ("storage", "searches", "transactions", "sessions"))
)

from scimcore.testing.storage import StorageContract  # noqa: E402 - only what is imported from here on is rewritten

__all__ = ["StorageContract"]
