"""Scores at like cost against the axes: `AxesPlot` -> figure. What it shows is chosen in `results.plots.axes_data`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETRIGHT
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from results.plots import style
from results.plots.axes_data import AxesPlot, AxisPanel, Bars, Points, axes_data
from results.plots.sheet import TEXT, Line, message, sheet

__all__ = ["axes_data", "draw_axes"]

_STRIP = 0.065  # of a panel's height for each bar at the bottom
_MANY = 2000  # points from which on a vector file holds them as an image
_NAMES = 0.35  # inches left of a panel for the names of bars
_TICKS = 0.11  # of a panel's width between numbers
_JITTER = 0.16  # of the distance between two choices


def draw_axes(data: AxesPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        if data.empty:
            return message(data.title, data.empty, data.caption, theme)
        keys = [
            ("score against cost", _families(data.scores, theme)),
            *((panel.title, _best(panel, theme)) for panel in data.panels),
            *((f"importance in {style.family_name(bars.family)}s ({bars.networks:,})", ()) for bars in data.bars),
        ]
        made = sheet(data.title, data.y_label, keys, data.caption, theme)
        _draw_rule(made.axes[0], data, theme)
        for axes, panel in zip(made.axes[1:], data.panels, strict=False):
            _draw_panel(axes, panel, data.y_range, theme)
        for axes, bars in zip(made.axes[1 + len(data.panels) :], data.bars, strict=True):
            _draw_bars(axes, bars, theme)
        return made.figure


def _colour(family: str) -> str:
    return style.look(family)[0]


def _mark(family: str) -> dict[str, Any]:
    marker = style.look(family)[1]
    return {"color": _colour(family), "marker": marker, "markersize": 4.5, "markevery": [1], "linewidth": 1.6}


def _families(scores: Sequence[Points], theme: style.Theme) -> list[Line]:
    lines = [
        Line(_mark(each.family), (f"{style.family_name(each.family)} ({len(each.x):,})",), theme.ink) for each in scores
    ]
    return [*lines, Line({"color": theme.ink, "linewidth": 1.6}, ("the rule: what is taken off",), theme.ink)]


def _best(panel: AxisPanel, theme: style.Theme) -> list[Line]:
    """The key of a panel: where the best lie."""
    lines = []
    for found in panel.ranges:
        words = f"best at {found.middle:.3g} [{found.low:.3g}, {found.high:.3g}]"
        lines.append(
            Line(_mark(found.family), (f"{style.family_name(found.family)} ({found.networks:,})", words), theme.ink)
        )
    for choice in panel.choices:
        place = max(range(len(panel.words)), key=lambda place: choice.shares[place])
        words = f"best: {panel.words[place]} in {100 * choice.shares[place]:.0f} %"
        lines.append(
            Line(_mark(choice.family), (f"{style.family_name(choice.family)} ({choice.networks:,})", words), theme.ink)
        )
    return lines


def _draw_rule(axes: Axes, data: AxesPlot, theme: style.Theme) -> None:
    xs = [x for points in data.scores for x in points.x]
    room = max((max(xs) / min(xs)) ** 0.05, 1.02)
    low, high = min(xs) / room, max(xs) * room
    style.cost_axis(axes, low, high)
    axes.set_ylim(*data.score_range)
    _scatter(axes, data.scores, theme)
    rule = data.rule if len(data.rule) > 1 else [(x, data.rule[0][1]) for x in (low, high)]
    axes.plot([x for x, _ in rule], [y for _, y in rule], color=theme.ink, linewidth=1.6, zorder=5)
    axes.set_xlabel(data.x_label, fontsize=TEXT, labelpad=1)
    axes.set_ylabel("proxy top-1 (%)", fontsize=TEXT, labelpad=2)


def _draw_panel(axes: Axes, panel: AxisPanel, y_range: tuple[float, float], theme: style.Theme) -> None:
    low, high = y_range
    strip = _STRIP * len(panel.ranges) + 0.03 * bool(panel.ranges)
    axes.set_ylim(low - (high - low) * strip / (1 - strip), high)
    if panel.log:
        style.cost_axis(axes, *panel.x_range)
        axes.xaxis.set_major_locator(FixedLocator(_apart(style.log_ticks(*panel.x_range), panel.x_range)))
    else:
        axes.set_xlim(*panel.x_range)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    if panel.ticks:
        axes.xaxis.set_major_locator(FixedLocator(panel.ticks))
    if panel.words:
        axes.xaxis.set_major_locator(FixedLocator(range(len(panel.words))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: panel.words[round(place)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.axhline(0, color=theme.quiet, linewidth=0.9, zorder=1.5)
    _scatter(axes, _spread(panel), theme)
    for stars in panel.stars:
        axes.plot(stars.x, stars.y, "*", color=_colour(stars.family), mec=theme.ink, mew=0.7, markersize=8, zorder=5)
    for number, found in enumerate(panel.ranges):
        y = strip - _STRIP * (number + 0.5) - 0.015
        settings: dict[str, Any] = {
            "transform": axes.get_xaxis_transform(),
            "color": _colour(found.family),
            "zorder": 6,
        }
        axes.plot([found.low, found.high], [y, y], linewidth=3, solid_capstyle="butt", **settings)
        axes.plot([found.middle], [y], "o", markersize=5, mec=theme.ink, mew=0.8, **settings)
    axes.set_ylabel("points above the rule", fontsize=TEXT, labelpad=2)


def _apart(ticks: Sequence[float], x_range: tuple[float, float]) -> list[float]:
    """Those of the ticks, the largest first, whose numbers do not run into each other on a logarithmic axis."""
    least = (x_range[1] / x_range[0]) ** _TICKS
    kept: list[float] = []
    for tick in reversed(ticks):
        if not kept or kept[-1] >= least * tick:
            kept.append(tick)
    return kept


def _spread(panel: AxisPanel) -> list[Points]:
    """The points of a choice or of a few values moved a little to the sides, so that they do not lie on each other."""
    if not (panel.words or panel.ticks):
        return list(panel.points)
    rng = np.random.default_rng(0)
    spread, middle = [], (len(panel.points) - 1) / 2
    for number, points in enumerate(panel.points):
        off = rng.uniform(-_JITTER, _JITTER, len(points.x)) + (number - middle) * 0.9 * _JITTER
        x = np.array(points.x) * 2 ** (0.5 * off) if panel.log else np.array(points.x) + off
        spread.append(Points(points.family, tuple(x.tolist()), points.y))
    return spread


def _scatter(axes: Axes, series: Sequence[Points], theme: style.Theme) -> None:
    count = sum(len(points.x) for points in series)
    size = float(np.clip(4000 / max(count, 1), 3, 16))
    for points in series:
        colour, marker = style.look(points.family)
        axes.scatter(points.x, points.y, s=size, marker=marker, color=colour, edgecolors=theme.paper, linewidths=0.25,
                     alpha=0.75, zorder=3, rasterized=count > _MANY)  # fmt: skip


def _draw_bars(axes: Axes, bars: Bars, theme: style.Theme) -> None:
    """The most important axis on top."""
    figure, box = axes.get_figure(root=True), axes.get_position()
    assert isinstance(figure, Figure)
    names = max(style.text_size(figure, each.axis, TEXT)[0] for each in bars.axes) / figure.dpi
    moved = max(0.0, names - _NAMES) / figure.get_figwidth()
    axes.set_position((box.x0 + moved, box.y0, box.width - moved, box.height))
    total = sum(each.value for each in bars.axes) or 1.0
    places = range(len(bars.axes))
    colour = _colour(bars.family)
    for place, each in zip(places, bars.axes, strict=True):
        axes.barh(place, 100 * each.value / total, height=0.62, color=colour, alpha=1 if each.seen else 0.3, zorder=2)
        by_chance = 100 * each.by_chance / total
        if by_chance <= 100:
            axes.plot([by_chance, by_chance], [place - 0.42, place + 0.42], color=theme.ink, linewidth=1.4, zorder=3)
        else:
            axes.plot([102], [place], linestyle="", marker=CARETRIGHT, markersize=5, color=theme.ink, zorder=3)
    axes.set_ylim(len(bars.axes) - 0.4, -0.6)
    furthest = max(100 * max(each.value, each.by_chance) / total for each in bars.axes)
    axes.set_xlim(0, 1.05 * min(furthest or 1, 100))
    axes.set_yticks(places, [each.axis for each in bars.axes])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.set_xlabel("part of the family's sum (%)", fontsize=TEXT, labelpad=1)
