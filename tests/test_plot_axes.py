"""Scores at like cost against the axes: the rule, the best, what is important, and that nothing overlaps."""

import math
import random
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from results import load_run
from results.analysis.importance import LEAST, importances
from results.plots import View, figure, style
from results.plots.axes import draw_axes
from results.plots.axes_data import AxesPlot, AxisPanel, axes_data
from results.run.run import Run
from tests.pictures import check, make_run, sample, scored

FAMILY = CategoricalDistribution(["resnext", "densenet"])
SPACES = {
    "resnext.depth3": IntDistribution(1, 40, log=True),
    "resnext.cardinality": CategoricalDistribution([2, 4, 8, 16, 32, 64]),
    "resnext.spend": FloatDistribution(0, 1),
}


def deep_is_good(count: int, mode: str = "frontier", seed: int = 0) -> Run:
    """ResNeXts whose score rises with cost and with depth, and with nothing else; trials have their parameters."""
    rng, rows, trials = random.Random(seed), [], []
    for number in range(count):
        depth, cardinality, spend = rng.randint(1, 40), rng.choice((2, 4, 8, 16, 32, 64)), rng.random()
        gmacs = 4.1 - 0.02 * spend if mode == "match" else 0.41 * 10**spend
        top1 = 60 + 10 * math.log10(gmacs) + 0.2 * depth + rng.gauss(0, 1)
        rows.append(
            sample(number, top1, gmacs, "resnext", depth=depth, width=8 * rng.randint(2, 50), cardinality=cardinality,
                   widening=rng.uniform(1, 4), block="bottleneck", latency_ms=3 * gmacs)
        )  # fmt: skip
        params = {"family": "resnext", "resnext.depth3": depth, "resnext.cardinality": cardinality}
        trial = create_trial(
            state=TrialState.COMPLETE, value=top1, params=params | {"resnext.spend": spend},
            distributions={"family": FAMILY} | SPACES,
        )  # fmt: skip
        trial.number = number
        trials.append(trial)
    return replace(make_run(rows, mode=mode, sampler="random", data="cifar10"), trials=tuple(trials))


def panel(data: AxesPlot, title: str) -> AxisPanel:
    return next(each for each in data.panels if each.title.startswith(title))


# ---------------------------------------------------------------------------------------------- data


def test_cost_is_taken_off() -> None:
    rows = [
        sample(n, 50 + 10 * math.log10(n + 1) + (1 if n % 2 else -1), n + 1, depth=n + 1, width=64) for n in range(100)
    ]
    data = axes_data(make_run(rows))
    (points,) = panel(data, "depth").points
    assert points.family == "resnet" and points.x == tuple(float(n + 1) for n in range(100))
    middle = list(zip(points.x, points.y, strict=True))[10:]  # a rule through few cheap networks is not as sure
    assert all(y == pytest.approx(1 if x % 2 == 0 else -1, abs=0.25) for x, y in middle)
    assert [each.title for each in data.panels] == ["depth (blocks, dense layers)"]  # all widths are equal


def test_the_best_are_found_where_they_are() -> None:
    data = axes_data(deep_is_good(400))
    depth, cardinality = panel(data, "depth"), panel(data, "cardinality")
    (best,) = depth.ranges
    assert best.family == "resnext" and best.networks == 400
    assert best.low >= 30 and best.middle >= 36 and best.high == 40
    (anywhere,) = cardinality.ranges
    assert anywhere.low <= 4 and anywhere.high == 64
    assert cardinality.ticks == (2, 4, 8, 16, 32, 64)
    assert "best at" in " ".join(check(draw_axes(data)))


def test_a_choice_has_shares() -> None:
    rows = [
        sample(n, 60 + (3 if n % 2 else 0) + 0.01 * n, 4.0, depth=9, block="bottleneck" if n % 2 else "basic")
        for n in range(40)
    ]
    found = panel(axes_data(make_run(rows)), "block")
    (choice,) = found.choices
    assert found.words == ("basic", "bottleneck") and found.ranges == ()
    # the best 20 of 40 are bottlenecks: ten draws miss all of them with 1/2 ** 10
    assert choice.shares == pytest.approx((1 / 2**10, 1 - 1 / 2**10))
    assert "best: bottleneck in 100 %" in check(draw_axes(axes_data(make_run(rows))))


