"""RegNetY: RegNetX with squeeze-and-excitation.

Designing Network Design Spaces, Radosavovic 2020, arXiv:2003.13678, section 4; squeeze-and-excitation arXiv:1709.01507.
As in pycls: behind the 3x3 and its ReLU, the hidden layer a part of what the block *reads* (not of its inner width).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from space.networks.layers import Conv, Layer
from space.networks.regnetx import REGNETX, network, rule, shape_maker
from space.networks.residual import ResidualConfig


@dataclass(frozen=True)
class RegNetYConfig(ResidualConfig):
    """A residual network of bottleneck blocks, each gated by squeeze-and-excitation.

    The block's recipe::

        1x1 -> inner, 3x3(stride, groups) -> inner, gate, 1x1 -> width, + shortcut
        gate: mean of each map, 1x1 -> hidden, ReLU, 1x1 -> inner, sigmoid; scales the maps
    """

    LABELS = ("regnety",)

    se_ratio: float = 0.25  # hidden channels of a gate, as a part of what its block reads

    def __post_init__(self) -> None:
        super().__post_init__()
        ratio = self.se_ratio
        if type(ratio) is bool or not isinstance(ratio, int | float) or not 0 < ratio <= 1:
            raise ValueError(f"se_ratio is {ratio!r}: expected a number above 0 and at most 1")
        object.__setattr__(self, "se_ratio", float(ratio))
        if self.block != "bottleneck" or self.preactivation or self.stride_in != "3x3":
            raise ValueError(
                f"a {self.family} has post-activation bottlenecks with the stride in the 3x3: expected those"
            )

    def block_layers(self, stage: int, channels: int, stride: int, size: int) -> tuple[Layer, ...]:
        """One block of a stage that reads `channels` maps of `size` x `size`."""
        inner, hidden = self.inner_widths[stage], max(1, round(self.se_ratio * channels))
        gate = (Conv("se.fc1", inner, hidden, 1, 1, 1, bias=True), Conv("se.fc2", hidden, inner, 1, 1, 1, bias=True))
        layers = super().block_layers(stage, channels, stride, size)
        behind = next(place for place, layer in enumerate(layers, 1) if layer.name == "bn2")
        return (*layers[:behind], *gate, *layers[behind:])


def regnety(depth: int, width: int, slope: float, step: float, group_width: int) -> ResidualConfig:
    """The RegNetY of a `space.networks.regnetx.rule`."""
    return network("regnety", RegNetYConfig, rule(depth, width, slope, step, group_width))


REGNETY = replace(
    REGNETX,
    name="regnety",
    label="RegNetY",
    config=RegNetYConfig,
    module="space.networks.regnety_modules:RegNetY",
    shape=shape_maker("regnety", RegNetYConfig),
    unrolling=None,  # a gate has no unrolled form
    colour="#999933",  # Tol's olive: Okabe and Ito's eight are taken, but for a yellow too pale for white paper
    marker="p",
)
