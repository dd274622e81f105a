"""A configuration -> the source code of its network: one file that needs torch alone.

It is made of the program's own source text, the module classes of the network's family and what they need
(`results.export.definitions`), and of one class of numbers: what those modules read of the configuration, and its layer
records, of which `space.cost` is the sum and `space.build` the modules. So it works for a user's own family, too.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from results.export.definitions import Name, definitions
from space import Config, config_from_json
from space.networks.families import family_of
from space.networks.layers import Repeat
from space.networks.network import initialise
from space.shell.scores import score_text

WIDTH = 88  # characters a line of the header
CODE_WIDTH = 120  # and of the code, as that of the program
CAVEAT = (
    "a short training of a narrow copy on small images, good for ranking networks; it does not say how accurate this "
    "one is after a full training"
)


def source(about: dict[str, Any], origin: str = "") -> str:
    """The file's text: a module with ``make_model(classes)``, whose state dict is that of `space.build`.

    Args:
        about: ``name``, ``config``, ``macs``, ``params``, ``input_size``, ``classes``, and where there was a proxy
            training ``proxy_top1``, as `Candidate.to_json` gives them.
        origin: where the network comes from, in words.

    Raises:
        ValueError: for a family whose modules need more than torch or cannot stand in one file.
    """
    config = config_from_json(about["config"])
    size, classes = about["input_size"], about["classes"]
    module, name = _modules(config)
    blocks = config.blocks(size, classes)
    kinds = {type(each) for block in blocks for each in (block, *block.layers)}
    roots = [(module, name), *sorted((each.__module__, each.__name__) for each in (*kinds, initialise))]
    try:
        found = definitions(tuple(roots))
    except ValueError as error:
        raise ValueError(
            f"no .py file can be made of a {config.family}: {error}; or .pt2, .onnx, .safetensors"
        ) from error
    fields = {key: value for key, value in config.to_json().items() if key in found.attributes}
    numbers = "\n".join(f"    {key} = {_literal(getattr(config, key))}" for key in fields)
    rows = "\n".join(_rows(blocks, config.blocks(size, classes + 1)))
    return (
        f'"""{_header(about, config.id, origin)}\n"""\n\n{found.imports}\n\n\n'
        + _CONFIG.format(numbers=numbers, rows=rows, size=size)
        + f"\n\n{found.text}\n\n\n"
        + _MAKE.format(name=name, classes=classes, size=size)
    )


_CONFIG = '''\
class Config:
    """This network in numbers."""

{numbers}

    def blocks(self, input_size, classes, in_channels):
        """Its layers, a row a block, with the sizes that maps have for images of {size}x{size}."""
        return (
{rows}
        )  # fmt: skip
'''

_MAKE = '''\
def make_model(classes={classes}):
    """A new network, ready to be trained."""
    model = {name}(Config(), classes, {size}, 3)
    initialise(model)
    return model
'''


def _modules(config: Config) -> Name:
    """Where what makes the network's modules is defined."""
    make: Any = family_of(config).module
    if isinstance(make, str):
        module, _, name = make.partition(":")
        return module, name
    module, name = getattr(make, "__module__", ""), getattr(make, "__qualname__", "")
    if not name.isidentifier():
        raise ValueError(
            f"no .py file can be made of a {config.family}: what makes its modules, {make!r}, is no class or function "
            "of a file: expected one; or .pt2, .onnx, .safetensors"
        )
    return module, name


def _rows(blocks: Sequence[Repeat], others: Sequence[Repeat]) -> Iterator[str]:
    """The rows of the table of layers; `others` are those with one class more."""
    for block, other in zip(blocks, others, strict=True):
        layers = [_call(*pair) for pair in zip(block.layers, other.layers, strict=True)]
        before, after = f"{' ' * 12}Repeat({_literal(block.name)}, (", "".join(f", {n}" for n in block[2:]) + "),"
        if block[2:] == (1, 0):
            after = "),"
        row = f"{before}{', '.join(layers)}{',' if len(layers) == 1 else ''}){after}"
        if len(row) <= CODE_WIDTH:
            yield row
            continue
        yield before
        line = " " * 15
        for layer in layers:
            if len(line) + len(layer) + 2 > CODE_WIDTH:
                yield line
                line = " " * 15
            line += f" {layer},"
        yield line
        yield f"{' ' * 12}){after}"


def _call(layer: Any, other: Any) -> str:
    """A record as it is written; a number that grows with the classes is ``classes``."""
    defaults = type(layer)._field_defaults
    words = []
    for field, value, grown in zip(layer._fields, layer, other, strict=True):
        if field not in defaults or value != defaults[field]:
            word = _literal(value) if value == grown else "classes"
            words.append(f"{field}={word}" if field in defaults else word)
    return f"{type(layer).__name__}({', '.join(words)})"


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _header(about: dict[str, Any], config_id: str, origin: str) -> str:
    size, classes = about["input_size"], about["classes"]
    words = [
        f"{about['macs']:,} multiply-adds and {about['params']:,} parameters for images of {size}x{size} and {classes} "
        f"classes."
    ]
    if origin:
        words.append(f"Origin: {_plain(origin)}.")
    if "preprocessing" in about:
        how = about["preprocessing"]
        mean, std = ("(" + ", ".join(f"{each:.6g}" for each in how[key]) + ")" for key in ("mean", "std"))
        words.append(
            f"The weights it was checked with were trained on images in {how['channels']}, {how['resize']} to "
            f"{size}x{size}, as (pixel / 255 - {mean}) / {std}."
        )
    if about.get("class_names"):
        words.append(f"Classes: {', '.join(map(_plain, about['class_names']))}.")
    if about.get("proxy_top1") is not None:
        words.append(f"Proxy top-1 {score_text(about['proxy_top1'], about.get('held_out'), 2)} %: {CAVEAT}.")
    text = f"{_plain(about['name'])} ({about['family']}), written by archfrontier; holds no weights."
    usage = (
        "    from model import make_model\n\n"
        f"    model = make_model(classes=10)  # (n, 3, {size}, {size}) images -> (n, 10) logits"
    )
    names = f"Weights have the names that space.build gives them. Configuration {config_id}:"
    paragraphs = [textwrap.fill(each, WIDTH - 3) for each in (text, " ".join(words), names)]
    record = textwrap.indent(textwrap.fill(json.dumps(about["config"]), WIDTH - 4), "    ")
    return "\n\n".join([*paragraphs[:2], usage, paragraphs[2], record])


def _plain(text: str) -> str:
    """Words of a user that end no string and begin no escape."""
    return "".join("_" if each in '"\\' or not each.isprintable() else each for each in text)
