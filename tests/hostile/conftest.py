"""Storages and companies to attack."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hostile.company import World, world_of

from scimcore.storage import MemoryStorage, SqlStorage
from scimcore.storage.protocol import Storage, SyncStorage


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "company.db"
    database = SqlStorage(f"sqlite:///{path}")
    database.create_all()
    database.close()
    return path


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage | SyncStorage]:
    if request.param == "memory":
        yield MemoryStorage()
        return
    path = shutil.copy(request.getfixturevalue("empty_database"), tmp_path)
    database = SqlStorage(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(params=["harness", "standard"])
def world(request: pytest.FixtureRequest, storage: Storage | SyncStorage) -> World:
    return world_of(storage, request.param)
