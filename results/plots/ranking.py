"""The best networks of a run in match mode with their intervals, and all others below: a run -> `Ranking` -> figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.plots import DEFAULT_VIEW, View, style
from results.plots.labels import shorten
from results.run.notes import repeats_lines, trust_lines
from results.run.objective import COSTS
from results.run.run import Run
from space import FAMILIES
from space.shell.scores import FEW, few_text, wilson
from space.shell.words import capital


@dataclass(frozen=True)
class Ranked:
    """One of the best; top-1, or an expected error, in percent."""

    label: str
    family: str
    top1: float  # expected over seeds, or of its one training; or the expected error
    low: float  # 95 %; equal to `top1` where nothing is known
    high: float
    trainings: tuple[float, ...]  # the score of each


@dataclass(frozen=True)
class Ranking:
    """All that the picture shows."""

    title: str
    x_label: str
    best: tuple[Ranked, ...]  # the best first
    others: tuple[tuple[str, float], ...]  # family and proxy top-1 (or expected error) of all other networks
    caption: str
    empty: str = ""


def ranking_data(run: Run, view: View = DEFAULT_VIEW) -> Ranking:
    """Step one: what to show of a run; `view` changes nothing.

    Raises:
        ValueError: if the run is not of match mode: then it has a frontier.
    """
    if not run.one_objective:
        raise ValueError("a run in frontier mode has no ranking: expected one of python -m search --mode match")
    if run.score.error:
        return _by_expected(run)
    best, networks, frame = run.frontier(), run.networks(), run.frame()
    repeats = frame[(frame["kind"] == "repeat").fillna(False) & (frame["state"] == "complete")]
    again = repeats.groupby("repeat_of")["proxy_top1"].apply(list).to_dict()
    expected = bool(best["expected_top1"].notna().any())
    budget = COSTS["macs"].text(run.budget_macs)
    within = networks[networks["macs"] <= run.budget_macs]
    others = within[~within["trial"].isin(best["trial"])]
    images = f"{run.held_out:,} held-out images" if run.held_out else "held-out images"
    lines = [
        f"{len(within):,} networks within {budget}; recipe {run.recipe_name} on {run.data_name}. Large marks: the "
        f"{len(best)} best, "
        + (
            f"expected top-1 and 95 % over seeds and {images}; small marks: each training."
            if expected
            else f"top-1 of one training, 95 % over {images} (Wilson), which are the same for all."
        ),
        *repeats_lines(run)[:1],
        *([capital(few) + "."] if (few := few_text(run.held_out or FEW)) else []),
        *trust_lines(run),
    ]
    what = "expected proxy top-1" if expected else "proxy top-1"
    return Ranking(
        title=f"The {len(best)} best at {budget}: {what} on {shorten(run.data_name, 24)}",
        x_label=f"{what} on {shorten(run.data_name, 24)}, recipe {shorten(run.recipe_name, 20)} (%)",
        best=tuple(_ranked(run, row, again) for _, row in best.iterrows()),
        others=tuple(zip(others["family"].astype(str).tolist(), others["proxy_top1"].tolist(), strict=True)),
        caption="\n".join(lines),
        empty="" if len(best) else "no network within the budget is finished yet",
    )


def _by_expected(run: Run) -> Ranking:
    """The best by expected error, which need no training of their own."""
    best, networks, budget = run.frontier(), run.networks(), COSTS["macs"].text(run.budget_macs)
    within = networks[networks["macs"] <= run.budget_macs]
    others = within[~within["trial"].isin(best["trial"])]
    first = (
        f"{len(within):,} networks within {budget}. Large marks: the {len(best)} best, with 95 % for one training by "
        "an unknown recipe; small marks: the others' expected errors."
    )
    return Ranking(
        title=f"The {len(best)} best at {budget}: expected top-1 error",
        x_label="expected top-1 error if trained as published networks are (%)",
        best=tuple(
            Ranked(
                _label(run, row),
                str(row["family"]),
                float(row["expected_error"]),
                float(row["error_low"]),
                float(row["error_high"]),
                (),
            )
            for _, row in best.iterrows()
        ),
        others=tuple(zip(others["family"].astype(str).tolist(), others["expected_error"].tolist(), strict=True)),
        caption="\n".join([first, *trust_lines(run)]),
        empty="" if len(best) else "no network within the budget is finished yet",
    )


def _label(run: Run, row: pd.Series) -> str:
    known, name = run.landmarks, row["landmark"]
    label = (known[name].label if name in known else name) if isinstance(name, str) else str(row["network"])
    return shorten(f"{label}, trial {int(row['trial'])}", 64)


def _ranked(run: Run, row: pd.Series, again: Mapping[Any, list[float]]) -> Ranked:
    top1 = low = high = float(row["proxy_top1"])
    if row["expected_top1"] == row["expected_top1"]:
        top1, low, high = (float(row[f"expected_{end}"]) for end in ("top1", "low", "high"))
    elif row["proxy_se"] == row["proxy_se"]:
        low, high = (100 * end for end in wilson(top1 / 100, int(row["held_out"])))
    scores = (float(row["proxy_top1"]), *again.get(int(row["trial"]), []))
    return Ranked(_label(run, row), str(row["family"]), top1, low, high, scores)


# ------------------------------------------------------------------------------------------ step two

_TEXT, _SMALL = 8.0, 7.8
_WIDTH, _ROW, _LEFT = 6.2, 0.42, 0.3  # inches


def draw_ranking(data: Ranking, theme: style.Theme = style.LIGHT) -> Figure:
    """Step two: the picture."""
    with style.styled(theme):
        return _draw(data, theme)


def _draw(data: Ranking, theme: style.Theme) -> Figure:
    probe = style.new_figure(4, 4)
    labels = [f"{rank}  {style.family_name(one.family)}\n{one.label}" for rank, one in enumerate(data.best, 1)]
    values = [f"{one.top1:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in data.best]
    names = [*labels, *([f"{len(data.others)} others"] if data.others else [])]
    left = max((style.text_size(probe, name, _TEXT)[0] for name in names), default=0.0) / probe.dpi + _LEFT
    right = max((style.text_size(probe, value, _TEXT)[0] for value in values), default=0.0) / probe.dpi + 0.35
    caption = style.wrap_to(probe, data.caption, _SMALL, left + _WIDTH + right - 0.4)
    rows = len(data.best) + (1 if data.others else 0)
    inner, top, bottom = max(rows, 3) * _ROW, 0.72, 0.66 + 0.165 * len(caption)
    height = top + inner + bottom
    figure, axes = style.panel(left, _WIDTH, right, top, inner, bottom)
    axes.set_xlabel(data.x_label)
    axes.set_ylim(-0.6, max(rows, 3) - 0.4)
    axes.set_yticks([])
    axes.grid(False, axis="y")
    ends = [end for one in data.best for end in (one.low, one.high, *one.trainings)]
    axes.set_xlim(*style.limits(ends + [top1 for _, top1 in data.others] or [0.0, 100.0]))
    edge = axes.get_yaxis_transform()
    for place, (one, label, value) in enumerate(zip(data.best, labels, values, strict=True)):
        y = max(rows, 3) - 1 - place
        colour, marker = theme.family(one.family)
        axes.plot([one.low, one.high], [y, y], color=theme.ink, linewidth=1.3, zorder=3)
        if len(one.trainings) > 1:
            axes.plot(one.trainings, [y - 0.27] * len(one.trainings), linestyle="", marker="|", markersize=5,
                      color=colour, mew=1.3, zorder=4)  # fmt: skip
        axes.plot([one.top1], [y], marker=marker, markersize=8, color=colour, mec=theme.ink, mew=0.9, zorder=5)
        axes.text(-0.02, y, label, transform=edge, fontsize=_TEXT, ha="right", va="center", linespacing=1.25)
        axes.text(1.02, y, value, transform=edge, fontsize=_TEXT, ha="left", va="center")
    if data.others:
        axes.text(-0.02, 0, names[-1], transform=edge, fontsize=_TEXT, ha="right", va="center", color=theme.quiet)
        for family in dict.fromkeys(family for family, _ in data.others):
            colour, marker = theme.family(family)
            scores = [top1 for each, top1 in data.others if each == family]
            axes.plot(scores, [0] * len(scores), linestyle="", marker=marker, markersize=5, color=colour, alpha=0.7,
                      mec=theme.paper, mew=0.4, zorder=4, rasterized=len(scores) > 2000)  # fmt: skip
    if data.empty:
        axes.text(0.5, 0.5, data.empty, transform=axes.transAxes, ha="center", va="center", color=theme.quiet)
    width = left + _WIDTH + right
    figure.text(_LEFT / width, 1 - 0.16 / height, data.title, fontsize=11.5, fontweight="bold", va="top", ha="left")
    there = {one.family for one in data.best} | {family for family, _ in data.others}
    families = [name for name in [*FAMILIES, *sorted(there - set(FAMILIES))] if name in there]
    handles = [
        Line2D([], [], linestyle="", color=theme.family(name)[0], marker=theme.family(name)[1], markersize=6)
        for name in families
    ]  # fmt: skip
    if families:
        figure.legend(handles, [style.family_name(name) for name in families], loc="upper left", frameon=False,
                      bbox_to_anchor=(_LEFT / width, 1 - 0.38 / height), ncols=len(families), fontsize=_TEXT,
                      borderaxespad=0, borderpad=0, handletextpad=0.3, columnspacing=1.4)  # fmt: skip
    figure.text(_LEFT / width, (bottom - 0.56) / height, "\n".join(caption), fontsize=_SMALL, color=theme.quiet,
                va="top", ha="left", linespacing=1.3)  # fmt: skip
    return figure
