"""Where the time of a training step goes: a table by operator, forward and backward, of proxies on this device.

    python -m benchmarks.operators [--recipe cpu] [--networks resnet50 resnext50_32x4d densenet121] [--steps 6]

Each network's proxy is trained for some steps as a search trains it (threads and precision as it plans them, one
thread unless ``--threads`` says more), on random images, first without the profiler for its speed and then under it.
Times are of operators themselves, without those that they call. The profiler slows small operators down, so their
shares are a little too large.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.machine import machine
from evaluate.images.load import ImageData
from evaluate.training.device import resolve_device, sealed, synchronise, threads
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import plan
from evaluate.training.trainer import Trainer
from space import build, landmark

CLASSES = 10
ROWS = 14


def random_images(count: int, resolution: int) -> ImageData:
    """So many random training images, as many held-out ones at most 1,000."""
    pixels = torch.randint(0, 256, (count, 3, resolution, resolution), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (count,))
    return ImageData("random", pixels, labels, pixels[:1000], labels[:1000], CLASSES)


def table(name: str, options: argparse.Namespace, device: str) -> str:
    """One network's operators, the costliest first."""
    recipe = dataclasses.replace(RECIPES[options.recipe], train_images=None)
    how = plan(landmark(name), recipe, CLASSES, device)
    with sealed(0, device, recipe.autotune), threads(options.threads):
        model = build(how.proxy, CLASSES, recipe.resolution, zero_init_last=True)
        data = random_images(options.steps * recipe.batch_size, recipe.resolution).to(device)
        trainer = Trainer(model, recipe, data, device=device, precision=how.precision, seed=0)
        trainer.epoch()
        best = float("inf")
        for _ in range(options.rounds):
            synchronise(device)
            began = time.perf_counter()
            trainer.epoch()
            synchronise(device)
            best = min(best, time.perf_counter() - began)
        kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
        with profile(activities=kinds) as watched:
            trainer.epoch()
    rows = watched.key_averages()
    spent = {row.key: row.self_device_time_total if device == "cuda" else row.self_cpu_time_total for row in rows}
    total = sum(spent.values())
    counts = {row.key: row.count for row in rows}
    speed = options.steps * recipe.batch_size / best
    lines = [
        f"{name}: {how.macs / 1e6:.2f} M multiply-adds, {how.precision}; {1000 * best / options.steps:.1f} ms a step, "
        f"{speed:,.0f} images/s, {6 * how.macs * speed / 1e9:.1f} GFLOP/s"
    ]
    lines.append(f"  {'operator':<52}{'calls a step':>13}{'ms a step':>11}{'share':>8}")
    for key in sorted(spent, key=spent.__getitem__, reverse=True)[:ROWS]:
        milliseconds = spent[key] / 1000 / options.steps
        lines.append(
            f"  {key[:50]:<52}{counts[key] / options.steps:>13.1f}{milliseconds:>11.2f}{spent[key] / total:>8.1%}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print a table a network."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operators", description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["resnet50", "resnext50_32x4d", "densenet121"])
    parser.add_argument("--recipe", default="cpu", choices=RECIPES, help="(%(default)s)")
    parser.add_argument("--steps", type=int, default=6, help="of an epoch that is timed (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="epochs without the profiler; the best (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (%(default)s)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    print(f"{machine(device)}; recipe {options.recipe}, {options.threads} thread{'s' * (options.threads != 1)}")
    for name in options.networks:
        print("\n" + table(name, options, device), flush=True)


if __name__ == "__main__":
    main()
