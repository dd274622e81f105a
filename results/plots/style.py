"""How every picture looks: colours, markers, fonts, axes. No global state of matplotlib is touched.

Colours are Okabe and Ito's, distinguished by colour-blind readers; families differ by marker too.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from space import FAMILIES

DPI = 160


@dataclass(frozen=True)
class Theme:
    """The colours that depend on the background; most families keep theirs, which can be distinguished on both."""

    name: str
    paper: str  # background
    ink: str  # text, lines that matter
    quiet: str  # captions, spines
    leader: str  # lines from labels to marks
    grid: str
    budget: str
    neutral: str  # of the one family without a hue

    def family(self, name: str) -> tuple[str, str]:
        """Colour and marker of a family; those of `OTHER` for one that has none of its own."""
        colour, marker = look(name)
        return (self.neutral if name == NEUTRAL else colour), marker

    def readable(self, colour: str) -> tuple[float, float, float]:
        """A colour moved towards the ink until small text in it can be read."""
        towards = to_rgb(self.ink)
        red, green, blue = (0.55 * part + 0.45 * end for part, end in zip(to_rgb(colour), towards, strict=True))
        return red, green, blue


LIGHT = Theme("light", "#ffffff", "#1a1a1a", "#5f5f5f", "#8a8a8a", "#e6e6e6", "#a3123a", "#4d4d4d")
DARK = Theme("dark", "#16181d", "#ececec", "#a8adb5", "#7b818b", "#2f333b", "#ff7d9c", "#c4c8ce")
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

OTHER = ("#8c8c8c", "X")
NEUTRAL = "vgg"
_PUBLISHED = {NEUTRAL: ("#4d4d4d", "h")}  # of families that are figures alone, without a record

_NAMES = {  # of the same
    "vgg": "VGG",
    "alexnet": "AlexNet",
    "zfnet": "ZFNet",
    "googlenet": "GoogLeNet",
}


def _rc(theme: Theme) -> dict[str, Any]:
    return {
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same widths everywhere
        "font.size": 9,
        "axes.titlesize": 11,
        "axes.labelsize": 9.5,
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.quiet,
        "axes.labelcolor": theme.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": theme.grid,
        "legend.edgecolor": theme.grid,
        "legend.facecolor": theme.paper,
        "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "text.color": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "text.parse_math": False,  # a name may have a dollar sign
        "svg.hashsalt": "archfrontier",  # equal figures give equal files
        "svg.fonttype": "path",
    }


def look(name: str) -> tuple[str, str]:
    """Colour and marker of a family as its record has them; `Theme.family` knows what a theme changes."""
    family = FAMILIES.get(name)
    return (family.colour, family.marker) if family and family.colour else _PUBLISHED.get(name, OTHER)


def has_look(name: str) -> bool:
    """Whether a family has a colour and a marker of its own."""
    return look(name) != OTHER


def in_order(there: Iterable[str]) -> list[str]:
    """These families in the order of every legend: known ones as `FAMILIES` has them, then the others by name."""
    found = set(there)
    known = [name for name in (*FAMILIES, *_PUBLISHED) if name in found]
    return [*known, *sorted(found - set(known))]


def family_name(family: str) -> str:
    """How a family is written in a legend."""
    known = FAMILIES.get(family)
    return known.label if known else _NAMES.get(family, family)


def panel(left: float, width: float, right: float, top: float, height: float, bottom: float) -> tuple[Figure, Axes]:
    """A figure with one gridded pair of axes of `width` x `height`, and that much room around it; all in inches.

    Colours are those of the theme that `styled` has set.
    """
    whole, high = left + width + right, top + height + bottom
    figure = new_figure(whole, high)
    axes = figure.add_axes((left / whole, bottom / high, width / whole, height / high))
    axes.grid(True, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches, with a canvas of its own to measure text on."""
    figure = Figure(figsize=(width, height), dpi=100)
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def styled(theme: Theme = LIGHT) -> Iterator[None]:
    """The style, for the length of a ``with`` block."""
    with warnings.catch_warnings(), matplotlib.rc_context(_rc(theme)):  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
        yield


def text_size(figure: Figure, text: str, size: float) -> tuple[float, float]:
    """Width and height in pixels of the figure's canvas."""
    artist = figure.text(0, 0, text, fontsize=size)
    box = artist.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]
    artist.remove()
    return box.width, box.height


def wrap_to(figure: Figure, text: str, size: float, inches: float) -> list[str]:
    """Break a text into lines that fit."""
    width = inches * figure.dpi
    count = 200
    while count > 20:
        lines = [line for part in text.splitlines() for line in textwrap.wrap(part, count, break_on_hyphens=False)]
        widest = max((text_size(figure, line, size)[0] for line in lines), default=0.0)
        if widest <= width:
            return lines
        count = min(count - 1, int(count * width / widest))
    return textwrap.wrap(text, 20)


def cost_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of GFLOPs or ms with plain numbers at round places."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    _plain_ticks(axes.xaxis, low, high)


def error_axis(axes: Axes, low: float, high: float) -> None:
    """The same upwards, for percent of wrong answers."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    _plain_ticks(axes.yaxis, low, high)


def _plain_ticks(axis: Axis, low: float, high: float) -> None:
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def log_ticks(low: float, high: float) -> list[float]:
    """Four to about ten round numbers from `low` to `high`; `low` is above zero."""
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9)):
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 4:
            return ticks
    span = high - low
    unit = 10.0 ** math.floor(math.log10(span / 4))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if span / (unit * factor) <= 7)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def limits(values: Sequence[float], share: float = 0.06, least: float = 1.0) -> tuple[float, float]:
    """Lowest and highest value with some room around them."""
    low, high = min(values), max(values)
    room = max((high - low) * share, least / 2)
    return low - room, high + room


# Equal figures give equal files: no dates.
_STAMPS: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def image(figure: Figure, kind: str) -> bytes:
    """The figure as a file's content: png, svg or pdf."""
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format=kind, dpi=DPI, facecolor=figure.get_facecolor(), metadata=_STAMPS.get(kind))
    return buffer.getvalue()
