"""From what a client sent to a canonical document: names, types, required values (RFC 7643 §2; RFC 7644 §3.3).

Every problem is found and named by its path before anything is refused. What a client cannot set, and what no schema
knows, is left out and reported.
"""

import re
from collections.abc import Collection, Iterable, Mapping

import attrs

from scimcore.errors import InvalidSyntaxError, InvalidValueError, Problem
from scimcore.rules.compare import Key, comparison_key, instant
from scimcore.rules.delta import frozen
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.attribute import Attribute, Expected, Type
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Document, Json

# RFC 7643 §2.3.6 lets padding be absent; the URL-safe alphabet is accepted because it can be read in only one way.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z")
_NOT_IN_URI = re.compile(r"[\s\x00-\x1f<>\"{}|\\^`]")
_BOOLEANS = {"true": True, "false": False}
_NOTHING: frozenset[str] = frozenset()


@attrs.frozen
class Received:
    """A payload as the schema reads it: the canonical document, what was left out, what was unassigned by name."""

    document: Document
    ignored: tuple[str, ...] = ()
    unassigned: frozenset[str] = _NOTHING


def received(payload: Json, resource_type: ResourceType, tolerance: Tolerance = DEFAULT) -> Received:
    """Return the canonical document that *payload* describes, for POST and PUT (RFC 7644 §3.3, §3.5.1).

    `id`, `meta` and other readOnly input is left out. Uniqueness and references to other resources are not checked.

    Raises:
        InvalidSyntaxError: It is no JSON object, or an attribute stands in it twice.
        InvalidValueError: Required values are missing or values do not fit; all problems are listed.

    >>> from scimcore.schema.standard import USER
    >>> received({"USERNAME": "bj", "emails": {"value": "b@example.com"}, "title": None}, USER).document
    {'userName': 'bj', 'emails': [{'value': 'b@example.com'}]}
    """
    if not isinstance(payload, dict):
        raise InvalidSyntaxError("the body must be a JSON object")
    reading = Reading(tolerance)
    reading.check_schemas(payload, resource_type)
    parts = reading.parts(resource_type.expected, payload, "")
    document = assigned(parts)
    reading.require(resource_type.demanding, document, "")
    reading.finish()
    unassigned = _NOTHING if document is parts else frozenset(parts.keys() - document.keys())
    return Received(document, tuple(reading.ignored), unassigned)


