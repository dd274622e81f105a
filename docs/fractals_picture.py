"""The picture of docs/fractals.md: ``python -m docs.fractals_picture docs/fractals.png``.

A row a class: as large as they are seen, 64 pixels, then as a proxy is trained on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from evaluate.images.fractals import Design, labels, pixels
from evaluate.training.presets import RECIPES

LARGE, SIDE, GAP = 64, 64, 8  # pixels of an image as made, as drawn, and between the two halves
COLUMNS = 8  # of each half


def picture(design: Design) -> Image.Image:
    """The first images of each class's training split."""
    count = 4 * COLUMNS * design.classes
    numbers = labels(design, "train", count)
    halves = []
    for resolution in (LARGE, RECIPES["fractals"].resolution):
        images = np.concatenate(list(pixels(design, "train", count, resolution)))
        rows = [np.concatenate(list(images[numbers == each][:COLUMNS]), -1) for each in range(design.classes)]
        half = Image.fromarray(np.concatenate(rows, 1).transpose(1, 2, 0))
        halves.append(half.resize((COLUMNS * SIDE, design.classes * SIDE), Image.Resampling.NEAREST))
    whole = Image.new("RGB", (2 * halves[0].width + GAP, halves[0].height), "white")
    whole.paste(halves[0], (0, 0))
    whole.paste(halves[1], (halves[0].width + GAP, 0))
    return whole.quantize(256)


if __name__ == "__main__":
    picture(Design()).save(Path(sys.argv[1]), optimize=True)
