"""A dry run: what would be sampled, what it costs, how long a run would take; nothing is recorded."""

import dataclasses
import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

from evaluate.images.load import load_data
from evaluate.training.presets import RECIPES
from evaluate.training.recipe import Recipe
from search.cli.dry_run import Drawn, costs, dry_run, feasibility, landmark_costs
from search.run.duration import Expected, expect, expected_text
from search.run.settings import Settings
from search.workers.evaluation import timing_on
from space import Config, Cost, config_from_json, cost, gflops, landmark
from space.solving.axes import Proposal, searched

SMOKE = RECIPES["smoke"]


@pytest.fixture(autouse=True)
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps are enough to see that it works."""
    monkeypatch.setattr("search.run.duration.STEPS_SECONDS", 0.05)


def settings(recipe: Recipe = SMOKE, **more: Any) -> Settings:
    about: dict[str, Any] = {
        "name": "x", "budget_macs": 4_100_000_000, "mode": "frontier", "families": searched(), "data": "digits",
        "recipe": recipe.to_json(), "input_size": 224, "classes": 1000, "sampler": "random", "seed": 0,
        "landmarks": (),
    }  # fmt: skip
    return Settings(**(about | more))


def drawn(macs: int, target: int, family: str = "resnet", params: int = 10**6) -> Drawn:
    return Drawn(family, Proposal(landmark("resnet18"), target), Cost(macs, params, 0), None)


def test_rows_are_one_object_a_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dry_run(settings(landmarks=("resnet18",)), SMOKE, "cpu", count=25, trials=4, workers=2, as_json=True)
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 25
    for row in rows:
        assert set(row) == {"family", "config", "macs", "target_macs", "params", "proxy_macs"}
        counted = cost(config_from_json(row["config"]))
        assert (counted.macs, counted.params) == (row["macs"], row["params"])
        assert 0.95 * row["target_macs"] <= row["macs"] <= row["target_macs"] <= 4.1e9
    assert {row["family"] for row in rows} == set(searched())

    near = sum(row["macs"] >= 0.97 * row["target_macs"] for row in rows)
    assert f"{near} of 25 networks cost within 3 % of what they were solved for, none costs more" in err
    for family in searched():
        own = [row for row in rows if row["family"] == family]
        macs = [row["macs"] for row in own]
        words = [f"{gflops(each)}FLOPs" for each in (min(macs), statistics.median(macs), max(macs))]
        params = f"{statistics.median(row['params'] for row in own) / 1e6:.1f}M"
        assert f"{family} {len(own)} {' '.join(words)} {params}" in " ".join(err.split())
    assert "1 landmark would be scored:\nresnet18                  1.81GFLOPs    11.7M params" in err
    times = r"expected time: about [\d.]+ s with 2 workers for 4 sampled networks and 1 landmark "
    assert re.search(times + r"\(timed on \d networks: [\d.]+ s to [\d.]+ s each\)\n", err)
    assert not list(tmp_path.iterdir()), "nothing is recorded"


def test_text_is_all_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    dry_run(settings(), SMOKE, "cpu", count=2, trials=40)
    out, err = capsys.readouterr()
    assert not err
    lines = out.splitlines()
    assert all("FLOPs of" in line and "M params" in line for line in lines[:2])
    assert "2 of 2 networks" in lines[2]
    assert "no landmarks would be scored" in lines
    assert lines[-1].startswith("expected time: about ")
    assert "with 1 worker for 40 sampled networks and 0 landmarks" in lines[-1]


def test_the_same_networks_are_drawn_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    outs = []
    for seed in (0, 0, 1):
        dry_run(settings(seed=seed, families=("resnet",)), SMOKE, "cpu", count=3, trials=1, as_json=True)
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1] != outs[2]
    with pytest.raises(ValueError, match="no such folder"):
        dry_run(settings(data=str(tmp_path / "none")), SMOKE, "cpu", count=3, trials=1)


def test_data_that_do_not_fill_a_batch() -> None:
    large = dataclasses.replace(SMOKE, batch_size=4096, train_images=None)
    with pytest.raises(ValueError, match=r"fewer than a batch of recipe smoke \(4096\)"):
        dry_run(settings(large), large, "cpu", count=1, trials=1)


def test_feasibility_says_what_misses() -> None:
    hits = [drawn(970, 1000), drawn(1000, 1000)]
    assert feasibility(hits) == "2 of 2 networks cost within 3 % of what they were solved for, none costs more"
    misses = [*hits, drawn(969, 1000), drawn(1001, 1000)]
    assert feasibility(misses) == "3 of 4 networks cost within 3 % of what they were solved for, 1 costs more"


def test_costs_by_family() -> None:
    lines = costs([
        drawn(10**9, 10**9, "resnext", 3 * 10**6), drawn(2 * 10**9, 10**9, "resnet"),
        drawn(3 * 10**9, 10**9, "resnext", 5 * 10**6),
    ])  # fmt: skip
    assert [" ".join(line.split()) for line in lines] == [
        "family networks least median most median params",
        "resnet 1 2GFLOPs 2GFLOPs 2GFLOPs 1.0M",
        "resnext 2 1GFLOPs 2GFLOPs 3GFLOPs 4.0M",
    ]


def test_landmarks_are_listed_by_cost() -> None:
    lines = landmark_costs(settings(landmarks=("resnet50", "resnet18")))
    assert [line.split()[0] for line in lines] == ["2", "resnet18", "resnet50"]


def test_time_is_told_from_networks_that_really_train() -> None:
    data = load_data("digits", SMOKE.resolution, 0, SMOKE.train_images)
    names = ("resnet18", "resnet34")
    networks: list[Config] = [landmark("resnet18"), landmark("resnet50"), landmark("densenet121")]
    found = expect(settings(landmarks=names), SMOKE, data, "cpu", networks)
    assert found is not None
    assert len(found.timed) == 4, "a network that is among both is timed once"
    assert found.unfit == 0
    assert list(found.timed) == sorted(found.timed)
    assert 0 < found.timed[0] < found.sampled < found.timed[-1]
    assert found.landmarks > 0
    assert found.total(10, 1) == pytest.approx(10 * found.sampled + found.landmarks)
    assert found.total(10, 4) == pytest.approx(found.total(10, 1) / 4)


def test_latency_takes_its_time_too() -> None:
    data = load_data("digits", SMOKE.resolution, 0, SMOKE.train_images)
    small: list[Config] = [landmark("cifar_resnet20")]
    about: dict[str, Any] = {"budget_macs": 41_000_000, "input_size": 32, "classes": 10}
    timed = settings(objective="latency", timing=timing_on("cpu"), **about)
    plain, more = (expect(each, SMOKE, data, "cpu", small) for each in (settings(**about), timed))
    assert plain is not None
    assert more is not None
    assert more.sampled > 1.0  # latency alone is measured for a second


def test_networks_that_would_fail_take_no_time() -> None:
    keep = dataclasses.replace(SMOKE, stem="keep", resolution=4)
    data = load_data("digits", 4, 0, keep.train_images)
    networks: list[Config] = [landmark("densenet121"), landmark("resnet18")]
    found = expect(settings(keep), keep, data, "cpu", networks)
    assert found is not None
    assert (len(found.timed), found.unfit) == (1, 1)
    assert "; 1 more would fail)" in expected_text(found, settings(keep), 4, 1)
    assert expect(settings(keep), keep, data, "cpu", networks[:1]) is None
    assert "recipe smoke can train none" in expected_text(None, settings(keep), 4, 1)


def test_expected_time_in_words() -> None:
    found = Expected(sampled=30.0, landmarks=300.0, timed=(8.2, 20.0, 60.4))
    one = settings(landmarks=("resnet18",))
    assert expected_text(found, one, 40, 1) == (
        "expected time: about 25 min with 1 worker for 40 sampled networks and 1 landmark "
        "(timed on 3 networks: 8.2 s to 60 s each)"
    )
    stopping = settings(early_stopping=True)
    assert expected_text(found, stopping, 40, 5).endswith("60 s each; less where networks are stopped early)")
