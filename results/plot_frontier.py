"""The frontier of a run: table -> `FrontierPlot` -> figure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN

from results import style
from results.labels import spread, untangle
from space.landmarks import LANDMARKS

if TYPE_CHECKING:
    import pandas as pd

    from results.run import Run

GIGA = 1e9
DIGITS = "digits show the machinery, not ImageNet"
MATCH_FROM = 0.95  # in match mode, from this part of the budget on


@dataclass(frozen=True)
class Series:
    """The sampled networks of one family; x in GFLOPs, y in percent."""

    family: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    on_frontier: tuple[bool, ...]


@dataclass(frozen=True)
class Star:
    """A published network scored here, or several that are one and the same configuration."""

    label: str
    family: str
    x: float
    y: float


@dataclass(frozen=True)
class FrontierPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]  # GFLOPs
    y_range: tuple[float, float]  # percent; what is below is drawn at the lower edge
    budget: float  # GFLOPs
    budget_label: str
    series: tuple[Series, ...]
    stars: tuple[Star, ...]  # the best first
    step: tuple[tuple[float, float], ...]  # the frontier's points, the cheapest first
    caption: str
    empty: str = ""  # said in place of points


def frontier_data(run: Run) -> FrontierPlot:
    """Step one: what to show of a run."""
    frame = run.frame()
    done = frame[(frame["state"] == "complete") & frame["proxy_top1"].notna() & frame["macs"].notna()]
    x_range, left_out = _x_range(run, done)
    shown = done[done["macs"] >= x_range[0] * GIGA]
    samples = done[(done["kind"] != "landmark") & done["duplicate_of"].isna()]
    order = [*style.FAMILIES, *sorted(set(samples["family"]) - set(style.FAMILIES))]
    series = []
    for family in order:
        of = samples[samples["family"] == family]
        if len(of):
            series.append(
                Series(
                    family,
                    tuple(float(macs) / GIGA for macs in of["macs"]),
                    tuple(float(top1) for top1 in of["proxy_top1"]),
                    tuple(bool(on) for on in of["on_frontier"]),
                )
            )
    members = run.frontier()
    y_range, below = _y_range(shown)
    return FrontierPlot(
        title="Accuracy against complexity, measured" if run.settings["mode"] == "frontier" else "Best at the budget",
        x_label=f"GFLOPs (multiply-adds, {run.input_size}x{run.input_size})",
        y_label=f"proxy top-1 on {run.data_name}, recipe {run.recipe_name} (%)",
        x_range=x_range,
        y_range=y_range,
        budget=run.budget_macs / GIGA,
        budget_label=f"budget {run.budget_macs / GIGA:.4g} GFLOPs",
        series=tuple(series),
        stars=_stars(shown[shown["kind"] == "landmark"]),
        step=tuple(
            (float(macs) / GIGA, float(top1)) for macs, top1 in zip(members["macs"], members["proxy_top1"], strict=True)
        ),
        caption=_caption(run, frame, done, left_out, below),
        empty="" if len(done) else "no finished trial yet",
    )


def _x_range(run: Run, done: pd.DataFrame) -> tuple[tuple[float, float], int]:
    """What of the axis to show in GFLOPs, and how many landmarks that leaves out.

    In match mode every sample costs the budget: cheaper landmarks would press them into one line.
    """
    budget = run.budget_macs / GIGA
    costs = [float(macs) / GIGA for macs in done["macs"]]
    low, high = min([*costs, budget]), max([*costs, budget])
    if run.settings["mode"] == "match":
        samples = [float(macs) / GIGA for macs in done.loc[done["kind"] != "landmark", "macs"]]
        low = min([*samples, MATCH_FROM * budget])
    room = max((high / low) ** 0.05, 1.02)
    return (low / room, high * room), sum(x < low / room for x in costs)


def _y_range(shown: pd.DataFrame) -> tuple[tuple[float, float], int]:
    """What of the axis to show in percent, and how many samples lie below it.

    A few networks that learned nothing would press all others together: the range ends two spans of the middle
    half below it. Landmarks and frontier members are always inside.
    """
    scores = shown["proxy_top1"]
    if not len(scores):
        return (0.0, 100.0), 0
    quarter, most = float(scores.quantile(0.25)), float(scores.quantile(0.75))
    fixed = shown.loc[shown["on_frontier"] | (shown["kind"] == "landmark"), "proxy_top1"]
    floor = min([quarter - 2 * max(most - quarter, 0.5), *(float(y) for y in fixed)])
    inside = [float(y) for y in scores if y >= floor]
    low, high = style.limits(inside)
    return (low, min(high, 102.0)), sum(float(y) < low for y in scores)


def _stars(landmarks: pd.DataFrame) -> tuple[Star, ...]:
    stars = []
    for _, equal in landmarks.groupby("config_id", sort=False):
        names = list(dict.fromkeys(str(name) for name in equal["landmark"]))
        label = " = ".join(LANDMARKS[name].label if name in LANDMARKS else name for name in names)
        first = equal.iloc[0]
        stars.append(Star(label, str(first["family"]), float(first["macs"]) / GIGA, float(first["proxy_top1"])))
    return tuple(sorted(stars, key=lambda star: (-star.y, star.x, star.label)))


def _caption(run: Run, frame: pd.DataFrame, done: pd.DataFrame, left_out: int, below: int) -> str:
    trained = int(done["duplicate_of"].isna().sum())
    repeated = len(done) - trained
    published = int(((done["kind"] == "landmark") & done["duplicate_of"].isna()).sum())
    parts = [f"{trained} network{'' if trained == 1 else 's'} trained"]
    if published:
        parts.append(f"{published} of them published ones (stars)")
    if repeated:
        parts.append(f"{repeated} more equal to one of these, not trained again")
    if failed := int((frame["state"] == "fail").sum()):
        parts.append(f"{failed} failed or interrupted")
    if pruned := int((frame["state"] == "pruned").sum()):
        parts.append(f"{pruned} stopped early")
    if running := int(frame["state"].isin(["running", "waiting"]).sum()):
        parts.append(f"{running} not finished")
    if below:
        parts.append(f"{below} below the picture's range (arrows)")
    if left_out:
        parts.append(f"{left_out} published ones cost less than what is shown")
    recipe = run.settings["recipe"]
    shown = ", ".join(
        f"{words} {recipe[key]:g}" if isinstance(recipe[key], float) else f"{words} {recipe[key]}"
        for key, words in (("epochs", "epochs"), ("resolution", "resolution"), ("width", "width factor"))
        if recipe.get(key) is not None
    )
    lines = [
        "; ".join(parts) + ".",
        f"Recipe {run.recipe_name}{f' ({shown})' if shown else ''} on {run.data_name}. A proxy score ranks networks "
        "trained alike; it is not the accuracy after full training.",
    ]
    if run.data_name == "digits":
        lines.append(DIGITS[0].upper() + DIGITS[1:] + ".")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 8.0, 7.8
_AXES_WIDTH, _LEFT = 6.4, 0.75  # inches


def draw_frontier(data: FrontierPlot) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled():
        return _draw(data)


def _draw(data: FrontierPlot) -> Figure:
    labels = [f"{star.label}  {star.y:.1f}" for star in data.stars]
    probe = style.new_figure(4, 4)
    column = max((style.text_size(probe, label, _TEXT)[0] for label in labels), default=0.0) / probe.dpi
    row = style.text_size(probe, "Ag", _TEXT)[1] / probe.dpi + 0.03
    margin = column + 0.5 if labels else 0.55
    width = _LEFT + _AXES_WIDTH + margin
    caption = style.wrap_to(probe, data.caption, _SMALL, width - _LEFT - 0.2)
    handles, names = _legend_entries(data)
    columns = _columns(probe, names, width - _LEFT - 0.2)
    legend_height = 0.185 * -(-len(names) // columns) if names else 0.0
    top = 0.45 + legend_height + 0.3
    bottom = 0.62 + 0.165 * len(caption)
    axes_height = max(4.1, row * len(labels) * 1.15)
    height = top + axes_height + bottom

    figure = style.new_figure(width, height)
    axes = figure.add_axes((_LEFT / width, bottom / height, _AXES_WIDTH / width, axes_height / height))
    axes.grid(True, color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    low, high = data.x_range
    style.cost_axis(axes, low, high)
    axes.set_ylim(*data.y_range)
    axes.set_xlabel(data.x_label)
    axes.set_ylabel(data.y_label)

    axes.axvline(data.budget, color=style.BUDGET, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
    axes.annotate(
        data.budget_label, (data.budget, 1), (0, 4), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="right" if data.budget > (low * high) ** 0.5 else "left", va="bottom", fontsize=_TEXT, color=style.BUDGET,
    )  # fmt: skip
    if data.step:
        xs, ys = [x for x, _ in data.step], [y for _, y in data.step]
        end = max(data.budget, xs[-1])
        axes.plot([*xs, end], [*ys, ys[-1]], drawstyle="steps-post", color=style.INK, linewidth=1.5, zorder=3)
    for series in data.series:
        _draw_series(axes, series, data.y_range[0])
    for star in data.stars:
        colour = style.FAMILIES.get(star.family, style.OTHER)[0]
        axes.plot([star.x], [star.y], "*", markersize=13, color=colour, mec=style.INK, mew=0.9, zorder=6)
    if data.empty:
        axes.text(0.5, 0.5, data.empty, transform=axes.transAxes, ha="center", va="center", fontsize=12,
                  color=style.QUIET)  # fmt: skip

    _label_column(figure, axes, data, labels, row * figure.dpi)
    left = _LEFT / width
    figure.text(left, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    if names:
        figure.legend(
            handles, names, loc="upper left", bbox_to_anchor=(left, 1 - 0.4 / height), ncols=columns, frameon=False,
            fontsize=_TEXT, borderaxespad=0, borderpad=0, handletextpad=0.4, columnspacing=1.4, labelspacing=0.35,
        )  # fmt: skip
    figure.text(
        left, (bottom - 0.56) / height, "\n".join(caption), fontsize=_SMALL, color=style.QUIET, va="top", ha="left",
        linespacing=1.3,
    )  # fmt: skip
    return figure


def _draw_series(axes: Axes, series: Series, floor: float) -> None:
    colour, marker = style.FAMILIES.get(series.family, style.OTHER)
    below = [x for x, y in zip(series.x, series.y, strict=True) if y < floor]
    axes.plot(below, [0.004] * len(below), linestyle="", marker=CARETDOWN, markersize=6, color=colour,
              transform=axes.get_xaxis_transform(), zorder=4)  # fmt: skip
    for on, size, edge, alpha, order in ((False, 22, "white", 0.75, 4), (True, 46, style.INK, 1.0, 5)):
        points = [(x, y) for x, y, member in zip(series.x, series.y, series.on_frontier, strict=True)
                  if member == on and y >= floor]  # fmt: skip
        if points:
            axes.scatter(
                [x for x, _ in points], [y for _, y in points], s=size, marker=marker, color=colour, edgecolors=edge,
                linewidths=0.9 if on else 0.4, alpha=alpha, zorder=order,
            )  # fmt: skip


def _legend_entries(data: FrontierPlot) -> tuple[list[Line2D], list[str]]:
    def mark(colour: str, marker: str, size: float, edge: str, text: str) -> tuple[Line2D, str]:
        return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=size, mec=edge, mew=0.8), text

    entries = []
    for series in data.series:
        colour, marker = style.FAMILIES.get(series.family, style.OTHER)
        entries.append(mark(colour, marker, 6, "white", style.family_name(series.family)))
    if data.step:
        line = Line2D([], [], color=style.INK, linewidth=1.5, marker="o", markersize=6, mfc="white", mec=style.INK)
        entries.append((line, "frontier"))
    if data.stars:
        entries.append(mark("white", "*", 11, style.INK, "published network, same recipe"))
    return [handle for handle, _ in entries], [name for _, name in entries]


def _columns(figure: Figure, names: list[str], inches: float) -> int:
    """As many columns as fit; a legend is filled column by column."""
    widths = [style.text_size(figure, name, _TEXT)[0] / figure.dpi + 0.5 for name in names]
    for columns in range(len(names), 1, -1):
        rows, longer = divmod(len(names), columns)  # as matplotlib shares them out
        starts = [column * rows + min(column, longer) for column in range(columns + 1)]
        if sum(max(widths[start:end]) for start, end in itertools.pairwise(starts)) <= inches:
            return columns
    return 1


def _label_column(figure: Figure, axes: Axes, data: FrontierPlot, labels: list[str], gap: float) -> None:
    """The stars' labels in the right margin, the best on top, each joined to its star by a thin line."""
    if not labels:
        return
    to_pixels, to_data = axes.transData, axes.transData.inverted()
    frame = axes.get_window_extent()
    stars = [to_pixels.transform((star.x, star.y)) for star in data.stars]
    rising = list(reversed(range(len(stars))))
    starts = [(float(stars[n][0]), float(stars[n][1])) for n in rising]
    heights = spread([y for _, y in starts], gap, frame.y0 + gap / 2, frame.y1 - gap / 2)
    ends = [(frame.x1 + 0.06 * figure.dpi, y) for y in heights]
    owners = untangle(starts, ends, [f"{data.stars[n].y:.1f}" for n in rising])
    for y, owner in zip(heights, owners, strict=True):
        number = rising[owner]
        knee = to_data.transform((frame.x1 + 0.06 * figure.dpi, y))
        end = to_data.transform((frame.x1 + 0.2 * figure.dpi, y))
        text = to_data.transform((frame.x1 + 0.25 * figure.dpi, y))
        star = data.stars[number]
        axes.plot([star.x, knee[0], end[0]], [star.y, knee[1], end[1]], color=style.LEADER, linewidth=0.6,
                  clip_on=False, zorder=1.5, solid_joinstyle="round")  # fmt: skip
        axes.text(text[0], text[1], labels[number], fontsize=_TEXT, va="center", ha="left", clip_on=False)
