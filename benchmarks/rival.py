"""The rival of `benchmarks.search_quality`: Optuna as its documentation shows it, with the budget as a constraint.

One study; a trial chooses the family, that family's axes and the width, and says with `trial.set_constraint` by how
much it missed the range of costs that counts. The axes are the product's own, and one number is the width of the whole
network, as in the solver: the search is spared widths that differ from stage to stage.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import optuna

from benchmarks.survey_table import SURVEYED
from search.run.parameters import suggest
from space import Config, DenseConfig, ResidualConfig, cost
from space.networks.dense_shape import DenseShape
from space.networks.families import FAMILIES
from space.networks.residual_shape import ResidualShape
from space.solving.axes import LEAST_SPENT, Target, Value, draw

NEAR = 0.03  # the part of the budget (of the least cost, in frontier mode) that a network may stay below it
DRAWS = 100  # solved networks of each family that tell which widths the solver reaches


def counting_range(target: Target) -> tuple[float, float]:
    """The multiply-adds of networks that count: what the product's own solver is asked for, and a little below."""
    budget = target.budget.macs
    return (1 - NEAR) * budget * (LEAST_SPENT if target.mode == "frontier" else 1), budget


def width_ranges(target: Target, draws: int = DRAWS) -> dict[str, tuple[int, int]]:
    """Family -> the smallest and the largest stem width (in a DenseNet growth rate) among solved networks."""
    rng = random.Random(0)
    ranges = {}
    for family in SURVEYED:
        found = [_width(draw(target, rng, (family,))[1].config) for _ in range(draws)]
        ranges[family] = (min(found), max(found))
    return ranges


def _width(config: Config) -> int:
    assert isinstance(config, ResidualConfig | DenseConfig)
    return config.growth_rate if isinstance(config, DenseConfig) else config.stem_width


def network(family: str, values: Mapping[str, Value], width: int, target: Target) -> Config:
    """The network with this stem width (growth rate), whatever it costs."""
    shape = FAMILIES[family].shape_of(values, target.kind)
    assert isinstance(shape, DenseShape | ResidualShape)
    return shape.at(width if isinstance(shape, DenseShape) else 4 * width)


class Rival:
    """Asks like the product's `Proposer`, and is told like it."""

    def __init__(self, target: Target, sampler: str, seed: int, widths: Mapping[str, tuple[int, int]]) -> None:
        samplers = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler}
        directions = ["maximize", "minimize"][: 2 if target.mode == "frontier" else 1]
        self.target, self.widths = target, widths
        self.study = optuna.create_study(directions=directions, sampler=samplers[sampler](seed=seed))

    def ask(self) -> tuple[optuna.Trial, Config, int]:
        """A trial, its network, its multiply-adds."""
        trial = self.study.ask()
        shape = replace(self.target, mode="match")  # the axes without the part of the budget to spend
        family, values = suggest(trial, SURVEYED, shape)
        width = trial.suggest_int(f"{family}.width", *self.widths[family], log=True)
        config = network(family, values, width, self.target)
        return trial, config, cost(config, self.target.input_size, self.target.classes).macs

    def tell(self, trial: optuna.Trial, macs: int, top1: float) -> None:
        """What came out. Optuna ranks trials that break a constraint by how far they do, whatever they scored."""
        least, most = counting_range(self.target)
        trial.set_constraint("too much", macs / most - 1)
        trial.set_constraint("too little", 1 - macs / least)
        self.study.tell(trial, [top1, float(macs)][: len(self.study.directions)])
