"""What all networks have as modules: layers made of records, a trunk of stages, a head, and the maps of the stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from space.networks.config import MAX_CLASSES, Config, check_int
from space.networks.layers import Conv, Layer, Linear, Norm, Pool, unknown_layer

Stage = tuple[str, ...]  # the modules that a stage runs, one after the other, by their paths


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """What the map at the end of a stage looks like."""

    name: str  # stem, layer1 or denseblock1 ...
    channels: int
    reduction: int  # pixels of the image, down or across, to one position of the map


class Network(nn.Module):
    """A trunk of stages, global average pooling and a linear head; its methods have the names that timm gives them.

    It reads images of any size that its poolings leave something of, square or not.

    Attributes:
        config: the configuration that it was made of.
        stages: the paths of the modules that each stage runs.
        feature_info: the stages' maps, the stem's first.
        num_features: channels of the last map, which the head reads.
        num_classes: outputs of the head; 0 where there is none.
    """

    HEAD: ClassVar[str]  # the head's name
    avgpool: nn.Module

    def __init__(self, config: Config, classes: int, stages: Sequence[Stage], feature_info: Sequence[FeatureInfo]):
        super().__init__()
        self.config = config
        self.stages = tuple(stages)
        self.feature_info = tuple(feature_info)
        self.num_features = feature_info[-1].channels
        self.num_classes = classes

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_channels, h, w) images -> (n, classes) logits."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:
        """(n, in_channels, h, w) images -> the last map, (n, num_features, h / reduction, w / reduction)."""
        for stage in self.stages:
            x = run_stage(self, stage, x)
        return x

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The last map -> (n, classes) logits, or with `pre_logits` the (n, num_features) that the head reads."""
        x = torch.flatten(self.avgpool(x), 1)
        if pre_logits:
            return x
        logits: Tensor = self.get_classifier()(x)
        return logits

    def zero_last_norms(self) -> None:
        """Let every block with a shortcut start as the identity; a network without shortcuts stays as it is."""

    def get_classifier(self) -> nn.Module:
        """The head: a linear layer, or the identity after ``reset_classifier(0)``."""
        return self.get_submodule(self.HEAD)

    def reset_classifier(self, num_classes: int) -> None:
        """Put a new head in the old one's place: on its device, of its type, initialised as at the beginning.

        Args:
            num_classes: outputs of the new head; 0 makes it the identity, and the network gives pooled features.

        Raises:
            ValueError: if that is no possible number.
        """
        check_int("num_classes", num_classes, 0, MAX_CLASSES)
        head: nn.Module = nn.Identity()
        if num_classes:
            like = next(self.parameters())
            head = nn.Linear(self.num_features, num_classes, device=like.device, dtype=like.dtype)
            initialise(head)
        self.add_module(self.HEAD, head.train(self.training))
        self.num_classes = num_classes


class FeatureMaps(nn.Module):
    """A network without its head, for detection and segmentation: it gives the maps at the end of its stages.

    Modules keep their names, so that a whole network's weights fit: what is left over is the head, and what comes after
    the last map asked for. The map of the last stage is the one that the head would read: where a network ends in a
    norm and a ReLU (DenseNet, pre-activation ResNet), they are behind it, and the maps before it are those that the
    next stage reads, with the ReLU of their blocks or none.

    Attributes:
        config: the configuration that the network was made of.
        stages: the paths of the modules that each stage runs.
        out_indices: which stages' maps are given, 0 for the stem's.
        feature_info: of the maps that are given.
    """

    def __init__(self, network: Network, out_indices: Sequence[int] | None = None) -> None:
        """Share the modules of `network`, trained or not.

        Raises:
            ValueError: if `out_indices` are not stages of the network in ascending order.
        """
        super().__init__()
        self.config = network.config
        self.out_indices = _ascending(out_indices, [info.name for info in network.feature_info])
        self.feature_info = tuple(network.feature_info[index] for index in self.out_indices)
        self.stages = network.stages[: self.out_indices[-1] + 1]
        for stage in self.stages:
            for path in stage:
                put(self, path, network.get_submodule(path))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, in_channels, h, w) images -> maps (n, channels, h / reduction, w / reduction) as `feature_info` has."""
        maps = []
        for number, stage in enumerate(self.stages):
            x = run_stage(self, stage, x)
            if number in self.out_indices:
                maps.append(x)
        return maps


def _ascending(indices: Sequence[int] | None, names: list[str]) -> tuple[int, ...]:
    """Indices of stages, negative ones counted from the end; all where none are given."""
    if indices is None:
        return tuple(range(len(names)))
    known = range(-len(names), len(names))
    if isinstance(indices, Sequence) and all(type(index) is int and index in known for index in indices):
        counted = tuple(index % len(names) for index in indices)
        if counted and list(counted) == sorted(set(counted)):
            return counted
    expected = ", ".join(f"{number} ({name})" for number, name in enumerate(names))
    raise ValueError(f"out_indices is {indices!r}: expected some of {expected} in ascending order, such as (2, 3)")


def run_stage(module: nn.Module, stage: Stage, x: Tensor) -> Tensor:
    """Run the submodules of `module` that a stage names."""
    for path in stage:
        x = module.get_submodule(path)(x)
    return x


def stage_info(names: Sequence[str], channels: Sequence[int], stem: str) -> list[FeatureInfo]:
    """The maps of a network: the ImageNet stem halves twice (once before its own map), the CIFAR stem never.

    A RegNet stem halves once and its first stage again; every later stage of any network halves.
    """
    before, after = (1, 1) if stem == "cifar" else (2, 4)
    reductions = [before, *(after * 2**number for number in range(len(names) - 1))]
    return [FeatureInfo(*each) for each in zip(names, channels, reductions, strict=True)]


def initialise(model: nn.Module) -> None:
    """He initialisation (arXiv:1502.01852, fan out) of convolutions; norms to one and zero; bias to zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=5**0.5)
            nn.init.zeros_(module.bias)


def layer_module(layer: Layer) -> nn.Module:
    """The torch module of one record.

    Raises:
        TypeError: for a record of an unknown kind.
    """
    match layer:
        case Conv():
            return nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel,
                layer.stride,
                layer.kernel // 2,
                groups=layer.groups,
                bias=layer.bias,
            )
        case Norm():
            return nn.BatchNorm2d(layer.channels)
        case Linear():
            return nn.Linear(layer.in_features, layer.out_features)
        case Pool(kind="max"):
            return nn.MaxPool2d(3, 2, 1)
        case Pool(kind="avg"):
            return nn.AvgPool2d(2, 2)
        case Pool(kind="global"):
            return nn.AdaptiveAvgPool2d(1)
        case _:
            raise unknown_layer(layer)


def put(module: nn.Module, path: str, child: nn.Module) -> None:
    """Add a module under its path; for ``downsample.0`` a Sequential ``downsample`` is made as needed."""
    *parents, leaf = path.split(".")
    for name in parents:
        if not hasattr(module, name):
            module.add_module(name, nn.Sequential())
        module = module.get_submodule(name)
    module.add_module(leaf, child)


def add_layers(module: nn.Module, layers: Iterable[Layer]) -> None:
    """Add each record's module under its name."""
    for layer in layers:
        put(module, layer.name, layer_module(layer))
