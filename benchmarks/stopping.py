"""Does early stopping find a better frontier at the same training cost? Which rule? Replays networks already trained.

    python -m benchmarks.stopping benchmarks/results/survey-cpu.csv --out benchmarks/results/stopping.txt

The table comes from `benchmarks.survey`. One replay takes the networks in a random order, as if each were proposed
after the one before: it is trained until a rule stops it, and a network stopped at epoch e of E has cost e/E of its
processor time. The figures compare with the same order without stopping. The networks are split in two halves: the rule
and its parameters are chosen on one, the other says what the choice is worth.

frontier mode  quality is the hypervolume of (top-1 after the last epoch, log MACs) of the finished networks, divided
               by that of all networks of the half
match mode     quality is the best top-1 of the finished networks, in percent
needs          the share of the cost by which half of the orders have the quality that no stopping has at 50 %
saved          of the cost of all trainings, had all networks been proposed
lost           of the true members (the frontier, in match mode the best network), stopped
"""

from __future__ import annotations

import argparse
import bisect
import csv
import json
import math
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import moocore  # type: ignore[import-untyped]
import numpy as np

from benchmarks.stopping_rules import Candidate, Judge, Known, Network, candidates, goes_on
from evaluate.training.recipe import Recipe
from evaluate.training.score import Epoch
from search.rungs import RULE, rung_table, rungs_of
from space.shell.files import write_files

PARTS = (0.15, 0.3, 0.5)  # of the cost of training all networks of a half to the end: where quality is compared
SEARCH_LIKE = 1.0  # standard deviations by which a good network tends to come later, as a search that learns does
AT_ONCE = 8  # networks in training when workers are several: their curves are not known at dispatch


Ended = list[tuple[float, Network | None]]


def replay(order: Sequence[Network], judge: Judge, rungs: tuple[int, ...], at_once: int = 1) -> Ended:
    """Train one after the other: the cost until each has ended, and the network, None if it was stopped."""
    known = Known(rung_table(rungs, ()))
    waiting: list[tuple[Network, int]] = []  # ended, but not when the next one was dispatched
    spent, ended = 0.0, []
    for network in order:
        while len(waiting) >= at_once:
            before, last = waiting.pop(0)
            known.table = known.table.add(before.macs, before.curve[:last])
            if last == len(before.curve):
                known.finished.append(before)
        last = len(network.curve)
        for place, point in enumerate(network.curve[:-1], 1):
            if point["epoch"] in rungs and not judge(known, point["epoch"], network.macs, point["top1"]):
                last = place
                break
        waiting.append((network, last))
        spent += network.seconds * network.curve[last - 1]["epoch"] / network.curve[-1]["epoch"]
        ended.append((spent, network if last == len(network.curve) else None))
    return ended


class Quality:
    """How good a set of finished networks is, by mode."""

    def __init__(self, networks: Sequence[Network], match: bool) -> None:
        self.match = match
        self.worst = min(each.top1 for each in networks)
        self.corner = (self.worst - 0.5, math.log(max(each.macs for each in networks)) + 0.01)
        self.unit = 1.0
        self.unit = 1.0 if match else self(networks)

    def __call__(self, finished: Sequence[Network]) -> float:
        """Percent in match mode, else a share."""
        if not finished:
            return self.worst if self.match else 0.0
        if self.match:
            return max(each.top1 for each in finished)
        points = [(each.top1, math.log(each.macs)) for each in finished]
        return float(moocore.hypervolume(points, ref=self.corner, maximise=[True, False])) / self.unit

    def best(self, networks: Sequence[Network]) -> set[Network]:
        """The true members: the frontier, in match mode the best network."""
        if self.match:
            return {max(networks, key=lambda each: each.top1)}
        mask = moocore.is_nondominated([(each.top1, math.log(each.macs)) for each in networks], maximise=[True, False])
        return {each for each, on in zip(networks, mask, strict=True) if on}


@dataclass(frozen=True)
class Outcome:
    """A candidate over all orders."""

    quality: np.ndarray  # orders x PARTS
    needs: float  # share of the cost at which half of the orders have what no stopping has at the last of PARTS
    saved: float  # share of the cost of all trainings
    lost: float  # share of true members that were stopped


def measure(orders: Sequence[Sequence[Network]], candidate: Candidate, rungs: tuple[int, ...], quality: Quality,
            at_once: int = 1, base: Outcome | None = None) -> Outcome:  # fmt: skip
    """Replay all orders; without a base the candidate is the base."""
    members, rows, saved, lost, needs = quality.best(orders[0]), [], [], [], []
    total = sum(each.seconds for each in orders[0])
    for number, order in enumerate(orders):
        ended = replay(order, candidate.judge, candidate.rungs or rungs, at_once)
        spent = [cost for cost, _ in ended]

        def until(cost: float, ended: Ended = ended) -> float:
            return quality([each for spent, each in ended if each and spent <= cost])

        rows.append([until(part * total) for part in PARTS])
        goal = rows[-1][-1] if base is None else base.quality[number, -1]
        first = bisect.bisect_left(spent, goal, key=until)
        needs.append(spent[first] / total if first < len(spent) else math.inf)
        saved.append(1 - spent[-1] / total)
        lost.append(1 - len(members & {each for _, each in ended if each}) / len(members))
    return Outcome(np.array(rows), statistics.median(needs), statistics.mean(saved), statistics.mean(lost))


