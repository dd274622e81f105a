"""How good expected errors are on what the model has not seen, beside simpler rules: as values and as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluate.calibration.covariance import PRIORS, Array
from evaluate.calibration.crossvalidate import GROUPS, LeftOut, leave_out, leave_out_ridge
from evaluate.calibration.evidence import evidence
from evaluate.calibration.expect import trained_of
from evaluate.calibration.fidelities import Scores
from evaluate.calibration.model import Calibration, Trained
from evaluate.calibration.truth import Published, published
from evaluate.fidelity.ranking_sets import ranking_set
from evaluate.fidelity.rankings import APART, RATIO, agreement, within_budget_pairs
from evaluate.fidelity.regret import bracket_regret, budget_brackets
from evaluate.measures.counts import COUNTS
from space.shell.tables import Column, Sheet, Table

MODEL, RIDGE = "expected error", "ridge regression"
FIRST_TASKS = (1000, 10)  # classes of the tasks that ranking sets are of
SCOPES = ("ranking set", "same recipe")


@dataclass(frozen=True, slots=True)
class Assessment:
    """How good one rule is at figures that it has not seen. What cannot be said is None.

    In scope ``ranking set`` the figures are those of `evaluate.fidelity.ranking_sets`, a network each. In scope ``same
    recipe`` they are all figures, and two are compared only if one recipe trained both for one task.
    """

    rule: str
    left_out: str  # one of `GROUPS`; "" for rules that are fitted to nothing
    scope: str
    figures: int
    tau: float | None
    tau_low: float | None  # ends of a 95 % bootstrap interval over networks, in scope ranking set
    tau_high: float | None
    in_budget: float | None  # part of the pairs of like cost in the right order
    pairs: int  # of like cost
    rmse: float | None  # points of error
    regret: float | None  # error of the predicted best in a bracket of like cost, less the least there; mean
    brackets: int
    covered50: float | None  # part of the figures inside of their interval
    covered95: float | None
    usual95: float | None  # covered95 without recipes of another kind
    width95: float | None  # mean width of the interval, points


@dataclass(frozen=True)
class CalibrationReport:
    """What `assess` found."""

    set: str
    figures: int
    networks: int
    recipes: tuple[str, ...]
    apart: tuple[str, ...]  # recipes of another kind
    weights: dict[str, float]  # of scores, fitted to all figures
    chance: dict[str, float | None]  # regret of a random choice, by scope
    lines: tuple[Assessment, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)


def assess(
    set_name: str, scores: Mapping[str, Mapping[str, float]] | None = None, groups: Sequence[str] = tuple(GROUPS)
) -> CalibrationReport:
    """Leave out every network, every family, every recipe, every size.

    Args:
        set_name: ``imagenet`` or ``cifar``.
        scores: kinds of scores by name, each by the name of a landmark of the ranking set; more is better. Each is
            assessed beside the counts alone.
        groups: what is left out, some of `GROUPS`.

    Raises:
        ValueError: for another set, or a landmark that is not in the ranking set.
    """
    rows = published(set_name)
    trained = trained_of(rows)
    task = str(rows[0].classes)
    kinds = [_scores(set_name, name, values, int(task)) for name, values in (scores or {}).items()]
    ranked = _in_ranking_set(rows, set_name)
    lines = []
    for name, order in _orders(trained).items():
        lines += [_assessment(name, "", scope, rows, trained, LeftOut(order), ranked, False) for scope in SCOPES]
    for group in groups:
        rules = {RIDGE: leave_out_ridge(trained, group), MODEL: leave_out(trained, group, PRIORS[set_name])}
        rules |= {f"{MODEL}, with {kind.name}": leave_out(trained, group, PRIORS[set_name], [kind]) for kind in kinds}
        for name, predicted in rules.items():
            lines += [_assessment(name, group, scope, rows, trained, predicted, ranked, True) for scope in SCOPES]
    fitted = Calibration.fit(trained, PRIORS[set_name], kinds).fidelities
    equal = LeftOut(np.zeros(len(rows)))  # picks at random
    return CalibrationReport(
        set=set_name,
        figures=len(rows),
        networks=len({each.evidence.network for each in trained}),
        recipes=tuple(dict.fromkeys(row.recipe for row in rows)),
        apart=tuple(sorted(PRIORS[set_name].apart)),
        weights={each.name: each.weight for each in fitted},
        chance={scope: _regret(rows, trained, equal, ranked, scope)[0] for scope in SCOPES},
        lines=tuple(lines),
    )


def _orders(trained: Sequence[Trained]) -> dict[str, Array]:
    """Rules that are fitted to nothing: more of a count is better. As errors, so that less is better."""
    counts = np.array([each.evidence.counts for each in trained])
    return {name: -counts[:, column] for column, name in enumerate(COUNTS)}


def _scores(set_name: str, name: str, values: Mapping[str, float], classes: int) -> Scores:
    known = {each.name: each for each in ranking_set(set_name)}
    if unknown := [network for network in values if network not in known]:
        raise ValueError(f"{unknown[0]}: not in the ranking set {set_name}, which has {', '.join(known)}")
    size = published(set_name)[0].input_size
    found = tuple(evidence(known[network].config, size, classes) for network in values)
    return Scores(name, found, tuple(values.values()))


def _in_ranking_set(rows: Sequence[Published], set_name: str) -> list[int]:
    """The figures by which fidelity ranks, by their numbers; a network once."""
    found = []
    for each in ranking_set(set_name):
        same = [n for n, row in enumerate(rows) if row.config == each.config and row.source == each.source]
        found += [n for n in same if rows[n].error == each.published_error and rows[n].classes in FIRST_TASKS][:1]
    return found


def _assessment(
    rule: str,
    left_out: str,
    scope: str,
    rows: Sequence[Published],
    trained: Sequence[Trained],
    predicted: LeftOut,
    ranked: Sequence[int],
    in_points: bool,
) -> Assessment:
    """One line; `in_points` says that the rule predicts errors and not an order alone."""
    chosen = list(ranked) if scope == SCOPES[0] else list(range(len(rows)))
    tau: float | None
    low: float | None = None
    high: float | None = None
    if scope == SCOPES[0]:
        errors, values, macs = _columns(rows, trained, predicted, chosen)
        found = agreement([-value for value in values], errors, macs)
        tau, low, high, in_budget, pairs = found.tau, found.tau_low, found.tau_high, found.concordance, found.pairs
    else:
        tau, in_budget, pairs = _within_recipes(rows, trained, predicted)
    regret, brackets = _regret(rows, trained, predicted, ranked, scope)
    truth = np.array([rows[number].error for number in chosen])
    rmse = float(np.sqrt(np.mean((predicted.error[chosen] - truth) ** 2))) if in_points else None
    return Assessment(
        rule, left_out, scope, len(chosen), tau, low, high, in_budget, pairs, rmse, regret, brackets,
        _covered(predicted.ends50, rows, chosen), _covered(predicted.ends95, rows, chosen),
        _covered(predicted.ends95, rows, [n for n in chosen if rows[n].recipe not in PRIORS[rows[n].set].apart]),
        None if predicted.ends95 is None else float(np.mean((predicted.ends95[1] - predicted.ends95[0])[chosen])),
    )  # fmt: skip


def _columns(
    rows: Sequence[Published], trained: Sequence[Trained], predicted: LeftOut, chosen: Sequence[int]
) -> tuple[list[float], list[float], list[int]]:
    """(published errors, predictions, multiply-adds) of the chosen figures."""
    macs = [round(float(np.exp(trained[number].evidence.counts[0]))) for number in chosen]
    return [rows[number].error for number in chosen], predicted.error[list(chosen)].tolist(), macs


def _alike(rows: Sequence[Published]) -> list[list[int]]:
    """Numbers of the figures that one recipe reached at one task."""
    kinds: dict[tuple[str, int], list[int]] = {}
    for number, row in enumerate(rows):
        kinds.setdefault((row.recipe, row.classes), []).append(number)
    return list(kinds.values())


def _within_recipes(
    rows: Sequence[Published], trained: Sequence[Trained], predicted: LeftOut
) -> tuple[float | None, float | None, int]:
    """(tau, order within a budget, pairs within a budget) over pairs that were trained alike."""
    right = ordered = right_there = pairs = 0.0
    for chosen in _alike(rows):
        errors, values, macs = _columns(rows, trained, predicted, chosen)
        near = set(within_budget_pairs(macs, errors))
        for j in range(len(chosen)):
            for i in range(j):
                if errors[i] == errors[j]:
                    continue
                agreed = float(np.sign(values[i] - values[j]) * np.sign(errors[i] - errors[j]))
                right, ordered = right + agreed, ordered + 1
                if (i, j) in near:
                    right_there, pairs = right_there + (agreed + 1) / 2, pairs + 1
    return right / ordered if ordered else None, right_there / pairs if pairs else None, round(pairs)


def _regret(
    rows: Sequence[Published],
    trained: Sequence[Trained],
    predicted: LeftOut,
    ranked: Sequence[int],
    scope: str,
) -> tuple[float | None, int]:
    """(mean regret, brackets) of a rule."""
    regrets = []
    for chosen in [list(ranked)] if scope == SCOPES[0] else _alike(rows):
        errors, values, macs = _columns(rows, trained, predicted, chosen)
        scores = [-value for value in values]
        regrets += [bracket_regret(scores, errors, bracket) for bracket in budget_brackets(macs)]
    return (float(np.mean(regrets)) if regrets else None), len(regrets)


def _covered(ends: tuple[Array, Array] | None, rows: Sequence[Published], chosen: Sequence[int]) -> float | None:
    if ends is None:
        return None
    return float(np.mean([ends[0][number] <= rows[number].error <= ends[1][number] for number in chosen]))


# ---------------------------------------------------------------------------------------------- for reading

_COLUMNS = (
    Column("left_out", "left out"),
    Column("rule", "rule"),
    Column("tau", "tau", ".2f"),
    Column("in_budget", "in budget", ".2f"),
    Column("rmse", "RMSE", ".2f"),
    Column("regret", "regret", ".2f"),
    Column("covered50", "in 50 %", ".2f"),
    Column("covered95", "in 95 %", ".2f"),
    Column("usual95", "usual", ".2f"),
    Column("width95", "width", ".1f"),
)
_NAMES = {"imagenet": "ImageNet", "cifar": "CIFAR-10 and -100"}


def calibration_sheet(report: CalibrationReport) -> Sheet:
    """The tables, and how to read them."""
    tables = []
    for scope in SCOPES:
        lines = [line for line in report.lines if line.scope == scope]
        first = lines[0]
        where = "the ranking set" if scope == SCOPES[0] else "all figures, compared within a recipe"
        rows = tuple(dataclasses.asdict(line) | {"left_out": line.left_out or "-"} for line in lines)
        chance = report.chance[scope]
        random = "" if chance is None else f"; a random choice has a regret of {chance:.2f}"
        title = f"{where}: {first.figures} figures, {first.pairs} pairs of like cost, {first.brackets} brackets{random}"
        tables.append(Table(title, _COLUMNS, rows))
    notes = [
        "tau: Kendall's, of prediction and published error. in budget: part in the right order of the pairs whose MACs "
        f"differ by under {100 * RATIO:.0f} % and whose errors by more than {APART:g} points. RMSE, regret and width "
        "in points of error. regret: of the predicted best in a bracket of like cost. in 50 %, in 95 %: part of the "
        "figures inside of their interval for a training by an unknown recipe; usual: of the 95 % interval, without "
        "recipes of another kind; width: its mean.",
    ]
    if report.apart:
        notes.append(
            f"{', '.join(report.apart)}: recipes of another kind, counted among the figures; without them expected "
            "errors are those of the papers' recipes, and the intervals' low ends reach towards theirs."
        )
    if report.weights:
        found = ", ".join(f"{name} {weight:.2f}" for name, weight in report.weights.items())
        notes.append(f"weights of scores, fitted to all figures (0: no say): {found}")
    title = (
        f"expected errors on {_NAMES[report.set]}: {report.figures} published figures of {report.networks} networks by "
        f"{len(report.recipes)} recipes, each predicted without its group"
    )
    return Sheet(title, tuple(tables), tuple(notes))
