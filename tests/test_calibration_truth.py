"""The tables of truth: what stands in them, what does not, and that the configurations are the published networks."""

from collections import Counter

import pytest

from evaluate.calibration import more_figures
from evaluate.calibration.covariance import PRIORS
from evaluate.calibration.truth import MODERN, RECIPES, SETS, TARGETS, published
from evaluate.fidelity.ranking_sets import ranking_set
from space import cost

# As the sources count them: the papers' tables, torchvision's and pycls' metadata.
PARAMS = {
    "PreResNet-200": 64.7e6,
    "ResNet-50": 25_557_032,
    "ResNet-101": 44_549_160,
    "ResNet-152": 60_192_808,
    "ResNeXt-50 32x4d": 25_028_904,
    "ResNeXt-101 32x4d": 44_177_704,
    "ResNeXt-152 32x4d": 59_951_400,
    "ResNeXt-101 32x8d": 88_791_336,
    "ResNeXt-101 64x4d": 83_455_272,
    "WRN-50-2": 68_883_240,
    "WRN-101-2": 126_886_696,
    "RegNetX-400MF of torchvision": 5_495_976,
    "ResNet-164": 1.7e6,
    "WRN-40-1": 0.6e6,
    "WRN-40-2": 2.2e6,
    "WRN-40-8": 35.7e6,
    "WRN-28-12": 52.5e6,
    "WRN-22-10": 26.8e6,
    "DenseNet-BC L=40 k=36": 1.5e6,
    "DenseNet-BC L=40 k=48": 2.7e6,
    "DenseNet-BC L=40 k=60": 4.3e6,
}


def test_configurations_have_the_published_number_of_parameters() -> None:
    every = [(more, 224, 1000) for more in more_figures.IMAGENET] + [(more, 32, 10) for more in more_figures.CIFAR]
    found = {more.label: cost(more.config, size, classes).params for more, size, classes in every}
    for label, params in PARAMS.items():
        rounded = params < 1e6 * 100 and params % 1e5 == 0
        assert found[label] == pytest.approx(params, abs=0.06e6 if rounded else 0), label


@pytest.mark.parametrize("name", SETS)
def test_a_network_counts_once_a_recipe_and_task(name: str) -> None:
    rows = published(name)
    assert max(Counter((row.config, row.recipe, row.classes) for row in rows).values()) == 1
    assert {row.recipe for row in rows} == set(RECIPES[name])
    assert {(row.input_size, row.classes) for row in rows} == set(TARGETS[name])
    for row in rows:
        assert 3 < row.error < 60 and row.source and row.label


def test_figures_of_other_settings_are_left_out() -> None:
    rows = published("imagenet")
    assert len(rows) > 75
    assert all(
        row.error not in (19.1, 22.24, 20.85, 28.22, 22.85) for row in rows
    )  # 320 pixels, ten crops, second-hand
    # Torchvision's RegNetX-400MF and RegNetY-800MF are wider than pycls', whose configurations the landmarks have.
    torchvision = [row.label for row in rows if row.recipe == "torchvision RegNet"]
    assert "RegNetX-400MF of torchvision" in torchvision and "RegNetX-800MF" in torchvision
    assert not {"RegNetX-400MF", "RegNetY-800MF"} & set(torchvision)
    modern = {row.label: row.error for row in rows if row.recipe == MODERN}
    assert modern["ResNeXt-101 64x4d"] == 16.754  # among torchvision's first weights, by the second ones' recipe
    assert {MODERN} == PRIORS["imagenet"].apart
    assert {row.error for row in rows if row.recipe == "torchvision"}.isdisjoint(modern.values())
    cifar = published("cifar")
    of_resnet110 = [row.error for row in cifar if row.label == "ResNet-110"]
    assert of_resnet110 == [6.61]  # not the best of five, 6.43
    with pytest.raises(ValueError, match="expected one of imagenet, cifar"):
        published("digits")


@pytest.mark.parametrize("name", SETS)
def test_the_ranking_sets_figures_are_all_there(name: str) -> None:
    rows = published(name)
    for each in ranking_set(name):
        assert any(row.config == each.config and row.error == each.published_error for row in rows), each.name
