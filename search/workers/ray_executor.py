"""Networks measured on Ray: by several processes of this machine, or of a cluster that it joins.

Each worker is an actor: a process that loads the evaluation, and with it the images, once and keeps them and its GPU.
(After a plain task Ray ends a process that has used a GPU; one that it does not end may get another GPU the next time,
and go on with the first.) A worker that died is replaced by a new one.
"""

from __future__ import annotations

import queue
import re
import socket
import threading
from typing import Any

from search.records import Evaluate, Evaluation, Job, Lost
from search.workers.ray_connection import check_capacity, connect

STARTS = 3  # workers that are lost one after the other while they start: then it is no accident
CLOSED_IN = 10  # seconds until the threads of the holder are given up
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class RayEnded(ValueError):
    """Ray no longer runs on the machine of the holder."""


class _Worker:
    """What runs in a process of its own."""

    def load(self, boxed: list[Any]) -> str:
        """Take the evaluation from this machine's object store, and give the machine's name.

        Args:
            boxed: the reference to it, in a list: Ray would open a bare one before the call, and a failure would then
                tell nothing of its reason.
        """
        import ray

        self._evaluate: Evaluate = ray.get(boxed[0])
        return socket.gethostname()

    def measure(self, job: Job) -> Evaluation:
        """Measure one network."""
        return self._evaluate(job)


class OnRay:
    """`workers` networks at the same time, each in a process of its own."""

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        workers: int,
        gpu_fraction: float = 1.0,
        device: str = "cpu",
        address: str | None = None,
    ) -> None:
        """Start Ray on this machine, or join a cluster, and start the workers.

        Where others hold the cluster's CPUs or GPUs, workers start as these become free. On the CPU a network has one
        thread: Ray sets OMP_NUM_THREADS in its workers.

        Args:
            evaluate: measures one network; it is pickled, and sent to every machine once.
            workers: how many networks at the same time.
            gpu_fraction: part of a GPU that one network takes; it means nothing on the CPU.
            device: ``cpu`` or ``cuda``.
            address: ``HOST:PORT`` or ``auto`` joins a cluster, ``ray://HOST:PORT`` through its client server; None
                starts a Ray that ends with this process. Every machine of a cluster needs this version of Ray and of
                Python, and this package: installed, or (not with ``ray://``) a checkout under the path that this
                process runs in.

        Raises:
            ValueError: if Ray is not installed or not reached, or has too few CPUs or GPUs.
        """
        if workers < 1:
            raise ValueError(f"{workers} workers: expected 1 or more, such as --workers 4")
        if not 0 < gpu_fraction <= 1:
            raise ValueError(f"GPU fraction {gpu_fraction:g}: expected more than 0 and at most 1, such as 0.5")
        self.slots = workers
        self._out = 0  # jobs whose results the holder has not had
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[int | None, Evaluation | Lost | Exception]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        self._lock = threading.Lock()  # around the two that follow
        self._actors: dict[threading.Thread, Any] = {}
        self._closing = False
        self._connected = connect(evaluate, workers, address)
        import ray

        try:
            nodes = ray.nodes()  # type: ignore[no-untyped-call]
            check_capacity(nodes, workers, gpu_fraction if device == "cuda" else None)
            takes = {"num_gpus": gpu_fraction, "num_cpus": 0} if device == "cuda" else {"num_cpus": 1}
            self._evaluate = ray.put(evaluate)
            self._actor = ray.remote(**takes)(_Worker)
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.close()
            raise

    def submit(self, job: Job) -> None:
        """Send a job to the first worker that is free."""
        self._out += 1
        self._jobs.put(job)

    def next(self) -> tuple[int, Evaluation | Lost]:
        """Wait until one job has ended; Ctrl-C ends the waiting.

        Raises:
            Exception: what the evaluation itself has raised.
            ValueError: if workers are lost as soon as they start, or Ray on this machine has ended.
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
        if isinstance(result, RayEnded):  # nothing is left to close; to try ends this process without a word
            self._threads, self._actors, self._connected = [], {}, False
        raise result

    def close(self) -> None:
        """End the workers, and the Ray that was started, or leave the one that was joined."""
        import ray

        with self._lock:
            if self._closing:
                return
            self._closing = True
        for actor in self._actors.values():
            ray.kill(actor)
        running = [thread for thread in self._threads if thread.is_alive()]
        for _ in running:
            self._jobs.put(None)
        for thread in running:
            thread.join(CLOSED_IN)
        if self._connected:
            ray.shutdown()
            self._connected = False

    def _serve(self) -> None:
        """One thread of the holder for one worker: it sends a job on as soon as the worker is free."""
        lost = 0
        try:
            while (actor := self._new_actor()) is not None:
                machine = _result(actor.load.remote([self._evaluate]), "a worker")
                if not isinstance(machine, Lost):
                    lost = 0
                    self._feed(actor, f"its worker on {machine}")
                    continue
                lost += 1
                if lost == STARTS:
                    raise ValueError(f"{STARTS} workers in a row were lost while they started: {machine.reason}")
        except Exception as error:
            self._ended.put((None, error))

    def _new_actor(self) -> Any:
        """A worker, or None if the executor is being closed."""
        with self._lock:
            if self._closing:
                return None
            actor = self._actors[threading.current_thread()] = self._actor.remote()
            return actor

    def _feed(self, actor: Any, name: str) -> None:
        """Send jobs to a worker until it is lost or the executor is being closed."""
        while (job := self._jobs.get()) is not None:
            try:
                result = _result(actor.measure.remote(job), name)
            except Exception as error:
                result = error
            self._ended.put((job.key, result))
            if isinstance(result, Lost):
                return


def _result(reference: Any, name: str) -> Any:
    """What the call of the worker called `name` gives, or `Lost`; what the call has raised is raised here."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ray.exceptions.RayError):  # the call itself failed, such as for want of a package
            line = str(cause).splitlines()[0]
            raise ValueError(
                f"{name} cannot load the search ({line}): expected the same archfrontier, and what it needs, on every "
                "machine of the Ray cluster"
            ) from None
        cause.add_note("In a worker:\n" + COLOUR.sub("", str(error)))
        raise cause from None
    except ray.exceptions.RayError as error:
        if "its holder has died" in str(error):  # the holder is this process, which Ray can no longer reach
            raise RayEnded("Ray on this machine has ended: repeat the command to go on") from None
        return Lost(f"{name} {_reason(str(error))}")


def _reason(report: str) -> str:
    """Ray's report of a loss, which is many lines long, in plain words."""
    if "low on memory" in report:
        return "was ended: the machine had no memory left"
    if code := re.search(r"exit code (\d+)", report):
        return f"ended with exit code {code[1]}"
    if "its node has died" in report or "is unavailable" in report:
        return "is not reached any more: it died, or its machine did"
    return "died: it was killed, or it crashed"
