"""Modules: their layers, forward and backward passes, copies, and how they begin."""

import copy
import dataclasses
import pickle

import pytest
import torch
from torch import nn

from space import build, cost
from space.networks.layers import Conv, Linear


def test_layers_are_the_modules(tiny_configs):
    for config in tiny_configs.values():
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
                assert (conv.bias is not None) == layer.bias
            elif isinstance(layer, Linear):
                assert modules[layer.name].in_features == layer.in_features


def test_forward_and_backward(tiny_config):
    torch.manual_seed(0)
    model = build(tiny_config, classes=7, input_size=24)
    logits = model(torch.randn(3, 3, 24, 24))
    assert logits.shape == (3, 7)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 3, 6])).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), key
    assert model.eval()(torch.randn(1, 3, 24, 24)).shape == (1, 7)


def test_copies_and_pickles_compute_the_same(tiny_config):
    torch.manual_seed(0)
    model = build(tiny_config, 7, 24).eval()
    image = torch.randn(2, 3, 24, 24)
    with torch.no_grad():
        expected = model(image)
        assert torch.equal(copy.deepcopy(model)(image), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(image), expected)
        fresh = build(tiny_config, 7, 24).eval()
        fresh.load_state_dict(model.state_dict(), strict=True)
        assert torch.equal(fresh(image), expected)


def test_forward_leaves_its_input_alone(tiny_configs):
    for config in tiny_configs.values():
        image = torch.randn(2, 3, 24, 24)
        before = image.clone()
        build(config, 7, 24)(image)
        assert torch.equal(image, before)


def test_zero_init_last_makes_blocks_the_identity(tiny_residual):
    config = tiny_residual
    plain, zeroed = build(config, 7, 24), build(config, 7, 24, zero_init_last=True)
    width = config.widths[0]
    x = torch.rand(2, width, 6, 6)  # not negative, as after a ReLU
    block = 1  # keeps its shape: the shortcut is the identity
    assert torch.equal(zeroed.layer1[block](x), x)
    assert not torch.equal(plain.layer1[block](x), x)


@pytest.mark.parametrize("name", ["dense", "plain", "plain, pre-activation"])
def test_zero_init_last_leaves_what_has_no_shortcut_alone(name, tiny_configs):
    torch.manual_seed(0)
    plain = build(tiny_configs[name], 7, 24).state_dict()
    torch.manual_seed(0)
    zeroed = build(tiny_configs[name], 7, 24, zero_init_last=True).state_dict()
    assert all(torch.equal(plain[key], zeroed[key]) for key in plain)


def test_a_plain_network_is_its_convolutions_in_a_row(tiny_configs):
    residual, plain = (cost(tiny_configs[name], 24, 7) for name in ("basic", "plain"))
    projection = 8 * 16  # of the one block that changes the shape, at 12x12, and its norm
    assert (residual.macs - plain.macs, residual.params - plain.params) == (projection * 12 * 12, projection + 2 * 16)
    model = build(tiny_configs["plain"], 7, 24).eval()
    rows = [nn.Sequential(b.conv1, b.bn1, nn.ReLU(), b.conv2, b.bn2, nn.ReLU()) for b in (*model.layer1, *model.layer2)]
    image = torch.randn(2, 3, 24, 24)
    with torch.no_grad():
        stem = torch.relu(model.bn1(model.conv1(image)))
        assert torch.equal(model(image), model.forward_head(nn.Sequential(*rows)(stem)))


def test_he_initialisation(tiny_configs):
    torch.manual_seed(0)
    config = dataclasses.replace(tiny_configs["basic"], widths=(64, 128), inner_widths=(64, 128))
    conv = build(config, 10, 32).layer2[0].conv2
    assert conv.weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
