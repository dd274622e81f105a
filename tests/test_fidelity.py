"""Fidelity: which landmarks stand in one ranking, real small runs, resuming, tables, and what a search repeats."""

import csv
import dataclasses
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluate import known
from evaluate.data import ImageData, load_data
from evaluate.fidelity import (
    Fidelity,
    Progress,
    RankedLandmark,
    fidelity_text,
    ranking_set,
    report,
    run_fidelity,
    write_fidelity,
)
from evaluate.fidelity_report import RANKINGS
from evaluate.known import UNKNOWN, KnownFidelity, fidelity_of, fidelity_sentence, summary
from evaluate.presets import RECIPES
from evaluate.ranking import kendall_tau, within_budget_pairs
from evaluate.train import ProxyScore, train_proxy
from space import LANDMARKS, cost

SMOKE = RECIPES["smoke"]
# resnet34 and wrn18_1.5 cost about the same, and WRN-18-1.5's published error is 0.33 points higher.
NAMES = ("resnet18", "resnet34", "wrn18_1.5", "resnext50_32x4d")
NETWORKS = tuple(each for each in ranking_set("imagenet") if each.name in NAMES)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits", 8)


def run(directory: Path, data: ImageData, seeds: Sequence[int] = (0, 1), **more: Any) -> list[Progress]:
    return list(run_fidelity(NETWORKS, SMOKE, data, seeds, "cpu", directory, **more))


