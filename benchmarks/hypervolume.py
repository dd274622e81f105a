"""How good a search is, after each of its evaluations: hypervolume of a frontier, best top-1 at a fixed cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from space.solving.axes import LEAST_SPENT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """What hypervolumes are measured against.

    The reference point is (`floor`, `budget`). What costs a little less than the least that the space's frontier mode
    spends (`LEAST_SPENT` of the budget) counts as if it cost that: nothing is gained beyond the axis.
    """

    budget: int  # multiply-adds
    floor: float  # percent of top-1: the worst network of the survey

    @property
    def decades(self) -> float:
        """Width of the cost axis, in powers of ten."""
        return -math.log10(LEAST_SPENT)

    def hypervolumes(self, top1: Floats, macs: Floats, judged: Floats | None = None) -> Floats:
        """After each network, the hypervolume of the frontier of (top-1 up, log10 MACs down) found until then.

        Divided by the width of the cost axis it is in points of top-1: by how much the best network at or below a
        cost is above the floor, on average over the (logarithmic) cost axis.

        Args:
            top1: percent; NaN for a network that does not count (stopped early, off the range of costs).
            macs: of the same networks.
            judged: what the networks on the frontier count with, if it is not the top-1 that put them there.
        """
        costs = np.log10(np.maximum(macs, LEAST_SPENT * self.budget))
        judged = top1 if judged is None else judged
        front = np.empty((0, 3))
        reached, values = 0.0, []
        for score, cost, worth in zip(top1, costs, judged, strict=True):
            if np.isfinite(score) and not ((front[:, 0] >= score) & (front[:, 1] <= cost)).any():
                front = front[(front[:, 0] > score) | (front[:, 1] < cost)]
                front = np.vstack([front, (score, cost, worth)])
                reference = (self.floor, math.log10(self.budget))
                reached = moocore.hypervolume(front[:, [2, 1]], reference, maximise=[True, False])
            values.append(reached / self.decades)
        return np.array(values)

    def best(self, top1: Floats, judged: Floats | None = None) -> Floats:
        """After each network, the best top-1 so far, or what it is judged by; the floor before any network counts."""
        highest = np.maximum.accumulate(np.fmax(top1, self.floor))
        if judged is None:
            return highest
        winners = np.maximum.accumulate(np.where(top1 == highest, np.arange(len(top1)), -1))
        return np.where(winners < 0, self.floor, judged[winners])
