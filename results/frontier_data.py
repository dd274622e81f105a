"""What a picture of a run's frontier shows: a run -> `FrontierPlot`. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import style
from results.objective import Objective, timing_text
from results.plots import DEFAULT_VIEW, View
from space.landmarks import LANDMARKS

if TYPE_CHECKING:
    import pandas as pd

    from results.run import Run

GIGA = 1e9
DIGITS = "digits show the machinery, not ImageNet"
MATCH_FROM = 0.95  # in match mode, from this part of the budget on


@dataclass(frozen=True)
class Series:
    """The sampled networks of one family; x in GFLOPs or ms, as the run's objective is, y in percent."""

    family: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    on_frontier: tuple[bool, ...]


@dataclass(frozen=True)
class Star:
    """A published network scored here, or several that are one and the same configuration."""

    label: str
    family: str
    x: float
    y: float


@dataclass(frozen=True)
class FrontierPlot:
    """All that the picture shows."""

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]  # GFLOPs or ms, as all x
    y_range: tuple[float, float]  # percent; what is below is drawn at the lower edge
    budget: float | None  # where its line goes; None where it is no place on the axis
    budget_label: str
    series: tuple[Series, ...]
    stars: tuple[Star, ...]  # the best first
    step: tuple[tuple[float, float], ...]  # the frontier's points, the cheapest first
    caption: str
    empty: str = ""  # said in place of points


def frontier_data(run: Run, view: View = DEFAULT_VIEW) -> FrontierPlot:
    """Step one: what to show of a run."""
    frame, cost = run.frame(), run.objective
    done = frame[(frame["state"] == "complete") & frame["proxy_top1"].notna() & frame[cost.column].notna()]
    x_range, left_out = _x_range(run, done)
    shown = done[done[cost.column] >= x_range[0] * cost.unit]
    samples = done[(done["kind"] != "landmark") & done["duplicate_of"].isna()]
    order = [*style.FAMILIES, *sorted(set(samples["family"]) - set(style.FAMILIES))]
    series = []
    for family in order:
        of = samples[samples["family"] == family]
        if len(of):
            series.append(
                Series(
                    family,
                    tuple(float(x) / cost.unit for x in of[cost.column]),
                    tuple(float(top1) for top1 in of["proxy_top1"]),
                    tuple(bool(on) for on in of["on_frontier"]),
                )
            )
    members = run.frontier()
    y_range, below = _y_range(shown)
    return FrontierPlot(
        title=_title(run),
        x_label=_x_label(run),
        y_label=f"proxy top-1 on {run.data_name}, recipe {run.recipe_name} (%)",
        x_range=x_range,
        y_range=y_range,
        budget=_budget(run),
        budget_label=f"budget {run.budget_macs / GIGA:.4g} GFLOPs",
        series=tuple(series),
        stars=_stars(shown[shown["kind"] == "landmark"], cost),
        step=tuple(
            (float(x) / cost.unit, float(top1))
            for x, top1 in zip(members[cost.column], members["proxy_top1"], strict=True)
        ),
        caption=_caption(run, frame, done, left_out, below),
        empty="" if len(done) else "no finished trial yet",
    )


def _title(run: Run) -> str:
    if run.settings["mode"] != "frontier":
        return "Best at the budget"
    return f"Accuracy against {'complexity' if run.objective.name == 'macs' else 'latency'}, measured"


def _budget(run: Run) -> float | None:
    return run.budget_macs / run.objective.unit if run.objective.name == "macs" else None


def _x_label(run: Run) -> str:
    if run.objective.name == "macs":
        return f"GFLOPs (multiply-adds, {run.input_size}x{run.input_size})"
    on = run.timing
    return f"latency (ms, batch {on['batch']}, {on['device']}, {on['dtype']})" if on else "latency (ms)"


def _x_range(run: Run, done: pd.DataFrame) -> tuple[tuple[float, float], int]:
    """What of the axis to show, and how many landmarks that leaves out.

    In match mode every sample costs the budget: cheaper landmarks would press them into one line.
    """
    cost, budget = run.objective, _budget(run)
    costs = [float(x) / cost.unit for x in done[cost.column]]
    marks = costs + ([] if budget is None else [budget])
    low, high = min(marks, default=1.0), max(marks, default=10.0)  # an empty picture has an axis, too
    if budget is not None and run.settings["mode"] == "match":
        samples = [float(macs) / cost.unit for macs in done.loc[done["kind"] != "landmark", "macs"]]
        low = min([*samples, MATCH_FROM * budget])
    room = max((high / low) ** 0.05, 1.02)
    return (low / room, high * room), sum(x < low / room for x in costs)


