"""Does training work on this GPU at all? A minute, before anything longer: exit status 1 if not.

    python -m benchmarks.gpu_smoke [--device cuda]

Three networks' proxies on random images, for a few steps: in bfloat16 where the device computes in it, as a CUDA graph,
to the same score twice, and with so little memory that the batch has to be halved.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.machine import machine_line
from benchmarks.operators import random_images
from evaluate.training.device import computes_bf16, resolve_device
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.score import ProxyScore
from space import landmark

NETWORKS = ("resnet18", "resnext50_32x4d", "densenet121")


def checks(device: str, quick: bool) -> list[tuple[str, bool, str]]:
    """(what, whether it holds, what was seen), one for each check."""
    small = {"proxy_macs": 300_000, "resolution": 8, "batch_size": 32} if quick else {}
    recipe = dataclasses.replace(RECIPES["fast"], epochs=3, evaluate_every=3, **small)
    recipe = dataclasses.replace(recipe, train_images=12 * recipe.batch_size)
    data = random_images(12 * recipe.batch_size, recipe.resolution).to(device)
    seen: list[tuple[str, bool, str]] = []

    def trained(name: str) -> ProxyScore:
        return train_proxy(landmark(name), recipe, data, seed=0, device=device)

    for name in NETWORKS:
        began = time.perf_counter()
        one, two = trained(name), trained(name)
        said = f"{one.top1:.2f} %, {one.images_per_second:,.0f} images/s, {time.perf_counter() - began:.1f} s for both"
        seen.append((f"{name}: trains", one.state == "complete", one.reason or said))
        seen.append((f"{name}: the same score twice", (one.top1, one.loss) == (two.top1, two.loss),
                     f"{one.loss} and {two.loss}"))  # fmt: skip
        if device == "cuda":
            precision = "bf16" if computes_bf16(device) else "fp32"
            seen.append((f"{name}: {precision}", one.precision == precision, one.precision))
            seen.append((f"{name}: a graph", one.engine == "CUDA graph", one.engine))
    if device == "cuda":
        seen.append(short_of_memory(trained(NETWORKS[1]), lambda: trained(NETWORKS[1])))
    return seen


def short_of_memory(before: ProxyScore, again: Callable[[], ProxyScore]) -> tuple[str, bool, str]:
    """Train once more with two thirds of the memory that it took, then with all of it."""
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved()
    torch.cuda.set_per_process_memory_fraction(min(1.0, (held + 0.67 * (before.peak_memory or 0)) / total))
    try:
        short = again()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    after = again()
    halved = short.state == "complete" and (short.micro_batch or 0) < (before.micro_batch or 0)
    said = f"{short.state}, {short.micro_batch} images at once ({short.reason or short.engine}); then {after.engine}"
    return "too little memory is survived", halved and after.top1 == before.top1, said


def main(arguments: list[str] | None = None) -> int:
    """Print a line a check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_smoke", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="toy sizes: a rehearsal on a CPU")
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    print(machine_line(device), flush=True)
    seen = checks(device, options.quick)
    for what, holds, said in seen:
        print(f"{'yes' if holds else 'NO':4}{what:45}{said}")
    return 0 if all(holds for _, holds, _ in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
