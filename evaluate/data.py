"""Any image set -> tensors that stay on the device, with one held-out part of *train* to score on.

Two sources: ``digits``, embedded in scikit-learn (1,797 grey images of 8x8, 10 classes), and a folder of parquet files
in the Hugging Face image layout. The test split is never opened: scores steer the search, and what steers it must not
be what a result is reported on.
"""

from __future__ import annotations

import dataclasses
import io
import os
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor

DIGITS = "digits"
DIGITS_HELD_OUT = 0.2
HELD_OUT, MOST_HELD_OUT = 0.1, 5_000
MIN_RESOLUTION, MAX_RESOLUTION = 4, 1024

_IMAGE_NAMES = ("image", "img", "images")
_LABEL_NAMES = ("label", "labels", "fine_label")
_NOT_TRAIN = re.compile(r"(test|val|valid|validation|dev|eval)(?![a-z])", re.IGNORECASE)


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

    @property
    def resolution(self) -> int:
        """Height and width in pixels."""
        return int(self.train_images.shape[-1])

    def to(self, device: str | torch.device) -> ImageData:
        """The same data on a device; itself if it is there already."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("train_images", "train_labels", "val_images", "val_labels")
        }
        return dataclasses.replace(self, **moved)


def load_data(spec: str | Path, resolution: int, seed: int = 0, train_images: int | None = None) -> ImageData:
    """Read an image set and hold out a stratified part of its training split.

    Args:
        spec: ``digits``, or a folder of parquet files (an image column and a column of whole-numbered labels).
            Files of a split other than train are not opened.
        resolution: height and width in pixels; larger images are cut to their central square and scaled.
        seed: which images are held out (20 % of digits, else 10 % and at most 5,000), and the order of all.
        train_images: keep only so many training images.

    Raises:
        ValueError: if there is nothing usable there; it names the folder or the file.
    """
    if type(resolution) is not int or not MIN_RESOLUTION <= resolution <= MAX_RESOLUTION:
        raise ValueError(f"resolution is {resolution!r}: expected {MIN_RESOLUTION} to {MAX_RESOLUTION} pixels")
    if str(spec) == DIGITS:
        return _digits(resolution, seed, train_images)
    return _folder(Path(spec), resolution, seed, train_images)


def _digits(resolution: int, seed: int, limit: int | None) -> ImageData:
    import torch
    from sklearn.datasets import load_digits
    from torch.nn import functional as F

    raw = load_digits()
    images = torch.from_numpy(raw.images).float()[:, None] * (255 / 16)
    if resolution != images.shape[-1]:
        images = F.interpolate(images, (resolution, resolution), mode="bilinear", antialias=True)
    pixels = images.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)
    labels = torch.from_numpy(raw.target).long()
    train, val = stratified_split(labels, 10, DIGITS_HELD_OUT, seed)
    train = train[:limit]
    names = tuple(str(digit) for digit in range(10))
    return ImageData(
        DIGITS, pixels[train].contiguous(), labels[train], pixels[val].contiguous(), labels[val], 10, names
    )


def stratified_split(labels: Tensor, classes: int, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of (train, held out): the same fraction of every class, at least one image each, in random order."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=rng)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    for number in range(classes):
        members = order[labels[order] == number]
        if len(members) > 1:
            held_out[members[: max(1, round(fraction * len(members)))]] = True
    return order[~held_out[order]], order[held_out[order]]


# ---------------------------------------------------------------------------------------------- parquet


def _folder(folder: Path, resolution: int, seed: int, limit: int | None) -> ImageData:
    import torch

    files = train_files(folder)
    for file in files:
        _check_parquet(file)
    with tempfile.TemporaryDirectory(prefix="archfrontier-") as cache:
        table = _read(folder, files, cache)
        image_column, label_column = _columns(folder, table.features)
        labels, names = _labels(folder, table, label_column)
        fraction = min(HELD_OUT, MOST_HELD_OUT / len(labels))
        train, val = stratified_split(labels, len(names), fraction, seed)
        if not len(val):
            raise ValueError(f"data {folder}: no class has two images, so none can be held out to score on")
        train = train[:limit]
        encoded = _as_encoded(table, image_column)
        train_images, val_images = (
            torch.from_numpy(_decode(folder, encoded, image_column, part.tolist(), resolution)) for part in (train, val)
        )
        del table, encoded  # they map files of the cache
    return ImageData(folder.resolve().name, train_images, labels[train], val_images, labels[val], len(names), names)


def train_files(folder: Path) -> list[Path]:
    """The parquet files of the training split: ``train*``, else those that no other split's name is on.

    Raises:
        ValueError: if the folder is missing or holds none.
    """
    if not folder.exists():
        raise ValueError(f"data {folder}: no such folder; give a folder of parquet files, or {DIGITS}")
    if not folder.is_dir():
        raise ValueError(f"data {folder} is a file: give the folder that holds the parquet files, or {DIGITS}")
    try:
        found = sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    except OSError as error:
        raise ValueError(f"data {folder} cannot be read: {error.strerror or error}") from error
    if not found:
        raise ValueError(f"data {folder} holds no .parquet file: expected the Hugging Face image layout")

    def parts(path: Path) -> Sequence[str]:  # data/train-00000-of-00001.parquet, default/train/0000.parquet
        return path.relative_to(folder).parts

    train = [path for path in found if any(part.lower().startswith("train") for part in parts(path))]
    train = [path for path in train if not _NOT_TRAIN.match(path.name)]
    rest = [path for path in found if not any(_NOT_TRAIN.match(part) for part in parts(path))]
    if not (train or rest):
        raise ValueError(f"data {folder} holds no training split, only {found[0].name}: name its files train*.parquet")
    return train or rest


def _check_parquet(file: Path) -> None:
    """Read the footer, so that a damaged file is named and not only its folder."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        rows = pq.read_metadata(file).num_rows
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file} is no readable parquet file: {_first_line(error)}") from error
    if not rows:
        raise ValueError(f"{file} holds no rows")


