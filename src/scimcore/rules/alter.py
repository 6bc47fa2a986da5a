"""How the value of one attribute changes under one PATCH operation (RFC 7644 §3.5.2.1 to §3.5.2.3).

Takes the old value and gives the new one; None is "no value". Where the attribute stands is for `patch` to know.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from scimcore.errors import InvalidValueError, MutabilityError, NoTargetError, Problem
from scimcore.rules.compare import comparison_key
from scimcore.rules.delta import same
from scimcore.rules.path import Path
from scimcore.rules.receive import Reading, assigned, demoted, distinct, identity
from scimcore.rules.replace import retained
from scimcore.schema.attribute import Attribute, Mutability
from scimcore.schema.document import Json, is_unassigned

if TYPE_CHECKING:  # the models are built when a message is read, not when scimcore is imported
    from scimcore.schema.messages import Op

Element: TypeAlias = Mapping[str, Json]
_UNSAID: Final[Mapping[str, Json]] = {"primary": False}
"""What an element says by not saying it (RFC 7643 §2.4)."""


def listed(attribute: Attribute, value: Json) -> list[Json] | None:
    """The elements that a `value` of a multi-valued *attribute* lists; None if there is no value.

    One object or string stands for a list of one, and Ping's `{"members": […]}` for the list inside.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        inner = next((part for name, part in value.items() if name.lower() == attribute.name.lower()), None)
        if isinstance(inner, list) and len(value) == 1:
            return inner
    return value if isinstance(value, list) else [value]


