"""One network with more, or less, multiply-adds spent in one direction at a time: what "which axis pays?" compares.

=============== ================================================================================================
``depth``        more blocks in every stage, in proportion: at most the factor, within a block
``width``        all widths by one number; in a DenseNet that is the growth rate, and the direction has its name
``cardinality``  more groups of the same base width in bottleneck blocks, as Table 4 of ResNeXt (arXiv:1611.05431);
                 whole groups, so it is the nearest cost, above or below
``growth_rate``  of DenseNets: channels that each layer adds
``resolution``   the same network on larger images: the nearest cost
=============== ================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from space.budget import gflops
from space.networks.config import Config
from space.networks.family import stage_depths
from space.networks.layers import total_macs
from space.networks.widths import nearest
from space.solving.resize import paper_depth, resizing_of, solve_depth, width_text
from space.solving.solve import measure_at
from space.solving.vary import Setting

WIDTHS = {  # by one of them a family is made wider; why another has none
    "width": "that of a DenseNet is its growth rate",
    "growth_rate": "DenseNets alone have one",
}
DIRECTIONS = ("depth", "width", "cardinality", "growth_rate", "resolution")
FACTORS = (0.1, 10.0)  # what can be spent, in multiples of the start
FAR = 1.25  # a direction that misses its factor by more than this is left out
LARGEST = 4096  # pixels


@dataclass(frozen=True)
class Spent:
    """The networks of one comparison, and why others are missing."""

    settings: tuple[Setting, ...]  # the start first
    left_out: tuple[str, ...]  # a sentence each


def spend(
    start: Config, factors: Sequence[float], *, input_size: int = 224, classes: int = 1000,
    directions: Sequence[str] = DIRECTIONS,
) -> Spent:  # fmt: skip
    """The start, and for each direction and factor the network that costs so many times as much.

    Args:
        start: where to begin.
        factors: multiples of its multiply-adds, such as 2.
        input_size: of the images that the start is counted at.
        classes: of its head.
        directions: some of `DIRECTIONS`; those that the start does not have are named in `left_out`.

    Raises:
        ValueError: for a factor that is 1 or out of range, an unknown direction, or if nothing is left.
    """
    for factor in factors:
        if not FACTORS[0] <= factor <= FACTORS[1] or factor == 1:
            raise ValueError(f"factor {factor:g}: expected other than 1, from {FACTORS[0]:g} to {FACTORS[1]:g}")
    if unknown := [each for each in directions if each not in DIRECTIONS]:
        raise ValueError(f"direction {unknown[0]!r}: expected some of {', '.join(DIRECTIONS)}")
    own = total_macs(start.blocks(input_size, classes))
    first = Setting("start", (("direction", "start"), ("factor", 1.0)), start, own, input_size, _words(start))
    found, missing = [first], []
    for direction in directions:
        if reason := _foreign(start, direction):
            missing.append(f"{direction}: {reason}")
            continue
        for factor in sorted(set(factors)):
            target = round(factor * own)
            try:
                config, size = _spent(start, direction, target, input_size, classes)
            except ValueError as error:
                missing.append(f"{direction} x{factor:g}: {error}")
                continue
            macs = total_macs(config.blocks(size, classes))
            if max(macs / target, target / macs) > FAR:
                missing.append(f"{direction} x{factor:g}: the nearest costs {macs / own:.2f} times the start")
                continue
            values = (("direction", direction), ("factor", float(factor)))
            solved = f"{size} pixels" if direction == "resolution" else _words(config)
            found.append(Setting(f"{direction} x{factor:g}", values, config, target, size, solved))
    if len(found) == 1:
        raise ValueError(f"nothing to compare: {'; '.join(missing)}")
    return Spent(tuple(found), tuple(missing))


def _words(config: Config) -> str:
    return f"depth {paper_depth(config)}, {width_text(config)}"


def _foreign(start: Config, direction: str) -> str:
    """Why the start has no such direction; empty if it has."""
    resizing = resizing_of(start)
    grouping = resizing.grouping
    if direction == "cardinality" and (grouping is None or grouping.useless(start)):
        return "bottleneck blocks alone gain by it (ResNeXt, section 4)"
    if direction in WIDTHS and direction != resizing.direction:
        return WIDTHS[direction]
    return ""


def _spent(start: Config, direction: str, target: int, size: int, classes: int) -> tuple[Config, int]:
    """The network and the images' size."""
    measure, resizing = measure_at(size, classes), resizing_of(start)
    if direction == "resolution":
        return start, _size_for(start, target, classes)
    if direction == "depth":
        return solve_depth(start, target, measure), size
    if direction == "cardinality":
        assert resizing.grouping is not None  # `_foreign` has refused others
        return resizing.grouping.base_width(start, target, measure, None), size
    return resizing.wider(start, target, measure), size


def _size_for(config: Config, target: int, classes: int) -> int:
    """The input size whose cost is the nearest to the target."""

    def macs(size: int) -> int:
        return total_macs(config.blocks(size, classes))

    least = 2 ** (len(stage_depths(config)) + 1)
    if macs(least) > target:
        raise ValueError(f"images of {least} pixels cost more than {gflops(target)}FLOPs")
    return nearest(macs, target, least, LARGEST, round(224 * math.sqrt(target / max(1, macs(224)))))
