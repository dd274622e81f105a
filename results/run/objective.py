"""What a network costs: what a frontier spends for its top-1, and what a picture may have on its x axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from space import gflops
from space.shell.words import amount


@dataclass(frozen=True)
class Objective:
    """A cost that is held against top-1; less is better. A new one is one line of `COSTS` and its column."""

    name: str
    column: str  # of the table of `results.run.columns`
    metric: str  # what the study calls it
    unit: float  # one unit of an axis or a printed table, in the column's unit
    symbol: str  # of that unit, on an axis or in a table
    noun: str  # what stands behind an amount
    against: str  # what a title calls it
    axis: str  # label of an axis
    axis_at: str  # the same with what it holds for: {size}, {classes} and {timing} of the run
    searched: bool = False  # whether a run can search by it
    measured: bool = False  # on this device, a network at a time; others are counted

    def text(self, value: float) -> str:
        """An amount in words, from the column's unit: "4.1GFLOPs", "25.6M parameters", "12.5 ms"."""
        return f"{f'{value:.3g}' if self.measured else gflops(value)}{self.noun}"


COSTS = {
    each.name: each
    for each in (
        Objective(
            "macs", "macs", "multiply-adds", 1e9, "GFLOPs", "FLOPs", "complexity", "multiply-adds (GFLOPs)",
            "GFLOPs (multiply-adds, {size})", searched=True,
        ),
        Objective(
            "params", "params", "parameters", 1e6, "M", " parameters", "parameters", "parameters (M)",
            "parameters (M, {classes:,} classes)",
        ),
        Objective(
            "activations", "activations", "activations", 1e6, "M", " activations", "activations", "activations (M)",
            "activations of convolutions (M, {size})",
        ),
        Objective(
            "latency", "latency_ms", "latency (ms)", 1.0, "ms", " ms", "latency", "latency (ms)",
            "latency (ms{timing})", searched=True, measured=True,
        ),
    )
}  # fmt: skip
OBJECTIVES = {name: each for name, each in COSTS.items() if each.searched}  # what a run can search by
BEST = 5  # networks that are the answer of a run in match mode, where there is no frontier


UNTRAINED = "none"  # the recipe of a run that trains nothing


def by_expected(settings: Mapping[str, Any]) -> bool:
    """Whether a run goes by expected errors, and not by its proxies' top-1."""
    return settings.get("score") == "expected"


def one_objective(settings: Mapping[str, Any]) -> bool:
    """Whether a run looks for the best network at its budget, and for no frontier."""
    return settings.get("mode") == "match"


def objective_of(settings: Mapping[str, Any]) -> Objective:
    """The objective of a run.

    Raises:
        ValueError: if there is none of this name.
    """
    name = settings.get("objective")
    if name not in OBJECTIVES:
        raise ValueError(f"objective {name!r}: expected one of {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


def timing_text(timing: Mapping[str, Any]) -> str:
    """The conditions of a run's latencies in a few words: "cuda (NVIDIA H200), bfloat16"."""
    threads = timing["threads"]
    text = f"{timing['device']}, {timing['dtype']}"
    return text if threads is None else f"{text}, {amount(threads, 'thread')}"
