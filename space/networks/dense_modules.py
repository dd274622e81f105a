"""The modules of a `DenseConfig`."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from space.networks.dense import DenseConfig
from space.networks.layers import Layer, Norm, unroll
from space.networks.network import Network, Stage, add_layers, layer_module, put, stage_info


class DenseLayer(nn.Module):
    """norm, ReLU, [1x1, norm, ReLU,] 3x3; returns the new maps alone.

    Also loads weights with the names of torchvision's files of 2017, where ``norm1.weight`` is ``norm.1.weight``.
    """

    norm1: nn.Module
    conv1: nn.Module
    norm2: nn.Module
    conv2: nn.Module

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        add_layers(self, layers)
        self.bottleneck = len(layers) == 4
        self.register_load_state_dict_pre_hook(_without_dots)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, growth_rate, h, w)."""
        out: Tensor = self.conv1(F.relu(self.norm1(x), inplace=True))
        if self.bottleneck:
            out = self.conv2(F.relu(self.norm2(out), inplace=True))
        return out


def _without_dots(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename ``norm.1``, ``conv.2`` ... of a dense layer to ``norm1``, ``conv2`` ... before it loads them."""
    dotted = re.compile(re.escape(prefix) + r"(norm|conv)\.([12])\.")
    for key in [key for key in state if dotted.match(key)]:
        state[dotted.sub(rf"{prefix}\1\2.", key)] = state.pop(key)


class DenseBlock(nn.Module):
    """Dense layers, each reading everything before it.

    Each layer's maps are appended to what was there. Concatenating all maps anew for each layer gives the same values
    and gradients, to the bit, but a backward pass of one addition for each pair of layers in place of one for each.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c + layers * growth_rate, h, w)."""
        for layer in self.children():
            x = torch.cat((x, layer(x)), 1)
        return x


@torch.fx.wrap  # one call in a graph of torch.fx, which cannot look into it
def require_poolable(x: Tensor, smallest: int) -> None:
    """Raise ValueError if a map is too small to be halved; `smallest` is the height and width that an image needs."""
    height, width = x.shape[-2:]
    if height < 2 or width < 2:
        raise ValueError(
            f"the images are too small: nothing is left to pool of a map of {height}x{width}, expected images of at "
            f"least {smallest}x{smallest} pixels"
        )


class Transition(nn.Module):
    """norm, ReLU, 1x1 convolution, 2x2 average pooling."""

    norm: nn.Module
    conv: nn.Module
    pool: nn.Module

    def __init__(self, layers: tuple[Layer, ...], smallest: int) -> None:
        super().__init__()
        add_layers(self, layers)
        self.smallest = smallest

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, floor(theta c), h / 2, w / 2).

        Raises:
            ValueError: if the map is too small to be halved.
        """
        require_poolable(x, self.smallest)
        out: Tensor = self.pool(self.conv(F.relu(self.norm(x), inplace=True)))
        return out


class DenseNet(Network):
    """The module of a `DenseConfig`; the state dict's names are torchvision's DenseNet's."""

    HEAD = "classifier"

    def __init__(self, config: DenseConfig, classes: int, input_size: int, in_channels: int) -> None:
        blocks = config.blocks(input_size, classes, in_channels)
        names = [f"denseblock{number}" for number in range(1, len(config.depths) + 1)]
        # All that a dense block has made is read by the norm behind it: of a transition or the last one.
        behind = {block.name: block.layers[0] for block in blocks if isinstance(block.layers[0], Norm)}
        made = [norm.channels for name, norm in behind.items() if "denselayer" not in name]
        info = stage_info(["stem", *names], [config.stem_width, *made], config.stem)
        super().__init__(config, classes, _stages(config, names), info)
        transitions = len(names) - 1
        smallest = 2**transitions if config.stem == "cifar" else 4 * 2**transitions - 3
        for path, layers in unroll(blocks):
            if "transition" in path:
                put(self, path, Transition(layers, smallest))
            elif "denselayer" in path:
                if path.endswith(".denselayer1"):
                    put(self, path.rpartition(".")[0], DenseBlock())
                put(self, path, DenseLayer(layers))
            else:
                for layer in layers:
                    put(self, f"{path}.{layer.name}".lstrip("."), layer_module(layer))
                    if layer.name == "norm0":  # the ImageNet stem: ReLU between norm0 and pool0
                        put(self, "features.relu0", nn.ReLU(inplace=True))
        self.relu = nn.ReLU(inplace=True)


def _stages(config: DenseConfig, names: list[str]) -> list[Stage]:
    """What each stage runs; what halves the maps opens a stage, so that the map before it is the last one's."""
    imagenet = config.stem == "imagenet"
    opening = ["pool0", *(f"transition{number}" for number in range(1, len(names)))]
    stages = [("conv0", "norm0", "relu0") if imagenet else ("conv0",), *zip(opening, names, strict=True)]
    if not imagenet:
        stages[1] = (names[0],)
    paths = [tuple(f"features.{name}" for name in stage) for stage in stages]
    return [*paths[:-1], (*paths[-1], "features.norm5", "relu")]