def _read(folder: Path, files: list[Path], cache: str) -> Any:
    import datasets

    bars = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        # `data_files` are patterns: escape what a path may hold of them
        names = [re.sub(r"([*?\[])", r"[\1]", str(file.resolve())) for file in files]
        return datasets.load_dataset("parquet", data_files={"train": names}, split="train", cache_dir=cache)
    except Exception as error:  # the library's own errors have no common class
        cause = error.__cause__ or error
        raise ValueError(f"data {folder} is damaged or not one table: {_first_line(cause)}") from error
    finally:
        if not bars:
            datasets.enable_progress_bars()


def _columns(folder: Path, features: Any) -> tuple[str, str]:
    """The names of the image and of the label column."""
    import datasets

    def is_image(feature: Any) -> bool:
        if isinstance(feature, dict):  # written without the Hugging Face metadata
            return "bytes" in feature
        return isinstance(feature, datasets.Image) or getattr(feature, "dtype", None) in ("binary", "large_binary")

    def is_label(feature: Any) -> bool:
        return isinstance(feature, datasets.ClassLabel) or "int" in str(getattr(feature, "dtype", ""))

    images = [name for name, feature in features.items() if is_image(feature)]
    labels = [name for name, feature in features.items() if is_label(feature)]
    found = ", ".join(features)
    if not images:
        raise ValueError(f"data {folder} has no image column (a struct of bytes and path): its columns are {found}")
    image = next((name for name in _IMAGE_NAMES if name in images), images[0])
    named = [name for name in _LABEL_NAMES if name in labels]
    classed = [name for name in labels if isinstance(features[name], datasets.ClassLabel)]
    if not (named or classed):
        raise ValueError(f"data {folder} has no column of whole-numbered labels named label: its columns are {found}")
    return image, (named or classed)[0]


def _labels(folder: Path, table: Any, column: str) -> tuple[Tensor, tuple[str, ...]]:
    """(labels from 0 to classes - 1, names of the classes)."""
    import torch

    values = list(table.with_format(None)[column])
    if None in values:
        raise ValueError(f"data {folder}: the label of row {values.index(None)} is missing")
    numbers = torch.tensor(values, dtype=torch.int64)
    present = sorted(set(values))
    if len(present) < 2:
        raise ValueError(f"data {folder} has one class only (label {present[0]}): expected two or more")
    names = getattr(table.features[column], "names", None)
    if names is None:
        return torch.searchsorted(torch.tensor(present), numbers), tuple(str(value) for value in present)
    if present[0] < 0 or present[-1] >= len(names):
        wrong = present[0] if present[0] < 0 else present[-1]
        raise ValueError(f"data {folder}: label {wrong} is outside its {len(names)} named classes")
    return numbers, tuple(names)


def _as_encoded(table: Any, column: str) -> Any:
    """The image column alone, as encoded bytes."""
    import datasets

    return table.select_columns([column]).cast_column(column, datasets.Image(decode=False))


def _decode(folder: Path, encoded: Any, column: str, rows: list[int], resolution: int) -> Any:
    """Those rows as a (n, 3, resolution, resolution) uint8 array."""
    import numpy as np
    from PIL import Image

    pixels = np.empty((len(rows), 3, resolution, resolution), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for at, row in enumerate(rows):
            value = encoded[row][column]
            if not value or not value.get("bytes"):
                raise ValueError(f"data {folder}: the image of row {row} holds no bytes")
            try:
                with Image.open(io.BytesIO(value["bytes"])) as image:
                    image.draft("RGB", (resolution, resolution))  # JPEG: decode no larger than needed
                    square = _square(image.convert("RGB"), resolution)
                pixels[at] = np.asarray(square).transpose(2, 0, 1)
            except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
                name = os.path.basename(str(value.get("path") or ""))
                raise ValueError(
                    f"data {folder}: the image of row {row}{f' ({name})' if name else ''} cannot be decoded: "
                    f"{_first_line(error)}"
                ) from error
    return pixels


def _square(image: Any, resolution: int) -> Any:
    """The central square, scaled."""
    from PIL import Image

    if image.size == (resolution, resolution):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((resolution, resolution), Image.Resampling.BILINEAR, box=box)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
