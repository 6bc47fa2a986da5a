"""What PATCH does (RFC 7644 §3.5.2): a sequence of operations, all or none, on a canonical document.

An operation that fails leaves no trace of the earlier ones, because every step makes a new document. How one
attribute's value changes is in `alter`; this file finds the attribute and puts the new value in its place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from scimcore.errors import (
    InvalidPathError,
    InvalidSyntaxError,
    InvalidValueError,
    MutabilityError,
    NoTargetError,
    PayloadTooLargeError,
    Problem,
    ScimError,
)
from scimcore.rules.alter import Alteration
from scimcore.rules.delta import Delta, delta_between, same, unordered
from scimcore.rules.limits import DEFAULT_LIMITS, Limits
from scimcore.rules.members import Members
from scimcore.rules.path import Path, parse_path
from scimcore.rules.receive import Reading
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json
from scimcore.schema.standard import USER

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import Op, PatchOperation


@attrs.frozen
class Patched:
    """A document after a PATCH, what changed in it, and which attributes of the request were left out."""

    document: Document
    delta: Delta
    ignored: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    """The attributes, extensions among them, that the operations are about, whether or not they changed them."""


def patched(
    document: Document,
    operations: Sequence[Json],
    resource_type: ResourceType = USER,
    tolerance: Tolerance = DEFAULT,
) -> Document:
    """Return *document* after *operations* (RFC 7644 §3.5.2); the same object when they change nothing.

    *operations* is the parsed `Operations` array. *document* is not modified; an operation that fails leaves no trace
    of the earlier ones. Uniqueness and references to other resources are not checked.

    Raises:
        InvalidSyntaxError: *operations* is no array of operations. InvalidPathError: A path is malformed or names no
        attribute. InvalidFilterError: The value filter in a path is malformed. InvalidValueError: A value does not fit
        its attribute, or a required one is emptied. NoTargetError: A remove without a path, or a value filter that
        matches nothing and describes no element. MutabilityError: An operation would change a readOnly or an assigned
        immutable attribute, or remove a required one.

    >>> patched({"userName": "bj", "active": True}, [{"op": "Replace", "path": "active", "value": "False"}])
    {'userName': 'bj', 'active': False}
    """
    # Here, because with the first message pydantic builds its models, which not every program that imports this needs.
    from scimcore.schema.messages import PatchRequest, read_message

    message: Json = {"schemas": [PatchRequest.urn], "Operations": list(operations)}
    request = read_message(PatchRequest, message, schemas_optional=False)
    return applied(document, request.operations, resource_type, tolerance).document


def applied(
    document: Document,
    operations: "Iterable[PatchOperation]",
    resource_type: ResourceType,
    tolerance: Tolerance = DEFAULT,
    limits: Limits = DEFAULT_LIMITS,
) -> Patched:
    """Return *document* after *operations*, and the Delta that they cause.

    Raises:
        ScimError: As `patched` says, naming the operation.
        PayloadTooLargeError: The operations walk more elements than *limits* allow.
    """
    patching = _Patching(document, resource_type, tolerance, limits)
    for position, operation in enumerate(operations):
        try:
            patching.apply(operation)
        except ScimError as error:
            raise error.within(f"Operations[{position}]") from None
    patching.settle()
    loose = unordered(resource_type)
    delta = delta_between(document, patching.document, loose)
    changed = delta.attributes
    after = patching.document if changed else document
    if not changed.isdisjoint(loose):
        after = delta.applied_to(document)
    # Only at the end: Entra builds an element by one operation for each of its sub-attributes.
    demanding = [one for one in resource_type.demanding if one.name in changed]
    if demanding:
        reading = Reading(tolerance)
        reading.require(demanding, after, "")
        reading.finish()
    return Patched(after, delta, tuple(patching.ignored), frozenset(patching.named))


class _Patching:
    """A PATCH under way: the document so far and what was left out."""

    def __init__(self, document: Document, resource_type: ResourceType, tolerance: Tolerance, limits: Limits) -> None:
        self.document = document
        self.ignored: list[str] = []
        self.named: set[str] = set()
        self._members: dict[str, Members] = {}
        self._steps = 0
        self._walked = 0
        self._resource_type = resource_type
        self._tolerance = tolerance
        self._limits = limits

    def apply(self, operation: "PatchOperation") -> None:
        if operation.path:
            path = parse_path(operation.path, self._resource_type, self._tolerance, self._limits)
            if operation.op != "remove" and not operation.has_value:
                raise InvalidValueError([Problem("value", f"is required to {operation.op} {path.place}")])
            self._alter(operation.op, path, operation.value)
        elif operation.op == "remove" and not (isinstance(operation.value, dict) and operation.value):
            raise NoTargetError("", "remove needs a path")
        elif not isinstance(operation.value, dict):
            raise InvalidValueError([Problem("value", "must be an object when there is no path")])
        else:
            self._alter_each(operation.op, operation.value)

    def _alter_each(self, op: "Op", values: Mapping[str, Json]) -> None:
        """Alter what the keys of a path-less value name: attributes, dotted paths, extensions (Entra sends all)."""
        if len({key.lower() for key in values}) < len(values):
            raise InvalidSyntaxError("a name stands in the value twice")
        for key, path in paths_of(values, self._resource_type, self._tolerance, self._limits):
            value = values[key]
            if path is None:
                self._leave_out(key)
            elif _is_derived(path.place.attribute):
                continue
            elif not path.place.is_writable:
                self._pass_over(path, value)
            else:
                self._alter(op, path, value)

    def _pass_over(self, path: Path, value: Json) -> None:
        """A readOnly attribute in a path-less value: fine while it contradicts nothing (Okta repeats the `id`)."""
        place = path.place
        is_id = place.container is None and place.attribute.name == "id"
        stored = self._stored(place)
        contradicts = stored is not None if is_id else not self._tolerance.ignore_read_only
        if contradicts and not same(value, stored):
            raise MutabilityError(str(place), "is readOnly")
        self.ignored.append(str(place))

    def _stored(self, place: Place) -> Json:
        """What the document has at *place*; None for the parts of a list."""
        value: Json = self.document
        for step in (place.container, place.attribute, place.sub):
            if step is not None:
                value = value.get(step.name) if isinstance(value, dict) else None
        return value

    def _leave_out(self, key: str) -> None:
        if not self._tolerance.ignore_unknown:
            raise InvalidPathError("no such attribute", key, 0)
        self.ignored.append(key)

    def _alter(self, op: "Op", path: Path, value: Json) -> None:
        place = path.place
        if _is_derived(place.attribute):
            if op != "add":
                raise MutabilityError("schemas", "follows from the attributes of the resource")
            return
        if not place.is_writable:
            raise MutabilityError(str(place), "is readOnly")
        self.named.add((place.container or place.attribute).name)
        if place.attribute.name in self._resource_type.containers and place.container is None:
            self._alter_extension(op, place.attribute, value)
            return
        reading = Reading(self._tolerance)
        if place.container is None and place.attribute.is_independent:
            if self._members_at(place.attribute).take(op, path, value, reading):
                reading.finish()
                self.ignored.extend(reading.ignored)
                return
            self.settle()
        holder: Json = self.document.get(place.container.name) if place.container else self.document
        holder = holder if isinstance(holder, dict) else {}
        old = holder.get(place.attribute.name)
        self._count_work(old)
        new = Alteration(op, path, reading).of(old, value)
        reading.finish()
        self.ignored.extend(reading.ignored)
        if new is not old:
            if old is not None and place.attribute.mutability is Mutability.IMMUTABLE:
                raise MutabilityError(str(place), "is immutable")
            self._refuse_emptying(op, place, new)
            self._put(place, holder, new)

    def _members_at(self, attribute: Attribute) -> Members:
        if attribute.name not in self._members:
            self._members[attribute.name] = Members(attribute, self.document.get(attribute.name))
        return self._members[attribute.name]

    def settle(self) -> None:
        """Put the memberships that have changed into the document."""
        for name, members in self._members.items():
            if members.have_changed:
                self.document = _with(self.document, name, members.value)
        self._members.clear()

    def _count_work(self, walked: Json) -> None:
        """Refuse to walk long lists again and again; once costs no more than reading them."""
        if self._steps and isinstance(walked, list):
            self._walked += len(walked)
            if self._walked > self._limits.max_patch_work:
                raise PayloadTooLargeError("the number of elements to walk", self._limits.max_patch_work)
        self._steps += 1

    def _alter_extension(self, op: "Op", container: Attribute, value: Json) -> None:
        """Alter the attributes of an extension that a value for its URN names, or remove them all."""
        if isinstance(value, dict) and (value or op != "remove"):
            self._alter_each(op, {f"{container.name}:{name}": part for name, part in value.items()})
        elif op == "remove" or value is None or value == "":
            self._remove_extension(op, container)
        else:
            raise InvalidValueError([Problem(container.name, "must be an object")])

    def _remove_extension(self, op: "Op", container: Attribute) -> None:
        held = self.document.get(container.name)
        if not isinstance(held, dict):
            return
        for sub in container.sub_attributes:
            if sub.name in held and sub.mutability is Mutability.IMMUTABLE:
                raise MutabilityError(f"{container.name}:{sub.name}", "is immutable")
        place = Place(None, container)
        left = {
            sub.name: held[sub.name] for sub in container.sub_attributes if sub.name in held and not sub.is_writable
        }
        self._refuse_emptying(op, place, left or None)
        self._put(place, self.document, left or None)

    def _refuse_emptying(self, op: "Op", place: Place, new: Json) -> None:
        if new is not None or not place.attribute.required:
            return
        if op == "remove":
            raise MutabilityError(str(place), "is required")
        raise InvalidValueError([Problem(str(place), "is required")])

    def _put(self, place: Place, holder: Mapping[str, Json], new: Json) -> None:
        """Give *place* its new value; an extension without values left is no longer there."""
        changed = _with(holder, place.attribute.name, new)
        self.document = _with(self.document, place.container.name, changed or None) if place.container else changed


def paths_of(
    values: Mapping[str, Json],
    resource_type: ResourceType,
    tolerance: Tolerance = DEFAULT,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[tuple[str, Path | None]]:
    """What the keys of a path-less PATCH value mean; None for a key that means nothing."""
    for key in values:
        path: Path | None = None
        with suppress(InvalidPathError):
            path = parse_path(key, resource_type, tolerance, limits)
        yield key, path


def _is_derived(attribute: Attribute) -> bool:
    # RFC 7644 §3.5.2 lets clients add URNs to `schemas` before they use an extension; ours follows from the values.
    return attribute.name == "schemas"


def _with(holder: Mapping[str, Json], name: str, value: Json) -> dict[str, Json]:
    """*holder* with *value* under *name*, in its old position; without *name* when there is no value."""
    if value is None:
        return {other: one for other, one in holder.items() if other != name}
    return {**holder, name: value}
