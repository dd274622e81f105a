"""The source code of a residual network; see `export_python`."""

from __future__ import annotations

from dataclasses import dataclass

from results.export.pieces import body, model_class, stem_conv, table
from space import ResidualConfig
from space.networks.layers import Conv, Layer, Norm, Pool

_WORDS = {
    "depth": "blocks",
    "channels": "channels read",
    "width": "channels given",
    "inner": "inner channels",
    "groups": "groups",
    "stride": "stride",
}


@dataclass(frozen=True)
class _Shape:
    """What one or more equal blocks do to the shape."""

    channels: int
    width: int
    stride: int

    @property
    def changes(self) -> bool:
        return self.stride > 1 or self.channels != self.width


def residual_code(config: ResidualConfig, input_size: int, classes: int) -> str:
    """Imports, table of stages, block and model."""
    stem, *blocks, head = config.blocks(input_size, classes)
    shapes = [_shape(block.layers) for block in blocks]
    firsts = [shape for shape, block in zip(shapes, blocks, strict=True) if block.first == 0]
    columns = {
        "depth": config.depths,
        "channels": tuple(shape.channels for shape in firsts),
        "width": config.widths,
    }
    if config.inner_widths != config.widths:
        columns["inner"] = config.inner_widths
    if max(config.groups) > 1:
        columns["groups"] = config.groups
    if max(shape.stride for shape in firsts) > 1:
        columns["stride"] = tuple(shape.stride for shape in firsts)
    words = "a row a stage: " + ", ".join(_WORDS[name] for name in columns)
    return (
        "from torch import nn\nfrom torch.nn import functional as F\n\n"
        f"STEM = {config.stem_width}  # channels\n"
        + table("STAGES", words, list(zip(*columns.values(), strict=True)))
        + "\n\n\n"
        + _block(config, list(columns)[1:], shapes)
        + "\n\n"
        + _stage(config, columns)
        + "\n\n"
        + _model(config, stem.layers, head.layers)
    )


def _shape(layers: tuple[Layer, ...]) -> _Shape:
    convs = [layer for layer in layers if isinstance(layer, Conv) and layer.name.startswith("conv")]
    return _Shape(convs[0].in_channels, convs[-1].out_channels, max(conv.stride for conv in convs))


def _class_name(config: ResidualConfig) -> str:
    return ("PreAct" if config.preactivation else "") + ("Basic" if config.block == "basic" else "Bottleneck")