def _y_range(shown: pd.DataFrame) -> tuple[tuple[float, float], int]:
    """What of the axis to show in percent, and how many samples lie below it.

    A few networks that learned nothing would press all others together: the range ends two spans of the middle
    half below it. Landmarks and frontier members are always inside.
    """
    scores = shown["proxy_top1"]
    if not len(scores):
        return (0.0, 100.0), 0
    quarter, most = float(scores.quantile(0.25)), float(scores.quantile(0.75))
    fixed = shown.loc[shown["on_frontier"] | (shown["kind"] == "landmark"), "proxy_top1"]
    floor = min([quarter - 2 * max(most - quarter, 0.5), *(float(y) for y in fixed)])
    inside = [float(y) for y in scores if y >= floor]
    low, high = style.limits(inside)
    return (low, min(high, 102.0)), sum(float(y) < low for y in scores)


def _stars(landmarks: pd.DataFrame, cost: Objective) -> tuple[Star, ...]:
    stars = []
    for _, equal in landmarks.groupby("config_id", sort=False):
        names = list(dict.fromkeys(str(name) for name in equal["landmark"]))
        label = " = ".join(LANDMARKS[name].label if name in LANDMARKS else name for name in names)
        first = equal.iloc[0]
        stars.append(
            Star(label, str(first["family"]), float(first[cost.column]) / cost.unit, float(first["proxy_top1"]))
        )
    return tuple(sorted(stars, key=lambda star: (-star.y, star.x, star.label)))


def _caption(run: Run, frame: pd.DataFrame, done: pd.DataFrame, left_out: int, below: int) -> str:
    taken = int((done["kind"] == "warm").sum())
    trained = int((done["duplicate_of"].isna() & (done["kind"] != "warm")).sum())
    repeated = len(done) - trained - taken
    published = int(((done["kind"] == "landmark") & done["duplicate_of"].isna()).sum())
    parts = [f"{trained} network{'' if trained == 1 else 's'} trained"]
    if published:
        parts.append(f"{published} of them published ones (stars)")
    if taken:
        parts.append(f"{taken} taken over from earlier runs")
    if repeated:
        parts.append(f"{repeated} more equal to one of these, not trained again")
    if failed := int((frame["state"] == "fail").sum()):
        parts.append(f"{failed} failed or interrupted")
    if pruned := int((frame["state"] == "pruned").sum()):
        parts.append(f"{pruned} stopped early")
    if running := int(frame["state"].isin(["running", "waiting"]).sum()):
        parts.append(f"{running} not finished")
    if below:
        parts.append(f"{below} below the picture's range (arrows)")
    if left_out:
        parts.append(f"{left_out} published ones cost less than what is shown")
    recipe = run.settings["recipe"]
    shown = ", ".join(
        f"{words} {recipe[key]:g}" if isinstance(recipe[key], float) else f"{words} {recipe[key]}"
        for key, words in (("epochs", "epochs"), ("resolution", "resolution"), ("width", "width factor"))
        if recipe.get(key) is not None
    )
    lines = [
        "; ".join(parts) + ".",
        f"Recipe {run.recipe_name}{f' ({shown})' if shown else ''} on {run.data_name}. A proxy score ranks networks "
        "trained alike; it is not the accuracy after full training.",
    ]
    if limits := _limits(run):
        lines.append(f"Frontier members also have at most {limits}.")
    if run.objective.name == "latency":
        lines.append(_latency_line(run, done))
    if run.fidelity:
        lines.append(_capital(run.fidelity))  # no full stop: it may end in a command
    if run.data_name == "digits":
        lines.append(_capital(DIGITS) + ".")
    return "\n".join(lines)


def _limits(run: Run) -> str:
    """The limits beside the budget, in words."""
    most = (("max_params", 1e6, "M parameters"), ("max_activations", 1e6, "M activations"), ("max_latency", 1, " ms"))
    return ", ".join(
        f"{run.settings[key] / unit:.4g}{word}" for key, unit, word in most if run.settings.get(key) is not None
    )


def _latency_line(run: Run, done: pd.DataFrame) -> str:
    size = f"{run.input_size}x{run.input_size}"
    within = f"Frontier members cost at most {run.budget_macs / GIGA:.4g} GFLOPs (multiply-adds, {size})."
    if not len(done) or run.timing is None:
        return within
    least, most = int(done["latency_runs"].min()), int(done["latency_runs"].max())
    runs = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return (
        f"Latency: of the whole network at {size}, not of its proxy; median of {runs} runs on "
        f"{timing_text(run.timing)}; noisy where other work ran beside it. {within}"
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
