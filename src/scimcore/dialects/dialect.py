"""A Dialect: which reading of the protocol applies to a client."""

from typing import ClassVar, Final

import attrs

from scimcore.rules import tolerance
from scimcore.rules.tolerance import Tolerance
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json


@attrs.frozen
class Dialect:
    """A named reading of the protocol. `DEFAULT` breaks the fewest clients, `STRICT` is the letter of the RFC."""

    DEFAULT: ClassVar["Dialect"]
    STRICT: ClassVar["Dialect"]

    name: str
    tolerance: Tolerance = tolerance.DEFAULT
    bodiless_patches: frozenset[str] = frozenset()
    """Resource type names whose PATCH answers 204, unless the client asks for attributes."""
    media_type: str | None = None
    """What every answer is sent as; None leaves it to the client's Accept."""

    def resource(self, payload: Json, resource_type: ResourceType) -> Json:  # noqa: ARG002
        """The body of a POST or PUT as the rules understand it."""
        return payload

    def message(self, payload: Json, resource_type: ResourceType) -> Json:  # noqa: ARG002
        """The body of a PATCH as the rules understand it."""
        return payload


DEFAULT: Final = Dialect("default")
STRICT: Final = Dialect("strict", tolerance.STRICT)
Dialect.DEFAULT = DEFAULT
Dialect.STRICT = STRICT
