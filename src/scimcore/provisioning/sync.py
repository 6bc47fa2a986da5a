"""Question: which attributes does a connection write?

What is not among them is accepted, so that the provider's mapping need not be touched, and not stored: it stays as it
was. `userName`, `active`, `externalId`, members and whatever clients cannot write pass in any case: they are how an
account is found, suspended and linked, and what becomes of them is for other policies to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import attrs

from scimcore.errors import ScimError
from scimcore.provisioning.intent import Intent, Note
from scimcore.rules.delta import elements_of, same
from scimcore.rules.path import Condition, Path, parse_path
from scimcore.rules.receive import demoted, identity
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json
from scimcore.storage.protocol import Session

_LINKAGE: Final = frozenset({"active", "externalId"})


@attrs.frozen
class SyncedAttributes:
    """The policy for what a connection may write: an allow-list for each resource type.

    *allowed* maps the name of a resource type to attributes in PATCH path notation, a value filter included; of a type
    that it does not name everything is written. Place it before policies that look at what is written.
    """

    allowed: Mapping[str, tuple[str, ...]] = attrs.field(hash=False)

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent* with the synced attributes as they are wanted and the others as they were, those noted."""
        paths = self.allowed.get(intent.resource_type.name)
        if paths is None or intent.after is None:
            return intent
        before = intent.before.document if intent.before else {}
        document, ignored = synced(before, intent.after, intent.resource_type, paths)
        if not ignored:
            return intent
        # A PUT leaves out what it does not know of: to keep that is nothing worth remembering each time.
        told = [path for path, wanted in ignored.items() if wanted is not None or intent.asked != "replace"]
        return intent.becoming(document, *(Note("ignored", f"{path} is not synced") for path in told))


def synced(
    before: Document, after: Document, resource_type: ResourceType, allowed: tuple[str, ...]
) -> tuple[Document, Mapping[str, Json]]:
    """*after* where *allowed* says so and else *before*; and by path what *after* has where that differs from it.

    Where a list has no primary element its first one stands for it.

    >>> from scimcore.schema.standard import USER
    >>> old, new = {"userName": "a", "title": "Clerk"}, {"userName": "b", "title": "Boss", "nickName": "Bo"}
    >>> synced(old, new, USER, ("nickName",))
    ({'userName': 'b', 'title': 'Clerk', 'nickName': 'Bo'}, {'title': 'Boss'})

    Raises:
        ValueError: One of *allowed* is no path, or names no attribute of the type.
    """
    parts = _parts(resource_type, allowed)
    ignored: dict[str, Json] = {}
    result: dict[str, Json] = {}
    for name in {**before, **after}:
        attribute = resource_type.attributes.get(name)
        value = after.get(name)
        if attribute is not None and name not in _LINKAGE and not attribute.is_membership:
            path = f"{name}:" if name in resource_type.containers else name
            value = _merged(attribute, before.get(name), value, parts.get(name, _NOTHING), path, ignored)
        if value is not None:
            result[name] = value
    return (result if ignored else after), ignored


HARNESS_SYNC: Final = SyncedAttributes(
    {
        "User": (
            "name.givenName",
            "name.familyName",
            "emails[primary eq true].value",
            "emails[primary eq true].type",
            "displayName",
        )
    }
)
"""What Harness takes of an account: given name, family name, primary e-mail and its type, display name (Harness
Developer Hub, "Provision users and groups using Okta SCIM")."""

ONELOGIN_SYNC: Final = SyncedAttributes({"User": ("name.givenName", "name.familyName", "emails")})
"""What Harness takes of an account of OneLogin: first name, last name and e-mail (Harness Developer Hub, "Provision
users and groups with OneLogin SCIM")."""


@attrs.frozen
class _Part:
    """What of one attribute is synced."""

    whole: bool = False
    inner: "Mapping[str, _Part]" = attrs.field(factory=dict)
    """By the names of sub-attributes, of an attribute with one value."""
    elements: "tuple[tuple[Condition | None, frozenset[str]], ...]" = ()
    """Of a list: which elements, and which sub-attributes of them; all of them if none is named."""


_NOTHING: Final = _Part()
_EVERYTHING: Final = _Part(whole=True)


