"""`python -m search status RUN`: how a run stands, from another terminal. Only reads: no file is made or changed."""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cli.console import LABEL
from search.run.counts import STATES, Tally, Workers
from space import Budget, gflops
from space.own_families import add_families
from space.shell.command import Parser, silence, start_command
from space.shell.names import visible
from space.shell.words import amount, duration

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from results.run.run import Run
    from search.run.lock import Holder

PROG = "python -m search status"


@dataclass(frozen=True)
class Start:
    """The last start of a run, from its log."""

    begin: dict[str, Any]
    end: dict[str, Any] | None
    workers: Workers
    labels: dict[int, dict[str, Any]]  # key -> its event "start"
    rejected: int  # networks of this start that are no trials of --trials: slower than --max-latency
    repeats: int  # of the frontier's members that it has to do, as far as that is known
    now: float  # seconds since it began

    @property
    def total(self) -> int:
        """Networks of the whole run."""
        return int(self.begin["done"]) + int(self.begin["left"]) + self.repeats + self.rejected


@dataclass(frozen=True)
class Status:
    """A run as it was when it was read."""

    run: Run
    holder: Holder | None  # the living process that feeds it
    tally: Tally  # of the networks that this run has measured
    warm: int  # networks taken over from other runs
    start: Start | None  # None if it has no log
    left_out: int = 0  # lines of the log that were cut off, or are none of a log

    @property
    def running(self) -> list[dict[str, Any]]:
        """What is being trained now: label, family, macs, seconds. Empty unless the last start is the living one."""
        if self.start is None or self.holder is None or self.start.begin["process"] != self.holder.pid:
            return []
        return [
            {name: self.start.labels[key][name] for name in ("label", "family", "macs")}
            | {"seconds": max(0.0, self.start.now - since)}
            for key, since in self.start.workers.running.items()
        ]

    @property
    def missing(self) -> int | None:
        """Networks that are still to be done; None if nobody knows."""
        return None if self.start is None else max(0, self.start.total - self.tally.total)

    @property
    def seconds_left(self) -> float | None:
        """How long they take, as far as the last ones tell."""
        return None if self.start is None else self.tally.left(self.missing or 0, self.start.workers.slots)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values. Times are in seconds, memory in bytes, top-1 in percent, shares from 0 to 1."""
        run, tally, start = self.run, self.tally, self.start
        columns = [
            "trial",
            "config_id",
            "family",
            "landmark",
            "macs",
            "params",
            "latency_ms",
            "expected_error",
            "error_low",
            "error_high",
            "familiarity",
            "proxy_top1",
            "network",
        ]
        return {
            "run": str(run.directory),
            "budget_macs": run.budget_macs,
            "mode": run.settings["mode"],
            "objective": run.objective.name,
            "data": run.data_name,
            "recipe": run.recipe_name,
            "score": run.score.name,
            "trust": run.trust,
            "fidelity": run.fidelity,
            "holder": None if self.holder is None else {
                "pid": self.holder.pid, "host": self.holder.host, "since": self.holder.since.isoformat(),
            },
            "total": None if start is None else start.total,
            "done": tally.total,
            **{state: tally.states[state] for state in STATES.values()},
            "reasons": dict(tally.reasons),
            "repeated": tally.repeated,
            "repeats": tally.repeats,
            "warm": self.warm,
            "log_lines_left_out": self.left_out,
            "running": self.running,
            "seconds_left": self.seconds_left,
            "workers": None if start is None else start.workers.slots,
            "busy": None if start is None else start.workers.busy(start.now),
            "images_per_second": statistics.median(tally.speeds) if tally.speeds else None,
            "peak_share": statistics.median(tally.shares) if tally.shares else None,
            "peak_memory": tally.peak_memory,
            "frontier": json.loads(run.frontier()[columns].to_json(orient="records")),
            "last_start": None if start is None else {
                "time": start.begin["time"], "device": start.begin["device"], "command": start.begin["command"],
                "end": None if start.end is None else {name: start.end[name] for name in ("reason", "sentence")},
            },
        }  # fmt: skip

    def text(self) -> str:
        """The same for people."""
        from results import frontier_table

        settings, lines = self.run.settings, []
        lines.append(
            f"run {self.run.directory}: budget {Budget(self.run.budget_macs)} at {self.run.input_size}x"
            f"{self.run.input_size}, {self.run.classes} classes; mode {settings['mode']}"
        )
        data = f"data {self.run.data_name}; " if self.run.trains else ""
        score = f"; score {self.run.score.name}" if self.run.score.error else ""
        lines.append(f"{data}recipe {self.run.recipe_name}; objective {self.run.objective.name}{score}")
        lines += [self.run.fidelity] if self.run.fidelity else []
        lines.append(self._holder_text())
        done = f"{amount(self.tally.total, 'network')} done"
        if self.start is not None:
            done = f"{self.tally.total} of {amount(self.start.total, 'network')} done"
        more = f"; {self.warm} more taken over from other runs" if self.warm else ""
        lines.append(f"{done}: {self.tally.counts_text()}{more}")
        if self.left_out:
            what = amount(self.left_out, "line")
            lines.append(f"log.jsonl: {what} left out (cut off when a start was killed, or malformed)")
        lines += self._progress_lines()
        lines += [text] if (text := self.tally.device_text()) else []
        return "\n".join([*lines, "", frontier_table(self.run), "", self._next_text()]).rstrip()

    def _holder_text(self) -> str:
        if self.holder is not None:
            return f"at work: {self.holder}"
        if self.start is None:
            return "nobody is at work on it"
        began = _when(self.start.begin["time"])
        if self.start.end is None:
            return f"nobody is at work on it: the start of {began} was cut off (killed, or the machine went down)"
        words = ": ".join(filter(None, [self.start.end["reason"], self.start.end["sentence"]]))
        return f"nobody is at work on it: the start of {began} ended at {_when(self.start.end['time'])} ({words})"

    def _progress_lines(self) -> list[str]:
        if self.start is None or self.holder is None:
            return []
        width = max([LABEL, *(len(each["label"]) for each in self.running)])
        lines = [
            f"  now: {each['label']:{width}} {each['family']:12} {gflops(each['macs']):>6}FLOPs for about "
            f"{duration(each['seconds'])}"
            for each in self.running
        ]
        words, slots = [], self.start.workers.slots
        if self.missing and self.seconds_left is not None:
            words.append(f"about {duration(self.seconds_left)} left with {amount(slots, 'worker')}")
        if busy := self.start.workers.busy(self.start.now):
            words.append(f"workers busy for {100 * busy:.0f} % of the time of this start")
        return lines + (["; ".join(words)] if words else [])

    def _next_text(self) -> str:
        """How to go on; nothing while somebody does."""
        if self.holder is not None:
            return ""
        if self.start is None:
            return f"to go on, repeat its command (run {self.run.settings.get('name', self.run.directory.name)!r})"
        command = shlex.join(["python", "-m", "search", *self.start.begin["command"]])
        secret = " (with the password in place of ***)" if "***" in command else ""
        sweep = self.run.settings.get("sweep")
        more = "trainings, with a larger --seeds" if sweep else "networks, with a larger --trials"
        what = f"for more {more}" if not self.missing else "to go on"
        return f"{what}: {command}{secret}"


def read_status(path: str | Path, storage: str | None = None) -> Status:
    """Read how a run stands; see `status`."""
    from results import load_run
    from search.run.lock import held_by
    from search.run.log import read_lines

    run = load_run(path, storage)
    tally, warm = Tally(), 0
    for trial in run.trials:
        if trial.user_attrs.get("kind") == "warm":
            warm += 1
        elif not run.trains:
            tally.untrained += 1
        else:
            tally.add(_figures(trial))
    holder = held_by(run.directory)
    events, left_out = read_lines(run.directory / "log.jsonl")
    return Status(run, holder, tally, warm, _last_start(events, alive=holder is not None), left_out)


def status(path: str | Path, storage: str | None = None) -> str:
    """How a run stands: done, running, left, the frontier so far, and how to go on where nobody is at work.

    Args:
        path: the run's directory, such as ``runs/NAME``.
        storage: as for `results.load_run`.

    Raises:
        ValueError: if there is no run, or its study is damaged or cannot be reached.
        OSError: if its log cannot be read.
    """
    return read_status(path, storage).text()


def _when(time: str) -> str:
    """A time of the log as clocks here show it."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _figures(trial: FrozenTrial) -> Mapping[str, Any]:
    """A trial in the words of the log."""
    attributes = trial.user_attrs
    score = attributes.get("score") or {}
    reason = attributes.get("reason") or score.get("reason")
    duplicate_of = attributes.get("duplicate_of")
    return score | {
        "kind": attributes.get("kind"), "state": STATES[trial.state.name], "reason": reason,
        "duplicate_of": duplicate_of,
        "slow": attributes.get("violation", 0) > 0,
    }  # fmt: skip


