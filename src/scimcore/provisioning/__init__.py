"""What happens to accounts: policies that decide on adoption, ownership, leaving, attributes and groups."""

from scimcore.provisioning.connection import Connection
from scimcore.provisioning.intent import Hook, Intent, Note, Policy

__all__ = ["Connection", "Hook", "Intent", "Note", "Policy"]
