"""One block beside its unrolled alternatives: at equal width, and at equal cost, where their width is solved.

A block is unrolled by taking its 1x1 convolutions, its groups or its concatenation away: what remains are plain 3x3
convolutions on all maps. A block that is unrolled already is set beside the bottleneck in its place. Shapes are the
explorer's own (`ResidualConfig.block_layers`, `DenseConfig.blocks`) for a block that keeps its resolution.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from space.networks.config import MAX_CHANNELS, Config, check_choice, check_int
from space.networks.dense import DenseConfig
from space.networks.families import family_of
from space.networks.family import Unrolling, stage_depths
from space.networks.layers import Conv, Cost, Layer, Norm, Repeat, total, total_macs, unroll
from space.networks.residual import ResidualConfig

KINDS = ("bottleneck", "basic", "dense", "3x3")
FACTOR_STEPS = 1000  # a whole network is scaled in thousandths of its width


@dataclass(frozen=True)
class Block:
    """One block, as the numbers that give its layers; the files of the families say what the kinds are."""

    kind: str
    width: int  # maps that it reads; a residual block and a 3x3 alone write as many
    inner: int = 0  # maps of the 3x3; of a dense layer's 1x1, where 0 is no bottleneck; not used by a 3x3 alone
    groups: int = 1  # of a residual block's 3x3
    growth: int = 0  # maps that a dense layer writes, and a 3x3 alone unless it is 0
    size: int = 1  # height and width of the maps
    preactivation: bool = False

    def __post_init__(self) -> None:
        check_choice("block", self.kind, KINDS)
        check_int("size", self.size, 1, 16_384)
        if self.kind == "dense":
            check_int("growth", self.growth, 1, MAX_CHANNELS)
            if self.inner % self.growth:
                raise ValueError(f"inner {self.inner}: expected a multiple of the growth rate {self.growth}")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The resolved shapes.

        Raises:
            ValueError: for numbers that no such block can have.
        """
        if self.kind == "3x3":
            writes = self.growth or self.width
            return Conv("conv1", self.width, writes, 3, 1, self.size), Norm("bn1", writes, self.size)
        if self.kind == "dense":
            dense = DenseConfig("densenet", "cifar", self.width, (1,), self.growth, self.inner // self.growth)
            return dense.blocks(self.size, 1)[1].layers
        config = ResidualConfig(
            "resnext" if self.groups > 1 else "resnet", "imagenet", self.width, self.kind, (1,), (self.width,),
            (self.inner,), (self.groups,), preactivation=self.preactivation,
        )  # fmt: skip
        return config.block_layers(0, self.width, 1, self.size)

    @property
    def convs(self) -> list[Conv]:
        """Its convolutions; with each goes one nonlinearity."""
        return [layer for layer in self.layers if isinstance(layer, Conv)]

    @property
    def cost(self) -> Cost:
        """Of all positions; the parameters of norms are counted."""
        return total((Repeat("", self.layers),))

    @property
    def receptive_field(self) -> int:
        """Height and width of what one output sees of the block's input."""
        return 1 + sum(conv.kernel - 1 for conv in self.convs)

    @property
    def name(self) -> str:
        """Such as "bottleneck, 256 by 64"."""
        if self.kind == "3x3":
            return f"3x3, {self.width} to {self.growth or self.width}"
        by = f" by {self.inner}" if self.inner and not (self.kind == "basic" and self.inner == self.width) else ""
        to = f" to {self.growth}" if self.kind == "dense" else ""
        return f"{self.kind}, {self.width}{by}{to}" + (f", {self.groups} groups" if self.groups > 1 else "")


class Alternative(NamedTuple):
    """Another block in the same place."""

    at: str  # equal width or equal cost
    block: Block


def unrolling_of(config: Config) -> Unrolling[Any]:
    """What the blocks of a network are when they are unrolled.

    Raises:
        ValueError: if its family does not say.
    """
    unrolling = family_of(config).unrolling
    if unrolling is None:
        raise ValueError(f"the blocks of a {config.family} have no unrolled form here: expected another network")
    return unrolling


def of_stage(config: Config, stage: int, input_size: int = 224) -> Block:
    """The block that a stage repeats; of a dense block its last layer, which reads most.

    Raises:
        ValueError: if the network has no such stage, its blocks have no unrolled form, or the input is too small.
    """
    stages = len(stage_depths(config))
    if not 1 <= stage <= stages:
        raise ValueError(f"--stage {stage}: expected 1 to {stages}, which the network has")
    numbers = unrolling_of(config).block(config, stage - 1)
    part = re.compile(rf"(layer|denseblock){stage}\.")
    last = [layers for path, layers in unroll(config.blocks(input_size, 1)) if part.search(path)][-1]
    convs = [layer for layer in last if isinstance(layer, Conv)]
    return Block(
        numbers.kind, numbers.width or convs[0].in_channels, numbers.inner, numbers.groups, numbers.growth,
        convs[-1].out_size, numbers.preactivation,
    )  # fmt: skip


def alternatives(block: Block) -> list[Alternative]:
    """What could stand in a block's place; the equally costly ones cost as much as they can without costing more."""
    width, macs = block.width, block.cost.macs
    one = Block("3x3", width, size=block.size)
    equal: list[Block] = [one]
    solved: list[Callable[[int], Block]] = [lambda n: replace(one, width=n)]
    match block.kind:
        case "bottleneck":
            equal.append(replace(block, kind="basic", inner=width, groups=1))
            solved.append(lambda n: replace(block, kind="basic", width=n, inner=n, groups=1))
        case "basic":
            narrow = max(1, width // 4)
            equal.append(replace(block, kind="bottleneck", inner=narrow, groups=1))
            solved.append(lambda n: replace(block, kind="bottleneck", inner=n, groups=1))
            solved.append(lambda n: replace(block, kind="bottleneck", width=4 * n, inner=n, groups=1))
        case "dense" if block.inner:
            equal.insert(0, replace(block, inner=0))
            solved.insert(0, lambda n: replace(block, inner=0, width=n))
            solved.insert(1, lambda n: replace(block, inner=0, growth=n))
        case "dense":
            equal.insert(0, replace(block, inner=4 * block.growth))
            solved.insert(0, lambda n: replace(block, inner=4 * n, growth=n))
        case _:
            raise ValueError(f"block {block.kind}: expected one of {', '.join(KINDS[:3])}")
    if block.groups > 1:
        equal.append(replace(block, groups=1))
        solved.append(lambda n: replace(block, inner=n, groups=1))
    affordable = [_largest(make, macs) for make in solved]
    return [Alternative("equal width", each) for each in equal] + [
        Alternative("equal cost", each) for each in affordable if each
    ]


def unrolled(config: Config) -> Config:
    """A whole network with every block's alternative in its place, at equal widths.

    Bottlenecks become basic blocks and basic blocks 4:1 bottlenecks; dense layers lose their 1x1, or get one.
    """
    found: Config = unrolling_of(config).network(config)
    return found


def at_cost(config: Config, macs: int, input_size: int, classes: int) -> Config | None:
    """The same network with all widths scaled, as wide as the multiply-adds allow; None if no width does."""
    widest = max(layer.out_channels for layer in config.layers(input_size, classes) if isinstance(layer, Conv))

    def cost(step: int) -> int:
        return total_macs(config.scaled(step / FACTOR_STEPS).blocks(input_size, classes))

    low, high = 0, min(16, MAX_CHANNELS // widest) * FACTOR_STEPS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cost(middle) <= macs else (low, middle - 1)
    return config.scaled(low / FACTOR_STEPS) if low else None


def _largest(make: Callable[[int], Block], macs: int) -> Block | None:
    """The block with the largest number that costs no more; None if even one channel costs more."""

    def fits(number: int) -> bool:
        block = make(number)
        return max(block.width, block.inner, block.growth) <= MAX_CHANNELS and block.cost.macs <= macs

    low, high = 0, MAX_CHANNELS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return make(low) if low else None
