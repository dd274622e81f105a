"""What a picture of error distributions shows: a run -> `DistributionPlot`. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.analysis.bootstrap import SURE, TIMES, Estimate, Floats, Ints, cost_bins, estimate, interval
from results.analysis.samples import AXES, costs, groups, samples
from results.plots import DEFAULT_VIEW, View, style
from results.plots.frontier_caption import caveats
from results.run.objective import Objective
from results.run.run import Run
from space.shell.words import amount

LEAST = 8  # networks that make a group
POINTS = 200  # of a curve


@dataclass(frozen=True)
class Curve:
    """The distribution of one group's errors at like cost, and its median against the lowest of the panel."""

    label: str
    family: str | None  # of a group that is a family
    networks: int
    share: tuple[float, ...]  # at each error of the panel
    low: tuple[float, ...]
    high: tuple[float, ...]
    median: float  # percent
    median_range: tuple[float, float]
    lowest: bool  # whether this median is the lowest of the panel
    behind: float  # points above the lowest median
    behind_range: tuple[float, float]

    @property
    def seen(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        return self.behind_range[0] > 0


@dataclass(frozen=True)
class Panel:
    """Groups that are compared with each other."""

    title: str
    errors: tuple[float, ...]  # percent
    curves: tuple[Curve, ...]
    outside: int  # networks at costs that some group hardly has
    bins: int
    small: tuple[str, ...] = ()  # groups that are left out, with their sizes


@dataclass(frozen=True)
class DistributionPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    x_range: tuple[float, float]
    panels: tuple[Panel, ...]
    caption: str
    empty: str = ""  # said in place of panels


def distribution_data(run: Run, view: View = DEFAULT_VIEW) -> DistributionPlot:
    """Step one: which networks are compared, and how they differ.

    Raises:
        ValueError: for a cost that the run has not measured.
    """
    cost = run.cost(view.x)
    frame = samples(run, cost)
    frame = frame.assign(top1=run.score.top1(frame))
    x_label = f"error: 100 - proxy top-1 on {run.data_name}, recipe {run.recipe_name}"
    if run.score.error:
        x_label = "expected top-1 error if trained as published networks are (%)"
    title = "How errors are distributed, at like cost"
    if len(frame) < LEAST:
        empty = f"a distribution needs {LEAST} sampled networks with a score: {len(frame)} so far"
        return DistributionPlot(title, x_label, (0, 100), (), "\n".join(caveats(run, cost, frame)), empty)
    x_range, beyond = _x_range(100 - frame["top1"].to_numpy())
    by_family = {family: frame[frame["family"] == family] for family in style.in_order(frame["family"])}
    wanted = [("family", by_family), *((axis.label, groups(frame, axis)) for axis in AXES)]
    rng = np.random.default_rng(0)
    panels, left = [], []
    for name, members in wanted:
        if sum(len(of) >= LEAST for of in members.values()) < (1 if name == "family" else 2):
            continue
        if (panel := _compare(name, members, cost, x_range, rng)) is None:
            left.append(name)
        else:
            panels.append(panel)
    lines = _explained(panels, beyond, left)
    return DistributionPlot(
        title=title,
        x_label=x_label,
        x_range=x_range,
        panels=tuple(panels),
        caption="\n".join([*caveats(run, cost, frame), *lines]),
        empty="" if panels else f"no group has {LEAST} sampled networks with a score yet: {len(frame)} in all",
    )


def _label(label: str) -> str:
    return style.family_name(label)


def _x_range(errors: Floats) -> tuple[tuple[float, float], int]:
    """What of the axis to show, and how many lie beyond: what learned nothing would press all others together."""
    quarter, most = (float(value) for value in np.quantile(errors, [0.25, 0.75]))
    ceiling = most + 2 * max(most - quarter, 0.5)
    low, high = style.limits([float(error) for error in errors if error <= ceiling], share=0.03)
    return (max(0.0, low), high), int((errors > high).sum())


Members = dict[str, tuple["Floats", "Ints"]]  # the errors and bins of each group


def _compare(
    name: str, rows: dict[str, pd.DataFrame], cost: Objective, x_range: tuple[float, float], rng: np.random.Generator
) -> Panel | None:
    """A panel; None if fewer than two of several groups have costs in common."""
    members, outside = _members(rows, cost)
    if len(members) < (2 if len(rows) > 1 else 1):
        return None
    small = tuple(f"{_label(label)} ({len(of)})" for label, of in rows.items() if label not in members and len(of))
    grid = np.linspace(*x_range, POINTS)
    found = {label: estimate(*of, grid, rng) for label, of in members.items()}
    lowest = min(found, key=lambda label: found[label].median)
    curves = tuple(
        _curve(label, name == "family", len(of[0]), found[label], found[lowest]) for label, of in members.items()
    )
    bins = 1 + max(int(of[1].max()) for of in members.values())
    return Panel(name, tuple(grid.tolist()), curves, outside, bins, small)


def _members(rows: dict[str, pd.DataFrame], cost: Objective) -> tuple[Members, int]:
    """Errors and bins of the groups, and how many of their networks are at costs that are not compared.

    The smallest group is left out until all have enough networks at costs in common.
    """
    labels = list(rows)
    while labels:
        sizes = {label: len(rows[label]) for label in labels}
        if min(sizes.values()) >= LEAST:
            number = np.repeat(np.arange(len(labels)), list(sizes.values()))
            bins = cost_bins(np.concatenate([costs(rows[label], cost) for label in labels]), number)
            errors = np.concatenate([100 - rows[label]["top1"].to_numpy() for label in labels])
            inside = {label: (number == place) & (bins >= 0) for place, label in enumerate(labels)}
            sizes = {label: int(own.sum()) for label, own in inside.items()}
            if min(sizes.values()) >= LEAST:
                return {label: (errors[own], bins[own]) for label, own in inside.items()}, int((bins < 0).sum())
        labels.remove(min(sizes, key=lambda label: (sizes[label], len(rows[label]))))
    return {}, 0


def _curve(label: str, is_family: bool, networks: int, found: Estimate, lowest: Estimate) -> Curve:
    best = found is lowest
    return Curve(
        label=_label(label),
        family=label if is_family else None,
        networks=networks,
        share=tuple(found.share.tolist()),
        low=tuple(found.low.tolist()),
        high=tuple(found.high.tolist()),
        median=found.median,
        median_range=interval(found.medians),
        lowest=best,
        behind=0.0 if best else found.median - lowest.median,
        behind_range=(0.0, 0.0) if best else interval(found.medians - lowest.medians),
    )


def _explained(panels: list[Panel], beyond: int, left: list[str]) -> list[str]:
    if not panels:
        return []
    lines = [
        "Curves: part of the networks with at most that error; bands: "
        f"{100 * SURE:g} % of {TIMES} bootstrap resamples of the networks. Every group has the same "
        "weight in each bin of costs (arXiv:1905.13214); networks at costs that some group of the panel hardly has are "
        "left out.",
        "Beside each group: its networks, then the lowest median error of the panel or the points above it, with a "
        f"{100 * SURE:g} % interval; where that reaches zero no difference is seen. Of "
        "twenty such intervals one misses by chance, more where the lowest of many groups was picked. "
        "Thirds are of each family's own range.",
    ]
    few = [f"{panel.title} {', '.join(panel.small)}" for panel in panels if panel.small]
    if few:
        lines.append(f"Left out, fewer than {LEAST} networks at costs in common: {'; '.join(few)}.")
    if left:
        lines.append(f"Not drawn, too few networks at costs in common: {', '.join(left)}.")
    if beyond:
        lines.append(f"{amount(beyond, 'network')} beyond the right end, counted in all curves.")
    return lines
