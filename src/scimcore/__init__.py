"""The SCIM 2.0 service provider core: schemas, filters, PATCH, storage protocol, adapters (RFC 7643, RFC 7644)."""

from scimcore.engine.http import Request, Response
from scimcore.engine.provider import ScimProvider
from scimcore.errors import ScimError
from scimcore.rules.filter import matches, parse_filter
from scimcore.rules.identifier import group_identifier
from scimcore.rules.limits import Limits
from scimcore.rules.patch import patched
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

__all__ = [
    "ENTERPRISE_USER",
    "GROUP",
    "USER",
    "Limits",
    "Request",
    "Response",
    "ScimError",
    "ScimProvider",
    "group_identifier",
    "matches",
    "parse_filter",
    "patched",
]
