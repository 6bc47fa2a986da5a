"""What holds for every document and every request, whatever the schema (RFC 7643 §2, §7, RFC 7644 §3.4.2.3 to §3.9)."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from itertools import pairwise
from typing import Final

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, DrawFn, SearchStrategy

from scimcore.errors import ScimError
from scimcore.rules.compare import comparison_key, folded
from scimcore.rules.delta import delta_between, same
from scimcore.rules.envelope import with_envelope
from scimcore.rules.keyed import named_keys
from scimcore.rules.order import ordered
from scimcore.rules.patch import Patched, applied, patched
from scimcore.rules.project import projected, projection
from scimcore.rules.receive import received
from scimcore.rules.replace import replaced
from scimcore.rules.tolerance import DEFAULT, STRICT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability, Returned, Type
from scimcore.schema.catalogue import Extension, Place, ResourceType, Schema
from scimcore.schema.document import Document, Json
from scimcore.schema.messages import PatchOperation, PatchRequest, read_message
from scimcore.schema.standard import GROUP, USER
from scimcore.testing.strategies import (
    documents,
    patch_operation,
    places,
    single_values,
    texts,
    values,
)

PARTS: Final = (
    Attribute(name="value", case_exact=True),
    Attribute(name="type"),
    Attribute(name="size", type=Type.INTEGER),
    Attribute(name="primary", type=Type.BOOLEAN),
    Attribute(name="fixed", mutability=Mutability.IMMUTABLE),
    Attribute(name="set", mutability=Mutability.READ_ONLY, returned=Returned.ALWAYS),
    Attribute(name="hidden", mutability=Mutability.WRITE_ONLY, returned=Returned.NEVER),
    Attribute(name="asked", returned=Returned.REQUEST),
)
ALL: Final = (
    Attribute(name="needed", required=True, returned=Returned.ALWAYS),
    Attribute(name="born", mutability=Mutability.IMMUTABLE),
    Attribute(name="given", mutability=Mutability.READ_ONLY, returned=Returned.ALWAYS),
    Attribute(name="secret", mutability=Mutability.WRITE_ONLY, returned=Returned.NEVER),
    Attribute(name="rare", returned=Returned.REQUEST),
    Attribute(name="count", type=Type.INTEGER),
    Attribute(name="rate", type=Type.DECIMAL),
    Attribute(name="flag", type=Type.BOOLEAN),
    Attribute(name="moment", type=Type.DATE_TIME),
    Attribute(name="blob", type=Type.BINARY),
    Attribute(name="link", type=Type.REFERENCE),
    Attribute(name="tags", multi_valued=True),
    Attribute(name="sizes", type=Type.DECIMAL, multi_valued=True),
    Attribute(name="marks", multi_valued=True, mutability=Mutability.IMMUTABLE),
    Attribute(name="part", type=Type.COMPLEX, sub_attributes=PARTS),
    Attribute(name="parts", type=Type.COMPLEX, multi_valued=True, sub_attributes=PARTS),
    Attribute(name="odd", type=Type.COMPLEX, returned=Returned.REQUEST, sub_attributes=PARTS),
)
THING: Final = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(id="urn:example:params:scim:schemas:Thing", name="Thing", attributes=ALL),
    extensions=(
        Extension(Schema(id="urn:example:params:scim:schemas:extension:Thing", name="More", attributes=ALL[1:])),
    ),
)
"""Every type, mutability and level of `returned`, at every depth."""
TYPES: Final = st.sampled_from([USER, GROUP, THING])
MANY: Final = max(1_000, settings().max_examples)
"""How many examples the cheap tests take whose mistakes hide in rare combinations."""
TOLERANCES: Final = st.sampled_from([DEFAULT, STRICT])
MOMENT: Final = "2026-01-01T00:00:00.000000Z"
JUNK: Final[SearchStrategy[Json]] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False, width=16) | texts() | st.just(""),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("value", "TYPE", "x")), inner, max_size=2)
    ),
    max_leaves=4,
)


def parsed(operations: Sequence[Json]) -> tuple[PatchOperation, ...]:
    return read_message(PatchRequest, {"Operations": list(operations)}, schemas_optional=True).operations


def canonical(resource_type: ResourceType, document: Document) -> Document:
    """*document* without the elements of lists that the schema holds for equal."""
    return {"id": "1", **received(document, resource_type).document}


@st.composite
def typed_documents(draw: DrawFn) -> tuple[ResourceType, Document]:
    resource_type = draw(TYPES)
    return resource_type, canonical(resource_type, draw(stored(resource_type)))


# Strategies take longer to build than to draw from.
@lru_cache
def stored(resource_type: ResourceType) -> SearchStrategy[Document]:
    return documents(resource_type)


@lru_cache
def plain_operations(resource_type: ResourceType) -> SearchStrategy[Document]:
    return patch_operation(resource_type, {})


@lru_cache
def values_of(attribute: Attribute) -> SearchStrategy[Json]:
    return values(attribute)


@st.composite
def fitting_operation(draw: DrawFn, resource_type: ResourceType, document: Document) -> Document:
    """An operation that is to be accepted and idempotent, on one element of a list as often as on an attribute."""
    targets = [
        (resource_type.attributes[name], element)
        for name, value in document.items()
        for element in (value if isinstance(value, list) else ())
        if isinstance(element, dict) and "value" in element
    ]
    if not targets or draw(st.booleans()):
        return draw(plain_operations(resource_type))
    attribute, element = draw(st.sampled_from(targets))
    path = f"{attribute.name}[value eq {json.dumps(element['value'])}]"
    subs = [sub for sub in attribute.sub_attributes if sub.mutability == "readWrite" and sub.name != "value"]
    sub = draw(st.sampled_from([None, *subs]))
    if sub is None or draw(st.booleans()):
        return {"op": "remove", "path": path if sub is None else f"{path}.{sub.name}"}
    return {
        "op": draw(st.sampled_from(("add", "replace"))),
        "path": f"{path}.{sub.name}",
        "value": draw(values_of(sub)),
    }


def fitting_operations(resource_type: ResourceType, document: Document) -> SearchStrategy[list[Document]]:
    return st.lists(fitting_operation(resource_type, document), min_size=1, max_size=4)


@lru_cache
def paths(resource_type: ResourceType) -> SearchStrategy[str | None]:
    """Paths that mean something, with and without value filters, and none."""
    return st.none() | st.one_of([_paths_at(place) for place in places(resource_type)])


def _paths_at(place: Place) -> SearchStrategy[str]:
    plain = st.just(str(place))
    subs = [sub for sub in place.attribute.sub_attributes if not sub.is_complex]
    if place.sub is not None or not place.attribute.multi_valued or not subs:
        return plain
    terms = st.one_of(
        [
            single_values(sub).map(lambda value, name=sub.name: f"{name} eq {json.dumps(value)}")  # type: ignore[misc]
            for sub in subs
        ]
    )
    tails = st.sampled_from(["", *(f".{sub.name}" for sub in subs)])
    return plain | st.tuples(st.just(str(place)), terms | st.just(f"{subs[0].name} pr"), tails).map(
        lambda found: f"{found[0]}[{found[1]}]{found[2]}"
    )


@st.composite
def operations_of_any_kind(draw: DrawFn, resource_type: ResourceType, document: Document) -> list[Document]:
    """Operations that may be refused: any op at any path with any value."""
    any_value, keys = some_values(resource_type), paths(resource_type).map(lambda path: path or "bogus")
    found: list[Document] = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            found += draw(fitting_operations(resource_type, document))
            continue
        operation: dict[str, Json] = {"op": draw(st.sampled_from(("add", "replace", "remove")))}
        path = draw(paths(resource_type))
        if path is not None:
            operation["path"] = path
        if draw(st.integers(0, 4)):
            operation["value"] = draw(any_value if path else st.dictionaries(keys, any_value, max_size=3))
        found.append(operation)
    return found


@lru_cache
def some_values(resource_type: ResourceType) -> SearchStrategy[Json]:
    """Values that fit somewhere, and some that fit nowhere."""
    leaves = {place.leaf for place in places(resource_type) if not place.leaf.is_complex}
    return st.one_of(JUNK, *(values(one) for one in sorted(leaves, key=repr)))


def outcome(
    document: Document, operations: Sequence[Json], resource_type: ResourceType, tolerance: Tolerance = DEFAULT
) -> Patched | type[ScimError]:
    """What PATCH does, or the class of the refusal."""
    try:
        return applied(document, parsed(operations), resource_type, tolerance)
    except ScimError as refusal:
        return type(refusal)


# Inputs


def untouched(act: Callable[..., object], *inputs: object) -> None:
    """Call *act* with *inputs*, which must be afterwards what they were before."""
    before = deepcopy(inputs)
    with suppress(ScimError):
        act(*inputs)
    assert repr(inputs) == repr(before)


@given(typed_documents(), TOLERANCES, st.data())
def test_no_rule_modifies_its_input(
    typed: tuple[ResourceType, Document], tolerance: Tolerance, data: DataObject
) -> None:
    resource_type, document = typed
    names = st.lists(st.sampled_from([str(place) for place in places(resource_type)]), max_size=2).map(tuple)
    payload = {
        **document,
        **data.draw(st.dictionaries(st.sampled_from(list(resource_type.attributes)), JUNK, max_size=2)),
    }
    operations = data.draw(operations_of_any_kind(resource_type, document))
    other = canonical(resource_type, data.draw(stored(resource_type)))
    resource = with_envelope(resource_type, document, MOMENT, MOMENT, 1)

    untouched(lambda one: received(one, resource_type, tolerance), payload)
    untouched(lambda one, two: replaced(one, received(two, resource_type), resource_type, tolerance), document, other)
    untouched(lambda one, many: applied(one, parsed(many), resource_type, tolerance), document, operations)
    untouched(lambda one: projected(one, projection(resource_type, attributes=data.draw(names))), resource)
    untouched(lambda one: projected(one, projection(resource_type, excluded=data.draw(names))), resource)
    untouched(lambda one, two: delta_between(one, two).applied_to(one), document, other)


# Delta


@given(typed_documents(), st.data())
def test_the_delta_turns_the_old_document_into_the_new_one(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, before = typed
    after = canonical(resource_type, data.draw(stored(resource_type) | st.just(before)))
    delta = delta_between(before, after)
    assert same(delta.applied_to(before), after)
    assert bool(delta) == (not same(before, after))
    assert delta.attributes == {name for name in {**before, **after} if not same(before.get(name), after.get(name))}


@given(typed_documents(), TOLERANCES, st.data())
def test_the_delta_of_a_patch_is_exact_and_an_unchanged_document_is_itself(
    typed: tuple[ResourceType, Document], tolerance: Tolerance, data: DataObject
) -> None:
    resource_type, document = typed
    result = outcome(document, data.draw(operations_of_any_kind(resource_type, document)), resource_type, tolerance)
    assume(isinstance(result, Patched))
    assert isinstance(result, Patched)
    assert same(result.delta.applied_to(document), result.document)
    assert (result.document is document) == same(result.document, document) == (not result.delta)


# Receive and replace


@given(typed_documents())
def test_a_canonical_document_is_received_as_it_is(typed: tuple[ResourceType, Document]) -> None:
    resource_type, document = typed
    again = received(with_envelope(resource_type, document, MOMENT, MOMENT, 1), resource_type)
    assert same({"id": "1", **again.document}, document)
    assert set(again.ignored) <= {"id", "meta"}
    assert not again.unassigned


@given(typed_documents(), TOLERANCES)
def test_put_of_what_is_stored_changes_nothing(typed: tuple[ResourceType, Document], tolerance: Tolerance) -> None:
    resource_type, document = typed
    assert replaced(document, received(document, resource_type), resource_type, tolerance) is document


@given(typed_documents(), st.data())
def test_put_twice_is_put_once(typed: tuple[ResourceType, Document], data: DataObject) -> None:
    resource_type, document = typed
    sent = received(data.draw(stored(resource_type)), resource_type)
    try:
        once = replaced(document, sent, resource_type)
    except ScimError:
        return
    assert replaced(once, sent, resource_type) is once
    assert once["id"] == document["id"]


@given(TYPES.flatmap(lambda one: st.tuples(st.just(one), st.dictionaries(st.sampled_from(list(one.attributes)), JUNK))))
def test_what_is_received_is_canonical(typed: tuple[ResourceType, Document]) -> None:
    resource_type, payload = typed
    try:
        document = received(payload, resource_type).document
    except ScimError:
        return
    assert same(received(document, resource_type).document, document)


# PATCH


@given(typed_documents(), st.data())
def test_an_operation_twice_is_the_operation_once(typed: tuple[ResourceType, Document], data: DataObject) -> None:
    resource_type, document = typed
    operation = data.draw(fitting_operation(resource_type, document))
    once = patched(document, [operation], resource_type)
    assert patched(once, [operation], resource_type) is once
    assert same(patched(document, [operation, operation], resource_type), once)


@given(typed_documents(), st.data())
def test_operations_in_one_request_are_the_operations_one_after_the_other(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, document = typed
    operations = data.draw(fitting_operations(resource_type, document))
    step = document
    for operation in operations:
        step = patched(step, [operation], resource_type)
    assert same(unordered_members(patched(document, operations, resource_type)), unordered_members(step))


@given(typed_documents(), st.data())
def test_adding_and_removing_what_was_not_there_restores_the_document(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, document = typed
    candidates = [
        place
        for place in places(resource_type)
        if place.container is None
        and place.sub is None
        and place.attribute.mutability == "readWrite"
        and place.attribute.name != "schemas"
        and (place.attribute.name not in document or place.attribute.multi_valued)
        and is_settable(place.attribute)
    ]
    assume(candidates)
    attribute = data.draw(st.sampled_from(candidates)).attribute
    if not attribute.multi_valued:
        value = data.draw(values(attribute))
        added: Json = value
        operations: list[Json] = [
            {"op": "add", "path": attribute.name, "value": value},
            {"op": "remove", "path": attribute.name},
        ]
    else:
        value = data.draw(single_values(attribute))
        assume(is_fresh(attribute, value, document.get(attribute.name)))
        added = [value]
        operations = [{"op": op, "path": attribute.name, "value": added} for op in ("add", "remove")]
        assume(not attribute.required or attribute.name in document)
    assume(received({attribute.name: added}, lenient(resource_type)).document)
    assert patched(document, operations, resource_type) is document


def lenient(resource_type: ResourceType) -> ResourceType:
    """*resource_type* without required attributes."""
    loosened = tuple(attrs.evolve(one, required=False) for one in resource_type.schema.attributes)
    return ResourceType(
        name=resource_type.name,
        endpoint=resource_type.endpoint,
        schema=attrs.evolve(resource_type.schema, attributes=loosened),
    )


def is_settable(attribute: Attribute) -> bool:
    return not attribute.is_complex or any(sub.mutability == "readWrite" for sub in attribute.sub_attributes)


def is_fresh(attribute: Attribute, value: Json, elements: Json) -> bool:
    """Whether *value* neither is nor describes one of *elements*, and is not primary, which would change others."""
    olds = elements if isinstance(elements, list) else []
    if not isinstance(value, dict):
        return comparison_key(attribute, value) not in {comparison_key(attribute, old) for old in olds}
    if value.get("primary") is True:
        return False
    has_value = attribute.sub_attribute("value") is not None
    if has_value and "value" not in value:
        return False

    def part(element: Json, name: str) -> object:
        sub = attribute.sub_attribute(name)
        found = element.get(name) if isinstance(element, dict) else None
        if sub is None or found is None or (name == "primary" and found is False):
            return None
        return comparison_key(sub, found)

    def agree(old: Json, names: Collection[str]) -> bool:
        return all(part(old, name) == part(value, name) for name in names)

    return not any(agree(old, value) or (has_value and agree(old, ("value", "type"))) for old in olds)


def unordered_members(document: Document) -> Document:
    """*document* with its references in an order of their own: what a request moves to the end is nobody's business."""
    members = document.get("members")
    return {**document, "members": sorted(members, key=repr)} if isinstance(members, list) else document


