"""The modules of a `RegNetYConfig`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from space.networks.layers import Layer
from space.networks.network import add_layers
from space.networks.residual_modules import ResidualBlock, ResidualNet


class Gate(nn.Module):
    """Squeeze-and-excitation: a factor from 0 to 1 for each map, from the means of all maps."""

    fc1: nn.Module
    fc2: nn.Module

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        add_layers(self, layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> the same."""
        means = x.mean((2, 3), keepdim=True)
        out: Tensor = x * self.fc2(F.relu(self.fc1(means))).sigmoid()
        return out


class GatedBlock(ResidualBlock):
    """A bottleneck whose 3x3 is gated."""

    se: nn.Module

    def __init__(self, layers: tuple[Layer, ...], preactivation: bool, plain: bool = False) -> None:
        gates = [layer for layer in layers if layer.name.startswith("se.")]
        super().__init__(tuple(layer for layer in layers if layer not in gates), preactivation, plain)
        self.se = Gate(tuple(layer._replace(name=layer.name.removeprefix("se.")) for layer in gates))

    def between(self, number: int, x: Tensor) -> Tensor:
        """What follows the norm of a convolution that is not the last: a ReLU, and behind the 3x3 the gate."""
        out: Tensor = super().between(number, x)
        return self.se(out) if number == 1 else out


class RegNetY(ResidualNet):
    """The module of a `RegNetYConfig`; its names are those of a `ResidualNet`, and ``se.fc1`` and ``se.fc2``."""

    BLOCK = GatedBlock
