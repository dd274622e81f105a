"""What networks of a cost score as a rule: a robust local line through scores against log cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from results.analysis.bootstrap import ALIKE, Floats

SPAN = 0.5  # part of the networks that each local line is fitted to
LINE = 20  # ... if it is not less than this
FEW = 10  # networks below which the rule is their median
_ANCHORS, _ROUNDS = 33, 3


@dataclass(frozen=True, eq=False)
class Trend:
    """Scores at some costs; lines between."""

    costs: Floats  # (anchors,), rising
    scores: Floats  # (anchors,), percent

    def at(self, costs: Floats) -> Floats:
        """What networks of these costs score as a rule; beyond the ends as there."""
        found: Floats = np.interp(np.log(costs), np.log(self.costs), self.scores)
        return found


def trend(costs: Floats, scores: Floats) -> Trend:
    """LOWESS (Cleveland 1979) of the scores against log cost.

    At each of 33 costs a line is fitted to the nearest half of the networks (20 at least, or all), with tricube
    weights for nearness and bisquare weights against networks that learned nothing. One median where all networks
    cost nearly the same or there are too few for lines.

    Args:
        costs: (networks,), above zero; at least one.
        scores: (networks,), percent.
    """
    if len(costs) < FEW or costs.max() <= ALIKE * costs.min():
        return Trend(np.array([costs.min()]), np.array([np.median(scores)]))
    x = np.log(costs)
    anchors = np.linspace(x.min(), x.max(), _ANCHORS)
    away = np.abs(x[None, :] - anchors[:, None])
    nearest = min(len(x), max(LINE, round(SPAN * len(x)))) - 1
    reach = np.partition(away, nearest, axis=1)[:, nearest]
    near = (1 - np.minimum(away / np.maximum(reach, 1e-9)[:, None], 1) ** 3) ** 3
    robust = np.ones(len(x))
    for _ in range(_ROUNDS):
        fitted = _lines(x, scores, near * robust, anchors)
        left = scores - np.interp(x, anchors, fitted)
        scale = 6 * max(float(np.median(np.abs(left))), 1e-9)
        robust = np.maximum(1 - (left / scale) ** 2, 0) ** 2
    return Trend(np.exp(anchors), fitted)


def _lines(x: Floats, y: Floats, weight: Floats, anchors: Floats) -> Floats:
    """The weighted least-squares line of each anchor, at the anchor."""
    total = np.maximum(weight.sum(axis=1), 1e-12)
    mean_x, mean_y = weight @ x / total, weight @ y / total
    spread = weight @ x**2 / total - mean_x**2
    slope = np.where(spread > 1e-12, (weight @ (x * y) / total - mean_x * mean_y) / np.maximum(spread, 1e-12), 0.0)
    found: Floats = mean_y + slope * (anchors - mean_x)
    return found
