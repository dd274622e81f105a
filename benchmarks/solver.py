"""How near the solver comes to a budget, how fast, and what the usual way costs.

    python -m benchmarks.solver [--proposals 10000] [--rival 5] [--out FILE.json]

For each budget, proposals are drawn uniformly from the axes (both modes) and solved. The rival is what a script
without a solver does: draw widths too, build the module, count it with ptflops, and try again until the network
lands within 3 % below the budget. Both run here, in one process, on one thread.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch

from evaluate.measures.counting import count_with_ptflops
from space import Budget, Config, cost, family_of, gflops
from space.landmarks.networks import landmark
from space.networks.residual import ResidualConfig
from space.networks.residual_sizes import solve_base_width
from space.solving.axes import Axis, Target, axes, propose, searched
from space.solving.solve import measure_at

BUDGETS = ("0.2G", "0.6G", "1G", "4.1G", "7.8G", "15G")
NEAR = 0.03


def solved(target: Target, proposals: int, seed: int) -> dict[str, object]:
    """Draw and solve; the figures of one line of the table."""
    rng = random.Random(seed)
    times, gaps, over = [], [], 0
    reached: dict[str, set[object]] = defaultdict(set)
    for _ in range(proposals):
        family = rng.choice(searched())
        values = {axis.name: axis.draw(rng) for axis in axes(family, target)}
        start = time.perf_counter()
        proposal = propose(family, values, target)
        times.append(time.perf_counter() - start)
        macs = cost(proposal.config, target.input_size, target.classes).macs
        over += macs > target.budget.macs or macs > proposal.target_macs
        gaps.append(1 - macs / proposal.target_macs)
        for name, value in realised(family, proposal.config).items():
            reached[f"{family}.{name}"].add(value)
    missed = [
        f"{family}.{axis.name}={value}"
        for family in searched()
        for axis in axes(family, target)
        for value in bins(axis)
        if axis.name != "spend" and not any(within(axis, value, got) for got in reached[f"{family}.{axis.name}"])
    ]
    return {
        "mode": target.mode,
        "budget": str(target.budget),
        "proposals": proposals,
        "over": over,
        "within_3_percent": sum(gap <= NEAR for gap in gaps) / proposals,
        "median_gap": statistics.median(gaps),
        "worst_gap": max(gaps),
        "median_ms": statistics.median(times) * 1e3,
        "p99_ms": sorted(times)[int(0.99 * proposals)] * 1e3,
        "axis_values_missed": missed,
    }


def realised(family: str, config: Config) -> dict[str, object]:
    """The value of each axis in a solved network, read off the network itself: of several readings the last."""
    readings = family_of(config).readings
    assert readings is not None
    return {"family": config.family} | dict(readings(config)[-1])


def bins(axis: Axis) -> list[object]:
    """Every choice and whole number of an axis; tenths of a continuous range."""
    if axis.choices:
        return list(axis.choices)
    if isinstance(axis.low, int):
        return list(range(axis.low, int(axis.high) + 1))
    return [axis.low + (axis.high - axis.low) * tenth / 10 for tenth in range(10)]


def within(axis: Axis, value: object, got: object) -> bool:
    """Whether a realised value falls on a choice or whole number, or into a tenth."""
    if axis.choices or isinstance(axis.low, int):
        return got == value
    assert isinstance(value, float) and isinstance(got, float | int)
    return value - 1e-9 <= got <= value + (axis.high - axis.low) / 10 + 1e-9


def rejected(target: Target, landings: int, seed: int) -> dict[str, object]:
    """The rival: draw widths too, build, count with ptflops, until it lands within 3 % below the budget."""
    rng = random.Random(seed)
    tries, seconds = [], []
    for _ in range(landings):
        start, count = time.perf_counter(), 0
        while True:
            count += 1
            config = free_draw(target, rng)
            macs, _ = count_with_ptflops(config, target.input_size, target.classes)
            if (1 - NEAR) * target.budget.macs <= macs <= target.budget.macs:
                break
        tries.append(count)
        seconds.append(time.perf_counter() - start)
    return {"landings": landings, "median_tries": statistics.median(tries), "median_s": statistics.median(seconds)}


def free_draw(target: Target, rng: random.Random) -> Config:
    """The same axes, and the main width drawn as well (log-uniform over what the solver itself uses at the budget)."""
    family = rng.choice(searched())
    values = {axis.name: axis.draw(rng) for axis in axes(family, target)}
    config = propose(family, values, replace(target, mode="match")).config
    return config.scaled(2 ** rng.uniform(-1, 1))


def table3() -> list[tuple[str, int, int, int, float]]:
    """Table 3 of ResNeXt: (network, cardinality, base width found, the paper's, GFLOPs)."""
    paper = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}
    rows = []
    for name in ("resnet50", "resnet101"):
        config = landmark(name)
        assert isinstance(config, ResidualConfig)
        for cardinality, width in paper.items():
            found = solve_base_width(config, cardinality, cost(config).macs, measure_at(224, 1000))
            rows.append((name, cardinality, found.inner_widths[0] // cardinality, width, cost(found).macs / 1e9))
    return rows


def main() -> int:
    """Print the tables; with --out also write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=10_000)
    parser.add_argument("--rival", type=int, default=5, help="networks the rival has to land at 4.1 GFLOPs (0: skip)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"python {platform.python_version()}, torch {torch.__version__}, seed {args.seed}, one thread")
    print("mode          budget      n  over   <=3 %   median   worst     ms    p99  axis values missed")
    rows = []
    for mode in ("frontier", "match"):
        for text in BUDGETS:
            row = solved(Target(Budget.parse(text), mode), args.proposals, args.seed)
            rows.append(row)
            print(
                f"{mode:9} {text:>10} {row['proposals']:6} {row['over']:5} {row['within_3_percent']:7.2%} "
                f"{row['median_gap']:8.3%} {row['worst_gap']:7.2%} {row['median_ms']:6.3f} {row['p99_ms']:6.2f}  "
                f"{', '.join(row['axis_values_missed']) or '-'}",  # type: ignore[arg-type]
                flush=True,
            )
    result: dict[str, object] = {"solver": rows, "table3": table3()}
    print("\nResNeXt, Table 3: cardinality, base width found (paper's), GFLOPs")
    for name, cardinality, found, paper, macs in table3():
        print(f"  {name:10} {cardinality:2} x {found:2}d  ({paper}d)  {macs:.3f}")
    if args.rival:
        target = Target(Budget.parse("4.1G"), "match")
        rival = rejected(target, args.rival, args.seed)
        ours = next(row for row in rows if row["mode"] == "match" and row["budget"] == str(target.budget))
        ratio = float(rival["median_s"]) / (float(ours["median_ms"]) / 1e3)  # type: ignore[arg-type]
        result["rival"] = rival | {"ratio": ratio}
        print(
            f"\nrival at {gflops(target.budget.macs)}: {rival['median_tries']:.0f} networks built and counted, "
            f"{rival['median_s']:.1f} s until one lands within 3 % below (median of {args.rival}); "
            f"solver {ours['median_ms']:.3f} ms: ratio {ratio:,.0f}"
        )
    if args.out:
        args.out.write_text(json.dumps(result, indent=1))
    return int(any(row["over"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
