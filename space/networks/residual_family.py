"""ResNet, pre-activation ResNet, Wide ResNet and ResNeXt: all that the program asks of them.

Ranges of the axes contain every ImageNet landmark; ResNet is Wide ResNet at k = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from space.networks.axis import Axis, stages
from space.networks.family import BlockNumbers, Family, Paths, Unrolling
from space.networks.residual import ResidualConfig
from space.networks.residual_shape import SOLVED, readings, shape_maker
from space.networks.residual_sizes import RESIZING

# ---------------------------------------------------------------------------------------------- in words


def describe(config: ResidualConfig) -> str:
    """Such as "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d".

    Blocks a stage, output channels a stage, cardinality x base width (or i: inner channels a stage, g: groups a stage,
    where they do not double from stage to stage).
    """
    words = [config.block, dashed("d", config.depths), dashed("w", config.widths)]
    inner, groups = config.inner_widths, config.groups
    base, left = divmod(inner[0], groups[0])
    regular = not left and all(
        width == base * groups[0] * 2**stage and cardinality == groups[0]
        for stage, (width, cardinality) in enumerate(zip(inner, groups, strict=True))
    )
    if config.block == "bottleneck" and regular:
        words.append(f"{groups[0]}x{base}d")
    elif config.block == "bottleneck" or inner != config.widths:
        words.append(dashed("i", inner))
        if max(groups) > 1:
            words.append(f"g{groups[0]}" if len(set(groups)) == 1 else dashed("g", groups))
    elif max(groups) > 1:
        words.append(dashed("g", groups))
    if config.block == "bottleneck" and config.stride_in == "1x1":
        words.append("stride in 1x1")
    if config.shortcut != "B":
        words.append("plain" if config.shortcut == "none" else f"shortcut {config.shortcut}")
    if config.preactivation:
        words.append("pre-activation")
    return " ".join(words)


def dashed(letter: str, numbers: Sequence[int]) -> str:
    """Such as "d3-4-6-3"."""
    return letter + "-".join(str(number) for number in numbers)


def traits(config: ResidualConfig) -> dict[str, Any]:
    """The numbers that have columns of their own; `results.run.columns` says what they are."""
    # A basic block's inner width is compared with the stem's, a bottleneck's with a quarter of what it puts out.
    narrow = config.stem_width if config.block == "basic" else config.widths[0] / 4
    return {
        "depth": sum(config.depths),
        "width": config.widths[0],
        "cardinality": config.groups[0],
        "base_width": config.inner_widths[0] / config.groups[0],
        "widening": config.inner_widths[0] / narrow,
        "block": config.block,
    }


def _stride_form(config: ResidualConfig) -> str:
    return "v1 (stride in the first 1x1)" if config.block == "bottleneck" and config.stride_in == "1x1" else ""


def _bottleneck_form(config: ResidualConfig) -> str:
    return "with bottleneck" if config.block == "bottleneck" else ""


# ---------------------------------------------------------------------------------------------- forms of its blocks


def _block(config: ResidualConfig, stage: int) -> BlockNumbers:
    return BlockNumbers(
        config.block, config.widths[stage], config.inner_widths[stage], config.groups[stage],
        preactivation=config.preactivation,
    )  # fmt: skip


def _unrolled(config: ResidualConfig) -> ResidualConfig:
    """Bottlenecks become basic blocks, and basic blocks 4:1 bottlenecks, at equal widths."""
    basic = config.block == "bottleneck"
    inner = config.widths if basic else tuple(max(1, width // 4) for width in config.widths)
    ungrouped = (1,) * len(config.widths)
    return replace(config, block="basic" if basic else "bottleneck", inner_widths=inner, groups=ungrouped)


def _words(config: ResidualConfig) -> tuple[str, str]:
    groups = "-".join(map(str, dict.fromkeys(config.groups)))
    blocks = config.block + ("" if groups == "1" else f", {groups} groups")
    return blocks, "-".join(map(str, config.widths))


def _plain(config: ResidualConfig) -> ResidualConfig | None:
    """The network without shortcuts, the one that the ResNet paper compares with."""
    return None if config.shortcut == "none" else replace(config, shortcut="none")


def _paths(config: ResidualConfig) -> Paths | None:
    """Each block can be passed through its branch or its shortcut (Veit et al., arXiv:1605.06431)."""
    return None if config.shortcut == "none" else Paths(sum(config.depths), "blocks", gradients=True)


# ---------------------------------------------------------------------------------------------- records

DEPTHS_224 = stages((1, 8), (1, 16), (1, 40), (1, 8))
DEPTHS_32 = stages((1, 24), (1, 24), (1, 24))
_BLOCK = Axis("block", choices=("basic", "bottleneck"))
_CARDINALITY = Axis("cardinality", choices=(2, 4, 8, 16, 32, 64), ordered=True)

RESNET = Family(
    name="resnet",
    label="ResNet",
    config=ResidualConfig,
    module="space.networks.residual_modules:ResidualNet",
    axes={"imagenet": (_BLOCK, *DEPTHS_224), "cifar": (_BLOCK, *DEPTHS_32)},
    shape=shape_maker("resnet"),
    readings=readings,
    solved=SOLVED,
    describe=describe,
    traits=traits,
    form=_stride_form,
    colour="#0072B2",
    marker="o",
    resizing=RESIZING,
    unrolling=Unrolling(_block, _unrolled, _words),
    plain=_plain,
    paths=_paths,
)
PRERESNET = replace(
    RESNET, name="preresnet", label="PreResNet", axes={}, shape=None, readings=None, solved=frozenset(),
    form=_bottleneck_form, colour="#56B4E9", marker="v",
)  # fmt: skip
WIDE_RESNET = replace(
    RESNET,
    name="wide_resnet",
    label="Wide ResNet",
    axes={
        "imagenet": (_BLOCK, Axis("widening", 1.5, 4.0, log=True), *DEPTHS_224),
        "cifar": (_BLOCK, Axis("widening", 1.5, 12.0, log=True), *DEPTHS_32),
    },
    shape=shape_maker("wide_resnet"),
    form=_bottleneck_form,
    colour="#D55E00",
    marker="s",
)
RESNEXT = replace(
    RESNET,
    name="resnext",
    label="ResNeXt",
    axes={
        "imagenet": (_CARDINALITY, Axis("widening", 1.0, 4.0, log=True), *DEPTHS_224),
        "cifar": (_CARDINALITY, Axis("widening", 1.0, 16.0, log=True), *DEPTHS_32),
    },
    shape=shape_maker("resnext"),
    colour="#009E73",
    marker="^",
)
