"""Pictures: first as data, then as what is really drawn, box by box."""

import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from results import style
from results.columns import COLUMNS
from results.frontier_data import FrontierPlot, Series, Star, frontier_data
from results.labels import Box
from results.plot_frontier import draw_frontier
from results.plot_published import draw_published, published_data, radius
from results.run import Run
from space import LANDMARKS, cost, landmark

SETTINGS = {
    "name": "r", "budget_macs": 4_100_000_000, "mode": "frontier", "data": "digits", "input_size": 224,
    "classes": 1000, "recipe": {"name": "cpu", "epochs": 3, "resolution": 8, "width": 0.25},
}  # fmt: skip
# What the default run at 4.1 G scores first: most of them cost nearly the same.
NEAR_BUDGET = [
    each.name
    for each in LANDMARKS.values()
    if each.config and each.target == "imagenet" and each.macs is not None and each.macs <= 1.05 * 4.1e9
]


def make_run(rows: list[dict[str, object]], **more: object) -> Run:
    frame = pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in rows], dtype=column.dtype)
            for column in COLUMNS
            if column.dtype != "bool"
        }
    )
    frame["on_frontier"] = pd.Series([bool(row.get("on_frontier")) for row in rows], dtype="bool")
    return Run(Path("runs/r"), SETTINGS | more, frame)


def sample(number: int, top1: float, gmacs: float, family: str = "resnet", **more: object) -> dict[str, object]:
    return {
        "trial": number, "kind": "sample", "family": family, "config_id": f"{number:012x}", "state": "complete",
        "proxy_top1": top1, "macs": int(gmacs * 1e9), "params": 10**7,
    } | more  # fmt: skip


def scored(number: int, name: str, top1: float) -> dict[str, object]:
    config = landmark(name)
    return sample(number, top1, cost(config).macs / 1e9, config.family) | {
        "kind": "landmark", "landmark": name, "config_id": config.id,
    }  # fmt: skip


def crowded() -> Run:
    """The default run: 14 landmarks about the budget with close scores, 40 samples, one that learned nothing."""
    rows = [scored(n, name, 95 + (n * 7 % 5) * 0.3) for n, name in enumerate(NEAR_BUDGET)]
    families = itertools.cycle(["resnet", "wide_resnet", "resnext", "densenet"])
    rows += [sample(100 + n, 90 + (n * 13 % 40) / 8, 0.4 * 1.06**n, next(families)) for n in range(40)]
    rows.append(sample(200, 96.5, 0.9, "densenet", on_frontier=True))
    rows.append(sample(201, 97.5, 3.1, "resnext", on_frontier=True))
    rows.append(sample(202, 10.0, 2.0))
    rows.append({"trial": 203, "kind": "sample", "state": "fail", "reason": "the loss is not finite"})
    rows.append({"trial": 204, "state": "running"})
    return make_run(rows)


# ---------------------------------------------------------------------------------------------- data


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
            {"trial": 7, "state": "running"},
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
    assert "1 not finished" in data.caption
    assert "igits show the machinery, not ImageNet" in data.caption
    assert data.empty == ""


def test_other_data_say_nothing_of_digits() -> None:
    data = frontier_data(make_run([sample(0, 90, 1)], data="/some/where/cifar10", input_size=32))
    assert "machinery" not in data.caption
    assert "/some/where" not in data.caption + data.y_label
    assert data.y_label == "proxy top-1 on cifar10, recipe cpu (%)"
    assert "32x32" in data.x_label


@pytest.mark.parametrize("sentence", [
    "fidelity (23 ImageNet landmarks, 3 seeds): tau 0.61 [0.40, 0.75], within a budget 0.70 [0.55, 0.81] of 31 pairs; "
    "by MACs alone tau 0.52; fidelity (18 CIFAR-10 landmarks, 3 seeds): tau 0.71 [0.45, 0.85]; by MACs alone tau 0.55",
    "fidelity unknown: type python -m evaluate fidelity --data '/a folder/of photographs' --recipe "
    + "/".join(["directory"] * 20) + ".json",
])  # fmt: skip
def test_fidelity_is_said_whole(sentence: str) -> None:
    run = replace(make_run([sample(0, 90, 1)]), fidelity=sentence)
    figure = draw_frontier(frontier_data(run))
    check(figure, 5)
    drawn = "".join("".join(text.get_text().split()) for text in shown(figure))
    assert "".join(sentence[1:].split()) in drawn
    assert "idelity" not in frontier_data(make_run([sample(0, 90, 1)])).caption


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
    assert data.title == "Accuracy against latency, measured"
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


def test_nothing_finished_yet() -> None:
    for rows in ([], [{"trial": 0, "state": "running"}]):
        data = frontier_data(make_run(rows))
        assert data.empty == "no finished trial yet"
        texts = [text.get_text() for text in shown(draw_frontier(data))]
        assert "no finished trial yet" in texts


