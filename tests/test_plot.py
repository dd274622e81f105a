"""Pictures: first as data, then as what is really drawn, box by box."""

import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from results import style
from results.frame import COLUMNS
from results.labels import Anchor, Box, place, spread, untangle
from results.plot_frontier import FrontierPlot, Series, Star, draw_frontier, frontier_data
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
    data = published_data(size)
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
    data = published_data(size)
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


# ---------------------------------------------------------------------------------------------- where labels go


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted), st.floats(0.1, 3))
def test_spread_keeps_order_distance_and_bounds(wanted: list[float], gap: float) -> None:
    got = spread(wanted, gap, 0, 100)
    assert len(got) == len(wanted)
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(got))
    assert all(-1e-6 <= y <= 100 + 1e-6 for y in got)


def test_spread_moves_nothing_that_has_room() -> None:
    assert spread([10.0, 20.0, 30.0], 5, 0, 100) == [10.0, 20.0, 30.0]
    assert spread([50.0, 50.0], 4, 0, 100) == [48.0, 52.0]
    assert spread([100.0, 100.0], 4, 0, 100) == [96.0, 100.0]
    assert spread([], 4, 0, 100) == []


def test_untangle_swaps_only_what_is_tied() -> None:
    starts, ends = [(0.0, 5.0), (5.0, 5.0)], [(10.0, 8.0), (10.0, 9.0)]
    assert untangle(starts, ends, ["a", "a"]) == [1, 0]
    assert untangle(starts, ends, ["a", "b"]) == [0, 1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(350, 450), st.floats(250, 350)), min_size=1, max_size=25))
def test_placed_labels_never_touch(points: list[tuple[float, float]]) -> None:
    anchors = [Anchor(x, y, 4, 90, 11) for x, y in points]
    frame, obstacle = Box(0, 0, 900, 600), Box(460, 280, 600, 340)
    boxes = place(anchors, frame, [obstacle])
    assert all(box.inside(frame) and not box.overlap(obstacle) for box in boxes)
    assert not any(a.overlap(b) for a, b in itertools.combinations(boxes, 2))
    assert boxes == place(anchors, frame, [obstacle])


def test_too_small_a_frame_is_said() -> None:
    with pytest.raises(ValueError, match="too small"):
        place([Anchor(5, 5, 2, 90, 11)], Box(0, 0, 20, 20))
