"""Spans of time as people write them."""

import re
from datetime import timedelta
from typing import Final

_DAYS: Final = {"m": 1 / 1_440, "h": 1 / 24, "d": 1, "w": 7, "y": 365}


def span(text: str) -> timedelta:
    """A span of time: a number and one of m, h, d, w, y (365 days).

    Raises:
        ValueError: It is none.

    >>> span("90d"), span("12h")
    (datetime.timedelta(days=90), datetime.timedelta(seconds=43200))
    """
    found = re.fullmatch(r"([0-9]{1,6})([mhdwy])", text)
    if found is None:
        raise ValueError("not a span of time such as 90d, 12h or 1y")
    return int(found[1]) * timedelta(days=_DAYS[found[2]])
