"""A network stage by stage: what each part is, what it puts out and what it costs. Exact, from the resolved shapes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby

from space import Config
from space.networks.layers import Conv, Linear, Norm, Pool, Repeat, total

_PARTS = {"layer": "stage", "denseblock": "block", "transition": "transition"}  # of a state dict's names


@dataclass(frozen=True)
class Stage:
    """One part of a network: its stem, a stage of blocks, a transition of a DenseNet, or its head."""

    name: str  # stem, stage 1, block 1 (a DenseNet's), transition 1, head
    blocks: int  # residual blocks or dense layers; 1 for the others
    reads: int  # channels
    width: int  # channels that it puts out; classes for the head
    inner: int | None  # channels of the 3x3 of a residual block, of the 1x1 of a dense layer; None where there is none
    groups: int | None  # of that 3x3; None for DenseNets, stem and head
    growth: int | None  # channels that each layer of a dense block adds; None elsewhere
    size: int  # height and width of what it puts out
    stride: int  # by which it divides height and width, rounded up or down
    macs: int
    params: int
    activations: int
    share: float  # of the network's multiply-adds, from 0 to 1


def stages(config: Config, input_size: int = 224, classes: int = 1000) -> tuple[Stage, ...]:
    """The parts of a network in order; their multiply-adds and parameters sum to those of `space.cost`.

    Args:
        config: the network.
        input_size: height and width of an image.
        classes: outputs of the head.

    Raises:
        ValueError: if the input is too small for the network.
    """
    blocks = config.blocks(input_size, classes)
    whole = total(blocks).macs
    return tuple(
        _stage(name, tuple(block for _, block in part), whole)
        for name, part in groupby(_named(blocks), key=lambda each: each[0])
    )


def _named(blocks: tuple[Repeat, ...]) -> list[tuple[str, Repeat]]:
    """Every block with the name of the part that it belongs to."""
    named, bare = [], "stem"  # the blocks without a number stand before all others, or after them
    for block in blocks:
        if match := re.search(r"(layer|denseblock|transition)(\d+)(\.|$)", block.name.replace("{}", "0")):
            named.append((f"{_PARTS[match[1]]} {match[2]}", block))
            bare = "head"
        else:
            named.append((bare, block))
    return named


def _stage(name: str, part: tuple[Repeat, ...], whole: int) -> Stage:
    # the way through a block; what stands beside it is the shortcut's projection
    through = [layer for block in part for layer in block.layers if not layer.name.startswith("downsample")]
    convs = [layer for layer in through if isinstance(layer, Conv)]
    pools = [layer for layer in through if isinstance(layer, Pool)]
    end, cost = through[-1], total(part)
    reads = convs[0].in_channels if convs else pools[0].channels
    inner = groups = growth = None
    if isinstance(end, Linear):
        width, size, stride = end.out_features, 1, pools[0].size
    else:
        width, size = convs[-1].out_channels, end.size if isinstance(end, Norm) else end.out_size
        stride = math.prod(conv.stride for conv in convs) * 2 ** len(pools)
    if name.startswith("stage"):
        middle = next(conv for conv in convs if conv.kernel == 3)
        inner, groups = middle.out_channels, middle.groups
    elif name.startswith("block"):
        growth = convs[0].widens
        width = reads + part[0].copies * growth
        inner = convs[0].out_channels if len(convs) > 1 else None
    return Stage(
        name=name,
        blocks=sum(block.copies for block in part) if name.startswith(("stage", "block")) else 1,
        reads=reads,
        width=width,
        inner=inner,
        groups=groups,
        growth=growth,
        size=size,
        stride=stride,
        macs=cost.macs,
        params=cost.params,
        activations=cost.activations,
        share=cost.macs / whole,
    )
