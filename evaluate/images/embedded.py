"""Images that need no folder and no network: fractals that a program makes, and scikit-learn's digits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from evaluate.images.cache import made
from evaluate.images.fractals import VERSION, Design, labels, pixels
from evaluate.images.sources import Spec, whole_options

FRACTALS_TRAIN = 8_000  # images, unless the data's options say otherwise
FRACTALS_HELD_OUT = FRACTALS_TEST = 4_000


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images of a split."""

    images: Tensor  # (n, 3, h, w) uint8
    labels: Tensor  # (n,) int64


@dataclass(frozen=True)
class Fractals:
    """What ``--data fractals`` means: a design, and how many images there are to train on."""

    design: Design
    images: int

    @classmethod
    def of(cls, spec: Spec) -> Fractals:
        """By the data's options.

        Raises:
            ValueError: for an impossible number.
        """
        options = whole_options(spec)
        usual = Design()
        design = Design(classes=options.get("classes", usual.classes), seed=options.get("seed", usual.seed))
        return cls(design, options.get("images", FRACTALS_TRAIN))

    @property
    def key(self) -> str:
        """Names the content at any resolution."""
        return hashlib.sha256(f"fractals {VERSION} {self}".encode()).hexdigest()

    @property
    def origin(self) -> str:
        """What they are, in words."""
        return f"fractals of {self.design.classes} classes, made from seed {self.design.seed}"

    def split(self, name: str, resolution: int, limit: int | None = None) -> Labelled:
        """The images of a split, or the first of them.

        Args:
            name: ``train``, ``held out`` or ``test``: each has random numbers of its own.
            resolution: height and width in pixels.
            limit: at most so many.
        """
        count = {"train": self.images, "held out": FRACTALS_HELD_OUT, "test": FRACTALS_TEST}[name]
        count = count if limit is None else min(count, limit)
        found: NDArray[np.uint8] = made(
            f"fractals {VERSION} {self.design} {name}",
            count,
            resolution,
            lambda: pixels(self.design, name, count, resolution),
        )
        return Labelled(torch.from_numpy(np.array(found)), torch.from_numpy(labels(self.design, name, count)))


def digits(resolution: int) -> tuple[Labelled, str]:
    """Scikit-learn's 1,797 digits of 8x8 pixels, enlarged or scaled down, as RGB; and what names their content."""
    from sklearn.datasets import load_digits  # a second to import, for data that few ask for

    raw = load_digits()
    images = torch.from_numpy(raw.images).float()[:, None] * (255 / 16)
    if resolution != images.shape[-1]:
        images = F.interpolate(images, (resolution, resolution), mode="bilinear", antialias=True)
    rgb = images.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)
    key = hashlib.sha256(raw.images.tobytes() + raw.target.astype("<i8").tobytes()).hexdigest()
    return Labelled(rgb, torch.from_numpy(raw.target).long()), key
