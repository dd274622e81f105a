"""Which networks are alike: the covariance of their errors, part by part, before any error is known.

Errors are log-odds here, ln(error / (100 - error)): recipes and improvements act on them by factors, and no
prediction leaves 0 to 100 %. Two networks' errors vary together by the sum of

================  ==========================================================================================
`trend`           more of a count is better by so much; a power law, so that each doubling gains less
`bend`            how fast gains shrink is not known well, which matters far below and above all known networks
`near`            networks of like counts are alike, whatever the trend
`family near`     the same, within one family
`family`          a family is better or worse than its counts say
`network`         so is one network, in all trainings
`recipe`          a recipe (code, schedule, augmentation) is better or worse
`recipe slope`    a recipe gains more on large networks
`task slope`      so does a task: 100 classes instead of 10
`noise`           one training differs from the next
================  ==========================================================================================

each times the square of its deviation. `PRIORS` has how large these are expected to be, and how sure that is: with few
networks every free number costs, so the priors are strong. Length scales and the power are fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.calibration.evidence import Evidence

Array = NDArray[np.float64]
NETWORK_PARTS = (
    "trend",
    "bend",
    "near",
    "family near",
    "family",
    "network",
)  # what is of the network, not of its training
PARTS = (*NETWORK_PARTS, "recipe", "recipe slope", "task slope", "noise")
LEVEL = 2.0  # deviation of what is the same for all: the mean level of a task is left to the figures
SATURATION, FASTER = (
    0.3,
    0.6,
)  # how fast gains shrink, a unit of scaled log count; 0 would be a straight line in the logs
NEAR, FAMILY_NEAR = 0.7, 1.3  # length scales, in units of scaled log counts
APART, APART_SLOPE = 0.25, 0.05  # deviations of recipes that are known to be of another kind


@dataclass(frozen=True)
class Prior:
    """How errors are expected to vary.

    Attributes:
        centre: the middle of the natural logs of `COUNTS`, where a scaled log count is 0.
        scale: their spread, by which they are divided; fixed, so that nothing of a network left out is in them.
        reach: how much each count may matter in the trend, beside the others.
        deviations: for each of `PARTS` its deviation in log-odds, and the deviation of its log: how sure that is.
        apart: recipes that are of another kind: they tell networks apart, but say nothing of the others' level.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    reach: tuple[float, ...]
    deviations: dict[str, tuple[float, float]]
    apart: frozenset[str] = frozenset()

    def scaled(self, evidence: Sequence[Evidence]) -> Array:
        """(networks, counts): scaled log counts."""
        counts = np.array([each.counts for each in evidence], dtype=np.float64).reshape(-1, len(self.centre))
        scaled: Array = (counts - np.array(self.centre)) / np.array(self.scale)
        return scaled


@dataclass(frozen=True, eq=False)
class Rows:
    """Networks as the covariance needs them: arrays with one entry a row."""

    z: Array  # (rows, counts), scaled log counts
    gain: Array  # the same after the power law, times `Prior.reach`
    bend: Array  # (rows,), what a faster power law would give more, mean over the counts
    family: NDArray[np.str_]
    network: NDArray[np.str_]

    @classmethod
    def of(cls, evidence: Sequence[Evidence], prior: Prior) -> Rows:
        """Arrange networks in rows."""
        z = prior.scaled(evidence)
        reach = np.array(prior.reach)
        slow, fast = (reach * _gain(z, power) for power in (SATURATION, FASTER))
        family, network = ([getattr(each, name) for each in evidence] for name in ("family", "network"))
        bend = (fast - slow).sum(1) / reach.sum()
        return cls(z, slow, bend, np.array(family, dtype=np.str_), np.array(network, dtype=np.str_))

    @property
    def size(self) -> Array:
        """(rows,): the scaled log of the multiply-adds, along which recipes and tasks have slopes."""
        size: Array = self.z[:, 0]
        return size


def _gain(z: Array, power: float) -> Array:
    # Below any real network the power law would overflow: there nothing changes any more.
    gain: Array = (1 - np.exp(-power * np.maximum(z, -12))) / power
    return gain


def equal(a: NDArray[np.str_], b: NDArray[np.str_]) -> Array:
    """(a, b): 1 where two names are equal, else 0."""
    same: Array = (a[:, None] == b[None, :]).astype(np.float64)
    return same


def network_parts(a: Rows, b: Rows) -> dict[str, Array]:
    """(a, b) for each of `NETWORK_PARTS`, before it is multiplied by its variance."""
    distance = np.maximum((a.z**2).sum(1)[:, None] + (b.z**2).sum(1)[None, :] - 2 * a.z @ b.z.T, 0)
    family = equal(a.family, b.family)
    return {
        "trend": a.gain @ b.gain.T,
        "bend": np.outer(a.bend, b.bend),
        "near": np.exp(-0.5 * distance / NEAR**2),
        "family near": family * np.exp(-0.5 * distance / FAMILY_NEAR**2),
        "family": family,
        "network": equal(a.network, b.network),
    }


def own_variance(rows: Rows, deviations: dict[str, float]) -> Array:
    """(rows,): the diagonal of the summed `network_parts`, without the matrix."""
    same = sum(deviations[part] ** 2 for part in NETWORK_PARTS if part not in ("trend", "bend"))
    trend = deviations["trend"] ** 2 * (rows.gain**2).sum(1) + deviations["bend"] ** 2 * rows.bend**2
    variance: Array = trend + same
    return variance


PRIORS: dict[str, Prior] = {
    # centre and scale: about the middle and the spread of the published networks
    "imagenet": Prior(
        centre=(22.5, 17.2, 16.3, 4.3),
        scale=(1.2, 0.9, 0.8, 0.75),
        reach=(0.7, 0.7, 1.4, 0.7),  # activations alone order networks better than any other count
        deviations={
            "trend": (0.08, 0.5),
            "bend": (0.02, 0.3),
            "near": (0.015, 0.2),
            "family near": (0.03, 0.3),
            "family": (0.05, 0.2),
            "network": (0.01, 0.7),
            "recipe": (0.03, 0.5),
            "recipe slope": (0.01, 0.7),
            "task slope": (0.03, 0.5),
            "noise": (0.006, 0.5),
        },
        apart=frozenset({"torchvision modern"}),
    ),
    "cifar": Prior(
        centre=(20.0, 15.5, 15.5, 3.9),
        scale=(1.5, 1.5, 1.0, 1.0),
        # Depth helps networks with pre-activation or dense connections and harms others: little is left to it.
        reach=(0.7, 0.7, 1.4, 0.15),
        deviations={
            "trend": (0.15, 0.5),
            "bend": (0.02, 0.3),
            "near": (0.04, 0.2),
            "family near": (0.08, 0.3),
            "family": (0.12, 0.2),
            "network": (0.02, 0.7),
            "recipe": (0.06, 0.5),
            "recipe slope": (0.01, 0.7),
            "task slope": (0.03, 0.5),
            "noise": (0.02, 0.5),
        },
    ),
}
