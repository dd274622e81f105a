"""Which recipe ranks networks best for its seconds? Trains the ranked landmarks under each, writes one table.

    python -m benchmarks.recipes --data FOLDER --out DIR                 # the candidates for this device
    python -m benchmarks.recipes --data FOLDER --out DIR --minutes 9     # stops in time; the same command goes on

DIR/<recipe>/scores.jsonl keeps every score, DIR/recipes.csv and .txt the table: for each recipe the fidelity
(Kendall's tau over all pairs, concordance within a budget, both with 95 % bootstrap intervals) of the held-out
top-1, of the held-out loss and of the training loss, the regret of top-1, what multiply-adds and activations reach
without any training, and the seconds a network. Choosing the best row of a table is itself optimistic:
confirm it with other seeds (python -m evaluate fidelity --seeds 3).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import statistics
import sys
import time
from pathlib import Path

from evaluate.fidelity.baselines import number
from evaluate.fidelity.run import Fidelity, ranking_set, report, run_fidelity
from evaluate.images.load import load_data
from evaluate.training.device import device_name, resolve_device
from evaluate.training.recipe import Recipe
from space.shell.tables import align

_CPU = Recipe(
    name="base", epochs=4, batch_size=64, learning_rate=0.1, resolution=16, proxy_macs=5_200_000, stem="cifar",
    train_images=4_000, evaluate_every=100,
)  # fmt: skip
_CUDA = Recipe(
    name="base", epochs=12, batch_size=512, learning_rate=0.4, resolution=16, proxy_macs=160_000_000, stem="cifar",
    evaluate_every=100,
)  # fmt: skip


def _vary(base: Recipe, **changes: object) -> Recipe:
    """A candidate, named for what it changes."""
    letters = {"epochs": "e", "batch_size": "b", "learning_rate": "lr", "resolution": "r", "proxy_macs": "m",
               "train_images": "n", "label_smoothing": "ls", "weight_decay": "wd", "warmup": "wu",
               "stem": "", "cutout": "cut", "crop": "crop", "flip": "flip"}  # fmt: skip
    recipe = dataclasses.replace(base, **changes)  # type: ignore[arg-type]
    words = [f"{letters[key]}{getattr(recipe, key)}" for key in ("resolution", "proxy_macs", "train_images", "epochs")]
    words += [f"{letters[key]}{value}" for key, value in changes.items() if f"{letters[key]}{value}" not in words]
    return dataclasses.replace(recipe, name="-".join(words).replace("nNone", "all"))


CANDIDATES: dict[str, tuple[Recipe, ...]] = {
    "cpu": (
        _vary(_CPU),
        # resolution against width, at like cost but for the last
        _vary(_CPU, resolution=32, stem="keep"),
        _vary(_CPU, resolution=32),
        _vary(_CPU, proxy_macs=1_300_000, epochs=8, learning_rate=0.05),
        # learning rate
        _vary(_CPU, learning_rate=0.4),
        _vary(_CPU, learning_rate=0.025),
        # few images often
        _vary(_CPU, train_images=1_000, epochs=16),
        # what seemed to help, together
        _vary(_CPU, resolution=32, learning_rate=0.025),
        _vary(_CPU, proxy_macs=1_300_000, epochs=8, learning_rate=0.025),
        _vary(_CPU, proxy_macs=1_300_000, epochs=8, learning_rate=0.0125),
    ),
    # Not measured yet: the first is `fast`, the last is near `faithful`.
    "cuda": (
        _vary(_CUDA),
        _vary(_CUDA, learning_rate=0.1),
        _vary(_CUDA, learning_rate=1.6),
        _vary(_CUDA, proxy_macs=42_000_000),
        _vary(_CUDA, resolution=32, proxy_macs=84_000_000, epochs=8),
        _vary(_CUDA, train_images=10_000, epochs=54),
        _vary(_CUDA, weight_decay=5e-3),
        _vary(_CUDA, epochs=24),
        _vary(_CUDA, resolution=32, proxy_macs=333_000_000, epochs=30, cutout=8),
    ),
}


def table(fidelities: list[Fidelity]) -> tuple[str, str]:
    """(CSV, aligned text), a row a recipe, the fastest first."""
    columns = ["recipe", "networks", "seeds", "mean s", "median s", "mean top-1", "tau", "tau 95 %", "in budget",
               "in budget 95 %", "pairs", "regret", "loss: tau", "in budget", "train loss: tau", "in budget",
               "MACs: tau", "in budget", "activations: tau", "in budget"]  # fmt: skip
    rows = []
    for fidelity in sorted(fidelities, key=lambda each: each.seconds.total if each.seconds else 0.0):
        ranking = fidelity.rankings
        top1 = ranking["proxy_top1"]
        scores = [score for network in fidelity.networks for score in network.scores]
        times = [score.seconds for score in scores]
        reached = [score.top1 for score in scores if score.top1 is not None]
        cells = [fidelity.recipe.name, str(top1.networks), str(len(fidelity.seeds)),
                 f"{statistics.fmean(times):.1f}", f"{statistics.median(times):.1f}",
                 f"{statistics.fmean(reached):.1f}",
                 number(top1.tau), f"{number(top1.tau_low)} {number(top1.tau_high)}",
                 number(top1.concordance), f"{number(top1.concordance_low)} {number(top1.concordance_high)}",
                 str(top1.pairs), number(fidelity.regrets["proxy_top1"])]  # fmt: skip
        for name in ("proxy_loss", "train_loss", "macs", "activations"):
            cells += [number(ranking[name].tau), number(ranking[name].concordance)]
        rows.append(cells)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    heads = {
        "{processor}, torch {torch}, Python {python}; ".format(**each.environment)
        + f"{each.data}, {each.set} set, seeds {' '.join(map(str, each.seeds))}"
        for each in fidelities
    }
    return text.getvalue(), "\n".join(
        [*sorted(heads), "", align(columns, rows, range(1, len(columns)), rule=False)]
    ) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Train, write the table after every recipe, print it. Exit status 3 if the time was up before all were done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes", description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="as of python -m evaluate fidelity")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", default="imagenet", dest="ranked", help="imagenet or cifar")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="some of the set's networks alone")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no training after this")
    parser.add_argument("--only", nargs="+", metavar="RECIPE", help="some of the candidates, by name")
    parser.add_argument("--list", action="store_true", help="print the candidates' names and stop")
    options = parser.parse_args(arguments)
    device = resolve_device(options.device)
    candidates = [recipe for recipe in CANDIDATES[device] if not options.only or recipe.name in options.only]
    if options.list:
        print("\n".join(recipe.name for recipe in candidates))
        return 0
    end = time.monotonic() + 60 * options.minutes
    networks = ranking_set(options.ranked)
    if options.networks:
        networks = tuple(each for each in networks if each.name in options.networks)
    whole = True
    for recipe in candidates:
        directory = options.out / recipe.name
        data = load_data(options.data, recipe.resolution, 0, recipe.train_images)
        print(f"{recipe.name} on {data.name}, {device_name(device)}", flush=True)
        for event in run_fidelity(networks, recipe, data, tuple(range(options.seeds)), device, directory, False):
            if not event.before:
                print("  " + event.line(), flush=True)
            if time.monotonic() > end:
                whole = whole and event.done == event.total
                break
        _write(options.out, candidates)
        if time.monotonic() > end:
            whole = whole and recipe is candidates[-1]
            break
    print((options.out / "recipes.txt").read_text(encoding="utf-8"))
    return 0 if whole else 3


def _write(out: Path, candidates: list[Recipe]) -> None:
    reports = [report(out / recipe.name) for recipe in candidates if (out / recipe.name / "scores.jsonl").exists()]
    as_csv, text = table([fidelity for fidelity in reports if fidelity.seconds])
    (out / "recipes.csv").write_text(as_csv, encoding="utf-8")
    (out / "recipes.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
