"""Which elements of a keyed attribute a PATCH is about, so that a storage need not load the others.

This is what makes the cost of changing a group follow the change and not the group.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from scimcore.rules.alter import listed
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.rules.patch import paths_of
from scimcore.rules.path import Path
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import Op, PatchOperation


def named_keys(
    operations: "Iterable[PatchOperation]",
    resource_type: ResourceType,
    attribute: str,
    key: str,
    tolerance: Tolerance = DEFAULT,
    limits: Limits = DEFAULT_LIMITS,
) -> frozenset[str] | None:
    """The keys of those elements of *attribute* that *operations* name; None when they may touch others too.

    With only these elements at hand the operations mean the same as with all of them, so that nothing else need be
    loaded. Whether the operations are sound is not checked, but for their paths.

    >>> from scimcore.schema.messages import PatchOperation
    >>> from scimcore.schema.standard import GROUP
    >>> leaving = PatchOperation(op="remove", path='members[value eq "7"]')
    >>> named_keys([leaving], GROUP, "members", "value")
    frozenset({'7'})
    >>> named_keys([leaving, PatchOperation(op="remove", path="members")], GROUP, "members", "value") is None
    True

    Raises:
        InvalidPathError: A path is malformed or names no attribute.
        InvalidFilterError: The value filter in a path is malformed.
    """
    found: set[str] = set()
    for operation in operations:
        for path, value in _below(attribute, operation, resource_type, tolerance, limits):
            keys = _keys(operation.op, path, value, key) if _stand_alone(path.place.attribute, key) else None
            # The same text in another normal form is the same key, so where there may be one the name is not enough.
            if keys is None or not all(map(str.isascii, keys)):
                return None
            found |= keys
    return frozenset(found)


def _stand_alone(attribute: Attribute, key: str) -> bool:
    """Whether what happens to an element of *attribute* depends on no element with another *key*."""
    identifying = attribute.sub_attribute(key)
    is_identity = identifying is not None and identifying is attribute.sub_attribute("value") and identifying.is_exact
    return is_identity and attribute.is_independent


def _below(
    attribute: str, operation: "PatchOperation", resource_type: ResourceType, tolerance: Tolerance, limits: Limits
) -> Iterator[tuple[Path, Json]]:
    """The paths below *attribute* that *operation* alters, each with the value for it."""
    value = operation.value
    values: Mapping[str, Json] = {operation.path: value} if operation.path else value if isinstance(value, dict) else {}
    for name, path in paths_of(values, resource_type, tolerance, limits):
        if path and path.place.container is None and path.place.attribute.name == attribute:
            yield path, values[name]


def _keys(op: "Op", path: Path, value: Json, key: str) -> set[str] | None:
    if path.condition is not None:
        if path.place.sub is not None and path.place.sub.name == key and op != "remove":
            return None  # an element that is created for lack of a match has another key than the filter says
        terms = path.condition.equalities
        only = terms.get(key) if terms is not None and len(terms) == 1 else None
        return {only} if isinstance(only, str) else None
    if path.place.sub is not None or op == "replace":
        return None
    elements = listed(path.place.attribute, value)
    if elements is None:
        return None if op == "remove" else set()
    named = (_member(element, key) if isinstance(element, dict) else element for element in elements)
    return {one for one in named if isinstance(one, str)}


def _member(element: Mapping[str, Json], key: str) -> Json:
    """What *element*, as it was sent, has under *key*, which may be spelled in any case."""
    if key in element:
        return element[key]
    return next((part for name, part in element.items() if name.lower() == key.lower()), None)
