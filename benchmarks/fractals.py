"""Which images made by a program, and which training on them, order published networks as their published errors do?

    python -m benchmarks.fractals --out DIR                        # designs and recipes, on a few ImageNet landmarks
    python -m benchmarks.fractals --out DIR --set imagenet --only fractals     # the chosen one on all 25
    python -m benchmarks.fractals --out DIR --set regnet --only fractals       # ... on networks that did not choose it
    python -m benchmarks.fractals --out DIR --set cifar --only fractals

What is in DIR is not trained again; every call writes all that is there into DIR/fractals.txt, and prints it. Seconds
are wall clock. The candidate `fractals` is the preset; every other one differs from it in what its name says.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from evaluate.fidelity.ranking_sets import SETS, RankedLandmark, ranking_set
from evaluate.fidelity.rankings import Agreement, agreement
from evaluate.fidelity.run import run_fidelity
from evaluate.fidelity.scores import read_scores, seed_score
from evaluate.images.embedded import Fractals
from evaluate.images.fractals import Design
from evaluate.images.load import load_fractals
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from space import LANDMARKS

# Cheap to train, of every family, and of two costs: pairs within a budget, and pairs that are not.
FEW = ("resnet18", "resnet34", "resnet50", "resnext50_32x4d", "wrn18_1.5", "densenet121")
MOST_MACS = 17_000_000_000  # of a RegNet: the 32 GF models' proxies take minutes


@dataclass(frozen=True)
class Candidate:
    """Images, and how proxies are trained on them."""

    fractals: Fractals
    recipe: Recipe


CHOSEN = Candidate(Fractals(Design(), RECIPES["fractals"].train_images or 0), RECIPES["fractals"])


def _other(images: int | None = None, design: dict[str, object] | None = None, **recipe: object) -> Candidate:
    """The chosen one, but for this."""
    count = CHOSEN.fractals.images if images is None else images
    return Candidate(
        Fractals(dataclasses.replace(CHOSEN.fractals.design, **(design or {})), count),  # type: ignore[arg-type]
        dataclasses.replace(CHOSEN.recipe, train_images=count, **recipe),  # type: ignore[arg-type]
    )


CANDIDATES: dict[str, Candidate] = {
    "fractals": CHOSEN,
    # the images
    "plainer": _other(design={"texture": 30, "turn": 45, "shift": 10}),
    "harder": _other(design={"texture": 100, "turn": 90, "shift": 20}),
    "harder, twice the rate": _other(design={"texture": 100, "turn": 90, "shift": 20}, learning_rate=0.05),
    "darker or lighter, twice the rate": _other(design={"lighter": 50}, learning_rate=0.05),
    "20 classes, twice the rate": _other(design={"classes": 20}, learning_rate=0.05),
    # the training
    "no augmentation": _other(flip=False, crop=False),
    "half the rate": _other(learning_rate=0.0125),
    "twice the rate": _other(learning_rate=0.05),
    "batches of 64, twice the rate": _other(batch_size=64, learning_rate=0.05),
    "2,000 images four times": _other(images=2_000, epochs=4),
    "16 pixels": _other(resolution=16),
    "8 pixels": _other(resolution=8),
    "twice the multiply-adds": _other(proxy_macs=2_600_000),
    "half the multiply-adds": _other(proxy_macs=650_000),
}


def networks_of(name: str) -> tuple[RankedLandmark, ...]:
    """The networks of a set: ``few`` ImageNet landmarks, those of `SETS`, or RegNets of up to 17 G (trained alike).

    The RegNets' errors are of one code and one schedule (arXiv:2003.13678), as the landmarks have them.
    """
    if name in SETS:
        return ranking_set(name)
    if name == "few":
        return tuple(each for each in ranking_set("imagenet") if each.name in FEW)
    found = []
    for each in LANDMARKS.values():
        error = each.published.top1_error
        if not each.name.startswith("regnet") or not each.config or not each.params or error is None:
            continue
        if each.macs and each.macs <= MOST_MACS:
            figures = (each.config, each.macs, each.params, error, each.published.source)
            found.append(RankedLandmark(each.name, each.label, each.family, "imagenet", *figures))
    return tuple(found)


@dataclass(frozen=True)
class Scored:
    """A network that was trained."""

    name: str
    family: str
    macs: int
    error: float  # published, percent
    top1: float  # percent, mean over seeds
    seconds: tuple[float, ...]


def scored(out: Path, ranked: str, candidate: str) -> tuple[dict[str, str], list[Scored]]:
    """The machine and what it trained for a candidate on a set; the few are among all ImageNet landmarks, if there."""
    header, records = read_scores(out / ranked / candidate / "scores.jsonl")
    if header is None:
        if ranked == "few":
            where, found = scored(out, "imagenet", candidate)
            return where, [each for each in found if each.name in FEW]
        return {}, []
    networks = []
    for each in header["setting"]["networks"]:
        scores = [seed_score(record) for (name, _), record in records.items() if name == each["name"]]
        reached = [score.top1 for score in scores if score.top1 is not None]
        if reached:
            seconds = tuple(score.seconds for score in scores)
            top1 = statistics.fmean(reached)
            networks.append(Scored(each["name"], each["family"], each["macs"], each["published_error"], top1, seconds))
    return header["environment"], networks


def rows(name: str, networks: list[Scored]) -> list[list[str]]:
    """What is said of a candidate on a set, and without each family of it; a cell a column of `COLUMNS`."""
    found = [_row(name, networks)]
    families = dict.fromkeys(network.family for network in networks)
    if len(families) > 1 and len(networks) > len(FEW):
        found += [
            _row(f"... without {family}", [each for each in networks if each.family != family]) for family in families
        ]
    return found


def _row(name: str, networks: list[Scored]) -> list[str]:
    errors, macs = [network.error for network in networks], [network.macs for network in networks]
    top1 = [network.top1 for network in networks]
    times = [seconds for network in networks for seconds in network.seconds]
    ranked = [agreement(values, errors, macs) for values in (top1, [float(each) for each in macs])]
    cells = [name, str(len(networks)), f"{len(times) / len(networks):g}", f"{statistics.median(times):.1f}"]
    return [*cells, f"{min(top1):.0f} to {max(top1):.0f}", *_figures(ranked[0]), *_figures(ranked[1])]


COLUMNS = ["candidate", "networks", "seeds", "median s", "top-1 %", "tau", "in budget", "pairs",
           "MACs: tau", "in budget", "pairs"]  # fmt: skip


def _figures(one: Agreement) -> list[str]:
    return ["-" if value is None else f"{value:.2f}" for value in (one.tau, one.concordance)] + [str(one.pairs)]


def write(out: Path) -> str:
    """All that was measured, as text, into ``fractals.txt``."""
    lines: list[str] = []
    for name in ("few", *SETS, "regnet"):
        found = {each: scored(out, name, each) for each in CANDIDATES}
        table = [cells for each, (_, networks) in found.items() if networks for cells in rows(each, networks)]
        if not table:
            continue
        table = [COLUMNS, *table]
        where = next(environment for environment, networks in found.values() if networks)
        lines += [f"set {name}: {where['processor']}, torch {where['torch']}, Python {where['python']}", ""]
        wide = [max(len(cells[at]) for cells in table) for at in range(len(COLUMNS))]
        for cells in table:
            aligned = (cell.rjust(width) for cell, width in zip(cells[1:], wide[1:], strict=True))
            lines.append("  ".join([cells[0].ljust(wide[0]), *aligned]))
        lines.append("")
    text = "\n".join(lines)
    (out / "fractals.txt").write_text(text, encoding="utf-8")
    return text


def main(arguments: list[str] | None = None) -> int:
    """Train what is not there yet, candidate by candidate; write and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fractals", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--set", default="few", choices=("few", *SETS, "regnet"), help="of networks (%(default)s)")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=tuple(CANDIDATES), help="some of the candidates")
    parser.add_argument("--networks", nargs="+", metavar="NAME", help="some of the set's networks")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--list", action="store_true", help="print the candidates' names and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(CANDIDATES))
        return 0
    networks = [each for each in networks_of(options.set) if options.networks is None or each.name in options.networks]
    for name in options.only or CANDIDATES:
        candidate = CANDIDATES[name]
        data = load_fractals(candidate.fractals, candidate.recipe.resolution)
        print(f"{name}, set {options.set}", flush=True)
        place = options.out / options.set / name
        for event in run_fidelity(networks, candidate.recipe, data, range(options.seeds), "cpu", place, False):
            if not event.before:
                print("  " + event.line(), flush=True)
        write(options.out)
    print(write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
