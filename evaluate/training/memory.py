"""How much memory something takes, and how torch says that there is too little."""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
from pathlib import Path

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # glibc's names for its options, <malloc.h>
LARGEST_KEPT = 32 * 2**20  # bytes; glibc takes no more
GIVEN_BACK = 128 * 2**10  # bytes, glibc's own for both options


@functools.cache
def keep_freed_memory() -> bool:
    """Let the C library keep what is freed for the next step of a training, once a process.

    Otherwise glibc takes every large map from the system anew and gives it back, and the system clears each page: up
    to 4,000 pages a step, a tenth of the time of a small network. Returns whether it could be set: glibc alone has it.
    """
    return _set_allocator(LARGEST_KEPT, 2**31 - 1)


def _set_allocator(threshold: int, trim: int) -> bool:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(MMAP_THRESHOLD, threshold) and mallopt(TRIM_THRESHOLD, trim))


class PeakMemory:
    """The most memory in use, beyond what was held when this was made, in bytes.

    CUDA: of torch's allocator. CPU: of the resident memory of the process, on Linux alone; it moves in tens of
    megabytes with what the process did before.
    """

    def __init__(self, device: str) -> None:
        """`device`: ``cpu`` or ``cuda``."""
        self.device = device
        self.before = self._held()
        self.reset()

    def reset(self) -> None:
        """Forget the peak so far, but not what was held at first."""
        self._tells = True
        if self.device == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats()
            return
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:  # no Linux, or a container that forbids it
            self._tells = False

    def read(self) -> int | None:
        """The peak since the last `reset`; None where the system does not tell it."""
        if self.device == "cuda":
            import torch

            peak: int | None = int(torch.cuda.max_memory_allocated())
        else:
            peak = _status("VmHWM") if self._tells else None
        return None if peak is None or self.before is None else max(0, peak - self.before)

    def _held(self) -> int | None:
        gc.collect()
        if self.device == "cuda":
            import torch

            return int(torch.cuda.memory_allocated())
        # Freed memory that the C library keeps would be used first and not be seen as growth.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        if trim is None:
            return None
        trim(0)
        return _status("VmRSS")


def _status(field: str) -> int | None:
    """A size from Linux's account of this process, in bytes; None where there is no such account."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


OUT_OF_MEMORY = (
    # a CPU: torch, oneDNN (in words that have other causes too), C++
    "allocate memory", "could not create a primitive", "could not create a memory object", "bad_alloc",
    # CUDA: the driver beside torch's allocator, cuDNN, cuBLAS; cuDNN also finds no engine where none has room
    "cuda error: out of memory", "cudnn_status_alloc_failed", "cublas_status_alloc_failed",
    "cusolver_status_alloc_failed", "unable to find an engine",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, what it calls, or Python found no memory.

    The words have other causes too: so whoever gives up after this quotes them.
    """
    import torch

    said = str(error).lower()
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or (isinstance(error, RuntimeError) and any(words in said for words in OUT_OF_MEMORY))


def release(device: str) -> None:
    """Give back what nobody refers to any more: cycles first, which may hold memory of the device.

    On a CPU from now on at once: what `keep_freed_memory` keeps is in pieces that a smaller batch cannot use.
    """
    gc.collect()
    if device == "cpu":
        _set_allocator(GIVEN_BACK, GIVEN_BACK)
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()


def words_of(error: BaseException) -> str:
    """The first line of what an error says, cut to fit a sentence."""
    return (str(error) or type(error).__name__).splitlines()[0][:120]
