"""A real provider whose authenticator notes every request that reaches it: what an adapter understood of HTTP."""

import pytest

from scimcore.access import Caller, Credentials
from scimcore.engine.http import Request
from scimcore.engine.provider import ScimProvider
from scimcore.rules.limits import Limits
from scimcore.storage import MemoryStorage
from scimcore.storage.protocol import Tenant

LIMIT = 1_000


@pytest.fixture
def asked() -> list[Request]:
    """The requests that the provider was asked, in order."""
    return []


@pytest.fixture
def provider(asked: list[Request]) -> ScimProvider:
    """A provider that takes bodies of up to 1,000 bytes."""

    def authenticate(request: Credentials) -> Caller:
        assert isinstance(request, Request)
        asked.append(request)
        return Caller(tenant=Tenant("acme"))

    return ScimProvider(MemoryStorage(), authenticate=authenticate, limits=Limits(max_body_bytes=LIMIT))
