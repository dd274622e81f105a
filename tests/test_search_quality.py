"""The benchmark of the search at toy size: its truth, its rival, its measures, its command."""

import contextlib
import dataclasses
import itertools
import json
import math
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.hypervolume import Scale
from benchmarks.quality_play import Arm, Game, play
from benchmarks.quality_report import JUDGES, Played, Track, summarise, table
from benchmarks.rival import Rival, counting_range, width_ranges
from benchmarks.search_quality import measured
from benchmarks.surrogate import MODEL, Compiled, Surrogate, agreement, fit, label_noise, out_of_fold, report
from benchmarks.survey import SURVEY, append
from benchmarks.survey_table import SURVEYED, Survey, features, read_survey
from evaluate.images.load import load_data
from evaluate.training.reference import Reference
from space import Budget, Config, DenseConfig, ResidualConfig, cost
from space.networks.layers import Linear
from space.solving.axes import MODES, Proposal, Target, draw

ROOT = Path(__file__).parents[1]
BUDGET = Budget.parse("4.1G")
NETWORKS = 36
REFERENCE = Reference(BUDGET.macs, 224, 1000)


def invented(config: Config) -> list[float]:
    """A curve that rises with cost and depth, without noise."""
    assert isinstance(config, ResidualConfig | DenseConfig)
    final = 20 + 3 * math.log2(cost(config).macs / 1e8) / 2 + math.log2(sum(config.depths))
    return [final * part for part in (0.5, 0.7, 0.9, 1.0)]