class Alteration:
    """One operation at one path, with *reading* to read what it brings."""

    def __init__(self, op: "Op", path: Path, reading: Reading) -> None:
        self._op = op
        self._path = path
        self.attribute = path.place.attribute
        self._reading = reading

    def of(self, old: Json, value: Json) -> Json:
        """The new value of the attribute; *old* itself when nothing changes.

        Raises:
            ScimError: As `patched` says.
        """
        if self._path.condition is not None or (self._path.place.sub is not None and self.attribute.multi_valued):
            return self._elements_altered(old, value)
        if self._path.place.sub is not None:
            return self._within_complex(old, value)
        if self._op == "remove":
            return self._removed(old, value)
        if self.attribute.multi_valued:
            return self._list_altered(old, value)
        return self._single_altered(old, value)

    # The attribute as a whole

    def described(self, value: Json) -> list[Json]:
        """The elements to remove that *value* lists: Entra, OneLogin and JumpCloud mean no others.

        Raises:
            InvalidValueError: One names nobody, or the tolerance does not allow for such lists.
        """
        if not self._reading.tolerance.remove_listed_values:
            raise InvalidValueError([Problem("value", "a remove takes no value; use a value filter in the path")])
        elements = listed(self.attribute, value) or []
        found = [self._described(element, position) for position, element in enumerate(elements)]
        self._reading.finish()
        return found

    def _removed(self, old: Json, value: Json) -> Json:
        if not self.attribute.multi_valued or value is None:
            return None
        wanted = self.described(value)
        olds = old if isinstance(old, list) else []
        if self.attribute.is_membership:
            gone = {identity(self.attribute, element) for element in wanted}
            kept = [element for element in olds if identity(self.attribute, element) not in gone]
        else:
            kept = [element for element in olds if not any(self._fits(element, one) for one in wanted)]
        return old if len(kept) == len(olds) else kept or None

    def _described(self, element: Json, position: int) -> Json:
        """One listed value, read as a description of the elements to remove."""
        where = f"value[{position}]"
        if is_unassigned(element) or element == "":
            self._reading.refuse(where, "must say which value to remove")
            return None
        if not self.attribute.is_complex:
            return element
        has_value = self.attribute.sub_attribute("value") is not None
        parts = {"value": element} if has_value and isinstance(element, str) else element
        if not isinstance(parts, dict):
            self._reading.refuse(where, "must be an object")
            return None
        known = self._reading.parts(self.attribute.expected, parts, f"{where}.")
        described = {name: part for name, part in known.items() if part is not None and name != "$ref"}
        if not described or (has_value and "value" not in described):
            self._reading.refuse(where, "must have a value to find it by")
        return described

    def _fits(self, element: Json, description: Json) -> bool:
        if not (isinstance(element, dict) and isinstance(description, dict)):
            return comparison_key(self.attribute, element) == comparison_key(self.attribute, description)
        return all(
            _equal(self.attribute.sub_attribute(name), element.get(name, _UNSAID.get(name.lower())), part)
            for name, part in description.items()
        )

    def _list_altered(self, old: Json, value: Json) -> Json:
        sent = listed(self.attribute, value) if self.attribute.is_membership else value
        new = self._reading.value(self.attribute, sent, str(self._path.place))
        if self._op == "replace":
            if self.attribute.is_membership:
                return retained(self.attribute, old, new) or None
            return old if same(old, new) else new
        if not isinstance(new, list):
            return old
        return self._added(old if isinstance(old, list) else [], new) or old

    def _added(self, olds: list[Json], news: list[Json]) -> list[Json] | None:
        """*olds* and then those of *news* that are not there yet; None when there are none."""
        attribute = self.attribute
        places = {identity(attribute, element): position for position, element in enumerate(olds)}
        result = list(olds)
        changes = False
        promoted: Json = None
        for element in news:
            promotes = isinstance(element, dict) and element.get("primary") is True
            position = places.get(identity(attribute, element))
            if position is None:
                result.append(element)
                changes = True
            else:
                old = result[position]
                result[position] = element = _merged(old, element, keep=attribute.is_membership)
                changes = changes or element is not old
            if promotes:
                promoted = element
        if not changes:
            return None
        return result if promoted is None else demoted(result, promoted)

    def _single_altered(self, old: Json, value: Json) -> Json:
        attribute = self.attribute
        if attribute.is_complex:
            if value is None or value == "":
                return None
            parts = self._parts(attribute, value, str(self._path.place))
            return old if parts is None else self._merge(old if isinstance(old, dict) else {}, parts, old)
        new = self._reading.value(attribute, value, str(self._path.place))
        is_repeated = attribute.mutability is Mutability.IMMUTABLE and new is not None and _equal(attribute, old, new)
        return old if is_repeated or same(old, new) else new

    # Inside a complex attribute

    def _within_complex(self, old: Json, value: Json) -> Json:
        element = old if isinstance(old, dict) else {}
        return self._merge(element, self._sub_parts(value), old)

    def _sub_parts(self, value: Json) -> Mapping[str, Json]:
        """What the operation assigns to the sub-attribute in its path; None when it removes it."""
        sub = self._path.place.sub
        if sub is None:
            return {}
        read = None if self._op == "remove" else self._reading.value(sub, value, str(self._path.place))
        if read is None and sub.required:
            raise MutabilityError(str(self._path.place), "is required")
        return {sub.name: read}

    def _parts(self, attribute: Attribute, value: Json, where: str) -> Mapping[str, Json] | None:
        """The sub-attributes that *value* assigns, or unassigns with None; None when it does not fit."""
        if (
            attribute.sub_attribute("value") is not None
            and self._reading.tolerance.bare_values
            and isinstance(value, str)
        ):
            value = {"value": value}
        if not isinstance(value, dict):
            self._reading.refuse(where, "must be an object")
            return None
        parts = self._reading.parts(attribute.expected, value, f"{where}.")
        if attribute.is_membership:
            parts.pop("$ref", None)
        return parts

    def _merge(self, element: Element, parts: Mapping[str, Json], old: Json) -> Json:
        """*element* with *parts*; what is not named stays (RFC 7644 §3.5.2.3). None if nothing is left."""
        merged = dict(element)
        for name, part in parts.items():
            sub = self.attribute.sub_attribute(name)
            if sub and sub.mutability is Mutability.IMMUTABLE and name in element:
                if not _equal(sub, element[name], part):
                    raise MutabilityError(f"{self._path.place.attribute.name}.{name}", "is immutable")
                part = element[name]
            merged[name] = part
        result = assigned(merged)
        if same(result, element):
            return old
        is_reference = not self.attribute.multi_valued and self.attribute.sub_attribute("$ref") is not None
        if is_reference and "value" in parts and "value" not in result:
            return None  # Entra unassigns a manager by emptying its value; what is left would refer to nobody
        return result or None

    # Elements of a multi-valued attribute

    def _elements_altered(self, old: Json, value: Json) -> Json:
        elements = old if isinstance(old, list) else [old] if isinstance(old, dict) else []
        condition = self._path.condition
        chosen = [n for n, element in enumerate(elements) if condition is None or condition.matches(element)]
        if not chosen:
            return self._unmatched(elements, old, value)
        altered = self._element_alteration(value)
        result: list[Json] = list(elements)
        promoted: Json = None
        for position in chosen:
            element = elements[position]
            new = altered(element if isinstance(element, dict) else {}, element)
            result[position] = new
            if isinstance(new, dict) and new.get("primary") is True:
                promoted = promoted or new
        kept: list[Json] = [element for element in result if element is not None]
        if promoted is not None:
            kept = demoted(kept, promoted)
        if not self.attribute.multi_valued:
            return kept[0] if kept else None
        return old if same(kept, old) else distinct(self.attribute, kept) or None

    def _element_alteration(self, value: Json) -> Callable[[Element, Json], Json]:
        """What happens to each element that is meant."""
        if self._path.place.sub is not None:
            part = self._sub_parts(value)
            return lambda element, old: self._merge(element, part, old)
        if self._op == "remove" or value is None or value == "":
            return lambda _element, _old: None
        parts = self._parts(self.attribute, value, str(self._path.place))
        if parts is None:
            return lambda _element, old: old
        merging = parts
        return lambda element, old: self._merge(element, merging, old)

    def _unmatched(self, elements: list[Json], old: Json, value: Json) -> Json:
        """No element is meant: a removal has nothing to do; Entra wants the element that its filter describes."""
        if self._op == "remove":
            return old
        condition, sub = self._path.condition, self._path.place.sub
        described = {} if condition is None else condition.equalities
        creates = condition is None or self._reading.tolerance.create_unmatched_element
        if sub is None or described is None or not creates:
            raise NoTargetError(self._path.text)
        part = self._sub_parts(value)[sub.name]
        if part is None:
            return old
        element = self._reading.value(self.attribute, [{**described, sub.name: part}], str(self._path.place))
        if not (self.attribute.multi_valued and isinstance(element, list)):
            return {**described, sub.name: part}
        return self._added(elements, element) or old


def _merged(old: Json, new: Json, *, keep: bool) -> Json:
    """An element that is there already, with what its repetition says about it; a membership stays as it is."""
    if keep or not (isinstance(old, dict) and isinstance(new, dict)):
        return old
    merged = {**old, **new}
    return old if same(merged, old) else merged


def _equal(attribute: Attribute | None, one: Json, other: Json) -> bool:
    if attribute is None or one is None or other is None or attribute.multi_valued or attribute.is_complex:
        return same(one, other)
    return comparison_key(attribute, one) == comparison_key(attribute, other)
