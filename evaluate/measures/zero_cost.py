"""Zero-cost scores: numbers of an untrained network that may predict how well it trains, beside params and MACs.

`MEASURES` is the one table of them; `zero_cost` works them out, each finite or failed with a reason. The
measures themselves, for any module, are in `evaluate.measures.untrained`. None is worth more than its rank against
params and MACs, which cost nothing: that is what `zero_cost_text` shows them beside.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from evaluate.measures import untrained
from evaluate.measures.untrained import NoScoreError
from evaluate.training.device import resolve_device, sealed
from evaluate.training.memory import is_out_of_memory, release
from space import CONVENTION, Config, Cost, build


class Measure(NamedTuple):
    """A score of an untrained network: what it is, in a few words, where it is from, and how it is worked out.

    The function takes a module, a batch of images (n, 3, size, size) and their labels (n,).
    """

    meaning: str
    paper: str
    score: Callable[[nn.Module, Tensor, Tensor], float]


MEASURES: dict[str, Measure] = {
    "synflow": Measure(
        "log of the flow through all paths of absolute weights", "arXiv:2006.05467",
        lambda model, x, y: untrained.synflow(model, x.shape[1:]),
    ),
    "jacob_cov": Measure(
        "how little the slopes at different images correlate", "arXiv:2101.08134",
        lambda model, x, y: untrained.jacob_cov(model, x),
    ),
    "naswot": Measure(
        "log-determinant of how alike images switch the ReLUs", "arXiv:2006.04647",
        lambda model, x, y: untrained.naswot(model, x),
    ),
    "grad_norm": Measure("norm of the loss's gradient, summed over layers", "arXiv:2101.08134", untrained.grad_norm),
    "snip": Measure("sum of |weight x gradient| of the loss", "arXiv:1810.02340", untrained.snip),
    "zen": Measure(
        "log of how far a small step moves the last maps", "arXiv:2102.01063",
        lambda model, x, y: untrained.zen(model, x.shape[1:]),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ZeroCost:
    """One score of one network; higher is meant to be better."""

    name: str
    value: float | None  # finite, or None with a reason
    seconds: float  # wall clock, without making the network
    reason: str | None  # why there is no value


def zero_cost(
    config: Config,
    images: Tensor,
    labels: Tensor,
    classes: int,
    *,
    seed: int = 0,
    device: str = "cpu",
    measures: Sequence[str] = tuple(MEASURES),
) -> dict[str, ZeroCost]:
    """Score a network as `space.build` initialises it, on one batch.

    The network is `config` itself: to score what is trained in its place, pass `Recipe.proxy(...)`. The same
    arguments on the same machine give the same values, whichever other measures are asked for; the caller's random
    numbers are not touched. What a network cannot be scored for (it cannot read such small images, too little
    memory, a number that is not finite) is a reason, no error.

    Args:
        config: the network.
        images: (n, 3, size, size), uint8 or float, n at least 2; normalised here by mean and deviation a channel.
        labels: (n,) in 0 .. classes - 1.
        classes: number of classes.
        seed: for the weights, and for `zen`'s random images.
        device: ``auto``, ``cpu`` or ``cuda``.
        measures: names from `MEASURES`.

    Raises:
        ValueError: if a measure or the device is unknown, or images and labels are not what is said above.
    """
    if unknown := [name for name in measures if name not in MEASURES]:
        raise ValueError(f"measure {unknown[0]!r}: expected one of {', '.join(MEASURES)}")
    _check_batch(images, labels, classes)
    place = resolve_device(device)
    with sealed(seed, place):
        try:
            # Not `zero_init_last`: blocks that start as the identity would hide their weights from every measure.
            model = build(config, classes, images.shape[-1]).to(place)
        except ValueError as error:  # too small an image, say
            return {name: ZeroCost(name, None, 0.0, str(error)) for name in measures}
        x, y = _normalised(images.to(place)), labels.to(place).long()
        return {name: _measured(name, model, x, y, seed) for name in measures}


def _check_batch(images: Tensor, labels: Tensor, classes: int) -> None:
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[0] < 2 or shape[1] != 3 or shape[2] != shape[3]:
        raise ValueError(f"images have the shape {shape}: expected (n, 3, size, size) with n at least 2")
    if tuple(labels.shape) != shape[:1]:
        raise ValueError(f"labels have the shape {tuple(labels.shape)}: expected one for each of {shape[0]} images")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels run from {low} to {high}: expected 0 to {classes - 1} for {classes} classes")


def _normalised(images: Tensor) -> Tensor:
    """(n, 3, h, w) -> float of mean 0 and deviation 1 in each channel; a channel of one colour becomes 0."""
    images = images.float()
    mean = images.mean((0, 2, 3), keepdim=True)
    std = images.std((0, 2, 3), keepdim=True)
    return (images - mean) / torch.where(std > 0, std, 1.0)


def _measured(name: str, model: nn.Module, x: Tensor, y: Tensor, seed: int) -> ZeroCost:
    torch.manual_seed(seed)
    start = time.perf_counter()
    value: float | None = None
    reason: str | None = None
    try:
        value = MEASURES[name].score(model, x, y)
    except NoScoreError as error:
        reason = str(error)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = f"out of memory on {x.device.type}"
    if value is not None and not math.isfinite(value):
        value, reason = None, "the score is not finite"
    if reason is not None:
        release(x.device.type)
    return ZeroCost(name, value, time.perf_counter() - start, reason)


def zero_cost_text(name: str, scores: Mapping[str, ZeroCost], cost: Cost) -> str:
    """A table of the scores with params and MACs above them; what failed says why."""
    rows = [("params", f"{cost.params:,}", "", "baseline"), ("MACs", f"{cost.macs:,}", "", f"baseline; {CONVENTION}")]
    for score in scores.values():
        measure = MEASURES[score.name]
        value = "-" if score.value is None else f"{score.value:,.4f}"
        note = f"failed: {score.reason}" if score.value is None else f"{measure.meaning} ({measure.paper})"
        rows.append((score.name, value, f"{score.seconds:.2f}", note))
    wide = max(len(row[1]) for row in rows)
    lines = [f"{name}: untrained, one batch; higher is meant to be better", ""]
    lines.append(f"{'measure':<10}  {'value':>{wide}}  {'seconds':>7}  what")
    lines += [f"{row[0]:<10}  {row[1]:>{wide}}  {row[2]:>7}  {row[3]}" for row in rows]
    return "\n".join(lines)
