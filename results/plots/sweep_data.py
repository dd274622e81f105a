"""What a sweep has found: settings with their scores over seeds, published networks beside, verdicts.

Proxy scores and published errors are two things with two units: they stand in columns and panels of their own.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.plots.sweep_stats import Difference, differences, intervals, trend
from results.run.naming import traits
from results.run.run import Run
from space import Config, config_from_json
from space.landmarks.figures import RESNEXT
from space.landmarks.networks import Landmark
from space.shell.scores import Interval
from space.solving.axes import SMALL_INPUT
from space.solving.resize import paper_depth
from space.solving.sweeps import DirectionSweep, sweep_from_json

LIKE = 0.2  # published networks stand beside a sweep if their cost is this near to its budget
GROUPED = {"cardinality", "base_width"}


@dataclass(frozen=True)
class Published:
    """A published network at the sweep's cost."""

    name: str
    label: str
    values: tuple[tuple[str, Any], ...]  # what it has of the sweep's axes
    error: float  # top-1, in percent; CIFAR-10 or ImageNet
    macs: int
    params: int
    setting: str
    source: str
    block: str


@dataclass(frozen=True)
class Trained:
    """One network of the sweep."""

    name: str
    values: Mapping[str, Any]
    solved: str
    macs: int
    params: int
    proxy_macs: int
    scores: Mapping[int, float]  # top-1 in percent by seed
    seconds: float | None  # of a training, mean
    top1: Interval | None  # None where none has finished
    published: Published | None
    reason: str = ""  # why it has no score


@dataclass(frozen=True)
class SweepData:
    """All that table and picture show."""

    axes: tuple[str, ...]  # direction and factor where one network is given more in one direction
    start: str
    rows: tuple[Trained, ...]
    published: tuple[Published, ...]
    pairs: tuple[Difference, ...]  # those that are to be judged
    verdicts: tuple[str, ...]
    empty: str  # why there is nothing to draw; "" if there is


def swept(run: Run) -> SweepData:
    """What a run of ``python -m search --sweep`` or ``python -m search pays`` has so far.

    Raises:
        ValueError: if it is no sweep.
    """
    stored = run.settings.get("sweep")
    if not stored:
        raise ValueError(f"{run.directory} has no sweep: expected a run of python -m search --sweep AXIS=VALUES")
    sweep = sweep_from_json(stored)
    pays, axes, start = isinstance(sweep, DirectionSweep), sweep.names, sweep.config
    found = sorted(_networks(run), key=lambda each: sweep.place(each[0]["setting"]["values"]))
    beside = () if pays else tuple(_beside(run, start, axes, [config_from_json(one["config"]) for one, *_ in found]))
    spread = intervals({one["setting"]["name"]: list(scores.values()) for one, scores, *_ in found if scores})
    rows = tuple(
        Trained(
            one["setting"]["name"], one["setting"]["values"], one["setting"]["solved"], one["macs"], one["params"],
            one["setting"]["proxy_macs"], scores, seconds, spread.get(one["setting"]["name"]),
            _same(one, beside), reason,
        )
        for one, scores, seconds, reason in found
    )  # fmt: skip
    scored = [row for row in rows if row.scores]
    pairs = differences({row.name: row.scores for row in scored})
    if pays:
        factor = {row.name: row.values["factor"] for row in scored}
        pairs = [each for each in pairs if 1.0 in (a := (factor[each.better], factor[each.worse])) or a[0] == a[1]]
    empty = "" if scored else "no network of the sweep is finished yet"
    said = (*_verdicts(scored, pairs), *_trend(scored, axes))
    return SweepData(axes, sweep.start, rows, beside, tuple(pairs), said, empty)


def _networks(run: Run) -> Iterator[tuple[dict[str, Any], dict[int, float], float | None, str]]:
    """Attributes, scores by seed, mean seconds and the reason of a failure of each setting that has ended."""
    scores: dict[int, dict[int, float]] = {}
    seconds: dict[int, list[float]] = {}
    for trial in run.trials:
        attributes = trial.user_attrs
        if trial.state.name == "COMPLETE" and "duplicate_of" not in attributes and trial.values:
            number = attributes.get("repeat_of", trial.number)
            scores.setdefault(number, {})[attributes.get("seed", run.settings.get("seed", 0))] = trial.values[0]
            seconds.setdefault(number, []).append(attributes["score"]["seconds"])
    seen = set()
    for trial in run.trials:
        attributes = trial.user_attrs
        if attributes.get("kind") != "sample" or "setting" not in attributes:
            continue
        name = attributes["setting"]["name"]
        if name not in seen:  # a lost connection may have made Optuna write it twice
            seen.add(name)
            number = attributes.get("duplicate_of", trial.number)
            mean = statistics.fmean(times) if (times := seconds.get(number)) else None
            yield attributes, scores.get(number, {}), mean, str(attributes.get("reason") or "")


