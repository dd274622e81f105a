"""What the user types for ``--data`` -> a split of an image set, its images still encoded.

=====================  ==========================================================================================
``fractals``           made by a program (`evaluate.images.fractals`)
``digits``             embedded in scikit-learn
an existing folder     of parquet files (`evaluate.images.parquet`), else of images (`evaluate.images.folders`)
``owner/name``         a dataset of the Hugging Face hub (`evaluate.images.hub`)
=====================  ==========================================================================================

What is otherwise guessed can be chosen behind a question mark: ``uoft-cs/cifar100?label=fine_label&split=train``, and
how many images of how many classes a program makes: ``fractals?images=50000&classes=100``.
There ``broken=skip`` leaves out what cannot be decoded; ``--skip-broken`` writes it.
Pickled archives are recognised to be refused: to load a pickle is to run it.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

from evaluate.images.decode import Source
from evaluate.images.folders import LAYOUT, SUFFIXES, is_hidden, open_images
from evaluate.images.parquet import open_parquet

DIGITS = "digits"
FRACTALS = "fractals"
OPTIONS = ("split", "image", "label", "config", "broken")
MADE = {"images": (2, 10_000_000), "classes": (2, 10_000), "seed": (0, 2**32 - 1)}  # options of fractals: least, most
EXPECTED = (
    f"{FRACTALS}, {DIGITS}, a folder of parquet files, a folder of images (train/<class>/*.jpg), or a hub name "
    "(owner/name)"
)

_HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_PICKLES = re.compile(r"(data_batch_\d+|test_batch|batches\.meta|.*\.(pkl|pickle|pt|pth))", re.IGNORECASE)
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".rar", ".7z")
_LOOK = 50  # members of an archive, or files of a folder, that are looked at for pickles


@dataclass(frozen=True)
class Spec:
    """A ``--data`` that was understood."""

    kind: Literal["fractals", "digits", "folder", "hub"]
    place: str
    options: dict[str, str] = field(default_factory=dict)
    skip_broken: bool = False  # whether images that cannot be decoded are left out


def split_options(text: str) -> tuple[str, str]:
    """(place, what stands behind the question mark); an existing path may hold question marks itself."""
    place, mark, options = (text, "", "") if os.path.exists(text) else text.partition("?")
    if mark and not options:
        raise ValueError(f"data {text}: nothing stands behind the question mark: expected such as ?label=fine_label")
    return os.path.expanduser(place), options


def without_broken(spec: str) -> str:
    """The same data, of which images that cannot be decoded are left out: what ``--skip-broken`` means.

    It is a part of what is read, like the split, and so of a run's settings.
    """
    place, query = split_options(spec)
    if place in (DIGITS, FRACTALS):
        return spec
    if "?" in place:
        raise ValueError(f"data {spec}: --skip-broken needs a path without a question mark: rename the folder")
    return f"{spec}{'&' if query else '?'}broken=skip"


def parse_spec(spec: str | Path) -> Spec:
    """Tell what is meant; an existing path wins over a hub name.

    Raises:
        ValueError: if it is nothing that can be, or an option is unknown.
    """
    place, query = split_options(str(spec))
    if place == FRACTALS and not isinstance(spec, Path):
        return Spec("fractals", FRACTALS, _options(str(spec), query, tuple(MADE)))
    options = _options(str(spec), query)
    broken = options.pop("broken", None)
    if broken not in (None, "skip"):
        raise ValueError(f"data {spec}: broken={broken}: expected broken=skip, which leaves broken images out")
    if place == DIGITS and not isinstance(spec, Path):
        if options or broken:
            raise ValueError(f"data {spec}: {DIGITS} takes no options")
        return Spec("digits", DIGITS)
    if place and os.path.exists(place):
        if "config" in options:
            raise ValueError(f"data {spec}: a folder has no config to choose: expected split, image or label")
        return Spec("folder", place, options, broken == "skip")
    if _HUB.fullmatch(place) and not isinstance(spec, Path):
        return Spec("hub", place, options, broken == "skip")
    raise ValueError(f"data {place!r}: no such folder; expected {EXPECTED}")


def whole_options(spec: Spec) -> dict[str, int]:
    """The options of fractals as whole numbers.

    Raises:
        ValueError: if one is none, or outside its limits.
    """
    numbers = {}
    for name, text in spec.options.items():
        low, high = MADE[name]
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise ValueError(f"data {spec.place}: {name}={text}: expected a whole number from {low} to {high}")
        numbers[name] = int(text)
    return numbers


def _options(spec: str, query: str, allowed: tuple[str, ...] = OPTIONS) -> dict[str, str]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, strict_parsing=True)
    except ValueError as error:
        raise ValueError(
            f"data {spec}: cannot read {query!r}: expected such as ?label=fine_label&split=train"
        ) from error
    for name, _ in pairs:
        if name not in allowed:
            raise ValueError(f"data {spec}: unknown option {name!r}: expected {', '.join(allowed)}")
    return dict(pairs)


def open_source(spec: Spec, final: bool = False) -> Source:
    """Open the training split, or the split for a final evaluation: test, else validation.

    Raises:
        ValueError: if there is nothing usable; it names the folder, the file or the row.
    """
    if spec.kind == "hub":
        from evaluate.images.hub import open_hub

        return open_hub(spec.place, spec.options, final)

    folder = Path(spec.place)
    if not folder.is_dir():
        raise ValueError(f"data {folder} is {_kind_of_file(folder)}: expected {EXPECTED}")
    parquet, images = list_files(folder)
    if parquet:
        return open_parquet(folder, [folder / name for name in parquet], spec.options, final)
    if images:
        return open_images(folder, images, spec.options, final)
    if pickle := _pickle_in(folder):
        raise ValueError(f"data {folder} holds pickles ({pickle}), {_REFUSED}: expected {EXPECTED}")
    raise ValueError(f"data {folder} holds no .parquet file and no image: {LAYOUT}, or parquet with images and labels")


def list_files(folder: Path) -> tuple[list[str], list[str]]:
    """(parquet files, image files) of a folder and all below it, relative to it, sorted; links are followed.

    Each real folder is read once, under its own name if it has one below `folder`: links that lead in circles, or from
    everywhere to everywhere, add nothing.

    Raises:
        ValueError: if a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise ValueError(f"data {folder} cannot be read: {error.strerror}: {error.filename}") from error

    parquet, images = [], []
    # a link to where the folder lies would lead to all that lies beside it
    seen = {(stat.st_dev, stat.st_ino) for stat in map(os.stat, folder.resolve().parents)}
    waiting = deque([os.fspath(folder)])  # links come after all that can be reached without them
    while waiting:
        for root, folders, names in os.walk(waiting.popleft(), onerror=refuse):
            stat = os.stat(root)
            if (stat.st_dev, stat.st_ino) in seen:
                folders.clear()
                continue
            seen.add((stat.st_dev, stat.st_ino))
            folders[:] = sorted(name for name in folders if not is_hidden(name))
            waiting.extend(path for name in folders if os.path.islink(path := os.path.join(root, name)))
            within = os.path.relpath(root, folder)
            prefix = "" if within == os.curdir else within + os.sep
            for name in names:
                end = os.path.splitext(name)[1].lower()
                if end == ".parquet" and not is_hidden(name):
                    parquet.append(prefix + name)
                elif end in SUFFIXES and not is_hidden(name):
                    images.append(prefix + name)
    return sorted(parquet), sorted(images)


