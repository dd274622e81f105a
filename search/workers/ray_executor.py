"""Networks measured by the machines of a Ray cluster, which this process joins.

Each worker is an actor: a process that loads the evaluation, and with it the images, once and keeps them and its GPU.
(After a plain task Ray ends a process that has used a GPU; one that it does not end may get another GPU the next time,
and go on with the first.) A worker that died is replaced by a new one.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from search.records import Evaluate, Evaluation, Job, Lost
from search.workers.ray_connection import connect, fitting
from search.workers.several import Several

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


class _Remote:
    """A worker on Ray, as its thread in the holder sees it."""

    def __init__(self, actor: Any, evaluate: Any) -> None:
        self._actor, self._evaluate = actor, evaluate
        self._name = "a worker"

    def load(self) -> Lost | None:
        machine = _result(self._actor.load.remote([self._evaluate]), self._name)
        if isinstance(machine, Lost):
            return machine
        self._name = f"its worker on {machine}"
        return None

    def measure(self, job: Job) -> Evaluation | Lost:
        result: Evaluation | Lost = _result(self._actor.measure.remote(job), self._name)
        return result

    def end(self) -> None:
        import ray

        ray.kill(self._actor)


class OnRay(Several):
    """`slots` networks at the same time, each in a process of a Ray cluster."""

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        address: str,
        workers: int | None = None,
        gpu_fraction: float = 1.0,
        device: str = "cpu",
    ) -> None:
        """Join the cluster.

        Where others hold the cluster's CPUs or GPUs, workers start as these become free.

        Args:
            evaluate: measures one network; it is pickled, and sent to every machine once.
            address: ``HOST:PORT``, or ``auto`` for a Ray that runs on this machine, or ``ray://HOST:PORT`` through the
                cluster's client server. Every machine of a cluster needs this version of Ray and of Python, and this
                package: installed, or (not with ``ray://``) a checkout under the path that this process runs in.
            workers: how many networks at the same time; None: as many as the cluster has room for.
            gpu_fraction: part of a GPU that one network takes; it means nothing on the CPU.
            device: ``cpu`` or ``cuda``.

        Raises:
            ValueError: if Ray is not installed or not reached, or has too few CPUs or GPUs.
        """
        if workers is not None and workers < 1:
            raise ValueError(f"{workers} workers: expected 1 or more, such as --workers 4")
        if not 0 < gpu_fraction <= 1:
            raise ValueError(f"GPU fraction {gpu_fraction:g}: expected more than 0 and at most 1, such as 0.5")
        self._connected = connect(address)
        import ray

        try:
            share = gpu_fraction if device == "cuda" else None
            super().__init__(fitting(ray.nodes(), workers, share))  # type: ignore[no-untyped-call]
            takes = {"num_cpus": 1} if share is None else {"num_gpus": gpu_fraction, "num_cpus": 0}
            self._evaluate = ray.put(evaluate)
            self._actor = ray.remote(**takes)(_Worker)
            for thread in self._threads:
                thread.start()
        except BaseException:
            self._leave()
            raise

    def _hire(self, number: int) -> _Remote:
        return _Remote(self._actor.remote(), self._evaluate)

    def next(self) -> tuple[int, Evaluation | Lost]:
        """As `Several.next`.

        Raises:
            ValueError: also if Ray on this machine has ended.
        """
        try:
            return super().next()
        except RayEnded:  # nothing is left to close; to try ends this process without a word
            self._closing, self._connected = True, False
            raise

    def close(self) -> None:
        """End the workers, and leave the cluster."""
        super().close()
        self._leave()

    def _leave(self) -> None:
        if self._connected:
            import ray

            ray.shutdown()
            self._connected = False


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
