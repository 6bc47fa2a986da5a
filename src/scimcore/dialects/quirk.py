"""A Quirk: one habit of a client, what is made of it, who says so, and an example that proves it."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json

Rewrite: TypeAlias = Callable[[Json, ResourceType], Json]
"""A payload as the rules read it; the same object where there is nothing to rewrite. Takes any JSON."""

CORE_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Evidence(StrEnum):
    """How it is known that a client talks like this."""

    VENDOR = "vendor's documentation or test suite"
    VALIDATOR = "recorded run of the vendor's validator"
    CAPTURE = "captured traffic"
    SOURCE = "source of the client"
    PEER = "another server's tests"
    HEARSAY = "second-hand"


@attrs.frozen(kw_only=True, eq=False)
class Example:
    """A request, and what must come of it at a provider that speaks the dialect.

    What is *given* was created before, each at its endpoint; ids are issued in that order, from "1" on.
    """

    method: str
    target: str
    body: Json = None
    given: Sequence[tuple[str, Mapping[str, Json]]] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict)
    served: Sequence[str] = ("User", "Group")
    """The resource types that the provider knows."""
    status: int = 200
    understood: Json
    """The resource afterwards without `id`, `schemas`, `meta` and what the provider says of members; the ids that a
    search finds; of a refusal its scimType."""
    media_type: str | None = None
    """What the answer is sent as, where that is the point."""


@attrs.frozen(kw_only=True, eq=False)
class Quirk:
    """One habit of a client. If it asks for no setting, rewrite or the like, every dialect knows it, `STRICT` too."""

    name: str
    sent: str
    """Who sends what."""
    done: str
    """What is made of it."""
    sources: Sequence[str]
    """Where to read it: vendor documentation by URL, a repository with commit and file, an issue by number."""
    evidence: Evidence
    examples: Sequence[Example]
    settings: Mapping[str, bool] = attrs.field(factory=dict)
    """What fields of Tolerance it needs."""
    resource: Rewrite | None = None
    """What a body of POST or PUT becomes."""
    message: Rewrite | None = None
    """What a body of PATCH becomes."""
    bodiless_patches: frozenset[str] = frozenset()
    """Names of the resource types whose PATCH is to answer 204."""
    media_type: str | None = None
    """What every answer is to be sent as."""


# Words for examples


def user(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """A user with those attributes, as a client writes one down.

    >>> user({"userName": "bj"})
    {'schemas': ['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName': 'bj'}
    """
    return {"schemas": [CORE_USER], **attributes}


def group(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """A group with those attributes, as a client writes one down.

    >>> group({"displayName": "staff"})
    {'schemas': ['urn:ietf:params:scim:schemas:core:2.0:Group'], 'displayName': 'staff'}
    """
    return {"schemas": [CORE_GROUP], **attributes}


def patch(*operations: Mapping[str, Json]) -> dict[str, Json]:
    """The body of a PATCH with those operations (RFC 7644 §3.5.2).

    >>> patch({"op": "remove", "path": "title"})["Operations"]
    [{'op': 'remove', 'path': 'title'}]
    """
    return {"schemas": [_PATCH_OP], "Operations": list(operations)}


def named(*user_names: str) -> tuple[tuple[str, Mapping[str, Json]], ...]:
    """Users of these names, to be given to an example.

    >>> named("bj")[0][0]
    '/Users'
    """
    return tuple([("/Users", user({"userName": name})) for name in user_names])
