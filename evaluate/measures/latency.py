"""How long inference takes and how much memory it needs, on the device that this runs on.

A figure holds for one device, one precision and one number of threads, which is why `Latency` carries them. Networks
are timed as they are built: evaluation mode, channels last, no compiler, norms not folded into convolutions.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluate.training.device import computes_bf16, device_name, resolve_device, sealed, synchronise
from evaluate.training.memory import PeakMemory, is_out_of_memory, release
from evaluate.training.recipe import check_keys
from space import Config

if TYPE_CHECKING:
    import torch
    from torch import nn

DTYPES = ("auto", "float32", "bfloat16", "float16")
MAX_BATCH = 65_536
MAX_RUNS = 10_000  # of one measurement: a CUDA event is kept for each


@dataclass(frozen=True, slots=True)
class Latency:
    """Inference on batches of one size: time, memory, and the conditions that they hold for."""

    batch: int  # images
    input_size: int  # pixels, height and width
    device: str  # with its name, as in "cuda (NVIDIA H200)"
    dtype: str  # float32, bfloat16 or float16
    threads: int | None  # of the CPU; None on CUDA
    median_ms: float  # milliseconds a batch
    p90_ms: float
    runs: int  # that were timed
    peak_memory: int | None  # bytes; None where the system does not tell it

    @property
    def images_per_second(self) -> float:
        """Throughput at the median."""
        return 1000 * self.batch / self.median_ms

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same latency back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Latency:
        """Read `to_json`'s form.

        Raises:
            ValueError: for unknown or missing keys.
        """
        check_keys(cls, data)
        return cls(**data)


def measure_latency(
    network: Config | nn.Module,
    *,
    classes: int = 1000,
    input_size: int = 224,
    batch: int = 1,
    device: str = "auto",
    dtype: str = "auto",
    seconds: float = 1.0,
    min_runs: int = 10,
    warmup: float = 0.5,
) -> Latency:
    """Time inference on random images, after a warm-up: a monotonic clock on the CPU, CUDA events on a GPU.

    On a GPU the host does not wait between batches; where it cannot feed the GPU fast enough, as for deep networks
    at batch 1, its delays are part of the time, as they are in use. The caller's random numbers and a module that is
    passed stay as they are (it is copied).

    Peak memory is what the run adds to what was held before: weights, images, activations, workspace. On CUDA torch
    counts it to the byte. On Linux's CPU it is the growth of the process's resident memory: tens of megabytes more or
    less by what the process did before, and of use only if it does nothing else meanwhile. It is None elsewhere.

    Args:
        network: a configuration, or any module that maps (batch, 3, input_size, input_size) to something.
        classes: of a configuration; a module has its own.
        input_size: pixels, height and width.
        batch: images at a time.
        device: ``auto``, ``cpu`` or ``cuda``.
        dtype: of weights and images. ``auto`` is `usual_dtype`.
        seconds: about how long to time.
        min_runs: batches to time even if they take longer; at least 2.
        warmup: seconds to run before; at least 3 batches.

    Raises:
        ValueError: if the network cannot read such images, the batch does not fit into memory, or an argument is
            impossible.
    """
    import torch

    _check(input_size, batch, dtype, seconds, min_runs, warmup)
    place = resolve_device(device)
    if dtype == "auto":
        dtype = usual_dtype(place)
    memory = PeakMemory(place)
    try:
        with sealed(0, place, autotune=True), torch.inference_mode():
            run = _ready(network, classes, input_size, batch, place, dtype)
            once = _warm_up(run, place, warmup)
            memory.reset()  # that of building, and of cuDNN's search for the fastest kernels
            if place == "cuda":
                times = _cuda_times(run, min(MAX_RUNS, max(min_runs, math.ceil(seconds / once))))
            else:
                times = _cpu_times(run, min_runs, seconds)
            peak = memory.read()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        release(place)
        raise _too_big(batch, input_size, place) from error
    return Latency(
        batch=batch,
        input_size=input_size,
        device=device_name(place),
        dtype=dtype,
        threads=torch.get_num_threads() if place == "cpu" else None,
        median_ms=1000 * statistics.median(times),
        p90_ms=1000 * statistics.quantiles(times, n=10, method="inclusive")[-1],
        runs=len(times),
        peak_memory=peak,
    )


def usual_dtype(device: str) -> str:
    """bfloat16 on CUDA, as training uses it where the card computes in it; else float32, as on the CPU."""
    return "bfloat16" if device == "cuda" and computes_bf16(device) else "float32"


def _check(input_size: int, batch: int, dtype: str, seconds: float, min_runs: int, warmup: float) -> None:
    for name, value, low, high in (
        ("input_size", input_size, 1, 65_536),
        ("batch", batch, 1, MAX_BATCH),
        ("min_runs", min_runs, 2, MAX_RUNS),
    ):
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} is {value!r}: expected a whole number from {low} to {high}")
    for name, number in (("seconds", seconds), ("warmup", warmup)):
        if not isinstance(number, int | float) or not 0 <= number <= 3600:
            raise ValueError(f"{name} is {number!r}: expected a number from 0 to 3600")
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r}: expected one of {', '.join(DTYPES)}")


def _too_big(batch: int, input_size: int, place: str) -> ValueError:
    return ValueError(
        f"a batch of {batch} images of {input_size}x{input_size} does not fit into the memory of {place}: expected "
        "fewer or smaller images"
    )


# ---------------------------------------------------------------------------------------------- time


def _ready(
    network: Config | nn.Module, classes: int, input_size: int, batch: int, place: str, dtype: str
) -> Callable[[], object]:
    """The network and its images on the device; returns what runs it once, having run once."""
    import torch

    kind: torch.dtype = getattr(torch, dtype)
    if isinstance(network, Config):
        from space import build

        model: nn.Module = build(network, classes, input_size)
    else:
        model = copy.deepcopy(network)
    model = model.eval().to(place, kind, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(batch, 3, input_size, input_size, device=place, dtype=kind)
    images = images.contiguous(memory_format=torch.channels_last)

    def run() -> object:
        return model(images)

    try:
        run()
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        shape = f"{batch} x 3 x {input_size} x {input_size} images as {dtype}"
        raise ValueError(f"the network cannot read {shape}: {str(error).splitlines()[0]}") from error
    return run


def _warm_up(run: Callable[[], object], place: str, limit: float) -> float:
    """Run for `limit` seconds, that clocks rise and caches fill, twice at least; returns the seconds of one run."""
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 2 or time.perf_counter() - began < limit:
        start = time.perf_counter()
        run()
        synchronise(place)
        times.append(time.perf_counter() - start)
    return statistics.median(times[-5:])


def _cpu_times(run: Callable[[], object], min_runs: int, seconds: float) -> list[float]:
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < min_runs or (len(times) < MAX_RUNS and time.perf_counter() - began < seconds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def _cuda_times(run: Callable[[], object], runs: int) -> list[float]:
    import torch

    def event() -> torch.cuda.Event:
        return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    pairs = [(event(), event()) for _ in range(runs)]
    for start, end in pairs:
        start.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) / 1000 for start, end in pairs]


# ---------------------------------------------------------------------------------------------- text


def latency_text(name: str, latencies: Sequence[Latency]) -> str:
    """A table with a row for each batch size, and a last line with the conditions that hold for all rows.

    Raises:
        ValueError: if there is no row, or rows are of different devices, precisions, threads or input sizes.
    """
    conditions = {(one.input_size, one.device, one.dtype, one.threads) for one in latencies}
    if len(conditions) != 1:
        raise ValueError(f"a table of latencies is of one device, dtype and input size: got {len(conditions)} of them")
    size, device, dtype, threads = conditions.pop()
    rows = [
        (
            f"{one.batch:,}",
            f"{one.median_ms:,.3f}",
            f"{one.p90_ms:,.3f}",
            f"{one.images_per_second:,.1f}",
            "-" if one.peak_memory is None else f"{one.peak_memory / 2**20:,.1f}",
            f"{one.runs:,}",
        )
        for one in latencies
    ]
    rows.insert(0, ("batch", "median ms", "p90 ms", "images/s", "peak MiB", "runs"))
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, wide, strict=True)) for row in rows]
    place = f"on {device}, {dtype}" + ("" if threads is None else f", {threads} thread{'s' * (threads != 1)}")
    return "\n".join([f"{name} at {size}x{size}: inference", "", *lines, "", place])
