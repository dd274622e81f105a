"""`--sweep` and `python -m search pays` as a user runs them: real training on the smallest recipe, resumed, drawn."""

import argparse
import copy
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluate.images.load import load_data
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.reference import Reference
from results import frontier_table, load_run
from results.plots import DEFAULT_VIEW, drawable, figure, plot_data
from results.plots.style import DARK, LIGHT
from results.plots.sweep_data import swept
from results.plots.sweep_stats import differences, intervals, trend
from search.__main__ import main
from search.cli.status import read_status
from space import config_from_json, cost
from space.shell.command import Parser
from space.shell.scores import Interval
from tests.pictures import check

TINY = ["--input", "32", "--classes", "10", "--data", "digits", "--recipe", "smoke", "--plots", "none"]
DEPTHS = ["--budget", "8M", "--mode", "match", *TINY, "--start", "cifar_resnet20", "--name", "run"]


def test_a_sweep_trains_every_setting_from_every_seed_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [*DEPTHS, "--sweep", "depth=8,14,20"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "start cifar_resnet20: 40.55MFLOPs" in out and "0 landmarks and 3 settings" in out
    assert "no verdict. Two or more need --seeds 2" in out
    assert main([*command, "--seeds", "3"]) == 0
    more = capsys.readouterr().out
    assert "#0 depth=8 again, seed 1" in more and "#2 depth=20 again, seed 2" in more
    assert "3 settings, then 2 more of each setting; 3 are done" in more
    run = load_run("runs/run")
    frame = run.frame()
    assert frame["setting"].tolist() == ["depth=8", "depth=14", "depth=20"] * 3
    assert frame["kind"].tolist() == ["sample"] * 3 + ["repeat"] * 6
    assert (frame["macs"] <= 8_000_000).all() and (frame["macs"] > 0.89 * 8_000_000).all()
    assert frame["depth"].tolist()[:3] == [3, 6, 9]

    data = swept(run)
    assert [(row.name, sorted(row.scores)) for row in data.rows] == [
        ("depth=8", [0, 1, 2]), ("depth=14", [0, 1, 2]), ("depth=20", [0, 1, 2]),
    ]  # fmt: skip
    recipe = RECIPES["smoke"]
    images = load_data("digits", recipe.resolution, 0, recipe.train_images)
    first = config_from_json(run.trials[0].user_attrs["config"])
    reference = Reference(8_000_000, 32, 10)
    alone = train_proxy(first, recipe, images, seed=2, device="cpu", reference=reference)
    assert data.rows[0].scores[2] == alone.top1
    assert data.rows[0].proxy_macs == cost(recipe.proxy(first, 10, reference), 8, 10).macs == alone.proxy_macs
    assert len(data.pairs) == 3
    table = frontier_table(run)
    assert all(words in table for words in ("depth=14", "proxy's cost", "s a training", "Tukey")), table
    assert frontier_table(run) in read_status("runs/run").text()
    assert read_status("runs/run").missing == 0
    assert "for more trainings, with a larger --seeds: python -m search" in read_status("runs/run").text()

    for theme in (LIGHT, DARK):
        texts = check(figure("sweep", run, DEFAULT_VIEW, theme))
        assert {"Measured: proxies", "Measured: a training", "proxy top-1 (%)"} <= set(texts)
        assert "Published: trained in full" not in texts, "nothing published costs so little"
    assert main([*DEPTHS, "--sweep", "depth=8,14"]) == 2
    assert "exists with other settings (sweep: cifar_resnet20" in capsys.readouterr().err


@pytest.mark.slow
def test_two_axes_are_a_grid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--budget", "8M", "--mode", "match", *TINY, "--start", "preresnet164", "--name", "run"]
    assert main([*words, "--sweep", "depth=11,20", "cardinality=1,2"]) == 0
    run = load_run("runs/run")
    assert run.frame()["setting"].tolist() == [
        f"depth={depth} cardinality={groups}" for depth in (11, 20) for groups in (1, 2)
    ]
    assert [(row["depth"], row["cardinality"]) for row in run.frame().to_dict("records")] == [
        (3, 1), (3, 2), (6, 1), (6, 2),
    ]  # fmt: skip
    texts = check(figure("sweep", run, DEFAULT_VIEW, LIGHT))
    assert {"cardinality 1", "cardinality 2", "11", "20"} <= set(texts)


@pytest.mark.slow
def test_which_axis_pays_is_measured_at_its_own_resolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["pays", "--budget", "20M", "--start", "cifar_resnet20", "--factors", "2", "--seeds", "2", *TINY,
               "--directions", "width,resolution", "cardinality", "--name", "run"]  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr()
    assert "left out: cardinality: bottleneck blocks alone gain by it" in said.err
    run = load_run("runs/run")
    frame = run.frame()
    assert frame["setting"].tolist() == ["start", "width x2", "resolution x2"] * 2
    assert frame["macs"].tolist()[:3] == [row.macs for row in swept(run).rows]
    own = frame["macs"][0]
    assert [round(macs / own, 1) for macs in frame["macs"][:3]] == [1.0, 2.0, 1.9]
    start, larger = (run.trials[number].user_attrs for number in (0, 2))
    assert start["config_id"] == larger["config_id"] and "duplicate_of" not in larger, "other images, another training"
    assert (larger["input_size"], larger["resolution"]) == (44, 11) and "resolution" not in start
    recipe = RECIPES["smoke"]
    images = load_data("digits", 11, 0, recipe.train_images)
    again = train_proxy(
        config_from_json(larger["config"]), type(recipe).from_json(recipe.to_json() | {"resolution": 11}), images,
        seed=1, device="cpu", reference=Reference(run.settings["budget_macs"], 44, 10),
    )  # fmt: skip
    assert swept(run).rows[2].scores[1] == again.top1
    assert len(swept(run).pairs) == 3
    texts = check(figure("sweep", run, DEFAULT_VIEW, DARK))
    assert {"Above the start", "width", "resolution"} <= set(texts)
    assert main(command) == 0
    assert "6 are done" in capsys.readouterr().out
    with Path("runs/run/trials.csv").open() as file:
        assert [row["setting"] for row in csv.DictReader(file)] == frame["setting"].tolist()


@pytest.mark.slow
def test_published_networks_of_the_same_cost_stand_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [
        "--budget", "4.1GFLOPs", "--mode", "match", "--data", "digits", "--recipe", "smoke", "--plots", "none",
        "--name", "run",
    ]  # fmt: skip
    assert main([*words, "--sweep", "cardinality=2,8"]) == 0
    data = swept(load_run("runs/run"))
    assert [row.published and (row.published.name, row.published.error) for row in data.rows] == [
        ("resnext50_2x40d", 23.0), ("resnext50_8x14d", 22.3),
    ]  # fmt: skip
    assert [each.name for each in data.published] == [
        "resnext50_1x64d", "resnext50_2x40d", "resnext50_4x24d", "resnext50_8x14d", "resnext50_32x4d",
    ]  # fmt: skip
    assert "ResNeXt-50 8x14d" in capsys.readouterr().out
    texts = check(figure("sweep", load_run("runs/run"), DEFAULT_VIEW, LIGHT))
    assert {"Published: trained in full", "top-1 error (%)", "proxy top-1 (%)"} <= set(texts), "two axes"


def test_a_dry_run_prints_what_would_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*DEPTHS, "--sweep", "depth=8,14", "--seeds", "3", "--dry-run", "1"]) == 0
    out = capsys.readouterr().out
    assert "depth=14" in out and "for 6 sampled networks" in out
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sweep", "depth=8"], "--sweep goes with --mode match"),
        (["--sweep", "depth=8", "--mode", "match", "--repeats", "1"], "--repeats does not go with --sweep"),
        (["--sweep", "depth=8", "--mode", "match", "--trials", "9"], "--trials does not go with --sweep"),
        (["--sweep", "depth=8", "--mode", "match", "--seeds", "0"], "--seeds 0: expected how often to train"),
        (["--sweep", "depth=9", "--mode", "match"], "depth 9: expected layers of whole blocks"),
        (["--sweep", "depth", "--mode", "match"], "expected values such as depth=26,50,101"),
        (["--sweep", "depth=8", "--mode", "match", "--start", "resnet51"], "no landmark is called 'resnet51'"),
        (["--seeds", "2"], "--seeds goes with --sweep"),
        (["--start", "resnet50"], "--start goes with --sweep"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--budget", "50M", "--input", "32", "--classes", "10", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--factors", "1"], "factor 1: expected other than 1"),
        (["--directions", "up"], "direction 'up': expected some of"),
        (["--start", "nothing.json"], "nothing.json: No such file"),
        (["--budget", "1M"], "costs more than"),
    ],
)
def test_pays_refuses_in_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pays", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1, err
    assert err.startswith("python -m search pays: ")