# ---------------------------------------------------------------------------------------------- what is published


def _beside(run: Run, start: Config, axes: Sequence[str], configs: Sequence[Config]) -> Iterator[Published]:
    """Published networks of the start's kind that have the sweep's axes and cost about as much.

    Where a cardinality alone is swept they are those of the ResNeXt paper with the same depths and outer widths.
    """
    kind = "cifar" if run.input_size <= SMALL_INPUT else "imagenet"
    alone = len(axes) == 1 and axes[0] in GROUPED
    for each in run.landmarks.values():
        config = each.config
        if each.target != kind or type(config) is not type(start) or config is None or each.macs is None:
            continue
        if abs(each.macs / run.budget_macs - 1) > LIKE or each.published.top1_error is None:
            continue
        if alone:
            same = any(_frame(config) == _frame(other) for other in configs)
            fits = same and each.published.source.startswith(RESNEXT)
        else:
            grouped = max(getattr(config, "groups", (1,))) > 1
            other_data = "ZCA" in each.published.setting or each.name.endswith("_v1")
            fits = not other_data and (not grouped or bool(GROUPED & set(axes)))
        values = [(axis, _value(config, axis)) for axis in axes]
        if fits and all(value is not None for _, value in values):
            yield _published(each, values)


def _published(each: Landmark, values: list[tuple[str, Any]]) -> Published:
    figure = each.published
    assert figure.top1_error is not None and each.macs is not None and each.params is not None  # `_beside` asks
    return Published(
        each.name, each.label, tuple(values), figure.top1_error, each.macs, each.params, figure.setting, figure.source,
        traits(each.network())["block"],
    )  # fmt: skip


def _same(attributes: Mapping[str, Any], beside: Sequence[Published]) -> Published | None:
    """The published network with the values of a setting and its kind of block; of several the one of nearest cost."""
    block = traits(config_from_json(attributes["config"]))["block"]
    same = [each for each in beside if dict(each.values) == attributes["setting"]["values"] and each.block == block]
    return min(same, key=lambda each: abs(each.macs - attributes["macs"]), default=None)


def _frame(config: Config) -> tuple[Any, ...]:
    """What of a network stays where its cardinality is varied."""
    return tuple(getattr(config, name, None) for name in ("stem", "stem_width", "block", "depths", "widths"))


def _value(config: Config, axis: str) -> Any:
    """What a network has of an axis; None if it is not to be told from the network alone."""
    if axis == "depth":
        return paper_depth(config)
    if axis == "bottleneck":
        return getattr(config, "bottleneck", None)
    return traits(config).get(axis)


# ---------------------------------------------------------------------------------------------- verdicts


def _verdicts(rows: Sequence[Trained], pairs: Sequence[Difference]) -> Iterator[str]:
    if not pairs:
        fewest = min((len(row.scores) for row in rows), default=0)
        if len(rows) > 1 and fewest < 2:
            yield "One training of a network says nothing of seed variance: no verdict. Two or more need --seeds 2."
        return
    seen = [each for each in pairs if each.seen]
    reach = pairs[0].interval.mean - (pairs[0].interval.low or 0.0)
    if not seen:
        yield f"No difference seen between any two of {len(rows)}: all intervals (+- {reach:.1f} points) contain 0."
        return
    yield "Seen: " + "; ".join(str(each) for each in seen) + "."
    if left := len(pairs) - len(seen):
        alike = "; ".join(f"{each.better} and {each.worse}" for each in pairs if not each.seen)
        yield f"No difference seen in {left} of {len(pairs)} pairs: {alike}."


def _trend(rows: Sequence[Trained], axes: Sequence[str]) -> Iterator[str]:
    """Of one axis of numbers: how the scores go with it."""
    values = {row.name: row.values.get(axes[0]) for row in rows}
    if len(axes) > 1 or not all(isinstance(value, int | float) and value > 0 for value in values.values()):
        return
    found = trend({name: math.log2(float(value or 1)) for name, value in values.items()}, {
        row.name: row.scores for row in rows
    })  # fmt: skip
    if found is None or found.low is None or found.high is None:
        return
    seen = "" if found.low > 0 or found.high < 0 else ": no trend seen"
    slope = f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}] points"
    yield f"Trend of all together: {slope} for each doubling of the {axes[0].replace('_', ' ')}{seen}."
