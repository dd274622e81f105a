"""What a picture of a run's frontier shows: a run -> `FrontierPlot`. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.plots import DEFAULT_VIEW, View, style
from results.plots.frontier_caption import caption
from results.plots.labels import shorten
from results.run.frame import whole
from results.run.objective import Objective
from results.run.pareto import LIMITS, numbers
from results.run.repeats import Repeated, repeated
from results.run.run import Run
from space import cost as count
from space.landmarks.networks import Landmark

MATCH_FROM = 0.95  # in match mode, from this part of the budget on
FAR = 2.0  # landmarks of figures alone do not stretch the axis by more than this factor
_GRID = 240  # places where the band is computed, at most


@dataclass(frozen=True)
class Series:
    """The sampled networks of one family; x in the unit of the axis, y in percent."""

    family: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    on_frontier: tuple[bool, ...]
    stopped: tuple[tuple[float, float], ...] = ()  # stopped early: x, and the score so far
    far: tuple[bool, ...] = ()  # of expected errors: unlike all known networks of the family


@dataclass(frozen=True)
class Star:
    """A landmark scored here, or several that are one and the same configuration."""

    label: str
    family: str
    x: float
    y: float
    images: int | None = None  # that `y` is a percentage of


@dataclass(frozen=True)
class Tick:
    """A landmark of the user's that was not scored here: its cost alone."""

    label: str
    family: str
    x: float


@dataclass(frozen=True)
class FrontierPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]  # in the unit of the axis, as all x
    y_range: tuple[float, float]  # percent; what is below is drawn at the lower edge
    budget: float | None  # where its line goes; None where the axis has no limit
    budget_label: str
    series: tuple[Series, ...]
    stars: tuple[Star, ...]  # the best first
    step: tuple[tuple[float, float], ...]  # the frontier's points, the cheapest first; see `adjusted`
    caption: str
    empty: str = ""  # said in place of points
    failed: tuple[float, ...] = ()  # what failed networks would have cost
    ticks: tuple[Tick, ...] = ()  # the cheapest first
    band: tuple[tuple[float, float, float], ...] = ()  # x, and the percent between which the frontier lies
    adjusted: bool = False  # whether the line is that without seed variance, in its band, and not that of the scores
    bars: tuple[tuple[float, float, float, float], ...] = ()  # x, expected top-1 and its interval, of those on it
    slow: tuple[float, ...] = ()  # where networks lie that were rejected for their latency
    slow_label: str = ""
    errors: bool = False  # y is a top-1 error, of which less is better: expected, of landmarks published


def frontier_data(run: Run, view: View = DEFAULT_VIEW) -> FrontierPlot:
    """Step one: the proxies' scores of a run; see `results.plots.frontier_expected` for expected errors.

    Raises:
        ValueError: if no network has the cost that is wanted on the axis.
    """
    cost = run.cost(view.x)
    frame = run.frame()
    frame = frame[frame["kind"].isna() | (frame["kind"] != "repeat")]
    priced = frame[frame[cost.column].notna()]
    done = priced[(priced["state"] == "complete") & priced["proxy_top1"].notna()]
    stopped = priced[(priced["state"] == "pruned") & priced["last_top1"].notna()]
    failed = priced[priced["state"] == "fail"]
    own, unknown = _unscored(run, done, cost)
    slow = priced[priced["state"] == "slow"]
    members = run.proxy_frontier(view.x)
    unscored = pd.concat([stopped, failed, slow])[cost.column]
    x_range = cost_range(run, cost, done, members, list(unscored), [tick.x for tick in own])
    ticks = tuple(tick for tick in own if x_range[0] <= tick.x <= x_range[1])
    shown = done[done[cost.column] >= x_range[0] * cost.unit]
    ranked = run.one_objective and cost == run.objective  # there is no frontier
    again, line, band = (None, (), ()) if ranked else _band(run, cost, x_range)
    bars = _bars(members, cost)
    ends = [end for _, low, high in band for end in (low, high)] + [end for _, *ends in bars for end in ends]
    y_range = _y_range(shown, members, ends)
    points = tuple(
        (float(x) / cost.unit, float(top1))
        for x, top1 in zip(members[cost.column], members["proxy_top1"], strict=True)
    )  # fmt: skip
    hidden = {
        "below the picture's range (arrows)": int((shown["proxy_top1"] < y_range[0]).sum()),
        "of the stopped ones lie below the picture's range": int((stopped["last_top1"] < y_range[0]).sum()),
        "published ones cost less than what is shown": len(done) - len(shown),
        "landmarks of one's own are not shown: of unknown cost here, or far from these": unknown
        + len(own)
        - len(ticks),
    }
    return FrontierPlot(
        title=_title(run, cost),
        x_label=cost_label(run, cost),
        y_label=f"proxy top-1 on {shorten(run.data_name, 24)}, recipe {shorten(run.recipe_name, 20)} (%)",
        x_range=x_range,
        y_range=y_range,
        budget=budget_of(run, cost)[0],
        budget_label=budget_of(run, cost)[1],
        series=_series(done, stopped, set(members["trial"]), cost),
        stars=_stars(run, shown[shown["kind"] == "landmark"], cost),
        step=() if ranked else line or points,
        caption=caption(run, cost, frame, done, again, [f"{n} {words}" for words, n in hidden.items() if n]),
        empty="" if len(done) else "no finished trial yet",
        failed=tuple(float(x) / cost.unit for x in failed[cost.column]),
        ticks=ticks,
        band=band,
        adjusted=again is not None,
        bars=bars,
        slow=tuple(float(x) / cost.unit for x in slow[cost.column]),
        slow_label=f"slower than {run.settings.get('max_latency') or 0:g} ms, not trained",
    )


