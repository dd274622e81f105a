"""Multi-scale maps: which, how large, the weights they take, and that nothing is too much."""

import pytest
import torch

from space import build, landmark
from space.networks.network import FeatureInfo, FeatureMaps

SCALES = {
    "resnet18": [("stem", 64, 2), ("layer1", 64, 4), ("layer2", 128, 8), ("layer3", 256, 16), ("layer4", 512, 32)],
    "resnext50_32x4d": [
        ("stem", 64, 2), ("layer1", 256, 4), ("layer2", 512, 8), ("layer3", 1024, 16), ("layer4", 2048, 32),
    ],
    "regnety_400mf": [
        ("stem", 32, 2), ("layer1", 48, 4), ("layer2", 104, 8), ("layer3", 208, 16), ("layer4", 440, 32),
    ],
    "densenet121": [
        ("stem", 64, 2), ("denseblock1", 256, 4), ("denseblock2", 512, 8), ("denseblock3", 1024, 16),
        ("denseblock4", 1024, 32),
    ],
    "densenet161": [
        ("stem", 96, 2), ("denseblock1", 384, 4), ("denseblock2", 768, 8), ("denseblock3", 2112, 16),
        ("denseblock4", 2208, 32),
    ],
    "cifar_resnet20": [("stem", 16, 1), ("layer1", 16, 1), ("layer2", 32, 2), ("layer3", 64, 4)],
    "densenet_40_12": [("stem", 16, 1), ("denseblock1", 160, 1), ("denseblock2", 304, 2), ("denseblock3", 448, 4)],
}  # fmt: skip


@pytest.mark.parametrize("name", SCALES)
def test_published_networks_have_the_scales_that_detectors_use(name):
    with torch.device("meta"):
        model = build(landmark(name), features_only=True).eval()
        maps = model(torch.empty(1, 3, 224, 160))
    assert model.feature_info == tuple(FeatureInfo(*each) for each in SCALES[name])
    assert [tuple(each.shape) for each in maps] == [(1, c, 224 // r, 160 // r) for _, c, r in SCALES[name]]


def test_maps_are_as_announced(tiny_config):
    model = build(tiny_config, 7, 24, features_only=True, in_channels=2).eval()
    maps = model(torch.randn(2, 2, 48, 32))
    found = [(each.shape[1], 48 // each.shape[2], 32 // each.shape[3]) for each in maps]
    assert found == [(info.channels, info.reduction, info.reduction) for info in model.feature_info]
    assert len({info.name for info in model.feature_info}) == len(maps)


def test_maps_are_those_of_the_whole_network(tiny_config):
    """Also: no map is changed by what comes after it."""
    model = build(tiny_config, 7, 24).eval()
    image = torch.randn(2, 3, 24, 24)
    maps = build(tiny_config, 7, 24, features_only=True).eval()
    maps.load_state_dict(model.state_dict(), strict=False)
    found = maps(image)
    assert torch.equal(found[-1], model.forward_features(image))
    for index, (expected, info) in enumerate(zip(found, maps.feature_info, strict=True)):
        alone = build(tiny_config, 7, 24, features_only=True, out_indices=(index,)).eval()
        alone.load_state_dict(model.state_dict(), strict=False)
        (here,) = alone(image)
        assert torch.equal(here, expected)
        assert alone.feature_info == (info,)


def test_a_densenets_map_is_read_by_its_transition(tiny_configs):
    config = tiny_configs["dense BC"]
    model = build(config, 7, 24, features_only=True).eval()
    read = []
    model.features.transition1.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    maps = model(torch.randn(1, 3, 24, 24))
    assert read[0] is maps[1]


def test_the_whole_networks_weights_fit_but_for_the_head(tiny_config):
    model = build(tiny_config, 7, 24)
    maps = build(tiny_config, 7, 24, features_only=True)
    head = [f"{model.HEAD}.weight", f"{model.HEAD}.bias"]
    assert [*maps.state_dict(), *head] == list(model.state_dict())
    assert maps.load_state_dict(model.state_dict(), strict=False) == ([], head)
    assert model.load_state_dict(maps.state_dict(), strict=False) == (head, [])


def test_maps_of_a_network_that_is_there_share_its_weights(tiny_config):
    model = build(tiny_config, 7, 24).eval()
    maps = FeatureMaps(model, (1,)).eval()
    whole = dict(model.named_parameters())
    assert all(parameter is whole[name] for name, parameter in maps.named_parameters())
    assert model(torch.randn(2, 3, 24, 24)).shape == (2, 7)


def test_stages_after_the_last_map_are_left_out():
    with torch.device("meta"):
        model = build(landmark("densenet121"), features_only=True, out_indices=(1, 2))
        residual = build(landmark("resnet50"), features_only=True, out_indices=(-4, -3))
    assert [name for name, _ in model.features.named_children()] == [
        "conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1", "denseblock2",
    ]  # fmt: skip
    assert [name for name, _ in residual.named_children()] == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2"]
    assert (residual.out_indices, [info.reduction for info in residual.feature_info]) == ((1, 2), [4, 8])


def test_every_parameter_is_used(tiny_config):
    for indices in (None, (1,), (0, 1)):
        model = build(tiny_config, 7, 24, features_only=True, out_indices=indices)
        sum(each.square().mean() for each in model(torch.randn(2, 3, 24, 24))).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name


def test_the_same_seed_gives_the_same_weights_with_and_without_a_head(tiny_config):
    torch.manual_seed(1)
    model = build(tiny_config, 7, 24, zero_init_last=True)
    torch.manual_seed(1)
    maps = build(tiny_config, 7, 24, zero_init_last=True, features_only=True)
    assert isinstance(maps, FeatureMaps)
    whole = model.state_dict()
    assert all(torch.equal(value, whole[name]) for name, value in maps.state_dict().items())


@pytest.mark.parametrize("wrong", [(), (3,), (-4,), (1, 0), (1, 1), (0, -3), (1.0,), (True,), 2, "12"])
def test_impossible_indices_are_refused(tiny_configs, wrong):
    with pytest.raises(ValueError, match=r"out_indices is .*: expected some of 0 \(stem\), 1 \(layer1\), 2 \(layer2\)"):
        build(tiny_configs["basic"], 7, 24, features_only=True, out_indices=wrong)


def test_indices_need_features_only(tiny_configs):
    with pytest.raises(ValueError, match="give features_only=True"):
        build(tiny_configs["basic"], 7, 24, out_indices=(1,))
