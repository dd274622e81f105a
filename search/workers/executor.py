"""Where networks are measured: what the loop expects, and the one that does it in this process."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from evaluate.training.device import DeviceLostError
from search.records import Evaluate, Evaluation, Job, Lost


class Executor(Protocol):
    """Measures networks, several at the same time. Its holder is one thread."""

    slots: int  # networks at the same time

    def submit(self, job: Job) -> None:
        """Take a job; never blocks. Jobs beyond the slots wait in here, so that no worker waits for the holder."""

    def next(self) -> tuple[int, Evaluation | Lost]:
        """Wait until one job has ended, and give its key and what came out.

        Raises:
            Exception: what the evaluation itself has raised.
            RuntimeError: if no job is out.
        """

    def close(self) -> None:
        """End what still runs, and forget what waits."""


class InProcess:
    """One network after the other, in this process."""

    slots = 1

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Keep the job until `next` runs it."""
        self._waiting.append(job)

    def next(self) -> tuple[int, Evaluation]:
        """Run the oldest job.

        Raises:
            ValueError: if CUDA has failed this process for good.
        """
        if not self._waiting:
            raise RuntimeError("no job is out")
        job = self._waiting.popleft()
        try:
            return job.key, self._evaluate(job)
        except DeviceLostError as error:
            raise ValueError(f"the CUDA device has failed ({error}): repeat the command to go on") from error

    def close(self) -> None:
        """Forget what waits; nothing runs."""
        self._waiting.clear()
