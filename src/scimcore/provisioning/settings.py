"""Settings of policies that are checked when they are made.

Said so, and not by `attrs.field`, they let the class of a policy be compiled: mypyc takes a field for the value that
mypy says it is.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

T = TypeVar("T")


def one_of(default: str, *others: str) -> Any:
    """An attribute of an attrs class: *default*, or one of *others*.

    >>> @attrs.frozen
    ... class Policy:
    ...     on_existing: str = one_of("refuse", "link")
    >>> Policy().on_existing
    'refuse'
    """
    return attrs.field(default=default, validator=attrs.validators.in_((default, *others)))


def checked(default: T, check: Callable[[T], None]) -> Any:
    """An attribute of an attrs class: *default*, or what *check* does not refuse by an exception."""
    return attrs.field(default=default, validator=lambda _, __, value: check(value))
