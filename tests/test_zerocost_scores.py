"""Zero-cost scores of networks of the space: every measure, reproducible, with reasons where there is none."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from evaluate import RECIPES
from evaluate.measures.zero_cost import MEASURES, Measure, ZeroCost, zero_cost, zero_cost_text
from space import Config, cost, landmark

RECIPE = RECIPES["cpu"]


def batch(images: int = 8, size: int = 16) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (images, 3, size, size), dtype=torch.uint8, generator=rng)
    return pixels, torch.arange(images) % 10


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d", "densenet121", "cifar_resnet110"])
def test_networks_of_the_space_have_every_score(name: str) -> None:
    x, y = batch()
    scores = zero_cost(RECIPE.proxy(landmark(name), 10), x, y, 10)
    assert list(scores) == list(MEASURES)
    for key, score in scores.items():
        assert score.name == key and score.reason is None and score.seconds > 0
        assert score.value is not None and math.isfinite(score.value)


def test_the_seed_decides_and_measures_do_not_meet() -> None:
    config = RECIPE.proxy(landmark("resnet18"), 10)
    x, y = batch()
    before = torch.random.get_rng_state()
    all_of_them = values(zero_cost(config, x, y, 10, seed=4))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(7)
    for name in MEASURES:
        assert values(zero_cost(config, x, y, 10, seed=4, measures=[name])) == {name: all_of_them[name]}
    other = values(zero_cost(config, x, y, 10, seed=5))
    assert all(other[name] != all_of_them[name] for name in MEASURES)


def values(scores: dict[str, ZeroCost]) -> dict[str, float | None]:
    return {name: score.value for name, score in scores.items()}


def test_images_are_normalised() -> None:
    # Whole numbers, fractions, and another brightness and contrast a channel are the same images.
    config = RECIPE.proxy(landmark("resnet18"), 10)
    x, y = batch()
    factor, shift = torch.tensor([0.5, 2.0, 1 / 255]).view(1, 3, 1, 1), torch.tensor([3.0, 0.0, -1.0]).view(1, 3, 1, 1)
    expected = values(zero_cost(config, x, y, 10))
    shown = values(zero_cost(config, x.float() * factor + shift, y, 10))
    assert shown == pytest.approx(expected, rel=0.05)
    # SynFlow and Zen-score see no data at all.
    dark = zero_cost(config, torch.zeros_like(x), y, 10)
    assert dark["synflow"].value == expected["synflow"] and dark["zen"].value == expected["zen"]
    assert dark["naswot"].value is None and "tell" in str(dark["naswot"].reason)  # black images are all alike


def test_deeper_networks_have_more_flow_and_more_zen() -> None:
    x, y = batch()
    shallow, deep = (
        zero_cost(RECIPE.proxy(landmark(name), 10), x, y, 10, measures=["synflow", "zen"])
        for name in ("cifar_resnet20", "cifar_resnet56")
    )
    for name in shallow:
        assert (deep[name].value or 0) > (shallow[name].value or 0)


def test_a_network_that_cannot_read_such_images_has_a_reason() -> None:
    scores = zero_cost(landmark("densenet121"), *batch(size=4), 10)
    assert all(score.value is None and "too small" in str(score.reason) for score in scores.values())
    assert list(scores) == list(MEASURES)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"measures": ["ntk"]}, "'ntk': expected one of synflow"),
        ({"images": torch.zeros(1, 3, 8, 8), "labels": torch.zeros(1)}, "n at least 2"),
        ({"images": torch.zeros(4, 3, 8, 6)}, r"expected \(n, 3, size, size\)"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, "one for each of 8 images"),
        ({"classes": 5}, "labels run from 0 to 7: expected 0 to 4"),
        ({"device": "tpu"}, "device 'tpu'"),
    ],
)
def test_bad_calls_are_refused(change: dict[str, Any], message: str) -> None:
    x, y = batch()
    config: Config = landmark("resnet18")
    with pytest.raises(ValueError, match=message):
        zero_cost(**({"config": config, "images": x, "labels": y, "classes": 10} | change))


def test_text_shows_baselines_papers_and_reasons() -> None:
    config = RECIPE.proxy(landmark("resnet18"), 10)
    scores = zero_cost(config, *batch(), 10, measures=["synflow", "zen"])
    scores["naswot"] = ZeroCost("naswot", None, 0.5, "singular")
    text = zero_cost_text("resnet18", scores, cost(config, 16, 10))
    lines = text.splitlines()
    assert lines[0].startswith("resnet18")
    assert f"{cost(config, 16, 10).params:,}" in lines[3] and f"{cost(config, 16, 10).macs:,}" in lines[4]
    assert f"{scores['synflow'].value:,.4f}" in lines[5] and "arXiv:2006.05467" in lines[5]
    assert "-" in lines[7] and "failed: singular" in lines[7]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_what_the_cpu_gives() -> None:
    config = RECIPE.proxy(landmark("resnet18"), 10)
    x, y = batch()
    before = torch.cuda.get_rng_state()
    there = values(zero_cost(config, x, y, 10, device="cuda"))
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert there == pytest.approx(values(zero_cost(config, x, y, 10)), rel=0.05)


def test_a_measure_is_one_entry_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Measure(
        "how many weights there are", "nowhere", lambda model, x, y: sum(p.numel() for p in model.parameters())
    )
    monkeypatch.setitem(MEASURES, "weights", weights)
    config = landmark("cifar_resnet20")
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    scores = zero_cost(config, images, torch.tensor([0, 1]), 10, measures=["weights"])
    assert scores["weights"].value == cost(config, 32, 10).params
    assert "how many weights there are (nowhere)" in zero_cost_text("ResNet-20", scores, cost(config, 32, 10))
