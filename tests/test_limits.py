"""Limits beside the multiply-adds are solved, not tested: never broken, and filled as the budget is."""

import random
from dataclasses import replace

import pytest

from space import Budget, DenseConfig, Limits, ResidualConfig, cost
from space.landmarks.networks import landmark
from space.networks.dense_shape import DenseShape
from space.networks.layers import Cost
from space.networks.residual_shape import ResidualShape
from space.solving.axes import MODES, Target, check_families, draw, searched
from space.solving.solve import solve

TIGHT = [
    Limits(25_000_000),
    Limits(3_000_000),
    Limits(None, 11_000_000),
    Limits(None, 2_000_000),
    Limits(5_000_000, 5_000_000),
]
RESNET50 = ResidualShape("resnet", "imagenet", "bottleneck", (3, 4, 6, 3))
DENSENET121 = DenseShape("densenet", "imagenet", (6, 12, 24, 16), 4, 0.5)


def shares(counted: Cost, macs: int, limits: Limits) -> dict[str, float]:
    """What part of each limit is used."""
    most = {"macs": macs, "params": limits.max_params, "activations": limits.max_activations}
    return {name: getattr(counted, name) / limit for name, limit in most.items() if limit is not None}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limits", TIGHT, ids=str)
@pytest.mark.parametrize(("budget", "size", "classes"), [("4.1G", 224, 1000), ("0.6G", 224, 1000), ("0.5G", 32, 10)])
def test_proposals_break_no_limit_and_fill_the_one_that_binds(
    budget: str, size: int, classes: int, limits: Limits, mode: str
) -> None:
    target = Target(Budget.parse(budget), mode, size, classes, limits)
    rng = random.Random(1)
    far, bound = 0, set()
    for _ in range(100):
        _, proposal = draw(target, rng)
        used = shares(cost(proposal.config, size, classes), proposal.target_macs, limits)
        binds = max(used, key=lambda name: used[name])
        assert used[binds] <= 1
        far += used[binds] < 0.97
        bound.add(binds)
    assert far <= 3
    if budget == "4.1G" and mode == "match":
        assert bound - {"macs"}


@pytest.mark.parametrize("mode", MODES)
def test_limits_that_do_not_bind_change_nothing(mode: str) -> None:
    free = Target(Budget.parse("4.1G"), mode)
    loose = replace(free, limits=Limits(10**12, 10**12))
    assert [draw(free, random.Random(seed)) for seed in range(60)] == [
        draw(loose, random.Random(seed)) for seed in range(60)
    ]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet50", RESNET50),
        ("resnext50_32x4d", replace(RESNET50, family="resnext", cardinality=32, widening=2.0)),
        ("densenet121", DENSENET121),
    ],
)
def test_a_landmark_is_found_again_from_its_params_or_its_activations_alone(
    name: str, shape: ResidualShape | DenseShape
) -> None:
    config = landmark(name)
    counted = cost(config)
    assert solve(shape, 10**12, limits=Limits(max_params=counted.params)) == config
    assert solve(shape, 10**12, limits=Limits(max_activations=counted.activations)) == config
    # one less of anything and it is too large
    for less in (Limits(counted.params - 1), Limits(None, counted.activations - 1)):
        smaller = solve(shape, 10**12, limits=less)
        assert smaller != config
        assert not less.broken(cost(smaller))


def test_a_higher_limit_never_gives_a_smaller_network() -> None:
    params = [cost(solve(RESNET50, 4 * 10**9, limits=Limits(m * 10**6))).params for m in range(1, 40)]
    assert params == sorted(params)
    assert params[-1] == params[-2]  # the budget binds


def test_the_measure_is_at_most_the_target_exactly_if_nothing_is_exceeded() -> None:
    target = Target(Budget.parse("2G"))
    rng = random.Random(4)
    for _ in range(100):
        config = draw(target, rng)[1].config
        counted = cost(config)
        # off by one in each direction, and exact
        macs, params, activations = (
            count + rng.choice((-1, 0, 1)) for count in (counted.macs, counted.params, counted.activations)
        )
        limits = Limits(params, activations)
        fits = counted.macs <= macs and not limits.broken(counted)
        assert (limits.measure(macs, 224, 1000)(config) <= macs) == fits


def test_a_net_too_deep_for_its_limits_is_cut_not_refused() -> None:
    deep = ResidualShape("resnet", "imagenet", "bottleneck", (8, 16, 40, 8))
    for limits in (Limits(120_000), Limits(None, 700_000)):
        config = solve(deep, 10**9, limits=limits)
        assert isinstance(config, ResidualConfig)
        assert not limits.broken(cost(config))
        assert 4 < sum(config.depths) < sum(deep.depths)
    dense = solve(replace(DENSENET121, depths=(12, 24, 72, 56)), 10**9, limits=Limits(100_000))
    assert isinstance(dense, DenseConfig)
    assert cost(dense).params <= 100_000
    with pytest.raises(
        ValueError, match=r"has at most 1000000000 multiply-adds, 1k params: the smallest costs .* the tightest"
    ):
        solve(deep, 10**9, limits=Limits(1000))


@pytest.mark.parametrize("family", searched())
@pytest.mark.parametrize("field", ["max_params", "max_activations"])
@pytest.mark.parametrize(("size", "classes"), [(224, 1000), (32, 10)])
def test_the_tightest_limit_that_is_admitted_can_be_kept_by_every_shape(
    family: str, field: str, size: int, classes: int
) -> None:
    target = Target(Budget.parse("1G"), "match", size, classes)

    def at(limit: int) -> Target:
        return replace(target, limits=Limits(**{field: limit}))

    def admitted(limit: int) -> bool:
        try:
            check_families((family,), at(limit))
        except ValueError:
            return False
        return True

    low, high = 1, 10**9
    assert admitted(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if admitted(middle) else (middle, high)
    rng = random.Random(3)
    for _ in range(40):
        _, proposal = draw(at(high), rng, (family,))
        assert not at(high).limits.broken(cost(proposal.config, size, classes))


def test_limits_that_no_family_member_keeps_are_refused_with_what_to_type() -> None:
    target = Target(Budget.parse("4G"), limits=Limits(max_params=1000))
    with pytest.raises(
        ValueError, match=r"^--max-params 1k is below .* densenet .*: raise --max-params, .*--families$"
    ):
        check_families(("densenet",), target)
    with pytest.raises(ValueError, match=r"^--max-activations 5 is below the smallest resnet .*--max-activations, or"):
        check_families(("resnet",), replace(target, limits=Limits(max_activations=5)))
    check_families(searched(), replace(target, limits=Limits(3_000_000, 3_000_000)))


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "25M", True, 10**14])
@pytest.mark.parametrize("field", ["max_params", "max_activations"])
def test_limits_are_positive_whole_numbers(field: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=rf"^{field} is .*: expected a whole number"):
        Limits(**{field: wrong})  # type: ignore[arg-type]


def test_limits_are_read_written_and_compared() -> None:
    assert Limits.parse("25.6M", "1.1e7") == Limits(25_600_000, 11_000_000)
    assert Limits.parse(None, "11M") == Limits(max_activations=11_000_000)
    assert not Limits.parse()
    assert Limits(1)
    assert str(Limits.parse("25.6M", "11M")) == "25.6M params, 11M activations"
    with pytest.raises(ValueError, match="--max-activations 'x'"):
        Limits.parse("25M", "x")
    counted = Cost(10**9, 100, 200)
    assert Limits(100, 200).broken(counted) == ()
    assert Limits(99, 199).broken(counted) == ("params", "activations")
