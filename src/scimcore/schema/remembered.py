"""Bounded memory for pure functions of what clients send: neither many inputs nor large ones can fill it."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def remembered(most: int, *, largest: int, size: Callable[..., int]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last *most* results of a function whose arguments are no larger than *largest*, as *size* measures them.

    Larger arguments are legal and rarely sent twice, so they are worked out each time.

    >>> @remembered(8, largest=3, size=len)
    ... def shouted(text: str) -> str:
    ...     print("worked out", text)
    ...     return text.upper()
    >>> [shouted("abc"), shouted("abc"), shouted("abcd"), shouted("abcd")]
    worked out abc
    worked out abcd
    worked out abcd
    ['ABC', 'ABC', 'ABCD', 'ABCD']
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kept = lru_cache(maxsize=most)(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if size(*args, **kwargs) > largest:
                return function(*args, **kwargs)
            return kept(*args, **kwargs)  # type: ignore[arg-type]  # a ParamSpec cannot say that arguments are Hashable

        return call

    return decorate
