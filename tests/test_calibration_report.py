"""How good expected errors are: nothing of what is left out may be seen, and figures are what they are said to be."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluate.__main__ import main
from evaluate.calibration.covariance import PRIORS
from evaluate.calibration.crossvalidate import GROUPS, leave_out, leave_out_ridge
from evaluate.calibration.expect import trained_of
from evaluate.calibration.fidelities import Scores
from evaluate.calibration.model import Trained
from evaluate.calibration.report import MODEL, RIDGE, CalibrationReport, assess, calibration_sheet
from evaluate.calibration.truth import published
from evaluate.fidelity.ranking_sets import ranking_set
from evaluate.fidelity.rankings import agreement
from evaluate.fidelity.report import Fidelity
from evaluate.fidelity.text import write_fidelity

PRIOR = PRIORS["cifar"]


@pytest.fixture(scope="module")
def cifar() -> CalibrationReport:
    return assess("cifar")


@pytest.fixture(scope="module")
def imagenet() -> CalibrationReport:
    return assess("imagenet")


def some() -> list[Trained]:
    """Few figures, of several families, recipes and sizes."""
    rows = trained_of(published("cifar"))
    return rows[::3]


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_of_what_is_left_out_is_seen(group: str) -> None:
    """Nonsense in place of a group's own figures changes no prediction of it."""
    rows = some()
    before, ridge = leave_out(rows, group, PRIOR), leave_out_ridge(rows, group)
    for name in sorted({GROUPS[group](each) for each in rows})[:3]:
        out = [number for number, each in enumerate(rows) if GROUPS[group](each) == name]
        assert 0 < len(out) < len(rows)
        wrong = [replace(each, error=77.0 - number) if number in out else each for number, each in enumerate(rows)]
        after = leave_out(wrong, group, PRIOR)
        assert (after.error[out] == before.error[out]).all()
        assert before.ends95 and after.ends95
        assert (after.ends95[0][out] == before.ends95[0][out]).all()
        assert (leave_out_ridge(wrong, group).error[out] == ridge.error[out]).all()
        others = [number for number in range(len(rows)) if number not in out]
        assert (after.error[others] != before.error[others]).any()


def test_scores_of_what_is_left_out_stay_but_are_weighed_without_it() -> None:
    rows = some()
    networks = list({each.evidence.network: each.evidence for each in rows}.values())
    errors = {each.evidence.network: each.error for each in rows if each.task == "10"}
    known = [each for each in networks if each.network in errors]
    scores = Scores("proxy", tuple(known), tuple(-math.log(errors[each.network]) for each in known))
    alone, helped = leave_out(rows, "network", PRIOR), leave_out(rows, "network", PRIOR, [scores])
    tens = [number for number, each in enumerate(rows) if each.task == "10"]
    truth = np.array([rows[number].error for number in tens])
    off, less = (float(np.abs(np.log(each.error[tens] / truth)).mean()) for each in (alone, helped))
    assert less < off


def test_the_reports_figures_are_those_of_its_predictions(cifar: CalibrationReport) -> None:
    (line,) = [
        each for each in cifar.lines if (each.rule, each.left_out, each.scope) == (MODEL, "network", "ranking set")
    ]
    rows = published("cifar")
    predicted = leave_out(trained_of(rows), "network", PRIOR)
    values, errors, macs, inside = [], [], [], []
    for each in ranking_set("cifar"):
        number = next(
            n for n, row in enumerate(rows) if row.config == each.config and row.error == each.published_error
        )
        values.append(-float(predicted.error[number]))
        errors.append(each.published_error)
        macs.append(each.macs)
        assert predicted.ends95
        inside.append(bool(predicted.ends95[0][number] <= each.published_error <= predicted.ends95[1][number]))
    found = agreement(values, errors, macs)
    assert (line.tau, line.in_budget, line.pairs) == (found.tau, found.concordance, found.pairs)
    assert line.covered95 == pytest.approx(np.mean(inside))
    assert line.rmse == pytest.approx(float(np.sqrt(np.mean((np.array(values) + np.array(errors)) ** 2))))
    assert line.figures == len(values)


def test_counts_alone_are_the_baselines_of_fidelity(imagenet: CalibrationReport) -> None:
    ranked = ranking_set("imagenet")
    found = agreement(
        [each.params for each in ranked], [each.published_error for each in ranked], [m.macs for m in ranked]
    )
    (line,) = [each for each in imagenet.lines if each.rule == "params" and each.scope == "ranking set"]
    assert (line.tau, line.in_budget, line.rmse, line.covered95) == (found.tau, found.concordance, None, None)
    assert imagenet.chance["ranking set"] is not None and line.brackets >= 3


def test_expected_errors_are_worth_more_than_counts(imagenet: CalibrationReport, cifar: CalibrationReport) -> None:
    """The goals that were set, and what is short of them: see docs/expected.md."""
    at = {(each.rule, each.left_out, each.scope): each for each in imagenet.lines}
    alone, family, recipe = (at[MODEL, group, "ranking set"] for group in ("network", "family", "recipe"))
    assert alone.tau and alone.tau >= 0.88 and alone.in_budget and alone.in_budget >= 0.93
    assert family.tau and family.tau >= 0.8 and family.in_budget and family.in_budget >= 0.83
    assert recipe.tau and recipe.tau >= 0.85
    for group in ("network", "family", "recipe"):
        line, ridge = at[MODEL, group, "same recipe"], at[RIDGE, group, "same recipe"]
        assert line.usual95 and line.usual95 >= 0.9
        assert line.rmse and ridge.rmse and at[MODEL, group, "ranking set"].rmse < at[RIDGE, group, "ranking set"].rmse  # type: ignore[operator]
    on_cifar = {(each.rule, each.left_out, each.scope): each for each in cifar.lines}
    for group in ("network", "family", "recipe"):
        covered = on_cifar[MODEL, group, "same recipe"].covered95
        assert covered and 0.9 <= covered <= 1
    tau = on_cifar[MODEL, "network", "ranking set"].tau
    assert tau and tau >= 0.8


def test_tables_are_whole(imagenet: CalibrationReport) -> None:
    text = calibration_sheet(imagenet).text()
    assert "expected error" in text and "ridge regression" in text and "torchvision modern" in text
    assert "nan" not in text


def test_command_reads_the_scores_of_a_fidelity_run(
    fidelity: Fidelity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_fidelity(fidelity, tmp_path)[0]
    assert main(["calibration", "--set", "cifar", "--fidelity", str(path)]) == 2
    assert "expected --set imagenet" in capsys.readouterr().err
    assert main(["calibration", "--fidelity", str(tmp_path / "none.json")]) == 2
    assert "fidelity.json" in capsys.readouterr().err
    assert main(["calibration", "--set", "digits"]) == 2
    assert "expected one of imagenet, cifar" in capsys.readouterr().err


def test_scores_of_a_run_are_assessed_beside_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    values = {each.name: -each.published_error for each in ranking_set("cifar")}
    report = assess("cifar", {"proxy": values})
    at = {(each.rule, each.left_out, each.scope): each for each in report.lines}
    assert report.weights["proxy"] > 0
    with_scores, without = at[f"{MODEL}, with proxy", "family", "ranking set"], at[MODEL, "family", "ranking set"]
    assert with_scores.tau and without.tau and with_scores.tau > without.tau
    assert json.loads(json.dumps(report.to_json()))["set"] == "cifar"
    with pytest.raises(ValueError, match="not in the ranking set"):
        assess("cifar", {"proxy": {"resnet50": 1.0}})
