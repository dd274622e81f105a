"""The report of a real small run: rankings, files and text."""

import csv
import dataclasses
import json
import statistics
from pathlib import Path
from typing import Any

import pytest

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
    assert list(fidelity.rankings) == list(RANKINGS)
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
    lines = text.splitlines()
    assert lines[0] == "fidelity of recipe smoke on digits: 4 ImageNet landmarks, 2 seeds, cpu"
    table = lines[2 : 3 + len(RANKINGS)]
    assert [line.split()[0] for line in table] == ["ranked", *RANKINGS]
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
