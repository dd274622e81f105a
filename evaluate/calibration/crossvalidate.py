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
from evaluate.calibration.evidence import COUNTS
from evaluate.calibration.fidelities import Scores
from evaluate.calibration.model import Calibration, Trained

GROUPS: dict[str, Callable[[Trained], str]] = {
    "network": lambda each: each.evidence.network,
    "family": lambda each: each.evidence.family,
    "recipe": lambda each: each.recipe,
    # Networks of like size: with the smallest or the largest left out, the model must extrapolate.
    "size": lambda each: str(math.floor(each.evidence.counts[0] / math.log(SIZES))),
}
SIZES = 4  # multiply-adds differ by less than this factor within a group of like size
RIDGE = 0.1  # of the plain regression, on standardised log counts


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
    for out, rest in _folds(trained, group):
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
    tasks = sorted({each.task for each in trained})
    counts = np.array([each.evidence.counts for each in trained])
    of_task = np.array([[each.task == task for task in tasks] for each in trained], dtype=np.float64)
    known = np.log([each.error for each in trained])
    predicted = np.zeros(len(trained))
    for out, rest in _folds(trained, group):
        middle, spread = counts[rest].mean(0), counts[rest].std(0)
        x = np.hstack([(counts - middle) / np.where(spread > 0, spread, 1), of_task])
        penalty = np.diag([RIDGE] * len(COUNTS) + [1e-9] * len(tasks))
        solved = np.linalg.solve(x[rest].T @ x[rest] + penalty, x[rest].T @ known[rest])
        predicted[out] = x[out] @ solved
    return LeftOut(np.exp(predicted))


def _folds(trained: Sequence[Trained], group: str) -> list[tuple[list[int], list[int]]]:
    """(left out, the rest) for each value of the group, as numbers of figures."""
    names = [GROUPS[group](each) for each in trained]
    folds = []
    for name in dict.fromkeys(names):
        out = [number for number, each in enumerate(names) if each == name]
        folds.append((out, [number for number, each in enumerate(names) if each != name]))
    return folds
