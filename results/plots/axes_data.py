"""What a picture of scores against the axes of the space shows: a run -> `AxesPlot`. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.analysis.bootstrap import SHARE, SURE, Floats, best_range, chances
from results.analysis.importance import LEAST, MOST, SHUFFLES, Importance, importances
from results.analysis.samples import AXES, Axis, costs, landmarks, on_axis, samples
from results.analysis.trend import FEW, Trend, trend
from results.plots import DEFAULT_VIEW, View, style
from results.plots.frontier_caption import caveats
from results.run.objective import Objective
from results.run.pareto import numbers
from results.run.run import Run
from space.shell.words import amount


@dataclass(frozen=True)
class Points:
    """The sampled networks of one family: x on the panel's axis, y in percent or in points above the rule."""

    family: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Range:
    """Where the best of a quarter of a family's networks lies."""

    family: str
    networks: int
    low: float  # 95 % of the samples have theirs between `low` and `high`
    middle: float
    high: float


@dataclass(frozen=True)
class Choice:
    """How often the best of a quarter of a family's networks has which value."""

    family: str
    networks: int
    shares: tuple[float, ...]  # of each of the panel's words


@dataclass(frozen=True)
class AxisPanel:
    """Scores at like cost against one axis."""

    title: str
    log: bool
    x_range: tuple[float, float]
    ticks: tuple[float, ...]  # where there are a few values
    words: tuple[str, ...]  # what 0, 1 ... on the axis stand for, if it is a choice
    points: tuple[Points, ...]
    stars: tuple[Points, ...]  # published networks
    ranges: tuple[Range, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Bars:
    """The axes of one family by importance, in percent of their sum."""

    family: str
    networks: int
    axes: tuple[Importance, ...]


@dataclass(frozen=True)
class AxesPlot:
    """All that the picture shows."""

    title: str
    y_label: str  # of scores
    x_label: str  # of costs
    scores: tuple[Points, ...]  # against cost
    rule: tuple[tuple[float, float], ...]  # what is taken off: cost, score
    score_range: tuple[float, float]
    y_range: tuple[float, float]  # of points above the rule
    panels: tuple[AxisPanel, ...]
    bars: tuple[Bars, ...]
    caption: str
    empty: str = ""  # said in place of panels


def axes_data(run: Run, view: View = DEFAULT_VIEW) -> AxesPlot:
    """Step one: scores at like cost, where the best lie, and which axes decide that.

    Raises:
        ValueError: for a cost that the run has not measured.
    """
    cost = run.cost(view.x)
    frame = samples(run, cost)
    title = "Scores at like cost against the axes of the space"
    frame = frame.assign(top1=run.score.top1(frame))
    y_label = f"proxy top-1 on {run.data_name}, recipe {run.recipe_name} (%)"
    if run.score.error:
        y_label = "expected top-1: 100 - expected error (%)"
    x_label = cost.axis
    if len(frame) < FEW:
        empty = f"what scores follow needs {FEW} sampled networks with a score: {len(frame)} so far"
        said = "\n".join(caveats(run, cost, frame))
        return AxesPlot(title, y_label, x_label, (), (), (0, 100), (-1, 1), (), (), said, empty)
    rule = trend(costs(frame, cost), frame["top1"].to_numpy())
    frame = _above(frame, rule, cost)
    published = landmarks(run, cost)
    stars = _above(published.assign(top1=run.score.top1(published)), rule, cost)
    inside = costs(stars, cost)
    stars = stars[(inside >= rule.costs[0]) & (inside <= rule.costs[-1])]
    y_range, below = _y_range(frame["above"].to_numpy())
    rng = np.random.default_rng(0)
    bars, too_few = [], []
    above = dict(zip(frame["trial"].tolist(), frame["above"].tolist(), strict=True))
    for family in style.in_order(frame["family"]):
        found, count = importances(run.trials, above, family, rng)
        if found:
            bars.append(Bars(family, count, found))
        else:
            too_few.append(f"{style.family_name(family)} ({count})")
    panels = tuple(_panel(axis, on_axis(frame, axis), on_axis(stars, axis)) for axis in AXES if _drawn(frame, axis))
    return AxesPlot(
        title=title,
        y_label=y_label,
        x_label=x_label,
        scores=_points(frame, costs(frame, cost), frame["top1"].to_numpy()),
        rule=tuple(zip(rule.costs.tolist(), rule.scores.tolist(), strict=True)),
        score_range=_y_range(frame["top1"].to_numpy())[0],
        y_range=y_range,
        panels=panels,
        bars=tuple(bars),
        caption="\n".join([*caveats(run, cost, frame), *_explained(panels, bars, too_few, below, len(stars))]),
    )


def _above(frame: pd.DataFrame, rule: Trend, cost: Objective) -> pd.DataFrame:
    return frame.assign(above=frame["top1"].to_numpy() - rule.at(costs(frame, cost)))


def _y_range(scores: Floats) -> tuple[tuple[float, float], int]:
    """What to show, and how many lie below: networks that learned nothing would press the others together."""
    quarter, most = (float(value) for value in np.quantile(scores, [0.25, 0.75]))
    floor = quarter - 2.5 * max(most - quarter, 0.5)
    low, high = style.limits([float(score) for score in scores if score >= floor])
    return (low, high), int((scores < low).sum())


def _drawn(frame: pd.DataFrame, axis: Axis) -> bool:
    values = on_axis(frame, axis)[axis.column]
    return len(values) >= FEW and values.nunique() > 1


def _panel(axis: Axis, frame: pd.DataFrame, stars: pd.DataFrame) -> AxisPanel:
    values, star_values = _values(frame, axis), _values(stars, axis)
    x_range = _x_range(values, axis)
    seen = (star_values >= x_range[0]) & (star_values <= x_range[1])
    ranges, choices = [], []
    for family in style.in_order(frame["family"]):
        own = (frame["family"] == family).to_numpy()
        scores = frame["above"].to_numpy()[own]
        if len(scores) < LEAST:
            continue
        if axis.words:
            chance = chances(scores)
            shares = tuple(float(chance[values[own] == place].sum()) for place in range(len(axis.words)))
            choices.append(Choice(family, len(scores), shares))
        else:
            ranges.append(Range(family, len(scores), *best_range(values[own], scores)))
    return AxisPanel(
        title=axis.label,
        log=axis.log and not axis.words,
        x_range=x_range,
        ticks=tuple(float(value) for value in np.unique(values)) if axis.exact else (),
        words=axis.words,
        points=_points(frame, values, frame["above"].to_numpy()),
        stars=_points(stars[seen], star_values[seen], stars["above"].to_numpy()[seen]),
        ranges=tuple(ranges),
        choices=tuple(choices),
    )


def _x_range(values: Floats, axis: Axis) -> tuple[float, float]:
    if axis.words:
        return -0.6, len(axis.words) - 0.4
    least, most = float(values.min()), float(values.max())
    if axis.log:
        room = (most / least) ** 0.06
        return least / room, most * room
    return least - 0.06 * (most - least), most + 0.06 * (most - least)


def _values(frame: pd.DataFrame, axis: Axis) -> Floats:
    """On the panel's axis; of a choice the place of its word."""
    if axis.words:
        return np.array([axis.words.index(word) for word in frame[axis.column]], dtype=np.float64)
    return numbers(frame, axis.column).astype(np.float64)


def _points(frame: pd.DataFrame, x: Floats, y: Floats) -> tuple[Points, ...]:
    found = []
    for family in style.in_order(frame["family"]):
        own = (frame["family"] == family).to_numpy()
        found.append(Points(family, tuple(x[own].tolist()), tuple(y[own].tolist())))
    return tuple(found)


def _explained(
    panels: tuple[AxisPanel, ...], bars: list[Bars], too_few: list[str], below: int, stars: int
) -> list[str]:
    lines = [
        "Points above the rule: the score less what networks of that cost score as a rule (first panel: a robust local "
        f"line, LOWESS, through all sampled networks). Axes in which fewer than {FEW} networks differ are left out.",
    ]
    if any(panel.ranges or panel.choices for panel in panels):
        lines.append(
            f"Best: of a quarter ({100 * SHARE:g} %) of the family's networks, drawn with replacement, the one "
            f"furthest above the rule; its value in the median and in {100 * SURE:g} % of the samples (bars at the "
            f"bottom; arXiv:2003.13678). Families of fewer than {LEAST} networks have none. What goes with an "
            "axis need not come from it: widths are solved, so that more depth makes them smaller."
        )
    if bars:
        lines.append(
            "Importance: PED-ANOVA, what sets the best tenth of a family at like cost apart, of the axes that the "
            f"search drew (at most {MOST} networks a family), as parts of their sum; tick: the most that {SHUFFLES} "
            "shuffles of the scores gave (arrow: more than the sum). A pale bar is not longer than "
            "that: it may be chance. depth3 are the blocks of the third stage, spend is the part of the budget that is "
            "used."
        )
    if too_few:
        lines.append(f"No importance, as it needs {LEAST} sampled networks with parameters: {', '.join(too_few)}.")
    if stars:
        lines.append(f"Stars: {amount(stars, 'published network')}, same recipe; in no range or bar.")
    if below:
        lines.append(f"{amount(below, 'network')} below the panels, not drawn but counted.")
    return lines
