"""Whole providers in one call: dialects, policies and resource types that belong together."""

from scimcore.profiles.harness import (
    HARNESS_GROUP,
    HARNESS_USER,
    ROLE_BINDINGS,
    IdentityProvider,
    harness_connection,
    harness_guard,
    harness_profile,
)

__all__ = [
    "HARNESS_GROUP",
    "HARNESS_USER",
    "ROLE_BINDINGS",
    "IdentityProvider",
    "harness_connection",
    "harness_guard",
    "harness_profile",
]
