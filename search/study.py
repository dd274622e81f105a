"""Opens, continues and feeds a study. One process owns the storage; evaluations return values and never write.

The study is the only truth of a run. A trial that was cut off (killed, Ctrl-C) is marked failed with the reason
"interrupted" and does not count towards the total.
"""

from __future__ import annotations

import hashlib
import platform
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from results.objective import OBJECTIVES
from search.evaluation import Evaluate, Evaluation
from search.settings import Settings
from search.storage import public_url, storage_errors
from search.suggest import suggest
from space import Config, cost
from space.files import json_bytes, write_files
from space.landmarks import landmark

INTERRUPTED = "interrupted"
# Optuna's own lines would break the progress bar; its warnings stay.
optuna.logging.set_verbosity(optuna.logging.WARNING)

FINISHED = (TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED)


@dataclass(frozen=True)
class Event:
    """One network that has been dealt with: what the console shows."""

    label: str
    family: str
    macs: int
    params: int
    evaluation: Evaluation
    duplicate_of: int | None


class Search:
    """A run: its directory, its settings, its study."""

    def __init__(self, directory: Path, settings: Settings, storage_url: str | None = None) -> None:
        """Make the run, or open the one that is there.

        Raises:
            ValueError: if it has other settings, or its storage is damaged or cannot be reached.
            OSError: if the directory cannot be written.
        """
        self.directory = directory
        self.settings = settings
        self.storage_url = storage_url
        made = [each for each in (directory, *directory.parents) if not each.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        try:
            with storage_errors(self._where):
                self.study = self._open()
                self._reap()
        except BaseException:
            for each in made:  # a run that never began leaves nothing, unless the storage wrote a file there
                if not any(each.iterdir()):
                    each.rmdir()
            raise

    @property
    def _where(self) -> str:
        """The storage in messages: a path, or a URL without its password."""
        return str(self.directory / "study.db") if self.storage_url is None else public_url(self.storage_url)

    def _open(self) -> optuna.Study:
        path = self.directory / "study.db"
        url = self.storage_url or f"sqlite:///{path.resolve()}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = optuna.storages.RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
            directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
            if self.settings.mode == "match":
                directions = [StudyDirection.MAXIMIZE]
            name = self.settings.name
            if name in optuna.get_all_study_names(storage):
                study = optuna.load_study(study_name=name, storage=storage)
            else:
                study = optuna.create_study(study_name=name, storage=storage, directions=directions)
                metrics = ["proxy top-1 (%)", OBJECTIVES[self.settings.objective].metric]
                study.set_metric_names(metrics[: len(directions)])
        stored = study.user_attrs.get("settings")
        if stored is None and not study.get_trials(deepcopy=False):
            study.set_user_attr("settings", self.settings.to_json())
        elif stored is None:
            raise ValueError(f"{self._where}: the study {name!r} is not a run of archfrontier; choose another --name")
        else:
            self.settings.refuse_other(stored)
        return study

    def _reap(self) -> None:
        """Close the trials that a killed process left running."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._fail(trial.number, trial._trial_id, INTERRUPTED)

    def _fail(self, number: int, trial_id: int, reason: str) -> None:
        self.study._storage.set_trial_user_attr(trial_id, "reason", reason)
        self.study.tell(number, state=TrialState.FAIL)

    def record(self, environment: dict[str, str], data_name: str, fidelity: dict[str, Any]) -> None:
        """Keep what is said about the run: in run.json, and in the study what tables and pictures repeat.

        Args:
            environment: device and versions of this start.
            data_name: of the images, in short.
            fidelity: ``sentence``, what is known of the recipe's fidelity now, and ``known``, whether anything is.

        Raises:
            ValueError: if the storage fails.
            OSError: if run.json cannot be written; the one that was there stays.
        """
        notes = {"data_name": data_name, "fidelity": fidelity}
        with storage_errors(self._where):
            for key, value in notes.items():
                self.study.set_user_attr(key, value)
        url = None if self.storage_url is None else public_url(self.storage_url)
        content = {"settings": self.settings.to_json(), "environment": environment, "storage": url} | notes
        write_files({self.directory / "run.json": json_bytes(content)})

    # ------------------------------------------------------------------------------------------ what is left

    def finished(self, kind: str) -> list[optuna.trial.FrozenTrial]:
        """The trials of a kind ("sample" or "landmark") that count."""
        return [
            trial
            for trial in self.study.get_trials(deepcopy=False, states=FINISHED)
            if trial.user_attrs.get("kind") == kind and trial.user_attrs.get("reason") != INTERRUPTED
        ]

    def landmarks_left(self) -> list[str]:
        """Names of the landmarks that still have to be scored."""
        done = {trial.user_attrs["landmark"] for trial in self.finished("landmark")}
        return [name for name in self.settings.landmarks if name not in done]

    def samples_left(self, total: int) -> int:
        """How many sampled networks are missing to `total`."""
        return max(0, total - len(self.finished("sample")))

    # ------------------------------------------------------------------------------------------ the run

    def run(self, total: int, evaluate: Evaluate) -> Iterator[Event]:
        """Score the landmarks that are missing, then sampled networks up to `total`; yield after each one.

        Raises:
            ValueError: if the storage fails (a full disk, a lost connection): what was told before is kept.
        """
        for name in self.landmarks_left():
            with storage_errors(self._where):
                event = self._score_landmark(name, evaluate)
            yield event
        for _ in range(self.samples_left(total)):
            with storage_errors(self._where):
                event = self._score_sample(evaluate)
            yield event

    def _score_landmark(self, name: str, evaluate: Evaluate) -> Event:
        """Landmarks are trials too, but no proposals of the sampler: they are added when they are finished."""
        config = landmark(name)
        attributes = self._attributes(config, {"kind": "landmark", "landmark": name})
        evaluation, original = self._evaluate(config, evaluate)
        attributes |= _outcome(evaluation, original)
        values = self._values(evaluation, attributes["macs"])
        state = TrialState.COMPLETE if values else TrialState.FAIL
        self.study.add_trial(create_trial(state=state, values=values, user_attrs=attributes))
        return Event(name, config.family, attributes["macs"], attributes["params"], evaluation, original)

    def _score_sample(self, evaluate: Evaluate) -> Event:
        self.study.sampler = make_sampler(self.settings, len(self.study.get_trials(deepcopy=False)))
        trial = self.study.ask()
        try:
            family, proposal = suggest(trial, self.settings.families, self.settings.target)
            config = proposal.config
            attributes = self._attributes(config, {"kind": "sample", "target_macs": proposal.target_macs})
            for key, value in attributes.items():
                trial.set_user_attr(key, value)
            evaluation, original = self._evaluate(config, evaluate)
        except BaseException as error:
            reason = INTERRUPTED if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
            self._fail(trial.number, trial._trial_id, reason)
            raise
        for key, value in _outcome(evaluation, original).items():
            trial.set_user_attr(key, value)
        if values := self._values(evaluation, attributes["macs"]):
            self.study.tell(trial, values)
        else:
            self.study.tell(trial, state=TrialState.FAIL)
        return Event(f"#{trial.number}", family, attributes["macs"], attributes["params"], evaluation, original)

    def _evaluate(self, config: Config, evaluate: Evaluate) -> tuple[Evaluation, int | None]:
        """Measure the network, unless the same configuration has been: then (what came out there, its number)."""
        for trial in self.study.get_trials(deepcopy=False, states=FINISHED):
            attributes = trial.user_attrs
            if attributes.get("config_id") == config.id and "score" in attributes:
                return Evaluation.from_json(attributes), attributes.get("duplicate_of", trial.number)
        return evaluate(config), None

    def _attributes(self, config: Config, more: dict[str, Any]) -> dict[str, Any]:
        counted = cost(config, self.settings.input_size, self.settings.classes)
        return more | {
            "family": config.family,
            "config": config.to_json(),
            "config_id": config.id,
            "macs": counted.macs,
            "params": counted.params,
            "activations": counted.activations,
        }

    def _values(self, evaluation: Evaluation, macs: int) -> list[float] | None:
        """What Optuna is told; None for a network that failed."""
        if evaluation.reason is not None or evaluation.score is None:
            return None
        if self.settings.mode == "match":
            return [evaluation.score.top1]
        return [evaluation.score.top1, evaluation.cost(macs)]

    def points(self) -> list[tuple[float, float]]:
        """(top-1, MACs or ms) of every finished network within the budget."""
        return [
            (trial.values[0], trial.values[1] if len(trial.values) > 1 else trial.user_attrs["macs"])
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if trial.user_attrs["macs"] <= self.settings.budget_macs
        ]


def _outcome(evaluation: Evaluation, original: int | None) -> dict[str, Any]:
    return evaluation.to_json() | ({} if original is None else {"duplicate_of": original})


def make_sampler(settings: Settings, trials: int) -> optuna.samplers.BaseSampler:
    """A sampler whose seed follows from the run's seed and how far it is: a continued run repeats no proposal."""
    digest = hashlib.sha256(f"{settings.seed}/{trials}".encode()).digest()
    seed = int.from_bytes(digest[:4], "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match settings.sampler:
            case "tpe":
                return optuna.samplers.TPESampler(multivariate=True, group=True, seed=seed)
            case "nsga2":
                return optuna.samplers.NSGAIISampler(population_size=20, seed=seed)
            case "qmc":
                # The sequence goes on from the number of trials in the storage: its own seed must stay.
                return optuna.samplers.QMCSampler(seed=settings.seed, scramble=True, warn_independent_sampling=False)
            case _:
                return optuna.samplers.RandomSampler(seed=seed)


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
