"""What `from scimcore import …` gives, now or when it is first asked for."""

import pytest

import scimcore
import scimcore.storage


@pytest.mark.parametrize("name", scimcore.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(scimcore, name) is not None


@pytest.mark.parametrize("name", ["MemoryStorage", "SqlStorage"])
def test_every_storage_can_be_imported(name: str) -> None:
    assert getattr(scimcore.storage, name).__name__ == name


def test_a_name_that_is_not_public_is_missed() -> None:
    with pytest.raises(AttributeError, match="'ScimServer'"):
        scimcore.ScimServer  # type: ignore[attr-defined]  # noqa: B018