def shuffled(networks: Sequence[Network], number: int, seed: str, drift: float = 0.0) -> list[list[Network]]:
    """Random orders; with a drift, good networks tend to come later."""
    spread = statistics.pstdev(each.top1 for each in networks)
    orders = []
    for index in range(number):
        rng = random.Random(f"{seed}/{index}")
        keys = [drift * each.top1 / spread + rng.gauss(0, 1) for each in networks]
        orders.append([each for _, each in sorted(zip(keys, networks, strict=True), key=lambda pair: pair[0])])
    return orders


# ---------------------------------------------------------------------------------------------------- text


def line(name: str, outcome: Outcome, base: Outcome, match: bool) -> str:
    """Quality at each part of the cost, and what was gained over no stopping, with the 95 % interval of the mean."""
    digits = 2 if match else 3
    cells = []
    for column in range(len(PARTS)):
        gain = outcome.quality[:, column] - base.quality[:, column]
        half = 1.96 * gain.std(ddof=1) / math.sqrt(len(gain))
        cells.append(f"{outcome.quality[:, column].mean():7.{digits}f} {gain.mean():+7.{digits}f} +-{half:5.{digits}f}")
    ends = _percent(outcome.needs, 7) + _percent(outcome.saved, 8) + _percent(outcome.lost, 8)
    return f"{name:26}{'  '.join(cells)}  {ends}"


def _percent(share: float, width: int) -> str:
    return f"{'never' if math.isinf(share) else f'{abs(100 * share):.0f} %':>{width}}"


def section(
    title: str, networks: Sequence[Network], recipe: Recipe, match: bool, number: int, extra: bool
) -> list[str]:
    """One half in one mode; with `extra`, the rule also in other orders and with several networks at once."""
    quality, rungs = Quality(networks, match), rungs_of(recipe)
    heads = "  ".join(f"{f'at {100 * part:.0f} % of the cost':>23}" for part in PARTS)
    lines = [
        f"{title}: {len(networks)} networks, {len(quality.best(networks))} true members, {number} orders",
        f"{'':26}{heads}  {'needs':>7}{'saved':>8}{'lost':>8}",
    ]
    none = Candidate("no stopping", goes_on)
    settings: list[tuple[str, float, int]] = [("", 0.0, 1)]
    if extra:
        settings += [(", good ones late", SEARCH_LIKE, 1), (f", {AT_ONCE} at once", 0.0, AT_ONCE)]
    for suffix, drift, at_once in settings:
        orders = shuffled(networks, number, title, drift)
        base = measure(orders, none, rungs, quality, at_once)
        lines.append(line("no stopping" + suffix, base, base, match))
        scored = [point["epoch"] for point in networks[0].curve]
        for candidate in candidates(scored)[: 1 if suffix else None]:
            outcome = measure(orders, candidate, rungs, quality, at_once, base)
            lines.append(line(candidate.name if not suffix else "the rule", outcome, base, match))
    return [*lines, ""]


def read(path: Path) -> tuple[str, Recipe, dict[str, list[Network]]]:
    """The heading of the survey, its recipe, and the networks that were trained to the end, by mode."""
    with path.open(newline="", encoding="utf-8") as file:
        heading = file.readline().removeprefix("#").strip()
        rows = [row for row in csv.DictReader(file) if row["state"] == "complete"]
    about, _, recipe = heading.partition(", recipe ")
    found: dict[str, list[Network]] = {"frontier": [], "match": []}
    for row in sorted(rows, key=lambda row: int(row["index"])):
        curve = tuple(Epoch(epoch=e, train_loss=loss, top1=top1) for e, loss, top1 in json.loads(row["curve"]))
        found[row["mode"]].append(Network(int(row["index"]), int(row["macs"]), curve, float(row["cpu_seconds"])))
    return about, Recipe.from_json(json.loads(recipe)), found


def main(arguments: list[str] | None = None) -> int:
    """Replay, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stopping", description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV of benchmarks.survey")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also as text")
    options = parser.parse_args(arguments)
    about, recipe, by_mode = read(options.table)
    lines = [
        f"networks trained on {about}",
        f"recipe {recipe.name}: {recipe.epochs} epochs, rungs {rungs_of(recipe)}; rule {RULE}",
        f"n = {sum(map(len, by_mode.values()))} networks, {options.orders} random orders a half; intervals (95 %) are "
        "over orders, not over other tables",
        "",
    ]
    print("\n".join(lines), flush=True)
    for mode, networks in by_mode.items():
        for place, half in enumerate(("chosen on", "reported")):
            part = [each for each in networks if each.index // 3 % 2 == place]  # stays so while the survey grows
            text = section(f"{mode} mode, {half}", part, recipe, mode == "match", options.orders, half == "reported")
            print("\n".join(text), flush=True)
            lines += text
    if options.out:
        write_files({options.out: ("\n".join(lines).rstrip() + "\n").encode()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
