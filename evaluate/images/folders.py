"""Folders of image files, a folder a class: ``train/<class>/*.jpg``, or ``<class>/*.jpg``.

Only names are read here; a file is opened when it is decoded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluate.images.decode import Encoded, Source

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff")
LAYOUT = "expected a folder a class, such as train/cat/1.jpg or cat/1.jpg"

_TRAIN = ("train", "training")
_TEST = ("test", "testing")
_VALIDATION = ("val", "valid", "validation", "dev", "eval")


def open_images(folder: Path, files: Sequence[str], options: Mapping[str, str], final: bool) -> Source:
    """The training split of a folder of images, or the split for a final evaluation.

    A class is a folder, in alphabetical order; images may lie deeper in it. The digest is of the files' paths and
    sizes, not of what is in them: reading a large set just to name it would take as long as decoding it.

    Args:
        folder: what the user gave.
        files: all its image files, relative to it, sorted.
        options: ``split``, where the user chose: the name of a folder.
        final: whether the split for the final evaluation is meant: ``test``, else ``val``.

    Raises:
        ValueError: if there is nothing usable; it names the folder or the file.
    """
    wrong = [option for option in options if option != "split"]
    if wrong:
        raise ValueError(
            f"data {folder} is a folder of images, which has no {wrong[0]} to choose: expected ?split= only"
        )
    tops = sorted({name.split(os.sep, 1)[0] for name in files if os.sep in name})
    train = _train(folder, tops, options.get("split"))
    if final:
        known = (_TEST, _VALIDATION)
        rest = [top for kind in known for top in tops if top.lower() in kind and top != train]
        if not rest:
            raise ValueError(f"data {folder} has no folder test or val: nothing to evaluate on but what was trained on")
        split: str | None = rest[0]
    else:
        split = train
    chosen = _of_split(files, split)
    for name in chosen:
        if os.sep not in name:
            where = os.path.join(split or "", name)
            raise ValueError(f"data {folder}: image {where} lies in no class folder, so it has no label: {LAYOUT}")
    return _source(folder, split, chosen, "split" not in options or final)


def _train(folder: Path, tops: Sequence[str], asked: str | None) -> str | None:
    """The folder of the training split; None if the classes lie directly in the data's folder."""
    if asked is not None:
        if asked not in tops:
            raise ValueError(
                f"data {folder} has no split {asked}: its folders with images are {', '.join(tops) or 'none'}"
            )
        return asked
    if train := [top for top in tops if top.lower() in _TRAIN]:
        return train[0]
    if tops and all(top.lower() in (*_TEST, *_VALIDATION) for top in tops):
        raise ValueError(f"data {folder} holds no training split, only {', '.join(tops)}: {LAYOUT}")
    return None


def _of_split(files: Sequence[str], split: str | None) -> list[str]:
    """The files of a split, relative to it."""
    if split is not None:
        return [name[len(split) + 1 :] for name in files if name.startswith(split + os.sep)]
    others = (*_TEST, *_VALIDATION)
    return [name for name in files if os.sep not in name or name.split(os.sep, 1)[0].lower() not in others]


def _source(folder: Path, split: str | None, files: Sequence[str], guessed: bool) -> Source:
    place = folder / split if split else folder
    of_class = [name.split(os.sep, 1)[0] for name in files]
    names = tuple(sorted(set(of_class)))
    for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
        others = (*_TRAIN, *_TEST, *_VALIDATION) if split is None else ()
        if (
            entry.is_dir()
            and not is_hidden(entry.name)
            and entry.name not in names
            and entry.name.lower() not in others
        ):
            within = os.path.relpath(entry.path, folder)
            links = ", or a link to a folder that is read under another name" if entry.is_symlink() else ""
            raise ValueError(f"data {folder}: class folder {within} holds no images{links}")
    numbers = {name: number for number, name in enumerate(names)}
    sizes, times = hashlib.sha256(), hashlib.sha256()
    for name in files:
        try:
            stat = (place / name).stat()
            size, time = stat.st_size, stat.st_mtime_ns
        except OSError:  # a broken image: what decodes it says so
            size = time = -1
        sizes.update(os.fsencode(name) + f"\0{size}\0".encode())
        times.update(time.to_bytes(16, "big", signed=True))

    def encoded() -> Iterator[Encoded]:
        for name in files:
            yield Encoded(f"data {folder}: image {place / name}", place / name)

    which = f"split {split}" if split else "no split folders, all to train"
    return Source(
        name=folder.resolve().name,
        origin=f"image folder: {which}{' (guessed)' if guessed else ''}, {len(names)} class folders",
        labels=np.array([numbers[name] for name in of_class], np.int64),
        class_names=names,
        encoded=encoded,
        digest=sizes.hexdigest,
        stamp=f"{place.resolve()} {times.hexdigest()}",  # two unpacked sets may share all names and times
        reads_all=False,
    )


def is_hidden(name: str) -> bool:
    """Whether a file manager's or a system's own file or folder."""
    return name.startswith(".") or name == "__MACOSX"
