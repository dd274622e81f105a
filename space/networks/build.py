"""A configuration made into a torch module."""

from __future__ import annotations

from collections.abc import Sequence

from space.networks.config import Config
from space.networks.dense import DenseConfig
from space.networks.dense_modules import DenseNet
from space.networks.network import FeatureMaps, Network, initialise
from space.networks.residual import ResidualConfig
from space.networks.residual_modules import ResidualNet


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
    model: Network
    if isinstance(config, ResidualConfig):
        model = ResidualNet(config, classes, input_size, in_channels)
    elif isinstance(config, DenseConfig):
        model = DenseNet(config, classes, input_size, in_channels)
    else:
        raise ValueError(f"no module for a {type(config).__name__}")
    initialise(model)
    if zero_init_last and isinstance(model, ResidualNet):
        model.zero_last_norms()
    return FeatureMaps(model, out_indices) if features_only else model
