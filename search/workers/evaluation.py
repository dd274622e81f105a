"""What is measured of one network: its proxy's score, and its own latency where the run asks for it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from evaluate.images.load import ImageData, load_data
from evaluate.measures.latency import Latency, measure_latency, usual_dtype
from evaluate.training.device import DeviceLostError, device_name, is_device_lost, threads
from evaluate.training.memory import words_of
from evaluate.training.proxy import train_proxy
from evaluate.training.recipe import Recipe
from search.records import Evaluation, Job
from search.run.settings import NETWORK_THREADS, Settings
from search.rungs import stopper
from space import Config, cost

NEAR = 0.1  # of --max-latency: closer to it than this, a latency is measured again


def timing_on(device: str) -> dict[str, Any]:
    """The conditions that a run's latencies are measured under: those of other conditions do not compare.

    Args:
        device: ``cpu`` or ``cuda``.
    """
    cuda = device == "cuda"
    return {
        "batch": 1,
        "device": device_name(device),
        "dtype": usual_dtype(device),
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
    others: dict[int, ImageData] = field(default_factory=dict)  # the same images at other resolutions: `images_at`

    def __call__(self, job: Job) -> Evaluation:
        """Measure one network. An error of the program fails the network, not the run; `trace` tells where.

        Raises:
            DeviceLostError: if CUDA has failed this process for good: another one may measure the network.
        """
        try:
            return self._measure(job)
        except Exception as error:
            if is_device_lost(error):
                raise DeviceLostError(words_of(error)) from error
            words = " ".join(f"{type(error).__name__}: {error}".split())
            return Evaluation(reason=words[:500], trace=traceback.format_exc())

    def _measure(self, job: Job) -> Evaluation:
        settings, latency, violation = self.settings, None, None
        if settings.timing is not None and job.seed is None:
            try:
                latency = self._latency(job.config)
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
        reference = replace(settings.reference, input_size=job.input_size or settings.input_size)
        with threads(NETWORK_THREADS if self.device == "cpu" else None):
            score = train_proxy(job.config, recipe, data, seed=seed, device=self.device, reference=reference, stop=stop)
        return Evaluation(score, latency, score.reason, violation)

    def _latency(self, config: Config) -> Latency:
        """The latency; near the limit, where noise would decide, the middle one of three."""
        settings, timing = self.settings, self.settings.timing
        assert timing is not None  # else none is asked for

        def measured() -> Latency:
            return measure_latency(
                config,
                classes=settings.classes,
                input_size=settings.input_size,
                batch=timing["batch"],
                device=self.device,
                dtype=timing["dtype"],
            )

        first, limit = measured(), settings.max_latency
        if limit is None or abs(first.median_ms - limit) > NEAR * limit:
            return first
        return sorted([first, measured(), measured()], key=lambda each: each.median_ms)[1]

    def _images(self, resolution: int | None) -> tuple[Recipe, ImageData]:
        """The recipe and the images on the device."""
        if resolution in (None, self.data.resolution):
            self.data = self.data.to(self.device)
            return self.recipe, self.data
        self.others[resolution] = self.others[resolution].to(self.device)
        return replace(self.recipe, resolution=resolution), self.others[resolution]


def images_at(resolutions: Iterable[int], settings: Settings, recipe: Recipe, data: ImageData) -> dict[int, ImageData]:
    """A run's images at other resolutions, for a sweep over input sizes: read once, before workers share them.

    Raises:
        ValueError: if they are not the same images any more.
    """
    found = {}
    for resolution in sorted(set(resolutions) - {data.resolution}):
        found[resolution] = load_data(settings.data, resolution, settings.seed, recipe.train_images)
        if found[resolution].key != data.key:
            raise ValueError(f"data {settings.data} has changed since the run began")
    return found
