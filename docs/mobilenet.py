"""MobileNetV2 (arXiv:1801.04381) as a family of one's own: see own_family.md beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from space.networks.axis import Axis, Value, stages
from space.networks.config import MAX_CHANNELS, MAX_DEPTH, Config, check_int, check_ints
from space.networks.family import Family, Measure, depth_values, depths_in
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, Repeat, unroll
from space.networks.network import FeatureInfo, Network, add_layers, put
from space.networks.widths import StageKnob, fill, largest, near

WIDTHS, STRIDES = (16, 24, 32, 64, 96, 160, 320), (1, 2, 2, 2, 1, 2, 1)  # Table 2 of the paper
STEM, LAST = 32, 1280


# ------------------------------------------------------------------------------------ what it is, and what it costs


@dataclass(frozen=True)
class MobileConfig(Config):
    """Inverted residuals: 1x1 -> hidden, depthwise 3x3(stride), 1x1 -> width; a shortcut where shapes are the same.

    The first stage has no expansion. Stems: imagenet is a 3x3 with stride 2, cifar one with stride 1.
    """

    LABELS = ("mobilenet_v2",)
    WIDTHS = ("stem_width", "widths", "last_width")

    stem_width: int
    depths: tuple[int, ...]  # blocks of each of the seven stages
    widths: tuple[int, ...]  # channels that each stage puts out
    expansion: int = 6  # hidden channels, in multiples of what a block reads
    last_width: int = LAST  # channels of the 1x1 before the pooling

    def __post_init__(self) -> None:
        super().__post_init__()
        check_int("stem_width", self.stem_width, 1, MAX_CHANNELS)
        check_ints("depths", self.depths, 1, MAX_DEPTH, len(STRIDES))
        check_ints("widths", self.widths, 1, MAX_CHANNELS, len(STRIDES))
        check_int("expansion", self.expansion, 1, 64)
        check_int("last_width", self.last_width, 1, MAX_CHANNELS)

    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        """The layers, from which cost is counted and the modules are made."""
        stride = 1 if self.stem == "cifar" else 2
        size, channels = (input_size - 1) // stride + 1, self.stem_width
        stem = Conv("conv1", in_channels, channels, 3, stride, input_size), Norm("bn1", channels, size)
        blocks = [Repeat("", stem)]
        for stage, (depth, width, stride) in enumerate(zip(self.depths, self.widths, STRIDES, strict=True), 1):
            expansion = 1 if stage == 1 else self.expansion
            blocks.append(Repeat(f"layer{stage}.{{}}", _block(channels, width, expansion, stride, size)))
            size = (size - 1) // stride + 1
            if depth > 1:
                blocks.append(Repeat(f"layer{stage}.{{}}", _block(width, width, expansion, 1, size), depth - 1, 1))
            channels = width
        last = Conv("conv2", channels, self.last_width, 1, 1, size), Norm("bn2", self.last_width, size)
        head = Pool("avgpool", "global", self.last_width, size), Linear("classifier", self.last_width, classes)
        return (*blocks, Repeat("", (*last, *head)))


def _block(channels: int, width: int, expansion: int, stride: int, size: int) -> tuple[Layer, ...]:
    hidden = channels * expansion
    out = (size - 1) // stride + 1
    expand = (Conv("conv1", channels, hidden, 1, 1, size), Norm("bn1", hidden, size)) if expansion > 1 else ()
    depthwise = Conv("conv2", hidden, hidden, 3, stride, size, groups=hidden), Norm("bn2", hidden, out)
    return (*expand, *depthwise, Conv("conv3", hidden, width, 1, 1, out), Norm("bn3", width, out))


# ------------------------------------------------------------------------------------ what a search varies and solves


@dataclass(frozen=True)
class MobileShape:
    """Everything but the width."""

    stem: str
    depths: tuple[int, ...]
    expansion: int

    def at(self, parts: int) -> MobileConfig:
        """All widths of the paper times `parts` / 64; the last 1x1 is never narrower than there."""
        widths = tuple(near(width * parts / 64, 8) for width in WIDTHS)
        last = near(LAST * max(64, parts) / 64, 8)
        return MobileConfig(
            "mobilenet_v2", self.stem, near(STEM * parts / 64, 8), self.depths, widths, self.expansion, last
        )

    def of_depths(self, depths: tuple[int, ...]) -> MobileShape:
        """The same shape with other depths."""
        return replace(self, depths=depths)

    def shallow(self) -> MobileShape:
        """The shape with one block a stage."""
        return self.of_depths((1,) * len(self.depths))

    def narrowest(self) -> MobileConfig:
        """The network with an eighth of the paper's widths."""
        return self.at(8)

    def solve(self, target: int, measure: Measure) -> MobileConfig:
        """The widest network that measures at most `target`; single stages take up what is left."""
        config = self.at(largest(lambda parts: measure(self.at(parts)), target, 8, 64 * 100, 64))

        def costliest_first(config: MobileConfig) -> list[StageKnob]:
            knobs = [StageKnob("widths", stage) for stage in range(len(STRIDES))]
            return sorted(knobs, key=lambda knob: -measure(knob.raised(config, knob.step)))

        return fill(config, costliest_first, target, measure)


