"""A residual network in other widths, of another depth, block or cardinality; the rest of it stays."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from space.networks.config import MAX_CHANNELS
from space.networks.family import Grouping, Measure, Resizing
from space.networks.residual import ResidualConfig
from space.networks.widths import DIVISOR, largest, nearest

UNIT = 1024  # widths are solved in such parts of the network's own


# ---------------------------------------------------------------------------------------------- width


def solve_width(config: ResidualConfig, target: int, measure: Measure, exact: bool = False) -> ResidualConfig | None:
    """The network in other widths, in its own proportions, that measures `target` or as little less as they allow.

    None if even the narrowest measures more. `exact` makes no difference: nothing but widths is solved here.
    """
    if measure(scaled(config, 1)) > target:
        return None
    most = MAX_CHANNELS * UNIT // (2 * max(*config.widths, *config.inner_widths))
    parts = largest(lambda parts: measure(scaled(config, parts)), target, 1, most, UNIT)
    return _topped_up(scaled(config, parts), target, measure)


def _wider(config: ResidualConfig, target: int, measure: Measure) -> ResidualConfig:
    """`solve_width` for a target that is known to admit a network."""
    found = solve_width(config, target, measure)
    if found is None:
        raise ValueError("no width costs as little")
    return found


def _topped_up(config: ResidualConfig, target: int, measure: Measure) -> ResidualConfig:
    """Single widths wider by one step each, where that still measures at most the target; the latest stages first."""
    tied = _tied(config)
    for stage in reversed(range(len(config.depths))):
        inner, widths = list(config.inner_widths), list(config.widths)
        inner[stage] += math.lcm(DIVISOR, config.groups[stage])
        if tied:
            widths[stage] = inner[stage]
        if stage + 1 < len(widths) and widths[stage] > widths[stage + 1]:
            continue  # zero padding cannot narrow
        wider = replace(config, widths=tuple(widths), inner_widths=tuple(inner))
        if measure(wider) <= target:
            config = wider
    return config


def _tied(config: ResidualConfig) -> bool:
    """Whether both convolutions of a basic block are equally wide."""
    return config.block == "basic" and config.inner_widths == config.widths


def scaled(config: ResidualConfig, parts: int) -> ResidualConfig:
    """The network with all widths times `parts` / 1024, to multiples of 8 and of the cardinality."""

    def near(width: int, multiple: int) -> int:
        return max(multiple, int(width * parts / UNIT / multiple + 0.5) * multiple)

    stages = range(len(config.depths))
    inner = tuple(near(config.inner_widths[s], math.lcm(DIVISOR, config.groups[s])) for s in stages)
    widths = inner if _tied(config) else tuple(near(width, DIVISOR) for width in config.widths)
    stem = config.stem_width if keeps_stem(config) else near(config.stem_width, DIVISOR)
    if config.shortcut == "A":
        stem = min(stem, widths[0])
    return replace(config, stem_width=stem, widths=widths, inner_widths=inner)


def keeps_stem(config: ResidualConfig) -> bool:
    """Whether it is the widening factor that its width is known by: that of a basic Wide ResNet."""
    return config.family == "wide_resnet" and config.block == "basic"


def width_text(config: ResidualConfig) -> str:
    """Such as "k 4", "width 256", "width 256, 32x4d"."""
    if keeps_stem(config):
        return f"k {config.inner_widths[0] / config.stem_width:.3g}"
    grouped = f", {config.groups[0]}x{config.inner_widths[0] // config.groups[0]}d" if max(config.groups) > 1 else ""
    return f"width {config.widths[0]}{grouped}"


# ---------------------------------------------------------------------------------------------- depth


def weight_layers(config: ResidualConfig) -> tuple[int, int]:
    """Layers of a block, and beside the blocks; CIFAR's Wide ResNets count two shortcuts (d = 6n + 4)."""
    return (2 if config.block == "basic" else 3), 4 if keeps_stem(config) and config.stem == "cifar" else 2


