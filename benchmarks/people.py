"""The company that is provisioned: users and groups as an identity provider sends them, from a fixed seed."""

import json
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any, Final

SEED: Final = 7643

USER_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_URN: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

_GIVEN: Final = ("Ada", "Grace", "Barbara", "Edsger", "Alan", "Frances", "Donald", "Jean", "Niklaus", "Radia")
_FAMILY: Final = ("Lovelace", "Hopper", "Liskov", "Dijkstra", "Turing", "Allen", "Knuth", "Bartik", "Wirth", "Perlman")
_TITLES: Final = ("Engineer", "Senior Engineer", "Analyst", "Designer", "Manager", "Director")
_DEPARTMENTS: Final = ("Research", "Compilers", "Networks", "Finance", "Support")


def user_name(number: int) -> str:
    """The `userName` of a person."""
    return f"person.{number}@example.com"


def person(number: int, revision: int = 0) -> dict[str, Any]:
    """A user with the attributes that Okta and Entra ID send by default; *revision* changes a few of them."""
    chance = Random(SEED * 1_000_003 + number)
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    return {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "externalId": f"00u{number:012d}",
        "userName": user_name(number),
        "name": {"formatted": f"{given} {family}", "familyName": family, "givenName": given},
        "displayName": f"{given} {family} {number}",
        "title": chance.choice(_TITLES) if not revision else f"{_TITLES[revision % len(_TITLES)]} {revision}",
        "locale": "en-GB",
        "active": revision % 2 == 0,
        "emails": [
            {"value": f"person.{number}@work.example.com", "type": "work", "primary": True},
            {"value": f"{given.lower()}.{number}@home.example.com", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"+44 20 7946 {chance.randrange(10_000):04d}", "type": "work"}],
        ENTERPRISE_URN: {"employeeNumber": str(100_000 + number), "department": chance.choice(_DEPARTMENTS)},
    }


@lru_cache(maxsize=1)
def _encoder() -> json.JSONEncoder:
    return json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def encoded(value: object) -> bytes:
    """*value* as JSON, compact, as clients send it."""
    return _encoder().encode(value).encode()


def group(name: str, member_ids: Sequence[str]) -> dict[str, Any]:
    """A group of users."""
    return {
        "schemas": [GROUP_URN],
        "displayName": name,
        "members": _members(member_ids),
    }


def patch(*operations: dict[str, Any]) -> bytes:
    """A PATCH request."""
    return encoded({"schemas": [PATCH_URN], "Operations": operations})


def adding_members(member_ids: Sequence[str]) -> bytes:
    """A PATCH that adds members in one operation."""
    return patch({"op": "add", "path": "members", "value": _members(member_ids)})


def removing_members(member_ids: Sequence[str]) -> bytes:
    """A PATCH that removes members one by one, each with a value filter."""
    return patch(*({"op": "remove", "path": f'members[value eq "{member_id}"]'} for member_id in member_ids))


def _members(member_ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": member_id, "type": "User"} for member_id in member_ids]
