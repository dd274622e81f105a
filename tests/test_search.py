"""The search as a user runs it: real processes, real training on the smallest recipe, real SQLite."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest

from search.__main__ import main
from search.cli.arguments import landmarks_for
from search.run.log import read_log
from space import Budget, config_from_json, cost
from space.limits import Limits
from space.solving.axes import Target

ROOT = Path(__file__).resolve().parent.parent
SMALL = [
    "--budget", "0.4G", "--data", "digits", "--recipe", "smoke", "--name", "run", "--plots", "none", "--landmarks",
    "none",
]  # fmt: skip


def call(arguments: list[str], directory: Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(arguments), cwd=directory, env=environment(), capture_output=True, text=True, timeout=240
    )


def command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "search", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def trials(directory: Path) -> list[optuna.trial.FrozenTrial]:
    storage = f"sqlite:///{directory / 'runs' / 'run' / 'study.db'}"
    return optuna.load_study(study_name="run", storage=storage).trials


def events(directory: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in read_log(directory / "runs" / "run" / "log.jsonl") if event["event"] == kind]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_ends_with_all_its_files_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*SMALL[:-1], "resnet18", "--budget", "2G", "--plots", "frontier"]
    assert main([*arguments, "--trials", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 FLOP here is one multiply-add")
    assert "\x1b" not in out
    assert "data digits (digits of scikit-learn): " in out
    run = tmp_path / "runs" / "run"
    for name in ("study.db", "run.json", "trials.csv", "frontier.csv", "frontier.png", "frontier.svg"):
        assert (run / name).stat().st_size > 0, name
    with (run / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows].count("sample") == 3
    assert [row["kind"] for row in rows].count("landmark") == 1
    for path in (run / "configs").iterdir():
        entry = json.loads(path.read_text())
        assert cost(config_from_json(entry["config"])).macs == entry["macs"] <= 2e9
    before = [(trial.number, trial.values, trial.user_attrs) for trial in trials(tmp_path)]

    arguments += ["--trials", "5", "--plots", "none"]
    assert main(arguments) == 0
    after = trials(tmp_path)
    assert [(trial.number, trial.values, trial.user_attrs) for trial in after[: len(before)]] == before
    assert len(after) == 6
    ids = [trial.user_attrs["config_id"] for trial in after]
    assert len(set(ids)) == len(ids)
    assert not [trial for trial in after if "latency" in trial.user_attrs], "nothing is timed unless it is asked for"
    assert main(arguments) == 0
    assert len(trials(tmp_path)) == 6


@pytest.mark.parametrize(
    "sampler", ["nsga2", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gp", "random", "qmc"))]
)
def test_samplers_and_match_mode(tmp_path: Path, sampler: str) -> None:
    arguments = [*SMALL, "--mode", "match", "--sampler", sampler, "--families", "resnet,resnext", "--trials", "2"]
    assert main(arguments) == 0
    for trial in trials(tmp_path):
        assert 0.9 * 400e6 <= trial.user_attrs["macs"] <= 400e6
        assert trial.values == [trial.user_attrs["score"]["top1"]]


def test_other_settings_are_refused_with_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--trials", "1"]) == 0
    capsys.readouterr()
    assert main([*SMALL, "--trials", "1", "--seed", "7"]) == 2
    assert "seed: 0 there, 7 now" in capsys.readouterr().err
    assert len(trials(tmp_path)) == 1


def test_killed_in_mid_trial_and_continued(tmp_path: Path) -> None:
    arguments = [*SMALL, "--trials", "3"]
    process = subprocess.Popen(command(arguments), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:  # the first finished network
        if line.lstrip().startswith("1/3"):
            break
    deadline = time.monotonic() + 60
    while len(events(tmp_path, "start")) <= len(events(tmp_path, "finish")):
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = trials(tmp_path)
    assert finished

    assert main(arguments) == 0
    after = trials(tmp_path)
    assert [trial.state for trial in after] == [optuna.trial.TrialState.COMPLETE] * 3
    assert [trial.values for trial in after][: len(finished)] == [trial.values for trial in finished]
    assert len({trial.user_attrs["config_id"] for trial in after}) == 3
    assert len(events(tmp_path, "begin")) == 2


def test_a_trial_of_somebody_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--trials", "1"]) == 0
    storage = f"sqlite:///{tmp_path / 'runs' / 'run' / 'study.db'}"
    optuna.load_study(study_name="run", storage=storage).ask().set_user_attr("kind", "sample")
    capsys.readouterr()
    assert main([*SMALL, "--trials", "2"]) == 2
    assert "trial 1: its family is missing" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_finishes_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command([*SMALL, "--trials", "500"]),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a job in the background of a script inherits an ignored SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.lstrip().startswith("2/500"):
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "python -m search: interrupted; finished networks are kept. To go on, repeat the command (run 'run')." in err
    assert "Traceback" not in err
    assert (tmp_path / "runs" / "run" / "frontier.csv").exists()
    assert not [trial for trial in trials(tmp_path) if trial.state == optuna.trial.TrialState.RUNNING]


def test_landmarks_within_the_budget() -> None:
    names = landmarks_for(["auto"], Target(Budget.parse("4.1GFLOPs")))
    assert {"resnet18", "resnet50", "resnext50_32x4d", "densenet121"} <= set(names)
    assert not {"resnet101", "wide_resnet50_2", "cifar_resnet20", "vgg16"} & set(names)
    small = landmarks_for(["auto"], Target(Budget.parse("0.3G"), "frontier", 32, 10))
    assert "cifar_resnet110" in small
    assert "wrn_28_10" not in small
    assert landmarks_for(["resnet18,resnet50"], Target(Budget.parse("1G"))) == ("resnet18", "resnet50")
    light = landmarks_for(["auto"], Target(Budget.parse("4.1GFLOPs"), limits=Limits(max_params=12_000_000)))
    assert {"resnet18", "densenet121"} <= set(light)
    assert "resnet50" not in light
    assert not [name for name in names if name.startswith("regnetx")]
    regnets = landmarks_for(["regnetx"], Target(Budget.parse("0.6GFLOPs")))
    assert regnets == ("regnetx_200mf", "regnetx_400mf", "regnetx_600mf")
    assert landmarks_for(["auto,regnetx", "resnet50"], Target(Budget.parse("0.4GFLOPs"))) == (
        "regnetx_200mf", "regnetx_400mf", "resnet50",
    )  # fmt: skip
    with pytest.raises(ValueError, match="no published network of this family"):
        landmarks_for(["wide_resnet"], Target(Budget.parse("0.4GFLOPs")))


BAD = {
    "budget": (["--budget", "4.1 parsecs"], "not an amount of compute"),
    "zero budget": (["--budget", "0"], "expected 1M to 10T"),
    "negative budget": (["--budget=-4G"], "not an amount of compute"),
    "nan budget": (["--budget", "nan"], "not an amount of compute"),
    "tiny budget": (["--budget", "5M"], "below the smallest"),
    "family": (["--budget", "1G", "--families", "vgg"], "family 'vgg'"),
    "no family": (["--budget", "1G", "--families", ","], "no family"),
    "mode": (["--budget", "1G", "--mode", "best"], "--mode 'best'"),
    "sampler": (["--budget", "1G", "--sampler", "magic"], "--sampler 'magic'"),
    "landmark": (["--budget", "1G", "--landmarks", "resnet51"], "resnet51"),
    "recipe": (["--budget", "1G", "--recipe", "slow"], "slow"),
    "data": (["--budget", "1G", "--data", "no/such/folder"], "no/such/folder"),
    "device": (["--budget", "1G", "--device", "abacus"], "abacus"),
    "objective": (["--budget", "1G", "--objective", "beauty"], "--objective 'beauty': expected one of macs, latency"),
    "objective of match": (
        ["--budget", "1G", "--objective", "latency", "--mode", "match"],
        "goes with --mode frontier",
    ),
    "name": (["--budget", "1G", "--name", "../out"], "path separators"),
    "dots": (["--budget", "1G", "--name", ".."], "path separators"),
    "trials": (["--budget", "1G", "--trials", "-1"], "--trials -1"),
    "input": (["--budget", "1G", "--input", "0"], "input size"),
    "classes": (["--budget", "1G", "--classes", "0"], "classes"),
    "params": (["--budget", "1G", "--max-params", "few"], "--max-params"),
    "no params": (["--budget", "1G", "--max-params", "1000"], "--max-params"),
    "activations": (["--budget", "1G", "--max-activations", "-3"], "--max-activations"),
    "max latency": (["--budget", "1G", "--max-latency", "0"], "--max-latency 0"),
    "refine": (["--budget", "1G", "--refine", "2"], "--refine 2"),
    "workers": (["--budget", "1G", "--workers", "0"], "--workers 0"),
    "gpu fraction": (["--budget", "1G", "--gpu-fraction", "0"], "--gpu-fraction 0"),
    "timing beside others": (["--budget", "1G", "--max-latency", "5", "--workers", "2"], "leave out --workers"),
    "plots": (["--budget", "1G", "--plots", "fronteer"], "--plots 'fronteer': expected all"),
    "quiet and verbose": (["--budget", "1G", "-q", "-v"], "--quiet and --verbose"),
    "json": (["--budget", "1G", "--json"], "--json goes with --dry-run"),
    "warm start": (["--budget", "1G", "--warm-start", "runs/none"], "--warm-start runs/none"),
    "storage": (["--budget", "1G", "--recipe", "smoke", "--storage", "nonsense"], "SQLAlchemy URL"),
    "unreachable storage": (
        ["--budget", "1G", "--recipe", "smoke", "--storage", "sqlite:////no/such/folder/study.db"],
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_status_2(case: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments, expected = BAD[case]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing may be half-written"


def test_a_damaged_study_is_named_and_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run" / "study.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this was a database once" * 100)
    assert main([*SMALL, "--trials", "1"]) == 2
    error = capsys.readouterr().err
    assert "study.db" in error
    assert len(error.splitlines()) == 1
    assert path.read_bytes() == b"this was a database once" * 100


def test_a_directory_that_cannot_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file is in the way")
    assert main([*SMALL, "--trials", "1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name", ["fidelity", "train", "a/b", ".."])
def test_names_that_no_run_can_have(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--budget", "1G", "--name", name]) == 2
    error = capsys.readouterr().err
    assert f"run name '{name}'" in error and "such as --name my-run" in error
