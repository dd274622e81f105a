"""Which differences between networks trained from the same seeds are more than seed variance.

Intervals of means are Student's t with the spread over seeds pooled over all networks: three trainings of one network
say little, three of five networks more. Differences are paired by seed, as blocks of a two-way layout, and judged by
Tukey's honest significant difference (J. W. Tukey 1953): the intervals of *all* pairs hold together in 95 % of
experiments, so that of many pairs none is seen by trying often enough. All take the spread to be the same for all
networks. Other images held out would move all networks alike, more or less; that is not in these intervals.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import studentized_range, t

from space.shell.scores import Interval

SURE = 0.95


@dataclass(frozen=True)
class Difference:
    """How much better `better` is than `worse`, in points; seen if the interval leaves out 0."""

    better: str
    worse: str
    interval: Interval

    @property
    def seen(self) -> bool:
        """Whether it is more than seed variance."""
        return self.interval.low is not None and self.interval.low > 0

    def __str__(self) -> str:
        return f"{self.better} above {self.worse} by {self.interval} points"


def intervals(scores: Mapping[str, Sequence[float]]) -> dict[str, Interval]:
    """The mean of each network's scores with its interval.

    Args:
        scores: of each network, one or more.
    """
    freedom = sum(len(each) - 1 for each in scores.values())
    means = {name: statistics.fmean(each) for name, each in scores.items()}
    if not freedom:
        return {name: Interval(mean, None, None) for name, mean in means.items()}

    squares = sum((score - means[name]) ** 2 for name, each in scores.items() for score in each)
    reach = float(t.ppf((1 + SURE) / 2, freedom)) * math.sqrt(squares / freedom)
    return {
        name: Interval(mean, mean - reach / math.sqrt(len(scores[name])), mean + reach / math.sqrt(len(scores[name])))
        for name, mean in means.items()
    }


def differences(scores: Mapping[str, Mapping[int, float]]) -> list[Difference]:
    """All pairs of networks, the larger difference first.

    Args:
        scores: of each network by seed. Only seeds that all networks have count.

    Returns:
        Nothing where there are fewer than two networks, or two common seeds.
    """
    names, seeds = list(scores), _common(scores)
    if len(names) < 2 or len(seeds) < 2:
        return []

    rows, variance, freedom = _layout(scores, seeds)
    reach = float(studentized_range.ppf(SURE, len(names), freedom)) * math.sqrt(variance / len(seeds))
    found = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            better, worse = (one, other) if rows[one] >= rows[other] else (other, one)
            gap = rows[better] - rows[worse]
            found.append(Difference(better, worse, Interval(gap, gap - reach, gap + reach)))
    return sorted(found, key=lambda each: -each.interval.mean)


def trend(places: Mapping[str, float], scores: Mapping[str, Mapping[int, float]]) -> Interval | None:
    """The slope of the scores over the places of the networks, by least squares, in points a unit.

    One number that all networks tell together is more certain than the pairs are: it is seen if 0 is not in it.

    Args:
        places: of each network on its axis.
        scores: as for `differences`.

    Returns:
        None where there are fewer than three networks, or two common seeds.
    """
    seeds = _common(scores)
    if len(scores) < 3 or len(seeds) < 2:
        return None

    rows, variance, freedom = _layout(scores, seeds)
    middle = statistics.fmean(places[name] for name in scores)
    squares = sum((places[name] - middle) ** 2 for name in scores)
    slope = sum((places[name] - middle) * rows[name] for name in scores) / squares
    reach = float(t.ppf((1 + SURE) / 2, freedom)) * math.sqrt(variance / len(seeds) / squares)
    return Interval(slope, slope - reach, slope + reach)


def _common(scores: Mapping[str, Mapping[int, float]]) -> list[int]:
    """The seeds that all networks have been trained from."""
    return sorted(set.intersection(*(set(each) for each in scores.values()))) if scores else []


def _layout(scores: Mapping[str, Mapping[int, float]], seeds: Sequence[int]) -> tuple[dict[str, float], float, int]:
    """Means of the networks, variance of what neither network nor seed explains, and its degrees of freedom."""
    rows = {name: statistics.fmean(own[seed] for seed in seeds) for name, own in scores.items()}
    columns = {seed: statistics.fmean(own[seed] for own in scores.values()) for seed in seeds}
    whole = statistics.fmean(rows.values())
    squares = sum(
        (own[seed] - rows[name] - columns[seed] + whole) ** 2 for name, own in scores.items() for seed in seeds
    )
    freedom = (len(scores) - 1) * (len(seeds) - 1)
    return rows, squares / freedom, freedom
