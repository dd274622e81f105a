"""The errors of a run's networks by group: `DistributionPlot` -> figure. `distribution_data` beside it chooses them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.plots import style
from results.plots.distribution_data import Curve, DistributionPlot, Panel, distribution_data
from results.plots.sheet import TEXT, Line, message, ordered_colours, sheet

__all__ = ["distribution_data", "draw_distribution"]


def draw_distribution(data: DistributionPlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        if data.empty:
            return message(data.title, data.empty, data.caption, theme)
        keys = [(panel.title, _key(panel, theme)) for panel in data.panels]
        made = sheet(data.title, data.x_label, keys, data.caption, theme)
        for axes, panel in zip(made.axes, data.panels, strict=True):
            _draw_panel(axes, panel, data.x_range, theme)
        return made.figure


def _draw_panel(axes: Axes, panel: Panel, x_range: tuple[float, float], theme: style.Theme) -> None:
    axes.set_xlim(*x_range)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel("error (%)", fontsize=TEXT, labelpad=1)
    _percent(axes, "networks (%)")
    for curve, colour in zip(panel.curves, _colours(panel, theme), strict=True):
        low, high = ([100 * part for part in parts] for parts in (curve.low, curve.high))
        axes.fill_between(panel.errors, low, high, color=colour, alpha=0.16, linewidth=0, zorder=2)
        axes.plot(panel.errors, [100 * part for part in curve.share], color=colour, linewidth=1.5, zorder=3)


def _key(panel: Panel, theme: style.Theme) -> list[Line]:
    return [
        Line(
            {"color": colour, "linewidth": 2.4},
            (f"{curve.label} ({curve.networks:,})", _median(curve)),
            theme.ink if curve.lowest or curve.seen else theme.quiet,
        )
        for curve, colour in zip(panel.curves, _colours(panel, theme), strict=True)
    ]


def _colours(panel: Panel, theme: style.Theme) -> list[Any]:
    if any(curve.family for curve in panel.curves):
        return [style.look(curve.family or "")[0] for curve in panel.curves]
    return list(ordered_colours(len(panel.curves), theme))


def _median(curve: Curve) -> str:
    """The lowest median itself, the others by what they are above it."""
    low, high = curve.median_range if curve.lowest else curve.behind_range
    ends = f"[{low:.1f}, {high:.1f}]"
    if curve.lowest:
        return f"median {curve.median:.1f} {ends}"
    return f"{curve.behind:+.1f} {ends}" if curve.seen else f"no difference seen {ends}"


def _percent(axes: Axes, label: str) -> None:
    axes.set_ylim(0, 102)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_ylabel(label, fontsize=TEXT, labelpad=2)
