"""What is left on a Ray cluster of the workers of a holder that ends, by Ctrl-C or killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.processes import gone

pytest.importorskip("ray", reason="Ray is not installed: pip install 'archfrontier[ray]'")
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow
needs_ps = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
STORE = 100 * 2**20  # bytes, the least that is sensible
ROOT = Path(__file__).resolve().parent.parent
HOLDER = """
import os, signal, sys, time, warnings
from search.records import Job
from search.workers.ray_executor import OnRay

def evaluate(job):
    print("noise of a worker")
    print("noise of a worker", file=sys.stderr)
    warnings.warn("noise of a worker")
    if job.table == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.table == "long":
        open(os.path.join(PLACE, f"{os.getpid()}.long"), "w").close()
        time.sleep(600)
    return os.getpid()

if __name__ == "__main__":
    executor = OnRay(evaluate, address=sys.argv[1], workers=2)
    for key, what in enumerate(["killed", "tell", "tell", "long", "long", "long"]):
        executor.submit(Job(key, None, what))
    print(sorted(executor.next()[0] for _ in range(3)), flush=True)
    try:
        executor.next()
    except KeyboardInterrupt:
        executor.close()
        print("closed", flush=True)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of one machine, this one."""
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": STORE, "include_dashboard": False}
    )
    yield nodes.address
    nodes.shutdown()


@contextmanager
def holder(directory: Path, address: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A program in another directory, with two workers that go on for long, and the processes of these."""
    script = directory / "holder.py"
    script.write_text(HOLDER.replace("PLACE", repr(str(directory))))
    with subprocess.Popen(
        [sys.executable, str(script), address], cwd=directory, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        try:
            first = process.stdout.readline()
            assert first == "[0, 1, 2]\n", first + process.stderr.read()
            began = time.monotonic()
            while len(started := [int(each.stem) for each in directory.glob("*.long")]) < 2:
                assert time.monotonic() - began < 60, "two workers should have begun"
                time.sleep(0.1)
            yield process, started
        finally:
            process.kill()


@needs_ps
def test_it_prints_nothing_and_one_ctrl_c_ends_it(cluster: str, tmp_path: Path) -> None:
    with holder(tmp_path, cluster) as (process, started):
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("closed\n", "", 0)
    assert gone(started, 30)


@needs_ps
def test_workers_end_with_a_killed_holder(cluster: str, tmp_path: Path) -> None:
    with holder(tmp_path, cluster) as (process, started):
        process.kill()
    assert len(started) == 2
    assert gone(started, 30)
