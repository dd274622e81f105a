"""The shape of a residual network, its width solved; and the shape that a network may be read to have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from space.networks.axis import Value
from space.networks.config import MAX_CHANNELS
from space.networks.family import Measure, depth_values, depths_in
from space.networks.residual import ResidualConfig
from space.networks.widths import DIVISOR, StageKnob, fill, largest, near

SOLVED = frozenset({"stem_width", "widths", "inner_widths"})  # fields that the solver chooses
_LEAST_QUARTERS = 8


@dataclass(frozen=True, slots=True)
class ResidualShape:
    """Everything of a residual network but its width.

    Stage s (from 0) is 2**s times as wide as the first. With a stem of b channels, `widening` is Wide ResNet's k: the
    3x3s of stage 0 have k * b channels (k = 1 is ResNet, 2 is both WRN-50-2 and ResNeXt-50 32x4d). A bottleneck's
    output has 4 * b channels, a basic block's k * b.
    """

    family: str
    stem: str
    block: str
    depths: tuple[int, ...]
    cardinality: int = 1
    widening: float = 1.0

    def at(self, quarters: int) -> ResidualConfig:
        """The network with a stem of `quarters` / 4 channels, every width rounded to its nearest multiple."""
        multiple = math.lcm(DIVISOR, self.cardinality)
        stages = range(len(self.depths))
        inner = tuple(near(self.widening * quarters / 4 * 2**s, multiple) for s in stages)
        outer = tuple(near(quarters * 2**s, DIVISOR) for s in stages) if self.block == "bottleneck" else inner
        return ResidualConfig(
            family=self.family,
            stem=self.stem,
            stem_width=near(quarters / 4, DIVISOR),
            block=self.block,
            depths=self.depths,
            widths=outer,
            inner_widths=inner,
            groups=(self.cardinality,) * len(self.depths),
        )

    def of_depths(self, depths: tuple[int, ...]) -> ResidualShape:
        """The same shape with other depths."""
        return replace(self, depths=depths)

    def shallow(self) -> ResidualShape:
        """The shape with one block a stage."""
        return self.of_depths((1,) * len(self.depths))

    def narrowest(self) -> ResidualConfig:
        """The network with a stem of two channels, or as few as their multiple allows."""
        return self.at(_LEAST_QUARTERS)

    def solve(self, target: int, measure: Measure) -> ResidualConfig:
        """The network of this shape that measures `target`, or as little less as whole channels allow."""
        widest = int(MAX_CHANNELS / 2 ** (len(self.depths) + 1) / max(1.0, self.widening))
        quarters = largest(lambda n: measure(self.at(n)), target, _LEAST_QUARTERS, widest, 128)
        return fill(self.at(quarters), _knobs(math.lcm(DIVISOR, self.cardinality)), target, measure)


def _knobs(multiple: int) -> Callable[[ResidualConfig], list[StageKnob]]:
    """The widths of every stage, the costliest step first; inner ones come in multiples of `multiple`."""

    def knobs(config: ResidualConfig) -> list[StageKnob]:
        stages = range(len(config.depths))
        found = [StageKnob("widths", stage) for stage in stages]
        found += [StageKnob("inner_widths", stage, multiple) for stage in stages]
        return sorted(found, key=lambda knob: -step_cost(config, knob.name, knob.stage))

    return knobs


def step_cost(config: ResidualConfig, name: str, stage: int) -> float:
    """About how many multiply-adds one more channel costs; good enough for an order."""
    width, inner, groups = config.widths[stage], config.inner_widths[stage], config.groups[stage]
    if config.block == "basic":
        channel = 18 * width if name == "inner_widths" else 9 * inner
    else:
        channel = 2 * width + 18 * inner // groups if name == "inner_widths" else 2 * inner
    return float(channel * config.depths[stage] / 4**stage)


def shape_maker(family: str) -> Callable[[Mapping[str, Value], str], ResidualShape]:
    """What makes the shape of values of a residual family's axes, and of the kind of target."""

    def make(values: Mapping[str, Value], kind: str) -> ResidualShape:
        return ResidualShape(
            family,
            kind,
            str(values.get("block", "bottleneck")),
            depths_in(values),
            int(values.get("cardinality", 1)),
            float(values.get("widening", 1.0)),
        )

    return make


def readings(config: ResidualConfig) -> list[dict[str, Value]]:
    """The values of the axes as one may read them off a network: the widening of every stage, by every stem."""
    stages = range(len(config.depths))
    inner = [config.inner_widths[s] / 2**s for s in stages]
    stems = [config.widths[s] / 2**s / 4 for s in stages] if config.block == "bottleneck" else [config.stem_width]
    rest: dict[str, Any] = {"block": config.block, "cardinality": config.groups[0], **depth_values(config)}
    return [{**rest, "widening": w / stem} for w in inner for stem in stems]
