"""One block beside its unrolled alternatives: costs that can be worked out by hand, and widths that are the widest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from results.__main__ import main as draw_command
from results.plots.block import block_plot, draw_block
from space import LANDMARKS, cost, landmark
from space.__main__ import main
from space.networks.layers import Conv
from space.papers.blocks import Block, alternatives, at_cost, of_stage, unrolled
from tests.pictures import check

BOTTLENECK = Block("bottleneck", 256, 64, size=56)


def position(block: Block) -> list[int]:
    """Multiply-adds of its convolutions at one position."""
    return [conv.weights(1) for conv in block.convs]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("python -m space: ") and err.count("\n") == 1
    return err


def test_the_bottleneck_of_the_lecture() -> None:
    assert of_stage(landmark("resnet50"), 1) == BOTTLENECK
    assert position(BOTTLENECK) == [256 * 64, 64 * 64 * 9, 64 * 256] == [16_384, 36_864, 16_384]
    assert sum(position(BOTTLENECK)) == 69_632
    one, basic = (alternative.block for alternative in alternatives(BOTTLENECK) if alternative.at == "equal width")
    assert position(one) == [256 * 256 * 9] == [589_824]
    assert position(basic) == [589_824, 589_824]
    assert (one.receptive_field, basic.receptive_field, BOTTLENECK.receptive_field) == (3, 5, 3)
    # weights and two numbers a map of every norm; 56 x 56 positions
    assert BOTTLENECK.cost.params == 69_632 + 2 * (64 + 64 + 256)
    assert BOTTLENECK.cost.macs == 69_632 * 3_136
    assert BOTTLENECK.cost.activations == (64 + 64 + 256) * 3_136


def test_equal_cost_is_the_widest_that_fits() -> None:
    one, basic = (alternative.block for alternative in alternatives(BOTTLENECK) if alternative.at == "equal cost")
    assert (one.width, basic.width, basic.inner) == (87, 62, 62)
    assert 9 * 87**2 <= 69_632 < 9 * 88**2
    assert 18 * 62**2 <= 69_632 < 18 * 63**2


def test_a_basic_block_beside_bottlenecks() -> None:
    block = of_stage(landmark("resnet34"), 3)
    assert block == Block("basic", 256, 256, size=14)
    found = {alternative.block.name: sum(position(alternative.block)) for alternative in alternatives(block)}
    assert found["bottleneck, 256 by 64"] == 69_632
    # 2 x 256 n + 9 n^2 within 18 x 256^2, and 17 n^2 for 4n maps by n
    assert found["bottleneck, 256 by 334"] == 512 * 334 + 9 * 334**2 <= 1_179_648 < 512 * 335 + 9 * 335**2
    assert found["bottleneck, 1052 by 263"] == 17 * 263**2 <= 1_179_648 < 17 * 264**2


def test_groups_and_the_solver_finds_resnet_again() -> None:
    block = of_stage(landmark("resnext50_32x4d"), 1)
    assert block == Block("bottleneck", 256, 128, 32, size=56)
    assert position(block) == [256 * 128, 128 * 128 * 9 // 32, 128 * 256] == [32_768, 4_608, 32_768]
    assert alternatives(block)[2].block == replace(block, groups=1)
    assert alternatives(block)[-1] == ("equal cost", BOTTLENECK)


def test_a_dense_layer_begins_to_pay_at_7_2_growth_rates() -> None:
    last = of_stage(landmark("densenet121"), 4)
    assert last == Block("dense", 512 + 15 * 32, 128, growth=32, size=7)
    assert position(last) == [992 * 128, 128 * 32 * 9] == [126_976, 36_864]
    for width, pays in ((230, False), (231, True)):
        block = Block("dense", width, 128, growth=32)
        without = alternatives(block)[0].block
        assert position(without) == [width * 32 * 9]
        assert (sum(position(block)) < sum(position(without))) is pays
    basic = of_stage(landmark("densenet_40_12"), 1, 32)
    assert position(basic) == [(16 + 11 * 12) * 12 * 9]
    assert alternatives(basic)[0].block == replace(basic, inner=48)


def test_the_block_is_the_one_in_the_network() -> None:
    for name, stage, path in (
        ("preresnet164", 2, "layer2.5"),
        ("regnetx_200mf", 4, "layer4.6"),
        ("densenet_bc_100_12", 3, "features.denseblock3.denselayer16"),
    ):
        known = LANDMARKS[name]
        config = known.network()
        layers = config.layers(known.input_size, known.classes)
        convs = [layer for layer in layers if isinstance(layer, Conv) and layer.name.startswith(f"{path}.")]
        block = of_stage(config, stage, known.input_size)
        assert [(c.weights(1), c.macs(1)) for c in convs] == [(c.weights(1), c.macs(1)) for c in block.convs]


@pytest.mark.parametrize(
    "name", ["resnet50", "resnet18", "resnext50_32x4d", "densenet121", "densenet_40_12", "regnetx_200mf"]
)
def test_whole_networks_at_equal_cost(name: str) -> None:
    known = LANDMARKS[name]
    config, target = known.network(), (known.input_size, known.classes)
    other = unrolled(config)
    assert unrolled(other) == config or known.family in ("resnext", "regnetx")
    macs = cost(config, *target).macs
    solved = at_cost(other, macs, *target)
    assert solved is not None
    assert 0.85 * macs < cost(solved, *target).macs <= macs
    assert at_cost(other, 1000, *target) is None


def test_resnet50_of_basic_blocks() -> None:
    expected = 7 * 7 * 3 * 64 * 112**2 + 2048 * 1000  # stem and classifier
    for reads, width, depth, size in ((64, 256, 3, 56), (256, 512, 4, 28), (512, 1024, 6, 14), (1024, 2048, 3, 7)):
        weights = 9 * (reads * width + width**2) + reads * width  # the first block with its projection
        weights += (depth - 1) * 18 * width**2
        expected += weights * size**2
    assert cost(unrolled(landmark("resnet50"))).macs == expected


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["block", "--width", "256", "--inner", "64", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert [(row["at"], row["position_macs"]) for row in table["rows"]] == [
        ("the block", 69_632), ("equal width", 589_824), ("equal width", 1_179_648), ("equal cost", 68_121),
        ("equal cost", 69_192),
    ]  # fmt: skip
    assert table["rows"][0]["each"] == [16_384, 36_864, 16_384]
    path = tmp_path / "net.json"
    path.write_text(json.dumps(landmark("resnet50").to_json()))
    assert main(["block", str(path), "--stage", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("net, stage 4: bottleneck, 2048 by 512, at 7x7\n")
    assert "1,048,576 + 2,359,296 + 1,048,576" in out and "basic, 2048 costs 16.94 times as much" in out
    assert main(["block", "--block", "dense", "--width", "992", "--growth", "32", "--markdown"]) == 0
    assert "| the block | dense, 992 by 128 to 32 | 126,976 + 36,864 | 163,840 | 1.00 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "expected a network, such as resnet50, or a block by numbers"),
        (["resnet50", "--width", "3"], "--width is for a block by numbers"),
        (["--width", "64", "--stage", "2"], "--stage is for the block of a network"),
        (["resnet50", "--stage", "0"], "--stage 0: expected 1 to 4"),
        (["resnet50", "--stage", "5"], "--stage 5: expected 1 to 4"),
        (["vgg16"], "figures only"),
        (["resnet51"], "did you mean resnet50"),
        (["--width", "0"], "--width is 0: expected 1 to 65536"),
        (["--width", "64", "--inner", "0"], "inner_widths is 0"),
        (["--width", "64", "--size", "0"], "size is 0"),
        (["--width", "100", "--groups", "3"], "groups 3 does not divide 25 channels"),
        (["--width", "64", "--growth", "3"], "--growth is no number of a bottleneck block"),
        (["--block", "dense", "--width", "64", "--groups", "2"], "--groups is no number of a dense block"),
        (["--block", "dense", "--width", "64", "--growth", "0"], "growth is 0"),
        (["--block", "dense", "--width", "64", "--growth", "12", "--inner", "50"], "multiple of the growth rate 12"),
    ],
)
def test_refusals(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert reason in refused(capsys, "block", *words)


@pytest.mark.parametrize("name", ["resnext50_32x4d", "densenet121"])
def test_the_picture(name: str) -> None:
    block = of_stage(landmark(name), 1)
    data = block_plot("a block", LANDMARKS[name].family, block)
    assert data.bars[0].macs == sum(position(block))
    assert data.bars[0].parts == tuple((conv.kernel, conv.weights(1)) for conv in block.convs)
    assert data.bars[1].times == pytest.approx(data.bars[1].macs / data.bars[0].macs)
    texts = check(draw_block(data), 20)
    assert {bar.label for bar in data.bars} <= set(texts)
    assert [text for text in texts if "  (" in text] == [f"{bar.macs:,}  ({bar.times:.2f})" for bar in data.bars]
    assert {"the block", "equal width", "equal cost"} <= set(texts)


def test_the_picture_as_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "b.svg"
    assert draw_command(["block", "resnet50", "--stage", "2", "--out", str(out), "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"bottleneck, 512 by 128 and 4 alternatives: {out}\n"
    assert "ResNet-50, stage 2" in out.read_text()
    assert draw_command(["block", "resnet50", "--stage", "9", "--out", str(tmp_path / "no.png")]) == 2
    assert "--stage 9: expected 1 to 4" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [out]
