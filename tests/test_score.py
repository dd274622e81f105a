"""What a search goes by: the default, expectations that follow the evidence, samplers that learn them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from evaluate.calibration.truth import published
from evaluate.fidelity.rankings import Agreement
from evaluate.fidelity.shipped import KnownFidelity
from evaluate.training.presets import RECIPES
from evaluate.training.score import ProxyScore
from results import load_run
from results.plots import PLOTS, drawable, plot_data
from search.cli.scoring import choose
from search.propose.proposer import Proposer
from search.records import Evaluation, Outcome
from search.run.settings import Settings
from search.run.study import Search
from space import Budget, cost
from space.landmarks.networks import LANDMARKS
from space.solving.axes import Target
from tests.commands import Ended

Command = Callable[..., Ended]
TARGET = Target(Budget.parse("4.1G"))


def settings(name: str = "run", score: str = "expected", **more: object) -> Settings:
    recipe = RECIPES["smoke"].to_json()
    base = Settings(
        name, TARGET.budget.macs, "frontier", ("resnet", "densenet"), "digits", recipe, 224, 1000, "random", 0, (),
        score=score,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def known(order: float | None) -> KnownFidelity:
    agreement = Agreement(0.5, 0.1, 0.8, order, 0.1, 0.9, 40, 20)
    return KnownFidelity(
        "imagenet", "digits", "key", RECIPES["smoke"], "cpu", "cpu", 1, {"proxy_top1": agreement}, {}, 0, "2026-01-01"
    )


# --- the default -------------------------------------------------------------------------------------------------


def test_the_default_is_what_ranks_better_and_both_figures_are_told() -> None:
    worse = choose(None, settings(), [known(0.6)])
    assert worse.score == "expected" and "it ranks better" in worse.sentence
    assert "86 %" in worse.sentence and "60 %" in worse.sentence
    assert choose(None, settings(), [known(0.95)]).score == "proxy"
    nothing = choose(None, settings(), [])
    assert nothing.score == "expected" and "an unknown part, which counts as 50 %" in nothing.sentence
    asked = choose("proxy", settings(), [known(0.6)])
    assert asked.score == "proxy" and "as asked for" in asked.sentence


def test_on_cifar_expected_errors_order_worse_than_a_coin_does() -> None:
    at = settings(input_size=32, classes=10, budget_macs=100_000_000)
    assert choose(None, at, []).score == "proxy"


def test_without_a_published_truth_the_proxies_are_all_there_is() -> None:
    at = settings(input_size=64, classes=10, score="proxy")
    found = choose(None, at, [])
    assert found.score == "proxy" and found.trust is None
    assert "no published errors are of 64x64 pixels and 10 classes" in found.sentence
    with pytest.raises(ValueError, match="no published truth"):
        choose("expected", at, [])


# --- evidence ----------------------------------------------------------------------------------------------------


def errors() -> dict[str, float]:
    """Published errors of landmarks within the budget, by name."""
    wanted = {row.label: row.error for row in reversed(published("imagenet")) if row.classes == 1000}
    names = {each.label: name for name, each in LANDMARKS.items() if each.config is not None}
    found = {names[label]: error for label, error in wanted.items() if label in names}
    return {name: error for name, error in found.items() if cost(_config(name)).macs < 1e10}


def _config(name: str):  # type: ignore[no-untyped-def]
    config = LANDMARKS[name].config
    assert config is not None
    return config


def trained(top1: float) -> Evaluation:
    return Evaluation(ProxyScore(top1, 1.0, 1.0, 900.0, (), "complete", None))


def add(run: Search, name: str, top1: float) -> None:
    network = run.network("landmark", name, _config(name), landmark=name)
    run.add(network, trained(top1), None, datetime.now())


def test_scores_that_order_the_landmarks_move_expectations_and_what_samplers_learn(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings()) as run:
        for name, error in errors().items():
            add(run, name, 60 - error)
        assert run.expectations is not None
        proposal = Proposer(("resnet",), TARGET, sampler="random").ask()
        network = run.network("sample", "s", proposal.proposal.config, proposal.values)
        trial = run.add(network, trained(60 - 15.0), None, datetime.now())  # far better than its counts say
        before, raw = run.expected[network.config.id], list(trial.values)
        assert run.reconsider()
        after = run.expected[network.config.id]
        assert run.expectations.weight > 0
        assert after.error < before.error and after.evidence == "counts, proxy"
        assert list(run.study.get_trials()[-1].values) == raw, "the study keeps raw scores"
        outcome = run.outcome(trial)
        assert outcome is not None and outcome.objectives == (100 - after.cautious, raw[1])
        assert not run.reconsider(), "nothing new"
    frame = load_run(tmp_path / "run").frame()
    assert frame["expected_error"].iloc[-1] == after.error
    assert set(frame["evidence"]) == {"counts, proxy"}
    with Search(tmp_path / "run", settings()) as run:  # the next start knows it too
        assert run.expected[network.config.id] == after
        assert not run.reconsider() or run.expected[network.config.id] == after


def test_members_and_the_frontier_are_the_same(tmp_path: Path) -> None:
    names = ("resnet18", "resnet34", "resnet50", "densenet121", "densenet169", "wrn18_1.5")
    for mode, directory in (("frontier", tmp_path / "run"), ("match", tmp_path / "match")):
        with Search(directory, settings(directory.name, mode=mode)) as run:
            for place, name in enumerate(names):
                add(run, name, 30.0 + place % 3)
            members = [trial.number for trial in run.members()]
            points = run.points()
        found = load_run(directory)
        answer = found.frontier()["trial"].tolist()
        assert len(members) > 2 and members == (sorted(answer) if mode == "frontier" else answer)
        best = found.best()
        assert best.trial == found.frontier().sort_values("cautious_error")["trial"].iloc[0]
        assert max(top1 for top1, _ in points) == 100 - found.frame()["cautious_error"].min()
        scores = found.proxy_frontier()["proxy_top1"]
        assert scores.max() == 32.0 and sorted(scores) == scores.tolist()[:: 1 if mode == "frontier" else -1]


def test_scores_that_order_the_landmarks_wrongly_change_nothing(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings()) as run:
        for name, error in errors().items():
            add(run, name, 20 + error)
        before = dict(run.expected)
        assert not run.reconsider(settled=True)
        assert run.expected == before
        assert run.expectations is not None and run.expectations.weight == 0
    assert set(load_run(tmp_path / "run").frame()["evidence"]) == {"counts"}


def test_a_sampler_that_learns_anew_forgets_what_it_was_told() -> None:
    def outcomes(best: int) -> list[Outcome]:
        asked = Proposer(("resnet",), TARGET, sampler="random", seed=1)
        found = []
        for place in range(30):
            ask = asked.ask()
            top1 = 90.0 if place == best else 50.0 + place / 100
            found.append(Outcome(ask.proposal.config.id, "resnet", ask.values, "complete", (top1, 1e9 + place)))
        return found

    proposer = Proposer(("resnet",), TARGET, sampler="tpe", refine=1.0, known=outcomes(3))
    ask = proposer.ask()
    proposer.relearn(outcomes(7))
    proposer.tell(ask.key, "complete", (40.0, 3e9))  # asked before
    assert proposer.outcome(outcomes(7)[7].config_id).objectives[0] == 90.0  # type: ignore[union-attr, index]
    assert proposer.outcome(outcomes(7)[3].config_id).objectives[0] < 60.0  # type: ignore[union-attr, index]
    fresh = Proposer(("resnet",), TARGET, sampler="tpe", refine=1.0, known=outcomes(7))
    fresh.learn(Outcome(ask.proposal.config.id, "resnet", ask.values, "complete", (40.0, 3e9)))
    assert proposer.ask().origin == fresh.ask().origin == "neighbour"


# --- a run -------------------------------------------------------------------------------------------------------


def test_a_trained_run_goes_by_expected_errors_and_shows_both(command: Command) -> None:
    words = ("--budget", "600M", "--recipe", "smoke", "--data", "digits", "--trials", "2", "--name", "run",
             "--workers", "1")  # fmt: skip
    done = command("search", *words, "--landmarks", "regnetx_200mf", "--plots", "frontier", "proxy")
    assert done.status == 0, done.err
    assert "score expected, it ranks better: within a budget" in done.out
    assert "points off (root mean square)" in done.out
    assert "expected error" in done.out and "proxy top-1 (%)" in done.out
    assert Path("runs/run/proxy.png").exists() and Path("runs/run/frontier.png").exists()
    run = load_run("runs/run")
    assert run.score.name == "expected" and "proxy" in drawable(run, tuple(PLOTS))
    picture = plot_data("frontier", run)
    assert picture.errors and [star.y for star in picture.stars] == [LANDMARKS["regnetx_200mf"].published.top1_error]
    scores = plot_data("proxy", run)
    assert not scores.errors and scores.y_label.startswith("proxy top-1")
    best = run.best()
    assert best.proxy_top1 is not None and best.expected_error is not None
    again = command("search", *words, "--landmarks", "regnetx_200mf", "--plots", "none", "--score", "proxy")
    assert again.status == 2 and "score: expected there, proxy now" in again.err


def test_a_run_goes_on_by_what_it_went_by(command: Command) -> None:
    words = ("search", "--budget", "600M", "--recipe", "smoke", "--data", "digits", "--name", "run", "--plots", "none",
             "--landmarks", "none", "--workers", "1")  # fmt: skip
    assert command(*words, "--trials", "1", "--score", "proxy").status == 0
    done = command(*words, "--trials", "2")
    assert done.status == 0, done.err
    assert "score proxy, by which this run began" in done.out
    assert load_run("runs/run").score.name == "proxy"
    status = command("search", "status", "runs/run", "--json")
    assert '"score": "proxy"' in status.out
