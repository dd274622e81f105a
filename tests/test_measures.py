"""Each zero-cost measure: answers worked out in the comments, and what the papers claim."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from evaluate import RECIPES
from evaluate.measures.untrained import NoScoreError, grad_norm, jacob_cov, naswot, snip, synflow, zen
from space import build, landmark

RECIPE = RECIPES["cpu"]
K = 1e-5  # of jacob_cov


def linear(*rows: list[float]) -> nn.Linear:
    """A linear layer without bias whose weight has these rows."""
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight = nn.Parameter(torch.tensor(rows, dtype=torch.float32))
    return layer


# ---------------------------------------------------------------------------------------------- synflow


def test_synflow_of_one_layer_is_the_sum_of_absolute_weights() -> None:
    assert synflow(linear([1, -2], [0, 4]), (2,)) == pytest.approx(math.log(1 + 2 + 0 + 4))


def test_synflow_of_a_chain_counts_every_path_once_a_layer() -> None:
    # |W1| ones = (3, 7), |W2| of it = 10. Each layer's sum of weight times gradient is all that flows: 10 + 10.
    chain = nn.Sequential(linear([1, -2], [3, 4]), nn.ReLU(), linear([1, -1]))
    assert synflow(chain, (2,)) == pytest.approx(math.log(20))


def test_synflow_of_convolutions_ignores_norms_and_biases() -> None:
    # 1x1 convolutions 1 -> 2 -> 1 on 2x2 pixels: a pixel gets |2||1| + |-3||5| = 17; mean over pixels 17; twice.
    net = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(True), nn.Conv2d(2, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    first, norm, second = net[0], net[1], net[3]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([2.0, -3.0]).view(2, 1, 1, 1))
        second.weight.copy_(torch.tensor([1.0, 5.0]).view(1, 2, 1, 1))
        norm.weight.fill_(7)
        norm.running_var.fill_(100)
    assert synflow(net, (1, 2, 2)) == pytest.approx(math.log(34))


class Link(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + x  # type: ignore[no-any-return]


def test_synflow_of_a_residual_link() -> None:
    # 2 (3 + 1) = 8 flows out: 8 of it through the last weight, 6 through the first.
    assert synflow(nn.Sequential(Link(linear([3])), linear([2])), (1,)) == pytest.approx(math.log(8 + 6))


def test_synflow_outgrows_float64() -> None:
    # 400 factors of 10: 10^400 flows, and each of the 400 layers counts it.
    deep = nn.Sequential(*(linear([10]) for _ in range(400)))
    assert synflow(deep, (1,)) == pytest.approx(400 * math.log(10) + math.log(400))


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "densenet_40_12"])
def test_synflow_is_the_papers_sum(name: str) -> None:
    # The plain way: float64, norms replaced by the identity, absolute weights, one backward pass.
    torch.manual_seed(0)
    model = build(RECIPE.proxy(landmark(name), 10), 10, 16)
    plain = copy.deepcopy(model).double()
    for path, module in list(plain.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            parent, _, leaf = path.rpartition(".")
            setattr(plain.get_submodule(parent), leaf, nn.Identity())
        elif isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.abs_()
    plain(torch.ones(1, 3, 16, 16, dtype=torch.float64)).sum().backward()
    weights = [module.weight for module in plain.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    total = sum((weight * weight.grad).sum().item() for weight in weights)
    assert synflow(model, (3, 16, 16)) == pytest.approx(math.log(total), rel=1e-9)


def test_synflow_says_why_it_cannot() -> None:
    with pytest.raises(NoScoreError, match="no path"):
        synflow(linear([0, 0]), (2,))
    with pytest.raises(NoScoreError, match="not finite"):
        synflow(linear([math.inf, 1]), (2,))
    with pytest.raises(NoScoreError, match="sigmoid"):
        synflow(nn.Sequential(linear([1, 1]), nn.Sigmoid()), (2,))


# ---------------------------------------------------------------------------------------------- gradients


def test_grad_norm_by_hand() -> None:
    # Equal logits: p - y = (-1/2, 1/2), gradient of W = (p - y) x' with x = (3, 4): norm = |p - y| |x| = 5 / sqrt 2.
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([0])
    assert grad_norm(linear([1, 1], [1, 1]), x, y) == pytest.approx(5 / math.sqrt(2))


def test_snip_by_hand() -> None:
    # The same gradient times weights of 2: 2 (1/2 3 + 1/2 4) for each of two rows.
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([0])
    assert snip(linear([2, 2], [2, 2]), x, y) == pytest.approx(14)


def test_gradients_add_up_over_layers() -> None:
    # Two identities around a ReLU leave (3, 3): equal logits, p - y = (-1/2, 1/2) at either layer, so each has the
    # gradient (p - y)(3, 3)' of norm sqrt(1/2) sqrt(18) = 3, and 3/2 on either place of its diagonal.
    x, y = torch.tensor([[3.0, 3.0]]), torch.tensor([0])
    net = nn.Sequential(linear([1, 0], [0, 1]), nn.ReLU(), linear([1, 0], [0, 1]))
    assert grad_norm(net, x, y) == pytest.approx(3 + 3)
    assert snip(net, x, y) == pytest.approx(2 * (3 / 2 + 3 / 2))


def test_gradients_need_a_weight() -> None:
    with pytest.raises(NoScoreError, match="no convolution"):
        grad_norm(nn.ReLU(), torch.ones(1, 2), torch.tensor([0]))


# ---------------------------------------------------------------------------------------------- jacob_cov, naswot


def test_jacob_cov_of_a_linear_net() -> None:
    # All slopes are alike: correlations are all 1, eigenvalues 2 and 0.
    expected = -(math.log(2 + K) + 1 / (2 + K) + math.log(K) + 1 / K)
    assert jacob_cov(linear([1, 2, 4]), torch.randn(2, 3)) == pytest.approx(expected, rel=1e-6)


def test_jacob_cov_of_slopes_without_correlation() -> None:
    # Each image switches on another ReLU; slopes (1, -1, 0, 0) and (0, 0, 1, -1) have correlation 0: eigenvalues 1, 1.
    net = nn.Sequential(linear([1, -1, 0, 0], [0, 0, 1, -1]), nn.ReLU())
    x = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1.0, 0]])
    assert jacob_cov(net, x) == pytest.approx(-2 * (math.log(1 + K) + 1 / (1 + K)))


def test_jacob_cov_needs_slopes_that_vary() -> None:
    with pytest.raises(NoScoreError, match="same gradient"):
        jacob_cov(linear([1, 1]), torch.randn(2, 2))
    with pytest.raises(NoScoreError, match="not finite"):
        jacob_cov(linear([1, math.inf]), torch.randn(2, 2))


class Functional(nn.Module):
    """ReLU in each of the forms that the space's blocks use."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.relu = relu
        self.first = linear([1, 0], [0, 1], [1, 1])

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.first(x))


