"""The cheaper layers of small networks give what torch's own give, but for rounding."""

import copy
import pickle
import sys

import pytest
import torch
from torch import Tensor, nn

from evaluate.images.load import load_data
from evaluate.training.memory import keep_freed_memory
from evaluate.training.presets import RECIPES
from evaluate.training.proxy import train_proxy
from evaluate.training.small_layers import FEW_POSITIONS, MANY_POSITIONS, NarrowNorm, Pointwise, lighten, uncount
from evaluate.training.trainer import Trainer
from space import build, landmark


def image(n: int, channels: int, size: int) -> Tensor:
    torch.manual_seed(1)
    return (1 + 2 * torch.randn(n, channels, size, size)).contiguous(memory_format=torch.channels_last)


def check(layer: nn.Module, kind: type[nn.Module], x: Tensor) -> None:
    """Values, gradients and buffers, followed by the ReLU that works in place on what a network's norm has given."""
    ours = copy.deepcopy(layer)
    uncount(ours)
    lighten(ours)
    assert type(ours[0]) is kind
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    out, expected = ours(first).relu_(), layer(second).relu_()
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    slope = torch.randn_like(out)
    out.backward(slope)
    expected.backward(slope)
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-4, atol=1e-4)
    assert first.grad.is_contiguous(memory_format=torch.channels_last)
    for (key, mine), theirs in zip(ours.named_parameters(), layer.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-2, msg=key)
    theirs = dict(layer.named_buffers())
    for key, buffer in ours.named_buffers():
        torch.testing.assert_close(buffer, theirs[key], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours.eval()(x), layer.eval()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("n", "size", "bias"), [(64, 4, False), (64, 4, True), (3, 5, False), (64, 8, False)])
def test_a_pointwise_convolution(n: int, size: int, bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Conv2d(12, 20, 1, bias=bias)).to(memory_format=torch.channels_last)
    assert (n * size**2 <= FEW_POSITIONS) == (size < 8)  # both ways are tested
    check(layer, Pointwise, image(n, 12, size))


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
@pytest.mark.parametrize(("n", "size"), [(64, 16), (37, 17), (8, 8)])
def test_a_narrow_norm(channels: int, n: int, size: int) -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.BatchNorm2d(channels))
    nn.init.uniform_(layer[0].weight)
    nn.init.uniform_(layer[0].bias)
    assert (n * size**2 >= MANY_POSITIONS) == (size > 8)
    check(layer, NarrowNorm, image(n, channels, size))


def test_only_the_layers_that_gain_are_changed() -> None:
    model = nn.Sequential(nn.Conv2d(4, 8, 1, 2), nn.Conv2d(8, 8, 1, groups=2), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8))
    uncount(model)
    lighten(model)
    assert [type(layer) for layer in model] == [nn.Conv2d, nn.Conv2d, nn.Conv2d, nn.BatchNorm2d]
    assert "3.num_batches_tracked" not in model.state_dict()


def test_a_proxy_trains_with_them_and_scores_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    data, kept = load_data("digits", 8), []

    def keep(trainer: Trainer) -> None:
        kept.append(trainer.model)

    score = train_proxy(landmark("resnet50"), RECIPES["smoke"], data, device="cpu", then=keep)
    kinds = {type(module) for module in kept[0].modules()}
    assert Pointwise in kinds
    again = pickle.loads(pickle.dumps(kept[0]))
    plain = build(again.config, data.classes, 8)
    plain.load_state_dict(kept[0].state_dict(), strict=False)
    x = image(5, 3, 8)
    torch.testing.assert_close(again.eval()(x), plain.eval()(x), rtol=1e-3, atol=1e-4)
    monkeypatch.setattr("evaluate.training.proxy.lighten", lambda model: None)
    other = train_proxy(landmark("resnet50"), RECIPES["smoke"], data, device="cpu")
    assert abs(score.curve[0]["train_loss"] - other.curve[0]["train_loss"]) < 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="counts the pages that Linux gives")
def test_a_second_step_takes_no_new_pages() -> None:
    import resource

    assert keep_freed_memory()

    def touch() -> None:
        torch.ones(3, 2**20)  # 12 MiB

    for _ in range(5):
        touch()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        touch()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 300  # of 30,720
