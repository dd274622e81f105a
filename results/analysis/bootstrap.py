"""What samples of networks tell and what may be chance: weights at like cost, bands, differences, ranges of the best.

Groups are compared as in "On Network Design Spaces for Visual Recognition" (Radosavovic et al., arXiv:1905.13214,
"Controlling for complexity"): costs are cut into bins, and a network in a bin with m others of its group weighs
1 / (bins * m). Bins hold equal parts of all networks and not equal parts of the range, so that few networks suffice;
bins that a group hardly reaches are left out for all groups. The range of the best is the empirical bootstrap of
"Designing Network Design Spaces" (arXiv:2003.13678), worked out exactly and not by drawing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALIKE = 1.1  # costs within this factor are one cost
NARROW = 1.5  # about the widest bin, as a factor of costs
MOST_BINS, IN_BIN, LEAST_IN_BIN = 10, 5, 2  # bins; networks a bin, on average in the smallest group, and at least
TIMES = 400  # resamples
SURE = 0.95
SHARE = 0.25  # of the networks, in each resample of the best
_CHUNK = 200_000  # numbers at once: what the processor's cache holds
_ROUNDING = 1e-9


def cost_bins(costs: Floats, groups: Ints) -> Ints:
    """The bin of costs that each network is in, so that its group can be compared with the others.

    Args:
        costs: (networks,), above zero.
        groups: (networks,), the group of each: 0, 1, ... without gaps.

    Returns:
        (networks,), bins 0, 1, ... without gaps; -1 for networks at costs that some group hardly has. All are -1
        where the groups have no costs in common.
    """
    smallest = int(np.bincount(groups).min())
    spread = float(costs.max() / costs.min())
    count = 1
    if spread > ALIKE:
        count = min(MOST_BINS, max(math.ceil(math.log(spread, NARROW)), smallest // IN_BIN))
    edges = np.quantile(costs, np.arange(1, count) / count)
    bins = np.searchsorted(edges, costs, side="right")
    members = np.zeros((int(groups.max()) + 1, count), dtype=np.int64)
    np.add.at(members, (groups, bins), 1)
    common = (members >= LEAST_IN_BIN).all(axis=0)
    named = np.where(common, np.cumsum(common) - 1, -1)
    found: Ints = named[bins]
    return found


def weights(bins: Ints) -> Floats:
    """Weights of one group's networks that sum to one, every bin having the same part of it."""
    members = np.bincount(bins)
    return 1.0 / (np.count_nonzero(members) * members[bins])


def share_below(values: Floats, weight: Floats, grid: Floats) -> Floats:
    """The weighted part of `values` that is at most each of `grid`: the empirical distribution function."""
    order = np.argsort(values)
    summed = np.concatenate([[0.0], np.cumsum(weight[order])])
    shares: Floats = summed[np.searchsorted(values[order], grid, side="right")]
    return shares


def median(values: Floats, weight: Floats) -> float:
    """The least value at or below which half of the weight is."""
    order = np.argsort(values)
    return float(values[order][_half(weight[order][None, :])[0]])


def interval(values: Floats, sure: float = SURE) -> tuple[float, float]:
    """The middle `sure` part of them."""
    low, high = np.quantile(values, [(1 - sure) / 2, (1 + sure) / 2])
    return float(low), float(high)


# ------------------------------------------------------------------------------------------------ resampling


@dataclass(frozen=True, eq=False)
class Estimate:
    """One group's distribution of errors, and how far its networks tell it."""

    share: Floats  # (grid,), part of the networks at or below each error
    low: Floats  # (grid,), 95 % of the resamples lie between `low` and `high`
    high: Floats
    median: float
    medians: Floats  # (resamples,)


def estimate(errors: Floats, bins: Ints, grid: Floats, rng: np.random.Generator, times: int = TIMES) -> Estimate:
    """The weighted distribution of a group's errors with its bootstrap over networks.

    Every resample is weighted anew, as the networks that it has fill the bins.

    Args:
        errors: (networks,).
        bins: (networks,), of `cost_bins`, none -1.
        grid: the errors to tell the distribution at.
        rng: all that is random.
        times: how many resamples.
    """
    order = np.argsort(errors, kind="stable")
    errors, bins = errors[order], bins[order]
    places = np.searchsorted(errors, grid, side="right") - 1  # the last network at or below; -1 for none
    shares, middles = [], []
    for weight in _resampled(bins, times, rng):
        summed = np.cumsum(weight, axis=1)
        shares.append(np.where(places >= 0, summed[:, np.maximum(places, 0)], 0.0))
        middles.append(errors[_half(weight)])
    low, high = np.quantile(np.concatenate(shares), [(1 - SURE) / 2, (1 + SURE) / 2], axis=0)
    whole = weights(bins)
    return Estimate(share_below(errors, whole, grid), low, high, median(errors, whole), np.concatenate(middles))


def _resampled(bins: Ints, times: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Weights of `times` samples of the networks with replacement, as rows of small arrays."""
    networks = len(bins)
    member = np.zeros((networks, int(bins.max()) + 1))
    member[np.arange(networks), bins] = 1.0
    rows = max(1, _CHUNK // networks)
    for start in range(0, times, rows):
        count = min(rows, times - start)
        drawn = rng.integers(networks, size=(count, networks)) + networks * np.arange(count)[:, None]
        taken = np.bincount(drawn.ravel(), minlength=count * networks).reshape(count, networks).astype(np.float64)
        inside = taken @ member
        filled = np.count_nonzero(inside, axis=1)[:, None]
        yield taken / (np.maximum(inside, 1.0)[:, bins] * filled)


def _half(weight: Floats) -> Ints:
    """The first place of each row at which half of its weight is reached."""
    places: Ints = (np.cumsum(weight, axis=1) >= 0.5 - _ROUNDING).argmax(axis=1)
    return places


# ------------------------------------------------------------------------------------------------ the best


def chances(scores: Floats, share: float = SHARE) -> Floats:
    """How likely each network is the best of a sample.

    Args:
        scores: (networks,), more is better.
        share: the size of a sample, drawn with replacement, as a part of all networks.

    Returns:
        (networks,), their sum is one. What the bootstrap of arXiv:2003.13678 comes to if repeated without end: of n
        networks all m of a sample are behind the r-th with probability (1 - r/n)^m. Equal scores share theirs.
    """
    count = len(scores)
    size = max(1, round(share * count))
    behind = (1 - np.arange(count + 1) / count) ** size
    chance = np.empty(count)
    chance[np.argsort(-scores, kind="stable")] = behind[:-1] - behind[1:]
    _, equal, members = np.unique(scores, return_inverse=True, return_counts=True)
    shared: Floats = (np.bincount(equal, weights=chance) / members)[equal]
    return shared


def best_range(values: Floats, scores: Floats, share: float = SHARE) -> tuple[float, float, float]:
    """The best network's value of an axis: lower end, median and upper end of 95 % of the samples."""
    order = np.argsort(values)
    summed = np.cumsum(chances(scores, share)[order])
    low, middle, high = (
        float(values[order][int((summed >= part - _ROUNDING).argmax())])
        for part in ((1 - SURE) / 2, 0.5, (1 + SURE) / 2)
    )
    return low, middle, high
