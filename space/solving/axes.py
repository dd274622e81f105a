"""The axes of the space, as data: what each family lets a search vary, and within which range.

Width (in a DenseNet the growth rate) is no axis: it is solved, so that a network costs what it is meant to cost.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from space.budget import Budget, gflops
from space.limits import NO_LIMITS, Limits
from space.networks.config import Config
from space.networks.dense import DenseConfig
from space.networks.layers import Cost, total
from space.networks.residual import ResidualConfig
from space.solving.solve import DenseShape, ResidualShape, Shape, floor_macs, narrowest, solve

MODES = ("frontier", "match")
SMALL_INPUT = 64  # input sizes up to this get the CIFAR stem and three stages
LEAST_SPENT = 0.1  # the smallest part of the budget that the frontier mode spends
MARGIN = 1.5  # ... but never less than this times the narrowest, shallowest network of the shape
NEAR = 0.03  # the part of the budget that may be unspent where values are said to describe a network
FAR = 0.3  # ... and how far off its widths may be, as the mean |log ratio|: more than solving does to any draw
WIDTHS = {"stem_width", "widths", "inner_widths", "growth_rate", "compression"}  # what the solver chooses

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Axis:
    """One number that may vary from `low` to `high` (whole numbers if both are), or one of `choices`."""

    name: str
    low: int | float = 0
    high: int | float = 0
    log: bool = False
    choices: tuple[Value, ...] = ()

    def draw(self, rng: random.Random) -> Value:
        """A uniform (log-uniform if `log`) value."""
        if self.choices:
            return rng.choice(self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int) and not self.log:
            return rng.randint(self.low, self.high)
        return self.at(rng.random())

    def at(self, u: float) -> Value:
        """The value below which a part `u` of all draws lies: maps points of the unit cube on axes.

        Raises:
            ValueError: unless 0 <= u < 1.
        """
        if not 0 <= u < 1:
            raise ValueError(f"u is {u}: expected a number from 0 to below 1")
        if self.choices:
            return self.choices[int(u * len(self.choices))]
        if isinstance(self.low, int) and isinstance(self.high, int):
            # every whole number n owns [n - 1/2, n + 1/2), as in Optuna's log-uniform integers
            low, high = self.low - 0.5, self.high + 0.5
            value: float = low * (high / low) ** u if self.log else low + (high - low) * u
            return min(self.high, max(self.low, round(value)))
        value = self.low * (self.high / self.low) ** u if self.log else self.low + (self.high - self.low) * u
        return min(float(self.high), value)


def _stages(name: str, *ranges: tuple[int, int]) -> tuple[Axis, ...]:
    return tuple(Axis(f"{name}{number}", low, high, log=True) for number, (low, high) in enumerate(ranges, 1))


_RESIDUAL_224 = _stages("depth", (1, 8), (1, 16), (1, 40), (1, 8))
_RESIDUAL_32 = _stages("depth", (1, 24), (1, 24), (1, 24))
_DENSE_224 = _stages("depth", (2, 12), (2, 24), (4, 72), (4, 56))
_DENSE_32 = _stages("depth", (2, 48), (2, 48), (2, 48))
_BLOCK = Axis("block", choices=("basic", "bottleneck"))
_LAYER = Axis("bottleneck", choices=(4, 0))
_COMPRESSION = Axis("compression", 0.4, 1.0)
_CARDINALITY = Axis("cardinality", choices=(2, 4, 8, 16, 32, 64))

# family -> target -> axes. ResNet is Wide ResNet at k = 1; ranges contain every ImageNet landmark.
DESIGN: dict[str, dict[str, tuple[Axis, ...]]] = {
    "resnet": {
        "imagenet": (_BLOCK, *_RESIDUAL_224),
        "cifar": (_BLOCK, *_RESIDUAL_32),
    },
    "wide_resnet": {
        "imagenet": (_BLOCK, Axis("widening", 1.5, 4.0, log=True), *_RESIDUAL_224),
        "cifar": (_BLOCK, Axis("widening", 1.5, 12.0, log=True), *_RESIDUAL_32),
    },
    "resnext": {
        "imagenet": (_CARDINALITY, Axis("widening", 1.0, 4.0, log=True), *_RESIDUAL_224),
        "cifar": (_CARDINALITY, Axis("widening", 1.0, 16.0, log=True), *_RESIDUAL_32),
    },
    "densenet": {
        "imagenet": (_LAYER, _COMPRESSION, *_DENSE_224),
        "cifar": (_LAYER, _COMPRESSION, *_DENSE_32),
    },
}

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
    own = DESIGN[family][target.kind]
    return (*own, SPEND) if target.mode == "frontier" else own


def shape_of(family: str, values: Mapping[str, Value], target: Target) -> Shape:
    """The shape that the values of a family's axes describe; its width is still to be solved."""
    depths = tuple(int(value) for name, value in values.items() if name.startswith("depth"))
    if family == "densenet":
        theta = round(float(values["compression"]), 3)
        return DenseShape(family, target.kind, depths, int(values["bottleneck"]), theta)
    return ResidualShape(
        family,
        target.kind,
        str(values.get("block", "bottleneck")),
        depths,
        int(values.get("cardinality", 1)),
        float(values.get("widening", 1.0)),
    )


