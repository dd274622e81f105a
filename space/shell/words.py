"""Amounts, times and sentences as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def amount(count: int, noun: str, plural: str | None = None) -> str:
    """As in: 1 network, 2,000 networks, 3 proxies."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


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


def proxy_words(recipe: Mapping[str, Any], reference: int | None = None) -> str:
    """What a recipe trains, as in: proxies at 1/3,150 of the cost.

    Args:
        recipe: its JSON.
        reference: multiply-adds of the network whose proxy costs `proxy_macs`; None says that number alone.
    """
    macs = recipe.get("proxy_macs")
    if macs is None:
        return "whole networks"
    if reference is None:
        return f"proxy_macs {macs:,}"
    part = float(f"{reference / macs:.3g}")  # three digits
    return "proxies of the full cost" if part <= 1 else f"proxies at 1/{part:,.{0 if part >= 100 else 1}f} of the cost"
