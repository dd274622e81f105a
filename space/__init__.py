"""The space of convolutional networks: exact configurations, their cost, and the modules made of them.

==============  ================================================================================
`budget`        "4.1GFLOPs" -> multiply-adds, "25M" -> a count
`limits`        what a network may have beside its multiply-adds
`networks`      configurations, their layers, and the modules made of them
`own_families`  families of the user's own, from a file of theirs
`solving`       axes, and the configuration that costs just what it is meant to cost
`landmarks`     published networks, with figures and sources
`papers`        what the papers print, computed
`shell`         what the command lines of all packages share
==============  ================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, overload

from space.budget import CONVENTION, Budget, gflops
from space.landmarks.networks import LANDMARKS, Landmark, landmark
from space.limits import Limits
from space.networks.config import Config
from space.networks.dense import DenseConfig
from space.networks.families import FAMILIES, family_of
from space.networks.family import Family
from space.networks.layers import Cost, total
from space.networks.read import config_from_json, load_config
from space.networks.residual import ResidualConfig
from space.networks.task import Preprocessing, Task
from space.own_families import load_family

if TYPE_CHECKING:
    from space.networks.network import FeatureMaps, Network


def cost(config: Config, input_size: int | None = None, classes: int | None = None, in_channels: int = 3) -> Cost:
    """Multiply-adds, parameters and activations of one image of `in_channels` x `input_size` x `input_size`.

    Closed form, exact, no module built. Input size and classes are the configuration's own (`Config.task`) unless
    given, and 224 and 1000 where it has none.

    Raises:
        ValueError: if the input is too small for the network.
    """
    return total(config.blocks(*config.target(input_size, classes), in_channels))


@overload
def build(
    config: Config,
    classes: int | None = ...,
    input_size: int | None = ...,
    *,
    in_channels: int = ...,
    features_only: Literal[False] = ...,
    out_indices: None = ...,
    zero_init_last: bool = ...,
) -> Network: ...
@overload
def build(
    config: Config,
    classes: int | None = ...,
    input_size: int | None = ...,
    *,
    in_channels: int = ...,
    features_only: Literal[True],
    out_indices: Sequence[int] | None = ...,
    zero_init_last: bool = ...,
) -> FeatureMaps: ...
def build(
    config: Config,
    classes: int | None = None,
    input_size: int | None = None,
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
        classes: outputs of its head; those of its task (`Config.task`: of a file of a run, the run's), else 1000.
            `space.networks.network.Network.reset_classifier` changes them later, also to none.
        input_size: height and width of the images it is meant for, which must not be too small; its task's, else 224.
            The module reads images of any size that its poolings leave something of, square or not.
        in_channels: of the images; 3 are red, green and blue.
        features_only: make a `space.networks.network.FeatureMaps` instead, without a head, which gives a list of
            maps, the stem's and each stage's, at falling resolution.
        out_indices: which of these maps, in ascending order: 0 is the stem's; negative ones count from the end. Stages
            after the last are left out.
        zero_init_last: let every residual block start as the identity.

    Raises:
        ValueError: if the input is too small for the network, or an argument is none that a network can have.
    """
    from space.networks.build import build_module

    size, number = config.target(input_size, classes)
    return build_module(
        config,
        number,
        size,
        in_channels=in_channels,
        features_only=features_only,
        out_indices=out_indices,
        zero_init_last=zero_init_last,
    )


__all__ = [
    "CONVENTION",
    "FAMILIES",
    "LANDMARKS",
    "Budget",
    "Config",
    "Cost",
    "DenseConfig",
    "Family",
    "Landmark",
    "Limits",
    "Preprocessing",
    "ResidualConfig",
    "Task",
    "build",
    "config_from_json",
    "cost",
    "family_of",
    "gflops",
    "landmark",
    "load_config",
    "load_family",
]
