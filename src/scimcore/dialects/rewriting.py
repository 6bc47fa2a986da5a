"""What becomes of payloads that no rule reads as they were meant.

Each function takes any JSON, returns what is there already where it has nothing to do, and modifies nothing.
"""

from collections.abc import Callable, Mapping

from pydantic_core import from_json

from scimcore.dialects.quirk import ENTERPRISE
from scimcore.errors import ScimError
from scimcore.rules.path import parse_path
from scimcore.schema.attribute import Attribute
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Json

Operation = Mapping[str, Json]

# An element holds a handful of short texts; what is longer is no role.
_LONGEST_ROLE = 10_000


# A list around a single value


def unlisted(payload: Json, resource_type: ResourceType) -> Json:
    """The PATCH *payload*, with a list of one at the path of a single value replaced by what is in it.

    >>> from scimcore.schema.standard import USER
    >>> wrapped = {"op": "Add", "path": "manager", "value": [{"$ref": None, "value": "9"}]}
    >>> unlisted({"Operations": [wrapped]}, USER)
    {'Operations': [{'op': 'Add', 'path': 'manager', 'value': {'$ref': None, 'value': '9'}}]}
    """
    return _with_operations(payload, lambda operation: _unlisted(operation, resource_type))


def _unlisted(operation: Operation, resource_type: ResourceType) -> Operation:
    path, value = _member(operation, "path"), _member(operation, "value")
    if not (isinstance(path, str) and isinstance(value, list) and len(value) == 1):
        return operation
    place = _place(path, resource_type)
    if place is None or place.leaf.multi_valued:
        return operation
    inner: Json = value[0]
    if not place.leaf.is_complex:
        if not (isinstance(inner, dict) and "value" in inner and inner.keys() <= {"$ref", "value"}):
            return operation
        inner = inner["value"]
    return _with_member(operation, "value", inner)


def _place(path: str, resource_type: ResourceType) -> Place | None:
    try:
        return parse_path(path, resource_type).place
    except ScimError:  # whoever reads the message says what is wrong with it
        return None


# Attributes of an extension among those of the resource


def lifted(payload: Json, resource_type: ResourceType) -> Json:
    """The resource *payload*, with attributes that only one extension has moved under the URN of that extension.

    What stands under the URN already wins; null stays where it is, since it assigns nothing.

    >>> from scimcore.schema.standard import USER
    >>> lifted({"userName": "a", "department": "Sales"}, USER)
    {'userName': 'a', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {'department': 'Sales'}}
    """
    if not isinstance(payload, dict):
        return payload
    moved: dict[str, dict[str, Json]] = {}
    for key, value in payload.items():
        container = None if value is None else _extension_with(key, resource_type)
        if container is not None:
            moved.setdefault(container.name, {})[key] = value
    rewritten = payload
    for urn, parts in moved.items():
        spelled = _spelled(payload, urn)
        held = payload.get(spelled) or {}
        if isinstance(held, dict):
            known = {name.lower() for name in held}
            new = {key: value for key, value in parts.items() if key.lower() not in known}
            left = {key: value for key, value in rewritten.items() if key not in parts}
            rewritten = {**left, spelled: {**held, **new}}
    return rewritten


def _extension_with(key: str, resource_type: ResourceType) -> Attribute | None:
    """The extension that alone has an attribute of this bare name."""
    if resource_type.attribute(key) is not None:
        return None
    holders = [one for one in resource_type.containers.values() if one.sub_attribute(key) is not None]
    return holders[0] if len(holders) == 1 else None


# The enterprise extension of SCIM 1

_ENTERPRISE_1 = "urn:scim:schemas:extension:enterprise:1.0"


def with_enterprise_2(payload: Json, resource_type: ResourceType) -> Json:
    """The resource *payload*, with the enterprise extension of SCIM 1 as the one of RFC 7643 §4.3.

    Where something stands under that URN already, nothing changes. The `managerId` of SCIM 1 is the `value`.

    >>> from scimcore.schema.standard import USER
    >>> with_enterprise_2({"urn:scim:schemas:extension:enterprise:1.0": {"manager": {"managerId": "9"}}}, USER)
    {'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {'manager': {'value': '9'}}}
    """
    if not isinstance(payload, dict) or ENTERPRISE not in resource_type.containers:
        return payload
    old = _spelled(payload, _ENTERPRISE_1)
    held = payload.get(old)
    if not isinstance(held, dict) or _spelled(payload, ENTERPRISE) in payload:
        return payload
    manager = _member(held, "manager")
    if isinstance(manager, dict) and "managerId" in manager and "value" not in manager:
        renamed = {"value" if name == "managerId" else name: part for name, part in manager.items()}
        held = _with_member(held, "manager", renamed)
    return {ENTERPRISE if name == old else name: held if name == old else part for name, part in payload.items()}


