"""Frontier-aware early stopping: is a network, a part of its training done, worth the rest?

The cost of a network is known before it is trained, so it can be judged against others near its own cost. At a *rung*,
a scored epoch of `rungs_of`, it is ranked among the known trials that cost about as much or less, down to a third:
networks that cost more say nothing about whether it belongs on the frontier. Its training ends if more than a third of
these neighbours were better at this rung. In match mode all networks cost alike and are neighbours.

This is asynchronous successive halving for several objectives (MO-ASHA, arXiv:2106.12639) with two differences. A trial
is never paused to go on later: it is stopped, or it runs to the end. And as cost needs no training, ranks near one cost
take the place of sorting by dominance over all costs: each part of the frontier keeps its own best.

The rule is a pure function of a `RungTable`, which the holder of the study sends along with a job, so that it works the
same in this process and on other machines. `benchmarks.stopping` replays it, and its alternatives, on trained networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from evaluate.training.recipe import Recipe
from evaluate.training.score import Epoch

Pair = tuple[float, float]  # cost, top-1 in percent


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is ranked with whom, and who goes on. `benchmarks.stopping` compares these values with others."""

    reduction: float = 3.0  # a trial is stopped if more than one in so many of its neighbours are better
    fewest: int = 3  # with fewer neighbours nobody is stopped
    cheaper: float = 3.0  # a neighbour costs at least the trial's cost / cheaper,
    costlier: float = (
        1 / 0.95
    )  # and at most the trial's cost * costlier: within 5 % of the budget, as in match mode, is alike


RULE = Rule()


@dataclass(frozen=True, slots=True)
class RungTable:
    """What is known at every rung: plain numbers, one pair a trial and rung, made to be sent to another process."""

    rungs: tuple[int, ...]  # epochs, rising
    reached: tuple[tuple[Pair, ...], ...]  # for each rung the trials that reached it, in any order

    def add(self, cost: float, curve: Iterable[Epoch]) -> RungTable:
        """The table with one trial more: finished, stopped or running, it counts at the rungs that its curve reached.

        Args:
            cost: multiply-adds or milliseconds, as for all other trials of the table.
            curve: as far as it is known.

        Raises:
            ValueError: if the cost is not a number above 0: nothing is near to it.
        """
        points = _points(self.rungs, cost, curve)
        return RungTable(self.rungs, tuple(old + new for old, new in zip(self.reached, points, strict=True)))


def rung_table(rungs: Sequence[int], entries: Iterable[tuple[float, Iterable[Epoch]]]) -> RungTable:
    """The table of all trials that are known, each given as (cost, curve); see `RungTable.add`.

    Raises:
        ValueError: if a cost is not a number above 0.
    """
    points = [_points(rungs, cost, curve) for cost, curve in entries]
    return RungTable(
        tuple(rungs), tuple(tuple(chain.from_iterable(each[place] for each in points)) for place in range(len(rungs)))
    )


def _points(rungs: Sequence[int], cost: float, curve: Iterable[Epoch]) -> list[tuple[Pair, ...]]:
    """What one trial adds at each rung: one pair, or none."""
    if not 0 < cost < math.inf:
        raise ValueError(f"a trial's cost is {cost!r}: expected a number above 0")
    top1 = {point["epoch"]: point["top1"] for point in curve}
    return [((float(cost), float(top1[epoch])),) if epoch in top1 else () for epoch in rungs]


def rungs_of(recipe: Recipe) -> tuple[int, ...]:
    """The epochs at which a trial may be stopped: a quarter of all, then each time twice as many, and never the last.

    Only scored epochs can be rungs: each is the first one that is far enough. Empty for a recipe that is scored at the
    end alone.
    """
    rungs: list[int] = []
    enough = recipe.epochs / 4
    for epoch in range(recipe.evaluate_every, recipe.epochs, recipe.evaluate_every):
        if epoch >= enough:
            rungs.append(epoch)
            enough = 2 * epoch
    return tuple(rungs)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a trial stands at a rung."""

    better: int  # neighbours with a higher top-1
    neighbours: int

    def goes_on(self, rule: Rule) -> bool:
        """Whether this is good enough."""
        return self.neighbours < rule.fewest or self.better * rule.reduction <= self.neighbours


def standing(table: RungTable, epoch: int, cost: float, top1: float, rule: Rule = RULE) -> Standing:
    """Rank a trial among its neighbours: those near it in cost that cost about as much or less.

    Args:
        table: without the trial itself.
        epoch: that has been scored; there are neighbours at rungs only.
        cost: of the trial, in the table's unit.
        top1: of the trial after this epoch, in percent.
        rule: who counts as a neighbour.
    """
    known = table.reached[table.rungs.index(epoch)] if epoch in table.rungs else ()
    scores = [score for other, score in known if cost / rule.cheaper <= other <= cost * rule.costlier]
    return Standing(sum(score > top1 for score in scores), len(scores))


def promising(table: RungTable, epoch: int, cost: float, top1: float, rule: Rule = RULE) -> bool:
    """Whether a trial is worth the rest of its training; always at an epoch that is no rung.

    A trial that no neighbour beats is never stopped, nor one with fewer neighbours than the rule wants to see.
    The arguments are those of `standing`.
    """
    return standing(table, epoch, cost, top1, rule).goes_on(rule)


def stopper(table: RungTable, cost: float) -> Callable[[Epoch], str | None]:
    """What `train_proxy` asks after a scored epoch: why to stop a network of this cost, or None."""

    def stop(point: Epoch) -> str | None:
        found = standing(table, point["epoch"], cost, point["top1"])
        return None if found.goes_on(RULE) else stop_sentence(point["epoch"], point["top1"], found)

    return stop


def stop_sentence(epoch: int, top1: float, found: Standing) -> str:
    """Why a trial was stopped, for the console and the log."""
    place = f"rank {found.better + 1} of {found.neighbours + 1} near its cost"
    return f"stopped at epoch {epoch}: top-1 {top1:.1f} %, {place}"
