"""An object with large tensors in one file in memory, which several processes map: each tensor is there once.

Python's pickle (protocol 5) gives out large buffers apart from the rest. Torch's own sharing would put them into
/dev/shm, which has 64 MB in a container unless somebody asked for more.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import sys
import tempfile
import weakref
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ALIGNED = 64  # bytes: what vector instructions like


class Inherited:
    """An open file that a process gets with the arguments it is started with; there it is the file's number."""

    def __init__(self, file: int) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (DupFd(self.file),)


def _detached(duplicate: Any) -> int:
    return int(duplicate.detach())


class Packed:
    """Any object that can be pickled. Give it to a process among the arguments that it is started with."""

    def __init__(self, value: object) -> None:
        """Write it.

        Raises:
            OSError: if there is no room for it.
        """
        buffers: list[pickle.PickleBuffer] = []
        stream = io.BytesIO()
        _Pickler(stream, 5, buffer_callback=buffers.append).dump(value)
        parts = [stream.getbuffer(), *(buffer.raw() for buffer in buffers)]
        self._ends: list[tuple[int, int]] = []
        self._keep(_memory_file())
        with open(self._file, "wb", closefd=False) as file:
            for part in parts:
                file.write(bytes(-file.tell() % ALIGNED))
                self._ends.append((file.tell(), file.tell() + part.nbytes))
                file.write(part)

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (Inherited(self._file), self._ends)

    def open(self) -> Any:
        """The object; what is written into its tensors stays in this process."""
        pages = memoryview(mmap.mmap(self._file, self._ends[-1][1], access=mmap.ACCESS_COPY))
        head, *buffers = [pages[begin:end] for begin, end in self._ends]
        return pickle.loads(head, buffers=buffers)

    def _keep(self, file: int) -> None:
        self._file = file
        weakref.finalize(self, os.close, file)


def _received(file: int, ends: list[tuple[int, int]]) -> Packed:
    packed = Packed.__new__(Packed)
    packed._keep(file)
    packed._ends = ends
    return packed


class _Pickler(pickle.Pickler):
    """Tensors as arrays of bytes, which pickle gives out apart."""

    def reducer_override(self, value: object) -> Any:
        if not isinstance(value, Tensor) or value.device.type != "cpu":
            return NotImplemented
        storage = value.untyped_storage()
        if storage.nbytes() != value.nbytes:  # a part of something larger
            value = value.clone()
            storage = value.untyped_storage()
        content = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()
        return _tensor, (content, value.dtype, tuple(value.shape), value.stride())


def _tensor(content: NDArray[np.uint8], dtype: torch.dtype, shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(content).view(dtype).as_strided(shape, stride)


def _memory_file() -> int:
    """A file that no name leads to, and that is gone with the last process that has it."""
    if sys.platform == "linux":
        return os.memfd_create("archfrontier")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
