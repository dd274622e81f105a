"""How to propose where scoring takes no time: the frontier of expected errors by the way networks were proposed.

    python -m benchmarks.untrained --budget 4.1G --networks 1000 10000 --seeds 3 --out benchmarks/results/untrained

Every way proposes as many networks as the others by the product's own `Proposer`, in batches as `search.untrained`
does, and has them scored by their counts. The frontier is that of the cautious expected error; its hypervolume is the
best top-1 at or below a cost, on average over the logarithmic axis of costs. Optuna's NSGA-II is asked for as many as
it gives in `--patience` seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, machine_line
from results.run.pareto import frontier, hypervolume
from search.propose.proposer import Proposer
from search.run.expected import Expectations
from search.untrained import BATCH
from space import Budget, cost
from space.shell.files import json_bytes, write_files
from space.shell.tables import align
from space.solving.axes import LEAST_SPENT, Target, searched

WAYS = {
    "random": ("random", 0.0),
    "qmc": ("qmc", 0.0),
    "random, 1 of 4 a neighbour": ("random", 0.25),
    "random, 1 of 2 a neighbour": ("random", 0.5),
    "random, 3 of 4 a neighbour": ("random", 0.75),
    "random, 9 of 10 a neighbour": ("random", 0.9),
    "nsga2": ("nsga2", 0.0),
}


def search(target: Target, way: str, networks: list[int], seed: int, patience: float) -> list[dict[str, Any]]:
    """A line for each number of networks that was reached."""
    sampler, refine = WAYS[way]
    expectations = Expectations(target.input_size, target.classes)
    proposer = Proposer(searched(), target, sampler=sampler, refine=refine, seed=seed)
    axis = (LEAST_SPENT * target.budget.macs, float(target.budget.macs))
    top1: list[float] = []
    macs: list[float] = []
    lines = []
    began = time.process_time()
    for count in networks:
        while len(top1) < count:
            batch = min(BATCH, count - len(top1), max(BATCH // 10, len(top1)))
            asks = [proposer.ask() for _ in range(batch)]
            expected = expectations.of([ask.proposal.config for ask in asks])
            for ask, each in zip(asks, expected, strict=True):
                top1.append(100 - each.cautious)
                macs.append(float(cost(ask.proposal.config, target.input_size, target.classes).macs))
                proposer.tell(ask.key, "complete", (top1[-1], macs[-1]))
            if time.process_time() - began > patience:
                return lines
        lines.append({
            "way": way, "seed": seed, "networks": count, "seconds": time.process_time() - began,
            "hypervolume": hypervolume(top1, macs, axis), "best": max(top1), "members": int(frontier(top1, macs).sum()),
        })  # fmt: skip
    return lines


def text(result: dict[str, Any]) -> str:
    """The table: means over the seeds."""
    rows = []
    for count in result["networks"]:
        for way in result["ways"]:
            own = [line for line in result["lines"] if (line["way"], line["networks"]) == (way, count)]
            if own:
                volumes = [line["hypervolume"] for line in own]
                spread = f" ± {statistics.stdev(volumes):.2f}" if len(own) > 1 else ""
                mean = {name: statistics.fmean(line[name] for line in own) for name in ("best", "members", "seconds")}
                rows.append([
                    f"{count:,}", way, f"{statistics.fmean(volumes):.2f}{spread}", f"{100 - mean['best']:.2f}",
                    f"{mean['members']:.0f}", f"{count / mean['seconds']:.0f}",
                ])  # fmt: skip
            else:
                rows.append([f"{count:,}", way, "-", "-", "-", f"not within {result['patience']:g} s"])
    heads = ("networks", "way", "hypervolume", "least cautious error (%)", "on the frontier", "networks a second")
    about = f"{result['budget']}, {result['seeds']} seeds; hypervolume in points of cautious expected top-1"
    return "\n".join([machine_line("cpu"), about, "", align(heads, rows, (0, 2, 3, 4, 5))])


def main() -> None:
    """Search, print, write."""
    parser = argparse.ArgumentParser(description="How to propose where scoring takes no time.")
    parser.add_argument("--budget", default="4.1G")
    parser.add_argument("--networks", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--patience", type=float, default=120.0, help="processor seconds a search (%(default)s)")
    parser.add_argument("--out", type=Path, help="a file without its ending: FILE.json and FILE.txt are written")
    options = parser.parse_args()
    target = Target(Budget.parse(options.budget))
    counts = sorted(options.networks)
    lines = []
    for way in options.ways:
        for seed in range(options.seeds):
            lines += search(target, way, counts, seed, options.patience)
            print(lines[-1] if lines else way, flush=True)
    result = {
        "budget": options.budget, "ways": options.ways, "networks": counts, "seeds": options.seeds,
        "patience": options.patience,
        "machine": machine("cpu"), "lines": lines,
    }  # fmt: skip
    print(text(result))
    if options.out:
        files = {".json": json_bytes(result), ".txt": (text(result) + "\n").encode()}
        write_files({options.out.with_suffix(suffix): content for suffix, content in files.items()})


if __name__ == "__main__":
    main()
