"""The proxy of a network costs what it should, whatever its family."""

import dataclasses
import json
import random

import pytest
import torch

from evaluate.images.load import load_data
from evaluate.measures.counting import count_with_torch
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.reference import Reference, usual_reference
from space import Budget, Config, DenseConfig, ResidualConfig, build, cost, landmark
from space.solving.axes import Target, draw, searched
from space.solving.proxy import FAR, solve_proxy

TARGETS = [("40M", 32, 10), ("0.6G", 224, 1000), ("4.1G", 224, 1000)]


@pytest.mark.parametrize(("budget", "size", "classes"), TARGETS)
@pytest.mark.parametrize("preset", ["cpu", "fast"])
@pytest.mark.parametrize("family", searched())
def test_it_costs_what_is_due(family: str, preset: str, budget: str, size: int, classes: int) -> None:
    recipe, target = RECIPES[preset], Target(Budget.parse(budget), "frontier", size, classes)
    reference, rng = Reference(target.budget.macs, size, classes), random.Random(f"{family} {preset} {budget}")
    misses, refused = [], 0
    for _ in range(8):
        config = draw(target, rng, (family,))[1].config
        due = cost(config, size, classes).macs * min(1, recipe.proxy_macs / target.budget.macs)
        try:
            proxy = recipe.proxy(config, 10, reference)
        except ValueError as error:
            assert "no width of this shape" in str(error) and family == "densenet"
            refused += 1
            continue
        misses.append(abs(cost(proxy, recipe.resolution, 10).macs / due - 1))
        assert proxy.stem == "cifar" and proxy.depths == config.depths and proxy.family == family
        _keeps_its_form(config, proxy)
    assert refused <= 3
    assert max(misses) <= FAR and sorted(misses)[len(misses) // 2] <= 0.03


def _keeps_its_form(config: Config, proxy: Config) -> None:
    if isinstance(config, ResidualConfig) and isinstance(proxy, ResidualConfig):
        assert (proxy.block, proxy.shortcut) == (config.block, config.shortcut)
        for own, inner, groups in zip(config.groups, proxy.inner_widths, proxy.groups, strict=True):
            assert groups == min(own, inner)  # the cardinality, or a group a channel
    else:
        assert isinstance(config, DenseConfig) and isinstance(proxy, DenseConfig)
        assert proxy.bottleneck == config.bottleneck
        assert config.compression / 2 <= proxy.compression <= 1.34 * config.compression


def test_networks_of_one_cost_have_proxies_of_one_cost() -> None:
    names = ("resnet50", "resnext50_32x4d", "densenet201", "regnetx_4.0gf")
    known = [landmark(name) for name in names]
    recipe, reference = RECIPES["cpu"], usual_reference("imagenet")
    parts = [cost(recipe.proxy(each, 10), 16, 10).macs / cost(each).macs for each in known]
    assert parts == pytest.approx([recipe.proxy_macs / reference.macs] * len(known), rel=0.03)


def test_a_part_of_the_budget_gets_that_part_and_never_more_than_the_network_costs() -> None:
    config, reference = landmark("resnet50"), Reference(2 * cost(landmark("resnet50")).macs, 224, 1000)
    assert reference.due(config, 1_000_000) == 500_000
    assert reference.due(config, 10**12) == cost(config).macs


def test_without_a_budget_the_reference_is_a_published_network() -> None:
    assert usual_reference("imagenet") == Reference(cost(landmark("resnet50")).macs, 224, 1000)
    assert usual_reference("cifar") == Reference(cost(landmark("cifar_resnet110"), 32, 10).macs, 32, 10)


def test_a_shape_without_such_a_proxy_is_refused_before_it_is_trained() -> None:
    deep = DenseConfig("densenet", "imagenet", 16, (12, 24, 72, 56), 8)
    with pytest.raises(ValueError, match=r"no width of this shape makes a proxy of 100kFLOPs at 16x16: the nearest"):
        solve_proxy(dataclasses.replace(deep, stem="cifar"), 100_000, 16, 10)
    score = train_proxy(deep, dataclasses.replace(RECIPES["smoke"], proxy_macs=1000), load_data("digits", 8, 0, 512))
    assert score.state == "failed" and score.proxy_macs is None and "no width of this shape" in str(score.reason)


@pytest.mark.parametrize("extra", [1, 250, 500, 999])
def test_a_fraction_of_a_channel_a_layer_is_built_as_it_is_counted(extra: int) -> None:
    config = DenseConfig("densenet", "cifar", 6, (5, 4, 7), 3, extra_growth=extra)
    grown = sum((config.depths[0] + 1) * [0]) + 16 * extra // 1000  # channels beyond three a layer
    assert cost(config, 16, 10).macs == count_with_torch(config, 16, 10)[0]
    outputs = [layer for layer in config.layers(16, 10) if layer.name.endswith("conv2")]
    assert sum(layer.out_channels for layer in outputs) == 16 * 3 + grown
    assert max(layer.out_channels for layer in outputs) - min(layer.out_channels for layer in outputs) <= 1
    assert build(config, 10, 16)(torch.zeros(2, 3, 16, 16)).shape == (2, 10)
    assert DenseConfig.from_json(config.to_json()) == config


def test_a_score_says_what_was_trained() -> None:
    recipe, config = RECIPES["smoke"], landmark("resnet18")
    score = train_proxy(config, recipe, load_data("digits", 8, 0, 512), device="cpu")
    assert score.proxy_macs == cost(recipe.proxy(config, 10), 8, 10).macs
    assert score.proxy_macs == pytest.approx(usual_reference("imagenet").due(config, 300_000), rel=0.03)


def test_the_same_proxy_in_any_order() -> None:
    target = Target(Budget.parse("40M"), "frontier", 32, 10)
    drawn = [draw(target, random.Random(seed))[1].config for seed in range(12)]
    first = [solve_proxy.__wrapped__(config, 200_000, 16, 10) for config in drawn]
    assert [solve_proxy.__wrapped__(config, 200_000, 16, 10) for config in reversed(drawn)] == first[::-1]


def test_a_dry_run_gives_the_proxys_cost(command) -> None:
    ended = command("search", "--budget", "40M", "--input", "32", "--classes", "10", "--dry-run", "6", "--json",
                    "--data", "digits", "--recipe", "smoke", "--landmarks", "none")  # fmt: skip
    assert ended.status in (0, None), ended.err
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert len(rows) == 6
    for row in rows:
        assert row["proxy_macs"] == pytest.approx(row["macs"] * 300_000 / 40e6, rel=FAR)
    assert "proxies at 1/133 of the cost: 6 of 6 proxies cost within 3 % of their due, 0 networks refused" in ended.err
