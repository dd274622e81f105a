"""Shape records of layers, and the sum over them.

What is counted, and what is not:

* ``macs`` - multiply-adds of convolution and linear *weights*. One FLOP of the papers (ResNet, ResNeXt,
  DenseNet), of torchvision's ``_ops`` and of this package is one multiply-add. Biases, norms, activations,
  pooling and additions count nothing.
* ``params`` - every trainable number: weights, the classifier's bias, scale and shift of each norm.
* ``activations`` - output elements of all convolutions (Radosavovic et al., arXiv:2003.13678, section 3.2).

A network is a tuple of `Repeat`: most blocks of a stage are copies of each other, and the layers of a dense
block differ only in how many channels they read, so that a hundred layers are summed by one product. The same
records, unrolled by `unroll`, are what the modules are made of: what is counted is what is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Conv(NamedTuple):
    """A square convolution, padded by half its kernel.

    `size` is the height and width it reads; `widens` is by how many input channels one copy exceeds the copy
    before it (the growth rate, in a dense block). A bias is a number a channel that is trained: a parameter, and no
    multiply-add.
    """

    name: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    size: int
    groups: int = 1
    widens: int = 0
    bias: bool = False

    @property
    def out_size(self) -> int:
        """Height and width of what it writes."""
        return (self.size - 1) // self.stride + 1

    def weights(self, copies: int) -> int:
        """Numbers in the kernels of this many copies."""
        inputs = self.in_channels * copies + self.widens * (copies * (copies - 1) // 2)
        return inputs * self.out_channels * self.kernel * self.kernel // self.groups

    def macs(self, copies: int) -> int:
        """Multiply-adds of this many copies: every weight once at every position."""
        return self.weights(copies) * ((self.size - 1) // self.stride + 1) ** 2

    def totals(self, copies: int) -> tuple[int, int, int]:
        """(macs, params, activations) of this many copies."""
        weights, positions = self.weights(copies), self.out_size**2
        biases = copies * self.out_channels if self.bias else 0
        return weights * positions, weights + biases, copies * self.out_channels * positions


class Norm(NamedTuple):
    """Batch normalisation: a scale and a shift a channel."""

    name: str
    channels: int
    size: int
    widens: int = 0

    def totals(self, copies: int) -> tuple[int, int, int]:
        """(macs, params, activations) of this many copies."""
        return 0, 2 * (self.channels * copies + self.widens * (copies * (copies - 1) // 2)), 0


class Pool(NamedTuple):
    """Pooling: `kind` is ``max`` (3x3 stride 2), ``avg`` (2x2 stride 2) or ``global`` (to 1x1)."""

    name: str
    kind: str
    channels: int
    size: int

    @property
    def out_size(self) -> int:
        """Height and width of what it writes."""
        if self.kind == "global":
            return 1
        return (self.size - 1) // 2 + 1 if self.kind == "max" else self.size // 2

    def totals(self, copies: int) -> tuple[int, int, int]:
        """(macs, params, activations): none."""
        return 0, 0, 0


class Linear(NamedTuple):
    """A fully connected layer with bias."""

    name: str
    in_features: int
    out_features: int

    def macs(self, copies: int) -> int:
        """Multiply-adds of this many copies."""
        return copies * self.in_features * self.out_features

    def totals(self, copies: int) -> tuple[int, int, int]:
        """(macs, params, activations) of this many copies; the bias is a parameter and no multiply-add."""
        return self.macs(copies), copies * (self.in_features + 1) * self.out_features, 0


Layer = Conv | Norm | Pool | Linear


class Repeat(NamedTuple):
    """A block that stands `copies` times in a row.

    `name` is its path in the state dict with ``{}`` for the number, which starts at `first`; the names of `layers`
    are relative to it. The stem, a transition or the classifier stand once and have no number.
    """

    name: str
    layers: tuple[Layer, ...]
    copies: int = 1
    first: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs for one image. See the module's header for what is counted."""

    macs: int
    params: int
    activations: int


COUNTED = frozenset((Conv, Norm, Pool, Linear))  # what `total` knows the cost of


def unknown_layer(layer: object) -> TypeError:
    """The error of whoever meets a record that is none of `COUNTED`: it is never counted as zero."""
    known = ", ".join(sorted(kind.__name__ for kind in COUNTED))
    return TypeError(f"layer {layer!r} is of no kind that is counted and built: expected one of {known}")


def total(blocks: Iterable[Repeat]) -> Cost:
    """Sum a network: exact integers, no module built.

    Raises:
        TypeError: for a layer of an unknown kind.
    """
    macs = params = activations = 0
    for block in blocks:
        copies = block.copies
        for layer in block.layers:
            if type(layer) not in COUNTED:
                raise unknown_layer(layer)
            m, p, a = layer.totals(copies)
            macs += m
            params += p
            activations += a
    return Cost(macs, params, activations)


def total_macs(blocks: Iterable[Repeat]) -> int:
    """The multiply-adds of `total` alone, in half the time: for the solver, which asks for nothing else.

    Raises:
        TypeError: for a layer of an unknown kind.
    """
    macs = 0
    for block in blocks:
        for layer in block.layers:
            if type(layer) is Conv or type(layer) is Linear:
                macs += layer.macs(block.copies)
            elif type(layer) not in COUNTED:
                raise unknown_layer(layer)
    return macs


def unroll(blocks: Iterable[Repeat]) -> Iterator[tuple[str, tuple[Layer, ...]]]:
    """Every single block in order: (its path in the state dict, its layers with the channels that they read)."""
    for block in blocks:
        for copy in range(block.copies):
            yield block.name.format(block.first + copy), tuple(_copy(layer, copy) for layer in block.layers)


def _copy(layer: Layer, copy: int) -> Layer:
    if isinstance(layer, Conv) and layer.widens:
        return layer._replace(in_channels=layer.in_channels + copy * layer.widens, widens=0)
    if isinstance(layer, Norm) and layer.widens:
        return layer._replace(channels=layer.channels + copy * layer.widens, widens=0)
    return layer
