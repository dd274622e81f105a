"""`ProxyScore`: what a proxy training gave, and what it took."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, TypedDict

from evaluate.training.recipe import check_keys
from space.shell.scores import standard_error


class Epoch(TypedDict):
    """One point of a training curve."""

    epoch: int  # from 1
    train_loss: float  # with label smoothing, mean over the epoch
    top1: float  # percent of the held-out images


@dataclass(frozen=True, slots=True)
class ProxyScore:
    """What a proxy training gave.

    A ``stopped`` one holds what had been measured when it was stopped: its `top1` does not compare with that of a
    ``complete`` one.
    """

    top1: float  # percent of the held-out images after the last scored epoch; 0 if there is none
    loss: float | None  # cross entropy on the held-out images; None if training failed
    seconds: float  # wall clock of building, training and scoring
    images_per_second: float  # training alone
    curve: tuple[Epoch, ...]
    state: str  # complete, stopped (early, with the curve so far) or failed
    reason: str | None = None  # why it was stopped or failed
    precision: str = ""  # bf16 (mixed) or fp32
    engine: str = ""  # "eager", "CUDA graph", or "eager" with the reason why no graph was captured
    micro_batch: int | None = None  # images at once; fewer than the recipe's batch if memory was short
    peak_memory: int | None = None  # bytes beyond what was held before; see evaluate.memory.PeakMemory
    flops_per_second: float | None = None  # of training: 6 FLOPs (forward, backward) a multiply-add of the proxy
    peak_share: float | None = None  # of evaluate.device.peak_flops, from 0 to 1
    held_out: int | None = None  # images that `top1` is a percentage of; None if training failed
    proxy_macs: int | None = None  # multiply-adds of what was trained, for one image; None if nothing was

    @property
    def standard_error(self) -> float | None:
        """Of `top1` in points, from the number of held-out images alone; None if training failed."""
        return standard_error(self.top1, self.held_out) if self.held_out else None

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
