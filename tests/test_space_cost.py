"""Counts of a network: by hand, as published, and as what its module does."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from space import LANDMARKS, DenseConfig, ResidualConfig, build, config_from_json, cost, landmark
from space.networks.layers import unroll

EXPRESSED = [name for name, known in LANDMARKS.items() if known.config is not None]


def test_counts_by_hand():
    # The whole answer is visible: stem 3x3x3x8 at 8x8, one block 2 * 3x3x8x8 at 8x8, classifier 8x10.
    config = ResidualConfig("resnet", "cifar", 8, "basic", (1,), (8,), (8,), (1,))
    assert cost(config, 8, 10).macs == 216 * 64 + 2 * 576 * 64 + 80
    assert cost(config, 8, 10).params == 216 + 16 + 2 * (576 + 16) + 80 + 10
    assert cost(config, 8, 10).activations == 3 * 8 * 64


@pytest.mark.parametrize("name", [name for name in EXPRESSED if len(LANDMARKS[name].config.layers(32, 10)) < 700])
def test_landmark_has_the_parameters_of_its_module(name):
    known = LANDMARKS[name]
    with torch.device("meta"):
        model = build(known.config, known.classes, known.input_size)
    assert sum(each.numel() for each in model.parameters()) == known.params


@pytest.mark.slow  # of each family the smallest ones: test_every_family.py
@pytest.mark.parametrize("name", EXPRESSED)
def test_landmark_is_what_its_module_does(name):
    known = LANDMARKS[name]
    with torch.device("meta"):
        model = build(known.config, known.classes, known.input_size).eval()
        assert sum(each.numel() for each in model.parameters()) == known.params
        with FlopCounterMode(display=False) as counter:
            model(torch.empty(1, 3, known.input_size, known.input_size))
    assert counter.get_total_flops() == 2 * known.macs


# pycls@5719de6 dev/model_complexity.json (its flops and acts include the classifier's 1,000), and torchvision's
# regnet_x_400mf, whose last stage is 400 wide (pycls: 384).
REGNETX = {
    "200MF": ((24, 56, 152, 368), (1, 1, 4, 7), 8, 2_684_792, 199_040_872, 2_164_056),
    "400MF": ((32, 64, 160, 384), (1, 2, 7, 12), 16, 5_157_512, 397_678_568, 3_143_272),
    "400MF torchvision": ((32, 64, 160, 400), (1, 2, 7, 12), 16, 5_495_976, None, None),
    "1.6GF": ((72, 168, 408, 912), (2, 4, 10, 2), 24, 9_190_136, 1_602_850_792, 7_933_512),
    "4.0GF": ((80, 240, 560, 1360), (2, 5, 14, 2), 40, 22_118_248, 3_964_499_816, 12_201_608),
}


@pytest.mark.parametrize("name", REGNETX)
def test_regnetx_is_the_same_class_with_other_numbers(name):
    widths, depths, group_width, params, flops, acts = REGNETX[name]
    groups = tuple(width // group_width for width in widths)
    config = ResidualConfig("regnetx", "regnet", 32, "bottleneck", depths, widths, widths, groups)
    counted = cost(config)
    assert counted.params == params
    if flops is not None:
        assert counted.macs + 1000 == flops
        assert counted.activations + 1000 == acts


@st.composite
def residual_configs(draw):
    stages = draw(st.integers(1, 4))
    block = draw(st.sampled_from(("basic", "bottleneck")))
    some_groups = st.sampled_from((1, 2, 3, 8))
    if block == "basic":  # both 3x3s are grouped, so that each stage's width is divided by the next one's groups too
        groups = (draw(some_groups),) * stages
        stem_width = groups[0] * draw(st.integers(1, 4))
    else:
        groups = tuple(draw(some_groups) for _ in range(stages))
        stem_width = draw(st.integers(1, 9))
    widths = tuple(groups[0] * draw(st.integers(1, 4)) for _ in range(stages))
    shortcut = draw(st.sampled_from(("A", "B", "none")))
    if shortcut == "A":
        widths = tuple(sorted(widths))
        stem_width = min(stem_width, widths[0])
    return ResidualConfig(
        draw(st.sampled_from(ResidualConfig.LABELS)),
        draw(st.sampled_from(("imagenet", "cifar", "regnet"))),
        stem_width,
        block,
        tuple(draw(st.integers(1, 3)) for _ in range(stages)),
        widths,
        tuple(group * draw(st.integers(1, 4)) for group in groups),
        groups,
        draw(st.sampled_from(("1x1", "3x3"))),
        shortcut,
        draw(st.booleans()),
    )


@st.composite
def dense_configs(draw):
    return DenseConfig(
        "densenet",
        draw(st.sampled_from(("imagenet", "cifar"))),
        draw(st.integers(2, 20)),
        tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))),
        draw(st.integers(1, 9)),
        draw(st.integers(0, 4)),
        draw(st.floats(0.5, 1)),
    )


@settings(deadline=None, max_examples=40)
@given(st.one_of(residual_configs(), dense_configs()), st.integers(16, 50), st.integers(1, 12))
def test_counted_is_unrolled_is_built(config, size, classes):
    counted = cost(config, size, classes)
    records = [layer for _, layers in unroll(config.blocks(size, classes)) for layer in layers]
    sums = [sum(column) for column in zip(*(layer.totals(1) for layer in records), strict=True)]
    assert sums == [counted.macs, counted.params, counted.activations]
    with torch.device("meta"):
        model = build(config, classes, size).eval()
        assert sum(each.numel() for each in model.parameters()) == counted.params
        with FlopCounterMode(display=False) as counter:
            assert model(torch.empty(2, 3, size, size)).shape == (2, classes)
    assert counter.get_total_flops() == 2 * 2 * counted.macs
    assert config_from_json(json.loads(json.dumps(config.to_json()))) == config


def test_input_too_small():
    with pytest.raises(ValueError, match="too small"):
        cost(landmark("densenet121"), 4)
    with pytest.raises(ValueError, match="too small"):
        build(landmark("densenet121"), 10, 4)
    with pytest.raises(ValueError, match="input size is 0"):
        cost(landmark("resnet50"), 0)
    with pytest.raises(ValueError, match="classes is -1"):
        cost(landmark("resnet50"), 224, -1)