@pytest.mark.parametrize(
    "relu",
    [nn.ReLU(), nn.ReLU(inplace=True), nn.functional.relu, lambda x: nn.functional.relu(x, inplace=True), torch.relu],
)
def test_naswot_by_hand(relu: Callable[[Tensor], Tensor]) -> None:
    # Images (1, 1) and (1, -3) switch the three units on-on-on and on-off-off: alike in 1 of 3, determinant 9 - 1.
    x = torch.tensor([[1.0, 1.0], [1.0, -3.0]])
    assert naswot(Functional(relu), x) == pytest.approx(math.log(8))


def test_naswot_adds_up_over_relus() -> None:
    # A second ReLU of the same three units sees the images' signs again: all counts double, determinant 4 x 8.
    x = torch.tensor([[1.0, 1.0], [1.0, -3.0]])
    again = linear([1, 0, 0], [0, 1, 0], [0, 0, 1])
    net = nn.Sequential(linear([1, 0], [0, 1], [1, 1]), nn.ReLU(), again, nn.ReLU())
    assert naswot(net, x) == pytest.approx(math.log(32))


def test_naswot_says_why_it_cannot() -> None:
    with pytest.raises(NoScoreError, match="do not tell"):
        naswot(Functional(nn.ReLU()), torch.ones(2, 2))
    with pytest.raises(NoScoreError, match="no ReLU"):
        naswot(linear([1, 1]), torch.ones(2, 2))
    with pytest.raises(NoScoreError, match="not finite"):
        naswot(Functional(nn.ReLU()), torch.tensor([[1.0, math.nan], [1.0, 2.0]]))


# ---------------------------------------------------------------------------------------------- zen


def test_zen_of_no_layer_is_the_length_of_the_step() -> None:
    # f(x) = x moves by 0.01 e; |e| of 3 x 16 x 16 normal numbers is sqrt(768) within a percent.
    torch.manual_seed(0)
    assert zen(nn.AdaptiveAvgPool2d(1), (3, 16, 16)) == pytest.approx(math.log(0.01 * math.sqrt(768)), abs=0.01)


def test_zen_of_one_convolution() -> None:
    # A 1x1 convolution 1 -> 1 with weight w moves its map by 0.01 |w| |e|, e of 32 x 32 numbers; w is drawn first.
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(1))
    torch.manual_seed(5)
    weight = torch.randn(1, 1, 1, 1).abs().item()
    torch.manual_seed(5)
    score = zen(net, (1, 32, 32), repeats=1)
    assert score == pytest.approx(math.log(0.01 * weight * 32), abs=0.01)


def test_zen_adds_what_norms_take_away() -> None:
    # The paper's point: the score with norms is that of the same network without them; exactly so for one channel,
    # where the norm's deviation is no mean over channels of unlike size.
    def net(norm: bool) -> nn.Module:
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.Conv2d(1, 1, 1, bias=False)] + [nn.BatchNorm2d(1)] * norm
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))

    scores = []
    for norm in (False, True):
        model = net(norm)
        torch.manual_seed(1)
        scores.append(zen(model, (1, 16, 16)))
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


def test_zen_does_not_depend_on_the_weights_it_finds() -> None:
    model = build(RECIPE.proxy(landmark("resnet18"), 10), 10, 16)
    scores = []
    for factor in (1, 100):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(factor)
        torch.manual_seed(0)
        scores.append(zen(model, (3, 16, 16)))
    assert scores[0] == scores[1]


def test_zen_needs_a_pooling_and_a_move() -> None:
    with pytest.raises(NoScoreError, match="pooling"):
        zen(linear([1]), (1,))
    with pytest.raises(NoScoreError, match="do not move"):
        zen(nn.Sequential(nn.Threshold(1e9, 0), nn.AdaptiveAvgPool2d(1)), (3, 4, 4))


def test_the_model_is_left_as_it_is() -> None:
    model = build(RECIPE.proxy(landmark("densenet121"), 10), 10, 16).eval()
    before = copy.deepcopy(model.state_dict())
    x, y = torch.randn(4, 3, 16, 16), torch.arange(4)
    calls: list[Callable[[], Any]] = [
        lambda: synflow(model, (3, 16, 16)),
        lambda: jacob_cov(model, x),
        lambda: naswot(model, x),
        lambda: grad_norm(model, x, y),
        lambda: snip(model, x, y),
        lambda: zen(model, (3, 16, 16)),
    ]
    for call in calls:
        call()
        assert not model.training and all(parameter.grad is None for parameter in model.parameters())
        assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
