"""The fuzzer at toy size: no input breaks a reader, and none is left out; python -m benchmarks.fuzz is the full run."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fuzz import ALL, fuzz_one, prepare
from benchmarks.fuzz_inputs import json_bytes, mutated_bytes, mutated_text, mutated_tree
from benchmarks.fuzz_readers import READERS
from benchmarks.fuzz_run import Counts, Hang, Reader, fuzz

ROOT = Path(__file__).parents[1]
SLOW = ("log.jsonl, status", "study bytes", "study attributes", "run.json", "parquet", "sweeps, solved")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "made"
    prepare(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_readers(name: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHFRONTIER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "made"
    shutil.copytree(prepared, folder, symlinks=True)
    inputs = 30 if name in SLOW else 300
    counts = fuzz_one(name, folder, seed=1, inputs=inputs)
    assert (counts.tracebacks, counts.hangs) == (0, 0), counts.findings
    assert counts.accepted + counts.refused == inputs
    assert counts.accepted and (counts.refused or "log" in name)


@pytest.mark.slow
def test_command_lines(tmp_path: Path) -> None:
    names = [name for name in ALL if name.startswith("python -m")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--out", str(tmp_path), "--inputs", "30", "--readers", *names],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert "120 inputs, 0 tracebacks, 0 hangs" in done.stdout, done.stdout + done.stderr


def test_what_breaks_is_counted_and_kept() -> None:
    def read(number: int) -> None:
        if number == 0:
            raise ValueError("0: expected a number above 0")
        if number == 1:
            raise ValueError("")
        if number == 2:
            raise KeyError("x")
        if number == 3:
            raise Hang
        if number == 4:
            b"\xff".decode()

    reader = Reader("numbers", lambda rng: rng.randrange(6), read)
    counts = fuzz(reader, seed=0, inputs=300)
    assert counts.inputs == 300 == counts.accepted + counts.refused + counts.tracebacks + counts.hangs
    assert 30 < counts.accepted < 70 and 30 < counts.hangs < 70 and 30 < counts.refused < 70
    assert 100 < counts.tracebacks < 200
    assert {each["said"].split(":")[0] for each in counts.findings} == {
        "ValueError", "KeyError", "Hang", "UnicodeDecodeError",
    }  # fmt: skip


def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    def read(number: int) -> None:
        if number % 3 == 0:
            raise ValueError("a multiple of three")

    reader, kept = Reader("numbers", lambda rng: rng.randrange(100), read), tmp_path / "counts.json"
    with kept.open("w", encoding="utf-8") as file:
        fuzz(reader, seed=0, inputs=250, file=file)
    whole, rest = fuzz(reader, seed=0, inputs=400), fuzz(reader, seed=0, inputs=400, counts=Counts.load(kept))
    assert (rest.inputs, rest.accepted, rest.refused) == (400, whole.accepted, whole.refused)


def test_the_same_seed_gives_the_same_inputs() -> None:
    def inputs(seed: int) -> list[object]:
        rng = random.Random(seed)
        tree = {"name": "x", "values": [1, 2, {"deep": 3.5}]}
        text = mutated_text(rng, "4.1GFLOPs", ("600M",))
        mutated = mutated_tree(rng, tree, [tree])
        return [text, repr(mutated), json_bytes(rng, mutated, [b"{}"]), mutated_bytes(rng, b"abcdef" * 9, [b"xyz"])]

    assert inputs(3) == inputs(3) != inputs(4)
