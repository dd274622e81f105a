"""Nothing is ever lost: killed at random moments, full disks, clocks that jump, workers that die."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest

from benchmarks.crash_checks import Stored, broken_rules, leftovers
from benchmarks.processes import descendants, gone, workers
from evaluate.training.presets import RECIPES
from search.__main__ import main
from search.run.log import read_log
from search.run.settings import Settings
from search.run.study import Search
from space.shell.files import write_files

ROOT = Path(__file__).resolve().parent.parent
RECIPE = RECIPES["smoke"].to_json() | {"name": "tiny", "train_images": 128}
SMALL = [
    "--budget", "50M", "--input", "32", "--classes", "10", "--families", "resnet", "--data", "digits",
    "--recipe", "tiny.json",
    "--landmarks", "none", "--name", "run", "--plots", "frontier",
]  # fmt: skip
RUN = Path("runs/run")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.json").write_text(json.dumps(RECIPE))


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A search, as a user starts it."""
    with subprocess.Popen(
        [sys.executable, "-m", "search", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a job in the background of a script inherits an ignored SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.kill()


def wait_for(what: Callable[[], Any], child: subprocess.Popen[str]) -> Any:
    """What becomes true of a search that goes on meanwhile."""
    deadline = time.monotonic() + 120
    while not (found := what()):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def events(kind: str) -> list[dict[str, Any]]:
    return [event for event in read_log(RUN / "log.jsonl") if event["event"] == kind]


def check(seen: dict[int, Stored], total: int, landmarks: int = 0) -> list[Stored]:
    """All that must hold now, and the trials that there are."""
    assert list(broken_rules(RUN, seen, total, landmarks)) == []
    return [seen[number] for number in sorted(seen)]


# --- killed ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nothing_is_lost_by_kills_at_random_moments(tmp_path: Path) -> None:
    out = tmp_path / "crash.txt"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash", "--kills", "20", "--aimed", "5", "--out", str(out)],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    text = out.read_text()
    assert "20 kills at random moments, 5 aimed at writes" in text
    assert "\n0 rules broken" in text
    assert re.search(r"^training +[1-9]", text, re.MULTILINE), text


@pytest.mark.slow
def test_ctrl_c_again_while_tables_are_written() -> None:
    with process(*SMALL, "--trials", "500") as child:
        wait_for(lambda: events("finish"), child)
        child.send_signal(signal.SIGINT)
        wait_for(lambda: events("end"), child)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=120)
    assert child.returncode == 130
    assert err == "python -m search: interrupted; finished networks are kept. To go on, repeat the command.\n"
    assert events("end")[0]["reason"] == "interrupted"
    assert len(check({}, 500)) == len(events("finish"))
    assert not leftovers(RUN), "who is only interrupted cleans up"


def test_temporary_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    host = os.uname().nodename
    with subprocess.Popen([sys.executable, "-c", "pass"]) as dead:
        dead.wait()
    kept = [f".table.csv.{host}-{os.getppid()}.tmp", f".table.csv.elsewhere-{dead.pid}.tmp", f".{dead.pid}.tmp"]
    for name in (f".table.csv.{host}-{dead.pid}.tmp", f".other.json.{host}-{dead.pid}.tmp", *kept):
        (tmp_path / name).write_text("half")
    write_files({tmp_path / "table.csv": b"whole"})
    assert {path.name for path in leftovers(tmp_path)} == set(kept)
    assert (tmp_path / "table.csv").read_bytes() == b"whole"


# --- a full disk -------------------------------------------------------------------------------------------------


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writing a file beyond this size fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """A file system of its own for this directory; gives what sets its size."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system, and not everywhere")
    try:
        shutil.copy("tiny.json", place)
        monkeypatch.chdir(place)

        def resize(size: int) -> None:
            subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)

        yield resize
    finally:
        os.chdir(tmp_path)
        subprocess.run(["umount", str(place)], check=True)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*SMALL, *arguments]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1, error
    return error


EVERYTHING = ("--trials", "8", "--plots", "all")  # more than fits


def test_a_study_that_may_not_grow(capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[int, Stored] = {}
    with largest_file(64 * 2**10):  # not even the tables of an empty study
        assert "study.db: the study cannot be read or written" in refused(capsys, *EVERYTHING)
    check(seen, 8)
    with largest_file(350_000):
        assert "everything finished before is kept" in refused(capsys, *EVERYTHING)
    some = check(seen, 8)
    assert 1 <= len(some) == len(events("finish")) < 8
    assert events("end")[-1]["reason"] == "error"
    assert main([*SMALL, "--trials", "8", "--plots", "none"]) == 0
    assert check(seen, 8)[: len(some)] == some
    assert len(check(seen, 8)) == 8


@pytest.mark.slow
def test_files_that_may_not_grow(capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[int, Stored] = {}
    with largest_file(1_000_000):  # enough for the study, but not for the page
        assert "tables and pictures cannot be written (File too large)" in refused(capsys, *EVERYTHING)
    assert len(check(seen, 8)) == 8
    assert not leftovers(RUN)
    assert not (RUN / "trials.csv").exists()
    assert main([*SMALL, *EVERYTHING]) == 0
    assert len(check(seen, 8)) == 8
    assert (RUN / "trials.csv").exists()


@pytest.mark.slow
def test_a_full_disk(disk: Callable[[int], None], capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[int, Stored] = {}
    disk(200_000)
    full = "database or disk is full); everything finished before is kept. Make room, then repeat the command"
    assert full in refused(capsys, *EVERYTHING)
    check(seen, 8)
    disk(500_000)
    assert full in refused(capsys, *EVERYTHING)
    assert 1 <= len(check(seen, 8)) < 8
    disk(1_000_000)
    assert "tables and pictures cannot be written (No space left on device)" in refused(capsys, *EVERYTHING)
    assert len(check(seen, 8)) == 8
    assert not leftovers(RUN)
    disk(64_000_000)
    assert main([*SMALL, *EVERYTHING]) == 0
    assert len(check(seen, 8)) == 8


# --- clocks ------------------------------------------------------------------------------------------------------


class Jumping(datetime):
    """A clock that is set back and forth by days each time that somebody looks at it."""

    looks = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        Jumping.looks += 1
        return super().now(tz) + timedelta(days=(-700, 30, -1, 400)[Jumping.looks % 4])


def test_nothing_depends_on_the_clock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: dict[int, Stored] = {}
    assert main([*SMALL, "--trials", "2"]) == 0
    before = check(seen, 4)
    for module in ("loop", "run.log", "run.lock"):
        monkeypatch.setattr(f"search.{module}.datetime", Jumping)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert main([*SMALL, "--trials", "4"]) == 0
    after = check(seen, 4)
    assert len(after) == 4
    assert after[:2] == before
    assert Jumping.looks > 8
    assert any(str(each.start) > str(each.complete) for each in after), "the clock did jump"
    second = events("begin")[1]["session"]
    elapsed = [event["elapsed"] for event in read_log(RUN / "log.jsonl") if event["session"] == second]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] < 600
    capsys.readouterr()
    assert main(["status", str(RUN)]) == 0
    assert "4" in capsys.readouterr().out
    with Search(RUN, stored_settings()) as search:
        assert search.samples_left(4) == 0


def stored_settings() -> Settings:
    return Settings.from_json(json.loads((RUN / "run.json").read_text())["settings"])


# --- several workers ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_a_holder_and_a_worker_are_killed() -> None:
    arguments = [*SMALL, "--trials", "12", "--workers", "2"]
    seen: dict[int, Stored] = {}
    with process(*arguments) as child:
        wait_for(lambda: len(events("finish")) >= 2, child)
        left = descendants(child.pid)
        assert len(workers(child.pid)) == 2
        child.kill()
        child.wait()
        before = check(seen, 12)
        assert 2 <= len(before) < 12
    assert gone(left, 60), "processes of the holder that was killed go on"
    with process(*arguments) as child:
        wait_for(lambda: len(events("finish")) > len(before), child)
        left = descendants(child.pid)
        os.kill(wait_for(lambda: workers(child.pid), child)[0], signal.SIGKILL)
        out, err = child.communicate(timeout=240)
        assert child.returncode == 0, (out, err)
    after = check(seen, 12)
    assert after[: len(before)] == before
    assert len(after) == 12
    assert [event["attempt"] for event in events("retry")] == [1]
    assert err == ""
    assert gone(left, 60)


@pytest.mark.slow
def test_ctrl_c_with_several_workers_keeps_what_is_finished() -> None:
    with process(*SMALL, "--trials", "500", "--workers", "2") as child:
        wait_for(lambda: events("finish"), child)
        left = descendants(child.pid)
        for each in (child.pid, *left):  # as the terminal does
            os.kill(each, signal.SIGINT)
        out, err = child.communicate(timeout=120)
    assert child.returncode == 130
    assert (
        err == "python -m search: interrupted; finished networks are kept. To go on, repeat the command (run 'run').\n"
    )
    assert "written to runs/run" in out
    assert events("end")[0]["reason"] == "interrupted"
    assert len(check({}, 500)) == len(events("finish"))
    assert gone(left, 60)
