"""`--repeats`: the frontier's members from other seeds. Kept in the study, and seen by nothing else of the search."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial

from evaluate.images.load import load_data
from evaluate.measures.latency import Latency
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.reference import Reference
from evaluate.training.score import Epoch, ProxyScore
from results import load_run
from search.__main__ import main
from search.cli.status import read_status
from search.loop import Loop
from search.propose.proposer import Proposer
from search.propose.warm import warm_start
from search.records import Evaluation, Event, Job, Lost
from search.run.log import RunLog, read_log
from search.run.settings import BEST, Settings
from search.run.study import Search
from search.workers.executor import Executor, InProcess
from space import Config, config_from_json, cost

SMOKE = RECIPES["smoke"]
SMALL = ["--budget", "50M", "--input", "32", "--classes", "10", "--data", "digits",
    "--recipe", "smoke", "--families", "resnet",
         "--landmarks", "cifar_resnet20", "--name", "run", "--plots", "none"]  # fmt: skip
REFERENCE = Reference(50_000_000, 32, 10)
ABOUT = {"kind", "repeat_of", "seed", "family", "config", "config_id", "macs", "params", "activations", "score"}


def settings(name: str = "run", **more: object) -> Settings:
    values: dict[str, object] = {
        "name": name, "budget_macs": 50_000_000, "mode": "frontier", "families": ("resnet",), "data": "none",
        "recipe": SMOKE.to_json(), "input_size": 32, "classes": 10, "sampler": "random", "seed": 7,
        "landmarks": ("cifar_resnet20",),
    }  # fmt: skip
    return Settings(**values | more)  # type: ignore[arg-type]


def evaluation(config: Config, seed: int | None = None) -> Evaluation:
    """More top-1 for more multiply-adds, so that all networks are on the frontier; a hundredth more a seed."""
    top1 = cost(config, 32, 10).macs / 1e6 + (seed or 0) / 100
    return Evaluation(ProxyScore(top1, 1.0, 0.1, 1.0, (Epoch(epoch=1, train_loss=1.0, top1=top1),), "complete"))


def scored(job: Job) -> Evaluation:
    return evaluation(job.config, job.seed)


def feed(search: Search, executor: Executor, total: int, repeats: int, rungs: tuple[int, ...] = ()) -> list[Event]:
    chosen = search.settings
    proposer = Proposer(chosen.families, chosen.target, sampler=chosen.sampler, seed=0, known=search.outcomes())
    return list(Loop(search, proposer, executor, RunLog(search.directory / "log.jsonl"), rungs).run(total, repeats))


def repeated(search: Search) -> list[tuple[int, int]]:
    return [(trial.user_attrs["repeat_of"], trial.user_attrs["seed"]) for trial in search.finished("repeat")]


def seen(search: Search) -> tuple[object, ...]:
    """What the rest of a search looks at."""
    return search.points(), search.outcomes(), [trial.number for trial in search.members()]


@pytest.mark.slow
def test_a_real_run_repeats_its_frontier_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, "--trials", "2", "--repeats", "1"]) == 0
    members = [int(number) for number in load_run("runs/run").frontier()["trial"]]
    out = capsys.readouterr().out
    assert main([*SMALL, "--trials", "2", "--repeats", "2"]) == 0
    more = capsys.readouterr().out
    for number in members:
        assert f"#{number} again, seed 1" in out and f"#{number} again, seed 2" not in out
        assert f"#{number} again, seed 1" not in more and f"#{number} again, seed 2" in more
    run = load_run("runs/run")
    assert run.frontier()["trial"].tolist() == members, "a better repeat is no better network"
    assert (Path("runs/run/trials.csv").read_text().count("\n")) == 1 + 3 + 2 * len(members)
    trials = {trial.number: trial for trial in run.trials}
    again = [trial for trial in run.trials if trial.user_attrs["kind"] == "repeat"]
    assert sorted((trial.user_attrs["repeat_of"], trial.user_attrs["seed"]) for trial in again) == sorted(
        (number, seed) for number in members for seed in (1, 2)
    )
    for trial in again:
        assert trial.user_attrs.keys() >= ABOUT
        assert not trial.params
        original = trials[trial.user_attrs["repeat_of"]]
        assert trial.user_attrs["config"] == original.user_attrs["config"]
        assert trial.values == [trial.user_attrs["score"]["top1"], original.values[1]]
    one = again[0].user_attrs
    data = load_data("digits", SMOKE.resolution, 0, SMOKE.train_images)
    assert (
        train_proxy(
            config_from_json(one["config"]), SMOKE, data, seed=one["seed"], device="cpu", reference=REFERENCE
        ).top1
        == (one["score"]["top1"])
    ), "the seed is the training's; what is held out is the same"

    status = read_status("runs/run")
    assert (status.tally.total, status.missing) == (len(run.trials), 0)
    assert f"{len(again)} of them repeats from other seeds" in status.text()
    assert main([*SMALL, "--trials", "2", "--repeats", "-1"]) == 2
    assert "--repeats -1: expected how many more trainings" in capsys.readouterr().err


def test_nothing_of_the_search_sees_a_repeat(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings()) as search:
        first = feed(search, InProcess(scored), 4, 0)
        before = seen(search)
        members = search.members()
        assert len(members) == 5 == len(first)
        loop = Loop(search, Proposer(("resnet",), search.settings.target), InProcess(scored), RunLog(tmp_path / "l"),
                    (1,))  # fmt: skip
        again = list(loop.run(4, 1))
        assert loop._table is not None
        assert [len(rung) for rung in loop._table.reached] == [5], "none counts at a rung"
        assert {event.kind for event in again} == {"repeat"}
        assert repeated(search) == [(number, 8) for number in range(5)]
    with Search(tmp_path / "run", settings()) as search:
        assert seen(search) == before
        assert (search.samples_left(4), search.landmarks_left()) == (0, [])
        for trial in members:
            found = search.measured(trial.user_attrs["config_id"])
            assert found is not None and found.number == trial.number
        loop = Loop(search, Proposer(("resnet",), search.settings.target), InProcess(scored), RunLog(tmp_path / "l"),
                    (1,))  # fmt: skip
        assert loop._table is not None
        assert [len(rung) for rung in loop._table.reached] == [5]
    with Search(tmp_path / "warm", settings("warm", landmarks=())) as warm:
        source = tmp_path / "run"
        with Search(source, settings()) as search:
            search.record({}, "none", "key", {"sentence": "", "known": False}, 1)
        assert "5 finished networks taken over" in warm_start(warm, [str(source)], "key")[0]
        assert sorted(trial.values for trial in warm.trials) == sorted(trial.values for trial in members)


def test_what_was_interrupted_goes_on_and_more_are_added_seed_by_seed(tmp_path: Path) -> None:
    class Ended(Exception):
        pass

    def three(job: Job) -> Evaluation:
        if job.seed is not None and (job.seed, len(trained)) >= (8, 3):
            raise Ended
        trained.extend([job] if job.seed is not None else [])
        return scored(job)

    trained: list[Job] = []
    with Search(tmp_path / "run", settings()) as search, pytest.raises(Ended):
        feed(search, InProcess(three), 3, 2)
    with Search(tmp_path / "run", settings()) as search:
        assert repeated(search) == [(0, 8), (1, 8), (2, 8)]
        assert [event.label for event in feed(search, InProcess(scored), 3, 1)] == ["#3 again, seed 8"]
        events = feed(search, InProcess(scored), 4, 2)
        added = len(search.members())
        assert added == 5, "the fifth network is on the frontier too, and is repeated from both seeds"
        assert [event.kind for event in events] == ["sample"] + ["repeat"] * 6
        assert sorted(repeated(search)) == sorted((trial.number, seed) for trial in search.members() for seed in (8, 9))
    logged = [event["count"] for event in read_log(tmp_path / "run" / "log.jsonl") if event["event"] == "repeats"]
    assert logged == [8, 1, 6]


class Several:
    """Three at once, the last one sent ends first; the first try of each is lost."""

    slots = 3

    def __init__(self, evaluate: Callable[[Job], Evaluation]) -> None:
        self.evaluate, self.jobs, self.lost = evaluate, list[Job](), set[int]()

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def next(self) -> tuple[int, Evaluation | Lost]:
        job = self.jobs.pop()
        if job.key not in self.lost:
            self.lost.add(job.key)
            return job.key, Lost("killed")
        return job.key, self.evaluate(job)

    def close(self) -> None:
        self.jobs.clear()


def test_several_at_once_and_match_mode_repeats_the_best(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings(mode="match", landmarks=())) as search:
        events = feed(search, Several(scored), 8, 2)
        ranked = sorted(search.finished("sample"), key=lambda trial: trial.values[0], reverse=True)
        assert {trial.values[0] for trial in search.members()} == {trial.values[0] for trial in ranked[:BEST]}
        assert len(events) == 8 + 2 * BEST
        assert sorted(repeated(search)) == sorted((trial.number, seed) for trial in search.members() for seed in (8, 9))
        for trial in search.finished("repeat"):
            (first,) = search.trials[trial.user_attrs["repeat_of"]].values
            assert trial.values == [pytest.approx(first + trial.user_attrs["seed"] / 100)]


def test_latency_is_that_of_the_first_training(tmp_path: Path) -> None:
    timing = {"batch": 1, "device": "cpu (one)", "dtype": "float32", "threads": 1}
    chosen = settings(objective="latency", timing=timing, max_latency=9.0)

    def timed(job: Job) -> Evaluation:
        if job.seed is not None:
            return scored(job)
        return dataclasses.replace(
            scored(job), latency=Latency(1, 32, "cpu (one)", "float32", 1, 7.5, 8.0, 50, None), violation=-1.5
        )

    with Search(tmp_path / "run", chosen) as search:
        feed(search, InProcess(timed), 0, 1)
        first, again = search.trials

    def measured(trial: FrozenTrial) -> tuple[object, ...]:
        return trial.values[1], trial.user_attrs["latency"]["median_ms"], trial.user_attrs["violation"]

    assert measured(again) == measured(first) == (7.5, 7.5, -1.5)
    assert again.values[0] == pytest.approx(first.values[0] + 0.08)
