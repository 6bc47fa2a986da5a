"""The SCIM 2.0 service provider core: schemas, filters, PATCH, storage protocol, adapters (RFC 7643, RFC 7644).

The rules are imported with the package; the engine is when one of its names is first asked for, so that a program that
only parses filters or applies PATCH does not load a provider.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from scimcore.errors import ScimError
from scimcore.rules.filter import matches, parse_filter
from scimcore.rules.identifier import group_identifier
from scimcore.rules.limits import Limits
from scimcore.rules.patch import patched
from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER

if TYPE_CHECKING:
    from scimcore.engine.http import Request, Response
    from scimcore.engine.provider import ScimProvider

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

_ENGINE: Final = {
    "Request": "scimcore.engine.http",
    "Response": "scimcore.engine.http",
    "ScimProvider": "scimcore.engine.provider",
}

if not TYPE_CHECKING:  # a type checker knows every name, and should miss the others

    def __getattr__(name: str) -> object:
        if name in _ENGINE:
            return getattr(import_module(_ENGINE[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
