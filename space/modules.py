"""The networks as torch modules, made of the very layer records that `cost` sums."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from space.config import Config
from space.dense import DenseConfig
from space.layers import Conv, Layer, Linear, Norm, Pool, unroll
from space.residual import ResidualConfig


def build_module(
    config: Config, classes: int = 1000, input_size: int = 224, *, zero_init_last: bool = False
) -> nn.Module:
    """Make the network. See `space.build`."""
    model: nn.Module
    if isinstance(config, ResidualConfig):
        model = ResidualNet(config, classes, input_size)
    elif isinstance(config, DenseConfig):
        model = DenseNet(config, classes, input_size)
    else:
        raise ValueError(f"no module for a {type(config).__name__}")
    initialise(model)
    if zero_init_last and isinstance(model, ResidualNet):
        model.zero_last_norms()
    return model


def initialise(model: nn.Module) -> None:
    """He initialisation (arXiv:1502.01852, fan out) of convolutions; norms to one and zero; bias to zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=5**0.5)
            nn.init.zeros_(module.bias)


def layer_module(layer: Layer) -> nn.Module:
    """The torch module of one record."""
    match layer:
        case Conv():
            return nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel,
                layer.stride,
                layer.kernel // 2,
                groups=layer.groups,
                bias=False,
            )
        case Norm():
            return nn.BatchNorm2d(layer.channels)
        case Linear():
            return nn.Linear(layer.in_features, layer.out_features)
        case Pool(kind="max"):
            return nn.MaxPool2d(3, 2, 1)
        case Pool(kind="avg"):
            return nn.AvgPool2d(2, 2)
        case Pool():
            return nn.AdaptiveAvgPool2d(1)


def add_layers(module: nn.Module, layers: Iterable[Layer]) -> None:
    """Add each record's module under its name; ``downsample.0`` goes into a Sequential ``downsample``."""
    for layer in layers:
        parent, _, leaf = layer.name.rpartition(".")
        if parent and not hasattr(module, parent):
            module.add_module(parent, nn.Sequential())
        (module.get_submodule(parent) if parent else module).add_module(leaf, layer_module(layer))


class ZeroPadShortcut(nn.Module):
    """Option A of the ResNet paper: every `stride`-th position, new channels zero. No parameters."""

    def __init__(self, stride: int, extra: int) -> None:
        super().__init__()
        self.stride = stride
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c + extra, ceil(h / stride), ceil(w / stride))."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


