"""`Search`: a run's directory, its settings and its storage. One process owns them; evaluations never write.

The storage is the only truth of a run. It holds finished trials alone, each written in one transaction when it
ends, so that whatever kills the run leaves every finished trial whole and nothing else.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, create_trial

from results.run.attributes import check_attributes
from results.run.objective import OBJECTIVES
from results.run.storage import public_url
from search.records import Evaluation, Network
from search.run.expected import EXPECTED, expectations_of
from search.run.lock import hold
from search.run.parameters import LATENCY, TRIAL_STATES, distributions, parameters
from search.run.settings import Settings
from search.run.storage import add_trials, close_storage, open_storage, storage_errors
from search.run.trials import Trials
from space import Config, config_from_json, cost
from space.shell.files import json_bytes, write_files
from space.solving.axes import Value


class Search(Trials):
    """A run that is open for writing. Use it as a context manager: at the end it can be opened by others."""

    def __init__(
        self, directory: Path, settings: Settings, storage_url: str | None = None, kept: Sequence[str] = ()
    ) -> None:
        """Make the run, or open the one that is there.

        Args:
            directory: of the run.
            settings: of the run.
            storage_url: where the study is; None: in the directory.
            kept: names of settings that the run keeps as it has them, if it is there.

        Raises:
            ValueError: if it has other settings, another process owns it, or its storage is damaged or cannot be
                reached.
            OSError: if the directory cannot be written.
        """
        self.directory = directory
        self.storage_url = storage_url
        self.where = str(directory / "study.db") if storage_url is None else public_url(storage_url)
        made = [each for each in (directory, *directory.parents) if not each.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        try:
            self._hold = self._stack.enter_context(hold(directory, storage_url, settings.name))
            with self.errors():
                self.study, settings = self._open(settings, kept)
                trials = self.study.get_trials(deepcopy=False)
                self._check(trials)
                super().__init__(settings, trials, self.study.user_attrs.get(EXPECTED))
                self.expectations = expectations_of(settings)
        except BaseException:
            self._stack.close()
            _remove_empty(made)
            raise

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

    def _open(self, settings: Settings, kept: Sequence[str]) -> tuple[optuna.Study, Settings]:
        storage = self._storage = open_storage(self.storage_url or self.directory / "study.db")
        self._stack.callback(close_storage, storage)
        directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
        if settings.mode == "match":
            directions = [StudyDirection.MAXIMIZE]
        name = settings.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if name in optuna.get_all_study_names(storage):
                study = optuna.load_study(study_name=name, storage=storage)
            else:
                study = optuna.create_study(study_name=name, storage=storage, directions=directions)
            if "settings" not in study.user_attrs and study.directions == directions:  # new, or killed before this
                what = "proxy top-1 (%)" if settings.trains else "expected top-1 (%)"
                metrics = [what, OBJECTIVES[settings.objective].metric]
                study.set_metric_names(metrics[: len(directions)])
        stored = study.user_attrs.get("settings")
        if stored is not None:
            settings = replace(settings, **{name: stored[name] for name in kept if name in stored})
            settings.refuse_other(stored)
        elif study.get_trials(deepcopy=False) or study.directions != directions:
            raise ValueError(f"{self.where}: the study {name!r} is not a run of archfrontier; choose another --name")
        else:
            study.set_user_attr("settings", settings.to_json())
        return study, settings

    def _check(self, trials: Sequence[FrozenTrial]) -> None:
        try:
            for trial in trials:
                check_attributes(trial)
        except ValueError as error:
            raise ValueError(
                f"{self.where} is damaged ({error}): put a backup in its place or choose another --name"
            ) from error

    def record(
        self, environment: dict[str, str], data_name: str, data_key: str, fidelity: dict[str, Any], workers: int,
        more: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Keep what is said about the run: in run.json, and in the study what tables and pictures repeat.

        Args:
            environment: device and versions of this start.
            data_name: of the images, in short.
            data_key: digest of their split.
            fidelity: ``sentence``, what is known of the recipe's fidelity now, and ``known``, whether anything is.
            workers: evaluations at the same time, in this start.
            more: what else is to be kept of the data.

        Raises:
            ValueError: if the storage fails.
            OSError: if run.json cannot be written; the one that was there stays.
        """
        notes = {"data_name": data_name, "data_key": data_key, "fidelity": fidelity, **(more or {})}
        with self.errors():
            for key, value in notes.items():
                if self.study.user_attrs.get(key) != value:
                    self.study.set_user_attr(key, value)
        url = None if self.storage_url is None else public_url(self.storage_url)
        content = {"settings": self.settings.to_json(), "environment": environment, "workers": workers, "storage": url}
        write_files({self.directory / "run.json": json_bytes(content | notes)})

    def network(
        self, kind: str, label: str, config: Config, values: Mapping[str, Value] | None = None, **more: Any
    ) -> Network:
        """Describe a network that is to be measured, or that an earlier run has measured.

        Args:
            kind: sample, landmark, repeat or warm.
            label: for the console.
            config: the network.
            values: of its family's axes; found from its shape unless given, but of a repeat nobody learns.
            more: attributes for the storage beside those that follow from the network; `input_size` is what it is
                counted at, if not the run's.
        """
        counted = cost(config, more.get("input_size", self.settings.input_size), self.settings.classes)
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
        trial = self._trial(network, evaluation, duplicate_of, started)
        with self.errors():
            self._hold.check()
            self.study.add_trial(trial)
        self.append(trial)
        return trial

    def add_together(
        self, found: Sequence[tuple[Network, Evaluation, int | None]], started: datetime
    ) -> list[FrozenTrial]:
        """Write finished networks, all in one transaction: for those that take so little time that a commit is long.

        Args:
            found: for each what `add` is given.
            started: when the first of them was begun.

        Raises:
            ValueError: if the storage fails: then nothing of them is written.
        """
        trials = []
        for network, evaluation, duplicate_of in found:
            trials.append(self._trial(network, evaluation, duplicate_of, started))
            trials[-1].number += len(trials) - 1
        with self.errors():
            self._hold.check()
            add_trials(self._storage, self.study._study_id, trials)
        for trial in trials:
            self.append(trial)
        return trials

    def reconsider(self, settled: bool = False) -> bool:
        """Work out anew what all networks are expected to reach, if the scores by now say something new.

        Args:
            settled: whether any new score is enough; else there must be a tenth more of them.

        Returns:
            Whether any expectation has changed: then samplers have to learn all values again.

        Raises:
            ValueError: if the storage fails.
        """
        if self.expectations is None or not self.expectations.learn(self.trials, settled):
            return False
        configs = {trial.user_attrs["config_id"]: trial.user_attrs["config"] for trial in self.trials}
        found = self.expectations.of([config_from_json(config) for config in configs.values()])
        self.expected = dict(zip(configs, found, strict=True))
        with self.errors():
            self.study.set_user_attr(EXPECTED, {network: each.to_json() for network, each in self.expected.items()})
        return True

    def _trial(
        self, network: Network, evaluation: Evaluation, duplicate_of: int | None, started: datetime
    ) -> FrozenTrial:
        objectives = self.objectives(evaluation, network.attributes["macs"])
        attributes = network.attributes | evaluation.to_json()
        if duplicate_of is not None:
            attributes["duplicate_of"] = duplicate_of
        if self.expectations is not None and "expected" not in attributes:
            attributes["expected"] = self.expectations.of([network.config])[0].to_json()
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
        return trial

    def objectives(self, evaluation: Evaluation, macs: int) -> list[float] | None:
        """What Optuna is told; None for a network that failed or was stopped."""
        if evaluation.state != "complete":
            return None
        if evaluation.score is not None:
            top1 = evaluation.score.top1
        else:
            assert evaluation.expected is not None  # else it is not complete
            top1 = 100 - evaluation.expected.error
        return [top1] if self.settings.mode == "match" else [top1, evaluation.cost(macs, self.settings.objective)]


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
