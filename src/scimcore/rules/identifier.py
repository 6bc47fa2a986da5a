"""What identifies a resource besides its id: the identifier of a group, and values that must be unique."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

from scimcore.rules.compare import comparison_key
from scimcore.rules.tolerance import DEFAULT, Tolerance
from scimcore.schema.attribute import Attribute, Type, Uniqueness
from scimcore.schema.catalogue import Place, ResourceType
from scimcore.schema.document import Document, Json

_NOT_FIRST = re.compile(r"^[0-9$-]+")
_FORBIDDEN = re.compile(r"[^0-9A-Za-z_$ ]")
_VALID = re.compile(r"[A-Za-z_][0-9A-Za-z_$]*")
_LONGEST_PREFIX = 119
_DIGEST_LENGTH = 8

LONGEST_IDENTIFIER: Final = 128
LONGEST_LEGACY_IDENTIFIER: Final = 64

RESERVED_IDENTIFIERS: Final = frozenset(
    (
        *("or", "and", "eq", "ne", "lt", "gt", "le", "ge", "div", "mod", "not", "null", "true", "false", "new", "var"),
        *("return", "step", "parallel", "stepGroup", "org", "account", "class", "shellScriptProvisioner"),
        "_harness_system",
    )
)
"""Words of Harness's expression language and names of its own: no group has one of them as its identifier."""


def group_identifier(display_name: str) -> str:
    """The identifier that a group's name becomes: dots, dashes and spaces turn into `_`, accents and other signs
    vanish.

    Case is kept. Names that begin with a digit would lose it, so a digest of the name keeps them apart. Different names
    may share an identifier; what happens then is a policy's decision. The result may be empty, and is then no
    identifier.

    >>> group_identifier("example-group"), group_identifier("  Équipe Réseau "), group_identifier("123_displayname")
    ('example_group', 'Equipe_Reseau', '_displayname_60273ebf')
    """
    name = display_name.strip()
    identifier = legacy_group_identifier(name)
    if name[:1].isdigit() and identifier != name:
        digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
        return f"{identifier[:_LONGEST_PREFIX]}_{digest}"
    return identifier


def legacy_group_identifier(display_name: str) -> str:
    """The identifier that a group's name became before digests kept apart the names that begin with a digit.

    >>> legacy_group_identifier("123_displayname"), legacy_group_identifier("100")
    ('_displayname', '')
    """
    name = display_name.strip()
    plain = unicodedata.normalize("NFD", name.replace(".", "_").replace("-", "_"))
    plain = "".join(char for char in plain if not unicodedata.combining(char)).strip()
    return _FORBIDDEN.sub("", _NOT_FIRST.sub("", plain)).replace(" ", "_")


def identifier_fault(identifier: str, longest: int = LONGEST_IDENTIFIER) -> str | None:
    """Why *identifier* cannot be the identifier of a group; None if it can.

    >>> identifier_fault("team_a"), identifier_fault("org"), identifier_fault("")
    (None, 'is a reserved word', 'is empty')
    """
    if not identifier:
        return "is empty"
    if identifier in RESERVED_IDENTIFIERS:
        return "is a reserved word"
    if len(identifier) > longest:
        return f"is longer than {longest} characters"
    if not _VALID.fullmatch(identifier):
        return "does not begin with a letter or _ and go on with letters, digits, _ and $"
    return None


def unique_values(
    document: Document, resource_type: ResourceType, tolerance: Tolerance = DEFAULT
) -> list[tuple[str, str]]:
    """The values of *document* that no other resource of the type may have: attribute and folded value.

    These are the attributes whose uniqueness is `server` or `global` (RFC 7643 §7), and a group's displayName where
    *tolerance* says so. `id` is not among them: the provider issues it.

    >>> from scimcore.schema.standard import USER
    >>> unique_values({"userName": "BJensen"}, USER)
    [('userName', 'bjensen')]
    """
    found: list[tuple[str, str]] = []
    for place in _unique_places(resource_type, tolerance.unique_group_names):
        holder: Json = document.get(place.container.name) if place.container else document
        if isinstance(holder, dict) and place.attribute.name in holder:
            found.append((str(place), _text(place.attribute, holder)))
    return found


def is_unique(attribute: Attribute, resource_type: ResourceType, tolerance: Tolerance = DEFAULT) -> bool:
    """Whether no two resources of the type may share a value of *attribute*."""
    return any(place.leaf is attribute for place in _unique_places(resource_type, tolerance.unique_group_names))


@lru_cache(maxsize=256)
def _unique_places(resource_type: ResourceType, unique_group_names: bool) -> tuple[Place, ...]:
    places = [Place(None, one) for one in resource_type.attributes.values() if one.name != "id"]
    for container in resource_type.containers.values():
        places += [Place(container, sub) for sub in container.sub_attributes]
    group_name = (
        resource_type.attribute("displayName") if unique_group_names and resource_type.name == "Group" else None
    )
    return tuple(
        place
        for place in places
        if (place.attribute.uniqueness is not Uniqueness.NONE or place.attribute is group_name)
        and not (place.attribute.is_complex or place.attribute.multi_valued)
    )


def _text(attribute: Attribute, holder: Document) -> str:
    key = comparison_key(attribute, holder[attribute.name])
    if isinstance(key, float) and key.is_integer():
        key = int(key)  # 1 and 1.0 are one number
    return key if isinstance(key, str) and attribute.type is not Type.DATE_TIME else repr(key)
