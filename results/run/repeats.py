"""Networks that were trained again from other seeds: the columns and the band that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.run.objective import one_objective
from results.run.pareto import admitted, numbers
from results.run.uncertainty import Uncertainty, uncertainty
from space.shell.scores import Z


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


def gathered(frame: pd.DataFrame, cost: str) -> tuple[NDArray[np.int64], tuple[NDArray[np.float64], ...]] | None:
    """Places of a table's networks and the scores of their trainings; None if none was trained twice.

    Args:
        frame: a table of `results.run.columns.COLUMNS`.
        cost: the column that is held against top-1; networks without it are left out.
    """
    complete = (frame["state"] == "complete") & frame["proxy_top1"].notna()
    again = complete & (frame["kind"] == "repeat").fillna(False) & frame["repeat_of"].notna()
    if not again.any():
        return None
    known = numbers(frame, cost) > 0
    once = complete & ~again & (frame["kind"] != "repeat").fillna(True) & frame["duplicate_of"].isna() & known
    rows = np.flatnonzero(once.to_numpy())
    more = frame[again].groupby("repeat_of")["proxy_top1"].apply(list).to_dict()
    trainings = tuple(
        np.array([score, *more.get(trial, [])])
        for trial, score in zip(frame["trial"].iloc[rows], frame["proxy_top1"].iloc[rows], strict=True)
    )
    if all(len(scores) == 1 for scores in trainings):
        return None  # they repeat what this table does not hold
    return rows, trainings


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
    known = gathered(frame, cost)
    if known is None:
        return None
    rows, trainings = known
    prices = numbers(frame, cost).astype(np.float64)
    within = ~np.isnan(admitted(frame, limits))[rows]
    places = np.array([]) if grid is None else grid
    found = uncertainty(prices[rows], trainings, within, places, one_objective=one_objective(limits))
    return Repeated(rows, trainings, found)


def fill_repeats(frame: pd.DataFrame, limits: Mapping[str, Any], cost: str) -> None:
    """Write the columns from trainings to compared; without repeats they stay missing.

    The interval is that over seeds, widened by the standard error of the held-out images. Seeds are tried on the same
    images, which is a part of both, so it is a little too wide.
    """
    found = repeated(frame, limits, cost)
    if found is None:
        return
    index = frame.index[found.rows]
    frame.loc[index, "trainings"] = [len(scores) for scores in found.trainings]
    means = [scores.mean() if len(scores) > 1 else np.nan for scores in found.trainings]
    frame.loc[index, "mean_top1"] = means
    frame.loc[index, "expected_top1"] = found.uncertainty.expected
    about = found.uncertainty
    images = Z * np.nan_to_num(numbers(frame, "proxy_se")[found.rows])
    frame.loc[index, "expected_low"] = np.maximum(about.expected - np.hypot(about.expected - about.low, images), 0.0)
    frame.loc[index, "expected_high"] = np.minimum(
        about.expected + np.hypot(about.high - about.expected, images), 100.0
    )
    frame.loc[index, "p_frontier"] = about.p_frontier
    frame.loc[index, "compared"] = about.compared
