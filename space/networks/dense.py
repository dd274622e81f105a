"""DenseNet and DenseNet-BC (arXiv:1608.06993). Names in the state dict follow torchvision's DenseNet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from space.networks.config import MAX_CHANNELS, MAX_DEPTH, Config, check_int, check_ints
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, Repeat
from space.networks.residual import check_target


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

    stem_width: int  # channels: 2 * growth_rate in DenseNet-BC and on ImageNet, 16 in basic CIFAR nets
    depths: tuple[int, ...]  # dense layers a block
    growth_rate: int  # channels that each layer adds
    bottleneck: int = 4  # multiplies the growth rate; 0 is no bottleneck
    compression: float = 0.5  # theta: the part of the channels that a transition keeps; 1 is none

    def __post_init__(self) -> None:
        super().__post_init__()
        check_int("stem_width", self.stem_width, 1, MAX_CHANNELS)
        check_ints("depths", self.depths, 1, MAX_DEPTH)
        check_int("growth_rate", self.growth_rate, 1, MAX_CHANNELS)
        check_int("bottleneck", self.bottleneck, 0, 64)
        theta = self.compression
        if type(theta) is bool or not isinstance(theta, int | float) or not 0 < theta <= 1:
            raise ValueError(f"compression is {theta!r}: expected a number above 0 and at most 1")
        object.__setattr__(self, "compression", float(theta))
        channels = self.stem_width + sum(self.depths) * self.growth_rate
        if channels > 16 * MAX_CHANNELS:
            raise ValueError(f"growth rate {self.growth_rate} over {sum(self.depths)} layers is beyond any machine")

    def blocks(self, input_size: int, classes: int, in_channels: int = 3) -> tuple[Repeat, ...]:
        """The resolved shapes. Activations are (n, channels, size, size).

        Raises:
            ValueError: if the input is too small for the pooling of the transitions.
        """
        check_target(input_size, classes, in_channels)
        channels, size, growth = self.stem_width, input_size, self.growth_rate
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
            blocks.append(
                Repeat(f"features.denseblock{number}.denselayer{{}}", self._dense_layer(channels, size), depth, 1)
            )
            channels += depth * growth
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

    def _dense_layer(self, channels: int, size: int) -> tuple[Layer, ...]:
        growth = self.growth_rate
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
        """Growth rate and stem times `factor`, at least 1 and 4 channels."""
        return replace(
            self,
            growth_rate=max(1, round(self.growth_rate * factor)),
            stem_width=max(4, round(self.stem_width * factor)),
        )