# The elements that a PATCH names: what the engine's keyed members lean on

MEMBER_IDS: Final = ("1", "2", "3", "a", "A", "é", "e\u0301")
MEMBER_VALUES: Final = st.sampled_from(MEMBER_IDS)
NAMES: Final = st.sampled_from(("value", "VALUE", "Value"))
GOOD_MEMBERS: Final[SearchStrategy[Json]] = st.one_of(
    MEMBER_VALUES,
    st.builds(lambda name, value: {name: value}, NAMES, MEMBER_VALUES),
    st.builds(lambda value, display: {"value": value, "display": display}, MEMBER_VALUES, st.sampled_from(("x", "y"))),
    st.builds(lambda value, kind: {"type": kind, "VALUE": value}, MEMBER_VALUES, st.sampled_from(("User", "Group"))),
)
BAD_MEMBERS: Final[SearchStrategy[Json]] = st.sampled_from(
    ({}, "", None, 5, {"display": "x"}, {"$ref": "../Users/1"}, {"value": None}, {"value": 5})
)
MEMBER_LISTS: Final[SearchStrategy[Json]] = st.one_of(
    st.lists(GOOD_MEMBERS, max_size=3),
    GOOD_MEMBERS,
    st.builds(lambda members: {"members": members}, st.lists(GOOD_MEMBERS, max_size=2)),
    st.lists(GOOD_MEMBERS | BAD_MEMBERS, max_size=2) | BAD_MEMBERS,
)
NAMING_TERMS: Final = st.builds('{} eq "{}"'.format, NAMES, MEMBER_VALUES)
OTHER_TERMS: Final = st.one_of(
    st.builds(
        'value eq "{}" and {}'.format, MEMBER_VALUES, st.sampled_from(('display eq "x"', "display eq null", "type pr"))
    ),
    st.builds('value eq "{}" or value eq "{}"'.format, MEMBER_VALUES, MEMBER_VALUES),
    st.builds('value eq "{}" and value eq "{}"'.format, MEMBER_VALUES, MEMBER_VALUES),
    st.sampled_from(("value pr", "value eq null", 'value sw "1"', 'not (value eq "1")', 'display eq "x"')),
)
LIST_PATHS: Final = st.sampled_from(("members", "MEMBERS", f"{GROUP.schema.id}:members"))
ELEMENT_PATHS: Final = st.builds("members[{}]".format, NAMING_TERMS)
PART_PATHS: Final = st.builds("members[{}].{}".format, NAMING_TERMS, st.sampled_from(("display", "type", "value")))
OTHER_PATHS: Final = st.builds(
    "members{}{}".format, OTHER_TERMS.map("[{}]".format), st.sampled_from(("", ".display", ".value"))
) | st.sampled_from(("members.display", "members.value"))
DISPLAYS: Final[SearchStrategy[Json]] = st.sampled_from(("x", "y", "", None, {"display": "x"}, {"value": "1"}, 5))
ADD_OR_REMOVE: Final = st.sampled_from(("add", "remove"))
ANY_OP: Final = st.sampled_from(("add", "remove", "replace"))


