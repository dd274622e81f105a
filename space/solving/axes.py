"""What a search varies: the axes of a family at a target, the network that their values describe, and the way back.

The axes themselves are in the families' records (`space.networks.family`). Width (in a DenseNet the growth rate) is no
axis: it is solved, so that a network costs what it is meant to cost.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from space.budget import Budget, gflops
from space.limits import NO_LIMITS, Limits
from space.networks.axis import Axis, Value
from space.networks.config import Config
from space.networks.families import FAMILIES, family_of, searched
from space.networks.family import Shape
from space.networks.layers import Cost, total
from space.solving.solve import floor_macs, solve

__all__ = [
    "LEAST_SPENT", "MODES", "SMALL_INPUT", "SPEND", "Axis", "Proposal", "Target", "Value", "axes", "check_families",
    "draw", "propose", "searched", "values_of",
]  # fmt: skip

MODES = ("frontier", "match")
SMALL_INPUT = 64  # input sizes up to this get the CIFAR stem and three stages
LEAST_SPENT = 0.1  # the smallest part of the budget that the frontier mode spends
MARGIN = 1.5  # ... but never less than this times the narrowest, shallowest network of the shape
NEAR = 0.03  # the part of the budget that may be unspent where values are said to describe a network
FAR = 0.3  # ... and how far off its widths may be, as the mean |log ratio|: more than solving does to any draw

# What part of the budget to spend: 0 is the least, 1 all of it, log-uniform between. Only in the frontier mode.
SPEND = Axis("spend", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Target:
    """What a budget is counted at, and the limits beside it."""

    budget: Budget
    mode: str = "frontier"
    input_size: int = 224
    classes: int = 1000
    limits: Limits = NO_LIMITS

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r}: expected one of {', '.join(MODES)}")

    @property
    def kind(self) -> str:
        """Which landmarks and stems belong to it: imagenet or cifar."""
        return "cifar" if self.input_size <= SMALL_INPUT else "imagenet"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A solved configuration and the cost that it was solved for."""

    config: Config
    target_macs: int


def axes(family: str, target: Target) -> tuple[Axis, ...]:
    """What the search varies in this family."""
    own = FAMILIES[family].axes[target.kind]
    return (*own, SPEND) if target.mode == "frontier" else own


def propose(family: str, values: Mapping[str, Value], target: Target) -> Proposal:
    """Solve the network that `values` (one for each of `axes`) describe.

    Raises:
        ValueError: if the budget is too small for the family; see `check_families`.
    """
    shape = FAMILIES[family].shape_of(values, target.kind)
    wanted = target.budget.macs
    if target.mode == "frontier" and (least := _least_spent(shape, target)) < wanted:
        wanted = round(least * (wanted / least) ** float(values[SPEND.name]))
    config = solve(shape, wanted, input_size=target.input_size, classes=target.classes, limits=target.limits)
    return Proposal(config, wanted)


def draw(target: Target, rng: random.Random, families: tuple[str, ...] | None = None) -> tuple[str, Proposal]:
    """One uniform draw from these families (all that are searched), solved."""
    family = rng.choice(families or searched())
    return family, propose(family, {axis.name: axis.draw(rng) for axis in axes(family, target)}, target)


def values_of(config: Config, target: Target) -> tuple[str, dict[str, Value]] | None:
    """The family and the values of its `axes` that describe a configuration: the inverse of `propose`.

    Depths and choices are read off, `spend` is what the network costs. The widening of a solved network is blurred,
    by whole channels and by single widths that were raised: of the ratios that its stages show, that one is taken
    whose network, solved again, has the nearest widths. That network costs the same within 3 %, more only where a
    limit binds.

    None where no values describe it: another family, another stem or option, a depth or cardinality outside of the
    axes, widths that do not double from stage to stage. None too if it costs more than the budget or breaks a limit,
    or if, in the match mode, neither its cost nor a limit comes within 3 % of what it may be.

    Raises:
        ValueError: if the input is too small for the network, or the budget for its family (see `check_families`).
    """
    family = family_of(config)
    own = family.axes.get(target.kind)
    if own is None:
        return None
    cost = total(config.blocks(target.input_size, target.classes))
    if cost.macs > target.budget.macs or target.limits.broken(cost):
        return None
    nearest, best = FAR, None
    for values in _readings(config, own):
        if target.mode == "frontier":
            least = _least_spent(family.shape_of(values, target.kind), target)
            values[SPEND.name] = _spend(cost.macs, least, target)
        again = propose(config.family, values, target)
        measure = target.limits.measure(again.target_macs, target.input_size, target.classes)
        full = min(measure(config), measure(again.config)) >= (1 - NEAR) * again.target_macs
        if full and (far := _distance(config, again.config)) < nearest:
            nearest, best = far, values
    return None if best is None else (config.family, best)