# Roles as JSON text


def with_roles_read(payload: Json, resource_type: ResourceType) -> Json:
    """The resource *payload*, with roles that are JSON text, or call their `display` displayName, as RFC 7643 §4.1.2
    has them.

    >>> from scimcore.schema.standard import USER
    >>> with_roles_read({"roles": ['{"id":"827f","value":"admin","displayName":"Admin"}']}, USER)
    {'roles': [{'value': 'admin', 'display': 'Admin'}]}
    """
    if not isinstance(payload, dict) or resource_type.attribute("roles") is None:
        return payload
    return _with_member(payload, "roles", _roles(_member(payload, "roles")))


def with_patched_roles_read(payload: Json, resource_type: ResourceType) -> Json:
    """The PATCH *payload*, with roles that are JSON text, or call their `display` displayName, as RFC 7643 §4.1.2 has
    them.

    >>> from scimcore.schema.standard import USER
    >>> text = '{"id":"827f","value":"admin","displayName":"Admin"}'
    >>> with_patched_roles_read({"Operations": [{"op": "Add", "path": "roles", "value": [{"value": text}]}]}, USER)
    {'Operations': [{'op': 'Add', 'path': 'roles', 'value': [{'value': 'admin', 'display': 'Admin'}]}]}
    """
    if resource_type.attribute("roles") is None:
        return payload
    names = {"roles", f"{resource_type.schema.id.lower()}:roles"}

    def read(operation: Operation) -> Operation:
        path, value = _member(operation, "path"), _member(operation, "value")
        if isinstance(path, str) and path.lower() in names:
            return _with_member(operation, "value", _roles(value))
        if not path and isinstance(value, dict):
            return _with_member(operation, "value", with_roles_read(value, resource_type))
        return operation

    return _with_operations(payload, read)


def _roles(roles: Json) -> Json:
    if not isinstance(roles, list):
        return _role(roles)
    read = [_role(role) for role in roles]
    return roles if all(one is role for one, role in zip(read, roles, strict=True)) else read


def _role(role: Json) -> Json:
    parts: Mapping[str, Json] = role if isinstance(role, dict) else {"value": role}
    meant = _role_in(parts.get("value"))
    if meant is not None:
        return {**{name: part for name, part in parts.items() if name != "value"}, **meant}
    display = parts.get("displayName")
    if display is None or "display" in parts:
        return role
    return {"display" if name == "displayName" else name: part for name, part in parts.items()}


def _role_in(text: Json) -> Mapping[str, Json] | None:
    """The value and display of the role that *text* describes as JSON; None if it does not."""
    if not isinstance(text, str) or len(text) > _LONGEST_ROLE or not text.startswith("{"):
        return None
    try:
        found: Json = from_json(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    meant = {"value": found.get("value"), "display": found.get("displayName")}
    # The check for what cannot be stored saw an escape inside a text, and not the NUL that it becomes here.
    texts = {name: one for name, one in meant.items() if isinstance(one, str) and one and "\x00" not in one}
    return texts if "value" in texts else None


# Inside a message


def _with_operations(payload: Json, rewritten: Callable[[Operation], Operation]) -> Json:
    """*payload* with each of its operations rewritten; *payload* itself where that changes none."""
    operations = _member(payload, "Operations") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(operations, list):
        return payload
    result = [rewritten(one) if isinstance(one, dict) else one for one in operations]
    if all(new is old for new, old in zip(result, operations, strict=True)):
        return payload
    return _with_member(payload, "Operations", result)


def _spelled(holder: Mapping[str, Json], name: str) -> str:
    """How *holder* spells the member *name* (RFC 7643 §2.1: in any case)."""
    return name if name in holder else next((one for one in holder if one.lower() == name.lower()), name)


def _member(holder: Mapping[str, Json], name: str) -> Json:
    return holder.get(_spelled(holder, name))


def _with_member(holder: Mapping[str, Json], name: str, value: Json) -> Mapping[str, Json]:
    """*holder* with another value of a member that it has; itself where the value is the same."""
    spelled = _spelled(holder, name)
    return holder if holder.get(spelled) is value else {**holder, spelled: value}
