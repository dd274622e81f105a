"""A network as Optuna stores it: its axes as parameters, and back; how it ended.

An axis is named ``family.axis``: each family's parameters are its own, so that no axis ever means two things.
"""

from __future__ import annotations

from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from search.run.counts import STATES
from space.solving.axes import Axis, Target, Value, axes

# Optuna's own lines would break the progress bar; its warnings stay. Whatever makes or feeds a study imports this.
optuna.logging.set_verbosity(optuna.logging.WARNING)

TRIAL_STATES = {ours: TrialState[word] for word, ours in STATES.items()}
LATENCY = "latency"  # name of the constraint


def suggest(trial: optuna.Trial, families: tuple[str, ...], target: Target) -> tuple[str, dict[str, Value]]:
    """Ask the trial for a family, and for that family's axes."""
    family = str(trial.suggest_categorical("family", list(families)))
    return family, {axis.name: _value(trial, f"{family}.{axis.name}", axis) for axis in axes(family, target)}


def parameters(family: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a family's axes under Optuna's names."""
    return {"family": family} | {f"{family}.{name}": value for name, value in values.items()}


def values_in(params: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """`parameters`, read backwards."""
    family = str(params["family"])
    return family, {name.removeprefix(f"{family}."): value for name, value in params.items() if name != "family"}


def distributions(families: tuple[str, ...], family: str, target: Target) -> dict[str, BaseDistribution]:
    """What `suggest` draws a network of this family from, for trials that are added as they are."""
    found: dict[str, BaseDistribution] = {"family": CategoricalDistribution(list(families))}
    return found | {f"{family}.{axis.name}": _distribution(axis) for axis in axes(family, target)}


def _distribution(axis: Axis) -> BaseDistribution:
    if axis.choices:
        return CategoricalDistribution(list(axis.choices))
    if isinstance(axis.low, int) and isinstance(axis.high, int):
        return IntDistribution(axis.low, axis.high, log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def _value(trial: optuna.Trial, name: str, axis: Axis) -> Value:
    if axis.choices:
        choice = trial.suggest_categorical(name, list(axis.choices))
        assert choice is not None  # Optuna's choices may be None, ours are not
        return choice
    if isinstance(axis.low, int) and isinstance(axis.high, int):
        return trial.suggest_int(name, axis.low, axis.high, log=axis.log)
    return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