def _last_start(events: Sequence[dict[str, Any]], alive: bool) -> Start | None:
    begin = next((event for event in reversed(events) if event["event"] == "begin"), None)
    if begin is None:
        return None
    own = [event for event in events if event["session"] == begin["session"]]
    workers = Workers(int(begin["workers"]))
    for event in own:
        workers.read(event)
    labels = {event["key"]: event for event in own if event["event"] == "start"}
    repeats = sum(int(event["count"]) for event in own if event["event"] == "repeats")
    end = next((event for event in own if event["event"] == "end"), None)
    now = float(own[-1]["elapsed"])
    if alive and end is None:  # the wall clock tells the rest, unless it was set back
        now += max(0.0, (datetime.now(UTC) - datetime.fromisoformat(own[-1]["time"])).total_seconds())
    rejected = sum(bool(event.get("rejected")) for event in own)
    return Start(begin, end, workers, labels, rejected, repeats, now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, read, print. Returns the exit status."""
    parser = Parser(prog=PROG, description="How a run stands, while it runs or after. Only reads.")
    parser.add_argument("run", metavar="RUN", help="the run's directory, such as runs/NAME")
    parser.add_argument("--storage", metavar="URL", help="where the study is, if not in the run's directory")
    add_families(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, on one line")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="again every so many seconds, until Ctrl-C")
    return start_command(parser, watch, arguments)


def watch(options: argparse.Namespace) -> str:
    """How the run stands; again and again with ``--watch``, until Ctrl-C or until the reader leaves.

    Raises:
        ValueError: for a directory without a run, or seconds that are none.
        OSError: if the run cannot be read.
    """
    if options.watch is None:
        return _as_asked(options)
    if not 0 < options.watch < float("inf"):
        raise ValueError(f"--watch {options.watch:g}: expected seconds, such as --watch 5")
    try:
        while True:
            text = visible(_as_asked(options), keep="\n")
            if sys.stdout.isatty():
                print("\x1b[2J\x1b[H", end="")
            print(text, flush=True)
            time.sleep(options.watch)
            if not (options.json or sys.stdout.isatty()):
                print()
    except BrokenPipeError:  # the reader has left, as `head` does: that is how watching ends
        silence()
        return ""


def _as_asked(options: argparse.Namespace) -> str:
    read = read_status(options.run, options.storage)
    return json.dumps(read.to_json()) if options.json else read.text()
