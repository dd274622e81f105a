"""Which differences between networks trained from the same seeds are more than luck.

Intervals of means are Student's t with the spread over seeds pooled over all networks: three trainings of one network
say little, three of five networks more. Differences are paired by seed, as blocks of a two-way layout, and judged by
Tukey's honest significant difference (J. W. Tukey 1953): the intervals of *all* pairs hold together in 95 % of
experiments, so that of many pairs none is seen by trying often enough. Both take the spread to be the same for all
networks.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SURE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over seeds; the ends are None where nothing was trained twice."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + ("" if self.low is None else f" [{self.low:.1f}, {self.high:.1f}]")


@dataclass(frozen=True)
class Difference:
    """How much better `better` is than `worse`, in points; seen if the interval leaves out 0."""

    better: str
    worse: str
    interval: Interval

    @property
    def seen(self) -> bool:
        """Whether it is more than luck."""
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
    from scipy.stats import t

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
    names = list(scores)
    seeds = sorted(set.intersection(*(set(each) for each in scores.values()))) if scores else []
    if len(names) < 2 or len(seeds) < 2:
        return []
    from scipy.stats import studentized_range

    rows = {name: statistics.fmean(scores[name][seed] for seed in seeds) for name in names}
    columns = {seed: statistics.fmean(scores[name][seed] for name in names) for seed in seeds}
    whole = statistics.fmean(rows.values())
    squares = sum((scores[n][s] - rows[n] - columns[s] + whole) ** 2 for n in names for s in seeds)
    freedom = (len(names) - 1) * (len(seeds) - 1)
    reach = float(studentized_range.ppf(SURE, len(names), freedom)) * math.sqrt(squares / freedom / len(seeds))
    found = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            better, worse = (one, other) if rows[one] >= rows[other] else (other, one)
            gap = rows[better] - rows[worse]
            found.append(Difference(better, worse, Interval(gap, gap - reach, gap + reach)))
    return sorted(found, key=lambda each: -each.interval.mean)
