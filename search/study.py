"""`Search`: a run's directory, its settings and its storage. One process owns them; evaluations never write.

The storage is the only truth of a run. It holds finished trials alone, each written in one transaction when it
ends, so that whatever kills the run leaves every finished trial whole and nothing else. A trial that an earlier
version was killed in is marked failed with the reason "interrupted" and does not count.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from results.objective import OBJECTIVES
from results.pareto import frontier
from results.storage import public_url
from search.evaluation import Evaluation
from search.lock import owner
from search.proposals import Outcome
from search.samplers import LATENCY, TRIAL_STATES
from search.settings import Settings
from search.storage import close_storage, open_storage, storage_errors
from search.suggest import distributions, parameters, values_in
from search.tally import INTERRUPTED, STATES
from space import Config, config_from_json, cost
from space.design import Value, values_of
from space.files import json_bytes, write_files

BEST = 5  # networks that are repeated in match mode


@dataclass(frozen=True)
class Network:
    """One network of the run: what is known before it is measured."""

    kind: str  # sample, landmark, repeat: a frontier member from another seed, or warm: from an earlier run
    label: str  # for the console
    config: Config
    family: str
    values: Mapping[str, Value] | None  # of the family's axes; None if they cannot express it
    attributes: dict[str, Any]  # what the storage keeps of it


class Search:
    """A run that is open for writing. Use it as a context manager: at the end it can be opened by others."""

    def __init__(self, directory: Path, settings: Settings, storage_url: str | None = None) -> None:
        """Make the run, or open the one that is there.

        Raises:
            ValueError: if it has other settings, another process owns it, or its storage is damaged or cannot be
                reached.
            OSError: if the directory cannot be written.
        """
        self.directory = directory
        self.settings = settings
        self.storage_url = storage_url
        self.where = str(directory / "study.db") if storage_url is None else public_url(storage_url)
        made = [each for each in (directory, *directory.parents) if not each.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        try:
            self._owner = self._stack.enter_context(owner(directory, storage_url, settings.name))
            with self.errors():
                self.study = self._open()
                self._reap()
                self.trials: list[FrozenTrial] = self.study.get_trials(deepcopy=False)
        except BaseException:
            self._stack.close()
            _remove_empty(made)
            raise
        self._samples = len(self.finished("sample"))
        self._known = {
            trial.user_attrs["config_id"]: trial
            for trial in reversed(self._counted())
            if "config_id" in trial.user_attrs and _measured(trial)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """What the storage raises inside, as a ValueError of one sentence."""
        with storage_errors(self.where, self.storage_url):
            yield

    def _open(self) -> optuna.Study:
        storage = open_storage(self.storage_url or self.directory / "study.db")
        self._stack.callback(close_storage, storage)
        directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
        if self.settings.mode == "match":
            directions = [StudyDirection.MAXIMIZE]
        name = self.settings.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if name in optuna.get_all_study_names(storage):
                study = optuna.load_study(study_name=name, storage=storage)
            else:
                study = optuna.create_study(study_name=name, storage=storage, directions=directions)
            if "settings" not in study.user_attrs and study.directions == directions:  # new, or killed before this
                metrics = ["proxy top-1 (%)", OBJECTIVES[self.settings.objective].metric]
                study.set_metric_names(metrics[: len(directions)])
        stored = study.user_attrs.get("settings")
        if stored is not None:
            self.settings.refuse_other(stored)
        elif study.get_trials(deepcopy=False) or study.directions != directions:
            raise ValueError(f"{self.where}: the study {name!r} is not a run of archfrontier; choose another --name")
        else:
            study.set_user_attr("settings", self.settings.to_json())
        return study

    def _reap(self) -> None:
        """Close the trials that earlier versions, when killed, left running."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study._storage.set_trial_user_attr(trial._trial_id, "reason", INTERRUPTED)
            self.study.tell(trial.number, state=TrialState.FAIL)

    def record(
        self, environment: dict[str, str], data_name: str, data_key: str, fidelity: dict[str, Any], workers: int
    ) -> None:
        """Keep what is said about the run: in run.json, and in the study what tables and pictures repeat.

        Args:
            environment: device and versions of this start.
            data_name: of the images, in short.
            data_key: digest of their split.
            fidelity: ``sentence``, what is known of the recipe's fidelity now, and ``known``, whether anything is.
            workers: evaluations at the same time, in this start.

        Raises:
            ValueError: if the storage fails.
            OSError: if run.json cannot be written; the one that was there stays.
        """
        notes = {"data_name": data_name, "data_key": data_key, "fidelity": fidelity}
        with self.errors():
            for key, value in notes.items():
                if self.study.user_attrs.get(key) != value:
                    self.study.set_user_attr(key, value)
        url = None if self.storage_url is None else public_url(self.storage_url)
        content = {"settings": self.settings.to_json(), "environment": environment, "workers": workers, "storage": url}
        write_files({self.directory / "run.json": json_bytes(content | notes)})

    # ------------------------------------------------------------------------------------------ what there is

    def _counted(self) -> list[FrozenTrial]:
        """Without what was interrupted, and without what a lost connection made Optuna write a second time."""
        once = {
            (trial.user_attrs.get("config_id"), trial.user_attrs.get("seed"), trial.datetime_start): trial
            for trial in reversed(self.trials)
            if trial.user_attrs.get("reason") != INTERRUPTED
        }
        return sorted(once.values(), key=lambda trial: trial.number)

    def finished(self, kind: str) -> list[FrozenTrial]:
        """The trials of a kind (see `Network`) that count."""
        return [trial for trial in self._counted() if trial.user_attrs.get("kind") == kind]

    def landmarks_left(self) -> list[str]:
        """Names of the landmarks that still have to be scored."""
        done = {trial.user_attrs["landmark"] for trial in self.finished("landmark")}
        return [name for name in self.settings.landmarks if name not in done]

    def samples_left(self, total: int) -> int:
        """How many sampled networks are missing to `total`."""
        return max(0, total - self._samples)

    def repeats_left(self, count: int) -> list[tuple[FrozenTrial, int]]:
        """What is missing to `count` repeats of each of the `members`: the trial, and the seed to train it from."""
        done = {(trial.user_attrs["config_id"], trial.user_attrs["seed"]) for trial in self.finished("repeat")}
        members, first = self.members(), self.settings.seed + 1
        return [
            (member, seed)
            for seed in range(first, first + count)
            for member in members
            if (member.user_attrs["config_id"], seed) not in done
        ]

    def measured(self, config_id: str) -> FrozenTrial | None:
        """The first finished trial of a configuration."""
        return self._known.get(config_id)

    def outcomes(self) -> list[Outcome]:
        """What samplers can learn from."""
        return [outcome for trial in self._counted() if (outcome := self.outcome(trial)) is not None]

    def outcome(self, trial: FrozenTrial) -> Outcome | None:
        """What samplers can learn from a trial; None for a repeat, and for one that an earlier version cut off."""
        attributes = trial.user_attrs
        if trial.state.name not in STATES or "config_id" not in attributes or _repeats(trial):
            return None
        values = None
        if trial.params:
            _, values = values_in(trial.params)
        elif found := self._values_of(config_from_json(attributes["config"])):
            values = found[1]
        return Outcome(
            attributes["config_id"],
            attributes["family"],
            values,
            STATES[trial.state.name],
            tuple(trial.values) if trial.state == TrialState.COMPLETE else None,
            attributes.get("violation"),
            attributes.get("kind") == "sample",
        )

    def _values_of(self, config: Config) -> tuple[str, dict[str, Value]] | None:
        found = values_of(config, self.settings.target)
        return found if found is not None and found[0] in self.settings.families else None

    def points(self) -> list[tuple[float, float]]:
        """(top-1, MACs or ms) of every finished network within the budget and the limits."""
        return [
            (trial.values[0], trial.values[1] if len(trial.values) > 1 else trial.user_attrs["macs"])
            for trial in self._scored()
        ]

    def members(self) -> list[FrozenTrial]:
        """The trials on the frontier; in match mode, where all cost the same, the `BEST` ones."""
        scored = self._scored()
        if self.settings.mode == "match":
            first = [trial for trial in scored if "duplicate_of" not in trial.user_attrs]
            return sorted(first, key=lambda trial: -trial.values[0])[:BEST]
        top1, costs = [trial.values[0] for trial in scored], [trial.values[1] for trial in scored]
        return [trial for trial, member in zip(scored, frontier(top1, costs), strict=True) if member]

    def _scored(self) -> list[FrozenTrial]:
        """The finished networks within the budget and the limits, none of them a repeat."""
        return [
            trial
            for trial in self.trials
            if trial.state == TrialState.COMPLETE and not _repeats(trial) and self.settings.within(trial.user_attrs)
        ]

    # ------------------------------------------------------------------------------------------ what comes

    def network(
        self, kind: str, label: str, config: Config, values: Mapping[str, Value] | None = None, **more: Any
    ) -> Network:
        """Describe a network that is to be measured, or that an earlier run has measured.

        Args:
            kind: sample, landmark, repeat or warm.
            label: for the console.
            config: the network.
            values: of its family's axes; found from its shape unless given, but of a repeat nobody learns.
            more: attributes for the storage beside those that follow from the network.
        """
        counted = cost(config, self.settings.input_size, self.settings.classes)
        if values is None and kind != "repeat" and (found := self._values_of(config)):
            values = found[1]
        attributes = {"kind": kind} | more | {
            "family": config.family,
            "config": config.to_json(),
            "config_id": config.id,
            "macs": counted.macs,
            "params": counted.params,
            "activations": counted.activations,
        }  # fmt: skip
        return Network(kind, label, config, config.family, values, attributes)

    def add(self, network: Network, evaluation: Evaluation, duplicate_of: int | None, started: datetime) -> FrozenTrial:
        """Write one finished network, in one transaction.

        Raises:
            ValueError: if the storage fails: then nothing of it is written.
        """
        objectives = self.objectives(evaluation, network.attributes["macs"])
        attributes = network.attributes | evaluation.to_json()
        if duplicate_of is not None:
            attributes["duplicate_of"] = duplicate_of
        params: dict[str, Any] = {}
        spaces = {}
        if network.values is not None:
            params = parameters(network.family, network.values)
            spaces = distributions(self.settings.families, network.family, self.settings.target)
        trial = create_trial(
            state=TRIAL_STATES[evaluation.state],
            values=objectives,
            params=params,
            distributions=spaces,
            user_attrs=attributes,
            constraints=None if evaluation.violation is None else {LATENCY: evaluation.violation},
        )
        trial.datetime_start = started
        trial.number = len(self.trials)
        with self.errors():
            self._owner.check()
            self.study.add_trial(trial)
        self.trials.append(trial)
        self._samples += network.kind == "sample"
        if _measured(trial):
            self._known.setdefault(network.config.id, trial)
        return trial

    def objectives(self, evaluation: Evaluation, macs: int) -> list[float] | None:
        """What Optuna is told; None for a network that failed or was stopped."""
        if evaluation.state != "complete" or evaluation.score is None:
            return None
        if self.settings.mode == "match":
            return [evaluation.score.top1]
        return [evaluation.score.top1, evaluation.cost(macs, self.settings.objective)]


def _measured(trial: FrozenTrial) -> bool:
    """Whether measuring the same network again would tell nothing new; a worker that was lost tells nothing."""
    return ("score" in trial.user_attrs or "violation" in trial.user_attrs) and not _repeats(trial)


def _repeats(trial: FrozenTrial) -> bool:
    """Whether it only says how certain the score of another trial is."""
    return trial.user_attrs.get("kind") == "repeat"


def _remove_empty(directories: list[Path]) -> None:
    """A run that never began leaves nothing, unless the storage wrote a file there."""
    for each in directories:
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()


def environment(device: str) -> dict[str, str]:
    """What a run was made with."""
    packages = ("torch", "optuna", "pandas", "matplotlib", "ptflops", "datasets", "scikit-learn", "numpy")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "device": device,
        **{name: metadata.version(name) for name in packages},
    }
