"""A Connection: one identity provider attached to one tenant."""

from collections.abc import Mapping

import attrs

from scimcore.dialects import DEFAULT, Dialect
from scimcore.provisioning.intent import Policy
from scimcore.rules.filter import Filter
from scimcore.storage.protocol import Tenant


@attrs.frozen(kw_only=True)
class Connection:
    """One identity provider attached to one tenant: how it talks, what happens to the accounts that it manages."""

    name: str
    tenant: Tenant
    dialect: Dialect = DEFAULT
    policies: tuple[Policy, ...] = ()
    """In the order in which they decide."""
    visible: Mapping[str, Filter] = attrs.field(factory=dict, hash=False)
    """Resource type name -> what the connection sees of that type; it sees all of a type without an entry."""
