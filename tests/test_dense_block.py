"""A dense block appends maps: the values of concatenating all anew for each layer, with fewer additions backwards."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.profiler import profile

from space import build, landmark
from space.networks.dense_modules import DenseBlock, DenseNet

LAYERS = 5


def anew(block: DenseBlock, x: Tensor) -> Tensor:
    """What arXiv:1608.06993 says, word by word: each layer reads the concatenation of everything before it."""
    maps = [x]
    for layer in block.children():
        maps.append(layer(torch.cat(maps, 1)))
    return torch.cat(maps, 1)


def block_of(name: str, depth: int) -> DenseBlock:
    """The first block of a landmark's narrow relative."""
    config = landmark(name).scaled(0.25)
    torch.manual_seed(0)
    network = build(config, 10, 32)
    assert isinstance(network, DenseNet)
    found = next(module for module in network.modules() if isinstance(module, DenseBlock))
    assert len(list(found.children())) >= depth
    for layer in list(found._modules)[depth:]:
        del found._modules[layer]
    return found


@pytest.mark.parametrize("name", ["densenet121", "densenet_40_12"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_values_and_gradients_to_the_bit(name: str, channels_last: bool) -> None:
    block = block_of(name, LAYERS)
    other = copy.deepcopy(block)
    form = torch.channels_last if channels_last else torch.contiguous_format
    width = next(module for module in block.modules() if isinstance(module, nn.BatchNorm2d)).num_features
    image = torch.randn(4, width, 8, 8).contiguous(memory_format=form)
    first, second = image.clone().requires_grad_(), image.clone().requires_grad_()
    out, expected = block(first), anew(other, second)
    assert torch.equal(out, expected)
    slope = torch.randn(out.shape)
    (out * slope).sum().backward()
    (expected * slope).sum().backward()
    assert torch.equal(first.grad, second.grad)
    for (key, ours), theirs in zip(block.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(ours.grad, theirs.grad), key


def test_additions_grow_with_the_layers_not_with_their_pairs() -> None:
    def additions(depth: int) -> int:
        block = block_of("densenet121", depth)
        width = next(module for module in block.modules() if isinstance(module, nn.BatchNorm2d)).num_features
        out = block(torch.randn(2, width, 8, 8, requires_grad=True)).sum()
        with profile() as watched:
            out.backward()
        return sum(event.count for event in watched.key_averages() if event.key in ("aten::add", "aten::add_"))

    assert additions(6) == 2 * additions(3) > 0
