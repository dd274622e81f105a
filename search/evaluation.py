"""What is measured of one network: its proxy's score, and its own latency where the run's objective asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from evaluate.latency import Latency, measure_latency
from evaluate.score import ProxyScore
from space import Config

if TYPE_CHECKING:
    from evaluate.data import ImageData
    from evaluate.recipe import Recipe
    from search.settings import Settings


@dataclass(frozen=True)
class Evaluation:
    """What came out for one network. It has failed where there is a `reason`."""

    score: ProxyScore | None = None  # None if it was not trained
    latency: Latency | None = None  # None if it was not timed
    reason: str | None = None

    def cost(self, macs: int) -> float:
        """The second objective: milliseconds where the network was timed, else its multiply-adds."""
        return float(macs) if self.latency is None else self.latency.median_ms

    def to_json(self) -> dict[str, Any]:
        """The attributes of a trial. The score is last: a trial that has one is whole, even if it was cut off then."""
        parts = {
            "reason": self.reason,
            "latency": None if self.latency is None else self.latency.to_json(),
            "score": None if self.score is None else self.score.to_json(),
        }
        return {key: value for key, value in parts.items() if value is not None}

    @classmethod
    def from_json(cls, attributes: Mapping[str, Any]) -> Self:
        """Read it from the attributes of a trial that has a score, whatever else is among them."""
        score, latency = ProxyScore.from_json(attributes["score"]), attributes.get("latency")
        return cls(score, None if latency is None else Latency.from_json(latency), score.reason)


Evaluate = Callable[[Config], Evaluation]


def timing_on(device: str) -> dict[str, Any]:
    """The conditions that a run's latencies are measured under: those of other conditions do not compare.

    Args:
        device: ``cpu`` or ``cuda``.
    """
    import torch

    from evaluate.device import device_name

    cuda = device == "cuda"
    return {
        "batch": 1,
        "device": device_name(device),
        "dtype": "bfloat16" if cuda else "float32",  # as in training
        "threads": None if cuda else torch.get_num_threads(),
    }


def evaluator(settings: Settings, recipe: Recipe, data: ImageData, device: str) -> Evaluate:
    """What measures a network for a run: times it if the run's objective is latency, then trains its proxy."""
    from evaluate.train import train_proxy

    def evaluate(config: Config) -> Evaluation:
        latency = None
        if settings.timing is not None:
            try:
                latency = measure_latency(
                    config,
                    classes=settings.classes,
                    input_size=settings.input_size,
                    batch=settings.timing["batch"],
                    device=device,
                    dtype=settings.timing["dtype"],
                )
            except ValueError as error:  # before training: without a latency the score could not be used
                return Evaluation(reason=f"latency not measured: {error}")
        score = train_proxy(config, recipe, data, seed=settings.seed, device=device)
        return Evaluation(score, latency, score.reason)

    return evaluate
