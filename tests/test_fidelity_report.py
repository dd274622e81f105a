"""The report of a real small run: rankings, files and text."""

import csv
import dataclasses
import json
import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from evaluate.__main__ import main
from evaluate.fidelity.baselines import REGRESSIONS
from evaluate.fidelity.rankings import kendall_tau
from evaluate.fidelity.report import RANKINGS
from evaluate.fidelity.run import Fidelity, fidelity_text, ranking_set, write_fidelity
from evaluate.images.load import ImageData, load_data
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy

SMOKE = RECIPES["smoke"]
# resnet34 and wrn18_1.5 cost about the same, and WRN-18-1.5's published error is 0.33 points higher.
NAMES = ("resnet18", "resnet34", "wrn18_1.5", "resnext50_32x4d")
NETWORKS = tuple(each for each in ranking_set("imagenet") if each.name in NAMES)
SCORED = [name for name in RANKINGS if name not in REGRESSIONS]  # four networks are too few for a regression


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def test_real_run(fidelity: Fidelity, digits: ImageData) -> None:
    assert (fidelity.set, fidelity.data, fidelity.data_key) == ("imagenet", "digits", digits.key)
    assert (fidelity.recipe, fidelity.device, fidelity.seeds) == (SMOKE, "cpu", (0, 1))
    assert [network.name for network in fidelity.networks] == [each.name for each in NETWORKS]
    again = train_proxy(NETWORKS[0].config, SMOKE, digits, seed=1, device="cpu")
    first = fidelity.networks[0]
    assert first.scores[1].top1 == again.top1
    assert first.mean("top1") == pytest.approx(statistics.fmean([first.scores[0].top1 or 0, again.top1]))
    assert first.scores[1].train_loss == again.curve[-1]["train_loss"]
    assert list(fidelity.rankings) == SCORED
    assert fidelity.environment.keys() == {"python", "torch", "processor"}
    assert not fidelity.failed


def test_rankings_of_a_real_run(fidelity: Fidelity) -> None:
    errors = [network.published_error for network in fidelity.networks]
    top1 = [network.mean("top1") or 0.0 for network in fidelity.networks]
    assert fidelity.rankings["proxy_top1"].tau == kendall_tau(top1, errors)
    loss = [network.mean("loss") or 0.0 for network in fidelity.networks]
    assert fidelity.rankings["proxy_loss"].tau == kendall_tau([-each for each in loss], errors)
    # 1.81, 3.66, 4.23 and 3.87 GMACs with 30.4, 26.7, 22.2 and 27.1 %: 5 of 6 pairs right.
    assert fidelity.rankings["macs"].tau == pytest.approx(4 / 6)
    # Within 15 %: resnet34 with both others and these two with each other.
    assert fidelity.rankings["macs"].pairs == 3
    assert fidelity.rankings["macs"].concordance == pytest.approx(2 / 3)
    assert {each.networks for each in fidelity.rankings.values()} == {4}
    for place, seed in enumerate(fidelity.seeds):
        alone = [network.scores[place].top1 or 0.0 for network in fidelity.networks]
        assert fidelity.tau_per_seed[place] == kendall_tau(alone, errors)
        assert fidelity.networks[0].scores[place].seed == seed
    # resnet34, wrn18_1.5 and resnext50_32x4d are of like cost, with 26.7, 27.1 and 22.2 %; the costliest is the best.
    (bracket,) = fidelity.brackets
    assert bracket.networks == ("ResNet-34", "WRN-18-1.5", "ResNeXt-50 32x4d")
    assert (bracket.regrets["macs"], bracket.best, bracket.least_error) == (0.0, "ResNeXt-50 32x4d", 22.2)
    assert bracket.random == pytest.approx((26.73 + 27.06 + 22.2) / 3 - 22.2)
    assert fidelity.regrets["proxy_top1"] == bracket.regrets["proxy_top1"]
    deviations = [statistics.stdev([score.top1 or 0.0 for score in network.scores]) for network in fidelity.networks]
    assert fidelity.spread == pytest.approx(statistics.fmean(deviations))


