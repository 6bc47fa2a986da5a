"""Members of a group as rows. Pure: rows are read and written elsewhere."""

from collections.abc import Mapping
from typing import Final

from scimcore.rules.compare import is_exact, normalized
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json
from scimcore.storage.comparable import element_keyer
from scimcore.storage.sql.rows import json_text, json_value

# A change puts its new members behind all that are there: after the version it makes, before the next one.
_PLACES_IN_A_VERSION: Final = 1 << 20


def member_rows(
    tenant: str, resource_type: ResourceType, group_id: str, version: int, members: Mapping[str, Json]
) -> list[dict[str, object]]:
    """The rows of *members* that join with the *version* of their group."""
    first = version * _PLACES_IN_A_VERSION
    return [
        {
            "tenant": tenant,
            "group_id": group_id,
            "key": key,
            "normal_key": normalized(key),
            "position": first + number,
            **stored(resource_type, key, element),
        }
        for number, (key, element) in enumerate(members.items())
    ]


def stored(resource_type: ResourceType, key: str, element: Json) -> dict[str, str | None]:
    """What is kept of *element* besides its key, which has columns of its own unless its case does not count."""
    bare = {"value": key}
    value = resource_type.attributes["members"].sub_attribute("value")
    beside = element if isinstance(element, dict) else bare
    if value is not None and is_exact(value):
        beside = {name: part for name, part in beside.items() if name != "value"}
    return {
        "element": None if element == bare else json_text(element),
        "comparison_keys": json_text(element_keyer(resource_type, "members")(beside)) if beside else None,
    }


def element_of(key: str, kept: str | None) -> Json:
    """The element that was `stored`."""
    if kept is None:
        return {"value": key}
    element: Json = json_value(kept)
    return element
