"""Decoded images on disk, so that a split is decoded once per resolution and not once per run.

The folder is ``$ARCHFRONTIER_CACHE``, else ``archfrontier`` under ``$XDG_CACHE_HOME`` or ``~/.cache``. Everything in it
can be deleted at any time. It holds, a line each:

- ``<hash>.npy``: all images of one split at one resolution as uint8 (n, 3, r, r), then their CRC-32 in four bytes. The
  hash is of the content, the resolution and the version of the decoding. Labels come from the source: they are quick
  to read, and the content's digest covers them. Images that a program makes lie there in the same form.
- ``<hash>.broken``: beside the images of a split of which broken ones are left out, as JSON: their numbers and why.
- ``<hash>.key``: the digest of files that were read before, found again by their paths, sizes and times.

Files are written beside and renamed: a reader never sees half a file, and of two processes that decode at once the
later one wins with the same bytes. What was damaged since is noticed by its size or its CRC and made anew.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import time
import uuid
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from evaluate.images.decode import DECODING, Source, decode, first_line
from space.shell.reading import read_bytes

_FORGOTTEN = 24 * 3600  # seconds after which an unfinished file is taken for one that a killed process left
MOST_NAMED = 10  # broken images
_SLICE = 1 << 26  # bytes that are checked at a time


def cache_folder() -> Path:
    """Where decoded images are kept.

    Raises:
        OSError: if no variable names it and the user has no home.
    """
    if own := os.environ.get("ARCHFRONTIER_CACHE"):
        return Path(own)
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if shared.is_absolute():  # the XDG specification: a relative one is to be ignored
        return shared / "archfrontier"
    try:
        return Path.home() / ".cache" / "archfrontier"
    except RuntimeError as error:
        raise OSError(str(error)) from error


def content_key(source: Source) -> str:
    """The source's digest; files that have not changed since are not read again."""
    if not source.reads_all:
        return source.digest()
    name = f"{_hash('key', source.stamp)}.key"
    try:
        known = (cache_folder() / name).read_bytes()
    except OSError:  # not there, or not to be read: it is worked out
        known = b""
    if len(known) == 64 and known.isalnum():
        return known.decode("ascii")
    key = source.digest()
    try:
        with _written(cache_folder() / name) as file:
            file.write(key.encode("ascii"))
    except OSError as error:
        _warn(error)
    return key


class Decoded(NamedTuple):
    """All images of a source."""

    key: str  # of the source's content
    pixels: NDArray[np.uint8]  # (n, 3, resolution, resolution)
    broken: dict[int, str]  # number of an image that could not be decoded, whose pixels are 0 -> where it lies and why


def decoded(source: Source, resolution: int, skip_broken: bool = False) -> Decoded:
    """The images of a source.

    They are memory-mapped from the cache, or in memory if the cache cannot be written, which is warned of.

    Args:
        source: of which.
        resolution: height and width in pixels.
        skip_broken: go on without those that cannot be decoded.

    Raises:
        ValueError: if images cannot be decoded, unless they are skipped: it names the first ten and says how many.
    """
    shape = (len(source.labels), 3, resolution, resolution)
    key = content_key(source)
    exact = "" if source.reads_all else source.stamp
    kind = "images without broken" if skip_broken else "images"
    name = _hash(kind, key, exact, str(resolution), str(DECODING))
    broken: dict[int, str] = {}
    try:
        file = cache_folder() / f"{name}.npy"
        known = _known_broken(file.with_suffix(".broken"), len(source.labels)) if skip_broken else {}
        if known is None or not _is_whole(file, shape):
            _store(file, shape, _batches(source, resolution, broken, skip_broken))
            if skip_broken:
                with _written(file.with_suffix(".broken")) as listed:
                    listed.write(json.dumps(list(broken.items())).encode())
            known = broken
        return Decoded(key, np.memmap(file, np.uint8, "c", len(_header(shape)), shape), known)
    except OSError as error:  # of the cache: what the source cannot read is a ValueError
        _warn(error)
    pixels = np.empty(shape, np.uint8)
    at = 0
    broken.clear()
    for batch in _batches(source, resolution, broken, skip_broken):
        pixels[at : at + len(batch)] = batch
        at += len(batch)
    return Decoded(key, pixels, broken)


