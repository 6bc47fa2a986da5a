"""Question: which attributes may never change again once an account is provisioned?

An e-mail address by which an application knows an account, say: OneLogin cannot remove a user of Harness whose address
it has changed (Harness Developer Hub, "Provision users and groups with OneLogin SCIM").
"""

from functools import lru_cache
from typing import Literal

import attrs

from scimcore.errors import MutabilityError, ScimError
from scimcore.provisioning.intent import Intent
from scimcore.provisioning.provenance import PROVISIONING_URN, provenance_of
from scimcore.rules.compare import comparison_key
from scimcore.rules.delta import elements_of, frozen
from scimcore.rules.path import Path, parse_path
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json, is_unassigned
from scimcore.storage.protocol import Record, Session


@attrs.frozen
class ImmutableAttributes:
    """The policy for attributes that keep the value that they have, whoever wants to change or remove it.

    *paths* are in PATCH path notation, a value filter included. The same value again, in any case where case does not
    count, changes nothing; an attribute without a value may still get one.
    """

    paths: tuple[str, ...]
    after: Literal["provisioned", "created"] = "provisioned"
    """From when on: once a connection provisions the resource (of a type that does not tell, at once), or always."""
    resource_type: str = "User"

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent*, with the attributes spelled as they were.

        Raises:
            MutabilityError: An immutable attribute would change.
            ValueError: One of `paths` is no path, or names no attribute of the type.
        """
        before, after = intent.before, intent.after
        if before is None or after is None or intent.resource_type.name != self.resource_type:
            return intent
        if self.after == "provisioned" and not _is_provisioned(before):
            return intent
        document = after
        for path in _parsed(intent.resource_type, self.paths):
            old, new = _keys(path, before.document), _keys(path, after)
            if old and old != new:
                raise MutabilityError(str(path), "cannot change once the account is provisioned")
            document = _respelled(path, before.document, document) if old else document
        return intent if document is after else attrs.evolve(intent, after=document)


def _is_provisioned(record: Record) -> bool:
    if PROVISIONING_URN not in record.resource_type.containers:
        return True
    provenance = provenance_of(record.document)
    return provenance.managed_by is not None or bool(provenance.links)


@lru_cache(maxsize=64)
def _parsed(resource_type: ResourceType, paths: tuple[str, ...]) -> tuple[Path, ...]:
    try:
        return tuple(parse_path(path, resource_type) for path in paths)
    except ScimError as fault:
        raise ValueError(f"no attribute can be kept from changing by {paths}: {fault}") from fault


def _keys(path: Path, document: Document) -> frozenset[object]:
    """What the values at *path* are compared by; none where there is no value."""
    place = path.place
    holder: Json = document.get(place.container.name) if place.container else document
    value = holder.get(place.attribute.name) if isinstance(holder, dict) else None
    elements = elements_of(value) if place.attribute.multi_valued else (value,)
    keys: set[object] = set()
    for element in elements:
        if path.condition is not None and not path.condition.matches(element):
            continue
        part: Json = element
        if place.sub is not None:
            part = element.get(place.sub.name) if isinstance(element, dict) else None
        if not is_unassigned(part):
            keys.add(_key(place.leaf, part))
    return frozenset(keys)


def _key(attribute: Attribute, value: Json) -> object:
    if isinstance(value, dict):
        subs = ((name, attribute.sub_attribute(name), part) for name, part in value.items())
        return frozenset((name, frozen(part) if sub is None else _key(sub, part)) for name, sub, part in subs)
    if isinstance(value, list):
        return frozenset(_key(attribute, one) for one in value)
    return comparison_key(attribute, value)


def _respelled(path: Path, before: Document, after: Document) -> Document:
    """*after* with an attribute that is equal before and after as *before* spells it."""
    place = path.place
    name = (place.container or place.attribute).name
    if place.container is not None or place.sub is not None or path.condition is not None:
        return after
    old, new = before.get(name), after.get(name)
    return after if old is new or old == new else {**after, name: old}
