"""What holds for every family: one contract in place of a table of numbers for each.

For each family: its smallest published networks of each target, and networks that the solver makes of random values
of its axes. A new family is under the contract as soon as it is in `FAMILIES` and has a landmark.
"""

import copy
import json
import pickle
import random

import pytest
import torch

from evaluate.images.load import load_data
from evaluate.measures.counting import count_with_ptflops, count_with_torch
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from space import FAMILIES, LANDMARKS, Budget, Config, build, config_from_json, cost
from space.networks.layers import unroll
from space.solving.axes import MODES, Target, axes, draw, propose, values_of
from space.solving.resize import deepened, resizing_of, solve_width

SMOKE = RECIPES["smoke"]
SEARCHED = [name for name, family in FAMILIES.items() if family.axes]
RESIZED = [name for name, family in FAMILIES.items() if family.resizing]
TARGETS = {"imagenet": ("0.6G", 224, 1000), "cifar": ("60M", 32, 10)}


def published(family: str) -> list[Config]:
    """The cheapest landmark of each target."""
    found = {}
    for known in sorted(LANDMARKS.values(), key=lambda each: -each.macs):
        if known.family == family and known.config is not None:
            found[known.target] = known
    assert found, f"family {family} has no landmark"
    return [known.config for known in found.values() if known.config is not None]


def drawn(family: str, kind: str, mode: str = "frontier", count: int = 4) -> list[Config]:
    budget, size, classes = TARGETS[kind]
    rng = random.Random(family)
    return [draw(Target(Budget.parse(budget), mode, size, classes), rng, (family,))[1].config for _ in range(count)]


def networks(family: str) -> list[Config]:
    more = [each for kind in TARGETS for each in drawn(family, kind)] if FAMILIES[family].axes else []
    return [*published(family), *more]


@pytest.mark.parametrize("family", FAMILIES)
def test_configurations_are_json_without_loss(family: str) -> None:
    ids = set()
    for config in networks(family):
        again = config_from_json(json.loads(json.dumps(config.to_json())))
        assert again == config and hash(again) == hash(config) and again.id == config.id
        assert type(again) is FAMILIES[family].config and again.family == family
        ids.add(config.id)
    assert len(ids) == len(set(networks(family)))
    (first, *_) = published(family)
    for wrong in ({"colour": 1}, {"stem": "none"}, {"depths": []}, {"depths": [0]}, {"depths": ["two"]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            config_from_json(first.to_json() | wrong)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_counted_is_unrolled_and_built(family: str) -> None:
    for config in networks(family):
        counted = cost(config, 64, 7)
        layers = [layer for _, layers in unroll(config.blocks(64, 7)) for layer in layers]
        sums = [sum(column) for column in zip(*(layer.totals(1) for layer in layers), strict=True)]
        assert sums == [counted.macs, counted.params, counted.activations]
        assert len(config.layers(64, 7)) == len(layers)
        with torch.device("meta"):
            model = build(config, 7, 64)
        assert sum(each.numel() for each in model.parameters()) == counted.params


@pytest.mark.parametrize("family", FAMILIES)
def test_ptflops_and_torch_count_the_same(family: str) -> None:
    for config in published(family) + (drawn(family, "imagenet", count=1) if FAMILIES[family].axes else []):
        counted = cost(config, 64, 7)
        assert count_with_ptflops(config, 64, 7) == count_with_torch(config, 64, 7) == (counted.macs, counted.params)


@pytest.mark.parametrize("family", SEARCHED)
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("mode", MODES)
def test_the_budget_is_met_and_the_way_back_is_found(family: str, kind: str, mode: str) -> None:
    budget, size, classes = TARGETS[kind]
    target = Target(Budget.parse(budget), mode, size, classes)
    rng = random.Random(f"{family} {mode}")
    back = 0
    for _ in range(12):
        name, proposal = draw(target, rng, (family,))
        assert name == family == proposal.config.family
        macs = cost(proposal.config, size, classes).macs
        assert 0.85 * proposal.target_macs <= macs <= proposal.target_macs <= target.budget.macs
        if mode == "match":
            assert proposal.target_macs == target.budget.macs
        found = values_of(proposal.config, target)
        if found is not None:  # none where depths were cut below the axes
            assert found[0] == family and list(found[1]) == [axis.name for axis in axes(family, target)]
            again = cost(propose(*found, target).config, size, classes).macs
            assert abs(again - macs) <= 0.05 * macs
            back += 1
    assert back >= 6


@pytest.mark.parametrize("family", RESIZED)
def test_widths_and_depths_change_alone(family: str) -> None:
    (config, *_) = published(family)
    whole = cost(config, 64, 7).macs
    half = solve_width(config, whole // 2, lambda each: cost(each, 64, 7).macs)
    assert 0.3 * whole <= cost(half, 64, 7).macs <= whole // 2
    assert half.depths == config.depths  # type: ignore[attr-defined]
    blocks = sum(config.depths) + 4  # type: ignore[attr-defined]
    deeper = deepened(config, blocks)
    assert sum(deeper.depths) == blocks and cost(deeper, 64, 7).macs > whole  # type: ignore[attr-defined]
    a_block, beside = resizing_of(config).layers(config)
    assert a_block >= 1 and beside >= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_modules_are_torch_modules(family: str) -> None:
    (config, *_) = [SMOKE.proxy(each, 10) for each in published(family)]
    torch.manual_seed(0)
    model = build(config, 7, 32).eval()
    image = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = model(image)
        assert expected.shape == (2, 7)
        assert torch.equal(copy.deepcopy(model)(image), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(image), expected)
        fresh = build(config, 7, 32).eval()
        fresh.load_state_dict(model.state_dict(), strict=True)
        assert torch.equal(fresh(image), expected)
        assert torch.equal(model.forward_head(model.forward_features(image)), expected)
        model.reset_classifier(0)
        assert model(image).shape == (2, model.num_features)
    maps = build(config, 7, 32, features_only=True)
    for found, about in zip(maps(image), maps.feature_info, strict=True):
        assert found.shape[1] == about.channels and found.shape[2] * about.reduction == 32


@pytest.mark.parametrize("family", FAMILIES)
def test_a_proxy_trains(family: str) -> None:
    (config, *_) = published(family)
    score = train_proxy(config, SMOKE, load_data("digits", SMOKE.resolution, 0, SMOKE.train_images), device="cpu")
    assert score.state == "complete", score.reason
    assert len(score.curve) == SMOKE.epochs and score.curve[-1]["train_loss"] < 2.5
