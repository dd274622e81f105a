"""The rule of early stopping, its parameters changed one by one, and its rivals: what `benchmarks.stopping` replays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluate.training.score import Epoch
from search.rungs import RULE, Rule, RungTable, promising


@dataclass(frozen=True, eq=False)
class Network:
    """One row of the survey; two are equal only if they are the same."""

    index: int  # of the survey: networks of other modes lie between
    macs: int
    curve: tuple[Epoch, ...]
    seconds: float  # of the processor

    @property
    def top1(self) -> float:
        """After the last epoch."""
        return self.curve[-1]["top1"]


@dataclass
class Known:
    """What a rule may look at: the rung table, and for rules that want it what the finished networks came to."""

    table: RungTable
    finished: list[Network] = field(default_factory=list)


Judge = Callable[[Known, int, int, float], bool]  # known, epoch, MACs, top-1 -> go on?


def goes_on(_: Known, epoch: int, macs: int, top1: float) -> bool:
    """No rule: every network is trained to the end."""
    return True


def ranked(rule: Rule) -> Judge:
    """The rule of `search.rungs` with these parameters."""
    return lambda known, epoch, macs, top1: promising(known.table, epoch, macs, top1, rule)


def within_reach(quantile: float, fewest: int = 8) -> Judge:
    """Rival: goes on if this quantile of what finished networks gained since the rung would reach the frontier."""

    def judge(known: Known, epoch: int, macs: int, top1: float) -> bool:
        gains = [each.top1 - _at(each, epoch) for each in known.finished]
        frontier = [each.top1 for each in known.finished if each.macs <= macs * RULE.costlier]
        if len(gains) < fewest or not frontier:
            return True
        return top1 + float(np.quantile(gains, quantile)) >= max(frontier)

    return judge


def beaten(times: int) -> Judge:
    """Rival: goes on unless so many networks that cost no more were better at this rung, however many there are."""

    def judge(known: Known, epoch: int, macs: int, top1: float) -> bool:
        reached = known.table.reached[known.table.rungs.index(epoch)]
        return sum(score > top1 for other, score in reached if other <= macs * RULE.costlier) < times

    return judge


def _at(network: Network, epoch: int) -> float:
    return next(point["top1"] for point in network.curve if point["epoch"] == epoch)


@dataclass(frozen=True)
class Candidate:
    """A rule by its name, and the rungs that it is asked at (those of the recipe unless told)."""

    name: str
    judge: Judge
    rungs: tuple[int, ...] | None = None


def candidates(scored: Sequence[int]) -> list[Candidate]:
    """The rule as it is, its parameters one by one to both sides, and its rivals."""

    def changed(name: str, **parameters: float) -> Candidate:
        return Candidate(name, ranked(dataclasses.replace(RULE, **parameters)))  # type: ignore[arg-type]

    return [
        Candidate("the rule of search.rungs", ranked(RULE)),
        *(changed(f"one in {n:g} goes on", reduction=n) for n in (1.5, 2, 2.5, 3, 4, 5) if n != RULE.reduction),
        *(changed(f"{n} neighbours at least", fewest=n) for n in (2, 3, 4, 5, 8) if n != RULE.fewest),
        *(changed(f"from 1/{n:g} of its cost", cheaper=n) for n in (1.5, 2, 3, 5, 10) if n != RULE.cheaper),
        *(changed(f"up to {n:g} x its cost", costlier=n) for n in (1.5, 3.0)),
        *(Candidate(f"rung {epoch} alone", ranked(RULE), (epoch,)) for epoch in scored[:-1]),
        Candidate("all scored epochs", ranked(RULE), tuple(scored[:-1])),
        *(Candidate(f"rival: in reach, {q:g}", within_reach(q)) for q in (0.5, 0.8, 0.9, 1.0)),
        *(Candidate(f"rival: beaten {n} times", beaten(n)) for n in (2, 3, 5)),
    ]  # fmt: skip
