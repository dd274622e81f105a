"""The modules of a `ResidualConfig`."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from space.networks.layers import Conv, Layer, unroll
from space.networks.network import Network, Stage, add_layers, put, stage_info
from space.networks.residual import ResidualConfig


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
    """A basic or bottleneck block, post- or pre-activation (see `ResidualConfig`): a residual branch + a shortcut.

    Attributes:
        preactivation: whether norm and ReLU come before each convolution.
        plain: whether there is no shortcut, but the branch alone.
        keeps_shape: whether it writes maps of the shape that it reads.
    """

    def __init__(self, layers: tuple[Layer, ...], preactivation: bool, plain: bool = False) -> None:
        super().__init__()
        add_layers(self, layers)
        convs = [layer for layer in layers if isinstance(layer, Conv) and layer.name.startswith("conv")]
        self.preactivation = preactivation
        self.plain = plain
        self.steps = tuple((conv.name, f"bn{number}") for number, conv in enumerate(convs, 1))
        self.relu = nn.ReLU(inplace=True)
        stride = max(conv.stride for conv in convs)
        extra = convs[-1].out_channels - convs[0].in_channels
        self.keeps_shape = stride == 1 and not extra
        if not hasattr(self, "downsample"):
            pads = not (plain or self.keeps_shape)
            self.downsample: nn.Module | None = ZeroPadShortcut(stride, extra) if pads else None

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride)."""
        branch, shortcut = self.parts(x)
        return self.join(branch if shortcut is None else branch + shortcut)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(n, c, h, w) -> what the residual branch and the shortcut give, each (n, width, h / stride, w / stride).

        A plain block has no shortcut. The block gives `join` of their sum.
        """
        return self._pre(x) if self.preactivation else self._post(x)

    def join(self, out: Tensor) -> Tensor:
        """What comes behind the sum: a ReLU, which works in place, or nothing in a pre-activation block."""
        return out if self.preactivation else F.relu(out, inplace=True)

    def between(self, number: int, x: Tensor) -> Tensor:
        """What follows the norm of a post-activation convolution that is not the last, counted from 0."""
        out: Tensor = self.relu(x)
        return out

    def _post(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        out = x
        last = len(self.steps) - 1
        for number, (conv, norm) in enumerate(self.steps):
            out = self.get_submodule(norm)(self.get_submodule(conv)(out))
            if number < last:
                out = self.between(number, out)
        if self.plain:
            return out, None
        return out, x if self.downsample is None else self.downsample(x)

    def _pre(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        # A projection reads the activated input; identity and zero padding read the raw one (arXiv:1603.05027).
        out = F.relu(self.get_submodule(self.steps[0][1])(x))
        shortcut = None if self.plain else x
        if self.downsample is not None:
            shortcut = self.downsample(x if isinstance(self.downsample, ZeroPadShortcut) else out)
        for number, (conv, norm) in enumerate(self.steps):
            if number:
                out = F.relu(self.get_submodule(norm)(out), inplace=True)
            out = self.get_submodule(conv)(out)
        return out, shortcut


class ResidualNet(Network):
    """The module of a `ResidualConfig`; the state dict's names are torchvision's ResNet's."""

    HEAD = "fc"
    BLOCK: ClassVar[type[ResidualBlock]] = ResidualBlock

    def __init__(self, config: ResidualConfig, classes: int, input_size: int, in_channels: int) -> None:
        names = [f"layer{number}" for number in range(1, len(config.depths) + 1)]
        info = stage_info(["stem", *names], [config.stem_width, *config.widths], config.stem)
        super().__init__(config, classes, _stages(config, names), info)
        for path, layers in unroll(config.blocks(input_size, classes, in_channels)):
            if path:
                put(self, path, self.BLOCK(layers, config.preactivation, config.shortcut == "none"))
            else:
                add_layers(self, layers)
        self.relu = nn.ReLU(inplace=True)

    def zero_last_norms(self) -> None:
        """Start every post-activation block as the identity: its last norm's scale is zero (arXiv:1706.02677, 5.1).

        A pre-activation block ends in a convolution; there that convolution starts at zero. A plain block stays as it
        is: behind it all would be zero.
        """
        for module in self.modules():
            if isinstance(module, ResidualBlock) and not module.plain:
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
