"""The way back: from a network to the values of the axes that describe it; and quantiles of an axis."""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from space import FAMILIES, Budget, Config, DenseConfig, Limits, ResidualConfig, cost, family_of
from space.landmarks.networks import LANDMARKS, landmark
from space.solving.axes import MODES, SPEND, Axis, Target, draw, propose, values_of

# of a RegNet the widths of its stages are not in one ratio to the last channel
EXACT_FAMILIES = ("resnet", "wide_resnet", "resnext", "densenet")
EXACT = [
    name
    for name, entry in LANDMARKS.items()
    if entry.target == "imagenet" and entry.family in EXACT_FAMILIES and not name.endswith("_v1")
]
CIFAR = ["resnext29_8x64d", "resnext29_16x64d", "densenet_40_12", "densenet_100_12", "densenet_bc_100_12"]


def choices(config: Config) -> object:
    if isinstance(config, DenseConfig):
        return config.depths, config.bottleneck
    assert isinstance(config, ResidualConfig)
    groups = None if "groups" in family_of(config).solved else config.groups
    return config.depths, config.block, groups


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("budget", "size", "limits"),
    [
        ("0.6G", 224, Limits()),
        ("4.1G", 224, Limits()),
        ("15G", 224, Limits()),
        ("0.5G", 32, Limits()),
        ("4.1G", 224, Limits(10_000_000, 8_000_000)),
    ],
)
def test_values_describe_every_draw(
    budget: str, size: int, limits: Limits, mode: str, check_axes: Callable[..., None]
) -> None:
    classes = 1000 if size == 224 else 10
    target = Target(Budget.parse(budget), mode, size, classes, limits)
    rng = random.Random(8)
    same = described = 0
    for _ in range(60):
        family, proposal = draw(target, rng)
        config, counted = proposal.config, cost(proposal.config, size, classes)
        found = values_of(config, target)
        if found is None:  # only where the solver had to cut depths below the axes, or could not fill the budget
            least = {axis.name: axis.low for axis in FAMILIES[family].axes[target.kind]}
            cut = any(depth < least[f"depth{n}"] for n, depth in enumerate(config.depths, 1))  # type: ignore[attr-defined,operator]
            assert cut or counted.macs < 0.97 * proposal.target_macs
            continue
        described += 1
        assert found[0] == family
        check_axes(*found, target)
        again = propose(*found, target).config
        assert choices(again) == choices(config)
        assert not limits.broken(cost(again, size, classes))
        if not limits:
            assert cost(again, size, classes).macs == pytest.approx(counted.macs, rel=0.03)
        same += again == config
    assert described >= 58
    assert same >= 25  # many are found again to the last channel


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EXACT + CIFAR)
def test_landmarks_are_found_again_to_the_last_channel(name: str, mode: str, check_axes: Callable[..., None]) -> None:
    entry = LANDMARKS[name]
    config = landmark(name)
    macs = cost(config, entry.input_size, entry.classes).macs
    budget = macs if mode == "match" else 2 * macs
    target = Target(Budget(budget), mode, entry.input_size, entry.classes)
    found = values_of(config, target)
    assert found is not None
    check_axes(*found, target)
    assert propose(*found, target).config == config
    if mode == "frontier":
        assert 0 < float(found[1]["spend"]) < 1


def test_what_the_axes_cannot_express_has_no_values() -> None:
    target = Target(Budget.parse("20G"))
    plain = landmark("resnet50")
    assert isinstance(plain, ResidualConfig)
    found = values_of(plain, target)
    assert found is not None
    assert found[0] == "resnet"
    others: dict[str, Config] = {
        "stride in the first 1x1": landmark("resnet50_v1"),
        "pre-activation": replace(plain, preactivation=True),
        "shortcut A": replace(plain, shortcut="A"),
        "no shortcut": replace(plain, shortcut="none"),
        "another stem": replace(plain, stem="regnet"),
        "a stem for small images": replace(plain, stem="cifar"),
        "a family that is no axis of its own": replace(plain, family="preresnet"),
        "too deep": replace(plain, depths=(3, 4, 6, 9)),
        "three stages": replace(
            plain, depths=(3, 4, 6), widths=(256, 512, 1024), inner_widths=(64, 128, 256), groups=(1,) * 3
        ),
        "five stages": replace(
            plain, depths=(3,) * 5, widths=plain.widths + (4096,), inner_widths=plain.inner_widths + (1024,),
            groups=(1,) * 5,
        ),
        "uneven groups": replace(plain, family="resnext", groups=(2, 4, 4, 4)),
        "a cardinality that is no choice": replace(
            plain, family="resnext", inner_widths=(63, 126, 252, 504), groups=(3,) * 4
        ),
        "grouped, but no ResNeXt": replace(plain, groups=(2,) * 4),
        "a ResNeXt of one group": replace(plain, family="resnext"),
        "widened, but no Wide ResNet": replace(landmark("wide_resnet50_2"), family="resnet"),
        "equal widths": replace(plain, widths=(512,) * 4, inner_widths=(128,) * 4),
        "another bottleneck ratio": replace(landmark("densenet121"), bottleneck=2),
        "more compression than the axis has": replace(landmark("densenet121"), compression=0.05),
        "too shallow": replace(landmark("densenet121"), depths=(6, 12, 24, 2)),
    }  # fmt: skip
    for what, config in others.items():
        assert values_of(config, target) is None, what
    assert values_of(landmark("cifar_resnet20"), Target(Budget.parse("1G"), "frontier", 32, 10)) is None


