"""What stands for an evaluation in the tests of executors: it does what a job says, and tells where."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.training.device import DeviceLostError
from search.records import Evaluation, Job, Lost
from search.workers.executor import Executor
from space import Config


@dataclass
class Task:
    """Does what the `table` of a job says."""

    loads: int = 0  # how many times this process has unpickled it

    def __setstate__(self, state: dict[str, Any]) -> None:
        here = sys.modules["os"].__dict__
        here["loads"] = here.get("loads", 0) + 1
        self.loads = here["loads"]

    def __call__(self, job: Job) -> Evaluation:
        what, *more = job.table or ("tell",)  # type: ignore[misc]
        if what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "exit":
            os._exit(3)
        if what == "raise":
            raise LookupError("of the evaluation")
        if what == "device lost":
            raise DeviceLostError("CUDA error: an illegal memory access was encountered")
        if what == "sleep":
            time.sleep(more[0])
        if what == "meet":  # both workers must be at it at the same time
            Path(more[0], str(os.getpid())).touch()
            while len(os.listdir(more[0])) < 2:
                time.sleep(0.01)
        gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
        told = {"pid": os.getpid(), "loads": self.loads, "gpus": gpus, "family": job.config.family}
        return Evaluation(reason=json.dumps(told))


def ask(executor: Executor, config: Config, *whats: tuple[Any, ...]) -> dict[int, Any]:
    """Send jobs out, and collect what came back: told, or how it was lost."""
    for key, what in enumerate(whats):
        executor.submit(Job(key, config, what))  # type: ignore[arg-type]
    return dict(answer(executor) for _ in whats)


def meet(executor: Executor, config: Config, place: Path) -> dict[int, str | None]:
    """Two workers that are at work at the same time: their processes, and the GPUs that these see."""
    place.mkdir()
    return {each["pid"]: each["gpus"] for each in ask(executor, config, *[("meet", str(place))] * 2).values()}


def answer(executor: Executor) -> tuple[int, Any]:
    """What comes back next."""
    key, result = executor.next()
    return key, result if isinstance(result, Lost) else json.loads(str(result.reason))
