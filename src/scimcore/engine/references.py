"""References to other resources: which exist, and of what type they are (RFC 7643 §2.3.7, §4.2)."""

from collections.abc import Mapping
from functools import lru_cache
from operator import is_not
from typing import NamedTuple

from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Session

PASSWORD = "password"


class Skipped(NamedTuple):
    """A new element that refers to nothing, and was left out."""

    attribute: str
    value: str

    def __str__(self) -> str:
        return f'{self.attribute}[value eq "{self.value[:100]}"]'


async def settled(
    session: Session, resource_type: ResourceType, before: Document, document: Document
) -> tuple[Document, tuple[Skipped, ...]]:
    """*document* as it can be stored, the same object if it can be as it is, and what was left out of it.

    New members that do not exist are skipped: one unknown id must not lose a whole push, which Okta would not repeat.
    The others get the `type` of what they refer to. A password is not kept: it is for the application, not for a
    storage.
    """
    skipped: list[Skipped] = []
    if PASSWORD in document:
        document = {name: value for name, value in document.items() if name != PASSWORD}
    for name in _memberships(resource_type):
        value = document.get(name)
        if isinstance(value, list) and value is not before.get(name):
            elements, unknown = await _known(session, before.get(name), value)
            if unknown or any(map(is_not, elements, value)):
                document = _with(document, name, elements)
                skipped += [Skipped(name, one) for one in unknown]
    return document, tuple(skipped)


@lru_cache(maxsize=256)
def _memberships(resource_type: ResourceType) -> tuple[str, ...]:
    return tuple(name for name, attribute in resource_type.attributes.items() if attribute.is_membership)


async def _known(session: Session, before: Json, elements: list[Json]) -> tuple[list[Json], list[str]]:
    """*elements* without those that refer to nothing, each with its type; and the ids of the others."""
    present = {id(element) for element in before} if isinstance(before, list) else set()
    new = [one for one in elements if id(one) not in present]
    types: Mapping[str, str] = await session.locate([value for one in new if (value := _value(one)) is not None])
    result: list[Json] = []
    unknown: list[str] = []
    for element in elements:
        value = _value(element)
        if id(element) in present or not isinstance(element, dict):
            result.append(element)
        elif value is not None and value in types:
            kind = types[value]
            result.append(element if element.get("type") == kind else {**element, "type": kind})
        else:
            unknown.append(value or "")
    return result, unknown


def _value(element: Json) -> str | None:
    value = element.get("value") if isinstance(element, dict) else None
    return value if isinstance(value, str) else None


def _with(document: Document, name: str, elements: list[Json]) -> Document:
    if elements:
        return {**document, name: elements}
    return {other: value for other, value in document.items() if other != name}
