"""Counts what a run has done: for the live display, and for `python -m search status` from the log."""

from __future__ import annotations

import re
import statistics
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATES = {"COMPLETE": "complete", "PRUNED": "stopped", "FAIL": "failed"}  # how a network ended: Optuna's word, ours
RECENT = 30  # the time left is told from so many networks: a sampler that learns leaves its first ones behind


@dataclass
class Tally:
    """How networks ended, and what those that were trained took."""

    states: Counter[str] = field(default_factory=Counter)  # complete, stopped, failed
    reasons: Counter[str] = field(default_factory=Counter)  # of failed ones, see `short_reason`
    slow: int = 0  # of the stopped ones: slower than --max-latency, not trained; landmarks too
    untrained: int = 0  # of a run that trains nothing
    repeated: int = 0  # known already, not trained again
    repeats: int = 0  # trained again, from another seed
    seconds: list[float] = field(default_factory=list)  # of each; 0 for what was not trained
    speeds: list[float] = field(default_factory=list)  # images/s
    shares: list[float] = field(default_factory=list)  # of the device's peak, 0 to 1
    peak_memory: int | None = None  # bytes, the most of any

    def add(self, figures: Mapping[str, Any]) -> None:
        """Count one network, by the keys of `search.run.log.figures`; those that are None or missing say nothing."""
        state = str(figures["state"])
        self.states[state] += 1
        if state == "failed":
            self.reasons[short_reason(figures.get("reason"))] += 1
        self.slow += bool(figures.get("slow"))
        self.repeats += figures.get("kind") == "repeat"
        if figures.get("duplicate_of") is not None:
            self.repeated += 1
            self.seconds.append(0.0)
            return
        for name, values in (
            ("seconds", self.seconds),
            ("images_per_second", self.speeds),
            ("peak_share", self.shares),
        ):
            if figures.get(name):
                values.append(float(figures[name]))
        if figures.get("peak_memory") is not None:
            self.peak_memory = max(self.peak_memory or 0, int(figures["peak_memory"]))

    @property
    def total(self) -> int:
        """All that have ended."""
        return self.states.total() + self.untrained

    def left(self, missing: int, slots: int) -> float | None:
        """Seconds that `missing` more networks will take, as far as the last ones tell; None as long as none do."""
        recent = self.seconds[-RECENT:]
        if not any(recent):
            return None
        return statistics.fmean(recent) * missing / min(slots, max(1, missing))

    def counts_text(self) -> str:
        """As in: 38 trained, 3 stopped early, 2 failed (diverged 1, out of memory 1), 1 of them known already."""
        if self.untrained:
            return f"{self.untrained} scored by their counts, none trained"
        words = [f"{self.states['complete']} trained"]
        if early := self.states["stopped"] - self.slow:
            words.append(f"{early} stopped early")
        if self.slow:
            words.append(f"{self.slow} slower than --max-latency, not trained")
        if self.states["failed"]:
            reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common())
            words.append(f"{self.states['failed']} failed ({reasons})")
        if self.repeated:
            words.append(f"{self.repeated} of them known already")
        if self.repeats:
            words.append(f"{self.repeats} of them repeats from other seeds")
        return ", ".join(words)

    def device_text(self) -> str:
        """As in: median 4120 images/s, 31 % of the device's peak, at most 1.20 GB a network; empty if none is known."""
        words = []
        if self.speeds:
            words.append(f"median {statistics.median(self.speeds):.0f} images/s")
        if self.shares:
            words.append(f"{100 * statistics.median(self.shares):.0f} % of the device's peak")
        if self.peak_memory:
            words.append(f"at most {self.peak_memory / 1e9:.2f} GB a network")
        return ", ".join(words)


class Workers:
    """Which networks are being trained and since when, told from the events of one start of a run.

    Workers take networks in the order in which they were sent out: what is sent beyond the free workers waits. Times
    are the log's ``elapsed``.
    """

    def __init__(self, slots: int) -> None:
        """`slots` workers, all of them free."""
        self.slots = slots
        self.running: dict[int, float] = {}  # key -> since when
        self.waiting: deque[int] = deque()
        self.work = 0.0

    def read(self, event: Mapping[str, Any]) -> None:
        """The next event of the log: something was sent out, or came back."""
        key, now = event.get("key"), float(event["elapsed"])
        if key is None:
            return
        if event["event"] == "start":
            if len(self.running) < self.slots:
                self.running[key] = now
            else:
                self.waiting.append(key)
        elif event["event"] in ("retry", "finish"):
            self._back(key, now, event.get("seconds"))

    def _back(self, key: int, now: float, seconds: float | None) -> None:
        """`seconds` is what the worker was busy for, by its own clock, where it could tell."""
        if key in self.running:
            since = self.running.pop(key)
            self.work += now - since if seconds is None else seconds
            if self.waiting:
                self.running[self.waiting.popleft()] = now
        elif key in self.waiting:  # it was taken out of turn
            self.waiting.remove(key)
            self.work += seconds or 0.0

    def busy(self, now: float) -> float | None:
        """The share of all workers' time until `now` in which they had a network, 0 to 1; None before any time."""
        spent = self.slots * now
        if spent <= 0:
            return None
        return min(1.0, (self.work + sum(max(0.0, now - since) for since in self.running.values())) / spent)


def short_reason(reason: object) -> str:
    """The words of a reason that two networks with the same trouble share: those before its details."""
    return re.split(r"[:;(,]", str(reason or "no reason given"))[0].strip()
