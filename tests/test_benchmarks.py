"""The benchmark commands at toy size: that they run, write what they say, and go on where they ended."""

import csv
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import gpu
from benchmarks.known import RESULTS, made_anew
from tests.commands import Ended

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which starts others."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of two classes, dark and bright."""
    folder = tmp_path_factory.mktemp("images")
    for name, shade in (("dark", 40), ("bright", 200)):
        (folder / "train" / name).mkdir(parents=True)
        for number in range(60):
            Image.new("RGB", (8, 8), (shade, shade + number % 20, shade)).save(folder / f"train/{name}/{number}.png")
    return folder


def test_every_gpu_figure_has_its_command(command: Callable[..., Ended]) -> None:
    done = command("benchmarks.gpu", "--data", "x", "--out", "x", "--list")
    assert done.status == 0, done.err
    names = [line.split()[0] for line in done.out.splitlines()]
    assert {"cuda-tests", "throughput", "fidelity-fast", "fidelity-faithful", "packing", "repeat"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for a process in /proc")
def test_a_gpu_part_that_is_cut_off_leaves_no_process_and_all_is_packed(tmp_path: Path) -> None:
    code = "import subprocess as s; print(s.Popen(['sleep', '600']).pid, flush=True); import time; time.sleep(600)"
    out = tmp_path / "out"
    out.mkdir()
    assert gpu.run(gpu.Part("endless", f'-c "{code}"', 0), "x", out, 5.0) == "cut off"
    child = Path("/proc", (out / "endless.txt").read_text().split()[-1], "stat")
    deadline = time.monotonic() + 10
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists() or child.read_text().split()[2] == "Z"
    with tarfile.open(gpu.pack(out)) as archive:
        assert set(archive.getnames()) == {"out", "out/endless.txt"}


@pytest.mark.slow
def test_gpu_parts_in_rehearsal(images: Path, tmp_path: Path) -> None:
    command = ["benchmarks.gpu", "--data", str(images), "--out", str(tmp_path / "out"), "--device", "cpu", "--quick",
               "--only", "throughput", "fidelity-fast"]  # fmt: skip
    short = run(*command, "--minutes", "0.2")
    assert short.returncode == 3 and short.stdout.count("no time left") == 2, short.stdout + short.stderr
    whole = run(*command)
    assert whole.returncode == 0, whole.stdout + (tmp_path / "out/throughput.txt").read_text()
    rows = json.loads((tmp_path / "out/throughput.json").read_text())["rows"]
    assert [row["network"] for row in rows] == ["resnet18", "densenet121"]
    for row in rows:
        assert row["images_per_second"].keys() == {"plain", "tuned", "ours"}
        assert row["ours_over_plain"] == pytest.approx(
            row["images_per_second"]["ours"] / row["images_per_second"]["plain"]
        )
        assert 0 < row["peak_share"] < 1
    assert (tmp_path / "out/fidelity-fast/fidelity.json").exists()
    again = run(*command)
    assert again.returncode == 0 and again.stdout.count("done before") == 2


def test_recipes_are_compared_and_continued(images: Path, tmp_path: Path, command: Callable[..., Ended]) -> None:
    words = ["benchmarks.recipes", "--data", str(images), "--out", str(tmp_path), "--device", "cpu",
               "--networks", "resnet18", "wrn18_1.5", "--only", "r16-m5200000-n4000-e4"]  # fmt: skip
    first = command(*words)
    assert first.status == 0, first.err
    table = (tmp_path / "recipes.txt").read_text()
    assert "r16-m5200000-n4000-e4" in table and table in first.out
    again = command(*words)
    assert again.status == 0 and (tmp_path / "recipes.txt").read_text() == table


def test_a_survey_goes_on_and_two_processes_share_it(
    images: Path, tmp_path: Path, command: Callable[..., Ended]
) -> None:
    out = tmp_path / "survey.csv"
    words = ["benchmarks.survey", "--data", str(images), "--out", str(out), "--device", "cpu", "--recipe", "smoke",
               "--budget", "0.4G", "--networks", "3"]  # fmt: skip
    stopped = command(*words, "--minutes", "0")
    assert stopped.status == 3, stopped.err
    for part in ("0/2", "1/2"):
        done = command(*words, "--part", part)
        assert done.status == 0, done.err
    heading, *lines = out.read_text().splitlines()
    assert heading.startswith("# ")
    rows = list(csv.DictReader(lines))
    assert sorted((row["index"], row["mode"]) for row in rows) == [
        ("0", "frontier"), ("1", "frontier"), ("2", "match")
    ]  # fmt: skip
    assert all(json.loads(row["curve"])[-1][2] == float(row["top1"]) for row in rows)
    again = command(*words)
    assert again.status == 0 and not again.out, "everything is there"


@pytest.mark.slow
def test_the_owners_overhead_is_measured(tmp_path: Path, command: Callable[..., Ended]) -> None:
    done = command(
        "benchmarks.overhead", "--trials", "101", "--rival", "101", "--samplers", "random", "--evaluations", "0",
        "--out", str(tmp_path / "overhead.txt"),
    )  # fmt: skip
    assert done.status == 0, done.err
    lines = (tmp_path / "overhead.txt").read_text().splitlines()
    names = [line[:34].strip() for line in lines[2:]]
    assert names[:2] == ["plain Optuna, TPE, 10 parameters", "random, frontier"]
    assert all(float(line[34:43]) > 0 for line in lines[2:])


def test_reports_and_what_is_shipped_follow_from_the_scores_that_are_stored() -> None:
    files = made_anew()
    stored = list(RESULTS.glob("fidelity-*.json"))
    assert len(files) == 1 + 3 * len(stored)
    for path, content in files.items():
        if path.name == "shipped.json" or path.suffix == ".txt":  # a regression's last digits are each machine's own
            assert path.read_bytes() == content, f"{path.name}: type python -m benchmarks.known"


def test_the_winner_of_a_simulated_choice(tmp_path: Path) -> None:
    out = tmp_path / "winner"
    small = ("--networks", "20", "--draws", "3", "--wilder", "1", "2", "--out", str(out))
    done = run("benchmarks.winner", *small)
    assert done.returncode == 0, done.stderr
    lines = json.loads(out.with_suffix(".json").read_text())["lines"]
    assert [line["wilder"] for line in lines] == [1.0] * 6 + [2.0] * 6
    for line in lines:
        assert line["regret"] >= 0 and 0 <= line["covered_winner"] <= 1 and 0.5 <= line["covered_all"] <= 1
    assert out.with_suffix(".txt").read_text() == done.stdout