@pytest.mark.parametrize(("size", "target"), [(224, "imagenet"), (32, "cifar"), (64, "cifar")])
def test_published_as_data(size: int, target: str) -> None:
    data = published_data(make_run([], input_size=size))
    points = {point.name: point for line in data.lines for point in line.points}
    expected = {each.name for each in LANDMARKS.values() if each.target == target}
    assert set(points) == expected
    for name, point in points.items():
        known = LANDMARKS[name]
        assert known.published.top1_error is not None
        assert known.macs is not None
        assert point.y == pytest.approx(100 - known.published.top1_error)
        assert point.x == known.macs / 1e9
        assert point.label.startswith(known.label)
    for line in data.lines:
        assert [point.x for point in line.points] == sorted(point.x for point in line.points)
    marked = {name for name, point in points.items() if point.label != LANDMARKS[name].label}
    assert marked == ({"alexnet", "zfnet", "googlenet"} if target == "imagenet" else {"wrn_22_8", "wrn_16_10"})
    for name in marked:
        assert points[name].label[-1] + " " in data.footnote
    assert "proxy" not in data.y_label


def test_area_is_parameters() -> None:
    assert radius(40, 100) ** 2 == pytest.approx(4 * radius(10, 100) ** 2)


# ---------------------------------------------------------------------------------------------- what is drawn


def shown(figure: Figure) -> list[Text]:
    """Every text that is drawn: matplotlib keeps ticks outside the view, which are not."""
    figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        for axis, (low, high), index in ((axes.xaxis, axes.get_xlim(), 0), (axes.yaxis, axes.get_ylim(), 1)):
            for text in axis.get_ticklabels():
                if not low <= text.get_position()[index] <= high:
                    hidden.add(id(text))
    texts = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    return [text for text in texts if text.get_visible() and text.get_text().strip() and id(text) not in hidden]


def check(figure: Figure, least: int) -> None:
    """Every text is inside the figure, and no two texts touch."""
    whole = Box(*figure.bbox.extents)
    boxes = [(text.get_text(), Box(*text.get_window_extent().extents)) for text in shown(figure)]
    assert len(boxes) >= least
    for text, box in boxes:
        assert box.inside(whole), text
    for (one, box), (two, other) in itertools.combinations(boxes, 2):
        assert not box.overlap(other), f"{one!r} over {two!r}"


def test_frontier_labels_keep_apart_and_inside() -> None:
    data = frontier_data(crowded())
    assert len(NEAR_BUDGET) >= 12
    figure = draw_frontier(data)
    check(figure, 20)
    labels = {text.get_text(): text.get_window_extent() for text in shown(figure)}
    column = [labels[f"{star.label}  {star.y:.1f}"] for star in data.stars]
    right = figure.axes[0].get_window_extent().x1
    assert all(box.x0 > right for box in column)


@pytest.mark.parametrize("stars", [1, 2, 40])
@pytest.mark.parametrize("budget", [0.0011, 0.3, 4.1, 15.6, 900.0])
def test_frontier_at_any_budget(stars: int, budget: float) -> None:
    data = FrontierPlot(
        title="t", x_label="GFLOPs (multiply-adds, 224x224)", y_label="proxy top-1 on a, recipe b (%)",
        x_range=(budget / 12, budget * 1.1), y_range=(88.0, 92.0), budget=budget,
        budget_label=f"budget {budget:g} GFLOPs",
        series=tuple(
            Series(family, (budget / 9, budget / 2), (89.0, 90.0), (True, False)) for family in [*style.FAMILIES, "new"]
        ),
        stars=tuple(Star(f"a network with a long name {n}", "resnet", budget, 90.0) for n in range(stars)),
        step=((budget / 9, 89.0),), caption="one\n" + "a rather long sentence about what is seen here. " * 9,
    )  # fmt: skip
    check(draw_frontier(data), stars + 10)


def test_a_narrow_range_has_ticks() -> None:
    data = frontier_data(make_run([sample(n, 90 + n, 4.05 + n / 100) for n in range(5)], mode="match"))
    figure = draw_frontier(replace(data, x_range=(4.0, 4.2)))
    check(figure, 5)
    assert len(style.log_ticks(4.0, 4.2)) >= 3


@given(st.floats(-3, 3), st.floats(0.02, 4))
def test_ticks_are_few_round_and_inside(low: float, decades: float) -> None:
    start, end = 10**low, 10 ** (low + decades)
    ticks = style.log_ticks(start, end)
    assert 2 <= len(ticks) <= 16
    assert ticks == sorted(ticks)
    assert all(start * 0.999999 <= tick <= end * 1.000001 for tick in ticks)
    assert all(float(f"{tick:.6g}") == pytest.approx(tick, rel=1e-4) for tick in ticks)


@pytest.mark.parametrize("size", [224, 32])
def test_published_labels_keep_apart_and_inside(size: int) -> None:
    data = published_data(make_run([], input_size=size))
    figure = draw_published(data)
    check(figure, 30 if size == 224 else 20)
    texts = [text.get_text() for text in shown(figure)]
    for line in data.lines:
        for point in line.points:
            assert point.label in texts


def test_both_file_formats_hold_the_whole_figure() -> None:
    figure = draw_frontier(frontier_data(crowded()))
    assert style.image(figure, "png").startswith(b"\x89PNG")
    svg = style.image(figure, "svg")
    assert svg == style.image(figure, "svg")
    assert f'viewBox="0 0 {figure.get_figwidth() * 72:.2f}'.rstrip("0")[:14].encode() in svg


def test_drawing_leaves_no_trace_in_matplotlib() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw_frontier(frontier_data(crowded()))
    assert dict(matplotlib.rcParams) == before
