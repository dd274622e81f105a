"""A plain regression of published errors on exact counts, judged on what it has not seen.

The natural log of the error is a straight line in the natural logs of the counts: the simplest rule that knows more
than one count. It is fitted to the published errors, so it is judged on networks, or on families, that were left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.1  # penalty of the squared coefficients, on standardised log counts; without one it extrapolates wildly


def folds(groups: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """(left out, the rest) for each group, as numbers of its members; the groups in the order in which they come."""
    return [
        (
            [number for number, each in enumerate(groups) if each == name],
            [number for number, each in enumerate(groups) if each != name],
        )
        for name in dict.fromkeys(groups)
    ]


def regression_left_out(
    counts: Sequence[Sequence[float]],
    errors: Sequence[float],
    groups: Sequence[str],
    levels: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """Predict every error by a ridge regression that is fitted without the network's group.

    Args:
        counts: natural logs of the counts, (networks, counts).
        errors: in percent.
        groups: what is left out together: a name for each network.
        levels: networks of one name share a level, which is not penalised; None is one level for all.

    Returns:
        Errors in percent, one a network. NaN where fewer networks are left than the regression has coefficients.
    """
    logs, known = np.array(counts, dtype=np.float64), np.log(np.array(errors, dtype=np.float64))
    names = [""] * len(errors) if levels is None else list(levels)
    level = np.array([[each == name for name in dict.fromkeys(names)] for each in names], dtype=np.float64)
    predicted = np.full(len(errors), np.nan)
    for out, rest in folds(groups):
        coefficients = logs.shape[1] + level.shape[1]
        if len(rest) < coefficients:
            continue
        middle, spread = logs[rest].mean(0), logs[rest].std(0)
        x = np.hstack([(logs - middle) / np.where(spread > 0, spread, 1), level])
        penalty = np.diag([RIDGE] * logs.shape[1] + [1e-9] * level.shape[1])
        solved = np.linalg.solve(x[rest].T @ x[rest] + penalty, x[rest].T @ known[rest])
        predicted[out] = x[out] @ solved
    errors_left_out: NDArray[np.float64] = np.exp(predicted)
    return errors_left_out
