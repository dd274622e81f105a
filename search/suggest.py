"""A trial of Optuna -> a solved configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from space.design import Axis, Proposal, Target, Value, axes, propose

if TYPE_CHECKING:
    import optuna


def suggest(trial: optuna.Trial, families: tuple[str, ...], target: Target) -> tuple[str, Proposal]:
    """Ask the trial for a family and for that family's axes, and solve the network.

    An axis is named ``family.axis``: each family's parameters are its own, so that no axis ever means two things.
    """
    family = str(trial.suggest_categorical("family", list(families)))
    values = {axis.name: _value(trial, f"{family}.{axis.name}", axis) for axis in axes(family, target)}
    return family, propose(family, values, target)


def _value(trial: optuna.Trial, name: str, axis: Axis) -> Value:
    if axis.choices:
        choice = trial.suggest_categorical(name, list(axis.choices))
        assert choice is not None  # Optuna's choices may be None, ours are not
        return choice
    if isinstance(axis.low, int) and isinstance(axis.high, int):
        return trial.suggest_int(name, axis.low, axis.high, log=axis.log)
    return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
