"""`Budget` and `parse_count`: the only place where text such as "4.1GFLOPs" or "25M" is read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

CONVENTION = "1 FLOP here is one multiply-add of a convolution or linear weight, as in the papers"

_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_NUMBER = r"([0-9.][0-9._]*(?:e[+-]?[0-9]+)?)\s*([kmgt]?)\s*"
_EXAMPLE = 'type for example "4.1GFLOPs", "600M" or "4.1e9"'
LOW, HIGH = 1_000_000, 10**13


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of compute for one image, in multiply-adds."""

    macs: int

    def __post_init__(self) -> None:
        if type(self.macs) is not int or not LOW <= self.macs <= HIGH:
            raise ValueError(f"budget of {self.macs} multiply-adds: expected 1M to 10T; {_EXAMPLE}")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read "4.1GFLOPs", "4.1 GMACs", "600M", "4.1e9", "0.6G": FLOPs and MACs are the same thing here.

        Raises:
            ValueError: for anything else, and for budgets that are not positive, not finite or absurd.
        """
        macs = _amount(text, r"(?:flops?|macs?)?")
        if macs is None:
            raise ValueError(f"budget {text!r} is not an amount of compute: {_EXAMPLE}")
        if not LOW <= macs <= HIGH:
            raise ValueError(f"budget {text!r} is {macs:.3g} multiply-adds: expected 1M to 10T; {_EXAMPLE}")
        return cls(round(macs))

    def __str__(self) -> str:
        return f"{gflops(self.macs)}FLOPs"


def parse_count(text: str, flag: str) -> int:
    """Read a number of things: "25M", "25.6M", "25_000_000", "1.5e7".

    Raises:
        ValueError: for anything else, and for counts below 1 or absurd; it begins with `flag`.
    """
    count = _amount(text)
    if count is None or not 1 <= count <= HIGH:
        raise ValueError(f"{flag} {text!r}: expected a number from 1 to 10T, for example {flag} 25.6M")
    return round(count)


def _amount(text: str, unit: str = "") -> float | None:
    """A finite number with k, M, G or T, and the unit where one is allowed; None if the text is none."""
    match = re.fullmatch(_NUMBER + unit, text.strip(), re.IGNORECASE)
    if match is None:
        return None
    try:
        number = float(match[1])
    except ValueError:  # "4.1.2"
        return None
    return number * _SCALE[match[2].lower()] if math.isfinite(number) else None


def gflops(macs: float) -> str:
    """A short form of an amount of multiply-adds: "4.09G", "620M"."""
    for scale, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if macs >= scale:
            value = macs / scale
            return f"{value:.2f}".rstrip("0").rstrip(".") + unit if value < 100 else f"{value:.0f}{unit}"
    return f"{macs:.0f}"
