"""What PUT means (RFC 7644 §3.5.1): the sent document takes the place of the stored one, within mutability."""

from scimcore.errors import MutabilityError
from scimcore.rules.compare import comparison_key
from scimcore.rules.delta import same
from scimcore.rules.receive import Received, identity
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json


def replaced(
    current: Document, sent: Received, resource_type: ResourceType, tolerance: Tolerance = DEFAULT
) -> Document:
    """Return the document that *current* becomes; the same object when nothing changes.

    What the client left out is cleared, but for readOnly, writeOnly and immutable attributes, and, under the default
    tolerance, a group's members and the externalId.

    Raises:
        MutabilityError: An assigned immutable attribute is given another value.

    >>> from scimcore.rules.receive import received
    >>> from scimcore.schema.standard import USER
    >>> replaced({"id": "1", "userName": "a", "title": "T"}, received({"userName": "b"}, USER), USER)
    {'id': '1', 'userName': 'b'}
    """
    result: dict[str, Json] = {}
    changes = False
    for name in {**current, **sent.document}:
        attribute = resource_type.attributes.get(name)
        old, new = current.get(name), sent.document.get(name)
        if attribute is None:
            value = old  # stored before the schema lost it: not this client's to clear
        elif new is not None:
            value = _successor(attribute, old, new, name)
        elif name in resource_type.containers and isinstance(old, dict):
            # An extension is no value of its own: each of its attributes stays or goes by its own mutability.
            value = _with_unwritable(attribute, old, {}, f"{name}:") or None
        else:
            value = old if _survives(attribute, name in sent.unassigned, tolerance) else None
        changes = changes or value is not old
        if value is not None:
            result[name] = value
    return result if changes else current


def _survives(attribute: Attribute, unassigned_by_name: bool, tolerance: Tolerance) -> bool:
    """Whether the value of an attribute that the client did not send stays."""
    if attribute.mutability in (Mutability.READ_ONLY, Mutability.IMMUTABLE):
        return True
    is_linkage = attribute.name == "externalId" or attribute.is_membership
    is_kept = attribute.mutability is Mutability.WRITE_ONLY or (is_linkage and tolerance.put_keeps_linkage)
    return is_kept and not unassigned_by_name


def _successor(attribute: Attribute, old: Json, new: Json, path: str) -> Json:
    """The value that *new* becomes in the place of *old*."""
    if old is None:
        return new
    if same(old, new):
        return old
    if attribute.is_membership:
        return retained(attribute, old, new)
    if attribute.mutability is Mutability.IMMUTABLE and not _equal(attribute, old, new):
        raise MutabilityError(path, "is immutable and has another value")
    if isinstance(old, dict) and isinstance(new, dict):
        return _with_unwritable(attribute, old, new, path + (":" if path.startswith("urn:") else "."))
    return new


def retained(attribute: Attribute, old: Json, new: Json) -> Json:
    """The elements of *new*, where one of *old* has the same identity that one, in its old order."""
    olds = old if isinstance(old, list) else []
    news = {identity(attribute, element): element for element in (new if isinstance(new, list) else [])}
    kept = [element for element in olds if news.pop(identity(attribute, element), None) is not None]
    return old if len(kept) == len(olds) and not news else [*kept, *news.values()]


def _with_unwritable(attribute: Attribute, old: Document, new: Document, prefix: str) -> Json:
    """*new* with those sub-attributes of *old* that the client has no say over."""
    result = dict(new)
    for sub in attribute.sub_attributes:
        if sub.name not in old:
            continue
        if sub.name in new:
            result[sub.name] = _successor(sub, old[sub.name], new[sub.name], prefix + sub.name)
        elif sub.mutability is not Mutability.READ_WRITE:
            result[sub.name] = old[sub.name]
    return old if same(old, result) else result


def _equal(attribute: Attribute, old: Json, new: Json) -> bool:
    if attribute.is_complex or attribute.multi_valued:
        return same(old, new)
    return comparison_key(attribute, old) == comparison_key(attribute, new)
