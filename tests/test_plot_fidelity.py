"""The picture of fidelity: first as data from a report's JSON, then as what is drawn, box by box."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from evaluate.fidelity.network import NetworkFidelity, SeedScore
from evaluate.fidelity.ranking_sets import ranking_set
from evaluate.fidelity.report import Fidelity
from evaluate.training.presets import RECIPES
from results.plots import style
from results.plots.fidelity import draw_fidelity, fidelity_plot_data, write_fidelity_plot
from space import FAMILIES
from tests.pictures import check


def report(
    set_name: str, seeds: int, noise: float, data: str = "digits", networks: int | None = None
) -> dict[str, Any]:
    """What fidelity.json holds after a run in which top-1 follows the published error, more or less."""
    rng = random.Random(0)
    rows = tuple(
        NetworkFidelity(
            each.name, each.label, each.family, *each.counts, each.published_error, each.source,
            tuple(
                SeedScore(seed, 9.0, 95 - each.published_error + noise * rng.gauss(0, 1), 1.0, 1.2)
                for seed in range(seeds)
            ),
        )
        for each in ranking_set(set_name)[:networks]
    )  # fmt: skip
    fidelity = Fidelity(
        set=set_name, data=data, data_key="abc", recipe=RECIPES["cpu"], device="cpu", environment={},
        seeds=tuple(range(seeds)), networks=rows, date="2026-01-01",
    )  # fmt: skip
    return dict(json.loads(json.dumps(fidelity.to_json())))


def test_as_data() -> None:
    content = report("imagenet", 2, 0.0)
    first, second = content["networks"][:2]
    first["scores"][0]["top1"], first["scores"][1]["top1"] = 60.0, 64.0
    second["scores"][0] |= {"top1": None, "reason": "out of memory on cpu"}
    data = fidelity_plot_data(content)
    assert len(data.points) == 25
    points = {point.label: point for point in data.points}
    resnet18 = points["ResNet-18"]
    assert (resnet18.x, resnet18.y, resnet18.low, resnet18.high) == (30.43, 62.0, 60.0, 64.0)
    assert resnet18.gflops == pytest.approx(1.814, abs=1e-3)
    assert points["ResNet-34"].low == points["ResNet-34"].high  # one seed is left
    assert [point.x for point in data.points] == sorted(point.x for point in data.points)
    assert data.x_label == "published top-1 error on ImageNet (%)"
    assert data.y_label == "proxy top-1 on digits, recipe cpu (%)"
    assert data.colour_label == "GFLOPs (multiply-adds, 224x224)"
    assert "1 training failed and is left out" in data.caption
    assert "Bars reach from the worst to the best seed" in data.caption


def test_caption_says_both_figures_beside_the_baseline() -> None:
    content = report("imagenet", 1, 0.0)
    ours = {"tau": 0.31, "tau_low": 0.05, "tau_high": 0.55, "concordance": 0.52, "concordance_low": 0.3,
            "concordance_high": 0.71, "pairs": 41, "networks": 25}  # fmt: skip
    content["rankings"]["proxy_top1"] = ours
    content["beside"] = "activations alone: tau 0.20"
    caption = fidelity_plot_data(content).caption
    assert (
        "25 published ImageNet networks" in caption and "recipe cpu" in caption and "on digits, 1 seed, cpu" in caption
    )
    assert "Kendall's tau 0.31 [0.05, 0.55]." in caption
    assert "(41 pairs of like MACs, errors apart): 0.52 [0.30, 0.71] in the right order" in caption
    assert "Activations alone: tau 0.20." in caption
    assert "Digits show the machinery, not ImageNet." in caption
    assert "Bars" not in caption


def test_cifar_and_photographs() -> None:
    data = fidelity_plot_data(report("cifar", 1, 1.0, data="cifar10"))
    assert len(data.points) == 20
    assert data.x_label == "published top-1 error on CIFAR-10 (%)"
    assert data.colour_label == "GFLOPs (multiply-adds, 32x32)"
    assert "machinery" not in data.caption


@pytest.mark.parametrize("content", [{}, {"networks": 1}, {"networks": [{}]}])
def test_what_is_no_report_is_said(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fidelity\.json"):
        fidelity_plot_data(content)


# ---------------------------------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("set_name, seeds, noise", [("imagenet", 3, 1.0), ("imagenet", 1, 5.0), ("cifar", 2, 0.5)])
def test_labels_keep_apart_and_inside(set_name: str, seeds: int, noise: float) -> None:
    data = fidelity_plot_data(report(set_name, seeds, noise))
    figure = draw_fidelity(data)
    texts = check(figure)
    assert {point.label for point in data.points} <= set(texts)
    assert {"ResNet", "Wide ResNet", "ResNeXt", "DenseNet", data.title, data.colour_label} <= set(texts)
    assert any("Digits show the machinery" in text for text in texts)


def test_networks_that_all_learned_nothing() -> None:
    content = report("imagenet", 1, 0.0)
    for network in content["networks"]:
        network["scores"][0]["top1"] = 10.0
    texts = check(draw_fidelity(fidelity_plot_data(content)))
    assert "ResNeXt-101 64x4d" in texts


@pytest.mark.parametrize("networks", [1, 2])
def test_few_networks(networks: int) -> None:
    data = fidelity_plot_data(report("imagenet", 2, 1.0, networks=networks))
    assert "ResNet-18" in check(draw_fidelity(data))


def test_dark() -> None:
    data = fidelity_plot_data(report("imagenet", 2, 1.0))
    figure = draw_fidelity(data, style.DARK)
    assert "ResNet-18" in check(figure)
    lines = {line.get_xydata()[0][0]: line for line in figure.axes[0].lines if line.get_markeredgewidth() == 0.7}
    light = {point: sum(lines[point.x].get_color()[:3]) for point in data.points}
    rising = sorted(data.points, key=lambda point: point.gflops)
    assert light[rising[0]] < light[rising[-1]]  # here the costlier is the paler


def test_nothing_scored_yet() -> None:
    data = fidelity_plot_data(report("imagenet", 0, 1.0))
    assert data.empty
    assert data.empty in check(draw_fidelity(data))


def test_colour_is_cost_and_marker_is_family() -> None:
    data = fidelity_plot_data(report("imagenet", 1, 1.0))
    lines = [
        line
        for line in draw_fidelity(data).axes[0].lines
        if line.get_marker() in {m for _, m in map(style.look, FAMILIES)}
    ]
    assert len(lines) == len(data.points)
    by_place = {(line.get_xdata()[0], line.get_ydata()[0]): line for line in lines}  # type: ignore[index]
    light = {point: sum(by_place[point.x, point.y].get_color()[:3]) for point in data.points}  # type: ignore[arg-type]
    rising = sorted(data.points, key=lambda point: point.gflops)
    assert light[rising[0]] > light[rising[len(rising) // 2]] > light[rising[-1]]  # the costlier, the darker
    assert all(by_place[p.x, p.y].get_marker() == style.look(p.family)[1] for p in data.points)


def test_file_formats_and_no_trace_in_matplotlib() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    figure = draw_fidelity(fidelity_plot_data(report("cifar", 2, 1.0)))
    assert style.image(figure, "png").startswith(b"\x89PNG")
    assert style.image(figure, "svg") == style.image(figure, "svg")
    assert dict(matplotlib.rcParams) == before


def test_pictures_beside_the_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no fidelity\.json"):
        write_fidelity_plot(tmp_path)
    path = tmp_path / "fidelity.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        write_fidelity_plot(tmp_path)
    path.write_text(json.dumps(report("imagenet", 1, 1.0, networks=4)))
    assert [each.name for each in write_fidelity_plot(tmp_path)] == ["fidelity.png", "fidelity.svg"]
    assert (tmp_path / "fidelity.png").read_bytes().startswith(b"\x89PNG")