def at(ops: SearchStrategy[str], paths: SearchStrategy[str], values: SearchStrategy[Json]) -> SearchStrategy[Json]:
    return st.builds(lambda op, path, value: {"op": op, "path": path, "value": value}, ops, paths, values)


MEMBER_OPERATIONS: Final[SearchStrategy[Json]] = st.one_of(
    at(ADD_OR_REMOVE, LIST_PATHS, MEMBER_LISTS),
    at(ADD_OR_REMOVE, LIST_PATHS, MEMBER_LISTS),
    at(ANY_OP, PART_PATHS, MEMBER_VALUES | DISPLAYS),
    at(ANY_OP, ELEMENT_PATHS, DISPLAYS),
    at(st.just("remove"), ELEMENT_PATHS, st.none()),
    at(ANY_OP, OTHER_PATHS, DISPLAYS),
    at(ANY_OP, LIST_PATHS, MEMBER_LISTS),
    at(st.just("replace"), st.just("externalId"), MEMBER_VALUES),
    st.builds(
        lambda op, path, value: {"op": op, "value": {path: value, "externalId": "e"}},
        ADD_OR_REMOVE,
        LIST_PATHS,
        MEMBER_LISTS,
    ),
    st.builds(
        lambda op, path, value: {"op": op, "value": {path: value}}, ADD_OR_REMOVE, PART_PATHS, MEMBER_VALUES | DISPLAYS
    ),
)


