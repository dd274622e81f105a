"""What is left of Ray's workers when their holder ends, by Ctrl-C or killed: nothing."""

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

pytest.importorskip("ray", reason="Ray is not installed: pip install 'archfrontier[ray]'")

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
HOLDER = """
import os, signal, sys, time, warnings
from search.workers.executor import Job
from search.workers.ray_executor import OnRay

def evaluate(job):
    print("noise of a worker")
    print("noise of a worker", file=sys.stderr)
    warnings.warn("noise of a worker")
    if job.table == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.table == "long":
        open(f"{os.getpid()}.long", "w").close()
        time.sleep(600)
    return os.getpid()

if __name__ == "__main__":
    executor = OnRay(evaluate, workers=2)
    for key, what in enumerate(["killed", "tell", "tell", "long", "long", "long"]):
        executor.submit(Job(key, None, what))
    print(sorted(executor.next()[0] for _ in range(3)), flush=True)
    try:
        executor.next()
    except KeyboardInterrupt:
        executor.close()
        print("closed", flush=True)
"""


@contextmanager
def holder(directory: Path) -> Iterator[tuple[subprocess.Popen[str], dict[int, str]]]:
    """A program in another directory, with two workers that go on for long, and the processes that it has started."""
    script = directory / "holder.py"
    script.write_text(HOLDER)
    with subprocess.Popen(
        [sys.executable, str(script)], cwd=directory, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        try:
            first = process.stdout.readline()
            assert first == "[0, 1, 2]\n", first + process.stderr.read()
            while len(list(directory.glob("*.long"))) < 2:
                time.sleep(0.1)
            yield process, started_by(process.pid)
        finally:
            process.kill()


def started_by(pid: int) -> dict[int, str]:
    """All processes below one, and their commands."""
    rows = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parents = {int(row.split()[0]): (int(row.split()[1]), row.split(None, 2)[2]) for row in rows.splitlines()}
    below: dict[int, str] = {}
    for child, (parent, command) in sorted(parents.items()):
        ancestors = {child}
        while parent in parents and parent not in ancestors:
            if parent == pid:
                below[child] = command
            ancestors.add(parent)
            parent = parents[parent][0]
    return below


def gone(pids: dict[int, str], within: float = 30) -> bool:
    """Whether all of them end in time."""
    end = time.monotonic() + within
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


needs_ps = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")


@needs_ps
def test_it_prints_nothing_and_one_ctrl_c_ends_it(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, started):
        assert any("raylet" in command for command in started.values())
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("closed\n", "", 0)
    assert gone(started)


@needs_ps
def test_all_ends_with_a_killed_owner(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, started):
        process.kill()
    assert {"gcs_server", "raylet"} <= {Path(command.split()[0]).name for command in started.values()}
    assert sum("_Worker" in command for command in started.values()) == 2
    # Two agents of Ray, which only look after their machine, try for a minute to report that its raylet has gone.
    assert gone({pid: command for pid, command in started.items() if "agent" not in command[:200].lower()})