@lru_cache(maxsize=64)
def _parts(resource_type: ResourceType, allowed: tuple[str, ...]) -> Mapping[str, _Part]:
    """What *allowed* names, by top-level attribute or extension."""
    parts: dict[str, _Part] = {}
    for text in allowed:
        try:
            path = parse_path(text, resource_type)
        except ScimError as fault:
            raise ValueError(f"{text!r} cannot be synced: {fault}") from fault
        place = path.place
        if place.container is None:
            parts[place.attribute.name] = _joined(parts.get(place.attribute.name, _NOTHING), path)
        else:
            container = parts.get(place.container.name, _NOTHING)
            part = _joined(container.inner.get(place.attribute.name, _NOTHING), path)
            inner = {**container.inner, place.attribute.name: part}
            parts[place.container.name] = attrs.evolve(container, inner=inner)
    return parts


def _joined(part: _Part, path: Path) -> _Part:
    """*part* of the attribute of *path*, and what *path* names of it."""
    sub = path.place.sub
    if not path.place.attribute.multi_valued:
        return _EVERYTHING if sub is None else attrs.evolve(part, inner={**part.inner, sub.name: _EVERYTHING})
    if path.condition is None and sub is None:
        return _EVERYTHING
    named = frozenset() if sub is None else frozenset({sub.name})
    others: list[tuple[Condition | None, frozenset[str]]] = []
    for condition, names in part.elements:
        if condition == path.condition:
            named = named | names if named and names else frozenset()
        else:
            others.append((condition, names))
    return attrs.evolve(part, elements=(*others, (path.condition, named)))


def _merged(attribute: Attribute, old: Json, new: Json, part: _Part, path: str, ignored: dict[str, Json]) -> Json:
    """The value between *old* and *new*; *ignored* learns the paths where it is not as in *new*."""
    if part.whole or attribute.required or not attribute.is_writable or old is new:
        return new
    if attribute.is_complex and not attribute.multi_valued:
        olds, news = _members(old), _members(new)
        separator = "" if path.endswith(":") else "."
        result: dict[str, Json] = {}
        for sub in attribute.sub_attributes:
            inner = part.inner.get(sub.name, _NOTHING)
            place = f"{path}{separator}{sub.name}"
            value = _merged(sub, olds.get(sub.name), news.get(sub.name), inner, place, ignored)
            if value is not None:
                result[sub.name] = value
        return result or None
    elements = list(elements_of(old))
    for condition, names in part.elements:
        elements = _with_chosen(attribute, elements, elements_of(new), condition, names)
    value = (elements or None) if part.elements else old
    if not same(value, new):
        ignored[path] = new
    return value


def _with_chosen(
    attribute: Attribute, old: list[Json], new: Sequence[Json], condition: Condition | None, names: frozenset[str]
) -> list[Json]:
    """*old* with the elements that *condition* chooses replaced by those that it chooses of *new*, as far as *names*
    says.
    """
    given = set(condition.equalities or ()) if condition else set()
    wanted = names | given if names else names
    before, after = _chosen(old, condition), _chosen(new, condition)
    replacements: list[Json] = []
    for element in after:
        earlier = _counterpart(attribute, element, before, alone=len(after) == len(before) == 1)
        merged = _with_names(_members(earlier), _members(element), wanted) if wanted else element
        if merged.keys() - given if isinstance(merged, dict) else merged is not None:
            replacements.append(merged)
    taken = {identity(attribute, one) for one in replacements}
    result: list[Json] = []
    left = iter(replacements)
    for element in old:
        if any(element is one for one in before):
            result += [one for one in (next(left, None),) if one is not None]
        elif identity(attribute, element) not in taken:
            result.append(element)
    result += left
    primary = next((one for one in replacements if _members(one).get("primary") is True), None)
    return result if primary is None else demoted(result, primary)


def _chosen(elements: Iterable[Json], condition: Condition | None) -> list[Json]:
    candidates = list(elements)
    if condition is None:
        return candidates
    chosen = [one for one in candidates if condition.matches(one)]
    if not chosen and condition.equalities == {"primary": True}:
        # Many clients send a single e-mail address and do not say that it is the primary one.
        return candidates[:1]
    return chosen


def _counterpart(attribute: Attribute, element: Json, before: Sequence[Json], *, alone: bool) -> Json:
    """The element of *before* that *element* takes the place of."""
    if alone:
        return before[0]
    wanted = identity(attribute, element)
    return next((one for one in before if identity(attribute, one) == wanted), None)


def _with_names(old: Document, new: Document, names: frozenset[str]) -> Document:
    """*old* with what *new* has, or has not, under *names*."""
    kept = {name: value for name, value in old.items() if name not in names}
    return kept | {name: value for name, value in new.items() if name in names}


def _members(value: Json) -> Document:
    return value if isinstance(value, dict) else {}
