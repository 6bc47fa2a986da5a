"""What a change does to the members of a group, element by element. Pure: rows are read and written elsewhere."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic_core import from_json

from scimcore.rules.compare import normalized
from scimcore.rules.delta import Delta, elements_of, same
from scimcore.schema.document import Json
from scimcore.storage.sql.rows import json_text

# A change puts its new members behind all that are there: after the version it makes, before the next one.
_PLACES_IN_A_VERSION: Final = 1 << 20


def by_key(elements: Iterable[Json]) -> dict[str, Json]:
    """The elements by their key; of several with one key the first.

    Raises:
        ValueError: An element has no key.
    """
    found: dict[str, Json] = {}
    for element in elements:
        found.setdefault(_key(element), element)
    return found


def keys_touched(delta: Delta) -> set[str] | None:
    """The keys of the members that *delta* is about; None if it is about all of them."""
    if "members" in delta.unassigned or "members" in delta.assigned:
        return None
    return {_key(element) for element in (*delta.added.get("members", ()), *delta.removed.get("members", ()))}


def changes(members: Mapping[str, Json], delta: Delta) -> dict[str, Json]:
    """What *delta* really does to *members*, by key: the element to put there, or None for one that goes.

    >>> there: Json = {"value": "1"}
    >>> changes({"1": there}, Delta(added={"members": (there, {"value": "2"})}))
    {'2': {'value': '2'}}
    """
    wanted: dict[str, Json] = {}
    if keys_touched(delta) is None:
        wanted.update(dict.fromkeys(members))
        wanted.update(by_key(elements_of(delta.assigned.get("members"))))
    wanted.update((_key(element), None) for element in delta.removed.get("members", ()))
    for key, element in by_key(delta.added.get("members", ())).items():
        if wanted.get(key, members.get(key)) is None:
            wanted[key] = element
    return {key: element for key, element in wanted.items() if not same(members.get(key), element)}


def member_rows(tenant: str, group_id: str, version: int, members: Mapping[str, Json]) -> list[dict[str, object]]:
    """The rows of *members* that join with the *version* of their group."""
    first = version * _PLACES_IN_A_VERSION
    return [
        {
            "tenant": tenant,
            "group_id": group_id,
            "key": key,
            "normal_key": normalized(key),
            "position": first + number,
            "element": stored(key, element),
        }
        for number, (key, element) in enumerate(members.items())
    ]


def stored(key: str, element: Json) -> str | None:
    """What is kept of *element* besides its key: nothing, in most."""
    return None if element == {"value": key} else json_text(element)


def element_of(key: str, kept: str | None) -> Json:
    """The element that was `stored`."""
    if kept is None:
        return {"value": key}
    element: Json = from_json(kept)
    return element


def _key(element: Json) -> str:
    match element:
        case {"value": str(key)} if key:
            return key
        case _:
            raise ValueError("an element of a keyed attribute has no key")
