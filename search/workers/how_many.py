"""How many networks at once pay on this machine: `--workers auto`.

On a CPU one a physical core: each network is trained by one thread (`search.workers.evaluation`), and two threads of
one core share its arithmetic. On CUDA one a GPU, or as many as its parts. Never more than memory holds.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import joblib
import torch

from evaluate.training.proxy import plan
from evaluate.training.recipe import Recipe
from search.run.settings import Settings
from space import Config, cost
from space.solving.axes import draw

DRAWN = 16  # networks that stand for those that a run would sample
# What a process takes beside its network (torch's own memory is shared), and what training takes for each number that
# the network's convolutions put out for a batch. Measured: see `tests/test_how_many.py`.
PROCESS = 300 * 2**20
BYTES_AN_ACTIVATION = 50
SPARE = 0.1  # part of the free memory that is left to others
CGROUP = Path("/sys/fs/cgroup")


def workers_for(settings: Settings, recipe: Recipe, device: str, gpu_fraction: float, networks: int) -> int:
    """The number of workers that pay, at least one.

    Args:
        settings: of the run.
        recipe: the same as in the settings.
        device: ``cpu`` or ``cuda``.
        gpu_fraction: part of a GPU that one network takes; it means nothing on the CPU.
        networks: that are to be measured, at most.
    """
    if settings.timing is not None:  # latency is measured with nothing else running
        return 1
    if device == "cuda":
        units = torch.cuda.device_count() * int(1 / gpu_fraction + 1e-6)
    else:
        units = joblib.cpu_count(only_physical_cores=True)
    units = min(units, networks)
    if units > 1 and (free := free_memory()) is not None:
        units = min(units, int((1 - SPARE) * free / needed(settings, recipe, device)))
    return max(1, units)


def needed(settings: Settings, recipe: Recipe, device: str) -> float:
    """Bytes of this machine's memory that one worker takes, about, for the largest of the networks to come."""
    if device == "cuda":
        return 2**31  # CUDA's own; the network is elsewhere
    if settings.sweep is None:
        rng = random.Random(settings.seed)
        configs = [draw(settings.target, rng, settings.families)[1].config for _ in range(DRAWN)]
    else:
        configs = [each.config for each in settings.listed]
    configs += [settings.landmark(name) for name in settings.landmarks]
    return PROCESS + BYTES_AN_ACTIVATION * recipe.batch_size * _most_activations(configs, settings, recipe)


def _most_activations(configs: Iterable[Config], settings: Settings, recipe: Recipe) -> int:
    found = [0]
    for config in configs:
        try:
            proxy = plan(config, recipe, 10, "cpu", settings.reference).proxy
        except ValueError:  # it cannot be trained at this resolution
            continue
        found.append(cost(proxy, recipe.resolution, 10).activations)
    return max(found)


def free_memory() -> int | None:
    """Bytes that this process and its children may still take; None where the system does not tell (not Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    free = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    if (limited := _free_in_cgroup()) is not None:
        free.append(limited)
    return min(free, default=None)


def _free_in_cgroup() -> int | None:
    """What a container's limit leaves (cgroup v2, which shows a container its own group as the root)."""
    try:
        limit = (CGROUP / "memory.max").read_text(encoding="ascii").strip()
        if limit == "max":
            return None
        used = int((CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(0, int(limit) - used + int(stat.get("inactive_file", 0)))  # cached files give way
    except (OSError, ValueError):
        return None
