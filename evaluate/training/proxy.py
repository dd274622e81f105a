"""A network and a `Recipe` -> its proxy score.

The proxy is the same network, narrower (so that it costs what `Recipe.proxy_macs` says) and on small images
(`Recipe.resolution`), trained for a few epochs. It says which of two networks is the better bet, not what either
reaches when trained in full.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator

import torch

from evaluate.images.load import ImageData
from evaluate.training.device import (
    WORTH_A_THREAD,
    WORTH_BF16,
    WORTH_BF16_GROUPED,
    DeviceLostError,
    computes_bf16,
    is_device_lost,
    peak_flops,
    resolve_device,
    sealed,
    threads,
)
from evaluate.training.memory import PeakMemory, is_out_of_memory, keep_freed_memory, release, words_of
from evaluate.training.recipe import Recipe
from evaluate.training.reference import Reference
from evaluate.training.score import Epoch, ProxyScore
from evaluate.training.small_layers import lighten, uncount
from evaluate.training.trainer import DivergedError, Trainer
from space import Config, build, cost
from space.networks.layers import Conv

SMALLEST_MICRO_BATCH = 8  # below it batch norm's statistics are worth nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the proxy's own layers say about how to run it on a device."""

    proxy: Config
    macs: int  # of one image
    precision: str  # bf16 or fp32
    threads: int | None  # of the CPU; None on CUDA


