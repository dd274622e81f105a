"""A network as the first table of its paper shows it: layer by layer, with output sizes and repeated blocks."""

from __future__ import annotations

from typing import NamedTuple

from space.networks.config import Config
from space.networks.layers import Conv, Layer, Linear, Pool, Repeat


class Line(NamedTuple):
    """One line of such a table."""

    layer: str  # conv1, conv2_x, dense block 1, transition 1, classifier
    output: str  # height and width
    text: str  # "3 x 1x1, 64" and so on, a convolution a line


def outline(config: Config, input_size: int = 224, classes: int = 1000) -> list[Line]:
    """The lines of a network, from its resolved shapes.

    Raises:
        ValueError: if the input is too small for the network.
    """
    lines: list[Line] = []
    blocks = config.blocks(input_size, classes)
    names = list(dict.fromkeys(block.name for block in blocks if block.name not in ("", "features")))
    lines += [line for block in blocks[:1] for line in _stem(block)]
    for name in names:
        members = [block for block in blocks if block.name == name]
        lines.append(_transition(members[0]) if "transition" in name else _stage(name, members))
    head = [layer for layer in blocks[-1].layers if isinstance(layer, Linear)]
    lines += [Line("classifier", "1x1", f"average pool\n{layer.out_features}-d fc") for layer in head]
    return lines


def depth(config: Config) -> int:
    """Layers with weights on the longest way through: what the number in a network's name counts."""
    return sum(isinstance(layer, Conv | Linear) for layer in config.layers() if "downsample" not in layer.name)


def recipe(layers: tuple[Layer, ...]) -> list[str]:
    """The convolutions of a block without its projection, such as "1x1, 64" and "3x3, 128, C=32"."""
    convs = [layer for layer in layers if isinstance(layer, Conv) and not layer.name.startswith("downsample")]
    return [_conv(conv) for conv in convs]


def _conv(conv: Conv) -> str:
    groups = f", C={conv.groups}" if conv.groups > 1 else ""
    return f"{conv.kernel}x{conv.kernel}, {conv.out_channels}{groups}"


def _stem(block: Repeat) -> list[Line]:
    lines = []
    for layer in block.layers:
        if isinstance(layer, Conv):
            stride = f", stride {layer.stride}" if layer.stride > 1 else ""
            lines.append(Line("conv1", f"{layer.out_size}x{layer.out_size}", f"{_conv(layer)}{stride}"))
        elif isinstance(layer, Pool):
            lines.append(Line("pooling", f"{layer.out_size}x{layer.out_size}", "3x3 max pool, stride 2"))
    return lines


def _stage(name: str, members: list[Repeat]) -> Line:
    """A stage of residual blocks, or a dense block; the channels are those of every block."""
    times = f"{sum(block.copies for block in members)} x "
    last = members[-1].layers
    size = [layer for layer in last if isinstance(layer, Conv)][-1].out_size
    kind, number = ("dense block ", name.partition("denseblock")[2]) if "dense" in name else ("conv", name[5:])
    number = number.partition(".")[0]
    title = f"{kind}{number}" if "dense" in name else f"{kind}{int(number) + 1}_x"
    first, *others = recipe(last)
    return Line(title, f"{size}x{size}", "\n".join([times + first, *(" " * len(times) + each for each in others)]))


def _transition(block: Repeat) -> Line:
    conv, pool = (layer for layer in block.layers if isinstance(layer, Conv | Pool))
    assert isinstance(pool, Pool)
    text = "\n".join([*recipe((conv,)), "2x2 average pool, stride 2"])
    return Line(f"transition {block.name.partition('transition')[2]}", f"{pool.out_size}x{pool.out_size}", text)