def check_families(families: tuple[str, ...], target: Target) -> None:
    """Raise ValueError if the budget or a limit does not admit even the smallest networks of a family."""
    for family in families:
        if family not in searched():
            raise ValueError(
                f"family {family!r}: expected some of {', '.join(searched())}, or one of your own as FILE.py:NAME"
            )
        own = FAMILIES[family].axes[target.kind]
        corners = [{axis.name: axis.low for axis in own}, {axis.name: axis.high for axis in own}]
        chosen = [axis for axis in own if axis.choices]
        macs = params = activations = 0
        for corner in corners:
            for choices in itertools.product(*(axis.choices for axis in chosen)):
                values = corner | {axis.name: choice for axis, choice in zip(chosen, choices, strict=True)}
                smallest = FAMILIES[family].shape_of(values, target.kind).shallow().narrowest()
                cost = total(smallest.blocks(target.input_size, target.classes))
                macs, params = max(macs, cost.macs), max(params, cost.params)
                activations = max(activations, cost.activations)
        at = f"the smallest {family} networks at {target.input_size}x{target.input_size}"
        if macs > target.budget.macs:
            raise ValueError(
                f"budget {target.budget} is below {at} ({gflops(macs)}FLOPs): ask for more, choose a smaller --input, "
                "or leave the family out of --families"
            )
        for name in target.limits.broken(Cost(macs, params, activations)):
            least = params if name == "params" else activations
            raise ValueError(
                f"--max-{name} {gflops(getattr(target.limits, f'max_{name}'))} is below {at} ({gflops(least)}): "
                f"raise --max-{name}, or leave the family out of --families"
            )


def _least_spent(shape: Shape, target: Target) -> float:
    """The multiply-adds that `spend` 0 stands for."""
    floor = floor_macs(shape.shallow(), input_size=target.input_size, classes=target.classes)
    return max(LEAST_SPENT * target.budget.macs, MARGIN * floor)


def _spend(macs: int, least: float, target: Target) -> float:
    """The `spend` that asks for this many multiply-adds, or the nearest."""
    if least >= target.budget.macs:
        return SPEND.high
    return min(1.0, max(0.0, math.log(macs / least) / math.log(target.budget.macs / least)))


def _readings(config: Config, own: tuple[Axis, ...]) -> list[dict[str, Value]]:
    """The values of the axes (all but `spend`) as one may read them off a network; none if an axis lacks one."""
    read = family_of(config).readings
    readings: list[dict[str, Value]] = []
    for one in read(config) if read else ():
        fitted = {axis.name: _fitted(axis, one.get(axis.name)) for axis in own}
        values = {name: value for name, value in fitted.items() if value is not None}
        if len(values) == len(own) and values not in readings:
            readings.append(values)
    return readings


def _fitted(axis: Axis, value: Value | None) -> Value | None:
    """The value if the axis has it (a fraction is moved to the nearest that it has), else None."""
    if axis.choices:
        return value if value in axis.choices else None
    if isinstance(axis.low, int):
        return value if isinstance(value, int) and axis.low <= value <= axis.high else None
    return None if value is None else min(float(axis.high), max(float(axis.low), float(value)))


def _distance(config: Config, other: Config) -> float:
    """The mean ratio of their widths, as |log|; infinite if they differ in anything else."""
    mine, its, solved = config.to_json(), other.to_json(), family_of(config).solved
    if any(mine[key] != its.get(key) for key in mine if key not in solved):
        return math.inf
    mean, count = 0.0, 0
    for key in (key for key in mine if key in solved):
        pairs = zip(mine[key], its[key], strict=True) if isinstance(mine[key], list) else [(mine[key], its[key])]
        for a, b in pairs:
            mean, count = mean + abs(math.log(a / b)), count + 1
    return mean / count
