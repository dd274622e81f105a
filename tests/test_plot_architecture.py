"""A network stage by stage, and its picture."""

import pytest

from results.stages import stages
from space import Config, DenseConfig, ResidualConfig, cost, landmark


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
