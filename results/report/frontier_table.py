"""The answer of a run as aligned text: its frontier, or the best at its budget, and what has to be said of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from results.export.tables import SCALES, scale
from results.plots.sweep_text import sweep_table
from results.run.frame import whole
from results.run.notes import images_lines, repeats_lines, trust_lines
from results.run.run import Run
from results.run.uncertainty import COMPARED
from space.shell.scores import FAMILIAR_FROM, score_text
from space.shell.tables import align
from space.shell.words import amount

LEFT = ("config id", "family", "familiar", "by recipe", "network")  # columns of words
MOST = 30  # networks that are printed
Cell = Callable[[dict[str, Any]], str]


def frontier_table(run: Run) -> str:
    """The frontier, the cheapest first; in match mode the best networks, the best first.

    Below it stands how far the scores can be trusted, and what of the run's directory could not be read. Of a sweep it
    is `results.plots.sweep_text`'s table.
    """
    if run.settings.get("sweep"):
        return sweep_table(run)
    members = run.frontier()
    if members.empty:
        return "\n".join(["no network within the budget is finished yet", *run.notes])
    frame = members if len(members) <= MOST else members.iloc[_spread(len(members))]
    again = bool(frame["expected_top1"].notna().any())
    heads = _columns(run, frame, again, bool(frame["trained_top1"].notna().any()))
    rows = []
    for rank, values in enumerate(frame.to_dict("records"), 1):
        row = {"rank": rank} | {str(name): value for name, value in values.items()}
        rows.append([cell(row) for cell in heads.values()])
    right = [number for number, name in enumerate(heads) if name not in LEFT]
    notes = images_lines(run) + repeats_lines(run) + trust_lines(run)
    if far := int((frame["familiarity"] < FAMILIAR_FROM).sum()):
        notes.insert(0, f"Marked far: {amount(far, 'network')} unlike all known ones of the family.")
    if len(frame) < len(members):
        few = f"{len(frame)} of the {len(members)} networks on the frontier, evenly spread"
        notes.insert(0, f"{few}: frontier.csv has all.")
    return "\n".join([align(list(heads), rows, right, rule=False), "", *notes, *run.notes])


def _spread(count: int) -> list[int]:
    """`MOST` places among so many, the first and the last among them."""
    return [round(place * (count - 1) / (MOST - 1)) for place in range(MOST)]


def _columns(run: Run, frame: pd.DataFrame, again: bool, trained: bool) -> dict[str, Cell]:
    """Heads, and what stands below each of them."""
    macs, params = scale(frame, "macs") or SCALES[-1], scale(frame, "params") or SCALES[-1]
    score: dict[str, Cell] = {}
    if run.score.error:
        score = {"expected error (%)": lambda row: f"{row['expected_error']:.1f}", "95 % of it": _error_interval}
        if (frame["familiarity"] < FAMILIAR_FROM).any():
            score["familiar"] = lambda row: "far" if row["familiarity"] < FAMILIAR_FROM else ""
    if run.trains:
        score["proxy top-1 (%)"] = lambda row: score_text(row["proxy_top1"], whole(row["held_out"]), 2)
    best: dict[str, Cell] = {}
    if again:
        best = {
            "expected top-1 (%)": lambda row: _known(row["expected_top1"], ".2f"),
            "95 %": _interval,
            "trainings": lambda row: _known(row["trainings"], ".0f"),
            "the best (p)" if run.one_objective else "on the frontier (p)": _probability,
        }
    columns: dict[str, Cell] = {"rank": lambda row: str(row["rank"])} if run.one_objective else {}
    columns |= {"config id": lambda row: str(row["config_id"]), "family": lambda row: str(row["family"])}
    if run.objective.measured:
        columns[run.objective.axis] = lambda row: f"{row[run.objective.column]:.3f}"
    columns[f"{macs[1]}FLOPs"] = lambda row: f"{row['macs'] / macs[0]:.{macs[2]}f}"
    unit = f" ({params[1]})" if params[1] else ""
    columns[f"params{unit}"] = lambda row: f"{row['params'] / params[0]:.{params[2]}f}"
    if frame["proxy_macs"].notna().any():
        columns["proxy (MFLOPs)"] = lambda row: _mega(row["proxy_macs"])
    columns |= best | score if run.one_objective else score | best
    if trained:
        columns["trained top-1 (%)"] = _trained
        columns["by recipe"] = lambda row: row["trained_recipe"] if isinstance(row["trained_recipe"], str) else "-"
    columns["network"] = _network
    return columns


def _trained(row: dict[str, Any]) -> str:
    top1 = row["trained_top1"]
    return "-" if _missing(top1) else score_text(top1, whole(row["trained_held_out"]), 2)


def _missing(value: Any) -> bool:
    """Whether a table has none: None, NaN or pandas' NA."""
    return not isinstance(value, int | float) or math.isnan(value)


def _known(value: Any, form: str) -> str:
    return "-" if _missing(value) else format(value, form)


def _mega(value: Any) -> str:
    return "-" if _missing(value) else f"{value / 1e6:.3g}"


def _interval(row: dict[str, Any]) -> str:
    low, high = row["expected_low"], row["expected_high"]
    return "-" if _missing(low) else f"[{low:.2f}, {high:.2f}]"


def _error_interval(row: dict[str, Any]) -> str:
    return f"[{row['error_low']:.1f}, {row['error_high']:.1f}]"


def _probability(row: dict[str, Any]) -> str:
    found = _known(row["p_frontier"], ".2f")
    return found if found == "-" or row["compared"] >= COMPARED else f"{found}*"


def _network(row: dict[str, Any]) -> str:
    name = row["landmark"]
    return str(row["network"]) + (f" ({name})" if isinstance(name, str) else "")
