"""How far a share of images tells the truth: standard errors and intervals of scores. Plain numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

FEW = 500  # held-out images below which scores say little: a standard error of up to 2.2 points
FAMILIAR_FROM = 0.5  # a network that is less familiar is far from all known ones of its family
Z = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution


class Interval(NamedTuple):
    """A mean and its 95 % interval; the ends are None where one value, or one seed, says nothing of it."""

    mean: float
    low: float | None
    high: float | None

    def within(self, low: float, high: float) -> Interval:
        """The interval cut to what is possible."""
        if self.low is None or self.high is None:
            return self
        return Interval(self.mean, max(low, self.low), min(high, self.high))

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + ("" if self.low is None else f" [{self.low:.1f}, {self.high:.1f}]")


def standard_error(top1: float, images: int) -> float:
    """Standard error of a top-1, in points, from the number of images alone: sqrt(p (1 - p) / n).

    A score of 0 or 100 % has the error of a score that is one image away from it, and not none.

    Args:
        top1: percent.
        images: how many it is a percentage of.
    """
    share = min(max(top1 / 100, 1 / images), 1 - 1 / images) if images > 1 else 0.5
    return 100 * math.sqrt(share * (1 - share) / images)


def score_text(top1: float, images: int | None, decimals: int = 1) -> str:
    """A score with its standard error, as in "41.2 ± 0.7"; without one where the number of images is unknown."""
    if not images:
        return f"{top1:.{decimals}f}"
    return f"{top1:.{decimals}f} ± {standard_error(top1, images):.{decimals}f}"


def few_text(images: int) -> str:
    """What has to be said of scores on fewer than `FEW` held-out images; empty for more."""
    if images >= FEW:
        return ""
    return (
        f"only {images} images are held out: a score has a standard error of up to {standard_error(50, images):.1f} "
        f"points, so smaller differences tell nothing; {FEW} or more are better"
    )


def wilson(share: float, trials: float, z: float = Z) -> tuple[float, float]:
    """Wilson's interval of a share, 95 % unless told otherwise: of few trials that all agree it is no point.

    Wilson 1927, J. Am. Stat. Assoc. 22.

    Args:
        share: from 0 to 1, of the trials that came out one way.
        trials: how many; above 0, and no whole number where they depend on each other.
        z: standard deviations.
    """
    square = z * z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)
