"""The picture of a frontier as it is drawn: box by box."""

from dataclasses import replace

import pytest

from results.plots import View, style
from results.plots.frontier import draw_frontier
from results.plots.frontier_data import FrontierPlot, Series, Star, Tick, frontier_data
from space import FAMILIES
from tests.pictures import NEAR_BUDGET, check, crowded, make_run, sample, scored, shown


@pytest.mark.parametrize("sentence", [
    "fidelity (23 ImageNet landmarks, 3 seeds): tau 0.61 [0.40, 0.75], within a budget 0.70 [0.55, 0.81] of 31 pairs; "
    "regret 0.61 points (its choice against the best of like cost, 6 brackets); activations alone, which need no "
    "training, rank these networks better: tau 0.80, within a budget 0.96, regret 0.04",
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


def test_nothing_finished_yet() -> None:
    data = frontier_data(make_run([]))
    assert data.empty == "no finished trial yet"
    texts = [text.get_text() for text in shown(draw_frontier(data))]
    assert "no finished trial yet" in texts


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
            Series(name, (budget / 9, budget / 2), (89.0, 90.0), (True, False)) for name in [*FAMILIES, "vgg", "new"]
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


@pytest.mark.parametrize("theme", style.THEMES.values(), ids=style.THEMES)
def test_everything_at_once(theme: style.Theme) -> None:
    data = replace(
        frontier_data(crowded()), failed=(0.5, 0.51, 4.0), band=((0.5, 91.0, 93.0), (1.0, 92.0, 95.0)),
        ticks=tuple(Tick(f"a network of my own {n}", "own", 4.0 + n / 1000) for n in range(9)),
    )  # fmt: skip
    stopped = replace(data.series[0], stopped=((1.0, 91.0), (2.0, 60.0)))
    figure = draw_frontier(replace(data, series=(stopped, *data.series[1:])), theme)
    texts = check(figure, 30)
    assert {"95 % of it", "landmark of your own: cost only, not scored here", "failed"} <= set(texts)
    assert figure.get_facecolor() == pytest.approx(style.to_rgb(theme.paper) + (1.0,))


def test_match_mode_and_one_point() -> None:
    rows = [scored(0, "resnet50", 90), *[sample(n, 90 + n / 10, 4.05 + n / 1000) for n in range(1, 9)]]
    check(draw_frontier(frontier_data(make_run(rows, mode="match"))), 8)
    check(draw_frontier(frontier_data(make_run(rows, mode="match"), View("params"))), 8)
    check(draw_frontier(frontier_data(make_run([sample(0, 90.0, 1.0, on_frontier=True)]))), 8)


def test_files_of_ten_thousand_networks_are_small() -> None:
    x = tuple(0.1 + n / 2500 for n in range(10_000))
    series = Series("resnet", x, tuple(80 + (n * 37 % 1000) / 100 for n in range(10_000)), (False,) * 10_000)
    figure = draw_frontier(replace(frontier_data(crowded()), series=(series,), stars=(), y_range=(79.0, 91.0)))
    for kind in ("svg", "pdf"):
        assert len(style.image(figure, kind)) < 500_000
