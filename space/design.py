"""The axes of the space, as data: what each family lets a search vary, and within which range.

Width (in a DenseNet the growth rate) is no axis: it is solved, so that a network costs what it is meant to cost.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from space.budget import Budget, gflops
from space.config import Config
from space.solve import DenseShape, ResidualShape, Shape, floor_macs, solve

MODES = ("frontier", "match")
SMALL_INPUT = 64  # input sizes up to this get the CIFAR stem and three stages
LEAST_SPENT = 0.1  # the smallest part of the budget that the frontier mode spends
MARGIN = 1.5  # ... but never less than this times the narrowest, shallowest network of the shape

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
        if isinstance(self.low, int) and isinstance(self.high, int):
            if not self.log:
                return rng.randint(self.low, self.high)
            # every whole number n owns [n - 1/2, n + 1/2), as in Optuna's log-uniform integers
            low, high = self.low - 0.5, self.high + 0.5
            value: float = low * (high / low) ** rng.random()
            return min(self.high, max(self.low, round(value)))
        if self.log:
            return float(self.low * (self.high / self.low) ** rng.random())
        return rng.uniform(self.low, self.high)


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
    """What a budget is counted at."""

    budget: Budget
    mode: str = "frontier"
    input_size: int = 224
    classes: int = 1000

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


def propose(family: str, values: Mapping[str, Value], target: Target) -> Proposal:
    """Solve the network that `values` (one for each of `axes`) describe.

    Raises:
        ValueError: if the budget is too small for the family; see `check_families`.
    """
    shape = _shape(family, values, target)
    wanted = target.budget.macs
    if target.mode == "frontier":
        least = max(LEAST_SPENT * wanted, MARGIN * _floor(shape, target))
        if least < wanted:
            wanted = round(least * (wanted / least) ** float(values["spend"]))
    config = solve(shape, wanted, input_size=target.input_size, classes=target.classes)
    return Proposal(config, wanted)


def draw(target: Target, rng: random.Random, families: tuple[str, ...] = tuple(DESIGN)) -> tuple[str, Proposal]:
    """One uniform draw from the space, solved."""
    family = rng.choice(families)
    return family, propose(family, {axis.name: axis.draw(rng) for axis in axes(family, target)}, target)


def check_families(families: tuple[str, ...], target: Target) -> None:
    """Raise ValueError if the budget cannot buy even the smallest networks of a family."""
    for family in families:
        if family not in DESIGN:
            raise ValueError(f"family {family!r}: expected some of {', '.join(DESIGN)}")
        own = DESIGN[family][target.kind]
        corners = [{axis.name: axis.low for axis in own}, {axis.name: axis.high for axis in own}]
        least = 0
        for corner in corners:
            for choice in next(axis.choices for axis in own if axis.choices):
                values = corner | {axis.name: choice for axis in own if axis.choices}
                least = max(least, _floor(_shape(family, values, target), target))
        if least > target.budget.macs:
            raise ValueError(
                f"budget {target.budget} is below the smallest {family} networks at {target.input_size}x"
                f"{target.input_size} ({gflops(least)}FLOPs): ask for more, choose a smaller --input, "
                "or leave the family out of --families"
            )


def _floor(shape: Shape, target: Target) -> int:
    """What the narrowest network of a shape costs with one block (two dense layers) a stage."""
    least = 2 if isinstance(shape, DenseShape) else 1
    shallow = (least,) * len(shape.depths)
    if isinstance(shape, DenseShape):
        shape = DenseShape(shape.family, shape.stem, shallow, shape.bottleneck, shape.compression)
    else:
        shape = ResidualShape(shape.family, shape.stem, shape.block, shallow, shape.cardinality, shape.widening)
    return floor_macs(shape, input_size=target.input_size, classes=target.classes)


def _shape(family: str, values: Mapping[str, Value], target: Target) -> Shape:
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
