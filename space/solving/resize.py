"""A network in other widths or of another depth, its proportions kept.

`space.solving.solve` makes a network of a shape; here a network is given, published or found, and stays as it is but
for one number. What its family says of that is in `space.networks.family.Resizing`.
"""

from __future__ import annotations

from typing import Any

from space.budget import gflops
from space.networks.config import MAX_DEPTH, Config
from space.networks.families import family_of
from space.networks.family import Measure, Resizing, stage_depths


def resizing_of(config: Config) -> Resizing[Any]:
    """How a network is resized.

    Raises:
        ValueError: if its family does not say.
    """
    resizing = family_of(config).resizing
    if resizing is None:
        raise ValueError(f"a {config.family} cannot be resized: its family has no `resizing`")
    return resizing


def solve_width(config: Config, target: int, measure: Measure, *, exact: bool = False) -> Config:
    """The network in other widths, in its own proportions, that costs `target` or as little less as they allow.

    In a DenseNet the growth rate is solved, and the compression takes up what is left unless `exact`.

    Raises:
        ValueError: if even the narrowest costs more.
    """
    found: Config | None = resizing_of(config).width(config, target, measure, exact)
    if found is None:
        raise ValueError(
            f"depth {paper_depth(config)} costs more than {gflops(target)}FLOPs in any width: expected a smaller depth"
        )
    return found


def width_text(config: Config) -> str:
    """The width of a network in a word or two, by the number that its family is known for."""
    return resizing_of(config).width_text(config)


def paper_depth(config: Config) -> int:
    """Layers with weights on the longest path, as the papers count: ResNet-50, WRN-28, DenseNet-121."""
    layers, more = resizing_of(config).layers(config)
    return layers * sum(stage_depths(config)) + more


def with_depth(config: Config, depth: int) -> Config:
    """The network with so many weight layers, its blocks in proportion to what they were.

    Raises:
        ValueError: if no number of blocks has this depth; it names the nearest.
    """
    layers, more = resizing_of(config).layers(config)
    blocks, left = divmod(depth - more, layers)
    stages = len(stage_depths(config))
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
    depths = stage_depths(config)
    counts = [1] * len(depths)
    for _ in range(blocks - len(counts)):
        counts[max(range(len(counts)), key=lambda s: depths[s] / (2 * counts[s] + 1))] += 1
    found: Config = resizing_of(config).deepened(config, tuple(counts))
    return found


def solve_depth(config: Config, target: int, measure: Measure) -> Config:
    """The deepest network of these widths and proportions that costs at most `target`.

    Raises:
        ValueError: if one block a stage costs more.
    """

    def cost(blocks: int) -> int:
        return measure(deepened(config, blocks))

    least = len(stage_depths(config))
    if cost(least) > target:
        raise ValueError(
            f"{width_text(config)} costs more than {gflops(target)}FLOPs with one block a stage: expected less width"
        )
    most = least
    while 2 * most <= MAX_DEPTH and cost(2 * most) <= target:
        most *= 2
    low, high = most, min(2 * most, MAX_DEPTH)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cost(middle) <= target else (low, middle - 1)
    return deepened(config, low)