def propose(family: str, values: Mapping[str, Value], target: Target) -> Proposal:
    """Solve the network that `values` (one for each of `axes`) describe.

    Raises:
        ValueError: if the budget is too small for the family; see `check_families`.
    """
    shape = shape_of(family, values, target)
    wanted = target.budget.macs
    if target.mode == "frontier" and (least := _least_spent(shape, target)) < wanted:
        wanted = round(least * (wanted / least) ** float(values[SPEND.name]))
    config = solve(shape, wanted, input_size=target.input_size, classes=target.classes, limits=target.limits)
    return Proposal(config, wanted)


def draw(target: Target, rng: random.Random, families: tuple[str, ...] = tuple(DESIGN)) -> tuple[str, Proposal]:
    """One uniform draw from the space, solved."""
    family = rng.choice(families)
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
    own = DESIGN.get(config.family, {}).get(target.kind)
    if own is None:
        return None
    cost = total(config.blocks(target.input_size, target.classes))
    if cost.macs > target.budget.macs or target.limits.broken(cost):
        return None
    nearest, best = FAR, None
    for values in _readings(config, own):
        if target.mode == "frontier":
            least = _least_spent(shape_of(config.family, values, target), target)
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
        if family not in DESIGN:
            raise ValueError(f"family {family!r}: expected some of {', '.join(DESIGN)}")
        own = DESIGN[family][target.kind]
        corners = [{axis.name: axis.low for axis in own}, {axis.name: axis.high for axis in own}]
        macs = params = activations = 0
        for corner in corners:
            for choice in next(axis.choices for axis in own if axis.choices):
                values = corner | {axis.name: choice for axis in own if axis.choices}
                smallest = narrowest(_shallow(shape_of(family, values, target)))
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
    floor = floor_macs(_shallow(shape), input_size=target.input_size, classes=target.classes)
    return max(LEAST_SPENT * target.budget.macs, MARGIN * floor)


def _shallow(shape: Shape) -> Shape:
    """The shape with one block (two dense layers) a stage."""
    if isinstance(shape, DenseShape):
        return DenseShape(shape.family, shape.stem, (2,) * len(shape.depths), shape.bottleneck, shape.compression)
    shallow = (1,) * len(shape.depths)
    return ResidualShape(shape.family, shape.stem, shape.block, shallow, shape.cardinality, shape.widening)


def _spend(macs: int, least: float, target: Target) -> float:
    """The `spend` that asks for this many multiply-adds, or the nearest."""
    if least >= target.budget.macs:
        return SPEND.high
    return min(1.0, max(0.0, math.log(macs / least) / math.log(target.budget.macs / least)))


def _readings(config: Config, own: tuple[Axis, ...]) -> list[dict[str, Value]]:
    """The values of the axes (all but `spend`) as one may read them off a network; none if an axis lacks one."""
    seen: list[dict[str, Value]]
    if isinstance(config, DenseConfig):
        seen = [{"bottleneck": config.bottleneck, "compression": config.compression}]
    elif isinstance(config, ResidualConfig):
        stages = range(len(config.depths))
        inner = [config.inner_widths[s] / 2**s for s in stages]
        stems = [config.widths[s] / 2**s / 4 for s in stages] if config.block == "bottleneck" else [config.stem_width]
        block, groups = config.block, config.groups[0]
        seen = [{"block": block, "cardinality": groups, "widening": w / stem} for w in inner for stem in stems]
    else:
        return []
    depths = {f"depth{number}": depth for number, depth in enumerate(config.depths, 1)}
    readings: list[dict[str, Value]] = []
    for one in seen:
        fitted = {axis.name: _fitted(axis, (one | depths).get(axis.name)) for axis in own}
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
    mine, its = config.to_json(), other.to_json()
    if any(mine[key] != its.get(key) for key in mine if key not in WIDTHS):
        return math.inf
    mean, count = 0.0, 0
    for key in (key for key in mine if key in WIDTHS):
        pairs = zip(mine[key], its[key], strict=True) if isinstance(mine[key], list) else [(mine[key], its[key])]
        for a, b in pairs:
            mean, count = mean + abs(math.log(a / b)), count + 1
    return mean / count
