"""How good the frontier of a run is, as one number: which networks count, over which axis of costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from results.run.objective import Objective
from results.run.pareto import admitted, hypervolume, numbers
from results.run.run import Run
from space.solving.axes import LEAST_SPENT


def axis_of(runs: Sequence[Run], cost: Objective) -> tuple[float, float]:
    """The axis of costs that hypervolumes of these runs are measured over, in the unit of the cost's column.

    Of multiply-adds it goes from the least that a search of the smallest budget spends to the largest budget; of other
    costs, which a run has no budget of, from the cheapest network of the runs to the costliest.
    """
    if cost.name == "macs":
        budgets = [run.budget_macs for run in runs]
        return LEAST_SPENT * min(budgets), float(max(budgets))
    prices = np.concatenate([_points(run, run.networks(), cost)[1] for run in runs])
    if not len(prices):
        return cost.unit / 10, cost.unit
    low, high = float(prices.min()), float(prices.max())
    return (low, high) if low < high else (high / 10, high)


def hypervolume_of(run: Run, cost: Objective, axis: tuple[float, float]) -> float:
    """The hypervolume of a run's frontier; see `results.run.pareto.hypervolume`."""
    return hypervolume(*_points(run, run.networks(), cost), axis)


def growth(run: Run, rows: pd.DataFrame, cost: Objective, axis: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """After each row of the run's table: hypervolume and best top-1 of what is within the run's limits until then."""
    front: list[tuple[float, float]] = []
    reached = best = 0.0
    top1, prices = admitted(rows, run.settings), numbers(rows, cost.column)
    for score, price in zip(top1.tolist(), prices.tolist(), strict=True):
        if score == score and price == price and not any(high >= score and cheap <= price for high, cheap in front):
            front = [(high, cheap) for high, cheap in front if high > score or cheap < price] + [(score, price)]
            reached = hypervolume([high for high, _ in front], [cheap for _, cheap in front], axis)
            best = max(best, score)
        yield reached, best


def _points(run: Run, rows: pd.DataFrame, cost: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Top-1 and cost of the rows that may be on the frontier and have that cost."""
    top1, prices = admitted(rows, run.settings), numbers(rows, cost.column)
    known = ~(np.isnan(top1) | np.isnan(prices))
    return top1[known], prices[known]
