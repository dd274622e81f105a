"""What the holder of a run costs: trials a second with evaluations that take no time, and how long workers wait.

    python -m benchmarks.overhead --out benchmarks/results/overhead.txt

1. Trials a second on SQLite at 100 and at 2,000 trials: the product's own loop (ask, solve, send out, write, learn)
   in this process; the rival is Optuna as its documentation shows it, ask and tell with TPE and ten parameters on
   SQLite, two objectives, no network solved. Each figure is the median of the trials around the point.
2. The same with stages taken apart: asking, writing.
3. Workers, processes of this machine, whose evaluations sleep for a second: the part of their time that they wait.

Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import optuna

from benchmarks.machine import machine_line
from evaluate.training.presets import RECIPES
from evaluate.training.score import Epoch, ProxyScore
from search.loop import Loop
from search.propose.proposer import Proposer
from search.records import Evaluation, Job
from search.run.log import RunLog
from search.run.settings import SAMPLERS, Settings
from search.run.study import Search
from search.rungs import rungs_of
from search.workers.executor import Executor, InProcess
from search.workers.process_executor import OnProcesses
from space import Budget, cost
from space.solving.axes import MODES, searched


@dataclass
class Instant:
    """An evaluation that takes `seconds`: a score that follows from the configuration."""

    seconds: float = 0.0
    epochs: int = 8

    def __call__(self, job: Job) -> Evaluation:
        """A score between 10 and 90 %, higher for more parameters an activation."""
        time.sleep(self.seconds)
        counted = cost(job.config)
        top1 = 10 + 80 * (1 - 1 / (1 + counted.params / counted.activations))
        curve = tuple(Epoch(epoch=n, train_loss=2.0, top1=top1 * n / self.epochs) for n in range(1, self.epochs + 1))
        return Evaluation(ProxyScore(top1, 1.0, self.seconds, 0.0, curve, "complete"))


def settings(sampler: str, mode: str, **more: object) -> Settings:
    """A run at 4.1 GFLOPs without landmarks."""
    budget = Budget.parse("4.1G").macs
    recipe = RECIPES["fast"].to_json()
    return Settings("overhead", budget, mode, searched(), "none", recipe, 224, 1000, sampler, 0, (), **more)  # type: ignore[arg-type]


def run(directory: Path, chosen: Settings, executor: Executor, total: int) -> Iterator[float]:
    """The times at which networks were done."""
    rungs = rungs_of(RECIPES["fast"]) if chosen.early_stopping else ()
    with Search(directory, chosen) as search:
        proposer = Proposer(
            chosen.families, chosen.target, sampler=chosen.sampler, seed=0, refine=chosen.refine,
            known=search.outcomes(),
        )  # fmt: skip
        for _ in Loop(search, proposer, executor, RunLog(directory / "log.jsonl"), rungs).run(total):
            yield time.perf_counter()


def rates(times: list[float], points: tuple[int, ...], window: int = 50) -> dict[int, float]:
    """Trials a second around each point: the median over a window."""
    steps = [after - before for before, after in itertools.pairwise(times)]
    return {point: 1 / statistics.median(steps[point - window : point]) for point in points if len(steps) >= point}


def rival(directory: Path, total: int) -> list[float]:
    """Plain Optuna: ask, ten parameters, tell, on SQLite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(
            storage=f"sqlite:///{directory / 'rival.db'}",
            sampler=optuna.samplers.TPESampler(multivariate=True, seed=0),
            directions=["maximize", "minimize"],
        )
    times = []
    for _ in range(total):
        trial = study.ask()
        values = [trial.suggest_float(f"x{number}", 0.0, 1.0) for number in range(10)]
        study.tell(trial, [sum(values), values[0]])
        times.append(time.perf_counter())
    return times


def main() -> int:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--trials", type=int, default=2_001)
    parser.add_argument("--rival", type=int, default=2_001, metavar="N", help="trials of plain Optuna")
    parser.add_argument("--samplers", nargs="+", default=[name for name in SAMPLERS if name != "gp"])
    parser.add_argument("--modes", nargs="+", default=list(MODES))
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="of an evaluation of the workers")
    parser.add_argument("--evaluations", type=int, default=160, help="of the workers; 0: no workers")
    args = parser.parse_args()
    points = (100, 1_000, 2_000)
    lines = [machine_line("cpu") + f", optuna {optuna.__version__}; seed 0, SQLite in a temporary directory"]
    lines.append(f"{'trials a second at':34}" + "".join(f"{point:>9,}" for point in points))

    def row(name: str, found: dict[int, float]) -> None:
        lines.append(
            f"{name:34}" + "".join(f"{found[point]:9.1f}" if point in found else f"{'-':>9}" for point in points)
        )
        print(lines[-1], flush=True)

    print("\n".join(lines), flush=True)
    if args.evaluations:
        lines.append(idle(args.workers, args.seconds, args.evaluations))
        print(lines[-1], flush=True)
    with tempfile.TemporaryDirectory() as directory:
        times = [time.perf_counter(), *rival(Path(directory), args.rival)]
    row("plain Optuna, TPE, 10 parameters", rates(times, points))
    arms = [(f"{sampler}, {mode}", settings(sampler, mode)) for sampler in args.samplers for mode in args.modes]
    arms.append(("tpe, frontier, refine, stopping", settings("tpe", "frontier", refine=0.5, early_stopping=True)))
    for name, chosen in arms:
        with tempfile.TemporaryDirectory() as directory:
            times = [time.perf_counter(), *run(Path(directory) / "run", chosen, InProcess(Instant()), args.trials)]
        row(name, rates(times, points))
        if args.out:
            args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def idle(workers: int, seconds: float, evaluations: int) -> str:
    """How long workers wait, from the first network that is done to the last."""
    chosen = settings("tpe", "frontier")
    executor = OnProcesses(Instant(seconds), workers=workers)
    try:
        with tempfile.TemporaryDirectory() as directory:
            times = list(run(Path(directory) / "run", chosen, executor, evaluations + workers))
    finally:
        executor.close()
    # From the end of the first round to the end of the last full one: neither start nor end is measured.
    begin, end = times[workers - 1], times[-workers - 1]
    done = len(times) - 2 * workers
    waited = 1 - done * seconds / (workers * (end - begin))
    return f"{workers} workers, evaluations of {seconds:g} s: {done} done, idle {100 * waited:.1f} % of the time"


if __name__ == "__main__":
    sys.exit(main())
