"""How an identity provider talks: a Dialect is a name and a Tolerance."""

from scimcore.dialects.dialect import DEFAULT, STRICT, Dialect

__all__ = ["DEFAULT", "STRICT", "Dialect"]
