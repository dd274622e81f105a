"""The space of convolutional networks: exact configurations, their cost, and the modules made of them.

=================  ================================================================================
`budget`           "4.1GFLOPs" -> multiply-adds, "25M" -> a count
`limits`           what a network may have beside its multiply-adds
`layers`           shape records and their sum: what is counted is said there
`config`           what every configuration can do
`residual`         ResNet, pre-activation ResNet, Wide ResNet, ResNeXt, RegNetX
`regnetx`          RegNetX's widths and depths from the five numbers of its rule
`dense`            DenseNet, DenseNet-BC
`modules`          configuration -> torch module; only this file and the three below import torch
`network`          what all modules have: stages, a head to change, multi-scale maps
`residual_net`     the modules of `residual`
`dense_net`        the modules of `dense`
`solve`            shape + target cost -> the configuration that costs it
`design`           the axes that a search may vary, and the way back from a network to them
`neighbourhood`    one step from a network to a similar one
`proportions`      a network in other widths, of another depth or cardinality, its proportions kept
`vary`             one network with one or two axes set, the rest solved: the settings of a sweep
`spend`            one network with more spent in one direction at a time: which axis pays?
`landmarks`        published networks, with `published` for their figures and sources
`own_landmarks`    networks of your own beside them, from a JSON or CSV file
`printed`          costs as the papers print them
`papers`           the papers' tables, computed; with `paper_rows`, `paper_resnet` and `outline` (blocks and sizes)
`blocks`           one block beside its unrolled rivals, at equal width and at equal cost; its table is `block_sheet`
`sheet`            tables as text, Markdown and JSON; `layer_table` is a network layer by layer
`pages`            pages under docs/ that show what a command prints
`command`          what the command lines share
`interrupts`       Ctrl-C and SIGTERM, none of them lost
`files`            files written whole or not at all, for every package that writes results
=================  ================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from space.budget import CONVENTION, Budget, gflops
from space.config import Config
from space.dense import DenseConfig
from space.landmarks import LANDMARKS, Landmark, landmark
from space.layers import Cost, total
from space.limits import Limits
from space.residual import ResidualConfig

if TYPE_CHECKING:
    from space.network import FeatureMaps, Network

FAMILIES: dict[str, type[Config]] = {
    "resnet": ResidualConfig,
    "preresnet": ResidualConfig,
    "wide_resnet": ResidualConfig,
    "resnext": ResidualConfig,
    "regnetx": ResidualConfig,
    "densenet": DenseConfig,
}


def cost(config: Config, input_size: int = 224, classes: int = 1000, in_channels: int = 3) -> Cost:
    """Multiply-adds, parameters and activations of one image of `in_channels` x `input_size` x `input_size`.

    Closed form, exact, no module built.

    Raises:
        ValueError: if the input is too small for the network.
    """
    return total(config.blocks(input_size, classes, in_channels))


@overload
def build(
    config: Config,
    classes: int = ...,
    input_size: int = ...,
    *,
    in_channels: int = ...,
    features_only: Literal[False] = ...,
    out_indices: None = ...,
    zero_init_last: bool = ...,
) -> Network: ...
@overload
def build(
    config: Config,
    classes: int = ...,
    input_size: int = ...,
    *,
    in_channels: int = ...,
    features_only: Literal[True],
    out_indices: Sequence[int] | None = ...,
    zero_init_last: bool = ...,
) -> FeatureMaps: ...
def build(
    config: Config,
    classes: int = 1000,
    input_size: int = 224,
    *,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    zero_init_last: bool = False,
) -> Network | FeatureMaps:
    """Make the network as a module that maps (n, in_channels, h, w) images to (n, classes) logits.

    Convolutions get He initialisation. Names and shapes in the state dict are torchvision's (but for RegNetX, which has
    other names there), so that its files load strictly::

        model = space.build(space.landmark("densenet121"))
        model.load_state_dict(torch.load("densenet121.pth"))
        model.reset_classifier(10)

    Args:
        config: the network.
        classes: outputs of its head. `space.network.Network.reset_classifier` changes them later, also to none.
        input_size: height and width of the images it is meant for, which must not be too small. The module reads images
            of any size that its poolings leave something of, square or not.
        in_channels: of the images; 3 are red, green and blue.
        features_only: make a `space.network.FeatureMaps` instead, without a head, which gives a list of maps, the
            stem's and each stage's, at falling resolution.
        out_indices: which of these maps, in ascending order: 0 is the stem's; negative ones count from the end. Stages
            after the last are left out.
        zero_init_last: let every residual block start as the identity.

    Raises:
        ValueError: if the input is too small for the network, or an argument is none that a network can have.
    """
    from space.modules import build_module

    return build_module(
        config,
        classes,
        input_size,
        in_channels=in_channels,
        features_only=features_only,
        out_indices=out_indices,
        zero_init_last=zero_init_last,
    )


def config_from_json(data: Any) -> Config:
    """Read what `Config.to_json` gave.

    Raises:
        ValueError: with one sentence that says what is wrong.
    """
    if not isinstance(data, dict):
        raise ValueError(f"a configuration is a JSON object with a family, got {type(data).__name__}")
    family = data.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        raise ValueError(f"family {family!r}: expected one of {', '.join(FAMILIES)}")
    return FAMILIES[family].from_json(data)


def load_config(path: str | Path) -> Config:
    """Read a configuration from a JSON file, bare or under the key ``config``.

    Raises:
        ValueError: if the file is no JSON or no configuration; it names the file.
        OSError: if the file cannot be read.
    """
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no JSON ({error}): expected what python -m space show NAME --json prints"
        ) from error
    try:
        return config_from_json(data["config"] if isinstance(data, dict) and "config" in data else data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


__all__ = [
    "CONVENTION",
    "FAMILIES",
    "LANDMARKS",
    "Budget",
    "Config",
    "Cost",
    "DenseConfig",
    "Landmark",
    "Limits",
    "ResidualConfig",
    "build",
    "config_from_json",
    "cost",
    "gflops",
    "landmark",
    "load_config",
]
