"""A sweep drawn: `SweepPlot` -> figure. What was found is chosen in `results.plots.sweep_data`.

Of one or two axes: scores, seconds of a training and published errors against the first axis, a line for each value of
the second. Of directions (``python -m search pays``): scores against cost, and what each direction has gained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from results.plots import DEFAULT_VIEW, View, style
from results.plots.panels import Level, Panel, Row, Series, draw_row
from results.plots.sheet import message
from results.plots.sweep_data import SweepData, Trained, swept
from results.plots.sweep_text import notes
from results.run.run import Run
from space.budget import Budget

_COLOURS = ("resnet", "wide_resnet", "resnext", "densenet", "preresnet", "regnetx")  # families whose colours are used
_DIRECTIONS = {
    "depth": "resnet", "width": "wide_resnet", "cardinality": "resnext", "growth_rate": "densenet",
    "resolution": "regnetx",
}  # fmt: skip
_Y = "proxy top-1 (%)"


@dataclass(frozen=True)
class SweepPlot:
    """What the picture shows."""

    row: Row
    caption: str
    empty: str  # why there is nothing to show; "" if there is


def sweep_plot(data: SweepData, run: Run) -> SweepPlot:
    """The panels of what was found."""
    caption = "\n".join(notes(data, run))
    pays = data.axes == ("direction", "factor")
    axes = " and ".join(axis.replace("_", " ") for axis in data.axes)
    title = f"Which axis pays? From {data.start}" if pays else f"{axes.capitalize()} at {Budget(run.budget_macs)}"
    panels = () if data.empty else _directions(data) if pays else _axes(data)
    return SweepPlot(Row(title, panels, caption), caption, data.empty)


def sweep_data(run: Run, view: View = DEFAULT_VIEW) -> SweepPlot:
    """Step one of the picture. Raises as `results.plots.sweep_data.swept`."""
    return sweep_plot(swept(run), run)


def draw_sweep(data: SweepPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture."""
    if data.empty:
        with style.styled(theme):
            return message(data.row.title, data.empty, data.caption, theme)
    return draw_row(data.row, theme)


# ---------------------------------------------------------------------------------------------- one axis or two


def _axes(data: SweepData) -> tuple[Panel, ...]:
    first, second = data.axes[0], data.axes[1] if len(data.axes) > 1 else ""
    rows = [row for row in data.rows if row.top1 is not None]
    values = list(dict.fromkeys(row.values[first] for row in data.rows))
    words = tuple(_words(value, rows, first, not second) for value in values)
    groups = list(dict.fromkeys(row.values.get(second) for row in rows))
    label = first.replace("_", " ")

    def lines(measure: Callable[[Trained], float | None], shape: str, ends: bool = False) -> tuple[Series, ...]:
        found = []
        for place, group in enumerate(groups):
            own = [row for row in rows if row.values.get(second) == group and measure(row) is not None]
            shift = 0.12 * (place - (len(groups) - 1) / 2)
            x = tuple(values.index(row.values[first]) + shift for row in own)
            name = "" if not second else f"{second.replace('_', ' ')} {group}"
            low = tuple(row.top1.low for row in own if ends and row.top1 and row.top1.low is not None)
            high = tuple(row.top1.high for row in own if ends and row.top1 and row.top1.high is not None)
            y = tuple(float(measure(row) or 0.0) for row in own)
            found.append(Series(name, _COLOURS[place % len(_COLOURS)], x, y, low, high, shape))
        return tuple(found)

    scores = lines(lambda row: row.top1.mean if row.top1 else None, "joined", ends=True)
    seconds = lines(lambda row: row.seconds, "joined")
    panels = [
        Panel("Measured: proxies", label, _Y, scores, words=words),
        Panel("Measured: a training", label, "seconds", seconds, words=words),
    ]
    if data.published:
        panels.append(_published(data, first, second, label))
    return tuple(panels)


def _words(value: Any, rows: Sequence[Trained], axis: str, alone: bool) -> str:
    """A value, and below it what was solved if it is one thing."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    solved = next((row.solved for row in rows if row.values[axis] == value), "")
    return f"{text}\n{solved}" if alone else text


def _published(data: SweepData, first: str, second: str, label: str) -> Panel:
    values = sorted({dict(each.values)[first] for each in data.published})
    groups = sorted({dict(each.values).get(second) for each in data.published}, key=str)
    series = []
    for place, group in enumerate(groups):
        own = sorted(
            (each for each in data.published if dict(each.values).get(second) == group),
            key=lambda each: values.index(dict(each.values)[first]),
        )
        x = tuple(float(values.index(dict(each.values)[first])) for each in own)
        y = tuple(each.error for each in own)
        series.append(Series("", _COLOURS[place % len(_COLOURS)], x, y, shape="points"))
    shown = tuple(str(value) for value in values)
    if not second:
        shown = tuple("\n".join([f"{value}", *_alone(data, first, value)]) for value in values)
    return Panel("Published: trained in full", label, "top-1 error (%)", tuple(series), words=shown)


def _alone(data: SweepData, axis: str, value: Any) -> list[str]:
    """The last word of the label of the published network that has this value; nothing where several have it."""
    labels = [each.label for each in data.published if dict(each.values)[axis] == value]
    return [labels[0].split(" ")[-1]] if len(labels) == 1 else []


# ---------------------------------------------------------------------------------------------- directions


def _directions(data: SweepData) -> tuple[Panel, ...]:
    start = next((row for row in data.rows if row.name == "start"), None)
    scores: list[Series] = []
    gains: list[Series] = []
    words: list[str] = []
    for direction, family in _DIRECTIONS.items():
        own = [row for row in data.rows if row.values["direction"] == direction and row.top1 is not None]
        if not own:
            continue
        line = sorted([*own, *([start] if start is not None and start.top1 else [])], key=lambda row: row.macs)
        name = direction.replace("_", " ")
        scores.append(_series(name, family, [row.macs / 1e9 for row in line], line))
        for row in own:
            if pair := next((each for each in data.pairs if {each.better, each.worse} == {row.name, "start"}), None):
                sign = 1.0 if pair.better == row.name else -1.0
                ends = sorted(sign * float(end or 0.0) for end in (pair.interval.low, pair.interval.high))
                gains.append(
                    Series(name, family, (float(len(words)),), (sign * pair.interval.mean,), (ends[0],), (ends[1],),
                           "points")
                )  # fmt: skip
                words.append(f"x{row.macs / start.macs:.2g}" if start else "")
    panels = [Panel("Measured: proxies", "GFLOPs of the network", _Y, tuple(scores))]
    if gains:
        panels.append(
            Panel("Above the start", "cost, as a multiple of the start's", "points of proxy top-1", tuple(gains),
                  (Level(0.0),), words=tuple(words))
        )  # fmt: skip
    return tuple(panels)


def _series(name: str, family: str, x: Sequence[float], rows: Sequence[Trained]) -> Series:
    tops = [row.top1 for row in rows if row.top1 is not None]
    low = tuple(top.low for top in tops if top.low is not None)
    high = tuple(top.high for top in tops if top.high is not None)
    return Series(name, family, tuple(x), tuple(top.mean for top in tops), low, high, "joined")
