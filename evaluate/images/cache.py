"""Decoded images on disk, so that a split is decoded once per resolution and not once per run.

The folder is ``$ARCHFRONTIER_CACHE``, else ``archfrontier`` under ``$XDG_CACHE_HOME`` or ``~/.cache``. Everything in it
can be deleted at any time. It holds, a line each:

- ``<hash>.npy``: all images of one split at one resolution as uint8 (n, 3, r, r), then their CRC-32 in four bytes. The
  hash is of the content, the resolution and the version of the decoding. Labels come from the source: they are quick
  to read, and the content's digest covers them.
- ``<hash>.key``: the digest of files that were read before, found again by their paths, sizes and times.

Files are written beside and renamed: a reader never sees half a file, and of two processes that decode at once the
later one wins with the same bytes. What was damaged since is noticed by its size or its CRC and made anew.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import time
import uuid
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from evaluate.images.decode import DECODING, Source, decode, first_line

_FORGOTTEN = 24 * 3600  # seconds after which an unfinished file is taken for one that a killed process left
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


def decoded(source: Source, resolution: int) -> tuple[str, NDArray[np.uint8]]:
    """The key of a source's content, and all its images as (n, 3, resolution, resolution).

    The images are memory-mapped from the cache, or in memory if the cache cannot be written, which is warned of.

    Raises:
        ValueError: for an image that cannot be decoded.
    """
    shape = (len(source.labels), 3, resolution, resolution)
    key = content_key(source)
    exact = "" if source.reads_all else source.stamp
    name = f"{_hash('images', key, exact, str(resolution), str(DECODING))}.npy"
    try:
        file = cache_folder() / name
        if not _is_whole(file, shape):
            _store(file, shape, _batches(source, resolution))
        return key, np.memmap(file, np.uint8, "c", len(_header(shape)), shape)
    except OSError as error:  # of the cache: what the source cannot read is a ValueError
        _warn(error)
    pixels = np.empty(shape, np.uint8)
    at = 0
    for batch in _batches(source, resolution):
        pixels[at : at + len(batch)] = batch
        at += len(batch)
    return key, pixels


def _batches(source: Source, resolution: int) -> Iterator[NDArray[np.uint8]]:
    """The decoded images, with a bar where a person is watching."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"decoding {source.name} at {resolution} pixels", total=len(source.labels))
        for batch in decode(source.encoded(), resolution):
            yield batch
            progress.advance(task, len(batch))


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
