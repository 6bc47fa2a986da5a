"""What policies of adoption refuse in words of their own."""

from typing import Literal

import attrs

from scimcore.errors import ScimError


@attrs.define(slots=False)
class NotAdoptedError(ScimError):
    """A resource that matches exists and is not linked. The client does not learn whose it is."""

    status = 409
    scim_type = "uniqueness"

    cause: Literal["ambiguous", "look-alike", "privileged", "foreign"]
    """For the application; a client is not told which accounts are privileged."""

    @property
    def detail(self) -> str:
        match self.cause:
            case "ambiguous":
                return "more than one existing resource matches; none of them was linked"
            case "look-alike":
                return "userName: the value is taken by another resource, in other letters; it was not linked"
            case "privileged" | "foreign":
                return "an existing resource matches that this connection may not link; an administrator can"
