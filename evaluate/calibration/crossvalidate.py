"""The model, and a plain regression, on networks, families, recipes and sizes that they have not seen.

Of each group in turn every figure is left out, the model is fitted anew to the rest, deviations and all, and the
group's figures are predicted as trainings by unknown recipes. What was seen of it all the same: the constants of
`evaluate.calibration.covariance` were chosen by someone who knew these figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.calibration.covariance import Array, Prior
from evaluate.calibration.fidelities import Scores
from evaluate.calibration.model import Calibration, Trained
from evaluate.fidelity.regression import folds, regression_left_out

GROUPS: dict[str, Callable[[Trained], str]] = {
    "network": lambda each: each.evidence.network,
    "family": lambda each: each.evidence.family,
    "recipe": lambda each: each.recipe,
    # Networks of like size: with the smallest or the largest left out, the model must extrapolate.
    "size": lambda each: str(math.floor(each.evidence.counts[0] / math.log(SIZES))),
}
SIZES = 4  # multiply-adds differ by less than this factor within a group of like size


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Predictions in percent of error, a figure each; the ends are None where a rule gives no interval."""

    error: Array
    ends50: tuple[Array, Array] | None = None
    ends95: tuple[Array, Array] | None = None


def leave_out(trained: Sequence[Trained], group: str, prior: Prior, scores: Sequence[Scores] = ()) -> LeftOut:
    """Predict every figure by the model without its group.

    Args:
        trained: the truth.
        group: one of `GROUPS`.
        prior: of the model.
        scores: of any networks; those of the group stay, for scores are had without its truth.
    """
    values = np.zeros((5, len(trained)))
    for out, rest in folds([GROUPS[group](each) for each in trained]):
        model = Calibration.fit([trained[number] for number in rest], prior, scores)
        for task in sorted({trained[number].task for number in out}):
            here = [number for number in out if trained[number].task == task]
            forecast = model.predict([trained[number].evidence for number in here], task)
            values[:, here] = np.stack([forecast.error, *forecast.interval(0.5), *forecast.interval(0.95)])
    return LeftOut(values[0], (values[1], values[2]), (values[3], values[4]))


def leave_out_ridge(trained: Sequence[Trained], group: str) -> LeftOut:
    """The same by a plain ridge regression of log error on the log counts, which knows nothing of recipes.

    Tasks have levels of their own.
    """
    predicted = regression_left_out(
        [each.evidence.counts for each in trained],
        [each.error for each in trained],
        [GROUPS[group](each) for each in trained],
        [each.task for each in trained],
    )
    return LeftOut(predicted)
