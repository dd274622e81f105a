"""What a training step asks of a GPU, and how long it takes at least: a table a recipe, without a GPU.

    python -m benchmarks.roofline [--recipes fast faithful] [--networks resnet18 resnet50 ...] [--card h100]
    python -m benchmarks.roofline --recipes fast --resolution 16 --proxy-macs 330000000 --batch 512

The step (batch, forward, loss, backward, casts to bfloat16) runs on fake tensors, which have shapes and no values; each
operator that computes is counted as a kernel, with the bytes that it reads and writes and the FLOPs of its products. A
kernel takes the longest of: its bytes at the memory's rate, its FLOPs at half the peak of the tensor cores, and what
the next kernel of a CUDA graph takes to begin. Channels fill tiles of 32, and products of groups of fewer than 16
channels run beside the tensor cores. So it is an estimate: nothing of it was measured on a GPU. The optimiser is two
kernels that read and write 20 bytes a parameter. Scoring is a third of a step for each image.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from evaluate.training.augment import Augmenter, Normaliser
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from evaluate.training.small_layers import uncount
from space import build, cost, landmark

NETWORKS = ("resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121")
CLASSES, IMAGES, SCORED = 10, 45_000, 5_000  # of CIFAR-10: classes, trained on, held out
EFFICIENCY = 0.5  # of the tensor cores' peak, what large products of cuDNN reach
TILE, LEAST_GROUP = 32, 16  # channels
NO_KERNEL = {"detach", "view", "_unsafe_view", "t", "transpose", "permute", "expand", "slice", "select", "split",
             "squeeze", "unsqueeze", "alias", "as_strided", "_reshape_alias", "empty", "empty_like",
             "new_empty_strided", "as_strided_"}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Card:
    """A GPU by its data sheet."""

    name: str
    tensor: float  # FLOP/s of the tensor cores in bfloat16, dense
    plain: float  # FLOP/s beside them, in float32
    memory: float  # bytes/s
    kernel: float  # seconds until the next kernel of a graph runs: an assumption, not of the data sheet


# Data sheets of NVIDIA: H100 SXM, H200 SXM.
CARDS = {
    "h100": Card("NVIDIA H100 SXM", 989e12, 67e12, 3.35e12, 2e-6),
    "h200": Card("NVIDIA H200 SXM", 989e12, 67e12, 4.8e12, 2e-6),
}


class Kernels(TorchDispatchMode):
    """Counts what operators ask of the device, and sums the time that each takes at least."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card
        self.count, self.bytes, self.flops, self.seconds = 0, 0, 0, 0.0
        self.waiting = 0.0  # seconds in which kernels begin and do nothing else

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and name not in NO_KERNEL and not func.is_view:
            moved = [each for each in tree_leaves((args, kwargs, out)) if isinstance(each, torch.Tensor)]
            kernels = 2 if name == "convolution_backward" else 1  # of the input, of the weights
            self._add(kernels, sum(each.numel() * each.element_size() for each in moved), flops(name, args, out),
                      slowdown(name, args))  # fmt: skip
        return out

    def _add(self, kernels: int, moved: int, flops: int, slower: float) -> None:
        rate = EFFICIENCY * self.card.tensor / slower if slower else self.card.plain
        least = kernels * self.card.kernel
        took = max(least, moved / self.card.memory, flops / rate)
        self.count += kernels
        self.bytes += moved
        self.flops += flops
        self.seconds += took
        self.waiting += took if took == least else 0.0

    def optimiser(self, parameters: int) -> None:
        """SGD: reads weights, gradients and momenta, writes weights and momenta, in float32."""
        self._add(2, 20 * parameters, 0, 1.0)


def flops(name: str, args: Any, out: Any) -> int:
    """Of products: two a multiply-add; the backward pass of a convolution has as many for each of its results."""
    if name in ("mm", "addmm"):
        left, right = args[-2:]
        return 2 * int(left.shape[0] * left.shape[1] * right.shape[1])
    if name == "convolution":
        return 2 * int(out.numel() * args[1][0].numel())
    if name == "convolution_backward":
        return 2 * int(args[0].numel() * args[2][0].numel()) * sum(args[-1][:2])
    return 0


