"""Blocks dropped and reordered: against networks with the same weights set to zero, and what is said of the numbers."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from evaluate.__main__ import main
from evaluate.images.load import load_data
from evaluate.paths.lesion import (
    Lesions,
    ShortcutOnly,
    dropped,
    exchangeable,
    ladder,
    lesions,
    order_tau,
    reordered,
    swapped,
    units,
)
from evaluate.paths.lesion_report import lesion_report, lesion_text
from evaluate.paths.lesion_study import dense_like, subjects
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.trainer import Trainer
from results.plots.lesion import lesion_plot_data
from results.plots.panels import draw_row
from results.plots.style import THEMES
from space import Config, DenseConfig, ResidualConfig, build, cost, landmark
from tests.pictures import check

IMAGE = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))


def made(config: Config) -> nn.Module:
    torch.manual_seed(0)
    return build(config, 7, 24).eval()


def given(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(IMAGE)
    return result


def test_a_dropped_residual_block_is_one_whose_branch_is_zero(tiny_residual: ResidualConfig) -> None:
    model = made(tiny_residual)
    whole = given(model)
    assert len(units(model)) == sum(tiny_residual.depths)
    for unit in units(model):
        zeroed = copy.deepcopy(model)
        block = zeroed.get_submodule(unit.path)
        last = getattr(block, block.steps[-1][0])
        with torch.no_grad():
            last.weight.zero_()  # a post-activation norm of zeros gives its bias, which is zero at the beginning
        with dropped(model, [unit.path]):
            lesioned = given(model)
        assert torch.allclose(lesioned, given(zeroed), atol=1e-6)
        assert not torch.allclose(lesioned, whole, atol=1e-4)
        assert torch.equal(given(model), whole)


@pytest.mark.parametrize("name", ["plain", "plain, bottleneck", "plain, pre-activation"])
def test_a_dropped_plain_block_is_taken_out(name: str, tiny_configs: dict[str, Config]) -> None:
    model = made(tiny_configs[name])
    can_go = {unit.path: unit.droppable for unit in units(model)}
    first = name != "plain, bottleneck"  # whose first block makes 16 channels of 8
    assert can_go == {"layer1.0": first, "layer1.1": True, "layer2.0": False}
    without = copy.deepcopy(model)
    without.layer1 = nn.Sequential(without.get_submodule("layer1.0"))
    with dropped(model, ["layer1.1"]):
        assert torch.equal(given(model), given(without))


@pytest.mark.parametrize("name", ["dense", "dense BC", "dense imagenet"])
def test_a_dropped_dense_layer_makes_zeros(name: str, tiny_configs: dict[str, Config]) -> None:
    model = made(tiny_configs[name])
    all_units = units(model)
    assert len(all_units) == sum(tiny_configs[name].depths)  # type: ignore[attr-defined]
    assert exchangeable(all_units) == []
    zeroed = copy.deepcopy(model)
    path = all_units[1].path
    layer = zeroed.get_submodule(path)
    with torch.no_grad():
        (layer.conv2 if hasattr(layer, "conv2") else layer.conv1).weight.zero_()
    with dropped(model, [path]):
        assert torch.equal(given(model), given(zeroed))


def test_a_network_is_whole_again_after_an_error(tiny_configs: dict[str, Config]) -> None:
    model = made(tiny_configs["basic"])
    before = {name: module for name, module in model.named_modules()}
    with pytest.raises(RuntimeError, match="inside"), dropped(model, ["layer1.0", "layer2.0"]):
        assert sum(isinstance(module, ShortcutOnly) for module in model.modules()) == 2
        raise RuntimeError("inside")
    after = {name: module for name, module in model.named_modules()}
    assert list(after) == list(before) and all(after[name] is before[name] for name in before)


def test_blocks_change_places(tiny_configs: dict[str, Config]) -> None:
    model = made(tiny_configs["basic"])
    assert exchangeable(units(model)) == [["layer1.0", "layer1.1"]]  # the second stage has one block
    order = swapped([["layer1.0", "layer1.1"]], 1, random.Random(0))
    assert order == {"layer1.0": "layer1.1", "layer1.1": "layer1.0"}
    other = copy.deepcopy(model)
    other.layer1 = nn.Sequential(*reversed(list(other.layer1)))
    with reordered(model, order):
        assert torch.equal(given(model), given(other))
    assert not torch.equal(given(model), given(other))


def test_orders() -> None:
    groups = [["a", "b", "c"], ["d", "e"]]
    for count in range(6):
        order = swapped(groups, count, random.Random(count))
        assert sorted(order.values()) == list("abcde")
        assert {order[path] for path in "de"} == {"d", "e"}  # nothing leaves its group
    assert order_tau({"a": "a", "b": "b", "c": "c"}) == 1
    assert order_tau({"a": "c", "b": "b", "c": "a"}) == -1
    assert order_tau({"a": "b", "b": "a", "c": "c"}) == pytest.approx(1 / 3)
    assert [ladder(count) for count in (0, 1, 5, 15)] == [[], [1], [1, 2, 3, 4], [1, 2, 3, 4, 6, 8, 12]]


def test_everything_is_tried(tiny_configs: dict[str, Config]) -> None:
    model = made(tiny_configs["basic"])

    def error() -> float:
        return float(sum(isinstance(module, ShortcutOnly) for module in model.modules()))

    found = lesions(model, error, 2, 0)
    assert found.error == 0
    assert found.single == (("layer1.0", 1), ("layer1.1", 1), ("layer2.0", 1))
    assert found.several == ((1, (1, 1)), (2, (2, 2)), (3, (3, 3)))
    assert [(swaps, tau) for swaps, tau, _ in found.orders] == [(1, (-1, -1)), (2, (1, 1))]  # one pair: there and back
    assert lesions(model, error, 2, 0) == found


# ---------------------------------------------------------------------------------------------- training


def test_what_was_trained_is_given_to_then(tiny_configs: dict[str, Config]) -> None:
    data, smoke = load_data("digits", 8, 0, 512), RECIPES["smoke"]
    seen: list[float] = []

    def then(trainer: Trainer) -> None:
        seen.append(trainer.evaluate()[0])

    score = train_proxy(tiny_configs["plain"], smoke, data, device="cpu", then=then)
    assert score.state == "complete" and seen == [score.top1]
    stopped = train_proxy(tiny_configs["plain"], smoke, data, device="cpu", stop=lambda _: "enough", then=then)
    assert stopped.state == "stopped" and len(seen) == 1


def test_subjects() -> None:
    residual = landmark("cifar_resnet20")
    recipe = RECIPES["cpu"]
    networks = subjects(residual, recipe, 10)
    assert list(networks) == ["residual", "plain", "dense"]
    plain, dense = networks["plain"], networks["dense"]
    assert isinstance(plain, ResidualConfig) and isinstance(dense, DenseConfig)
    assert (plain.shortcut, plain.depths, dense.depths) == ("none", (3, 3, 3), (3, 3, 3))
    macs = [cost(recipe.proxy(each, 10), recipe.resolution, 10).macs for each in (residual, plain, dense)]
    assert macs[0] == macs[1]  # option A has no projection to lose
    assert isinstance(residual, ResidualConfig)
    others = [DenseConfig("densenet", "cifar", 2 * k, (3, 3, 3), k) for k in range(1, 60)]
    full = [cost(each, 32, 10).macs for each in (residual, dense)]
    assert abs(full[1] - full[0]) == min(abs(cost(each, 32, 10).macs - full[0]) for each in others)
    assert macs[2] / macs[0] == pytest.approx(full[1] / full[0], rel=0.03)
    assert dense_like(residual, recipe, 10) == dense
    with pytest.raises(ValueError, match="has no shortcuts"):
        subjects(plain, recipe, 10)
    with pytest.raises(ValueError, match="is of family densenet"):
        subjects(dense, recipe, 10)
    with pytest.raises(ValueError, match="--dense is of family resnet"):
        subjects(residual, recipe, 10, residual)


# ---------------------------------------------------------------------------------------------- what is said


def measured(rises: dict[str, list[float]], plain_error: float = 40.0) -> dict[str, Any]:
    """What a study measured: three units, of which a plain network can drop two; `rises` are points, one a seed."""

    def one(kind: str, seed: int, rise: float) -> dict[str, Any]:
        whole = plain_error if kind == "plain" else 30.0
        third = None if kind == "plain" else 80.0  # which is not compared, but for the DenseNet
        single = (("a", whole + rise - 1), ("b", whole + rise + 1), ("c", third))
        several = ((1, (whole + rise, whole + rise + 2)), (2, (80.0, 90.0)))
        orders = () if kind == "dense" else ((1, (0.5, 0.7), (whole + 2 * rise, whole + 2 * rise)),)
        return {"seed": seed, "seconds": 1.0} | dict(vars_of(Lesions(whole, single, several, orders)))

    names = {"residual": landmark("cifar_resnet20"), "plain": landmark("cifar_resnet20"), "dense": landmark("wrn_16_8")}
    return {
        "network": "net", "recipe": RECIPES["cpu"].to_json(), "data": "cifar10", "data_key": "k", "classes": 10,
        "images": 1000, "seeds": [0, 1, 2][: len(rises["plain"])], "draws": 2,
        "environment": {"device": "cpu", "torch": "2", "python": "3", "date": "2026-01-01"},
        "networks": [
            {
                "kind": kind, "config": config.to_json(), "cost": {"macs": 10**6, "params": 1000, "activations": 1},
                "lesions": [one(kind, seed, rise) for seed, rise in enumerate(rises[kind])],
            }
            for kind, config in names.items()
        ],
    }  # fmt: skip


def vars_of(lost: Lesions) -> dict[str, Any]:
    return {name: getattr(lost, name) for name in ("error", "single", "several", "orders")}


def test_a_plain_network_that_collapses_is_called_so() -> None:
    report = lesion_report(measured({"residual": [2, 3, 4], "plain": [24, 25, 26], "dense": [3, 3, 3]}))
    residual, plain, dense = (network["summary"] for network in report["networks"])
    assert residual["error"] == (30, 30, 30) and plain["error"] == (40, 40, 40)
    assert residual["rise"] == pytest.approx((3, 3 - 4.3027 / 3**0.5, 3 + 4.3027 / 3**0.5), abs=1e-4)
    assert residual["kept"].mean == pytest.approx(95) and plain["kept"].mean == pytest.approx(50)  # 3 of 60, 25 of 50
    assert dense["rise"].mean == pytest.approx((3 - 1 + 3 + 1 + 50) / 3)  # all three of its layers
    assert plain["units"][2] == {"unit": "c", "error": None}
    assert residual["several"][0] == {"dropped": 1, "error": pytest.approx((34, 31.5159, 36.4841), abs=1e-3)}
    (order,) = residual["orders"]
    assert (order["swaps"], order["tau"]) == (1, pytest.approx(0.6))
    assert order["error"] == pytest.approx((36, 36 - 2 * 2.4841, 36 + 2 * 2.4841), abs=1e-3)
    assert (residual["half"], plain["half"]) == ([2, 2, 2], [1, 1, 1])  # from 60 % on; from 65 % on
    assert residual["swap"].mean == pytest.approx(6) and plain["swap"].mean == pytest.approx(50) and not dense["swap"]
    first, known, half, _, swap = report["verdicts"]
    assert "Two blocks swapped: plain 50.0 [45.0, 55.0], residual 6.0 [1.0, 11.0]" in swap
    assert "with 2, 2, 2 units dropped at random of the residual network, 1, 1, 1 of the plain one" in half
    assert first.endswith("the plain network loses more than the residual one.")
    assert "95.0 [" in known and "50.0 [" in known
    text = lesion_text(report)
    assert "cannot be dropped" in text and "(tau 0.60)" in text and "1605.06431" in text


def test_overlapping_intervals_are_no_difference() -> None:
    report = lesion_report(measured({"residual": [2, 3, 10], "plain": [1, 9, 20], "dense": [3, 3, 3]}))
    assert report["verdicts"][0].endswith("no difference seen.")
    less = lesion_report(measured({"residual": [24, 25, 26], "plain": [2, 3, 4], "dense": [3, 3, 3]}))
    assert less["verdicts"][0].endswith("the residual network loses more than the plain one.")


def test_who_learned_nothing_has_nothing_to_lose() -> None:
    report = lesion_report(measured({"residual": [3, 3], "plain": [1, 2], "dense": [3, 3]}, plain_error=85))
    assert report["networks"][1]["summary"]["kept"] is None
    assert report["verdicts"][0].endswith(
        "no verdict: the plain network has hardly learned anything and has little to lose."
    )
    assert report["verdicts"][1].endswith("the dense network loses more than the residual one.")  # they have learned


def test_one_seed_has_intervals_over_units_and_draws() -> None:
    report = lesion_report(measured({"residual": [3], "plain": [25], "dense": [3]}))
    residual = report["networks"][0]["summary"]
    assert residual["error"] == (30, None, None)
    assert residual["rise"] == pytest.approx((3, 3 - 12.706, 3 + 12.706), abs=1e-3)  # of 2 and 4
    assert residual["several"][0]["error"].low == pytest.approx(34 - 12.706, abs=1e-3)
    text = lesion_text(report)
    assert "units or draws of one training" in text
    assert " 30.0 ± 1.4 " in text and " 40.0 ± 1.5 " in text  # of 1000 images


def test_picture() -> None:
    report = lesion_report(measured({"residual": [2, 3, 4], "plain": [24, 25, 26], "dense": [3, 3, 3]}))
    data = lesion_plot_data(json.loads(json.dumps(report)))
    single, several, orders = data.panels
    assert [len(series.x) for series in single.series] == [3, 2, 3]  # what cannot be dropped is left out
    assert single.series[1].y == (64, 66)
    assert several.series[0].x == (0, 1, 2) and several.series[0].y[0] == 30
    assert [series.label for series in orders.series] == ["residual", "without shortcuts"]
    assert orders.series[1].x == (1.0, pytest.approx(0.6)) and orders.series[1].y == (40, 90)
    assert [level.y for level in single.levels] == [90, 30, 40, 30]
    for theme in THEMES.values():
        texts = check(draw_row(data, theme))
        assert "DenseNet" in texts and any("loses more" in text for text in texts)
    with pytest.raises(ValueError, match=r"lesion\.json"):
        lesion_plot_data({"networks": [{}]})


# ---------------------------------------------------------------------------------------------- the command


def test_command(tmp_path: Path, tiny_configs: dict[str, Config], capsys: pytest.CaptureFixture[str]) -> None:
    net = tmp_path / "tiny.json"
    net.write_text(json.dumps(tiny_configs["basic"].to_json()))
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPES["smoke"].to_json() | {"proxy_macs": None}))
    small = [
        "--data", "digits", "--recipe", str(recipe), "--device", "cpu", "--images", "50", "--draws", "1", "--out",
        str(tmp_path / "out"),
    ]  # fmt: skip
    assert main(["lesion", str(net), *small, "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("one unit dropped") == 6 and "seeds 0, 1" in printed
    report = json.loads((tmp_path / "out" / "lesion.json").read_text())
    assert [network["kind"] for network in report["networks"]] == ["residual", "plain", "dense"]
    assert report["images"] == 50 and report["networks"][1]["config"]["shortcut"] == "none"
    errors = [one["error"] for network in report["networks"] for one in network["lesions"]]
    assert len(errors) == 6 and all(0 <= error <= 100 for error in errors)
    assert (tmp_path / "out" / "lesion-dark.svg").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["densenet_40_12"], "is of family densenet: expected a residual one"),
        (["cifar_resnet20", "--dense", "resnet18"], "--dense is of family resnet"),
        (["cifar_resnet20", "--seeds", "0"], "--seeds 0: expected 1 or more"),
        (["cifar_resnet20", "--images", "-1"], "--images -1: expected 1 or more"),
        (["cifar_resnet20", "--draws", "0"], "--draws 0: expected 1 or more"),
    ],
)
def test_command_refuses(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["lesion", *arguments, "--recipe", "smoke", "--device", "cpu", "--out", str(out)]) == 2
    assert message in capsys.readouterr().err and not out.exists()