def _block(config: ResidualConfig, parameters: list[str], shapes: list[_Shape]) -> str:
    """The class of all blocks."""
    inner = "inner" if "inner" in parameters else "width"
    stride = "stride" if "stride" in parameters else "1"
    groups = "groups" if "groups" in parameters else ""
    if config.block == "basic":
        convs = [("channels", inner, 3, stride, groups), (inner, "width", 3, "1", groups)]
        recipe = "3x3, 3x3"
    else:
        first, second = (stride, "1") if config.stride_in == "1x1" else ("1", stride)
        convs = [("channels", inner, 1, first, ""), (inner, inner, 3, second, groups), (inner, "width", 1, "1", "")]
        recipe = "1x1, 3x3, 1x1"
    lines = []
    for number, (reads, writes, kernel, step, cardinality) in enumerate(convs, 1):
        norm = f"self.bn{number} = nn.BatchNorm2d({reads if config.preactivation else writes})"
        words = [reads, writes, str(kernel)]
        words += [step] if step != "1" or kernel > 1 else []
        words += [str(kernel // 2)] if kernel > 1 else []
        words += [f"groups={cardinality}"] if cardinality else []
        conv = f"self.conv{number} = nn.Conv2d({', '.join(words)}, bias=False)"
        lines += [norm, conv] if config.preactivation else [conv, norm]
    plain = config.shortcut == "none"
    made, shortcut = ([], []) if plain else _shortcut(config, stride, shapes)
    forward = _forward_pre if config.preactivation else _forward_post
    order = "norm and ReLU before each" if config.preactivation else "a norm after each, ReLU between"
    return f'''class {_class_name(config)}(nn.Module):
    """{recipe}, {order}{"; no shortcut" if plain else ", + shortcut"}."""

    def __init__(self, {", ".join(parameters)}):
        super().__init__()
{body(lines + made)}

    def forward(self, x):
{body(forward(len(convs), shortcut))}
'''


def _shortcut(config: ResidualConfig, stride: str, shapes: list[_Shape]) -> tuple[list[str], list[str]]:
    """(lines that make the shortcut, lines that apply it)."""
    changing = [shape for shape in shapes if shape.changes]
    if not changing:
        return [], ["shortcut = x"]
    strided = stride != "1"
    if config.shortcut == "A":
        pad = "(0, 0, 0, 0, 0, self.extra))  # new channels are zero"
        if not strided:
            return ["self.extra = width - channels"], [f"shortcut = F.pad(x, {pad}"]
        return ["self.extra = width - channels", "self.stride = stride"], [
            "shortcut = x[:, :, :: self.stride, :: self.stride]",
            f"shortcut = F.pad(shortcut, {pad}",
        ]
    conv = f"nn.Conv2d(channels, width, 1{', stride' if strided else ''}, bias=False)"
    norm = [] if config.preactivation else ["    nn.BatchNorm2d(width),"]
    projection = ["self.downsample = nn.Sequential(", f"    {conv},", *norm, ")"]
    reads = "out" if config.preactivation else "x"
    if len(changing) == len(shapes):
        return projection, [f"shortcut = self.downsample({reads})"]
    conditions = ["stride > 1"] if strided else []
    conditions += ["channels != width"] if any(shape.channels != shape.width for shape in changing) else []
    made = ["self.downsample = None", f"if {' or '.join(conditions)}:", *("    " + line for line in projection)]
    return made, [f"shortcut = x if self.downsample is None else self.downsample({reads})"]


def _forward_post(convs: int, shortcut: list[str]) -> list[str]:
    lines, reads = [], "x"
    for number in range(1, convs):
        lines.append(f"out = F.relu(self.bn{number}(self.conv{number}({reads})))")
        reads = "out"
    lines.append(f"out = self.bn{convs}(self.conv{convs}(out))")
    return [*lines, *shortcut, f"return F.relu({'out + shortcut' if shortcut else 'out'})"]


def _forward_pre(convs: int, shortcut: list[str]) -> list[str]:
    lines = ["out = F.relu(self.bn1(x))", *shortcut, "out = self.conv1(out)"]
    lines += [f"out = self.conv{number}(F.relu(self.bn{number}(out)))" for number in range(2, convs + 1)]
    return [*lines, "return out + shortcut" if shortcut else "return out"]


def _stage(config: ResidualConfig, columns: dict[str, tuple[int, ...]]) -> str:
    """The function that makes a stage of a row of the table."""
    name, parameters = _class_name(config), ", ".join(columns)
    given = list(columns)[1:]
    later = ["width" if each == "channels" else "1" if each == "stride" else each for each in given]
    return f'''def stage({parameters}):
    """Blocks in a row; the first gives the stage its shape."""
    first = {name}({", ".join(given)})
    others = [{name}({", ".join(later)}) for _ in range(depth - 1)]
    return nn.Sequential(first, *others)
'''


def _model(config: ResidualConfig, stem: tuple[Layer, ...], head: tuple[Layer, ...]) -> str:
    made, run = [], "x"
    for layer in stem:
        match layer:
            case Conv():
                made.append(f"self.conv1 = {stem_conv(layer)}")
                run = "self.conv1(x)"
            case Norm():
                made.append("self.bn1 = nn.BatchNorm2d(STEM)")
                run = f"F.relu(self.bn1({run}))"
            case Pool():
                made.append("self.maxpool = nn.MaxPool2d(3, 2, 1)")
                run = f"self.maxpool({run})"
    lines = [f"x = {run}"]
    for number in range(1, len(config.depths) + 1):
        made.append(f"self.layer{number} = stage(*STAGES[{number - 1}])")
        lines.append(f"x = self.layer{number}(x)")
    if isinstance(head[0], Norm):
        made.append(f"self.bn = nn.BatchNorm2d({head[0].channels})")
        lines.append("x = F.relu(self.bn(x))")
    made.append(f"self.fc = nn.Linear({config.widths[-1]}, classes)")
    return model_class(made, "fc", lines)
