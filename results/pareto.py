"""The exact accuracy-vs-cost frontier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


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
