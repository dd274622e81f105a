"""Layers of small networks on a CPU, computed by what costs least there.

A proxy's layer is so small that calling it costs more than its arithmetic. `lighten` puts these in the place of
convolutions and norms; parameters, buffers and their names stay, and so do the values but for rounding. `uncount` is
for every device.
`python -m benchmarks.small_layers` measures each.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Positions of a batch, images times height times width, up to which a 1x1 convolution is faster as a matrix product.
# oneDNN prepares each convolution for about 0.2 ms; a product with more rows than this loses that again.
FEW_POSITIONS = 2048
# Channels below which torch's norm of channels-last maps does not use vectors (8 floats wide), and positions from
# which on that costs more than calling a dozen operators.
VECTOR = 8
MANY_POSITIONS = 8192
FOLDED = 64  # floats side by side that the folded norm works on


class Pointwise(nn.Conv2d):
    """A 1x1 convolution without stride and groups: of few positions it is a matrix product."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, out_channels, h, w)."""
        n, _, h, w = x.shape
        if n * h * w > FEW_POSITIONS:
            return super().forward(x)
        return F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class NarrowNorm(nn.BatchNorm2d):
    """A batch norm of fewer channels than a vector is wide: several positions are worked on side by side."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> the same shape, channels last."""
        n, _, h, w = x.shape
        if not self.training or n * h * w < MANY_POSITIONS:
            return super().forward(x)
        mean, var = self.running_mean, self.running_var
        arguments = x, self.weight, self.bias, mean, var, self.momentum, self.eps
        out: Tensor = _FoldedNorm.apply(*arguments)  # type: ignore[no-untyped-call]
        return out


class _FoldedNorm(torch.autograd.Function):
    """Batch norm in training: maps of (n, h, w, c) in memory are read as rows of `FOLDED // c` positions each."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, momentum: float,
        eps: float,
    ) -> Tensor:  # fmt: skip
        n, channels, h, w = x.shape
        count = n * h * w
        side = FOLDED // channels
        while count % side:
            side -= 1
        rows = x.permute(0, 2, 3, 1).reshape(-1, side * channels)
        mean = rows.sum(0).view(side, channels).sum(0) / count
        centred = rows - mean.repeat(side)
        var = (centred * centred).sum(0).view(side, channels).sum(0) / count
        inverse = (var + eps).rsqrt()
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(var * (count / (count - 1)), momentum)
        out = torch.empty_like(x, memory_format=torch.channels_last)
        flat = out.permute(0, 2, 3, 1).view(-1, side * channels)
        torch.addcmul(bias.repeat(side), centred, (weight * inverse).repeat(side), out=flat)
        ctx.save_for_backward(centred, weight, inverse)
        return out

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        centred, weight, inverse = ctx.saved_tensors
        channels = len(weight)
        side = centred.shape[1] // channels
        count = centred.numel() // channels
        rows = slope.permute(0, 2, 3, 1).reshape(-1, side * channels)
        of_bias = rows.sum(0).view(side, channels).sum(0)
        of_weight = (rows * centred).sum(0).view(side, channels).sum(0) * inverse
        scale = weight * inverse
        out = torch.empty_like(slope, memory_format=torch.channels_last)
        flat = out.permute(0, 2, 3, 1).view(-1, side * channels)
        torch.addcmul((-scale * of_bias / count).repeat(side), rows, scale.repeat(side), out=flat)
        flat.addcmul_(centred, (-scale * inverse * of_weight / count).repeat(side))
        return out, of_weight, of_bias, None, None, None, None


def uncount(model: nn.Module) -> None:
    """Let batch norms not count batches, which only an average over all batches would need.

    A count is a kernel of its own on CUDA, one of a dozen for each norm. The state has no ``num_batches_tracked`` then.
    """
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and module.momentum is not None:
            module.num_batches_tracked = None


def lighten(model: nn.Module) -> None:
    """Let a model for training on a CPU in float32 compute its small layers by what costs least."""
    for module in model.modules():
        if type(module) is nn.Conv2d and module.groups == 1 and module.kernel_size == module.stride == (1, 1):
            module.__class__ = Pointwise  # same parameters, another forward pass
        elif type(module) is nn.BatchNorm2d and module.num_features < VECTOR and _usual(module):
            module.__class__ = NarrowNorm


def _usual(norm: nn.BatchNorm2d) -> bool:
    return norm.affine and norm.track_running_stats and norm.momentum is not None
