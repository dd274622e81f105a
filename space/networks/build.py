"""A configuration made into a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from space.networks.config import Config
from space.networks.families import family_of
from space.networks.network import FeatureMaps, Network, initialise


def build_module(
    config: Config,
    classes: int = 1000,
    input_size: int = 224,
    *,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    zero_init_last: bool = False,
) -> Network | FeatureMaps:
    """Make the network. See `space.build`."""
    if out_indices is not None and not features_only:
        raise ValueError("out_indices chooses among multi-scale maps: give features_only=True with it")
    make: Any = family_of(config).module
    if isinstance(make, str):
        module, _, name = make.partition(":")
        make = getattr(import_module(module), name)
    model: Network = make(config, classes, input_size, in_channels)
    initialise(model)
    if zero_init_last:
        model.zero_last_norms()
    return FeatureMaps(model, out_indices) if features_only else model
