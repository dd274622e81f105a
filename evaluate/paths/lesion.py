"""What a trained network can do without: blocks dropped, one or several, and blocks in another order.

As Veit, Wilber and Belongie did (arXiv:1605.06431, section 4), nothing is trained again. What dropping means:

* of a residual block: its branch gives zero; the shortcut stays, which is a projection or padding where shapes change;
* of a plain block: it is taken out. Where shapes change it cannot be, for the next block could not read what is left;
* of a dense layer: its new maps are zero.

Blocks change places in pairs that read and write maps of one shape. Dense layers read different numbers of maps: their
order is fixed.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from evaluate.fidelity.rankings import kendall_tau
from space.networks.dense_modules import DenseLayer
from space.networks.network import put
from space.networks.residual_modules import ResidualBlock


class ShortcutOnly(nn.Module):
    """A residual block whose branch gives zero."""

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride)."""
        _, shortcut = self.block.parts(x)
        assert shortcut is not None
        return self.block.join(shortcut.clone())  # which may be x itself


class NoMaps(nn.Module):
    """A dense layer whose new maps are zero."""

    def __init__(self, layer: DenseLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, growth_rate, h, w), all zero."""
        return torch.zeros_like(self.layer(x))


@dataclass(frozen=True, slots=True)
class Unit:
    """A residual or plain block, or a dense layer."""

    path: str  # of the module
    shape: tuple[str, int] | None  # of units that can change places: their stage and channels; None if this one cannot
    droppable: bool
    keeps_shape: bool


def units(model: nn.Module) -> list[Unit]:
    """What can be dropped of a network, in the order in which it runs."""
    found = []
    for path, module in model.named_modules():
        if isinstance(module, ResidualBlock):
            steps = [module.get_submodule(conv) for conv, _ in module.steps]
            shape = (path.rpartition(".")[0], int(steps[0].in_channels)) if module.keeps_shape else None  # type: ignore[arg-type]
            found.append(Unit(path, shape, module.keeps_shape or not module.plain, module.keeps_shape))
        elif isinstance(module, DenseLayer):
            found.append(Unit(path, None, True, True))
    return found


def _without(module: nn.Module) -> nn.Module:
    if isinstance(module, DenseLayer):
        return NoMaps(module)
    assert isinstance(module, ResidualBlock)
    return nn.Identity() if module.plain else ShortcutOnly(module)


@contextlib.contextmanager
def dropped(model: nn.Module, paths: Sequence[str]) -> Iterator[None]:
    """Inside, the network does without these units; afterwards it is whole."""
    whole = {path: model.get_submodule(path) for path in paths}
    with replaced(model, {path: _without(module) for path, module in whole.items()}):
        yield


@contextlib.contextmanager
def reordered(model: nn.Module, order: Mapping[str, str]) -> Iterator[None]:
    """Inside, each path runs the unit of the path that `order` gives it; afterwards its own."""
    with replaced(model, {path: model.get_submodule(other) for path, other in order.items()}):
        yield


@contextlib.contextmanager
def replaced(model: nn.Module, modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Inside, other modules stand at these paths; afterwards the network's own."""
    own = {path: model.get_submodule(path) for path in modules}
    try:
        for path, module in modules.items():
            put(model, path, module)
        yield
    finally:
        for path, module in own.items():
            put(model, path, module)


Order = dict[str, str]  # path -> the path of the unit that runs there


def exchangeable(all_units: Sequence[Unit]) -> list[list[str]]:
    """Paths of the units that can change places, a list for each shape that two or more have."""
    groups: dict[tuple[str, int], list[str]] = {}
    for unit in all_units:
        if unit.shape is not None:
            groups.setdefault(unit.shape, []).append(unit.path)
    return [paths for paths in groups.values() if len(paths) > 1]


def swapped(groups: Sequence[Sequence[str]], count: int, rng: random.Random) -> Order:
    """The order after `count` swaps, one after the other, of two units of one group."""
    order = {path: path for paths in groups for path in paths}
    pairs = [(a, b) for paths in groups for j, b in enumerate(paths) for a in paths[:j]]
    for _ in range(count):
        one, other = rng.choice(pairs)
        order[one], order[other] = order[other], order[one]
    return order


def order_tau(order: Order) -> float:
    """Kendall's tau of an order against the network's own: 1 is the own order."""
    paths = list(order)
    tau = kendall_tau([-paths.index(order[path]) for path in paths], list(range(len(paths))))
    return 1.0 if tau is None else tau


def ladder(count: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24 ... up to `count`: how many units to drop, and how often to swap two."""
    steps = sorted({*(2**n for n in range(count.bit_length())), *(3 * 2**n for n in range(count.bit_length()))})
    return [step for step in steps if step <= count]


@dataclass(frozen=True, slots=True)
class Lesions:
    """What one trained network lost; errors are top-1 in percent of the same images."""

    error: float  # of the whole network
    single: tuple[tuple[str, float | None], ...]  # unit, the error without it (None: it cannot be dropped)
    several: tuple[tuple[int, tuple[float, ...]], ...]  # number of units dropped, the error of each draw
    orders: tuple[tuple[int, tuple[float, ...], tuple[float, ...]], ...]  # swaps, tau and error of each draw


def lesions(model: nn.Module, error: Callable[[], float], draws: int, seed: int) -> Lesions:
    """Drop every unit, several units, and reorder; the network is whole again afterwards.

    Args:
        model: a trained `space.networks.network.Network`.
        error: top-1 error in percent of `model` as it is when called.
        draws: random choices for each number of units, or of swaps.
        seed: of these choices.
    """
    all_units = units(model)
    rng = random.Random(seed)
    single: list[tuple[str, float | None]] = []
    for unit in all_units:
        if not unit.droppable:
            single.append((unit.path, None))
            continue
        with dropped(model, [unit.path]):
            single.append((unit.path, error()))
    can_go = [unit.path for unit in all_units if unit.droppable]
    several = []
    for number in ladder(len(can_go)):
        errors = []
        for _ in range(draws):
            with dropped(model, rng.sample(can_go, number)):
                errors.append(error())
        several.append((number, tuple(errors)))
    orders = []
    groups = exchangeable(all_units)
    for number in ladder(sum(len(group) for group in groups)):
        taus, errors = [], []
        for _ in range(draws):
            order = swapped(groups, number, rng)
            taus.append(order_tau(order))
            with reordered(model, order):
                errors.append(error())
        orders.append((number, tuple(taus), tuple(errors)))
    return Lesions(error(), tuple(single), tuple(several), tuple(orders))
