"""The modules of a `ResidualConfig`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from space.layers import Conv, Layer, unroll
from space.network import Network, Stage, add_layers, put, stage_info
from space.residual import ResidualConfig


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


class ResidualNet(Network):
    """The module of a `ResidualConfig`; the state dict's names are torchvision's ResNet's."""

    HEAD = "fc"

    def __init__(self, config: ResidualConfig, classes: int, input_size: int, in_channels: int) -> None:
        names = [f"layer{number}" for number in range(1, len(config.depths) + 1)]
        info = stage_info(["stem", *names], [config.stem_width, *config.widths], config.stem)
        super().__init__(config, classes, _stages(config, names), info)
        for path, layers in unroll(config.blocks(input_size, classes, in_channels)):
            if path:
                put(self, path, ResidualBlock(layers, config.preactivation))
            else:
                add_layers(self, layers)
        self.relu = nn.ReLU(inplace=True)

    def zero_last_norms(self) -> None:
        """Start every post-activation block as the identity: its last norm's scale is zero (arXiv:1706.02677, 5.1).

        A pre-activation block ends in a convolution; there that convolution starts at zero.
        """
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                conv, norm = module.steps[-1]
                last = module.get_submodule(conv if module.preactivation else norm)
                nn.init.zeros_(last.weight)  # type: ignore[arg-type]


def _stages(config: ResidualConfig, names: list[str]) -> list[Stage]:
    """What each stage runs; max pooling opens the first after the stem, so that the stem's map is at half the size."""
    stages: list[Stage] = [(name,) for name in names]
    if config.stem == "imagenet":
        stages[0] = ("maxpool", *stages[0])
    if config.preactivation:
        stages[-1] = (*stages[-1], "bn", "relu")
    return [("conv1",) if config.preactivation and config.stem == "cifar" else ("conv1", "bn1", "relu"), *stages]