class Reading:
    """Reads values of attributes; collects the problems and what was left out."""

    def __init__(self, tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        self.problems: list[Problem] = []
        self.ignored: list[str] = []

    def finish(self) -> None:
        """Raises InvalidValueError if there was any problem."""
        if self.problems:
            raise InvalidValueError(self.problems)

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def parts(self, expected: dict[str, Expected], payload: dict[str, Json], prefix: str) -> dict[str, Json]:
        """The values of the attributes in *payload* by canonical name; None for those it unassigns.

        *expected* has the attributes as spelled and in lower case.
        """
        found: dict[str, Json] = {}
        any_text = self.tolerance.free_canonical_values
        for key, sent in payload.items():
            known = expected.get(key) or expected.get(key.lower())
            if known is None:
                self._leave_out(prefix + key, None)
                continue
            name, native, attribute = known
            # What most values are, and `value` would come to.
            is_plain = type(sent) is native and sent != "" and (any_text or not attribute.canonical_values)
            if not is_plain and not attribute.is_writable:
                self._leave_out(prefix + key, attribute)
            elif name in found:
                raise InvalidSyntaxError(f"{prefix}{name} stands in the body twice")
            else:
                found[name] = sent if is_plain else self.value(attribute, sent, prefix + name)
        return found

    def value(self, attribute: Attribute, sent: Json, path: str) -> Json:
        """*sent* as a canonical value of *attribute*; None when it means "no value"."""
        if sent is None:
            return None
        if not attribute.multi_valued:
            return (self._complex if attribute.is_complex else self._simple)(attribute, sent, path)
        if isinstance(sent, list):
            return self._elements(attribute, sent, path) or None
        if not self.tolerance.bare_values:
            self.refuse(path, "must be an array")
            return None
        return self._elements(attribute, [sent], path) or None

    def require(self, attributes: Iterable[Attribute], holder: Document, prefix: str) -> None:
        """Note each of the *attributes*, which are demanding ones, that is required and that *holder* lacks."""
        self._require(attributes, holder, prefix, {problem.path for problem in self.problems})

    def _require(
        self, attributes: Iterable[Attribute], holder: Document, prefix: str, refused: Collection[str]
    ) -> None:
        for attribute in attributes:
            path = prefix + attribute.name
            if attribute.name not in holder:
                if attribute.required and path not in refused:
                    self.refuse(path, "is required")
            elif attribute.demanding:
                value, joint = holder[attribute.name], attribute.joint
                if isinstance(value, dict):
                    self._require(attribute.demanding, value, f"{path}{joint}", refused)
                for position, element in enumerate(value if isinstance(value, list) else ()):
                    if isinstance(element, dict):
                        self._require(attribute.demanding, element, f"{path}[{position}]{joint}", refused)

    def check_schemas(self, payload: Mapping[str, Json], resource_type: ResourceType) -> None:
        """`schemas` is derived, so it is only checked: its form, and under a strict reading its URNs (RFC 7643 §3)."""
        key = "schemas" if "schemas" in payload else next((name for name in payload if name.lower() == "schemas"), None)
        sent = payload[key] if key else None
        urns = [sent] if isinstance(sent, str) else sent
        if urns is not None and not (isinstance(urns, list) and all(isinstance(urn, str) for urn in urns)):
            self.refuse("schemas", "must be an array of schema URNs")
        elif not self.tolerance.schemas_optional:
            given = {str(urn).lower() for urn in urns or ()}
            known = {urn.lower() for urn in (resource_type.schema.id, *resource_type.containers)}
            if resource_type.schema.id.lower() not in given or not given <= known:
                self.refuse("schemas", f"must list {resource_type.schema.id} and no unknown schema")

    def _leave_out(self, path: str, attribute: Attribute | None) -> None:
        if attribute is not None and attribute.name == "schemas":
            return
        if attribute is None and path.lower() != "schemas" and not self.tolerance.ignore_unknown:
            self.refuse(path, "is no attribute of this resource type")
        else:
            self.ignored.append(path)

    def _elements(self, attribute: Attribute, sent: list[Json], path: str) -> list[Json]:
        elements: list[Json] = []
        read = self._complex if attribute.is_complex else self._simple
        for position, one in enumerate(sent):
            where = f"{path}[{position}]"
            if one is None:
                self.refuse(where, "must not be null")
                continue
            element = read(attribute, one, where)
            if element is not None:
                elements.append(element)
        return self._one_primary(distinct(attribute, elements), path) if len(elements) > 1 else elements

    def _one_primary(self, elements: list[Json], path: str) -> list[Json]:
        primaries = [one for one in elements if isinstance(one, dict) and one.get("primary") is True]
        if len(primaries) < 2:
            return elements
        if not self.tolerance.first_primary_wins:
            self.refuse(path, "only one element can be primary")
        return demoted(elements, primaries[0])

    def _simple(self, attribute: Attribute, sent: Json, path: str) -> Json:
        if sent == "":
            if self.tolerance.empty_string_unassigns:
                return None
            if attribute.required:
                self.refuse(path, "must not be empty")
        problem, value = _canonical(attribute.type, sent, self.tolerance)
        if problem:
            self.refuse(path, problem)
            return None
        if attribute.canonical_values and not self.tolerance.free_canonical_values:
            allowed = {one if attribute.case_exact else one.lower() for one in attribute.canonical_values}
            if (value if attribute.case_exact else str(value).lower()) not in allowed:
                self.refuse(path, f"must be one of {', '.join(attribute.canonical_values)}")
        return value

    def _complex(self, attribute: Attribute, sent: Json, path: str) -> Json:
        if not isinstance(sent, dict):
            if sent == "":
                return None
            value = attribute.sub_attribute("value")
            if value is None or isinstance(sent, list) or not self.tolerance.bare_values:
                self.refuse(path, "must be an object")
                return None
            sent = {value.name: sent}
        parts = self.parts(attribute.expected, sent, path + attribute.joint)
        if attribute.is_membership:
            parts.pop("$ref", None)  # derived from value and type, so that no location is ever stored
        return assigned(parts) or None


def assigned(parts: dict[str, Json]) -> dict[str, Json]:
    """*parts* without those that have no value."""
    # Most often all have one; `None in parts.values()` would ask each value whether it equals None.
    for part in parts.values():
        if part is None:
            return {name: value for name, value in parts.items() if value is not None}
    return parts


def _canonical(kind: Type, sent: Json, tolerance: Tolerance) -> tuple[str, Json]:
    """What is wrong with *sent* as a value of that type, if anything, and its canonical value."""
    match kind:
        case Type.STRING:
            return ("" if isinstance(sent, str) else "must be a string"), sent
        case Type.BOOLEAN:
            if tolerance.strings_as_booleans and isinstance(sent, str):
                sent = _BOOLEANS.get(sent.lower(), sent)
            return ("" if isinstance(sent, bool) else "must be true or false"), sent
        case Type.INTEGER:
            return ("" if isinstance(sent, int) and not isinstance(sent, bool) else "must be an integer"), sent
        case Type.DECIMAL:
            return ("" if isinstance(sent, (int, float)) and not isinstance(sent, bool) else "must be a number"), sent
        case Type.DATE_TIME:
            return ("" if _is_date_time(sent) else "must be a date and time such as 2011-05-13T04:42:34Z"), sent
        case Type.BINARY:
            return ("" if isinstance(sent, str) and _BASE64.match(sent) else "must be base64"), sent
        case Type.REFERENCE:
            fits = isinstance(sent, str) and not _NOT_IN_URI.search(sent)
            return ("" if fits else "must be a URI"), sent
        case Type.COMPLEX:
            return "must be an object", sent


def _is_date_time(sent: Json) -> bool:
    try:
        return isinstance(sent, str) and instant(sent) is not None
    except ValueError:
        return False


def identity(attribute: Attribute, element: Json) -> object:
    """What makes an element of a multi-valued attribute the one it is: equal identities are one element.

    A membership is its `value`; another complex element its `value` and `type` (RFC 7643 §2.4), or all of it where it
    has no `value`; a simple one its value as the attribute compares it.
    """
    if not isinstance(element, dict):
        return comparison_key(attribute, element)
    value = element.get("value")
    if value is None:
        return frozen(element)
    key = _key(attribute.names.get("value"), value)
    return key if attribute.is_membership else (key, _key(attribute.names.get("type"), element.get("type")))


def distinct(attribute: Attribute, elements: list[Json]) -> list[Json]:
    """*elements* without those whose identity stands earlier in the list (RFC 7643 §2.4)."""
    if len(elements) < 2:
        return elements
    found: dict[object, Json] = {}
    for element in elements:
        found.setdefault(identity(attribute, element), element)
    return list(found.values())


def demoted(elements: list[Json], primary: Json) -> list[Json]:
    """*elements* with *primary* as the only primary one (RFC 7644 §3.5.2)."""
    return [
        {**one, "primary": False}
        if isinstance(one, dict) and one.get("primary") is True and one is not primary
        else one
        for one in elements
    ]


def _key(attribute: Attribute | None, value: Json) -> Key | None:
    return None if attribute is None or value is None else comparison_key(attribute, value)
