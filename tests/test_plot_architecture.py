"""A network stage by stage, and its picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.patches import Rectangle

from results import load_run
from results.plots import View
from results.plots.architecture import ArchitecturePlot, architecture_data, draw_architecture
from results.plots.style import DARK, LIGHT, Theme
from results.run.run import Run
from results.run.stages import stages
from space import Config, DenseConfig, ResidualConfig, cost, landmark
from tests.pictures import check


def test_the_parts_sum_to_the_whole(tiny_config: Config) -> None:
    parts = stages(tiny_config, 32, 10)
    whole = cost(tiny_config, 32, 10)
    assert sum(part.macs for part in parts) == whole.macs
    assert sum(part.params for part in parts) == whole.params
    assert sum(part.activations for part in parts) == whole.activations
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert (parts[0].name, parts[-1].name, parts[-1].width) == ("stem", "head", 10)
    size = 32
    for before, part in zip((None, *parts[:-1]), parts, strict=True):
        assert part.reads == (before.width if before else 3)
        assert part.size in (size // part.stride, -(-size // part.stride))
        size = part.size


def test_resnext50_is_the_papers_table() -> None:
    """ResNeXt, arXiv:1611.05431, Table 1: output sizes, inner and outer widths, cardinality, depths."""
    parts = stages(landmark("resnext50_32x4d"))
    assert [(part.name, part.size) for part in parts] == [
        ("stem", 56), ("stage 1", 56), ("stage 2", 28), ("stage 3", 14), ("stage 4", 7), ("head", 1),
    ]  # fmt: skip
    assert [(part.inner, part.width, part.groups, part.blocks) for part in parts[1:-1]] == [
        (128, 256, 32, 3), (256, 512, 32, 4), (512, 1024, 32, 6), (1024, 2048, 32, 3),
    ]  # fmt: skip
    assert parts[0].macs == 7 * 7 * 3 * 64 * 112 * 112
    assert parts[-1].macs == 2048 * 1000


def test_a_dense_block_grows() -> None:
    """DenseNet, arXiv:1608.06993, Table 1: DenseNet-121 with k = 32."""
    parts = {part.name: part for part in stages(landmark("densenet121"))}
    assert list(parts) == [
        "stem", "block 1", "transition 1", "block 2", "transition 2", "block 3", "transition 3", "block 4", "head",
    ]  # fmt: skip
    third = parts["block 3"]
    assert (third.reads, third.growth, third.blocks, third.width) == (256, 32, 24, 256 + 24 * 32)
    assert (third.inner, third.size, third.groups) == (4 * 32, 14, None)
    assert (parts["transition 3"].reads, parts["transition 3"].width, parts["transition 3"].size) == (1024, 512, 7)
    basic = stages(DenseConfig("densenet", "cifar", 16, (2, 2), 12, 0, 1.0), 32, 10)
    assert (basic[1].inner, basic[1].growth, basic[1].width) == (None, 12, 40)


def test_an_input_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        stages(landmark("densenet121"), 8)
    one = ResidualConfig("resnet", "cifar", 8, "basic", (1,), (8,), (8,), (1,))
    assert [part.name for part in stages(one, 4, 2)] == ["stem", "stage 1", "head"]


def test_the_best_network_unless_another_is_asked_for(master: Path) -> None:
    run = load_run(master)
    best = architecture_data(run)
    assert best.parts == stages(run.best().config)
    assert f"proxy top-1 {run.best().proxy_top1:.2f} % (cpu on digits); trial {run.best().trial}" in best.subtitle
    frame = run.frame()
    number = int(frame.loc[frame["landmark"] == "resnext50_32x4d", "trial"].iloc[0])
    asked = architecture_data(run, View(trial=number))
    assert asked.title == "ResNeXt-50 32x4d: bottleneck d3-4-6-3 w256-512-1024-2048 32x4d"
    assert asked.subtitle.startswith("4.23 GFLOPs; 25.0 M parameters; ")
    with pytest.raises(ValueError, match="no finished trial has the number 9999"):
        architecture_data(run, View(trial=9999))


def plot_of(config: Config) -> ArchitecturePlot:
    return ArchitecturePlot("a title", "and what it costs, at length " * 6, config.family, stages(config), "a caption")


DEEP = ResidualConfig(
    "resnet", "imagenet", 64, "bottleneck", (1, 100, 36, 3), (256, 512, 1024, 2048), (64, 128, 256, 512), (1,) * 4
)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["resnet18", "densenet264", "deep", "three"])
def test_everything_is_inside_and_apart(name: str, theme: Theme) -> None:
    three = DenseConfig("densenet", "cifar", 16, (12, 1, 40), 12, 0, 1.0)
    config = {"deep": DEEP, "three": three}.get(name) or landmark(name)
    figure = draw_architecture(plot_of(config), theme)
    check(figure, 40)
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == ["a title", *(part.name for part in stages(config))]


def test_every_block_is_drawn() -> None:
    figure = draw_architecture(plot_of(landmark("densenet121")))
    bars = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_alpha() == 0.45]
    assert len(bars) == 6 + 12 + 24 + 16
    heights = [bar.get_height() ** 2 for bar in bars]  # square roots of channels
    assert heights[5] / heights[0] == pytest.approx((64 + 6 * 32) / (64 + 32))
    assert heights[6] / heights[5] == pytest.approx((128 + 32) / 256)


def test_another_target(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run: Run = load_run(make_run(tmp_path / "run", samples=4, budget="0.03G", input_size=32, classes=10))
    assert architecture_data(run).parts[-1].width == 10
    assert "32x32 and 10 classes" in architecture_data(run).caption
