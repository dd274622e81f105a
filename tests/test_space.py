"""Configurations, counts and modules: exact, checked where made, and interchangeable with torchvision's."""

import copy
import json
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from space import (
    LANDMARKS,
    Budget,
    DenseConfig,
    ResidualConfig,
    build,
    config_from_json,
    cost,
    gflops,
    landmark,
    load_config,
)
from space.layers import Conv, Linear, unroll

EXPRESSED = [name for name, known in LANDMARKS.items() if known.config is not None]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Nets this small only wait for other threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(**changes):
    """A ResNet small enough to run in milliseconds."""
    numbers = {
        "family": "resnet",
        "stem": "cifar",
        "stem_width": 8,
        "block": "basic",
        "depths": (2, 1),
        "widths": (8, 16),
        "inner_widths": (8, 16),
        "groups": (1, 1),
    }
    return ResidualConfig(**(numbers | changes))


TINY = {
    "basic": tiny(),
    "option A": tiny(shortcut="A"),
    "bottleneck": tiny(block="bottleneck", widths=(16, 32)),
    "stride in the 1x1": tiny(block="bottleneck", widths=(16, 32), stride_in="1x1"),
    "grouped": tiny(family="resnext", block="bottleneck", widths=(16, 32), groups=(4, 4)),
    "grouped basic": tiny(family="resnext", groups=(2, 4)),
    "pre-activation": tiny(family="preresnet", preactivation=True),
    "pre-activation, option A": tiny(family="preresnet", preactivation=True, shortcut="A"),
    "pre-activation, bottleneck": tiny(family="preresnet", preactivation=True, block="bottleneck", widths=(16, 32)),
    "pre-activation, imagenet": tiny(family="preresnet", preactivation=True, stem="imagenet"),
    "imagenet": tiny(stem="imagenet"),
    "regnet": tiny(family="regnetx", stem="regnet", block="bottleneck", groups=(2, 4)),
    "wide": tiny(family="wide_resnet", inner_widths=(16, 32), block="bottleneck", widths=(16, 32)),
    "dense": DenseConfig("densenet", "cifar", 16, (2, 2), 4, 0, 1.0),
    "dense BC": DenseConfig("densenet", "cifar", 8, (2, 3, 2), 4),
    "dense imagenet": DenseConfig("densenet", "imagenet", 8, (2, 3), 4, 2, 0.3),
}


# --- what is counted ---------------------------------------------------------------------------------------------


def test_counts_by_hand():
    # The whole answer is visible: stem 3x3x3x8 at 8x8, one block 2 * 3x3x8x8 at 8x8, classifier 8x10.
    config = tiny(depths=(1,), widths=(8,), inner_widths=(8,), groups=(1,))
    assert cost(config, 8, 10).macs == 216 * 64 + 2 * 576 * 64 + 80
    assert cost(config, 8, 10).params == 216 + 16 + 2 * (576 + 16) + 80 + 10
    assert cost(config, 8, 10).activations == 3 * 8 * 64


@pytest.mark.parametrize("name", EXPRESSED)
def test_landmark_is_what_its_module_does(name):
    known = LANDMARKS[name]
    with torch.device("meta"):
        model = build(known.config, known.classes, known.input_size).eval()
        assert sum(each.numel() for each in model.parameters()) == known.params
        if len(known.config.layers(known.input_size, known.classes)) > 350:
            return  # slow to trace; the exactness benchmark does it, and random nets below are traced
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
    shortcut = draw(st.sampled_from("AB"))
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


def test_layers_are_the_modules():
    for config in TINY.values():
        model = build(config, 10, 32)
        modules = dict(model.named_modules())
        for layer in config.layers(32, 10):
            if isinstance(layer, Conv):
                conv = modules[layer.name]
                assert (conv.in_channels, conv.out_channels) == (layer.in_channels, layer.out_channels)
                assert (conv.kernel_size, conv.stride, conv.groups) == (
                    (layer.kernel,) * 2,
                    (layer.stride,) * 2,
                    layer.groups,
                )
                assert conv.bias is None
            elif isinstance(layer, Linear):
                assert modules[layer.name].in_features == layer.in_features