def shape(values: Mapping[str, Value], kind: str) -> MobileShape:
    """The shape that values of the axes describe."""
    return MobileShape(kind, depths_in(values), int(values["expansion"]))


def readings(config: MobileConfig) -> list[dict[str, Value]]:
    """The way back: the values that a network has."""
    return [{"expansion": config.expansion, **depth_values(config)}]


# ------------------------------------------------------------------------------------ the modules


class InvertedResidual(nn.Module):
    """Expansion, depthwise 3x3, linear bottleneck."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        add_layers(self, layers)
        convs = [layer for layer in layers if isinstance(layer, Conv)]
        self.expands = len(convs) == 3
        self.shortcut = convs[0].in_channels == convs[-1].out_channels and all(conv.stride == 1 for conv in convs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride)."""
        out = F.relu6(self.bn1(self.conv1(x))) if self.expands else x
        out = self.bn3(self.conv3(F.relu6(self.bn2(self.conv2(out)))))
        return x + out if self.shortcut else out


class MobileNet(Network):
    """The module of a `MobileConfig`."""

    HEAD = "classifier"

    def __init__(self, config: MobileConfig, classes: int, input_size: int, in_channels: int) -> None:
        names = [f"layer{stage}" for stage in range(1, len(STRIDES) + 1)]
        reduction = 1 if config.stem == "cifar" else 2
        info = [FeatureInfo("stem", config.stem_width, reduction)]
        for name, width, stride in zip(names, (*config.widths[:-1], config.last_width), STRIDES, strict=True):
            reduction *= stride
            info.append(FeatureInfo(name, width, reduction))
        runs = [("conv1", "bn1", "relu"), *((name,) for name in names[:-1]), (names[-1], "conv2", "bn2", "relu")]
        super().__init__(config, classes, runs, info)
        for path, layers in unroll(config.blocks(input_size, classes, in_channels)):
            if path:
                put(self, path, InvertedResidual(layers))
            else:
                add_layers(self, layers)
        self.relu = nn.ReLU6()


# ------------------------------------------------------------------------------------ the record


def describe(config: MobileConfig) -> str:
    """Such as "x6 d1-2-3-4-3-3-1 w16-24-32-64-96-160-320"."""
    depths, widths = ("-".join(map(str, numbers)) for numbers in (config.depths, config.widths))
    return f"x{config.expansion} d{depths} w{widths}"


def traits(config: MobileConfig) -> dict[str, Any]:
    """Numbers for the columns of tables."""
    return {"depth": sum(config.depths), "width": config.widths[0], "block": "inverted residual"}


_AXES = (Axis("expansion", 2, 8), *stages((1, 2), (1, 4), (1, 6), (1, 8), (1, 6), (1, 6), (1, 2)))

FAMILY = Family(
    name="mobilenet_v2",
    label="MobileNetV2",
    config=MobileConfig,
    module=MobileNet,
    axes={"imagenet": _AXES, "cifar": _AXES},
    shape=shape,
    readings=readings,
    solved=frozenset({"stem_width", "widths", "last_width"}),
    describe=describe,
    traits=traits,
    colour="#882255",
    marker="*",
)