def test_a_network_beyond_the_budget_or_a_limit_has_no_values() -> None:
    config = landmark("resnet50")
    counted = cost(config)
    at, below, above = (Budget(round(counted.macs * part)) for part in (1, 0.999, 1.05))
    assert values_of(config, Target(at)) is not None
    assert values_of(config, Target(below)) is None
    assert values_of(config, Target(at, "match")) is not None
    assert values_of(config, Target(above, "match")) is None  # more than 3 % unspent
    assert values_of(config, Target(above)) is not None
    assert values_of(config, Target(Budget(12 * counted.macs))) is None  # the least that is spent is a tenth
    assert values_of(config, Target(above, limits=Limits(counted.params))) is not None
    assert values_of(config, Target(above, "match", limits=Limits(counted.params))) is not None  # the limit binds
    assert values_of(config, Target(above, limits=Limits(counted.params - 1))) is None
    assert values_of(config, Target(above, limits=Limits(None, counted.activations - 1))) is None


# --- quantiles ---------------------------------------------------------------------------------------------------

AXES = {axis for family in FAMILIES.values() for own in family.axes.values() for axis in own} | {
    SPEND,
    Axis("plain", 3, 9),
}


@pytest.mark.parametrize("axis", sorted(AXES, key=repr), ids=repr)
def test_quantiles_span_the_axis_and_agree_with_draws(axis: Axis) -> None:
    points = [axis.at((number + 0.5) / 4000) for number in range(4000)]
    rng = random.Random(6)
    draws = [axis.draw(rng) for _ in range(4000)]
    if axis.choices:
        assert axis.at(0) == axis.choices[0]
        assert axis.at(math.nextafter(1, 0)) == axis.choices[-1]
        even, random_ = Counter(points), Counter(draws)
        assert max(even.values()) - min(even.values()) <= 1
        assert set(even) == set(random_) == set(axis.choices)
        return
    assert axis.at(0) == axis.low
    assert axis.at(math.nextafter(1, 0)) == pytest.approx(axis.high)
    assert points == sorted(points)  # type: ignore[type-var]
    assert all(type(value) is type(axis.low) and axis.low <= value <= axis.high for value in points)  # type: ignore[operator]
    if isinstance(axis.low, int):
        assert set(points) == set(range(axis.low, int(axis.high) + 1))
    # Kolmogorov-Smirnov: at 4,000 draws each, a gap above 0.04 has a chance of about 1 in 400; the seed is fixed
    values = sorted(set(points) | set(draws))  # type: ignore[type-var]
    even, random_ = Counter(points), Counter(draws)
    below = gap = 0
    for value in values:
        below += even[value] - random_[value]
        gap = max(gap, abs(below))
    assert gap / 4000 < 0.04


@pytest.mark.parametrize("u", [-0.1, 1, 1.5, math.nan])
def test_quantiles_are_of_a_part(u: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to below 1"):
        SPEND.at(u)


def test_the_draws_of_a_seed_stay_what_they_are() -> None:
    """A survey that goes on must meet the networks that it began with."""
    digest = hashlib.sha256()
    for mode in MODES:
        for size, classes in ((224, 1000), (32, 10)):
            rng = random.Random(0)
            for _ in range(100):
                config = draw(Target(Budget.parse("1G"), mode, size, classes), rng, EXACT_FAMILIES)[1].config
                digest.update(config.id.encode())
    assert digest.hexdigest()[:16] == "d563d6d39f8e5975"
