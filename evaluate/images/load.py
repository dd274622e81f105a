"""Any image set -> tensors that stay on the device, with one held-out part of *train* to score on.

What can be given is listed in `evaluate.images.sources`: fractals that a program makes, embedded digits, a folder of
parquet files or of images, a name on the Hugging Face hub. Images are decoded or made once for each resolution and
kept by `evaluate.images.cache`.

The test split is never opened by `load_data`: scores steer the search, and what steers it must not be what a result is
reported on. `load_test` is for that report alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluate.images.cache import MOST_NAMED, Decoded, decoded
from evaluate.images.decode import Source
from evaluate.images.embedded import Fractals, digits
from evaluate.images.sources import DIGITS, FRACTALS, open_source, parse_spec, split_options
from space.shell.names import safe_name
from space.shell.words import amount

DIGITS_HELD_OUT = 0.2
HELD_OUT, MOST_HELD_OUT = 0.1, 5_000
MIN_RESOLUTION, MAX_RESOLUTION = 4, 1024


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images to train on and images to score on. Both sets are in random order, so a prefix is a fair sample."""

    name: str
    train_images: Tensor  # (n, 3, h, w) uint8
    train_labels: Tensor  # (n,) int64, 0 .. classes - 1
    val_images: Tensor  # (m, 3, h, w) uint8
    val_labels: Tensor  # (m,) int64
    classes: int
    class_names: tuple[str, ...] = ()
    origin: str = ""  # what was read, and what of it was guessed, in words
    key: str = ""  # names the content of the split, at any resolution and wherever it lies; see `load_data`
    broken: tuple[str, ...] = ()  # where images lie that were left out, and why
    mirror: bool = True  # whether a mirrored image is still of its class; not so for digits

    def __post_init__(self) -> None:
        # A pixel's colours side by side: so a training gathers its batches from the images as they are, without a copy.
        pixels = self.train_images.contiguous(memory_format=torch.channels_last)
        object.__setattr__(self, "train_images", pixels)

    @property
    def resolution(self) -> int:
        """Height and width in pixels."""
        return int(self.train_images.shape[-1])

    def broken_json(self) -> dict[str, Any]:
        """What a report says of images that were left out: how many, and the first ten; nothing if there are none."""
        if not self.broken:
            return {}
        return {"broken_images": {"count": len(self.broken), "first": list(self.broken[:MOST_NAMED])}}

    def to(self, device: str | torch.device) -> ImageData:
        """The same data on a device; itself if it is there already."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("train_images", "train_labels", "val_images", "val_labels")
        }
        return dataclasses.replace(self, **moved)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images for a final evaluation, in the order in which they are stored."""

    name: str
    images: Tensor  # (n, 3, h, w) uint8
    labels: Tensor  # (n,) int64, numbered as in training
    class_names: tuple[str, ...]
    origin: str
    key: str

    def to(self, device: str | torch.device) -> LabelledImages:
        """The same images on a device; itself if they are there already."""
        return dataclasses.replace(self, images=self.images.to(device), labels=self.labels.to(device))


def data_name(spec: str | Path) -> str:
    """A short name for a ``--data`` that can be part of a file's name.

    ``uoft-cs/cifar100?label=fine_label`` becomes ``cifar100``. Nothing is opened, and nothing needs to exist.
    """
    place, _ = split_options(str(spec))
    return safe_name(os.path.basename(os.path.realpath(place)))[:80]  # a link to itself is no error yet


def load_data(spec: str | Path, resolution: int, seed: int = 0, train_images: int | None = None) -> ImageData:
    """Read an image set and hold out a stratified part of its training split.

    The data's ``key`` is a digest of all its images' bytes and classes in their order; for a folder of images it is one
    of the files' paths below the split's folder and their sizes.

    Args:
        spec: ``fractals``, ``digits``, a folder of parquet files or of images, or a hub name; with options behind a
            question mark, as `evaluate.images.sources` says, among them to leave out broken images. Files of a split
            other than train are not opened.
        resolution: height and width in pixels; images are cut to their central square and scaled.
        seed: which images are held out (20 % of digits, else 10 % and at most 5,000), and the order of all. Fractals
            have a held-out split of their own, the same for every seed.
        train_images: keep only so many training images.

    Raises:
        ValueError: if there is nothing usable there; it names the folder, the file or the row.
    """
    _check_resolution(resolution)
    parsed = parse_spec(spec)
    if parsed.kind in ("fractals", "digits"):
        if train_images is not None and train_images < 2:
            raise ValueError(f"data {parsed.place}: {train_images} image to train on: expected two or more")
        if parsed.kind == "fractals":
            return load_fractals(Fractals.of(parsed), resolution, train_images)
        return _digits(resolution, seed, train_images)
    source = open_source(parsed)
    found = decoded(source, resolution, skip_broken=True) if parsed.skip_broken else None
    kept = np.arange(len(source.labels))
    if found is not None and found.broken:
        source, kept = _without(source, found.broken)
    if len(present := np.unique(source.labels)) < 2:
        only = source.class_names[present[0]]
        raise ValueError(
            f"data {parsed.place} has one class only ({only}): expected two or more, and many images of each"
        )
    labels = torch.from_numpy(source.labels)
    fraction = min(HELD_OUT, MOST_HELD_OUT / len(labels))
    train, val = stratified_split(labels, len(source.class_names), fraction, seed)
    if not len(val):
        raise ValueError(f"data {parsed.place}: no class has two images, so none can be held out to score on")
    train = train[:train_images]
    if len(train) < 2:
        raise ValueError(f"data {parsed.place} has {len(train)} image to train on, {len(val)} held out: expected more")
    found = decoded(source, resolution) if found is None else found
    pixels = np.asarray(found.pixels)
    train_pixels, val_pixels = (torch.from_numpy(pixels[kept[part.numpy()]]) for part in (train, val))
    return ImageData(
        source.name,
        train_pixels,
        labels[train],
        val_pixels,
        labels[val],
        len(source.class_names),
        source.class_names,
        source.origin,
        _key(found),
        tuple(found.broken.values()),
    )


