"""Several trainings on one device at once: when does that pay?

    python -m benchmarks.packing --data FOLDER [--recipe fast] [--at-once 1 2 4] [--out FILE.json]

For each network, k processes train it at the same time under the recipe, each on its own copy of the images (on the
CPU with one thread each); they wait for each other after one epoch of warm-up, and the images of all of them a second
are compared with those of one alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp

from benchmarks.machine import machine, machine_line
from evaluate.images.load import ImageData, load_data
from evaluate.training.device import resolve_device, synchronise
from evaluate.training.presets import default_recipe, find_recipe
from evaluate.training.proxy import as_trained, plan, proxy_trainer
from evaluate.training.recipe import Recipe
from space import landmark

NETWORKS = ("resnet18", "resnet50", "resnext50_32x4d", "densenet121")


def worker(number: int, name: str, recipe: Recipe, data: ImageData, device: str, ready: Any, speeds: Any) -> None:
    """Warm up, wait for the others, train for the recipe's remaining epochs, report (images, begin, end)."""
    if device == "cpu":
        torch.set_num_threads(1)
    how = plan(landmark(name), recipe, data.classes, device)
    with as_trained(how, recipe, number, device):
        trainer = proxy_trainer(how, recipe, data, number, device)
        trainer.epoch()
        ready.wait()
        began = time.time()
        for _ in range(1, recipe.epochs):
            trainer.epoch()
        synchronise(device)
    speeds.put((trainer.images_trained * (recipe.epochs - 1) // recipe.epochs, began, time.time()))


def together(name: str, count: int, recipe: Recipe, data: ImageData, device: str) -> float:
    """Images a second of `count` trainings at once."""
    context = mp.get_context("spawn")
    ready, speeds = context.Barrier(count), context.Queue()
    mp.spawn(  # type: ignore[no-untyped-call,attr-defined]
        worker, (name, recipe, data, device, ready, speeds), nprocs=count, join=True
    )
    got = [speeds.get() for _ in range(count)]
    return float(
        sum(images for images, _, _ in got) / (max(end for *_, end in got) - min(begin for _, begin, _ in got))
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packing", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", help="a preset or a JSON file (default: by device)")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 4], metavar="K")
    parser.add_argument("--epochs", type=int, default=4, help="the first one warms up (%(default)s)")
    parser.add_argument("--images", type=int, default=None, help="training images (the recipe's)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also as JSON")
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    recipe = find_recipe(options.recipe) if options.recipe else default_recipe(device, options.data)
    recipe = dataclasses.replace(recipe, epochs=options.epochs, train_images=options.images or recipe.train_images)
    data = load_data(options.data, recipe.resolution, 0, recipe.train_images)
    rows: list[dict[str, Any]] = []
    print(f"{machine_line(device)}; recipe {recipe.name}, {len(data.train_labels)} images of {data.name}")
    print(f"{'network':18}" + "".join(f"{f'{k} at once':>14}" for k in options.at_once) + "   images/s of all (ratio)")
    for name in options.networks:
        speeds = {count: together(name, count, recipe, data, device) for count in options.at_once}
        alone = speeds[options.at_once[0]]
        rows.append({"network": name, "images_per_second": speeds})
        print(f"{name:18}" + "".join(f"{speed:8.0f} {speed / alone:4.2f}x" for speed in speeds.values()), flush=True)
    if options.out:
        setting = machine(device) | {"recipe": recipe.to_json(), "data": data.name, "images": len(data.train_labels)}
        options.out.write_text(json.dumps({"setting": setting, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
