"""Networks an hour with one worker and with as many as pay, side by side, and whether their scores are the same.

    python -m benchmarks.at_once --out benchmarks/results/at-once-cpu.txt     # two CPU cores: about 5 minutes

Each start is ``python -m search`` as a user types it, by default the default job: same budget, data, recipe. Both train
the same networks (the random sampler, one seed, no landmarks), one worker and several in turn, a part of the networks
each time, so that a machine that others slow down for a while slows down both. Networks an hour are counted from the
first network that is sent out to the last that is back; with few networks the last one, for which others wait, weighs
more than in a whole run. Idle is the part of the workers' time without a network, by their own clocks, between the
first network that is back and the last that is taken. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from search.run.log import read_log


@dataclass
class Side:
    """What one number of workers has done so far."""

    workers: str
    slots: int = 1
    networks: int = 0
    seconds: float = 0.0
    idle: float = 0.0  # seconds of workers
    watched: float = 0.0  # seconds of workers
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def an_hour(self) -> float:
        """Networks an hour."""
        return 3600 * self.networks / self.seconds

    def line(self) -> str:
        """A row of the table."""
        idle = f"{100 * self.idle / self.watched:5.1f} %" if self.watched else "      -"
        return f"{self.slots:7} {self.networks:9} {self.seconds:9.0f} {self.an_hour:10.0f}   {idle}"


def search(directory: Path, side: Side, trials: int, options: Sequence[str]) -> None:
    """Start or continue a run, up to so many networks, and add what its log says."""
    name = f"workers-{side.workers}"
    words = [
        "--name", name, "--trials", str(trials), "--workers", side.workers, "--sampler", "random", "--landmarks",
        "none", "--plots", "none", "--quiet", *options,
    ]  # fmt: skip
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    subprocess.run(
        [sys.executable, "-m", "search", *words], cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    events = read_log(directory / "runs" / name / "log.jsonl")
    add(side, [event for event in events if event["session"] == events[-1]["session"]])


def add(side: Side, events: Sequence[dict[str, Any]]) -> None:
    """Add one start of a search, by the events of its log."""
    side.slots = next(event["workers"] for event in events if event["event"] == "begin")
    starts = [event["elapsed"] for event in events if event["event"] == "start"]
    ends = [event for event in events if event["event"] == "finish" and event["key"] is not None]
    back = [event["elapsed"] for event in ends]
    side.networks += len(ends)
    side.seconds += back[-1] - starts[0]
    side.scores |= {event["config_id"]: event["top1"] for event in ends}
    spans = [(event["elapsed"] - event["seconds"], event["elapsed"]) for event in ends]
    begin, end = back[0], max(since for since, _ in spans)
    if end > begin:
        busy = sum(max(0.0, min(until, end) - max(since, begin)) for since, until in spans)
        side.watched += side.slots * (end - begin)
        side.idle += max(0.0, side.slots * (end - begin) - busy)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Exit status 1 if a score depends on the number of workers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.at_once", description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="auto", help="compared with 1 (%(default)s)")
    parser.add_argument("--networks", type=int, default=24, metavar="N", help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="in so many parts (%(default)s)")
    parser.add_argument("--out", type=Path, help="where the table is written; it is printed too")
    parser.add_argument(
        "options", nargs="*", default=[], help="of python -m search, after --, such as -- --budget 600M --recipe cpu"
    )
    args = parser.parse_args(arguments)
    options = args.options or ["--budget", "4.1GFLOPs"]
    one, several = Side("1"), Side(args.workers)
    with tempfile.TemporaryDirectory() as directory:
        for part in range(1, args.rounds + 1):
            for side in (one, several):
                search(Path(directory), side, args.networks * part // args.rounds, options)
    same = sum(one.scores[config] == several.scores.get(config) for config in one.scores)
    lines = [
        f"{machine_line('cpu')}; python -m search {' '.join(options)}, random sampler, seed 0",
        "workers  networks   seconds    an hour      idle",
        one.line(),
        several.line(),
        f"{several.an_hour / one.an_hour:.2f} times the networks an hour; {same} of {len(one.scores)} scores the same",
    ]
    print("\n".join(lines))
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(same != len(one.scores))


if __name__ == "__main__":
    sys.exit(main())
