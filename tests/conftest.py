"""How hypothesis searches, and a PostgreSQL for all tests.

The examples are the same on every run; `HYPOTHESIS_PROFILE=thorough` searches many more.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# hypothesis draws constants from the modules that are there, so none of ours may come when a test is under way.
import scimcore.engine.provider
import scimcore.schema.messages  # noqa: F401
from scimcore.testing import postgres

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("repeatable"), derandomize=False, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL, without the driver, of a database on a server that lives as long as the test run."""
    if postgres.binaries() is None:
        pytest.skip("NOT TESTED ON POSTGRESQL: it is not installed (Debian: apt-get install postgresql)")
    with postgres.server() as location:
        yield location
