"""Trains networks drawn at random from the space: the ground truth of `benchmarks.search_quality`.

    python -m benchmarks.survey --data FOLDER --out benchmarks/results/survey-cpu.csv             # recipe "survey"
    python -m benchmarks.survey --data FOLDER --out FILE --recipe fast --device cuda --networks 600
    python -m benchmarks.survey ... --part 0/2 &  python -m benchmarks.survey ... --part 1/2       # two processes

Two of three networks spend any part of the budget (frontier mode), every third all of it (match mode), so that the
file is as good a sample of the space when it is cut short. Network i depends on the seed and on i alone; a row is
appended as one write when a network is done, and the same command goes on after the last row. `cpu_seconds` is the
processor time of the training process: other programs on the machine disturb it less than they disturb `seconds`.

The recipe "survey" is `cpu` with half its images, scored at every second epoch, so that rungs can be replayed.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import os
import random
import sys
import time
from pathlib import Path

from benchmarks.machine import machine_line
from benchmarks.survey_table import SURVEYED
from evaluate.images.load import load_data
from evaluate.training.device import resolve_device
from evaluate.training.presets import RECIPES, find_recipe
from evaluate.training.proxy import check_data, train_proxy
from evaluate.training.recipe import Recipe
from evaluate.training.reference import Reference
from space import Budget, cost
from space.networks.config import CLASSES, INPUT_SIZE
from space.solving.axes import Target, draw

SURVEY = dataclasses.replace(RECIPES["cpu"], name="survey", train_images=2_000, evaluate_every=2)
COLUMNS = ("index", "mode", "family", "config_id", "macs", "target_macs", "params", "activations", "proxy_macs",
           "state", "top1", "loss", "seconds", "cpu_seconds", "curve", "config", "reason")  # fmt: skip


def mode_of(index: int) -> str:
    """Every third network spends the whole budget."""
    return "match" if index % 3 == 2 else "frontier"


def train_network(
    index: int, budget: Budget, recipe: Recipe, data: object, device: str, seed: int
) -> dict[str, object]:
    """Draw network `index`, train it, return its row."""
    target = Target(budget, mode_of(index))
    family, proposal = draw(target, random.Random(f"{seed}/{index}"), SURVEYED)
    counted = cost(proposal.config)
    began = time.process_time()
    reference = Reference(budget.macs, INPUT_SIZE, CLASSES)
    score = train_proxy(  # type: ignore[arg-type]
        proposal.config, recipe, data, seed=seed, device=device, reference=reference
    )
    return {
        "index": index,
        "mode": target.mode,
        "family": family,
        "config_id": proposal.config.id,
        "macs": counted.macs,
        "target_macs": proposal.target_macs,
        "params": counted.params,
        "activations": counted.activations,
        "proxy_macs": score.proxy_macs,
        "state": score.state,
        "top1": score.top1,
        "loss": score.loss,
        "seconds": round(score.seconds, 3),
        "cpu_seconds": round(time.process_time() - began, 3),
        "curve": json.dumps([[point["epoch"], round(point["train_loss"], 4), point["top1"]] for point in score.curve]),
        "config": json.dumps(proposal.config.to_json(), separators=(",", ":")),
        "reason": score.reason,
    }


def done(path: Path) -> set[int]:
    """The indices that the file has."""
    if not path.exists():
        return set()
    with path.open(newline="", encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        return {int(row["index"]) for row in csv.DictReader(lines)}


def append(path: Path, row: dict[str, object] | None, heading: str = "") -> None:
    """One write a row: two processes may share the file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if row is None:
        text.write(f"# {heading}\n")
        writer.writeheader()
    else:
        writer.writerow(row)
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if row is None else 0)
    descriptor = os.open(path, flags, 0o644)
    try:
        os.write(descriptor, text.getvalue().encode())
    finally:
        os.close(descriptor)


def main() -> int:
    """Train what is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.survey", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--recipe", help="a preset or a JSON file (default: survey)")
    parser.add_argument("--budget", default="4.1G")
    parser.add_argument("--networks", type=int, default=330)
    parser.add_argument("--part", default="0/1", help="K/N: only the networks whose index leaves K when divided by N")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop in time, with status 3")
    args = parser.parse_args()
    start = time.monotonic()
    part, parts = (int(word) for word in args.part.split("/"))
    device = resolve_device(args.device)
    recipe = find_recipe(args.recipe) if args.recipe else SURVEY
    budget = Budget.parse(args.budget)
    data = load_data(args.data, recipe.resolution, args.seed, recipe.train_images).to(device)
    check_data(recipe, data)
    if not args.out.exists():
        about = f"{machine_line(device)}; budget {budget} at 224x224, data {data.key}, seed {args.seed}, recipe "
        append(args.out, None, about + json.dumps(recipe.to_json()))
    have = done(args.out)
    for index in (each for each in range(part, args.networks, parts) if each not in have):
        if time.monotonic() - start > 60 * args.minutes - 10:  # a part of benchmarks.gpu is cut off at --minutes
            return 3
        row = train_network(index, budget, recipe, data, device, args.seed)
        append(args.out, row)
        print(index, row["mode"], row["family"], row["macs"], row["top1"], row["cpu_seconds"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
