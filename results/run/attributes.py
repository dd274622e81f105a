"""What a search keeps of a trial, and of which type each is: a study may be damaged, or somebody else's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from optuna.trial import FrozenTrial


def _text(value: object) -> bool:
    return isinstance(value, str)


def _whole(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63  # as a table's columns hold


def _number(value: object) -> bool:
    return (type(value) is int and abs(value) < 2**63) or (type(value) is float and math.isfinite(value))


def _table(value: object) -> bool:
    return isinstance(value, dict)


def _curve(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and _whole(each.get("epoch")) for each in value)


Check = Callable[[object], bool]
_OF: dict[Check, str] = {
    _text: "a text",
    _whole: "a whole number",
    _number: "a number",
    _table: "an object",
    _curve: "a list of epochs",
}
_TRIAL: dict[str, Check] = {
    **dict.fromkeys(("kind", "landmark", "family", "config_id", "origin", "from_run", "reason", "trace"), _text),
    **dict.fromkeys(("macs", "params", "activations", "target_macs", "duplicate_of", "repeat_of", "seed"), _whole),
    **dict.fromkeys(("resolution", "input_size"), _whole),
    **dict.fromkeys(("score", "latency", "setting", "config", "expected"), _table),
    "violation": _number,
}
_WITHIN: dict[str, dict[str, Check]] = {
    "score": {
        "proxy_macs": _whole,
        **dict.fromkeys(("top1", "seconds", "images_per_second", "peak_share", "peak_memory"), _number),
        **dict.fromkeys(("state", "reason"), _text),
        "curve": _curve,
    },
    "latency": {**dict.fromkeys(("median_ms", "p90_ms"), _number), **dict.fromkeys(("runs", "peak_memory"), _whole)},
    "expected": {
        **dict.fromkeys(("error", "low", "high", "cautious", "familiarity"), _number),
        "evidence": _text,
    },
    "setting": {"name": _text},
}


_ALWAYS = ("family", "config", "config_id", "macs", "params", "activations")  # what every trial has
_SETTINGS = ("budget_macs", "input_size", "classes", "max_params", "max_activations", "max_latency", "refine", "seed")


def check_attributes(trial: FrozenTrial) -> None:
    """Raise ValueError unless the attributes of a trial are there and have the types that a search gives them."""
    attributes = trial.user_attrs
    for name in _ALWAYS:
        if attributes.get(name) is None:
            raise ValueError(f"trial {trial.number}: its {name} is missing, expected {_OF[_TRIAL[name]]}")
    _check(f"trial {trial.number}", "", attributes, _TRIAL)
    for name, checks in _WITHIN.items():
        _check(f"trial {trial.number}", f"{name}.", attributes.get(name) or {}, checks)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise ValueError unless the numbers among a run's settings are some that a search can have had."""
    for name in _SETTINGS:
        value = settings.get(name)
        if value is not None and not _number(value):
            raise ValueError(f"its setting {name} is {repr(value)[:50]}, expected a number")


def check_expected(found: Any) -> dict[str, dict[str, Any]]:
    """What a search has worked out anew, by configuration, as the study has it; raises ValueError for anything else."""
    if not isinstance(found, dict):
        raise ValueError(f"its expected errors are {repr(found)[:50]}, expected an object")
    for network, each in found.items():
        if not isinstance(each, dict):
            raise ValueError(f"the expected error of {network} is {repr(each)[:50]}, expected an object")
        _check(str(network), "", each, _WITHIN["expected"])
    return found


def _check(what: str, prefix: str, values: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    for name, fits in checks.items():
        value = values.get(name)
        if value is not None and not fits(value):
            raise ValueError(f"{what}: its {prefix}{name} is {repr(value)[:50]}, expected {_OF[fits]}")
