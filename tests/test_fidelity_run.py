"""Fidelity runs: resumed, damaged, of other settings, and with networks that fail."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluate.fidelity.run import Fidelity, Progress, RankedLandmark, fidelity_text, ranking_set, report, run_fidelity
from evaluate.images.load import ImageData, load_data
from evaluate.training.presets import RECIPES
from evaluate.training.score import ProxyScore

SMOKE = RECIPES["smoke"]
# resnet34 and wrn18_1.5 cost about the same, and WRN-18-1.5's published error is 0.33 points higher.
NAMES = ("resnet18", "resnet34", "wrn18_1.5", "resnext50_32x4d")
NETWORKS = tuple(each for each in ranking_set("imagenet") if each.name in NAMES)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def run(directory: Path, data: ImageData, seeds: Sequence[int] = (0, 1), **more: Any) -> list[Progress]:
    return list(run_fidelity(NETWORKS, SMOKE, data, seeds, "cpu", directory, **more))


class Recorded:
    """Stands for training where what is trained does not matter: notes the calls, fails for one network."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[tuple[str, int]] = []
        self.failing = failing

    def __call__(self, config: Any, recipe: Any, data: Any, *, seed: int, device: str) -> ProxyScore:
        name = next(each.name for each in NETWORKS if each.config == config)
        self.calls.append((name, seed))
        point = {"epoch": 1, "train_loss": 2.0 - seed / 10, "top1": 50.0 + seed}
        if name == self.failing:
            return ProxyScore(0.0, None, 1.0, 0.0, (), "failed", "out of memory on cpu")
        return ProxyScore(50.0 + seed + len(name), 1.5, 1.0 + seed, 100.0, (point,), "complete")  # type: ignore[arg-type]


def test_nothing_is_measured_twice(digits: ImageData, tmp_path: Path) -> None:
    score = Recorded()
    first = run(tmp_path, digits, (0,), score=score)
    assert score.calls == [(name.name, 0) for name in NETWORKS]
    assert [event.done for event in first] == list(range(1, 9))
    assert {event.total for event in first} == {8}  # four trainings and four times the zero-cost scores
    assert not any(event.before for event in first)
    again = run(tmp_path, digits, (0,), score=score)
    assert len(score.calls) == 4
    assert all(event.before for event in again)
    more = run(tmp_path, digits, (0, 1), score=score)  # a seed may be added
    assert score.calls[4:] == [(name.name, 1) for name in NETWORKS]
    assert sum(event.before for event in more) == 8
    assert report(tmp_path).seeds == (0, 1)
    assert report(tmp_path, [1]).networks[0].scores[0].seed == 1
    assert "from before" in again[0].line() and "top-1" in again[0].line()


def test_interruption_keeps_what_is_done(digits: ImageData, tmp_path: Path) -> None:
    score = Recorded()
    events = run_fidelity(NETWORKS, SMOKE, digits, (0,), "cpu", tmp_path, False, score)
    next(events)
    next(events)
    events.close()
    assert [len(network.scores) for network in report(tmp_path).networks] == [1, 1, 0, 0]
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=score)
    assert score.calls == [(name.name, 0) for name in NETWORKS]


@pytest.mark.parametrize("cut", [1, 30, 100])
def test_a_line_that_was_cut_off_is_measured_again(digits: ImageData, tmp_path: Path, cut: int) -> None:
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=Recorded())
    path = tmp_path / "scores.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert [len(network.scores) for network in report(tmp_path).networks] == [1, 1, 1, 0]
    score = Recorded()
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=score)
    assert score.calls == [(NETWORKS[-1].name, 0)]
    assert path.read_bytes() == whole


def test_a_header_that_was_cut_off_begins_anew(digits: ImageData, tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text('{"setting": {"se')
    with pytest.raises(ValueError, match="no scores yet"):
        report(tmp_path)
    score = Recorded()
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=score)
    assert len(score.calls) == 4
    assert len(report(tmp_path).networks[3].scores) == 1