def _title(run: Run, cost: Objective) -> str:
    what = "at the budget" if run.one_objective and cost == run.objective else f"against {cost.against}"
    return f"Proxy top-1 on {shorten(run.data_name, 24)} {what}"


def cost_label(run: Run, cost: Objective) -> str:
    """Of the axis."""
    on = run.timing
    timing = f", batch {on['batch']}, {on['device']}, {on['dtype']}" if on else ""
    return cost.axis_at.format(size=f"{run.input_size}x{run.input_size}", classes=run.classes, timing=timing)


_CAPS = LIMITS | {"latency_ms": "max_latency"}  # column -> setting


def budget_of(run: Run, cost: Objective) -> tuple[float | None, str]:
    """The run's limit of what is on the axis, in its unit, and what it is called; None and no words without one."""
    most = run.settings.get(_CAPS[cost.column])
    if most is None:
        return None, ""
    limit = float(most) / cost.unit
    return limit, f"{'budget' if cost.name == 'macs' else 'limit'} {limit:.4g} {cost.symbol}"


def cost_range(
    run: Run, cost: Objective, done: pd.DataFrame, members: pd.DataFrame, more: Sequence[float], own: Sequence[float]
) -> tuple[float, float]:
    """What of the axis to show.

    In match mode every sample costs the budget: cheaper landmarks would press them into one line, and are shown only
    if they are among the best. Landmarks that only have a cost widen the range by no more than `FAR`.
    """
    limit, _ = budget_of(run, cost)
    marks = [float(x) / cost.unit for x in (*done[cost.column], *more)] + ([] if limit is None else [limit])
    low, high = min(marks, default=1.0), max(marks, default=10.0)  # an empty picture has an axis, too
    if run.settings["mode"] == "match" and cost.name == "macs" and limit is not None:
        those = (done["kind"] != "landmark") | done["trial"].isin(members["trial"])
        samples = [float(macs) / cost.unit for macs in done.loc[those, "macs"]]
        low = min([*samples, MATCH_FROM * limit])
    elif near := [x for x in own if low / FAR <= x <= high * FAR]:
        low, high = min(low, *near), max(high, *near)
    room = max((high / low) ** 0.05, 1.02)
    return low / room, high * room


def _y_range(shown: pd.DataFrame, members: pd.DataFrame, band: Sequence[float]) -> tuple[float, float]:
    """What of the axis to show in percent.

    A few networks that learned nothing would press all others together: the range ends two spans of the middle
    half below it. Landmarks and frontier members are always inside.
    """
    scores = shown["proxy_top1"]
    if not len(scores):
        return 0.0, 100.0
    quarter, most = float(scores.quantile(0.25)), float(scores.quantile(0.75))
    fixed = shown.loc[shown["trial"].isin(members["trial"]) | (shown["kind"] == "landmark"), "proxy_top1"]
    floor = min([quarter - 2 * max(most - quarter, 0.5), *(float(y) for y in fixed)])
    low, high = style.limits([*(float(y) for y in scores if y >= floor), *band])
    return low, min(high, 102.0)


