"""A Dialect: which reading of the protocol applies to a client, made of cited quirks."""

from collections.abc import Sequence
from typing import ClassVar, Final

import attrs

from scimcore.dialects.quirk import Quirk, Rewrite
from scimcore.rules.tolerance import DEFAULT as TOLERANT
from scimcore.rules.tolerance import STRICT as LITERAL
from scimcore.rules.tolerance import Tolerance
from scimcore.schema.catalogue import ResourceType
from scimcore.schema.document import Json


@attrs.frozen
class Dialect:
    """A named reading of the protocol. `DEFAULT` breaks the fewest clients, `STRICT` is the letter of the RFC.

    `Dialect.of` makes one from quirks, an application's own among them.
    """

    DEFAULT: ClassVar["Dialect"]
    STRICT: ClassVar["Dialect"]

    name: str
    tolerance: Tolerance = TOLERANT
    bodiless_patches: frozenset[str] = frozenset()
    """Names of the resource types whose PATCH answers 204, unless the client asks for attributes."""
    media_type: str | None = None
    """What every answer is sent as; None leaves it to the client's Accept."""
    quirks: tuple[Quirk, ...] = ()
    _of_resources: tuple[Rewrite, ...] = attrs.field(init=False, repr=False, eq=False)
    _of_messages: tuple[Rewrite, ...] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        resources = tuple([quirk.resource for quirk in self.quirks if quirk.resource is not None])
        messages = tuple([quirk.message for quirk in self.quirks if quirk.message is not None])
        object.__setattr__(self, "_of_resources", resources)
        object.__setattr__(self, "_of_messages", messages)

    @classmethod
    def of(cls, name: str, *quirks: Quirk, base: Tolerance = TOLERANT) -> "Dialect":
        """The dialect that has all of *quirks*; what none of them settles is as in *base*.

        Raises:
            ValueError: Two of them want a setting both ways, or answers in two media types.
            TypeError: One names a setting that Tolerance does not have.

        >>> from scimcore.dialects import KEYCLOAK
        >>> Dialect.of("ours", *KEYCLOAK.quirks).tolerance.put_keeps_linkage
        False
        """
        media_types = {quirk.media_type for quirk in quirks if quirk.media_type is not None}
        if len(media_types) > 1:
            raise ValueError(f"{name}: answers in {' and '.join(sorted(media_types))}")
        return cls(
            name,
            attrs.evolve(base, **_settled(name, quirks)),
            frozenset(resource_type for quirk in quirks for resource_type in quirk.bodiless_patches),
            next(iter(media_types), None),
            quirks,
        )

    def resource(self, payload: Json, resource_type: ResourceType) -> Json:
        """The body of a POST or PUT as the rules read it; *payload* itself where no quirk has a say.

        >>> from scimcore.dialects import ENTRA
        >>> from scimcore.schema.standard import USER
        >>> ENTRA.resource({"userName": "a", "department": "Sales"}, USER)
        {'userName': 'a', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {'department': 'Sales'}}
        """
        for rewrite in self._of_resources:
            payload = rewrite(payload, resource_type)
        return payload

    def message(self, payload: Json, resource_type: ResourceType) -> Json:
        """The body of a PATCH as the rules read it; *payload* itself where no quirk has a say.

        >>> from scimcore.dialects import ENTRA
        >>> from scimcore.schema.standard import USER
        >>> wrapped = {"op": "Add", "path": "title", "value": [{"$ref": None, "value": "CTO"}]}
        >>> ENTRA.message({"Operations": [wrapped]}, USER)
        {'Operations': [{'op': 'Add', 'path': 'title', 'value': 'CTO'}]}
        """
        for rewrite in self._of_messages:
            payload = rewrite(payload, resource_type)
        return payload


def _settled(name: str, quirks: Sequence[Quirk]) -> dict[str, bool]:
    settings: dict[str, bool] = {}
    for quirk in quirks:
        for setting, value in quirk.settings.items():
            if settings.setdefault(setting, value) is not value:
                raise ValueError(f"{name}: {quirk.name!r} wants {setting} the other way")
    return settings


DEFAULT: Final = Dialect("default")
STRICT: Final = Dialect("strict", LITERAL)
Dialect.DEFAULT = DEFAULT
Dialect.STRICT = STRICT
