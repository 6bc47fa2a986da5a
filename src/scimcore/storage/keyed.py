"""The attributes that the storages of scimcore keep element by element: a group's members, and a user's groups."""

from collections.abc import Mapping
from typing import Final

KEYED: Final[Mapping[str, Mapping[str, str]]] = {"Group": {"members": "value"}, "User": {"groups": "value"}}
"""Resource type name -> keyed attribute -> the sub-attribute that is its key."""

KEYED_NAMES: Final = frozenset().union(*KEYED.values())