def _without(source: Source, broken: Collection[int]) -> tuple[Source, NDArray[np.int64]]:
    """A source's labels without those of broken images, and the numbers of the images that are kept."""
    kept = np.setdiff1d(np.arange(len(source.labels)), np.array(list(broken), np.int64))
    labels = source.labels[kept]
    if gone := [name for number, name in enumerate(source.class_names) if not (labels == number).any()]:
        raise ValueError(f"data {source.name}: all images of class {gone[0]} are broken: expected two or more whole")
    origin = f"{source.origin}; {amount(len(broken), 'broken image')} left out"
    return dataclasses.replace(source, labels=labels, origin=origin), kept


def _key(found: Decoded) -> str:
    """Names what is left of a source's content."""
    if not found.broken:
        return found.key
    return hashlib.sha256(f"{found.key} without {sorted(found.broken)}".encode()).hexdigest()


def load_test(spec: str | Path, resolution: int) -> LabelledImages:
    """Read the split that nothing was chosen on: test, else validation. For a final evaluation only.

    Args:
        spec: as for `load_data`. An option ``split`` says what was trained on, and is not evaluated on.
        resolution: height and width in pixels.

    Raises:
        ValueError: if there is no such split, its images have no labels, or they are of classes that train has not.
    """
    _check_resolution(resolution)
    parsed = parse_spec(spec)
    if parsed.kind == "digits":
        raise ValueError(f"data {DIGITS} has no test split: its only honest score is on the part held out of train")
    if parsed.kind == "fractals":
        fractals = Fractals.of(parsed)
        made, names = fractals.split("test", resolution), _numbered(fractals.design.classes)
        return LabelledImages(FRACTALS, made.images, made.labels, names, fractals.origin, f"{fractals.key} test")
    train, test = open_source(parsed), open_source(parsed, final=True)
    known = {name: number for number, name in enumerate(train.class_names)}
    if unknown := [test.class_names[n] for n in np.unique(test.labels) if test.class_names[n] not in known]:
        raise ValueError(
            f"data {parsed.place}: class {unknown[0]} of the images to evaluate on ({test.origin}) is none of the "
            f"{len(known)} classes of train"
        )
    found = decoded(test, resolution, parsed.skip_broken)
    kept = np.arange(len(test.labels))
    if found.broken:
        test, kept = _without(test, found.broken)
    numbers = np.array([known.get(name, -1) for name in test.class_names], np.int64)[test.labels]
    images = torch.from_numpy(np.array(found.pixels[kept]))
    return LabelledImages(test.name, images, torch.from_numpy(numbers), train.class_names, test.origin, _key(found))


def _check_resolution(resolution: int) -> None:
    if type(resolution) is not int or not MIN_RESOLUTION <= resolution <= MAX_RESOLUTION:
        raise ValueError(f"resolution is {resolution!r}: expected {MIN_RESOLUTION} to {MAX_RESOLUTION} pixels")


def load_fractals(fractals: Fractals, resolution: int, limit: int | None = None) -> ImageData:
    """Images of a design, at most `limit` of them to train on."""
    train, val = fractals.split("train", resolution, limit), fractals.split("held out", resolution)
    return ImageData(
        FRACTALS,
        train.images,
        train.labels,
        val.images,
        val.labels,
        classes=fractals.design.classes,
        class_names=_numbered(fractals.design.classes),
        origin=fractals.origin,
        key=fractals.key,
    )


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(classes))


def _digits(resolution: int, seed: int, limit: int | None) -> ImageData:
    all_digits, key = digits(resolution)
    pixels, labels = all_digits.images, all_digits.labels
    train, val = stratified_split(labels, 10, DIGITS_HELD_OUT, seed)
    return ImageData(
        DIGITS,
        pixels[train[:limit]].contiguous(),
        labels[train[:limit]],
        pixels[val].contiguous(),
        labels[val],
        classes=10,
        class_names=_numbered(10),
        origin="digits of scikit-learn",
        key=key,
        mirror=False,
    )


def stratified_split(labels: Tensor, classes: int, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of (train, held out): the same fraction of every class, at least one image each, in random order."""
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=rng)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    for number in range(classes):
        members = order[labels[order] == number]
        if len(members) > 1:
            held_out[members[: max(1, round(fraction * len(members)))]] = True
    return order[~held_out[order]], order[held_out[order]]