def plan(config: Config, recipe: Recipe, classes: int, device: str, reference: Reference | None = None) -> Plan:
    """How to run a network under a recipe: by its size alone, so that the same network always runs the same way.

    Raises:
        ValueError: if the network cannot read images of the recipe's resolution, or has no proxy of its cost.
    """
    proxy = recipe.proxy(config, classes, reference)
    macs = cost(proxy, recipe.resolution, classes).macs
    convs = [layer for layer in proxy.layers(recipe.resolution, classes) if isinstance(layer, Conv)]
    work = macs * recipe.batch_size // max(1, len(convs))  # multiply-adds of a batch, a convolution
    grouped = 4 * sum(conv.groups > 1 for conv in convs) >= len(convs)  # every third one in a ResNeXt
    precision = recipe.precision
    if precision == "auto":
        pays = device == "cuda" or work >= (WORTH_BF16_GROUPED if grouped else WORTH_BF16)
        precision = "bf16" if pays and computes_bf16(device) else "fp32"
    number = min(torch.get_num_threads(), 1 + work // WORTH_A_THREAD) if device == "cpu" else None
    return Plan(proxy, macs, precision, number)


Stop = Callable[[Epoch], str | None]
Then = Callable[[Trainer], None]


def train_proxy(
    config: Config,
    recipe: Recipe,
    data: ImageData,
    *,
    seed: int = 0,
    device: str = "auto",
    reference: Reference | None = None,
    stop: Stop | None = None,
    then: Then | None = None,
) -> ProxyScore:
    """Train the proxy of a network and score it on the held-out images.

    The same arguments on the same machine give the same score (not with `Recipe.autotune` on CUDA, where cuDNN may
    choose other kernels); the caller's random numbers are not touched.
    Where memory is short, a batch is trained in halves, quarters and so on, their gradients added up; `micro_batch`
    of the score says so. A loss that is not finite, too little memory all the same, and a network that cannot read
    images of this resolution or has no proxy of the cost that is due end it as ``failed``, with the reason. Where
    `stop` says why, it ends as ``stopped``: what was reached until then is the same as in a training that goes on.

    Args:
        config: the network as it is meant, before `Recipe.proxy` makes it smaller.
        recipe: how to train it.
        data: images at the recipe's resolution; moved to the device if they are not there yet.
        seed: for the weights, the order of the images and the augmentation.
        device: ``auto``, ``cpu`` or ``cuda``.
        reference: what a proxy of `Recipe.proxy_macs` stands for; where None, a published network.
        stop: asked after every scored epoch but the last, with that point of the curve; None goes on, a string ends the
            training there and is the reason of the score. It should depend on the point alone: where memory is short,
            training begins anew and asks again from the first point on.
        then: is given what was trained, after a training that went to its end.

    Raises:
        ValueError: if the device does not exist, the images have another resolution than the recipe says, or they do
            not fill a batch.
        DeviceLostError: if CUDA has failed this process for good.
    """
    place = resolve_device(device)
    check_data(recipe, data)
    start = time.perf_counter()
    try:
        how = plan(config, recipe, data.classes, place, reference)
    except ValueError as error:  # too small an input, say
        return _failed(str(error), start)
    limit = _limit(how, place)
    micro_batch = recipe.batch_size
    while True:
        attempt = _Attempt(how, recipe, place, micro_batch, limit)
        try:
            with as_trained(how, recipe, seed, place):
                score = attempt.run(data, seed, start, stop)
                if then is not None and attempt.trainer is not None and score.state == "complete":
                    then(attempt.trainer)
                return score
        except DivergedError as error:
            return attempt.score(start, "failed", f"diverged: {error}")
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if is_device_lost(error):
                raise DeviceLostError(words_of(error)) from error
            if not is_out_of_memory(error):
                raise
            said = words_of(error)
        del attempt  # and with it the module, before the next one is made
        release(place)
        if micro_batch // 2 < min(SMALLEST_MICRO_BATCH, recipe.batch_size):
            return _failed(f"out of memory on {place}, even with {micro_batch} images at once ({said})", start)
        micro_batch //= 2


@contextlib.contextmanager
def as_trained(how: Plan, recipe: Recipe, seed: int, device: str) -> Iterator[None]:
    """The settings that a proxy is trained under: random numbers, kernels, threads, allocator."""
    if device == "cpu":
        keep_freed_memory()
    with sealed(seed, device, recipe.autotune), threads(how.threads):
        yield


def proxy_trainer(
    how: Plan, recipe: Recipe, data: ImageData, seed: int, device: str, micro_batch: int | None = None
) -> Trainer:
    """A proxy as it is trained, ready for its first epoch; inside of `as_trained`."""
    torch.manual_seed(seed)
    model = build(how.proxy, data.classes, recipe.resolution, zero_init_last=True)
    uncount(model)
    if device == "cpu" and how.precision == "fp32":
        lighten(model)
    return Trainer(
        model, recipe, data.to(device), device=device, precision=how.precision, seed=seed, micro_batch=micro_batch
    )


def _limit(how: Plan, device: str) -> float:
    """What the device can do at most, FLOP/s; 0 where there is no room to measure it.

    Measured before a training's memory is: the product's own would be part of the first one's.
    """
    try:
        return peak_flops(device, how.precision, how.threads or 1)
    except (RuntimeError, MemoryError) as error:
        if is_device_lost(error):
            raise DeviceLostError(words_of(error)) from error
        if not is_out_of_memory(error):
            raise
        release(device)
        return 0.0


class _Attempt:
    """One try to train with a given number of images at once."""

    def __init__(self, how: Plan, recipe: Recipe, device: str, micro_batch: int, peak_flops: float) -> None:
        self.how, self.recipe, self.device, self.micro_batch = how, recipe, device, micro_batch
        self.memory = PeakMemory(device)
        self.curve: list[Epoch] = []
        self.loss: float | None = None
        self.trainer: Trainer | None = None
        self.peak_flops = peak_flops
        self.held_out: int | None = None

    def run(self, data: ImageData, seed: int, start: float, stop: Stop | None) -> ProxyScore:
        recipe = self.recipe
        self.held_out = len(data.val_labels)
        self.trainer = proxy_trainer(self.how, recipe, data, seed, self.device, self.micro_batch)
        for epoch in range(1, recipe.epochs + 1):
            train_loss = self.trainer.epoch()
            if epoch % recipe.evaluate_every == 0 or epoch == recipe.epochs:
                top1, self.loss = self.trainer.evaluate()
                self.curve.append(Epoch(epoch=epoch, train_loss=train_loss, top1=top1))
                if stop is not None and epoch < recipe.epochs and (reason := stop(self.curve[-1])) is not None:
                    return self.score(start, "stopped", reason)
        return self.score(start, "complete")

    def score(self, start: float, state: str, reason: str | None = None) -> ProxyScore:
        """What has been reached, and why it went no further if it did not."""
        trainer = self.trainer
        speed = trainer.images_trained / trainer.seconds if trainer and trainer.seconds else 0.0
        flops = 6.0 * self.how.macs * speed  # a multiply-add is 2 FLOPs; the backward pass costs two forward ones
        return ProxyScore(
            top1=self.curve[-1]["top1"] if self.curve else 0.0,
            loss=None if state == "failed" else self.loss,
            seconds=time.perf_counter() - start,
            images_per_second=speed,
            curve=tuple(self.curve),
            state=state,
            reason=reason,
            precision=self.how.precision,
            engine=trainer.engine if trainer else "",
            micro_batch=trainer.micro_batch if trainer else None,
            peak_memory=self.memory.read(),
            flops_per_second=flops or None,
            peak_share=flops / self.peak_flops if flops and self.peak_flops else None,
            held_out=self.held_out,
            proxy_macs=self.how.macs,
        )


def _failed(reason: str, start: float) -> ProxyScore:
    seconds = time.perf_counter() - start
    return ProxyScore(0.0, None, seconds, 0.0, (), "failed", reason)


def check_data(recipe: Recipe, data: ImageData) -> None:
    """Raise ValueError unless the images are at the recipe's resolution and fill at least one batch."""
    if data.resolution != recipe.resolution:
        raise ValueError(
            f"data {data.name} is at {data.resolution} pixels, recipe {recipe.name} at {recipe.resolution}: load it at "
            "the recipe's resolution"
        )
    if len(data.train_labels) < recipe.batch_size:
        raise ValueError(
            f"data {data.name} has {len(data.train_labels)} images to train on, fewer than a batch of recipe "
            f"{recipe.name} ({recipe.batch_size}): give a recipe file with a smaller batch_size"
        )
