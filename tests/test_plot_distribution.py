"""Errors by group at like cost: which networks count, what is said of them, and that nothing overlaps."""

import itertools
import random
from dataclasses import replace

import pytest

from results.analysis.samples import AXES, groups, samples
from results.plots import View, figure, style
from results.plots.distribution import draw_distribution
from results.plots.distribution_data import DistributionPlot, Panel, distribution_data
from results.run.run import Run
from tests.pictures import check, make_run, sample, scored

CHEAP, COSTLY = 1.0, 2.0


def networks(family: str, errors: dict[float, list[float]], first: int, **more: object) -> list[dict[str, object]]:
    """Samples with these errors at each cost."""
    pairs = [(cost, error) for cost, several in errors.items() for error in several]
    return [
        sample(first + number, 100 - error, cost, family, depth=10) | more for number, (cost, error) in enumerate(pairs)
    ]


def two_costs() -> list[dict[str, object]]:
    """ResNets mostly cheap and so mostly wrong, ResNeXts mostly costly; at the same cost they are equal."""
    rows = networks("resnet", {CHEAP: [40.0] * 9, COSTLY: [30.0] * 3}, 0)
    return rows + networks("resnext", {CHEAP: [40.0] * 3, COSTLY: [30.0] * 9}, 100)


def mixed(count: int, mode: str = "frontier", families: tuple[str, ...] = ("resnet", "resnext", "densenet")) -> Run:
    """Networks at random; a DenseNet is five points better, and no other number decides anything."""
    rng, rows = random.Random(0), []
    for number, family in zip(range(count), itertools.cycle(families), strict=False):
        gmacs = 4.1 - 0.01 * rng.random() if mode == "match" else 0.4 * 10 ** rng.random()
        dense = family == "densenet"
        top1 = 60 + 5 * dense + rng.gauss(0, 2)
        rows.append(
            sample(number, top1, gmacs, family, depth=rng.randint(4, 60), width=8 * rng.randint(2, 50),
                   cardinality=None if dense else rng.choice((2, 4, 8)) if family == "resnext" else 1,
                   widening=None if dense else rng.uniform(1, 4), growth_rate=rng.randint(8, 90) if dense else None,
                   compression=rng.uniform(0.3, 1) if dense else None, latency_ms=3 * gmacs,
                   block=rng.choice(("dense", "dense bottleneck") if dense else ("basic", "bottleneck")))
        )  # fmt: skip
    return make_run(rows, mode=mode, sampler="tpe", data="cifar10")


def panel(data: DistributionPlot, title: str) -> Panel:
    return next(each for each in data.panels if each.title.startswith(title))


# ---------------------------------------------------------------------------------------------- data


def test_cost_is_taken_out_of_the_comparison() -> None:
    data = distribution_data(make_run(two_costs()))
    family = panel(data, "family")
    assert [(curve.label, curve.networks) for curve in family.curves] == [("ResNet", 12), ("ResNeXt", 12)]
    assert family.bins == 2 and family.outside == 0
    between = next(place for place, error in enumerate(family.errors) if 33 < error < 37)
    for curve in family.curves:  # without weights a quarter and three quarters
        assert curve.share[between] == pytest.approx(0.5)
        assert (curve.share[0], curve.share[-1]) == pytest.approx((0, 1))
        assert not curve.seen
    assert "arXiv:1905.13214" in data.caption


def test_costs_that_one_group_lacks_are_left_out() -> None:
    rows = networks("resnet", {cost: [40.0] * 6 for cost in (0.5, 1.0, 2.0)}, 0)
    rows += networks("resnext", {cost: [40.0] * 6 for cost in (1.0, 2.0, 4.0)}, 100)
    family = panel(distribution_data(make_run(rows)), "family")
    assert [curve.networks for curve in family.curves] == [12, 12]
    assert family.outside == 12


def test_a_difference_is_seen_or_not() -> None:
    spread = [n / 10 for n in range(20)]
    rows = networks("resnet", {4.0: [40 + each for each in spread]}, 0)
    rows += networks("resnext", {4.0: [30 + each for each in spread]}, 100)
    rows += networks("wide_resnet", {4.0: [40.1 + each for each in spread]}, 200)
    data = distribution_data(make_run(rows))
    curves = {curve.label: curve for curve in panel(data, "family").curves}
    assert curves["ResNeXt"].lowest and curves["ResNeXt"].median == pytest.approx(30.9)
    assert curves["ResNet"].behind == pytest.approx(10)
    assert curves["ResNet"].seen and curves["Wide ResNet"].seen
    texts = check(draw_distribution(data))
    low, high = curves["ResNet"].behind_range
    assert f"+10.0 [{low:.1f}, {high:.1f}]" in texts


