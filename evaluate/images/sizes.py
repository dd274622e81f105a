"""How large images are as they are stored, so that it can be said what becomes of them."""

from __future__ import annotations

import contextlib
import io
from itertools import islice
from pathlib import Path

from PIL import Image

from evaluate.images.decode import FORMATS
from evaluate.images.sources import open_source, parse_spec

DIGITS_SIZE = (8, 8)
LOOKED_AT = 100  # images


def stored_sizes(spec: str | Path) -> tuple[tuple[int, int], ...]:
    """The sizes (width, height) of the first hundred images of the training split, each once, in ascending order.

    Args:
        spec: as for `evaluate.images.load.load_data`.

    Raises:
        ValueError: if there is nothing usable there.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "digits":
        return (DIGITS_SIZE,)
    if parsed.kind == "fractals":  # made at any size
        return ()
    sizes: set[tuple[int, int]] = set()
    for item in islice(open_source(parsed).encoded(), LOOKED_AT):
        # what cannot be decoded is refused or left out by those who decode it
        with contextlib.suppress(ValueError, OSError), Image.open(io.BytesIO(item.read()), formats=FORMATS) as image:
            sizes.add(image.size)  # the header alone was read
    return tuple(sorted(sizes))


def resizing(sizes: tuple[tuple[int, int], ...], input_size: int) -> str | None:
    """What becomes of images of these sizes at an input size, in words; None where they are of it."""
    if sizes in ((), ((input_size, input_size),)):
        return None
    sides = [min(size) for size in sizes]
    from_to = " to ".join(f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
    cut = "cut to their central square and " if any(width != height for width, height in sizes) else ""
    scaled = "scaled"
    if max(sides) < input_size:
        scaled = "enlarged"
    elif min(sides) > input_size:
        scaled = "scaled down"
    beside = ", which adds no detail" if scaled == "enlarged" else ""
    return f"images are {from_to} pixels: {cut}{scaled} to {input_size}x{input_size}{beside}"
