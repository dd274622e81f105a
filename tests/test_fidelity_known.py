"""What a search repeats of the fidelity runs it finds, and of those that are shipped."""

import dataclasses
import json
from pathlib import Path

import pytest

from evaluate.fidelity import shipped as known
from evaluate.fidelity.run import Fidelity, write_fidelity
from evaluate.fidelity.shipped import UNKNOWN, KnownFidelity, fidelity_of, fidelity_sentence, summary
from evaluate.training.presets import RECIPES

SMOKE = RECIPES["smoke"]


@pytest.fixture
def keyed(fidelity: Fidelity) -> Fidelity:
    return dataclasses.replace(fidelity, data_key="abc")


def test_known_from_a_run(keyed: Fidelity, tmp_path: Path) -> None:
    write_fidelity(keyed, tmp_path / "imagenet-digits-smoke")
    (one,) = fidelity_of(dataclasses.replace(SMOKE, name="other"), "abc", "imagenet", tmp_path)
    assert one.proxy_top1 == keyed.rankings["proxy_top1"]
    assert one.rankings["activations"] == keyed.rankings["activations"]
    assert one.regrets["macs"] == keyed.regrets["macs"]
    assert fidelity_of(dataclasses.replace(SMOKE, epochs=3), "abc", "imagenet", tmp_path) == ()
    assert fidelity_of(SMOKE, "other data", "imagenet", tmp_path) == ()
    assert fidelity_of(SMOKE, "", "imagenet", tmp_path) == ()
    assert fidelity_of(SMOKE, "abc", "imagenet", tmp_path / "nowhere") == ()


def test_sentence(keyed: Fidelity) -> None:
    ours = dataclasses.replace(
        keyed.rankings["proxy_top1"], tau=0.31, tau_low=0.05, tau_high=0.55, concordance=0.52, concordance_low=0.3,
        concordance_high=0.71, pairs=41, networks=25,
    )  # fmt: skip
    counted = dataclasses.replace(ours, tau=0.8, concordance=0.95)
    one = dataclasses.replace(
        KnownFidelity.from_json(summary(keyed)),
        seeds=1,
        rankings={"proxy_top1": ours, "macs": dataclasses.replace(ours, tau=0.4), "activations": counted},
        regrets={"proxy_top1": 0.61, "macs": 1.2, "activations": 0.04},
        brackets=6,
    )
    assert one.sentence() == (
        "fidelity (25 ImageNet landmarks, 1 seed): tau 0.31 [0.05, 0.55], within a budget 0.52 [0.30, 0.71] of 41 "
        "pairs, regret 0.61 points (its choice against the best of like cost, 6 brackets); activations alone, which "
        "need no training, rank these networks better: tau 0.80, within a budget 0.95, regret 0.04"
    )
    better = dataclasses.replace(one, rankings=one.rankings | {"proxy_top1": dataclasses.replace(ours, tau=0.81)})
    assert better.sentence().endswith("6 brackets); activations alone: tau 0.80, within a budget 0.95, regret 0.04")
    both = fidelity_sentence((one, dataclasses.replace(one, set="cifar")))
    assert "ImageNet landmarks, 1 seed" in both and "CIFAR-10 landmarks" in both
    assert fidelity_sentence(()) == UNKNOWN
    assert "python -m evaluate fidelity" in UNKNOWN


def test_the_newest_run_wins_and_each_kind_has_its_own(keyed: Fidelity, tmp_path: Path) -> None:
    old = dataclasses.replace(keyed, date="2020-01-01T00:00:00+00:00", seeds=(7,))
    write_fidelity(old, tmp_path / "z")
    write_fidelity(keyed, tmp_path / "a")
    write_fidelity(dataclasses.replace(keyed, set="cifar"), tmp_path / "b")
    (first,) = fidelity_of(SMOKE, "abc", "imagenet", tmp_path)
    (second,) = fidelity_of(SMOKE, "abc", "cifar", tmp_path)
    assert (first.set, first.seeds, second.set) == ("imagenet", 2, "cifar"), "each target quotes its own kind alone"


def test_damaged_reports_are_passed_over_with_a_warning(keyed: Fidelity, tmp_path: Path) -> None:
    write_fidelity(keyed, tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "fidelity.json").write_text('{"set": "ima')
    with pytest.warns(UserWarning, match=r"bad.fidelity\.json is passed over"):
        assert len(fidelity_of(SMOKE, "abc", "imagenet", tmp_path)) == 1


def test_shipped_summaries(keyed: Fidelity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "known.json"
    shipped.write_text(json.dumps([summary(dataclasses.replace(keyed, seeds=(1, 2, 3)))]))
    monkeypatch.setattr(known, "SHIPPED", shipped)
    (one,) = fidelity_of(SMOKE, "abc", "imagenet", tmp_path / "runs")
    assert one.seeds == 3
    write_fidelity(dataclasses.replace(keyed, date="1999-01-01T00:00:00+00:00"), tmp_path / "runs" / "mine")
    (one,) = fidelity_of(SMOKE, "abc", "imagenet", tmp_path / "runs")
    assert one.seeds == 2  # what was measured here counts before what is shipped
    empty = dataclasses.replace(keyed, networks=())
    with pytest.raises(ValueError, match="no network was scored"):
        summary(empty)


def test_what_is_shipped_can_be_read() -> None:
    entries = json.loads(known.SHIPPED.read_text(encoding="utf-8"))
    for entry in entries:
        one = KnownFidelity.from_json(entry)
        assert one.to_json() == entry
        assert one.data_key
