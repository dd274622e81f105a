"""Networks measured by several processes of this machine: killed workers, killed holders, images that are shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from benchmarks.processes import descendants, gone
from evaluate.images.load import ImageData, load_data
from evaluate.training.augment import Augmenter, Normaliser
from evaluate.training.presets import RECIPES
from search.records import Evaluation, Job, Lost
from search.run.settings import Settings
from search.workers.evaluation import Evaluator
from search.workers.executor import InProcess
from search.workers.packed import Packed
from search.workers.process_executor import LOST, OnProcesses
from space import Config, landmark
from tests.tasks import Task, ask, meet

ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20
needs_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="looks for processes in /proc")


@pytest.fixture
def config(tiny_configs: dict[str, Config]) -> Config:
    return tiny_configs["basic"]


@pytest.fixture(scope="module")
def two() -> Iterator[OnProcesses]:
    executor = OnProcesses(Task(), workers=2)
    yield executor
    executor.close()


def test_no_workers_make_no_sense() -> None:
    with pytest.raises(ValueError, match="0 workers: expected 1 or more, such as --workers 4"):
        OnProcesses(Task(), workers=0)


def test_two_workers_measure_at_the_same_time_and_load_the_evaluation_once(
    two: OnProcesses, config: Config, tmp_path: Path
) -> None:
    both = meet(two, config, tmp_path / "here")
    assert len(both.keys() - {os.getpid()}) == 2
    told = ask(two, config, *[("tell",)] * 20)
    assert sorted(told) == list(range(20))
    assert {each["loads"] for each in told.values()} == {1}
    assert {each["pid"] for each in told.values()} <= both.keys()


def test_what_the_evaluation_raises_reaches_the_holder_and_the_worker_goes_on(
    two: OnProcesses, config: Config, tmp_path: Path
) -> None:
    before = meet(two, config, tmp_path / "before")
    two.submit(Job(1, config, ("raise",)))  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="of the evaluation") as caught:
        two.next()
    assert "in __call__" in str(caught.value.__cause__), "where it was raised in the worker"
    assert meet(two, config, tmp_path / "after") == before


def test_a_worker_whose_gpu_has_failed_is_replaced_and_its_network_measured_elsewhere(config: Config) -> None:
    executor = OnProcesses(Task(), workers=1)
    try:
        before, lost, after = ask(executor, config, ("tell",), ("device lost",), ("tell",)).values()
    finally:
        executor.close()
    assert lost == Lost("its worker's CUDA device has failed: CUDA error: an illegal memory access was encountered")
    assert before["pid"] != after["pid"], "the process that CUDA has failed measures no other network"


def test_a_worker_that_dies_loses_its_network_only(two: OnProcesses, config: Config, tmp_path: Path) -> None:
    before = meet(two, config, tmp_path / "before")
    told = ask(two, config, ("sleep", 0.5), ("killed",), ("tell",), ("tell",))
    assert told[1] == Lost(LOST)
    assert [told[key]["family"] for key in (0, 2, 3)] == [config.family] * 3
    assert told[0]["pid"] in before, "what the other worker does goes on"
    assert ask(two, config, ("exit",))[0] == Lost(LOST)
    assert len(meet(two, config, tmp_path / "after")) == 2


def test_a_worker_does_not_hear_the_terminals_ctrl_c(two: OnProcesses, config: Config, tmp_path: Path) -> None:
    both = meet(two, config, tmp_path / "before")
    for pid in both:
        os.kill(pid, signal.SIGINT)
    assert meet(two, config, tmp_path / "after") == both


def test_to_wait_for_nothing_is_a_mistake_of_the_program(two: OnProcesses) -> None:
    with pytest.raises(RuntimeError, match="no job is out"):
        two.next()


def test_workers_take_gpus_in_turn(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-5")
    executor = OnProcesses(Task(), workers=2, device="cuda")
    try:
        assert sorted(map(str, meet(executor, config, tmp_path / "here").values())) == ["2", "GPU-5"]
    finally:
        executor.close()


@dataclass
class Refuses:
    """An evaluation that cannot be loaded."""

    how: str

    def __call__(self, job: Job) -> Evaluation:
        raise AssertionError("it is never loaded")

    def __setstate__(self, state: dict[str, str]) -> None:
        if state["how"] == "exit":
            os._exit(1)
        raise ValueError("no room for images")


def test_workers_that_cannot_begin_are_an_error_and_no_endless_loop(config: Config) -> None:
    for how, sentence in (("raise", "no room for images"), ("exit", "3 workers in a row were lost while they started")):
        executor = OnProcesses(Refuses(how), workers=1)
        try:
            executor.submit(Job(1, config))
            with pytest.raises(ValueError, match=sentence):
                executor.next()
        finally:
            executor.close()


@needs_proc
def test_close_ends_what_runs_and_nothing_is_left(config: Config, tmp_path: Path) -> None:
    executor = OnProcesses(Task(), workers=2)
    both = meet(executor, config, tmp_path / "here")
    for key in range(4):
        executor.submit(Job(key, config, ("sleep", 600)))  # type: ignore[arg-type]
    began = time.monotonic()
    executor.close()
    executor.close()
    assert time.monotonic() - began < 5
    assert gone(list(both), 5)


# --- images ------------------------------------------------------------------------------------------------------


def test_what_is_packed_is_what_comes_out(tmp_path: Path) -> None:
    data = load_data("digits", 8, 0, 100)
    whole = torch.arange(24.0).view(2, 3, 4)
    packed = Packed({"data": data, "part": whole[1, :, ::2], "turned": whole.permute(2, 0, 1), "none": torch.empty(0)})
    found = packed.open()
    for name in ("train_images", "train_labels", "val_images", "val_labels"):
        mine, theirs = getattr(data, name), getattr(found["data"], name)
        assert torch.equal(mine, theirs) and mine.dtype == theirs.dtype and mine.stride() == theirs.stride()
    assert torch.equal(found["part"], whole[1, :, ::2])
    turned = whole.permute(2, 0, 1)
    assert torch.equal(found["turned"], turned) and found["turned"].stride() == turned.stride()
    assert found["none"].shape == (0,)
    found["data"].train_images.zero_()
    assert packed.open()["data"].train_images.any(), "what a worker writes is its own"


def test_a_training_gathers_from_the_images_as_they_are() -> None:
    data = load_data("digits", 8, 0, 100)
    augmenter = Augmenter(data.train_images[:50], Normaliser.of(data.train_images), RECIPES["smoke"])
    assert augmenter.pixels.data_ptr() == data.train_images.data_ptr()


@dataclass
class Reads:
    """Reads every image, and tells how much memory is this process's own and how much it shares."""

    data: ImageData

    def __call__(self, job: Job) -> Evaluation:
        total = int(self.data.train_images.sum())
        lines = Path("/proc/self/smaps").read_text().split("\n")
        start = next(place for place, line in enumerate(lines) if "memfd:archfrontier" in line)
        rows = [line.split() for line in lines[start + 1 : start + 20]]
        kib = {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[2] == "kB"}
        return Evaluation(reason=f"{total} {kib['Rss:']} {kib['Pss:']} {kib['Private_Dirty:']}")


