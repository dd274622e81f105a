"""State dicts of the built networks have the names, order and shapes of torchvision's, and load its files.

The expected names and shapes are worked out here as torchvision's `ResNet` and `DenseNet` make their layers, from
those classes' own arguments; the numbers of parameters are those of torchvision's documentation (`num_params`).
"""

import math

import pytest
import torch

from space import build, landmark

RUNNING = ("running_mean", "running_var")


def norm(name, channels):
    each = [(f"{name}.{part}", (channels,)) for part in ("weight", "bias", *RUNNING)]
    return [*each, (f"{name}.num_batches_tracked", ())]


def conv(name, out, read, kernel):
    return [(f"{name}.weight", (out, read, kernel, kernel))]


def resnet(layers, expansion=4, groups=1, width_per_group=64):
    """torchvision.models.resnet.ResNet's (name, shape) in its order of construction; expansion 1: basic blocks."""
    state = [*conv("conv1", 64, 3, 7), *norm("bn1", 64)]
    inplanes = 64
    for stage, blocks in enumerate(layers):
        planes = 64 * 2**stage
        width = planes * width_per_group // 64 * groups
        for block in range(blocks):
            name, out = f"layer{stage + 1}.{block}", planes * expansion
            if expansion == 1:
                steps = [(planes, inplanes, 3), (planes, planes, 3)]
            else:
                steps = [(width, inplanes, 1), (width, width // groups, 3), (out, width, 1)]
            for number, step in enumerate(steps, 1):
                state += [*conv(f"{name}.conv{number}", *step), *norm(f"{name}.bn{number}", step[0])]
            if block == 0 and (stage > 0 or inplanes != out):
                state += [*conv(f"{name}.downsample.0", out, inplanes, 1), *norm(f"{name}.downsample.1", out)]
            inplanes = out
    return [*state, ("fc.weight", (1000, inplanes)), ("fc.bias", (1000,))]


def densenet(growth, blocks, channels):
    """torchvision.models.densenet.DenseNet's (name, shape) in its order of construction."""
    state = [*conv("features.conv0", channels, 3, 7), *norm("features.norm0", channels)]
    for number, layers in enumerate(blocks, 1):
        for layer in range(1, layers + 1):
            name = f"features.denseblock{number}.denselayer{layer}"
            state += [*norm(f"{name}.norm1", channels), *conv(f"{name}.conv1", 4 * growth, channels, 1)]
            state += [*norm(f"{name}.norm2", 4 * growth), *conv(f"{name}.conv2", growth, 4 * growth, 3)]
            channels += growth
        if number < len(blocks):
            name = f"features.transition{number}"
            state += [*norm(f"{name}.norm", channels), *conv(f"{name}.conv", channels // 2, channels, 1)]
            channels //= 2
    state += norm("features.norm5", channels)
    return [*state, ("classifier.weight", (1000, channels)), ("classifier.bias", (1000,))]


# name: (layers with weights but the last, norms, parameters in torchvision's documentation, names and shapes)
OFFICIAL = {
    "resnet18": (20, 20, 11_689_512, resnet((2, 2, 2, 2), 1)),
    "resnet34": (36, 36, 21_797_672, resnet((3, 4, 6, 3), 1)),
    "resnet50": (53, 53, 25_557_032, resnet((3, 4, 6, 3))),
    "resnet101": (104, 104, 44_549_160, resnet((3, 4, 23, 3))),
    "resnet152": (155, 155, 60_192_808, resnet((3, 8, 36, 3))),
    "resnext50_32x4d": (53, 53, 25_028_904, resnet((3, 4, 6, 3), groups=32, width_per_group=4)),
    "resnext101_32x8d": (104, 104, 88_791_336, resnet((3, 4, 23, 3), groups=32, width_per_group=8)),
    "resnext101_64x4d": (104, 104, 83_455_272, resnet((3, 4, 23, 3), groups=64, width_per_group=4)),
    "wide_resnet50_2": (53, 53, 68_883_240, resnet((3, 4, 6, 3), width_per_group=128)),
    "wide_resnet101_2": (104, 104, 126_886_696, resnet((3, 4, 23, 3), width_per_group=128)),
    "densenet121": (120, 121, 7_978_856, densenet(32, (6, 12, 24, 16), 64)),
    "densenet161": (160, 161, 28_681_000, densenet(48, (6, 12, 36, 24), 96)),
    "densenet169": (168, 169, 14_149_480, densenet(32, (6, 12, 32, 32), 64)),
    "densenet201": (200, 201, 20_013_928, densenet(32, (6, 12, 48, 32), 64)),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_state_dict_is_torchvisions(name):
    convs, norms, parameters, expected = OFFICIAL[name]
    with torch.device("meta"):
        state = build(landmark(name)).state_dict()
    assert [(key, tuple(value.shape)) for key, value in state.items()] == expected
    assert len(state) == convs + 5 * norms + 2  # the last: weight and bias of the head
    trained = [value for key, value in state.items() if not key.endswith((*RUNNING, "num_batches_tracked"))]
    assert sum(value.numel() for value in trained) == parameters


def published(expected):
    """Weights as the files have them that were made before torch counted batches: the index of a tensor is its value.

    DenseNet's files also still say norm.1 and conv.2 inside dense layers.
    """
    old = {f".{kind}{number}.": f".{kind}.{number}." for kind in ("norm", "conv") for number in (1, 2)}
    state = {}
    for index, (name, shape) in enumerate(expected):
        if name.endswith("num_batches_tracked"):
            continue
        if "denselayer" in name:
            for ours, theirs in old.items():
                name = name.replace(ours, theirs)
        state[name] = torch.full(shape, float(index))
    return state


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_official_files_load_strictly(name, tmp_path):
    expected = OFFICIAL[name][-1]
    torch.save(published(expected), tmp_path / "weights.pth")
    model = build(landmark(name))
    weights = torch.load(tmp_path / "weights.pth")
    assert ("features.denseblock1.denselayer1.norm.1.weight" in weights) == (name == "densenet121")
    model.load_state_dict(weights, strict=True)
    for index, (key, value) in enumerate(model.state_dict().items()):
        assert torch.all(value == (0 if key.endswith("num_batches_tracked") else index)), key


def test_names_that_do_not_belong_are_still_refused():
    model = build(landmark("densenet_bc_100_12"), 10, 32)
    state = model.state_dict()
    state["features.denseblock1.denselayer1.norm.3.weight"] = torch.zeros(1)
    with pytest.raises(RuntimeError, match=r'Unexpected key\(s\) in state_dict: "features.*denselayer1.norm.3.weight"'):
        model.load_state_dict(state)


def test_loading_leaves_the_weights_alone():
    model = build(landmark("densenet_bc_100_12"), 10, 32)
    layer = "features.denseblock1.denselayer1."
    state = {key.replace(f"{layer}norm1", f"{layer}norm.1"): value for key, value in model.state_dict().items()}
    before = list(state)
    model.load_state_dict(state)
    assert list(state) == before


def test_shapes_by_hand():
    """The expectation itself: resnext50_32x4d's shapes, and its first block's norms of 128, 128 and 256 channels."""
    state = dict(OFFICIAL["resnext50_32x4d"][-1])
    assert state["layer1.0.conv2.weight"] == (128, 4, 3, 3)
    assert state["layer4.2.conv3.weight"] == (2048, 1024, 1, 1)
    assert state["layer4.0.downsample.0.weight"] == (2048, 1024, 1, 1)
    assert sum(math.prod(shape) for name, shape in state.items() if name.startswith("layer1.0.bn")) == 4 * 512 + 3


def test_strides_are_where_the_config_says():
    with torch.device("meta"):
        ours, papers = build(landmark("resnet50")), build(landmark("resnet50_v1"))
    assert (ours.layer2[0].conv1.stride, ours.layer2[0].conv2.stride) == ((1, 1), (2, 2))
    assert (papers.layer2[0].conv1.stride, papers.layer2[0].conv2.stride) == ((2, 2), (1, 1))
