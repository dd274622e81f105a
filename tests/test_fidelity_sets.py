"""Which landmarks stand in one ranking."""

import pytest

from evaluate.fidelity.rankings import within_budget_pairs
from evaluate.fidelity.run import ranking_set
from space import LANDMARKS, cost


def test_imagenet_ranking_set() -> None:
    found = {each.name: each for each in ranking_set("imagenet")}
    assert len(found) == 25
    assert {"resnet50", "resnext101_64x4d", "wide_resnet50_2", "wrn18_3", "densenet161"} <= found.keys()
    # MSRA's, torchvision's, ResNeXt's copies of ResNets, and what cannot be built.
    out = {"resnet50_v1", "resnext101_32x8d", "wide_resnet101_2", "resnext50_1x64d", "resnext101_1x64d", "vgg16"}
    assert not out & found.keys()
    assert "regnetx" not in {each.family for each in found.values()}  # 100 epochs, cosine: another recipe
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