@needs_proc
def test_images_are_there_once_whatever_the_number_of_workers(config: Config) -> None:
    pixels = torch.randint(0, 256, (10_000, 3, 32, 32), dtype=torch.uint8)
    labels = torch.zeros(10_000, dtype=torch.int64)
    size = pixels.nbytes / 1024
    executor = OnProcesses(Reads(ImageData("random", pixels, labels, pixels[:1], labels[:1], 2)), workers=3)
    try:
        for _ in range(2):  # the second time all three have read them
            for key in range(3):
                executor.submit(Job(key, config))
            told = [str(executor.next()[1].reason).split() for _ in range(3)]
    finally:
        executor.close()
    assert {int(each[0]) for each in told} == {int(pixels.sum())}
    for _, resident, share, own in told:
        assert int(resident) > 0.99 * size
        assert int(own) == 0
        assert int(share) < 0.55 * size
    assert sum(int(each[2]) for each in told) < 1.05 * size, "three workers together hold them once"


def test_a_score_does_not_depend_on_the_workers() -> None:
    recipe = replace(RECIPES["smoke"], train_images=256)
    settings = Settings(
        "run", 600_000_000, "frontier", ("resnet",), "digits", recipe.to_json(), 224, 1000, "random", 3, ()
    )
    evaluate = Evaluator(settings, recipe, load_data("digits", 8, 3, 256), "cpu")
    networks = [landmark(name) for name in ("resnet18", "resnet34")]
    several, alone = OnProcesses(evaluate, workers=2), InProcess(evaluate)
    try:
        for key, network in enumerate(networks):
            several.submit(Job(key, network))
            alone.submit(Job(key, network))
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            expected = dict(alone.next() for _ in networks)
        finally:
            torch.set_num_threads(before)
        found = dict(several.next() for _ in networks)
    finally:
        several.close()
    for key, one in expected.items():
        other = found[key]
        assert isinstance(other, Evaluation) and other.score and one.score, other
        assert (one.score.curve, one.score.loss) == (other.score.curve, other.score.loss)


# --- holders -----------------------------------------------------------------------------------------------------

HOLDER = """
import sys, time
from search.records import Job
from search.workers.process_executor import OnProcesses
from space import landmark
from tests.tasks import Task

if __name__ == "__main__":
    executor = OnProcesses(Task(), workers=2)
    network = landmark("resnet18")
    for key, what in enumerate([("killed",), ("tell",), ("tell",), ("meet", sys.argv[1]), ("meet", sys.argv[1])]):
        executor.submit(Job(key, network, what))
    print(sorted(executor.next()[0] for _ in range(5)), flush=True)
    for key in range(4):
        executor.submit(Job(key, network, ("sleep", 600)))
    print("at work", flush=True)
    try:
        executor.next()
    except KeyboardInterrupt:
        executor.close()
        print("closed", flush=True)
"""


@contextmanager
def holder(directory: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A program with two workers that go on for long, and all processes that it has started."""
    script, place = directory / "holder.py", directory / "place"
    script.write_text(HOLDER)
    place.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(place)], cwd=directory, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        try:
            said = process.stdout.readline() + process.stdout.readline()
            assert said == "[0, 1, 2, 3, 4]\nat work\n", said + process.stderr.read()
            yield process, descendants(process.pid)
        finally:
            process.kill()


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_holder_that_ends(end: signal.Signals, tmp_path: Path) -> None:
    with holder(tmp_path) as (process, started):
        assert len(started) == 4, "a server, what clears up after it, and two workers"
        if end == signal.SIGINT:
            os.killpg(process.pid, signal.SIGINT)  # as the terminal does
            out, err = process.communicate(timeout=180)
            assert (out, err, process.returncode) == ("closed\n", "", 0)
        else:
            process.kill()
        assert gone(started, 60), "the server takes a second to end, on a busy machine more"


@pytest.mark.slow
@needs_proc
def test_workers_end_with_the_server_that_they_were_forked_from(tmp_path: Path) -> None:
    with holder(tmp_path) as (_, started):
        server = next(pid for pid in started if "forkserver" in Path(f"/proc/{pid}/cmdline").read_text())
        workers = descendants(server)
        assert len(workers) == 2
        os.kill(server, signal.SIGKILL)
        assert gone(workers, 10)
