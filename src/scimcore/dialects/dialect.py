"""A Dialect: which reading of the protocol applies to a client."""

from typing import ClassVar, Final

import attrs

from scimcore.rules import tolerance
from scimcore.rules.tolerance import Tolerance


@attrs.frozen
class Dialect:
    """A named reading of the protocol. `DEFAULT` breaks the fewest clients, `STRICT` is the letter of the RFC."""

    DEFAULT: ClassVar["Dialect"]
    STRICT: ClassVar["Dialect"]

    name: str
    tolerance: Tolerance = tolerance.DEFAULT


DEFAULT: Final = Dialect("default")
STRICT: Final = Dialect("strict", tolerance.STRICT)
Dialect.DEFAULT = DEFAULT
Dialect.STRICT = STRICT
