"""The Gaussian model of expected errors: exact algebra, honest intervals, and scores that must earn their say."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from evaluate.calibration.covariance import (
    APART,
    APART_SLOPE,
    FAMILY_NEAR,
    FASTER,
    LEVEL,
    NEAR,
    PRIORS,
    SATURATION,
    Prior,
    Rows,
)
from evaluate.calibration.evidence import PLAIN, Evidence, evidence
from evaluate.calibration.expect import expect, published_calibration, trained_of
from evaluate.calibration.fidelities import FREE, Scores, network_covariance
from evaluate.calibration.model import JITTER, Calibration, Trained
from evaluate.calibration.truth import published
from space import DenseConfig, ResidualConfig, cost, landmark
from space.solving.resize import paper_depth

PRIOR = PRIORS["imagenet"]
FAMILIES = ("resnet", "resnext", "densenet", "own")


def network(rng: np.random.Generator, number: int) -> Evidence:
    family = FAMILIES[number % len(FAMILIES)]
    counts = np.array(PRIOR.centre) + np.array(PRIOR.scale) * rng.standard_normal(4)
    return Evidence(f"network {number}", family, tuple(counts.tolist()))


def truth(rng: np.random.Generator, number: int = 30) -> list[Trained]:
    """Figures of random networks by four recipes, some networks by two of them."""
    recipes = ("one", "two", "three", "torchvision modern")
    networks = [network(rng, each) for each in range(number)]
    rows = [Trained(each, float(rng.uniform(18, 35)), recipes[n % 4], "1000") for n, each in enumerate(networks)]
    return rows + [Trained(each, float(rng.uniform(18, 35)), "two", "1000") for each in networks[::5]]


def by_hand(a: Trained, b: Trained, dev: dict[str, float], same_figure: bool) -> float:
    """The covariance of two figures, from the words of `evaluate.calibration.covariance`."""
    total = alike(a.evidence, b.evidence, dev) + LEVEL**2 + (a.task == b.task) * LEVEL**2
    size_a, size_b = ((each.evidence.counts[0] - PRIOR.centre[0]) / PRIOR.scale[0] for each in (a, b))
    total += (a.task == b.task) * dev["task slope"] ** 2 * size_a * size_b
    if a.recipe == b.recipe:
        apart = a.recipe in PRIOR.apart
        level, slope = (APART, APART_SLOPE) if apart else (dev["recipe"], dev["recipe slope"])
        total += level**2 + slope**2 * size_a * size_b
    return total + same_figure * (dev["noise"] ** 2 + JITTER)


def alike(a: Evidence, b: Evidence, dev: dict[str, float]) -> float:
    """The part of it that is of the networks."""
    x, y = ([(c - m) / s for c, m, s in zip(e.counts, PRIOR.centre, PRIOR.scale, strict=True)] for e in (a, b))
    gains = [
        [w * (1 - math.exp(-SATURATION * z)) / SATURATION for w, z in zip(PRIOR.reach, each, strict=True)]
        for each in (x, y)
    ]
    distance = sum((p - q) ** 2 for p, q in zip(x, y, strict=True))
    total = dev["trend"] ** 2 * sum(p * q for p, q in zip(*gains, strict=True))
    bends = [
        sum(
            w * ((1 - math.exp(-FASTER * z)) / FASTER - (1 - math.exp(-SATURATION * z)) / SATURATION)
            for w, z in zip(PRIOR.reach, each, strict=True)
        )
        / sum(PRIOR.reach)
        for each in (x, y)
    ]
    total += dev["bend"] ** 2 * bends[0] * bends[1]
    total += dev["near"] ** 2 * math.exp(-distance / 2 / NEAR**2)
    if a.family == b.family:
        total += dev["family"] ** 2 + dev["family near"] ** 2 * math.exp(-distance / 2 / FAMILY_NEAR**2)
    return total + (a.network == b.network) * dev["network"] ** 2


def test_prediction_is_that_of_the_dense_algebra() -> None:
    rng = np.random.default_rng(0)
    rows = truth(rng)
    scored = [each.evidence for each in rows[:30]] + [network(rng, 100 + each) for each in range(5)]
    errors = {each.evidence.network: each.error for each in rows}
    values = [-errors.get(each.network, 25.0) + rng.normal(0, 0.2) for each in scored]
    model = Calibration.fit(rows, PRIOR, [Scores("proxy", tuple(scored), tuple(values))])
    (kind,) = model.fidelities
    assert kind.weight > 0
    dev, n, m = model.deviations, len(rows), len(scored)
    joint = np.zeros((n + m, n + m))
    own = dev | {
        "network": 0.0,
        "family": FREE * dev["family"],
        "trend": FREE * dev["trend"],
        "bend": FREE * dev["bend"],
    }
    for i in range(n + m):
        for j in range(n + m):
            if i < n and j < n:
                joint[i, j] = by_hand(rows[i], rows[j], dev, i == j)
            else:
                a, b = (rows[k].evidence if k < n else scored[k - n] for k in (i, j))
                joint[i, j] = alike(a, b, dev) * kind.weight ** ((i >= n) + (j >= n))
                if i >= n and j >= n:
                    joint[i, j] += LEVEL**2 + kind.own**2 * alike(a, b, own) + (i == j) * (kind.noise**2 + JITTER)
    known = np.concatenate([logit([each.error / 100 for each in rows]) - model.level, kind.log_odds(values)])
    for fresh in (
        network(rng, 200),
        scored[-1],
        rows[3].evidence,
        Evidence("x", "never seen", rows[0].evidence.counts),
    ):
        here = Trained(fresh, 25.0, "a new recipe", "1000")
        across = np.array(
            [by_hand(here, each, dev, False) for each in rows]
            + [kind.weight * alike(fresh, each, dev) for each in scored]
        )
        solved = np.linalg.solve(joint, across)
        before = by_hand(here, here, dev | {"noise": 0.0, "recipe": 0.0, "recipe slope": 0.0}, False)
        if fresh.family == "never seen":  # four families: Student's t with three degrees of freedom
            before += 2 * dev["family"] ** 2
        forecast = model.predict([fresh], "1000")
        assert forecast.mean[0] == pytest.approx(model.level + solved @ known, abs=1e-6)
        assert forecast.network[0] == pytest.approx(math.sqrt(before - solved @ across), abs=1e-5)
        size = (fresh.counts[0] - PRIOR.centre[0]) / PRIOR.scale[0]
        recipe = 3 * (dev["recipe"] ** 2 + dev["recipe slope"] ** 2 * size**2) + dev["noise"] ** 2
        assert forecast.deviation[0] ** 2 == pytest.approx(before - solved @ across + recipe, abs=1e-5)
        for name in ("two", "torchvision modern"):  # what training by a known recipe would give
            here = Trained(fresh, 25.0, name, "1000")
            across[:n] = [by_hand(here, each, dev, False) for each in rows]
            solved = np.linalg.solve(joint, across)
            known_recipe = by_hand(here, here, dev | {"noise": 0.0}, False)
            if fresh.family == "never seen":
                known_recipe += 2 * dev["family"] ** 2
            forecast = model.predict([fresh], "1000", name)
            assert forecast.mean[0] == pytest.approx(model.level + solved @ known, abs=1e-6)
            assert forecast.network[0] ** 2 == pytest.approx(known_recipe - solved @ across, abs=1e-5)
            assert not forecast.apart


def test_quantiles_are_those_of_the_mixture() -> None:
    forecast = published_calibration("imagenet").predict([evidence(landmark("resnet50"), 224, 1000)], "1000")
    ((weight, mean, deviation),) = forecast.apart
    assert weight == pytest.approx(0.1)  # one recipe of ten
    rng = np.random.default_rng(0)
    drawn = rng.normal(forecast.mean, forecast.deviation, 400_000)
    apart = rng.random(400_000) < weight
    drawn = 100 * expit(np.where(apart, rng.normal(mean, deviation, 400_000), drawn))
    for part in (0.025, 0.25, 0.5, 0.975):
        assert forecast.quantile(part)[0] == pytest.approx(np.quantile(drawn, part), abs=0.1)
    low, high = forecast.interval(0.95)
    assert low < forecast.error < high
    with pytest.raises(ValueError, match="part of 1"):
        forecast.quantile(1)


def test_the_same_figures_give_the_same_model() -> None:
    rows = truth(np.random.default_rng(1))
    some = [network(np.random.default_rng(2), each) for each in range(20)]
    one, two = (Calibration.fit(rows, PRIOR) for _ in range(2))
    assert one.deviations == two.deviations
    assert (one.predict(some, "1000").mean == two.predict(some, "1000").mean).all()
    assert one.predict(some, "1000").quantile(0.1).tolist() == two.predict(some, "1000").quantile(0.1).tolist()


def drawn_from_the_model(rng: np.random.Generator, rows: list[Trained], deviations: dict[str, float]) -> list[Trained]:
    """Other errors for the same figures, as the model believes that they come about."""
    networks = list({each.evidence.network: each.evidence for each in rows}.values())
    arranged = Rows.of(networks, PRIOR)
    covariance = network_covariance(arranged, arranged, deviations) + 1e-9 * np.eye(len(networks))
    own = dict(
        zip(
            (each.network for each in networks),
            np.linalg.cholesky(covariance) @ rng.standard_normal(len(networks)),
            strict=True,
        )
    )
    level = {name: deviations["recipe"] * rng.standard_normal() for name in sorted({each.recipe for each in rows})}
    odds = [-1.2 + own[each.evidence.network] + level[each.recipe] + 0.006 * rng.standard_normal() for each in rows]
    return [
        Trained(each.evidence, float(100 * expit(odd)), each.recipe, each.task)
        for each, odd in zip(rows, odds, strict=True)
    ]


def test_intervals_cover_what_they_promise() -> None:
    """Networks by new recipes, where the truth is drawn as the model believes.

    Recipes are drawn anew for every network, or a third of all figures would be inside or outside together.
    """
    deviations = {name: typical for name, (typical, _) in PRIOR.deviations.items()}
    real = [each for each in trained_of(published("imagenet")) if each.recipe not in PRIOR.apart]
    rng = np.random.default_rng(3)
    inside50, inside95 = [], []
    for _ in range(40):
        out = set(rng.choice(sorted({each.recipe for each in real}), 2, replace=False).tolist())
        named = [replace(each, recipe=f"new {n}") if each.recipe in out else each for n, each in enumerate(real)]
        rows = drawn_from_the_model(rng, named, deviations)
        model = Calibration.fit([each for each in rows if not each.recipe.startswith("new")], PRIOR)
        left = [each for each in rows if each.recipe.startswith("new")]
        forecast = model.predict([each.evidence for each in left], "1000")
        errors = np.array([each.error for each in left])
        for part, inside in ((0.5, inside50), (0.95, inside95)):
            low, high = forecast.interval(part)
            inside += ((low <= errors) & (errors <= high)).tolist()
    assert 0.94 <= np.mean(inside95) <= 0.99  # Student's t: how much recipes differ is known from seven of them
    assert 0.5 <= np.mean(inside50) <= 0.65


def test_scores_must_earn_their_say() -> None:
    rows = trained_of(published("imagenet"))
    known = {each.evidence.network: each for each in rows if each.recipe not in PRIOR.apart}
    networks = tuple(each.evidence for each in known.values())
    errors = np.array([each.error for each in known.values()])
    macs = np.array([each.counts[0] for each in networks])

    def weight(values: np.ndarray) -> float:
        model = Calibration.fit(rows, PRIOR, [Scores("score", networks, tuple(values.tolist()))])
        return model.fidelities[0].weight

    for seed in range(5):
        noise = np.random.default_rng(seed).standard_normal(len(errors))
        assert weight(-errors + 0.3 * noise) > 0.7  # good
        assert weight(noise) == 0  # useless
        assert weight(errors + 0.3 * noise) == 0  # in the wrong order
        assert weight(3 * macs + noise) == 0  # knows only what the counts say
    assert weight(np.ones(len(errors))) == 0
    few = Scores("score", networks[:5], tuple((-errors[:5]).tolist()))
    assert Calibration.fit(rows, PRIOR, [few]).fidelities[0].weight == 0


def test_a_score_without_weight_changes_nothing_and_a_good_one_helps() -> None:
    rows = trained_of(published("imagenet"))
    known = {each.evidence.network: each for each in rows if each.recipe not in PRIOR.apart}
    errors = {name: each.error for name, each in known.items()}
    rng = np.random.default_rng(0)
    left = [each for each in rows if each.evidence.family == "regnetx"]
    rest = [each for each in rows if each.evidence.family != "regnetx"]
    networks = tuple(each.evidence for each in known.values())
    reversed_ = Scores("wrong", networks, tuple(errors[each.network] for each in networks))
    good = Scores("good", networks, tuple(-errors[each.network] + rng.normal(0, 0.3) for each in networks))
    some = [each.evidence for each in left]
    alone, wrong, better = (
        Calibration.fit(rest, PRIOR, scores).predict(some, "1000") for scores in ([], [reversed_], [good])
    )
    assert (alone.mean == wrong.mean).all() and (alone.network == wrong.network).all()
    truth_ = np.array([each.error for each in left])
    off, less = (float(np.sqrt(np.mean((each.error - truth_) ** 2))) for each in (alone, better))
    assert less < 0.6 * off
    assert better.network.mean() < alone.network.mean()


def test_a_thousand_networks_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    rows = [each for each in trained_of(published("imagenet")) if each.recipe not in PRIOR.apart]
    known = {each.evidence.network: each for each in rows}
    many = [*(each.evidence for each in known.values()), *(network(rng, each) for each in range(1000))]
    values = [-known[each.network].error if each.network in known else -25.0 for each in many]
    begin = time.perf_counter()
    model = Calibration.fit(rows, PRIOR, [Scores("proxy", tuple(many), tuple(values))])
    fitted = time.perf_counter()
    assert model.fidelities[0].weight > 0
    model.predict(many, "1000").interval()
    assert fitted - begin < 3  # a second on a machine that does nothing else
    assert time.perf_counter() - fitted < 3


def test_intervals_widen_and_familiarity_falls_away_from_what_is_known() -> None:
    model = published_calibration("imagenet")
    start = evidence(landmark("resnet50"), 224, 1000)
    away = [
        Evidence(f"{step}", "resnet", tuple(c - step * s for c, s in zip(start.counts, PRIOR.scale, strict=True)))
        for step in range(5)
    ]
    forecast = model.predict(away, "1000")
    assert (np.diff(forecast.network[1:]) > 0).all() and forecast.network[4] > 4 * forecast.network[0]
    assert forecast.familiarity[0] == 1 and (np.diff(forecast.familiarity) < 0).all()
    assert forecast.familiarity[4] < 0.1
    unknown = model.predict([Evidence("x", "my own family", start.counts)], "1000")
    assert unknown.familiarity[0] == 0 and unknown.network[0] > 2 * forecast.network[0]


def test_wider_is_better_everywhere() -> None:
    for name, size, classes in (("resnet50", 224, 1000), ("densenet121", 224, 1000), ("wrn_28_10", 32, 10)):
        config = landmark(name)
        errors = expect([config.scaled(factor) for factor in (0.25, 0.5, 0.7, 1, 1.4, 2)], size, classes).error
        assert (np.diff(errors) < 0).all(), name
        assert errors.min() > 3 and errors.max() < 60


def test_evidence_is_what_the_space_counts() -> None:
    for name, size, classes in (("resnet50", 224, 1000), ("densenet_bc_100_12", 32, 10), ("regnety_400mf", 224, 1000)):
        config = landmark(name)
        counted = cost(config, size, classes)
        found = evidence(config, size, classes)
        macs, params, activations, depth = map(math.exp, found.counts)
        assert (round(macs), round(params), round(activations)) == (counted.macs, counted.params, counted.activations)
        assert round(depth) == paper_depth(config)
        assert (found.network, found.family) == (config.id, config.family)
    plain = ResidualConfig("resnet", "imagenet", 64, "basic", (2,) * 4, (64,) * 4, (64,) * 4, (1,) * 4, shortcut="none")
    assert evidence(plain, 224, 1000).family == PLAIN
    with pytest.raises(ValueError, match="too small"):
        evidence(DenseConfig("densenet", "imagenet", 64, (6, 12, 24, 16), 32), 8, 1000)


def test_what_cannot_be_fitted_is_refused() -> None:
    one = Trained(network(np.random.default_rng(0), 0), 25.0, "recipe", "1000")
    with pytest.raises(ValueError, match="at least two"):
        Calibration.fit([one], PRIOR)
    with pytest.raises(ValueError, match="above 0 and below 100"):
        Trained(one.evidence, 0.0, "recipe")
    with pytest.raises(ValueError, match="not finite"):
        Scores("proxy", (one.evidence,), (math.nan,))
    with pytest.raises(ValueError, match="expected one each"):
        Scores("proxy", (one.evidence,), ())
    with pytest.raises(ValueError, match=r"recipe 'none': expected one of .*MSRA"):
        published_calibration("imagenet").predict([one.evidence], "1000", "none")
    with pytest.raises(ValueError, match="expected one of 1000"):
        published_calibration("imagenet").predict([one.evidence], "10")


def test_priors_name_every_part() -> None:
    names = {name for prior in PRIORS.values() for name in prior.deviations}
    assert all(set(prior.deviations) == names for prior in PRIORS.values())
    assert all(isinstance(prior, Prior) for prior in PRIORS.values())
