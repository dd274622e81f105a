"""A network in other widths, of another depth or cardinality, its proportions kept.

`space.solving.solve` makes a network of a shape; here a network is given, published or found, and stays as it is but
for one
number.
"""

from __future__ import annotations

import math
from dataclasses import replace

from space.budget import gflops
from space.networks.config import MAX_CHANNELS, MAX_DEPTH, Config
from space.networks.dense import DenseConfig
from space.networks.layers import total_macs
from space.networks.residual import ResidualConfig
from space.solving.solve import DIVISOR, DenseShape, largest, solve

UNIT = 1024  # widths are solved in such parts of the network's own


# ---------------------------------------------------------------------------------------------- width


def solve_width(config: Config, target: int, size: int, classes: int, *, exact: bool = False) -> Config:
    """The network in other widths, in its own proportions, that costs `target` or as little less as they allow.

    In a DenseNet the growth rate is solved, and the compression takes up what is left unless `exact`.

    Raises:
        ValueError: if even the narrowest costs more.
    """
    if isinstance(config, DenseConfig):
        if not exact:
            shape = DenseShape(config.family, config.stem, config.depths, config.bottleneck, config.compression)
            try:
                found = solve(shape, target, input_size=size, classes=classes)
            except ValueError:
                found = None
            if found is not None and found.depths == config.depths:  # type: ignore[attr-defined]
                return found
            raise ValueError(_too_deep(config, target))
        dense = config

        def cost(growth: int) -> int:
            return total_macs(grown(dense, growth).blocks(size, classes))

        if cost(1) > target:
            raise ValueError(_too_deep(config, target))
        return grown(dense, largest(cost, target, 1, 4096, 16))
    assert isinstance(config, ResidualConfig)
    residual = config

    def macs(parts: int) -> int:
        return total_macs(scaled(residual, parts).blocks(size, classes))

    if macs(1) > target:
        raise ValueError(_too_deep(config, target))
    most = MAX_CHANNELS * UNIT // (2 * max(*config.widths, *config.inner_widths))
    return _topped_up(scaled(config, largest(macs, target, 1, most, UNIT)), target, size, classes)


def _topped_up(config: ResidualConfig, target: int, size: int, classes: int) -> ResidualConfig:
    """Single widths wider by one step each, where that still costs at most the target; the latest stages first."""
    tied = _tied(config)
    for stage in reversed(range(len(config.depths))):
        inner, widths = list(config.inner_widths), list(config.widths)
        inner[stage] += math.lcm(DIVISOR, config.groups[stage])
        if tied:
            widths[stage] = inner[stage]
        if stage + 1 < len(widths) and widths[stage] > widths[stage + 1]:
            continue  # zero padding cannot narrow
        wider = replace(config, widths=tuple(widths), inner_widths=tuple(inner))
        if total_macs(wider.blocks(size, classes)) <= target:
            config = wider
    return config


def _tied(config: ResidualConfig) -> bool:
    """Whether both convolutions of a basic block are equally wide."""
    return config.block == "basic" and config.inner_widths == config.widths


def _too_deep(config: Config, target: int) -> str:
    return f"depth {paper_depth(config)} costs more than {gflops(target)}FLOPs in any width: expected a smaller depth"


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


def grown(config: DenseConfig, growth: int) -> DenseConfig:
    """The DenseNet with another growth rate; its stem grows alike, but for that of a basic CIFAR net."""
    basic = config.stem == "cifar" and not config.bottleneck
    stem = config.stem_width if basic else max(1, round(config.stem_width * growth / config.growth_rate))
    return replace(config, growth_rate=growth, stem_width=stem)


def width_text(config: Config) -> str:
    """The width of a network in a word or two, by the number that its family is known for."""
    if isinstance(config, DenseConfig):
        return f"growth {config.growth_rate}, theta {config.compression:.3g}"
    assert isinstance(config, ResidualConfig)
    if keeps_stem(config):
        return f"k {config.inner_widths[0] / config.stem_width:.3g}"
    grouped = f", {config.groups[0]}x{config.inner_widths[0] // config.groups[0]}d" if max(config.groups) > 1 else ""
    return f"width {config.widths[0]}{grouped}"


