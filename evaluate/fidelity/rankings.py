"""How well one order of networks agrees with another: plain numbers, no networks, no torch.

Two figures, each with a bootstrap interval:

* Kendall's tau-b over all pairs, +1 for the same order, -1 for the reverse. Over networks of many sizes nearly
  anything that grows with size has a high tau, the count of multiply-adds first of all.
* Concordance within a budget: of the pairs that cost about the same and whose published errors really differ, the
  part that the score puts in the right order. Half is what guessing gives. This is what a search within a budget
  needs. Cost still knows something there: the ResNeXts of one budget cost a few percent more the better they are,
  so that a score is always to be read beside the same figure for MACs and params.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.shell.scores import wilson

RATIO = 0.15  # a pair is within a budget if its MACs differ by less than this part of the larger
APART = 0.3  # and if its errors differ by more than this many points: less is noise between trainings
RESAMPLES = 2_000

Pair = tuple[int, int]
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class Agreement:
    """How well a score orders networks. What cannot be said (no pair, all scores equal) is None.

    `*_low` and `*_high` bound the 95 % interval over samples of networks: they say what other networks of this kind
    might have shown, not what other seeds would. Of few pairs that all agree every sample agrees too, so an interval
    is never narrower than Wilson's for as many independent pairs as the networks make (`independent_pairs`).
    """

    tau: float | None
    tau_low: float | None
    tau_high: float | None
    concordance: float | None  # 0..1, within a budget
    concordance_low: float | None
    concordance_high: float | None
    pairs: int  # within a budget
    networks: int

    def to_json(self) -> dict[str, float | int | None]:
        """Plain JSON values; `Agreement(**values)` gives the same agreement back."""
        return dataclasses.asdict(self)


def agreement(scores: Sequence[float], errors: Sequence[float], macs: Sequence[int], seed: int = 0) -> Agreement:
    """Both figures with their intervals.

    Args:
        scores: one a network; more is better.
        errors: published errors in percent; less is better.
        macs: multiply-adds of the same networks.
        seed: of the bootstrap.

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    pairs = within_budget_pairs(macs, errors)
    tau, share = kendall_tau(scores, errors), concordance(scores, errors, pairs)
    everyone = [(i, j) for j in range(len(errors)) for i in range(j) if errors[i] != errors[j]]
    tau_low, tau_high = tau_interval(scores, errors, seed)
    if tau is not None:  # as the part of all pairs that is in the right order
        ends = _no_narrower(_halved(tau_low), _halved(tau_high), _halved(tau), independent_pairs(everyone, errors))
        tau_low, tau_high = 2 * ends[0] - 1, 2 * ends[1] - 1
    low, high = concordance_interval(scores, errors, pairs, seed)
    if share is not None:
        low, high = _no_narrower(low, high, share, independent_pairs(pairs, errors))
    return Agreement(
        tau=tau,
        tau_low=tau_low,
        tau_high=tau_high,
        concordance=share,
        concordance_low=low,
        concordance_high=high,
        pairs=len(pairs),
        networks=len(scores),
    )


def independent_pairs(pairs: Sequence[Pair], errors: Sequence[float]) -> float:
    """So many independent pairs tell as much of a share in the right order as these, which share networks.

    By the variance of that share if the scores were in random order: two pairs that have a network in common, in which
    it is the better one of both or the worse one of both, agree with a covariance of 1/12; one that is the better of
    one pair and the worse of the other, -1/12; a pair has a variance of 1/4. Over all pairs of n networks it comes to
    4.5 n (n - 1) / (2 n + 5), as Kendall's formula for the variance of tau has it.

    Args:
        pairs: of networks of different errors; at least one.
        errors: of all networks.
    """
    better = [min(pair, key=lambda n: errors[n]) for pair in pairs]
    worse = [max(pair, key=lambda n: errors[n]) for pair in pairs]
    variance = len(pairs) / 4
    for network in range(len(errors)):
        above, below = better.count(network), worse.count(network)
        variance += (above * (above - 1) + below * (below - 1) - 2 * above * below) / 12
    return min(float(len(pairs)), len(pairs) ** 2 / (4 * variance))


def _halved(tau: float | None) -> float:
    """Tau as a share from 0 to 1; an end that is missing excludes nothing."""
    return math.nan if tau is None else (tau + 1) / 2


def _no_narrower(low: float | None, high: float | None, share: float, pairs: float) -> tuple[float, float]:
    """The interval, widened to Wilson's."""
    least, most = wilson(min(max(share, 0.0), 1.0), pairs)
    return min(each for each in (low, least) if each is not None and not math.isnan(each)), max(
        each for each in (high, most) if each is not None and not math.isnan(each)
    )


