"""Images on the device -> batches to train on: augmented and normalised in one gather, nothing leaves the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluate.training.recipe import Recipe
from space import Preprocessing


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

    def preprocessing(self) -> Preprocessing:
        """The same in the units of a pixel divided by 255, for those who use the network."""
        mean = [each / 255 for each in self.mean.flatten().tolist()]
        std = [1 / (255 * each) for each in self.scale.flatten().tolist()]
        return Preprocessing((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) uint8 -> float32 of mean 0 and deviation 1, channels last."""
        return ((images.float() - self.mean) * self.scale).contiguous(memory_format=torch.channels_last)


class Augmenter:
    """Training batches by the images' numbers.

    All chance is drawn once an epoch, for every image (`draw`); `batch` only reads it. So a step needs no random
    numbers, and can be captured in a CUDA graph and replayed.

    Flip: mirrored with probability one half, where the recipe and the data allow it. Crop: shifted by up to an eighth
    of the resolution, what comes in repeats the border. Random resized crop (arXiv:1409.4842): a rectangle anywhere in
    the image, its area uniform from `Recipe.crop_area` to 1 and the logarithm of its aspect uniform from 3/4 to 4/3,
    as far as the image has room for it, enlarged to the whole by bilinear interpolation. Cutout: a square of
    `Recipe.cutout` pixels becomes the mean colour; its centre is anywhere in the image (arXiv:1708.04552).
    """

    def __init__(self, images: Tensor, normalise: Normaliser, recipe: Recipe, mirror: bool = True) -> None:
        """`images`: (n, 3, h, w) uint8 on the device; `mirror`: whether a mirrored image is still of its class."""
        self.pixels = images.permute(0, 2, 3, 1).contiguous()  # (n, h, w, 3): a gathered batch is channels last
        self.normalise = normalise
        self.flip = recipe.flip and mirror
        self.shift = max(1, images.shape[-1] // 8) if recipe.crop else 0
        self.area = recipe.crop_area
        self.cutout = recipe.cutout
        device, count = images.device, len(images)
        self.mirrored = torch.zeros(count, 1, dtype=torch.bool, device=device)
        self.shifts = torch.zeros(2, count, 1, dtype=torch.int64, device=device)
        # Of each image's rectangle: half its height and width, its centre; in units where the image is -1 to 1.
        self.halves = torch.ones(2, count, 1, device=device)
        self.centres = torch.zeros(2, count, 1, device=device)
        self.corners = torch.zeros(2, count, 1, dtype=torch.int64, device=device)
        self.rows = torch.arange(images.shape[-2], device=device)
        self.columns = torch.arange(images.shape[-1], device=device)

    def draw(self, rng: torch.Generator) -> None:
        """Chance for the next epoch, into the same memory."""
        device = self.pixels.device
        if self.flip:
            self.mirrored.copy_(torch.rand(self.mirrored.shape, generator=rng, device=device) < 0.5)
        if self.shift:
            shape = tuple(self.shifts.shape)
            self.shifts.copy_(torch.randint(-self.shift, self.shift + 1, shape, generator=rng, device=device))
        if self.area < 1:
            area, aspect, down, right = torch.rand(4, *self.mirrored.shape, generator=rng, device=device)
            area = self.area + (1 - self.area) * area
            # width^2 = area * aspect and height^2 = area / aspect, and neither is more than the image's
            widest = (-area.log()).clamp(max=math.log(4 / 3))
            aspect = ((2 * aspect - 1) * widest).exp()
            self.halves.copy_(torch.stack([area / aspect, area * aspect]).sqrt().clamp(max=1))
            self.centres.copy_((2 * torch.stack([down, right]) - 1) * (1 - self.halves))
        if self.cutout:
            for corner, size in zip(self.corners, self.pixels.shape[1:3], strict=True):
                corner.copy_(torch.randint(0, size, tuple(corner.shape), generator=rng, device=device))
            self.corners -= self.cutout // 2

    def batch(self, chosen: Tensor) -> Tensor:
        """(b,) numbers of images -> (b, 3, h, w) float32, channels last."""
        images = self._resized(chosen) if self.area < 1 else self._moved(chosen)
        images = (images - self.normalise.mean) * self.normalise.scale
        if self.cutout:
            top, left = self.corners[:, chosen]
            hidden_rows = (self.rows >= top) & (self.rows < top + self.cutout)
            hidden_columns = (self.columns >= left) & (self.columns < left + self.cutout)
            images = images.masked_fill((hidden_rows[:, :, None] & hidden_columns[:, None, :])[:, None], 0.0)
        return images

    def _resized(self, chosen: Tensor) -> Tensor:
        """Random resized crops, mirrored or not: (b, 3, h, w) float32 in 0..255, channels last."""
        places, sizes = [], self.pixels.shape[1:3]
        for size, half, centre in zip(sizes, self.halves[:, chosen], self.centres[:, chosen], strict=True):
            ends = torch.linspace(-1 + 1 / size, 1 - 1 / size, size, device=chosen.device)  # the pixels' centres
            places.append(centre + half * ends)  # (b, size)
        rows, columns = places
        if self.flip:
            columns = columns.where(~self.mirrored[chosen], columns.flip(1))
        height, width = rows.shape[1], columns.shape[1]
        grid = torch.stack([columns[:, None].expand(-1, height, -1), rows[:, :, None].expand(-1, -1, width)], -1)
        pixels = self.pixels.index_select(0, chosen).permute(0, 3, 1, 2).float()
        cut = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return cut.contiguous(memory_format=torch.channels_last)

    def _moved(self, chosen: Tensor) -> Tensor:
        """Images shifted and mirrored, or as they are: (b, 3, h, w) float32 in 0..255, channels last."""
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
        return pixels.permute(0, 3, 1, 2).float()