def slowdown(name: str, args: Any) -> float:
    """How many times the tensor cores' work is that of the useful FLOPs; 0 for groups that do not run on them."""
    if name not in ("convolution", "convolution_backward"):
        return 1.0
    weight = args[1] if name == "convolution" else args[2]
    groups = args[-1] if name == "convolution" else args[-2]
    out, inside = weight.shape[0] // groups, weight.shape[1]
    if groups > 1 and min(out, inside) < LEAST_GROUP:
        return 0.0
    return math.ceil(out / TILE) * TILE / out * math.ceil(inside / TILE) * TILE / inside


def step(name: str, recipe: Recipe, card: Card) -> tuple[int, Kernels]:
    """The proxy's multiply-adds an image, and what one step of it asks for."""
    config = recipe.proxy(landmark(name), CLASSES)
    with FakeTensorMode():
        model = build(config, CLASSES, recipe.resolution)
        uncount(model)
        size = (2 * recipe.batch_size, 3, recipe.resolution, recipe.resolution)
        images = torch.zeros(size, dtype=torch.uint8)
        augmenter = Augmenter(images, Normaliser.of(images), recipe)
        labels, chosen = (torch.zeros(recipe.batch_size, dtype=torch.int64) for _ in range(2))
        kernels = Kernels(card)
        with kernels:
            batch = augmenter.batch(chosen)
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(model(batch), labels, label_smoothing=recipe.label_smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
        kernels.optimiser(sum(parameter.numel() for parameter in model.parameters()))
    return cost(config, recipe.resolution, CLASSES).macs, kernels


def row(name: str, recipe: Recipe, card: Card) -> str:
    """One network's line."""
    macs, kernels = step(name, recipe, card)
    steps = min(IMAGES, recipe.train_images or IMAGES) // recipe.batch_size * recipe.epochs
    scorings = -(-recipe.epochs // recipe.evaluate_every)
    seconds = kernels.seconds * (steps + scorings * SCORED / recipe.batch_size / 3)
    return (
        f"{name:<18}{macs / 1e6:>8.1f}{kernels.count:>9,}{kernels.bytes / 1e9:>8.2f}{kernels.flops / 1e12:>9.3f}"
        f"{1000 * kernels.seconds:>9.2f}{kernels.flops / kernels.seconds / card.tensor:>8.1%}"
        f"{kernels.waiting / kernels.seconds:>9.0%}{recipe.batch_size / kernels.seconds:>11,.0f}{seconds:>9.1f}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Print a table a recipe."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roofline", description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=["fast", "faithful"], choices=RECIPES, metavar="NAME")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--card", default="h100", choices=CARDS, help="(%(default)s)")
    parser.add_argument("--resolution", type=int, help="in place of the recipe's")
    parser.add_argument("--proxy-macs", type=int, help="in place of the recipe's")
    parser.add_argument("--batch", type=int, help="in place of the recipe's")
    parser.add_argument("--epochs", type=int, help="in place of the recipe's")
    options = parser.parse_args(arguments)
    card = CARDS[options.card]
    given = {"resolution": options.resolution, "proxy_macs": options.proxy_macs, "batch_size": options.batch,
             "epochs": options.epochs}  # fmt: skip
    changes = {key: value for key, value in given.items() if value is not None}
    print(f"{card.name}, estimated from its data sheet and {1e6 * card.kernel:g} us a kernel; nothing here is measured")
    for name in options.recipes:
        recipe = dataclasses.replace(RECIPES[name], **changes)
        print(
            f"\nrecipe {name}: {recipe.resolution}x{recipe.resolution}, {recipe.proxy_macs or 0:,} multiply-adds for "
            f"ResNet-50, batch {recipe.batch_size}, {recipe.epochs} epochs of {IMAGES:,} images\n"
            f"{'network':<18}{'MMACs':>8}{'kernels':>9}{'GB':>8}{'TFLOP':>9}{'ms':>9}{'of peak':>8}{'waiting':>9}"
            f"{'images/s':>11}{'seconds':>9}"
        )
        for network in options.networks:
            print(row(network, recipe, card), flush=True)


if __name__ == "__main__":
    main()
