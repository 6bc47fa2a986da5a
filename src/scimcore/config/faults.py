"""What is wrong with a configuration, each fault with its place."""

from collections.abc import Iterable, Sequence

import attrs
from pydantic import ValidationError
from pydantic_core import ErrorDetails


@attrs.frozen
class Fault:
    """One thing that is wrong, and where: `connections[2].dialect`, counted from 0."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class ConfigurationError(ValueError):
    """A configuration that cannot be used; *faults* has everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that *name* is none of the *known* ones.

    >>> unknown("dialect", "okt", {"okta", "entra"})
    'unknown dialect "okt"; known are entra, okta'
    """
    return f'unknown {kind} "{name}"; known are {", ".join(sorted(known)) or "none"}'


def place_of(location: Sequence[int | str]) -> str:
    """Return a place as people write it.

    >>> place_of(("connections", 2, "dialect"))
    'connections[2].dialect'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location if step != "[key]")
    return text.removeprefix(".")


def faults_of(error: ValidationError) -> list[Fault]:
    """Everything that pydantic found."""
    return [Fault(place_of(found["loc"]), _message(found)) for found in error.errors(include_url=False)]


def _message(found: ErrorDetails) -> str:
    match found["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "there is no such setting"
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return "is required"
        case "value_error":
            return found["msg"].removeprefix("Value error, ")
        case _:
            return found["msg"].removeprefix("Input ")
