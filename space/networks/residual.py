"""ResNet, pre-activation ResNet, Wide ResNet, ResNeXt and RegNetX: one class with other numbers.

Papers: ResNet arXiv:1512.03385, pre-activation arXiv:1603.05027, Wide ResNet arXiv:1605.07146,
ResNeXt arXiv:1611.05431, RegNet arXiv:2003.13678. Names in the state dict follow torchvision's ResNet; for
pre-activation nets, which torchvision lacks, the norm of a convolution goes before it and the last one is ``bn``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

from space.networks.config import MAX_CHANNELS, MAX_CLASSES, MAX_DEPTH, Config, check_choice, check_int, check_ints
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, Repeat

BLOCKS = ("basic", "bottleneck")
SHORTCUTS = ("A", "B", "none")


@dataclass(frozen=True)
class ResidualConfig(Config):
    """A residual network.

    Block recipes (post-activation; pre-activation puts norm and ReLU before each convolution)::

        basic       3x3(stride) -> inner, 3x3 -> width, + shortcut
        bottleneck  1x1 -> inner, 3x3(stride, groups) -> inner, 1x1 -> width, + shortcut

    In a basic block `groups` applies to both 3x3s (always 1 in the published nets). Without shortcuts it is a plain
    network, the one that the ResNet paper compares with: the same convolutions in a row.
    """

    LABELS: ClassVar[tuple[str, ...]] = ("resnet", "preresnet", "wide_resnet", "resnext", "regnetx")
    STEMS = ("imagenet", "cifar", "regnet")  # 7x7 stride 2, max pool; 3x3; 3x3 stride 2, no pool
    WIDTHS = ("stem_width", "widths", "inner_widths")

    stem_width: int  # channels
    block: str  # basic or bottleneck
    depths: tuple[int, ...]  # blocks a stage
    widths: tuple[int, ...]  # output channels a stage
    inner_widths: tuple[int, ...]  # channels of the (first) 3x3, a stage
    groups: tuple[int, ...]  # cardinality a stage
    stride_in: str = "3x3"  # bottleneck: which convolution has the stride; 1x1 is the ResNet paper's
    # where shapes change, A subsamples and pads with zeros, B is a 1x1 projection; none: no block has a shortcut
    shortcut: str = "B"
    preactivation: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("block", self.block, BLOCKS)
        check_choice("stride_in", self.stride_in, ("3x3", "1x1"))
        check_choice("shortcut", self.shortcut, SHORTCUTS)
        if type(self.preactivation) is not bool:
            raise ValueError(f"preactivation is {self.preactivation!r}: expected true or false")
        check_int("stem_width", self.stem_width, 1, MAX_CHANNELS)
        check_ints("depths", self.depths, 1, MAX_DEPTH)
        stages = len(self.depths)
        check_ints("widths", self.widths, 1, MAX_CHANNELS, stages)
        check_ints("inner_widths", self.inner_widths, 1, MAX_CHANNELS, stages)
        check_ints("groups", self.groups, 1, MAX_CHANNELS, stages)
        read = self.stem_width
        for inner, width, groups in zip(self.inner_widths, self.widths, self.groups, strict=True):
            # a basic block groups both its 3x3s: what it reads and writes must be divisible too
            channels = (inner, read, width) if self.block == "basic" else (inner,)
            if wrong := [each for each in channels if each % groups]:
                raise ValueError(
                    f"groups {groups} does not divide {wrong[0]} channels of a {self.block} block: "
                    "expected a cardinality that divides them"
                )
            read = width
        if self.shortcut == "A":
            previous = self.stem_width
            for width in self.widths:
                if width < previous:
                    raise ValueError(
                        f"shortcut A cannot narrow from {previous} to {width} channels: "
                        "it pads with zeros; use shortcut B"
                    )
                previous = width

    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        """The resolved shapes. Activations are (n, channels, size, size)."""
        check_target(input_size, classes, in_channels)
        blocks: list[Repeat] = []
        kernel, stride = {"imagenet": (7, 2), "cifar": (3, 1), "regnet": (3, 2)}[self.stem]
        stem: list[Layer] = [Conv("conv1", in_channels, self.stem_width, kernel, stride, input_size)]
        size = (input_size - 1) // stride + 1
        if not (self.preactivation and self.stem == "cifar"):
            stem.append(Norm("bn1", self.stem_width, size))
        if self.stem == "imagenet":
            stem.append(Pool("maxpool", "max", self.stem_width, size))
            size = (size - 1) // 2 + 1
        blocks.append(Repeat("", tuple(stem)))
        channels = self.stem_width
        for stage, (depth, width) in enumerate(zip(self.depths, self.widths, strict=True)):
            stride = 2 if stage > 0 or self.stem == "regnet" else 1
            name = f"layer{stage + 1}.{{}}"
            blocks.append(Repeat(name, self.block_layers(stage, channels, stride, size)))
            size = (size - 1) // stride + 1
            if depth > 1:
                blocks.append(Repeat(name, self.block_layers(stage, width, 1, size), depth - 1, 1))
            channels = width
        head: list[Layer] = [Norm("bn", channels, size)] if self.preactivation else []
        head += [Pool("avgpool", "global", channels, size), Linear("fc", channels, classes)]
        blocks.append(Repeat("", tuple(head)))
        return tuple(blocks)

    def block_layers(self, stage: int, channels: int, stride: int, size: int) -> tuple[Layer, ...]:
        """One block of a stage that reads `channels` maps of `size` x `size`."""
        width, inner, groups = self.widths[stage], self.inner_widths[stage], self.groups[stage]
        if self.block == "basic":
            convs = _basic(channels, inner, width, groups, stride, size)
        else:
            convs = _bottleneck(channels, inner, width, groups, stride, size, self.stride_in)
        return _with_norms(convs, self.shortcut, self.preactivation)

    def of_widths(self, widths: Mapping[str, Any], factor: float) -> Self:
        """This network with other widths; a stage of fewer channels than groups has a group a channel.

        So the cardinality is kept as far as the width allows, and channels a group are what is given up first.
        """
        stem, outer, inner = widths["stem_width"], widths["widths"], widths["inner_widths"]
        groups = self.groups
        if self.block == "bottleneck":
            inner = tuple(
                width if width <= number else number * int(width / number + 0.5)
                for width, number in zip(inner, groups, strict=True)
            )
            groups = tuple(min(width, number) for width, number in zip(inner, groups, strict=True))
        elif max(groups) > 1:  # both 3x3s read and write whole groups
            most = min(stem, *outer, *inner)
            multiple = max(each for each in range(1, most + 1) if max(groups) % each == 0)
            stem, *rounded = (int(width / multiple + 0.5) * multiple for width in (stem, *outer, *inner))
            outer, inner = tuple(rounded[: len(outer)]), tuple(rounded[len(outer) :])
            groups = tuple(math.gcd(number, multiple) for number in groups)
        if self.shortcut == "A":
            stem = min(stem, outer[0])
        return replace(self, stem_width=stem, widths=outer, inner_widths=inner, groups=groups)

    def stepped(self, name: str, stage: int, width: int, steps: int) -> int:
        """Whole groups in what the groups are of, single channels elsewhere."""
        groups = self.groups[stage]
        if name != "inner_widths" or width < groups or (width == groups and steps < 0):
            return width + steps
        return width + steps * groups


# The three are cached because the solver changes one stage at a time and asks for all of them again.


@lru_cache(maxsize=4096)
def _basic(channels: int, inner: int, width: int, groups: int, stride: int, size: int) -> tuple[Conv, ...]:
    return (
        Conv("conv1", channels, inner, 3, stride, size, groups),
        Conv("conv2", inner, width, 3, 1, (size - 1) // stride + 1, groups),
    )


@lru_cache(maxsize=4096)
def _bottleneck(
    channels: int, inner: int, width: int, groups: int, stride: int, size: int, stride_in: str
) -> tuple[Conv, ...]:
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    middle = (size - 1) // first + 1
    return (
        Conv("conv1", channels, inner, 1, first, size),
        Conv("conv2", inner, inner, 3, second, middle, groups),
        Conv("conv3", inner, width, 1, 1, (middle - 1) // second + 1),
    )


@lru_cache(maxsize=4096)
def _with_norms(convs: tuple[Conv, ...], shortcut: str, preactivation: bool) -> tuple[Layer, ...]:
    """A block's convolutions with their norms and, where shapes change, the projection."""
    layers: list[Layer] = []
    for number, conv in enumerate(convs, 1):
        if preactivation:
            layers += [Norm(f"bn{number}", conv.in_channels, conv.size), conv]
        else:
            layers += [conv, Norm(f"bn{number}", conv.out_channels, conv.out_size)]
    channels, width, size, out_size = convs[0].in_channels, convs[-1].out_channels, convs[0].size, convs[-1].out_size
    stride = max(conv.stride for conv in convs)
    if shortcut == "B" and (stride > 1 or channels != width):
        layers.append(Conv("downsample.0", channels, width, 1, stride, size))
        if not preactivation:
            layers.append(Norm("downsample.1", width, out_size))
    return tuple(layers)


def check_target(input_size: int, classes: int, in_channels: int) -> None:
    """Raise ValueError for an input size, or a number of classes or channels, that no network can have."""
    check_int("input size", input_size, 1, 16_384)
    check_int("classes", classes, 1, MAX_CLASSES)
    check_int("in_channels", in_channels, 1, MAX_CHANNELS)
