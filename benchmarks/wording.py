"""Numbers as people read them."""

from benchmarks.timing import Seconds


def duration(seconds: Seconds) -> str:
    """A time in the unit that suits it.

    >>> [duration(one) for one in (0.0000042, 0.000042, 0.0042, 4.2, 33.3)]
    ['4.2 µs', '42 µs', '4.2 ms', '4.2 s', '33 s']
    """
    for unit, factor in (("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * factor:
            return f"{brief(seconds / factor)} {unit}"
    return f"{brief(seconds)} s"


def brief(number: float) -> str:
    """A number with two or three digits that count.

    >>> [brief(one) for one in (0.25, 4, 4.25, 42.4, 1234.5)]
    ['0.25', '4', '4.2', '42', '1,234']
    """
    if number >= 9.95:
        return f"{number:,.0f}"
    return f"{number:.1f}".removesuffix(".0") if number >= 0.995 else f"{number:.2f}"


def size(count: float) -> str:
    """A number of bytes.

    >>> [size(one) for one in (444, 3800, 1_874_196)]
    ['444 B', '3.8 kB', '1.9 MB']
    """
    if abs(count) < 1_000:
        return f"{count:.0f} B"
    return f"{count / 1e3:,.1f} kB" if abs(count) < 1_000_000 else f"{count / 1e6:,.1f} MB"
