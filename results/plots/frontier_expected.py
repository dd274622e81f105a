"""The frontier of expected errors, landmarks at their published ones: a run -> `FrontierPlot`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from results.plots import DEFAULT_VIEW, View, style
from results.plots.frontier_data import FrontierPlot, Series, Star, budget_of, cost_label, cost_range
from results.plots.labels import shorten
from results.run.notes import trust_lines
from results.run.objective import Objective
from results.run.pareto import numbers
from results.run.run import Run
from space.landmarks.networks import Landmark
from space.shell.scores import FAMILIAR_FROM
from space.shell.words import amount, proxy_words

WORST = 0.9  # this part of the networks is inside of the picture; what is worse is an arrow at its edge


def expected_data(run: Run, view: View = DEFAULT_VIEW) -> FrontierPlot:
    """Step one: what to show of a run that goes by expected errors.

    Raises:
        ValueError: if no network has the cost that is wanted on the axis.
    """
    cost = run.cost(view.x)
    networks = run.networks()
    done = networks[networks[cost.column].notna()]
    members = run.frontier(view.x)
    everywhere = _stars(run, done, cost)
    samples = done[done["landmark"].isna()]
    # Published networks that are cheaper than all that was sampled would press the others together.
    near = done[done[cost.column] >= samples[cost.column].min()] if len(samples) else done
    x_range = cost_range(run, cost, near, members, [], [star.x for star in everywhere])
    stars = tuple(star for star in everywhere if x_range[0] <= star.x <= x_range[1])
    shown = samples[samples[cost.column] >= x_range[0] * cost.unit]
    step, band = _line(members, cost, x_range[0])
    ranked = run.one_objective and cost == run.objective  # there is no frontier
    y_range = _y_range(shown, members, stars, band)
    limit, label = budget_of(run, cost)
    worse = int((shown["expected_error"] > y_range[1]).sum())
    hidden = [f"{worse:,} worse than the picture's range (arrows)"] if worse else []
    if cheaper := len(everywhere) - len(stars):
        hidden.append(f"{amount(cheaper, 'landmark')} cheaper than all that was sampled not shown")
    where = "ImageNet" if run.input_size > 64 else f"CIFAR-{run.classes}"
    return FrontierPlot(
        title=f"Expected top-1 error on {where} " + ("at the budget" if ranked else f"against {cost.against}"),
        x_label=cost_label(run, cost),
        y_label="expected top-1 error if trained as published networks are (%)",
        x_range=x_range,
        y_range=y_range,
        budget=limit,
        budget_label=label,
        series=_series(shown, set(members["trial"]), cost),
        stars=stars,
        step=() if ranked else step,
        band=() if ranked else band,
        caption=_caption(run, cost, done, hidden),
        empty="" if len(done) else "no finished trial yet",
        errors=True,
    )


def _line(
    members: pd.DataFrame, cost: Objective, begin: float
) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float, float], ...]]:
    """The frontier and its band; what lies before the picture's begin is drawn there.

    Members are chosen by the cautious error, so that one may have a little higher an expected error than a cheaper one:
    the line goes on by the lower one.
    """
    step: list[tuple[float, float]] = []
    band: list[tuple[float, float, float]] = []
    columns = [numbers(members, name) for name in (cost.column, "expected_error", "error_low", "error_high")]
    for price, error, low, high in zip(*(column.tolist() for column in columns), strict=True):
        if not step or error < step[-1][1]:
            x = max(begin, price / cost.unit)
            if step and step[-1][0] == x:
                step.pop(), band.pop()
            step.append((x, error))
            band.append((x, low, high))
    return tuple(step), tuple(band)


def _series(shown: pd.DataFrame, members: set[int], cost: Objective) -> tuple[Series, ...]:
    series = []
    for family in style.in_order(shown["family"]):
        own = shown[shown["family"] == family]
        series.append(
            Series(
                family,
                tuple((numbers(own, cost.column) / cost.unit).tolist()),
                tuple(own["expected_error"].tolist()),
                tuple(trial in members for trial in own["trial"]),
                far=tuple((own["familiarity"] < FAMILIAR_FROM).tolist()),
            )
        )
    return tuple(series)


def _stars(run: Run, done: pd.DataFrame, cost: Objective) -> tuple[Star, ...]:
    """The run's landmarks at their published errors, those of one configuration once; the best first."""
    stars = []
    known: dict[str, Landmark] = run.landmarks
    landmarks = done[done["landmark"].notna() & done["published_error"].notna()]
    for _, equal in landmarks.groupby("config_id", sort=False):
        names = list(dict.fromkeys(str(name) for name in equal["landmark"]))
        label = " = ".join(shorten(known[name].label if name in known else name) for name in names)
        first = equal.iloc[0]
        price = float(first[cost.column]) / cost.unit
        stars.append(Star(label, str(first["family"]), price, float(first["published_error"])))
    scored = set(done["landmark"].dropna())
    for each in run.own_landmarks:
        error, counted = each.published.top1_error, getattr(each, cost.column, None)
        if each.name not in scored and error is not None and counted is not None:
            stars.append(Star(shorten(each.label), each.family, float(counted) / cost.unit, error))
    return tuple(sorted(stars, key=lambda star: (-star.y, star.x, star.label)))


def _y_range(
    shown: pd.DataFrame, members: pd.DataFrame, stars: tuple[Star, ...], band: tuple[tuple[float, float, float], ...]
) -> tuple[float, float]:
    """Landmarks, the frontier and its band are inside, and most networks."""
    errors = shown["expected_error"]
    inside = [*(star.y for star in stars), *members["expected_error"], *(end for _, *ends in band for end in ends)]
    if len(errors):
        inside += [float(errors.min()), float(np.quantile(errors, WORST))]
    if not inside:
        return 0.0, 100.0
    low, high = style.limits(inside)
    return max(0.0, low), min(100.0, high)


def _caption(run: Run, cost: Objective, done: pd.DataFrame, hidden: list[str]) -> str:
    landmarks = int(done["landmark"].notna().sum())
    how = "scored by their counts alone"
    if run.trains:
        trained = proxy_words(run.settings["recipe"], run.settings["budget_macs"])
        how = f"trained by recipe {run.recipe_name} ({trained}) on {run.data_name}"
    said = [f"{amount(len(done), 'network')} {how}"]
    if landmarks:
        said.append(f"{amount(landmarks, 'landmark')} among them, drawn at the published errors")
    if far := int((done["familiarity"] < FAMILIAR_FROM).sum()):
        said.append(f"{far:,} unlike all known networks of the family (hollow)")
    said += hidden
    lines = ["; ".join(said) + "."]
    if cost != run.objective:
        lines.append(f"The frontier is that along {cost.metric}; the search looked for another.")
    return "\n".join([*lines, *trust_lines(run)])
