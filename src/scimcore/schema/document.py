"""What a resource is made of: JSON, read-only by type.

A `Document` is a resource as a JSON object in canonical form: attribute names spelled as the schema spells them, null
and empty values absent, extension attributes under their URN, `id` included, `schemas` and `meta` left out because they
are derived. Documents are persistent values: no rule modifies one; a new document shares what did not change.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = Mapping[str, Json]


def is_unassigned(value: Json) -> bool:
    """Whether *value* means "no value" (RFC 7643 §2.5): null, an empty array or an empty object.

    >>> is_unassigned([]), is_unassigned(None), is_unassigned(""), is_unassigned(False)
    (True, True, False, False)
    """
    return value is None or (isinstance(value, (list, dict)) and not value)


# Databases refuse NUL, and UTF-8 cannot carry half a surrogate pair.
_UNSTORABLE: Final = re.compile(r"[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every database takes *text*: it holds neither NUL nor half a surrogate pair.

    >>> is_storable("Åse"), is_storable(chr(0)), is_storable(chr(0xD83D))
    (True, False, False)
    """
    return _UNSTORABLE.search(text) is None
