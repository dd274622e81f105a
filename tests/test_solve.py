"""The budget is solved: never over, close to it, and landmarks are found again from their own shape and cost."""

import random
from dataclasses import replace

import pytest

from space import Budget, DenseConfig, ResidualConfig, cost
from space.landmarks.networks import LANDMARKS, landmark
from space.networks.dense_shape import DenseShape
from space.networks.residual_shape import ResidualShape
from space.networks.residual_sizes import solve_base_width
from space.solving.axes import Target, axes, check_families, draw, propose, searched
from space.solving.solve import measure_at, solve


@pytest.mark.parametrize("mode", ["frontier", "match"])
@pytest.mark.parametrize("budget", ["0.2G", "0.6G", "1G", "4.1G", "7.8G", "15G"])
def test_proposals_fill_their_target_and_never_exceed_it(mode: str, budget: str) -> None:
    target = Target(Budget.parse(budget), mode)
    rng = random.Random(1)
    far = 0
    for _ in range(400):
        _, proposal = draw(target, rng)
        macs = cost(proposal.config).macs
        assert macs <= proposal.target_macs <= target.budget.macs
        far += macs < 0.97 * proposal.target_macs
        if mode == "match":
            assert proposal.target_macs == target.budget.macs
    assert far <= 4


def test_channels_are_multiples_of_eight_and_of_the_cardinality() -> None:
    target = Target(Budget.parse("2G"))
    rng = random.Random(2)
    for _ in range(300):
        _, proposal = draw(target, rng, ("resnet", "wide_resnet", "resnext"))
        config = proposal.config
        assert isinstance(config, ResidualConfig)
        for width, inner, groups in zip(config.widths, config.inner_widths, config.groups, strict=True):
            assert width % 8 == inner % 8 == inner % groups == 0


def test_small_inputs_get_the_cifar_stem_and_stay_within_budget() -> None:
    target = Target(Budget.parse("0.5G"), "frontier", 32, 10)
    rng = random.Random(3)
    for _ in range(200):
        _, proposal = draw(target, rng)
        assert proposal.config.stem == "cifar"  # type: ignore[attr-defined]
        assert cost(proposal.config, 32, 10).macs <= proposal.target_macs


def shape_of(config: ResidualConfig | DenseConfig) -> ResidualShape | DenseShape:
    if isinstance(config, DenseConfig):
        return DenseShape(config.family, config.stem, config.depths, config.bottleneck, config.compression)
    widening = config.inner_widths[0] / config.stem_width
    return ResidualShape(config.family, config.stem, config.block, config.depths, config.groups[0], widening)


# of a RegNet the widths of its stages are not in one ratio to the last channel
EXACT_FAMILIES = ("resnet", "wide_resnet", "resnext", "densenet")
IMAGENET = [
    name
    for name, entry in LANDMARKS.items()
    if entry.target == "imagenet" and entry.family in EXACT_FAMILIES and not name.endswith("_v1")
]


@pytest.mark.parametrize("name", IMAGENET)
def test_a_landmark_is_found_again_from_its_shape_and_cost(name: str) -> None:
    config = landmark(name)
    assert isinstance(config, ResidualConfig | DenseConfig)
    assert solve(shape_of(config), cost(config).macs) == config


@pytest.mark.parametrize("name", IMAGENET)
def test_the_ranges_contain_every_imagenet_landmark(name: str) -> None:
    config = landmark(name)
    assert isinstance(config, ResidualConfig | DenseConfig)
    shape = shape_of(config)
    values = {f"depth{number}": depth for number, depth in enumerate(shape.depths, 1)}
    for key in ("block", "cardinality", "widening", "bottleneck", "compression"):
        if hasattr(shape, key):
            values[key] = getattr(shape, key)
    target = Target(Budget(cost(config).macs), "match")
    for axis in axes(config.family, target):
        value = values[axis.name]
        assert value in axis.choices if axis.choices else axis.low <= value <= axis.high
    assert propose(config.family, values, target).config == config


@pytest.mark.parametrize(("name", "at_eight"), [("resnet50", 13), ("resnet101", 14)])
def test_table_3_of_resnext(name: str, at_eight: int) -> None:
    config = landmark(name)
    assert isinstance(config, ResidualConfig)
    found = {
        cardinality: solve_base_width(config, cardinality, cost(config).macs, measure_at(224, 1000)).inner_widths[0]
        // cardinality
        for cardinality in (1, 2, 4, 8, 32)
    }
    # The paper has 14 at cardinality 8, which costs 4 % more than ResNet-50: there 13 is nearer.
    assert found == {1: 64, 2: 40, 4: 24, 8: at_eight, 32: 4}


def test_a_net_too_deep_for_its_target_is_cut_not_refused() -> None:
    deep = ResidualShape("resnet", "imagenet", "bottleneck", (8, 16, 40, 8))
    config = solve(deep, 40_000_000)
    assert isinstance(config, ResidualConfig)
    assert cost(config).macs <= 40_000_000
    assert sum(config.depths) < sum(deep.depths)
    assert config.depths[2] > config.depths[1] > config.depths[0]
    with pytest.raises(ValueError, match="the smallest costs"):
        solve(deep, 1_000_000)


def test_more_budget_never_gives_a_smaller_network() -> None:
    shape = ResidualShape("resnext", "imagenet", "bottleneck", (3, 4, 6, 3), 32, 2.0)
    costs = [cost(solve(shape, macs)).macs for macs in range(300_000_000, 6_000_000_000, 100_000_000)]
    assert costs == sorted(costs)


def test_wider_than_asked_is_impossible_for_any_family_that_is_too_big() -> None:
    with pytest.raises(ValueError, match="below the smallest resnext"):
        check_families(("resnext",), Target(Budget.parse("20M")))
    with pytest.raises(ValueError, match="expected some of"):
        check_families(("vgg",), Target(Budget.parse("4G")))
    check_families(searched(), Target(Budget.parse("0.2G")))
    with pytest.raises(ValueError, match="mode"):
        replace(Target(Budget.parse("4G")), mode="best")
