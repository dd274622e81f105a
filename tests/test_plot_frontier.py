"""The picture of a frontier as data: what is shown of a run, and what is said below it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from results import frontier_table
from results.plots import View
from results.plots.frontier import draw_frontier
from results.plots.frontier_data import Star, Tick, frontier_data
from space import cost, landmark
from space.landmarks.own import read_landmarks
from tests.pictures import check, crowded, make_run, sample, scored, shown


def test_frontier_as_data() -> None:
    run = make_run(
        [
            sample(0, 90.0, 1.0, on_frontier=True),
            sample(1, 89.0, 2.0),
            sample(2, 91.0, 3.0, "densenet", on_frontier=True),
            sample(3, 91.0, 3.0, "densenet", duplicate_of=2),
            sample(4, float("nan"), 1.0, state="fail"),
            scored(5, "resnet50", 90.5),
            scored(6, "resnext50_1x64d", 90.5),
        ]
    )
    data = frontier_data(run)
    assert [(s.family, s.x, s.y, s.on_frontier) for s in data.series] == [
        ("resnet", (1.0, 2.0), (90.0, 89.0), (True, False)),
        ("densenet", (3.0,), (91.0,), (True,)),
    ]
    assert data.step == ((1.0, 90.0), (3.0, 91.0))
    assert data.budget == 4.1
    assert data.x_label == "GFLOPs (multiply-adds, 224x224)"
    assert data.y_label == "proxy top-1 on digits, recipe cpu (%)"
    assert data.stars == (Star("ResNet-50 = ResNeXt-50 1x64d", "resnet", cost(landmark("resnet50")).macs / 1e9, 90.5),)
    assert "6 networks trained" not in data.caption
    assert "1 failed" in data.caption
    assert "igits show the machinery, not ImageNet" in data.caption
    assert data.empty == ""


def test_other_data_say_nothing_of_digits() -> None:
    data = frontier_data(make_run([sample(0, 90, 1)], data="/some/where/cifar10", input_size=32))
    assert "machinery" not in data.caption
    assert "/some/where" not in data.caption + data.y_label
    assert data.y_label == "proxy top-1 on cifar10, recipe cpu (%)"
    assert "32x32" in data.x_label


TIMING = {
    "batch": 1,
    "device": "cuda (NVIDIA A name of a rather long kind 141GB)",
    "dtype": "bfloat16",
    "threads": None,
}


def test_latency_in_place_of_flops() -> None:
    rows = [
        sample(0, 90.0, 1.0, latency_ms=3.5, latency_runs=20, on_frontier=True),
        sample(1, 92.0, 0.5, latency_ms=9.0, latency_runs=1500, on_frontier=True),
        scored(2, "resnet50", 91.0) | {"latency_ms": 12.0, "latency_runs": 90},
        sample(3, 95.0, 0.7),  # of a trial that was not timed nothing can be shown
    ]
    run = make_run(rows, objective="latency", timing=TIMING)
    data = frontier_data(run)
    assert data.title == "Proxy top-1 on digits against latency"
    assert data.x_label == f"latency (ms, batch 1, {TIMING['device']}, bfloat16)"
    assert [(s.x, s.y) for s in data.series] == [((3.5, 9.0), (90.0, 92.0))]
    assert data.step == ((3.5, 90.0), (9.0, 92.0))
    assert [star.x for star in data.stars] == [12.0]
    assert data.budget is None
    assert "median of 20 to 1,500 runs" in data.caption
    assert "noisy" in data.caption
    assert "at most 4.1 GFLOPs" in data.caption
    figure = draw_frontier(data)
    check(figure, 8)
    assert data.budget_label not in [text.get_text() for text in shown(figure)]
    check(draw_frontier(frontier_data(make_run([], objective="latency", timing=TIMING))), 5)


def test_what_learned_nothing_does_not_press_the_others_together() -> None:
    data = frontier_data(crowded())
    assert data.y_range[0] > 50
    assert "1 below the picture's range" in data.caption
    stars = [star.y for star in data.stars]
    assert stars == sorted(stars, reverse=True)
    assert data.y_range[0] < min(stars)


def test_match_mode_shows_what_is_about_the_budget() -> None:
    rows = [scored(0, "resnet18", 89), scored(1, "resnet50", 90)] + [sample(n + 2, 90, 4.05) for n in range(5)]
    data = frontier_data(make_run(rows, mode="match"))
    assert data.x_range[0] > 3.5
    assert [star.label for star in data.stars] == ["ResNet-50"]
    assert "1 published ones cost less" in data.caption


def test_stopped_and_failed_networks_are_told_apart() -> None:
    rows = [
        sample(0, 90.0, 1.0, on_frontier=True),
        sample(1, float("nan"), 2.0, state="pruned", last_top1=99.0),
        sample(2, float("nan"), 3.0, "densenet", state="pruned", last_top1=20.0),
        sample(3, float("nan"), 0.5, state="fail", reason="the loss is not finite"),
        {"trial": 4, "kind": "sample", "state": "fail"},  # nothing is known of its cost
    ]
    data = frontier_data(make_run(rows))
    assert [(s.family, s.x, s.stopped) for s in data.series] == [
        ("resnet", (1.0,), ((2.0, 99.0),)),
        ("densenet", (), ((3.0, 20.0),)),
    ]
    assert data.step == ((1.0, 90.0),)  # the 99 % so far are on no frontier
    assert data.failed == (0.5,)
    assert data.x_range[0] < 0.5
    assert (
        "2 failed or interrupted; 2 stopped early; 1 of the stopped ones lie below the picture's range." in data.caption
    )
    texts = check(draw_frontier(data))
    assert {"stopped early, score so far", "failed"} <= set(texts)


def test_other_costs_on_the_axis() -> None:
    rows = [
        sample(0, 90.0, 1.0, params=9_000_000, activations=5_000_000, on_frontier=True),
        sample(1, 91.0, 2.0, params=4_000_000, activations=7_000_000, on_frontier=True),
        sample(2, 95.0, 5.0, params=3_000_000, activations=7_000_000),  # beyond the budget
    ]
    data = frontier_data(make_run(rows), View("params"))
    assert data.title == "Proxy top-1 on digits against parameters"
    assert data.x_label == "parameters (M, 1,000 classes)"
    assert data.step == ((4.0, 91.0),)
    assert [series.on_frontier for series in data.series] == [(False, True, False)]
    assert data.budget is None
    assert "The frontier is that along parameters; the search looked for top-1 against multiply-adds." in data.caption
    limited = frontier_data(make_run(rows, max_params=3_500_000), View("params"))
    assert (limited.budget, limited.budget_label) == (3.5, "limit 3.5 M")
    assert limited.step == ()
    activations = frontier_data(make_run(rows), View("activations"))
    assert activations.step == ((5.0, 90.0), (7.0, 91.0))
    assert "The frontier is that along" not in frontier_data(make_run(rows), View("macs")).caption
    with pytest.raises(ValueError, match="no latency was measured"):
        frontier_data(make_run(rows), View("latency"))
    for each in (data, limited, activations):
        check(draw_frontier(each))


def test_landmarks_of_ones_own(tmp_path: Path) -> None:
    figures, shapes = tmp_path / "mine.csv", tmp_path / "mine.json"
    figures.write_text(
        "name,label,target,macs,params\nnear,Near,imagenet,2G,5M\nfar,Far,imagenet,300G,9M\nsmall,Small,cifar,2G,5M\n"
    )
    config = landmark("resnet18").to_json()
    shapes.write_text(json.dumps([{"name": "known", "config": config}, {"name": "trained", "config": config}]))
    rows = [sample(0, 90.0, 1.0), sample(1, 91.0, 3.0), scored(2, "resnet34", 92.0) | {"landmark": "trained"}]
    run = replace(make_run(rows), own_landmarks=read_landmarks(figures, shapes))
    data = frontier_data(run)
    resnet18 = cost(landmark("resnet18"))
    assert data.ticks == (Tick("known", "resnet", resnet18.macs / 1e9), Tick("Near", "own", 2.0))
    assert [star.label for star in data.stars] == ["trained"]
    assert "2 landmarks of one's own are not shown" in data.caption  # Far, and Small, which is counted at 32x32
    texts = check(draw_frontier(data))
    assert {"Near  cost only", "known  cost only", "trained  92.0"} <= set(texts)
    assert [tick.x for tick in frontier_data(run, View("params")).ticks] == [5.0, 9.0, resnet18.params / 1e6]


def repeats(trial: int, *scores: float) -> list[dict[str, object]]:
    return [
        sample(100 * (trial + 1) + seed, top1, 1.0, kind="repeat", repeat_of=trial, seed=seed)
        for seed, top1 in enumerate(scores, 1)
    ]


def test_band_of_a_frontier_that_was_trained_again() -> None:
    rows = [
        sample(0, 93.0, 1.0, on_frontier=True), sample(1, 94.0, 2.0, on_frontier=True), sample(2, 80.0, 3.0),
        *repeats(0, 90.0, 92.0), *repeats(1, 94.0, 94.0),
    ]  # fmt: skip
    run = make_run(rows)
    data = frontier_data(run)
    assert [series.x for series in data.series] == [(1.0, 2.0, 3.0)]  # repeats are no networks of their own
    assert "3 networks trained" in data.caption
    # the first scores were chosen for being high and are left out: squares 1 + 1 and 0 + 0 over 1 + 1 degrees
    assert "Line: the frontier without seed variance" in data.caption and "band: 95 % of them" in data.caption
    assert "(4 repeats of 2 networks, sd 1.00 points)" in data.caption
    assert min(x for x, _, _ in data.band) == pytest.approx(1.0)
    inside = {x: (low, high) for x, low, high in data.band}
    assert data.adjusted and data.step[0][0] == 1.0
    assert all(inside[x][0] <= y <= inside[x][1] for x, y in data.step), "the line lies in its own band"
    assert data.step[0][1] < 93.0, "and not at the score that its network was chosen by"
    assert [(x, y) for x, y, _, _ in data.bars] == [(1.0, pytest.approx(275 / 3)), (2.0, pytest.approx(94.0))]
    assert all(low < y < high for _, y, low, high in data.bars)
    assert max(x for x, _, _ in data.band) == pytest.approx(4.1)
    assert all(low < high for _, low, high in data.band)
    assert data.y_range[1] > max(high for _, _, high in data.band)
    check(draw_frontier(data))
    table = frontier_table(run)
    assert "  91.67  [" in table and "expected top-1 (%)" in table and "on the frontier (p)" in table
    once = frontier_data(make_run(rows[:3]))
    assert (once.band, once.bars, once.adjusted) == ((), (), False)
    assert once.step == ((1.0, 93.0), (2.0, 94.0))
    assert "on the frontier (p)" not in frontier_table(make_run(rows[:3]))


def test_long_names_are_cut_in_labels() -> None:
    rows = [scored(0, "resnet34", 92.0) | {"landmark": "a name that goes on " * 9}]
    data = frontier_data(make_run(rows, data="/x/" + "d" * 200, recipe={"name": "r" * 200}))
    assert len(data.stars[0].label) == 40
    check(draw_frontier(data))


def test_a_star_has_the_error_of_its_score() -> None:
    stars = frontier_data(make_run([scored(0, "resnet50", 41.25) | {"held_out": 359}, sample(1, 40, 1.0)])).stars
    assert [(star.y, star.images) for star in stars] == [(41.25, 359)]
    figure = draw_frontier(frontier_data(make_run([scored(0, "resnet50", 41.25) | {"held_out": 359}])))
    assert any("41.2 ± 2.6" in text.get_text() for text in shown(figure))
