"""Which elements of keyed attributes a flow has to read: none that nobody looks at."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from scimcore.rules.keyed import named_keys
from scimcore.rules.limits import Limits
from scimcore.rules.project import Projection
from scimcore.rules.tolerance import Tolerance
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.protocol import EVERYTHING, Elements, Storage, SyncStorage

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import PatchOperation


@attrs.frozen
class KeyedAttributes:
    """The keyed attributes of a resource type, as the storage declares them."""

    resource_type: ResourceType
    names: tuple[str, ...]
    written: tuple[tuple[str, str], ...]
    """Those that clients write, each with the sub-attribute that is its key."""

    def shown(self, projection: Projection) -> Elements:
        """What to read in order to show it: of attributes that are not shown, nothing."""
        return {name: () for name in self.names if not projection.shows(name)} if self.names else EVERYTHING

    def nothing(self) -> Elements:
        """What to read where only the record itself counts."""
        return dict.fromkeys(self.names, ())

    def named(self, operations: "Iterable[PatchOperation]", tolerance: Tolerance, limits: Limits) -> Elements:
        """The elements that a PATCH names, of those attributes where it names all that it touches."""
        if not self.written:
            return EVERYTHING
        found = {
            name: named_keys(operations, self.resource_type, name, key, tolerance, limits) for name, key in self.written
        }
        return {name: keys for name, keys in found.items() if keys is not None}

    def patched(self, projection: Projection, named: Elements) -> Elements:
        """What to read in order to apply a PATCH that names *named*, and to show what comes of it."""
        shown = self.shown(projection)
        if not self.written:
            return shown
        written = {name for name, _ in self.written}
        return {name: keys for name, keys in shown.items() if name not in written} | dict(named)


def keyed_attributes(storage: Storage | SyncStorage, resource_type: ResourceType) -> KeyedAttributes:
    """The keyed attributes of *resource_type* in *storage*."""
    keyed = storage.keyed.get(resource_type.name, {})
    written = tuple((name, key) for name, key in keyed.items() if resource_type.attributes[name].is_writable)
    return KeyedAttributes(resource_type, tuple(keyed), written)
