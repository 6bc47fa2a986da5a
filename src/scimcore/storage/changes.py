"""What an update really does to what is there: pure, for every storage."""

from collections.abc import Collection, Iterable, Mapping

from scimcore.rules.delta import Delta, elements_of, same
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Change, Record


def without(names: Collection[str], document: Document) -> Document:
    """*document* without the attributes *names*; the same object if it has none of them.

    >>> without({"members"}, {"id": "1", "members": []})
    {'id': '1'}
    """
    for name in names:
        if name in document:
            return {other: value for other, value in document.items() if other not in names}
    return document


def document_after(current: Record, change: Change) -> Document:
    """The document after *change*: what it wants, or where it leans on nothing that was read, *current* so changed."""
    return change.delta.applied_to(current.document) if change.expected is None else change.after.document


def differ(one: Document, other: Document, names: Iterable[str]) -> bool:
    """Whether two documents have different values of the attributes *names*.

    >>> differ({"a": 1, "b": 2}, {"a": 1}, ["a"])
    False
    """
    if one is not other:
        for name in names:
            if not same(one.get(name), other.get(name)):
                return True
    return False


def shown_as_in(after: Record, current: Record, keyed: Iterable[str]) -> Record:
    """*current* with the *keyed* attributes as *after* has them."""
    shown = {name: after.document[name] for name in keyed if name in after.document}
    return current.changed({**current.document, **shown}) if shown else current


# Members


def by_key(elements: Iterable[Json]) -> dict[str, Json]:
    """The elements by their key; of several with one key the first.

    Raises:
        ValueError: An element has no key.
    """
    found: dict[str, Json] = {}
    for element in elements:
        found.setdefault(key_of(element), element)
    return found


def key_of(element: Json) -> str:
    """The key of an element.

    Raises:
        ValueError: It has none.
    """
    match element:
        case {"value": str(key)} if key:
            return key
        case _:
            raise ValueError("an element of a keyed attribute has no key")


def keys_touched(delta: Delta) -> set[str] | None:
    """The keys of the members that *delta* is about; None if it is about all of them."""
    if "members" in delta.unassigned or "members" in delta.assigned:
        return None
    return {key_of(element) for element in (*delta.added.get("members", ()), *delta.removed.get("members", ()))}


def member_changes(members: Mapping[str, Json], delta: Delta) -> dict[str, Json]:
    """What *delta* really does to *members*, by key: the element to put there, or None for one that goes.

    Repeats, and what cancels out, are left out.

    >>> there: Json = {"value": "1"}
    >>> member_changes({"1": there}, Delta(added={"members": (there, {"value": "2"})}))
    {'2': {'value': '2'}}
    """
    wanted: dict[str, Json] = {}
    if "members" in delta.unassigned or "members" in delta.assigned:
        wanted = dict.fromkeys(members)
        wanted.update(by_key(elements_of(delta.assigned.get("members"))))
    wanted.update((key_of(element), None) for element in delta.removed.get("members", ()))
    for key, element in by_key(delta.added.get("members", ())).items():
        if wanted.get(key, members.get(key)) is None:
            wanted[key] = element
    return {key: element for key, element in wanted.items() if not same(members.get(key), element)}
