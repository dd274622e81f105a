"""Six zero-cost scores of a network as it is initialised: nothing is trained.

Each takes a plain module, works on a copy of it, and returns one number; higher is meant to be better. Only `zen`
draws random numbers, the global ones. `evaluate.measures.zero_cost` seeds them and turns what is not finite into a
reason.
This file imports torch: load it late.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from space.networks.residual_modules import ResidualBlock


class NoScoreError(ValueError):
    """The measure has no value for this network; the message says why."""


# ---------------------------------------------------------------------------------------------- gradients of the loss


def grad_norm(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Sum over convolutions and linear layers of the Euclidean norm of the gradient of their weights.

    The loss is the cross entropy of images `x` (n, 3, h, w) with labels `y` (n,); norms use the batch's own
    statistics. Zero-Cost Proxies, arXiv:2101.08134, 3.1.
    """
    return math.fsum(gradient.double().norm().item() for _, gradient in _weight_gradients(model, x, y))


def snip(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Sum over all weights of convolutions and linear layers of |weight times gradient|; the loss is `grad_norm`'s.

    SNIP, arXiv:1810.02340, summed to one number as in arXiv:2101.08134 (SNIP itself divides by this very sum).
    """
    return math.fsum(
        (weight * gradient).double().abs().sum().item() for weight, gradient in _weight_gradients(model, x, y)
    )


def _weight_gradients(model: nn.Module, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
    model = copy.deepcopy(model).train().requires_grad_()
    weights = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if not weights:
        raise NoScoreError("the network has no convolution and no linear layer")
    with torch.enable_grad():
        loss = F.cross_entropy(model(x), y)
        gradients = torch.autograd.grad(loss, weights)
    return [(weight.detach(), gradient) for weight, gradient in zip(weights, gradients, strict=True)]


# ---------------------------------------------------------------------------------------------- how images differ


def jacob_cov(model: nn.Module, x: Tensor) -> float:
    """How little the network's slopes at different images resemble each other.

    The slope at an image is the gradient of the summed logits of the batch `x` (n, 3, h, w), n at least 2. With v the
    eigenvalues of the slopes' correlations (n, n) and k = 1e-5 the score is minus the sum of log(v + k) + 1 / (v + k).
    It is negative; equal slopes give about minus 1e5 a repetition. arXiv:2101.08134, after version 1 of
    arXiv:2006.04647.

    Raises:
        NoScoreError: if a slope is the same for all pixels, so that it has no correlation, or is not finite.
    """
    model = copy.deepcopy(model).train()
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).sum(), x)
    slopes = slopes.flatten(1).double().cpu()
    slopes = slopes - slopes.mean(1, keepdim=True)
    lengths = slopes.norm(dim=1, keepdim=True)
    if not bool(lengths.isfinite().all()):
        raise NoScoreError("a gradient by the image is not finite")
    if not bool((lengths > 0).all()):
        raise NoScoreError("an image whose every pixel has the same gradient has no correlation with the others")
    slopes = slopes / lengths
    values = torch.linalg.eigvalsh(slopes @ slopes.T).clamp_min(0) + 1e-5
    return -float((values.log() + 1 / values).sum())


def naswot(model: nn.Module, x: Tensor) -> float:
    """Log-determinant of how many ReLUs two images of `x` (n, 3, h, w), n at least 2, switch alike.

    Every call of ReLU counts, be it a module or a function; norms use the batch's own statistics. NASWOT,
    arXiv:2006.04647, equation 2.

    Raises:
        NoScoreError: if there is no ReLU, the logits are not finite, or the matrix is singular because the ReLUs do not
            tell the images apart.
    """
    model = copy.deepcopy(model).train()
    with torch.no_grad(), _Codes(len(x)) as codes:
        out = model(x)
    if not bool(out.isfinite().all()):
        raise NoScoreError("the logits are not finite")
    if not codes.units:
        raise NoScoreError("the network calls no ReLU")
    alike = codes.alike.cpu()
    if int(torch.linalg.matrix_rank(alike, hermitian=True)) < len(x):
        raise NoScoreError(f"singular: the {codes.units} ReLUs do not tell the {len(x)} images apart; use fewer images")
    return float(torch.linalg.slogdet(alike).logabsdet)


class _Codes(TorchFunctionMode):
    """Counts for every pair of images the ReLUs that both switch on or both switch off.

    A mode and no module hook, because blocks call ReLU as a function, too, and in place.
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images
        self.units = 0  # ReLUs of one image
        self.alike = torch.zeros(())  # (images, images) once a ReLU was called

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func.__name__ in ("relu", "relu_"):
            signs = (args[0].reshape(self.images, -1) > 0).float() * 2 - 1
            units = signs.shape[1]
            # Alike minus unlike is the product of signs, alike plus unlike is all of them; float32 is exact to 2^24.
            self.alike = self.alike.to(signs.device) + (signs @ signs.T + units).double() / 2
            self.units += units
        return func(*args, **(kwargs or {}))


# ---------------------------------------------------------------------------------------------- flow


def synflow(model: nn.Module, shape: Sequence[int]) -> float:
    """Natural logarithm of SynFlow: the sum of weight times gradient of the summed logits, all weights positive.

    The network sees one image of ones of `shape` (3, h, w) and no data. Weights are taken absolute, norms are left
    out (as in arXiv:2101.08134), and so are biases (a network of this space starts with none). SynFlow is
    arXiv:2006.05467; its value outgrows float64 in deep networks. Here every activation is divided by its largest
    value and the logarithms of these are added up, which changes nothing: without biases and norms a network is
    linear in its activations, f(s x) = s f(x). The order of networks is that of the value itself.

    Raises:
        NoScoreError: if no path from image to logits has a weight, or the network does more than convolve, add,
            concatenate, pool and rectify.
    """
    model = copy.deepcopy(model).eval()
    place = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    flow = _Flow()
    with torch.enable_grad():
        image = torch.ones(1, *shape, dtype=torch.float64, device=place)
        flow.logs[image] = 0.0
        with flow:
            out = model(image)
        total = out.sum()
        if not total.item() > 0 or not flow.weights:
            raise NoScoreError("no path from the image to the logits has a weight")
        gradients = torch.autograd.grad(total.log(), flow.weights)
    # Sum of weight times gradient of log f is (SynFlow / f): about the mean number of layers on a path.
    layers = sum((weight * gradient).sum().item() for weight, gradient in zip(flow.weights, gradients, strict=True))
    return float(flow.logs[out] + math.log(total.item()) + math.log(layers))


# What may happen to activations: all of these commute with a positive factor.
_LINEAR = {"cat", "add", "flatten", "pad", "__getitem__", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"}


class _Flow(TorchFunctionMode):
    """Runs a network without norms and biases on absolute weights, each activation divided by its largest value."""

    def __init__(self) -> None:
        super().__init__()
        self.logs = WeakIdKeyDictionary()  # activation -> log of what it was divided by so far
        self.weights: list[Tensor] = []  # absolute, in float64, one for each use

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        logs = [self.logs[value] for value in _tensors(args) if value in self.logs]
        if not logs:
            return func(*args, **kwargs)
        log, name = max(logs), func.__name__
        if name in ("batch_norm", "relu", "relu_"):  # nothing is negative here
            return args[0]
        if name in ("conv2d", "linear"):
            out = self._weigh(func, *args, **kwargs)
        else:
            out = func(*self._to_one_scale(args, log), **kwargs)
            if not isinstance(out, Tensor):  # a shape
                return out
            if name not in _LINEAR:
                raise NoScoreError(f"SynFlow is not defined through torch's {name}")
        top = out.detach().max().item()
        if not math.isfinite(top):
            raise NoScoreError("a weight is not finite")
        if top > 0:
            out, log = out / top, log + math.log(top)
        self.logs[out] = log
        return out

    def _weigh(
        self,
        func: Callable[..., Tensor],
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *more: Any,
        **rest: Any,
    ) -> Tensor:
        weight = weight.detach().double().abs().requires_grad_()
        self.weights.append(weight)
        return func(x, weight, None, *more, **rest)

    def _to_one_scale(self, values: Any, log: float) -> Any:
        if isinstance(values, tuple | list):
            return type(values)(self._to_one_scale(value, log) for value in values)
        if isinstance(values, Tensor) and values in self.logs and self.logs[values] != log:
            return values * math.exp(self.logs[values] - log)
        return values


def _tensors(values: Any) -> list[Tensor]:
    if isinstance(values, tuple | list):
        return [tensor for value in values for tensor in _tensors(value)]
    return [values] if isinstance(values, Tensor) else []


# ---------------------------------------------------------------------------------------------- expressivity


def zen(model: nn.Module, shape: Sequence[int], *, batch: int = 16, repeats: int = 4, alpha: float = 0.01) -> float:
    """How far a small step of a random image of `shape` (3, h, w) moves the last feature maps, as a logarithm.

    Zen-score, arXiv:2102.01063, algorithm 1: log E |f(x) - f(x + alpha e)| plus the log of every batch norm's
    deviation, where f ends before the global pooling, weights, x and e are normal, and residual links are removed
    (here: those of `space.networks.residual_modules.ResidualBlock`). A DenseNet keeps its concatenations, so that
    norms before them
    count more than once: do not compare it with a residual network. The norm of the step is the paper's Euclidean one;
    the authors' program sums absolute values, and takes the deviations from running averages.

    Args:
        model: has one `nn.AdaptiveAvgPool2d`; its weights do not matter.
        shape: of an image.
        batch: images, which batch norms also take their statistics from.
        repeats: times that all is drawn anew; the score is the mean.
        alpha: length of the step.

    Raises:
        NoScoreError: if there is no global pooling to stop at, or the maps do not move.
    """
    model = copy.deepcopy(model).train()
    pool = next((module for module in model.modules() if isinstance(module, nn.AdaptiveAvgPool2d)), None)
    if pool is None:
        raise NoScoreError("the network has no global average pooling (nn.AdaptiveAvgPool2d) to stop at")
    for block in [module for module in model.modules() if isinstance(module, ResidualBlock)]:
        block.downsample = _NoShortcut()
    place = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    maps: list[Tensor] = []
    variances: list[Tensor] = []
    pool.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0].clone()))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(
                lambda _, inputs: variances.append(inputs[0].var((0, 2, 3), correction=0).mean())
            )
    scores = []
    with torch.no_grad():
        for _ in range(repeats):
            maps.clear()
            variances.clear()
            _draw_normal(model)
            x = torch.randn(batch, *shape).to(place)
            step = torch.randn(batch, *shape).to(place)
            model(x)
            deviations = torch.stack([torch.ones((), device=place), *variances]).double().sqrt()
            model(x + alpha * step)
            moved = (maps[0] - maps[1]).flatten(1).double().norm(dim=1).mean()
            scores.append(moved.log() + deviations.log().sum())
    score = torch.stack(scores).mean().item()
    if not math.isfinite(score):
        raise NoScoreError("the last feature maps do not move, or overflow")
    return score


class _NoShortcut(nn.Module):
    """In place of a residual link: a zero that is added."""

    def forward(self, x: Tensor) -> Tensor:
        """Any -> a scalar zero."""
        return x.new_zeros(())


def _draw_normal(model: nn.Module) -> None:
    """All weights from N(0, 1), drawn on the CPU so that every device gets the same; norms to one, biases to zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.copy_(torch.randn(module.weight.shape))
        elif isinstance(module, nn.BatchNorm2d) and module.weight is not None:
            nn.init.ones_(module.weight)
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
