"""DenseNet and DenseNet-BC (arXiv:1608.06993). Names in the state dict follow torchvision's DenseNet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Self

from space.networks.config import MAX_CHANNELS, MAX_DEPTH, REACH, Config, check_int, check_ints
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, Repeat
from space.networks.residual import check_target

THOUSAND = 1000
COMPRESSED = (1.003, 1.01, 1.03, 1.1, 0.997, 0.99, 0.97, 0.9, 0.75)  # factors by which a proxy moves its compression


@dataclass(frozen=True)
class DenseConfig(Config):
    """A densely connected network.

    Every dense layer reads all maps before it in its block and adds `growth_rate` new ones::

        basic        norm, ReLU, 3x3 -> growth_rate
        bottleneck   norm, ReLU, 1x1 -> bottleneck * growth_rate, norm, ReLU, 3x3 -> growth_rate
        transition   norm, ReLU, 1x1 -> floor(compression * channels), 2x2 average pooling

    The CIFAR form has a bare 3x3 convolution as stem, as the authors' code; the ImageNet form 7x7 stride 2, norm,
    ReLU, max pooling.
    """

    LABELS = ("densenet",)
    WIDTHS = ("stem_width",)  # the growth rate is scaled in thousandths of a channel

    stem_width: int  # channels: 2 * growth_rate in DenseNet-BC and on ImageNet, 16 in basic CIFAR nets
    depths: tuple[int, ...]  # dense layers a block
    growth_rate: int  # channels that each layer adds
    bottleneck: int = 4  # multiplies the growth rate; 0 is no bottleneck
    compression: float = 0.5  # theta: the part of the channels that a transition keeps; 1 is none
    # Thousandths of a channel that a layer adds beyond `growth_rate` on average: some layers add one more, spread
    # evenly over the network. Proxies have it, whose growth rate is so small that one step of it is coarse.
    extra_growth: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_int("stem_width", self.stem_width, 1, MAX_CHANNELS)
        check_ints("depths", self.depths, 1, MAX_DEPTH)
        check_int("growth_rate", self.growth_rate, 1, MAX_CHANNELS)
        check_int("bottleneck", self.bottleneck, 0, 64)
        check_int("extra_growth", self.extra_growth, 0, THOUSAND - 1)
        theta = self.compression
        if type(theta) is bool or not isinstance(theta, int | float) or not 0 < theta <= 1:
            raise ValueError(f"compression is {theta!r}: expected a number above 0 and at most 1")
        object.__setattr__(self, "compression", float(theta))
        channels = self.stem_width + sum(self.depths) * (self.growth_rate + 1)
        if channels > 16 * MAX_CHANNELS:
            raise ValueError(f"growth rate {self.growth_rate} over {sum(self.depths)} layers is beyond any machine")

    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        """The resolved shapes. Activations are (n, channels, size, size).

        Raises:
            ValueError: if the input is too small for the pooling of the transitions.
        """
        check_target(input_size, classes, in_channels)
        channels, size, before = self.stem_width, input_size, 0
        if self.stem == "imagenet":
            half = (input_size - 1) // 2 + 1
            size = (half - 1) // 2 + 1
            stem: tuple[Layer, ...] = (
                Conv("conv0", in_channels, channels, 7, 2, input_size),
                Norm("norm0", channels, half),
                Pool("pool0", "max", channels, half),
            )
        else:
            stem = (Conv("conv0", in_channels, channels, 3, 1, size),)
        blocks = [Repeat("features", stem)]
        for number, depth in enumerate(self.depths, 1):
            name, first = f"features.denseblock{number}.denselayer{{}}", 1
            for growth, copies in self._runs(before, depth):
                blocks.append(Repeat(name, self._dense_layer(channels, size, growth), copies, first))
                channels, first = channels + copies * growth, first + copies
            before += depth
            if number < len(self.depths):
                if size < 2:
                    raise ValueError(
                        f"input size {input_size} is too small for a DenseNet of {len(self.depths)} blocks: "
                        "nothing is left to pool"
                    )
                # The tolerance keeps 0.29 * 100 at 29; a transition never drops the last channel.
                kept = max(1, math.floor(channels * self.compression + 1e-9))
                blocks.append(
                    Repeat(
                        f"features.transition{number}",
                        (
                            Norm("norm", channels, size),
                            Conv("conv", channels, kept, 1, 1, size),
                            Pool("pool", "avg", kept, size),
                        ),
                    )
                )
                channels, size = kept, size // 2
        blocks.append(Repeat("features", (Norm("norm5", channels, size),)))
        blocks.append(Repeat("", (Pool("avgpool", "global", channels, size), Linear("classifier", channels, classes))))
        return tuple(blocks)

    def _runs(self, before: int, depth: int) -> list[tuple[int, int]]:
        """(growth, layers in a row) of the `depth` layers behind the first `before` of the network."""
        extra = self.extra_growth
        if not extra:
            return [(self.growth_rate, depth)]
        grown = (
            self.growth_rate + (layer + 1) * extra // THOUSAND - layer * extra // THOUSAND
            for layer in range(before, before + depth)
        )
        return [(growth, len(list(same))) for growth, same in groupby(grown)]

    def _dense_layer(self, channels: int, size: int, growth: int) -> tuple[Layer, ...]:
        first = Norm("norm1", channels, size, growth)
        if not self.bottleneck:
            return first, Conv("conv1", channels, growth, 3, 1, size, 1, growth)
        inner = self.bottleneck * growth
        return (
            first,
            Conv("conv1", channels, inner, 1, 1, size, 1, growth),
            Norm("norm2", inner, size),
            Conv("conv2", inner, growth, 3, 1, size),
        )

    def scaled(self, factor: float) -> Self:
        """Growth rate and stem times `factor`: the growth rate at least 1, to a thousandth of a channel on average."""
        growth = max(THOUSAND, round((self.growth_rate * THOUSAND + self.extra_growth) * factor))
        return replace(
            self,
            growth_rate=growth // THOUSAND,
            extra_growth=growth % THOUSAND,
            stem_width=max(1, round(self.stem_width * factor)),
        )

    def nudged(self, proxy: Self, factor: float) -> Iterator[Self]:
        """The networks that differ from `proxy` by a few channels of the stem or by a little compression."""
        yield from super().nudged(proxy, factor)
        for part in COMPRESSED:
            theta = round(proxy.compression * part, 4)
            if self.compression / 2 <= theta <= min(1.0, self.compression * (1 + REACH)):
                yield replace(proxy, compression=theta)
