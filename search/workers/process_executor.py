"""Networks measured by several processes of this machine.

Each worker is a pool of one process (`concurrent.futures.ProcessPoolExecutor`): a pool that loses a process is broken
as a whole, in the standard library as in loky, and what its other processes do is thrown away. With a pool each, a lost
process costs its own network.

On Linux the processes are forked from a server that has imported torch once and nothing else: a worker starts in
milliseconds and shares that memory with the others. Elsewhere each imports it anew. The evaluation, and with it the
images, lies in one file in memory that all of them map (`search.workers.packed`).

No process outlives its holder, however that ends: each waits for the end of a pipe whose other end the holder alone
has.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, resource_tracker
from typing import Any, TypeVar

import torch

from search.records import Evaluate, Evaluation, Job, Lost
from search.workers.packed import Inherited, Packed
from search.workers.several import Several

START = "forkserver" if sys.platform == "linux" else "spawn"
# By the server. An optimiser's first step imports torch._dynamo, and with it 800 modules, whether or not it is used.
PRELOADED = ["torch", "torch._dynamo", "search.workers.process_executor", "search.workers.evaluation"]
LOOKS_EVERY = 1.0  # seconds: whether the server of a worker is still there
LOST = "its process on this machine died: it was killed, as Linux does where memory is short, or it crashed"

T = TypeVar("T")


class _Process:
    """One worker: a pool of one process."""

    def __init__(self, packed: Packed, gpu: str | None) -> None:
        self._reading, self._life = os.pipe()
        begin: Callable[..., None] = _begin
        given = (packed, Inherited(self._reading), gpu)
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context(START), initializer=begin, initargs=given)

    def load(self) -> Lost | None:
        try:
            return self._call(_load)  # the process is started here
        finally:
            os.close(self._reading)

    def measure(self, job: Job) -> Evaluation | Lost:
        return self._call(_measure, job)

    def end(self) -> None:
        os.close(self._life)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, function: Callable[..., T], *arguments: Any) -> T | Lost:
        try:
            return self._pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            return Lost(LOST)


class OnProcesses(Several):
    """`workers` networks at the same time, each in a process of this machine."""

    def __init__(self, evaluate: Evaluate, *, workers: int, device: str = "cpu") -> None:
        """Take the evaluation; processes start with the first jobs.

        Args:
            evaluate: measures one network; it can be pickled.
            workers: how many networks at the same time.
            device: ``cpu`` or ``cuda``: then the workers take this machine's GPUs in turn.

        Raises:
            ValueError: for less than one worker.
            OSError: if there is no memory for the images.
        """
        if workers < 1:
            raise ValueError(f"{workers} workers: expected 1 or more, such as --workers 4")
        super().__init__(workers)
        self._gpus = _gpus() if device == "cuda" else []
        self._packed = Packed(evaluate)
        if START == "forkserver":
            _start_server()
        for thread in self._threads:
            thread.start()

    def _hire(self, number: int) -> _Process:
        return _Process(self._packed, self._gpus[number % len(self._gpus)] if self._gpus else None)


def _start_server() -> None:
    """Start the server of processes, which begins to import torch; neither it nor they hear the terminal's Ctrl-C."""
    forkserver.set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()  # first: it sets the mask back
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs that this process may use."""
    if words := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return words.split(",")
    return [str(number) for number in range(torch.cuda.device_count())]


# ------------------------------------------------------------------------------------------------- in the process

_packed: Packed
_evaluate: Evaluate


def _begin(packed: Packed, life: int, gpu: str | None) -> None:
    """The first thing in a worker."""
    global _packed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the holder, which ends its workers
    threading.Thread(target=_end_with_holder, args=(life, os.getppid()), daemon=True).start()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    _packed = packed


def _end_with_holder(life: int, parent: int) -> None:
    """End this process with its holder, or with the server that it was forked from: its pool is broken then."""
    while os.getppid() == parent:
        if select.select([life], [], [], LOOKS_EVERY)[0]:
            break
    os._exit(1)


def _load() -> None:
    global _evaluate
    _evaluate = _packed.open()


def _measure(job: Job) -> Evaluation:
    return _evaluate(job)
