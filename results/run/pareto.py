"""The exact accuracy-vs-cost frontier, and the area below it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from results.run.objective import BEST, by_expected


def frontier(top1: ArrayLike, cost: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other point beats: nothing else has at least their top-1 for at most their cost.

    Of equal points the first is kept. A point with NaN is never kept and beats nothing. O(n log n).

    Args:
        top1: n accuracies, higher is better.
        cost: n multiply-adds or milliseconds, lower is better.

    Returns:
        A mask of n booleans, in the order of the input.

    Raises:
        ValueError: if the two differ in length.
    """
    accuracy, price = np.asarray(top1, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    if accuracy.shape != price.shape or accuracy.ndim != 1:
        raise ValueError(f"top1 has shape {accuracy.shape} and cost {price.shape}: expected two lists of one length")
    mask = np.zeros(len(accuracy), dtype=np.bool_)
    known = np.flatnonzero(~(np.isnan(accuracy) | np.isnan(price)))
    if not len(known):
        return mask
    # By cost, the best first at equal cost, the earliest first at equal points (lexsort is stable).
    order = known[np.lexsort((-accuracy[known], price[known]))]
    climbing = accuracy[order]
    keep = np.ones(len(order), dtype=np.bool_)
    keep[1:] = climbing[1:] > np.maximum.accumulate(climbing)[:-1]
    mask[order[keep]] = True
    return mask


def hypervolume(top1: ArrayLike, cost: ArrayLike, axis: tuple[float, float]) -> float:
    """How high the frontier is on average over a logarithmic axis of costs, in points of top-1.

    At every cost of the axis the frontier has the best top-1 of what costs that or less, 0 where there is nothing. So
    the reference point is (0 % top-1, the axis' end), and the hypervolume is divided by the axis' width. What costs
    less than the axis' begin counts as if it cost that, what costs more than its end does not count. Exact.

    Args:
        top1: n accuracies in percent; NaN for what does not count.
        cost: n costs above 0.
        axis: least and most cost.

    Raises:
        ValueError: if the lists differ in length, or the axis is none.
    """
    low, high = axis
    if not 0 < low < high:
        raise ValueError(f"an axis of costs from {low:g} to {high:g}: expected two numbers above 0, the least first")
    accuracy, price = np.asarray(top1, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    members = np.flatnonzero(frontier(np.where(price <= high, accuracy, np.nan), np.maximum(price, low)))
    members = members[np.argsort(price[members], kind="stable")]
    ends = np.log10(np.append(np.maximum(price[members], low), high))
    return float(np.sum(accuracy[members] * np.diff(ends)) / (math.log10(high) - math.log10(low)))


def best_first(frame: pd.DataFrame, limits: Mapping[str, Any]) -> pd.DataFrame:
    """Rows by what the run goes by, the best first: expected error, else top-1 over seeds, else that of one training.

    Args:
        frame: a table of `COLUMNS`.
        limits: a run's settings.
    """
    if by_expected(limits):
        return frame.sort_values("cautious_error", kind="stable")
    score = "expected_top1" if frame["expected_top1"].notna().any() else "proxy_top1"
    return frame.sort_values(score, ascending=False, kind="stable")


def best_mask(frame: pd.DataFrame, limits: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Which rows are the `BEST` best within the limits: by expected top-1, without repeats by that of one training.

    Args:
        frame: a table of `COLUMNS`.
        limits: of its members, as for `trials_frame`.
    """
    top1 = admitted(frame, limits)
    top1[frame["duplicate_of"].notna().to_numpy()] = float("nan")
    if frame["expected_top1"].notna().any() and not by_expected(limits):
        top1 = np.where(np.isnan(top1), top1, numbers(frame, "expected_top1"))
    order = np.argsort(-top1, kind="stable")  # NaN stands last
    mask = np.zeros(len(frame), dtype=np.bool_)
    mask[order[:BEST]] = ~np.isnan(top1[order[:BEST]])
    return mask


LIMITS = {"macs": "budget_macs", "params": "max_params", "activations": "max_activations"}  # column -> setting


def frontier_mask(frame: pd.DataFrame, limits: Mapping[str, Any], cost: str) -> NDArray[np.bool_]:
    """Which rows are on the frontier of top-1 against a column of costs; repeats never are.

    Args:
        frame: a table of `COLUMNS`.
        limits: of its members, as for `trials_frame`.
        cost: the column.
    """
    return frontier(admitted(frame, limits), numbers(frame, cost))


def admitted(frame: pd.DataFrame, limits: Mapping[str, Any]) -> NDArray[np.floating[Any]]:
    """The top-1 of every row that may be on a frontier; NaN for repeats and for what is beyond the limits.

    Where a run goes by expected errors it is the cautious one: what the network itself has with probability 80 %.
    """
    if by_expected(limits):
        top1 = 100 - frame["cautious_error"].to_numpy(copy=True)
        top1[(frame["state"] != "complete").to_numpy()] = float("nan")
    else:
        top1 = frame["proxy_top1"].to_numpy(copy=True)
    top1[(frame["kind"] == "repeat").to_numpy(dtype=bool, na_value=False)] = float("nan")
    for column, setting in LIMITS.items():
        if (most := limits.get(setting)) is not None:
            top1[numbers(frame, column) > most] = float("nan")  # landmarks may cost a little more than the budget
    return top1


def numbers(frame: pd.DataFrame, name: str) -> NDArray[np.floating[Any]]:
    """A column as floating point numbers, NaN for what is missing."""
    return frame[name].astype("Float64").to_numpy(dtype="float64", na_value=float("nan"))
