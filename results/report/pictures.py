"""The other pictures of a run for its page: small, in both themes, or why there is nothing to show."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from results.plots import PLOTS, draw, drawable, plot_data
from results.plots.style import THEMES, image
from results.run.run import Run

ELSEWHERE = ("frontier",)  # the page draws it itself
LAST = ("published",)  # the same for every run


@dataclass(frozen=True)
class ReportPicture:
    """One picture; its address is a data URL for each theme."""

    name: str
    meaning: str  # one line
    caption: str  # what its data says of itself; empty if nothing
    size: tuple[int, int]  # pixels
    addresses: tuple[tuple[str, str], ...]  # theme and URL; none if there is nothing to show
    reason: str = ""  # why there is not


def report_pictures(
    run: Run, found: Mapping[str, Any] | None = None, drawn: Mapping[str, bytes] | None = None
) -> tuple[ReportPicture, ...]:
    """All pictures of `PLOTS` but those that the page draws itself.

    Args:
        run: of which.
        found: what pictures show, by name, where `plot_data` has been asked already.
        drawn: their light PNGs, where there are some.
    """
    names = sorted(
        (name for name in drawable(run, tuple(PLOTS)) if name not in ELSEWHERE), key=lambda name: name in LAST
    )
    return tuple(_picture(run, name, found or {}, drawn or {}) for name in names)


def _picture(run: Run, name: str, found: Mapping[str, Any], drawn: Mapping[str, bytes]) -> ReportPicture:
    try:
        data = found[name] if name in found else plot_data(name, run)
        empty = str(getattr(data, "empty", ""))
    except ValueError as error:
        empty = str(error)
    if empty:
        return ReportPicture(name, PLOTS[name], "", (0, 0), (), empty)
    addresses, size = [], (0, 0)
    for theme in THEMES.values():
        there = drawn.get(name) if theme.name == "light" else None
        size, small = _smaller(there or image(draw(name, data, theme), "png"))
        addresses.append((theme.name, "data:image/webp;base64," + base64.b64encode(small).decode()))
    return ReportPicture(name, PLOTS[name], str(getattr(data, "caption", "")), size, tuple(addresses))


def _smaller(content: bytes) -> tuple[tuple[int, int], bytes]:
    """A PNG's size in pixels, and the picture in 256 colours as WebP without loss: less than half the room.

    Of 256 levels no colour moves by more than about twenty, which lines and letters do not show.
    """
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        few = opened.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.convert("RGB").save(buffer, "webp", lossless=True, quality=50, method=1)
        return opened.size, buffer.getvalue()