def made(
    key: str, count: int, resolution: int, batches: Callable[[], Iterable[NDArray[np.uint8]]]
) -> NDArray[np.uint8]:
    """Images that a program makes, (count, 3, resolution, resolution): from the cache, else made and put there.

    Args:
        key: names what is made, with the version of the program that makes it.
        count: how many images.
        resolution: height and width in pixels.
        batches: makes them.
    """
    shape = (count, 3, resolution, resolution)
    try:
        file = cache_folder() / f"{_hash('made', key, str(count), str(resolution))}.npy"
        if not _is_whole(file, shape):
            _store(file, shape, batches())
        return np.memmap(file, np.uint8, "c", len(_header(shape)), shape)
    except OSError as error:  # making them reads no file
        _warn(error)
    return np.concatenate([np.empty((0, *shape[1:]), np.uint8), *batches()])


def _known_broken(path: Path, count: int) -> dict[int, str] | None:
    """Which of `count` images were found broken when they were decoded; None if that is not known."""
    try:
        listed = {int(number): str(reason) for number, reason in json.loads(read_bytes(path))}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError):  # damaged
        return None
    return listed if all(0 <= number < count for number in listed) else None


def _batches(source: Source, resolution: int, broken: dict[int, str], skip_broken: bool) -> Iterator[NDArray[np.uint8]]:
    """The decoded images, with a bar where a person is watching; `broken` is filled as `decode` does."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"decoding {source.name} at {resolution} pixels", total=len(source.labels))
        for batch in decode(source.encoded(), resolution, broken):
            yield batch
            progress.advance(task, len(batch))
    if broken and not skip_broken:
        raise ValueError(f"{broken_text(broken, len(source.labels))}; --skip-broken goes on without")


def broken_text(broken: Mapping[int, str], total: int) -> str:
    """Which images cannot be decoded: the first ten, and how many of `total` they are."""
    reasons = list(broken.values())
    if len(reasons) == 1:
        return reasons[0]
    what = f"{reasons[0].partition(': ')[0]}: "
    named = [reason.removeprefix(what) for reason in reasons[:MOST_NAMED]]
    more = [f"and {len(reasons) - MOST_NAMED:,} more"] if len(reasons) > MOST_NAMED else []
    return f"{what}{len(reasons):,} of {total:,} images are broken: {'; '.join([*named, *more])}"


def _store(path: Path, shape: tuple[int, ...], batches: Iterable[NDArray[np.uint8]]) -> None:
    with _written(path) as file:
        file.write(_header(shape))
        crc = 0
        for batch in batches:
            crc = zlib.crc32(batch.data, crc)
            file.write(batch.data)
        file.write(crc.to_bytes(4, "big"))


def _is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether the file is there and holds what was written."""
    header, pixels = _header(shape), int(np.prod(shape))
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != len(header) + pixels + 4 or file.read(len(header)) != header:
                return False
            crc = 0
            for start in range(0, pixels, _SLICE):
                crc = zlib.crc32(file.read(min(_SLICE, pixels - start)), crc)
            return file.read(4) == crc.to_bytes(4, "big")
    except FileNotFoundError:
        return False


def _header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue()


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into, that becomes `path` at the end, or goes away if there is an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob("*.part"):
        with suppress(FileNotFoundError):  # another process may be as quick
            if time.time() - left.stat().st_mtime > _FORGOTTEN:
                left.unlink()
    beside = path.with_name(f"{path.stem}-{uuid.uuid4().hex}.part")
    try:
        with beside.open("xb") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _warn(error: OSError) -> None:
    try:
        where = str(cache_folder())
    except OSError:
        where = "no home to put it"
    _warn_once(
        f"the cache of decoded images ({where}) cannot be used: {error.strerror or first_line(error)}; images are "
        "decoded in every run; set ARCHFRONTIER_CACHE to a folder that can be written"
    )


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
