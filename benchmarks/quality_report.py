"""The figures, the table and the picture of `benchmarks.search_quality`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import t as student

from results.plots import style

Floats = NDArray[np.float64]
RESAMPLES = 500  # of seeds, for the intervals of what is no mean
EARLY = 40  # evaluations that should do what takes random search all of them
GRID = 100  # places on the axis of training time
REFERENCE = "random"
JUDGES = {"seen": "as seen", "expected": "without the seed variance of the chosen networks"}
UNITS = {
    "frontier": "hypervolume: points of top-1 above the worst network of the survey, mean over log MACs",
    "match": "best top-1 on the budget (%)",
}


@dataclass(frozen=True)
class Track:
    """One search, measured: an entry for each evaluation."""

    quality: Floats  # after it
    seconds: Floats  # of training, up to its end
    start: float  # quality before the first
    stopped: int
    missed: int  # networks off the budget, of all that were drawn
    draws: int
    asking: float  # seconds that the sampler and the surrogate took

    def after(self, evaluations: int) -> Floats:
        """Quality after 1, 2, ... evaluations; what was reached stays reached."""
        held = np.concatenate(
            [self.quality, np.full(evaluations, self.quality[-1] if len(self.quality) else self.start)]
        )
        return held[:evaluations]

    def at(self, seconds: Floats) -> Floats:
        """Quality when so much has been trained."""
        return np.concatenate([[self.start], self.quality])[np.searchsorted(self.seconds, seconds, side="right")]


@dataclass(frozen=True)
class Played:
    """All searches of an arm, and how long each was meant to last."""

    tracks: list[Track]
    evaluations: int
    seconds: float


def summarise(mode: str, judge: str, played: Mapping[str, Played]) -> dict[str, Any]:
    """Means, intervals, and what each arm needs for what random search has reached at its end; plain JSON values."""
    reference = played[REFERENCE]
    matrix = np.array([track.after(reference.evaluations) for track in reference.tracks])
    goals = matrix[:, -1]
    clock = np.linspace(0, reference.seconds, GRID + 1)[1:]
    arms = {}
    for name, arm in played.items():
        after = np.array([track.after(arm.evaluations) for track in arm.tracks])
        times = clock[clock <= arm.seconds * (1 + 1e-9)]
        at = np.array([track.at(times) for track in arm.tracks])
        trained = sum(len(track.quality) for track in arm.tracks)
        draws = sum(track.draws for track in arm.tracks)
        arms[name] = {
            "searches": len(arm.tracks),
            "by_evaluations": {"n": list(range(1, arm.evaluations + 1))} | _interval(after),
            "by_seconds": {"seconds": [round(each, 1) for each in times.tolist()]} | _interval(at),
            "evaluations_to_goal": _needed(after, goals, np.arange(1, arm.evaluations + 1)),
            "seconds_to_goal": _needed(at, goals, times),
            "stopped": sum(track.stopped for track in arm.tracks) / trained if trained else 0.0,
            "missed": sum(track.missed for track in arm.tracks) / max(1, draws),
            "ask_ms": 1000 * sum(track.asking for track in arm.tracks) / max(1, draws),
        }
    return {
        "mode": mode,
        "judge": judge,
        "unit": UNITS[mode],
        "evaluations": reference.evaluations,
        "seconds": round(reference.seconds, 1),
        "goal": float(goals.mean()),
        "arms": arms,
    }


def _interval(matrix: Floats) -> dict[str, list[float]]:
    """Mean over searches and its 95 % interval (Student's t) in each column."""
    mean = matrix.mean(axis=0)
    count = len(matrix)
    half = (
        student.ppf(0.975, count - 1) * matrix.std(axis=0, ddof=1) / math.sqrt(count)
        if count > 1
        else np.zeros_like(mean)
    )
    return {
        "mean": np.round(mean, 4).tolist(),
        "low": np.round(mean - half, 4).tolist(),
        "high": np.round(mean + half, 4).tolist(),
    }


def _needed(matrix: Floats, goals: Floats, places: Floats | NDArray[np.int_]) -> list[float | None]:
    """[where the mean reaches the mean of `goals`, and its 95 % bootstrap interval over searches]; None: not at all."""

    def first(values: Floats, goal: float) -> float:
        reached = np.flatnonzero(values >= goal - 1e-9)
        return float(places[reached[0]]) if len(reached) else math.inf

    rng = np.random.default_rng(0)
    resampled = [
        first(
            matrix[rng.integers(0, len(matrix), len(matrix))].mean(axis=0),
            float(goals[rng.integers(0, len(goals), len(goals))].mean()),
        )
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    found = [first(matrix.mean(axis=0), float(goals.mean())), float(low), float(high)]
    return [None if math.isinf(each) else each for each in found]


# --------------------------------------------------------------------------------------------------- text


def table(summary: Mapping[str, Any]) -> str:
    """The figures of one mode."""
    end, budget = summary["evaluations"], summary["seconds"]
    heads = (f"after {EARLY}", f"after {end}", f"after {budget:.0f} s", "evaluations to goal", "seconds to goal")
    lines = [
        f"{summary['mode']} mode, {JUDGES[summary['judge']]}; {summary['unit']}",
        f"goal: {summary['goal']:.2f}, which random search has after {end} evaluations; in brackets 95 %",
        f"{'':28} {'runs':>4} " + " ".join(f"{head:>20}" for head in heads) + "  stopped  missed  ask ms",
    ]
    for name, arm in summary["arms"].items():
        counted, timed = arm["by_evaluations"], arm["by_seconds"]
        cells = (
            _value(counted, counted["n"], EARLY),
            _value(counted, counted["n"], end),
            _value(timed, timed["seconds"], budget),
            _reach(arm["evaluations_to_goal"], counted["n"][-1]),
            _reach(arm["seconds_to_goal"], timed["seconds"][-1]),
        )
        lines.append(
            f"{name:28} {arm['searches']:4} " + " ".join(f"{cell:>20}" for cell in cells) + f" {arm['stopped']:8.0%}"
            f" {arm['missed']:7.0%} {arm['ask_ms']:7.1f}"
        )
    return "\n".join(lines) + "\n"


def _value(curve: Mapping[str, list[float]], places: Sequence[float], place: float) -> str:
    """Mean and interval at a place, or a dash beyond the curve's end."""
    if place not in places:
        return "-"
    index = places.index(place)
    return f"{curve['mean'][index]:.2f} [{curve['low'][index]:.2f}, {curve['high'][index]:.2f}]"


def _reach(found: Sequence[float | None], last: float) -> str:
    value, low, high = (f">{last:.0f}" if each is None else f"{each:.0f}" for each in found)
    return value if value == low == high else f"{value} [{low}, {high}]"


# ------------------------------------------------------------------------------------------------ picture

_STYLES = {
    "qmc": ("#E69F00", "-"),
    "nsga2": ("#56B4E9", "-"),
    "gp": ("#CC79A7", "-"),
    "tpe": ("#0072B2", "-"),
}
_MORE = (("#009E73", "-"), ("#009E73", "--"), ("#009E73", ":"))  # with neighbours, stopping, both
_RIVALS = (("#D55E00", "-"), ("#D55E00", ":"))
_WIDTH, _HEIGHT, _LEFT, _GAP = 5.4, 3.6, 0.75, 0.75  # inches


def draw(summaries: Sequence[Mapping[str, Any]], caption: str, theme: style.Theme = style.LIGHT) -> Figure:
    """Quality against evaluations (left) and training time (right), a row a mode; bands are 95 % of the mean."""
    with style.styled(theme):
        rows = len(summaries)
        bottom, top = 1.65, 0.4
        width, height = _LEFT + 2 * _WIDTH + _GAP + 0.2, top + rows * (_HEIGHT + 0.85) + bottom - 0.85
        figure = style.new_figure(width, height)
        lines: dict[str, Any] = {}
        for row, summary in enumerate(summaries):
            y = height - top - _HEIGHT - row * (_HEIGHT + 0.85)
            for column, (kind, places) in enumerate((("by_evaluations", "n"), ("by_seconds", "seconds"))):
                x = _LEFT + column * (_WIDTH + _GAP)
                axes = figure.add_axes((x / width, y / height, _WIDTH / width, _HEIGHT / height))
                lines |= _panel(axes, summary, kind, places, theme)
        figure.legend(
            lines.values(), lines, loc="lower left", bbox_to_anchor=(_LEFT / width, 0.55 / height), ncols=5,
            frameon=False, fontsize=8,
        )  # fmt: skip
        text = "\n".join(style.wrap_to(figure, caption, 7.5, width - _LEFT - 0.3))
        figure.text(_LEFT / width, 0.1 / height, text, fontsize=7.5, color=theme.quiet, va="bottom")
    return figure


def _panel(axes: Axes, summary: Mapping[str, Any], kind: str, places: str, theme: style.Theme) -> dict[str, Any]:
    axes.grid(True, color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    drawn: dict[str, Any] = {}
    styles = _STYLES | {REFERENCE: (theme.neutral, "-")}
    more = iter((*_MORE, (theme.neutral, ":")))
    others = iter((*_RIVALS, (theme.budget, "-"), (theme.budget, ":")))
    rivals = {name: arm for name, arm in summary["arms"].items() if name.startswith("Optuna")}
    for name, arm in summary["arms"].items():
        if name.startswith("table"):
            continue
        colour, dash = styles[name] if name in styles else next(others if name in rivals else more)
        curve = arm[kind]
        (drawn[name],) = axes.plot(curve[places], curve["mean"], color=colour, linestyle=dash, linewidth=1.4)
        axes.fill_between(curve[places], curve["low"], curve["high"], color=colour, alpha=0.08, linewidth=0)
    axes.axhline(summary["goal"], color=theme.leader, linewidth=0.8)
    # the first evaluations, and rivals that find next to nothing, would squeeze all others
    first = len(summary["arms"][REFERENCE][kind]["mean"]) // 20
    shown = {name: summary["arms"][name][kind]["mean"][first:] for name in drawn}
    low, _ = style.limits([value for name, mean in shown.items() if name not in rivals for value in mean], least=0.1)
    _, high = style.limits([value for mean in shown.values() for value in mean if value >= low], least=0.1)
    axes.set_ylim(low, high)
    axes.set_xlim(0, summary["arms"][REFERENCE][kind][places][-1])
    below = [f"{name}: {arm[kind]['mean'][-1]:.1f}" for name, arm in rivals.items() if arm[kind]["mean"][-1] < low]
    if below:
        text = "\n".join(["below, at their end:", *below])
        axes.text(0.98, 0.03, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=7.5, color=theme.quiet)
    axes.set_xlabel("evaluations" if kind == "by_evaluations" else "training (seconds of processor time)")
    if kind == "by_evaluations":
        axes.set_ylabel("hypervolume (points of top-1)" if summary["mode"] == "frontier" else "best top-1 (%)")
        axes.set_title(f"{summary['mode']} mode", loc="left", fontweight="bold")
    return drawn
