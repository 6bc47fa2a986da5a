"""Question: what may be edited in the application itself, of accounts and groups that an identity provider manages?

Nothing but what is left local: the next push would undo the rest, or never mend it. An application asks here before its
own screens and its own API write. Who manages a resource, and where its people can change it, is told in the refusal.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, TypeAlias

import attrs

from scimcore.provisioning.provenance import provenance_of
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import Record

Overrides: TypeAlias = Callable[[str, Record], bool]
"""Whether an actor, by the name that the application has for it, may edit the record all the same."""


@attrs.define(slots=False)
class ProvisionedError(Exception):
    """A local change of what an identity provider manages. Its text is for people."""

    action: Literal["edit", "delete"]
    resource_type: str
    id: str
    managed_by: str
    """The connection."""
    where: str | None
    """Where its people change the resource; None if nobody has said."""
    attributes: tuple[str, ...] = ()
    """What would have been edited and is not local."""

    def __str__(self) -> str:
        what = "delete it" if self.action == "delete" else f"change {', '.join(self.attributes)}"
        place = "there" if self.where is None else f"in {self.where}"
        return f"this {self.resource_type.lower()} is provisioned by {self.managed_by}: {what} {place}"


def never_overridden(actor: str, record: Record) -> bool:  # noqa: ARG001 - the shape of a hook
    """Let nobody edit what is provisioned."""
    return False


@attrs.frozen(kw_only=True)
class Guard:
    """What an application may let its people edit. What nobody manages is theirs; so is what is only linked."""

    local: Mapping[str, Collection[str]] = attrs.field(factory=dict, hash=False)
    """Resource type name -> the attributes left local, in attribute notation (RFC 7644 §3.10), each with all that is
    in it; names that no schema has are the application's own."""
    where: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    """Connection -> where its people change what it manages, as they would find it: `Okta > Applications > Acme`."""
    overrides: Overrides = never_overridden
    """Who may edit all the same, such as an automation that repairs accounts."""

    def check_edit(self, record: Record, changed_attributes: Iterable[str], actor: str) -> None:
        """Let pass an edit of *changed_attributes*, in attribute notation; none but local ones of what is provisioned.

        To rename a group is to change its `displayName`, to let somebody in its `members`. A name that neither a schema
        nor `local` has is refused too: it may be a misspelt one.

        Raises:
            ProvisionedError: Some of them are not local.
        """
        manager = provenance_of(record.document).managed_by
        if manager is None:
            return
        local = self._local(record.resource_type)
        named = dict.fromkeys(_named(record.resource_type, name) for name in changed_attributes)
        refused = tuple(name for name in named if not any(_covers(one, name) for one in local))
        if refused and not self.overrides(actor, record):
            raise self._refusal("edit", record, manager, refused)

    def check_delete(self, record: Record, actor: str) -> None:
        """Let pass the deletion of *record*, unless a connection manages it that has not deleted it itself.

        Raises:
            ProvisionedError: One does.
        """
        provenance = provenance_of(record.document)
        if provenance.managed_by is None:
            return
        link = provenance.link(provenance.managed_by)
        is_gone = link is not None and link.removed is not None
        if not is_gone and not self.overrides(actor, record):
            raise self._refusal("delete", record, provenance.managed_by, ())

    def editable(self, record: Record, actor: str) -> tuple[str, ...]:
        """The attributes that *actor* may edit: for a screen to show which of its fields are open.

        Of extensions the attributes are named one by one.
        """
        resource_type = record.resource_type
        local = self._local(resource_type)
        if provenance_of(record.document).managed_by is not None and not self.overrides(actor, record):
            return local
        writable = [
            one.name
            for one in resource_type.attributes.values()
            if one.is_writable and one.name not in resource_type.containers
        ]
        for urn, container in resource_type.containers.items():
            writable += [f"{urn}:{one.name}" for one in container.sub_attributes if one.is_writable]
        own = [name for name in local if resource_type.place(name) is None]
        return (*writable, *own)

    def _local(self, resource_type: ResourceType) -> tuple[str, ...]:
        names = self.local.get(resource_type.name, ())
        return tuple(dict.fromkeys(_named(resource_type, name) for name in names))

    def _refusal(
        self, action: Literal["edit", "delete"], record: Record, manager: str, attributes: tuple[str, ...]
    ) -> ProvisionedError:
        return ProvisionedError(
            action=action,
            resource_type=record.resource_type.name,
            id=record.id,
            managed_by=manager,
            where=self.where.get(manager),
            attributes=attributes,
        )


def _named(resource_type: ResourceType, name: str) -> str:
    """*name* as the schema spells it; as it is if no schema has it."""
    place = resource_type.place(name)
    return name if place is None else str(place)


def _covers(local: str, name: str) -> bool:
    """Whether what is called *name* is, or is inside, what is called *local*."""
    return name == local or name.startswith((f"{local}.", f"{local}:"))
