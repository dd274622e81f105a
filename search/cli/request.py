"""What a command line of `python -m search` asks for: one frozen record, made once, after the words are read."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from typing import Any

from space.landmarks.networks import Landmark
from space.solving.axes import Target
from space.solving.sweeps import Sweep

DEFAULT_DATA = "fractals"
DEFAULT_SAMPLER = "tpe"
DEFAULT_REFINE = 0.0
UNTRAINED_SAMPLER = "random"  # of a run that trains nothing: benchmarks/results/untrained.txt
UNTRAINED_REFINE = 0.5


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run or a dry run. What has a default is not among the options of `python -m search pays`."""

    words: tuple[str, ...]  # the command line
    target: Target
    own: tuple[Landmark, ...] = ()  # of --landmark
    sweep: Sweep | None  # networks that are listed, in place of samples
    trials: int  # samples, or networks of the sweep
    repeats: int  # more trainings of each network that is repeated
    families: tuple[str, ...] = ()  # none of a sweep
    landmarks: tuple[str, ...]  # names, families, "auto" or "none"
    name: str | None
    max_params: str | None = None  # as it was typed
    max_activations: str | None = None  # as it was typed
    max_latency: float | None = None  # milliseconds
    objective: str = "macs"
    # how to score
    data: str
    skip_broken: bool
    recipe: str | None
    score: str | None = None  # None: what ranks better
    seed: int
    # how to propose
    sampler: str = DEFAULT_SAMPLER
    refine: float = DEFAULT_REFINE
    early_stopping: bool = False
    warm_start: tuple[str, ...] = ()
    # where to run
    device: str
    workers: int | None  # None: as many as pay
    gpu_fraction: float
    ray_address: str | None
    storage: str | None
    # what to print
    plots: tuple[str, ...]
    quiet: bool
    verbose: bool
    dry_run: int | None  # networks to print
    json: bool = False


def request(options: argparse.Namespace, **found: Any) -> Request:
    """The record of a command line: what was found out, and every other option by its own name."""
    names = [each.name for each in fields(Request) if each.name not in found and hasattr(options, each.name)]
    given: dict[str, Any] = {name: getattr(options, name) for name in names}
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return Request(**given, **found)
