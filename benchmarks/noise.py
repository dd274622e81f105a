"""What lowers the noise of a proxy score at equal cost: many scores of the same trainings, compared.

    python -m benchmarks.noise --data FOLDER --out DIRECTORY [--recipe cpu] [--seeds 3] [--networks resnet50,...]
    python -m benchmarks.noise --out DIRECTORY --report          # the table again, nothing is trained

Each network of the ImageNet ranking set is trained from several seeds by the recipe, and from twice as many by the
recipe with half its epochs. Each training is scored in every way: top-1 and loss, of the last weights, of moving
averages of the weights, as the mean of the last three epochs, on fewer held-out images. The same command goes on where
it was. A row of the table is one way to score: `noise` is the standard deviation over seeds of a *difference between
two networks* (seeds paired, so that both see the same images in the same order), `spread` that of the networks' means
beside what multiply-adds explain, `noise/spread` what decides about ranks, `reliability` the part of the variance that
is the networks'; tau and the right order within a budget are against published errors, mean over seeds.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.machine import machine_line
from evaluate.fidelity.ranking_sets import RankedLandmark, ranking_set
from evaluate.fidelity.rankings import concordance, kendall_tau, within_budget_pairs
from evaluate.images.load import ImageData, load_data
from evaluate.training.device import sealed
from evaluate.training.presets import find_recipe
from evaluate.training.proxy import plan
from evaluate.training.recipe import Recipe
from evaluate.training.trainer import Trainer
from space import build

DECAYS = (0.98, 0.99, 0.995)  # of the moving averages of weights, a step
FEWER = (1000, 2500)  # held-out images
LAST = 3  # epochs whose scores are averaged


class Averaging(Trainer):
    """A trainer that keeps moving averages of the weights and of what norms have seen."""

    def averages(self) -> None:
        """Begin them."""
        self.kept = {decay: copy.deepcopy(self.model) for decay in DECAYS}
        self.taken = 0

    def _step(self) -> None:
        super()._step()
        self.taken += 1
        now = [each for each in self.model.state_dict().values() if each.is_floating_point()]
        for decay, model in self.kept.items():
            weight = max(1 - decay, 1 / self.taken)  # a plain mean while it is young
            own = [each for each in model.state_dict().values() if each.is_floating_point()]
            torch._foreach_lerp_(own, now, weight)

    def score_of(self, model: nn.Module) -> tuple[float, float]:
        """(top-1, loss) of other weights."""
        own, self.model = self.model, model
        try:
            return self.evaluate()
        finally:
            self.model = own


def train(network: RankedLandmark, recipe: Recipe, data: ImageData, seed: int) -> dict[str, float]:
    """Train a proxy once, score it in every way: name -> percent, or nats."""
    how = plan(network.config, recipe, data.classes, "cpu")
    with sealed(seed, "cpu", False):
        torch.manual_seed(seed)
        model = build(how.proxy, data.classes, recipe.resolution, zero_init_last=True)
        trainer = Averaging(model, recipe, data, device="cpu", precision=how.precision, seed=seed)
        trainer.averages()
        scores: list[tuple[float, float]] = []
        loss = math.nan
        for epoch in range(1, recipe.epochs + 1):
            loss = trainer.epoch()
            if epoch > recipe.epochs - LAST:
                scores.append(trainer.evaluate())
        found = {"top-1": scores[-1][0], "loss": scores[-1][1], "training loss": loss}
        found["top-1, mean of 3 epochs"] = statistics.fmean(score[0] for score in scores)
        found["loss, mean of 3 epochs"] = statistics.fmean(score[1] for score in scores)
        for decay, averaged in trainer.kept.items():
            found[f"top-1, weights averaged {decay}"], found[f"loss, weights averaged {decay}"] = trainer.score_of(
                averaged
            )
        for count in FEWER:
            images, labels = data.val_images[:count], data.val_labels[:count]
            top1, held_out = trainer.evaluate_on(images, labels)
            found |= {f"top-1, {count} held-out images": top1, f"loss, {count} held-out images": held_out}
    return found


def measure(out: Path, recipe: Recipe, data: ImageData, networks: Sequence[RankedLandmark], seeds: int) -> None:
    """Train what is missing, a line of the file each; seed by seed."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "noise.jsonl"
    about = {"recipe": recipe.to_json(), "data": data.name, "key": data.key, "held_out": len(data.val_labels)}
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if lines and lines[0]["about"] != about:
        raise ValueError(f"{path} is of another recipe or other data: expected a new --out")
    done = {(line["network"], line["epochs"], line["seed"]) for line in lines[1:]}
    half = dataclasses.replace(recipe, name=f"half of {recipe.name}", epochs=recipe.epochs // 2)
    with path.open("a", encoding="utf-8") as file:
        if not lines:
            print(json.dumps({"about": about, "machine": machine_line("cpu")}), file=file, flush=True)
        for seed in range(seeds):
            for network in networks:
                for each, number in ((recipe, seed), (half, 2 * seed), (half, 2 * seed + 1)):
                    if (network.name, each.epochs, number) in done:
                        continue
                    scores = train(network, each, data, number)
                    line = {"network": network.name, "epochs": each.epochs, "seed": number, "scores": scores}
                    print(json.dumps(line), file=file, flush=True)
                    print(f"{network.label:24} {each.name:12} seed {number}  {scores['top-1']:.2f} %", flush=True)


# ---------------------------------------------------------------------------------------------- the table


def table(out: Path) -> str:
    """One row a way to score."""
    header, *lines = [json.loads(line) for line in (out / "noise.jsonl").read_text().splitlines()]
    epochs = header["about"]["recipe"]["epochs"]
    whole: dict[str, dict[str, dict[int, float]]] = {}  # way -> network -> seed -> score
    halves: dict[str, dict[str, dict[int, list[float]]]] = {}
    for line in lines:
        for way, value in line["scores"].items():
            if line["epochs"] == epochs:
                whole.setdefault(way, {}).setdefault(line["network"], {})[line["seed"]] = value
            elif way in ("top-1", "loss"):
                pairs = halves.setdefault(f"{way}, two trainings of half the epochs", {})
                pairs.setdefault(line["network"], {}).setdefault(line["seed"] // 2, []).append(value)
    for way, by in halves.items():
        whole[way] = {
            name: {seed: statistics.fmean(both) for seed, both in seeds.items() if len(both) == 2}
            for name, seeds in by.items()
        }
    for way in ("top-1", "loss"):
        whole[f"{way}, seeds not paired"] = whole[way]
    known = {each.name: each for each in ranking_set("imagenet")}
    seeds = sorted({seed for by in whole["top-1"].values() for seed in by})
    complete = [
        name for name in known
        if all(set(by.get(name, {})) >= set(seeds) for by in whole.values())
    ]  # fmt: skip
    rows = [
        [
            way,
            *row(
                way, np.array([[by[name][seed] for seed in seeds] for name in complete]), [known[n] for n in complete]
            ),
        ]
        for way, by in whole.items()
    ]
    about = header["about"]
    heads = ["score", "noise", "spread", "noise/spread", "reliability", "tau", "in budget"]
    wide = max(len(str(each[0])) for each in rows)
    text = [
        f"{header['machine']}; recipe {about['recipe']['name']}, {about['data']}, {about['held_out']:,} held out",
        f"{len(complete)} networks, seeds {', '.join(map(str, seeds))}; top-1 in points, losses in nats",
        "",
        f"{heads[0]:{wide}}" + "".join(f"{head:>14}" for head in heads[1:]),
    ]
    text += [f"{each[0]:{wide}}" + "".join(f"{value:14.3f}" for value in each[1:]) for each in rows]
    return "\n".join(text)


def row(way: str, scores: Any, networks: Sequence[RankedLandmark]) -> list[float]:
    """(noise, spread, their ratio, reliability, tau, order within a budget) of scores (networks, seeds)."""
    paired = "not paired" not in way
    differences = []
    for one, other in combinations(range(len(networks)), 2):
        second = scores[other] if paired else np.roll(scores[other], 1)
        differences.append(np.var(scores[one] - second, ddof=1))
    noise = math.sqrt(float(np.mean(differences)))
    means = scores.mean(axis=1)
    macs = np.log([network.macs for network in networks])
    design = np.stack([np.ones_like(macs), macs], 1)
    rest = means - design @ np.linalg.lstsq(design, means, rcond=None)[0]
    within = noise**2 / 2  # of one score
    total = float(np.var(rest, ddof=2)) + within * (1 - 1 / scores.shape[1])
    spread = math.sqrt(max(1e-12, total - within))
    sign = -1.0 if "loss" in way else 1.0
    errors = [network.published_error for network in networks]
    pairs = within_budget_pairs([network.macs for network in networks], errors)
    taus, orders = [], []
    for seed in range(scores.shape[1]):
        values = [sign * value for value in scores[:, seed]]
        taus.append(kendall_tau(values, errors) or math.nan)
        orders.append(concordance(values, errors, pairs) or math.nan)
    return [noise, spread, noise / spread, 1 - within / total, statistics.fmean(taus), statistics.fmean(orders)]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noise", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fractals", help="as for python -m search (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="a directory for noise.jsonl and noise.txt")
    parser.add_argument("--recipe", default="cpu", help="a preset or a JSON file (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="of each network (%(default)s)")
    parser.add_argument("--networks", help="some of the set, separated by commas")
    parser.add_argument("--report", action="store_true", help="the table alone")
    options = parser.parse_args(arguments)
    if not options.report:
        torch.set_num_threads(1)
        recipe = find_recipe(options.recipe)
        data = load_data(options.data, recipe.resolution, 0, recipe.train_images)
        wanted = options.networks.split(",") if options.networks else None
        networks = [each for each in ranking_set("imagenet") if wanted is None or each.name in wanted]
        measure(options.out, recipe, data, networks, options.seeds)
    text = table(options.out)
    (options.out / "noise.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