# ---------------------------------------------------------------------------------------------- depth


def paper_depth(config: Config) -> int:
    """Layers with weights on the longest path, as the papers count: ResNet-50, WRN-28, DenseNet-121."""
    assert isinstance(config, DenseConfig | ResidualConfig)
    layers, more = _counted(config)
    return layers * sum(config.depths) + more


def _counted(config: Config) -> tuple[int, int]:
    """Layers of a block, and beside the blocks; CIFAR's Wide ResNets count two shortcuts (d = 6n + 4)."""
    if isinstance(config, DenseConfig):
        return (2 if config.bottleneck else 1), len(config.depths) + 1
    assert isinstance(config, ResidualConfig)
    return (2 if config.block == "basic" else 3), 4 if keeps_stem(config) and config.stem == "cifar" else 2


def with_depth(config: Config, depth: int) -> Config:
    """The network with so many weight layers, its blocks in proportion to what they were.

    Raises:
        ValueError: if no number of blocks has this depth; it names the nearest.
    """
    assert isinstance(config, DenseConfig | ResidualConfig)
    layers, more = _counted(config)
    blocks, left = divmod(depth - more, layers)
    stages = len(config.depths)
    if left or not stages <= blocks <= MAX_DEPTH:
        near = min(max(blocks, stages), MAX_DEPTH - 1)
        raise ValueError(
            f"depth {depth}: expected layers of whole blocks, such as {layers * near + more} or "
            f"{layers * (near + 1) + more}"
        )
    return deepened(config, blocks)


def deepened(config: Config, blocks: int) -> Config:
    """The network with so many blocks, at least one a stage, shared out by Sainte-Laguë's method.

    It gives the network itself for its own number, and never fewer of any stage for more.
    """
    assert isinstance(config, DenseConfig | ResidualConfig)
    counts = [1] * len(config.depths)
    for _ in range(blocks - len(counts)):
        counts[max(range(len(counts)), key=lambda s: config.depths[s] / (2 * counts[s] + 1))] += 1
    return replace(config, depths=tuple(counts))


def solve_depth(config: Config, target: int, size: int, classes: int) -> Config:
    """The deepest network of these widths and proportions that costs at most `target`.

    Raises:
        ValueError: if one block a stage costs more.
    """
    assert isinstance(config, DenseConfig | ResidualConfig)

    def macs(blocks: int) -> int:
        return total_macs(deepened(config, blocks).blocks(size, classes))

    least = len(config.depths)
    if macs(least) > target:
        raise ValueError(
            f"{width_text(config)} costs more than {gflops(target)}FLOPs with one block a stage: expected less width"
        )
    most = least
    while 2 * most <= MAX_DEPTH and macs(2 * most) <= target:
        most *= 2
    low, high = most, min(2 * most, MAX_DEPTH)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if macs(middle) <= target else (low, middle - 1)
    return deepened(config, low)


# ---------------------------------------------------------------------------------------------- groups


def solve_cardinality(
    config: ResidualConfig, target: int, size: int, classes: int, base_width: int | None = None
) -> ResidualConfig:
    """As many groups of one base width as cost nearest to `target`, above or below; outer widths stay.

    Args:
        config: the network, of bottleneck blocks.
        target: multiply-adds.
        size: height and width of the images.
        classes: of its head.
        base_width: channels a group at stage 0, doubled from stage to stage; the network's own unless given.
    """
    stages = range(len(config.depths))
    bases = [
        config.inner_widths[s] // config.groups[s] if base_width is None else base_width * 2**s for s in stages
    ]  # fmt: skip

    def at(groups: int) -> ResidualConfig:
        family = "resnext" if groups > 1 else "resnet"
        inner = tuple(groups * base for base in bases)
        return replace(config, family=family, inner_widths=inner, groups=(groups,) * len(bases))

    def macs(groups: int) -> int:
        return total_macs(at(groups).blocks(size, classes))

    most = MAX_CHANNELS // max(bases)
    below = largest(macs, target, 1, most, max(config.groups))
    above = min(below + 1, most)
    return at(above if abs(macs(above) - target) < abs(target - macs(below)) else below)
