"""Trials -> a typed table, one row a trial; and the frontier as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from space import Config, DenseConfig, ResidualConfig, config_from_json
from space.landmarks import LANDMARKS

if TYPE_CHECKING:
    import pandas as pd
    from optuna.trial import FrozenTrial

    from results.run import Run


class Column(NamedTuple):
    """One measure of the table."""

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Column("trial", "int64", "", "number of the trial in the study"),
    Column("kind", "str", "", "sample (proposed by the search), landmark (a published network), warm (of another run)"),
    Column("landmark", "str", "", "name of the published network; missing for samples"),
    Column("family", "str", "", "family of the network"),
    Column("config_id", "str", "", "hash of the configuration; equal networks have equal ids"),
    Column("state", "str", "", "complete, fail, pruned (stopped early), running or waiting"),
    Column("proxy_top1", "float64", "%", "top-1 on held-out images after training by the recipe; complete trials only"),
    Column("published_top1", "float64", "%", "published top-1 of a landmark: other data, never to be mixed with proxy"),
    Column("macs", "Int64", "multiply-adds", "cost of one image at the target's input size and classes"),
    Column("params", "Int64", "", "trainable numbers at the target's number of classes"),
    Column("activations", "Int64", "", "output elements of all convolutions at the target's input size"),
    Column("target_macs", "Int64", "multiply-adds", "what the network was solved to cost; missing for landmarks"),
    Column("latency_ms", "float64", "ms", "median inference at batch 1, full size; conditions: timing in run.json"),
    Column("latency_p90_ms", "float64", "ms", "90th percentile of the same"),
    Column("latency_runs", "Int64", "", "how many inferences were timed"),
    Column("latency_memory", "Int64", "bytes", "most memory in use while timing: weights, images, activations"),
    Column("on_frontier", "bool", "", "within the budget; no network is better for as little of the run's objective"),
    Column("loss", "float64", "nats", "cross entropy on the held-out images"),
    Column("seconds", "float64", "s", "wall clock of building, training and scoring"),
    Column("images_per_second", "float64", "1/s", "speed of training"),
    Column("duplicate_of", "Int64", "", "the trial whose score this equal network shares"),
    Column("origin", "str", "", "where a sample's proposal came from: a sampler's name, neighbour or suggestion"),
    Column("from_run", "str", "", "the run that a warm network was taken over from"),
    Column("reason", "str", "", "why a trial failed or was stopped"),
    Column("started", "datetime64[us]", "local time", "when the trial was begun"),
    Column("finished", "datetime64[us]", "local time", "when the trial was closed"),
    Column("network", "str", "", "short description: see `describe`"),
    Column("config", "str", "", "the configuration as JSON"),
)


def trials_frame(trials: Sequence[FrozenTrial], limits: Mapping[str, Any], cost: str = "macs") -> pd.DataFrame:
    """The table of `COLUMNS`; a running trial may have little of it.

    Args:
        trials: of one study.
        limits: of the frontier's members: ``budget_macs``, and where there are such ``max_params`` and
            ``max_activations``; a run's settings have these keys.
        cost: the column that the frontier holds against top-1.
    """
    import pandas as pd

    rows = [_row(trial) for trial in trials]
    frame = pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in rows], dtype=column.dtype)
            for column in COLUMNS
            if column.name != "on_frontier"
        }
    )
    frame.insert(
        [column.name for column in COLUMNS].index("on_frontier"), "on_frontier", _on_frontier(frame, limits, cost)
    )
    return frame


def _row(trial: FrozenTrial) -> dict[str, Any]:
    attributes = trial.user_attrs
    complete = trial.state.name == "COMPLETE"
    known = LANDMARKS.get(attributes.get("landmark", ""))
    published = known.published.top1_error if known else None
    score = attributes.get("score") or {}
    latency = attributes.get("latency") or {}
    config = attributes.get("config")
    return {key: attributes.get(key) for key in (
        "kind", "landmark", "family", "config_id", "macs", "params", "activations", "target_macs", "duplicate_of",
        "origin", "from_run",
    )} | {
        "trial": trial.number,
        "state": trial.state.name.lower(),
        "proxy_top1": trial.values[0] if complete and trial.values else None,
        "published_top1": None if published is None else 100 - published,
        "latency_ms": latency.get("median_ms"),
        "latency_p90_ms": latency.get("p90_ms"),
        "latency_runs": latency.get("runs"),
        "latency_memory": latency.get("peak_memory"),
        "loss": score.get("loss"),
        "seconds": score.get("seconds"),
        "images_per_second": score.get("images_per_second"),
        "reason": attributes.get("reason") or score.get("reason"),
        "started": trial.datetime_start,
        "finished": trial.datetime_complete,
        "network": _describe_json(config),
        "config": None if config is None else json.dumps(config, sort_keys=True),
    }  # fmt: skip


LIMITS = {"macs": "budget_macs", "params": "max_params", "activations": "max_activations"}  # column -> setting


def _on_frontier(frame: pd.DataFrame, limits: Mapping[str, Any], cost: str) -> Any:
    from results.pareto import frontier

    def numbers(name: str) -> Any:
        return frame[name].astype("Float64").to_numpy(dtype="float64", na_value=float("nan"))

    top1 = frame["proxy_top1"].to_numpy(copy=True)
    for column, setting in LIMITS.items():
        if (most := limits.get(setting)) is not None:
            top1[numbers(column) > most] = float("nan")  # landmarks may cost a little more than the budget
    return frontier(top1, numbers(cost))


def _describe_json(config: Any) -> str | None:
    try:
        return None if config is None else describe(config_from_json(config))
    except ValueError:  # written by another version of the space
        return None


def describe(config: Config) -> str:
    """A network in a few words, beside its family.

    "bottleneck d3-4-6-3 w256-512-1024-2048 32x4d": blocks a stage, output channels a stage, cardinality x base
    width (or i: inner channels a stage, g: groups a stage, where they do not double from stage to stage);
    "k32 d6-12-24-16 theta 0.5": growth rate, dense layers a block, compression.
    """
    if isinstance(config, DenseConfig):
        words = [f"k{config.growth_rate}", _dashed("d", config.depths), f"theta {config.compression:.3g}"]
        if config.bottleneck != 4:
            words.append(f"bottleneck {config.bottleneck}" if config.bottleneck else "no bottleneck")
        return " ".join(words)
    if not isinstance(config, ResidualConfig):
        return config.family
    words = [config.block, _dashed("d", config.depths), _dashed("w", config.widths)]
    inner, groups = config.inner_widths, config.groups
    base, left = divmod(inner[0], groups[0])
    regular = not left and all(
        width == base * groups[0] * 2**stage and cardinality == groups[0]
        for stage, (width, cardinality) in enumerate(zip(inner, groups, strict=True))
    )
    if config.block == "bottleneck" and regular:
        words.append(f"{groups[0]}x{base}d")
    elif config.block == "bottleneck" or inner != config.widths:
        words.append(_dashed("i", inner))
        if max(groups) > 1:
            words.append(f"g{groups[0]}" if len(set(groups)) == 1 else _dashed("g", groups))
    elif max(groups) > 1:
        words.append(_dashed("g", groups))
    if config.block == "bottleneck" and config.stride_in == "1x1":
        words.append("stride in 1x1")
    if config.shortcut == "A":
        words.append("shortcut A")
    if config.preactivation:
        words.append("pre-activation")
    return " ".join(words)


def _dashed(letter: str, numbers: Sequence[int]) -> str:
    return letter + "-".join(str(number) for number in numbers)


def frontier_table(run: Run) -> str:
    """The frontier as aligned text, the cheapest network first."""
    timed = run.objective.name == "latency"
    rows = [("config id", "family", *(["latency (ms)"] if timed else []), "GFLOPs", "params (M)", "proxy top-1 (%)",
             "network")]  # fmt: skip
    for row in run.frontier().to_dict("records"):
        name = row["landmark"]
        rows.append((
            str(row["config_id"]),
            str(row["family"]),
            *([f"{row['latency_ms']:.3f}"] if timed else []),
            f"{row['macs'] / 1e9:.3f}",
            f"{row['params'] / 1e6:.2f}",
            f"{row['proxy_top1']:.2f}",
            str(row["network"]) + (f" ({name})" if isinstance(name, str) else ""),
        ))  # fmt: skip
    if len(rows) == 1:
        return "no network within the budget is finished yet"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    words = {0, 1, len(widths) - 1}
    lines = [
        "  ".join(
            word.ljust(width) if place in words else word.rjust(width)
            for place, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
