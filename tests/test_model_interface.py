"""What users of timm expect of a network: other images than it was built for, and a head that can be changed."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from space import build, cost, landmark

# --- images ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_channels", [1, 4, 13])
def test_any_number_of_channels_is_built_and_counted_exactly(tiny_configs, in_channels):
    for config in tiny_configs.values():
        ours = cost(config, 32, 10, in_channels)
        with torch.device("meta"):
            model = build(config, 10, 32, in_channels=in_channels).eval()
            with FlopCounterMode(display=False) as counter:
                assert model(torch.empty(1, in_channels, 32, 32)).shape == (1, 10)
        assert ours.macs == counter.get_total_flops() // 2
        assert ours.params == sum(parameter.numel() for parameter in model.parameters())
        assert ours.activations == cost(config, 32, 10).activations


def test_channels_change_the_first_convolution_alone():
    one, three = cost(landmark("resnet50"), in_channels=1), cost(landmark("resnet50"))
    assert three.params - one.params == 2 * 64 * 7 * 7
    assert three.macs - one.macs == 2 * 64 * 7 * 7 * 112 * 112
    assert landmark("densenet121").layers(in_channels=5)[0].in_channels == 5


@pytest.mark.parametrize("wrong", [0, -3, 65_537, 3.0, True, "3"])
def test_impossible_channels_are_refused(tiny_configs, wrong):
    for config in tiny_configs.values():
        with pytest.raises(ValueError, match=r"in_channels is .*expected"):
            cost(config, 32, 10, wrong)
        with pytest.raises(ValueError, match=r"in_channels is .*expected"):
            build(config, 10, 32, in_channels=wrong)


def test_images_of_other_sizes_and_shapes(tiny_config):
    model = build(tiny_config, 7, 24).eval()
    for height, width in ((8, 8), (24, 24), (33, 17), (64, 40)):
        assert model(torch.randn(2, 3, height, width)).shape == (2, 7)


@pytest.mark.parametrize(("kind", "smallest"), [("dense", 2), ("dense BC", 4), ("dense imagenet", 5)])
def test_too_small_images_are_refused_in_words(tiny_configs, kind, smallest):
    config = tiny_configs[kind]
    cost(config, smallest, 7)
    with pytest.raises(ValueError, match="too small"):
        cost(config, smallest - 1, 7)
    model = build(config, 7, 32).eval()
    assert model(torch.randn(1, 3, smallest, smallest + 3)).shape == (1, 7)
    said = f"nothing is left to pool of a map .*at least {smallest}x{smallest} pixels"
    with pytest.raises(ValueError, match=said):
        model(torch.randn(1, 3, smallest + 3, smallest - 1))


def test_torchvisions_smallest_image_for_densenets():
    """`min_size` of its weights is 29."""
    model = build(landmark("densenet121"))
    assert model.features.transition1.smallest == 29
    assert cost(landmark("densenet121"), 29).macs > 0


def test_residual_networks_read_a_single_pixel(tiny_residual):
    assert build(tiny_residual, 7, 24).eval()(torch.randn(1, 3, 1, 1)).shape == (1, 7)


# --- the head --------------------------------------------------------------------------------------------------


def test_forward_is_features_and_head(tiny_config):
    model = build(tiny_config, 7, 24).eval()
    image = torch.randn(2, 3, 24, 24)
    maps = model.forward_features(image)
    pooled = maps.mean((2, 3))
    assert pooled.shape == (2, model.num_features)
    assert torch.allclose(model.forward_head(maps, pre_logits=True), pooled, atol=1e-6)
    assert torch.equal(model.forward_head(maps), model(image))
    assert torch.allclose(model.get_classifier()(pooled), model(image), atol=1e-6)


def test_names_and_numbers_of_published_networks():
    with torch.device("meta"):
        resnet, densenet = build(landmark("resnet50")), build(landmark("densenet121"), 100)
    assert (resnet.num_features, resnet.num_classes) == (2048, 1000)
    assert (densenet.num_features, densenet.num_classes) == (1024, 100)
    assert resnet.get_classifier() is resnet.fc
    assert densenet.get_classifier() is densenet.classifier


def test_a_new_head(tiny_config):
    model = build(tiny_config, 7, 24).eval().to(torch.float64)
    image = torch.randn(2, 3, 24, 24, dtype=torch.float64)
    names, pooled = list(model.state_dict()), model.forward_head(model.forward_features(image), pre_logits=True)
    torch.manual_seed(3)
    model.reset_classifier(5)
    head = model.get_classifier()
    assert model(image).shape == (2, 5)
    assert (model.num_classes, head.weight.dtype, head.training) == (5, torch.float64, False)
    assert list(model.state_dict()) == names
    bound = model.num_features**-0.5  # as torch and `build` initialise a linear layer
    assert 0.5 * bound < head.weight.abs().max() <= bound
    assert not head.bias.any()
    assert torch.equal(model(image), torch.nn.functional.linear(pooled, head.weight, head.bias))


def test_a_new_head_is_where_the_network_is(tiny_configs):
    model = build(tiny_configs["basic"], 7, 24).to("meta")
    model.reset_classifier(3)
    assert model(torch.empty(1, 3, 24, 24, device="meta")).shape == (1, 3)


def test_no_head_gives_pooled_features_and_a_head_can_come_back(tiny_config):
    model = build(tiny_config, 7, 24).eval()
    image = torch.randn(2, 3, 24, 24)
    expected = model.forward_head(model.forward_features(image), pre_logits=True)
    model.reset_classifier(0)
    assert torch.equal(model(image), expected)
    assert model.num_classes == 0
    assert not [name for name in model.state_dict() if name.startswith(model.HEAD)]
    model.reset_classifier(4)
    assert model(image).shape == (2, 4)


@pytest.mark.parametrize("wrong", [-1, 2.0, "10", None, True])
def test_impossible_heads_are_refused(tiny_configs, wrong):
    model = build(tiny_configs["basic"], 7, 24)
    with pytest.raises(ValueError, match=r"num_classes is .*expected"):
        model.reset_classifier(wrong)
    assert model(torch.randn(2, 3, 24, 24)).shape == (2, 7)
