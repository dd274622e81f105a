"""Latency as the second objective, and the fidelity of the recipe: real networks are timed and trained."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from evaluate.__main__ import main as evaluate_main
from evaluate.images.load import load_data
from evaluate.measures.latency import Latency
from evaluate.training.presets import RECIPES
from evaluate.training.score import ProxyScore
from results import frontier_table, load_run
from results.plots.frontier_data import frontier_data
from results.run.pareto import frontier
from search.__main__ import main
from search.loop import Loop
from search.propose.proposer import Proposer
from search.records import Evaluate, Evaluation, Event, Job
from search.run.log import RunLog
from search.run.settings import Settings
from search.run.study import Search
from search.run.trials import MOST_MISSES
from search.workers.evaluation import Evaluator, timing_on
from search.workers.executor import InProcess
from space import Config, landmark, load_config

SMALL = [
    "--budget", "0.03G", "--input", "32", "--classes", "10", "--data", "digits",
    "--recipe", "smoke", "--name", "run", "--device", "cpu",
    "--plots", "frontier",
]  # fmt: skip
TIMED = [*SMALL, "--objective", "latency", "--landmarks", "cifar_resnet20"]  # costs 40.6 M: no member of the frontier


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("timed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert main([*TIMED, "--trials", "2"]) == 0
    return place / "runs" / "run"


def trials(directory: Path) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="run", storage=f"sqlite:///{directory / 'study.db'}").trials


def settings(**more: Any) -> Settings:
    plain = Settings(
        "run", 5 * 10**9, "frontier", ("resnet",), "digits", RECIPES["smoke"].to_json(), 32, 10, "random", 0, ()
    )
    return replace(plain, **more)


def test_every_network_is_timed_at_full_size(directory: Path) -> None:
    found = trials(directory)
    assert len(found) == 3
    about = json.loads((directory / "run.json").read_text())["settings"]
    assert about["objective"] == "latency"
    for trial in found:
        latency = Latency.from_json(trial.user_attrs["latency"])
        assert trial.values == [trial.user_attrs["score"]["top1"], latency.median_ms]
        assert (latency.batch, latency.input_size, latency.runs >= 10) == (1, 32, True)
        assert about["timing"] == {key: trial.user_attrs["latency"][key] for key in about["timing"]}
        if trial.user_attrs["kind"] == "sample":
            assert trial.user_attrs["macs"] <= 30_000_000, "the budget is one of multiply-adds still"


def test_the_frontier_is_one_of_latency(directory: Path) -> None:
    run = load_run(directory)
    frame, members = run.frame(), run.frontier()
    assert frame["latency_ms"].notna().all()
    assert (frame["latency_p90_ms"] >= frame["latency_ms"]).all()
    within = frame[frame["macs"] <= run.budget_macs]
    assert len(within) == 2
    expected = within[frontier(within["proxy_top1"], within["latency_ms"])]
    assert sorted(members["trial"]) == sorted(expected["trial"])
    assert members["latency_ms"].is_monotonic_increasing
    table = frontier_table(run).splitlines()
    assert "latency (ms)  MFLOPs" in table[0]
    assert f"{members['latency_ms'][0]:.3f}" in table[1]
    config = directory / "configs" / f"{members['config_id'][0]}.json"
    assert load_config(config).id == members["config_id"][0]
    assert json.loads(config.read_text())["latency_ms"] == members["latency_ms"][0]


def test_the_best_within_a_latency(directory: Path) -> None:
    run = load_run(directory)
    fastest = run.frontier().iloc[0]
    limit = float(fastest["latency_ms"])
    found = run.best(max_latency_ms=limit)
    assert (found.trial, found.latency_ms) == (fastest["trial"], limit)
    with pytest.raises(ValueError, match=r"takes at most 0\.0001 ms; the fastest takes .*max_latency_ms=") as refused:
        run.best(max_latency_ms=1e-4)
    typed = float(str(refused.value).rpartition("=")[2].rstrip(")"))
    assert run.best(max_latency_ms=typed).latency_ms == pytest.approx(typed, abs=0.0011)


def test_it_goes_on_under_the_same_conditions_only(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(directory.parent.parent)
    assert main([*TIMED, "--trials", "2"]) == 0
    out = capsys.readouterr().out
    assert "3 are done" in out
    assert "latency at batch 1 on cpu (" in out
    assert len(trials(directory)) == 3
    stored = json.loads((directory / "run.json").read_text())["settings"]
    mine = Settings.from_json(stored)
    assert mine.timing is not None
    with pytest.raises(ValueError, match=r"timing: cpu .* there, cuda \(one\), float32.* now"):
        replace(mine, timing=mine.timing | {"device": "cuda (one)"}).refuse_other(stored)
    assert main([*SMALL, "--landmarks", "cifar_resnet20", "--trials", "3"]) == 2
    assert "objective: latency there, macs now; timing: cpu" in capsys.readouterr().err


def test_a_run_of_macs_has_no_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, "--landmarks", "none", "--trials", "1"]) == 0
    run = load_run(tmp_path / "runs" / "run")
    assert run.timing is None
    assert run.frame()["latency_ms"].isna().all()
    assert run.best().latency_ms is None
    with pytest.raises(ValueError, match=r"no latency was measured: expected a run .*--objective latency"):
        run.best(max_latency_ms=5)


def feed(run: Search, evaluate: Evaluate, total: int) -> list[Event]:
    chosen = run.settings
    proposer = Proposer(chosen.families, chosen.target, sampler=chosen.sampler, known=run.outcomes())
    return list(Loop(run, proposer, InProcess(evaluate), RunLog(run.directory / "log.jsonl")).run(total))


def test_equal_networks_share_score_and_latency(tmp_path: Path) -> None:
    twins = ("resnet50", "resnext50_1x64d")
    asked: list[Config] = []

    def evaluate(job: Job) -> Evaluation:
        asked.append(job.config)
        latency = Latency(1, 32, "cpu (one)", "float32", 1, 7.5, 8.0, 50, None)
        return Evaluation(ProxyScore(50.0, 1.0, 1.0, 100.0, (), "complete"), latency)

    with Search(tmp_path / "run", settings(landmarks=twins, objective="latency", timing=timing_on("cpu"))) as run:
        first, second = feed(run, evaluate, 0)
        assert run.points() == [(50.0, 7.5), (50.0, 7.5)]
    assert len(asked) == 1
    assert (first.duplicate_of, second.duplicate_of) == (None, 0)
    assert first.evaluation == second.evaluation
    one, other = trials(tmp_path / "run")
    assert one.values == other.values == [50.0, 7.5]
    assert one.user_attrs["latency"] == other.user_attrs["latency"]


def timed(ms: float) -> Latency:
    return Latency(1, 32, "cpu (one)", "float32", 1, ms, ms, 50, None)


def test_what_misses_the_latency_is_no_trial_and_ends_at_a_bound(tmp_path: Path) -> None:
    slow: list[bool] = []

    def evaluate(job: Job) -> Evaluation:
        slow.append(len(slow) % 3 != 2 or len(slow) > 9)  # two of three, and all after the tenth
        if slow[-1]:
            return Evaluation(None, timed(9.0), "not trained: 9.000 ms, more than --max-latency 5", 4.0)
        return Evaluation(ProxyScore(50.0, 1.0, 1.0, 100.0, (), "complete"), timed(4.0), None, -1.0)

    chosen = settings(landmarks=(), timing=timing_on("cpu"), max_latency=5.0)
    with Search(tmp_path / "run", chosen) as run:
        first = feed(run, evaluate, 3)
        assert [event.evaluation.state for event in first].count("complete") == 3 and len(first) == 9
        assert (run.samples_left(3), run.misses) == (0, 0)
        more = feed(run, evaluate, 5)
        assert run.misses == MOST_MISSES == len(more), "it does not go on for ever"
    with Search(tmp_path / "run", chosen) as run:
        assert (run.samples_left(5), run.misses) == (0, MOST_MISSES)
    found = load_run(tmp_path / "run")
    assert found.frame()["state"].value_counts().to_dict() == {"slow": 36, "complete": 3}
    data = frontier_data(found)
    assert len(data.slow) == 36 and data.slow_label == "slower than 5 ms, not trained"
    assert "36 slower than --max-latency, not trained" in data.caption


def test_near_the_limit_latency_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(landmarks=(), timing=timing_on("cpu"), max_latency=5.0, budget_macs=50_000_000)
    evaluate = Evaluator(chosen, RECIPES["smoke"], load_data("digits", RECIPES["smoke"].resolution), "cpu")
    job = Job(0, landmark("cifar_resnet20"))
    for times, kept in (([5.2, 4.8, 4.9], 4.9), ([5.2, 5.1, 4.9], 5.1), ([9.0], 9.0), ([2.0], 2.0)):
        left = iter(times)
        monkeypatch.setattr("search.workers.evaluation.measure_latency", lambda *_, left=left, **__: timed(next(left)))
        found = evaluate(job)
        assert found.latency is not None and found.latency.median_ms == kept
        assert next(left, None) is None
        assert found.state == ("stopped" if kept > 5 else "complete")


def test_a_network_that_cannot_be_timed_fails_with_the_reason(tmp_path: Path) -> None:
    recipe = RECIPES["smoke"]
    chosen = settings(
        landmarks=("resnet18",), objective="latency", timing=timing_on("cpu") | {"dtype": "a dtype of no machine"}
    )
    evaluate = Evaluator(chosen, recipe, load_data("digits", recipe.resolution), "cpu")
    with Search(tmp_path / "run", chosen) as run:
        landmark, sample = feed(run, evaluate, 1)
        assert run.samples_left(1) == 0
    assert landmark.evaluation.score is sample.evaluation.score is None
    for trial in trials(tmp_path / "run"):
        assert trial.state == optuna.trial.TrialState.FAIL
        assert trial.user_attrs["reason"].startswith("latency not measured: dtype 'a dtype of no machine'")
        assert "score" not in trial.user_attrs


def test_objective_and_timing_belong_together() -> None:
    with pytest.raises(ValueError, match="timing"):
        settings(objective="latency")
    with pytest.raises(ValueError, match="timing"):
        settings(timing=timing_on("cpu"))
    with pytest.raises(ValueError, match="--mode frontier"):
        settings(objective="latency", mode="match", timing=timing_on("cpu"))


@pytest.mark.slow
def test_fidelity_is_printed_stored_and_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [*SMALL, "--landmarks", "none", "--trials", "0"]
    directory = tmp_path / "runs" / "run"
    unknown = "fidelity unknown: type python -m evaluate fidelity --data digits --recipe smoke --set cifar"
    assert main(command) == 0
    assert unknown in capsys.readouterr().out.splitlines()
    assert json.loads((directory / "run.json").read_text())["fidelity"] == {"sentence": unknown, "known": False}
    assert load_run(directory).fidelity == unknown
    assert load_run(directory).data_name == "digits"

    networks = ["cifar_resnet20", "densenet_40_12", "wrn_16_8"]
    typed = unknown.partition("python -m evaluate ")[2].split()
    assert evaluate_main([*typed, "--networks", *networks]) == 0
    capsys.readouterr()
    assert main(command) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fidelity"))
    assert line.startswith("fidelity (3 CIFAR-10 landmarks, 1 seed): tau ")
    assert json.loads((directory / "run.json").read_text())["fidelity"] == {"sentence": line, "known": True}
    assert load_run(directory).fidelity == line


def test_a_command_that_can_be_typed(tmp_path: Path) -> None:
    from search.cli.console import fidelity_line

    line = fidelity_line((), "owner/set?label=fine_label", "my recipe.json")
    assert line.endswith("--data 'owner/set?label=fine_label' --recipe 'my recipe.json'")


def test_a_short_name_is_kept_for_data_with_options(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings(data="uoft-cs/cifar100?label=fine_label")) as run:
        run.record({}, "cifar100", "key", {"sentence": "fidelity unknown", "known": False}, 1)
    assert load_run(tmp_path / "run").data_name == "cifar100"
    assert load_run(tmp_path / "run").data_key == "key"
    with Search(tmp_path / "earlier", settings(name="earlier", data="/some/where/cifar10")) as earlier:
        assert load_run(earlier.directory).data_name == "cifar10"
    assert load_run(earlier.directory).fidelity is None


def test_networks_over_the_latency_limit_are_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, "--landmarks", "none", "--trials", "2", "--max-latency", "0.0001"]) == 2
    output = capsys.readouterr()
    assert "not trained: " in output.out and "no network within the budget is finished yet" in output.out
    assert re.search(r"the search ended early: 30 .* slower than --max-latency 0.0001, the fastest took ", output.err)
    for trial in trials(tmp_path / "runs" / "run"):
        assert trial.state == optuna.trial.TrialState.PRUNED
        assert trial.constraints["latency"] > 0
        assert "more than --max-latency 0.0001" in trial.user_attrs["reason"]
        assert "score" not in trial.user_attrs
    assert not load_run(tmp_path / "runs" / "run").frame()["on_frontier"].any()
    assert main([*SMALL, "--landmarks", "none", "--trials", "2", "--max-latency", "1e6", "--name", "slow"]) == 0
    for trial in optuna.load_study(study_name="slow", storage="sqlite:///runs/slow/study.db").trials:
        assert trial.state == optuna.trial.TrialState.COMPLETE
        assert trial.constraints["latency"] < 0
        assert trial.values[1] == trial.user_attrs["macs"], "the objective is still the cost"
