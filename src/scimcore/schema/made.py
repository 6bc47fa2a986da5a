"""Objects of which every request needs some, made in half the time of their constructors."""

from typing import TypeVar

T = TypeVar("T")


def made(cls: type[T], facts: dict[str, object]) -> T:
    """The object of *cls*, a frozen attrs class without slots, that has *facts*: each of its attributes, by name.

    Nothing is checked, converted or left to a default, and *facts* are the object's own from now on.

    >>> import attrs
    >>> @attrs.frozen(slots=False)
    ... class Point:
    ...     x: int
    ...     y: int
    >>> made(Point, {"x": 1, "y": 2}) == Point(1, 2)
    True
    """
    thing = object.__new__(cls)
    object.__setattr__(thing, "__dict__", facts)
    return thing
