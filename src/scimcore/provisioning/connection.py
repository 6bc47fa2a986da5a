"""A Connection: one identity provider attached to one tenant."""

from collections.abc import Mapping

import attrs

from scimcore.dialects import DEFAULT, Dialect
from scimcore.provisioning.intent import Policy
from scimcore.provisioning.provenance import PROVISIONING_URN, unseen_by
from scimcore.rules.filter import Filter, parse_filter
from scimcore.schema.catalogue import ResourceType
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
    _seen: dict[str, Filter | None] = attrs.field(init=False, factory=dict, eq=False, repr=False)

    def sees(self, resource_type: ResourceType) -> Filter | None:
        """The filter for what exists for the connection; None where that is everything.

        Whatever is `visible` to it, what it has deleted is not there any more (RFC 7644 §3.6), though a policy kept it.
        """
        name = resource_type.name
        if name not in self._seen:
            visible = self.visible.get(name)
            if self.policies and PROVISIONING_URN in resource_type.containers:
                unseen = f"not ({unseen_by(self.name)})"
                visible = parse_filter(unseen if visible is None else f"({visible}) and {unseen}")
            self._seen[name] = visible
        return self._seen[name]
