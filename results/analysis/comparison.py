"""Several runs side by side: what each found, who covers whom, and the frontier that they have together."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from results.analysis.hypervolume import axis_of, hypervolume_of
from results.run.columns import COLUMNS, Field
from results.run.objective import Objective
from results.run.pareto import frontier
from results.run.run import Run
from results.run.score import Score

_KNOWN = {column.name: column for column in COLUMNS}
RUNS = (
    Field("run", "str", "", "name of the run"),
    Field("mode", "str", "", "frontier: all costs up to the budget; match: all at the budget"),
    Field("budget_macs", "Int64", "multiply-adds", "limit of the run"),
    Field("data", "str", "", "the images"),
    Field("recipe", "str", "", "how networks were trained"),
    Field("networks", "Int64", "", "networks with a score, each counted once"),
    Field("seconds", "float64", "s", "training of all trials together"),
    Field("best_top1", "float64", "%", "top-1 of the best within limits: of its proxy, or expected, cautiously"),
    Field("best_se", "float64", "%", "standard error of best_top1 from its held-out images alone"),
    Field("best_trial", "Int64", "", "the trial of that network"),
    Field("best_family", "str", "", "its family"),
    Field("best_config", "str", "", "the hash of its configuration"),
    Field("hypervolume", "float64", "%", "mean height of the frontier over the logarithmic axis of costs"),
    Field("on_frontier", "Int64", "", "networks on the run's frontier"),
    Field("covered", "float64", "%", "how many of these another run is at least as good as, for as little"),
    Field("on_joint", "Int64", "", "networks on the frontier of all runs together"),
)
JOINT = (
    Field("run", "str", "", "where the network was found; several where it has the same score"),
    Field("trial", "int64", "", "number of the trial in the first of these runs"),
    *(_KNOWN[name] for name in ("family", "config_id", "proxy_top1", "proxy_se", "macs", "params", "network")),
)
_OF_SCORE = {"expected": ("expected_error", "error_low", "error_high"), "proxy": ("proxy_top1", "proxy_se")}


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is known of several runs together."""

    names: tuple[str, ...]
    score: Score  # that top-1 is of
    cost: Objective
    axis: tuple[float, float]  # of hypervolumes, in the unit of the cost's column
    runs: pd.DataFrame  # the columns of `RUNS`, one run a row
    coverage: pd.DataFrame  # row: a run; column: how many percent of the frontier of another it covers
    joint: pd.DataFrame  # the columns of `JOINT`, the cheapest first
    frontiers: tuple[tuple[tuple[float, float], ...], ...]  # (cost, top-1) of each run's, the cheapest first

    def tables(self) -> dict[str, tuple[pd.DataFrame, tuple[Field, ...]]]:
        """The tables by name, with what their columns are."""
        covered = (
            Field("run", "str", "", "the run that covers"),
            *(Field(name, "float64", "%", f"how much of the frontier of {name} it covers") for name in self.names),
        )
        shown = [_KNOWN[name] for name in _OF_SCORE[self.score.name]]
        joint = [*JOINT[:4], *shown, *JOINT[6:]]
        if self.cost.column not in ("macs", "params"):
            joint.insert(4, _KNOWN[self.cost.column])
        return {"runs": (self.runs, RUNS), "coverage": (self.coverage, covered), "joint": (self.joint, tuple(joint))}