def _series(done: pd.DataFrame, stopped: pd.DataFrame, members: set[int], cost: Objective) -> tuple[Series, ...]:
    samples = done[(done["kind"] != "landmark") & done["duplicate_of"].isna()]
    series = []
    for family in style.in_order([*samples["family"], *stopped["family"]]):
        of, early = samples[samples["family"] == family], stopped[stopped["family"] == family]
        series.append(
            Series(
                family,
                tuple(float(x) / cost.unit for x in of[cost.column]),
                tuple(float(top1) for top1 in of["proxy_top1"]),
                tuple(trial in members for trial in of["trial"]),
                tuple(
                    (float(x) / cost.unit, float(top1))
                    for x, top1 in zip(early[cost.column], early["last_top1"], strict=True)
                ),
            )
        )
    return tuple(series)


def _stars(run: Run, landmarks: pd.DataFrame, cost: Objective) -> tuple[Star, ...]:
    known, stars = run.landmarks, []
    for _, equal in landmarks.groupby("config_id", sort=False):
        names = list(dict.fromkeys(str(name) for name in equal["landmark"]))
        label = " = ".join(shorten(known[name].label if name in known else name) for name in names)
        first = equal.iloc[0]
        x, y = float(first[cost.column]) / cost.unit, float(first["proxy_top1"])
        stars.append(Star(label, str(first["family"]), x, y, whole(first["held_out"])))
    return tuple(sorted(stars, key=lambda star: (-star.y, star.x, star.label)))


def _unscored(run: Run, done: pd.DataFrame, cost: Objective) -> tuple[list[Tick], int]:
    """The user's landmarks that have no score, and how many of them have no cost that can stand on this axis."""
    left = [each for each in run.own_landmarks if each.name not in set(done["landmark"])]
    prices = [(each, _price(run, each, cost)) for each in left]
    ticks = [Tick(shorten(each.label), each.family, x / cost.unit) for each, x in prices if x is not None]
    return sorted(ticks, key=lambda tick: (tick.x, tick.label)), len(left) - len(ticks)


def _price(run: Run, known: Landmark, cost: Objective) -> int | None:
    """What it costs at the run's target; None where that is not known."""
    if cost.measured:
        return None
    if known.config is None:
        same = (known.input_size, known.classes) == (run.input_size, run.classes)
        return getattr(known, cost.column, None) if same else None
    try:
        counted = count(known.config, run.input_size, run.classes)
    except ValueError:  # too small an input
        return None
    price: int = getattr(counted, cost.column)
    return price


Line = tuple[tuple[float, float], ...]
Band = tuple[tuple[float, float, float], ...]


def _band(run: Run, cost: Objective, x_range: tuple[float, float]) -> tuple[Repeated | None, Line, Band]:
    """The frontier without seed variance, and where 95 % of it lies; nothing without repeats.

    It rises at costs of networks alone: these are the places where it is computed, unless there are too many.
    """
    end = (budget_of(run, cost)[0] or x_range[1]) * cost.unit
    prices = np.unique(numbers(run.networks(), cost.column))
    prices = prices[(prices >= x_range[0] * cost.unit) & (prices < end)]
    grid = np.append(prices, end) if len(prices) < _GRID else np.geomspace(x_range[0] * cost.unit, end, _GRID)
    again = repeated(run.frame(), run.settings, cost.column, grid)
    if again is None:
        return None, (), ()
    found = again.uncertainty
    known = ~np.isnan(found.curve)
    xs = (grid[known] / cost.unit).tolist()
    curve = found.curve[known].tolist()
    rises = [n for n, y in enumerate(curve) if not n or y > curve[n - 1]]
    band = zip(xs, found.curve_low[known].tolist(), found.curve_high[known].tolist(), strict=True)
    return again, tuple((xs[n], curve[n]) for n in rises), tuple(band)


def _bars(members: pd.DataFrame, cost: Objective) -> tuple[tuple[float, float, float, float], ...]:
    """Expected top-1 and its interval of those of the answer that were trained again."""
    again = members[members["expected_top1"].notna()]
    columns = (again[cost.column] / cost.unit, again["expected_top1"], again["expected_low"], again["expected_high"])
    return tuple((float(x), float(y), float(low), float(high)) for x, y, low, high in zip(*columns, strict=True))
