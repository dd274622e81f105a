"""The source code of a DenseNet; see `export_python`."""

from __future__ import annotations

from results.export.pieces import model_class, stem_conv, table
from space import DenseConfig
from space.networks.layers import Conv, Layer, Norm, Pool


def dense_code(config: DenseConfig, input_size: int, classes: int) -> str:
    """Imports, tables of blocks and transitions, classes."""
    stem, *parts, _ = config.blocks(input_size, classes)
    *parts, last = parts
    blocks, transitions = [], []
    for part in parts:
        convs = [layer for layer in part.layers if isinstance(layer, Conv)]
        if "denseblock" in part.name:
            blocks.append((part.copies, convs[0].in_channels))
        else:
            transitions.append((convs[0].in_channels, convs[0].out_channels))
    (norm,) = last.layers
    assert isinstance(norm, Norm)
    text = [
        "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n",
        f"STEM = {config.stem_width}  # channels",
        f"GROWTH = {config.growth_rate}  # channels that each layer adds",
    ]
    if config.bottleneck:
        text.append(f"INNER = {config.bottleneck * config.growth_rate}  # channels between 1x1 and 3x3")
    text.append(table("BLOCKS", "a row a block: layers, channels read", blocks))
    if transitions:
        text.append(table("TRANSITIONS", "channels read, channels given", transitions))
    pieces = [_LAYER_BOTTLENECK if config.bottleneck else _LAYER, _BLOCK, *([_TRANSITION] if transitions else [])]
    pieces.append(_model(stem.layers, len(blocks), norm.channels))
    return "\n".join(text) + "\n\n\n" + "\n\n".join(pieces)


_LAYER = '''class DenseLayer(nn.Module):
    """norm, ReLU, 3x3: GROWTH new channels."""

    def __init__(self, channels):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, GROWTH, 3, 1, 1, bias=False)

    def forward(self, x):
        return self.conv1(F.relu(self.norm1(x)))
'''

_LAYER_BOTTLENECK = '''class DenseLayer(nn.Module):
    """norm, ReLU, 1x1, norm, ReLU, 3x3: GROWTH new channels."""

    def __init__(self, channels):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, INNER, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(INNER)
        self.conv2 = nn.Conv2d(INNER, GROWTH, 3, 1, 1, bias=False)

    def forward(self, x):
        x = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(x)))
'''

_BLOCK = '''class DenseBlock(nn.Module):
    """Layers that each read everything before them."""

    def __init__(self, depth, channels):
        super().__init__()
        for number in range(depth):
            layer = DenseLayer(channels + number * GROWTH)
            self.add_module(f"denselayer{number + 1}", layer)

    def forward(self, x):
        maps = [x]
        for layer in self.children():
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)
'''

_TRANSITION = '''class Transition(nn.Module):
    """norm, ReLU, 1x1, half the height and width."""

    def __init__(self, channels, width):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, width, 1, bias=False)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)
'''


def _model(stem: tuple[Layer, ...], blocks: int, channels: int) -> str:
    made = ["features = nn.Sequential()"]
    for layer in stem:
        match layer:
            case Conv():
                made.append(f"features.conv0 = {stem_conv(layer)}")
            case Norm():
                made += ["features.norm0 = nn.BatchNorm2d(STEM)", "features.relu0 = nn.ReLU()"]
            case Pool():
                made.append("features.pool0 = nn.MaxPool2d(3, 2, 1)")
    for number in range(1, blocks + 1):
        made.append(f"features.denseblock{number} = DenseBlock(*BLOCKS[{number - 1}])")
        if number < blocks:
            made.append(f"features.transition{number} = Transition(*TRANSITIONS[{number - 1}])")
    made.append(f"features.norm5 = nn.BatchNorm2d({channels})")
    made += ["self.features = features", f"self.classifier = nn.Linear({channels}, classes)"]
    return model_class(made, "classifier", ["x = F.relu(self.features(x))"])