def kendall_tau(scores: Sequence[float], errors: Sequence[float]) -> float | None:
    """Kendall's tau-b between score and minus the error; None where it has no value (one network, all equal).

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    agreed, ordered = _tau_parts(scores, errors, np.ones((1, len(scores))))
    return float(agreed[0] / ordered[0]) if ordered[0] else None


def within_budget_pairs(
    macs: Sequence[int], errors: Sequence[float], ratio: float = RATIO, apart: float = APART
) -> list[Pair]:
    """Pairs (i, j), i < j, of like cost and different errors: |a - b| / max(a, b) below `ratio`, errors over `apart`.

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    _check(macs, errors)
    return [
        (i, j)
        for j in range(len(macs))
        for i in range(j)
        # Rounded: 22.6 - 22.3 is more than 0.3 in floating point.
        if abs(macs[i] - macs[j]) < ratio * max(macs[i], macs[j]) and round(abs(errors[i] - errors[j]), 6) > apart
    ]


def concordance(scores: Sequence[float], errors: Sequence[float], pairs: Sequence[Pair]) -> float | None:
    """Part of the pairs in which the smaller error has the higher score; equal scores count half. None without pairs.

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    _check(scores, errors)
    return sum(_right(scores, errors, pair) for pair in pairs) / len(pairs) if pairs else None


def _right(scores: Sequence[float], errors: Sequence[float], pair: Pair) -> float:
    better, worse = sorted(pair, key=lambda n: errors[n])
    return 0.5 * (int(scores[better] > scores[worse]) + int(scores[better] >= scores[worse]))


def tau_interval(scores: Sequence[float], errors: Sequence[float], seed: int = 0, n_resamples: int = RESAMPLES) -> Ends:
    """Percentile bootstrap, 95 %, of `kendall_tau` over networks drawn with replacement.

    A network drawn twice is equal to itself in both orders, and tau-b leaves such pairs out. Samples in which tau has
    no value are left out too; (None, None) if that is all of them.

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    return _percentiles(*_tau_parts(scores, errors, _copies(len(scores), seed, n_resamples)))


def concordance_interval(
    scores: Sequence[float],
    errors: Sequence[float],
    pairs: Sequence[Pair],
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> Ends:
    """Percentile bootstrap, 95 %, of `concordance` over networks drawn with replacement, not over pairs.

    Pairs share networks, so they are no independent draws: a network is drawn with all its pairs. A pair counts as
    often as the product of its networks' copies; a network makes no pair with its own copy. Samples without a pair
    are left out; (None, None) if that is all of them.

    Raises:
        ValueError: if the lengths differ or a number is not finite.
    """
    _check(scores, errors)
    present = np.zeros((len(scores), len(scores)))
    right = np.zeros_like(present)
    for pair in pairs:
        present[pair] = 1
        right[pair] = _right(scores, errors, pair)
    times = _copies(len(scores), seed, n_resamples)
    return _percentiles(_form(times, right), _form(times, present))


def _tau_parts(
    scores: Sequence[float], errors: Sequence[float], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numerator and denominator of tau-b for each row of `times`, the weights of the networks: (samples,) each.

    scipy's kendalltau takes one sample a call; as quadratic forms in the weights all are done at once.
    """
    _check(scores, errors)
    by_score, by_error = _signs(scores), -_signs(errors)
    return _form(times, by_score * by_error), np.sqrt(_form(times, abs(by_score)) * _form(times, abs(by_error)))


def _signs(values: Sequence[float]) -> NDArray[np.float64]:
    """(n, n): +1 where the row's value is above the column's."""
    array = np.asarray(values, dtype=np.float64)
    return np.sign(array[:, None] - array[None, :])


def _copies(networks: int, seed: int, n_resamples: int) -> NDArray[np.float64]:
    """(samples, networks): how often each network was drawn."""
    if not networks:
        return np.zeros((n_resamples, 0))
    drawn = np.random.default_rng(seed).multinomial(networks, np.full(networks, 1 / networks), size=n_resamples)
    return drawn.astype(np.float64)


def _form(times: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each sample w: the sum over i and j of w_i w_j matrix_ij."""
    values: NDArray[np.float64] = ((times @ matrix) * times).sum(1)
    return values


def _percentiles(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> Ends:
    defined = denominator > 0
    if not defined.any():
        return None, None
    low, high = np.percentile(numerator[defined] / denominator[defined], (2.5, 97.5))
    return float(low), float(high)


def _check(values: Sequence[float], errors: Sequence[float]) -> None:
    if len(values) != len(errors):
        raise ValueError(f"{len(values)} values and {len(errors)} errors: expected one of each a network")
    for value in (*values, *errors):
        if not math.isfinite(value):
            raise ValueError(f"a value is {value}: expected finite numbers, leave out networks that failed")
