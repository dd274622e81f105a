"""Same seed, same machine, same score? And what would letting cuDNN time its kernels gain?

    python -m benchmarks.repeat --data FOLDER [--recipe fast] [--out FILE.json]

Each network is trained three times with one seed: twice as the recipe says, and once with `autotune` turned over.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.machine import machine, machine_line
from evaluate.images.load import load_data
from evaluate.training.device import resolve_device
from evaluate.training.presets import default_recipe, find_recipe
from evaluate.training.proxy import train_proxy
from space import landmark

NETWORKS = ("resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121")


def main(arguments: list[str] | None = None) -> int:
    """Train, compare, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repeat", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", help="a preset or a JSON file (default: by device)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also as JSON")
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    recipe = find_recipe(options.recipe) if options.recipe else default_recipe(device, options.data)
    recipe = dataclasses.replace(recipe, epochs=options.epochs)
    other = dataclasses.replace(recipe, autotune=not recipe.autotune)
    data = load_data(options.data, recipe.resolution, 0, recipe.train_images)
    print(
        f"{machine_line(device)}; recipe {recipe.name}, {recipe.epochs} epochs, {len(data.train_labels)} images of "
        f"{data.name}; autotune {recipe.autotune}"
    )
    rows = []
    for name in NETWORKS:
        one, two, turned = (train_proxy(landmark(name), each, data, device=device) for each in (recipe, recipe, other))
        equal = (one.top1, one.loss) == (two.top1, two.loss)
        rows.append({"network": name, "equal": equal, "runs": [each.to_json() for each in (one, two, turned)]})
        print(f"{name:18}{'the same score' if equal else 'OTHER SCORE':>16} ({one.top1:.2f} %, {two.top1:.2f} %)  "
              f"{one.images_per_second:8.0f} images/s; with autotune {other.autotune}: {turned.top1:.2f} %, "
              f"{turned.images_per_second:8.0f} images/s  [{one.engine}]", flush=True)  # fmt: skip
    if options.out:
        setting = machine(device) | {"recipe": recipe.to_json(), "data": data.name}
        options.out.write_text(json.dumps({"setting": setting, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["equal"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
