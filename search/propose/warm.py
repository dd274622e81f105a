"""Beginning with what earlier runs have found: `--warm-start RUN`.

Where recipe, images, seed and objective agree, an earlier run's finished networks are finished networks of this run
too. Where they do not, its scores mean something else here, but the shapes of its best networks are worth a try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from results import Run
from results.run.load import load_runs
from results.run.pareto import best_first
from search.records import Evaluation
from search.run.parameters import parameters, values_in
from search.run.settings import Settings
from search.run.study import Search
from space import config_from_json
from space.solving.axes import Target, Value, axes, propose

# What two runs must share, beside the data's key, for scores to compare. The seed says which images are held out.
SAME = ("recipe", "objective", "timing", "seed")
SPACE = ("budget_macs", "mode", "input_size", "classes", "max_params", "max_activations")  # where axis values agree
SHAPES = "suggestions"  # the study's attribute that keeps what is worth a try; there once all is taken over


def check(runs: Iterable[str], name: str) -> tuple[str, ...]:
    """The names of the runs to begin with.

    Raises:
        ValueError: if one is the run itself, or no directory of a run.
    """
    names = []
    for run in runs:
        directory = Path(run)
        if not directory.is_dir():
            raise ValueError(f"--warm-start {run}: expected the directory of a run, such as runs/NAME")
        if directory.resolve().name == name:
            raise ValueError(f"--warm-start {run}: a run cannot begin with itself; choose another --name")
        names.append(directory.resolve().name)
    return tuple(names)


def warm_start(search: Search, runs: Iterable[str], data_key: str, storage: str | None = None) -> list[str]:
    """Take over what earlier runs have, unless that has been done. Returns a sentence a run.

    Raises:
        ValueError: if a run is damaged, or a storage fails; the same command goes on with what is missing.
    """
    if SHAPES in search.study.user_attrs:
        return []
    sentences, shapes = [], []
    for path in runs:
        (run,) = load_runs([path], storage)
        different = [key for key in SAME if run.settings.get(key) != search.settings.to_json()[key]]
        if run.data_key != data_key:
            different.append("images")
        if different or not run.trains:
            found = _shapes(run, search.settings)
            shapes += [parameters(family, values) for family, values in found]
            why = (
                f"other {', '.join(different)}, so its scores do not hold here" if run.trains else "it trained nothing"
            )
            sentences.append(
                f"warm start from {path}: {why}; the shapes of {len(found)} of its best networks are tried first"
            )
        else:
            taken = sum(_take_over(search, trial, run) for trial in run.trials)
            sentences.append(f"warm start from {path}: {taken} finished networks taken over with their scores")
    with search.errors():
        search.study.set_user_attr(SHAPES, shapes)
    return sentences


def _take_over(search: Search, trial: FrozenTrial, run: Run) -> bool:
    attributes = trial.user_attrs
    if trial.state != TrialState.COMPLETE or not {"config", "score"} <= attributes.keys() or "repeat_of" in attributes:
        return False
    config = config_from_json(attributes["config"])
    if search.measured(config.id):
        return False
    settings = search.settings
    same = all(run.settings.get(key) == getattr(settings, key) for key in SPACE)
    values = values_in(trial.params)[1] if trial.params and same and attributes["family"] in settings.families else None
    network = search.network(
        "warm", f"{run.directory.name} #{trial.number}", config, values, from_run=run.directory.name
    )
    if not settings.within(network.attributes):
        return False
    started = trial.datetime_start
    assert started is not None  # Optuna sets it for whatever is finished
    search.add(network, Evaluation.from_json(attributes), None, started)
    return True


def _shapes(run: Run, settings: Settings) -> list[tuple[str, dict[str, Value]]]:
    """The axis values of the run's frontier, as far as this run's axes can express them, the best first."""
    best = [int(number) for number in best_first(run.frontier(), run.settings)["trial"]]
    numbered = {trial.number: trial for trial in run.trials}
    found = []
    for number in best:
        if params := numbered[number].params:
            family, values = values_in(params)
            if family in settings.families and (fitting := _fitting(family, values, settings.target)):
                found.append((family, fitting))
    return found


def _fitting(family: str, values: Mapping[str, Value], target: Target) -> dict[str, Value] | None:
    """The values on this target's axes; None where an axis is missing or its range does not contain the value."""
    fitting: dict[str, Value] = {}
    for axis in axes(family, target):
        value = values.get(axis.name, 1.0 if axis.name == "spend" else None)
        if value is None or not (value in axis.choices if axis.choices else axis.low <= value <= axis.high):  # type: ignore[operator]
            return None
        fitting[axis.name] = value
    return fitting


def suggestions(search: Search) -> list[tuple[str, dict[str, Value]]]:
    """What is worth a try and has not been tried."""
    target, found = search.settings.target, []
    for params in search.study.user_attrs.get(SHAPES, []):
        family, values = values_in(params)
        if search.measured(propose(family, values, target).config.id) is None:
            found.append((family, values))
    return found
