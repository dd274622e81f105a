"""RegNetX: its published rule, and what the program asks of the family.

Designing Network Design Spaces, Radosavovic 2020, arXiv:2003.13678, section 3.3; rounded as pycls does it. A search
draws stages and a group width (the paper's AnyNetX with one group width and with widths in one ratio) and not the
five numbers of the rule: what the rule can give lies within, each network is described by one set of values instead of
by a whole interval of slopes, and a block can be moved from one stage to another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from space.networks.axis import Axis, Value
from space.networks.config import MAX_CHANNELS
from space.networks.family import Measure, depth_values, depths_in
from space.networks.residual import ResidualConfig
from space.networks.residual_family import DEPTHS_32, DEPTHS_224, RESNET
from space.networks.residual_shape import SOLVED, step_cost
from space.networks.widths import DIVISOR, STRETCH, StageKnob, fill, largest, near

MULTIPLE = 8  # of which block widths are
STEM_WIDTH = 32
_LEAST_QUARTERS = 16
_STEP = Axis("step", 1.5, 3.0, log=True)  # from one stage's width to the next's, w_m
_GROUP = Axis("group_octets", 1, 21, log=True)  # group width in units of 8 channels

# ---------------------------------------------------------------------------------------------- the rule


class Stages(NamedTuple):
    """What the rule gives, a number a stage."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    groups: tuple[int, ...]