# --- state dicts, as torchvision writes them ---------------------------------------------------------------------

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def expected_resnet_keys(depths, basic=False):
    """torchvision.models.resnet.ResNet's keys, in its order of construction."""
    keys = ["conv1.weight", *(f"bn1.{each}" for each in NORM)]
    for stage, depth in enumerate(depths, 1):
        for block in range(depth):
            prefix = f"layer{stage}.{block}"
            for number in range(1, 3 if basic else 4):
                keys.append(f"{prefix}.conv{number}.weight")
                keys += [f"{prefix}.bn{number}.{each}" for each in NORM]
            if block == 0 and not (basic and stage == 1):
                keys.append(f"{prefix}.downsample.0.weight")
                keys += [f"{prefix}.downsample.1.{each}" for each in NORM]
    return [*keys, "fc.weight", "fc.bias"]


def expected_densenet_keys(depths):
    """torchvision.models.densenet.DenseNet's keys."""
    keys = ["features.conv0.weight", *(f"features.norm0.{each}" for each in NORM)]
    for number, depth in enumerate(depths, 1):
        for layer in range(1, depth + 1):
            for step in (1, 2):
                prefix = f"features.denseblock{number}.denselayer{layer}"
                keys += [f"{prefix}.norm{step}.{each}" for each in NORM] + [f"{prefix}.conv{step}.weight"]
        if number < len(depths):
            keys += [f"features.transition{number}.norm.{each}" for each in NORM]
            keys.append(f"features.transition{number}.conv.weight")
    return [*keys, *(f"features.norm5.{each}" for each in NORM), "classifier.weight", "classifier.bias"]


STATE = {
    "resnet18": (
        122,
        expected_resnet_keys((2, 2, 2, 2), basic=True),
        {"layer1.0.conv1.weight": (64, 64, 3, 3), "layer4.0.downsample.0.weight": (512, 256, 1, 1)},
    ),
    "resnet50": (
        320,
        expected_resnet_keys((3, 4, 6, 3)),
        {
            "conv1.weight": (64, 3, 7, 7),
            "bn1.num_batches_tracked": (),
            "layer1.0.conv1.weight": (64, 64, 1, 1),
            "layer1.0.conv2.weight": (64, 64, 3, 3),
            "layer1.0.downsample.0.weight": (256, 64, 1, 1),
            "layer1.0.downsample.1.running_var": (256,),
            "layer3.5.bn3.weight": (1024,),
            "layer4.0.conv1.weight": (512, 1024, 1, 1),
            "layer4.2.conv3.weight": (2048, 512, 1, 1),
            "fc.weight": (1000, 2048),
            "fc.bias": (1000,),
        },
    ),
    "resnext50_32x4d": (
        320,
        expected_resnet_keys((3, 4, 6, 3)),
        {
            "layer1.0.conv1.weight": (128, 64, 1, 1),
            "layer1.0.conv2.weight": (128, 4, 3, 3),
            "layer4.2.conv2.weight": (1024, 32, 3, 3),
            "layer4.2.conv3.weight": (2048, 1024, 1, 1),
        },
    ),
    "wide_resnet50_2": (
        320,
        expected_resnet_keys((3, 4, 6, 3)),
        {
            "layer1.0.conv2.weight": (128, 128, 3, 3),
            "layer1.0.conv3.weight": (256, 128, 1, 1),
            "layer4.0.conv2.weight": (1024, 1024, 3, 3),
        },
    ),
    "densenet121": (
        727,
        expected_densenet_keys((6, 12, 24, 16)),
        {
            "features.conv0.weight": (64, 3, 7, 7),
            "features.denseblock1.denselayer1.norm1.weight": (64,),
            "features.denseblock1.denselayer1.conv1.weight": (128, 64, 1, 1),
            "features.denseblock1.denselayer6.conv2.weight": (32, 128, 3, 3),
            "features.transition1.conv.weight": (128, 256, 1, 1),
            "features.denseblock4.denselayer16.norm1.running_mean": (992,),
            "features.norm5.weight": (1024,),
            "classifier.weight": (1000, 1024),
        },
    ),
}


