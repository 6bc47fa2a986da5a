"""Memberships during a PATCH: by identity, so that an operation costs what it names and not what is there.

Clients send one operation for each member (authentik, Okta); walked as a list, a thousand of them would take a million
steps.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from scimcore.rules.alter import Alteration, listed
from scimcore.rules.delta import elements_of
from scimcore.rules.path import Path
from scimcore.rules.receive import Reading, identity
from scimcore.schema.attribute import Attribute
from scimcore.schema.document import Json

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import Op


class Members:
    """The elements of an attribute that is independent."""

    def __init__(self, attribute: Attribute, elements: Json) -> None:
        self.attribute = attribute
        self._elements = {identity(attribute, element): element for element in elements_of(elements)}
        self.have_changed = False

    @property
    def value(self) -> Json:
        """The elements as a value of the attribute; None if there are none."""
        return list(self._elements.values()) or None

    def take(self, op: "Op", path: Path, value: Json, reading: Reading) -> bool:
        """Carry out an operation that names its elements; False, and nothing is done, if it may touch others.

        Raises:
            ScimError: As `rules.patch.patched` says.
        """
        if path.place.sub is not None or op == "replace":
            return False
        if path.condition is not None:
            equal = path.condition.equalities
            if op != "remove" or equal is None or equal.keys() != {"value"}:
                return False
            self._remove([dict(equal)])
        elif op == "add":
            self._add(elements_of(reading.value(self.attribute, listed(self.attribute, value), str(path.place))))
        elif value is None:
            return False
        else:
            self._remove(Alteration(op, path, reading).described(value))
        return True

    def _add(self, elements: Iterable[Json]) -> None:
        for element in elements:
            # One that is there stays as it is: memberships do not change (RFC 7643 §4.2).
            if self._elements.setdefault(identity(self.attribute, element), element) is element:
                self.have_changed = True

    def _remove(self, descriptions: Iterable[Json]) -> None:
        for description in descriptions:
            if self._elements.pop(identity(self.attribute, description), None) is not None:
                self.have_changed = True
