"""The one training loop: a network and a `Recipe` -> its proxy score.

The proxy is the same network, narrower (`Recipe.width`) and on small images (`Recipe.resolution`), trained for a few
epochs. It says which of two networks is the better bet, not what either reaches when trained in full.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from evaluate.recipe import RECIPES, Recipe, check_keys, default_recipe, find_recipe, resolve_device
from space import Config, cost
from space.layers import Conv

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from evaluate.data import ImageData

__all__ = [
    "RECIPES",
    "Epoch",
    "ProxyScore",
    "Recipe",
    "augment",
    "default_recipe",
    "find_recipe",
    "normalise",
    "resolve_device",
    "schedule",
    "score",
    "train_proxy",
]


class Epoch(TypedDict):
    """One point of a training curve."""

    epoch: int  # from 1
    train_loss: float  # with label smoothing, mean over the epoch
    top1: float  # percent of the held-out images


@dataclass(frozen=True, slots=True)
class ProxyScore:
    """What a proxy training gave."""

    top1: float  # percent of the held-out images after the last finished epoch; 0 if there is none
    loss: float | None  # cross entropy on the held-out images; None if training failed
    seconds: float  # wall clock of building, training and scoring
    images_per_second: float  # training alone
    curve: tuple[Epoch, ...]
    state: str  # complete or failed
    reason: str | None = None  # why it failed

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same score back."""
        return dataclasses.asdict(self) | {"curve": [dict(point) for point in self.curve]}

    @classmethod
    def from_json(cls, data: Any) -> ProxyScore:
        """Read `to_json`'s form.

        Raises:
            ValueError: for unknown or missing keys.
        """
        check_keys(cls, data)
        points = (Epoch(epoch=p["epoch"], train_loss=p["train_loss"], top1=p["top1"]) for p in data["curve"])
        return cls(**data | {"curve": tuple(points)})


# ---------------------------------------------------------------------------------------------- training


class _FailedError(Exception):
    """Training cannot go on; the message says why."""


def train_proxy(config: Config, recipe: Recipe, data: ImageData, *, seed: int = 0, device: str = "auto") -> ProxyScore:
    """Train the proxy of a network and score it on the held-out images.

    The same arguments on the same machine give the same score; the caller's random numbers are not touched.
    A loss that is not finite, too little memory, and a network that cannot read images of this resolution end it as
    ``failed``, with the reason.

    Args:
        config: the network as it is meant, before `Recipe.proxy` makes it smaller.
        recipe: how to train it.
        data: images at the recipe's resolution; moved to the device if they are not there yet.
        seed: for the weights, the order of the images and the augmentation.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        ValueError: if the device does not exist or the images have another resolution than the recipe says.
    """
    import torch

    place = resolve_device(device)
    if data.resolution != recipe.resolution:
        raise ValueError(
            f"data {data.name} is at {data.resolution} pixels, recipe {recipe.name} at {recipe.resolution}: load it at "
            "the recipe's resolution"
        )
    start = time.perf_counter()
    curve: list[Epoch] = []
    speed = _Speed()
    loss: float | None = None
    reason: str | None = None
    try:
        with _sealed(seed, place), _threads(config, recipe, data.classes, place):
            loss = _train(config, recipe, data, seed, place, curve, speed)
    except _FailedError as error:
        reason = str(error)
    except (torch.OutOfMemoryError, MemoryError):
        reason = f"out of memory on {place}"
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        reason = f"out of memory on {place}"
    if reason is not None and place == "cuda":
        torch.cuda.empty_cache()
    return ProxyScore(
        top1=curve[-1]["top1"] if curve else 0.0,
        loss=loss,
        seconds=time.perf_counter() - start,
        images_per_second=speed.images / speed.seconds if speed.seconds else 0.0,
        curve=tuple(curve),
        state="complete" if reason is None else "failed",
        reason=reason,
    )


@dataclass(slots=True)
class _Speed:
    images: int = 0
    seconds: float = 0.0