@pytest.mark.parametrize("name", STATE)
def test_state_dict_is_torchvisions(name):
    count, keys, shapes = STATE[name]
    with torch.device("meta"):
        state = build(landmark(name)).state_dict()
    assert len(keys) == count
    assert list(state) == keys
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


def test_strides_are_where_the_config_says():
    with torch.device("meta"):
        ours, papers = build(landmark("resnet50")), build(landmark("resnet50_v1"))
    assert (ours.layer2[0].conv1.stride, ours.layer2[0].conv2.stride) == ((1, 1), (2, 2))
    assert (papers.layer2[0].conv1.stride, papers.layer2[0].conv2.stride) == ((2, 2), (1, 1))


# --- modules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TINY)
def test_forward_and_backward(name):
    torch.manual_seed(0)
    model = build(TINY[name], classes=7, input_size=24)
    logits = model(torch.randn(3, 3, 24, 24))
    assert logits.shape == (3, 7)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 3, 6])).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key
    assert model.eval()(torch.randn(1, 3, 24, 24)).shape == (1, 7)


@pytest.mark.parametrize("name", TINY)
def test_copies_and_pickles_compute_the_same(name):
    torch.manual_seed(0)
    model = build(TINY[name], 7, 24).eval()
    image = torch.randn(2, 3, 24, 24)
    with torch.no_grad():
        expected = model(image)
        assert torch.equal(copy.deepcopy(model)(image), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(image), expected)
        fresh = build(TINY[name], 7, 24).eval()
        fresh.load_state_dict(model.state_dict(), strict=True)
        assert torch.equal(fresh(image), expected)


def test_forward_leaves_its_input_alone():
    for config in TINY.values():
        image = torch.randn(2, 3, 24, 24)
        before = image.clone()
        build(config, 7, 24)(image)
        assert torch.equal(image, before)


@pytest.mark.parametrize("name", [name for name, config in TINY.items() if isinstance(config, ResidualConfig)])
def test_zero_init_last_makes_blocks_the_identity(name):
    config = TINY[name]
    plain, zeroed = build(config, 7, 24), build(config, 7, 24, zero_init_last=True)
    width = config.widths[0]
    x = torch.rand(2, width, 6, 6)  # not negative, as after a ReLU
    block = 1  # keeps its shape: the shortcut is the identity
    assert torch.equal(zeroed.layer1[block](x), x)
    assert not torch.equal(plain.layer1[block](x), x)


def test_zero_init_last_leaves_dense_nets_alone():
    torch.manual_seed(0)
    plain = build(TINY["dense"], 7, 24).state_dict()
    torch.manual_seed(0)
    zeroed = build(TINY["dense"], 7, 24, zero_init_last=True).state_dict()
    assert all(torch.equal(plain[key], zeroed[key]) for key in plain)


def test_he_initialisation():
    torch.manual_seed(0)
    conv = build(tiny(widths=(64, 128), inner_widths=(64, 128)), 10, 32).layer2[0].conv2
    assert conv.weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)


def test_input_too_small():
    with pytest.raises(ValueError, match="too small"):
        cost(landmark("densenet121"), 4)
    with pytest.raises(ValueError, match="too small"):
        build(landmark("densenet121"), 10, 4)
    with pytest.raises(ValueError, match="input size is 0"):
        cost(landmark("resnet50"), 0)
    with pytest.raises(ValueError, match="classes is -1"):
        cost(landmark("resnet50"), 224, -1)


# --- bad configurations ------------------------------------------------------------------------------------------

