"""Several networks at the same time, each in a process of its own: a thread of the holder for each of them.

What the process is, a subclass says: one of this machine (`process_executor`) or one of a Ray cluster (`ray_executor`).
"""

from __future__ import annotations

import queue
import signal
import threading
from typing import Protocol

from evaluate.training.device import DeviceLostError
from search.records import Evaluation, Job, Lost

STARTS = 3  # workers that are lost one after the other while they start: then it is no accident
CLOSED_IN = 10  # seconds until the threads of the holder are given up


class Worker(Protocol):
    """A process that measures networks, as its thread in the holder sees it."""

    def load(self) -> Lost | None:
        """Wait until it can begin. Raises what loading the evaluation raises."""

    def measure(self, job: Job) -> Evaluation | Lost:
        """Wait for one network. Raises what the evaluation raises."""

    def end(self) -> None:
        """End the process, whatever it does, or what is left of one that was lost."""


class Several:
    """`slots` networks at the same time. A worker that is lost is replaced, and costs its own network only."""

    def __init__(self, workers: int) -> None:
        """Begin without a worker: each is started when there is a job for it."""
        self.slots = workers
        self._out = 0  # jobs whose results the holder has not had
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[int | None, Evaluation | Lost | Exception]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, args=(n,), daemon=True) for n in range(workers)]
        self._lock = threading.Lock()  # around the two that follow
        self._workers: dict[int, Worker] = {}
        self._closing = False

    def _hire(self, number: int) -> Worker:
        """A new process for one of the `slots`."""
        raise NotImplementedError

    def submit(self, job: Job) -> None:
        """Send a job to the first worker that is free."""
        self._out += 1
        self._jobs.put(job)

    def next(self) -> tuple[int, Evaluation | Lost]:
        """Wait until one job has ended; Ctrl-C ends the waiting.

        Raises:
            Exception: what the evaluation itself has raised.
            ValueError: if workers are lost as soon as they start.
            RuntimeError: if no job is out.
        """
        if not self._out:
            raise RuntimeError("no job is out")
        key, result = self._ended.get()
        if key is not None:
            self._out -= 1
            if not isinstance(result, Exception):
                return key, result
        assert isinstance(result, Exception)
        raise result

    def close(self) -> None:
        """End the workers and what they do."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        for number in list(self._workers):
            self._end(number)
        running = [thread for thread in self._threads if thread.is_alive()]
        for _ in running:
            self._jobs.put(None)
        for thread in running:
            thread.join(CLOSED_IN)

    def _serve(self, number: int) -> None:
        """One thread of the holder for one worker: it sends a job on as soon as the worker is free."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # and of what is started here: it is for the holder
        lost = 0
        job = self._jobs.get()
        try:
            while job is not None and (worker := self._new(number)) is not None:
                if (reason := worker.load()) is None:
                    lost = 0
                    job = self._feed(worker, job)
                else:
                    lost += 1
                self._end(number)
                if reason is not None and lost == STARTS:
                    raise ValueError(f"{STARTS} workers in a row were lost while they started: {reason.reason}")
        except Exception as error:
            self._ended.put((None, error))

    def _new(self, number: int) -> Worker | None:
        """A worker, or None if the executor is being closed."""
        with self._lock:
            if self._closing:
                return None
            worker = self._workers[number] = self._hire(number)
            return worker

    def _end(self, number: int) -> None:
        with self._lock:
            worker = self._workers.pop(number, None)
        if worker is not None:
            worker.end()

    def _feed(self, worker: Worker, job: Job | None) -> Job | None:
        """Send jobs to a worker until it is lost; the next job then, or None if the executor is being closed."""
        while job is not None:
            result: Evaluation | Lost | Exception
            try:
                result = worker.measure(job)
            except DeviceLostError as error:  # the process lives, but can do nothing more
                result = Lost(f"its worker's CUDA device has failed: {error}")
            except Exception as error:
                result = error
            self._ended.put((job.key, result))
            job = self._jobs.get()
            if isinstance(result, Lost):
                break
        return job
