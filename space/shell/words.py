"""Amounts, times and sentences as people read them."""

from __future__ import annotations


def amount(count: int, noun: str) -> str:
    """As in: 1 network, 2,000 networks."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float, whole: float | None = None) -> str:
    """A time in one unit: 0.4 s, 40 s, 25 min, 5.2 h, 3.1 days.

    Args:
        seconds: the time.
        whole: what it is a part of; it has the unit of the whole then, and one decimal: 0.5 of 25 min.
    """
    unit, name = time_unit(seconds if whole is None else whole)
    decimals = 1 if whole is not None or seconds < 10 or unit >= 3600 else 0
    return f"{seconds / unit:.{decimals}f} {name}"


def time_unit(seconds: float) -> tuple[float, str]:
    """The unit that a time is read in, in seconds, and its name."""
    for limit, unit, name in ((100, 1, "s"), (100 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return float(unit), name
    return 86400.0, "days"


def capital(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