@pytest.mark.parametrize(
    "words",
    [
        [*DEPTHS, "--sweep", "depth=8,14", "--seeds", "2", "--dry-run", "1"],
        ["pays", *TINY, "--start", "cifar_resnet20", "--factors", "2", "--directions", "width", "--dry-run"],
    ],
)
def test_words_are_read_once_and_nothing_is_changed_after(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parse(parser: Parser, *given: Any) -> argparse.Namespace:
        found.append(original(parser, *given))
        before.append(copy.deepcopy(vars(found[-1])))
        return found[-1]

    found: list[argparse.Namespace] = []
    before: list[dict[str, Any]] = []
    original = Parser.parse_args
    monkeypatch.setattr(Parser, "parse_args", parse)
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    assert "start cifar_resnet20: " in capsys.readouterr().out
    assert [vars(each) for each in found] == before and len(found) == 1


def test_a_run_without_a_sweep_has_no_such_picture(master: Path) -> None:
    run = load_run(master)
    assert drawable(run, ("frontier", "sweep")) == ("frontier",) and drawable(run, ("sweep",)) == ("sweep",)
    with pytest.raises(ValueError, match="has no sweep: expected a run of python -m search --sweep"):
        plot_data("sweep", run)


# --- which differences are seed variance -------------------------------------------------------------------------


def test_intervals_pool_the_spread() -> None:
    found = intervals({"a": [1.0, 3.0], "b": [10.0, 14.0]})
    # squares 2 + 8 over 2 degrees of freedom: variance 5; t(0.975, 2) = 4.3027; 4.3027 * sqrt(5 / 2) = 6.803
    assert found["a"].mean == 2 and found["b"].mean == 12
    assert found["a"].low == pytest.approx(2 - 6.803, abs=1e-3) and found["b"].high == pytest.approx(18.803, abs=1e-3)
    assert intervals({"a": [1.0], "b": [2.0]}) == {"a": Interval(1, None, None), "b": Interval(2, None, None)}


def test_differences_are_paired_by_seed() -> None:
    """Seeds that are good or bad for both networks say nothing of their difference: as Student's t on the pairs."""
    scores: Mapping[str, Mapping[int, float]] = {"a": {0: 50, 1: 60, 2: 70}, "b": {0: 53, 1: 64, 2: 72}}
    (pair,) = differences(scores)
    assert (pair.better, pair.worse, pair.seen) == ("b", "a", True)
    # differences 3, 4, 2: mean 3, standard deviation 1; t(0.975, 2) / sqrt(3) = 2.4841
    assert pair.interval.mean == 3 and pair.interval.low == pytest.approx(3 - 2.4841, abs=2e-3)
    mixed = {"a": {0: 50.0, 1: 60, 2: 70}, "b": {0: 64.0, 1: 72, 2: 53}}
    assert not differences(mixed)[0].seen
    assert differences({"a": {0: 1.0, 1: 2.0}}) == [] == differences({"a": {0: 1.0}, "b": {0: 2.0}})


def test_a_trend_is_one_number_of_all_networks() -> None:
    scores = {"a": {0: 1.0, 1: 2.0}, "b": {0: 3.0, 1: 4.0}, "c": {0: 5.0, 1: 6.0}}
    exact = trend({"a": 0.0, "b": 1.0, "c": 2.0}, scores)
    assert exact == Interval(2.0, 2.0, 2.0), "seeds differ, and explain all that the line leaves"
    scores["c"] = {0: 6.0, 1: 5.0}
    found = trend({"a": 0.0, "b": 1.0, "c": 2.0}, scores)
    # residuals +-2/3 of c and -+1/3 of a and b: squares 4/3 over 2 degrees of freedom; t 4.3027 * sqrt(2/3 / 2 / 2)
    assert found is not None and found.mean == 2.0
    assert found.high == pytest.approx(2 + 1.7566, abs=1e-3)
    assert trend({"a": 0.0, "b": 1.0}, {"a": scores["a"], "b": scores["b"]}) is None


def test_many_pairs_need_more_than_one_pair_does() -> None:
    noise = [[0.0, 0.3, -0.3], [0.2, -0.2, 0.1], [-0.1, 0.1, 0.2], [0.1, -0.3, 0.0], [0.0, 0.2, -0.1]]
    scores = {name: dict(enumerate(each)) for name, each in zip("abcde", noise, strict=True)}
    assert len(differences(scores)) == 10 and not any(each.seen for each in differences(scores))
    scores["e"] = {seed: score + 5 for seed, score in scores["e"].items()}
    assert [each.better for each in differences(scores) if each.seen] == ["e"] * 4
    assert str(differences(scores)[0]).startswith("e above ")