def test_only_draws_of_the_space_count_and_each_once() -> None:
    rows = networks("resnet", {4.0: [40.0] * 10}, 0)
    rows += [
        scored(50, "resnet50", 99.0) | {"depth": 16},
        sample(51, 99.0, 4.0, depth=9, duplicate_of=0),
        sample(52, 99.0, 4.0, depth=9, kind="repeat", repeat_of=0, seed=1),
        sample(53, float("nan"), 4.0, state="fail", depth=9),
        {"trial": 54, "state": "pruned", "kind": "sample", "family": "resnet", "reason": "stopped"},
    ]
    run = make_run(rows, sampler="tpe")
    assert len(samples(run, run.objective)) == 10
    data = distribution_data(run)
    assert [curve.networks for curve in data.panels[0].curves] == [10]
    assert data.panels[0].curves[0].median == pytest.approx(40)
    for words in ("10 sampled networks", "1 stopped early are missing", "1 failed", "The sampler (tpe)"):
        assert words in data.caption


def test_thirds_are_of_each_family_and_noise_is_no_axis() -> None:
    rows = [sample(n, 60, 4.0, "resnet", depth=n + 1, widening=1 + n / 100) for n in range(30)]
    rows += [sample(100 + n, 60, 4.0, "densenet", depth=100 + n) for n in range(30)]
    run = make_run(rows)
    frame = samples(run, run.objective)
    depth, widening = (next(axis for axis in AXES if axis.column == name) for name in ("depth", "widening"))
    thirds = groups(frame, depth)
    assert list(thirds) == ["lowest third", "middle third", "highest third"]
    for third in thirds.values():
        assert third["family"].value_counts().to_dict() == {"resnet": 10, "densenet": 10}
    assert thirds["lowest third"]["depth"].max() == 109
    assert groups(frame, widening) == {}  # a ResNet's widening is what solving its width left over
    alone = groups(frame[frame["family"] == "resnet"], depth)
    assert list(alone) == ["1 to 10", "11 to 20", "21 to 30"]


def test_each_value_is_a_group_and_small_ones_are_named() -> None:
    rows = [
        sample(100 * groups + n, 60 + groups, 4.0, "resnext", depth=9, cardinality=groups)
        for groups, count in ((2, 9), (4, 9), (8, 3))
        for n in range(count)
    ]
    data = distribution_data(make_run(rows))
    found = panel(data, "cardinality")
    assert [(curve.label, curve.median) for curve in found.curves] == [("2", 38), ("4", 36)]
    assert found.small == ("8 (3)",)
    assert "cardinality (groups) 8 (3)" in data.caption


def test_dice_show_no_difference_but_the_one_that_is_there() -> None:
    data = distribution_data(mixed(900))
    family = {curve.label: curve for curve in panel(data, "family").curves}
    assert family["DenseNet"].lowest and family["ResNet"].seen and family["ResNeXt"].seen
    others = [curve for each in data.panels[1:] for curve in each.curves if not curve.lowest]
    assert len(others) >= 10 and sum(curve.seen for curve in others) <= 2


# ---------------------------------------------------------------------------------------------- figure


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=list(style.THEMES))
@pytest.mark.parametrize(
    "run",
    [mixed(120), mixed(90, "match"), mixed(90, families=("resnext",)), make_run(two_costs())],
    ids=["frontier", "match", "one family", "two families"],
)
def test_no_text_overlaps_or_falls_off(run: Run, theme: style.Theme) -> None:
    drawn = draw_distribution(distribution_data(run), theme)
    texts = check(drawn, 15)
    assert any(text.startswith("How errors are distributed") for text in texts)
    assert drawn.get_facecolor()[:3] == pytest.approx(style.to_rgb(theme.paper))


@pytest.mark.parametrize("count", [0, 1, 7, 10])
def test_too_few_is_said(count: int) -> None:
    data = distribution_data(mixed(count))
    assert data.panels == ()
    (said,) = [text for text in check(draw_distribution(data)) if text == data.empty]
    assert f"{count} so far" in said or f"{count} in all" in said


def test_latency_is_a_cost_like_any() -> None:
    run = mixed(60)
    by_latency = distribution_data(run, View(x="latency"))
    assert "Cost: latency" in by_latency.caption
    # here latency is a multiple of the multiply-adds: the same networks are alike
    same = distribution_data(run)
    assert [each.curves for each in by_latency.panels] == [each.curves for each in same.panels]
    with pytest.raises(ValueError, match="no latency was measured"):
        figure("distribution", make_run(two_costs()), View(x="latency"), style.LIGHT)


def test_fidelity_is_said() -> None:
    run = replace(make_run(two_costs()), fidelity="fidelity unknown: nobody has looked")
    assert "Fidelity unknown: nobody has looked" in distribution_data(run).caption
