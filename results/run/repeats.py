"""Networks that were trained again from other seeds: the columns and the band that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from results.run.pareto import admitted, numbers
from results.run.uncertainty import Uncertainty, uncertainty

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Repeated:
    """A table's networks with their trainings, and what they say of the frontier."""

    rows: NDArray[np.int64]  # places of the networks in the table, duplicates and repeats left out
    trainings: tuple[NDArray[np.float64], ...]  # their scores in percent, first the one that the search saw
    uncertainty: Uncertainty

    @property
    def members(self) -> int:
        """How many networks were trained again."""
        return sum(len(scores) > 1 for scores in self.trainings)

    @property
    def repeats(self) -> int:
        """How many trainings that took."""
        return sum(len(scores) - 1 for scores in self.trainings)


def repeated(
    frame: pd.DataFrame, limits: Mapping[str, Any], cost: str, grid: NDArray[np.float64] | None = None
) -> Repeated | None:
    """What the repeats of a table say; None if there is none.

    Args:
        frame: a table of `results.run.columns.COLUMNS`.
        limits: of the frontier's members; a run's settings.
        cost: the column that is held against top-1.
        grid: costs at which to say where the frontier runs.
    """
    complete = (frame["state"] == "complete") & frame["proxy_top1"].notna()
    again = complete & (frame["kind"] == "repeat").fillna(False) & frame["repeat_of"].notna()
    if not again.any():
        return None
    prices = numbers(frame, cost).astype(np.float64)
    once = complete & ~again & (frame["kind"] != "repeat").fillna(True) & frame["duplicate_of"].isna() & (prices > 0)
    rows = np.flatnonzero(once.to_numpy())
    more = frame[again].groupby("repeat_of")["proxy_top1"].apply(list).to_dict()
    trainings = tuple(
        np.array([score, *more.get(trial, [])])
        for trial, score in zip(frame["trial"].iloc[rows], frame["proxy_top1"].iloc[rows], strict=True)
    )
    if all(len(scores) == 1 for scores in trainings):
        return None  # they repeat what this table does not hold
    within = ~np.isnan(admitted(frame, limits))[rows]
    places = np.array([]) if grid is None else grid
    return Repeated(rows, trainings, uncertainty(prices[rows], trainings, within, places))


def fill_repeats(frame: pd.DataFrame, limits: Mapping[str, Any], cost: str) -> None:
    """Write the columns trainings, mean_top1, expected_top1 and p_frontier; without repeats they stay missing."""
    found = repeated(frame, limits, cost)
    if found is None:
        return
    index = frame.index[found.rows]
    frame.loc[index, "trainings"] = [len(scores) for scores in found.trainings]
    means = [scores.mean() if len(scores) > 1 else np.nan for scores in found.trainings]
    frame.loc[index, "mean_top1"] = means
    frame.loc[index, "expected_top1"] = found.uncertainty.expected
    frame.loc[index, "p_frontier"] = found.uncertainty.p_frontier
