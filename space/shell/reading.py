"""Files that are read whole: regular ones, of a bounded size. A pipe would wait for ever, a device never ends."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

MOST_TEXT = 1 << 28  # bytes: far more than any JSON file or log of a run
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; links are followed.

    Raises:
        OSError: if there is none, or it is a pipe, a device, a socket or a directory.
    """
    check_regular(path)  # before it is opened: to open some devices is to act
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # not to wait, should it be a pipe by now
    with os.fdopen(descriptor, "rb") as file:
        _refuse(path, os.fstat(descriptor).st_mode)
        yield file


def check_regular(path: str | Path) -> None:
    """Raise OSError unless a path, its links followed, is that of a regular file."""
    _refuse(path, os.stat(path).st_mode)


def read_bytes(path: str | Path, most: int = MOST_TEXT) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file; links are followed.
        most: bytes that it may have.

    Raises:
        OSError: if there is no such file, it is none that ends (see `opened`), or it has more bytes.
    """
    with opened(path) as file:
        content = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if content is None or len(content) > most:  # some files under /proc have more in them than they say
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content


def read_text(path: str | Path, errors: str = "strict", encoding: str = "utf-8") -> str:
    """The text of a regular file of at most `MOST_TEXT` bytes.

    Args:
        path: of the file.
        errors: what becomes of bytes that are no text, as `bytes.decode` takes it.
        encoding: utf-8, or utf-8-sig.

    Raises:
        OSError: as `read_bytes`.
        UnicodeDecodeError: for bytes that are no text, unless `errors` says otherwise.
    """
    return read_bytes(path).decode(encoding, errors)


def _refuse(path: str | Path, mode: int) -> None:
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(kind, 'no file')}, expected a regular file", str(path))
