"""How long a run would take, from a few steps of a few networks.

The time is measured, not guessed: a few proxies really train for a few steps and really score. What one takes grows
with its number of layers more evenly than with its multiply-adds, at the sizes that proxies have; so those that are
timed are spread over networks in the order of their layers, and seconds a layer carry over to the rest.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluate.measures.latency import measure_latency
from evaluate.training.device import synchronise, threads
from evaluate.training.memory import is_out_of_memory
from evaluate.training.recipe import Recipe
from evaluate.training.reference import Reference
from search.run.settings import NETWORK_THREADS, Settings
from space import Config
from space.shell.words import amount, duration

if TYPE_CHECKING:
    from evaluate.images.load import ImageData
    from evaluate.training.proxy import Plan

TIMED = (5, 4)  # of them, and of the landmarks
LEAST = (3, 1)  # of which so many whatever it takes
SECONDS = 15.0  # after so long no other network is timed
STEPS_SECONDS = 0.8  # of training, a network
SCORED = 512  # held-out images


@dataclass(frozen=True)
class Expected:
    """What the networks of a run take, in seconds of one worker."""

    sampled: float  # mean
    landmarks: float  # together
    timed: tuple[float, ...]  # each of those that were tried
    unfit: int = 0  # of those that were tried, how many would fail

    def total(self, trials: int, workers: int) -> float:
        """Seconds of a run of so many sampled networks and all landmarks; each worker as fast as one alone."""
        return (self.sampled * trials + self.landmarks) / workers


def expect(
    settings: Settings, recipe: Recipe, data: ImageData, device: str, sampled: Sequence[Config]
) -> Expected | None:
    """Time a few networks; None if none of them would train.

    Args:
        settings: of the run; its landmarks and whether latency is measured.
        recipe: how networks are trained.
        data: at the recipe's resolution.
        device: ``cpu`` or ``cuda``.
        sampled: networks that stand for those that a run would sample.
    """
    known = [settings.landmark(name) for name in settings.landmarks]
    data = data.to(device)
    depth = {config.id: _layers(config, recipe, data.classes, settings.reference) for config in (*sampled, *known)}
    groups = [
        sorted({config.id: config for config in group}.values(), key=lambda config: depth[config.id])
        for group in (sampled, known)
    ]
    # What only the first network of a process pays for: imports, threads, the device's first kernels.
    seconds_of(groups[0][0], settings, recipe, data, device)
    began = time.monotonic()
    timed: dict[str, float | None] = {}
    rates = []  # seconds a layer; landmarks are wider than most of what is sampled, so they have their own
    for group, most, least in zip(groups, TIMED, LEAST, strict=True):
        own = [config.id for config in group if timed.get(config.id)]
        for number, config in enumerate(_spread(group, most)):
            if number >= least and time.monotonic() - began > SECONDS:
                break
            if config.id not in timed:
                timed[config.id] = seconds_of(config, settings, recipe, data, device)
                own.append(config.id)
        spent = [(seconds, depth[key]) for key in own if (seconds := timed[key]) is not None]
        if spent:
            rates.append(sum(seconds for seconds, _ in spent) / sum(layers for _, layers in spent))
    if not rates:
        return None
    mean = rates[0] * statistics.fmean(depth[config.id] for config in sampled)
    together = rates[-1] * sum(depth[config.id] for config in known)
    fit = sorted(seconds for seconds in timed.values() if seconds is not None)
    return Expected(mean, together, tuple(fit), len(timed) - len(fit))


def _layers(config: Config, recipe: Recipe, classes: int, reference: Reference) -> int:
    """Of the proxy; 0 if the network has none: it takes no time to fail."""
    try:
        return len(recipe.proxy(config, classes, reference).layers(recipe.resolution, classes))
    except ValueError:
        return 0


def _spread(order: Sequence[Config], count: int) -> list[Config]:
    """`count` of them, each the middle of its part of the order; the first few are spread already."""
    count = min(count, len(order))
    places = [(2 * part + 1) * len(order) // (2 * count) for part in range(count)]
    outwards = sorted(range(count), key=lambda part: abs(2 * part + 1 - count))
    return [order[places[part]] for part in outwards[:1] + outwards[:0:-1]]


def seconds_of(config: Config, settings: Settings, recipe: Recipe, data: ImageData, device: str) -> float | None:
    """What measuring one network would take, from a few steps and a part of one scoring; None if it would fail."""
    import torch

    from evaluate.training.proxy import as_trained, plan
    from evaluate.training.trainer import DivergedError

    try:
        timing = _latency_seconds(config, settings, device)
        with threads(NETWORK_THREADS if device == "cpu" else None):
            how = plan(config, recipe, data.classes, device, settings.reference)
            with as_trained(how, recipe, settings.seed, device):
                return timing + _training_seconds(how, settings.seed, recipe, data, device)
    except (ValueError, DivergedError):
        return None
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _latency_seconds(config: Config, settings: Settings, device: str) -> float:
    if settings.timing is None:
        return 0.0

    began = time.perf_counter()
    measure_latency(
        config,
        classes=settings.classes,
        input_size=settings.input_size,
        batch=settings.timing["batch"],
        device=device,
        dtype=settings.timing["dtype"],
    )
    return time.perf_counter() - began


def _training_seconds(how: Plan, seed: int, recipe: Recipe, data: ImageData, device: str) -> float:
    """The first steps are counted as they are: memory is made, kernels are chosen. The others are multiplied."""
    from evaluate.training.proxy import proxy_trainer

    images = min(len(data.train_labels), recipe.train_images or len(data.train_labels))
    steps = images // recipe.batch_size * recipe.epochs
    at_once = min(16 if device == "cuda" else 1, images // recipe.batch_size)  # on CUDA, waiting for one step misleads
    began = time.perf_counter()
    short = dataclasses.replace(recipe, train_images=at_once * recipe.batch_size, epochs=min(10_000, steps // at_once))
    trainer = proxy_trainer(how, short, data, seed, device)
    trainer.epoch()
    synchronise(device)
    first, done = time.perf_counter() - began, at_once
    began = time.perf_counter()
    while done + at_once <= steps and time.perf_counter() - began < STEPS_SECONDS:
        trainer.epoch()
        done += at_once
    synchronise(device)
    step = (time.perf_counter() - began) / max(1, done - at_once)
    began = time.perf_counter()
    part = min(SCORED, len(data.val_labels))
    trainer.evaluate_on(data.val_images[:part], data.val_labels[:part])
    scoring = (time.perf_counter() - began) * len(data.val_labels) / part
    scorings = -(-recipe.epochs // recipe.evaluate_every)
    return first + step * (steps - at_once) + scoring * scorings


def expected_text(expected: Expected | None, settings: Settings, trials: int, workers: int, repeats: int = 0) -> str:
    """The expected time in one sentence. How many networks the frontier has, and repeats train, nobody knows before."""
    if expected is None:
        return (
            f"expected time: unknown, recipe {settings.recipe['name']} can train none of the networks that were tried"
        )
    total = duration(expected.total(trials, workers))
    again = settings.repeated
    least, most = duration(expected.timed[0]), duration(expected.timed[-1])
    return (
        f"expected time: about {total} with {amount(workers, 'worker')} for {amount(trials, 'sampled network')} and "
        f"{amount(len(settings.landmarks), 'landmark')} (timed on {amount(len(expected.timed), 'network')}: "
        f"{least} to {most} each"
        + (f"; {expected.unfit} more would fail" if expected.unfit else "")
        + ("; less where networks are stopped early)" if settings.early_stopping else ")")
        + (f", and about {duration(expected.sampled * repeats)} for each {again}" if repeats else "")
    )
