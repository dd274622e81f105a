"""`--recipe none`: thousands of networks scored by their counts, and all that follows from such a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from torch import nn

from results import load_run
from results.plots import PLOTS, drawable, plot_data
from results.report.data import report_data
from search.propose.proposer import Proposer
from search.records import Evaluation
from search.run.log import RunLog, read_log
from search.run.settings import Settings
from search.run.study import Search
from search.untrained import Untrained
from space import Budget, landmark
from space.solving.axes import Target
from tests.commands import Ended

Command = Callable[..., Ended]


def settings(name: str = "run", **more: object) -> Settings:
    target = Target(Budget.parse("600M"))
    return Settings(
        name, target.budget.macs, "frontier", ("resnet", "regnetx"), "none", {"name": "none"}, 224, 1000, "random", 0,
        (), score="expected", **more,
    )  # fmt: skip


def feed(directory: Path, total: int, found: Settings | None = None) -> list[int]:
    found = found or settings(directory.name)
    with Search(directory, found) as run:
        proposer = Proposer(
            found.families, found.target, sampler=found.sampler, refine=found.refine, known=run.outcomes()
        )
        return list(Untrained(run, proposer, RunLog(directory / "log.jsonl")).run(total))


def test_a_run_without_training_leaves_all_that_others_leave(command: Command) -> None:
    words = ("--trials", "60", "--name", "run", "--plots", "frontier")
    done = command("search", "--budget", "600M", "--recipe", "none", *words)
    assert done.status == 0, done.err
    assert "recipe none: nothing is trained" in done.out
    assert "expected error (%)" in done.out and "pairs" in done.out
    assert "60 scored by their counts, none trained" not in done.out  # landmarks are among them
    written = {path.name for path in Path("runs/run").iterdir()}
    assert {"frontier.png", "trials.csv", "frontier.csv", "configs"} <= written
    run = load_run("runs/run")
    assert "proxy" not in drawable(run, tuple(PLOTS))
    for name in ("progress", "distribution", "axes"):
        assert not plot_data(name, run).empty
    page = report_data(run)
    assert page.payload["score"] == {"column": "expected_error", "error": True, "familiar": 0.5}
    assert "none of them trained" in page.summary
    frame = run.frame()
    samples = frame[frame["kind"] == "sample"]
    assert len(samples) == 60 and frame["proxy_top1"].isna().all() and (frame["state"] == "complete").all()
    assert (frame["error_low"] < frame["expected_error"]).all()
    assert (frame["expected_error"] < frame["error_high"]).all()
    assert (frame["cautious_error"] > frame["expected_error"]).all()
    assert {"regnety_400mf", "regnetx_400mf"} <= set(frame["landmark"].dropna()), "they cost nothing to score"
    best = run.best("500M")
    inside = frame[frame["macs"] <= 500_000_000]
    assert best.expected_error is not None and best.proxy_top1 is None
    assert best.trial == inside.loc[inside["cautious_error"].idxmin(), "trial"]
    assert isinstance(best.build(), nn.Module)


def test_what_follows_from_such_a_run(command: Command) -> None:
    words = ("search", "--budget", "600M", "--recipe", "none", "--name", "run", "--plots", "none")
    assert command(*words, "--trials", "30").status == 0
    status = command("search", "status", "runs/run")
    assert "scored by their counts, none trained" in status.out
    again = command(*words, "--trials", "50")
    assert again.status == 0, again.err
    assert (load_run("runs/run").frame()["kind"] == "sample").sum() == 50
    shown = command("results", "show", "runs/run", "--where", "familiarity < 0.5", "--columns", "trial,familiarity")
    assert shown.status == 0, shown.err
    config = next(Path("runs/run/configs").glob("*.json"))
    about = json.loads(config.read_text())
    assert about["proxy_top1"] is None and about["interval"][0] < about["expected_error"] < about["interval"][1]


@pytest.mark.slow
def test_the_best_are_exported_and_begin_a_run_that_trains(command: Command) -> None:
    words = ("search", "--budget", "600M", "--recipe", "none", "--name", "run", "--plots", "none")
    assert command(*words, "--trials", "30").status == 0
    exported = command("results", "export", "runs/run", "--best", "--to", "model.py")
    assert exported.status == 0, exported.err
    assert "expected top-1 error" in exported.out
    other = command("search", "--budget", "600M", "--recipe", "smoke", "--trials", "1", "--landmarks", "none", "--name",
                    "next", "--warm-start", "runs/run", "--plots", "none", "--workers", "1")  # fmt: skip
    assert other.status == 0, other.err
    assert "it trained nothing; the shapes of" in other.out
    assert load_run("runs/next").frame()["origin"].tolist() == ["suggestion"]


def test_a_match_run_without_training_ranks_its_best(command: Command) -> None:
    words = ("--mode", "match", "--recipe", "none", "--trials", "40", "--name", "run", "--landmarks", "none", "--plots",
             "ranking")  # fmt: skip
    done = command("search", "--budget", "600M", *words)
    assert done.status == 0, done.err
    assert Path("runs/run/ranking.png").exists()
    run = load_run("runs/run")
    errors = run.frontier()["cautious_error"].tolist()
    assert len(errors) == 5 and errors == sorted(run.frame()["cautious_error"])[:5]


def test_a_dry_run_draws_and_counts(command: Command) -> None:
    done = command("search", "--budget", "600M", "--recipe", "none", "--dry-run", "2", "--json")
    assert done.status == 0, done.err
    assert [json.loads(line)["macs"] <= 600_000_000 for line in done.out.splitlines()] == [True, True]
    assert "nothing would be trained" in done.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "elsewhere"), "leave out --data"),
        (("--repeats", "2"), "leave out --repeats"),
        (("--workers", "2"), "leave out --workers"),
        (("--max-latency", "5"), "leave out --max-latency"),
        (("--sampler", "tpe"), "expected one of random, qmc"),
        (("--score", "proxy"), "nothing is trained"),
        (("--input", "64"), "there is no published truth for 64x64 and 1000 classes"),
    ],
)
def test_what_does_not_go_without_training_is_refused(command: Command, words: tuple[str, ...], said: str) -> None:
    done = command("search", "--budget", "600M", "--recipe", "none", *words)
    assert done.status == 2
    assert said in done.err
    assert not Path("runs").exists()


def test_networks_of_a_batch_are_written_as_each_would_be(tmp_path: Path) -> None:
    target, names = settings().target, ("resnet18", "resnet34", "resnet50")
    trials = []
    for way in ("together", "alone"):
        with Search(tmp_path / way, settings(way)) as run:
            assert run.expectations is not None
            configs = [landmark(name) for name in names]
            networks = [run.network("landmark", name, landmark(name), landmark=name) for name in names]
            ask = Proposer(("resnet",), target, sampler="random").ask()
            networks.append(run.network("sample", "", ask.proposal.config, ask.values, target_macs=1))
            expected = run.expectations.of([*configs, ask.proposal.config])
            each = zip(networks, expected, strict=True)
            found = [(network, Evaluation(expected=one), None) for network, one in each]
            if way == "together":
                run.add_together(found[:1], datetime.now())
                run.add_together(found[1:], datetime.now())
            else:
                for one in found:
                    run.add(*one, datetime.now())
            trials.append(run.study.get_trials())
        assert [trial.number for trial in trials[-1]] == [0, 1, 2, 3]
    for one, other in zip(*trials, strict=True):
        assert (one.values, one.params, one.distributions) == (other.values, other.params, other.distributions)
        assert (one.user_attrs, one.state, one.number) == (other.user_attrs, other.state, other.number)
        now = datetime.now()
        for trial in (one, other):
            assert trial.datetime_start is not None and trial.datetime_complete is not None
            assert abs(trial.datetime_start - now).total_seconds() < 600, "in local time, as Optuna gives it"
            assert trial.datetime_start <= trial.datetime_complete


def test_a_run_goes_on_where_it_was_stopped_and_takes_no_network_twice(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    assert sum(feed(directory, 60)) == 60
    assert sum(feed(directory, 90)) == 30
    frame = load_run(directory).frame()
    assert len(frame) == 90 and frame["config_id"].is_unique
    assert [event["count"] for event in read_log(directory / "log.jsonl")] == [25, 25, 10, 30]


def test_half_of_the_later_proposals_are_neighbours_of_the_best(tmp_path: Path) -> None:
    feed(tmp_path / "run", 200, settings("run", refine=0.5))
    origins = load_run(tmp_path / "run").frame()["origin"].value_counts()
    assert 50 < origins["neighbour"] < 130 and origins["random"] > 70


def test_a_hundred_networks_a_second(tmp_path: Path) -> None:
    feed(tmp_path / "first", 30)  # what only the first run of a process pays for
    began = time.process_time()
    feed(tmp_path / "second", 300)
    assert time.process_time() - began < 3.0
