"""Where networks are trained: which device, how many threads, which precision, and what the device can do at most."""

from __future__ import annotations

import contextlib
import functools
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DEVICES = ("auto", "cpu", "cuda")

# Multiply-adds of a batch, a convolution, that another CPU thread is worth. On two cores two threads trained 1.1 to 1.5
# times as fast from here on; with less to share they wait for each other, and suffer badly from busy neighbours.
WORTH_A_THREAD = 6_000_000

# The same for bfloat16 on a CPU that computes in it: below, converting the numbers costs what faster products save.
# Grouped convolutions need more (benchmarks/cpu_choices.py measures both).
WORTH_BF16 = 8_000_000
WORTH_BF16_GROUPED = 24_000_000


def resolve_device(device: str = "auto") -> str:
    """``cpu`` or ``cuda``; ``auto`` takes CUDA where there is one.

    Raises:
        ValueError: for another name, or if CUDA is asked for where there is none.
    """
    import torch

    if device not in DEVICES:
        raise ValueError(f"device {device!r}: expected one of {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda: torch finds no CUDA device here; use cpu or auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


class DeviceLostError(RuntimeError):
    """CUDA has failed this process for good: whatever it asks next fails too, and only another process can go on."""


# What the driver says of errors that stay in a process. An assertion on the device, too, ends the context.
LOST_WORDS = ("illegal memory access", "illegal instruction", "illegal address", "misaligned address",
              "invalid program counter", "unspecified launch failure", "device-side assert", "launch timed out",
              "hardware stack error", "uncorrectable", "context is destroyed", "gpu is lost", "fallen off the bus",
              "unknown error")  # fmt: skip


def is_device_lost(error: BaseException) -> bool:
    """Whether an error is one of CUDA that this process cannot get over."""
    if isinstance(error, DeviceLostError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and "cuda" in said and any(word in said for word in LOST_WORDS)


def device_name(device: str) -> str:
    """What the machine calls the device: "cuda (NVIDIA H200)", "cpu (AMD EPYC 9B14)"."""
    if device == "cuda":
        import torch

        return f"cuda ({torch.cuda.get_device_name()})"
    return f"cpu ({_processor()})"


@functools.cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@functools.cache
def computes_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware, as far as torch can tell (on CPUs from torch 2.13 on)."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = getattr(torch.cpu, "get_capabilities", None)
    capabilities: dict[str, Any] = known() if known else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@contextlib.contextmanager
def threads(number: int | None) -> Iterator[None]:
    """So many CPU threads inside (None: as they are), the caller's number afterwards."""
    import torch

    before = torch.get_num_threads()
    if number is not None and number != before:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextlib.contextmanager
def sealed(seed: int, device: str, autotune: bool = False) -> Iterator[None]:
    """Seeded random numbers inside, the caller's state back afterwards.

    cuDNN is held to deterministic kernels; with `autotune` it also times them, and may choose another one next time.
    """
    import torch

    with (
        torch.random.fork_rng(range(torch.cuda.device_count()) if device == "cuda" else ()),
        torch.backends.cudnn.flags(enabled=True, benchmark=autotune, deterministic=not autotune, allow_tf32=True),
    ):
        torch.manual_seed(seed)
        yield


@functools.cache
def peak_flops(device: str, precision: str, number_of_threads: int) -> float:
    """FLOP/s of a large square matrix product, the best of several: what no network on this device gets beyond.

    2 FLOPs a multiply-add. Measured once a process for each precision (``bf16`` or ``fp32``) and number of threads,
    in 0.1 to 1 s. On CUDA fp32 is what convolutions compute it as, TF32; and there are so many products that one of
    them falls between those of another process on the same GPU.

    Raises:
        RuntimeError: where there is no memory for it.
    """
    import torch

    size, times = (8192, 30) if device == "cuda" else (1024, 6)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    place = threads(number_of_threads) if device == "cpu" else tensor_float()
    with place, torch.inference_mode():
        generator = torch.Generator(device).manual_seed(0)
        a, b = (torch.randn(size, size, device=device, generator=generator).to(dtype) for _ in range(2))
        best = 0.0
        for _ in range(times):
            synchronise(device)
            began = time.perf_counter()
            a @ b
            synchronise(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - began))
    return best


@contextlib.contextmanager
def tensor_float() -> Iterator[None]:
    """Matrix products of float32 in TF32 inside, as cuDNN's convolutions are; the caller's choice afterwards."""
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def synchronise(device: str) -> None:
    """Wait until the device has done what it was told."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