def test_published_networks_are_stars_and_teach_nothing() -> None:
    rows = [sample(n, 60 + n % 3, 0.5 + n / 8, depth=n + 1, width=64 + 8 * (n % 4)) for n in range(30)]
    alone = axes_data(make_run(rows))
    rows.append(scored(50, "resnet50", 99.0) | {"depth": 16, "width": 64})
    rows.append(sample(51, 5.0, 2.0, depth=3, width=64, kind="repeat", repeat_of=0, seed=1))
    rows.append(sample(52, 60.0, 2.0, depth=3, width=64, duplicate_of=0))
    data = axes_data(make_run(rows))
    assert data.rule == alone.rule and panel(data, "depth").points == panel(alone, "depth").points
    (star,) = panel(data, "depth").stars
    assert (star.family, star.x) == ("resnet", (16.0,)) and star.y[0] == pytest.approx(38, abs=1.5)
    assert "Stars: 1 published network" in data.caption and "30 sampled networks" in data.caption


def test_match_mode_has_one_rule() -> None:
    data = axes_data(deep_is_good(60, "match"))
    assert len(data.rule) == 1
    check(draw_axes(data), 30)


# ---------------------------------------------------------------------------------------------- importance


def test_the_axis_that_decides_is_the_most_important() -> None:
    by_luck = 0
    for seed in range(4):
        (bars,) = axes_data(deep_is_good(200, seed=seed)).bars
        assert (bars.family, bars.networks) == ("resnext", 200)
        assert sorted(each.axis for each in bars.axes) == ["cardinality", "depth3", "spend"]
        first, *others = bars.axes
        assert first.axis == "depth3" and first.seen and first.value > 5 * others[0].value
        by_luck += sum(each.seen for each in others)
    assert by_luck <= 2  # one in twenty of eight


def test_shuffled_scores_are_seldom_important() -> None:
    import numpy as np

    run = deep_is_good(60)
    rng, seen, tried = np.random.default_rng(0), 0, 0
    for _ in range(8):
        noise = dict(enumerate(rng.normal(size=60).tolist()))
        found, _ = importances(run.trials, noise, "resnext", rng)
        seen, tried = seen + sum(each.seen for each in found), tried + len(found)
    assert tried == 24 and seen <= 5  # one in twenty is expected: six or more of 24 come once in a thousand


def test_too_few_networks_have_no_importance() -> None:
    assert importances(deep_is_good(LEAST - 1).trials, dict.fromkeys(range(LEAST), 0.0), "resnext", None) == ((), 19)  # type: ignore[arg-type]
    data = axes_data(deep_is_good(LEAST - 1))
    assert data.bars == () and f"needs {LEAST} sampled networks with parameters: ResNeXt (19)" in data.caption
    assert not any(each.ranges for each in data.panels)


def test_optuna_says_nothing(capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        assert axes_data(deep_is_good(30)).bars
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)
    assert capsys.readouterr() == ("", "") and not recwarn.list


# ---------------------------------------------------------------------------------------------- figure


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=list(style.THEMES))
def test_a_real_study_in_both_themes(master: object, theme: style.Theme) -> None:
    run = load_run(master)  # type: ignore[arg-type]
    drawn = figure("axes", run, View(), theme)
    texts = check(drawn, 40)
    assert any("(0), Wide ResNet (0)" in text.replace("\n", " ") for text in texts)  # its trials have no parameters
    assert len(drawn.axes) == 9


def test_many_networks_are_drawn_as_an_image() -> None:
    drawn = draw_axes(axes_data(deep_is_good(2500)), style.DARK)
    clouds = [each for axes in drawn.axes for each in axes.collections]
    assert clouds and all(each.get_rasterized() for each in clouds)
    assert not any(
        each.get_rasterized() for axes in draw_axes(axes_data(deep_is_good(50))).axes for each in axes.collections
    )


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_is_said(count: int) -> None:
    data = axes_data(deep_is_good(count))
    assert data.panels == ()
    assert f"needs 10 sampled networks with a score: {count} so far" in " ".join(check(draw_axes(data)))


def test_other_costs() -> None:
    by_latency = axes_data(deep_is_good(40), View(x="latency"))
    assert by_latency.x_label == "latency (ms)"
    with pytest.raises(ValueError, match="expected one of macs, params, activations, latency"):
        axes_data(deep_is_good(40), View(x="time"))
