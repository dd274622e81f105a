"""Images on the device -> batches to train on: augmented and normalised in one gather, nothing leaves the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from evaluate.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Mean and inverse standard deviation a channel, (1, 3, 1, 1), in units of 0..255."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, images: Tensor) -> Normaliser:
        """The statistics of at most 10,000 images, (n, 3, h, w) uint8."""
        sample = images[:10_000].float()
        mean = sample.mean((0, 2, 3), keepdim=True)
        deviation = sample.std((0, 2, 3), keepdim=True).clamp_min(1.0)
        return cls(mean, 1 / deviation)

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) uint8 -> float32 of mean 0 and deviation 1, channels last."""
        import torch

        return ((images.float() - self.mean) * self.scale).contiguous(memory_format=torch.channels_last)


class Augmenter:
    """Training batches by the images' numbers.

    All chance is drawn once an epoch, for every image (`draw`); `batch` only reads it. So a step needs no random
    numbers, and can be captured in a CUDA graph and replayed.

    Flip: mirrored with probability one half, where the recipe and the data allow it. Crop: shifted by up to an eighth
    of the resolution, what comes in repeats the border. Cutout: a square of `Recipe.cutout` pixels becomes the mean
    colour; its centre is anywhere in the image (arXiv:1708.04552).
    """

    def __init__(self, images: Tensor, normalise: Normaliser, recipe: Recipe, mirror: bool = True) -> None:
        """`images`: (n, 3, h, w) uint8 on the device; `mirror`: whether a mirrored image is still of its class."""
        import torch

        self.pixels = images.permute(0, 2, 3, 1).contiguous()  # (n, h, w, 3): a gathered batch is channels last
        self.normalise = normalise
        self.flip = recipe.flip and mirror
        self.shift = max(1, images.shape[-1] // 8) if recipe.crop else 0
        self.cutout = recipe.cutout
        device, count = images.device, len(images)
        self.mirrored = torch.zeros(count, 1, dtype=torch.bool, device=device)
        self.shifts = torch.zeros(2, count, 1, dtype=torch.int64, device=device)
        self.corners = torch.zeros(2, count, 1, dtype=torch.int64, device=device)
        self.rows = torch.arange(images.shape[-2], device=device)
        self.columns = torch.arange(images.shape[-1], device=device)

    def draw(self, rng: torch.Generator) -> None:
        """Chance for the next epoch, into the same memory."""
        import torch

        device = self.pixels.device
        if self.flip:
            self.mirrored.copy_(torch.rand(self.mirrored.shape, generator=rng, device=device) < 0.5)
        if self.shift:
            shape = tuple(self.shifts.shape)
            self.shifts.copy_(torch.randint(-self.shift, self.shift + 1, shape, generator=rng, device=device))
        if self.cutout:
            for corner, size in zip(self.corners, self.pixels.shape[1:3], strict=True):
                corner.copy_(torch.randint(0, size, tuple(corner.shape), generator=rng, device=device))
            self.corners -= self.cutout // 2

    def batch(self, chosen: Tensor) -> Tensor:
        """(b,) numbers of images -> (b, 3, h, w) float32, channels last."""
        height, width = self.pixels.shape[1:3]
        if not (self.flip or self.shift):
            pixels = self.pixels.index_select(0, chosen)
        else:
            rows, columns = self.rows.expand(len(chosen), -1), self.columns.expand(len(chosen), -1)  # (b, h), (b, w)
            if self.flip:
                columns = columns.where(~self.mirrored[chosen], width - 1 - columns)
            if self.shift:
                down, right = self.shifts[:, chosen]
                rows, columns = (rows + down).clamp(0, height - 1), (columns + right).clamp(0, width - 1)
            pixels = self.pixels[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        images = (pixels.permute(0, 3, 1, 2).float() - self.normalise.mean) * self.normalise.scale
        if self.cutout:
            top, left = self.corners[:, chosen]
            hidden_rows = (self.rows >= top) & (self.rows < top + self.cutout)
            hidden_columns = (self.columns >= left) & (self.columns < left + self.cutout)
            images = images.masked_fill((hidden_rows[:, :, None] & hidden_columns[:, None, :])[:, None], 0.0)
        return images