GROUPS: Final[SearchStrategy[Document]] = st.dictionaries(
    MEMBER_VALUES, st.fixed_dictionaries({}, optional={"display": st.just("x"), "type": st.just("User")})
).map(
    lambda found: {
        "id": "g",
        "displayName": "G",
        **({"members": [{"value": value, **rest} for value, rest in found.items()]} if found else {}),
    }
)


def restricted(document: Document, keys: Collection[Json]) -> Document:
    """*document* with those members only whose value is among *keys*, or that the patch itself left without one."""
    members = [one for one in elements(document) if one.get("value") in {*keys, None}]
    rest = {name: value for name, value in document.items() if name != "members"}
    return {**rest, "members": members} if members else rest


def elements(document: Document) -> list[Mapping[str, Json]]:
    members = document.get("members")
    return [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []


@settings(max_examples=MANY)
@given(
    GROUPS.map(lambda one: canonical(GROUP, one)),
    st.lists(MEMBER_OPERATIONS, min_size=1, max_size=3),
    st.sampled_from([DEFAULT, DEFAULT, DEFAULT, STRICT]),
)
def test_a_patch_means_the_same_with_only_the_members_it_names(
    document: Document, operations: list[Json], tolerance: Tolerance
) -> None:
    try:
        keys = named_keys(parsed(operations), GROUP, "members", "value")
    except ScimError:
        return
    if keys is None:
        return
    part = restricted(document, keys)
    whole_outcome, part_outcome = (outcome(one, operations, GROUP, tolerance) for one in (document, part))
    if not (isinstance(whole_outcome, Patched) and isinstance(part_outcome, Patched)):
        assert whole_outcome is part_outcome
        return
    assert same(part_outcome.document, restricted(whole_outcome.document, keys))
    assert part_outcome.delta == whole_outcome.delta
    assert part_outcome.ignored == whole_outcome.ignored
    others = [one for one in elements(document) if one["value"] not in keys]
    assert [one for one in elements(whole_outcome.document) if one.get("value") not in {*keys, None}] == others
    # Else a storage would take the members at hand for all there are.
    assert "members" not in part_outcome.delta.assigned


# Projection


@st.composite
def full_resources(draw: DrawFn) -> tuple[ResourceType, Document]:
    """Resources that have values a client is not shown, too."""
    resource_type = draw(TYPES)
    found: dict[str, Json] = {}
    for attribute in resource_type.attributes.values():
        if attribute.name not in ("id", "schemas", "meta") and draw(st.booleans()):
            value = draw(any_values(attribute))
            if value not in ({}, []):
                found[attribute.name] = value
    return resource_type, with_envelope(resource_type, {"id": "1", **found}, MOMENT, MOMENT, 1)


@lru_cache
def any_values(attribute: Attribute) -> SearchStrategy[Json]:
    if not attribute.is_complex:
        return values(attribute)
    one = st.fixed_dictionaries({}, optional={sub.name: any_values(sub) for sub in attribute.sub_attributes})
    return st.lists(one.filter(bool), min_size=1, max_size=2) if attribute.multi_valued else one.filter(bool)


def parts(value: Json) -> list[Mapping[str, Json]]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if isinstance(one, dict)]