RESIDUAL = TINY["grouped"].to_json()
DENSE = TINY["dense BC"].to_json()
BAD = {
    "not an object": ([1, 2], "JSON object"),
    "null": (None, "JSON object"),
    "a number": (3, "JSON object"),
    "no family": ({}, "family None"),
    "unknown family": (RESIDUAL | {"family": "vgg"}, "expected one of resnet"),
    "family of another class": (RESIDUAL | {"family": "densenet"}, "unknown key"),
    "family is a list": (RESIDUAL | {"family": ["resnet"]}, "family"),
    "unknown key": (RESIDUAL | {"colour": "red"}, "unknown key 'colour'"),
    "missing key": ({key: value for key, value in RESIDUAL.items() if key != "depths"}, "missing key 'depths'"),
    "text for a list": (RESIDUAL | {"depths": "3,4"}, "depths is '3,4'"),
    "number for a list": (RESIDUAL | {"widths": 64}, "widths is 64"),
    "object for a list": (RESIDUAL | {"widths": {"1": 64}}, "widths is"),
    "empty list": (RESIDUAL | {"depths": []}, "depths is"),
    "nested list": (RESIDUAL | {"depths": [[1], [1]]}, "entry of depths"),
    "float for int": (RESIDUAL | {"depths": [2.0, 1]}, "entry of depths is 2.0"),
    "bool for int": (RESIDUAL | {"depths": [True, 1]}, "entry of depths is True"),
    "null for int": (RESIDUAL | {"stem_width": None}, "stem_width is None"),
    "bool for stem width": (RESIDUAL | {"stem_width": True}, "stem_width is True"),
    "int for bool": (RESIDUAL | {"preactivation": 1}, "preactivation is 1"),
    "lengths differ": (RESIDUAL | {"depths": [1, 1, 1]}, "expected 3"),
    "zero depth": (RESIDUAL | {"depths": [2, 0]}, "entry of depths is 0"),
    "negative width": (RESIDUAL | {"widths": [16, -32]}, "entry of widths is -32"),
    "absurd width": (RESIDUAL | {"widths": [16, 10**9]}, "1000000000"),
    "absurd depth": (RESIDUAL | {"depths": [2, 10**9]}, "1000000000"),
    "groups do not divide": (RESIDUAL | {"groups": [3, 4]}, "groups 3 does not divide 8"),
    "groups do not divide the width": (
        TINY["grouped basic"].to_json() | {"widths": [9, 16], "shortcut": "B"},
        "groups 2 does not divide",
    ),
    "groups do not divide the stem of a basic net": (
        TINY["grouped basic"].to_json() | {"stem_width": 7},
        "groups 2 does not divide",
    ),
    "groups do not divide the stage before": (
        TINY["grouped basic"].to_json() | {"groups": [2, 16], "inner_widths": [8, 32], "widths": [8, 32]},
        "groups 16 does not divide",
    ),
    "unknown stem": (RESIDUAL | {"stem": "mnist"}, "stem is 'mnist'"),
    "unknown block": (RESIDUAL | {"block": "dense"}, "block is 'dense'"),
    "list for a choice": (RESIDUAL | {"block": ["basic"]}, "block is"),
    "unknown stride": (RESIDUAL | {"stride_in": "5x5"}, "stride_in is '5x5'"),
    "unknown shortcut": (RESIDUAL | {"shortcut": "C"}, "shortcut is 'C'"),
    "shortcut A narrows": (RESIDUAL | {"shortcut": "A", "widths": [32, 16]}, "cannot narrow from 32 to 16"),
    "shortcut A narrows the stem": (RESIDUAL | {"shortcut": "A", "stem_width": 64}, "cannot narrow from 64 to 16"),
    "compression 0": (DENSE | {"compression": 0}, "compression is 0"),
    "compression above 1": (DENSE | {"compression": 1.5}, "compression is 1.5"),
    "compression is not a number": (DENSE | {"compression": float("nan")}, "compression is nan"),
    "compression is text": (DENSE | {"compression": "0.5"}, "compression is '0.5'"),
    "compression is a bool": (DENSE | {"compression": True}, "compression is True"),
    "growth 0": (DENSE | {"growth_rate": 0}, "growth_rate is 0"),
    "negative bottleneck": (DENSE | {"bottleneck": -1}, "bottleneck is -1"),
    "dense beyond machines": (DENSE | {"depths": [10_000], "growth_rate": 65_536}, "beyond any machine"),
    "dense unknown key": (DENSE | {"widths": [1]}, "unknown key 'widths'"),
    "dense missing key": ({key: value for key, value in DENSE.items() if key != "growth_rate"}, "missing key"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configs_are_refused_with_a_sentence(name, tmp_path):
    data, words = BAD[name]
    with pytest.raises(ValueError) as refusal:
        config_from_json(data)
    message = str(refusal.value)
    assert words in message
    assert "\n" not in message and len(message) < 300
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_config(path)


@pytest.mark.parametrize("content", [b"", b"{", b"not json", b"\xff\x00" * 50, b'{"family": "resnet"', b"[" * 100_000])
def test_bad_files(content, tmp_path):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_config(path)


def test_good_files(tmp_path):
    path = tmp_path / "good.json"
    for config in TINY.values():
        for data in (config.to_json(), {"config": config.to_json(), "macs": 1}):
            path.write_text(json.dumps(data))
            assert load_config(path) == config


def test_ids_tell_configs_apart():
    assert len({config.id for config in TINY.values()}) == len(TINY)
    assert all(len(config.id) == 12 for config in TINY.values())
    # An integer compression reads as the same network.
    whole = DenseConfig("densenet", "cifar", 16, (2, 2), 4, 0, 1)
    assert whole == TINY["dense"] and whole.id == TINY["dense"].id


def test_configs_are_frozen_and_hashable():
    with pytest.raises(AttributeError):
        TINY["basic"].depths = (1, 1)
    assert len(set(TINY.values())) == len(TINY)


@pytest.mark.parametrize("factor", [0.05, 0.25, 0.5, 1.0, 1.7])
def test_scaled_stays_valid(factor):
    grouped = tiny(family="resnext", groups=(16, 16), widths=(32, 64), inner_widths=(32, 64), stem_width=16)
    for config in [*TINY.values(), grouped, *map(landmark, EXPRESSED)]:
        scaled = config.scaled(factor)
        assert type(scaled) is type(config) and scaled.depths == config.depths
        if factor < 0.5:
            assert cost(scaled, 64, 10).macs <= cost(config, 64, 10).macs


# --- budgets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "macs"),
    [
        ("4.1GFLOPs", 4_100_000_000),
        ("4.1 GMACs", 4_100_000_000),
        ("4.1gflops", 4_100_000_000),
        ("4.1 G", 4_100_000_000),
        ("600M", 600_000_000),
        ("600MFLOP", 600_000_000),
        ("4.1e9", 4_100_000_000),
        ("4.1E+9", 4_100_000_000),
        ("0.6G", 600_000_000),
        (".6G", 600_000_000),
        ("1T", 10**12),
        ("5000k", 5_000_000),
        ("4089184256", 4_089_184_256),
        ("  1G  ", 10**9),
        ("1M", 1_000_000),
    ],
)
def test_budget_reads(text, macs):
    assert Budget.parse(text) == Budget(macs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "G",
        "0",
        "0G",
        "-1G",
        "+1G",
        "nan",
        "inf",
        "infG",
        "1e999",
        "4.1.2G",
        "4,1G",
        "4.1GB",
        "4.1 parsecs",
        "4.1GFLOPs/s",
        "0x10G",
        "ten",
        "1e400G",
        "1",
        "999999",
        "1000T",
        "1_000M",
        "4.1GG",
        ".",
        ".G",
        "\n",
        "٤G",
    ],
)
def test_budget_refuses(text):
    with pytest.raises(ValueError, match="budget") as refusal:
        Budget.parse(text)
    assert "4.1GFLOPs" in str(refusal.value)


@pytest.mark.parametrize("macs", [0, -1, 999_999, 10**15, 4.1e9, "4.1G", True, None])
def test_budget_checks_where_it_is_made(macs):
    with pytest.raises(ValueError, match="budget"):
        Budget(macs)


def test_budget_writes_what_it_reads():
    for text in ("4.1GFLOPs", "600MFLOPs", "1TFLOPs"):
        assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)
    assert str(Budget(4_100_000_000)) == "4.1GFLOPs"
    assert [gflops(value) for value in (4_089_184_256, 620_000_000, 15_460_270_080, 40_551_040, 900)] == [
        "4.09G",
        "620M",
        "15.46G",
        "40.55M",
        "900",
    ]
