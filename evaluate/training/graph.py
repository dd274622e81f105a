"""A step of training as a CUDA graph: captured once, then replayed; and all as it was before where that fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch

from evaluate.training.device import DeviceLostError
from evaluate.training.memory import words_of


def capture(step: Callable[[], None], stream: torch.cuda.Stream) -> torch.cuda.CUDAGraph:
    """The graph of what `step` asks the device for; nothing of it is run.

    Whatever happens, the stream that was current is so again afterwards and torch's allocator has left the capture.
    After a failed one `torch.cuda.graph` leaves its own stream current, and up to torch 2.12 an error at its end leaves
    the allocator in capture (pytorch#180395): the next network would not survive it.

    Args:
        step: must have been run on the stream several times; of its tensors only those made inside may be freed.
        stream: of the caller's own: graphs that were captured on one stream share a cuBLAS workspace. Errors are those
            of this thread alone, so that other threads may use CUDA meanwhile.

    Raises:
        RuntimeError: if it cannot be captured.
        DeviceLostError: if CUDA cannot be used in this process any more.
    """
    graph, pool, before = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle(), torch.cuda.current_stream()
    cause: Exception | None = None
    whole = False
    try:
        with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            try:
                step()
            except Exception as error:
                cause = error
                raise
        whole = True
    except RuntimeError as error:
        # The end of a capture that has failed raises another error, which says no more than that.
        raise (cause or error) from None
    finally:
        torch.cuda.set_stream(before)
        if not whole:
            _leave(pool)
    return graph


def _leave(pool: tuple[int, int]) -> None:
    """End a capture in torch's allocator, if it is in it still, and see that CUDA still answers."""
    device = torch.cuda.current_device()
    with contextlib.suppress(RuntimeError):  # it has left it: the usual case
        torch._C._cuda_endAllocateToPool(device, pool)
        torch._C._cuda_releasePool(device, pool)
    try:
        torch.cuda.synchronize()
    except RuntimeError as error:
        raise DeviceLostError(f"CUDA does not answer after a failed capture: {words_of(error)}") from error