def breaches(
    attributes: Iterable[Attribute], whole: Document, shown: Document, prefix: str, *, inside: bool
) -> list[str]:
    """What *shown* shows of *whole* against `returned`: never what is never shown, always what always is."""
    found: list[str] = []
    for attribute in attributes:
        path = prefix + attribute.name
        if attribute.returned is Returned.NEVER and attribute.name in shown:
            found.append(f"{path} is shown")
        is_missing = inside and attribute.name in whole and attribute.name not in shown
        if attribute.returned is Returned.ALWAYS and is_missing:
            found.append(f"{path} is not shown")
        for part in parts(shown.get(attribute.name)):
            # Which element it was is not known any more; that it holds nothing secret is.
            found += breaches(attribute.sub_attributes, {}, part, f"{path}.", inside=False)
    return found


@given(full_resources(), st.data())
def test_what_is_never_returned_is_never_shown_and_what_always_is_always(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, resource = typed
    nameable = [str(place) for place in places(resource_type)]
    nameable += [*resource_type.attributes, "bogus", resource_type.schema.id]
    names = tuple(data.draw(st.lists(st.sampled_from(nameable), max_size=3)))
    chosen = projection(resource_type, *data.draw(st.sampled_from([(names, ()), ((), names)])))
    also = data.draw(st.just(()) | st.just(tuple(resource_type.attributes)))
    shown = projected(resource, chosen, also)
    plain = [one for one in resource_type.attributes.values() if one.name not in resource_type.containers]
    assert not breaches(plain, resource, shown, "", inside=True)
    for urn, container in resource_type.containers.items():
        whole, left = resource.get(urn, {}), shown.get(urn, {})
        assert isinstance(whole, dict)
        assert isinstance(left, dict)
        assert not breaches(container.sub_attributes, whole, left, f"{urn}:", inside=True)
    assert shown["id"] == "1"
    assert shown["schemas"] == resource["schemas"]
    assert is_part(shown, resource)
    if not also:
        for name in resource:
            assert chosen.shows(name) or name not in shown


def is_part(shown: Json, whole: Json) -> bool:
    """Whether everything in *shown* stands in *whole*, in its order."""
    if isinstance(shown, dict) and isinstance(whole, dict):
        return all(name in whole and is_part(value, whole[name]) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(whole, list):
        rest = iter(whole)
        return all(any(is_part(one, other) for other in rest) for one in shown)
    return same(shown, whole)


@given(full_resources(), st.data())
def test_attributes_and_excluded_attributes_part_a_resource_between_them(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, resource = typed
    usual = projected(resource, projection(resource_type))
    names = [one.name for one in resource_type.attributes.values() if one.returned is Returned.DEFAULT]
    name = data.draw(st.sampled_from(names))
    only = projected(resource, projection(resource_type, attributes=(name,)))
    without = projected(resource, projection(resource_type, excluded=(name,)))
    assert {**without, **only}.keys() == usual.keys()
    assert same(only.get(name), usual.get(name))


# Sorting


@attrs.frozen
class By:
    place: Place
    descending: bool


@given(TYPES, st.data(), st.booleans())
def test_sorting_is_a_stable_permutation(resource_type: ResourceType, data: DataObject, descending: bool) -> None:
    sortable = [
        place
        for place in places(resource_type)
        if not (place.leaf.is_complex or place.attribute.multi_valued or place.attribute.returned is Returned.NEVER)
        and place.attribute.is_writable
    ]
    assume(sortable)
    place = data.draw(st.sampled_from(sortable))
    value = st.none() | values(place.leaf) if not place.leaf.multi_valued else st.none()
    found = [nested(place, one) for one in data.draw(st.lists(value, max_size=6))]
    numbered = list(enumerate(found))
    result = ordered(numbered, lambda item: item[1], By(place, descending))
    assert sorted(number for number, _ in result) == list(range(len(found)))
    present = [item for item in result if item[1]]
    missing = [item for item in result if not item[1]]
    assert result == (missing + present if descending else present + missing)
    assert missing == sorted(missing, key=lambda item: item[0])
    for (number, one), (next_number, other) in pairwise(present):
        first, second = (comparison_key(place.leaf, value_at(place, document)) for document in (one, other))
        assert first == second or (second < first if descending else first < second)  # type: ignore[operator]
        assert first != second or number < next_number


def nested(place: Place, value: Json) -> Document:
    if value is None:
        return {}
    for step in (place.sub, place.attribute, place.container):
        if step is not None:
            value = {step.name: value}
    assert isinstance(value, dict)
    return value


def value_at(place: Place, document: Json) -> Json:
    for step in (place.container, place.attribute, place.sub):
        if step is not None:
            assert isinstance(document, dict)
            document = document[step.name]
    return document


# A model of PATCH: plain dictionaries, three simple attributes and e-mail addresses

SIMPLE: Final = ("title", "nickName", "displayName")
KINDS: Final = ("work", "home", "WORK")
ADDRESSES: Final = ("a@x", "b@x", "c@x")
PLAIN_TEXT: Final = st.sampled_from(("x", "X", "y"))
EMAIL: Final = st.fixed_dictionaries(
    {"value": st.sampled_from(ADDRESSES)},
    optional={"type": st.sampled_from(KINDS), "display": PLAIN_TEXT, "primary": st.booleans()},
)
EMAILS: Final = st.lists(EMAIL, min_size=1, max_size=3)
CHOICES: Final = st.sampled_from([("type", kind) for kind in KINDS] + [("value", value) for value in ADDRESSES])


@attrs.frozen
class Step:
    """An operation as the model knows it: on a simple attribute, on all addresses, or on those chosen by one term."""

    op: str
    attribute: str
    value: Json = None
    term: tuple[str, str] | None = None
    sub: str | None = None

    def as_json(self) -> dict[str, Json]:
        path = self.attribute
        if self.term is not None:
            path += f'[{self.term[0]} eq "{self.term[1]}"]'
        if self.sub is not None:
            path += f".{self.sub}"
        return {"op": self.op, "path": path, **({"value": self.value} if self.op != "remove" else {})}


STEPS: Final = st.one_of(
    st.builds(Step, st.sampled_from(("add", "replace")), st.sampled_from(SIMPLE), PLAIN_TEXT),
    st.builds(Step, st.just("remove"), st.sampled_from((*SIMPLE, "emails"))),
    st.builds(Step, st.sampled_from(("add", "replace")), st.just("emails"), EMAILS),
    st.builds(Step, st.just("remove"), st.just("emails"), term=CHOICES),
    st.builds(Step, st.just("remove"), st.just("emails"), term=CHOICES, sub=st.sampled_from(("type", "display"))),
    st.builds(
        Step,
        st.sampled_from(("add", "replace")),
        st.just("emails"),
        PLAIN_TEXT,
        CHOICES,
        st.just("display"),
    ),
    st.builds(Step, st.sampled_from(("add", "replace")), st.just("emails"), st.booleans(), CHOICES, st.just("primary")),
)


class Model:
    """The document as mutable dictionaries, changed step by step."""

    def __init__(self, document: Document) -> None:
        self.simple: dict[str, Json] = {name: document[name] for name in SIMPLE if name in document}
        self.emails: list[dict[str, Json]] = []
        self.append(document.get("emails"))

    def document(self) -> Document:
        return {**self.simple, **({"emails": self.emails} if self.emails else {})}

    def take(self, step: Step) -> None:
        if step.attribute != "emails":
            self.simple.pop(step.attribute, None)
            if step.op != "remove":
                self.simple[step.attribute] = step.value
        elif step.term is not None:
            self.take_chosen(step, step.term)
        elif step.op == "add":
            self.append(step.value)
        else:
            self.emails = []
            self.append(step.value)

    def take_chosen(self, step: Step, term: tuple[str, str]) -> None:
        name, operand = term
        chosen = [one for one in self.emails if folded(str(one.get(name, ""))) == folded(operand)]
        if step.sub is None:
            self.emails = [one for one in self.emails if all(one is not other for other in chosen)]
        elif step.op == "remove":
            for one in chosen:
                one.pop(step.sub, None)
            self.collapse()
        elif chosen:
            for one in chosen:
                one[step.sub] = step.value
            if step.sub == "primary" and step.value is True:
                self.demote_all_but(chosen[0])
        else:
            self.append([{name: operand, step.sub: step.value}])

    def append(self, sent: Json) -> None:
        """Add addresses: one that is there is amended; of several that want to be primary the first is."""
        promoted = None
        for new in distinct(sent if isinstance(sent, list) else []):
            wants = new.get("primary") is True
            if wants and promoted is not None:
                new["primary"] = False
            known = next((one for one in self.emails if identity(one) == identity(new)), None)
            if known is None:
                self.emails.append(new)
            else:
                known.update(new)
            if wants and promoted is None:
                promoted = known or new
        if promoted is not None:
            self.demote_all_but(promoted)

    def demote_all_but(self, primary: Mapping[str, Json]) -> None:
        for one in self.emails:
            if one is not primary and one.get("primary") is True:
                one["primary"] = False

    def collapse(self) -> None:
        """Two that became one are one, and what has nothing left is none."""
        self.emails = distinct([one for one in self.emails if one], copy=False)


def identity(email: Mapping[str, Json]) -> tuple[Json, ...]:
    """An address is its value and type; one without a value is all of it."""
    if "value" not in email:
        return tuple(sorted(map(str, email.items())))
    kind = email.get("type")
    return (folded(str(email["value"])), folded(str(kind)) if kind is not None else None)


def distinct(emails: Sequence[Json], *, copy: bool = True) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = []
    for one in emails:
        assert isinstance(one, dict)
        if all(identity(one) != identity(other) for other in found):
            found.append(dict(one) if copy else one)
    return found


@settings(max_examples=MANY)
@given(
    st.fixed_dictionaries({}, optional={**dict.fromkeys(SIMPLE, PLAIN_TEXT), "emails": EMAILS}),
    st.lists(STEPS, min_size=1, max_size=6),
)
def test_patch_does_what_a_plain_model_does(found: Document, steps: list[Step]) -> None:
    document = {"id": "1", **received({"userName": "u", **found}, USER).document}
    model = Model(document)
    for step in steps:
        model.take(step)
    result = patched(document, [step.as_json() for step in steps])
    assert {name: value for name, value in result.items() if name not in ("id", "userName")} == model.document()


@pytest.mark.rfc("P-3.5.2-16")
@given(typed_documents(), st.data())
def test_a_refused_operation_leaves_no_trace_of_those_before_it(
    typed: tuple[ResourceType, Document], data: DataObject
) -> None:
    resource_type, document = typed
    operations = data.draw(fitting_operations(resource_type, document))
    before = deepcopy(document)
    with pytest.raises(ScimError):
        patched(document, [*operations, {"op": "replace", "path": "id", "value": "2"}], resource_type)
    assert repr(document) == repr(before)
