"""A configuration -> the source code of its network: one file that needs torch alone.

Only what this network uses is written: no groups where there are none, no branch that is never taken. Every number
comes from the layer records that `space.cost` sums and `space.build` makes its modules of.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from typing import Any

from results.export.dense import dense_code
from results.export.residual import residual_code
from space import Config, DenseConfig, ResidualConfig, config_from_json

WIDTH = 88  # characters a line: what formatters take where nobody told them otherwise
WRITERS: dict[type[Config], Callable[[Any, int, int], str]] = {ResidualConfig: residual_code, DenseConfig: dense_code}
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
        ValueError: for a configuration of a kind that has no source code here.
    """
    config = config_from_json(about["config"])
    size, classes = about["input_size"], about["classes"]
    write = WRITERS.get(type(config))
    if write is None:
        raise ValueError(f"no .py file can be made of a {config.family}: expected .pt2, .onnx or .safetensors")
    code = write(config, size, classes)
    return f'"""{_header(about, config.id, origin)}\n"""\n\n{code}\n\n{_MAKE.format(classes=classes)}'


_MAKE = '''\
def make_model(classes={classes}):
    """A new network, ready to be trained."""
    return Model(classes)
'''


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
        words.append(f"Proxy top-1 {about['proxy_top1']:.2f} %: {CAVEAT}.")
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