def rule(depth: int, width: int, slope: float, step: float, group_width: int) -> Stages:
    """The stages of a quantised linear rule.

    Block j of the network would have ``width + slope * j`` channels. That is moved to the nearest power of `step` times
    `width`, then to a multiple of 8; blocks of equal width are a stage. Its width is moved to whole groups at last.

    Args:
        depth: blocks in the whole network, d.
        width: channels that the rule begins with, w_0.
        slope: channels that a block adds, w_a.
        step: from one stage's width to the next's, about, w_m.
        group_width: channels a group of the 3x3 convolutions, g.
    """
    exponents = [round(math.log((width + slope * block) / width) / math.log(step)) for block in range(depth)]
    blocks = [round(width * step**exponent / MULTIPLE) * MULTIPLE for exponent in exponents]
    stages = [(stage, len(list(same))) for stage, same in groupby(blocks)]
    group_widths = [min(group_width, stage) for stage, _ in stages]
    widths = tuple(round(stage / group) * group for (stage, _), group in zip(stages, group_widths, strict=True))
    groups = tuple(width // group for width, group in zip(widths, group_widths, strict=True))
    return Stages(tuple(depth for _, depth in stages), widths, groups)


def network(family: str, kind: type[ResidualConfig], stages: Stages, stem: str = "regnet") -> ResidualConfig:
    """The network of these stages: bottleneck blocks whose inner width is their width (all RegNets have ratio 1)."""
    return kind(
        family=family,
        stem=stem,
        stem_width=STEM_WIDTH,
        block="bottleneck",
        depths=stages.depths,
        widths=stages.widths,
        inner_widths=stages.widths,
        groups=stages.groups,
    )


def regnetx(depth: int, width: int, slope: float, step: float, group_width: int) -> ResidualConfig:
    """The RegNetX of a `rule`."""
    return network("regnetx", ResidualConfig, rule(depth, width, slope, step, group_width))


# ---------------------------------------------------------------------------------------------- searched


@dataclass(frozen=True, slots=True)
class RegNetShape:
    """Everything of a RegNet but its width: stage s (from 0) is `step`**s times as wide as the first."""

    family: str
    config: type[ResidualConfig]
    stem: str
    depths: tuple[int, ...]
    step: float
    group_width: int

    def at(self, quarters: int) -> ResidualConfig:
        """The network whose first stage has `quarters` / 4 channels.

        Widths are whole groups; a stage that is narrower than a group is one group of a multiple of 8.
        """
        widths, groups = [], []
        for stage in range(len(self.depths)):
            wanted = quarters / 4 * self.step**stage
            width = near(wanted, self.group_width) if wanted >= self.group_width else near(wanted, MULTIPLE)
            widths.append(width)
            groups.append(max(1, width // self.group_width))
        return network(self.family, self.config, Stages(self.depths, tuple(widths), tuple(groups)), self.stem)

    def of_depths(self, depths: tuple[int, ...]) -> RegNetShape:
        """The same shape with other depths."""
        return replace(self, depths=depths)

    def shallow(self) -> RegNetShape:
        """The shape with one block a stage."""
        return self.of_depths((1,) * len(self.depths))

    def narrowest(self) -> ResidualConfig:
        """The network whose first stage has 8 channels."""
        return self.at(_LEAST_QUARTERS)

    def solve(self, target: int, measure: Measure) -> ResidualConfig:
        """The network of this shape that measures `target`, or as little less as whole channels allow.

        What is left is filled by whole groups, a stage at a time; the last of it by what single stages put out.
        """
        widest = int(4 * MAX_CHANNELS / 3 / self.step ** (len(self.depths) - 1))
        config = self.at(largest(lambda n: measure(self.at(n)), target, _LEAST_QUARTERS, widest, 256))
        config = fill(config, _group_knobs, target, measure, STRETCH[:1])
        return fill(config, _output_knobs, target, measure)


@dataclass(frozen=True, slots=True)
class _GroupKnob:
    """Whole groups of one stage, what it puts out and its inner width together; 8 channels where it is one group."""

    stage: int
    step: int
    grouped: bool

    def width(self, config: ResidualConfig) -> int:
        """Channels now."""
        return config.inner_widths[self.stage]

    def raised(self, config: ResidualConfig, channels: int) -> ResidualConfig:
        """The network with so many channels more there."""
        widths, groups = list(config.widths), list(config.groups)
        widths[self.stage] += channels
        groups[self.stage] += channels // self.step if self.grouped else 0
        return replace(config, widths=tuple(widths), inner_widths=tuple(widths), groups=tuple(groups))


def _group_knobs(config: ResidualConfig) -> list[_GroupKnob]:
    found = [
        _GroupKnob(stage, width // groups if groups > 1 else MULTIPLE, groups > 1)
        for stage, (width, groups) in enumerate(zip(config.widths, config.groups, strict=True))
    ]
    return sorted(found, key=lambda knob: -step_cost(config, "inner_widths", knob.stage))


def _output_knobs(config: ResidualConfig) -> list[StageKnob]:
    found = [StageKnob("widths", stage, DIVISOR) for stage in range(len(config.depths))]
    return sorted(found, key=lambda knob: -step_cost(config, "widths", knob.stage))


def shape_maker(family: str, config: type[ResidualConfig]) -> Callable[[Mapping[str, Value], str], RegNetShape]:
    """What makes the shape of values of the axes, and of the kind of target."""

    def make(values: Mapping[str, Value], kind: str) -> RegNetShape:
        stem = "regnet" if kind == "imagenet" else kind
        group_width = MULTIPLE * int(values["group_octets"])
        return RegNetShape(family, config, stem, depths_in(values), float(values["step"]), group_width)

    return make


def readings(config: ResidualConfig) -> list[dict[str, Value]]:
    """The values of the axes as one may read them off a network: the step between any two stages, each group width."""
    widths = config.inner_widths
    stages = range(len(widths))
    steps = {(widths[b] / widths[a]) ** (1 / (b - a)) for a in stages for b in stages if a < b}
    # a stage that is one group may be narrower or wider than the group width
    group_widths = {width // groups for width, groups in zip(widths, config.groups, strict=True) if groups > 1}
    octets = {min(int(_GROUP.high), width // MULTIPLE) for width in group_widths or {max(widths)}}
    depths = depth_values(config)
    return [{"step": step, "group_octets": number, **depths} for step in sorted(steps) for number in sorted(octets)]


REGNETX = replace(
    RESNET,
    name="regnetx",
    label="RegNetX",
    axes={"imagenet": (_STEP, _GROUP, *DEPTHS_224), "cifar": (_STEP, _GROUP, *DEPTHS_32)},
    shape=shape_maker("regnetx", ResidualConfig),
    readings=readings,
    solved=SOLVED | {"groups"},
    scored_unasked=False,  # seven more trainings at 4.1 G
    colour="#CC79A7",
    marker="P",
)
