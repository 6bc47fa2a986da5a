"""A Connection: one identity provider attached to one tenant."""

from collections.abc import Mapping

import attrs

from scimcore.dialects import DEFAULT, Dialect
from scimcore.provisioning.intent import Policy
from scimcore.provisioning.provenance import PROVISIONING_URN, exists_for, unseen_by
from scimcore.rules.envelope import with_envelope
from scimcore.rules.filter import BoundFilter, Filter, parse_filter
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Record, Tenant


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

    def shows(self, record: Record) -> bool:
        """Whether *record*, read whole where `looks_at` matters, exists for the connection: is among what it `sees`."""
        if self.visible and not self._is_visible(record):
            return False
        return not self.policies or exists_for(self.name, record.document)

    def _is_visible(self, record: Record) -> bool:
        resource_type, document = record.resource_type, record.document
        visible = self._bound(resource_type)
        if visible is None:
            return True
        if visible.mentions_envelope:
            document = with_envelope(resource_type, document, record.created, record.last_modified, record.version)
        return visible.matches(document)

    def looks_at(self, resource_type: ResourceType) -> frozenset[str]:
        """The attributes that decide what is `visible` of a type."""
        visible = self._bound(resource_type)
        return frozenset() if visible is None else visible.names

    def _bound(self, resource_type: ResourceType) -> BoundFilter | None:
        visible = self.visible.get(resource_type.name)
        return None if visible is None else visible.bound(resource_type, tolerance=self.dialect.tolerance)

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
