"""Tables of images, whatever holds them: which columns are meant, what the labels are, the images row by row.

Only the columns that are needed are read, a batch at a time, so a table may be larger than the memory. `parquet` and
`hub` open the tables.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluate.images.decode import Encoded, Source

_IMAGE_NAMES = ("image", "img", "images")
_LABEL_NAMES = ("label", "labels", "fine_label")
TEST = re.compile(r"test(?![a-z])", re.IGNORECASE)
VALIDATION = re.compile(r"(val|valid|validation|dev|eval)(?![a-z])", re.IGNORECASE)
BATCH = 1024  # rows
_UNKNOWN = (None, -1)  # labels of images that have none


@dataclass(frozen=True)
class Part:
    """A piece of a table: a file, or a split of a hub dataset."""

    name: str  # what an error calls it
    read: Callable[[str], Iterator[Any]]  # name of a column -> its Arrow arrays, in order


@dataclass(frozen=True)
class Table:
    """One split of a table, with its columns chosen."""

    what: str  # how errors begin
    name: str
    origin: str
    image: str
    label: str
    label_feature: Any
    parts: Sequence[Part]
    stamp: str
    follow: bool = False  # whether a row may name a file in place of holding bytes

    def values(self) -> list[Any]:
        """The label column as it is stored."""
        return [value for part in self.parts for array in part.read(self.label) for value in array.to_pylist()]

    def source(self, values: list[Any]) -> Source:
        """With its labels read.

        Raises:
            ValueError: if one is missing or impossible.
        """
        labels, names = self._labels(values)
        return Source(
            name=self.name,
            origin=self.origin,
            labels=labels,
            class_names=names,
            encoded=self.encoded,
            digest=lambda: self._digest([names[label] for label in labels]),
            stamp="\n".join([self.stamp, self.image, self.label]),
            reads_all=True,
        )

    def encoded(self) -> Iterator[Encoded]:
        """The images, row by row."""
        for part in self.parts:
            row = -1
            for array in part.read(self.image):
                for scalar in array:
                    row += 1
                    value = scalar.as_py()
                    value = value if isinstance(value, dict) else {"bytes": value}
                    path = value.get("path") or ""
                    where = f"{self.what}: the image of row {row} of {part.name}"
                    if name := os.path.basename(path):
                        where += f" ({name})"
                    followed = path and self.follow and not value["bytes"]
                    yield Encoded(where, Path(path) if followed else value["bytes"] or b"")

    def _labels(self, values: list[Any]) -> tuple[Any, tuple[str, ...]]:
        """(labels from 0 to classes - 1, names of the classes)."""
        if None in values:
            raise ValueError(f"{self.what}: the label of {self._row(values.index(None))} is missing")
        names = getattr(self.label_feature, "names", None)
        if names is None:
            present, labels = np.unique(np.array(values), return_inverse=True)
            return labels.astype(np.int64), tuple(str(value) for value in present)
        for value in {min(values), max(values)}:
            if not 0 <= value < len(names):
                where = self._row(values.index(value))
                raise ValueError(f"{self.what}: label {value} of {where} is outside its {len(names)} named classes")
        return np.array(values, np.int64), tuple(names)

    def _row(self, row: int) -> str:
        for part in self.parts[:-1]:
            rows = sum(len(array) for array in part.read(self.label))
            if row < rows:
                return f"row {row} of {part.name}"
            row -= rows
        return f"row {row} of {self.parts[-1].name}"

    def _digest(self, labels: list[str]) -> str:
        """Of every image's bytes and its class: how the rows are spread over files does not matter."""
        content = hashlib.sha256()
        for image, label in zip(self.encoded(), labels, strict=True):
            for part in (image.read(), label.encode()):
                content.update(len(part).to_bytes(8, "big"))
                content.update(part)
        return content.hexdigest()


def first_labelled(what: str, tables: Iterable[Table]) -> Source:
    """The first one with labels: some test splits are published without."""
    passed = []
    for table in tables:
        values = table.values()
        if any(value not in _UNKNOWN for value in values):
            return table.source(values)
        passed.append(table.parts[0].name)
    if passed:
        raise ValueError(f"{what}: the images of {', '.join(passed)} have no labels: nothing to evaluate on")
    raise ValueError(f"{what} has no test and no validation split: nothing to evaluate on but what was trained on")


def find_columns(what: str, features: Mapping[str, Any], options: Mapping[str, str]) -> tuple[str, str]:
    """The names of the image and of the label column."""
    import datasets

    def is_image(feature: Any) -> bool:
        if isinstance(feature, dict):  # written without the Hugging Face metadata
            return "bytes" in feature
        return isinstance(feature, datasets.Image) or getattr(feature, "dtype", None) in ("binary", "large_binary")

    def is_label(feature: Any) -> bool:
        kind = str(getattr(feature, "dtype", ""))
        return isinstance(feature, datasets.ClassLabel) or "int" in kind or kind in ("bool", "string", "large_string")

    found = ", ".join(features)
    for column in (options[option] for option in ("image", "label") if option in options):
        if column not in features:
            raise ValueError(f"{what} has no column {column}: its columns are {found}")
    images = [name for name, feature in features.items() if is_image(feature)]
    labels = [name for name, feature in features.items() if is_label(feature)]
    if not images:
        raise ValueError(f"{what} has no image column (a struct of bytes and path): its columns are {found}")
    image = options.get("image") or next((name for name in _IMAGE_NAMES if name in images), images[0])
    if image not in images:
        raise ValueError(f"{what}: column {image} holds no images, but {', '.join(images)} may")
    named = [name for name in _LABEL_NAMES if name in labels]
    classed = [name for name in labels if isinstance(features[name], datasets.ClassLabel)]
    if "label" in options:
        named = [options["label"]]
    if not (named or classed):
        raise ValueError(f"{what} has no column of labels named label: choose one by ?label=, of {found}")
    label = (named or classed)[0]
    if label not in labels:
        raise ValueError(f"{what}: column {label} holds no classes (whole numbers or words)")
    return image, label


def said(items: Sequence[tuple[str, bool]], image: str, label: str, options: Mapping[str, str]) -> str:
    """What is read, in words: first what the user chose, then what was guessed."""
    columns = [(f"{kind} column {name}", kind not in options) for kind, name in (("image", image), ("label", label))]
    chosen = ", ".join(text for text, guessed in (*items, *columns) if not guessed)
    guesses = ", ".join(text for text, guessed in (*items, *columns) if guessed)
    return "; ".join(filter(None, [chosen, guesses and f"{guesses} (guessed)"]))


def stamp_of(files: Sequence[Path]) -> str:
    """The files as they are now."""
    now = [(file.resolve(), file.stat()) for file in files]
    return "\n".join(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in now)
