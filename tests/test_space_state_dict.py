"""State dicts of the built networks have the names, order and shapes of torchvision's."""

import pytest
import torch

from space import build, landmark

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
