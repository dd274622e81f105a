"""A residual network as a collection of paths, and how much gradient comes through the long ones.

Every block can be passed through its residual branch or its shortcut, so that n blocks are 2^n paths (Veit, Wilber and
Belongie, arXiv:1605.06431, section 5). A path's length is the number of branches on it. As in the paper, the network
runs forward as a whole, and backward along one path alone; what is measured is the norm of the gradient that arrives at
the image. Here every image of a batch takes a path of its own, and the norm is of the gradient of its own loss. The
network is in evaluation mode: with fixed statistics in its norms, the gradients of all paths add up to the whole one.

A shortcut is what the block adds to its branch: the identity, or the padding or projection where shapes change. The
ReLU behind the sum of a post-activation block is on both ways.

A dense block of n layers has 2^n paths too: each subset of its layers, one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evaluate.paths.lesion import replaced
from space.networks.residual_modules import ResidualBlock

BATCH = 128  # images at once


class OneWay(nn.Module):
    """A block that runs as a whole, and backward one way alone for each image.

    Attributes:
        through: (n,) of booleans, whether an image's gradient goes through the branch; else it takes the shortcut.
    """

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.block = block
        self.through = torch.empty(0, dtype=torch.bool)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride)."""
        branch, shortcut = self.block.parts(x)
        assert shortcut is not None
        through = self.through[:, None, None, None]
        return self.block.join(_where(through, branch) + _where(~through, shortcut))


def _where(open_: Tensor, x: Tensor) -> Tensor:
    """`x` itself, whose gradient goes on where `open_` is true."""
    return torch.where(open_, x, x.detach())


def path_gradients(model: nn.Module, images: Tensor, labels: Tensor, through: Tensor) -> Tensor:
    """The gradient of each image's loss along its own path, (n, c, h, w).

    Args:
        model: a `space.networks.residual_modules.ResidualNet` with shortcuts, in evaluation mode.
        images: (n, c, h, w), normalised.
        labels: (n,).
        through: (blocks, n), whether an image's path goes through a block's branch.
    """
    ways: dict[str, nn.Module] = {}
    for (path, module), chosen in zip(blocks_of(model), through, strict=True):
        ways[path] = way = OneWay(module)
        way.through = chosen
    leaf = images.detach().clone().requires_grad_()
    with replaced(model, ways):
        loss = F.cross_entropy(model(leaf), labels, reduction="sum")  # of an image, the others' losses know nothing
        (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient


def blocks_of(model: nn.Module) -> list[tuple[str, ResidualBlock]]:
    """The residual blocks with their paths in the module, in order."""
    return [(path, module) for path, module in model.named_modules() if isinstance(module, ResidualBlock)]


def sample_norms(
    model: nn.Module,
    batch: Callable[[Tensor], tuple[Tensor, Tensor]],
    images: int,
    samples: int,
    seed: int,
    device: str,
) -> Tensor:
    """Norms of gradients along random paths, (blocks + 1, samples): a row a length, from 0.

    Args:
        model: as in `path_gradients`.
        batch: numbers of images -> the images, normalised, and their labels.
        images: how many there are to draw from.
        samples: paths of each length; every one with an image of its own drawing.
        seed: of paths and images.
        device: of the model.
    """
    rng = torch.Generator().manual_seed(seed)
    blocks = len(blocks_of(model))
    model.eval()
    rows = []
    for length in range(blocks + 1):
        parts = []
        for first in range(0, samples, BATCH):
            number = min(BATCH, samples - first)
            ranks = torch.rand(blocks, number, generator=rng).argsort(0).argsort(0)
            chosen = torch.randint(images, (number,), generator=rng).to(device)
            gradient = path_gradients(model, *batch(chosen), (ranks < length).to(device))
            parts.append(gradient.flatten(1).norm(dim=1).cpu())
        rows.append(torch.cat(parts))
    return torch.stack(rows).double()


# ---------------------------------------------------------------------------------------------- what they add up to


@dataclass(frozen=True, slots=True)
class Effective:
    """The shortest range of lengths with at least `EFFECTIVE` of the gradient."""

    shortest: int
    longest: int


EFFECTIVE = 0.95
RESAMPLES = 1_000


def path_shares(blocks: int) -> list[float]:
    """The part of all 2^blocks paths that has each length, from 0: the binomial distribution."""
    return [math.comb(blocks, length) / 2**blocks for length in range(blocks + 1)]


def contributions(norms: Sequence[float]) -> list[float]:
    """The part of the gradient that comes over paths of each length: their number times the mean norm, scaled to 1.

    Raises:
        ValueError: if no gradient arrives at all.
    """
    products = [share * norm for share, norm in zip(path_shares(len(norms) - 1), norms, strict=True)]
    whole = sum(products)
    if not whole > 0:
        raise ValueError("no gradient arrives at the images on any of the paths drawn: expected a trained network")
    return [product / whole for product in products]


def effective(parts: Sequence[float]) -> Effective:
    """Of the parts that `contributions` gives."""
    ends: list[tuple[int, int]] = []
    for first in range(len(parts)):
        have = 0.0
        for last in range(first, len(parts)):
            have += parts[last]
            if have >= EFFECTIVE - 1e-12:
                ends.append((last - first, first))
                break
    width, first = min(ends)
    return Effective(first, first + width)


def effective_interval(norms: Tensor, seed: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """95 % intervals of both ends of `effective`: bootstrap over the paths drawn of each length."""
    rng = torch.Generator().manual_seed(seed)
    samples = norms.shape[1]
    means = torch.stack([row[torch.randint(samples, (RESAMPLES, samples), generator=rng)].mean(1) for row in norms], 1)
    found = [effective(contributions(row)) for row in means.tolist()]
    ends = [sorted(each.shortest for each in found), sorted(each.longest for each in found)]
    low, high = round(0.025 * RESAMPLES), round(0.975 * RESAMPLES) - 1
    return (ends[0][low], ends[0][high]), (ends[1][low], ends[1][high])


def decay(norms: Sequence[float]) -> float | None:
    """By what factor one more block changes a path's gradient: the line through the logarithms of the mean norms.

    Lengths whose gradient is zero are left out; None if fewer than two are left.
    """
    points = [(length, math.log(norm)) for length, norm in enumerate(norms) if norm > 0]
    if len(points) < 2:
        return None
    x, y = (sum(each) / len(points) for each in zip(*points, strict=True))
    slope = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return math.exp(slope)
