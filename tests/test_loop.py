"""The run's loop: what is sent out, what is known already, what is lost and tried again, what is recorded."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluate.training.presets import RECIPES
from evaluate.training.score import Epoch, ProxyScore
from search.loop import HOPELESS, RETRIES, Loop
from search.propose.proposer import Proposer
from search.records import Ask, Evaluation, Event, Job, Lost
from search.run.log import RunLog, read_log
from search.run.settings import Settings
from search.run.study import Search
from search.rungs import rungs_of, stopper
from search.workers.executor import InProcess
from space import cost
from space.solving.axes import searched

FAST = RECIPES["fast"]


def settings(name: str = "run", **more: object) -> Settings:
    values: dict[str, object] = {
        "name": name, "budget_macs": 4_100_000_000, "mode": "frontier", "families": searched(), "data": "none",
        "recipe": FAST.to_json(), "input_size": 224, "classes": 1000, "sampler": "random", "seed": 0, "landmarks": (),
    }  # fmt: skip
    return Settings(**values | more)  # type: ignore[arg-type]


def scored(job: Job) -> Evaluation:
    """A score that follows from the network; stopped early as in training."""
    counted = cost(job.config)
    top1 = 100 * counted.params / (counted.params + 2 * counted.activations)
    stop = None if job.table is None else stopper(job.table, float(counted.macs))
    curve: list[Epoch] = []
    for epoch in range(FAST.evaluate_every, FAST.epochs + 1, FAST.evaluate_every):
        curve.append(Epoch(epoch=epoch, train_loss=1.0, top1=top1 * epoch / FAST.epochs))
        if stop is not None and epoch < FAST.epochs and (reason := stop(curve[-1])):
            score = ProxyScore(curve[-1]["top1"], 1.0, 0.1, 1.0, tuple(curve), "stopped", reason)
            return Evaluation(score, reason=reason)
    return Evaluation(ProxyScore(top1, 1.0, 0.1, 1.0, tuple(curve), "complete"))


class Unreliable:
    """Runs several at once, the last one sent ends first, and loses what it is told to lose."""

    def __init__(self, slots: int, lose: Callable[[Job, int], bool]) -> None:
        self.slots, self.lose = slots, lose
        self.jobs: deque[Job] = deque()
        self.most = 0
        self.tries: dict[int, int] = {}

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.most = max(self.most, len(self.jobs))

    def next(self) -> tuple[int, Evaluation | Lost]:
        job = self.jobs.pop()
        self.tries[job.key] = self.tries.get(job.key, 0) + 1
        if self.lose(job, self.tries[job.key]):
            return job.key, Lost("killed")
        return job.key, scored(job)

    def close(self) -> None:
        self.jobs.clear()


def proposer(search: Search) -> Proposer:
    chosen = search.settings
    return Proposer(chosen.families, chosen.target, sampler=chosen.sampler, seed=0, known=search.outcomes())


def events(search: Search, executor: object, total: int, rungs: tuple[int, ...] = ()) -> list[Event]:
    log = RunLog(search.directory / "log.jsonl")
    return list(Loop(search, proposer(search), executor, log, rungs).run(total))  # type: ignore[arg-type]


def test_one_at_a_time_and_continued(tmp_path: Path) -> None:
    with Search(tmp_path / "run", settings(landmarks=("resnet18", "resnet50"))) as search:
        first = events(search, InProcess(scored), 3)
    assert [event.label for event in first] == ["resnet18", "resnet50", "#2", "#3", "#4"]
    with Search(tmp_path / "run", settings(landmarks=("resnet18", "resnet50"))) as search:
        assert [event.label for event in events(search, InProcess(scored), 5)] == ["#5", "#6"]
        assert [trial.number for trial in search.trials] == list(range(7))
        assert [trial.number for trial in search.study.trials] == list(range(7))
        for trial in search.study.trials:
            assert trial.datetime_start is not None
            assert trial.datetime_complete is not None
            assert trial.datetime_start <= trial.datetime_complete
        landmarks = [trial for trial in search.study.trials if trial.user_attrs["kind"] == "landmark"]
        assert [trial.params["resnet.depth3"] for trial in landmarks] == [2, 6], "samplers learn from landmarks"


def test_several_at_a_time_are_asked_for_ahead_and_recorded_as_they_end(tmp_path: Path) -> None:
    executor = Unreliable(4, lambda job, tries: False)
    with Search(tmp_path / "run", settings()) as search:
        found = events(search, executor, 20)
        assert len(found) == len({event.label for event in found}) == len(search.study.trials) == 20
        assert len({trial.user_attrs["config_id"] for trial in search.study.trials}) == 20
    assert executor.most > executor.slots, "the next network waits for a worker, not the worker for it"


def test_a_lost_network_is_tried_again_twice_and_then_fails(tmp_path: Path) -> None:
    executor = Unreliable(2, lambda job, tries: job.key == 2 or (job.key == 3 and tries <= RETRIES))
    with Search(tmp_path / "run", settings()) as search:
        found = events(search, executor, 6)
        states = [event.evaluation.state for event in found]
        assert states.count("failed") == 1
        assert states.count("complete") == 5
        (failed,) = [trial for trial in search.study.trials if trial.state.name == "FAIL"]
        assert failed.user_attrs["reason"] == f"lost with its worker {RETRIES + 1} times: killed"
        assert failed.values is None
    assert executor.tries[2] == executor.tries[3] == RETRIES + 1
    retries = [event for event in read_log(tmp_path / "run" / "log.jsonl") if event["event"] == "retry"]
    assert [event["key"] for event in retries].count(2) == RETRIES
    assert [event["key"] for event in retries].count(3) == RETRIES


def test_the_same_network_is_trained_once(tmp_path: Path) -> None:
    class Repeats(Proposer):
        """Proposes its first network for ever, as a space that is used up does."""

        def ask(self) -> Ask:
            ask = super().ask()
            if not hasattr(self, "first"):
                self.first = ask
            self._open[ask.key] = (
                Ask(ask.key, self.first.family, self.first.values, self.first.proposal, ask.origin),
                self._open[ask.key][1],
            )
            return self._open[ask.key][0]

    for slots in (1, 3):
        trained = []

        def counted(job: Job, trained: list[str] = trained) -> Evaluation:
            trained.append(job.config.id)
            return scored(job)

        directory = tmp_path / f"run{slots}"
        executor = InProcess(counted) if slots == 1 else Unreliable(slots, lambda job, tries: False)
        with Search(directory, settings(f"run{slots}")) as search:
            repeats = Repeats(searched(), search.settings.target, sampler="random")
            found = list(Loop(search, repeats, executor, RunLog(directory / "log.jsonl")).run(5))
            assert [event.duplicate_of for event in found] == [None, 0, 0, 0, 0]
            assert len({tuple(trial.values) for trial in search.study.trials}) == 1
        assert len(trained) == (1 if slots == 1 else 0)
        if isinstance(executor, Unreliable):
            assert executor.tries == {1: 1}, "the four that were asked for meanwhile waited for the first"


def test_networks_that_fall_behind_are_stopped_and_never_on_the_frontier(tmp_path: Path) -> None:
    chosen = settings(early_stopping=True, landmarks=("resnet18",))
    with Search(tmp_path / "run", chosen) as search:
        found = events(search, InProcess(scored), 40, rungs_of(FAST))
        stopped = [event for event in found if event.evaluation.state == "stopped"]
        assert 3 <= len(stopped) <= 30
        assert found[0].evaluation.state == "complete", "landmarks are trained to their end"
        pruned = [trial for trial in search.study.trials if trial.state.name == "PRUNED"]
        assert len(pruned) == len(stopped)
        for trial in pruned:
            assert trial.values is None
            assert trial.user_attrs["score"]["curve"][-1]["epoch"] < FAST.epochs
            assert "near its cost" in trial.user_attrs["reason"]
        points = search.points()
        assert len(points) == 41 - len(stopped)


def test_an_error_of_the_program_fails_the_network_and_in_the_end_the_run(tmp_path: Path) -> None:
    def broken(job: Job) -> Evaluation:
        return Evaluation(reason="RuntimeError: no such kernel", trace="Traceback ...")

    with Search(tmp_path / "run", settings()) as search:
        with pytest.raises(ValueError, match=r"5 networks in a row failed.*no such kernel"):
            events(search, InProcess(broken), 40)
        assert len(search.trials) == HOPELESS
        assert {trial.state.name for trial in search.study.trials} == {"FAIL"}
        assert "trace" not in search.study.trials[0].user_attrs
    logged = read_log(tmp_path / "run" / "log.jsonl")
    assert [event["trace"] for event in logged if event["event"] == "finish"] == ["Traceback ..."] * HOPELESS


def test_a_network_takes_one_transaction(tmp_path: Path) -> None:
    from sqlalchemy import event

    with Search(tmp_path / "run", settings()) as search:
        commits = []
        engine = search.study._storage._backend.engine  # type: ignore[attr-defined]
        event.listen(engine, "commit", commits.append)
        before = len(commits)
        events(search, InProcess(scored), 10)
        written = len(commits) - before
    assert 10 <= written <= 20, "Optuna's cache reads in a transaction of its own"
