"""Encoded images -> RGB pixels of one size: what every source of images goes through.

Palettes, grey, CMYK and 16 bits become 8-bit RGB; what is transparent is laid over white, as a page would show it; of
an animation the first frame is taken; a picture that a camera marked as turned is turned back. Larger and smaller
images are cut to their central square and scaled (bilinear over the area that a pixel covers).
"""

from __future__ import annotations

import dataclasses
import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from space.shell.reading import read_bytes

MOST_BYTES = 1 << 28  # of an encoded image
# What is in the bytes counts, not what the file is called. Pillow knows more formats, among them EPS, for which it
# starts a program that runs what is in the file.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF", "TIFF")
DECODING = 1  # to be raised when the same bytes give other pixels than before: it is part of the cache's key

_BATCH = 512  # images that are held encoded at a time
_MOST_THREADS = 8
_THREADED = 16_384  # bytes an image; below, handing it to a thread costs more than the thread saves
_ORIENTATION = 0x0112  # the EXIF tag


class Encoded(NamedTuple):
    """One image as it is stored."""

    where: str  # what an error calls it: the data, then the file or the row
    content: bytes | Path

    def read(self) -> bytes:
        """The encoded image.

        Raises:
            ValueError: if its file cannot be read.
        """
        if isinstance(self.content, bytes):
            return self.content
        try:
            return read_bytes(self.content, MOST_BYTES)
        except OSError as error:
            raise ValueError(f"{self.where} cannot be read: {error.strerror or error}") from error


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """One split of an image set: labels that are known, images that are still encoded."""

    name: str
    origin: str  # what was read, and what of it was guessed, to be said to the user
    labels: NDArray[np.int64]  # (n,), 0 .. classes - 1
    class_names: tuple[str, ...]
    encoded: Callable[[], Iterable[Encoded]]  # the n images, from the first on; ValueError names what is broken
    digest: Callable[[], str]  # names the content: the same images and labels give the same text
    stamp: str  # names the files as they are now: sizes, times
    reads_all: bool  # whether `digest` reads every image, and not only the names and sizes of files


def decode(
    images: Iterable[Encoded], resolution: int, broken: dict[int, str] | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Batches of (b, 3, resolution, resolution), in the order given.

    Args:
        images: encoded.
        resolution: height and width in pixels.
        broken: gets the number of each image that cannot be decoded, and a sentence that says where it lies and why;
            its pixels are 0.

    Raises:
        ValueError: that sentence, for the first such image, if `broken` is None.
    """
    rest, done = iter(images), 0
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(rest, _BATCH)):
            large = sum(len(item.content) if isinstance(item.content, bytes) else _THREADED for item in batch)
            apart = threads > 1 and large >= _THREADED * len(batch)
            failed: dict[int, str] | None = None if broken is None else {}
            yield _decode_batch(batch, resolution, pool if apart else None, failed)
            if broken is not None and failed:
                broken |= {done + at: failed[at] for at in sorted(failed)}
            done += len(batch)


def _decode_batch(
    batch: list[Encoded], resolution: int, pool: ThreadPoolExecutor | None, broken: dict[int, str] | None
) -> NDArray[np.uint8]:

    pixels = np.empty((len(batch), 3, resolution, resolution), np.uint8)

    def work(start: int, step: int) -> None:
        for at in range(start, min(start + step, len(batch))):
            try:
                pixels[at] = _pixels(batch[at], resolution)
            except ValueError as error:
                if broken is None:
                    raise
                pixels[at] = 0
                broken[at] = str(error)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # odd metadata, while the pixels are fine
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        if pool is None:
            work(0, len(batch))
        else:
            list(pool.map(lambda start: work(start, 16), range(0, len(batch), 16)))
    return pixels


def _pixels(item: Encoded, resolution: int) -> NDArray[np.uint8]:
    """One image as (3, resolution, resolution)."""
    content = item.read()
    if not content:
        raise ValueError(f"{item.where} cannot be decoded: it holds no bytes")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            image.draft("RGB", (resolution, resolution))  # JPEG: decode no larger than needed
            turn = _turn(image)
            square = _square(_rgb(image), resolution)
        return np.asarray(square if turn is None else square.transpose(turn)).transpose(2, 0, 1)
    except UnidentifiedImageError as error:
        raise ValueError(f"{item.where} cannot be decoded: it is none of {', '.join(FORMATS)}") from error
    except Exception as error:  # what decoders raise on damaged files has no common class
        raise ValueError(f"{item.where} cannot be decoded: {first_line(error)}") from error


def _rgb(image: Any) -> Any:
    if image.mode.startswith("I"):  # grey of 16 bits, or of 32 that hold 16
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 65_535:
            raise ValueError(f"its grey values are {grey.min()} to {grey.max()}: expected 8 or 16 bits")
        return Image.fromarray(((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("its pixels are real numbers: expected 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _turn(image: Any) -> Any:
    """How to turn the picture so that it is upright, or None."""
    if "exif" not in image.info:
        return None
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # a damaged EXIF block, of whatever kind, leaves the picture as it is
        return None
    turns = Image.Transpose
    return {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation)


def _square(image: Any, resolution: int) -> Any:
    """The central square, scaled."""
    if image.size == (resolution, resolution):
        return image
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((resolution, resolution), Image.Resampling.BILINEAR, box=box)


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