# ---------------------------------------------------------------------------------------------- pickles

_REFUSED = "which can run any code when loaded and so is never loaded"


def _kind_of_file(file: Path) -> str:
    """What a file is that was given in place of a folder."""
    if not file.is_file():
        return "neither a folder nor a file"
    if _is_pickle(file):
        return f"a pickle, {_REFUSED}"
    if file.name.lower().endswith(_ARCHIVES):
        return (
            f"an archive that holds a pickle ({name}), {_REFUSED}" if (name := _pickle_within(file)) else "an archive"
        )
    return "a file"


def _pickle_in(folder: Path) -> str | None:
    """What holds pickles in a folder or right below it, if anything does."""
    near = sorted(path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.is_file())
    for path in near[:_LOOK]:
        if _is_pickle(path) or (path.name.lower().endswith(_ARCHIVES) and _pickle_within(path)):
            return str(path.relative_to(folder))
    return None


def _is_pickle(file: Path) -> bool:
    """By its name, else by its first bytes; it is not loaded."""
    with file.open("rb") as opened:
        start = opened.read(256)
    protocol = start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5")
    objects = start.startswith(b"\x93NUMPY") and b"'descr': '|O'" in start
    return protocol or objects or bool(_PICKLES.fullmatch(file.name))


def _pickle_within(archive: Path) -> str | None:
    """The name of a pickle in an archive, by the names of its members."""
    try:
        with tarfile.open(archive) as opened:
            names = [member.name for _, member in zip(range(_LOOK), opened, strict=False)]
    except (tarfile.TarError, OSError, EOFError):  # no tar file, or a damaged one
        return None
    return next((name for name in names if _PICKLES.fullmatch(os.path.basename(name))), None)