@pytest.fixture(scope="module")
def measured(digits: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fidelity") / "imagenet-digits-smoke"
    run(directory, digits)
    return directory


@pytest.fixture(scope="module")
def fidelity(measured: Path) -> Fidelity:
    return report(measured)


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


# ---------------------------------------------------------------------------------------------- sets


def test_imagenet_ranking_set() -> None:
    found = {each.name: each for each in ranking_set("imagenet")}
    assert len(found) == 25
    assert {"resnet50", "resnext101_64x4d", "wide_resnet50_2", "wrn18_3", "densenet161"} <= found.keys()
    # MSRA's, torchvision's, ResNeXt's copies of ResNets, and what cannot be built.
    out = {"resnet50_v1", "resnext101_32x8d", "wide_resnet101_2", "resnext50_1x64d", "resnext101_1x64d", "vgg16"}
    assert not out & found.keys()
    assert (found["resnet50"].published_error, found["resnet101"].published_error) == (24.01, 22.44)
    assert all(LANDMARKS[name].published.setting == "1-crop 224, short side 256" for name in found)
    assert len({each.config.id for each in found.values()}) == 25
    r50 = found["resnet50"]
    assert (r50.macs, r50.params) == (4_089_184_256, cost(r50.config).params)


def test_cifar_ranking_set() -> None:
    found = {each.name: each for each in ranking_set("cifar")}
    assert len(found) == 20
    assert not {"wrn_22_8", "wrn_16_10", "resnet50"} & found.keys()
    assert found["cifar_resnet110"].published_error == 6.61  # the mean, not the best of five
    assert found["wrn_28_10"].published_error == 4.0  # not the one with dropout
    assert found["wrn_28_10"].macs == cost(found["wrn_28_10"].config, 32, 10).macs
    for name in found:
        setting = LANDMARKS[name].published.setting
        assert setting.startswith("CIFAR-10, ")
        assert "ZCA" not in setting and "BEST" not in setting


def test_both_sets_have_pairs_within_a_budget() -> None:
    for name in ("imagenet", "cifar"):
        members = ranking_set(name)
        assert len(within_budget_pairs([m.macs for m in members], [m.published_error for m in members])) >= 10


def test_unknown_set() -> None:
    with pytest.raises(ValueError, match="'svhn': expected one of imagenet, cifar"):
        ranking_set("svhn")


# ---------------------------------------------------------------------------------------------- a real run


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


# ---------------------------------------------------------------------------------------------- resuming


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


# ---------------------------------------------------------------------------------------------- failures


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


# ---------------------------------------------------------------------------------------------- known


@pytest.fixture
def keyed(fidelity: Fidelity) -> Fidelity:
    return dataclasses.replace(fidelity, data_key="abc")


def test_known_from_a_run(keyed: Fidelity, tmp_path: Path) -> None:
    write_fidelity(keyed, tmp_path / "imagenet-digits-smoke")
    (one,) = fidelity_of(dataclasses.replace(SMOKE, name="other"), "abc", tmp_path)
    assert one.proxy_top1 == keyed.rankings["proxy_top1"]
    assert one.macs == keyed.rankings["macs"]
    assert fidelity_of(dataclasses.replace(SMOKE, epochs=3), "abc", tmp_path) == ()
    assert fidelity_of(SMOKE, "other data", tmp_path) == ()
    assert fidelity_of(SMOKE, "", tmp_path) == ()
    assert fidelity_of(SMOKE, "abc", tmp_path / "nowhere") == ()


def test_sentence(keyed: Fidelity) -> None:
    ours = dataclasses.replace(
        keyed.rankings["proxy_top1"], tau=0.31, tau_low=0.05, tau_high=0.55, concordance=0.52, concordance_low=0.3,
        concordance_high=0.71, pairs=41, networks=25,
    )  # fmt: skip
    macs = dataclasses.replace(keyed.rankings["macs"], tau=0.75)
    one = KnownFidelity.from_json(summary(dataclasses.replace(keyed, rankings={"proxy_top1": ours, "macs": macs})))
    assert dataclasses.replace(one, seeds=1).sentence() == (
        "fidelity (25 ImageNet landmarks, 1 seed): tau 0.31 [0.05, 0.55], within a budget 0.52 [0.30, 0.71] of 41 "
        "pairs; by MACs alone tau 0.75"
    )
    both = fidelity_sentence((one, dataclasses.replace(one, set="cifar")))
    assert "ImageNet landmarks, 2 seeds" in both and "CIFAR-10 landmarks" in both
    assert fidelity_sentence(()) == UNKNOWN
    assert "python -m evaluate fidelity" in UNKNOWN


def test_the_newest_run_wins_and_each_set_is_told(keyed: Fidelity, tmp_path: Path) -> None:
    old = dataclasses.replace(keyed, date="2020-01-01T00:00:00+00:00", seeds=(7,))
    write_fidelity(old, tmp_path / "z")
    write_fidelity(keyed, tmp_path / "a")
    write_fidelity(dataclasses.replace(keyed, set="cifar"), tmp_path / "b")
    first, second = fidelity_of(SMOKE, "abc", tmp_path)
    assert (first.set, first.seeds, second.set) == ("imagenet", 2, "cifar")


def test_damaged_reports_are_passed_over_with_a_warning(keyed: Fidelity, tmp_path: Path) -> None:
    write_fidelity(keyed, tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "fidelity.json").write_text('{"set": "ima')
    with pytest.warns(UserWarning, match=r"bad.fidelity\.json is passed over"):
        assert len(fidelity_of(SMOKE, "abc", tmp_path)) == 1


def test_shipped_summaries(keyed: Fidelity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "known.json"
    shipped.write_text(json.dumps([summary(dataclasses.replace(keyed, seeds=(1, 2, 3)))]))
    monkeypatch.setattr(known, "SHIPPED", shipped)
    (one,) = fidelity_of(SMOKE, "abc", tmp_path / "runs")
    assert one.seeds == 3
    write_fidelity(dataclasses.replace(keyed, date="1999-01-01T00:00:00+00:00"), tmp_path / "runs" / "mine")
    (one,) = fidelity_of(SMOKE, "abc", tmp_path / "runs")
    assert one.seeds == 2  # what was measured here counts before what is shipped
    empty = dataclasses.replace(keyed, rankings={})
    with pytest.raises(ValueError, match="no network was scored"):
        summary(empty)


def test_what_is_shipped_can_be_read() -> None:
    entries = json.loads(known.SHIPPED.read_text(encoding="utf-8"))
    for entry in entries:
        one = KnownFidelity.from_json(entry)
        assert one.to_json() == entry
        assert one.data_key
