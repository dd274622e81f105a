"""One holder a run: real second processes, killed holders, what they left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from search.run.lock import LOCK, Holder, held_by, hold

ROOT = Path(__file__).resolve().parent.parent
OWN = """
import sys
from pathlib import Path
from search.run.lock import hold
try:
    with hold(Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3]):
        print("mine", flush=True)
        {inside}
except ValueError as error:
    print(error, flush=True)
"""
WAIT = "sys.stdin.read()"


@contextmanager
def process(directory: Path, inside: str = WAIT, url: str = "", name: str = "x") -> Iterator[subprocess.Popen[str]]:
    """A search of the run, as far as its lock goes."""
    arguments = [sys.executable, "-c", OWN.format(inside=inside), str(directory), url, name]
    with subprocess.Popen(
        arguments, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def says(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "runs" / "x"
    directory.mkdir(parents=True)
    return directory


def test_the_second_owner_is_told_who_the_first_is(run: Path) -> None:
    with hold(run, None, "x"), process(run) as second:
        said = says(second)
    expected = f"run 'x' is being searched by process {os.getpid()} on host {os.uname().nodename} since "
    assert said.startswith(expected)
    assert said.endswith(f"; wait for it, or watch it with python -m search status {run}")
    with process(run) as third:
        assert says(third) == "mine"


def test_the_second_owner_may_be_the_same_process(run: Path) -> None:
    here = f"searched by process {os.getpid()} "
    with hold(run, None, "x"), pytest.raises(ValueError, match=here), hold(run, None, "x"):
        pass


def test_a_killed_owner_leaves_no_lock(run: Path) -> None:
    with process(run) as first:
        assert says(first) == "mine"
        before = held_by(run)
        assert before is not None
        assert before.pid == first.pid
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert (run / LOCK).exists(), "what it left is no lock"
        assert held_by(run) is None
        with hold(run, None, "x"):
            after = held_by(run)
            assert after is not None
            assert after.pid == os.getpid()


def test_the_children_of_a_killed_owner_do_not_have_its_lock(run: Path) -> None:
    fork = "import os, time; child = os.fork(); print(child, flush=True) if child else time.sleep(600); " + WAIT
    with process(run, fork) as first:
        assert says(first) == "mine"
        child = int(says(first))
        try:
            first.kill()
            first.wait()
            os.kill(child, 0)
            with hold(run, None, "x"):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("inside", ["pass", "raise ValueError('broken')", "raise KeyboardInterrupt"])
def test_an_owner_that_ends_gives_the_run_back(run: Path, inside: str) -> None:
    with process(run, inside) as first:
        assert says(first) == "mine"
        first.wait()
    assert not list(run.iterdir())
    assert held_by(run) is None
    with hold(run, None, "x"):
        pass


def test_what_a_lock_file_says_is_no_lock(run: Path) -> None:
    long_ago = Holder(1, "elsewhere" * 50, datetime(2020, 2, 2, tzinfo=UTC))
    for content in (b"", b"\xff\x00", b"[1]\n", b'{"pid": null}', long_ago.to_bytes()):
        (run / LOCK).write_bytes(content)
        assert held_by(run) is None
        assert (run / LOCK).read_bytes() == content, "looking changes nothing"
        with hold(run, None, "x"):
            holder = held_by(run)
            assert holder is not None
            assert holder.pid == os.getpid()
            assert abs(datetime.now(UTC) - holder.since) < timedelta(minutes=1)


def test_looking_makes_no_file_and_does_not_keep_owners_away(run: Path) -> None:
    assert held_by(run) is None
    assert held_by(run / "no" / "such") is None
    assert not list(run.iterdir())
    look = "import sys; from pathlib import Path; from search.run.lock import held_by\nprint('looking', flush=True)\n"
    look += "while True: held_by(Path(sys.argv[1]))"
    (run / LOCK).touch()
    with subprocess.Popen([sys.executable, "-c", look, str(run)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert says(child) == "looking"
            for _ in range(20):
                with hold(run, None, "x"):
                    pass
        finally:
            child.kill()


def test_two_runs_do_not_block_each_other(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "runs" / "y"
    other.mkdir()
    url = f"sqlite:///{tmp_path / 'both.db'}"
    with hold(run, url, "x"), process(other, url=url, name="y") as second:
        assert says(second) == "mine"


def test_one_study_of_two_directories_has_one_owner(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "x"
    other.mkdir(parents=True)
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with hold(run, url, "x"), process(other, url=url) as second:
        said = says(second)
        second.wait()
        assert said.startswith(f"run 'x' in {url} is being searched by process {os.getpid()} on host ")
        assert not list(other.iterdir()), "who is refused leaves nothing"
    with process(other, url=url) as third:
        assert says(third) == "mine"


def test_storages_that_cannot_be_locked_are_refused(run: Path, tmp_path: Path) -> None:
    for url, message in (
        (f"sqlite:///{tmp_path}/no/such/study.db", "there is no directory"),
        ("sqlite://", "in memory"),
        ("nonsense", "SQLAlchemy URL"),
    ):
        with pytest.raises(ValueError, match=message), hold(run, url, "x"):
            pass
    assert not list(run.iterdir())
    assert not (tmp_path / "no").exists()


def test_a_lock_file_that_cannot_be_written_is_an_error_with_its_name(run: Path) -> None:
    (run / LOCK).mkdir()
    with pytest.raises(OSError, match=LOCK), hold(run, None, "x"):
        pass


def test_a_holder_says_the_day_unless_it_is_today() -> None:
    now = datetime.now().astimezone()
    assert str(Holder(7, "h", now.astimezone(UTC))) == f"process 7 on host h since {now:%H:%M}"
    before = now - timedelta(days=3)
    assert str(Holder(7, "h", before)) == f"process 7 on host h since {before:%Y-%m-%d %H:%M}"
