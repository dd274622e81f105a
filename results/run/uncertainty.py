"""What the luck of single trainings does to a frontier: who is on it, and where it runs, if that luck is taken off.

Every search keeps the lucky networks: the frontier of the scores lies above the frontier of what the same networks
score on average over seeds. Trainings repeated from other seeds say how large the luck is. Then, as empirical Bayes
(Efron and Morris 1973, J. Am. Stat. Assoc. 68): networks of like cost are like one another, their expected scores are
normal about a line over the logarithm of the cost, and each training adds normal luck. What a network is expected to
score is its mean over its trainings, moved towards the line: the more, the larger the luck and the fewer its trainings.
That a network was chosen for its score changes nothing about that, so the winner's luck is taken off, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 1000
QUANTILES = (0.025, 0.975)
_CHUNK = 100  # draws that are in memory at once
_SPARE = 20  # times as many variances are drawn as are needed: some are impossible
_FEWEST = 5  # networks that a line is fitted to
_OUTLIER = 5.0  # robust standard deviations; networks that learned nothing say nothing about the others


@dataclass(frozen=True)
class Uncertainty:
    """What is known of n networks; scores and luck in percent."""

    sd: float  # standard deviation of the score of one network over seeds
    expected: Floats  # (n,), score without luck
    p_frontier: Floats  # (n,), probability of being on the frontier of such scores; 0 for who is not admitted
    low: Floats  # one for each cost of the grid: 95 % of the frontier without luck are above this ...
    high: Floats  # ... and below that; NaN where no admitted network is so cheap


def luck(trainings: Sequence[Floats]) -> tuple[float, int]:
    """Variance of a network's score over seeds, pooled, and its degrees of freedom.

    Args:
        trainings: for each network its scores, first the one that it was chosen by. That one is too high on average:
            it is left out where a network has two repeats or more. With one repeat it has to do, and the variance
            comes out a little too large.

    Returns:
        (0, 0) if no network was trained twice.
    """
    groups = [each[1:] if len(each) > 2 else each for each in trainings if len(each) > 1]
    freedom = sum(len(each) - 1 for each in groups)
    if not freedom:
        return 0.0, 0
    return sum(float(np.sum((each - each.mean()) ** 2)) for each in groups) / freedom, freedom


def uncertainty(
    costs: Floats,
    trainings: Sequence[Floats],
    admitted: NDArray[np.bool_],
    grid: Floats,
    draws: int = DRAWS,
    seed: int = 0,
) -> Uncertainty:
    """Simulate the frontier without luck; the same arguments give the same answer.

    The luck's variance, the line and the spread about it are drawn anew each time from what the scores leave open.

    Args:
        costs: (n,), above 0.
        trainings: n arrays of scores in percent, first the one that the search saw.
        admitted: (n,), whether a network may be on the frontier.
        grid: costs at which to say where the frontier runs.
        draws: how many simulations.
        seed: of their dice.

    Raises:
        ValueError: if no network was trained twice.
    """
    variance, freedom = luck(trainings)
    if not freedom:
        raise ValueError("no network was trained twice: expected the repeats of python -m search --repeats K")
    rng = np.random.default_rng(seed)
    first = np.array([scores[0] for scores in trainings], dtype=float)
    mean = np.array([scores.mean() for scores in trainings], dtype=float)
    count = np.array([len(scores) for scores in trainings])
    order = np.argsort(costs, kind="stable")
    order = order[admitted[order]]
    prices, starts = np.unique(costs[order], return_index=True)
    equal = np.searchsorted(prices, costs[order])  # the number of its price, for each in order
    before = np.searchsorted(prices, grid, side="right")  # how many prices are that low
    expected, members, curves = np.zeros(len(costs)), np.zeros(len(costs)), []
    for line, spread, noise in _priors(costs, first, variance, freedom, draws, rng):
        own = noise / count
        doubt = np.divide(own, spread, out=np.where(own > 0, np.inf, 0.0), where=spread > 0)
        weight = 1 / (1 + doubt)  # of its mean, beside the line
        centre = line + weight * (mean - line)
        expected += centre.sum(axis=0)
        score = (centre + np.sqrt(weight * own) * rng.standard_normal(centre.shape))[:, order]
        top = np.maximum.reduceat(score, starts, axis=1) if len(order) else score
        best = np.maximum.accumulate(top, axis=1)
        climbs = np.diff(best, axis=1, prepend=-np.inf) > 0
        members[order] += (climbs[:, equal] & (score == top[:, equal])).sum(axis=0)
        curves.append(np.concatenate([np.full((len(best), 1), np.nan), best], axis=1)[:, before])
    low, high = np.quantile(np.concatenate(curves), QUANTILES, axis=0)
    return Uncertainty(float(np.sqrt(variance)), expected / draws, members / draws, low, high)


def _priors(
    costs: Floats, scores: Floats, variance: float, freedom: int, draws: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Line (draws, n), variance of expected scores about it (draws, n or 1) and luck's variance (draws, 1), in chunks.

    Of what is far off the line nothing is known beside its own scores: its variance is infinite.
    """
    x = np.log(costs)
    design = np.stack([np.ones_like(x), x - x.mean()], axis=1)
    if np.ptp(x) < 1e-9:
        design = design[:, :1]
    rough = scores - design @ _fit(design, scores)
    distance = np.abs(rough - np.median(rough))
    kept = distance <= max(_OUTLIER * 1.4826 * float(np.median(distance)), 1e-9)
    solution = _fit(design[kept], scores[kept])
    left = int(kept.sum()) - len(solution)
    total = float(np.sum((scores - design @ solution)[kept] ** 2))
    covariance = np.linalg.pinv(design[kept].T @ design[kept])
    lined = int(kept.sum()) >= _FEWEST  # else there is no line to go by: means stay where they are
    about, noise = _variances(total, left if lined else 0, variance, freedom, draws, rng)
    shifts = rng.multivariate_normal(np.zeros(len(solution)), covariance, draws)
    for start in range(0, draws, _CHUNK):
        part = slice(start, start + _CHUNK)
        lines = solution + np.sqrt(about[part]) * shifts[part] if lined else np.zeros_like(shifts[part])
        spread = np.where(kept, about[part] - noise[part], np.inf) if lined else np.full_like(noise[part], np.inf)
        yield lines @ design.T, spread, noise[part]


def _variances(
    total: float, left: int, variance: float, freedom: int, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws (draws, 1) of the scores' variance about the line, and of the luck's part in it, which is no larger."""
    noise = variance * freedom / rng.chisquare(freedom, (draws * _SPARE, 1))
    if not left:
        return noise[:draws], noise[:draws]
    about = total / rng.chisquare(left, (draws * _SPARE, 1))
    possible = np.flatnonzero(about >= noise)
    if not len(possible):  # the scores are closer to the line than luck allows: all of it is luck
        return noise[:draws], noise[:draws]
    chosen = np.resize(possible, draws)
    return about[chosen], noise[chosen]


def _fit(design: Floats, scores: Floats) -> Floats:
    """Least squares."""
    solution: Floats = np.asarray(np.linalg.lstsq(design, scores, rcond=None)[0], dtype=np.float64)
    return solution
