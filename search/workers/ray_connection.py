"""Joins a Ray cluster: quietly, in bounded time, and with a sentence if it cannot."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from space.shell.words import amount

REACHED_IN = 5  # seconds until a machine answers
JOINED_IN = 30  # seconds until its Ray does
EXPECTED = "expected an address as 'ray start --head' prints it, such as --ray-address 192.168.1.5:6379, or auto"
PROBE = (
    "import logging, sys, ray\n"
    "logging.getLogger('ray').setLevel(logging.CRITICAL)\n"
    "ray.init(address=sys.argv[1], log_to_driver=False, configure_logging=False)\n"
    "ray.shutdown()\n"
)


def need_ray() -> None:
    """Raise ValueError unless Ray is installed."""
    if importlib.util.find_spec("ray") is None:
        raise ValueError("--ray-address needs Ray: type pip install 'archfrontier[ray]'")


def connect(address: str) -> bool:
    """Join a cluster.

    Returns:
        False if this program is connected to a Ray already: that one is used, and is not ours to leave.

    Raises:
        ValueError: if Ray is not installed, or the cluster cannot be joined.
    """
    need_ray()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # sends nothing to anyone
    os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] = "."  # shows no line of its processes; Ray reads it when it is imported
    if not ("ray" in sys.modules and sys.modules["ray"].is_initialized()):
        _probe(address)  # before Ray is imported: it may change what Ray reads then
    import ray

    if ray.is_initialized():
        return False
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, log_to_driver=False, configure_logging=False)
    except (OSError, RuntimeError, ray.exceptions.RayError) as error:
        raise ValueError(f"the Ray at {address} cannot be joined: {' '.join(str(error).split())}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_terminate)  # Ray sets its own
    return True


def fitting(nodes: list[dict[str, Any]], workers: int | None, gpu_fraction: float | None) -> int:
    """How many workers there will be. More than a cluster can ever run are refused: Ray would let them wait.

    Args:
        nodes: what `ray.nodes()` gives.
        workers: how many networks at the same time; None: as many as fit.
        gpu_fraction: part of a GPU that each takes; None: a CPU each.

    Raises:
        ValueError: with the number that fits.
    """
    resource = "CPU" if gpu_fraction is None else "GPU"
    per_unit = 1 if gpu_fraction is None else int(1 / gpu_fraction + 1e-6)  # no network is spread over two GPUs
    units = sum(int(node["Resources"].get(resource, 0)) for node in nodes if node["Alive"])
    fits = per_unit * units
    if workers is None and fits:
        return fits
    wanted = 1 if workers is None else workers
    if wanted <= fits:
        return wanted
    share = "" if gpu_fraction is None else f" with {gpu_fraction:g} of a GPU each"
    has = amount(units, resource)
    advice = f"type --workers {fits}" if fits else f"join a Ray that has {resource}s"
    raise ValueError(f"{amount(wanted, 'worker')}{share}: this Ray has {has}, enough for {fits}; {advice}")


def _probe(address: str) -> None:
    """Make sure that Ray answers there: `ray.init` itself tries for minutes and prints what its retries say.

    Raises:
        ValueError: if it does not, with the reason.
    """
    if address != "auto":
        host, _, port = address.rpartition("://")[2].rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise ValueError(f"Ray address {address!r}: {EXPECTED}")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED_IN).close()
        except OSError as error:
            raise ValueError(f"no Ray answers at {address} ({error.strerror or error}): {EXPECTED}") from None
    said = _try_to_join(address)
    if said and "InvalidAuthToken" in said and "RAY_AUTH_MODE" not in os.environ:
        # `ray start` has made a token, which `ray.init` uses by itself with "auto" only.
        if _try_to_join(address, RAY_AUTH_MODE="token"):
            raise ValueError(f"the Ray at {address} wants its token: copy ~/.ray/auth_token from its head node to here")
        os.environ["RAY_AUTH_MODE"] = "token"
    elif said and "Could not find any running Ray" in said:
        raise ValueError(f"no Ray runs on this machine: {EXPECTED}")
    elif said:
        raise ValueError(f"the Ray at {address} cannot be joined ({said.strip().splitlines()[-1]}): {EXPECTED}")


def _try_to_join(address: str, **environment: str) -> str | None:
    """Join a cluster in a process of its own, and leave it. Returns what went wrong, or None."""
    command = [sys.executable, "-c", PROBE, address]
    variables = {**os.environ, "RAY_NUM_REDIS_GET_RETRIES": "3", **environment}
    try:
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, errors="replace", timeout=JOINED_IN
        )
    except subprocess.TimeoutExpired as expired:
        said = expired.stderr or b""
        return f"{said if isinstance(said, str) else said.decode(errors='replace')}\nsilent for {JOINED_IN} s"
    return done.stderr if done.returncode else None
