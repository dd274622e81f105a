"""What seed variance does to a frontier: who is on it, and where it runs, if single trainings are averaged out.

Every search keeps networks whose one training came out well: the frontier of the scores lies above the frontier of what
the same networks score on average over seeds. Trainings repeated from other seeds say how large the seed variance is.
Then, as empirical Bayes (Efron and Morris 1973, J. Am. Stat. Assoc. 68): networks of like cost are like one another,
their expected scores are normal about a line over the logarithm of the cost, and each training adds a normal random
draw. What a network is expected to score is its mean over its trainings, moved towards the line: the more, the larger
the seed variance and the fewer its trainings. That a network was chosen for its score changes nothing about that.

A network is on the frontier if nothing that costs as little is better. Of the cheapest network that is always true,
for nothing is compared with it. So every network is compared with `COMPARED` others at least: where fewer of the run
cost as little, the rest are drawn from the line, as if the search had sampled more networks of that cost. An average
network that is the cheapest of its run is then on the frontier with probability 1 / (1 + `COMPARED`), and not with 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1000
QUANTILES = (0.025, 0.5, 0.975)
COMPARED = 5  # networks that each is compared with at least
_CHUNK = 100  # draws that are in memory at once
_SPARE = 20  # times as many variances are drawn as are needed: some are impossible
_FEWEST = 5  # networks that a line is fitted to
_OUTLIER = 5.0  # robust standard deviations; networks that learned nothing say nothing about the others


@dataclass(frozen=True)
class Uncertainty:
    """What is known of n networks; scores and deviations in percent."""

    sd: float  # standard deviation of the score of one network over seeds
    expected: Floats  # (n,), mean score over seeds, as far as is known
    low: Floats  # (n,), 95 % of what that mean may be are above this ...
    high: Floats  # ... and below that
    p_frontier: Floats  # (n,), probability that nothing as cheap is better; NaN without enough to compare with
    compared: Ints  # (n,), networks of the run that cost as little; the rest up to `COMPARED` are drawn from the line
    curve: Floats  # one for each cost of the grid: the frontier's median over the simulations, and where 95 % of ...
    curve_low: Floats
    curve_high: Floats  # ... them lie; NaN where no admitted network is so cheap


def seed_variance(trainings: Sequence[Floats]) -> tuple[float, int]:
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
    *,
    one_objective: bool = False,
) -> Uncertainty:
    """Simulate the frontier without seed variance; the same arguments give the same answer.

    The seed variance, the line and the spread about it are drawn anew each time from what the scores leave open.

    Args:
        costs: (n,), above 0.
        trainings: n arrays of scores in percent, first the one that the search saw.
        admitted: (n,), whether a network may be on the frontier.
        grid: costs at which to say where the frontier runs.
        draws: how many simulations.
        seed: of their random numbers.
        one_objective: whether all costs count as equal, as in match mode: the best network alone is on the frontier.

    Raises:
        ValueError: if no network was trained twice.
    """
    variance, freedom = seed_variance(trainings)
    if not freedom:
        raise ValueError("no network was trained twice: expected the repeats of python -m search --repeats K")
    rng = np.random.default_rng(seed)
    first = np.array([scores[0] for scores in trainings], dtype=float)
    mean = np.array([scores.mean() for scores in trainings], dtype=float)
    count = np.array([len(scores) for scores in trainings])
    spent = np.full(len(costs), costs.min()) if one_objective else costs
    order = np.argsort(spent, kind="stable")
    order = order[admitted[order]]
    prices, starts = np.unique(spent[order], return_index=True)
    equal = np.searchsorted(prices, spent[order])  # the number of its price, for each in order
    before = np.searchsorted(prices, grid, side="right")  # how many prices are that low
    compared = np.zeros(len(costs), dtype=np.int64)
    compared[order] = np.append(starts, len(order))[equal + 1] - 1
    few = int(np.count_nonzero(compared[order] < COMPARED))  # the first in order
    lacking = np.arange(COMPARED) >= compared[order[:few], None]  # what is drawn from the line
    expected, members, curves, means, lined = np.zeros(len(costs)), np.zeros(len(costs)), [], [], True
    for line, spread, noise, others in _priors(costs, first, variance, freedom, draws, rng):
        own = noise / count
        doubt = np.divide(own, spread, out=np.where(own > 0, np.inf, 0.0), where=spread > 0)
        weight = 1 / (1 + doubt)  # of its mean, beside the line
        centre = line + weight * (mean - line)
        expected += centre.sum(axis=0)
        drawn = centre + np.sqrt(weight * own) * rng.standard_normal(centre.shape)
        means.append(drawn.astype(np.float32))
        score = drawn[:, order]
        top = np.maximum.reduceat(score, starts, axis=1) if len(order) else score
        best = np.maximum.accumulate(top, axis=1)
        climbs = np.diff(best, axis=1, prepend=-np.inf) > 0
        on = climbs[:, equal] & (score == top[:, equal])
        if others is not None:
            away = others[:, :, None] * rng.standard_normal((len(score), few, COMPARED))
            more = np.where(lacking, line[:, order[:few], None] + away, -np.inf)
            on[:, :few] &= score[:, :few] > more.max(axis=2)
        members[order] += on.sum(axis=0)
        lined = others is not None
        curves.append(np.concatenate([np.full((len(best), 1), np.nan), best], axis=1)[:, before])
    p_frontier = members / draws
    if not lined:
        p_frontier[order[:few]] = np.nan
    low, _, high = np.quantile(np.concatenate(means), QUANTILES, axis=0)
    curve_low, curve, curve_high = np.quantile(np.concatenate(curves), QUANTILES, axis=0)
    return Uncertainty(
        float(np.sqrt(variance)), expected / draws, low.astype(np.float64), high.astype(np.float64), p_frontier,
        compared, curve, curve_low, curve_high,
    )  # fmt: skip


def _priors(
    costs: Floats, scores: Floats, variance: float, freedom: int, draws: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats, Floats, Floats | None]]:
    """What is drawn anew each time, in chunks of draws.

    It is the line (draws, n), the variance of expected scores about it (draws, n or 1), the seed variance (draws, 1),
    and the deviation about the line of networks that were not trained (draws, 1), None where there is no line.
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
        between = about[part] - noise[part]
        spread = np.where(kept, between, np.inf) if lined else np.full_like(noise[part], np.inf)
        yield lines @ design.T, spread, noise[part], np.sqrt(np.maximum(between, 0.0)) if lined else None


def _variances(
    total: float, left: int, variance: float, freedom: int, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws (draws, 1) of the scores' variance about the line, and of the seed variance in it, which is no larger."""
    noise = variance * freedom / rng.chisquare(freedom, (draws * _SPARE, 1))
    if not left:
        return noise[:draws], noise[:draws]
    about = total / rng.chisquare(left, (draws * _SPARE, 1))
    possible = np.flatnonzero(about >= noise)
    if not len(possible):  # the scores are closer to the line than seeds allow: all of it is seeds
        return noise[:draws], noise[:draws]
    chosen = np.resize(possible, draws)
    return about[chosen], noise[chosen]


def _fit(design: Floats, scores: Floats) -> Floats:
    """Least squares."""
    solution: Floats = np.asarray(np.linalg.lstsq(design, scores, rcond=None)[0], dtype=np.float64)
    return solution
