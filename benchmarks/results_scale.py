"""What looking at a run costs: reading it, its tables, pictures and page, for 10, 1,000 and 10,000 networks.

    python -m benchmarks.results_scale --out benchmarks/results/results-scale.txt

The runs are synthetic: networks drawn from the space at 4.1 GFLOPs and solved, with a score that follows from their
cost and random numbers, written by the product's own `Search` into SQLite one transaction a network. One in twenty
failed, one in ten was stopped early; the landmarks that fit are there; the five best were trained three times.
Everything that is timed runs in this process, once, on the largest run last. The rival that reading is held against is
Optuna's own way
from a storage to a table, `load_study(...).trials_dataframe()`.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import optuna

from benchmarks.machine import machine_line
from evaluate.training.presets import RECIPES
from evaluate.training.score import Epoch, ProxyScore
from results import load_run, write_outputs
from results.plots import DEFAULT_VIEW, FORMATS, PLOTS, drawable, figure
from results.plots.style import LIGHT, image
from search.cli.arguments import landmarks_for
from search.records import Evaluation
from search.run.settings import Settings
from search.run.study import Search
from space import Config, Cost, cost, landmark
from space.budget import Budget
from space.shell.files import write_files
from space.solving.axes import Target, draw, searched

BUDGET = "4.1G"
REPEATED, REPEATS = 5, 2


def score(config: Config, counted: Cost, rng: random.Random, state: str = "complete") -> Evaluation:
    """A score in percent that rises with cost, differs by family and has a seed variance of one point."""
    better = {"resnext": 1.0, "wide_resnet": 0.3, "densenet": 0.6}.get(config.family, 0.0)
    top1 = 60 + 12 * math.log10(counted.macs / 1e8) / 1.6 + better + rng.gauss(0, 1)
    if state == "failed":
        return Evaluation(ProxyScore(0.0, None, 1.0, 900.0, (), state, "the loss is not finite"))
    epochs = 8 if state == "complete" else 4
    curve = tuple(Epoch(epoch=n, train_loss=2 - 0.1 * n, top1=top1 * n / (n + 1)) for n in range(1, epochs + 1))
    seconds = 5 + 20 * counted.macs / 4.1e9
    return Evaluation(ProxyScore(curve[-1]["top1"], 1.0, seconds, 900.0, curve, state), reason=None)


def make_run(directory: Path, networks: int, seed: int = 0) -> None:
    """Write a run of that many sampled networks."""
    rng = random.Random(seed)
    target = Target(Budget.parse(BUDGET))
    settings = Settings(
        directory.name, target.budget.macs, "frontier", searched(), "synthetic", RECIPES["cpu"].to_json(), 224, 1000,
        "random", seed, landmarks_for(["auto"], target),
    )  # fmt: skip
    with Search(directory, settings) as run:
        run.record({"device": "none"}, "synthetic", "synthetic", {"sentence": "scores are random", "known": False}, 1)

        def add(kind: str, config: Config, state: str = "complete", **more: Any) -> tuple[int, float]:
            network = run.network(kind, kind, config, None, **more)
            found = score(config, cost(config), rng, state)
            return run.add(network, found, None, datetime.now()).number, found.score.top1 if found.score else 0.0

        for name in settings.landmarks:
            if run.measured(landmark(name).id) is None:
                add("landmark", landmark(name), landmark=name)
        best: list[tuple[float, int, Config]] = []
        for number in range(networks):
            proposal = draw(target, rng)[1]
            state = "failed" if number % 20 == 7 else "stopped" if number % 10 == 3 else "complete"
            trial, top1 = add("sample", proposal.config, state, target_macs=proposal.target_macs, origin="random")
            best = sorted([*best, (top1, trial, proposal.config)], key=lambda each: -each[0])[:REPEATED]
        for _, trial, config in best:
            for seed in range(1, REPEATS + 1):
                add("repeat", config, repeat_of=trial, seed=seed)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def rival(directory: Path) -> Any:
    """Optuna's own table of the same storage."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory / 'study.db'}")
    try:
        return optuna.load_study(study_name=directory.name, storage=storage).trials_dataframe()
    finally:
        storage.remove_session()
        storage.engine.dispose()


def measure(directory: Path, networks: int) -> dict[str, str]:
    """Every figure of one run, as text."""
    made, _ = timed(lambda: make_run(directory, networks))
    study = (directory / "study.db").stat().st_size
    others, _ = timed(lambda: rival(directory))
    reading, run = timed(lambda: load_run(directory))
    rows = {
        "written by the search's storage": f"{made:.1f} s, study.db {study / 1e6:.1f} MB",
        "read (load_run)": f"{reading:.2f} s, {others / reading:.1f} times as fast as Optuna's table ({others:.2f} s)",
    }
    for name in drawable(run, tuple(PLOTS)):
        drawing, drawn = timed(partial(figure, name, run, DEFAULT_VIEW, LIGHT))
        files = {kind: timed(partial(image, drawn, kind)) for kind in FORMATS}
        sizes = ", ".join(
            f"{kind} {seconds:.1f} s {len(content) / 1e3:.0f} kB" for kind, (seconds, content) in files.items()
        )
        rows[f"picture {name}"] = f"{drawing:.1f} s; {sizes}"
    writing, paths = timed(lambda: write_outputs(run))
    rows["everything written"] = f"{writing:.1f} s, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB"
    page = directory / "report.html"
    rows["the page"] = f"{page.stat().st_size / 1e6:.2f} MB"
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results_scale", description=__doc__)
    parser.add_argument("--networks", type=int, nargs="+", default=[10, 1000, 10_000])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"  # so that no later figure pays for imports
        measure(first, 3)
        lines = [machine_line("cpu"), "Budget 4.1 GFLOPs, seed 0; each figure measured once."]
        for networks in options.networks:
            lines.append(f"\n{networks:,} sampled networks")
            for name, text in measure(Path(folder) / f"run{networks}", networks).items():
                lines.append(f"  {name:32} {text}")
                print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        write_files({options.out: text.encode()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
