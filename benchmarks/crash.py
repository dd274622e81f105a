"""Kills a real search at random moments, again and again, and looks after each kill whether anything is lost.

    python -m benchmarks.crash --kills 100 --aimed 30 --out benchmarks/results/crash.txt
    python -m benchmarks.crash --kills 100 --aimed 0 --workers 2 --out benchmarks/results/crash-workers.txt

Each start is ``python -m search`` as a user types it: a real study in SQLite, networks that are really trained, log,
tables, pictures. Only the import of torch is spared: one process has imported everything and forks a child a start.
The moment of a kill is random: one in three is drawn from the time until the first network is sent out, the others
from the time that the next three networks take, or, where none is left, the writing of tables and pictures. ``--aimed``
kills come on top: at the drawn moment they wait until something is written to the study's journal or, where no network
is left, until a temporary file of a table or picture appears; in a new run they hit the writes that make its study.
Seven kills in ten are SIGKILL, the others in equal parts SIGTERM, Ctrl-C, and Ctrl-C twice within a second; aimed ones
are SIGKILL. After each one the same command is repeated. A run that has all its networks and was killed three times
since must then come to its end with just the networks that it was asked for.

With ``--workers`` each start has so many processes that train, forked from a server of its own. In half of the starts
one of them, or the server, is killed by SIGKILL first, which counts as a kill: the search must go on. No process of a
start may be left a minute after it.

`benchmarks.crash_checks` says what must hold after each kill. Exit status 1 if something did not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.crash_checks import broken_rules, leftovers, torn_lines
from benchmarks.crash_child import OUTSIDE, begin, ended, patiently
from benchmarks.crash_run import COMMAND, LANDMARKS, NETWORKS, PHASES, RECIPE, TRIALS, WRITING, Run, lines
from benchmarks.machine import machine_line
from benchmarks.processes import descendants, gone
from search.__main__ import main as search
from search.run.log import read_log

KILLS_WHEN_DONE = 3
LEFT_FOR = 60  # seconds that a process may take to see that it is alone: on a busy machine, while it imports torch
SIGNALS = (["SIGKILL"] * 21) + ["SIGTERM", "SIGINT", "SIGINT twice"] * 3


class Killer:
    """Draws moments and signals, kills, looks, counts."""

    def __init__(self, root: Path, seed: int, workers: int = 1) -> None:
        self.root, self.random, self.workers = root, random.Random(seed), workers
        self.runs = 0
        self.counts: Counter[tuple[str, str]] = Counter()  # (signal, phase)
        self.aimed: Counter[str] = Counter()  # by phase
        self.ended_before = 0
        self.torn = 0
        self.most_leftovers = 0
        self.trials = 0
        self.duplicates = 0
        self.broken: list[str] = []
        self.below: set[int] = set()  # processes that the start has started
        self.processes = 0
        self.longest = 0.0  # seconds that one of them was left for
        self.opening = self.network = self.writing = 0.0  # seconds; for drawing moments

    def new_run(self) -> Run:
        """The next run, in a directory of its own."""
        self.runs += 1
        name = f"run{self.runs}"
        command = [*COMMAND, "--name", name, "--seed", str(self.runs), "--workers", str(self.workers)]
        return Run(Path("runs") / name, command, self.root / f"{name}.out")

    def look(self, run: Run, what: str) -> None:
        """Check everything, and keep what does not hold."""
        sentences = list(broken_rules(run.directory, run.seen, TRIALS, len(LANDMARKS)))
        said = run.output.read_text()
        if "Traceback" in said or "Exception ignored" in said:
            sentences.append(f"a traceback was shown: {said[-2000:]}")
        self.broken += [f"{run.directory.name}, {what}: {sentence}" for sentence in sentences]
        self.most_leftovers = max(self.most_leftovers, len(leftovers(run.directory)))

    def calibrate(self) -> None:
        """One run without a kill: how long its parts take."""
        run = self.new_run()
        began = datetime.now(UTC)
        self.finish(run)
        done = datetime.now(UTC)
        first, *_, last = (datetime.fromisoformat(event["time"]) for event in read_log(run.directory / "log.jsonl"))
        self.opening = (first - began).total_seconds()
        self.network = (last - first).total_seconds() / NETWORKS
        self.writing = (done - last).total_seconds()

    def finish(self, run: Run) -> None:
        """Let a run come to its end, and check that it has all that it was asked for."""
        status = patiently(begin(run.command, run.output))
        self.look(run, "its last start")
        kinds = Counter(trial.kind for trial in run.seen.values())
        wrong = []
        if status != 0:
            wrong.append(f"exit status {status}: {run.output.read_text()[-2000:]}")
        if (kinds["sample"], kinds["landmark"]) != (TRIALS, len(LANDMARKS)):
            wrong.append(f"it ended with {dict(kinds)}")
        if left := leftovers(run.directory):
            wrong.append(f"it left {[path.name for path in left]}")
        if not (run.directory / "frontier.png").exists() or not (run.directory / "trials.csv").exists():
            wrong.append("it left no tables and pictures")
        self.broken += [f"{run.directory.name}, at its end: {sentence}" for sentence in wrong]
        self.torn += torn_lines(run.directory)
        self.trials += len(run.seen)
        self.duplicates += sum("duplicate_of" in trial.attributes for trial in run.seen.values())

    def wait(self, run: Run, child: int) -> int | None:
        """Wait for a random moment of a start. Returns the exit status if it ends before.

        The machine may be slow or fast just now: the moment is so long after an event, not after the begin.
        """
        if self.random.random() < 1 / 3:
            return ended(child, self.random.uniform(0, self.opening))
        # The log's lines: one that begins, two a network, one that ends.
        events, seconds = 2, self.writing
        if run.left:
            events, seconds = 1 + 2 * self.random.randrange(min(run.left, 3)), self.network
        log = run.directory / "log.jsonl"
        before = lines(log)
        status = None
        while status is None and lines(log) < before + events:
            status = ended(child, 0.001)
        return ended(child, self.random.uniform(0, seconds)) if status is None else status

    def aim(self, run: Run, child: int) -> int | None:
        """Wait until something is being written. Returns the exit status if the start ends before."""
        writes, status = 1, None
        if run.seen:
            status = self.wait(run, child)
        else:  # the tables of a new study are made by many writes
            writes = self.random.randrange(1, 30)
        before = run.written()
        while status is None and writes:
            status = ended(child, 0)
            if (now := run.written()) != before:
                before = now
                writes -= 1
        return status

    def go(self, kills: int, aimed: int) -> None:
        """Kill so often at random moments and so often aimed, in runs one after the other. Stops at a broken rule."""
        began = time.monotonic()
        left = {False: kills, True: aimed}
        run = self.new_run()
        while any(left.values()) and not self.broken:
            # While a run has no network, one in two is aimed: they hit the making of its study.
            weights = [left[False], left[True] if run.seen or not left[True] else max(left[False], 1)]
            (aim,) = self.random.choices((False, True), weights)
            kills = self.kill(run, aim)
            left[aim] = max(0, left[aim] - kills)
            print(f"{sum(left.values())} kills left, {time.monotonic() - began:.0f} s", file=sys.stderr)
            if run.kills_when_done == KILLS_WHEN_DONE or not (kills and any(left.values())):
                self.finish(run)
                run = self.new_run()

    def kill(self, run: Run, aimed: bool) -> int:
        """One start, killed. Returns the kills: 0 if it came to its end before, 2 if a worker was killed as well."""
        name = "SIGKILL" if aimed else self.random.choice(SIGNALS)
        gap = self.random.uniform(0, 1)
        child = begin(run.command, run.output)
        kills, status = 0, None
        if self.workers > 1 and self.random.random() < 0.5:
            kills, status = self.kill_below(run, child)
        if status is None:
            status = self.aim(run, child) if aimed else self.wait(run, child)
        if status is None:
            kills += 1
            os.kill(child, signal.SIGSTOP)  # or it would not be where it was when the signal comes
            phase = run.phase(child)
            self.below |= set(descendants(child))
            if name == "SIGKILL":
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            else:
                status = self._interrupt(child, name, gap)
                self._check_status(run, name, phase, status)
            self.look(run, f"{name} while {phase}")
            run.kills_when_done += not run.left
            if aimed:
                self.aimed[phase] += 1
            else:
                self.counts[name, phase] += 1
        else:
            self.ended_before += 1
            self.look(run, "not killed")
            if status != 0:
                self.broken.append(f"{run.directory.name}: exit status {status}: {run.output.read_text()[-2000:]}")
        ended_at = time.monotonic()
        if not gone(self.below, LEFT_FOR):
            self.broken.append(f"{run.directory.name}: processes of a start are left {LEFT_FOR} s after {name}")
        self.longest = max(self.longest, time.monotonic() - ended_at)
        self.processes += len(self.below)
        self.below = set()
        return kills

    def kill_below(self, run: Run, child: int) -> tuple[int, int | None]:
        """Kill a worker or their server while they work. Returns the kills, and the exit status if the start ended."""
        if (status := self.wait(run, child)) is not None:
            return 0, status
        below = descendants(child)
        server = next((each for each in below if descendants(each)), None)
        if server is None or not (found := descendants(server)):
            return 0, None
        what, target = ("server", server) if self.random.random() < 0.2 else ("worker", self.random.choice(found))
        self.below |= set(below)
        self.counts[f"{what} SIGKILL", run.phase(child)] += 1
        os.kill(target, signal.SIGKILL)
        return 1, None

    def _interrupt(self, child: int, name: str, gap: float) -> int | None:
        """As a terminal does: Ctrl-C goes to all processes, the others to the search alone."""
        heard = [child, *(descendants(child) if name != "SIGTERM" else ())]
        for each in heard:
            os.kill(each, signal.SIGTERM if name == "SIGTERM" else signal.SIGINT)
        os.kill(child, signal.SIGCONT)
        if name == "SIGINT twice":
            status = ended(child, gap)
            if status is not None:
                return status
            os.kill(child, signal.SIGINT)
        return patiently(child)

    def _check_status(self, run: Run, name: str, phase: str, status: int | None) -> None:
        said = run.output.read_text()
        where = f"{run.directory.name}, {name} while {phase}"
        if status is None:
            self.broken.append(f"{where}: it went on: {said[-2000:]}")
        elif status == 130:
            if said.count("To go on, repeat the command") != 1:
                self.broken.append(f"{where}: it does not say once how to go on: {said[-2000:]}")
        elif status == 0 and phase not in WRITING:
            self.broken.append(f"{where}: the signal was lost")
        elif status not in (0, OUTSIDE, -signal.SIGTERM):
            self.broken.append(f"{where}: exit status {status}: {said[-2000:]}")

    def report(self, seconds: float) -> list[str]:
        """The counts as a table."""
        names = ["SIGKILL", "SIGTERM", "SIGINT", "SIGINT twice"]
        names += ["worker SIGKILL", "server SIGKILL"] if self.workers > 1 else []
        lines = [f"{'kills while':24}" + "".join(f"{name:>15}" for name in names) + f"{'SIGKILL, aimed':>16}"]
        for phase in PHASES:
            counts = [self.counts[name, phase] for name in names] + [self.aimed[phase]]
            if any(counts):
                lines.append(f"{phase:24}" + "".join(f"{count:15}" for count in counts[:-1]) + f"{counts[-1]:16}")
        sums = [sum(self.counts[name, phase] for phase in PHASES) for name in names] + [self.aimed.total()]
        lines.append(f"{'all':24}" + "".join(f"{count:15}" for count in sums[:-1]) + f"{sums[-1]:16}")
        lines.append(
            f"{self.counts.total()} kills at random moments, {self.aimed.total()} aimed at writes, {self.runs} runs; "
            f"{self.ended_before} starts ended before their kill"
        )
        lines.append(
            f"{self.trials} networks finished, {self.duplicates} of them the same as others; {self.torn} torn lines in "
            f"logs; at most {self.most_leftovers} temporary files of killed processes at a time, none at the end"
        )
        if self.workers > 1:
            gone_in = f"the last one gone after at most {self.longest:.1f} s"
            lines.append(f"{self.workers} workers; searches had started {self.processes} processes, {gone_in}")
        lines.append(f"{len(self.broken)} rules broken; {seconds:.0f} s")
        return lines


def warm_up(root: Path) -> None:
    """Import and initialise all that a start needs, by a run in this process."""
    import torch

    torch.set_num_threads(1)  # no pool of threads, which forked children would lack
    before = signal.getsignal(signal.SIGTERM)
    with (root / "warm-up.out").open("w") as output, redirect_stdout(output):
        status = search([*COMMAND, "--name", "warm-up", "--trials", "1", "--workers", "1"])
    signal.signal(signal.SIGTERM, before)
    if status:
        raise SystemExit(status)
    gc.collect()
    gc.freeze()  # or the first collection of every child would copy all that is in memory


def main() -> int:
    """Kill, look, write the counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="at random moments (%(default)s)")
    parser.add_argument("--aimed", type=int, default=30, metavar="N", help="more, aimed at writes (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that train (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--out", type=Path, help="where the counts are written; they are printed too")
    args = parser.parse_args()
    out = args.out and args.out.resolve()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        Path("tiny.json").write_text(json.dumps(RECIPE))
        killer = Killer(Path(directory), args.seed, args.workers)
        warm_up(killer.root)
        killer.calibrate()
        killer.go(args.kills, args.aimed)
        os.chdir("/")
    parts = f"{killer.opening:.2f} s to open, {killer.network:.2f} s a network, {killer.writing:.2f} s to write"
    lines = [
        f"{machine_line('cpu')}; seed {args.seed}; undisturbed {parts}",
        *killer.report(time.monotonic() - began),
        *killer.broken,
    ]
    print("\n".join(lines))
    if out:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if killer.broken else 0


if __name__ == "__main__":
    sys.exit(main())
