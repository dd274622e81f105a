"""The other pictures of a run for its page: small, in both themes, or why there is nothing to show."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.plots import PLOTS, draw, plot_data

if TYPE_CHECKING:
    from results.run import Run

ELSEWHERE = ("frontier",)  # the page draws it itself


@dataclass(frozen=True)
class ReportPicture:
    """One picture; its address is a data URL for each theme."""

    name: str
    meaning: str  # one line
    caption: str  # what its data says of itself; empty if nothing
    size: tuple[int, int]  # pixels
    addresses: tuple[tuple[str, str], ...]  # theme and URL; none if there is nothing to show
    reason: str = ""  # why there is not


def report_pictures(run: Run, drawn: Mapping[tuple[str, str], bytes] | None = None) -> tuple[ReportPicture, ...]:
    """All pictures of `PLOTS` but those that the page draws itself.

    Args:
        run: of which.
        drawn: PNGs that are there already, by name and theme.
    """
    return tuple(_picture(run, name, drawn or {}) for name in PLOTS if name not in ELSEWHERE)


def _picture(run: Run, name: str, drawn: Mapping[tuple[str, str], bytes]) -> ReportPicture:
    from results.style import THEMES, image

    try:
        data = plot_data(name, run)
    except ValueError as error:
        return ReportPicture(name, PLOTS[name], "", (0, 0), (), str(error))
    addresses, size = [], (0, 0)
    for theme in THEMES.values():
        content = drawn.get((name, theme.name)) or image(draw(name, data, theme), "png")
        size, small = _smaller(content)
        addresses.append((theme.name, "data:image/webp;base64," + base64.b64encode(small).decode()))
    return ReportPicture(name, PLOTS[name], str(getattr(data, "caption", "")), size, tuple(addresses))


def _smaller(content: bytes) -> tuple[tuple[int, int], bytes]:
    """A PNG's size in pixels, and the same picture as WebP: nothing is lost, and it takes less than half the room."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as opened:
        opened.convert("RGB").save(buffer, "webp", lossless=True, quality=50, method=1)
        return opened.size, buffer.getvalue()