@contextlib.contextmanager
def _sealed(seed: int, device: str) -> Iterator[None]:
    """Seeded random numbers and deterministic cuDNN inside, the caller's state back afterwards."""
    import torch

    with (
        torch.random.fork_rng(range(torch.cuda.device_count()) if device == "cuda" else ()),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        torch.manual_seed(seed)
        yield


# Multiply-adds of a batch, a convolution, from which a second CPU thread is worth its risk. Below it two threads were
# no faster than one on two cores, and threads that wait for each other suffer badly from busy neighbours.
_WORTH_A_THREAD = 16_000_000


@contextlib.contextmanager
def _threads(config: Config, recipe: Recipe, classes: int, device: str) -> Iterator[None]:
    """One CPU thread for networks too small to share among more; the caller's number afterwards."""
    import torch

    before = torch.get_num_threads()
    try:
        proxy = recipe.proxy(config)
        macs = cost(proxy, recipe.resolution, classes).macs
    except ValueError as error:  # too small an input, say
        raise _FailedError(str(error)) from error
    convs = sum(isinstance(layer, Conv) for layer in proxy.layers(recipe.resolution, classes))
    work = macs * recipe.batch_size // max(1, convs)
    if device == "cpu" and work < _WORTH_A_THREAD:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _train(
    config: Config, recipe: Recipe, data: ImageData, seed: int, device: str, curve: list[Epoch], speed: _Speed
) -> float:
    """Train; fill `curve` and `speed` epoch by epoch; return the loss on the held-out images."""
    import torch
    from torch.nn import functional as F

    from space import build

    model = build(recipe.proxy(config), data.classes, recipe.resolution, zero_init_last=True)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    data = data.to(device)
    images, labels = data.train_images[: recipe.train_images], data.train_labels[: recipe.train_images]
    mean, std = _statistics(images)
    rng = torch.Generator(device).manual_seed(seed)

    batch = min(recipe.batch_size, len(images))
    steps = len(images) // batch  # what does not fill a batch waits for another epoch's order
    optimiser = _optimiser(model, recipe)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        began = time.perf_counter()
        model.train()
        # The sum stays on the device: reading it after every batch would make the GPU wait for Python.
        total = torch.zeros((), device=device)
        order = torch.randperm(len(images), generator=rng, device=device)
        for chosen in order[: steps * batch].view(steps, batch):
            rate = recipe.learning_rate * schedule(step, steps * recipe.epochs, recipe.warmup)
            for group in optimiser.param_groups:
                group["lr"] = rate
            x = normalise(augment(images[chosen], recipe, rng), mean, std)
            with _autocast(device):
                loss = F.cross_entropy(model(x), labels[chosen], label_smoothing=recipe.label_smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.detach()
            step += 1
        train_loss = total.item() / steps
        speed.images += steps * batch
        speed.seconds += time.perf_counter() - began
        if not math.isfinite(train_loss):
            raise _FailedError(f"the training loss is not finite in epoch {epoch} of {recipe.epochs}")
        top1, val_loss = score(model, data, mean, std, max(batch, 256), device)
        if not math.isfinite(val_loss):
            raise _FailedError(f"the loss on held-out images is not finite in epoch {epoch} of {recipe.epochs}")
        curve.append(Epoch(epoch=epoch, train_loss=train_loss, top1=top1))
    return val_loss


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum; norms and biases do not decay."""
    import torch

    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return torch.optim.SGD(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
        fused=True,  # one kernel for all parameters: these networks have hundreds of small ones
    )


def schedule(step: int, steps: int, warmup: float) -> float:
    """The part of the peak learning rate at a step: a line up to it, then a cosine that ends just above zero."""
    rise = warmup * steps
    if step + 1 <= rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (steps - rise + 1)))


def _autocast(device: str) -> contextlib.AbstractContextManager[Any]:
    import torch

    # Not on CPUs: bfloat16 was slower for DenseNets on a processor that has it, and is emulated on one that has not.
    return torch.autocast(device, torch.bfloat16, enabled=device == "cuda")


def _statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation a channel, (1, 3, 1, 1), in 0..255; of at most 10,000 images."""
    sample = images[:10_000].float()
    mean = sample.mean((0, 2, 3), keepdim=True)
    std = sample.std((0, 2, 3), keepdim=True).clamp_min(1.0)
    return mean, std


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(n, 3, h, w) uint8 -> float of mean 0 and deviation 1, channels last."""
    import torch

    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


def augment(images: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Mirror and shift each image of (n, 3, h, w) on its own, all in one go; what shifts in repeats the border."""
    import torch
    from torch.nn import functional as F

    n, _, height, width = images.shape
    device = images.device
    if recipe.flip:
        mirrored = torch.rand(n, 1, 1, 1, generator=rng, device=device) < 0.5
        images = torch.where(mirrored, images.flip(-1), images)
    if recipe.crop:
        pad = max(1, height // 8)
        padded = F.pad(images.float(), (pad, pad, pad, pad), mode="replicate")
        down, right = torch.randint(0, 2 * pad + 1, (2, n, 1), generator=rng, device=device)
        rows = down + torch.arange(height, device=device)  # (n, h)
        columns = right + torch.arange(width, device=device)  # (n, w)
        which = torch.arange(n, device=device)[:, None, None]
        images = padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return images


def score(model: nn.Module, data: ImageData, mean: Tensor, std: Tensor, batch: int, device: str) -> tuple[float, float]:
    """(top-1 in percent, cross entropy) on the held-out images."""
    import torch
    from torch.nn import functional as F

    model.eval()
    count = len(data.val_labels)
    right = torch.zeros((), dtype=torch.int64, device=device)
    loss = torch.zeros((), device=device)
    with torch.inference_mode(), _autocast(device):
        for first in range(0, count, batch):
            images, labels = data.val_images[first : first + batch], data.val_labels[first : first + batch]
            logits = model(normalise(images, mean, std)).float()
            right += (logits.argmax(1) == labels).sum()
            loss += F.cross_entropy(logits, labels, reduction="sum")
    return 100 * right.item() / count, loss.item() / count