def test_files(fidelity: Fidelity, tmp_path: Path) -> None:
    written = write_fidelity(fidelity, tmp_path / "new" / "place")
    assert [path.name for path in written] == ["fidelity.json", "fidelity.txt", "fidelity.csv"]
    assert Fidelity.from_json(json.loads(written[0].read_text())) == fidelity
    assert written[1].read_text() == fidelity_text(fidelity) + "\n"
    with written[2].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [each.name for each in NETWORKS]
    assert float(rows[0]["proxy_top1"]) == fidelity.networks[0].mean("top1")
    assert float(rows[0]["proxy_loss"]) > 0
    assert rows[0]["seeds"] == "2" and rows[0]["failed"] == ""
    assert {"macs", "params", "published_error", "synflow", "naswot", "seconds", "source"} <= rows[0].keys()
    assert len(list(written[0].parent.iterdir())) == 3


def test_text(fidelity: Fidelity) -> None:
    text = fidelity_text(fidelity)
    assert fidelity.beside
    lines = text.splitlines()
    assert lines[0] == "fidelity of recipe smoke on digits: 4 ImageNet landmarks, 2 seeds, cpu"
    assert lines[1] == f"{fidelity.beside[0].upper()}{fidelity.beside[1:]}."
    table = lines[3 : 5 + len(SCORED)]
    assert [line.split()[0] for line in table if line[0] != "-"] == ["ranked", *SCORED]
    assert len({len(line) for line in table}) == 1
    assert "0.67" in next(line for line in table if line.startswith("macs"))
    assert "digits show the machinery, not ImageNet" in text
    assert "tau of each seed alone" in text and "seconds a training: median" in text
    assert max(len(line) for line in table) <= 100


def test_photographs_say_nothing_of_digits(fidelity: Fidelity) -> None:
    assert "digits" not in fidelity_text(dataclasses.replace(fidelity, data="cifar10"))


@pytest.mark.parametrize("damaged", [[], {}, {"networks": 3}, {"networks": [], "nonsense": 1}])
def test_json_that_is_no_report(damaged: Any) -> None:
    with pytest.raises(ValueError, match="python -m evaluate fidelity"):
        Fidelity.from_json(damaged)


def test_what_follows_from_the_scores_is_worked_out_anew(fidelity: Fidelity) -> None:
    content = json.loads(json.dumps(fidelity.to_json()))
    assert content["rankings"]["macs"]["tau"] == fidelity.rankings["macs"].tau
    content["rankings"]["macs"]["tau"] = content["seconds"] = 0.123
    content["beside"], content["brackets"] = "nonsense", []
    again = Fidelity.from_json(content)
    assert again == fidelity
    assert again.rankings == fidelity.rankings and again.brackets == fidelity.brackets
    assert again.beside == fidelity.beside and again.seconds == fidelity.seconds


def test_the_report_of_a_run_is_written_anew_without_training(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.jsonl").write_bytes((measured / "scores.jsonl").read_bytes())
    os.utime(tmp_path / "scores.jsonl", (86_400, 86_400))
    assert main(["fidelity", "--report", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "ranked by" in printed and "regret" in printed
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".json", ".txt", ".csv", ".png", ".svg"}
    date = json.loads((tmp_path / "fidelity.json").read_text())["date"]
    assert date == "1970-01-02T00:00:00+00:00", "a report made anew is no newer measurement"
    assert main(["fidelity", "--report", str(tmp_path), "--seeds", "2"]) == 2
    assert "--report DIR stands alone" in capsys.readouterr().err
    assert main(["fidelity", "--report", str(tmp_path / "nowhere")]) == 2
    assert "holds no scores yet" in capsys.readouterr().err
