"""What is measured of one network: its proxy's score, and its own latency where the run asks for it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from evaluate.measures.latency import Latency, measure_latency
from evaluate.training.score import ProxyScore
from search.propose.rungs import stopper
from search.run.settings import Settings
from space import cost

if TYPE_CHECKING:
    from evaluate.images.load import ImageData
    from evaluate.training.recipe import Recipe
    from search.workers.executor import Job


@dataclass(frozen=True)
class Evaluation:
    """What came out for one network."""

    score: ProxyScore | None = None  # None if it was not trained
    latency: Latency | None = None  # None if it was not timed
    reason: str | None = None  # why it failed, or was stopped
    violation: float | None = None  # of --max-latency, in milliseconds; above 0 it is too slow
    trace: str | None = None  # of an error of the program; for the log, not for the storage

    @property
    def state(self) -> str:
        """complete, stopped (early, or not trained because it is too slow) or failed."""
        if self.violation is not None and self.violation > 0:
            return "stopped"
        return "failed" if self.score is None else self.score.state

    def cost(self, macs: int, objective: str) -> float:
        """What stands against top-1: milliseconds for the objective "latency", else multiply-adds."""
        return self.latency.median_ms if objective == "latency" and self.latency else float(macs)

    def to_json(self) -> dict[str, Any]:
        """The attributes of a trial."""
        parts = {
            "reason": self.reason,
            "latency": None if self.latency is None else self.latency.to_json(),
            "violation": self.violation,
            "score": None if self.score is None else self.score.to_json(),
        }
        return {key: value for key, value in parts.items() if value is not None}

    @classmethod
    def from_json(cls, attributes: Mapping[str, Any]) -> Self:
        """Read it from the attributes of a finished trial, whatever else is among them."""
        score, latency = attributes.get("score"), attributes.get("latency")
        return cls(
            None if score is None else ProxyScore.from_json(score),
            None if latency is None else Latency.from_json(latency),
            attributes.get("reason") or (score or {}).get("reason"),
            attributes.get("violation"),
        )


Evaluate = Callable[["Job"], Evaluation]


def timing_on(device: str) -> dict[str, Any]:
    """The conditions that a run's latencies are measured under: those of other conditions do not compare.

    Args:
        device: ``cpu`` or ``cuda``.
    """
    import torch

    from evaluate.training.device import device_name

    cuda = device == "cuda"
    return {
        "batch": 1,
        "device": device_name(device),
        "dtype": "bfloat16" if cuda else "float32",  # as in training
        "threads": None if cuda else torch.get_num_threads(),
    }


@dataclass
class Evaluator:
    """Measures networks for a run: times them if the run asks for that, then trains their proxies.

    It can be pickled and sent to another process; the images go to the device where it is called.
    """

    settings: Settings
    recipe: Recipe
    data: ImageData
    device: str
    other: ImageData | None = None  # the same images at another resolution, the last one that was asked for

    def __call__(self, job: Job) -> Evaluation:
        """Measure one network. An error of the program fails the network, not the run; `trace` tells where."""
        try:
            return self._measure(job)
        except Exception as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            return Evaluation(reason=words[:500], trace=traceback.format_exc())

    def _measure(self, job: Job) -> Evaluation:
        from evaluate.training.proxy import train_proxy

        settings, latency, violation = self.settings, None, None
        if settings.timing is not None and job.seed is None:
            try:
                latency = measure_latency(
                    job.config,
                    classes=settings.classes,
                    input_size=settings.input_size,
                    batch=settings.timing["batch"],
                    device=self.device,
                    dtype=settings.timing["dtype"],
                )
            except ValueError as error:  # before training: without a latency the score could not be used
                return Evaluation(reason=f"latency not measured: {error}")
        if latency is not None and settings.max_latency is not None:
            violation = latency.median_ms - settings.max_latency
            if violation > 0:
                reason = f"not trained: {latency.median_ms:.3f} ms, more than --max-latency {settings.max_latency:g}"
                return Evaluation(None, latency, reason, violation)
        macs = cost(job.config, settings.input_size, settings.classes).macs
        price = Evaluation(latency=latency).cost(macs, settings.objective)

        stop = None if job.table is None else stopper(job.table, price)
        seed = settings.seed if job.seed is None else job.seed
        recipe, data = self._images(job.resolution)
        score = train_proxy(job.config, recipe, data, seed=seed, device=self.device, stop=stop)
        return Evaluation(score, latency, score.reason, violation)

    def _images(self, resolution: int | None) -> tuple[Recipe, ImageData]:
        """The recipe and the images on the device; of another resolution they are read when first asked for."""
        if resolution is None:
            self.data = self.data.to(self.device)
            return self.recipe, self.data
        recipe = replace(self.recipe, resolution=resolution)
        if self.other is None or self.other.resolution != resolution:
            from evaluate.images.load import load_data

            self.other = load_data(self.settings.data, resolution, self.settings.seed, recipe.train_images)
            if self.other.key != self.data.key:
                raise ValueError(f"data {self.settings.data} has changed since the run began")
            self.other = self.other.to(self.device)
        return recipe, self.other
