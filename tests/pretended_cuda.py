"""CUDA without a GPU: fake tensors that say cuda:0, and a CUDA graph whose capture can be made to fail.

Fake tensors have shapes, strides and devices but no values. So an operator that is given tensors of two devices raises
as on a GPU, and whoever reads a value on the host, for which a GPU would have to be waited for, is noted.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.library import Library
from torch.overrides import TorchFunctionMode

CUDA = torch.device("cuda", 0)
# What reads a value, and what it is answered.
READS: dict[Any, Any] = {
    torch.Tensor.item: 1.0,
    torch.Tensor.__float__: 1.0,
    torch.Tensor.__int__: 9,  # a label, and the rank of a matrix of 8
    torch.Tensor.tolist: [1.0, 1.0, 1.0],
}
GUARDS = "_ZN3c104impl26device_guard_impl_registryE"  # c10::impl::device_guard_impl_registry


def missing() -> str | None:
    """Why CUDA cannot be pretended here, or None."""
    if sys.platform != "linux" or torch.cuda.is_available():
        return "pretends CUDA in a CPU build of torch for Linux"
    try:
        _guards()
    except (OSError, ValueError) as error:
        return f"torch {torch.__version__} has other internals: {error}"
    return None


def _guards() -> Any:
    library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libc10.so"))
    return (ctypes.c_void_p * 15).in_dll(library, GUARDS)


def _sgd(params: Any, grads: Any, buffers: Any, *, lr: Any, **_: Any) -> None:
    """In place of the fused optimiser, of which torch has no fake: what its kernel insists on."""
    assert lr.numel() == 1 and lr.dtype == torch.float32
    for p, g, b in zip(params, grads, buffers, strict=True):
        for other in (g, b):
            assert other.dtype == p.dtype == torch.float32
            assert all(n == 1 or s == t for n, s, t in zip(p.shape, p.stride(), other.stride(), strict=True)), "strides"


class OnDevice(TorchFunctionMode):
    """``cuda`` means cuda:0; who reads a value of the device is noted by the name of the function that does it."""

    def __init__(self, truth: bool) -> None:
        super().__init__()
        self.answers = READS | {torch.Tensor.__bool__: truth}
        self.reads: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in self.answers:
            if args[0].device.type == "cuda":
                own = [frame.name for frame in traceback.extract_stack() if "/torch/" not in frame.filename]
                self.reads.append(own[-2])
            return self.answers[func]

        def fix(value: Any) -> Any:
            return CUDA if isinstance(value, str | torch.device) and str(value).startswith("cuda") else value

        return func(*map(fix, args), **{key: fix(value) for key, value in (kwargs or {}).items()})


def _module_to(self: torch.nn.Module, device: str, memory_format: Any = None) -> torch.nn.Module:
    """`nn.Module.to`, which cannot exchange fake parameters."""
    for module in self.modules():
        for name, p in module._parameters.items():
            if p is not None:
                form = memory_format if p.ndim == 4 and memory_format else torch.preserve_format
                module._parameters[name] = torch.nn.Parameter(torch.empty_like(p, device=CUDA, memory_format=form))
        for name, b in module._buffers.items():
            if b is not None:
                module._buffers[name] = torch.empty(b.shape, dtype=b.dtype, device=CUDA)
    return self


def _grad(loss: torch.Tensor, inputs: Any, **_: Any) -> tuple[torch.Tensor, ...]:
    """`torch.autograd.grad`: the engine of a CPU build knows no CUDA streams, so gradients are made up."""
    assert loss.device == CUDA and loss.requires_grad and loss.ndim == 0
    return tuple(torch.empty_like(each) for each in ([inputs] if isinstance(inputs, torch.Tensor) else inputs))


@contextlib.contextmanager
def pretended(patch: pytest.MonkeyPatch, truth: bool = False) -> Iterator[OnDevice]:
    """Every tensor that is made inside is fake, and CUDA's if it is asked for; one that is a condition is `truth`."""
    guards = _guards()
    before, guards[1] = guards[1], guards[14]  # CUDA's guard: that of meta tensors, which does nothing
    library = Library("aten", "IMPL")
    library.impl("_fused_sgd_.tensor_lr", _sgd, "Meta")
    generator = torch.Generator
    patch.setattr(torch, "Generator", type("Generator", (), {"__new__": lambda *_: generator()}))
    patch.setattr(torch.nn.Module, "to", _module_to)
    patch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    patch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    patch.setattr(torch.autograd, "grad", _grad)
    try:
        with FakeTensorMode(), OnDevice(truth) as mode:
            yield mode
    finally:
        library._destroy()
        guards[1] = before


class PretendedGraphs:
    """`torch.cuda`'s streams, allocator and graphs, as far as a capture uses them, on tensors of the CPU.

    A capture runs what is captured and undoes it; a replay runs it again. As torch up to 2.12 does, a capture that
    fails leaves its stream current and the allocator in capture, in which no other can begin.

    Attributes:
        fail: called at the end of a capture; raises what ends it.
        lost: whether CUDA no longer answers.
        current: the current stream.
        capturing: the pool that the allocator is in capture for, or None.
        replays: of all graphs.
    """

    def __init__(self, patch: pytest.MonkeyPatch, state: Callable[[], list[torch.Tensor]]) -> None:
        self.state = state
        self.fail: Callable[[], None] = lambda: None
        self.lost = False
        self.usual = self.current = self.stream()
        self.capturing: tuple[int, int] | None = None
        self.replays = self.pools = 0
        outer = self

        class Graph:
            step: Callable[[], None]

            def replay(self) -> None:
                outer.replays += 1
                self.step()

        for name, value in {
            "Stream": self.stream, "current_stream": lambda: self.current, "stream": self._on, "graph": self._graph,
            "set_stream": lambda stream: setattr(self, "current", stream), "CUDAGraph": Graph,
            "graph_pool_handle": self._pool, "synchronize": self._synchronize, "current_device": lambda: 0,
        }.items():  # fmt: skip
            patch.setattr(torch.cuda, name, value)
        patch.setattr(torch._C, "_cuda_endAllocateToPool", self._end, raising=False)
        patch.setattr(torch._C, "_cuda_releasePool", lambda device, pool: None, raising=False)

    def stream(self) -> Any:
        """A new one."""
        return type("Stream", (), {"wait_stream": lambda *_: None})()

    def _pool(self) -> tuple[int, int]:
        self.pools += 1
        return 0, self.pools

    def _synchronize(self) -> None:
        if self.lost:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def _end(self, device: int, pool: tuple[int, int]) -> None:
        if self.capturing != pool:
            raise RuntimeError("endAllocatePool: not currently recording to mempool_id")
        self.capturing = None

    @contextlib.contextmanager
    def _on(self, stream: Any) -> Iterator[None]:
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextlib.contextmanager
    def _graph(self, graph: Any, *, pool: tuple[int, int], stream: Any, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local", "other threads may use CUDA meanwhile"
        assert self.capturing is None, "captures_underway.empty() INTERNAL ASSERT FAILED"
        before, self.current, self.capturing = self.current, stream, pool
        values = [(each, each.detach().clone()) for each in self.state()]
        try:
            yield
        finally:
            with torch.no_grad():
                for each, value in values:
                    each.copy_(value)
        self.fail()  # if it raises, the next line is not reached
        self.current, self.capturing = before, None