def test_damage_inside_the_file_is_refused(digits: ImageData, tmp_path: Path) -> None:
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=Recorded())
    path = tmp_path / "scores.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:40], *lines[2:]]) + "\n")
    with pytest.raises(ValueError, match=r"scores\.jsonl: line 2 is damaged"):
        run(tmp_path, digits, (0,), score=Recorded())


@pytest.mark.parametrize(
    "change, words",
    [
        ({"recipe": dataclasses.replace(SMOKE, epochs=3)}, "recipe epochs 2 there, 3 here"),
        ({"networks": NETWORKS[:3]}, "other networks"),
        ({"networks": (*NETWORKS[:3], dataclasses.replace(NETWORKS[3], published_error=1.0))}, "published figures"),
        ({"networks": ranking_set("cifar")[:4]}, "set 'imagenet' there, 'cifar' here"),
    ],
)
def test_other_settings_are_refused(measured: Path, digits: ImageData, change: dict[str, Any], words: str) -> None:
    arguments = {"networks": NETWORKS, "recipe": SMOKE} | change
    before = (measured / "scores.jsonl").read_bytes()
    with pytest.raises(ValueError, match=words) as caught:
        list(run_fidelity(**arguments, data=digits, seeds=(0, 1), device="cpu", directory=measured))
    assert str(measured) in str(caught.value)
    assert (measured / "scores.jsonl").read_bytes() == before


def test_other_data_are_refused(measured: Path) -> None:
    with pytest.raises(ValueError, match="holds scores of another setting, split"):
        run(measured, load_data("digits", 8, seed=1))


def test_another_name_of_the_same_recipe_continues(measured: Path, digits: ImageData) -> None:
    recipe = dataclasses.replace(SMOKE, name="mine")
    assert all(event.before for event in run_fidelity(NETWORKS, recipe, digits, (0, 1), "cpu", measured))


@pytest.mark.parametrize(
    "networks, seeds, words",
    [
        ((), (0,), "expected those of one ranking_set"),
        ((NETWORKS[0], ranking_set("cifar")[0]), (0,), "expected those of one ranking_set"),
        ((NETWORKS[0], NETWORKS[0]), (0,), "named twice"),
        (NETWORKS, (), "seeds are"),
        (NETWORKS, (1, 1), "seeds are"),
    ],
)
def test_bad_arguments(
    digits: ImageData, tmp_path: Path, networks: tuple[RankedLandmark, ...], seeds: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        next(run_fidelity(networks, SMOKE, digits, seeds, "cpu", tmp_path))
    assert not list(tmp_path.iterdir())


def test_no_scores_yet(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no scores yet"):
        report(tmp_path)


def test_failed_scores_are_kept_and_left_out(digits: ImageData, tmp_path: Path) -> None:
    score = Recorded(failing="resnet34")
    events = run(tmp_path, digits, (0,), zero_cost_scores=False, score=score)
    assert "failed: out of memory on cpu" in events[1].line()
    found = report(tmp_path)
    assert found.failed == ["ResNet-34, seed 0: out of memory on cpu"]
    assert found.rankings["proxy_top1"].networks == 3
    assert found.rankings["macs"].networks == 3  # the baseline is for the same networks
    text = fidelity_text(found)
    assert "1 of 4 trainings failed and are left out: ResNet-34, seed 0: out of memory on cpu" in text
    assert Fidelity.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.networks[1].scores[0].top1 is None  # not zero percent
    run(tmp_path, digits, (0,), zero_cost_scores=False, score=score)
    assert len(score.calls) == 4


def test_a_network_that_no_measure_can_read_has_reasons(digits: ImageData, tmp_path: Path) -> None:
    one = ranking_set("imagenet")[:1]
    recipe = dataclasses.replace(SMOKE, stem="keep", resolution=4)
    data = load_data("digits", 4)
    # ImageNet's stem leaves one pixel of four: whatever comes of it, a value or a reason, is written and read back.
    list(run_fidelity(one, recipe, data, (0,), "cpu", tmp_path))
    found = report(tmp_path)
    for value in found.networks[0].zero_cost:
        assert (value.value is None) == (value.reason is not None)
    assert fidelity_text(found)
    assert found.rankings["macs"].tau is None  # one network has no order