def deepened(config: ResidualConfig, depths: tuple[int, ...]) -> ResidualConfig:
    """The network with other depths."""
    return replace(config, depths=depths)


# ---------------------------------------------------------------------------------------------- groups


def solve_base_width(config: ResidualConfig, cardinality: int, target: int, measure: Measure) -> ResidualConfig:
    """Give a network another cardinality at preserved complexity, as Table 3 of ResNeXt (arXiv:1611.05431) does.

    Depths and widths stay; whole channels a group at stage 0 (the base width d of "32x4d"), doubled from stage to
    stage, are chosen so that the cost is the nearest to `target`, above or below.
    """

    def at(base: int) -> ResidualConfig:
        stages = range(len(config.depths))
        return replace(
            config,
            family=_grouped_family(cardinality),
            inner_widths=tuple(cardinality * base * 2**s for s in stages),
            groups=(cardinality,) * len(config.depths),
        )

    most = MAX_CHANNELS // (cardinality * 2 ** (len(config.depths) - 1))
    return at(nearest(lambda base: measure(at(base)), target, 1, most, round(math.sqrt(most))))


def solve_cardinality(
    config: ResidualConfig, target: int, measure: Measure, base_width: int | None = None
) -> ResidualConfig:
    """As many groups of one base width as cost nearest to `target`, above or below; outer widths stay.

    Args:
        config: the network, of bottleneck blocks.
        target: what `measure` should come near.
        measure: counts a configuration.
        base_width: channels a group at stage 0, doubled from stage to stage; the network's own unless given.
    """
    stages = range(len(config.depths))
    bases = [config.inner_widths[s] // config.groups[s] if base_width is None else base_width * 2**s for s in stages]

    def at(groups: int) -> ResidualConfig:
        inner = tuple(groups * base for base in bases)
        return replace(config, family=_grouped_family(groups), inner_widths=inner, groups=(groups,) * len(bases))

    most = MAX_CHANNELS // max(bases)
    return at(nearest(lambda groups: measure(at(groups)), target, 1, most, max(config.groups)))


def _grouped_family(groups: int) -> str:
    return "resnext" if groups > 1 else "resnet"


# ---------------------------------------------------------------------------------------------- axes of a sweep


def of_width(config: ResidualConfig, width: int) -> ResidualConfig:
    """All widths in proportion, the first stage's output being `width`."""
    return scaled(config, round(width * UNIT / config.widths[0]))


def widened(config: ResidualConfig, k: float) -> ResidualConfig:
    """The Wide ResNet with this widening factor."""
    narrow = config.stem_width if config.block == "basic" else config.widths[0] / 4
    stages = range(len(config.depths))
    multiple = [math.lcm(DIVISOR, groups) for groups in config.groups]
    inner = tuple(max(multiple[s], round(k * narrow * 2**s / multiple[s]) * multiple[s]) for s in stages)
    widths = inner if config.block == "basic" else config.widths
    return replace(config, family="wide_resnet", inner_widths=inner, widths=widths)


def of_block(config: ResidualConfig, block: str) -> ResidualConfig:
    """The same stages of the other block: a bottleneck puts out four times its inner width.

    Raises:
        ValueError: for another word.
    """
    if block not in ("basic", "bottleneck"):
        raise ValueError(f"block {block!r}: expected basic or bottleneck")
    if block == config.block:
        return config
    inner = config.inner_widths
    if block == "basic":
        return replace(config, family="resnet", block=block, widths=inner, groups=(1,) * len(inner))
    return replace(config, block=block, widths=tuple(4 * width for width in inner))


RESIZING: Resizing[Any] = Resizing(
    width=solve_width,
    width_text=width_text,
    layers=weight_layers,
    deepened=deepened,
    direction="width",
    wider=_wider,
    settings={"widening": widened, "width": of_width, "block": of_block},
    grouping=Grouping(solve_base_width, solve_cardinality, useless=lambda config: config.block == "basic"),
)