def differences(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """What makes scores or costs of runs incomparable, a sentence each."""
    first = runs[0]
    found = []
    for run, name in zip(runs[1:], names[1:], strict=True):
        for what, one, other in _pairs(first, run):
            if one != other:
                found.append(f"{names[0]} and {name} have different {what}: {one} and {other}")
    return found


def _pairs(one: Run, other: Run) -> list[tuple[str, Any, Any]]:
    pairs: list[tuple[str, Any, Any]] = [
        ("objectives", one.objective.name, other.objective.name),
        ("input sizes", one.input_size, other.input_size),
        ("numbers of classes", one.classes, other.classes),
        ("scores", one.score.name, other.score.name),
    ]
    if one.score.error and other.score.error:  # whatever was trained, and on which images
        return pairs
    if one.data_key is not None and other.data_key is not None:
        if one.data_key != other.data_key:
            same = one.data_name == other.data_name
            names = [f"{run.data_name} ({str(run.data_key)[:8]})" if same else run.data_name for run in (one, other)]
            pairs.append(("images", names[0], names[1]))
    else:
        pairs.append(("images", one.data_name, other.data_name))
    recipes = [{key: value for key, value in run.settings["recipe"].items() if key != "name"} for run in (one, other)]
    if recipes[0] != recipes[1]:
        keys = sorted({*recipes[0], *recipes[1]}, key=str)
        changed = {key: [recipe.get(key) for recipe in recipes] for key in keys}
        words = [
            ", ".join(f"{key} {json.dumps(values[place])}" for key, values in changed.items() if values[0] != values[1])
            for place in (0, 1)
        ]
        pairs.append(("recipes", f"{one.recipe_name} ({words[0]})", f"{other.recipe_name} ({words[1]})"))
    if one.objective.measured:
        pairs.append((f"conditions of {one.objective.name}", json.dumps(one.timing), json.dumps(other.timing)))
    return pairs


def compare(runs: Sequence[Run], names: Sequence[str], x: str | None = None) -> Comparison:
    """Put runs side by side.

    A run covers a network if it has one that is at least as good for as little (Zitzler and Thiele's C,
    doi:10.1109/4235.797969); equal ones cover each other, such as a published network that both trained.

    Args:
        runs: two or more.
        names: of them, each another.
        x: the cost; the first run's objective unless given.

    Raises:
        ValueError: for a cost that a run does not know.
    """
    cost = runs[0].cost(x)
    fronts = [run.frontier(cost.name) for run in runs]
    axis = axis_of(runs, cost)
    fronts = [front.assign(top1=run.score.worth(front)) for run, front in zip(runs, fronts, strict=True)]
    points = [front[[cost.column, "top1"]].to_numpy(dtype=float) for front in fronts]

    def covered(one: Any, other: Any) -> Any:
        """Which points of the other some point of the one covers."""
        return ((one[:, None, 0] <= other[None, :, 0]) & (one[:, None, 1] >= other[None, :, 1])).any(axis=0)

    coverage = pd.DataFrame({"run": pd.Series(names, dtype="str")})
    for name, other in zip(names, points, strict=True):
        coverage[name] = [
            100 * float(covered(one, other).mean()) if len(other) and one is not other else np.nan for one in points
        ]
    together = pd.concat([front.assign(run=name) for front, name in zip(fronts, names, strict=True)], ignore_index=True)
    mask = frontier(together["top1"].to_numpy(dtype=float), together[cost.column].to_numpy(dtype=float))
    joint = together[mask].sort_values(cost.column).reset_index(drop=True)
    key = ["config_id", "top1", cost.column]
    homes = together.groupby(key)["run"].agg(list)
    found = [homes[tuple(row)] for row in joint[key].itertuples(index=False)]
    joint["run"] = pd.Series([", ".join(where) for where in found], dtype="str")
    rows = []
    for place, (run, name, front) in enumerate(zip(runs, names, fronts, strict=True)):
        others = np.concatenate([each for number, each in enumerate(points) if number != place])
        best = front.sort_values("top1").iloc[-1] if len(front) else None
        frame = run.frame()
        rows.append({
            "run": name,
            "mode": run.settings["mode"],
            "budget_macs": run.budget_macs,
            "data": run.data_name,
            "recipe": run.recipe_name,
            "networks": len(run.networks()),
            "seconds": float(frame.loc[frame["duplicate_of"].isna() & (frame["kind"] != "warm"), "seconds"].sum()),
            "best_top1": None if best is None else best["top1"],
            "best_se": None if best is None else best["proxy_se"],
            "best_trial": None if best is None else best["trial"],
            "best_family": None if best is None else best["family"],
            "best_config": None if best is None else best["config_id"],
            "hypervolume": hypervolume_of(run, cost, axis),
            "on_frontier": len(front),
            "covered": 100 * float(covered(others, points[place]).mean()) if len(front) else None,
            "on_joint": sum(name in where for where in found),
        })  # fmt: skip
    table = pd.DataFrame({each.name: pd.Series([row[each.name] for row in rows], dtype=each.dtype) for each in RUNS})
    steps = tuple(tuple((float(x), float(y)) for x, y in each) for each in points)
    return Comparison(tuple(names), runs[0].score, cost, axis, table, coverage, joint, steps)


def names_of(runs: Sequence[Run]) -> list[str]:
    """What runs are called: the last part of their directories, or all of it where that is not enough.

    Raises:
        ValueError: if one is given twice.
    """
    places = [run.directory.resolve() for run in runs]
    for one, other in itertools.combinations(places, 2):
        if one == other:
            raise ValueError(f"{one.name} is given twice: expected several runs")
    short = [place.name for place in places]
    return short if len(set(short)) == len(short) else [str(run.directory) for run in runs]