class ResidualBlock(nn.Module):
    """A basic or bottleneck block, post- or pre-activation (see `ResidualConfig`)."""

    def __init__(self, layers: tuple[Layer, ...], preactivation: bool) -> None:
        super().__init__()
        add_layers(self, layers)
        convs = [layer for layer in layers if isinstance(layer, Conv) and layer.name.startswith("conv")]
        self.preactivation = preactivation
        self.steps = tuple((conv.name, f"bn{number}") for number, conv in enumerate(convs, 1))
        self.relu = nn.ReLU(inplace=True)
        stride = max(conv.stride for conv in convs)
        extra = convs[-1].out_channels - convs[0].in_channels
        if not hasattr(self, "downsample"):
            shortcut = ZeroPadShortcut(stride, extra) if stride > 1 or extra else None
            self.downsample: nn.Module | None = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride)."""
        return self._pre(x) if self.preactivation else self._post(x)

    def _post(self, x: Tensor) -> Tensor:
        out = x
        last = len(self.steps) - 1
        for number, (conv, norm) in enumerate(self.steps):
            out = self.get_submodule(norm)(self.get_submodule(conv)(out))
            if number < last:
                out = self.relu(out)
        shortcut = x if self.downsample is None else self.downsample(x)
        out = out + shortcut
        return F.relu(out, inplace=True)

    def _pre(self, x: Tensor) -> Tensor:
        # A projection reads the activated input; identity and zero padding read the raw one (arXiv:1603.05027).
        out = F.relu(self.get_submodule(self.steps[0][1])(x))
        if self.downsample is None:
            shortcut = x
        else:
            shortcut = self.downsample(x if isinstance(self.downsample, ZeroPadShortcut) else out)
        for number, (conv, norm) in enumerate(self.steps):
            if number:
                out = F.relu(self.get_submodule(norm)(out), inplace=True)
            out = self.get_submodule(conv)(out)
        return out + shortcut


class ResidualNet(nn.Module):
    """The module of a `ResidualConfig`; the state dict's names are torchvision's ResNet's."""

    conv1: nn.Module
    bn1: nn.Module
    maxpool: nn.Module
    bn: nn.Module
    avgpool: nn.Module
    fc: nn.Module

    def __init__(self, config: ResidualConfig, classes: int, input_size: int) -> None:
        super().__init__()
        self.config = config
        self.stages = tuple(f"layer{number + 1}" for number in range(len(config.depths)))
        for path, layers in unroll(config.blocks(input_size, classes)):
            stage = path.partition(".")[0]
            if not stage:
                add_layers(self, layers)
                continue
            if not hasattr(self, stage):
                self.add_module(stage, nn.Sequential())
            self.get_submodule(stage).append(ResidualBlock(layers, config.preactivation))  # type: ignore[operator]
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, classes) logits."""
        x = self.conv1(x)
        if hasattr(self, "bn1"):
            x = self.relu(self.bn1(x))
        if hasattr(self, "maxpool"):
            x = self.maxpool(x)
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        if hasattr(self, "bn"):
            x = self.relu(self.bn(x))
        out: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return out

    def zero_last_norms(self) -> None:
        """Start every post-activation block as the identity: its last norm's scale is zero (arXiv:1706.02677, 5.1).

        A pre-activation block ends in a convolution; there that convolution starts at zero.
        """
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                conv, norm = module.steps[-1]
                last = module.get_submodule(conv if module.preactivation else norm)
                nn.init.zeros_(last.weight)  # type: ignore[arg-type]


class DenseLayer(nn.Module):
    """norm, ReLU, [1x1, norm, ReLU,] 3x3; returns the new maps alone."""

    norm1: nn.Module
    conv1: nn.Module
    norm2: nn.Module
    conv2: nn.Module

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        add_layers(self, layers)
        self.bottleneck = len(layers) == 4

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, growth_rate, h, w)."""
        out: Tensor = self.conv1(F.relu(self.norm1(x), inplace=True))
        if self.bottleneck:
            out = self.conv2(F.relu(self.norm2(out), inplace=True))
        return out


class DenseBlock(nn.Module):
    """Dense layers, each reading everything before it."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c + layers * growth_rate, h, w)."""
        maps = [x]
        for layer in self.children():
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)


class Transition(nn.Module):
    """norm, ReLU, 1x1 convolution, 2x2 average pooling."""

    norm: nn.Module
    conv: nn.Module
    pool: nn.Module

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        add_layers(self, layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, floor(theta c), h / 2, w / 2)."""
        out: Tensor = self.pool(self.conv(F.relu(self.norm(x), inplace=True)))
        return out


class DenseNet(nn.Module):
    """The module of a `DenseConfig`; the state dict's names are torchvision's DenseNet's."""

    classifier: nn.Module
    avgpool: nn.Module

    def __init__(self, config: DenseConfig, classes: int, input_size: int) -> None:
        super().__init__()
        self.config = config
        self.features = nn.Sequential()
        for path, layers in unroll(config.blocks(input_size, classes)):
            parts = path.split(".")
            if path == "":
                add_layers(self, layers)
            elif path == "features":
                for layer in layers:
                    add_layers(self.features, (layer,))
                    if layer.name == "norm0":  # the ImageNet stem: ReLU between norm0 and pool0
                        self.features.add_module("relu0", nn.ReLU(inplace=True))
            elif parts[1].startswith("transition"):
                self.features.add_module(parts[1], Transition(layers))
            else:
                if not hasattr(self.features, parts[1]):
                    self.features.add_module(parts[1], DenseBlock())
                self.features.get_submodule(parts[1]).add_module(parts[2], DenseLayer(layers))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, classes) logits."""
        x = F.relu(self.features(x), inplace=True)
        out: Tensor = self.classifier(torch.flatten(self.avgpool(x), 1))
        return out
