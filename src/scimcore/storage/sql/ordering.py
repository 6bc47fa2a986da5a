"""The order of a search in SQL, over comparison keys: every order that the rules know.

A value that does not fit its type counts as missing: the rules give it no place among the others either.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs
from sqlalchemy import ColumnElement, Row, and_, case, false, literal, null, or_, select, tuple_

from scimcore.rules.compare import is_exact
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import ResourceType
from scimcore.storage.comparable import VALUE, comparable, label
from scimcore.storage.keyed import KEYED
from scimcore.storage.ordering import UNSORTED, Part, Rank, parts_of
from scimcore.storage.protocol import Query, Sort
from scimcore.storage.sql.functions import KeyFunctions, version_text
from scimcore.storage.sql.tables import MEMBER, RESOURCE

_GROUP: Final = RESOURCE.alias("sorted_group")
_MOMENTS: Final = {"created": RESOURCE.c.created, "lastModified": RESOURCE.c.last_modified}


@attrs.frozen
class Order:
    """By what a search is ordered, the most important first; id and type decide in the end."""

    keys: tuple[ColumnElement[str], ...]
    """Where it is null, there is nothing to sort by."""
    descending: tuple[bool, ...]
    is_sorted: bool
    several_types: bool

    @property
    def columns(self) -> tuple[ColumnElement[str], ...]:
        """What tells the rank of a row, for `rank`."""
        return tuple(key.label(f"key_{number}") for number, key in enumerate(self.keys)) if self.is_sorted else ()

    def rank(self, row: Row[*tuple[object, ...]]) -> Rank:
        """The rank of a row that has the `columns` besides those of its record."""
        found = row._mapping  # noqa: SLF001 - how SQLAlchemy calls it
        names = [f"key_{number}" for number in range(len(self.keys))] if self.is_sorted else ["created"]
        return Rank(tuple([found[name] for name in names]), found["id"], found["type"])

    def by(self, *, without_index: bool) -> list[ColumnElement[Any]]:
        """What to order by; *without_index* where another index lists the records: none on creation is walked then."""
        found: list[ColumnElement[Any]] = []
        if not self.is_sorted:
            found.append(RESOURCE.c.created.concat("") if without_index else RESOURCE.c.created)
        for key, descending in zip(self.keys, self.descending, strict=True) if self.is_sorted else ():
            found += [key.is_not(None), key.desc()] if descending else [key.is_(None), key]
        return [*found, RESOURCE.c.id, RESOURCE.c.type] if self.several_types else [*found, RESOURCE.c.id]

    def behind(self, rank: Rank) -> ColumnElement[bool]:
        """Whether a row comes behind *rank*."""
        names = (RESOURCE.c.id, RESOURCE.c.type)[: 1 + self.several_types]
        if not self.is_sorted:
            # A comparison of rows is what databases look up in an index.
            last = [value for value in (*rank.keys, rank.id, rank.type) if value is not None]
            columns = (RESOURCE.c.created, *names)
            return tuple_(*columns) > tuple_(*last[: len(columns)])
        condition: ColumnElement[bool] = tuple_(*names) > tuple_(*(rank.id, rank.type)[: len(names)])
        parts = zip(reversed(self.keys), reversed(rank.keys), reversed(self.descending), strict=True)
        for key, last_key, descending in parts:
            level: ColumnElement[bool] = key.is_(None) if last_key is None else key == last_key
            condition = or_(_comes_behind(key, last_key, descending), and_(level, condition))
        return condition


def _comes_behind(key: ColumnElement[str], last: str | None, descending: bool) -> ColumnElement[bool]:
    if last is None:
        return key.is_not(None) if descending else false()
    return key < last if descending else or_(key > last, key.is_(None))


def order_of(query: Query, tenant: str, functions: KeyFunctions) -> Order:
    """The order of *query*."""
    types = {one.name: one for one in query.resource_types}
    parts = parts_of({name: sort for name, sort in query.sorts.items() if name in types})
    several = len(types) > 1
    if not query.sorts:
        return unsorted(several_types=several)
    keys = tuple(_key(part, types, tenant, functions) for part in parts)
    return Order(keys, tuple(part.descending for part in parts), is_sorted=True, several_types=several)


def unsorted(*, several_types: bool) -> Order:
    """The order of a search that nobody asked to sort: by creation."""
    return Order((RESOURCE.c.created,), UNSORTED, is_sorted=False, several_types=several_types)


def _key(part: Part, types: Mapping[str, ResourceType], tenant: str, functions: KeyFunctions) -> ColumnElement[str]:
    keys = [(types[name], _key_of_type(sort, types[name], tenant, functions)) for name, sort in part.sorts.items()]
    if len(types) == 1:
        return keys[0][1]
    return functions.by_code_point(case(*((RESOURCE.c.type == one.name, key) for one, key in keys)))


def _key_of_type(sort: Sort, resource_type: ResourceType, tenant: str, functions: KeyFunctions) -> ColumnElement[str]:
    place = sort.place
    attribute, sub = place.attribute, place.sub
    if place.container is None:
        match attribute.name:
            case "id":
                return RESOURCE.c.normal_id
            case "schemas":
                return _constant(comparable(attribute, resource_type.schema.id))
            case "meta":
                return _key_of_meta(place.leaf.name, resource_type, functions)
            case "members" if "members" in KEYED.get(resource_type.name, {}):
                return _key_of_members(attribute, place.leaf, tenant, functions)
            case "groups" if "groups" in KEYED.get(resource_type.name, {}):
                return _key_of_groups(place.leaf, tenant)
            case _:
                pass
    path = [label(part.name) for part in (place.container, attribute) if part is not None]
    if attribute.multi_valued:
        return functions.first(RESOURCE.c.comparison_keys, path, label(sub.name) if sub else VALUE)
    return functions.text(RESOURCE.c.comparison_keys, [*path, label(sub.name)] if sub else path)


def _constant(key: str | None) -> ColumnElement[str]:
    return null() if key is None else literal(key)  # type: ignore[return-value]  # a null is of any type


def _key_of_meta(name: str, resource_type: ResourceType, functions: KeyFunctions) -> ColumnElement[str]:
    match name:
        case "resourceType":
            return _constant(resource_type.name)
        case "version":
            return version_text(functions)
        case _ if name in _MOMENTS:
            return _MOMENTS[name]
        case _:
            return _constant(None)


def _key_of_members(attribute: Attribute, leaf: Attribute, tenant: str, functions: KeyFunctions) -> ColumnElement[str]:
    keys = MEMBER.c.comparison_keys
    order: list[ColumnElement[Any]] = [MEMBER.c.position, MEMBER.c.key]
    if attribute.sub_attribute("primary") is not None:
        order.insert(0, case((functions.text(keys, ["primary"]) == "true", 0), else_=1))
    is_key = leaf.name == "value" and is_exact(leaf)
    key = MEMBER.c.normal_key if is_key else functions.text(keys, [label(leaf.name)])
    of_this = and_(MEMBER.c.tenant == tenant, MEMBER.c.group_id == RESOURCE.c.id)
    return select(key).where(of_this).order_by(*order).limit(1).correlate_except(MEMBER).scalar_subquery()


def _key_of_groups(leaf: Attribute, tenant: str) -> ColumnElement[str]:
    """The oldest group's; whatever a schema may say, by id as it is and by name without its case."""
    shown = {"value": _GROUP.c.normal_id, "display": _GROUP.c.folded_display, "type": literal("direct")}
    key = shown.get(leaf.name)
    if key is None:
        return _constant(None)
    group = and_(_GROUP.c.tenant == tenant, _GROUP.c.type == "Group", _GROUP.c.id == MEMBER.c.group_id)
    of_this = and_(
        MEMBER.c.tenant == tenant, MEMBER.c.normal_key == RESOURCE.c.normal_id, MEMBER.c.key == RESOURCE.c.id
    )
    found = select(key).select_from(MEMBER.join(_GROUP, group)).where(of_this)
    return found.order_by(_GROUP.c.created, _GROUP.c.id).limit(1).correlate_except(MEMBER, _GROUP).scalar_subquery()
