"""Trials -> a typed table, one row a trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from results.run.columns import COLUMNS
from results.run.naming import describe, traits
from results.run.objective import one_objective
from results.run.pareto import best_mask, frontier_mask
from results.run.repeats import fill_repeats
from space import config_from_json
from space.landmarks.networks import LANDMARKS, Landmark
from space.shell.scores import standard_error


def trials_frame(
    trials: Sequence[FrozenTrial],
    limits: Mapping[str, Any],
    cost: str = "macs",
    landmarks: Mapping[str, Landmark] = LANDMARKS,
    expected: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """The table of `COLUMNS`; a running trial may have little of it.

    Args:
        trials: of one study.
        limits: of the frontier's members: ``budget_macs``, and where there are such ``max_params`` and
            ``max_activations``; ``mode``, too. A run's settings have these keys.
        cost: the column that the frontier holds against top-1.
        landmarks: by name, the published ones and the run's own.
        expected: by configuration, what the search has worked out anew since the trials were recorded.
    """
    rows = [_row(trial, landmarks, expected or {}) for trial in trials]
    frame = pd.DataFrame(
        {column.name: pd.Series([row.get(column.name) for row in rows], dtype=column.dtype) for column in COLUMNS}
    )
    fill_repeats(frame, limits, cost)
    frame["on_frontier"] = best_mask(frame, limits) if one_objective(limits) else frontier_mask(frame, limits, cost)
    return frame


def whole(value: Any) -> int | None:
    """A whole number of the table; None where it is missing."""
    return None if pd.isna(value) else int(value)


def _row(
    trial: FrozenTrial, landmarks: Mapping[str, Landmark], anew: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    attributes = trial.user_attrs
    expected = anew.get(attributes.get("config_id", "")) or attributes.get("expected") or {}
    complete = trial.state.name == "COMPLETE"
    known = landmarks.get(attributes.get("landmark", ""))
    published = known.published.top1_error if known else None
    score = attributes.get("score") or {}
    latency = attributes.get("latency") or {}
    config = attributes.get("config")
    # Of a run that trains nothing, what the study was given is no score.
    top1, images = trial.values[0] if complete and trial.values and score else None, score.get("held_out")
    return _shape(config) | {key: attributes.get(key) for key in (
        "kind", "landmark", "family", "config_id", "macs", "params", "activations", "target_macs", "duplicate_of",
        "origin", "from_run", "repeat_of", "seed",
    )} | {
        "trial": trial.number,
        "on_frontier": False,
        "state": "slow" if attributes.get("violation", 0) > 0 else trial.state.name.lower(),
        "proxy_top1": top1,
        "expected_error": expected.get("error"),
        "error_low": expected.get("low"),
        "error_high": expected.get("high"),
        "cautious_error": expected.get("cautious"),
        "familiarity": expected.get("familiarity"),
        "evidence": expected.get("evidence"),
        "published_error": published,
        "held_out": images,
        "proxy_se": None if top1 is None or not images else standard_error(top1, images),
        "last_top1": score.get("top1") if trial.state.name == "PRUNED" else None,
        "published_top1": None if published is None else 100 - published,
        "latency_ms": latency.get("median_ms"),
        "latency_p90_ms": latency.get("p90_ms"),
        "latency_runs": latency.get("runs"),
        "latency_memory": latency.get("peak_memory"),
        "proxy_macs": score.get("proxy_macs"),
        "loss": score.get("loss"),
        "seconds": score.get("seconds"),
        "images_per_second": score.get("images_per_second"),
        "setting": (attributes.get("setting") or {}).get("name"),
        "reason": attributes.get("reason") or score.get("reason"),
        "started": trial.datetime_start,
        "finished": trial.datetime_complete,
        "config": None if config is None else json.dumps(config, sort_keys=True),
    }  # fmt: skip


def _shape(data: Any) -> dict[str, Any]:
    """The columns that follow from the configuration; none where it is damaged."""
    if data is None:
        return {}
    try:
        config = config_from_json(data)
    except ValueError:
        return {}
    return traits(config) | {"network": describe(config)}