def trainable(target: Target, seed: int) -> tuple[str, Proposal]:
    """A drawn network that has a proxy."""
    rng = random.Random(seed)
    while True:
        family, proposal = draw(target, rng)
        with contextlib.suppress(ValueError):
            SURVEY.proxy(proposal.config, 10, REFERENCE)
            return family, proposal


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey whose top-1 is a formula; the last network of it failed."""
    found = tmp_path_factory.mktemp("survey") / "survey.csv"
    append(found, None, f"invented; budget {BUDGET} at 224x224, seed 0, recipe " + json.dumps(SURVEY.to_json()))
    for index in range(NETWORKS + 1):
        mode = "match" if index % 3 == 2 else "frontier"
        family, proposal = trainable(Target(BUDGET, mode), index)
        curve = [[epoch, 1.0, top1] for epoch, top1 in zip((2, 4, 6, 8), invented(proposal.config), strict=True)]
        row = {
            "index": index, "mode": mode, "family": family, "config_id": proposal.config.id,
            "macs": cost(proposal.config).macs, "state": "failed" if index == NETWORKS else "complete",
            "top1": curve[-1][2], "cpu_seconds": 2.0 + index, "curve": json.dumps(curve),
            "config": json.dumps(proposal.config.to_json()),
        }  # fmt: skip
        append(found, row)
    return found


@pytest.fixture(scope="module")
def survey(path: Path) -> Survey:
    return read_survey(path)


@pytest.fixture(scope="module")
def truth(survey: Survey) -> Surrogate:
    return Surrogate(survey, folds=2)


def game(survey: Survey, truth: Surrogate, mode: str, evaluations: int = 12) -> Game:
    target = Target(BUDGET, mode)
    return Game(survey, truth, target, evaluations, (2, 4), width_ranges(target, 20))


# ------------------------------------------------------------------------------------------------- measures


def test_hypervolume_is_the_mean_height_over_the_cost_axis() -> None:
    scale = Scale(budget=10**9, floor=10.0)
    macs = np.array([10**9, 1e8, 10**8.5, 10**8.5, 0.98e8])
    top1 = np.array([90.0, 20.0, 30.0, math.nan, 25.0])
    # a network at the budget spans no width of the axis; one at a tenth of it all; the third the upper half
    expected = [0, 10, 10 / 2 + 20 / 2, 15, 15 / 2 + 20 / 2]
    assert scale.hypervolumes(top1, macs) == pytest.approx(expected)
    # judged otherwise the same networks are chosen: the third and the last one
    judged = np.array([90.0, 50.0, 12.0, 99.0, 14.0])
    assert scale.hypervolumes(top1, macs, judged) == pytest.approx([0, 40, 40, 40, 4])


def test_best_top1_starts_at_the_floor() -> None:
    scale = Scale(budget=10**9, floor=10.0)
    top1 = np.array([math.nan, 30.0, 20.0, math.nan, 31.0])
    assert scale.best(top1).tolist() == [10, 30, 30, 30, 31]
    assert scale.best(top1, np.array([50.0, 25.0, 40.0, 50.0, 22.0])).tolist() == [10, 25, 25, 25, 22]


def test_summary_says_where_the_goal_is_reached() -> None:
    def track(*quality: float) -> Track:
        return Track(np.array(quality), np.arange(1.0, len(quality) + 1), 0.0, 1, 0, len(quality), 0.1)

    played = {
        "random": Played([track(1, 2, 3, 4), track(1, 2, 3, 4)], 4, 4.0),
        "better": Played([track(4, 5, 5, 5), track(2, 5, 6, 6)], 4, 4.0),
        "worse": Played([track(1), track(1)], 2, 2.0),
    }
    summary = summarise("frontier", "seen", played)
    arms = summary["arms"]
    assert summary["goal"] == 4 and arms["random"]["evaluations_to_goal"] == [4, 4, 4]
    assert arms["better"]["evaluations_to_goal"] == [2, 1, 2] and arms["worse"]["seconds_to_goal"] == [None] * 3
    assert arms["better"]["by_evaluations"]["mean"] == [3, 5, 5.5, 5.5]
    assert arms["worse"]["by_evaluations"]["mean"] == [1, 1]  # what is reached stays reached
    assert arms["better"]["by_seconds"]["mean"][0] == 0 and arms["better"]["by_seconds"]["mean"][-1] == 5.5
    assert arms["random"]["by_evaluations"]["low"] == arms["random"]["by_evaluations"]["high"]
    assert arms["better"]["stopped"] == 0.25
    assert ">2" in table(summary)
    json.dumps(summary)


# --------------------------------------------------------------------------------------------------- truth


def test_survey_is_read_without_failures(survey: Survey) -> None:
    assert len(survey.configs) == NETWORKS and survey.budget.macs == BUDGET.macs and survey.recipe == SURVEY
    assert survey.epochs == (2, 4, 6, 8) and survey.outcomes.shape == (NETWORKS, 5)
    assert survey.curves[3].tolist() == pytest.approx(invented(survey.configs[3]))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"benchmarks\.survey"):
        read_survey(tmp_path / "other.csv")


def test_features_describe_the_network_that_is_trained(survey: Survey) -> None:
    names = list(features(survey.configs[0], SURVEY, REFERENCE))
    for config in survey.configs:
        found = features(config, SURVEY, REFERENCE)
        assert list(found) == names and all(math.isfinite(value) for value in found.values())
        assert 2 ** found["macs"] == pytest.approx(cost(config).macs)
        (last,) = (layer for layer in SURVEY.proxy(config, 10, REFERENCE).layers(16, 10) if isinstance(layer, Linear))
        assert 2 ** found["outer4"] == pytest.approx(last.in_features)
        stages = sum(2 ** found[f"macs{stage}"] for stage in (1, 2, 3, 4))
        assert 0 < 2 ** found["proxy_macs"] - stages < 2 ** found["proxy_macs"] / 2  # the stem and the classifier


def test_compiled_model_predicts_what_the_model_does(survey: Survey) -> None:
    inputs = np.array([list(features(config, SURVEY, REFERENCE).values()) for config in survey.configs])
    model = fit(MODEL, inputs, survey.outcomes)
    compiled = Compiled(model)
    assert np.array([compiled(row) for row in inputs]) == pytest.approx(model.predict(inputs))


@pytest.mark.slow
def test_surrogate_finds_the_formula_and_answers_twice_alike(survey: Survey, truth: Surrogate) -> None:
    fresh = [trainable(Target(BUDGET), 1000 + number)[1].config for number in range(40)]
    real = np.array([invented(config)[-1] for config in fresh])
    macs = np.array([float(cost(config).macs) for config in fresh])
    answers = [truth(config) for config in fresh]
    found = agreement(real, np.array([answer.top1 for answer in answers]), macs)
    assert found["tau"] > 0.7 and found["n"] == 40
    copy = pickle.loads(pickle.dumps(Surrogate(survey, folds=2)))
    assert [copy(config) for config in fresh] == answers == [truth(config) for config in fresh]
    assert answers[0].seconds_to(2) == answers[0].seconds / 4 and answers[0].epochs == (2, 4, 6, 8)


def test_residuals_are_those_of_the_family(survey: Survey, truth: Surrogate) -> None:
    inputs = np.array([list(features(config, SURVEY, REFERENCE).values()) for config in survey.configs])
    rests = (survey.outcomes - out_of_fold(MODEL, inputs, survey.outcomes, 2))[:, -2]
    for number in range(5):
        family, proposal = trainable(Target(BUDGET), number)
        answer = truth(proposal.config)
        assert np.isclose(rests[survey.families == family], answer.top1 - answer.expected).any()


def test_report_compares_the_models(survey: Survey) -> None:
    text = report(survey, ("ridge",), repeats=1, noise=0.5)
    assert "label noise 0.50" in text and "ridge" in text and "top1@8" in text and "log seconds" in text


@pytest.mark.slow
def test_label_noise_is_what_another_seed_changes(survey: Survey) -> None:
    recipe = dataclasses.replace(SURVEY, epochs=1, batch_size=32, train_images=64, resolution=8, flip=False)
    short = dataclasses.replace(survey, recipe=recipe, curves=np.full((NETWORKS, 1), -1000.0))
    # scores from 0 to 100 against -1000: the standard deviation of one score of two is their distance over sqrt(2)
    assert 1000 <= math.sqrt(2) * label_noise(short, load_data("digits", 8, 0, 64), 2) <= 1100


# --------------------------------------------------------------------------------------------------- rival


@pytest.mark.parametrize("mode", ["frontier", "match"])
def test_rival_draws_free_widths_and_tells_by_how_much_it_missed(mode: str) -> None:
    target = Target(BUDGET, mode)
    least, most = counting_range(target)
    assert most == BUDGET.macs and least == pytest.approx(0.97 * most * (0.1 if mode == "frontier" else 1))
    rival = Rival(target, "tpe", 0, width_ranges(target, 20))
    for _ in range(15):
        trial, config, macs = rival.ask()
        assert macs == cost(config).macs
        rival.tell(trial, macs, 30.0)
    for trial in rival.study.trials:
        assert len(trial.constraints) == 2 and len(trial.values) == (2 if mode == "frontier" else 1)
    missed = [max(trial.constraints.values()) > 0 for trial in rival.study.trials]
    assert any(missed)


def test_widths_of_the_rival_are_the_solvers() -> None:
    ranges = width_ranges(Target(BUDGET), 100)
    assert ranges.keys() == set(SURVEYED)
    for family, (low, high) in ranges.items():
        config = draw(Target(BUDGET), random.Random(family), (family,))[1].config
        assert isinstance(config, ResidualConfig | DenseConfig)
        width = config.growth_rate if isinstance(config, DenseConfig) else config.stem_width
        assert low < high and 0.6 * low <= width <= 1.7 * high


# ------------------------------------------------------------------------------------------------- playing


@pytest.mark.parametrize("mode", ["frontier", "match"])
def test_a_search_repeats_itself_and_ends_after_enough_of_both(survey: Survey, truth: Surrogate, mode: str) -> None:
    own = game(survey, truth, mode)
    first, second = (play(Arm("tpe", "tpe", refine=0.5), own, 3)["tpe"] for _ in range(2))
    assert (first.top1, first.macs, first.seconds) == (second.top1, second.macs, second.seconds)
    assert len(first.top1) >= 12 and sum(first.seconds) >= own.seconds and not first.stopped and not first.missed
    track = measured(first, own.target, Scale(BUDGET.macs, 10.0), "seen")
    assert (np.diff(track.quality) >= 0).all() and track.quality[-1] > track.quality[0] > track.start


def test_stopped_networks_cost_less_and_do_not_count(survey: Survey, truth: Surrogate) -> None:
    run = play(Arm("", "random", stopping=True), game(survey, truth, "frontier", 25), 0)[""]
    lost = np.isnan(run.top1)
    assert 0 < run.stopped == lost.sum() < len(run.top1)
    assert np.mean(np.array(run.seconds)[lost]) < np.mean(np.array(run.seconds)[~lost])


def test_missed_networks_cost_a_documented_rival_only(survey: Survey, truth: Surrogate) -> None:
    own = game(survey, truth, "match")
    documented, free = play(Arm("Optuna", "tpe", rival=True), own, 0).values()
    assert len(documented.top1) == documented.draws and np.isnan(documented.top1).sum() == documented.missed > 0
    assert len(free.top1) == free.draws - free.missed < free.draws and not np.isnan(free.top1).any()


def test_table_is_played_with_what_was_measured(survey: Survey, truth: Surrogate) -> None:
    own = game(survey, truth, "frontier", NETWORKS // 3)
    run = play(Arm("", "random", table=True), own, 1)[""]
    scores = {round(score, 6) for score in survey.curves[own.own, -1]}
    assert {round(score, 6) for score in run.top1} <= scores and len(set(run.macs)) == len(run.macs)


@pytest.mark.slow
def test_command_writes_table_figures_and_picture(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.search_quality", "--survey", str(path), "--out", str(tmp_path),
               "--seeds", "2", "--evaluations", "6", "--gp-evaluations", "4", "--jobs", "1"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "search_quality.txt").read_text(encoding="utf-8")
    for name in ("random", "qmc", "nsga2", "gp", "tpe + neighbours", "tpe + both", "Optuna tpe, documented"):
        assert text.count(f"\n{name:28} ") == 4, name  # in both modes, judged twice
    modes = json.loads((tmp_path / "search_quality.json").read_text(encoding="utf-8"))["modes"]
    assert [(each["mode"], each["judge"]) for each in modes] == list(itertools.product(MODES, JUDGES))
    assert len(modes[0]["arms"]["gp"]["by_evaluations"]["n"]) == 4
    assert (tmp_path / "search_quality.png").read_bytes().startswith(b"\x89PNG")
