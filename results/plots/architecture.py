"""One network drawn: its parts as rows of blocks, what each puts out, and its share of the cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from results.plots import DEFAULT_VIEW, View, style
from results.plots.labels import shorten
from results.run.naming import describe
from results.run.run import Run
from results.run.stages import Stage, stages


@dataclass(frozen=True)
class ArchitecturePlot:
    """All that the picture shows."""

    title: str
    subtitle: str
    family: str
    parts: tuple[Stage, ...]  # from stem to head
    caption: str
    empty: str = ""  # said in place of a network


def architecture_data(run: Run, view: View = DEFAULT_VIEW) -> ArchitecturePlot:
    """Step one: which network to show, and its parts.

    Raises:
        ValueError: if the view names a trial that is not finished.
    """
    number = view.trial
    if number is None:
        if run.frontier().empty:
            return ArchitecturePlot("The best network", "", "", (), "", "no network within the budget is finished yet")
        number = run.best().trial
    found = run.candidate(number)
    config = found.config
    parts = stages(config, run.input_size, run.classes)
    words = [
        f"{_short(found.macs)}FLOPs",
        f"{_short(found.params)} parameters",
        *([] if found.latency_ms is None else [f"{found.latency_ms:.3g} ms"]),
        f"proxy top-1 {found.score} % ({shorten(run.recipe_name)} on {shorten(run.data_name)})",
        f"trial {number}",
    ]
    known = run.landmarks.get(found.landmark or "")
    name = known.label if known else found.landmark or style.family_name(config.family)
    return ArchitecturePlot(
        title=f"{name}: {describe(config)}",
        subtitle="; ".join(words),
        family=config.family,
        parts=parts,
        caption=_caption(parts, run),
    )


def _caption(parts: tuple[Stage, ...], run: Run) -> str:
    dense = any(part.growth for part in parts)
    blocks = (
        "Each bar is a dense layer, as high as the channels that it leaves behind it; the band is what it adds"
        if dense
        else "Each bar is a block, as high as its channels; the band is the channels of its 3x3 convolution"
    )
    return (
        f"{blocks}. Heights are square roots of channels. Squares are the maps that a part puts out. Costs are of an "
        f"image of {run.input_size}x{run.input_size} and {run.classes:,} classes: multiply-adds of convolution and "
        "linear weights, all trainable numbers."
    )


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 8.0, 7.8
_LEFT, _RIGHT = 0.35, 0.3  # inches, as all that follow
_MAPS, _BLOCKS, _SHARES = 0.75, 1.75, 1.15
_GAP, _ROW, _NOTE = 0.3, 0.19, 0.165
_COLUMN, _BETWEEN = 0.72, 0.18  # least width of a part, room between two
_LONGEST, _THICKEST = 7.0, 0.16  # all blocks side by side, one block


def draw_architecture(data: ArchitecturePlot, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture. Everything is laid out in inches, so that nothing falls off."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: ArchitecturePlot, theme: style.Theme) -> Figure:
    probe = style.new_figure(4, 4)
    rows = _rows(data.parts)
    names = max((_inches(probe, name) for name in rows), default=0.0) + 0.2
    thick = min(_THICKEST, _LONGEST / max(1, sum(part.blocks for part in data.parts)))
    columns = [
        max(_COLUMN, part.blocks * thick, *(_inches(probe, row[place]) for row in rows.values()))
        for place, part in enumerate(data.parts)
    ]
    inner = max(names + sum(columns) + _BETWEEN * max(0, len(columns) - 1), 6.0)
    title = style.wrap_to(probe, data.title, 11.5, inner * 0.92)  # bold text is wider
    subtitle = style.wrap_to(probe, data.subtitle, _TEXT, inner)
    caption = style.wrap_to(probe, data.caption, _SMALL, inner)
    below = 0.2 * len(title) + 0.21  # where the subtitle begins
    top = below + 0.165 * len(subtitle) + 0.15
    drawn = _MAPS + _BLOCKS + _SHARES + 3 * _GAP
    width = _LEFT + inner + _RIGHT
    height = top + drawn + _ROW * len(rows) + 0.25 + _NOTE * len(caption) + 0.1
    figure = style.new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))  # in inches from the lower left corner
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.text(_LEFT, height - 0.16, "\n".join(title), fontsize=11.5, fontweight="bold", va="top")
    axes.text(_LEFT, height - below, "\n".join(subtitle), fontsize=_TEXT, va="top", color=theme.quiet)
    if data.empty:
        axes.text(width / 2, height / 2, data.empty, fontsize=12, color=theme.quiet, ha="center", va="center")
        return figure
    maps = height - top - _MAPS
    blocks = maps - _GAP - _BLOCKS
    shares = blocks - _GAP - _SHARES
    _name(axes, "maps", maps + _MAPS / 2)
    _name(axes, "layers" if "layers" in rows else "blocks", blocks + _BLOCKS / 2)
    _name(axes, "share of", shares + _SHARES / 2 + _ROW)
    _key(axes, shares + _SHARES / 2, theme.family(data.family)[0], theme)
    left = _LEFT + names
    for place, (part, room) in enumerate(zip(data.parts, columns, strict=True)):
        middle = left + room / 2
        _map(axes, part, data.parts, middle, maps, theme)
        _bars(axes, part, data, middle, blocks, thick, theme)
        _share(axes, part, data, middle, shares, theme)
        for line, row in enumerate(rows.values()):
            axes.text(middle, shares - 0.2 - _ROW * (line + 0.5), row[place], fontsize=_TEXT, ha="center", va="center",
                      fontweight="bold" if not line else "normal")  # fmt: skip
        left += room + _BETWEEN
    for line, name in enumerate(rows):
        _name(axes, name, shares - 0.2 - _ROW * (line + 0.5))
    axes.plot([_LEFT + names, left - _BETWEEN], [shares, shares], color=theme.quiet, linewidth=0.8)
    axes.text(_LEFT, 0.1 + _NOTE * len(caption), "\n".join(caption), fontsize=_SMALL, color=theme.quiet, va="top",
              linespacing=1.3)  # fmt: skip
    return figure


def _rows(parts: tuple[Stage, ...]) -> dict[str, list[str]]:
    """The table under the picture; rows that no part has anything for are left out."""
    table = {
        "": [part.name for part in parts],
        "layers" if any(part.growth for part in parts) else "blocks": [
            str(part.blocks) if part.inner or part.growth else "" for part in parts
        ],
        "puts out": [str(part.width) for part in parts],
        "inner width": [str(part.inner or "") for part in parts],
        "groups": [str(part.groups or "") for part in parts],
        "growth": [str(part.growth or "") for part in parts],
        "map": [f"{part.size}x{part.size}" for part in parts],
        "multiply-adds": [_short(part.macs) for part in parts],
        "parameters": [_short(part.params) for part in parts],
    }
    return {name: row for name, row in table.items() if any(row)}


def _short(count: int) -> str:
    """Three digits: "1.26 G", "954 k"."""
    for scale, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 0.9995 * scale:
            value = count / scale
            return f"{value:.{max(0, 2 - int(math.log10(value * 1.0005)))}f} {unit}"
    return str(count)


def _inches(probe: Figure, text: str) -> float:
    return style.text_size(probe, text, _TEXT)[0] / probe.dpi * 1.04


def _name(axes: Axes, text: str, y: float) -> None:
    axes.text(_LEFT, y, text, fontsize=_TEXT, ha="left", va="center")


def _key(axes: Axes, y: float, colour: str, theme: style.Theme) -> None:
    """Which bar is which."""
    for line, (name, face) in enumerate((("multiply-adds", colour), ("parameters", theme.paper))):
        axes.add_patch(Rectangle((_LEFT, y - line * _ROW - 0.045), 0.09, 0.09, facecolor=face, edgecolor=colour))
        axes.text(_LEFT + 0.14, y - line * _ROW, name, fontsize=_SMALL, va="center")


def _map(axes: Axes, part: Stage, parts: tuple[Stage, ...], middle: float, bottom: float, theme: style.Theme) -> None:
    side = max(0.02, _MAPS * part.size / max(each.size for each in parts))
    axes.add_patch(Rectangle(
        (middle - side / 2, bottom), side, side, facecolor=theme.grid, edgecolor=theme.quiet, linewidth=0.7
    ))  # fmt: skip


def _bars(
    axes: Axes, part: Stage, data: ArchitecturePlot, middle: float, bottom: float, thick: float, theme: style.Theme
) -> None:
    """The blocks of a part side by side, centred on a line."""
    scale = _BLOCKS / math.sqrt(max(max(each.width, each.inner or 0) for each in data.parts if each.name != "head"))
    centre, colour = bottom + _BLOCKS / 2, theme.family(data.family)[0]
    apart = 0.4 if thick > 0.05 else 0.0  # of lines between blocks
    if not (part.inner or part.growth):
        high = min(_BLOCKS, scale * math.sqrt(part.width))
        axes.add_patch(Rectangle(
            (middle - 0.04, centre - high / 2), 0.08, high, facecolor=theme.leader, edgecolor=theme.paper,
            linewidth=apart,
        ))  # fmt: skip
        return
    for block in range(part.blocks):
        x = middle + (block - part.blocks / 2) * thick
        if part.growth:
            outer, inner = part.reads + (block + 1) * part.growth, part.growth
        else:
            outer, inner = part.width, part.inner or 0
        for channels, alpha in ((outer, 0.45), (inner, 1.0)):
            high = scale * math.sqrt(channels)
            axes.add_patch(Rectangle(
                (x, centre - high / 2), thick, high, facecolor=colour, alpha=alpha, edgecolor=theme.paper,
                linewidth=apart,
            ))  # fmt: skip


def _share(axes: Axes, part: Stage, data: ArchitecturePlot, middle: float, bottom: float, theme: style.Theme) -> None:
    """Two upright bars with their percentages: multiply-adds and parameters."""
    params = sum(each.params for each in data.parts)
    most = max(max(each.share, each.params / params) for each in data.parts)
    colour = theme.family(data.family)[0]
    for side, share, face in ((-1, part.share, colour), (1, part.params / params, theme.paper)):
        high = (_SHARES - 0.2) * share / most
        axes.add_patch(Rectangle(
            (middle + 0.18 * side - 0.12, bottom), 0.24, high, facecolor=face, edgecolor=colour, linewidth=0.9
        ))  # fmt: skip
        percent = f"{100 * share:.0f}%" if share >= 0.005 else "<1%"
        axes.text(middle + 0.18 * side, bottom + high + 0.03, percent, fontsize=6.8, ha="center", va="bottom")
